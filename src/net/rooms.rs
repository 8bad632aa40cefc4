//! Entering rooms: the token of a place in a room is drawn here, for the hub knows no randomness.

use log::warn;

use super::conn::Conn;
use super::reactor::Reactor;
use crate::close::CloseReason;
use crate::door::Masked;
use crate::door::reply::Reply;
use crate::hub::command::{Command, Entry};
use crate::hub::names::{RoomName, RoomToken};
use crate::hub::session::SessionId;

impl Reactor {
    /// MAKE and JOIN.
    pub(super) fn enter_room(&mut self, id: SessionId, room: RoomName, password: Option<Masked<&str>>, makes: bool) {
        let Some(token) = draw_token() else { return self.close(id, CloseReason::Internal) };
        let entry = Entry { room, password, token };
        self.command(id, if makes { Command::Make(entry) } else { Command::Join(entry) });
    }

    /// A session has its place in a room, and is told the token.
    pub(super) fn on_entered(&mut self, id: SessionId, room: &RoomName, token: RoomToken) {
        let reply = Reply::Entered { room: room.clone(), token, port: None };
        let Some(Conn { outbox, door, .. }) = self.conns.find(id) else { return };
        outbox.push_own(&mut self.pages, |out| door.tell(&reply, out));
        self.mark_dirty(id);
    }

    /// A place in a room is gone, and its token with it.
    pub(super) fn forget_token(&mut self, _token: RoomToken) {}
}

/// 128 bits that nobody can foresee. `None` if the system has no randomness to give.
fn draw_token() -> Option<RoomToken> {
    let mut bytes = [0; RoomToken::BYTES];
    match getrandom::fill(&mut bytes) {
        Ok(()) => Some(RoomToken::new(bytes)),
        Err(error) => {
            warn!("no randomness for a room's token: {error}");
            None
        }
    }
}
