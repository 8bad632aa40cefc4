//! What is trusted: pins, certificates of the system and of a file, and keys that a person has accepted.

use std::collections::HashMap;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::sync::{Mutex, OnceLock, PoisonError};

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

use crate::action::Doubt;
use crate::args::Trust;
use crate::fingerprint::Fingerprint;

/// The size of a file with certificates; the system's has some 200 KiB.
const CA_BYTES: u64 = 4 * 1024 * 1024;

/// What a server can be proven by. It outlives all connections of a run.
pub(crate) struct Proof {
    pins: Vec<Fingerprint>,
    /// The certificates of `--ca`.
    listed: Vec<CertificateDer<'static>>,
    /// Those, and the system's, once a certificate has to be checked.
    roots: OnceLock<RootCertStore>,
    /// Finds the kept key of the server at a place.
    kept: Kept,
    /// Accepted keys that could not be kept, by the server's place.
    accepted: Mutex<HashMap<String, Fingerprint>>,
}

/// Finds the key that a person has accepted for the server at a place (`host:port`), or says why that is not possible.
pub(crate) type Kept = fn(&str) -> Result<Option<Fingerprint>, String>;

/// What is wrong with a certificate.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Flaw {
    /// Only trust is lacking: a person who knows the key may accept it.
    Untrusted(String),
    /// It is damaged or revoked, and nobody is asked.
    Unsound(String),
}

/// Why a server is not proven.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// Its key decides, and is unknown or wrong.
    Doubt(Doubt),
    /// It cannot be proven, and why.
    Failed(String),
}

impl Proof {
    /// Reads what is given. `kept` finds accepted keys, anew for each connection: one may have been forgotten since.
    ///
    /// # Errors
    ///
    /// The file of `--ca` cannot be used, and why.
    pub(crate) fn new(trust: &Trust, kept: Kept) -> Result<Self, String> {
        let listed = trust.ca.as_deref().map(read_certificates).transpose()?.unwrap_or_default();
        let (pins, roots, accepted) = (trust.pins.clone(), OnceLock::new(), Mutex::default());
        Ok(Self { pins, listed, roots, kept, accepted })
    }

    /// Trusts the server at this place in this run if it has this key, which could not be kept.
    pub(crate) fn accept(&self, place: &str, key: Fingerprint) {
        self.accepted.lock().unwrap_or_else(PoisonError::into_inner).insert(place.to_owned(), key);
    }

    /// Whether the server at this place is proven by its key and its certificate. `check` checks the certificate, if
    /// that matters.
    pub(super) fn judge(
        &self,
        place: &str,
        key: Fingerprint,
        check: impl FnOnce() -> Result<(), Flaw>,
    ) -> Result<(), Refusal> {
        if !self.pins.is_empty() {
            return if self.pins.contains(&key) { Ok(()) } else { Err(Refusal::Doubt(Doubt::NotPinned { key })) };
        }
        match check() {
            Ok(()) => Ok(()),
            Err(Flaw::Unsound(why)) => Err(Refusal::Failed(why)),
            Err(Flaw::Untrusted(why)) => match self.known(place).map_err(Refusal::Failed)? {
                Some(known) if known == key => Ok(()),
                Some(known) => Err(Refusal::Doubt(Doubt::Changed { key, known, place: place.to_owned() })),
                None => Err(Refusal::Doubt(Doubt::Unknown { key, why })),
            },
        }
    }

    fn known(&self, place: &str) -> Result<Option<Fingerprint>, String> {
        let accepted = || self.accepted.lock().unwrap_or_else(PoisonError::into_inner).get(place).cloned();
        Ok((self.kept)(place)?.or_else(accepted))
    }

    /// The certificates of `--ca`.
    pub(super) fn listed(&self) -> &[CertificateDer<'static>] {
        &self.listed
    }

    /// All certificates that are trusted to vouch for others.
    pub(super) fn roots(&self) -> &RootCertStore {
        self.roots.get_or_init(|| {
            let mut roots = RootCertStore::empty();
            // A certificate that cannot be read vouches for nobody. The rest may be enough.
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            roots.add_parsable_certificates(self.listed.iter().cloned());
            roots
        })
    }
}

fn read_certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let failed = |why: String| format!("--ca {}: {why}", path.display());
    let mut text = Vec::new();
    let read = File::open(path).and_then(|file| file.take(CA_BYTES).read_to_end(&mut text));
    read.map_err(|error| failed(error.to_string()))?;
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
    match found {
        Ok(found) if found.is_empty() => Err(failed("no certificate is in it; it takes PEM".to_owned())),
        Ok(found) => Ok(found),
        Err(error) => Err(failed(format!("not PEM: {error}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(byte: u8) -> Fingerprint {
        Fingerprint::of_digest(&[byte; 32])
    }

    fn untrusted() -> Result<(), Flaw> {
        Err(Flaw::Untrusted("self-signed".to_owned()))
    }

    #[test]
    fn a_pin_counts_alone() {
        let trust = Trust { ca: None, pins: vec![key(1), key(2)] };
        let proof = Proof::new(&trust, |_| Err("nothing is read".to_owned())).unwrap();
        for check in [untrusted as fn() -> Result<(), Flaw>, || Ok(()), || Err(Flaw::Unsound("bad".to_owned()))] {
            assert_eq!(proof.judge("a:1", key(2), check), Ok(()));
            assert_eq!(proof.judge("a:1", key(3), check), Err(Refusal::Doubt(Doubt::NotPinned { key: key(3) })));
        }
    }

    #[test]
    fn an_accepted_key_counts_where_trust_alone_is_lacking() {
        let proof = Proof::new(&Trust::default(), |_| Ok(None)).unwrap();
        let unknown = Refusal::Doubt(Doubt::Unknown { key: key(1), why: "self-signed".to_owned() });
        assert_eq!(proof.judge("a:1", key(1), untrusted), Err(unknown));
        proof.accept("a:1", key(1));
        assert_eq!(proof.judge("a:1", key(1), untrusted), Ok(()));
        let changed = Doubt::Changed { key: key(2), known: key(1), place: "a:1".to_owned() };
        assert_eq!(proof.judge("a:1", key(2), untrusted), Err(Refusal::Doubt(changed)));
        assert!(proof.judge("a:2", key(1), untrusted).is_err(), "another port is another server");
        let unsound = Err(Refusal::Failed("bad".to_owned()));
        assert_eq!(proof.judge("a:1", key(1), || Err(Flaw::Unsound("bad".to_owned()))), unsound);
        // A valid certificate needs no accepted key.
        assert_eq!(proof.judge("a:1", key(9), || Ok(())), Ok(()));
    }

    #[test]
    fn kept_keys_that_cannot_be_read_are_not_taken_for_none() {
        let proof = Proof::new(&Trust::default(), |_| Err("open to others".to_owned())).unwrap();
        assert_eq!(proof.judge("a:1", key(1), untrusted), Err(Refusal::Failed("open to others".to_owned())));
    }
}
