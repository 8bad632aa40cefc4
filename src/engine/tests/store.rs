//! The history in memory, behind the same seam: it answers after a virtual delay, late, or never, fails, and is full.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::ops::Bound;

use testkit::Dice;

use super::profiles::Profiles;
use crate::engine::{Millis, NEVER, ToHistory};
use crate::history::{
    Batch, Count, Counts, End, Find, Flag, Forget, Forgets, Forgotten, Level, Line, Loud, Mark, Mine, Missed, Of, Page,
    Paged, Request, Said, Shown, Term, Verdict, row_bytes,
};
use crate::hub::names::{RoomName, UserName, Who};
use crate::hub::record::{Account, Hole, KeptId, Record, Row, Spot, Whom};
use crate::limits::COUNT_MOST;

/// What the store does with requests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Mood {
    /// It answers each request this many milliseconds after the one before, at most.
    #[default]
    Well,
    /// It takes no request.
    Stuck,
    /// Its disk fails: awaited records are not kept, and nothing can be read.
    Broken,
}

/// A message, or a hole.
#[derive(Clone, Debug)]
enum Kept {
    Row(Row),
    Hole(Hole),
}

/// What is on disk, and the requests that wait.
#[derive(Debug, Default)]
pub(super) struct Store {
    pub(super) mood: Mood,
    /// The longest time that one request takes.
    pub(super) delay_ms: Millis,
    lines: BTreeMap<u64, Kept>,
    pub(super) rooms: BTreeMap<KeptId, RoomName>,
    pub(super) members: BTreeSet<(KeptId, Account)>,
    pub(super) accounts: BTreeSet<Account>,
    pub(super) floors: BTreeMap<Account, u64>,
    marks: BTreeMap<(Account, Spot), u64>,
    /// Each request with its number.
    queue: VecDeque<(u64, Request)>,
    /// When the first request of the queue is done; [`NEVER`] if that has not begun.
    done_at: Millis,
    answers: VecDeque<(u64, Verdict)>,
    /// The highest id that came.
    last: u64,
    /// Ids that were answered `NotKept`, or withdrawn.
    pub(super) refused: BTreeSet<u64>,
    /// Awaited ids that were answered `Kept`.
    pub(super) kept: BTreeSet<u64>,
    pub(super) deleted: Vec<Account>,
    pub(super) profiles: Profiles,
    pub(super) ignores: BTreeSet<(Account, Whom)>,
    pub(super) levels: BTreeMap<(Account, Spot), Level>,
    /// Ids that were forgotten.
    pub(super) forgotten: BTreeSet<u64>,
    /// Another process reads the file.
    pub(super) has_reader: bool,
    pub(super) requests: u64,
    pub(super) cancelled: u64,
    /// The most that waited, in bytes.
    pub(super) most_backlog: usize,
}

impl Store {
    pub(super) fn new(delay_ms: Millis) -> Self {
        Self { delay_ms, done_at: NEVER, ..Self::default() }
    }

    /// Takes a message of the engine.
    pub(super) fn take(&mut self, message: ToHistory) {
        match message {
            ToHistory::Ask { number, request } => {
                if let Request::Keep(batch) = &request {
                    self.check_batch(batch);
                } else {
                    self.requests += 1;
                }
                assert!(self.queue.iter().all(|(other, _)| *other < number), "{number} is not the next number");
                self.queue.push_back((number, request));
                self.most_backlog = self.most_backlog.max(self.backlog());
            }
            ToHistory::Cancel { number } => {
                self.cancelled += 1;
                let is_it =
                    |(other, request): &(u64, Request)| *other == number && !matches!(request, Request::Keep(_));
                self.queue.retain(|job| !is_it(job));
            }
        }
    }

