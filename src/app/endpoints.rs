//! The endpoints of a configuration, as the network layer takes them.

use crate::config::{self, Listen, Loaded};
use crate::net::tls::Credentials;
use crate::net::{self, Endpoint, Entrance, Service, Site};
use crate::secret::Secret;

/// The token of a metrics listener.
type Token = Secret<Vec<u8>>;

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

/// What the endpoints of the start present from now on, by a configuration that was read since.
///
/// # Errors
/// What is wrong with the certificates.
pub(super) fn credentials_of(started: &[Listen], loaded: &Loaded) -> Result<Vec<Option<Credentials>>, Vec<String>> {
    let (mut all, mut faults) = (Vec::new(), Vec::new());
    for listen in started {
        // The pair of an endpoint may change without a restart.
        let now = loaded.config.listen.iter().find(|now| now.is_same_place(listen)).unwrap_or(listen);
        match credentials(now, loaded) {
            Ok(credentials) => all.push(credentials),
            Err(why) if faults.contains(&why) => {}
            Err(why) => faults.push(why),
        }
    }
    if faults.is_empty() { Ok(all) } else { Err(faults) }
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

/// The tokens of the endpoints of the start, by a configuration that was read since.
///
/// # Errors
/// What is wrong with them.
pub(super) fn tokens_of(started: &[Listen], loaded: &Loaded) -> Result<Vec<Option<Token>>, Vec<String>> {
    let now = |listen| loaded.config.listen.iter().find(|now| now.is_same_place(listen)).unwrap_or(listen);
    let tokens = started.iter().map(|listen| token(now(listen), loaded)).collect::<Result<_, _>>();
    tokens.map_err(|why| vec![why])
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
        config::Door::Line => Service::Line,
        config::Door::Rooms(config::Rooms { udp, status_ok, down_named }) => {
            Service::Rooms { udp: *udp, status_ok: *status_ok, down_named: *down_named }
        }
        config::Door::Metrics(_) => Service::Metrics,
        config::Door::Relay(_) => Service::Line,
    }
}
