//! Verifies the certificate of a server.

use std::sync::{Arc, Mutex, PoisonError};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};

use super::proof::{Flaw, Proof, Refusal};
use super::words;
use crate::fingerprint::Fingerprint;

/// The verifier of one connection. It keeps why it has refused.
pub(super) struct Judge {
    proof: Arc<Proof>,
    provider: Arc<CryptoProvider>,
    /// The server as its key is kept (`host:port`), and its host.
    place: String,
    host: String,
    refusal: Mutex<Option<Refusal>>,
}

impl Judge {
    /// A verifier for the server at this place.
    pub(super) fn new(proof: Arc<Proof>, provider: Arc<CryptoProvider>, place: String, host: String) -> Self {
        Self { proof, provider, place, host, refusal: Mutex::new(None) }
    }

    /// Why the server was refused, if it was.
    pub(super) fn take_refusal(&self) -> Option<Refusal> {
        self.refusal.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// What is wrong with the certificate: with its chain, its time and its name.
    fn check(
        &self,
        cert: &ParsedCertificate<'_>,
        leaf: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        now: UnixTime,
    ) -> Result<(), Flaw> {
        let algorithms = self.provider.signature_verification_algorithms.all;
        let is_signed_by =
            |roots: &RootCertStore| verify_server_cert_signed_by_trust_anchor(cert, roots, others, now, algorithms);
        let mut whys = Vec::new();
        if let Err(error) = is_signed_by(self.proof.roots()) {
            let Error::InvalidCertificate(error) = error else { return Err(Flaw::Unsound(words::failed(&error))) };
            // `Other`: a certificate of the kind that signs others. As a server's, it has signed itself.
            let is_alone = matches!(error, CertificateError::UnknownIssuer | CertificateError::Other(_));
            // A certificate that was listed itself needs nobody to vouch for it, only to be in time.
            let is_listed = self.proof.listed().iter().any(|listed| listed == leaf);
            if !is_alone || (!is_listed && error == CertificateError::UnknownIssuer && !is_own(leaf, is_signed_by)) {
                let why = words::untrusted(&error);
                whys.push(why.ok_or_else(|| Flaw::Unsound(format!("its certificate is no good: {error}")))?);
            } else if !is_listed {
                whys.push("its certificate is self-signed".to_owned());
            }
        }
        if let Err(error) = verify_server_name(cert, name) {
            whys.push(words::other_name(&error, &self.host));
        }
        if whys.is_empty() { Ok(()) } else { Err(Flaw::Untrusted(whys.join(", and "))) }
    }
}

/// Whether a certificate has signed itself.
fn is_own(leaf: &CertificateDer<'_>, is_signed_by: impl FnOnce(&RootCertStore) -> Result<(), Error>) -> bool {
    let mut roots = RootCertStore::empty();
    roots.add(leaf.clone().into_owned()).is_ok() && is_signed_by(&roots).is_ok()
}

/// The fingerprint of a certificate's key.
fn fingerprint(cert: &ParsedCertificate<'_>) -> Result<Fingerprint, Error> {
    let suite = aws_lc_rs::cipher_suite::TLS13_AES_128_GCM_SHA256.tls13();
    let digest = suite.map(|suite| suite.common.hash_provider.hash(&cert.subject_public_key_info()));
    let digest: Option<[u8; 32]> = digest.and_then(|digest| digest.as_ref().try_into().ok());
    digest.map(|digest| Fingerprint::of_digest(&digest)).ok_or_else(|| Error::General("no SHA-256".to_owned()))
}

impl ServerCertVerifier for Judge {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let cert = ParsedCertificate::try_from(end_entity)?;
        let key = fingerprint(&cert)?;
        let check = || self.check(&cert, end_entity, intermediates, server_name, now);
        match self.proof.judge(&self.place, key, check) {
            Ok(()) => Ok(ServerCertVerified::assertion()),
            Err(refusal) => {
                *self.refusal.lock().unwrap_or_else(PoisonError::into_inner) = Some(refusal);
                Err(CertificateError::ApplicationVerificationFailure.into())
            }
        }
    }

    // The server must prove that it has the key, also if the key alone is trusted.
    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

impl std::fmt::Debug for Judge {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Judge").field("place", &self.place).finish_non_exhaustive()
    }
}
