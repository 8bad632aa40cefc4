//! What a session of an account has of the past: where MISSED goes on, and what TCP has acknowledged.

use crate::hub::record::Account;

/// How many points of the output are remembered until they are acknowledged.
const POINTS: usize = 4;

/// The state of one session, while there is a store.
#[derive(Clone, Debug)]
pub(in crate::engine) struct Past {
    /// The account.
    pub(super) account: Account,
    /// The newest id at its login: MISSED ends there.
    pub(super) newest: u64,
    /// The account's floor at its login; `None` until the store has told it.
    pub(super) floor: Option<u64>,
    /// Where MISSED goes on; `None` before the first one.
    pub(super) cursor: Option<u64>,
    /// Something was missed that MISSED has not shown yet: the floor stays below it. True until the store has told.
    pub(super) is_behind: bool,
    /// The session is a bare one, or one by IRC that sets no marks: its floor is written for it.
    pub(super) is_bare: bool,
    /// The floor that was written last.
    written: u64,
    /// Points of the output, the oldest first.
    points: Vec<Point>,
}

/// The last look at a bare session, whose connection has ended: [`Engine::handle_last_look`](crate::engine::Engine::handle_last_look) takes what the kernel
/// still holds for it.
#[derive(Debug)]
pub struct LastLook {
    pub(super) past: Box<Past>,
    /// Bytes of output that the socket took, without those that wait as ciphertext, modulo 2³².
    pub(super) written: u32,
}

/// A point of the output: everything up to this id lies before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Point {
    id: u64,
    /// Bytes of output before it, modulo 2³².
    at: u32,
}

impl Past {
    /// That of a session that has just logged in.
    pub(super) fn new(account: Account, newest: u64, is_bare: bool) -> Self {
        Self { account, newest, floor: None, cursor: None, is_behind: true, is_bare, written: 0, points: Vec::new() }
    }

    /// The store has told the account's floor.
    pub(super) fn set_floor(&mut self, floor: u64) {
        self.floor = Some(floor);
        self.written = self.written.max(floor);
    }

    /// MISSED goes on after `cursor`, or has shown everything (`None`).
    pub(super) fn go_on_after(&mut self, cursor: Option<u64>) {
        self.cursor = Some(cursor.unwrap_or(self.newest));
        self.is_behind &= cursor.is_some();
    }

    /// The account has read everything up to `id`, in whichever session.
    pub(super) fn has_read(&mut self, id: u64) {
        self.cursor = Some(self.cursor.unwrap_or_default().max(id));
        self.is_behind &= id < self.newest;
    }

    /// Up to where everything is in the output now, if the newest message of all is `newest`; `None` if that is not known.
    pub(super) fn point(&self, newest: u64) -> Option<u64> {
        if self.is_behind { self.cursor } else { Some(newest) }
    }

    /// Everything up to `id` lies within the first `at` bytes of output, modulo 2³². The last point may move: then
    /// the others stay until they are acknowledged.
    pub(super) fn note(&mut self, id: u64, at: u32) {
        if self.points.last().is_some_and(|last| last.id == id) || id <= self.written {
            return;
        }
        self.points.truncate(POINTS - 1);
        self.points.push(Point { id, at });
    }

    /// The first `acknowledged` bytes of output, modulo 2³², are acknowledged. Gives the floor to write, if that is
    /// higher than the last one. None is written before the store has told what was missed.
    pub(super) fn acknowledge(&mut self, acknowledged: u32) -> Option<u64> {
        let is_before = |point: &Point| acknowledged.wrapping_sub(point.at) as i32 >= 0;
        let count = self.points.iter().take_while(|point| is_before(point)).count();
        let id = self.points.drain(..count).next_back()?.id;
        if self.floor.is_none() || id <= self.written {
            return None;
        }
        self.written = id;
        Some(id)
    }

    /// True if there is something that may have been acknowledged since.
    pub(super) fn has_points(&self) -> bool {
        !self.points.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hub::names::UserName;

    fn past() -> Past {
        let account = Account { name: UserName::parse("alice").unwrap(), since: 1 };
        let mut past = Past::new(account, 100, true);
        past.set_floor(50);
        past
    }

    #[test]
    fn a_floor_is_what_is_acknowledged() {
        let mut past = past();
        past.note(110, 1_000);
        past.note(120, 2_000);
        assert_eq!((past.acknowledge(999), past.acknowledge(1_999)), (None, Some(110)));
        past.note(130, 3_000);
        assert_eq!((past.acknowledge(3_000), past.acknowledge(9_000)), (Some(130), None));
    }

    #[test]
    fn floors_only_rise() {
        let mut past = past();
        past.note(50, 10);
        assert!(!past.has_points(), "that is the floor already");
        past.note(60, 10);
        past.set_floor(70);
        assert_eq!(past.acknowledge(10), None);
    }

    #[test]
    fn nothing_is_read_before_it_is_known_what_was_missed() {
        let mut past = past();
        past.floor = None;
        past.note(110, 10);
        assert_eq!(past.acknowledge(10), None);
    }

    #[test]
    fn what_was_missed_is_not_read_before_it_is_shown() {
        let mut past = past();
        assert_eq!(past.point(130), None, "nothing is shown yet");
        past.go_on_after(Some(70));
        assert_eq!(past.point(130), Some(70));
        past.go_on_after(None);
        assert_eq!((past.cursor, past.point(130)), (Some(100), Some(130)));
    }

    #[test]
    fn what_another_session_has_read_is_not_missed() {
        let mut past = past();
        past.has_read(99);
        assert_eq!(past.point(130), Some(99), "one message is left");
        past.has_read(100);
        assert_eq!(past.point(130), Some(130));
    }

    #[test]
    fn a_slow_reader_keeps_its_oldest_points() {
        let mut past = past();
        for n in 1..100 {
            past.note(100 + n, n as u32 * 10);
        }
        assert_eq!(past.acknowledge(10), Some(101));
        assert_eq!(past.acknowledge(30), Some(103));
        assert_eq!(past.acknowledge(980), None);
        assert_eq!(past.acknowledge(990), Some(199));
    }

    #[test]
    fn the_count_of_bytes_may_run_over() {
        let mut past = past();
        past.note(110, u32::MAX - 5);
        past.note(120, 10);
        assert_eq!(
            (past.acknowledge(u32::MAX - 6), past.acknowledge(3), past.acknowledge(11)),
            (None, Some(110), Some(120))
        );
    }
}
