//! Public messages: one log that all receivers share.
//!
//! A public message is appended to the log once; no receiver is touched. A receiver has a place in the log, and is
//! brought up to date before anything else enters its outbox, and when its turn to be flushed comes: it then gets
//! everything that came meanwhile as one piece. So a message costs as much for a thousand receivers as for one, but for
//! the writes. The log is cleared whenever everybody has caught up.
//!
//! Sequence numbers are 32 bits wide and wrap; all differences between them are far below that.

mod column;
pub(super) mod place;

use std::collections::VecDeque;

use column::{Column, Run};
use place::{Attendance, Place};

use super::Engine;
use super::conn::Conn;
use super::id::ConnId;
use super::life::Life;
use super::outbox::Outbox;
use super::pages::{Pages, Piece};
use crate::door::irc::Bits;
use crate::door::{self, Kind, Scene};
use crate::hub::event::Event;
use crate::limits::PUBLIC_WORK;

const KINDS: usize = Kind::PUBLIC.len();
/// The list of receivers that have caught up is searched for stale ids when it has this many, and has doubled.
const SWEEP_LEAST: usize = 64;
/// The first sequence number: soon after it they wrap, so that every test with many messages meets that.
const FIRST: u32 = u32::MAX - 99;

/// The log, and who is behind.
#[derive(Debug, Default)]
pub(super) struct PublicLog {
    entries: Vec<Entry>,
    /// The sequence number of the first entry.
    base: u32,
    /// For each kind, the frames of all entries in as few pieces as there are.
    runs: [Vec<Run>; KINDS],
    /// How many receivers there are of each kind: frames of others are not made.
    receivers: [u32; KINDS],
    /// The same of the kinds of IRC, from the first receiver there on.
    irc: Option<Box<[Column; Bits::COUNT]>>,
    /// Receivers that have something to get, those that wait for longest first.
    behind: VecDeque<ConnId>,
    /// Receivers that had everything when they were flushed last.
    caught_up: Vec<ConnId>,
    /// How long `caught_up` may be before the next sweep.
    sweep_at: usize,
    /// Bytes of the frames in the log.
    bytes: usize,
    /// The end of the log when the round began, and the receiver that ends the round.
    round: Option<Round>,
}

/// A round of the receivers: when its last one is flushed, all have what was said before the round began.
#[derive(Clone, Copy, Debug)]
struct Round {
    last: ConnId,
    /// Entries at its beginning …
    entries: usize,
    /// … and their bytes.
    bytes: usize,
    is_over: bool,
}

/// One message.
#[derive(Debug)]
struct Entry {
    from: ConnId,
    /// Its frame of each kind; an empty one if there was no receiver of that kind.
    frames: [Piece; KINDS],
}

impl PublicLog {
    /// An empty log without receivers.
    pub(super) fn new() -> Self {
        Self { base: FIRST, ..Self::default() }
    }

    fn end(&self) -> u32 {
        self.base.wrapping_add(self.entries.len() as u32)
    }

    /// Whether somebody is behind.
    pub(super) fn is_settled(&self) -> bool {
        self.behind.is_empty()
    }

    /// How many receivers there are of a kind.
    #[cfg(test)]
    pub(super) fn receivers_of(&self, kind: Kind) -> u32 {
        self.column(kind).map_or_else(|| self.receivers[kind.index()], |column| column.receivers)
    }

    /// How many are behind.
    pub(super) fn behind(&self) -> usize {
        self.behind.len()
    }

    /// The receiver that has been behind for longest.
    pub(super) fn pop_behind(&mut self) -> Option<ConnId> {
        let id = self.behind.pop_front()?;
        if let Some(round) = self.round.as_mut().filter(|round| round.last == id) {
            round.is_over = true; // once this one is brought up to date, which follows
        }
        Some(id)
    }

    /// A receiver that was behind has everything now.
    pub(super) fn push_caught_up(&mut self, id: ConnId) {
        self.caught_up.push(id);
    }

    /// The column of a kind of IRC.
    fn column(&self, kind: Kind) -> Option<&Column> {
        let Kind::Irc(bits) = kind else { return None };
        self.irc.as_ref()?.get(bits.index())
    }

    /// How many receivers there are of a kind that gets public messages, to be changed.
    fn receivers_mut(&mut self, kind: Kind) -> Option<&mut u32> {
        match kind {
            Kind::Irc(bits) => {
                let columns = self.irc.get_or_insert_with(Box::default);
                columns.get_mut(bits.index()).map(|column| &mut column.receivers)
            }
            Kind::Bare | Kind::Typed | Kind::Web | Kind::RelayLf | Kind::RelayCrLf => {
                self.receivers.get_mut(kind.index())
            }
        }
    }

