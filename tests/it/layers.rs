//! The arrows between the layers: a source file may name only what its layer may know.

use std::fs;
use std::path::{Path, PathBuf};

use self::source::{Tokens, paths, tokens};

mod source;

/// The arrows of docs/architecture.md. Anything else is forbidden; all may know [`FOR_ALL`].
const ARROWS: [(&str, &[&str]); 18] = [
    (
        "main",
        &[
            "main",
            "config",
            "logging",
            "net",
            "auth::admin",
            "history::admin",
            "door::operator",
            "place",
            "prompt",
            "signals",
        ],
    ),
    ("net", &["net", "engine", "door", "auth", "history", "hub::names", "hub::record", "mailbox", "place", "signals"]),
    (
        "engine",
        &[
            "engine",
            "door",
            "hub",
            "auth::bans",
            "auth::Deed",
            "auth::Origin",
            "auth::Outcome",
            "auth::Refused",
            "auth::Request",
            "auth::Verdict",
            "history",
            "failpoint",
        ],
    ),
    ("door", &["door", "history", "hub::command", "hub::event", "hub::names", "hub::profile", "hub::record"]),
    ("auth", &["auth", "hub::names", "mailbox", "files", "failpoint"]),
    ("history", &["history", "hub::names", "hub::profile", "hub::record", "mailbox", "files", "failpoint"]),
    ("files", &["files"]),
    ("mailbox", &["mailbox"]),
    ("hub", &["hub"]),
    ("config", &["config", "place", "hub::names"]),
    ("logging", &["logging", "place"]),
    ("client", &["client", "prompt", "secret", "signals"]),
    ("load", &["load", "signals", "history::fill"]),
    ("load::main", &["load", "config", "main"]),
    ("place", &["place"]),
    ("prompt", &["prompt"]),
    ("signals", &["signals"]),
    ("failpoint", &["failpoint"]),
];

const FOR_ALL: [&str; 7] = ["limits", "close", "text", "mention", "own_names", "secret", "network"];

/// The source folders, each with the prefix of its modules in the table.
const CRATES: [(&str, &str); 3] = [("src", ""), ("client/src", "client"), ("load/src", "load")];

/// The layers in which no circle of files may be.
const WITHOUT_CIRCLES: [&str; 7] = ["net", "engine", "door", "auth", "history", "client", "load"];

/// Paths outside of the workspace that only these layers may name.
const OUTSIDE: [(&str, &[&str]); 20] = [
    ("rusqlite", &["history"]),
    ("mio", &["net", "load"]),
    ("signal_hook_mio", &["net"]),
    ("sd_notify", &["net"]),
    ("argon2", &["auth"]),
    ("hmac", &["auth"]),
    ("sha2", &["auth", "net"]),
    ("clap", &["config", "main", "client", "load", "load::main"]),
    ("rustyline", &["client"]),
    ("rpassword", &["prompt"]),
    ("nix", &["client"]),
    (
        "std::fs",
        &[
            "net", "auth", "history", "files", "config", "logging", "main", "client", "load", "place", "prompt",
            "signals",
        ],
    ),
    ("std::net", &["net", "auth", "config", "main", "client", "load"]),
    ("std::io", &["net", "auth", "history", "files", "config", "logging", "main", "client", "load", "prompt"]),
    ("std::thread", &["net", "auth", "history", "logging", "main", "client", "load"]),
    ("std::time", &["net", "auth", "history", "config", "logging", "main", "client", "load"]),
    ("getrandom", &["net", "auth", "load"]),
    ("rustls", &["net", "client", "load"]),
    ("x509_cert", &["net"]),
    ("rcgen", &["main"]),
];

/// The layers that may name [`PLAIN_DATA`].
const PLAIN_DATA_LAYERS: [&str; 3] = ["engine", "door", "mailbox"];

/// Plain data of modules that [`OUTSIDE`] bans.
const PLAIN_DATA: [&str; 6] = [
    "std::net::IpAddr",
    "std::net::Ipv4Addr",
    "std::net::Ipv6Addr",
    "std::net::SocketAddr",
    "std::io::IoSlice",
    "std::time::Duration",
];

