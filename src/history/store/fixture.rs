//! A store in memory for tests of the reading side, and a model of what is in it: a plain list.

use std::collections::HashMap;

use rusqlite::Connection;

use super::schema::{self, account_word, code, create_words, kind, place_word};
use super::words;
use crate::history::request::{Flag, Line, Mine, Of};
use crate::hub::names::{GuestName, UserName, Who};
use crate::hub::record::{Account, KeptId, Spot};
use crate::mention;

/// Random numbers from a seed (xorshift64*).
pub(super) struct Random(pub(super) u64);

impl Random {
    /// A number below `n`.
    pub(super) fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % n
    }

    /// Whether something that happens once in `n` times happens.
    pub(super) fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    /// One of several.
    pub(super) fn one<T: Clone>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())].clone()
    }
}

/// The account with this name, registered in second 1.
pub(super) fn account(name: &str) -> Account {
    Account { name: UserName::from_record(name).unwrap(), since: 1 }
}

/// A guest.
pub(super) fn guest(name: &str) -> Who {
    Who::Guest(GuestName::parse(name).unwrap())
}

/// What was said, or a hole.
#[derive(Clone, Debug)]
pub(super) struct Said {
    pub(super) id: u64,
    pub(super) spot: Spot,
    /// Who said it; of a hole among direct messages, one of the two.
    pub(super) from: Who,
    pub(super) text: String,
    pub(super) is_hole: bool,
}

/// The store and its model.
pub(super) struct World {
    pub(super) connection: Connection,
    pub(super) said: Vec<Said>,
    rooms: HashMap<KeptId, &'static str>,
    gone: Vec<Account>,
    marks: HashMap<(Account, Option<Spot>), u64>,
    spans: i64,
    next_id: u64,
}

/// The first id.
pub(super) const FIRST: u64 = 2_000 << 20;

impl World {
    /// An empty store.
    pub(super) fn new() -> Self {
        let connection = schema::scratch();
        let (said, rooms, gone, marks) = (Vec::new(), HashMap::new(), Vec::new(), HashMap::new());
        Self { connection, said, rooms, gone, marks, spans: 1, next_id: FIRST }
    }

    /// Adds an account.
    pub(super) fn register(&mut self, who: &Account) {
        let floor = (who.since * 1_000) << 20;
        let sql = "INSERT INTO who(name, since, floor, seen) VALUES(?1, ?2, ?3, 0)";
        self.connection.execute(sql, (who.name.as_str(), who.since as i64, floor as i64)).unwrap();
    }

    /// The account is deleted.
    pub(super) fn delete_account(&mut self, who: &Account) {
        self.connection.execute("UPDATE who SET gone = 5 WHERE n = ?1", [self.number(who)]).unwrap();
        self.gone.push(who.clone());
    }

    /// Adds a kept room.
    pub(super) fn keep(&mut self, room: KeptId, name: &'static str) {
        let sql = "INSERT INTO room(id, name, ownerless_ms, days) VALUES(?1, ?2, 0, 30)";
        self.connection.execute(sql, (room.0, name)).unwrap();
        self.rooms.insert(room, name);
        self.place(&Spot::Room(room), None);
    }

    /// The number of an account.
    pub(super) fn number(&self, who: &Account) -> i64 {
        let sql = "SELECT n FROM who WHERE name = ?1 AND since = ?2";
        self.connection.query_row(sql, (who.name.as_str(), who.since as i64), |row| row.get(0)).unwrap()
    }

    fn place(&self, spot: &Spot, from: Option<&Account>) -> i64 {
        let (of, a, b) = match (spot, from) {
            (Spot::Everybody, _) => return schema::EVERYBODY,
            (Spot::Room(id), _) => (kind::ROOM, i64::from(id.0), 0),
            (Spot::Direct(to), Some(from)) => {
                let (one, other) = (self.number(from), self.number(to));
                (kind::DIRECT, one.min(other), one.max(other))
            }
            (Spot::Direct(_), None) => panic!("a guest's direct message is not kept"),
        };
        self.connection.execute("INSERT OR IGNORE INTO place(kind, a, b) VALUES(?1, ?2, ?3)", (of, a, b)).unwrap();
        let find = "SELECT n FROM place WHERE kind = ?1 AND a = ?2 AND b = ?3";
        self.connection.query_row(find, (of, a, b), |row| row.get(0)).unwrap()
    }

