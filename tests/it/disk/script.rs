//! A load on a store that has everything in it: messages of all places, acknowledged and not, rooms that come and go,
//! and what was told of each. [`Ledger::check`] looks for it in what a store gives back.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use chatd::history::{
    Batch, End, Flag, Forget, Forgets, Forgotten, History, Line, Mine, Of, Page, Request, Settings, Verdict, row_bytes,
};
use chatd::hub::names::{RoomName, UserName, Who};
use chatd::hub::profile::ProfileKey;
use chatd::hub::record::{Account, KeptId, KeptRoom, Record, Restored, Row, Setting, Spot, Whom};
use chatd::limits;
use chatd::mailbox::Waker;
use testkit::{Dice, PATIENCE};

/// The accounts, all of which exist.
const PEOPLE: [&str; 3] = ["alice", "bob", "carol"];

pub(super) fn account(name: &str) -> Account {
    Account { name: UserName::parse(name).expect("a name"), since: 1_700_000_000 }
}

fn now_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("a time after 1970").as_millis() as u64
}

/// An open store whose answers are waited for.
pub(super) struct Store {
    history: History,
    bell: Arc<(Mutex<()>, Condvar)>,
    number: u64,
}

impl Store {
    /// Opens the store of a folder.
    ///
    /// # Errors
    /// As a line for the operator.
    pub(super) fn open(folder: &Path, rules: &limits::History) -> Result<(Self, Restored), String> {
        let bell = Arc::new((Mutex::new(()), Condvar::new()));
        let ring = Arc::clone(&bell);
        let waker = Waker::new(move || {
            drop(ring.0.lock());
            ring.1.notify_all();
        });
        let settings = Settings { file: folder.join("history.db"), rules: rules.clone() };
        let accounts = PEOPLE.map(account).into();
        let (history, restored) =
            History::open(&settings, accounts, now_ms(), waker).map_err(|e| format!("it does not open: {e:?}"))?;
        Ok((Self { history, bell, number: 0 }, restored))
    }

    pub(super) fn trouble(&self) -> chatd::history::Trouble {
        self.history.trouble()
    }

    pub(super) fn close(self) {
        self.history.close();
    }

    /// The verdict on a request, which must come in time.
    #[track_caller]
    pub(super) fn ask(&mut self, request: Request) -> Verdict {
        self.number += 1;
        self.history.submit(self.number, request).expect("room in the queue");
        let deadline = Instant::now() + PATIENCE;
        let mut guard = self.bell.0.lock().expect("a bell");
        loop {
            if let Some(answer) = self.history.poll_answer() {
                assert_eq!(answer.ticket.number, self.number, "answers come in order, once each");
                return answer.verdict;
            }
            assert!(Instant::now() < deadline, "no answer");
            guard = self.bell.1.wait_timeout(guard, Duration::from_millis(20)).expect("a bell").0;
        }
    }

    /// What alice says of herself, and whether she ignores carol as the start has said.
    ///
    /// # Errors
    /// There is no profile.
    pub(super) fn person(&mut self, restored: &Restored) -> Result<Person, String> {
        let verdict = self.ask(Request::Profile(account("alice")));
        let Verdict::Profile(profile) = verdict else { return Err(format!("no profile: {verdict:?}")) };
        let is_ignored = restored.ignores.contains(&(account("alice"), Whom::Account(account("carol"))));
        Ok((profile.values.first().map(|(_, value)| value.to_string()), is_ignored))
    }

    /// All that alice may read.
    ///
    /// # Errors
    /// There is no page.
    pub(super) fn read(&mut self, rooms: &[KeptId]) -> Result<Vec<Line>, String> {
        let (mut lines, mut above) = (Vec::new(), 0);
        loop {
            let verdict = self.ask(Request::Page(Page {
                mine: Mine { who: account("alice"), rooms: rooms.to_vec() },
                of: Of::All,
                above: Some(above),
                below: None,
                end: End::Oldest,
                most: 200,
                most_bytes: 0,
                is_unread: false,
            }));
            let Verdict::Page(page) = verdict else { return Err(format!("no page: {verdict:?}")) };
            lines.extend(page.lines);
            match page.next {
                Some(next) => above = next,
                None => return Ok(lines),
            }
        }
    }
}

