//! The same with programs of others: openssl, ncat and Python. A test whose program is missing is skipped.

use std::process::{Command, Stdio};

use testkit::{Outcome, Server, finish_with};

use super::{port, secure};

/// Whether a program answers to this; prints a note if not.
fn have(program: &str, args: &[&str]) -> bool {
    let answer = Command::new(program).args(args).stdin(Stdio::null()).output();
    let is_there = answer.is_ok_and(|answer| answer.status.success());
    if !is_there {
        eprintln!("skipped: there is no `{program}` here, or it cannot do TLS");
    }
    is_there
}

/// Runs a program that talks to the server, with this as its input.
fn talk(server: &Server, program: &str, args: &[&str], input: &str) -> Outcome {
    let addr = port(server);
    let mut command = Command::new(program);
    for arg in args {
        let arg = arg.replace("ADDR", &addr.to_string()).replace("PORT", &addr.port().to_string());
        command.arg(arg.replace("CERT", &server.path("cert.pem").display().to_string()));
    }
    finish_with(command, input)
}

const WORDS: &str = "correct horse\nPM to nobody\nEX\n";

#[test]
fn openssl() {
    if !have("openssl", &["version"]) {
        return;
    }
    let server = secure();
    for (name, version) in [("alice", "-tls1_3"), ("bob", "-tls1_2")] {
        let verify = ["-CAfile", "CERT", "-verify_return_error", "-verify_hostname", "localhost"];
        let args = [&["s_client", "-quiet", version, "-connect", "ADDR"], &verify[..]].concat();
        let told = talk(&server, "openssl", &args, &format!("{name}\n{WORDS}"));
        for line in ["C 220 chatd ", "C 332 ", "C 230 ", "C 250 sent to 0", "C 221 bye"] {
            assert!(told.stdout.contains(line), "{line}: {told:?}");
        }
    }
    let old = talk(&server, "openssl", &["s_client", "-tls1_1", "-connect", "ADDR"], "");
    assert_ne!(old.code, Some(0), "{old:?}");
}

#[test]
fn ncat() {
    if !have("ncat", &["--ssl", "--version"]) {
        return;
    }
    let server = secure();
    // It ends its input without EX, and gets every reply.
    let told = talk(&server, "ncat", &["--ssl", "127.0.0.1", "PORT"], "alice\ncorrect horse\nPM to nobody\nNOOP\n");
    assert_eq!(told.code, Some(0), "{told:?}");
    for line in ["C 220 chatd ", "C 332 ", "C 230 ", "C 250 sent to 0", "C 200 done"] {
        assert!(told.stdout.contains(line), "{line}: {told:?}");
    }
    // In the clear it is told what is wrong.
    let told = talk(&server, "ncat", &["127.0.0.1", "PORT"], "alice\n");
    assert_eq!(told.stdout, "C 421 not TLS\n", "{told:?}");
}

/// Talks, ends its side by close_notify, and reads to the end, which must be in order.
const PYTHON: &str = r#"
import socket, ssl, sys
context = ssl.create_default_context(cafile=sys.argv[2])
context.set_alpn_protocols(["chatd"])
for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
    context.minimum_version = context.maximum_version = version
    with socket.create_connection(("127.0.0.1", int(sys.argv[1]))) as tcp:
        with context.wrap_socket(tcp, server_hostname="localhost", suppress_ragged_eofs=False) as tls:
            assert tls.selected_alpn_protocol() == "chatd"
            lines = tls.makefile("rwb")
            assert lines.readline().startswith(b"C 220 chatd ")
            lines.write(b"user%d\ncorrect horse\nEX\n" % version)
            lines.flush()
            rest = lines.read()
            assert b"C 230 " in rest and rest.endswith(b"C 221 bye\n"), rest
            print(tls.version(), tls.cipher()[0])
"#;

#[test]
fn python() {
    if !have("python3", &["-c", "import ssl"]) {
        return;
    }
    let server = secure();
    let told = talk(&server, "python3", &["-c", PYTHON, "PORT", "CERT"], "");
    assert_eq!(told.code, Some(0), "{told:?}");
    assert!(told.stdout.contains("TLSv1.2 ") && told.stdout.contains("TLSv1.3 "), "{told:?}");
}
