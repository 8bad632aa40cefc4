//! Servers that speak TLS: who is trusted, what is sent to whom, and connections that break in the middle.
//!
//! The servers are a plain chatd, or one that the test plays, behind a front that speaks TLS.

use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use testkit::certificate::{Authority, Certificate, LOCAL, Validity};
use testkit::{Fake, Front, Outcome, PASSWORD, Server, Style, Terminal, eventually, finish, pause};

const KNOWN_SERVERS: &str = ".local/state/chatd/known_servers";

/// Runs a shell script without a terminal. `client` is the client without a store of the system's certificates;
/// `$SERVER` is the front, `$PORT` its port.
#[track_caller]
fn run_in(home: &Path, server: SocketAddr, script: &str) -> Outcome {
    let functions = format!("client() {{ '{}' \"$@\"; }}\n", env!("CARGO_BIN_EXE_chatclient"));
    let mut command = Command::new("setsid");
    command
        .args(["-w", "sh", "-c", &(functions + script)])
        .env_remove("XDG_STATE_HOME")
        .env_remove("SSL_CERT_DIR")
        .env("SSL_CERT_FILE", "/dev/null")
        .env("HOME", home)
        .env("SERVER", server.to_string())
        .env("PORT", server.port().to_string())
        .env("CLIENT", env!("CARGO_BIN_EXE_chatclient"))
        .env("CHATCLIENT_PASSWORD", PASSWORD)
        .current_dir(home);
    finish(command)
}

#[track_caller]
fn run(server: SocketAddr, script: &str) -> Outcome {
    run_in(tempfile::tempdir().unwrap().path(), server, script)
}

/// The client in a terminal, by TLS.
fn start(home: &Path, server: SocketAddr, options: &[&str]) -> Terminal {
    let server = server.to_string();
    let arguments: Vec<&str> = options.iter().copied().chain(["--tls", server.as_str(), "alice"]).collect();
    Terminal::start(24, 100, home, env!("CARGO_BIN_EXE_chatclient"), &arguments)
}

fn own() -> Certificate {
    Certificate::own(&LOCAL, Validity::Now)
}

/// A chatd with an account for alice, and a front with this certificate.
fn alices(certificate: &Certificate) -> (Server, Front) {
    let server = Server::start();
    drop(server.register("alice"));
    let front = Front::start(server.addr(), certificate);
    (server, front)
}

/// No client has sent a byte of chat.
#[track_caller]
fn nothing_was_sent(front: &Front) {
    assert!(front.heard().iter().all(|heard| heard.as_deref().unwrap_or_default().is_empty()), "{:?}", front.heard());
}

/// A person trusts the server, and logs in.
#[track_caller]
fn accept(alice: &mut Terminal, key: &str) {
    alice.wait_for("[y/N]");
    assert!(alice.contents().contains(key), "{}", alice.contents());
    alice.keys("y\r");
    alice.wait_for("password: ");
    alice.keys(&format!("{PASSWORD}\r"));
    alice.wait_for("alice> ");
}

#[test]
fn a_person_is_asked_at_the_first_use() {
    let certificate = own();
    let (_server, front) = alices(&certificate);
    let home = tempfile::tempdir().unwrap();
    let mut alice = start(home.path(), front.addr(), &[]);
    alice.wait_for("[y/N]");
    assert!(alice.contents().contains("self-signed"), "{}", alice.contents());
    nothing_was_sent(&front);
    accept(&mut alice, &certificate.fingerprint);
    alice.keys("hello\r");
    alice.wait_for("hello (sent to 0)");
    alice.keys("/quit\r");
    alice.expect_exit(0);
    let file = home.path().join(KNOWN_SERVERS);
    assert_eq!(fs::metadata(&file).unwrap().mode() & 0o777, 0o600);
    let kept = fs::read_to_string(&file).unwrap();
    assert_eq!(kept, format!("{} {}\n", front.addr(), certificate.fingerprint));
    // The next run asks nothing.
    let mut alice = start(home.path(), front.addr(), &[]);
    alice.wait_for("alice> ");
    assert!(!alice.contents().contains("[y/N]") && !alice.contents().contains("password: "), "{}", alice.contents());
    // Nor does a script: a person has accepted this key.
    run_in(home.path(), front.addr(), "client --once hi --tls $SERVER alice").check(0, &[]);
}