/// What alice says of herself, and whether she ignores carol.
pub(super) type Person = (Option<String>, bool);

/// A message that was said.
struct Said {
    place: String,
    /// Its sender waits for the disk.
    is_awaited: bool,
    /// The steps of the disk by then.
    steps: usize,
}

/// What was said, and what was told of it. Times are numbers of steps of a disk.
#[derive(Default)]
pub(super) struct Ledger {
    said: BTreeMap<u64, Said>,
    kept: BTreeMap<u64, usize>,
    refused: BTreeSet<u64>,
    /// Withdrawn, each with when that was acknowledged.
    withdrawn: BTreeMap<u64, usize>,
    rooms: BTreeMap<u32, usize>,
    /// Rooms that are no longer kept, each with when that was acknowledged; at first never.
    gone: BTreeMap<u32, usize>,
    /// What alice has changed, in order, each with when that was acknowledged.
    changes: Vec<(Change, usize)>,
    /// Forgotten, each with its word and with when that was acknowledged; at first never.
    forgotten: BTreeMap<u64, (String, usize)>,
    /// The newest messages of a place that must be there; older ones may go.
    pub(super) newest: Option<usize>,
}

/// A change that is acknowledged; a refused one has changed nothing.
#[derive(Clone, Debug)]
enum Change {
    Status(Option<String>),
    Ignores(bool),
}

/// A load on a store.
pub(super) struct Load<'a> {
    pub(super) store: Store,
    pub(super) ledger: Ledger,
    pub(super) dice: Dice,
    /// The steps of the disk so far.
    steps: &'a dyn Fn() -> usize,
    /// Is told the id of each message that is acknowledged and is to stay.
    on_kept: &'a dyn Fn(u64),
    next_id: u64,
}

pub(super) const DEN: KeptId = KeptId(1);
pub(super) const ATTIC: KeptId = KeptId(2);
/// A word of what is said in the attic.
pub(super) const MARKER: &str = "quicksilver";

fn kept_room(id: KeptId) -> KeptRoom {
    KeptRoom {
        id,
        name: RoomName::parse(if id == DEN { "den" } else { "attic" }).expect("a name"),
        owner: Some(account("alice")),
        ownerless_since_ms: 0,
        days: 30,
        topic: None,
        lock: None,
    }
}

/// The room that stays.
pub(super) fn den() -> KeptRoom {
    kept_room(DEN)
}

fn room(id: KeptId) -> Record {
    Record::Room(Box::new(kept_room(id)))
}

impl<'a> Load<'a> {
    pub(super) fn new(store: Store, seed: u64, steps: &'a dyn Fn() -> usize, on_kept: &'a dyn Fn(u64)) -> Self {
        Self { store, ledger: Ledger::default(), dice: Dice::of(seed), steps, on_kept, next_id: now_ms() << 20 }
    }

    /// Submits records; the last one is awaited if `is_awaited`. Whether it is kept.
    #[track_caller]
    pub(super) fn keep(&mut self, records: Vec<Record>, is_awaited: bool) -> bool {
        let steps = (self.steps)();
        let (mut bytes, last) = (0, records.len() - 1);
        let mut awaited_row = None;
        for (at, record) in records.iter().enumerate() {
            if let Record::Row(row) = record {
                bytes += row_bytes(row.text.len());
                let is_awaited = is_awaited && at == last;
                awaited_row = is_awaited.then_some(row.id);
                let place = match &row.spot {
                    Spot::Everybody => "*".to_owned(),
                    Spot::Room(DEN) => "den".to_owned(),
                    Spot::Room(_) => "attic".to_owned(),
                    Spot::Direct(to) => format!("@{}", to.name.as_str()),
                };
                self.ledger.said.insert(row.id, Said { place, is_awaited, steps });
            }
        }
        let notes: Vec<Record> = records.iter().filter(|record| !matches!(record, Record::Row(_))).cloned().collect();
        for record in &notes {
            if let Record::Withdrawn(id) = record {
                self.ledger.withdrawn.insert(*id, usize::MAX);
            } else if let Record::RoomGone(id) = record {
                self.ledger.gone.insert(id.0, usize::MAX);
            }
        }
        let awaited = if is_awaited { vec![last as u32] } else { Vec::new() };
        let verdict = self.store.ask(Request::Keep(Batch { records, awaited, bytes }));
        assert!(verdict == Verdict::Kept || verdict == Verdict::NotKept && is_awaited, "{verdict:?}");
        let is_kept = verdict == Verdict::Kept;
        if !is_kept {
            self.ledger.refused.extend(awaited_row);
        } else if is_awaited {
            self.on_acknowledged(&notes);
        }
        is_kept
    }

