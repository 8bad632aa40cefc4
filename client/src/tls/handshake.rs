//! The handshake: it ends with a proven server, or with nothing sent.

use std::io::{self, ErrorKind, Read as _};
use std::net::{IpAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustls::client::Resumption;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection};

use super::proof::{Proof, Refusal};
use super::verify::Judge;
use super::{Tls, words};
use crate::connect::{Failure, describe};
use crate::destination::Server;

/// How long the handshake may take, as long as the server gives the client.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// The protocol that the client asks for, so that it is not led to another service of the same host.
const ALPN: &[u8] = b"chatd";
/// The size of a read.
const CHUNK: usize = 16 * 1024;
/// The first byte of a handshake record, and of an alert.
const RECORDS: [u8; 2] = [0x16, 0x15];

/// Proves the server on a non-blocking socket. Nothing of the user is sent. `None` if a byte or an end in `cancelled`
/// cancelled it.
///
/// # Errors
///
/// The server is not proven, or does not speak TLS in time.
pub(crate) fn handshake(
    socket: &mut TcpStream,
    server: &Server,
    proof: &Arc<Proof>,
    cancelled: &UnixStream,
) -> Result<Option<Tls>, Failure> {
    let (mut tls, judge) = start(server, proof).map_err(Failure::Gone)?;
    let deadline = Instant::now() + HANDSHAKE;
    let mut chunk = vec![0; CHUNK];
    let mut is_first = true;
    while Instant::now() < deadline {
        let is_written = tls.write_out(socket).map_err(|error| Failure::Gone(describe(&error)))?;
        if is_written && !tls.0.is_handshaking() {
            return Ok(Some(tls));
        }
        let Some(is_readable) = wait(socket, !is_written, cancelled, deadline).map_err(Failure::Gone)? else {
            return Ok(None);
        };
        let mut input = match socket.read(&mut chunk) {
            _ if !is_readable => continue,
            Ok(0) => return Err(Failure::Gone("the server closed the connection during the TLS handshake".to_owned())),
            Ok(n) => chunk.get(..n).unwrap_or_default(),
            Err(error) if matches!(error.kind(), ErrorKind::Interrupted | ErrorKind::WouldBlock) => continue,
            Err(error) => return Err(Failure::Gone(describe(&error))),
        };
        if std::mem::take(&mut is_first) && !input.first().is_some_and(|byte| RECORDS.contains(byte)) {
            return Err(Failure::Gone(no_tls(input)));
        }
        while !input.is_empty() {
            tls.0.read_tls(&mut input).map_err(|error| Failure::Gone(error.to_string()))?;
            if let Err(error) = tls.0.process_new_packets() {
                // The server is told why, if it still listens.
                let _ = tls.write_out(socket);
                return Err(match judge.take_refusal() {
                    Some(Refusal::Doubt(doubt)) => Failure::Unproven(doubt),
                    Some(Refusal::Failed(why)) => Failure::Gone(why),
                    None => Failure::Gone(words::failed(&error)),
                });
            }
        }
    }
    Err(Failure::Gone(too_late()))
}

/// A connection whose first record waits to be sent, and the verifier of its server.
///
/// # Errors
///
/// No certificate can be for that host.
pub(super) fn start(server: &Server, proof: &Arc<Proof>) -> Result<(Tls, Arc<Judge>), String> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let judge = Arc::new(Judge::new(Arc::clone(proof), Arc::clone(&provider), server.place(), server.host.clone()));
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let config = config.map_err(|error| words::failed(&error))?;
    let verifier = Arc::clone(&judge);
    let mut config = config.dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth();
    config.alpn_protocols = vec![ALPN.to_vec()];
    // A resumed connection would skip the certificate, and with it the rules of today.
    config.resumption = Resumption::disabled();
    let name = name_of(&server.host)?;
    let mut connection = ClientConnection::new(Arc::new(config), name).map_err(|error| words::failed(&error))?;
    // One line is encrypted at a time, so the limit is the line's.
    connection.set_buffer_limit(None);
    Ok((Tls(connection), judge))
}

/// The name that the certificate must be for. A name is also sent; an address is not.
fn name_of(host: &str) -> Result<ServerName<'static>, String> {
    // Certificates know no interfaces: `fe80::1%eth0`.
    let bare = host.split('%').next().unwrap_or(host);
    if let Ok(address) = bare.parse::<IpAddr>() {
        return Ok(ServerName::IpAddress(address.into()));
    }
    // A certificate names hosts without the final dot.
    let bare = host.strip_suffix('.').unwrap_or(host).to_owned();
    ServerName::try_from(bare).map_err(|_| format!("no certificate can be for {host:?}"))
}

/// What to say to a server whose first bytes are no TLS.
fn no_tls(input: &[u8]) -> String {
    let text = String::from_utf8_lossy(input);
    let reason = text.lines().next().and_then(|line| line.strip_prefix("C 421 "));
    match reason.filter(|reason| !["not a chat client", "not TLS"].contains(reason)) {
        // It turns the client away before TLS begins.
        Some(reason) => format!("the server has closed the connection: {reason}"),
        None => "it speaks no TLS: another port may; or leave out --tls, and others on the way can read and change all"
            .to_owned(),
    }
}

fn too_late() -> String {
    format!("no TLS handshake within {} s", HANDSHAKE.as_secs())
}

/// Waits for input, or until output can be written. Whether it was input; `None` if cancelled.
fn wait(
    socket: &TcpStream,
    is_writing: bool,
    cancelled: &UnixStream,
    deadline: Instant,
) -> Result<Option<bool>, String> {
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        let wanted = if is_writing { PollFlags::IN | PollFlags::OUT } else { PollFlags::IN };
        let mut fds = [PollFd::new(socket, wanted), PollFd::new(cancelled, PollFlags::IN)];
        // Seconds always fit.
        match poll(&mut fds, Timespec::try_from(left).ok().as_ref()) {
            Ok(0) => return Err(too_late()),
            Ok(_) => {}
            Err(rustix::io::Errno::INTR) => continue,
            Err(error) => return Err(describe(&io::Error::from(error))),
        }
        let [socket, cancelled] = fds;
        if !cancelled.revents().is_empty() {
            return Ok(None);
        }
        return Ok(Some(!socket.revents().difference(PollFlags::OUT).is_empty()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_certificates() {
        let name = |host| name_of(host).map(|name| name.to_str().into_owned());
        for (host, expected) in [
            ("chat.example.org", "chat.example.org"),
            ("chat.example.org.", "chat.example.org"),
            ("127.0.0.1", "127.0.0.1"),
            ("fe80::1%eth0", "fe80::1"),
        ] {
            assert_eq!(name(host).as_deref(), Ok(expected));
        }
        assert!(name("a b").is_err() && name("größe").is_err());
        // The name that a client sends: none for an address.
        assert!(matches!(name_of("::1"), Ok(ServerName::IpAddress(_))));
    }

    #[test]
    fn servers_without_tls_are_told_the_next_step() {
        for input in ["C 220 chatd ready; your name?\n", "C 421 not a chat client\n", "HTTP/1.1 400", "C", ""] {
            assert!(no_tls(input.as_bytes()).contains("leave out --tls"), "{input}");
        }
        assert!(no_tls(b"C 421 server full\r\n").ends_with(": server full"));
    }
}
