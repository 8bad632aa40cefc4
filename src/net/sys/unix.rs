//! Unix sockets that listen at a path.

use std::fs::{self, Permissions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _};
use std::os::unix::net::SocketAddr;
use std::path::{Path, PathBuf};

use mio::net::{UnixListener, UnixStream};
use rustix::fs::{Access, Mode};
use rustix::process::umask;

use crate::place;

/// The file of a listening socket. It is removed when this is dropped, unless another socket has taken its place.
#[derive(Debug)]
pub(crate) struct SocketFile {
    path: PathBuf,
    device: u64,
    inode: u64,
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        let is_ours =
            fs::symlink_metadata(&self.path).is_ok_and(|about| (about.dev(), about.ino()) == (self.device, self.inode));
        if is_ours {
            // A file that cannot be removed is stale, and the next start replaces it.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Listens at a path. The file never has a wider mode than `mode`. A file of a socket at which no server answers is
/// replaced.
///
/// # Errors
/// [`ErrorKind::AddrInUse`] if a server answers there; [`ErrorKind::AlreadyExists`] if the path is another kind of file;
/// or as the system calls say.
pub(crate) fn listen(path: &Path, mode: u32) -> io::Result<(UnixListener, SocketFile)> {
    check_length(path)?;
    clear(path)?;
    // No other thread creates files with a wider mode than this meanwhile: those of the server are 0600.
    let before = umask(Mode::from_raw_mode(0o177));
    let bound = UnixListener::bind(path);
    umask(before);
    let listener = bound?;
    let about = fs::symlink_metadata(path)?;
    let file = SocketFile { path: path.to_owned(), device: about.dev(), inode: about.ino() };
    fs::set_permissions(path, Permissions::from_mode(mode))?;
    Ok((listener, file))
}

/// Checks whether [`listen`] would succeed, as far as that can be known without doing it.
///
/// # Errors
/// As for [`listen`].
pub(crate) fn can_listen(path: &Path) -> io::Result<()> {
    check_length(path)?;
    is_stale(path)?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    Ok(rustix::fs::access(folder, Access::WRITE_OK | Access::EXEC_OK)?)
}

/// # Errors
/// The path is longer than the kernel takes.
fn check_length(path: &Path) -> io::Result<()> {
    SocketAddr::from_pathname(path).map(|_| ())
}

/// Removes the file of a socket at which no server answers.
fn clear(path: &Path) -> io::Result<()> {
    if is_stale(path)? { fs::remove_file(path) } else { Ok(()) }
}

/// True if the file of a socket is there at which no server answers; false if nothing is there.
fn is_stale(path: &Path) -> io::Result<bool> {
    let about = match fs::symlink_metadata(path) {
        Ok(about) => about,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(error),
    };
    if !about.file_type().is_socket() {
        let what = format!("{} is there, and no socket", place::kind(about.file_type()));
        return Err(io::Error::new(ErrorKind::AlreadyExists, what));
    }
    // It does not wait: a server that is stopped, with a full queue, would keep it waiting.
    match UnixStream::connect(path) {
        Err(error) if error.kind() == ErrorKind::ConnectionRefused => Ok(true),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Ok(_) => Err(ErrorKind::AddrInUse.into()),
        Err(error) if error.kind() == ErrorKind::WouldBlock => Err(ErrorKind::AddrInUse.into()), // a full queue
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::thread;
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_server_that_accepts_nobody_is_a_server() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("line.sock");
        let listener = socket2::Socket::new(socket2::Domain::UNIX, socket2::Type::STREAM, None).unwrap();
        listener.bind(&socket2::SockAddr::unix(&path).unwrap()).unwrap();
        listener.listen(0).unwrap();
        let _waiting: Vec<_> = (0..4).map(|_| UnixStream::connect(&path)).collect();
        let (done, result) = mpsc::channel();
        thread::spawn(move || done.send(listen(&path, 0o600).map(|_| ()).map_err(|error| error.kind())));
        assert_eq!(result.recv_timeout(Duration::from_secs(5)), Ok(Err(ErrorKind::AddrInUse)));
    }
}