    /// Whether two accounts have ever told each other something.
    pub(super) fn is_pair(&self, one: &Account, other: &Account) -> bool {
        let (one, other) = (self.number(one), self.number(other));
        let sql = "SELECT count(*) FROM place WHERE kind = 2 AND a = ?1 AND b = ?2";
        self.connection.query_row(sql, (one.min(other), one.max(other)), |row| row.get::<_, i64>(0)).unwrap() > 0
    }

    /// The next id.
    pub(super) fn next_id(&self) -> u64 {
        self.next_id
    }

    /// Keeps a message. Returns its id.
    pub(super) fn say(&mut self, spot: Spot, from: Who, text: &str) -> u64 {
        let id = self.next_id();
        let author = match &from {
            Who::Account(name) => Some(account(name.as_str())),
            Who::Guest(_) => None,
        };
        let place = self.place(&spot, author.as_ref());
        let sql = "INSERT INTO message(id, place, author, text) VALUES(?1, ?2, ?3, ?4)";
        let row = (id as i64, place);
        match &author {
            Some(author) => self.connection.execute(sql, (row.0, row.1, self.number(author), text)),
            None => self.connection.execute(sql, (row.0, row.1, from.to_string(), text)),
        }
        .unwrap();
        let mut place_words = place_word(place);
        if let (Spot::Direct(to), Some(author)) = (&spot, &author) {
            let (to, author) = (self.number(to), self.number(author));
            self.inbox(to, id, place * 4 + code::RECEIVED);
            self.inbox(author, id, place * 4 + code::SENT);
            place_words = format!("{} {}", account_word(to), account_word(author));
        } else {
            self.mention(id, place, author.as_ref(), text);
        }
        let sql = format!("INSERT INTO word_{}(rowid, text, place) VALUES(?1, ?2, ?3)", self.spans);
        self.connection.execute(&sql, (id as i64, words::of_row(text), place_words)).unwrap();
        self.next_id += 1;
        self.said.push(Said { id, spot, from, text: text.to_owned(), is_hole: false });
        id
    }

    fn mention(&self, id: u64, place: i64, author: Option<&Account>, text: &str) {
        let mut find = self.connection.prepare("SELECT n, name FROM who WHERE gone = 0").unwrap();
        let all = find.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
        let all: Vec<(i64, String)> = all.map(Result::unwrap).collect();
        for (n, name) in all {
            if mention::is_in(text, &name) && author.is_none_or(|author| self.number(author) != n) {
                let sql = "INSERT INTO mention(who, place, id) VALUES(?1, ?2, ?3)";
                self.connection.execute(sql, (n, place, id as i64)).unwrap();
            }
        }
    }

    fn inbox(&self, who: i64, id: u64, code: i64) {
        let sql = "INSERT OR REPLACE INTO inbox(who, id, code) VALUES(?1, ?2, ?3)";
        self.connection.execute(sql, (who, id as i64, code)).unwrap();
    }

    /// A hole in a place; of direct messages, with the one of the two who is not in `spot`.
    pub(super) fn hole(&mut self, spot: Spot, with: Option<&Account>, count: Option<i64>, why: &str) {
        let (id, place) = (self.next_id(), self.place(&spot, with));
        let sql = "INSERT INTO hole(place, id, count, why) VALUES(?1, ?2, ?3, ?4)";
        self.connection.execute(sql, (place, id as i64, count, why)).unwrap();
        if let (Spot::Direct(one), Some(other)) = (&spot, with) {
            self.inbox(self.number(one), id, place * 4 + code::HOLE);
            self.inbox(self.number(other), id, place * 4 + code::HOLE);
        }
        let text = count.map_or(why.to_owned(), |count| format!("{count} messages were not kept: {why}"));
        let from = with.map_or(guest("nobody"), |with| Who::Account(with.name.clone()));
        self.next_id += 1;
        self.said.push(Said { id, spot, from, text, is_hole: true });
    }

