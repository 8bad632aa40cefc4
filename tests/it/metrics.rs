//! The metrics door: figures, health, readiness and connections by HTTP.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use chatd::engine::{CLOSED, METRICS, MORE, PROCESS};
use testkit::http::Http;
use testkit::{Builder, Canary, Server, eventually, run_with};

mod degraded;
mod hostile;
#[cfg(feature = "tls")]
mod tls;

const TOKEN: &str = "0123456789abcdef";

/// A server with a metrics listener.
fn monitored() -> Builder {
    Server::builder().no_rates().listen(&["line://127.0.0.1:0", "metrics://127.0.0.1:0"])
}

fn http(server: &Server) -> Http {
    Http::connect(server.door("metrics"))
}

/// Whether a foreign program is here; prints a note if not.
fn have(program: &str) -> bool {
    let found = Command::new(program).arg("--version").stdin(Stdio::null()).output().is_ok();
    if !found {
        println!("skipped: there is no {program}");
    }
    found
}

/// The samples of an exposition: each name with its labels, and its value.
#[track_caller]
fn samples(text: &str) -> BTreeMap<&str, f64> {
    let mut samples = BTreeMap::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let (name, value) = line.rsplit_once(' ').expect("a value");
        let value = value.parse().unwrap_or_else(|_| panic!("no number: {line}"));
        assert!(samples.insert(name, value).is_none(), "twice: {line}");
    }
    samples
}

/// The names of metrics in a text.
fn names(text: &str) -> BTreeSet<&str> {
    let is_name = |byte: char| byte.is_ascii_alphanumeric() || byte == '_';
    let words = text.split(|byte| !is_name(byte));
    words.filter(|word| ["chatd_", "process_"].iter().any(|start| word.starts_with(start))).collect()
}

#[test]
fn figures_of_a_server_in_use() {
    let server = monitored().start();
    let (mut alice, mut bob) = (server.bare("alice"), server.bare("bob"));
    alice.ask("DM bob hello");
    bob.expect_exact("D DM alice hello");
    let mut stranger = server.connect();
    stranger.send_raw(b"GET / HTTP/1.1\r\n\r\n");
    stranger.expect("C 220 ");
    stranger.expect("C 421 not a chat client");
    let mut http = http(&server);
    http.get("/healthz");
    let answer = http.get("/metrics");
    assert!(answer.head.contains("\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n"), "{}", answer.head);
    let found = samples(&answer.body);
    for (name, value) in [
        ("chatd_online", 2.0),
        ("chatd_registered_total", 2.0),
        ("chatd_deliveries_total", 1.0),
        ("chatd_accepted_total{door=\"line\",tls=\"false\"}", 3.0),
        ("chatd_connections{door=\"metrics\",tls=\"false\"}", 1.0),
        ("chatd_closed_total{reason=\"not a chat client\"}", 1.0),
        ("chatd_http_requests_total{code=\"200\"}", 1.0),
        ("chatd_tls_handshakes_total{result=\"failed\"}", 0.0),
        ("chatd_reload_ok", 1.0),
        ("chatd_degraded{part=\"accounts read-only\"}", 0.0),
        (concat!("chatd_build_info{version=\"", env!("CARGO_PKG_VERSION"), "\"}"), 1.0),
    ] {
        assert_eq!(found.get(name), Some(&value), "{name} in\n{}", answer.body);
    }
    assert!(found["chatd_turn_seconds_bucket{le=\"0.0005\"}"] <= found["chatd_turn_seconds_count"]);
    assert_eq!(found["chatd_turn_seconds_bucket{le=\"+Inf\"}"], found["chatd_turn_seconds_count"]);
    assert!(found["process_resident_memory_bytes"] > 1e6 && found["process_start_time_seconds"] > 1.6e9);
    assert_eq!(found["process_open_fds"] as usize, server.descriptors());
    for metric in METRICS.iter().chain([&CLOSED]).chain(MORE).chain(&PROCESS) {
        let (help, kind) = (format!("# HELP {} ", metric.exported), format!("# TYPE {} ", metric.exported));
        assert_eq!((answer.body.matches(&help).count(), answer.body.matches(&kind).count()), (1, 1), "{help}");
    }
}

