//! The operator's socket.

use std::io::{self, ErrorKind};

use log::{info, warn};
use mio::Registry;

use super::Listeners;
use super::listener::Listener;
use crate::limits::{Limits, SOCKET_PATH_BYTES};
use crate::net::settings::{OperatorSocket, StartError};

impl Listeners {
    /// Makes the operator's socket, with mode 0600, and listens there. A server whose configuration does not name it
    /// goes on without it.
    ///
    /// # Errors
    /// Another server answers there; or the configuration names it, and it cannot be made.
    pub(super) fn open_operator(
        &mut self,
        socket: &OperatorSocket,
        limits: &Limits,
        registry: &Registry,
    ) -> Result<(), StartError> {
        let path = socket.path.display();
        match self.try_open_operator(socket, limits, registry) {
            Ok(()) => {
                info!("operator socket {path}");
                Ok(())
            }
            Err(error) if error.kind() == ErrorKind::AddrInUse => Err(StartError::InUse(format!(
                "operator socket {path}: a server answers there; stop it, or choose another path with `operator.socket`"
            ))),
            Err(error) if socket.is_set => Err(StartError::Config(format!(
                "operator.socket: {path} cannot be made: {error}; choose another path, or \"\" for none"
            ))),
            Err(error) => {
                warn!("operator socket {path} cannot be made: {error}; going on without it");
                Ok(())
            }
        }
    }

    fn try_open_operator(&mut self, socket: &OperatorSocket, limits: &Limits, registry: &Registry) -> io::Result<()> {
        let bytes = socket.path.as_os_str().len();
        if bytes > SOCKET_PATH_BYTES {
            let what = format!("a socket's path has at most {SOCKET_PATH_BYTES} bytes, and this one has {bytes}");
            return Err(io::Error::new(ErrorKind::InvalidInput, what));
        }
        self.all.push(Listener::operator(&socket.path, self.all.len(), limits, registry)?);
        Ok(())
    }
}
