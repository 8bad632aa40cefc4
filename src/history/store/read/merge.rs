//! The ids of several places in one order.
//!
//! Each list of ids is an index of the store, read in pieces: a small one first, because most of a merge comes from few
//! places. The rows themselves are read for what is shown.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, VecDeque};

use rusqlite::{Connection, Row};

use super::Between;
use super::places::Scope;
use super::reader::Reader;
use crate::history::request::End;
use crate::history::store::schema::code;

/// Ids that the first piece of a list has at least.
const PIECE: usize = 8;
/// Ids that a piece has at most.
const PIECE_MOST: usize = 1_024;

/// One id of a merge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) id: i64,
    /// The number of its place.
    pub(super) place: i64,
    pub(super) kind: Kind,
}

/// What has an id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A message. Its author is in its row.
    Message,
    /// A direct message to the reader.
    Received,
    /// A direct message of the reader's.
    Sent,
    /// A hole.
    Hole,
}

/// The ids of a scope in one order, rising or falling.
pub(super) struct Merge<'a> {
    connection: &'a Connection,
    end: End,
    lists: Vec<List>,
    /// The next entry of each list, with the list's index.
    heads: BinaryHeap<(i64, Reverse<usize>)>,
    /// Up to where each place is read, if only what is unread is wanted.
    unread: Option<HashMap<i64, i64>>,
}

/// A sorted list of ids.
struct List {
    of: Source,
    /// What is not in `ready` yet.
    rest: Between,
    ready: VecDeque<Entry>,
    /// The size of the next piece; 0 at the end of the list.
    piece: usize,
}

#[derive(Clone, Copy)]
enum Source {
    /// Messages of this place.
    Messages(i64),
    /// Holes of this place.
    Holes(i64),
    /// The direct messages of this account, with holes.
    Inbox(i64),
}

impl<'a> Merge<'a> {
    /// The ids of `scope`, those of `end` first, for a page of `most` lines. Only what is unread: above the places'
    /// marks, and no direct message of the reader's; messages in other places may be the reader's own.
    pub(super) fn new(
        connection: &'a Connection,
        reader: &Reader,
        scope: &Scope,
        between: Between,
        end: End,
        most: usize,
        is_unread: bool,
    ) -> rusqlite::Result<Self> {
        let marks = if is_unread { Some(reader.marks(connection)?) } else { None };
        let between = if is_unread { between.and_above(reader.floor) } else { between };
        let piece = (most / (scope.places.len() + 1)).clamp(PIECE, PIECE_MOST);
        let mut sources = Vec::with_capacity(2 * scope.places.len() + 1);
        for place in &scope.places {
            let mark = marks.as_ref().and_then(|marks| marks.get(place)).copied().unwrap_or(-1);
            let rest = between.and_above(mark);
            sources.extend([(Source::Messages(*place), rest), (Source::Holes(*place), rest)]);
        }
        if let (true, Some(who)) = (scope.has_inbox, reader.n) {
            sources.push((Source::Inbox(who), between));
        }
        let list = |(of, rest)| List { of, rest, ready: VecDeque::new(), piece };
        let lists: Vec<List> = sources.into_iter().map(list).collect();
        let heads = BinaryHeap::with_capacity(lists.len());
        let mut merge = Self { connection, end, lists, heads, unread: marks };
        for at in 0..merge.lists.len() {
            merge.push_head(at)?;
        }
        Ok(merge)
    }

    /// The next entry.
    pub(super) fn next(&mut self) -> rusqlite::Result<Option<Entry>> {
        let Some((_, Reverse(at))) = self.heads.pop() else { return Ok(None) };
        let entry = self.lists.get_mut(at).and_then(|list| list.ready.pop_front());
        self.push_head(at)?;
        Ok(entry)
    }

