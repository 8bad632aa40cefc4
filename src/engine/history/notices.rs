//! Notices 108: an account's other sessions hear what it has read.

use super::marks::{Key, Later};
use crate::door::recall::{Notice, Wants};
use crate::door::reply::Reply;
use crate::engine::Engine;
use crate::engine::id::ConnId;
use crate::hub::names::UserName;

impl<S> Engine<S> {
    /// A session has read a place, or all places if `None`, up to this message.
    pub(super) fn on_marked(&mut self, id: ConnId, place: Option<Box<str>>, upto: u64) {
        let Some(name) = self.account_of(id).cloned() else { return };
        if self.readers(&name, id).is_empty() {
            return;
        }
        let key = (name, place);
        if self.history.notices.note(&key, upto, id, self.now) {
            self.tell_mark(key, upto, id);
        }
    }

    /// Tells the marks that have waited for their second.
    pub(super) fn tell_due_marks(&mut self) {
        while let Some((key, Later { upto, by })) = self.history.notices.poll(self.now) {
            self.tell_mark(key, upto, by);
        }
    }

    fn tell_mark(&mut self, (name, place): Key, upto: u64, by: ConnId) {
        let notice = Reply::Notice(Notice::Read { place, id: upto });
        for id in self.readers(&name, by) {
            self.push_own(id, |door, out| door.encode_reply(&notice, out));
        }
    }

    /// The sessions of an account that want to hear what its others have read, except one.
    fn readers(&self, name: &UserName, except: ConnId) -> Vec<ConnId> {
        let wants = |id: &ConnId| self.conns.peek(*id).is_some_and(|conn| conn.door.wants(Wants::READS));
        let others = self.hub.sessions_of(name).iter().map(|session| ConnId::of(*session));
        others.filter(|id| *id != except).filter(wants).collect()
    }
}