/// The pure part of the client: it may name nothing else of the client, and nothing in [`WORLD`].
const CLIENT_CORE: [&str; 13] = [
    "client::action",
    "client::alert",
    "client::fingerprint",
    "client::frame",
    "client::past",
    "client::command",
    "client::session",
    "client::complete",
    "client::ring",
    "client::show",
    "client::title",
    "client::visible",
    "client::wrap",
];

/// Access to the world. The clock and the time zone of the machine count, whichever crate reads them.
const WORLD: [&str; 16] = [
    "std::io",
    "std::fs",
    "std::net",
    "std::thread",
    "std::time",
    "std::env",
    "std::process",
    "getrandom",
    "rustyline",
    "rpassword",
    "signal_hook",
    "rustix",
    "jiff::Timestamp::now",
    "Timestamp::now",
    "Zoned::now",
    "TimeZone::system",
];

/// The layer of a file, given by its path under `src`, after the name of its crate if that is not chatd; `None` for
/// files that hold the layers together or are known to all.
fn layer(file: &str) -> Option<&str> {
    if file == "load/main.rs" {
        return Some("load::main");
    }
    let top = file.split('/').next().unwrap_or(file).trim_end_matches(".rs");
    match top {
        "app" | "bin" | "main" => Some("main"),
        "lib" | "limits" | "close" | "text" | "mention" | "own_names" | "secret" | "network" => None,
        other => Some(other),
    }
}

/// The module of a file, as the segments after `crate`; those of the client begin with `client`, those of chatload with
/// `load`.
fn module(file: &str) -> Vec<String> {
    let mut segments: Vec<String> = file.trim_end_matches(".rs").split('/').map(str::to_owned).collect();
    if segments.last().is_some_and(|last| ["mod", "lib", "main"].contains(&last.as_str())) {
        segments.pop();
    }
    segments
}

/// A path from the crate's root, without `crate`, as [`module`] gives it; `None` for a path to another crate.
fn within_ours(path: &[String], module: &[String]) -> Option<Vec<String>> {
    let own = module.first().filter(|first| ["client", "load"].contains(&first.as_str()));
    let mut segments = path.iter().map(String::as_str).peekable();
    let mut base = match segments.peek().copied()? {
        "crate" => own.cloned().into_iter().collect(),
        "chatd" => Vec::new(),
        "chatclient" => vec!["client".to_owned()],
        "chatload" => vec!["load".to_owned()],
        "self" | "super" => module.to_vec(),
        _ => return None,
    };
    segments.next_if(|first| *first != "super");
    while segments.next_if_eq(&"super").is_some() {
        base.pop();
    }
    base.extend(segments.map(str::to_owned));
    Some(base)
}

/// Whether `path` is `start` or below it.
fn begins(path: &str, start: &str) -> bool {
    path.strip_prefix(start).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

/// Whether an item of the crate, as segments without `crate`, belongs to the pure part of the client.
fn is_client_core(path: &str) -> bool {
    CLIENT_CORE.iter().any(|core| begins(path, core))
}

/// The errors in a source file at this path, as [`layer`] takes it: one line for each forbidden arrow.
fn violations(file: &str, code: &Tokens) -> Vec<String> {
    let Some(layer) = layer(file) else { return Vec::new() };
    let Some((_, allowed)) = ARROWS.iter().find(|(name, _)| *name == layer) else {
        return vec![format!("{file}: the layer {layer} is not in the picture")];
    };
    let module = module(file);
    let is_core = is_client_core(&module.join("::"));
    let mut found = Vec::new();
    for path in paths(code) {
        let is_wrong = match within_ours(&path, &module) {
            Some(inside) => {
                let inside = inside.join("::");
                // Parts of a layer may be modules of other names.
                let top = inside.split("::").next().unwrap_or_default();
                let is_of = |name: &str| begins(&inside, name) || self::layer(top) == Some(name);
                let is_layer = ARROWS.iter().any(|(name, _)| is_of(name));
                // Another crate of ours has no module that is not in the table.
                let is_elsewhere =
                    path[0] == "chatd" && module.first().is_some_and(|own| ["client", "load"].contains(&own.as_str()));
                let is_shell = is_core
                    && !is_client_core(&inside)
                    && ["client::", "prompt", "signals"].iter().any(|shell| inside.starts_with(shell));
                is_shell || (is_layer || is_elsewhere) && !allowed.iter().chain(&FOR_ALL).any(|ok| is_of(ok))
            }
            None => {
                // `core` is the same thing by another name.
                let outside = path.join("::").replacen("core::", "std::", 1);
                let is_world = is_core && WORLD.iter().any(|name| begins(&outside, name));
                let is_plain = PLAIN_DATA_LAYERS.contains(&layer) && PLAIN_DATA.contains(&outside.as_str());
                let is_banned = |(name, layers): &(&str, &[&str])| begins(&outside, name) && !layers.contains(&layer);
                is_world || !is_plain && OUTSIDE.iter().any(is_banned)
            }
        };
        if is_wrong {
            found.push(format!("{file}: {layer} may not name {}", path.join("::")));
        }
    }
    found
}

/// All `.rs` files under a folder, sorted.
fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|ext| ext == "rs") {
            files.push(path);
        }
    }
    files.sort();
    files
}