#[test]
fn promtool_and_curl_take_the_figures() {
    let server = monitored().start();
    server.bare("alice").barrier();
    let text = http(&server).get("/metrics").body;
    if have("promtool") {
        let outcome = run_with("promtool", Path::new("."), &["check", "metrics"], &text);
        assert_eq!((outcome.code, outcome.stdout.as_str(), outcome.stderr.as_str()), (Some(0), "", ""));
    }
    if have("curl") {
        let url = |path: &str| format!("http://{}{path}", server.door("metrics"));
        let curl = |args: &[&str]| {
            let outcome = testkit::run("curl", Path::new("."), args);
            (outcome.code.unwrap_or(-1), outcome.stdout)
        };
        let ok = (0, "ok\n".to_owned());
        assert_eq!(curl(&["-sf", &url("/healthz")]), ok);
        assert_eq!(curl(&["-sf", &url("/readyz"), &url("/healthz")]), (0, "ready\nok\n".to_owned()), "one connection");
        assert!(curl(&["-sfI", &url("/metrics")]).1.contains("version=0.0.4"));
        let other_host = curl(&["-s", "-H", "Host: evil.example", &url("/connz")]);
        assert_eq!(other_host, (0, "the Host must be an IP address or localhost\n".to_owned()));
        assert_eq!(curl(&["-sf", "-d", "x=y", &url("/metrics")]).0, 22, "400");
        assert_ne!(curl(&["-sf", "--http2-prior-knowledge", &url("/metrics")]).0, 0);
        assert_eq!(curl(&["-sf", &url("/healthz")]), ok);
    }
}

#[test]
fn the_dashboard_and_the_alerts_name_what_there_is() {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
    let all: Vec<_> =
        METRICS.iter().chain([&CLOSED]).chain(MORE).chain(&PROCESS).map(|metric| metric.exported).collect();
    let is_known = |name: &str| {
        let base = ["_bucket", "_sum", "_count"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name);
        all.contains(&name) || base == "chatd_turn_seconds"
    };
    for file in ["grafana.json", "alerts.yml"] {
        let text = fs::read_to_string(docs.join(file)).unwrap();
        let found = names(&text);
        let wrong: Vec<_> = found.iter().filter(|name| !is_known(name)).collect();
        assert!(wrong.is_empty() && found.len() > 8, "{file}: {wrong:?}");
    }
    let dashboard: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(docs.join("grafana.json")).unwrap()).unwrap();
    assert!(dashboard["panels"].as_array().is_some_and(|panels| panels.len() > 10));
    if have("promtool") {
        let outcome = testkit::run("promtool", &docs, &["check", "rules", "alerts.yml"]);
        assert!(outcome.code == Some(0) && outcome.stdout.contains("SUCCESS"), "{outcome:?}");
    }
}

#[test]
fn connections_are_listed() {
    let server = monitored().start();
    let (_alice, _bob) = (server.bare("alice"), server.bare("bob"));
    let mut http = http(&server);
    let list = |http: &mut Http, query: &str| -> Vec<serde_json::Value> {
        let answer = http.get(&format!("/connz{query}"));
        assert_eq!(answer.code, 200, "{answer:?}");
        serde_json::from_str(&answer.body).unwrap()
    };
    let all = list(&mut http, "?sort=since");
    let keys = ["address", "door", "id", "name", "owed", "pause", "seconds", "tls"];
    for line in &all {
        assert_eq!(line.as_object().unwrap().keys().collect::<Vec<_>>(), keys);
        assert_eq!((line["address"].as_str(), line["tls"].as_bool()), (Some("127.0.0.1"), Some(false)));
    }
    let of = |door: &str| all.iter().filter(|line| line["door"] == door).count();
    assert_eq!((of("line"), of("metrics")), (2, 1));
    assert_eq!((list(&mut http, "?limit=2").len(), list(&mut http, "?limit=0").len()), (2, 0));
    assert_eq!(http.get("/connz?limit=x").code, 400);
    assert_eq!(http.get("/connz?limit=1&sort=name").code, 400);
}

/// A file that only this user may read.
fn write_private(path: &Path, text: &str) {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, Permissions::from_mode(0o600)).unwrap();
}

