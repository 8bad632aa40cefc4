//! Deadlines: at most one timer per connection (or other key), set to its earliest deadline.
//!
//! Activity does not move a timer. When a timer fires, its owner checks the real deadline and arms it again.

use std::collections::BTreeSet;

use super::time::{Millis, NEVER};
/// The armed timers, earliest first.
#[derive(Debug)]
pub(super) struct Timers<K>(BTreeSet<(Millis, K)>);

impl<K> Default for Timers<K> {
    fn default() -> Self {
        Self(BTreeSet::new())
    }
}

impl<K: Ord + Copy> Timers<K> {
    /// Arms the timer of `id` for `due`, unless it is armed for an earlier time (`armed`, which its owner stores).
    /// [`NEVER`] arms nothing.
    pub(super) fn arm(&mut self, id: K, armed: &mut Millis, due: Millis) {
        if due < *armed {
            self.disarm(id, armed);
            self.0.insert((due, id));
            *armed = due;
        }
    }

    /// Disarms the timer of `id`.
    pub(super) fn disarm(&mut self, id: K, armed: &mut Millis) {
        if *armed != NEVER {
            self.0.remove(&(*armed, id));
            *armed = NEVER;
        }
    }

    /// Removes and returns a timer that is due at `now`. The caller must update the owner's `armed`.
    pub(super) fn pop_due(&mut self, now: Millis) -> Option<K> {
        let (due, _) = *self.0.first()?;
        if due > now {
            return None;
        }
        self.0.pop_first().map(|(_, id)| id)
    }

    /// When the next timer is due.
    pub(super) fn next_due(&self) -> Option<Millis> {
        self.0.first().map(|(due, _)| *due)
    }
}

#[cfg(test)]
mod tests {
    use super::super::id::ConnId;
    use super::*;

    #[test]
    fn one_timer_each_at_the_earliest() {
        let (mut timers, mut armed) = (Timers::default(), [NEVER; 2]);
        let ids = [1, 2].map(|slot| ConnId { slot, generation: 1 });
        timers.arm(ids[0], &mut armed[0], 50);
        timers.arm(ids[1], &mut armed[1], 30);
        timers.arm(ids[0], &mut armed[0], 70); // later: stays
        timers.arm(ids[0], &mut armed[0], 20); // earlier: moves
        assert_eq!(timers.next_due(), Some(20));
        assert_eq!(timers.pop_due(19), None);
        assert_eq!(timers.pop_due(20), Some(ids[0]));
        assert_eq!(timers.pop_due(29), None);
        timers.disarm(ids[1], &mut armed[1]);
        assert_eq!((timers.next_due(), armed[1]), (None, NEVER));
    }
}