/// A file: its path as [`layer`] takes it, and its code.
type Source = (String, Tokens);

/// The sources of all crates, without files of tests.
fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut all = Vec::new();
    let mut tests = Vec::new();
    for (folder, name) in CRATES {
        let folder = root.join(folder);
        for path in rust_files(&folder) {
            let file = Path::new(name).join(path.strip_prefix(&folder).unwrap()).to_string_lossy().into_owned();
            let (code, names) = tokens(&fs::read_to_string(&path).unwrap());
            tests.extend(names.into_iter().map(|name| [module(&file), vec![name]].concat()));
            all.push((file, code));
        }
    }
    all.retain(|(file, _)| !tests.iter().any(|test| module(file).starts_with(test)));
    all
}

/// The circles among files, and the arrows from one circle to another: one line for each arrow. An arrow to the root
/// file of the own folder does not count.
fn circles(sources: &[Source]) -> Vec<String> {
    let modules: Vec<Vec<String>> = sources.iter().map(|(file, _)| module(file)).collect();
    let file_of = |path: &[String]| modules.iter().position(|module| module == path);
    let mut arrows: Vec<(usize, usize)> = Vec::new();
    for (from, (_, code)) in sources.iter().enumerate() {
        let module = &modules[from];
        for path in paths(code) {
            // A path without a crate may begin with a module below this one.
            let whole = within_ours(&path, module).unwrap_or_else(|| [module.clone(), path].concat());
            let named = (0..=whole.len()).rev().find_map(|length| file_of(&whole[..length]));
            arrows.extend(named.map(|to| (from, to)));
        }
    }
    arrows.retain(|(from, to)| from != to && modules[*from].split_last().is_none_or(|(_, root)| modules[*to] != root));
    arrows.sort_unstable();
    arrows.dedup();
    // A file without an arrow to it, or without one from it, is in no circle.
    loop {
        let before = arrows.clone();
        arrows.retain(|(from, to)| {
            before.iter().any(|(_, end)| end == from) && before.iter().any(|(start, _)| start == to)
        });
        if arrows == before {
            return arrows.iter().map(|(from, to)| format!("{} -> {}", sources[*from].0, sources[*to].0)).collect();
        }
    }
}

#[test]
fn every_arrow_is_in_the_picture() {
    let sources = sources();
    assert!(sources.len() > 5, "the sources are not where they are looked for");
    let wrong: Vec<String> = sources.iter().flat_map(|(file, code)| violations(file, code)).collect();
    assert!(wrong.is_empty(), "arrows that are not in the picture:\n{}", wrong.join("\n"));
}

#[test]
fn no_files_are_in_a_circle() {
    let all = sources();
    for folder in WITHOUT_CIRCLES {
        let within = |file: &str| file.split('/').next() == Some(folder);
        let sources: Vec<Source> = all.iter().filter(|(file, _)| within(file)).cloned().collect();
        assert!(sources.len() > 5, "the sources are not where they are looked for");
        let found = circles(&sources);
        assert!(found.is_empty(), "circles in {folder}:\n{}", found.join("\n"));
    }
}

