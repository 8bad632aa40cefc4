//! Notices 109: those who may have heard what was forgotten drop it too.

use super::telling::{Telling, place_of_direct};
use crate::door::recall::Wants;
use crate::engine::Engine;
use crate::engine::deliver::Hearers;
use crate::history::Said;
use crate::limits::TURN_WORK_ENDS;

impl<S> Engine<S> {
    /// Tells the hearers of what was forgotten, after those of what was forgotten before it.
    pub(super) fn begin_to_tell(&mut self, telling: Telling) {
        self.history.tellings.push_back(telling);
        self.tell_forgotten();
    }

    /// Tells what was forgotten, in as many places as this turn has room for: an account may have spoken to thousands.
    pub(super) fn tell_forgotten(&mut self) {
        while self.turn.work < TURN_WORK_ENDS
            && let Some(mut telling) = self.history.tellings.pop_front()
        {
            if let Some(at) = telling.at.next() {
                self.turn.work += 1;
                self.tell_forgotten_at(&telling, &at);
                self.history.tellings.push_front(telling);
            }
        }
    }

    fn tell_forgotten_at(&mut self, telling: &Telling, at: &Said) {
        let mut tell = |hearers, place| {
            self.deliver_notice(hearers, telling.except, Wants::FORGETS, &telling.notice(place));
        };
        match at {
            Said::Everybody => tell(Hearers::Everybody, "*".into()),
            Said::Room(room) => tell(Hearers::Room(room), room.to_string().into()),
            Said::Direct(one, other) => {
                if !one.is_gone {
                    tell(Hearers::Account(&one.name), place_of_direct(other));
                }
                if !other.is_gone && one != other {
                    tell(Hearers::Account(&other.name), place_of_direct(one));
                }
            }
        }
    }
}
