//! The metrics door by TLS, asked by curl.

use super::*;

#[test]
fn curl_asks_by_tls_with_a_token() {
    if !have("curl") {
        return;
    }
    let mut server = Server::builder().no_rates().with_pair().listen(&["line://127.0.0.1:0"]).start();
    server.term();
    write_private(&server.path("token"), TOKEN);
    server.set("listen", "['line+tls://127.0.0.1:0', 'metrics+tls://127.0.0.1:0?token_file=token']");
    server.restart();
    eventually("it listens", || server.log_text().contains("listening on metrics+tls://"));
    let log = server.log_text();
    let addr = log.split("listening on metrics+tls://").nth(1).and_then(|rest| rest.split_whitespace().next()).unwrap();
    let (url, port) = (|path: &str| format!("https://{addr}{path}"), addr.rsplit(':').next().unwrap());
    let bearer = format!("Authorization: Bearer {TOKEN}");
    let curl = |args: &[&str]| {
        let outcome = testkit::run("curl", &server.path("."), &[&["-s", "--cacert", "cert.pem"], args].concat());
        (outcome.code.unwrap_or(-1), outcome.stdout)
    };
    assert_eq!(curl(&["-f", &url("/healthz")]), (0, "ok\n".to_owned()));
    assert_eq!(curl(&["-f", &url("/metrics")]).0, 22, "401");
    assert_eq!(curl(&["-f", "--http2", &url("/readyz")]), (0, "ready\n".to_owned()), "ALPN offers http/1.1 too");
    let by_name = format!("https://localhost:{port}/metrics");
    let (code, text) = curl(&["-f", "-4", "-H", &bearer, &by_name]);
    assert_eq!(code, 0);
    let found = samples(&text);
    let listener = format!("chatd_tls_not_after_seconds{{listener=\"metrics+tls://{addr}\"}}");
    assert!(found[listener.as_str()] > 1.7e9, "{text}");
    assert_eq!(found["chatd_connections{door=\"metrics\",tls=\"true\"}"], 1.0);
    assert_eq!(found["chatd_connections{door=\"line\",tls=\"true\"}"], 0.0, "listeners are shown before anybody comes");
    assert!(found["chatd_tls_handshakes_total{result=\"full\"}"] >= 3.0, "{text}");
    let (_, json) = curl(&["-f", "-H", &bearer, &url("/connz")]);
    let list: Vec<serde_json::Value> = serde_json::from_str(&json).unwrap();
    assert_eq!((list[0]["tls"].as_bool(), list[0]["door"].as_str()), (Some(true), Some("metrics")));
}

/// The answer to a plain request at the door by TLS is in HTTP.
#[test]
fn a_plain_request_at_the_door_by_tls_is_refused() {
    let mut server = Server::builder().with_pair().listen(&["line://127.0.0.1:0"]).start();
    server.term();
    server.set("listen", "['line://127.0.0.1:0', 'metrics+tls://127.0.0.1:0']");
    server.restart();
    eventually("it listens", || server.log_text().contains("listening on metrics+tls://"));
    let addr = server.door("metrics+tls");
    let mut http = Http::connect(addr);
    http.send(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
    let said = http.rest();
    assert!(said.starts_with("HTTP/1.1 400 ") && said.ends_with("not TLS\n"), "{said}");
}
