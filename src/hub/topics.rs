//! What rooms are about, and their passwords.

use super::Hub;
use super::event::{Audience, Event};
use super::names::RoomName;
use super::record::{Lock, Topic};
use super::room::RoomId;
use super::session::SessionId;

impl Hub {
    /// `Topic`: shows it to a member, or to a member account of a kept room that is not there; the host changes it.
    pub(super) fn on_topic(&mut self, who: SessionId, room: &RoomName, text: Option<&str>) {
        let result = match text {
            None => self.show_topic(who, room),
            Some(text) => self.host_place(who, room).map(|id| self.set_topic(who, id, text)),
        };
        self.tell(who, result.unwrap_or_else(|refusal| refusal));
    }

    fn show_topic(&self, who: SessionId, room: &RoomName) -> Result<Event, Event> {
        let from_outside = || self.name_of(who).and_then(|name| self.membership_from_outside(name, room));
        let id = self.place(who, room).or_else(|refusal| from_outside().ok_or(refusal))?;
        let room = self.rooms.room(id).ok_or(Event::NoSuchRoom)?;
        Ok(Event::TopicShown { room: room.name.clone(), topic: room.topic.clone() })
    }

    /// Tells the members too, unless there was no topic and is none.
    fn set_topic(&mut self, who: SessionId, id: RoomId, text: &str) -> Event {
        let by: Box<str> = self.who_is(who).map(|who| who.to_string()).unwrap_or_default().into();
        let set_ms = self.now_ms;
        let Some(room) = self.rooms.room_mut(id) else { return Event::NoSuchRoom };
        let topic = (!text.is_empty()).then(|| Topic { by: by.clone(), text: text.into(), set_ms });
        if room.topic.is_none() && topic.is_none() {
            return Event::Done;
        }
        room.topic = topic;
        let event = Event::TopicIs { room: room.name.clone(), by, text: text.into() };
        self.events.push_back((Audience::Room { room: id, except: None }, event));
        self.record_room(id);
        Event::Done
    }

    /// `LockRoom`.
    pub(super) fn on_lock_room(&mut self, who: SessionId, room: &RoomName, lock: Option<Lock>) {
        let event = match self.host_place(who, room) {
            Ok(id) => {
                if let Some(room) = self.rooms.room_mut(id) {
                    room.lock = lock;
                }
                self.record_room(id);
                self.tell_of_lock(who, id);
                Event::Done
            }
            Err(refusal) => refusal,
        };
        self.tell(who, event);
    }

    /// Tells the other members, if they are told such things.
    fn tell_of_lock(&mut self, who: SessionId, id: RoomId) {
        let (Some(by), Some(room)) = (self.who_is(who), self.rooms.room(id)) else { return };
        if self.tells_neighbours {
            let event = Event::LockIs { room: room.name.clone(), by, is_locked: room.lock.is_some() };
            self.events.push_back((Audience::Room { room: id, except: Some(who) }, event));
        }
    }
}