#[test]
fn a_no_sends_nothing_and_keeps_nothing() {
    for keys in ["n\r", "\r", "1\r", "\x04", "\x03"] {
        let (_server, front) = alices(&own());
        let home = tempfile::tempdir().unwrap();
        let mut alice = start(home.path(), front.addr(), &[]);
        alice.wait_for("[y/N]");
        alice.keys(keys);
        alice.expect_exit(1);
        assert!(alice.contents().contains("nothing was sent"), "{}", alice.contents());
        nothing_was_sent(&front);
        assert!(!home.path().join(KNOWN_SERVERS).exists());
    }
}

#[test]
fn what_was_typed_before_the_question_does_not_answer_it() {
    let certificate = own();
    let (_server, front) = alices(&certificate);
    let home = tempfile::tempdir().unwrap();
    // The handshake takes long enough for the keys to come before the question.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (inner, addr) = (front.addr(), listener.local_addr().unwrap());
    let mut alice = start(home.path(), addr, &[]);
    alice.wait_for("connecting to");
    alice.keys("y\rcorrect horse\r");
    pause(300);
    thread::spawn(move || {
        let (outer, inner) = (listener.accept().unwrap().0, std::net::TcpStream::connect(inner).unwrap());
        let (mut from, mut to) = (outer.try_clone().unwrap(), inner.try_clone().unwrap());
        thread::spawn(move || std::io::copy(&mut from, &mut to));
        let (mut from, mut to) = (inner, outer);
        let _ = std::io::copy(&mut from, &mut to);
    });
    alice.wait_for("[y/N]");
    pause(300);
    assert!(alice.contents().trim_end().ends_with("[y/N]"), "{}", alice.contents());
    // Nor is an answer kept, whatever it is.
    alice.keys("a password\r");
    alice.expect_exit(1);
    let kept = fs::read_to_string(home.path().join(".local/state/chatd/history")).unwrap_or_default();
    assert_eq!(kept, "");
    nothing_was_sent(&front);
}

#[test]
fn a_person_without_an_editor_is_asked_too() {
    let certificate = own();
    let (_server, front) = alices(&certificate);
    let home = tempfile::tempdir().unwrap();
    let mut alice = start(home.path(), front.addr(), &["--plain"]);
    alice.wait_for("type y or n");
    assert!(alice.contents().contains(&certificate.fingerprint), "{}", alice.contents());
    alice.keys("y\r");
    alice.wait_for("password: ");
    alice.keys(&format!("{PASSWORD}\r"));
    alice.wait_for("welcome alice");
    alice.keys("/quit\r");
    alice.expect_exit(0);
}

#[test]
fn a_script_trusts_nobody_by_itself() {
    let certificate = own();
    let (_server, front) = alices(&certificate);
    let told = [certificate.fingerprint.as_str(), "self-signed", "--pin SHA256:"];
    for script in
        ["client --once hi", "echo hi | client --plain", "echo y | client --json", "client --listen", "echo y | client"]
    {
        let outcome = run(front.addr(), &format!("{script} --tls $SERVER alice"));
        assert_eq!(outcome.code, Some(1), "{outcome:?}");
        let all = format!("{}{}", outcome.stdout, outcome.stderr);
        assert!(told.iter().all(|part| all.contains(part)), "{outcome:?}");
    }
    nothing_was_sent(&front);
}

