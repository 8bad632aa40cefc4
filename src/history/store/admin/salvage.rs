//! Reading what can be read of a damaged table.

use std::collections::VecDeque;

use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension as _};

/// Attempts to find rows between two damaged pages. Each costs one search from the root of the table.
const ATTEMPTS: u32 = 2_000;

/// What was found in a table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Found {
    /// Rows that were read.
    pub(super) rows: u64,
    /// The ranges of keys, without their ends, in which rows may be lost. Only of a table with a whole number as its key.
    pub(super) gaps: Vec<(i64, i64)>,
    /// Whether rows of a table with another key may be lost.
    pub(super) is_cut: bool,
}

/// Reads a table with a whole number as its key, and passes each row once to `take`, in no order.
///
/// # Errors
/// Of `take`; an error of reading is in the result.
pub(super) fn numbered(
    connection: &Connection,
    table: &str,
    key: &str,
    take: &mut dyn FnMut(Vec<Value>) -> rusqlite::Result<()>,
) -> rusqlite::Result<Found> {
    let mut reading = Reading { connection, table, key, take, rows: 0, attempts: ATTEMPTS, gaps: Vec::new() };
    reading.between(i64::MIN, i64::MAX)?;
    Ok(Found { rows: reading.rows, gaps: joined(reading.gaps), is_cut: false })
}

/// Reads a table with another key, in the order `order`, from both ends up to the first damage.
///
/// # Errors
/// Of `take`; an error of reading is in the result.
pub(super) fn ordered(
    connection: &Connection,
    table: &str,
    key: &[&str],
    take: &mut dyn FnMut(Vec<Value>) -> rusqlite::Result<()>,
) -> rusqlite::Result<Found> {
    let mut found = Found::default();
    for direction in ["ASC", "DESC"] {
        let order: Vec<String> = key.iter().map(|key| format!("{key} {direction}")).collect();
        let query = format!("SELECT * FROM {table} ORDER BY {}", order.join(", "));
        match pass(connection, &query, take) {
            (rows, Ok(None)) => {
                found.rows += rows;
                // All of it, in one pass.
                return Ok(found);
            }
            (rows, Ok(Some(_))) => {
                found.rows += rows;
                found.is_cut = true;
            }
            (_, Err(error)) => return Err(error),
        }
    }
    Ok(found)
}

/// Passes the rows of a query on. Gives their number, and the error of reading that ended them, if one did; or the error
/// of `take`.
fn pass(
    connection: &Connection,
    query: &str,
    take: &mut dyn FnMut(Vec<Value>) -> rusqlite::Result<()>,
) -> (u64, rusqlite::Result<Option<rusqlite::Error>>) {
    let mut count = 0;
    let mut statement = match connection.prepare(query) {
        Ok(statement) => statement,
        Err(error) => return (count, Ok(Some(error))),
    };
    let columns = statement.column_count();
    let mut rows = match statement.query([]) {
        Ok(rows) => rows,
        Err(error) => return (count, Ok(Some(error))),
    };
    loop {
        let values = match rows.next() {
            Ok(Some(row)) => {
                (0..columns).map(|column| row.get::<_, Value>(column)).collect::<rusqlite::Result<Vec<_>>>()
            }
            Ok(None) => return (count, Ok(None)),
            Err(error) => return (count, Ok(Some(error))),
        };
        // A value that is no text is a row that is lost, and the next one may be sound.
        let Ok(values) = values else { continue };
        if let Err(error) = take(values) {
            return (count, Err(error));
        }
        count += 1;
    }
}

struct Reading<'a> {
    connection: &'a Connection,
    table: &'a str,
    key: &'a str,
    take: &'a mut dyn FnMut(Vec<Value>) -> rusqlite::Result<()>,
    rows: u64,
    attempts: u32,
    gaps: Vec<(i64, i64)>,
}

impl Reading<'_> {
    /// Reads the rows with keys between these two, the ends not among them.
    fn between(&mut self, low: i64, high: i64) -> rusqlite::Result<()> {
        let Some(last) = self.run(low, high, "ASC")? else { return Ok(()) };
        let Some(first) = self.run(last, high, "DESC")? else { return Ok(()) };
        self.islands(last, first)
    }

    /// Reads in one direction. `None` if all were read; otherwise the key up to which they were.
    fn run(&mut self, low: i64, high: i64, direction: &str) -> rusqlite::Result<Option<i64>> {
        let Self { connection, table, key, take, rows, .. } = self;
        let query =
            format!("SELECT {key}, * FROM {table} WHERE {key} > {low} AND {key} < {high} ORDER BY {key} {direction}");
        let mut end = if direction == "ASC" { low } else { high };
        let mut count = 0;
        let (_, result) = pass(connection, &query, &mut |mut values| {
            let number = values.remove(0);
            if let Value::Integer(number) = number {
                end = number;
            }
            count += 1;
            take(values)
        });
        *rows += count;
        Ok(result?.map(|_| end))
    }

    /// Looks for sound rows between two damaged places, by halves.
    fn islands(&mut self, low: i64, high: i64) -> rusqlite::Result<()> {
        // The widest first.
        let mut open = VecDeque::from([(low, high)]);
        while let Some((low, high)) = open.pop_front() {
            let Some(middle) = middle(low, high).filter(|_| self.attempts > 0) else {
                self.gaps.push((low, high));
                continue;
            };
            self.attempts -= 1;
            match self.next_from(middle, high) {
                Ok(Some(found)) => {
                    // Read on from there, as far as it goes.
                    match self.run(found - 1, high, "ASC")? {
                        None => {}
                        Some(last) if last < found => self.gaps.push((found - 1, high)),
                        Some(last) => open.push_back((last, high)),
                    }
                    open.push_back((low, found));
                }
                Ok(None) => open.push_back((low, middle)),
                Err(_) => {
                    self.run(middle - 1, middle + 1, "ASC")?;
                    open.push_back((middle, high));
                    open.push_back((low, middle));
                }
            }
        }
        Ok(())
    }

    fn next_from(&self, from: i64, high: i64) -> rusqlite::Result<Option<i64>> {
        let Self { connection, table, key, .. } = self;
        let query = format!("SELECT {key} FROM {table} WHERE {key} >= ?1 AND {key} < ?2 ORDER BY {key} LIMIT 1");
        connection.query_row(&query, (from, high), |row| row.get(0)).optional()
    }
}

/// Ranges that touch each other as one.
fn joined(mut gaps: Vec<(i64, i64)>) -> Vec<(i64, i64)> {
    gaps.sort_unstable();
    let mut joined: Vec<(i64, i64)> = Vec::new();
    for (low, high) in gaps {
        match joined.last_mut() {
            Some(last) if low <= last.1 => last.1 = last.1.max(high),
            Some(_) | None => joined.push((low, high)),
        }
    }
    joined
}

/// The key in the middle, if there is one between the ends.
fn middle(low: i64, high: i64) -> Option<i64> {
    let middle = low.midpoint(high);
    (low < middle && middle < high).then_some(middle)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_that_touch_are_one() {
        assert_eq!(joined(vec![(5, 9), (1, 3), (3, 4), (9, 12), (20, 21)]), [(1, 4), (5, 12), (20, 21)]);
    }

    #[test]
    fn the_middle_is_between_the_ends() {
        for (low, high, expected) in
            [(0, 1, None), (0, 2, Some(1)), (3, 3, None), (i64::MIN, i64::MAX, Some(0)), (-3, -1, Some(-2))]
        {
            assert_eq!(middle(low, high), expected, "{low} {high}");
        }
    }
}
