//! Explains why the server cannot listen at an address, and gives the next step.

use std::io::{self, ErrorKind};

use crate::net::settings::StartError;

/// The message for an address that the configuration names under a key.
pub(crate) fn explain(key: &str, place: &str, error: &io::Error) -> StartError {
    let what = format!("listen on {place}: {error}");
    if let Some((_, path)) = place.split_once("+unix:") {
        return explain_path(key, &what, path, error);
    }
    match (error.kind(), error.raw_os_error()) {
        (ErrorKind::AddrInUse, _) => {
            let port = place.rsplit(':').next().unwrap_or_default();
            StartError::InUse(format!(
                "{what}; stop the other server ('ss -anp | grep :{port}' shows which), or choose another port with \
                 `{key}`"
            ))
        }
        (ErrorKind::PermissionDenied, _) => StartError::Failed(format!(
            "{what}; ports below 1024 need a right that chatd does not need: choose another, or let systemd open it"
        )),
        (_, Some(libc::EAFNOSUPPORT)) => {
            StartError::Failed(format!("{what}: this machine has no such addresses; take it out of `{key}`"))
        }
        (_, Some(libc::ENODEV)) => {
            StartError::Failed(format!("{what}: no network interface has that number; 'ip link' lists them"))
        }
        (ErrorKind::AddrNotAvailable, _) => StartError::Failed(format!(
            "{what}; `{key}` must name an address of this machine, and 'ip address' lists them"
        )),
        _ => StartError::Failed(format!("{what}; choose another place with `{key}`")),
    }
}

/// The same for the path of a Unix socket.
fn explain_path(key: &str, what: &str, path: &str, error: &io::Error) -> StartError {
    let kind = error.kind();
    if kind == ErrorKind::AddrInUse {
        return StartError::InUse(format!(
            "{what}; stop the other server ('ss -xlp | grep {path}' shows which), or choose another path with `{key}`"
        ));
    }
    StartError::Config(if matches!(kind, ErrorKind::NotFound | ErrorKind::NotADirectory) {
        format!("{what}; make its folder, or choose another path with `{key}`")
    } else if matches!(kind, ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem) {
        format!("{what}; chatd must be able to write to its folder")
    } else {
        // The path with its folder is too long, or something else is there.
        format!("{what}; choose another path with `{key}`")
    })
}