#[test]
fn a_pin_counts_alone() {
    let authority = Authority::new();
    let (valid, own) = (authority.issue(&LOCAL, Validity::Now), Certificate::own(&["elsewhere"], Validity::Past));
    let (_server, front) = alices(&own);
    // The right key: neither the chain nor the name nor the time matters, and one of several is enough.
    let pins = format!("--pin {} --pin {}", valid.fingerprint, own.fingerprint);
    run(front.addr(), &format!("client --once hi --tls {pins} $SERVER alice")).check(0, &[]);
    // The wrong key: a valid chain does not help, and a person is not asked.
    front.set(&valid, Style::Good);
    let home = tempfile::tempdir().unwrap();
    fs::write(home.path().join("ca.pem"), &authority.pem).unwrap();
    run_in(home.path(), front.addr(), "client --once hi --tls --ca ca.pem $SERVER alice").check(0, &[]);
    let before = front.heard().len();
    let script = format!("client --once hi --tls --ca ca.pem --pin {} $SERVER alice", own.fingerprint);
    run_in(home.path(), front.addr(), &script).check(1, &["none of the keys of --pin", &valid.fingerprint]);
    let mut alice = start(home.path(), front.addr(), &["--pin", &own.fingerprint]);
    alice.expect_exit(1);
    assert!(alice.contents().contains(&valid.fingerprint), "{}", alice.contents());
    assert_eq!(front.heard()[before..], [None, None]);
}

#[test]
fn a_certificate_without_its_key_proves_nothing() {
    let certificate = own();
    let (_server, front) = alices(&certificate);
    for style in [Style::Good, Style::Old] {
        front.set(&certificate, style);
        let script = format!("client --once hi --tls --pin {} $SERVER alice", certificate.fingerprint);
        run(front.addr(), &script).check(0, &[]);
        let before = front.heard().len();
        front.set(&certificate.without_its_key(), style);
        run(front.addr(), &script).check(1, &["TLS failed"]);
        assert_eq!(front.heard()[before..], [None]);
    }
}

#[test]
fn a_valid_chain_needs_no_question() {
    let authority = Authority::new();
    let (_server, front) = alices(&authority.issue(&LOCAL, Validity::Now));
    let home = tempfile::tempdir().unwrap();
    fs::write(home.path().join("ca.pem"), &authority.pem).unwrap();
    let ca = home.path().join("ca.pem").to_str().unwrap().to_owned();
    let mut alice = start(home.path(), front.addr(), &["--ca", &ca]);
    alice.wait_for("password: ");
    alice.keys(&format!("{PASSWORD}\r"));
    alice.wait_for("alice> ");
    assert!(!home.path().join(KNOWN_SERVERS).exists());
    // The system's own store, and a host name.
    let script = "SSL_CERT_FILE=ca.pem client --once hi tls://localhost:$PORT alice";
    run_in(home.path(), front.addr(), script).check(0, &[]);
    // Another authority has not signed it.
    fs::write(home.path().join("ca.pem"), Authority::new().pem).unwrap();
    let outcome = run_in(home.path(), front.addr(), "client --once hi --tls --ca ca.pem $SERVER alice");
    outcome.check(1, &["nobody whom this machine trusts"]);
}

#[test]
fn a_listed_certificate_is_trusted_itself() {
    for certificate in [own(), Certificate::own_ca()] {
        let (_server, front) = alices(&certificate);
        let home = tempfile::tempdir().unwrap();
        fs::write(home.path().join("cert.pem"), &certificate.pem).unwrap();
        run_in(home.path(), front.addr(), "client --once hi --tls --ca cert.pem $SERVER alice").check(0, &[]);
        run_in(home.path(), front.addr(), "client --once hi --tls $SERVER alice").check(1, &["self-signed"]);
        // It is still for some names only, and for some time only.
        let other = Certificate::own(&["chat.example.org"], Validity::Now);
        front.set(&other, Style::Good);
        fs::write(home.path().join("cert.pem"), &other.pem).unwrap();
        let outcome = run_in(home.path(), front.addr(), "client --once hi --tls --ca cert.pem $SERVER alice");
        outcome.check(1, &["its certificate is for chat.example.org, not for 127.0.0.1"]);
    }
}

