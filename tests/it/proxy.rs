//! PROXY headers: the client's address from a proxy that is known, and what strangers and liars get.

use std::io::{Read as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::os::unix::net::UnixStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use testkit::{Builder, Client, PATIENCE, Server, eventually};

const ELSEWHERE: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2));
/// The client whom [`binary`] names.
const CLIENT: &str = "192.0.2.7";

/// A server that takes headers from 127.0.0.1, and has a plain listener too.
fn behind_a_proxy() -> Builder {
    let listen = ["line://127.0.0.1:0?proxy", "rooms://127.0.0.1:0?udp=0"];
    Server::builder().listen(&listen).set("limits.proxies", "['127.0.0.1']").set("log.level", "'debug'")
}

/// The header of version 2 for a client at this address.
fn binary(client: [u8; 4]) -> Vec<u8> {
    let start = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c";
    [&start[..], &client, &[127, 0, 0, 1, 4, 210, 19, 151]].concat()
}

#[track_caller]
fn announced(server: &Server, header: &[u8]) -> Client {
    let mut client = server.connect();
    client.send_raw(header);
    client
}

#[test]
fn the_client_of_a_known_proxy_is_served_under_its_own_address() {
    let server = behind_a_proxy().start();
    let text = format!("PROXY TCP4 {CLIENT} 127.0.0.1 1234 5015\r\n");
    for (name, header) in [("alice", binary([192, 0, 2, 7])), ("bob", text.into_bytes())] {
        // In one piece with the first lines, and byte by byte.
        let mut whole = announced(&server, &[&header[..], name.as_bytes(), b"\n"].concat());
        whole.expect("C 220 ");
        whole.expect("C 332 ");
        let mut cut = server.connect();
        for byte in &header {
            cut.send_raw(&[*byte]);
        }
        cut.expect("C 220 ");
        cut.login_bare(name);
        server.wait_for_log(&format!("{name} logged in from {CLIENT}"));
    }
    let mut v6 = announced(&server, b"PROXY TCP6 2001:db8::7 ::1 1 2\r\n");
    v6.expect("C 220 ");
    v6.login_bare("carol");
    server.wait_for_log("carol logged in from 2001:db8::7");
}

#[test]
fn a_proxy_that_speaks_for_itself_has_its_own_address() {
    let server = behind_a_proxy().start();
    for (name, header) in [("alice", &b"\r\n\r\n\0\r\nQUIT\n\x20\0\0\0"[..]), ("bob", b"PROXY UNKNOWN\r\n")] {
        let mut client = announced(&server, header);
        client.expect("C 220 ");
        client.login_bare(name);
        server.wait_for_log(&format!("{name} logged in from 127.0.0.1"));
    }
}

#[test]
fn the_limits_are_those_of_the_client_even_if_it_claims_loopback() {
    let server = behind_a_proxy().set("limits.per_address", "2").start();
    for client in [[192, 0, 2, 7], [127, 0, 0, 1]] {
        let mut first = announced(&server, &binary(client));
        let mut second = announced(&server, &binary(client));
        first.expect("C 220 ");
        second.expect("C 220 ");
        announced(&server, &binary(client)).expect_421("too many from your address");
        announced(&server, &binary([198, 51, 100, client[3]])).expect("C 220 ");
        drop(first);
        eventually("the place is free again", || {
            let mut third = announced(&server, &binary(client));
            third.line().starts_with("C 220 ")
        });
    }
}

#[test]
fn a_proxy_s_connections_count_for_nobody_until_it_names_a_client() {
    let limits = behind_a_proxy().set("limits.include_loopback", "true").set("limits.per_address", "2");
    let server = limits.set("limits.silent", "3").set("limits.silent_most", "3").start();
    let _waiting: Vec<Client> = (0..10).map(|_| server.connect()).collect();
    let mut client = announced(&server, &binary([192, 0, 2, 7]));
    client.expect("C 220 ");
    client.login_bare("alice");
}

#[test]
fn strangers_and_what_is_no_header_are_refused() {
    let server = behind_a_proxy().start();
    let mut stranger = Client::connect_from(ELSEWHERE, server.addr());
    stranger.expect_421("a PROXY header is missing");
    server.wait_for_log("421 a PROXY header is missing: 127.0.0.2 was not let in");
    let too_long = [b"PROXY UNKNOWN ", &[b'x'; 107][..]].concat();
    let bad: &[&[u8]] = &[
        b"alice\n",
        b"\x16\x03\x01\x02\x00\x01\x00",
        b"PROXY TCP4 192.0.2.777 127.0.0.1 1 2\r\n",
        b"\r\n\r\n\0\r\nQUIT\n\x21\x11\xff\xff",
        b"\r\n\r\n\0\r\nQUIT\n\x31\x11\0\0",
        &too_long,
    ];
    for header in bad {
        announced(&server, header).expect_421("a PROXY header is missing");
    }
    // The header counts once: a second one is a client's, and lies.
    let mut liar = announced(&server, &[binary([192, 0, 2, 7]), binary([192, 0, 2, 8])].concat());
    liar.expect("C 220 ");
    liar.expect_421("not a chat client: a PROXY header");
    server.wait_for_log("421 not a chat client: a PROXY header: nobody from 192.0.2.7");
}

