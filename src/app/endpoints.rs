//! The endpoints of a configuration, as the network layer takes them.

use crate::config::{self, Listen, Loaded};
use crate::net::tls::Credentials;
use crate::net::{self, Endpoint, Entrance, IrcOptions, RelayOptions, Service, Site};
use crate::secret::Secret;

/// The token of a metrics listener.
type Token = Secret<Vec<u8>>;
/// Credentials and tokens, in the order of the endpoints.
type Renewed = (Vec<Option<Credentials>>, Vec<Option<Token>>);

/// All endpoints, in the order of the configuration, and what is wrong with their certificates and tokens. An endpoint
/// whose certificate or token cannot be used has none.
pub(super) fn of(loaded: &Loaded) -> (Vec<Endpoint>, Vec<String>) {
    let mut faults: Vec<String> = Vec::new();
    let mut endpoints = Vec::new();
    for listen in &loaded.config.listen {
        let credentials = credentials(listen, loaded).unwrap_or_else(|why| {
            if !faults.contains(&why) {
                faults.push(why);
            }
            None
        });
        let token = token(listen, loaded).unwrap_or_else(|why| {
            faults.push(why);
            None
        });
        endpoints.push(endpoint(listen, loaded, credentials, token));
    }
    (endpoints, faults)
}

/// What the endpoints of the start present, and the tokens that they ask for, by a configuration that was read since.
/// `None` for what stays as it is.
///
/// # Errors
/// What is wrong with the certificates and tokens: a start would say the same.
pub(super) fn renewed(started: &[Listen], loaded: &Loaded) -> Result<Renewed, Vec<String>> {
    let (endpoints, faults) = of(loaded);
    if !faults.is_empty() {
        return Err(faults);
    }
    let listed = &loaded.config.listen;
    let renewed = started.iter().map(|listen| {
        match listed.iter().zip(&endpoints).find(|(now, _)| now.is_same_place(listen)) {
            Some((_, endpoint)) => (endpoint.credentials.clone(), endpoint.token.clone()),
            // It is no longer listed, and open until the restart.
            None => (credentials(listen, loaded).unwrap_or_default(), token(listen, loaded).unwrap_or_default()),
        }
    });
    Ok(renewed.unzip())
}

/// What an endpoint presents by TLS.
#[cfg(feature = "tls")]
fn credentials(listen: &Listen, loaded: &Loaded) -> Result<Option<Credentials>, String> {
    use crate::net::tls::{Identity, Paths};

    if !listen.is_tls {
        return Ok(None);
    }
    let (make, tls) = (loaded.cert_make(), &loaded.config.tls);
    let (key, cert, key_file) = match &listen.pair {
        Some(pair) => ("listen", &pair.cert, &pair.key),
        None => ("tls", &tls.cert, &tls.key),
    };
    if cert.as_os_str().is_empty() || key_file.as_os_str().is_empty() {
        return Err(format!(
            "tls.cert: {listen} needs a certificate; '{make}' makes one, and tls.cert and tls.key must name it"
        ));
    }
    let paths = Paths { cert: loaded.resolve(cert), key: loaded.resolve(key_file) };
    let identity = Identity::read(&paths, &make).map_err(|why| format!("{key}: {why}"))?;
    Ok(Some(Credentials { identity, min_version: tls.min_version }))
}

/// Without the feature there is nothing to present.
#[cfg(not(feature = "tls"))]
fn credentials(listen: &Listen, _: &Loaded) -> Result<Option<Credentials>, String> {
    if listen.is_tls { Err(format!("listen: {listen}: {}", super::NO_TLS)) } else { Ok(None) }
}

/// The token that the requests of an endpoint must have.
fn token(listen: &Listen, loaded: &Loaded) -> Result<Option<Token>, String> {
    let config::Door::Metrics(config::Metrics { token_file: Some(path) }) = &listen.door else { return Ok(None) };
    net::read_token(&loaded.resolve(path)).map(Some).map_err(|why| format!("listen: {why}"))
}

fn endpoint(listen: &Listen, loaded: &Loaded, credentials: Option<Credentials>, token: Option<Token>) -> Endpoint {
    let site = match &listen.site {
        config::Site::Tcp(address) => Site::Tcp(address.socket()),
        config::Site::Unix { path, mode } => Site::Unix { path: loaded.resolve(path), mode: *mode },
    };
    let entrance = Entrance { takes_proxy: listen.takes_proxy, is_tls: listen.is_tls };
    Endpoint { site, optional: false, service: service(&listen.door), entrance, credentials, token }
}

fn service(door: &config::Door) -> Service {
    match door {
        config::Door::Line(config::Line { guests }) => Service::Line { guests: *guests },
        config::Door::Rooms(config::Rooms { udp, status_ok, down_named }) => {
            Service::Rooms { udp: *udp, status_ok: *status_ok, down_named: *down_named }
        }
        config::Door::Relay(config::Relay { room, gap_ms, echo }) => {
            Service::Relay(RelayOptions { room: room.clone(), gap_ms: *gap_ms, echo: *echo })
        }
        config::Door::Metrics(_) => Service::Metrics,
        config::Door::Web => Service::Web,
        config::Door::Irc(config::IrcDoor { guests, sts }) => {
            Service::Irc(IrcOptions { guests: *guests != config::IrcGuests::No, sts: *sts })
        }
    }
}
