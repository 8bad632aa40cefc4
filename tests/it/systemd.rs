//! The service manager, played by a test: what it is told, and the sockets that it passes.

use std::io::ErrorKind;
use std::net::TcpListener;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::Signal;
use testkit::{Client, PATIENCE, Server, pause, program};

/// A service manager that receives what it is told.
struct Manager {
    socket: UnixDatagram,
}

impl Manager {
    fn new(socket: UnixDatagram) -> Self {
        socket.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        Self { socket }
    }

    #[track_caller]
    fn next(&self) -> String {
        let mut bytes = [0; 4096];
        let count = self.socket.recv(&mut bytes).expect("it is told in time");
        String::from_utf8(bytes[..count].to_vec()).expect("text")
    }

    /// Waits for this message; others may come before it.
    #[track_caller]
    fn wait_for(&self, expected: &str) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let told = self.next();
            if told == expected {
                return;
            }
            assert!(Instant::now() < deadline, "it is not told {expected:?}, but {told:?}");
        }
    }
}

/// A server that tells a manager at a path.
fn told(dir: &Path, watchdog_us: Option<&str>) -> (Server, Manager) {
    let path = dir.join("notify");
    let manager = Manager::new(UnixDatagram::bind(&path).expect("a socket"));
    let builder = Server::builder().env("NOTIFY_SOCKET", path.to_str().expect("text"));
    let builder = match watchdog_us {
        Some(time) => builder.env("WATCHDOG_USEC", time),
        None => builder,
    };
    (builder.start(), manager)
}

/// Reloads. Gives the time that the manager is told with it, in microseconds.
#[track_caller]
fn reload(server: &Server, manager: &Manager) -> u64 {
    server.hup();
    let told = manager.next();
    let time = told.strip_prefix("RELOADING=1\nMONOTONIC_USEC=").and_then(|rest| rest.strip_suffix('\n'));
    let time = time.and_then(|time| time.parse().ok()).unwrap_or_else(|| panic!("{told:?}"));
    assert_eq!(manager.next(), "READY=1\n");
    time
}

#[test]
fn ready_status_reload_and_end() {
    let dir = tempfile::tempdir().expect("a folder");
    let (mut server, manager) = told(dir.path(), None);
    assert_eq!(manager.next(), "READY=1\nSTATUS=0 online, 0 connections\n");
    let alice = server.bare("alice");
    let began = Instant::now();
    assert_eq!(manager.next(), "STATUS=1 online, 1 connections\n");
    assert!(began.elapsed() < Duration::from_secs(8), "{:?}", began.elapsed());
    let first = reload(&server, &manager);
    pause(20);
    let second = reload(&server, &manager);
    assert!((20_000..30_000_000).contains(&(second - first)), "{first} and {second} microseconds");
    drop(alice);
    server.signal(Signal::TERM);
    manager.wait_for("STOPPING=1\n");
    assert!(server.wait_exit().success());
}

#[test]
fn an_abstract_name() {
    let name = format!("chatd-test-{}", std::process::id());
    let address = SocketAddr::from_abstract_name(&name).expect("a name");
    let manager = Manager::new(UnixDatagram::bind_addr(&address).expect("a socket"));
    let server = Server::builder().env("NOTIFY_SOCKET", &format!("@{name}")).start();
    assert_eq!(manager.next(), "READY=1\nSTATUS=0 online, 0 connections\n");
    drop(server);
}

#[test]
fn a_manager_that_is_not_there_stops_nobody() {
    for name in ["/no/such/socket", "vsock:2:1234", "@nobody-has-this-name"] {
        let server = Server::builder().env("NOTIFY_SOCKET", name).env("WATCHDOG_USEC", "1000000").start();
        server.wait_for_log("cannot tell the service manager");
        server.greeted();
    }
}

#[test]
fn the_watchdog_is_told_by_the_loop() {
    let dir = tempfile::tempdir().expect("a folder");
    let (server, manager) = told(dir.path(), Some("400000"));
    assert_eq!(manager.next(), "READY=1\nSTATUS=0 online, 0 connections\n");
    let began = Instant::now();
    for _ in 0..6 {
        assert_eq!(manager.next(), "WATCHDOG=1\n");
    }
    let took = began.elapsed();
    assert!((Duration::from_millis(900)..Duration::from_secs(5)).contains(&took), "{took:?}");
    // A loop that does not turn is silent.
    server.signal(Signal::STOP);
    manager.socket.set_read_timeout(Some(Duration::from_millis(1_200))).expect("a timeout");
    let mut bytes = [0; 100];
    while let Ok(count) = manager.socket.recv(&mut bytes) {
        assert_eq!(&bytes[..count], b"WATCHDOG=1\n"); // it was sent before
    }
    server.signal(Signal::CONT);
    assert_eq!(manager.next(), "WATCHDOG=1\n");
}