/// Where the time of day is read, and where it goes. People and programs may set it at any moment, and a limit, a
/// deadline or an order that depends on it would change. A test cannot set the clock of its machine (time namespaces
/// move monotonic clocks only), so this checks the sources.
const TIME_OF_DAY: [(&str, &str, &[&str]); 4] = [
    // Certificates end by the time of day. The others: a time ago that an operator types, the name of a damaged history,
    // and when the messages of a filled history were said.
    (
        "SystemTime :: now",
        "read",
        &[
            "net/sys/clock.rs",
            "auth/store/journal/mod.rs",
            "net/tls/expiry.rs",
            "app/history.rs",
            "history/store/admin/repair.rs",
            "load/past.rs",
        ],
    ),
    // Message ids, which rise whatever the clock says (the hub has a test), the expiry of tokens, bans and certificates,
    // and times that operators are shown.
    (
        "unix_ms",
        "the loop's",
        &[
            "door/recall.rs",
            "net/sys/clock.rs",
            // Until when things are kept, and when an account was found to be gone.
            "history/absent.rs",
            "history/store/mod.rs",
            "history/store/writer/mod.rs",
            "net/turn/wait.rs",
            "engine/mod.rs",
            "engine/turn.rs",
            "engine/checkup.rs",
            "engine/degraded.rs",
            "engine/dispatch.rs",
            "engine/datagrams.rs",
            "engine/login.rs",
            "engine/history/mod.rs",
            "engine/history/people.rs",
            "engine/history/requests.rs",
            "engine/history/state.rs",
            "engine/history/when.rs",
            "engine/operator/mod.rs",
            "engine/operator/sessions.rs",
            "engine/operator/status.rs",
            "engine/operator/trace.rs",
            "net/mod.rs",
            "net/history.rs",
            "engine/bans.rs",
            "engine/operator/bans.rs",
            "hub/mod.rs",
            "hub/session.rs",
            "hub/people/mod.rs",
            "hub/membership.rs",
            "hub/direct.rs",
            "hub/people/mod.rs",
            "hub/session.rs",
            "hub/kept/succession.rs",
            // What IRC clients are shown as the time of a line.
            "door/mod.rs",
            "door/decoded.rs",
            "engine/deliver.rs",
            "engine/fan.rs",
            "engine/irc/mod.rs",
            "engine/public_log/mod.rs",
        ],
    ),
    // The date of each change in the account file, and the name of a file with a torn end.
    (
        "unix_now",
        "the account file's",
        &[
            "auth/store/journal/mod.rs",
            "auth/worker/mod.rs",
            "auth/worker/deeds.rs",
            "auth/admin/ledger.rs",
            "auth/admin/inspect.rs",
        ],
    ),
    // Resume tokens and bans.
    (
        "unix_s",
        "the tokens' and the bans'",
        &[
            "auth/mod.rs",
            "auth/bans/mod.rs",
            "auth/store/bans.rs",
            "engine/login.rs",
            "engine/operator/bans.rs",
            "net/accounts.rs",
            // The name of a copy.
            "history/store/admin/file.rs",
        ],
    ),
];

#[test]
fn the_wall_clock_decides_no_limit() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for path in rust_files(&src) {
        let text = fs::read_to_string(&path).unwrap();
        // Tests are at the end of a file, or in a file of their own.
        let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
        let code: String = code.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
        let file = path.strip_prefix(&src).unwrap().to_string_lossy().into_owned();
        let is_exempt = file.contains("tests");
        for (name, whose, places) in TIME_OF_DAY {
            let is_named = code.contains(&name.replace(' ', ""));
            assert!(
                is_exempt || !is_named || places.contains(&file.as_str()),
                "src/{file} names {name}, {whose} time of day"
            );
        }
        // Deadlines and rates use the loop's clock only, which is monotonic.
        let is_limit = [
            "engine/addresses/ledger.rs",
            "engine/addresses/mod.rs",
            "engine/allowances.rs",
            "engine/backpressure/mod.rs",
            "engine/bucket.rs",
            "engine/close.rs",
            "engine/conn.rs",
            "engine/room_guesses.rs",
            "engine/liveness.rs",
            "engine/log_limit/mod.rs",
            "engine/password_change.rs",
            "engine/pause.rs",
            "engine/peers/mod.rs",
            "engine/rate.rs",
            "engine/timers.rs",
        ];
        assert!(!is_limit.contains(&file.as_str()) || !code.contains("unix"), "src/{file}");
    }
}

