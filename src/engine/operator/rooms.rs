//! `rooms` and `close`.

use super::Engine;
use super::listing::Rest;
use crate::door::operator::Last;
use crate::engine::id::ConnId;
use crate::hub::names::RoomName;
use crate::hub::view::RoomView;

impl<S> Engine<S> {
    /// `rooms`.
    pub(super) fn list_rooms(&mut self, id: ConnId) {
        let names: Vec<RoomName> = self.hub.room_names().cloned().collect();
        self.turn.work += names.len();
        self.list(id, Rest::Rooms(names.into_iter()));
    }

    /// `rooms NAME`: an item for each name in the room.
    pub(super) fn list_members(&mut self, id: ConnId, room: &RoomName) {
        let Some(names) = self.hub.names_in(room) else { return self.answer_last(id, &no_such_room(room)) };
        self.turn.work += names.len();
        self.list(id, Rest::Members(names.into_iter()));
    }

    /// Sends one room of the list. False if it has closed meanwhile.
    pub(super) fn answer_room(&mut self, id: ConnId, name: &RoomName) -> bool {
        let Some(RoomView { name, members, host, kept, is_locked, .. }) = self.hub.view_room(name) else {
            return false;
        };
        let host = host.map(|host| host.to_string());
        self.answer_item(id, |item| {
            item.text("name", name.as_str())
                .number("members", members as u64)
                .maybe("host", host.as_deref())
                .flag("kept", kept.is_some())
                .flag("locked", is_locked)
        });
        true
    }

    /// `close`.
    pub(super) fn close_room_for(&mut self, id: ConnId, room: &RoomName, reason: &str) {
        if !self.hub.close_by_operator(room, reason) {
            return self.answer_last(id, &no_such_room(room));
        }
        self.turn.work += self.hub.take_work();
        self.deliver();
        self.answer_last(id, &Last::Done(format!("{} is closed", room.as_str())));
    }
}

fn no_such_room(room: &RoomName) -> Last {
    Last::Nobody(format!("there is no room {}", room.as_str()))
}