#[test]
fn what_is_wrong_with_a_certificate_is_told() {
    let authority = Authority::new();
    let home = tempfile::tempdir().unwrap();
    fs::write(home.path().join("ca.pem"), &authority.pem).unwrap();
    let (_server, front) = alices(&own());
    for (certificate, told) in [
        (authority.issue(&LOCAL, Validity::Past), "its certificate expired on 2020-12-31"),
        (authority.issue(&LOCAL, Validity::Future), "its certificate is valid from 2090-01-01 on"),
        (authority.issue(&["a.example", "b.example"], Validity::Now), "for a.example, b.example, not for 127.0.0.1"),
        (authority.issue(&["192.0.2.1"], Validity::Now), "for 192.0.2.1, not for 127.0.0.1"),
        (Certificate::own(&LOCAL, Validity::Past), "its certificate expired on 2020-12-31"),
        (Certificate::own(&["a.example"], Validity::Now), "self-signed, and its certificate is for a.example"),
    ] {
        front.set(&certificate, Style::Good);
        let outcome = run_in(home.path(), front.addr(), "client --once hi --tls --ca ca.pem $SERVER alice");
        outcome.check(1, &[told, &certificate.fingerprint]);
    }
    nothing_was_sent(&front);
}

#[test]
fn another_key_later_is_refused_until_the_first_is_forgotten() {
    let (first, second) = (own(), own());
    let (_server, front) = alices(&first);
    let home = tempfile::tempdir().unwrap();
    let mut alice = start(home.path(), front.addr(), &[]);
    accept(&mut alice, &first.fingerprint);
    alice.keys("/quit\r");
    alice.expect_exit(0);

    front.set(&second, Style::Good);
    let before = front.heard().len();
    let mut alice = start(home.path(), front.addr(), &[]);
    alice.expect_exit(1);
    let forget = format!("--forget {}", front.addr());
    for part in [first.fingerprint.as_str(), &second.fingerprint, &forget] {
        assert!(alice.contents().contains(part), "no {part}:\n{}", alice.contents());
    }
    let outcome = run_in(home.path(), front.addr(), "client --once hi --tls $SERVER alice");
    outcome.check(1, &[&first.fingerprint, &second.fingerprint, &forget]);
    assert_eq!(front.heard()[before..], [None, None]);

    let outcome = run_in(home.path(), front.addr(), "client --forget $SERVER");
    outcome.check(0, &[]);
    assert!(outcome.stdout.contains(&first.fingerprint), "{outcome:?}");
    run_in(home.path(), front.addr(), "client --forget $SERVER").check(1, &["no key of"]);
    let mut alice = start(home.path(), front.addr(), &[]);
    alice.wait_for("[y/N]");
    assert!(alice.contents().contains(&second.fingerprint), "{}", alice.contents());
}

#[test]
fn a_restart_is_proven_again_and_an_impostor_gets_no_token() {
    let certificate = own();
    let (server, front) = alices(&certificate);
    let home = tempfile::tempdir().unwrap();
    let mut alice = start(home.path(), front.addr(), &[]);
    accept(&mut alice, &certificate.fingerprint);
    let is_token = |name: &std::ffi::OsStr| name.to_string_lossy().starts_with("token-");
    let folder = home.path().join(".local/state/chatd");
    let kept = || fs::read_dir(&folder).is_ok_and(|files| files.flatten().any(|file| is_token(&file.file_name())));
    eventually("a token", kept);
    let addr = front.addr();
    drop(front);
    alice.wait_for("is lost");

    let impostor = Front::start_at(addr, server.addr(), &own());
    alice.wait_for("is not the server that you trusted");
    eventually("another try", || impostor.heard().len() >= 2);
    assert!(impostor.heard().iter().all(Option::is_none), "{:?}", impostor.heard());
    drop(impostor);

    let front = Front::start_at(addr, server.addr(), &certificate);
    alice.wait("a welcome", |alice| alice.contents().matches("welcome alice").count() == 2);
    // The token is for this server.
    let heard: Vec<String> = front.heard().into_iter().flatten().collect();
    assert!(heard[0].starts_with("C alice "), "{heard:?}");
}