#[test]
fn the_client_and_chatload_name_rustls_in_one_place() {
    for (file, code) in sources() {
        let is_place = file.contains("/tls.rs") || file.contains("/tls/");
        let is_named = paths(&code).iter().any(|path| path[0].starts_with("rustls"));
        assert!(is_place || !is_named || !(file.starts_with("client/") || file.starts_with("load/")), "{file}");
    }
}

#[track_caller]
fn check(file: &str, text: &str, expected: &[&str]) {
    let found = violations(file, &tokens(text).0);
    let named: Vec<&str> = found.iter().map(|line| line.rsplit(' ').next().unwrap()).collect();
    assert_eq!(named, expected, "{file}: {text}");
}

#[test]
fn allowed_arrows_pass() {
    check("main.rs", "use chatd::{app, config, net}; use clap::Parser;", &[]);
    check("app/accounts.rs", "use crate::auth::admin::{self, Ledger};", &[]);
    check("client/main.rs", "fn main() { chatclient::run(std::env::args()) }", &[]);
    check("load/main.rs", "use chatd::{config, app}; fn main() { app::chatd(chatload::SERVE); }", &[]);
    check("net/endpoint.rs", "use crate::{auth::Verdict, door::Door, engine::Engine}; use mio::Token;", &[]);
    check("engine/conn.rs", "use crate::{auth::Verdict, door::Door, hub::Hub}; use super::outbox;", &[]);
    check("engine/io.rs", "use std::{io::IoSlice, net::{IpAddr, SocketAddr}, time::Duration};", &[]);
    check(
        "door/line.rs",
        "use crate::hub::{command::Command, event::{Event, Audience}, names}; use super::inbox;",
        &[],
    );
    check("auth/worker/mod.rs", "use crate::hub::names::UserName; use std::{fs, io, thread}; use argon2::Argon2;", &[]);
    check("hub/mod.rs", "mod room; use self::room::Room; use crate::limits; use std::collections::HashMap;", &[]);
    check("config.rs", "use crate::limits::Limits; use std::fs; fn f(c: &C) { c.argon2.x() }", &[]);
    check("logging.rs", "use crate::close::CloseReason; use std::{thread, io::Write};", &[]);
}

#[test]
fn forbidden_arrows_are_found() {
    check("hub/mod.rs", "use crate::door::Door;", &["crate::door::Door"]);
    check("hub/mod.rs", "use super::net;", &["super::net"]);
    check("hub/room.rs", "use super::super::net::x;", &["super::super::net::x"]);
    check("hub/room.rs", "fn f(t: std::time::Instant) {}", &["std::time::Instant"]);
    check("hub/room.rs", "use std::{collections::BTreeMap, time::{Duration}};", &["std::time::Duration"]);
    check("hub/room.rs", "fn f(d: core::time::Duration) {}", &["core::time::Duration"]);
    check("door/line.rs", "use crate::hub::Hub;", &["crate::hub::Hub"]);
    check("door/line.rs", "use crate::hub::{self, names};", &["crate::hub::self"]);
    check("door/line.rs", "use crate::hub::*;", &["crate::hub::*"]);
    check("door/line.rs", "use std::io::Write as _; use mio::Token;", &["std::io::Write", "mio::Token"]);
    check("auth/mod.rs", "fn f() { crate::hub::event::x(); }", &["crate::hub::event::x"]);
    check("auth/mod.rs", "use crate::net;", &["crate::net"]);
    check(
        "net/conn.rs",
        "use crate::config::Config; use argon2::Params;",
        &["crate::config::Config", "argon2::Params"],
    );
    check("config.rs", "use crate::hub::Hub;", &["crate::hub::Hub"]);
    check("app/mod.rs", "use crate::auth::Worker;", &["crate::auth::Worker"]);
    check("stats/mod.rs", "", &["picture"]);
}