    /// Ids rise, over all batches, and the sizes are right.
    fn check_batch(&mut self, batch: &Batch) {
        let mut bytes = 0;
        for record in &batch.records {
            let id = if let Record::Row(row) = record {
                bytes += row_bytes(row.text.len());
                row.id
            } else if let Record::Hole(hole) = record {
                hole.id
            } else {
                continue;
            };
            assert!(id > self.last, "{id} comes after {}", self.last);
            self.last = id;
        }
        assert_eq!(bytes, batch.bytes);
        assert!(!batch.records.is_empty(), "an empty batch");
        assert!(
            batch.awaited.is_sorted_by(|a, b| a < b)
                && batch.awaited.iter().all(|n| (*n as usize) < batch.records.len())
        );
    }

    /// Bytes of rows that wait.
    pub(super) fn backlog(&self) -> usize {
        let bytes = |(_, request): &(u64, Request)| if let Request::Keep(batch) = request { batch.bytes } else { 0 };
        self.queue.iter().map(bytes).sum()
    }

    pub(super) fn is_idle(&self) -> bool {
        self.queue.is_empty() && self.answers.is_empty()
    }

    pub(super) fn next_due(&self) -> Millis {
        if self.answers.is_empty() { self.done_at } else { 0 }
    }

    /// Carries out what is due at `now`.
    pub(super) fn work(&mut self, now: Millis, dice: &mut Dice) {
        if self.mood == Mood::Stuck {
            self.done_at = NEVER;
            return;
        }
        loop {
            if self.queue.is_empty() {
                self.done_at = NEVER;
                return;
            }
            if self.done_at == NEVER {
                self.done_at = now + dice.below(self.delay_ms + 1);
            }
            if self.done_at > now {
                return;
            }
            self.done_at = NEVER;
            let Some((number, request)) = self.queue.pop_front() else { return };
            let verdict = self.carry_out(request);
            self.answers.push_back((number, verdict));
        }
    }

    /// Records go before what was asked, as in the store when somebody waits for them.
    pub(super) fn records_first(&mut self) {
        let is_record = |job: &(u64, Request)| matches!(job.1, Request::Keep(_));
        self.queue.make_contiguous().sort_by_key(|job| !is_record(job));
    }

    pub(super) fn poll_answer(&mut self) -> Option<(u64, Verdict)> {
        self.answers.pop_front()
    }

    /// The end: everything that waits is written.
    pub(super) fn close(&mut self) {
        while let Some((_, request)) = self.queue.pop_front() {
            self.carry_out(request);
        }
    }

    fn carry_out(&mut self, request: Request) -> Verdict {
        let is_broken = self.mood == Mood::Broken;
        match request {
            Request::Keep(batch) => self.keep(batch, is_broken),
            _ if is_broken => Verdict::Unavailable,
            Request::Profile(who) => Verdict::Profile(self.profiles.of(&who)),
            Request::Loud(Loud { who, spot, level }) => {
                let rose = self.levels.insert((who, spot), level) != Some(level);
                Verdict::Marked { rose }
            }
            Request::Forget(forget) => Verdict::Forgotten(self.forget(&forget)),
            Request::Page(page) => Verdict::Page(self.page(&page)),
            Request::Counts(Counts { mine, most }) => Verdict::Counts(self.counts(&mine, most)),
            Request::Missed(mine) => {
                let (floor, unread) = (self.floor(&mine.who), self.unread(&mine).len() as u32);
                Verdict::Missed(Missed { count: unread.min(COUNT_MOST), mentions: 0, floor })
            }
            Request::Mark(Mark { who, of, id }) => {
                let mark = match of {
                    Of::All => self.floors.entry(who).or_default(),
                    Of::One(spot) => self.marks.entry((who, spot)).or_default(),
                };
                let rose = id > *mark;
                *mark = id.max(*mark);
                Verdict::Marked { rose }
            }
            Request::Find(find) => Verdict::Page(self.find(&find)),
        }
    }