#[test]
fn a_token_is_for_its_scheme() {
    let certificate = own();
    let fake = Fake::start();
    let front = Front::start(fake.addr(), &certificate);
    let home = tempfile::tempdir().unwrap();
    let playing = thread::spawn(move || {
        let mut client = fake.accept();
        client.send("C 220 fake 0 ready; your name?");
        let name = client.expect("C ");
        client.send("C 331 your password?");
        client.expect_exact(&format!("C {PASSWORD}"));
        client.send("C 230 welcome; 1 online");
        client.expect("C WANT ");
        client.send("C 502 unknown operation");
        client.expect_exact("C TOKEN");
        client.send("C 231 faketoken expires=86400");
        client.expect_exact("C WHO");
        client.send("C 211 1 online");
        client.expect_exact("C EX");
        client.send("C 221 bye");
        assert_eq!(name, "C alice");
        fake
    });
    let mut alice = start(home.path(), front.addr(), &[]);
    accept(&mut alice, &certificate.fingerprint);
    alice.keys("/quit\r");
    alice.expect_exit(0);
    let fake = playing.join().unwrap();

    // The same host and port, in the clear.
    let addr = front.addr();
    drop(front);
    let plain = TcpListener::bind(addr).unwrap();
    let home_path = home.path().to_owned();
    let asking = thread::spawn(move || {
        let (host, port) = (addr.ip().to_string(), addr.port().to_string());
        let mut alice = Terminal::start(24, 80, &home_path, env!("CARGO_BIN_EXE_chatclient"), &[&host, &port, "alice"]);
        alice.wait_for("password: ");
    });
    let mut client = testkit::Client::from_stream(plain.accept().unwrap().0);
    client.send("C 220 fake 0 ready; your name?");
    client.expect_exact("C alice");
    client.send("C 331 your password?");
    asking.join().unwrap();
    drop((client, plain));

    let front = Front::start_at(addr, fake.addr(), &certificate);
    let mut alice = start(home.path(), front.addr(), &[]);
    let mut client = fake.accept();
    client.send("C 220 fake 0 ready; your name?");
    client.expect_exact("C alice faketoken");
    client.send("C 230 welcome; 1 online");
    alice.wait_for("alice> ");
}

/// A chatd with a door for TLS, with a pair that it has made itself, and one in the clear.
fn chatd() -> (Server, SocketAddr) {
    let server = Server::builder().listen(&["line+tls://127.0.0.1:0", "line://127.0.0.1:0"]).with_pair().start();
    drop(server.register("alice"));
    let addr = server.door("line+tls");
    (server, addr)
}

#[test]
fn chatd_itself_from_the_question_to_a_restart() {
    let (server, addr) = chatd();
    let show = finish_in(
        server.path(""),
        &["cert", "show", "--config", "config.toml", "--set", "tls.cert=\"cert.pem\"", "--set", "tls.key=\"key.pem\""],
    );
    let key = show.stdout.lines().find(|line| line.starts_with("SHA256:")).expect("a fingerprint").to_owned();
    let home = tempfile::tempdir().unwrap();
    let mut alice = start(home.path(), addr, &[]);
    accept(&mut alice, &key);
    let mut bob = server.typed("bob");
    alice.keys("hello\r");
    alice.wait_for("hello (sent to 1)");
    assert!(bob.line().ends_with(" alice hello"));
    let long = "y".repeat(3000);
    bob.typed(&format!("PM {long}"));
    alice.wait_for("yyyy");
    alice.keys("/quit\r");
    alice.expect_exit(0);
    // A script, by name and by address, with the key, with the certificate, and with what the person has accepted.
    fs::copy(server.path("cert.pem"), home.path().join("cert.pem")).unwrap();
    for trust in [format!("--pin {key}"), "--ca cert.pem".to_owned(), String::new()] {
        let script = format!("seq 3 | client --plain --tls {trust} $SERVER alice");
        let outcome = run_in(home.path(), addr, &script);
        outcome.check(0, &["welcome alice"]);
        assert_eq!(outcome.stdout.lines().count(), 3, "{outcome:?}");
    }
    let script = "client --once hi --ca cert.pem tls://localhost:1,tls://localhost:$PORT alice";
    run_in(home.path(), addr, script).check(0, &["tls://localhost:1"]);
}

