//! How a listener answers a handshake: its certificate, the versions and protocols that it takes, its tickets.

use std::fmt;
use std::sync::Arc;

use rustls::crypto::CryptoProvider;
use rustls::crypto::aws_lc_rs;
use rustls::crypto::aws_lc_rs::cipher_suite::{
    TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
    TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
    TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384, TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256, TLS13_AES_128_GCM_SHA256,
    TLS13_AES_256_GCM_SHA384, TLS13_CHACHA20_POLY1305_SHA256,
};
use rustls::server::{NoServerSessionStorage, ProducesTickets, ServerConfig};
use rustls::sign::SingleCertAndKey;
use rustls::version::{TLS12, TLS13};

use super::identity::Credentials;
use super::session::Session;
use crate::limits::{TLS_RSA_WORK, TLS_SIGN_WORK, TlsVersion};

/// Answers the handshakes of one listener.
#[derive(Clone)]
pub(crate) struct Acceptor {
    config: Arc<ServerConfig>,
    sign_work: usize,
}

/// The keys of tickets, with which clients come back without a signature. They are in memory only, change every six
/// hours, and are kept when certificates are read again.
#[derive(Clone)]
pub(crate) struct Tickets(Arc<dyn ProducesTickets>);

impl Tickets {
    /// New keys.
    ///
    /// # Errors
    /// There is no randomness.
    pub(crate) fn new() -> Result<Self, String> {
        aws_lc_rs::Ticketer::new().map(Self).map_err(|error| format!("make the keys of TLS tickets: {error}"))
    }
}

impl Acceptor {
    /// An acceptor that presents these credentials. `protocol` is the only one (ALPN) that a client may name; one that
    /// names none is taken too.
    ///
    /// # Errors
    /// rustls cannot use them.
    pub(crate) fn new(credentials: &Credentials, protocol: &'static str, tickets: &Tickets) -> Result<Self, String> {
        let Credentials { identity, min_version } = credentials;
        let versions: &[_] = match min_version {
            TlsVersion::Tls12 => &[&TLS13, &TLS12],
            TlsVersion::Tls13 => &[&TLS13],
        };
        let builder = ServerConfig::builder_with_provider(Arc::new(provider()))
            .with_protocol_versions(versions)
            .map_err(|error| error.to_string())?;
        // One certificate a listener, whatever name a client asks for: a certificate can have many names.
        let resolver = SingleCertAndKey::from(Arc::clone(identity.certified()));
        let mut config = builder.with_no_client_auth().with_cert_resolver(Arc::new(resolver));
        config.alpn_protocols = vec![protocol.as_bytes().to_vec()];
        config.ticketer = Arc::clone(&tickets.0);
        config.send_tls13_tickets = 1;
        config.ignore_client_order = true;
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.max_early_data_size = 0;
        let sign_work = if identity.is_rsa() { TLS_RSA_WORK } else { TLS_SIGN_WORK };
        Ok(Self { config: Arc::new(config), sign_work })
    }

    /// The session of a new connection. `None` if there is no memory or no randomness for it.
    pub(crate) fn session(&self) -> Option<Session> {
        Session::new(Arc::clone(&self.config), self.sign_work)
    }
}

/// The cryptography, with the suites in the order in which they are chosen: all of them are good, so the quickest is
/// first. SHA-384 would take a tenth of a handshake.
fn provider() -> CryptoProvider {
    let cipher_suites = vec![
        TLS13_AES_128_GCM_SHA256,
        TLS13_AES_256_GCM_SHA384,
        TLS13_CHACHA20_POLY1305_SHA256,
        TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
        TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
        TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
        TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
        TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
        TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
    ];
    CryptoProvider { cipher_suites, ..aws_lc_rs::default_provider() }
}

impl fmt::Debug for Acceptor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Acceptor")
    }
}

impl fmt::Debug for Tickets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tickets")
    }
}
