//! The endpoints of a configuration, as the network layer takes them.

use crate::config::{self, Listen, Loaded};
use crate::net::{Endpoint, Entrance, Service, Site};

/// All endpoints, in the order of the configuration.
pub(super) fn of(loaded: &Loaded) -> Vec<Endpoint> {
    loaded.config.listen.iter().map(|listen| endpoint(listen, loaded)).collect()
}

fn endpoint(listen: &Listen, loaded: &Loaded) -> Endpoint {
    let site = match &listen.site {
        config::Site::Tcp(address) => Site::Tcp(address.socket()),
        config::Site::Unix { path, mode } => Site::Unix { path: loaded.resolve(path), mode: *mode },
    };
    let entrance = Entrance { takes_proxy: listen.takes_proxy, is_tls: listen.is_tls };
    Endpoint { site, optional: false, service: service(&listen.door), entrance }
}

fn service(door: &config::Door) -> Service {
    match door {
        config::Door::Line => Service::Line,
        config::Door::Rooms(config::Rooms { udp, status_ok, down_named }) => {
            Service::Rooms { udp: *udp, status_ok: *status_ok, down_named: *down_named }
        }
        config::Door::Relay(_) | config::Door::Metrics(_) => Service::Line,
    }
}