    /// Adds a message, which is encoded for each kind that has receivers. Gives its sequence number.
    fn append(&mut self, from: ConnId, pages: &mut Pages, encode: impl Fn(Kind, &mut Vec<u8>)) -> u32 {
        let (number, index) = (self.end(), self.entries.len());
        let mut frames = [Piece::EMPTY; KINDS];
        for ((kind, frame), receivers) in Kind::PUBLIC.into_iter().zip(&mut frames).zip(&self.receivers) {
            if *receivers > 0 {
                *frame = pages.write(kind, |out| encode(kind, out));
            }
        }
        for (runs, frame) in self.runs.iter_mut().zip(frames) {
            column::push(runs, index, frame, pages);
        }
        self.bytes += frames.iter().map(|frame| frame.len()).sum::<usize>();
        for (bits, column) in self.irc.iter_mut().flat_map(|columns| columns.iter_mut().enumerate()) {
            if column.receivers > 0 {
                let kind = Kind::Irc(Bits::of_index(bits));
                let frame = pages.write(kind, |out| encode(kind, out));
                column.push(index, frame, pages);
                self.bytes += frame.len();
            }
        }
        self.entries.push(Entry { from, frames });
        self.behind.extend(self.caught_up.drain(..));
        if self.round.is_none() {
            self.begin_round();
        }
        number
    }

    fn begin_round(&mut self) {
        let (entries, bytes) = (self.entries.len(), self.bytes);
        self.round = self.behind.back().map(|last| Round { last: *last, entries, bytes, is_over: false });
    }

    /// At the end of a flush: if a round is over, removes the entries that all receivers have. This keeps the log short
    /// while people talk without a pause, and the loop need not stop reading until everybody has caught up.
    pub(super) fn trim(&mut self, pages: &mut Pages) {
        let Some(Round { entries, bytes, .. }) = self.round.filter(|round| round.is_over) else { return };
        for runs in &mut self.runs {
            column::trim(runs, entries, pages);
        }
        for column in self.irc.iter_mut().flat_map(|columns| columns.iter_mut()) {
            column.trim(entries, pages);
        }
        self.entries.drain(..entries);
        self.base = self.base.wrapping_add(entries as u32);
        self.bytes -= bytes;
        pages.uncount(bytes);
        self.begin_round();
    }

    /// The entries of its lists, for tests: a connection is in one of them at most once.
    #[cfg(test)]
    pub(super) fn listed(&self) -> usize {
        self.behind.len() + self.caught_up.len()
    }

    /// Moves what a receiver has not got yet into its outbox. Gives how many messages that are.
    pub(super) fn bring_up<S>(&self, conn: &mut Conn<S>, pages: &mut Pages) -> usize {
        let Conn { public: Attendance::Yes(public), outbox, id, .. } = conn else { return 0 };
        let start = public.next.wrapping_sub(self.base) as usize;
        debug_assert!(start <= self.entries.len(), "messages left the log before everybody had them");
        if start >= self.entries.len() {
            return 0;
        }
        let kind = public.kind;
        let own = public.own.wrapping_sub(self.base) as usize;
        public.next = self.end();
        public.own = public.next.wrapping_sub(1);
        if !(start..self.entries.len()).contains(&own) {
            self.push_range(kind, start, self.entries.len(), outbox, pages);
            return self.entries.len() - start;
        }
        self.push_range(kind, start, own, outbox, pages);
        own - start + self.push_others(kind, own + 1, *id, outbox, pages)
    }

    /// The frame of an entry in a kind; none if there was no receiver of that kind.
    fn frame(&self, kind: Kind, index: usize) -> Option<Piece> {
        let frame = match self.column(kind) {
            Some(column) => column.frame(index),
            None => self.entries.get(index).and_then(|entry| entry.frames.get(kind.index())).copied(),
        };
        frame.filter(|frame| !frame.is_empty())
    }

    /// Pushes the frames of the entries `start..end`.
    fn push_range(&self, kind: Kind, start: usize, end: usize, outbox: &mut Outbox, pages: &mut Pages) {
        let runs = match self.column(kind) {
            Some(column) => column.runs.as_slice(),
            None => self.runs.get(kind.index()).map_or(&[][..], Vec::as_slice),
        };
        let skipped = runs.partition_point(|run| run.first <= start).saturating_sub(1);
        for (place, run) in runs.iter().enumerate().skip(skipped) {
            let run_end = runs.get(place + 1).map_or(self.entries.len(), |next| next.first);
            let (from, to) = (run.first.max(start), run_end.min(end));
            if from >= to {
                break;
            }
            if let (Some(first), Some(last)) = (self.frame(kind, from), self.frame(kind, to - 1)) {
                outbox.push_shared(first.until(last), pages);
            }
        }
    }

    /// Pushes the frames of the entries from `start` on that are not `id`'s own. Gives how many these are.
    fn push_others(&self, kind: Kind, start: usize, id: ConnId, outbox: &mut Outbox, pages: &mut Pages) -> usize {
        let others = self.entries.iter().enumerate().skip(start).filter(|(_, entry)| entry.from != id);
        let frames = others.filter_map(|(index, _)| self.frame(kind, index));
        frames.map(|frame| outbox.push_shared(frame, pages)).count()
    }