    /// Alice says this of herself. The store refuses it, or keeps it.
    pub(super) fn set(&mut self, value: Option<&str>) -> bool {
        let (id, value) = (self.id(), value.map(str::to_owned));
        let setting =
            Setting { id, account: account("alice"), key: ProfileKey::Status, value: value.as_deref().map(Into::into) };
        let is_kept = self.keep(vec![Record::Profile(setting)], true);
        if is_kept {
            self.ledger.changes.push((Change::Status(value), (self.steps)()));
        } else {
            self.keep(vec![Record::Unset(id)], false);
        }
        is_kept
    }

    /// Alice ignores carol, or no longer.
    pub(super) fn ignore(&mut self, is_ignored: bool) -> bool {
        let record = |is_ignored| {
            let whom = Whom::Account(account("carol"));
            if is_ignored { Record::Ignore(account("alice"), whom) } else { Record::NoIgnore(account("alice"), whom) }
        };
        let is_kept = self.keep(vec![record(is_ignored)], true);
        if is_kept {
            self.ledger.changes.push((Change::Ignores(is_ignored), (self.steps)()));
        }
        is_kept
    }

    /// Alice says something and forgets it. Whether the store has done that.
    pub(super) fn say_and_forget(&mut self) -> bool {
        let id = self.id();
        let word = format!("mercury{}", id % 1_000_000_007);
        let from = Who::parse("alice").expect("a name");
        let text = format!("{word} {}", "and more ".repeat(self.dice.below(500) as usize)).into();
        self.ledger.forgotten.insert(id, (word, usize::MAX));
        self.keep(vec![Record::Row(Row { id, spot: Spot::Room(DEN), from, text })], true)
            && self.forget(Forgets::One(id))
    }

    /// Alice forgets something. Whether the store has done that.
    pub(super) fn forget(&mut self, what: Forgets) -> bool {
        let mine = Mine { who: account("alice"), rooms: vec![DEN] };
        let verdict = self.store.ask(Request::Forget(Forget { mine, owns: vec![DEN], what }));
        let is_done = if let Verdict::Forgotten(Forgotten::One { is_erased, .. }) = verdict {
            assert!(is_erased, "nobody reads");
            true
        } else {
            assert_eq!(verdict, Verdict::Unavailable);
            false
        };
        if let (true, Forgets::One(id)) = (is_done, what) {
            self.ledger.forgotten.entry(id).and_modify(|(_, at)| *at = (self.steps)());
        }
        is_done
    }

    /// Everything that was said before is on disk, but for what was refused.
    fn on_acknowledged(&mut self, notes: &[Record]) {
        let steps = (self.steps)();
        for (id, said) in self.ledger.said.iter().filter(|(id, _)| !self.ledger.refused.contains(id)) {
            let is_to_stay = said.place != "attic"
                && !self.ledger.withdrawn.contains_key(id)
                && !self.ledger.forgotten.contains_key(id);
            self.ledger.kept.entry(*id).or_insert_with(|| {
                if is_to_stay {
                    (self.on_kept)(*id);
                }
                steps
            });
        }
        for note in notes {
            if let Record::Withdrawn(id) = note {
                self.ledger.withdrawn.insert(*id, steps);
            } else if let Record::RoomGone(id) = note {
                self.ledger.gone.insert(id.0, steps);
            } else if let Record::Room(room) = note {
                self.ledger.rooms.insert(room.id.0, steps);
            }
        }
    }

    /// The next ids are above this one, whatever the clock says.
    pub(super) fn set_id(&mut self, id: u64) {
        self.next_id = id;
    }

    /// The ids are this much ahead of the clock.
    pub(super) fn set_ahead(&mut self, ids: u64) {
        self.next_id += ids;
    }

