//! TLS for clients: rustls' client, which gives access to the records on the wire.

use std::io::{Error, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::version::{TLS12, TLS13};
pub use rustls::{ClientConfig, ClientConnection, HandshakeKind};
use rustls::{DigitallySignedStruct, SignatureScheme};

/// The versions that a client offers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Versions {
    /// TLS 1.2 alone.
    Tls12,
    /// TLS 1.3 alone.
    Tls13,
    /// Both.
    Both,
}

/// The settings of a client that accepts every certificate. Clients with the same settings share tickets.
pub fn settings(versions: Versions, protocols: &[&str]) -> Arc<ClientConfig> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let versions: &[_] = match versions {
        Versions::Tls12 => &[&TLS12],
        Versions::Tls13 => &[&TLS13],
        Versions::Both => &[&TLS13, &TLS12],
    };
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider)).with_protocol_versions(versions);
    let builder = builder.expect("versions that the provider has").dangerous();
    let mut config = builder.with_custom_certificate_verifier(Arc::new(AcceptsAll(provider))).with_no_client_auth();
    config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
    Arc::new(config)
}

/// The TLS of a client. Its socket is given to each call.
pub struct Tls {
    conn: ClientConnection,
}

impl Tls {
    /// A client that has sent nothing yet.
    pub fn new(settings: &Arc<ClientConfig>) -> Self {
        let name = ServerName::try_from("localhost").expect("a name");
        let mut conn = ClientConnection::new(Arc::clone(settings), name).expect("settings that work");
        conn.set_buffer_limit(None);
        Self { conn }
    }

    /// What the client knows of its connection.
    pub fn connection(&mut self) -> &mut ClientConnection {
        &mut self.conn
    }

    /// The bytes that it wants to send now; a new client's are its ClientHello.
    pub fn outgoing(&mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        while self.conn.wants_write() {
            self.conn.write_tls(&mut bytes).expect("a vector takes everything");
        }
        bytes
    }

    /// The records for this plaintext: one for each text, and more for a long one.
    pub fn records<'a>(&mut self, texts: impl IntoIterator<Item = &'a [u8]>) -> Vec<u8> {
        let mut bytes = Vec::new();
        for text in texts {
            self.conn.writer().write_all(text).expect("no limit");
            bytes.extend(self.outgoing());
        }
        bytes
    }

    /// A record that asks for new keys.
    pub fn key_update(&mut self) -> Vec<u8> {
        self.conn.refresh_traffic_keys().expect("TLS 1.3");
        self.outgoing()
    }

    /// The record that ends the sending side.
    pub fn close_notify(&mut self) -> Vec<u8> {
        self.conn.send_close_notify();
        self.outgoing()
    }

    /// Shakes hands.
    ///
    /// # Errors
    /// The server refuses, or the connection breaks.
    pub fn shake(&mut self, mut socket: &TcpStream) -> std::io::Result<()> {
        while self.conn.is_handshaking() {
            self.conn.complete_io(&mut socket)?;
        }
        socket.write_all(&self.outgoing())
    }

    /// Takes the plaintext of the records that were read. `None` if there is none, and the server has ended its side.
    fn take_text(&mut self) -> std::io::Result<Option<Vec<u8>>> {
        let state = self.conn.process_new_packets().map_err(|error| Error::new(ErrorKind::InvalidData, error))?;
        let mut text = vec![0; state.plaintext_bytes_to_read()];
        self.conn.reader().read_exact(&mut text)?;
        Ok(if text.is_empty() && state.peer_has_closed() { None } else { Some(text) })
    }

    /// Reads from the socket once, and returns the plaintext that came of it. `None` at the end of the stream.
    ///
    /// # Errors
    /// The socket's error, `InvalidData` for records that are wrong, `UnexpectedEof` for an end without close_notify.
    pub fn read(&mut self, mut socket: &TcpStream) -> std::io::Result<Option<Vec<u8>>> {
        // The handshake may have read more than itself.
        match self.take_text()? {
            Some(text) if text.is_empty() => {}
            text => return Ok(text),
        }
        if self.conn.read_tls(&mut socket)? == 0 {
            // A stream that ends without close_notify may have been cut off by anybody.
            return Err(ErrorKind::UnexpectedEof.into());
        }
        self.take_text()
    }
}

/// Accepts every certificate, but checks that the server has its key.
#[derive(Debug)]
struct AcceptsAll(Arc<CryptoProvider>);

impl ServerCertVerifier for AcceptsAll {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
