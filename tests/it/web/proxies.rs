//! Who a client is, behind a proxy.

use std::os::unix::net::UnixStream;

use testkit::Client;

use super::super::proxy::{Running, proxy};
use super::*;

#[test]
fn a_known_proxy_names_the_client() {
    let server = served().set("limits.proxies", "['127.0.0.1']").set("log.level", "'debug'").start();
    let mut http = http(&server);
    assert_eq!(http.get("/").code, 400);
    let asking = |field: &str| format!("GET / HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-For: {field}\r\n\r\n");
    assert_eq!(http.ask(&asking("192.0.2.1")).code, 200);
    assert_eq!(http.ask(&asking("unknown")).code, 400);
    let mut alice =
        Browser::upgraded(server.door("web"), &handshake("X-Forwarded-For: 6.6.6.6, 192.0.2.7, 127.0.0.1\r\n"));
    alice.expect("C 220 ");
    alice.log_in("alice");
    server.wait_for_log("alice logged in from 192.0.2.7");
}

#[test]
fn a_stranger_names_nobody() {
    let server = served().set("log.level", "'debug'").start();
    let mut alice = Browser::upgraded(server.door("web"), &handshake("X-Forwarded-For: 192.0.2.7\r\n"));
    alice.expect("C 220 ");
    alice.log_in("alice");
    server.wait_for_log("alice logged in from 127.0.0.1");
}

#[test]
fn a_proxy_header_comes_first_where_it_is_asked_for() {
    let server = Server::builder()
        .listen(&["line://127.0.0.1:0", "web://127.0.0.1:0?proxy"])
        .set("limits.proxies", "['127.0.0.1']")
        .set("log.level", "'debug'")
        .start();
    let header = "PROXY TCP4 192.0.2.7 127.0.0.1 1234 80\r\n";
    let mut alice = Browser::upgraded(server.door("web"), &format!("{header}{HANDSHAKE}"));
    alice.expect("C 220 ");
    alice.log_in("alice");
    server.wait_for_log("alice logged in from 192.0.2.7");
    let mut http = http(&server);
    http.send(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert!(http.rest().starts_with("HTTP/1.1 400 "));
}

#[test]
fn a_unix_socket_is_a_proxy() {
    let server =
        Server::builder().listen(&["line://127.0.0.1:0", "web+unix:web.sock"]).set("log.level", "'debug'").start();
    for (name, fields, from) in [("alice", "", "unix"), ("bob", "X-Forwarded-For: 192.0.2.7\r\n", "192.0.2.7")] {
        let stream = UnixStream::connect(server.path("web.sock")).expect("a connection");
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut browser = Browser::over(stream, &handshake(fields));
        browser.expect("C 220 ");
        browser.log_in(name);
        server.wait_for_log(&format!("{name} logged in from {from}"));
    }
}

/// A server behind a proxy of this machine.
fn behind_a_proxy() -> Server {
    served()
        .set("limits.proxies", "['127.0.0.1']")
        .set("web.names", "['chat.example']")
        .set("log.level", "'debug'")
        .start()
}

/// Fetches the page through a proxy and talks: the server sees the address of the client.
fn talk_through(proxy: Option<(Running, SocketAddr)>, prefix: &str, server: &Server) {
    let Some((_running, port)) = proxy else { return };
    eventually("the proxy listens", || TcpStream::connect(port).is_ok());
    let page = format!("GET {prefix}/ HTTP/1.1\r\nHost: chat.example\r\nConnection: close\r\n\r\n");
    let mut http = Http::connect(port);
    http.send(page.as_bytes());
    let answer = http.rest();
    assert!(answer.starts_with("HTTP/1.1 200 ") && answer.contains("</html>"), "{answer}");
    let links = answer.split("=\"").skip(1).filter_map(|rest| rest.split('"').next());
    let files: Vec<_> = links.filter(|link| link.starts_with("a/")).collect();
    assert!(files.len() > 1, "{answer}");
    for file in files {
        let mut http = Http::connect(port);
        let request = format!("GET {prefix}/{file} HTTP/1.1\r\nHost: chat.example\r\nConnection: close\r\n\r\n");
        http.send(request.as_bytes());
        let answer = http.rest();
        assert!(answer.starts_with("HTTP/1.1 200 ") && answer.contains("immutable"), "{file}: {answer}");
    }
    let request = HANDSHAKE.replace("/ws", &format!("{prefix}/ws")).replace("localhost", "chat.example");
    let stream = Client::connect_from("127.0.0.2".parse().unwrap(), port).stream().try_clone().unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut alice = Browser::over(stream, &request);
    alice.expect("C 220 ");
    alice.log_in("alice");
    server.wait_for_log("alice logged in from 127.0.0.2");
    let mut bob = server.bare("bob");
    assert_eq!(alice.ask("PM hello"), "C 250 sent to 1");
    bob.expect_exact("D PM alice hello");
}

#[test]
fn through_nginx_with_a_prefix() {
    let server = behind_a_proxy();
    let folder = server.path("nginx-files");
    let configuration = format!(
        "daemon off;\npid {folder}.pid;\nerror_log {folder}.log;\nevents {{}}\nhttp {{ access_log off;\n\
         map $http_upgrade $connection_upgrade {{ default upgrade; '' ''; }}\n\
         server {{ listen 127.0.0.1:PORT; location /chat/ {{ proxy_pass http://{}/; proxy_http_version 1.1;\n\
         proxy_set_header Host $http_host; proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;\n\
         proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection $connection_upgrade; }} }} }}\n",
        server.door("web"),
        folder = folder.display(),
    );
    talk_through(proxy("nginx", &["-c"], &configuration, &server), "/chat", &server);
}

#[test]
fn through_haproxy() {
    let server = behind_a_proxy();
    let configuration = format!(
        "defaults\n mode http\n timeout connect 5s\n timeout client 60s\n timeout server 60s\n timeout tunnel 1h\n\
         listen web\n bind 127.0.0.1:PORT\n option forwardfor\n server chatd {}\n",
        server.door("web")
    );
    talk_through(proxy("haproxy", &["-db", "-f"], &configuration, &server), "", &server);
}
