//! The measured server: its address, its process if that is on this machine, and the descriptors for the run.

use std::net::{SocketAddr, ToSocketAddrs as _};

use chatd::limits::SPARE_DESCRIPTORS;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::args::{Args, Common};
use super::fleet::Way;
use super::process::{self, Memory, Threads};
use super::run::Stop;
use super::spawn::{Rules, Spawned};
use super::tls::{self, Settings};
use super::web;

/// The default ports, which are chatd's: that of the line door …
const PORT: u16 = 5015;
/// … that of the web door …
const WEB_PORT: u16 = 8015;
/// … and those that IRC servers have, without and with TLS.
const IRC_PORT: u16 = 6667;
const IRC_TLS_PORT: u16 = 6697;

/// The measured server.
pub(super) struct Target {
    /// Its address.
    pub(super) addr: SocketAddr,
    /// Its host and port, as it is called. Its certificate names the host.
    name: String,
    /// The server started for the run.
    pub(super) spawned: Option<Spawned>,
    pid: Option<u32>,
}

impl Target {
    /// Finds or starts the server, for this many connections.
    ///
    /// # Errors
    /// There is none, or it cannot be started.
    pub(super) fn find(common: &Common, connections: u32, stop: &Stop) -> Result<Self, String> {
        let Some(name) = &common.server else {
            return Ok(Self::of(Spawned::start(connections, &Rules::of(common), stop)?));
        };
        if let Some(pid) = common.pid.filter(|pid| process::cpu_seconds(*pid).is_none()) {
            return Err(format!("--pid {pid}: there is no such process on this machine"));
        }
        let name = with_port(name, usual_port(common));
        Ok(Self { addr: resolve(&name)?, name, spawned: None, pid: common.pid })
    }

    /// A server that was started for the run.
    pub(super) fn of(spawned: Spawned) -> Self {
        let addr = spawned.addr();
        Self { addr, name: addr.to_string(), spawned: Some(spawned), pid: None }
    }

    /// How connections reach it, as the arguments want it.
    ///
    /// # Errors
    /// The certificates or the name cannot be used, and why.
    pub(super) fn way(&self, args: &Args) -> Result<Way, String> {
        let common = args.common();
        let alpn = match (common.web, common.irc) {
            (true, _) => tls::Alpn::Http,
            (false, true) => tls::Alpn::Irc,
            (false, false) => tls::Alpn::Chat,
        };
        let tls = || Settings::new(host(&self.name), common.ca.as_deref(), args.resumes(), alpn);
        let tls = common.tls.then(tls).transpose()?;
        let request = common.web.then(|| web::request(&self.name));
        Ok(Way { addr: self.addr, tls, request, speech: args.speech() })
    }

    /// The server, for the report.
    pub(super) fn describe(&self) -> String {
        match (&self.spawned, self.pid) {
            (Some(_), _) => format!("{}, started for this run", self.addr),
            (None, Some(pid)) => format!("{}, process {pid}", self.addr),
            (None, None) => self.addr.to_string(),
        }
    }

    /// Processor time of its process, in seconds, if known.
    pub(super) fn cpu_seconds(&self) -> Option<f64> {
        self.pid().and_then(process::cpu_seconds)
    }

    /// Processor time of its threads, if known.
    pub(super) fn threads(&self) -> Option<Threads> {
        self.pid().and_then(process::threads)
    }

    /// Whether the server that was started for the run keeps a history; `None` for another server.
    pub(super) fn keeps_history(&self) -> Option<bool> {
        self.spawned.as_ref().map(Spawned::keeps_history)
    }

    /// Memory of its process, if known.
    pub(super) fn memory(&self) -> Option<Memory> {
        self.pid().and_then(process::memory)
    }

    /// Why nothing is known of its process; `None` if something is.
    pub(super) fn unknown(&self) -> Option<String> {
        match self.pid() {
            None => Some("on this machine, --pid N would tell".to_owned()),
            Some(_) if self.cpu_seconds().is_none() => Some("the process is gone, or there is no /proc".to_owned()),
            Some(_) => None,
        }
    }

    fn pid(&self) -> Option<u32> {
        self.spawned.as_ref().map(Spawned::pid).or(self.pid)
    }
}