#[test]
fn the_core_of_the_client_is_pure() {
    check("client/link.rs", "use std::{io, net::TcpStream, thread, time}; use super::session::Session;", &[]);
    check(
        "client/session.rs",
        "mod keys; use self::keys::Keys; use super::{action::Now, command}; use zeroize::X;",
        &[],
    );
    check("client/session/keys.rs", "use super::Session; use crate::action::Now; use chatd::limits;", &[]);
    check("client/show.rs", "fn f(t: Timestamp) { t.to_zoned(TimeZone::UTC) }", &[]);
    check("client/session/keys.rs", "use std::time::Instant;", &["std::time::Instant"]);
    check("client/show/json.rs", "use std::io::Write as _; use std::fmt;", &["std::io::Write"]);
    check("client/show.rs", "fn f() { jiff::Timestamp::now(); Zoned::now() }", &["jiff::Timestamp::now", "Zoned::now"]);
    check("client/session.rs", "use super::shell::Shell;", &["super::shell::Shell"]);
    check("client/session/keys.rs", "use crate::{link, action};", &["crate::link"]);
    check("client/session/keys.rs", "use chatd::prompt::Hidden;", &["chatd::prompt::Hidden"]);
}

#[test]
fn client_and_load_know_little_of_chatd() {
    check("client/secret.rs", "use chatd::{prompt::Hidden, limits, text::Class}; use chatd::signals::is_ignored;", &[]);
    check("client/frame.rs", "use chatd::door::Door;", &["chatd::door::Door"]);
    check("client/link.rs", "use chatd::{auth, place};", &["chatd::auth", "chatd::place"]);
    check("client/link.rs", "use chatd::ConnId; use chatload::args;", &["chatd::ConnId", "chatload::args"]);
    check("load/spawn.rs", "use chatd::{limits, signals, app};", &["chatd::app"]);
    check("load/main.rs", "use chatd::net;", &["chatd::net"]);
    check(
        "net/conn/stream.rs",
        "use crate::app::chatd; use chatclient::run;",
        &["crate::app::chatd", "chatclient::run"],
    );
}

#[test]
fn circles_are_found() {
    #[track_caller]
    fn check(files: &[(&str, &str)], expected: &[&str]) {
        let sources: Vec<Source> = files.iter().map(|(file, text)| ((*file).to_owned(), tokens(text).0)).collect();
        assert_eq!(circles(&sources), expected, "{files:?}");
    }
    check(&[("net/a.rs", "use super::b::B;"), ("net/b.rs", "use super::c::C;"), ("net/c.rs", "")], &[]);
    check(
        &[
            ("net/a.rs", "use super::b::B;"),
            ("net/b.rs", "fn f() { crate::net::a::f() }"),
            ("net/c.rs", "use super::a;"),
        ],
        &["net/a.rs -> net/b.rs", "net/b.rs -> net/a.rs"],
    );
    // The root of the own folder, in either convention.
    check(&[("client/a.rs", "mod b; b::f();"), ("client/a/b.rs", "use super::A; use crate::a::A;")], &[]);
    check(&[("net/mod.rs", "mod b; use self::b::B;"), ("net/b.rs", "use super::A;")], &[]);
    // A visibility names the root of a folder further up, and uses nothing of it.
    check(
        &[("auth/mod.rs", "mod store; use store::files;"), ("auth/store/files.rs", "pub(in crate::auth) fn f() {}")],
        &[],
    );
    // The root of another folder counts.
    check(
        &[
            ("client/a.rs", "mod b; b::f();"),
            ("client/a/b.rs", "use crate::c::C;"),
            ("client/c.rs", "use crate::a::A;"),
        ],
        &["client/a.rs -> client/a/b.rs", "client/a/b.rs -> client/c.rs", "client/c.rs -> client/a.rs"],
    );
}

#[test]
fn comments_texts_and_tests_are_exempt() {
    check("hub/mod.rs", "// use crate::net;\n/* a /* b */ use mio::Poll; */ /// [`crate::net::X`]\n", &[]);
    check("hub/mod.rs", r##"const A: &str = "use crate::net; \" "; const B: &str = r#"crate::net::"x"#;"##, &[]);
    check("hub/mod.rs", "const A: char = '\"'; const B: char = '\\''; use crate::net; //\"", &["crate::net"]);
    check("hub/mod.rs", "fn f<'a>(x: &'a str) {} use crate::net;", &["crate::net"]);
    check(
        "hub/mod.rs",
        "#[cfg(test)]\nmod tests { use crate::net::X; fn f() { {} } }\nuse crate::door;",
        &["crate::door"],
    );
    check("hub/mod.rs", "#[cfg(test)] #[allow(x)] use {mio::Poll, crate::net}; use crate::auth;", &["crate::auth"]);
    assert_eq!(tokens("#[cfg(test)]\nmod sim;\nmod room;").1, ["sim"]);
}