    fn keep(&mut self, batch: Batch, is_broken: bool) -> Verdict {
        let awaited: Vec<usize> = batch.awaited.iter().map(|place| *place as usize).collect();
        for (place, record) in batch.records.into_iter().enumerate() {
            let is_awaited = awaited.contains(&place);
            self.profiles.note_verdict(&record, is_awaited && is_broken);
            if let (true, Record::Row(row)) = (is_awaited, &record) {
                if is_broken { &mut self.refused } else { &mut self.kept }.insert(row.id);
            }
            if !(is_awaited && is_broken) {
                self.apply(record);
            }
        }
        if is_broken && !awaited.is_empty() { Verdict::NotKept } else { Verdict::Kept }
    }

    fn apply(&mut self, record: Record) {
        match record {
            Record::Row(row) => {
                self.lines.insert(row.id, Kept::Row(row));
            }
            Record::Hole(hole) => {
                self.lines.insert(hole.id, Kept::Hole(hole));
            }
            Record::Account(account) => {
                self.accounts.insert(account);
            }
            Record::Seen(account, id) => {
                assert!(self.accounts.contains(&account), "{account:?} was seen and has not logged in");
                self.profiles.note_seen(account, id);
            }
            Record::Deleted(account) => self.deleted.push(account),
            Record::Room(room) => {
                self.rooms.insert(room.id, room.name);
            }
            Record::RoomGone(room) => {
                self.rooms.remove(&room);
                self.members.retain(|(other, _)| *other != room);
                self.lines.retain(|_, kept| kept.spot() != &Spot::Room(room));
            }
            Record::Member(room, account, _) => {
                self.members.insert((room, account));
            }
            Record::NoMember(room, account) => {
                self.members.remove(&(room, account));
            }
            Record::Floor(account, id) => {
                let floor = self.floors.entry(account).or_default();
                *floor = id.max(*floor);
            }
            Record::Withdrawn(id) => {
                self.lines.remove(&id);
                self.refused.insert(id);
                self.kept.remove(&id);
            }
            Record::Profile(setting) => self.profiles.set(setting),
            Record::Unset(id) => self.profiles.unset(id),
            Record::Ignore(account, whom) => {
                self.ignores.insert((account, whom));
            }
            Record::NoIgnore(account, whom) => {
                self.ignores.remove(&(account, whom));
            }
        }
    }

    /// Removes what an account forgets.
    fn forget(&mut self, forget: &Forget) -> Forgotten {
        let Forget { mine, owns, what } = forget;
        let own = |(id, kept): (&u64, &Kept)| {
            (matches!(kept, Kept::Row(_)) && kept.is_by(&mine.who)).then(|| (*id, self.said(kept)))
        };
        let is_erased = !self.has_reader;
        let (ids, answer) = match *what {
            Forgets::All(upto) => {
                let all: Vec<(u64, Said)> = self.lines.range(..=upto).filter_map(own).collect();
                let mut at: Vec<Said> = Vec::new();
                all.iter().for_each(|(_, said)| {
                    if !at.contains(said) {
                        at.push(said.clone())
                    }
                });
                let count = all.len() as u64;
                (all.into_iter().map(|(id, _)| id).collect(), Forgotten::All { count, at, is_erased })
            }
            Forgets::Newest => match self.lines.iter().rev().find_map(own) {
                Some((id, at)) => (vec![id], Forgotten::One { id, at, is_erased }),
                None => (Vec::new(), Forgotten::None),
            },
            Forgets::One(id) => match self.lines.get(&id) {
                Some(kept) if kept.is_by(&mine.who) || owns.iter().any(|room| *kept.spot() == Spot::Room(*room)) => {
                    (vec![id], Forgotten::One { id, at: self.said(kept), is_erased })
                }
                Some(kept) if Self::is_mine(mine, kept) => (Vec::new(), Forgotten::NotYours),
                Some(_) | None => (Vec::new(), Forgotten::None),
            },
        };
        for id in ids {
            self.lines.remove(&id);
            self.kept.remove(&id);
            self.forgotten.insert(id);
        }
        answer
    }

