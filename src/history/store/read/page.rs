//! Pages.

use rusqlite::Connection;

use super::lines::{Cost, Lines};
use super::merge::{Entry, Kind, Merge};
use super::places::scope;
use super::reader::Reader;
use super::{Between, LOOKS, from_sql};
use crate::history::request::{End, Line, Page, Paged};
use crate::limits::COUNT_MOST;

/// A page of messages and holes.
///
/// # Errors
/// Of SQLite.
pub(in crate::history::store) fn page(connection: &Connection, page: &Page) -> rusqlite::Result<Paged> {
    let reader = Reader::find(connection, &page.mine.who)?;
    let scope = scope(connection, &reader, &page.mine, &page.of)?;
    let between = Between::new(page.above, page.below);
    let mut cost = Cost::new(page.most, page.most_bytes);
    let mut merge = Merge::new(connection, &reader, &scope, between, page.end, cost.lines() + 1, page.is_unread)?;
    let mut lines = Lines::new(connection, &reader);
    let mut paged = Paged::default();
    let mut looks = 0;
    while let Some(entry) = merge.next()? {
        let Some(line) = line(&mut lines, entry, page.is_unread)? else {
            looks += 1;
            if looks >= LOOKS {
                paged.next = Some(from_sql(entry.id));
                break;
            }
            continue;
        };
        if !cost.takes(&paged.lines, &line) {
            paged.next = paged.lines.last().map(|line| line.id);
            if page.is_unread {
                paged.left = left(&mut merge, &lines, looks)?;
            }
            break;
        }
        paged.lines.push(line);
    }
    if page.end == End::Newest {
        paged.lines.reverse();
    }
    Ok(paged)
}

/// The line of an entry; `None` if it was deleted, or only what is unread is wanted and it is the reader's own.
fn line(lines: &mut Lines<'_>, entry: Entry, is_unread: bool) -> rusqlite::Result<Option<Line>> {
    if entry.kind == Kind::Hole {
        return lines.hole(entry.place, entry.id);
    }
    match lines.message(entry.id)? {
        Some(message) if !(is_unread && lines.is_own(&message.author)) => lines.line(message),
        Some(_) | None => Ok(None),
    }
}

/// The number of unread entries in the rest of a merge, with one that was taken out of it; up to [`COUNT_MOST`].
fn left(merge: &mut Merge<'_>, lines: &Lines<'_>, mut looks: usize) -> rusqlite::Result<u32> {
    let mut count = 1;
    while count < COUNT_MOST && looks < LOOKS {
        let Some(entry) = merge.next()? else { break };
        let counts = match entry.kind {
            Kind::Message => lines.is_of_others(entry.id)?,
            Kind::Received => !lines.has_hidden() || lines.is_of_others(entry.id)?,
            Kind::Hole => true,
            Kind::Sent => false,
        };
        count += u32::from(counts);
        looks += usize::from(!counts);
    }
    Ok(count)
}
