//! A new hub takes over what an earlier run has kept.

use super::Kept;
use crate::hub::command::HostGoes;
use crate::hub::record::{Restored, RestoredRoom};
use crate::hub::room::Room;
use crate::hub::{Hub, ID_TIME_SHIFT};

/// By how much the first id of a run is above the last one that was stored, in milliseconds: more than an earlier run can
/// have used without storing it.
const GAP_MS: u64 = 1_000;

impl Hub {
    /// Takes over what an earlier run has kept. Call this before the first command. A room whose name another one has is
    /// left out.
    pub fn restore(&mut self, restored: Restored) {
        let Restored { last_id, last_room, rooms, waiting, ignores } = restored;
        if last_id > 0 {
            self.last_id = self.last_id.max(last_id.saturating_add(GAP_MS << ID_TIME_SHIFT));
        }
        self.kept.skip_to(last_room);
        for room in rooms {
            self.restore_room(room);
        }
        for count in waiting {
            self.waiting.restore(count);
        }
        self.restore_ignores(&ignores);
    }

    fn restore_room(&mut self, restored: RestoredRoom) {
        let RestoredRoom { room, members } = restored;
        self.kept.skip_to(room.id.0);
        if self.rooms.find(&room.name).is_some() || self.kept.find(room.id).is_some() {
            return;
        }
        let mut made = Room::new(room.name, room.lock, HostGoes::PassesOn, None);
        made.topic = room.topic;
        let id = self.rooms.open(made);
        self.put_kept(
            id,
            Kept {
                id: room.id,
                owner: room.owner.clone(),
                ownerless_since_ms: room.ownerless_since_ms,
                days: room.days,
                members: Default::default(),
                asked: None,
            },
        );
        for account in members.into_iter().chain(room.owner) {
            if !self.is_member_of(id, &account.name) {
                self.put_member(id, &account, 0);
            }
        }
    }
}