    /// Puts the next id of a list among the heads, if it has one.
    fn push_head(&mut self, at: usize) -> rusqlite::Result<()> {
        let Some(list) = self.lists.get_mut(at) else { return Ok(()) };
        while list.ready.is_empty() && list.piece > 0 {
            list.fill(self.connection, self.end, self.unread.as_ref())?;
        }
        if let Some(entry) = list.ready.front() {
            // The heap gives the highest key first.
            let key = match self.end {
                End::Newest => entry.id,
                End::Oldest => -entry.id,
            };
            self.heads.push((key, Reverse(at)));
        }
        Ok(())
    }
}

impl List {
    /// Reads the next piece.
    fn fill(&mut self, connection: &Connection, end: End, unread: Option<&HashMap<i64, i64>>) -> rusqlite::Result<()> {
        let (sql, key) = match (self.of, end) {
            (Source::Messages(place), End::Oldest) => (MESSAGES_UP, place),
            (Source::Messages(place), End::Newest) => (MESSAGES_DOWN, place),
            (Source::Holes(place), End::Oldest) => (HOLES_UP, place),
            (Source::Holes(place), End::Newest) => (HOLES_DOWN, place),
            (Source::Inbox(who), End::Oldest) => (INBOX_UP, who),
            (Source::Inbox(who), End::Newest) => (INBOX_DOWN, who),
        };
        let of = self.of;
        let entry = |row: &Row<'_>| {
            let id = row.get(0)?;
            Ok(match of {
                Source::Messages(place) => Entry { id, place, kind: Kind::Message },
                Source::Holes(place) => Entry { id, place, kind: Kind::Hole },
                Source::Inbox(_) => of_inbox(id, row.get(1)?),
            })
        };
        let mut find = connection.prepare_cached(sql)?;
        let most = i64::try_from(self.piece).unwrap_or(i64::MAX);
        let (mut found, mut last) = (0, None);
        for entry in find.query_map((key, self.rest.above, self.rest.below, most), entry)? {
            let entry = entry?;
            (found, last) = (found + 1, Some(entry.id));
            let is_from_inbox = matches!(of, Source::Inbox(_));
            let is_wanted = unread.is_none_or(|marks| !is_from_inbox || is_unread(entry, marks));
            self.ready.extend(is_wanted.then_some(entry));
        }
        match (last, end) {
            (Some(last), End::Oldest) => self.rest.above = last,
            (Some(last), End::Newest) => self.rest.below = last,
            (None, _) => {}
        }
        self.piece = if found < self.piece { 0 } else { (2 * self.piece).min(PIECE_MOST) };
        Ok(())
    }
}

const MESSAGES_UP: &str = "SELECT id FROM message WHERE place = ?1 AND id > ?2 AND id < ?3 ORDER BY id LIMIT ?4";
const MESSAGES_DOWN: &str = "SELECT id FROM message WHERE place = ?1 AND id > ?2 AND id < ?3 ORDER BY id DESC LIMIT ?4";
const HOLES_UP: &str = "SELECT id FROM hole WHERE place = ?1 AND id > ?2 AND id < ?3 ORDER BY id LIMIT ?4";
const HOLES_DOWN: &str = "SELECT id FROM hole WHERE place = ?1 AND id > ?2 AND id < ?3 ORDER BY id DESC LIMIT ?4";
const INBOX_UP: &str = "SELECT id, code FROM inbox WHERE who = ?1 AND id > ?2 AND id < ?3 ORDER BY id LIMIT ?4";
const INBOX_DOWN: &str = "SELECT id, code FROM inbox WHERE who = ?1 AND id > ?2 AND id < ?3 ORDER BY id DESC LIMIT ?4";

/// An entry of the table `inbox`.
pub(super) fn of_inbox(id: i64, code: i64) -> Entry {
    let kind = match code & 3 {
        code::RECEIVED => Kind::Received,
        code::SENT => Kind::Sent,
        _ => Kind::Hole,
    };
    Entry { id, place: code >> 2, kind }
}

/// Whether an entry of the inbox is unread.
pub(super) fn is_unread(entry: Entry, marks: &HashMap<i64, i64>) -> bool {
    entry.kind != Kind::Sent && marks.get(&entry.place).is_none_or(|mark| entry.id > *mark)
}
