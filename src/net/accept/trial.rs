//! Checks the addresses of a configuration without listening.

use std::io;
use std::net::SocketAddr;

use socket2::{Domain, Socket, Type};

use super::explain::explain;
use crate::net::settings::{Endpoint, Site, StartError};
use crate::net::sys::unix;

/// The result of a check of all addresses.
#[derive(Debug, Default)]
pub struct Trial {
    /// Addresses that are in use now, most likely by this server.
    pub in_use: Vec<String>,
    /// Why this machine cannot listen at others, a complete message each.
    pub faults: Vec<String>,
}

/// Checks every address without listening, so that a running server is not affected.
pub fn try_places(listen: &[Endpoint], datagrams: Option<SocketAddr>) -> Trial {
    let mut trial = Trial::default();
    for endpoint in listen {
        match &endpoint.site {
            Site::Tcp(addr) => trial.add("listen", endpoint.to_string(), can_bind(*addr, Type::STREAM)),
            Site::Unix { path, .. } => trial.add("listen", endpoint.to_string(), unix::can_listen(path)),
        }
        if let Some(addr) = endpoint.datagrams() {
            trial.add("listen", format!("udp://{addr}"), can_bind(addr, Type::DGRAM));
        }
    }
    if let Some(addr) = datagrams {
        trial.add("datagrams", format!("udp://{addr}"), can_bind(addr, Type::DGRAM));
    }
    trial
}

impl Trial {
    fn add(&mut self, key: &str, place: String, tried: io::Result<()>) {
        let Err(error) = tried else { return };
        match explain(key, &place, &error) {
            // Several doors may share one datagram socket.
            StartError::InUse(_) if self.in_use.contains(&place) => {}
            StartError::InUse(_) => self.in_use.push(place),
            StartError::Config(what) | StartError::Failed(what) => self.faults.push(what),
        }
    }
}

/// Checks whether this process could have a socket of this type there. A TCP socket that does not listen affects
/// nobody, nor does a UDP socket that is closed at once.
fn can_bind(addr: SocketAddr, kind: Type) -> io::Result<()> {
    let socket = Socket::new(Domain::for_address(addr), kind, None)?;
    if addr.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    if kind == Type::STREAM {
        socket.set_reuse_address(true)?; // as the server does; over UDP it would let two programs share a port
    }
    socket.bind(&addr.into())
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, TcpListener, TcpStream, UdpSocket};

    use super::*;
    use crate::net::settings::Service;

    #[test]
    fn places_are_tried_without_listening() {
        let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap();
        let elsewhere = SocketAddr::from(([192, 0, 2, 1], 7));
        let listen = [taken.local_addr().unwrap(), free, elsewhere].map(Endpoint::line);
        let trial = try_places(&listen, Some(elsewhere));
        assert_eq!(trial.in_use, [format!("line://{}", taken.local_addr().unwrap())]);
        let [first, second] = trial.faults.as_slice() else { panic!("{trial:?}") };
        assert!(first.contains("line://192.0.2.1:7") && first.contains("`listen`"), "{first}");
        assert!(second.contains("udp://192.0.2.1:7") && second.contains("`datagrams`"), "{second}");
        assert!(TcpStream::connect(free).is_err(), "nobody listens there");
    }

    #[test]
    fn places_for_datagrams_are_tried_with_datagrams() {
        let rooms = |udp: u16| {
            let service = Service::Rooms { udp, status_ok: false, down_named: false };
            Endpoint { service, ..Endpoint::line(SocketAddr::from(([127, 0, 0, 1], 0))) }
        };
        let by_udp = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let taken = by_udp.local_addr().unwrap();
        for (listen, datagrams) in [(vec![rooms(taken.port())], None), (vec![], Some(taken))] {
            let trial = try_places(&listen, datagrams);
            assert_eq!(trial.in_use, [format!("udp://{taken}")]);
            assert!(trial.faults.is_empty(), "{trial:?}");
        }
        let both = try_places(&[rooms(taken.port()), rooms(taken.port())], Some(taken));
        assert_eq!(both.in_use, [format!("udp://{taken}")], "once");
        // The same port of the other protocol is free.
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let by_tcp = listener.local_addr().unwrap();
        let trial = try_places(&[rooms(by_tcp.port())], Some(by_tcp));
        assert!(trial.in_use.is_empty() && trial.faults.is_empty(), "{trial:?}");
        assert!(UdpSocket::bind(by_tcp).is_ok(), "the trial holds no socket");
    }
}
