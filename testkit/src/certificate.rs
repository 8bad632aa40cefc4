//! Certificates for tests.

use data_encoding::BASE64_NOPAD;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, PublicKeyData as _, date_time_ymd};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use sha2::{Digest as _, Sha256};

/// A certificate and its key (P-256).
#[derive(Clone)]
pub struct Certificate {
    /// The certificate, in PEM.
    pub pem: String,
    /// Its key, in PEM.
    pub key_pem: String,
    /// `SHA256:` and the unpadded base64 of the digest of its public key.
    pub fingerprint: String,
    chain: Vec<CertificateDer<'static>>,
    key: Vec<u8>,
}

/// An issuer of certificates.
pub struct Authority {
    /// Its own certificate, in PEM.
    pub pem: String,
    issuer: Issuer<'static, KeyPair>,
}

/// When a certificate is valid.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Validity {
    /// Now.
    Now,
    /// Until the end of 2020.
    Past,
    /// From 2090 on.
    Future,
}

/// The names that clients on this machine use for a server.
pub const LOCAL: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

impl Certificate {
    /// A self-signed certificate for these names, as `chatd cert make` makes it.
    pub fn own(names: &[&str], validity: Validity) -> Self {
        let key = KeyPair::generate().expect("a key");
        let made = parameters(names, validity).self_signed(&key).expect("a certificate");
        Self::new(&made, &key, Vec::new())
    }

    /// A self-signed certificate for this machine, which may also sign others, as `openssl req -x509` makes it.
    pub fn own_ca() -> Self {
        let key = KeyPair::generate().expect("a key");
        let mut parameters = parameters(&LOCAL, Validity::Now);
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self::new(&parameters.self_signed(&key).expect("a certificate"), &key, Vec::new())
    }

    fn new(made: &rcgen::Certificate, key: &KeyPair, others: Vec<CertificateDer<'static>>) -> Self {
        let digest = Sha256::digest(key.subject_public_key_info());
        Self {
            pem: made.pem(),
            key_pem: key.serialize_pem(),
            fingerprint: format!("SHA256:{}", BASE64_NOPAD.encode(&digest)),
            chain: [vec![made.der().clone()], others].concat(),
            key: key.serialize_der(),
        }
    }

    /// The certificates that a server sends, its own first.
    pub fn chain(&self) -> Vec<CertificateDer<'static>> {
        self.chain.clone()
    }

    /// Its key.
    pub fn key(&self) -> PrivateKeyDer<'static> {
        PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(self.key.clone()))
    }
}

impl Authority {
    /// A new one.
    pub fn new() -> Self {
        let key = KeyPair::generate().expect("a key");
        let mut parameters = parameters(&[], Validity::Now);
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        parameters.distinguished_name.push(DnType::CommonName, "testkit authority");
        let made = parameters.self_signed(&key).expect("a certificate");
        Self { pem: made.pem(), issuer: Issuer::new(parameters, key) }
    }

    /// A certificate for these names, signed by this issuer.
    pub fn issue(&self, names: &[&str], validity: Validity) -> Certificate {
        let key = KeyPair::generate().expect("a key");
        let made = parameters(names, validity).signed_by(&key, &self.issuer).expect("a certificate");
        Certificate::new(&made, &key, Vec::new())
    }
}

impl Default for Authority {
    fn default() -> Self {
        Self::new()
    }
}

fn parameters(names: &[&str], validity: Validity) -> CertificateParams {
    let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
    let mut parameters = CertificateParams::new(names).expect("names");
    (parameters.not_before, parameters.not_after) = match validity {
        Validity::Now => (date_time_ymd(2020, 1, 1), date_time_ymd(2090, 1, 1)),
        Validity::Past => (date_time_ymd(2020, 1, 1), date_time_ymd(2020, 12, 31)),
        Validity::Future => (date_time_ymd(2090, 1, 1), date_time_ymd(2091, 1, 1)),
    };
    parameters
}
