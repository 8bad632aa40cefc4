//! What the configuration decides about the IRC doors.

use crate::config::{Door, IrcDoor, IrcGuests, Loaded};
use crate::limits::Registration;
use crate::net::{IrcMark, IrcServer};

/// What all IRC doors share.
pub(super) fn server(loaded: &Loaded) -> IrcServer {
    let config = &loaded.config;
    let is_bare = |door: &Door| matches!(door, Door::Irc(IrcDoor { guests: IrcGuests::Bare, .. }));
    let guests = if config.listen.iter().any(|listen| is_bare(&listen.door)) { IrcMark::Bare } else { IrcMark::Marked };
    IrcServer {
        name: config.irc.name.as_str().into(),
        network: config.irc.network.as_str().into(),
        motd: Vec::new(),
        guests,
        registers: config.accounts.rules.registration == Registration::Open,
        keeps: loaded.history_file().is_some(),
        rooms: config.rooms.per_session,
        names: config.irc.names,
        password_min: config.accounts.rules.password_min_bytes,
    }
}