#[test]
fn chatd_and_a_client_that_misses_its_door() {
    let (server, addr) = chatd();
    run(server.addr(), "client --once hi --tls $SERVER alice").check(1, &["speaks no TLS", "leave out --tls"]);
    // The server waits for the client, who waits for the server, and says so before it gives up.
    run(addr, "timeout --preserve-status 6 $CLIENT --once hi $SERVER alice")
        .check(1, &["no answer yet; if it speaks TLS, use --tls"]);
}

/// Runs chatd in a folder.
fn finish_in(folder: std::path::PathBuf, arguments: &[&str]) -> Outcome {
    testkit::run(&testkit::program("chatd"), &folder, arguments)
}

#[test]
fn plain_and_tls_mixed_up() {
    let server = Server::start();
    drop(server.register("alice"));
    // TLS to a plain server: both the greeting and the refusal are text.
    let outcome = run(server.addr(), "client --once hi --tls $SERVER alice");
    outcome.check(1, &["speaks no TLS", "leave out --tls"]);
    // A plain client at a port for TLS, where the server waits, and then says so in one way or another.
    for (answer, told) in [(&b"C 421 not TLS\n"[..], "not TLS"), (b"\x15\x03\x03\x00\x02\x02\x46", "without TLS")] {
        let fake = Fake::start();
        let addr = fake.addr();
        let playing = thread::spawn(move || fake.accept().send_raw(answer));
        run(addr, "client --once hi $SERVER alice").check(1, &[told, "use --tls"]);
        playing.join().unwrap();
    }
}

#[test]
fn a_server_that_turns_away_before_tls_is_quoted() {
    let fake = Fake::start();
    let addr = fake.addr();
    let playing = thread::spawn(move || fake.accept().send("C 421 server full"));
    run(addr, "client --once hi --tls $SERVER alice").check(1, &["the server has closed the connection: server full"]);
    playing.join().unwrap();
}

#[test]
fn a_handshake_that_stalls_is_given_up() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap();
    let began = Instant::now();
    let home = tempfile::tempdir().unwrap();
    let mut alice = start(home.path(), addr, &[]);
    alice.expect_exit(1);
    assert!(alice.contents().contains("no TLS handshake within 10 s"), "{}", alice.contents());
    assert!(began.elapsed() >= Duration::from_secs(10));
    // A signal ends the wait.
    let mut alice = start(home.path(), addr, &[]);
    alice.wait_for("connecting to");
    pause(200);
    alice.signal(rustix::process::Signal::TERM);
    let began = Instant::now();
    alice.wait_exit();
    assert!(began.elapsed() < Duration::from_secs(5));
}

#[test]
fn a_handshake_that_ends_in_the_middle() {
    // The start of a record, and the end.
    for part in [&b"\x16\x03\x03\x10\x00"[..], b"", b"\x16"] {
        let fake = Fake::start();
        let addr = fake.addr();
        let playing = thread::spawn(move || {
            let mut client = fake.accept();
            client.send_raw(part);
            pause(50);
        });
        let outcome = run(addr, "client --once hi --tls $SERVER alice");
        assert_eq!(outcome.code, Some(1), "{outcome:?}");
        let told = ["during the TLS handshake", "was reset"];
        assert!(told.iter().any(|part| outcome.stderr.contains(part)), "{outcome:?}");
        playing.join().unwrap();
    }
}