    /// Everybody has caught up: the log is empty again.
    pub(super) fn clear(&mut self, pages: &mut Pages) {
        let columns_are_empty =
            || self.irc.iter().flat_map(|columns| columns.iter()).all(|column| column.runs.is_empty());
        if self.entries.is_empty() && self.runs.iter().all(Vec::is_empty) && columns_are_empty() {
            return;
        }
        for run in self.runs.iter_mut().flat_map(|runs| runs.drain(..)) {
            pages.release(run.piece.page());
        }
        for column in self.irc.iter_mut().flat_map(|columns| columns.iter_mut()) {
            column.clear(pages);
        }
        self.base = self.end();
        self.entries.clear();
        (self.bytes, self.round) = (0, None);
        // The next round goes through the table of connections from its start to its end.
        self.caught_up.sort_unstable();
    }

    /// Releases memory that was for more.
    pub(super) fn shrink(&mut self) {
        self.behind.shrink_to_fit();
        self.caught_up.shrink_to_fit();
        self.entries.shrink_to_fit();
        self.runs.iter_mut().for_each(Vec::shrink_to_fit);
        if self.irc.as_ref().is_some_and(|columns| columns.iter().all(Column::is_idle)) {
            self.irc = None;
        }
    }
}

impl<S> Engine<S> {
    /// A session has logged in on a connection, or attends again: it gets public messages from now on. Nothing happens if
    /// it does already: a guest has become an account.
    pub(super) fn join_public(&mut self, id: ConnId) {
        let Some(conn) = self.conns.find(id) else { return };
        let Some(kind) = conn.door.kind() else { return };
        let end = self.public.end();
        let place = Place { kind, next: end, own: end.wrapping_sub(1) };
        let is_listed = match conn.public {
            Attendance::Yes(_) => return,
            Attendance::Leaving => true,
            Attendance::No => false,
        };
        conn.public = Attendance::Yes(place);
        if let Some(receivers) = self.public.receivers_mut(kind) {
            *receivers += 1;
        }
        if is_listed {
            return;
        }
        if self.public.caught_up.len() >= self.public.sweep_at.max(SWEEP_LEAST) {
            let conns = &self.conns;
            self.public.caught_up.retain(|id| conns.peek(*id).is_some_and(|conn| conn.life == Life::Open));
            self.public.sweep_at = self.public.caught_up.len() * 2;
        }
        self.public.push_caught_up(id);
    }

    /// A connection's session ends, or attends no longer: it gets what was said until now, and nothing that is said from
    /// now on. Nothing happens if it is no receiver: a close that panics is carried out again.
    pub(super) fn leave_public(&mut self, id: ConnId) {
        self.bring_up(id);
        let Some(conn) = self.conns.find(id) else { return };
        let Attendance::Yes(Place { kind, .. }) = conn.public else { return };
        conn.public = Attendance::Leaving;
        if let Some(receivers) = self.public.receivers_mut(kind) {
            *receivers -= 1;
        }
    }

    /// A client may have agreed on other capabilities: what is said from now on is spelled by them.
    pub(super) fn respell_public(&mut self, id: ConnId) {
        self.bring_up(id);
        let Some(Conn { door, public: Attendance::Yes(place), .. }) = self.conns.find(id) else { return };
        let Some(now) = door.kind() else { return };
        let was = std::mem::replace(&mut place.kind, now);
        if let Some(receivers) = self.public.receivers_mut(was) {
            *receivers -= 1;
        }
        if let Some(receivers) = self.public.receivers_mut(now) {
            *receivers += 1;
        }
    }

    /// A session hears public messages from now on, or no longer.
    pub(super) fn attend_public(&mut self, id: ConnId, attends: bool) {
        if attends { self.join_public(id) } else { self.leave_public(id) }
    }

    /// Moves the public messages that a connection has not got yet into its outbox, before something else enters it.
    pub(super) fn bring_up(&mut self, id: ConnId) {
        if let Some(conn) = self.conns.find(id).filter(|conn| conn.life == Life::Open) {
            self.counters.deliveries += self.public.bring_up(conn, &mut self.pages) as u64;
        }
    }

    /// Everybody but one hears it.
    pub(super) fn deliver_public(&mut self, from: ConnId, event: &Event) {
        self.turn.work += PUBLIC_WORK;
        let scene = Scene { irc: &self.settings.irc, unix_ms: self.unix_ms };
        let encode = |kind: Kind, out: &mut Vec<u8>| door::encode(kind, event, scene, out);
        let number = self.public.append(from, &mut self.pages, encode);
        if let Some(Conn { public: Attendance::Yes(public), .. }) = self.conns.find(from) {
            let has_own = public.own.wrapping_sub(public.next) < number.wrapping_sub(public.next);
            if !has_own {
                public.own = number;
            }
        }
    }
}
