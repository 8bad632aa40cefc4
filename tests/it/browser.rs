//! The page in a real browser. Everything is found by role and accessible name, as a screen reader finds it.

use testkit::{Builder, PASSWORD, Server};

mod axe;
mod driver;
mod hostile;
#[cfg(feature = "tls")]
mod irc;
mod keyboard;
mod long;
mod login;
mod page;
mod reconnecting;
mod rooms;
mod scene;
mod session;
mod settings;
mod small;
mod talking;
mod walls;

use page::Page;
use session::key;

/// A server with a web door and a line door.
fn served() -> Builder {
    Server::builder().no_rates().listen(&["line://127.0.0.1:0", "web://127.0.0.1:0"])
}

/// Stops the server; the next start is at the same addresses.
#[track_caller]
fn stop(server: &mut Server) {
    let (line, web) = (server.door("line"), server.door("web"));
    server.set("listen", &format!("['line://{line}', 'web://{web}']"));
    assert!(server.term().success());
}