/// Raises the descriptor limit for this many connections, for this process and its children.
///
/// # Errors
/// The hard limit is lower.
pub(super) fn take_descriptors(connections: u32) -> Result<(), String> {
    // A spawned server inherits the limit, and keeps this many in reserve.
    let wanted = u64::from(connections) + 2 * SPARE_DESCRIPTORS;
    let found = getrlimit(Resource::Nofile);
    if found.current.is_none_or(|soft| soft >= wanted) {
        return Ok(());
    }
    let most = found.maximum.unwrap_or(u64::MAX);
    let raised = Rlimit { current: Some(wanted.min(most)), maximum: found.maximum };
    if wanted <= most && setrlimit(Resource::Nofile, raised).is_ok() {
        return Ok(());
    }
    let allowed = most.saturating_sub(2 * SPARE_DESCRIPTORS);
    Err(format!(
        "{connections} connections take {wanted} descriptors, and a process here may have {most} (ulimit -Hn): \
         raise that, or ask for {allowed} connections in all at most"
    ))
}

/// The port of the door that is measured, as a server has it by default.
fn usual_port(common: &Common) -> u16 {
    match (common.web, common.irc, common.tls) {
        (true, ..) => WEB_PORT,
        (false, true, false) => IRC_PORT,
        (false, true, true) => IRC_TLS_PORT,
        (false, false, _) => PORT,
    }
}

/// The name with a port: this one if it has none.
fn with_port(name: &str, port: u16) -> String {
    if has_port(name) { name.to_owned() } else { format!("{name}:{port}") }
}

fn resolve(name: &str) -> Result<SocketAddr, String> {
    let cannot = |why: String| format!("--server {name}: {why}; it takes HOST:PORT, such as localhost:{PORT}");
    let found: Vec<SocketAddr> = name.to_socket_addrs().map_err(|error| cannot(error.to_string()))?.collect();
    // The shipped configuration listens on IPv4 only.
    let best = found.iter().find(|addr| addr.is_ipv4()).or_else(|| found.first());
    best.copied().ok_or_else(|| cannot("it has no address".to_owned()))
}

/// The name without its port and brackets.
fn host(name: &str) -> &str {
    let bare = if has_port(name) { name.rsplit_once(':').map_or(name, |(host, _)| host) } else { name };
    bare.strip_prefix('[').and_then(|bare| bare.strip_suffix(']')).unwrap_or(bare)
}

/// Whether a name ends in a port: `host:1` and `[::1]:1` do, `::1` and `[::1]` do not.
fn has_port(name: &str) -> bool {
    match name.rsplit_once(':') {
        Some((host, port)) => port.bytes().all(|b| b.is_ascii_digit()) && (!host.contains(':') || host.ends_with(']')),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(name: &str, expected: Result<&str, &str>) {
        match (resolve(&with_port(name, PORT)), expected) {
            (Ok(found), Ok(expected)) => assert_eq!(found.to_string(), expected, "{name}"),
            (Err(found), Err(expected)) => assert!(found.contains(expected), "{name}: {found}"),
            (found, expected) => panic!("{name}: {found:?}, not {expected:?}"),
        }
    }

    #[test]
    fn addresses_with_and_without_a_port() {
        check("127.0.0.1:4000", Ok("127.0.0.1:4000"));
        check("127.0.0.1", Ok("127.0.0.1:5015"));
        check("[::1]:4000", Ok("[::1]:4000"));
        check("[::1]", Ok("[::1]:5015"));
        check("127.0.0.1:99999", Err("HOST:PORT"));
        check("127.0.0.1:", Err("HOST:PORT"));
    }

    #[test]
    fn hosts_without_a_port() {
        for (name, expected) in [("a:1", "a"), ("a", "a"), ("[::1]:1", "::1"), ("[::1]", "::1"), ("::1", "::1")] {
            assert_eq!(host(name), expected);
        }
    }

    #[test]
    fn descriptors_are_asked_for_in_plain_words() {
        assert_eq!(take_descriptors(1), Ok(()));
        let most = getrlimit(Resource::Nofile).maximum;
        if most.is_some_and(|most| most < u64::from(u32::MAX)) {
            let told = take_descriptors(u32::MAX).unwrap_err();
            assert!(told.contains("4294967295 connections") && told.contains("ulimit -Hn"), "{told}");
        }
    }
}
