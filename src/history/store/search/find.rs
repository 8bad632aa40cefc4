//! One search: the tables of words from the newest back, then the rows.

use rusqlite::{Connection, Row};

use crate::history::request::{Find, Of, Paged, Term};
use crate::history::store::lookup::number_of;
use crate::history::store::read::{Author, Between, Cost, Lines, Message, Reader, Scope, from_sql, scope};
use crate::history::store::schema::{account_word, place_word};
use crate::history::store::words::{self, Wanted};
use crate::hub::names::{UserName, Who};
use crate::hub::record::Spot;

/// Words of a query that are looked up. The others are checked on the rows.
const WORDS: usize = 64;

/// The newest messages that have all terms. Ends when `is_late` says so, with what it has and the bound to go on with.
///
/// # Errors
/// Of SQLite.
pub(in crate::history::store) fn find(
    connection: &Connection,
    find: &Find,
    is_late: &mut dyn FnMut() -> bool,
) -> rusqlite::Result<Paged> {
    // All tables are as they are now, whatever is deleted meanwhile.
    let transaction = connection.unchecked_transaction()?;
    let reader = Reader::find(&transaction, &find.mine.who)?;
    let scope = scope(&transaction, &reader, &find.mine, &find.of)?;
    let Some(places) = place_query(&transaction, &reader, &scope, &find.of)? else { return Ok(Paged::default()) };
    let Some(wish) = Wish::new(&find.terms) else { return Ok(Paged::default()) };
    let Some(from) = From::new(&transaction, find.from.as_ref())? else { return Ok(Paged::default()) };
    let query = format!("text : ({}) AND place : ({places})", wish.query());
    let mut search = Search {
        lines: Lines::new(&transaction, &reader),
        scope: &scope,
        wish: &wish,
        from,
        cost: Cost::new(find.most, find.most_bytes),
        paged: Paged::default(),
        is_late,
    };
    let between = Between::new(find.above, find.below);
    let mut spans = spans(&transaction, between)?.into_iter().peekable();
    while let Some(span) = spans.next() {
        if search.table(&transaction, &span, between, &query)? {
            break;
        }
        if spans.peek().is_some() && (search.is_late)() {
            search.paged.next = Some(from_sql(span.first));
            break;
        }
    }
    let mut paged = search.paged;
    paged.lines.reverse();
    Ok(paged)
}

/// A table of words.
struct Span {
    n: i64,
    /// The least id whose words it may have.
    first: i64,
}

/// The tables of words that may have ids between the bounds, the newest first.
fn spans(connection: &Connection, between: Between) -> rusqlite::Result<Vec<Span>> {
    let sql = "SELECT n, first FROM span WHERE first < ?2 AND (last IS NULL OR last > ?1) ORDER BY first DESC, n DESC";
    let mut find = connection.prepare_cached(sql)?;
    find.query_map((between.above, between.below), |row| Ok(Span { n: row.get(0)?, first: row.get(1)? }))?.collect()
}

/// The query for the column `place`; `None` if there is no such place.
fn place_query(connection: &Connection, reader: &Reader, scope: &Scope, of: &Of) -> rusqlite::Result<Option<String>> {
    if let Of::One(Spot::Direct(other)) = of {
        let (Some(me), Some(other)) = (reader.n, number_of(connection, other)?) else {
            return Ok(None);
        };
        return Ok(Some(format!("\"{}\" AND \"{}\"", account_word(me), account_word(other))));
    }
    let inbox = reader.n.filter(|_| scope.has_inbox).map(account_word);
    let words: Vec<String> = scope.places.iter().map(|place| place_word(*place)).chain(inbox).collect();
    Ok((!words.is_empty()).then(|| format!("\"{}\"", words.join("\" OR \""))))
}

/// What a row must have.
struct Wish {
    /// Looked up in the tables of words; at least one.
    looked_up: Vec<Wanted>,
    /// Checked on the rows.
    checked: Vec<Wanted>,
    /// Phrases, [`words::spelled`].
    phrases: Vec<String>,
}

impl Wish {
    /// What rows with all these terms have; `None` if the terms have no words.
    fn new(terms: &[Term]) -> Option<Self> {
        let (mut all, mut phrases): (Vec<Wanted>, Vec<String>) = (Vec::new(), Vec::new());
        for term in terms {
            let wanted = match term {
                Term::Word(word) => words::of_query(word, false),
                Term::Prefix(start) => words::of_query(start, true),
                Term::Exact(phrase) => {
                    phrases.push(words::spelled(phrase));
                    words::of_query(phrase, false)
                }
            };
            for wanted in wanted {
                if !all.contains(&wanted) {
                    all.push(wanted);
                }
            }
        }
        phrases.retain(|phrase| !phrase.trim().is_empty());
        let checked = all.split_off(all.len().min(WORDS));
        (!all.is_empty()).then_some(Self { looked_up: all, checked, phrases })
    }

