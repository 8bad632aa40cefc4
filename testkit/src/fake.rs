//! A server played by a test.

use std::net::{SocketAddr, TcpListener};
use std::time::Instant;

use crate::{Client, PATIENCE, pause};

/// A listener that plays the server.
pub struct Fake {
    listener: TcpListener,
}

impl Fake {
    /// Listens on a port that the kernel picks.
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a listener");
        listener.set_nonblocking(true).expect("no waiting");
        Self { listener }
    }

    /// Its address.
    pub fn addr(&self) -> SocketAddr {
        self.listener.local_addr().expect("its address")
    }

    /// The next client, which must connect in time.
    #[track_caller]
    pub fn accept(&self) -> Client {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Ok((stream, _)) = self.listener.accept() {
                stream.set_nonblocking(false).expect("waiting");
                return Client::from_stream(stream);
            }
            assert!(Instant::now() < deadline, "no client comes");
            pause(2);
        }
    }

    /// The next client, logged in with any password, and with a token. Like an older server, this one keeps nothing of
    /// what is said.
    #[track_caller]
    pub fn let_in(&self) -> Client {
        self.let_in_with("C 502 unknown operation")
    }

    /// The same for a server with another answer to `WANT`, which a script does not send.
    #[track_caller]
    pub fn let_in_with(&self, wanted: &str) -> Client {
        let mut client = self.accept();
        client.send("C 220 fake 0 ready; your name?");
        let name = client.expect("C ");
        if name.split(' ').count() == 2 {
            client.send("C 331 your password?");
            client.expect("C ");
        }
        client.send("C 230 welcome; 1 online");
        loop {
            match client.line().as_str() {
                "C TOKEN" => client.send("C 231 faketoken expires=86400"),
                "C WHO" => break client.send("C 211 1 online"),
                line if line.starts_with("C WANT ") => client.send(wanted),
                "C IGNORE" => client.send("C 502 unknown operation"),
                line => panic!("after the login: {line:?}"),
            }
        }
        client
    }
}