    fn said(&self, kept: &Kept) -> Said {
        match kept.spot() {
            Spot::Everybody => Said::Everybody,
            Spot::Room(room) => Said::Room(self.rooms[room].clone()),
            Spot::Direct(to) => {
                let from = if let Kept::Row(Row { from: Who::Account(name), .. }) = kept { name } else { &to.name };
                let shown = |name: &UserName, is_gone| Shown { name: name.clone(), is_gone };
                Said::Direct(shown(from, false), shown(&to.name, self.deleted.contains(to)))
            }
        }
    }

    /// The ids of everything that is kept.
    pub(super) fn ids(&self) -> BTreeSet<u64> {
        self.lines.keys().copied().collect()
    }

    /// The texts of all messages.
    pub(super) fn texts(&self) -> Vec<String> {
        let text = |kept: &Kept| match kept {
            Kept::Row(row) => Some(row.text.to_string()),
            Kept::Hole(_) => None,
        };
        self.lines.values().filter_map(text).collect()
    }

    /// The holes, each with its number of messages.
    pub(super) fn holes(&self) -> Vec<(u64, Spot, Option<u64>)> {
        let hole = |(id, kept): (&u64, &Kept)| match kept {
            Kept::Row(_) => None,
            Kept::Hole(hole) => Some((*id, hole.spot.clone(), hole.count)),
        };
        self.lines.iter().filter_map(hole).collect()
    }

    fn floor(&self, who: &Account) -> u64 {
        self.floors.get(who).copied().unwrap_or_default()
    }

    fn is_mine(mine: &Mine, kept: &Kept) -> bool {
        match kept.spot() {
            Spot::Everybody => true,
            Spot::Room(room) => mine.rooms.contains(room),
            Spot::Direct(to) => *to == mine.who || kept.is_by(&mine.who),
        }
    }

    fn is_of(of: &Of, mine: &Mine, kept: &Kept) -> bool {
        match of {
            Of::All => true,
            Of::One(Spot::Direct(other)) => match kept.spot() {
                Spot::Direct(to) => to == other && kept.is_by(&mine.who) || *to == mine.who && kept.is_by(other),
                Spot::Everybody | Spot::Room(_) => false,
            },
            Of::One(spot) => kept.spot() == spot,
        }
    }

    /// The account's mark of the place where this was said.
    fn mark(&self, mine: &Mine, kept: &Kept) -> Option<u64> {
        let mut marks = self.marks.iter().filter(|((who, _), _)| *who == mine.who);
        marks.find(|((_, spot), _)| Self::is_of(&Of::One(spot.clone()), mine, kept)).map(|(_, id)| *id)
    }

    fn unread(&self, mine: &Mine) -> Vec<u64> {
        let floor = self.floor(&mine.who);
        let mark = |kept: &Kept| self.mark(mine, kept).unwrap_or_default();
        let is_unread = |(id, kept): &(&u64, &Kept)| {
            Self::is_mine(mine, kept) && !kept.is_by(&mine.who) && **id > floor.max(mark(kept))
        };
        self.lines.iter().filter(is_unread).map(|(id, _)| *id).collect()
    }

    fn page(&self, page: &Page) -> Paged {
        let Page { mine, of, end, most, most_bytes, .. } = page;
        let above = page.above.unwrap_or(if page.is_unread { self.floor(&mine.who) } else { 0 });
        let below = page.below.unwrap_or(u64::MAX);
        if above >= below {
            return Paged::default();
        }
        let range = self.lines.range((Bound::Excluded(above), Bound::Excluded(below)));
        let mark = |kept: &Kept| self.mark(mine, kept).unwrap_or_default();
        let fits = |(id, kept): &(&u64, &Kept)| {
            let is_unread = !page.is_unread || !kept.is_by(&mine.who) && **id > mark(kept);
            Self::is_mine(mine, kept) && Self::is_of(of, mine, kept) && is_unread
        };
        let mut all: Vec<(u64, &Kept)> = range.filter(fits).map(|(id, kept)| (*id, kept)).collect();
        if *end == End::Newest {
            all.reverse();
        }
        let mut bytes = 0;
        let count = all.iter().take(*most as usize).take_while(|(_, kept)| {
            bytes += kept.bytes();
            *most_bytes == 0 || bytes <= *most_bytes // 0 is no bound
        });
        let count = count.count();
        let next = if count < all.len() { all[..count].last().map(|(id, _)| *id) } else { None };
        let left = (all.len() - count) as u32;
        all.truncate(count);
        if *end == End::Newest {
            all.reverse();
        }
        Paged { lines: all.into_iter().map(|(id, kept)| self.line(id, kept, mine)).collect(), next, left }
    }

