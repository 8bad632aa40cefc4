//! Files by HTTP.

use super::*;

#[test]
fn the_page_and_its_files() {
    let server = served().start();
    let mut http = http(&server);
    let page = http.get("/");
    assert_eq!(page.code, 200);
    for field in [
        "Content-Type: text/html; charset=utf-8",
        "Cache-Control: no-cache",
        "X-Content-Type-Options: nosniff",
        "Referrer-Policy: no-referrer",
        "Cross-Origin-Opener-Policy: same-origin",
        "Cross-Origin-Resource-Policy: same-origin",
        "Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src \
         'self' ws://localhost wss://localhost; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; \
         require-trusted-types-for 'script'; trusted-types 'none'",
    ] {
        assert!(page.head.contains(&format!("\r\n{field}")), "{field}: {}", page.head);
    }
    assert!(!page.head.contains("Set-Cookie") && !page.head.contains("Access-Control"), "{}", page.head);
    // All links are relative, so that the page works behind a prefix.
    assert!(!page.body.contains("=\"/") && !page.body.contains("=\"http"), "{}", page.body);
    let head = http.ask("HEAD / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert_eq!((head.head.as_str(), head.body.as_str()), (page.head.as_str(), ""));
    let tag = page.head.split("ETag: ").nth(1).and_then(|rest| rest.lines().next()).expect("an ETag");
    http.send(format!("GET / HTTP/1.1\r\nHost: localhost\r\nIf-None-Match: {tag}\r\n\r\n").as_bytes());
    http.send(b"GET /nothing HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    let rest = http.rest();
    assert!(rest.starts_with("HTTP/1.1 304 Not Modified\r\n") && rest.contains("HTTP/1.1 404 Not Found\r\n"), "{rest}");
    let path = page.body.split("src=\"").nth(1).and_then(|rest| rest.split('"').next()).expect("a script");
    let mut http = Http::connect(server.door("web"));
    let script = http.get(&format!("/{path}"));
    assert_eq!(script.code, 200);
    assert!(script.head.contains("immutable") && script.head.contains("text/javascript"), "{}", script.head);
    let all = page.body.len() + script.body.len();
    assert!(all > 0 && http.get(&format!("/{}x", path)).code == 404);
    assert_eq!(http.get("/a/0123456789abcdef/main.js").code, 404);
    assert_eq!(http.ask("POST / HTTP/1.1\r\nHost: localhost\r\n\r\n").code, 405);
    assert_eq!(http.get("/ws").code, 426);
}

#[test]
fn only_under_its_own_names_and_from_its_own_pages() {
    let server = served().config("[web]\nnames = ['Chat.Example']").start();
    let mut http = http(&server);
    let mut ask = |host: &str, fields: &str| {
        let answer = http.ask(&format!("GET / HTTP/1.1\r\nHost: {host}\r\n{fields}\r\n"));
        assert!(!answer.body.contains("evil"), "nothing of a request is repeated");
        (answer.code, answer.body)
    };
    for host in ["localhost:1", "127.0.0.1", "[::1]:8015", "192.0.2.1", "chat.example:443"] {
        assert_eq!(ask(host, "").0, 200, "{host}");
    }
    let (code, why) = ask("evil.example", "");
    assert!(code == 421 && why.contains("web.names"), "{code} {why}");
    assert_eq!(ask("chat.example", "Origin: https://chat.example\r\n").0, 200);
    assert_eq!(ask("chat.example", "Origin: https://evil.example\r\n").0, 403);
    assert_eq!(ask("chat.example", "Origin: null\r\n").0, 403);
    // A reload knows other names.
    let config = server.path("config.toml");
    let text = std::fs::read_to_string(&config).unwrap().replace("Chat.Example", "talk.example");
    std::fs::write(&config, text).unwrap();
    server.hup();
    server.wait_for_log("web.names from");
    assert_eq!((ask("talk.example", "").0, ask("chat.example", "").0), (200, 421));
}

#[test]
fn curl_gets_the_page() {
    if !have("curl") {
        return;
    }
    let server = served().start();
    let url = format!("http://localhost:{}/", server.door("web").port());
    let out = Command::new("curl").args(["-sS", "-4", "--fail", "-w", "%{http_code}", &url, &url]).output().unwrap();
    let text = String::from_utf8(out.stdout).unwrap();
    assert_eq!(text.matches("</html>").count(), 2, "{text}");
    assert!(text.ends_with("200"));
}