    fn id(&mut self) -> u64 {
        self.next_id += 1 + self.dice.below(1 << 18);
        self.next_id
    }

    pub(super) fn row(&mut self, spot: Spot, from: &str) -> Record {
        let id = self.id();
        let word = if spot == Spot::Room(ATTIC) { MARKER } else { "word" };
        let text = format!("{word} {id} {}", "and more ".repeat(self.dice.below(30) as usize)).into();
        Record::Row(Row { id, spot, from: Who::parse(from).expect("a name"), text })
    }

    /// Says this many lines that nobody waits for.
    pub(super) fn talk(&mut self, count: usize) {
        let rows = (0..count).map(|n| match n % 3 {
            0 | 1 => self.row(Spot::Everybody, PEOPLE[n % PEOPLE.len()]),
            _ => self.row(Spot::Room(DEN), "bob"),
        });
        let rows = rows.collect();
        self.keep(rows, false);
    }

    /// Tells bob something that is acknowledged. Whether it is kept.
    pub(super) fn tell(&mut self) -> bool {
        let row = self.row(Spot::Direct(account("bob")), "alice");
        self.keep(vec![row], true)
    }

    /// The accounts and a room.
    pub(super) fn begin(&mut self) {
        let accounts = PEOPLE.iter().map(|name| Record::Account(account(name))).collect();
        self.keep(accounts, false);
        let members = ["alice", "bob"].map(|name| Record::Member(DEN, account(name), 0));
        self.keep([&members[..], &[room(DEN)]].concat().into_iter().rev().collect(), false);
        self.keep(vec![room(DEN)], true);
    }

    /// One of everything.
    pub(super) fn run(&mut self) {
        self.begin();
        for count in [5, 30, 1, 60] {
            self.talk(count);
            self.tell();
        }
        self.keep(
            vec![Record::Seen(account("bob"), self.next_id), Record::Floor(account("alice"), self.next_id)],
            false,
        );
        let withdrawn = self.id();
        let row =
            Row { id: withdrawn, spot: Spot::Everybody, from: Who::parse("bob").expect("a name"), text: "x".into() };
        self.keep(vec![Record::Row(row)], false);
        self.keep(vec![Record::Withdrawn(withdrawn)], true);
        self.keep(vec![room(ATTIC), Record::Member(ATTIC, account("alice"), 0)], false);
        let rows = (0..10).map(|_| self.row(Spot::Room(ATTIC), "alice")).collect();
        self.keep(rows, false);
        self.keep(vec![room(ATTIC)], true);
        self.set(Some("busy"));
        self.ignore(true);
        self.talk(10);
        self.keep(vec![Record::RoomGone(ATTIC)], true);
        self.set(Some("free"));
        self.say_and_forget();
        self.talk(7);
        self.set(None);
        self.ignore(false);
        self.tell();
        self.say_and_forget();
        self.talk(4);
    }
}

impl Ledger {
    /// Checks what a store gives back after this number of steps. `is_sound`: what was refused must not be there.
    ///
    /// # Errors
    /// What is wrong.
    pub(super) fn check(
        &self,
        steps: usize,
        is_sound: bool,
        restored: &Restored,
        lines: &[Line],
    ) -> Result<(), String> {
        let there: BTreeSet<u64> = lines.iter().filter(|line| line.flag != Flag::Hole).map(|line| line.id).collect();
        if !lines.is_sorted_by(|one, two| one.id < two.id) {
            return Err("the lines of pages do not rise".to_owned());
        }
        let last = self.kept.iter().filter(|(_, at)| **at <= steps).map(|(id, _)| *id).max().unwrap_or(0);
        let last = last.max(there.last().copied().unwrap_or(0));
        if restored.last_id < last {
            return Err(format!("ids go back: the last one is {}, and {last} was used", restored.last_id));
        }
        self.check_rooms(steps, restored)?;
        for (id, said) in self.said.iter().filter(|(id, _)| there.contains(id)) {
            if is_sound && self.refused.contains(id) {
                return Err(format!("{id} was refused, and is there"));
            }
            if self.withdrawn.get(id).is_some_and(|at| *at <= steps) {
                return Err(format!("{id} was withdrawn, and is there"));
            }
            if self.forgotten.get(id).is_some_and(|(_, at)| *at <= steps) {
                return Err(format!("{id} was forgotten, and is there"));
            }
            if said.place == "attic" && self.gone.get(&ATTIC.0).is_some_and(|at| *at <= steps) {
                return Err(format!("{id} is of a room that is gone"));
            }
        }
        self.check_missing(steps, lines, &there)
    }