#[test]
fn a_header_that_never_ends_is_given_up() {
    let server = behind_a_proxy().set("login.deadline_s", "1").start();
    let began = Instant::now();
    let (mut silent, mut half) = (server.connect(), announced(&server, b"PROXY TCP4"));
    silent.expect_421("a PROXY header is missing");
    half.expect_421("a PROXY header is missing");
    assert!(began.elapsed() >= Duration::from_secs(1));
    // A client has its own time from when it is named.
    let mut late = server.connect();
    testkit::pause(700);
    late.send_raw(&binary([192, 0, 2, 7]));
    late.expect("C 220 ");
    testkit::pause(500);
    late.login_bare("alice");
}

#[test]
fn the_proxies_are_read_again() {
    let server = behind_a_proxy().start();
    let config = std::fs::read_to_string(server.path("config.toml")).unwrap();
    Client::connect_from(ELSEWHERE, server.addr()).expect_421("a PROXY header is missing");
    let mut other =
        Server::builder().listen(&["line://127.0.0.1:0?proxy"]).config(&format!("{config}\n[limits]\nproxies = []\n"));
    other = other.set("log.stats_s", "0");
    let other = other.start();
    other.wait_for_log("limits.proxies is empty: nobody gets in");
    other.connect().expect_421("a PROXY header is missing");
    let text = std::fs::read_to_string(other.path("config.toml")).unwrap();
    std::fs::write(other.path("config.toml"), text.replace("proxies = []", "proxies = ['127.0.0.0/8']")).unwrap();
    other.hup();
    other.wait_for_log("limits.proxies from [] to [\"127.0.0.0/8\"]");
    let mut client = Client::connect_from(ELSEWHERE, other.addr());
    client.send_raw(&binary([192, 0, 2, 7]));
    client.expect("C 220 ");
}

#[test]
fn whoever_may_open_a_unix_socket_may_name_clients() {
    let server = Server::builder().listen(&["line://127.0.0.1:0", "line+unix:chat.sock?proxy"]).start();
    let path = server.path("chat.sock");
    let talk = |header: &[u8]| {
        let mut stream = UnixStream::connect(&path).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.write_all(&[header, b"GET / HTTP/1.1\n"].concat()).unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        text
    };
    assert!(talk(&binary([192, 0, 2, 7])).contains("\nC 421 not a chat client\n"));
    server.wait_for_log("421 not a chat client: nobody from 192.0.2.7");
    assert!(talk(b"PROXY UNKNOWN\r\n").contains("\nC 421 not a chat client\n"));
    server.wait_for_log("421 not a chat client: nobody from unix");
    assert_eq!(talk(b"alice\n"), "C 421 a PROXY header is missing\n");
}

/// A program that is ended when this is dropped.
pub(crate) struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts a proxy with this configuration, which contains `PORT` for its own. `None` if it is not installed.
pub(crate) fn proxy(
    program: &str,
    arguments: &[&str],
    configuration: &str,
    server: &Server,
) -> Option<(Running, SocketAddr)> {
    let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap();
    let path = server.path(program);
    std::fs::write(&path, configuration.replace("PORT", &port.port().to_string())).unwrap();
    let mut command = Command::new(program);
    command.args(arguments).arg(&path).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    match command.spawn() {
        Ok(child) => Some((Running(child), port)),
        Err(error) => {
            eprintln!("skipped: {program}: {error}");
            None
        }
    }
}

/// Talks through a proxy: the server sees the address of the client.
fn talk_through(proxy: Option<(Running, SocketAddr)>, server: &Server) {
    let Some((_running, port)) = proxy else { return };
    eventually("the proxy listens", || std::net::TcpStream::connect(port).is_ok());
    let mut client = Client::connect_from(ELSEWHERE, port);
    client.expect("C 220 ");
    client.login_bare("alice");
    client.barrier();
    server.wait_for_log("alice logged in from 127.0.0.2");
}

#[test]
fn through_haproxy() {
    let server = behind_a_proxy().set("limits.include_loopback", "true").start();
    let configuration = format!(
        "defaults\n mode tcp\n timeout connect 5s\n timeout client 1h\n timeout server 1h\n\
         listen chat\n bind 127.0.0.1:PORT\n server chatd {} send-proxy-v2\n",
        server.addr()
    );
    talk_through(proxy("haproxy", &["-db", "-f"], &configuration, &server), &server);
}

#[test]
fn through_nginx() {
    let server = behind_a_proxy().set("limits.include_loopback", "true").start();
    let folder = server.path("nginx-files");
    let configuration = format!(
        "{}daemon off;\nmaster_process off;\npid {folder}.pid;\nerror_log {folder}.log;\nevents {{}}\n\
         stream {{ server {{ listen 127.0.0.1:PORT; proxy_pass {}; proxy_protocol on; proxy_timeout 1h; }} }}\n",
        if std::path::Path::new(NGINX_STREAM).exists() {
            format!("load_module {NGINX_STREAM};\n")
        } else {
            String::new()
        },
        server.addr(),
        folder = folder.display(),
    );
    talk_through(proxy("nginx", &["-c"], &configuration, &server), &server);
}

/// The module for TCP, which Debian ships apart (libnginx-mod-stream).
const NGINX_STREAM: &str = "/usr/lib/nginx/modules/ngx_stream_module.so";
