//! `chatd cert …`: makes and shows certificates.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write as _};
use std::net::IpAddr;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use rcgen::{
    CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair, KeyUsagePurpose, SanType,
};
use time::{Duration, OffsetDateTime};

use super::{BAD_CONFIG, FAILED, USAGE, print, stop};
use crate::config::{CertOperation, Loaded, Made, Tls};
use crate::net::tls::{Certificate, Expiry, Identity, Paths, now_s};

/// Mode of a new key: for its owner alone.
const KEY_MODE: u32 = 0o600;
/// Mode of a new certificate, which everybody may read.
const CERT_MODE: u32 = 0o644;
/// The longest common name (RFC 5280, A.1).
const COMMON_NAME_BYTES: usize = 64;
/// Names that every certificate has, so that the server can be tried on its own machine.
const LOCAL_NAMES: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

/// The text for standard output; or the exit code and the line for standard error.
type Done = Result<String, (u8, String)>;

/// Runs one operation and prints its result.
pub(super) fn run(operation: &CertOperation, loaded: &Loaded) -> ExitCode {
    let done = match operation {
        CertOperation::Make(made) if made.renew => renew(made, loaded),
        CertOperation::Make(made) => make(made, loaded),
        CertOperation::Show(_) => show(loaded),
    };
    match done {
        Ok(text) => print(&text),
        Err((code, why)) => stop(code, &[why]),
    }
}

/// Where the pair of `[tls]` is, or would be made.
fn paths(loaded: &Loaded) -> Paths {
    let Tls { cert, key, .. } = &loaded.config.tls;
    let [cert_made, key_made] = Tls::MADE;
    let place =
        |path: &Path, made: &str| loaded.resolve(if path.as_os_str().is_empty() { Path::new(made) } else { path });
    Paths { cert: place(cert, cert_made), key: place(key, key_made) }
}

/// Makes a key and a certificate. Nothing is overwritten.
fn make(made: &Made, loaded: &Loaded) -> Done {
    let paths = paths(loaded);
    let failed = |why: String| (FAILED, why);
    let names = names(made.names.iter().chain(&local_names()))?;
    for path in [&paths.key, &paths.cert] {
        if fs::symlink_metadata(path).is_ok() {
            return Err(failed(exists(path)));
        }
    }
    let key = KeyPair::generate().map_err(|error| failed(format!("make a key: {error}")))?;
    let pem = sign(&key, &names, made.days).map_err(failed)?;
    write_new(&paths.key, KEY_MODE, &key.serialize_pem()).map_err(failed)?;
    if let Err(why) = write_new(&paths.cert, CERT_MODE, &pem) {
        // A key without a certificate would stop the next attempt.
        let _ = fs::remove_file(&paths.key);
        return Err(failed(why));
    }
    told(&paths, loaded)
}

/// Makes a new certificate for the old key, with the old names, and replaces the old certificate.
fn renew(made: &Made, loaded: &Loaded) -> Done {
    let paths = paths(loaded);
    let failed = |why: String| (FAILED, why);
    let key = Identity::read_key(&paths.key).map_err(|why| failed(mended_key(&why, &paths)))?;
    let key = KeyPair::try_from(key.as_slice())
        .map_err(|error| failed(format!("{}: cannot sign: {error}", paths.key.display())))?;
    let old = match fs::symlink_metadata(&paths.cert) {
        Err(error) if error.kind() == ErrorKind::NotFound => local_names(),
        Ok(_) | Err(_) => {
            let why = |why: String| failed(mended(&why, &paths.cert, loaded));
            Identity::read_certificate(&paths.cert).map_err(why)?.names
        }
    };
    let pem = sign(&key, &names(old.iter().chain(&made.names))?, made.days).map_err(failed)?;
    let mut draft = paths.cert.clone().into_os_string();
    draft.push(".new");
    let draft = PathBuf::from(draft);
    // What an interrupted attempt has left.
    let _ = fs::remove_file(&draft);
    write_new(&draft, CERT_MODE, &pem).map_err(failed)?;
    fs::rename(&draft, &paths.cert)
        .map_err(|error| failed(format!("{}: cannot be replaced: {error}", paths.cert.display())))?;
    told(&paths, loaded)
}

