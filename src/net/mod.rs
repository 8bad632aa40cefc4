//! A stand-in with the loop's interface.
#![allow(missing_docs)]
use std::net::SocketAddr;
use std::path::PathBuf;

use crate::limits;

pub struct Settings {
    pub listen: Vec<Endpoint>,
    pub accounts_file: PathBuf,
    pub stats_log_lines_dropped: fn() -> u64,
    pub tuning: Tuning,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    pub addr: SocketAddr,
    pub optional: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Tuning {
    pub limits: limits::Limits,
    pub login: limits::Login,
    pub accounts: limits::Accounts,
    pub stats_s: u32,
}

pub enum StartError {
    InUse(String),
    Config(String),
    Failed(String),
}

pub fn serve(settings: Settings, _reload: Box<dyn FnMut() -> Option<Tuning>>) -> Result<(), StartError> {
    for endpoint in &settings.listen {
        log::info!("listening on line://{}", endpoint.addr);
    }
    Err(StartError::Failed("net: a stand-in; put the loop here".to_owned()))
}