#[test]
fn a_port_for_the_web_is_no_chat() {
    let certificate = own();
    let (_server, front) = alices(&certificate);
    front.set(&certificate, Style::Web);
    let script = format!("client --once hi --tls --pin {} $SERVER alice", certificate.fingerprint);
    run(front.addr(), &script).check(1, &["for other programs, not for chat"]);
    nothing_was_sent(&front);
}

#[test]
fn old_and_slow_servers_work() {
    let certificate = own();
    for style in [Style::Old, Style::Dribble] {
        let (server, front) = alices(&certificate);
        front.set(&certificate, style);
        let mut bob = server.typed("bob");
        let script = format!("seq 50 | client --plain --tls --pin {} $SERVER alice", certificate.fingerprint);
        let outcome = run(front.addr(), &script);
        outcome.check(0, &["welcome alice"]);
        assert_eq!(outcome.stdout.lines().count(), 50, "{outcome:?}");
        for n in 1..=50 {
            assert!(bob.line().ends_with(&format!(" alice {n}")));
        }
    }
}

/// A client in a terminal, logged in to a server that the test plays.
fn alice_and_fake(certificate: &Certificate, style: Style) -> (Terminal, testkit::Client, Front, tempfile::TempDir) {
    let fake = Fake::start();
    let front = Front::start(fake.addr(), certificate);
    front.set(certificate, style);
    let home = tempfile::tempdir().unwrap();
    let mut alice = start(home.path(), front.addr(), &["--pin", &certificate.fingerprint]);
    let accepting = thread::spawn(move || fake.let_in());
    alice.wait_for("password: ");
    alice.keys("whatever\r");
    let client = accepting.join().unwrap();
    alice.wait_for("alice> ");
    (alice, client, front, home)
}

#[test]
fn a_connection_that_is_cut_off_is_told_from_one_that_ended() {
    let certificate = own();
    for (style, told) in [(Style::Good, "the server closed the connection"), (Style::Cut, "was cut off")] {
        let (mut alice, mut server, _front, _home) = alice_and_fake(&certificate, style);
        server.send("D PM 1882415750197542913 bob the last words");
        drop(server);
        alice.wait_for(told);
        assert!(alice.contents().contains("bob: the last words"), "{}", alice.contents());
    }
}

#[test]
fn a_cut_in_the_middle_of_a_record_shows_nothing_of_it() {
    let (mut alice, mut server, _front, _home) = alice_and_fake(&own(), Style::CutInRecord(2000));
    server.send("D PM 1882415750197542913 bob before");
    alice.wait_for("bob: before");
    server.send(&format!("D PM 1882415750197542914 bob behind{}", "x".repeat(2000)));
    alice.wait_for("was cut off");
    assert!(!alice.raw().contains("behind"), "{}", alice.contents());
}

#[test]
fn lines_and_records_need_not_match() {
    let (mut alice, mut server, _front, _home) = alice_and_fake(&own(), Style::Good);
    // Half a line in each record, and then several records at once.
    for part in [&b"D PM 18824157"[..], b"50197542913 bob one\nD PM 1882415750197542914 bo", b"b two\n"] {
        server.send_raw(part);
        pause(30);
    }
    alice.wait_for("bob: two");
    assert!(alice.contents().contains("bob: one"), "{}", alice.contents());
    let many: String = (0..500).map(|n| format!("D PM 1882415750197542913 bob {n}{}\n", "y".repeat(200))).collect();
    server.send_raw(many.as_bytes());
    alice.wait_for("499yyy");
    alice.keys("me too\r");
    server.expect_exact("C PM me too");
    server.send("C 250 sent to 1");
    alice.wait_for("me too (sent to 1)");
}

