//! The token of a metrics listener: a file with one line, which nobody else can read.

use std::fs::OpenOptions;
use std::io::Read as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use zeroize::Zeroizing;

use super::sys::private::{ALL, Owner, Reader};
use crate::limits::{METRICS_TOKEN_BYTES, METRICS_TOKEN_BYTES_MOST};
use crate::secret::Secret;

/// Reads a token. Never blocks.
///
/// # Errors
/// What is wrong with the file, and the command that mends it.
pub fn read_token(path: &Path) -> Result<Secret<Vec<u8>>, String> {
    let shown = path.display();
    let cannot = |why: &dyn std::fmt::Display| {
        format!("{shown}: cannot be read: {why}; 'openssl rand -hex 32 > {shown}' makes a token, after 'umask 077'")
    };
    let mut options = OpenOptions::new();
    let file = options.read(true).custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY).open(path);
    let file = file.map_err(|error| cannot(&error))?;
    let about = file.metadata().map_err(|error| cannot(&error))?;
    if !about.is_file() {
        return Err(cannot(&"it is not a regular file"));
    }
    if let Some(mend) = Owner::of(&about).mend(&Reader::ours(), ALL, path) {
        return Err(format!("{shown}: others can read this token; '{mend}' keeps them out"));
    }
    let mut bytes = Zeroizing::new(Vec::with_capacity(METRICS_TOKEN_BYTES_MOST + 3));
    file.take(METRICS_TOKEN_BYTES_MOST as u64 + 3).read_to_end(&mut bytes).map_err(|error| cannot(&error))?;
    let token = line_of(&bytes).map_err(|why| format!("{shown}: {why}"))?;
    Ok(Secret::new(token.to_vec()))
}

/// The one line of a token file.
fn line_of(bytes: &[u8]) -> Result<&[u8], String> {
    let line = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    if !line.iter().all(u8::is_ascii_graphic) {
        return Err("must be one line of letters, digits and signs, without spaces".to_owned());
    }
    if !(METRICS_TOKEN_BYTES..=METRICS_TOKEN_BYTES_MOST).contains(&line.len()) {
        return Err(format!(
            "must be one line of {METRICS_TOKEN_BYTES} to {METRICS_TOKEN_BYTES_MOST} bytes, such as 'openssl rand -hex \
             32' prints"
        ));
    }
    Ok(line)
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn one_line_of_enough_bytes() {
        let good = "0123456789abcdef";
        for text in [good.to_owned(), format!("{good}\n"), format!("{good}\r\n")] {
            assert_eq!(line_of(text.as_bytes()), Ok(good.as_bytes()), "{text:?}");
        }
        assert!(line_of("x".repeat(METRICS_TOKEN_BYTES_MOST).as_bytes()).is_ok());
        let long = "x".repeat(METRICS_TOKEN_BYTES_MOST + 1);
        for text in
            ["", "\n", "0123456789abcde", &format!("{good}\n{good}\n"), &format!("{good} "), "0123456789abcdé", &long]
        {
            assert!(line_of(text.as_bytes()).is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_file_is_read_and_a_folder_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        fs::write(&path, "0123456789abcdef\n").unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
        assert_eq!(read_token(&path).unwrap().as_bytes(), b"0123456789abcdef");
        fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
        assert!(read_token(&path).unwrap_err().contains("'chmod o= "));
        assert!(read_token(folder.path()).unwrap_err().contains("not a regular file"));
        assert!(read_token(&folder.path().join("none")).unwrap_err().contains("No such file"));
    }
}