#[test]
fn a_watchdog_of_another_process_is_not_told() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("notify");
    let manager = Manager::new(UnixDatagram::bind(&path).expect("a socket"));
    let builder = Server::builder().env("NOTIFY_SOCKET", path.to_str().expect("text"));
    let server = builder.env("WATCHDOG_USEC", "100000").env("WATCHDOG_PID", "1").start();
    assert_eq!(manager.next(), "READY=1\nSTATUS=0 online, 0 connections\n");
    manager.socket.set_read_timeout(Some(Duration::from_millis(500))).expect("a timeout");
    let error = manager.socket.recv(&mut [0; 100]).expect_err("it is told nothing");
    assert_eq!(error.kind(), ErrorKind::WouldBlock);
    drop(server);
}

/// A program that opens sockets and passes them to its successor, as a service manager does. The successor lists all but
/// one of them.
const PASS: &str = r#"
import os, socket, sys

def opened(kind, family=socket.AF_INET, place=("127.0.0.1", 0)):
    new = socket.socket(family, kind)
    new.bind(place)
    if kind == socket.SOCK_STREAM:
        new.listen()
    return new

line, rooms, stranger = (opened(socket.SOCK_STREAM) for _ in range(3))
udp = opened(socket.SOCK_DGRAM)
unix = opened(socket.SOCK_STREAM, socket.AF_UNIX, os.path.abspath("passed.sock"))
line_port, rooms_port, udp_port = (it.getsockname()[1] for it in (line, rooms, udp))
passed = [udp, stranger, unix, rooms, line]
for place, it in enumerate(passed):
    os.dup2(it.fileno(), 100 + place)
for place in range(len(passed)):
    os.dup2(100 + place, 3 + place)
    os.set_inheritable(3 + place, True)
os.closerange(3 + len(passed), 200)
os.environ["LISTEN_PID"] = str(os.getpid())
os.environ["LISTEN_FDS"] = str(len(passed))
os.environ["LISTEN_FDNAMES"] = "one"
doors = [f"line://127.0.0.1:{line_port}", f"rooms://127.0.0.1:{rooms_port}?udp={udp_port}", "line+unix:passed.sock"]
os.execvp(sys.argv[1], sys.argv[1:] + ["--set", f"listen={doors}"])
"#;

fn has_python() -> bool {
    let status = Command::new("python3").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    let is_there = status.is_ok_and(|status| status.success());
    if !is_there {
        eprintln!("skipped: there is no python3 here");
    }
    is_there
}

#[test]
fn passed_sockets_are_used() {
    if !has_python() {
        return;
    }
    let doors = ["line://127.0.0.1:0", "rooms://127.0.0.1:0?udp=0", "line+unix:x"];
    let mut server = Server::builder().listen(&doors).within(&["python3", "-c", PASS]).start();
    let warning = server.wait_for_log("does not list");
    assert!(warning.contains("WARN"), "{warning}");
    let stranger = warning.split("tcp://").nth(1).and_then(|rest| rest.split(',').next()).expect("an address");
    assert_eq!(server.log_text().matches("does not list").count(), 1);
    server.greeted();
    let path = server.path("passed.sock");
    drop(std::os::unix::net::UnixStream::connect(&path).expect("the server accepts"));
    assert!(std::net::TcpStream::connect(stranger).is_err(), "it is closed");
    // The server has the passed sockets and no others, and none of them is inherited.
    let table = std::fs::read_to_string(format!("/proc/{}/net/tcp", server.pid())).expect("/proc");
    let port = format!("0100007F:{:04X} 00000000:0000 0A", server.addr().port());
    assert_eq!(table.matches(&port).count(), 1);
    for number in 3..8 {
        let Ok(about) = std::fs::read_to_string(format!("/proc/{}/fdinfo/{number}", server.pid())) else { continue };
        let flags = about.lines().find_map(|line| line.strip_prefix("flags:")).expect("flags").trim();
        let flags = u32::from_str_radix(flags, 8).expect("an octal number");
        assert_ne!(flags & 0o2_000_000, 0, "{number} would be inherited");
    }
    // What the manager has made stays.
    assert!(server.term().success());
    assert!(path.exists());
}

#[test]
fn systemd_passes_sockets() {
    let name = "systemd-socket-activate";
    if !Command::new(name)
        .arg("--version")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|s| s.success())
    {
        eprintln!("skipped: there is no {name} here");
        return;
    }
    let dir = tempfile::tempdir().expect("a folder");
    // Another socket is given the port in the meantime only if this is very unlucky.
    let addr = TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("an address");
    let mut child = Command::new(name)
        .arg(format!("--listen={addr}"))
        .arg(program("chatd"))
        .args(["--set", &format!("listen=[\"line://{addr}\"]"), "--set", "accounts.file=\"accounts\""])
        .current_dir(dir.path())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("it starts");
    let deadline = Instant::now() + PATIENCE;
    let stream = loop {
        match std::net::TcpStream::connect(addr) {
            Ok(stream) => break stream,
            Err(error) => assert!(Instant::now() < deadline, "{error}"),
        }
        pause(5);
    };
    let mut client = Client::from_stream(stream);
    client.expect("C 220 ");
    // The program has become chatd.
    child.kill().expect("kill");
    child.wait().expect("wait");
}
