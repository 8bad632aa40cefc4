//! What a certificate says: its names, its end, its key.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

use data_encoding::BASE64_NOPAD;
use sha2::{Digest as _, Sha256};
use x509_cert::der::{Decode as _, Encode as _};
use x509_cert::ext::pkix::SubjectAltName;
use x509_cert::ext::pkix::name::GeneralName;

use super::expiry::Life;

/// A certificate, as people look at it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// Its names: hosts and addresses, in its order.
    pub names: Vec<String>,
    /// When it is valid.
    pub life: Life,
    /// Its public key (SPKI), DER.
    pub public_key: Vec<u8>,
}

impl Certificate {
    /// Reads a certificate in DER.
    ///
    /// # Errors
    /// It is not a certificate.
    pub fn from_der(der: &[u8]) -> Result<Self, String> {
        let no = |error: x509_cert::der::Error| format!("is not a certificate: {error}");
        let certificate = x509_cert::Certificate::from_der(der).map_err(no)?;
        let content = certificate.tbs_certificate();
        let names = match content.get_extension::<SubjectAltName>() {
            Ok(Some((_, SubjectAltName(names)))) => names.iter().filter_map(shown).collect(),
            Ok(None) | Err(_) => Vec::new(),
        };
        let validity = content.validity();
        Ok(Self {
            names,
            life: Life {
                not_before: validity.not_before.to_unix_duration().as_secs(),
                not_after: validity.not_after.to_unix_duration().as_secs(),
            },
            public_key: content.subject_public_key_info().to_der().map_err(no)?,
        })
    }

    /// `SHA256:` and the digest of the public key in base64 without padding: what people compare, and what pins hold.
    pub fn fingerprint(&self) -> String {
        format!("SHA256:{}", BASE64_NOPAD.encode(&Sha256::digest(&self.public_key)))
    }
}

/// A name as text; `None` for names that no client of ours looks at.
fn shown(name: &GeneralName) -> Option<String> {
    if let GeneralName::DnsName(host) = name {
        return Some(host.to_string());
    }
    let GeneralName::IpAddress(address) = name else { return None };
    let bytes = address.as_bytes();
    let v4 = <[u8; 4]>::try_from(bytes).map(|bytes| Ipv4Addr::from(bytes).to_string());
    v4.or_else(|_| <[u8; 16]>::try_from(bytes).map(|bytes| Ipv6Addr::from(bytes).to_string())).ok()
}

impl fmt::Display for Certificate {
    /// Its names, separated by commas.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.names.join(", "))
    }
}