    fn find(&self, find: &Find) -> Paged {
        let Find { mine, of, terms, above, below, most, .. } = find.clone();
        let all =
            Page { mine, of, above, below, end: End::Newest, most: u32::MAX, most_bytes: usize::MAX, is_unread: false };
        let has = |line: &Line, term: &Term| match term {
            Term::Word(text) | Term::Prefix(text) | Term::Exact(text) => line.text.contains(&**text),
        };
        let mut lines = self.page(&all).lines;
        lines.retain(|line| terms.iter().all(|term| has(line, term)));
        let skipped = lines.len().saturating_sub(most as usize);
        lines.drain(..skipped);
        let next = (skipped > 0).then(|| lines[0].id);
        Paged { lines, next, left: 0 }
    }

    fn counts(&self, mine: &Mine, most: u32) -> Vec<Count> {
        let unread: BTreeSet<u64> = self.unread(mine).into_iter().collect();
        let mut counts: Vec<Count> = Vec::new();
        for (id, kept) in self.lines.iter().rev().filter(|(_, kept)| Self::is_mine(mine, kept)) {
            let line = self.line(*id, kept, mine);
            let is_unread = u32::from(unread.contains(id));
            match counts.iter_mut().find(|count| count.place == line.place) {
                Some(count) => count.unread += is_unread,
                None => {
                    let read = self.mark(mine, kept).unwrap_or_else(|| self.floor(&mine.who));
                    counts.push(Count {
                        place: line.place,
                        unread: is_unread,
                        mentions: 0,
                        read,
                        last: *id,
                        level: Level::Mentions,
                    });
                }
            }
        }
        counts.truncate(most as usize);
        counts
    }

    fn line(&self, id: u64, kept: &Kept, mine: &Mine) -> Line {
        let place = match kept.spot() {
            Spot::Everybody => "*".to_owned(),
            Spot::Room(room) => self.rooms[room].to_string(),
            Spot::Direct(to) if *to == mine.who => format!("@{}", kept.from()),
            Spot::Direct(to) => format!("@{}", to.name),
        };
        let (flag, text) = match kept {
            Kept::Row(row) => (Flag::Plain, row.text.as_ref().into()),
            Kept::Hole(hole) => {
                let count = hole.count.map_or_else(|| "some".to_owned(), |count| count.to_string());
                (Flag::Hole, format!("{count} messages were not kept: {}", hole.why).into())
            }
        };
        Line { id, place: place.into(), from: kept.from().into(), flag, text }
    }
}

impl Kept {
    fn spot(&self) -> &Spot {
        match self {
            Self::Row(row) => &row.spot,
            Self::Hole(hole) => &hole.spot,
        }
    }

    fn from(&self) -> String {
        match self {
            Self::Row(row) => row.from.to_string(),
            Self::Hole(_) => "server".to_owned(),
        }
    }

    fn is_by(&self, account: &Account) -> bool {
        match self {
            Self::Row(row) => row.from == Who::Account(account.name.clone()),
            Self::Hole(hole) => hole.with.as_ref() == Some(account),
        }
    }

    fn bytes(&self) -> usize {
        let text = match self {
            Self::Row(row) => row.text.len(),
            Self::Hole(_) => 64,
        };
        text + crate::limits::HISTORY_LINE_BYTES
    }
}