    /// Deletes a message. Its words stay.
    pub(super) fn delete(&mut self, id: u64) {
        for table in ["message", "inbox", "mention", "hole"] {
            self.connection.execute(&format!("DELETE FROM {table} WHERE id = ?1"), [id as i64]).unwrap();
        }
        self.said.retain(|said| said.id != id);
    }

    /// From now on words go to a new table.
    pub(super) fn next_span(&mut self) {
        let (last, next) = (self.next_id() as i64 - 1, self.next_id() as i64);
        self.connection.execute("UPDATE span SET last = ?1 WHERE n = ?2", (last, self.spans)).unwrap();
        self.spans += 1;
        create_words(&self.connection, self.spans).unwrap();
        let sql = "INSERT INTO span(n, first, last, rows) VALUES(?1, ?2, NULL, 0)";
        self.connection.execute(sql, (self.spans, next)).unwrap();
    }

    /// The model of a mark. True if it rises.
    pub(super) fn mark(&mut self, who: &Account, spot: Option<Spot>, id: u64) -> bool {
        let rises = id > spot.as_ref().map_or(self.read(who, None), |spot| self.read(who, Some(spot)));
        if rises {
            self.marks.insert((who.clone(), spot), id);
        }
        rises
    }

    /// Up to where a place is read, or all places are.
    pub(super) fn read(&self, who: &Account, spot: Option<&Spot>) -> u64 {
        let floor = self.marks.get(&(who.clone(), None)).copied().unwrap_or(0).max((who.since * 1_000) << 20);
        let mark = spot.and_then(|spot| self.marks.get(&(who.clone(), Some(spot.clone()))));
        mark.copied().unwrap_or(0).max(floor)
    }

    /// The place of something said, as `who` sees it; `None` if it is not theirs.
    pub(super) fn spot_for(&self, mine: &Mine, said: &Said) -> Option<Spot> {
        match &said.spot {
            Spot::Everybody => Some(Spot::Everybody),
            Spot::Room(id) => mine.rooms.contains(id).then_some(Spot::Room(*id)),
            Spot::Direct(to) => {
                let from = account(&said.from.to_string());
                let is_from = from == mine.who;
                (is_from || *to == mine.who).then(|| Spot::Direct(if is_from { to.clone() } else { from }))
            }
        }
    }

    /// What `mine` may read of a scope, with the place as they see it.
    pub(super) fn readable(&self, mine: &Mine, of: &Of) -> Vec<(Spot, &Said)> {
        let all = self.said.iter().filter_map(|said| Some((self.spot_for(mine, said)?, said)));
        all.filter(|(spot, _)| matches!(of, Of::All) || *of == Of::One(spot.clone())).collect()
    }

    /// Whether `mine` has said it.
    pub(super) fn is_own(&self, mine: &Mine, said: &Said) -> bool {
        !said.is_hole && said.from == Who::Account(mine.who.name.clone())
    }

    /// The line that `mine` is shown.
    pub(super) fn line(&self, mine: &Mine, spot: &Spot, said: &Said) -> Line {
        let name = |who: &Account| format!("{}{}", if self.gone.contains(who) { "-" } else { "" }, who.name);
        let place = match spot {
            Spot::Everybody => "*".to_owned(),
            Spot::Room(id) => self.rooms[id].to_owned(),
            Spot::Direct(other) => format!("@{}", name(other)),
        };
        let from = match &said.from {
            _ if said.is_hole => "server".to_owned(),
            Who::Account(from) => name(&account(from.as_str())),
            Who::Guest(guest) => guest.to_string(),
        };
        let is_named = matches!(spot, Spot::Direct(_)) || mention::is_in(&said.text, mine.who.name.as_str());
        let flag = match (said.is_hole, self.is_own(mine, said), is_named) {
            (true, _, _) => Flag::Hole,
            (false, false, true) => Flag::Mention,
            (false, _, _) => Flag::Plain,
        };
        Line { id: said.id, place: place.into(), from: from.into(), flag, text: said.text.as_str().into() }
    }
}