/// Shows the certificates of the configuration.
fn show(loaded: &Loaded) -> Done {
    let mut text = String::new();
    let files = files(loaded);
    if files.is_empty() {
        return Err((FAILED, format!("there is no certificate; '{}' makes one", loaded.cert_make())));
    }
    for file in files {
        let why = |why: String| (BAD_CONFIG, mended(&why, &file, loaded));
        let certificate = Identity::read_certificate(&file).map_err(why)?;
        text.push_str(&shown(&file, &certificate));
    }
    Ok(text)
}

/// What is wrong with a certificate, and the next step: one that is there is not overwritten.
fn mended(why: &str, cert: &Path, loaded: &Loaded) -> String {
    let make = loaded.cert_make();
    if fs::symlink_metadata(cert).is_ok() {
        format!("{why}; put the right file there, or remove it and run '{make} --renew'")
    } else {
        format!("{why}; '{make}' makes one")
    }
}

/// The same for the key of a renewal.
fn mended_key(why: &str, paths: &Paths) -> String {
    let Paths { cert, key } = paths;
    let there = [key, cert].into_iter().filter(|path| fs::symlink_metadata(path).is_ok());
    let there: Vec<String> = there.map(|path| path.display().to_string()).collect();
    if there.is_empty() {
        format!("{why}; without --renew a key is made")
    } else {
        format!("{why}; for a new key, remove {} and leave out --renew", there.join(" and "))
    }
}

/// The certificates of the configuration, each once: that of `[tls]`, or the one that was made for it, and those of
/// endpoints.
fn files(loaded: &Loaded) -> Vec<PathBuf> {
    let common = paths(loaded).cert;
    let is_there = !loaded.config.tls.cert.as_os_str().is_empty() || fs::symlink_metadata(&common).is_ok();
    let mut files: Vec<PathBuf> = is_there.then_some(common).into_iter().collect();
    for pair in loaded.config.listen.iter().filter_map(|listen| listen.pair.as_ref()) {
        let file = loaded.resolve(&pair.cert);
        if !files.contains(&file) {
            files.push(file);
        }
    }
    files
}

/// What people look at: file, names, end, and the digest of the public key.
fn shown(file: &Path, certificate: &Certificate) -> String {
    let end = Expiry::seen_now(certificate.life);
    let fingerprint = certificate.fingerprint();
    format!("{}\nnames: {certificate}\n{end}\n{fingerprint}\n", file.display())
}

/// What was made, and the next step.
fn told(paths: &Paths, loaded: &Loaded) -> Done {
    let certificate = Identity::read_certificate(&paths.cert).map_err(|why| (FAILED, why))?;
    let mut text = shown(&paths.cert, &certificate);
    if loaded.config.tls.cert.as_os_str().is_empty() {
        let [cert, key] = Tls::MADE;
        text.push_str(&format!("now set in the configuration: [tls] cert = {cert:?}, key = {key:?}\n"));
    } else {
        text.push_str("a running server takes it at HUP, or by 'chatd ctl reload'\n");
    }
    Ok(text)
}

