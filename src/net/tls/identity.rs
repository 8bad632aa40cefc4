//! A certificate with its key, as read from two files.

use std::fmt;
use std::fs::OpenOptions;
use std::io::{ErrorKind, Read as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::process::geteuid;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use rustls::{Error, InconsistentKeys, SignatureAlgorithm};
use zeroize::Zeroizing;

use super::certificate::Certificate;
use super::expiry::Life;
use crate::limits::{TLS_FILE_BYTES, TlsVersion};
use crate::net::sys::private::{Owner, READ, Reader};

/// The files of a pair.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paths {
    /// The certificate, and those of its issuers behind it. PEM.
    pub cert: PathBuf,
    /// The private key. PEM, not encrypted.
    pub key: PathBuf,
}

/// A certificate and its key.
#[derive(Clone)]
pub struct Identity {
    certified: Arc<CertifiedKey>,
    certificate: Certificate,
}

/// What a listener presents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credentials {
    /// Its certificate and key.
    pub identity: Identity,
    /// The oldest version that it speaks.
    pub min_version: TlsVersion,
}

impl Credentials {
    /// When the certificate is valid.
    pub fn life(&self) -> Life {
        self.identity.certificate.life
    }

    /// The hosts and addresses that the certificate names.
    pub fn names(&self) -> &[String] {
        &self.identity.certificate.names
    }
}

impl Identity {
    /// Reads a pair and checks that it fits together, and that nobody else can read the key. Never blocks.
    ///
    /// # Errors
    /// What is wrong, with the file and the command that mends it. `make` is the command that makes a pair.
    pub fn read(paths: &Paths, make: &str) -> Result<Self, String> {
        let Paths { cert, key } = paths;
        // A file that is there is never overwritten.
        let chain = read_chain(cert).map_err(|why| {
            if cert.symlink_metadata().is_ok() { why } else { format!("{why}; '{make}' makes a pair") }
        })?;
        let Some(leaf) = chain.first() else {
            let next = format!("put the right file there, or remove it and run '{make} --renew'");
            return Err(format!("{}: has no certificate in PEM; {next}", cert.display()));
        };
        let certificate = Certificate::from_der(leaf).map_err(|why| format!("{}: {why}", cert.display()))?;
        let private = read_key(key)?;
        let provider = aws_lc_rs::default_provider();
        match CertifiedKey::from_der(chain, private, &provider) {
            Ok(certified) => Ok(Self { certified: Arc::new(certified), certificate }),
            Err(Error::InconsistentKeys(InconsistentKeys::KeyMismatch)) => Err(format!(
                "{}: is not the key of the first certificate in {}; put the server's own certificate first, or make a \
                 new one for this key: '{make} --renew'",
                key.display(),
                cert.display()
            )),
            Err(error) => Err(format!("{} and {}: cannot be used: {error}", cert.display(), key.display())),
        }
    }

    /// Reads the first certificate of a file, whatever its key.
    ///
    /// # Errors
    /// What is wrong with the file.
    pub fn read_certificate(path: &Path) -> Result<Certificate, String> {
        let chain = read_chain(path)?;
        let leaf = chain.first().ok_or_else(|| format!("{}: has no certificate in PEM", path.display()))?;
        Certificate::from_der(leaf).map_err(|why| format!("{}: {why}", path.display()))
    }

    /// Reads a private key, as DER.
    ///
    /// # Errors
    /// What is wrong with the file, and the command that mends it.
    pub fn read_key(path: &Path) -> Result<Zeroizing<Vec<u8>>, String> {
        Ok(Zeroizing::new(read_key(path)?.secret_der().to_vec()))
    }

    /// What the certificate says.
    pub fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    /// The certificate and key for rustls.
    pub(super) fn certified(&self) -> &Arc<CertifiedKey> {
        &self.certified
    }

    /// True for an RSA key, whose signatures take longer.
    pub(super) fn is_rsa(&self) -> bool {
        self.certified.key.algorithm() == SignatureAlgorithm::RSA
    }
}

impl fmt::Debug for Identity {
    /// Without the key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Identity({})", self.certificate.fingerprint())
    }
}

impl PartialEq for Identity {
    /// True for the same certificate, whose key is then the same.
    fn eq(&self, other: &Self) -> bool {
        self.certified.cert == other.certified.cert
    }
}

impl Eq for Identity {}

/// The certificates of a file.
fn read_chain(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let (text, _) = read(path)?;
    CertificateDer::pem_slice_iter(&text)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| format!("{}: is not PEM: {error}", path.display()))
}

fn read_key(path: &Path) -> Result<PrivateKeyDer<'static>, String> {
    let (text, owner) = read(path)?;
    if let Some(mend) = owner.mend(&Reader::ours(), READ, path) {
        return Err(format!("{}: others can read this key; '{mend}' keeps them out", path.display()));
    }
    PrivateKeyDer::from_pem_slice(&text).map_err(|error| {
        let shown = path.display();
        if text.windows(ENCRYPTED.len()).any(|window| window == ENCRYPTED) {
            return format!("{shown}: the key is encrypted; 'openssl pkey -in {shown} -out NEW' writes it without");
        }
        format!("{shown}: has no private key in PEM: {error}")
    })
}

/// What the PEM of an encrypted key contains.
const ENCRYPTED: &[u8] = b"ENCRYPTED";

/// The bytes of a file and who can read it. Waits for nothing, since a reload reads in the loop.
fn read(path: &Path) -> Result<(Zeroizing<Vec<u8>>, Owner), String> {
    let cannot = |why: &dyn fmt::Display| format!("{}: cannot be read: {why}", path.display());
    let mut options = OpenOptions::new();
    let file = options.read(true).custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY).open(path);
    let file = file.map_err(|error| {
        if error.kind() == ErrorKind::PermissionDenied {
            let user = geteuid().as_raw();
            cannot(&format_args!("{error}; chatd runs as user {user}: 'chown {user} {}'", path.display()))
        } else {
            cannot(&error)
        }
    })?;
    let about = file.metadata().map_err(|error| cannot(&error))?;
    if !about.is_file() {
        return Err(cannot(&"it is not a regular file"));
    }
    let mut bytes = Zeroizing::new(Vec::with_capacity(about.len().min(TLS_FILE_BYTES) as usize + 1));
    file.take(TLS_FILE_BYTES + 1).read_to_end(&mut bytes).map_err(|error| cannot(&error))?;
    if bytes.len() as u64 > TLS_FILE_BYTES {
        return Err(cannot(&format_args!("it is longer than {TLS_FILE_BYTES} bytes")));
    }
    Ok((bytes, Owner::of(&about)))
}
