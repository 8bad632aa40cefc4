//! Sockets that the service manager has opened and passed (sd_listen_fds(3)). The addresses of the configuration decide
//! what each is for; their names and their order mean nothing.

use std::fs;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::path::Path;

use log::warn;
use socket2::{SockAddr, Socket, Type};

use crate::net::sys::passed;

/// Passed sockets that nothing has taken yet.
#[derive(Debug, Default)]
pub struct Passed {
    sockets: Vec<Socket>,
    /// Why what was passed cannot be used.
    fault: Option<String>,
}

/// What a socket is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Use {
    Connections,
    Datagrams,
}

impl Passed {
    /// The sockets that were passed to this process. To be called first of all in the program: before it starts a thread,
    /// and before it opens a file.
    pub fn from_environment() -> Self {
        match passed::take() {
            Ok(descriptors) => Self::new(descriptors),
            Err(fault) => Self { sockets: Vec::new(), fault: Some(fault) },
        }
    }

    fn new(descriptors: Vec<OwnedFd>) -> Self {
        Self { sockets: descriptors.into_iter().map(Socket::from).collect(), fault: None }
    }

    /// The passed socket that listens for connections at an address.
    pub(in crate::net) fn take_listener(&mut self, addr: SocketAddr) -> Option<Socket> {
        self.take(Use::Connections, |local| local.as_socket() == Some(addr))
    }

    /// The passed socket that listens for connections at a path.
    pub(in crate::net) fn take_unix_listener(&mut self, path: &Path) -> Option<Socket> {
        self.take(Use::Connections, |local| local.as_pathname().is_some_and(|local| is_one_path(local, path)))
    }

    /// The passed socket for datagrams at an address.
    pub(in crate::net) fn take_datagrams(&mut self, addr: SocketAddr) -> Option<Socket> {
        self.take(Use::Datagrams, |local| local.as_socket() == Some(addr))
    }

    fn take(&mut self, what: Use, is_there: impl Fn(&SockAddr) -> bool) -> Option<Socket> {
        let fits =
            |socket: &Socket| use_of(socket) == Some(what) && socket.local_addr().is_ok_and(|local| is_there(&local));
        let place = self.sockets.iter().position(fits)?;
        Some(self.sockets.swap_remove(place))
    }

    /// Closes the sockets that the configuration does not list.
    pub(in crate::net) fn close_rest(self) {
        if let Some(fault) = self.fault {
            warn!("sockets that the service manager has passed cannot be used: {fault}");
        }
        for socket in self.sockets {
            warn!(
                "the service manager has passed {}, which the configuration does not list: closed",
                described(&socket)
            );
        }
    }
}

/// Whether two paths are those of one file.
fn is_one_path(one: &Path, other: &Path) -> bool {
    let real = |path: &Path| fs::canonicalize(path).ok();
    one == other || real(one).is_some_and(|one| real(other) == Some(one))
}

/// What a socket is for; `None` for one of another kind, such as a connection.
fn use_of(socket: &Socket) -> Option<Use> {
    match socket.r#type().ok()? {
        Type::STREAM => socket.is_listener().ok()?.then_some(Use::Connections),
        Type::DGRAM => Some(Use::Datagrams),
        _ => None,
    }
}

fn described(socket: &Socket) -> String {
    let Ok(local) = socket.local_addr() else { return "a descriptor that is no socket".to_owned() };
    let kind = match (use_of(socket), local.as_socket().is_some()) {
        (Some(Use::Connections), true) => "tcp://",
        (Some(Use::Connections), false) => "unix:",
        (Some(Use::Datagrams), _) => "udp://",
        (None, _) => "another socket at ",
    };
    let place = local.as_socket().map(|addr| addr.to_string());
    let place = place.or_else(|| local.as_pathname().map(|path| path.display().to_string()));
    format!("{kind}{}", place.unwrap_or_else(|| "an address without a name".to_owned()))
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream, UdpSocket};
    use std::os::unix::net::UnixListener;

    use super::*;

    #[test]
    fn sockets_are_taken_by_their_addresses() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("line.sock");
        let (tcp, unix) = (TcpListener::bind("127.0.0.1:0").unwrap(), UnixListener::bind(&path).unwrap());
        let (udp, other) = (UdpSocket::bind("127.0.0.1:0").unwrap(), TcpListener::bind("127.0.0.1:0").unwrap());
        let (at, udp_at) = (tcp.local_addr().unwrap(), udp.local_addr().unwrap());
        let stream = TcpStream::connect(at).unwrap();
        let stream_at = stream.local_addr().unwrap();
        let mut passed = Passed::new(vec![stream.into(), other.into(), udp.into(), unix.into(), tcp.into()]);
        assert!(passed.take_datagrams(at).is_none(), "a listener for connections");
        assert!(passed.take_listener(udp_at).is_none(), "a socket for datagrams");
        assert!(passed.take_listener(stream_at).is_none(), "a connection");
        assert!(passed.take_listener(at).is_some());
        assert!(passed.take_listener(at).is_none(), "it is taken");
        assert!(passed.take_datagrams(udp_at).is_some());
        assert!(passed.take_unix_listener(&path.with_extension("other")).is_none());
        assert!(passed.take_unix_listener(&path).is_some());
        assert_eq!(passed.sockets.len(), 2);
        passed.close_rest();
    }
}