/// A certificate in PEM that the key signs for itself.
fn sign(key: &KeyPair, names: &[String], days: u32) -> Result<String, String> {
    let cannot = |error: rcgen::Error| format!("make a certificate: {error}");
    let mut params = CertificateParams::default();
    for name in names {
        params.subject_alt_names.push(match name.parse::<IpAddr>() {
            Ok(address) => SanType::IpAddress(address),
            Err(_) => SanType::DnsName(name.as_str().try_into().map_err(cannot)?),
        });
    }
    params.distinguished_name = DistinguishedName::new();
    if let Some(name) = names.iter().find(|name| name.len() <= COMMON_NAME_BYTES) {
        params.distinguished_name.push(DnType::CommonName, name.as_str());
    }
    params.is_ca = IsCa::ExplicitNoCa;
    params.use_authority_key_identifier_extension = true; // strict clients want it
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let now = OffsetDateTime::from_unix_timestamp(i64::try_from(now_s()).unwrap_or_default());
    let now = now.unwrap_or(OffsetDateTime::UNIX_EPOCH);
    params.not_before = now - Duration::hours(1); // clocks of clients differ
    params.not_after = params.not_before + Duration::days(i64::from(days)); // some clients bound the whole life
    params.self_signed(key).map(|certificate| certificate.pem()).map_err(cannot)
}

/// The names of a certificate, each once.
fn names<'a>(asked: impl Iterator<Item = &'a String>) -> Result<Vec<String>, (u8, String)> {
    let mut names: Vec<String> = Vec::new();
    for name in asked {
        let Some(name) = host(name) else {
            let form = "a host name in ASCII (xn--… for other letters) or an IP address";
            return Err((USAGE, format!("--name {name:?}: must be {form}")));
        };
        if !names.contains(&name) {
            names.push(name);
        }
    }
    Ok(names)
}

/// A host name, in lower case, or an address; `None` if it is neither.
fn host(name: &str) -> Option<String> {
    if let Ok(address) = name.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>() {
        return Some(address.to_string());
    }
    let is_label = |label: &str| {
        !label.is_empty() && label.len() <= 63 && label.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b))
    };
    let plain = name.strip_prefix("*.").unwrap_or(name);
    (plain.len() <= 253 && plain.split('.').all(is_label)).then(|| name.to_ascii_lowercase())
}

/// The names that every certificate has: this machine's, if that is a host name, and [`LOCAL_NAMES`].
fn local_names() -> Vec<String> {
    let name = rustix::system::uname().nodename().to_str().ok().and_then(host);
    name.into_iter().chain(LOCAL_NAMES.map(str::to_owned)).collect()
}

/// Writes a file that must not exist yet, and makes sure that it is on disk.
fn write_new(path: &Path, mode: u32, text: &str) -> Result<(), String> {
    let cannot = |error: io::Error| {
        if error.kind() == ErrorKind::AlreadyExists {
            return exists(path);
        }
        format!("{}: cannot be written: {error}", path.display())
    };
    let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path).map_err(cannot)?;
    let written = file.write_all(text.as_bytes()).and_then(|()| file.sync_all());
    written.map_err(|error| {
        let _ = fs::remove_file(path);
        cannot(error)
    })?;
    // The file's name is on disk when its folder is. Not every file system can say so.
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let _ = File::open(folder).and_then(|folder| folder.sync_all());
    Ok(())
}

fn exists(path: &Path) -> String {
    format!("{}: exists, and nothing is overwritten; --renew makes a new certificate for the old key", path.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts() {
        #[track_caller]
        fn check(name: &str, expected: Option<&str>) {
            assert_eq!(host(name).as_deref(), expected, "{name}");
        }
        check("chat.example.org", Some("chat.example.org"));
        check("Chat", Some("chat"));
        check("*.example.org", Some("*.example.org"));
        check("192.0.2.1", Some("192.0.2.1"));
        check("[2001:DB8::1]", Some("2001:db8::1"));
        check("", None);
        check("a..b", None);
        check("a b", None);
        check("bücher.example", None);
        check("https://chat.example.org", None);
        check("chat.example.org:5015", None);
        check("*", None);
    }

    #[test]
    fn names_are_given_once() {
        let text = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let named = names(text(&["A.example", "a.example", "::1", "localhost"]).iter()).unwrap();
        assert_eq!(named, ["a.example", "::1", "localhost"]);
        assert!(names(text(&["a/b"]).iter()).is_err_and(|(code, _)| code == USAGE));
        assert!(local_names().ends_with(&text(&["localhost", "127.0.0.1", "::1"])));
    }
}
