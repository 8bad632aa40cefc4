//! Errors of TLS, for people.

use rustls::{AlertDescription, CertificateError, Error, PeerIncompatible};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use rustls::pki_types::UnixTime;

/// Why TLS has failed.
#[expect(clippy::wildcard_enum_match_arm, reason = "for most errors, people need no more than what rustls says")]
pub(super) fn failed(error: &Error) -> String {
    match error {
        Error::AlertReceived(AlertDescription::NoApplicationProtocol) => {
            "that port is for other programs, not for chat (TLS: no application protocol)".to_owned()
        }
        Error::AlertReceived(AlertDescription::ProtocolVersion)
        | Error::PeerIncompatible(
            PeerIncompatible::ServerDoesNotSupportTls12Or13 | PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig,
        ) => "the server speaks an old version of TLS; 1.2 is the oldest that is safe".to_owned(),
        Error::AlertReceived(alert) => format!("the server has ended TLS: {alert:?}"),
        other => format!("TLS failed: {other}"),
    }
}

/// What is wrong with a certificate, if only trust is lacking; `None` if it is damaged.
#[expect(clippy::wildcard_enum_match_arm, reason = "whatever else is wrong with it, no person can judge")]
pub(super) fn untrusted(error: &CertificateError) -> Option<String> {
    match error {
        // `BadSignature`: an issuer of that name is trusted, but has not signed it.
        CertificateError::UnknownIssuer | CertificateError::BadSignature => {
            Some("nobody whom this machine trusts has signed its certificate".to_owned())
        }
        CertificateError::ExpiredContext { not_after, .. } => {
            Some(format!("its certificate expired on {}", day(*not_after)))
        }
        CertificateError::Expired => Some("its certificate has expired".to_owned()),
        CertificateError::NotValidYetContext { not_before, .. } => {
            Some(format!("its certificate is valid from {} on; is the clock of this machine right?", day(*not_before)))
        }
        CertificateError::NotValidYet => Some("its certificate is not valid yet".to_owned()),
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
            Some("its certificate is not for a server".to_owned())
        }
        _ => None,
    }
}

/// The names of a certificate that is for another host.
pub(super) fn other_name(error: &Error, host: &str) -> String {
    let Error::InvalidCertificate(CertificateError::NotValidForNameContext { presented, .. }) = error else {
        return format!("its certificate is not for {host}");
    };
    // As rustls writes them: `DnsName("a.example")`.
    let names = presented.iter().filter_map(|name| name.split('"').nth(1).or_else(|| name.split(['(', ')']).nth(1)));
    let names: Vec<&str> = names.take(NAMES).collect();
    match (names.is_empty(), presented.len() > NAMES) {
        (true, _) => format!("its certificate is not for {host}"),
        (false, false) => format!("its certificate is for {}, not for {host}", names.join(", ")),
        (false, true) => format!("its certificate is for {}, …, not for {host}", names.join(", ")),
    }
}

/// How many names of a certificate are shown.
const NAMES: usize = 3;

fn day(time: UnixTime) -> String {
    let seconds = i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
    Timestamp::from_second(seconds).map_or_else(|_| "?".to_owned(), |at| at.to_zoned(TimeZone::UTC).date().to_string())
}