#[test]
fn a_token_is_needed_beyond_loopback_and_read_again_at_hup() {
    let folder = tempfile::tempdir().unwrap();
    let open = ["--set", "listen=['metrics://0.0.0.0:0']"];
    testkit::run(&testkit::program("chatd"), folder.path(), &open).check(78, &["needs a token", "token_file"]);
    let mut server = Server::start();
    server.term();
    server.set("listen", "['line://127.0.0.1:0', 'metrics://127.0.0.1:0?token_file=token']");
    server.fails_to_start().check(78, &["token: cannot be read", "openssl rand"]);
    let path = server.path("token");
    for text in ["0123456789abcde\n", &format!("{TOKEN}\n{TOKEN}\n")] {
        write_private(&path, text);
        server.fails_to_start().check(78, &["token: must be one line"]);
    }
    write_private(&path, &format!("{TOKEN}\n"));
    fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
    server.fails_to_start().check(78, &["others can read this token", "chmod o="]);
    fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
    server.restart();
    let mut http = http_when_there(&server);
    let with =
        |token: &str| format!("GET /metrics HTTP/1.1\r\nHost: chat.example\r\nAuthorization: Bearer {token}\r\n\r\n");
    assert_eq!((http.get("/healthz").code, http.get("/readyz").code), (200, 200));
    let refused = http.get("/metrics");
    assert!(refused.code == 401 && refused.head.contains("\r\nWWW-Authenticate: Bearer"), "{refused:?}");
    assert_eq!((http.ask(&with(TOKEN)).code, http.ask(&with("0123456789abcdeg")).code), (200, 401));
    write_private(&path, "too short\n");
    server.hup();
    assert!(server.wait_for_log("token: must be one line").contains("reload: listen: "));
    server.wait_for_log("the configuration is bad; the old one stays in effect");
    let answer = http.ask(&with(TOKEN));
    assert!(answer.body.contains("\nchatd_reload_ok 0\n"), "{answer:?}");
    write_private(&path, "another token of mine".replace(' ', "-").as_str());
    server.hup();
    eventually("the new token is in effect", || http.ask(&with("another-token-of-mine")).code == 200);
    assert_eq!(http.ask(&with(TOKEN)).code, 401);
}

fn http_when_there(server: &Server) -> Http {
    eventually("it listens", || server.log_text().contains("listening on metrics://"));
    let log = server.log_text();
    let addr = log.split("listening on metrics://").nth(1).and_then(|rest| rest.split_whitespace().next()).unwrap();
    Http::connect(addr.parse().unwrap())
}

#[test]
fn only_this_machine_s_own_names_without_a_token() {
    let server = monitored().start();
    let mut http = http(&server);
    let from = |host: &str| format!("GET /metrics HTTP/1.1\r\nHost: {host}\r\n\r\n");
    for (host, code) in [("localhost", 200), ("127.0.0.1:1", 200), ("[::1]", 200), ("evil.example", 421), ("", 421)] {
        assert_eq!(http.ask(&from(host)).code, code, "{host}");
    }
}

#[test]
fn a_bad_reload_shows() {
    let server = monitored().start();
    let (mut http, mut desk) = (http(&server), server.desk());
    let mut shows = |value: &str| {
        let line = format!("\nchatd_reload_ok {value}\n");
        eventually("it shows", || http.get("/metrics").body.contains(&line));
    };
    let (config, bans) = (server.path("config.toml"), server.path("bans"));
    let good = fs::read_to_string(&config).unwrap();
    fs::write(&config, "[limits]\nline_s = 0\n").unwrap();
    write_private(&bans, "bob - x\n");
    server.hup();
    server.wait_for_log("the configuration is bad");
    shows("0");
    assert_eq!(desk.ask("bans").last, "211 0", "it changes nothing");
    fs::write(&config, &good).unwrap();
    assert_eq!(
        (desk.ask("reload").last.as_str(), desk.ask("bans").last.as_str()),
        ("250 configuration re-read", "211 1")
    );
    shows("1");
    write_private(&bans, "bob for ever\n");
    assert!(desk.ask("reload").last.starts_with("450 "));
    shows("0");
    assert_eq!(desk.ask("bans").last, "211 1");
}