    /// The query for the column `text`. Words have no quotation marks, so nothing in them is syntax.
    fn query(&self) -> String {
        let quoted = |wanted: &Wanted| format!("\"{}\"{}", wanted.word, if wanted.is_prefix { "*" } else { "" });
        self.looked_up.iter().map(quoted).collect::<Vec<_>>().join(" AND ")
    }

    /// Whether a row that was looked up has all.
    fn is_in(&self, text: &str) -> bool {
        if !self.phrases.is_empty() {
            let row = words::spelled(text);
            if !self.phrases.iter().all(|phrase| words::has_exactly(&row, phrase)) {
                return false;
            }
        }
        self.checked.is_empty() || words::has_all(text, &self.checked)
    }
}

/// Whose messages are wanted.
enum From {
    Anyone,
    Account(i64),
    Guest(Who),
}

impl From {
    /// The authors that a name stands for; `None` if nobody has it. An account that is gone has no name.
    fn new(connection: &Connection, who: Option<&Who>) -> rusqlite::Result<Option<Self>> {
        match who {
            None => Ok(Some(Self::Anyone)),
            Some(guest @ Who::Guest(_)) => Ok(Some(Self::Guest(guest.clone()))),
            Some(Who::Account(name)) => Ok(account(connection, name)?.map(Self::Account)),
        }
    }

    fn is(&self, message: &Message) -> bool {
        match (self, &message.author) {
            (Self::Anyone, _) => true,
            (Self::Account(wanted), Author::Account(n)) => wanted == n,
            (Self::Guest(wanted), Author::Guest(name)) => Who::parse(name).as_ref() == Some(wanted),
            (Self::Account(_), Author::Guest(_)) | (Self::Guest(_), Author::Account(_)) => false,
        }
    }
}

/// The number of the account that has this name now.
fn account(connection: &Connection, name: &UserName) -> rusqlite::Result<Option<i64>> {
    let sql = "SELECT n FROM who WHERE name = ?1 AND gone = 0 ORDER BY since DESC LIMIT 1";
    let mut find = connection.prepare_cached(sql)?;
    find.query_map([name.as_str()], |row| row.get(0))?.next().transpose()
}

/// A search under way.
struct Search<'a> {
    lines: Lines<'a>,
    scope: &'a Scope,
    wish: &'a Wish,
    from: From,
    cost: Cost,
    paged: Paged,
    is_late: &'a mut dyn FnMut() -> bool,
}

impl Search<'_> {
    /// Adds the matches of one table. True if the page is whole or the time is up.
    fn table(&mut self, connection: &Connection, span: &Span, between: Between, query: &str) -> rusqlite::Result<bool> {
        let table = format!("word_{}", span.n);
        let sql = format!(
            "SELECT rowid FROM {table} WHERE {table} MATCH ?1 AND rowid > ?2 AND rowid < ?3 ORDER BY rowid DESC"
        );
        let mut find = connection.prepare_cached(&sql)?;
        let ids = find.query_map((query, between.above, between.below), |row: &Row<'_>| row.get::<_, i64>(0))?;
        for id in ids {
            let id = id?;
            if self.add(id)? {
                self.paged.next = self.paged.lines.last().map(|line| line.id);
                return Ok(true);
            }
            if (self.is_late)() {
                self.paged.next = Some(from_sql(id));
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Adds the message with this id if it matches. True if it does and there is no room for it.
    fn add(&mut self, id: i64) -> rusqlite::Result<bool> {
        let Some(message) = self.lines.message(id)? else { return Ok(false) };
        if !self.is_in_scope(message.place)? || !self.from.is(&message) || !self.wish.is_in(&message.text) {
            return Ok(false);
        }
        let Some(line) = self.lines.line(message)? else { return Ok(false) };
        if !self.cost.takes(&self.paged.lines, &line) {
            return Ok(true);
        }
        self.paged.lines.push(line);
        Ok(false)
    }

    /// Whether the place is one of those asked for.
    fn is_in_scope(&mut self, place: i64) -> rusqlite::Result<bool> {
        if self.scope.places.contains(&place) {
            return Ok(true);
        }
        // Direct messages of others have no place that is shown to the reader.
        Ok(self.scope.has_inbox && self.lines.place(place)?.is_some_and(|shown| shown.starts_with('@')))
    }
}
