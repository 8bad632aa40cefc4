//! `Watch`: to be told of the comings and goings of somebody.

use crate::hub::Hub;
use crate::hub::command::Watch;
use crate::hub::event::Event;
use crate::hub::names::Who;
use crate::hub::session::SessionId;
use crate::limits::{PLACE_END_WORK, WATCHES_EACH};

impl Hub {
    /// The sessions that watch a name, in any case.
    pub fn watchers_of(&self, name: &Who) -> &[SessionId] {
        self.people.watches.by(name)
    }

    /// `Watch`. Ignored for guests of one room.
    pub(in crate::hub) fn on_watch(&mut self, who: SessionId, watch: Watch) {
        if self.roster.owner_of(who).is_none() {
            return;
        }
        let answer = match watch {
            Watch::List => {
                let names: Vec<Who> = self.people.watches.of(who).cloned().collect();
                self.charge_list(names.len(), names.len());
                Event::Watches { names }
            }
            Watch::On(name) => self.watch(who, name),
            Watch::Off(name) => {
                self.people.watches.remove(who, &name);
                Event::Done
            }
        };
        self.tell(who, answer);
    }

    fn watch(&mut self, who: SessionId, name: Who) -> Event {
        let watches = &mut self.people.watches;
        if !watches.has(who, &name) {
            if !watches.has_room(who) {
                return Event::WatchesFull { most: WATCHES_EACH };
            }
            watches.add(who, name.clone());
            self.work += PLACE_END_WORK;
        }
        let (name, presence) = self.whereabouts(name);
        Event::Watched { name, presence }
    }

    /// A session has ended, and its watches with it.
    pub(in crate::hub) fn end_watches(&mut self, who: SessionId) {
        self.work += self.people.watches.end(who) * PLACE_END_WORK;
    }
}