#[test]
fn ncat_as_a_server() {
    if !program_is_there("ncat") {
        println!("skipped: there is no ncat");
        return;
    }
    let certificate = own();
    let home = tempfile::tempdir().unwrap();
    fs::write(home.path().join("cert.pem"), &certificate.pem).unwrap();
    fs::write(home.path().join("key.pem"), &certificate.key_pem).unwrap();
    let chat = "echo C 220 ncat 1 ready; read name; echo C 331 your password?; read password; echo C 230 welcome
         while read kind verb rest; do
             case $verb in
             TOKEN) echo C 231 sometoken expires=86400;;
             WHO) echo C 211 1 online;;
             IGNORE) echo C 502 unknown operation;;
             EX) echo C 221 bye; exit;;
             *) echo $kind $verb $rest >>said; echo C 250 sent to 7;;
             esac
         done";
    fs::write(home.path().join("chat.sh"), chat).unwrap();
    let addr = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let script = format!(
        "ncat --ssl --ssl-cert cert.pem --ssl-key key.pem -l 127.0.0.1 $PORT --sh-exec 'sh chat.sh' &
         until grep -qi :$(printf %04X $PORT) /proc/net/tcp; do sleep 0.02; done
         printf 'one\\ntwo\\n' | client --plain --tls --pin {} $SERVER alice; code=$?; kill $!; exit $code",
        certificate.fingerprint
    );
    run_in(home.path(), addr, &script).check(0, &["welcome"]);
    assert_eq!(fs::read_to_string(home.path().join("said")).unwrap(), "C PM one\nC PM two\n");
}

/// Whether a program of the system is there.
fn program_is_there(name: &str) -> bool {
    Command::new("sh").args(["-c", &format!("command -v {name} >/dev/null")]).status().is_ok_and(|done| done.success())
}

#[test]
fn the_fingerprint_is_the_one_of_openssl() {
    if !program_is_there("openssl") {
        println!("skipped: there is no openssl");
        return;
    }
    let certificate = own();
    let home = tempfile::tempdir().unwrap();
    fs::write(home.path().join("cert.pem"), &certificate.pem).unwrap();
    let mut openssl = Command::new("sh");
    openssl.current_dir(home.path()).args([
        "-c",
        "openssl x509 -in cert.pem -pubkey -noout | openssl pkey -pubin -outform der | openssl dgst -sha256 -binary | openssl base64",
    ]);
    let outcome = finish(openssl);
    assert_eq!(format!("SHA256:{}", outcome.stdout.trim().trim_end_matches('=')), certificate.fingerprint);
}

#[test]
fn files_that_cannot_be_used_are_named() {
    let (_server, front) = alices(&own());
    for (script, code, told) in [
        ("client --once hi --tls --ca nowhere.pem $SERVER alice", 1, "--ca nowhere.pem: "),
        ("echo x >a.pem; client --once hi --tls --ca a.pem $SERVER alice", 1, "no certificate is in it"),
        ("client --once hi --ca nowhere.pem $SERVER alice", 2, "--ca is about TLS"),
        ("client --once hi --tls --pin abc $SERVER alice", 2, "chatd cert show prints it"),
        ("client --once hi --tls tcp://$SERVER alice", 2, "contradict each other"),
    ] {
        run(front.addr(), script).check(code, &[told]);
    }
    nothing_was_sent(&front);
}

#[test]
fn kept_keys_that_others_could_have_written_count_for_nothing() {
    let certificate = own();
    let (_server, front) = alices(&certificate);
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join(".local/state/chatd");
    fs::create_dir_all(&folder).unwrap();
    let script = format!(
        "chmod 700 .local/state/chatd; echo $SERVER {} >{KNOWN_SERVERS}; chmod MODE {KNOWN_SERVERS}
         client --once hi --tls $SERVER alice",
        certificate.fingerprint
    );
    run_in(home.path(), front.addr(), &script.replace("MODE", "666")).check(1, &["known_servers", "mode 666"]);
    nothing_was_sent(&front);
    run_in(home.path(), front.addr(), &script.replace("MODE", "600")).check(0, &[]);
}