    /// Checks alice's profile and whom she ignores after this number of steps. A change under way may be there or not.
    ///
    /// # Errors
    /// What is wrong.
    pub(super) fn check_person(&self, steps: usize, found: &Person) -> Result<(), String> {
        let mut person: Person = (None, false);
        let mut may_be = vec![person.clone()];
        for (change, at) in &self.changes {
            match change {
                Change::Status(value) => person.0.clone_from(value),
                Change::Ignores(is_ignored) => person.1 = *is_ignored,
            }
            if *at <= steps {
                may_be.clear();
            }
            may_be.push(person.clone());
            if *at > steps {
                break;
            }
        }
        if may_be.contains(found) { Ok(()) } else { Err(format!("a person is {found:?}, not one of {may_be:?}")) }
    }

    /// Checks that no file has a byte of what was forgotten by then.
    ///
    /// # Errors
    /// What is there.
    pub(super) fn check_bytes(&self, steps: usize, files: &BTreeMap<String, Vec<u8>>) -> Result<(), String> {
        for (word, _) in self.forgotten.values().filter(|(_, at)| *at <= steps) {
            let has = |bytes: &[u8]| memchr::memmem::find(bytes, word.as_bytes()).is_some();
            if let Some((name, _)) = files.iter().find(|(_, bytes)| has(bytes)) {
                return Err(format!("{name} has {word}, which was forgotten"));
            }
        }
        Ok(())
    }

    fn check_rooms(&self, steps: usize, restored: &Restored) -> Result<(), String> {
        let rooms: BTreeSet<u32> = restored.rooms.iter().map(|room| room.room.id.0).collect();
        for (id, _) in self.rooms.iter().filter(|(_, at)| **at <= steps) {
            let gone = self.gone.get(id);
            if gone.is_none() && !rooms.contains(id) {
                return Err(format!("the kept room {id} is lost"));
            }
            if gone.is_some_and(|at| *at <= steps) && rooms.contains(id) {
                return Err(format!("the room {id} is back"));
            }
        }
        let is_whole = |room: &chatd::hub::record::RestoredRoom| room.members.contains(&account("alice"));
        match restored.rooms.iter().find(|room| !is_whole(room)) {
            Some(room) => Err(format!("a room without its owner: {room:?}")),
            None => Ok(()),
        }
    }

    /// What was acknowledged is there; of what else was said, a hole is told.
    fn check_missing(&self, steps: usize, lines: &[Line], there: &BTreeSet<u64>) -> Result<(), String> {
        let mut later: BTreeMap<&str, usize> = BTreeMap::new();
        for (id, said) in self.said.iter().rev() {
            let is_there = there.contains(id);
            let newer = later.entry(said.place.as_str()).or_default();
            let may_be_old = self.newest.is_some_and(|newest| *newer >= newest);
            *newer += usize::from(is_there);
            let is_out = self.refused.contains(id)
                || self.withdrawn.contains_key(id)
                || self.forgotten.contains_key(id)
                || said.place == "attic" && self.gone.contains_key(&ATTIC.0);
            if is_there || is_out || said.steps > steps || may_be_old {
                continue;
            }
            if self.kept.get(id).is_some_and(|at| *at <= steps) {
                return Err(format!("{id} in {} was acknowledged, and is lost", said.place));
            }
            let is_told =
                lines.iter().any(|line| line.flag == Flag::Hole && *line.place == said.place && line.id > *id);
            if !said.is_awaited && !is_told {
                return Err(format!("{id} in {} is lost, and no hole is told", said.place));
            }
        }
        Ok(())
    }

    /// The number of acknowledged messages.
    pub(super) fn kept(&self) -> usize {
        self.kept.len()
    }

    /// The number of refused messages.
    pub(super) fn refused(&self) -> usize {
        self.refused.len()
    }
}
