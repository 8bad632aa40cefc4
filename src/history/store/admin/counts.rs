//! The counts of messages in each place.

use rusqlite::Connection;

/// Sets the counts of each place to what is there.
///
/// # Errors
/// Of SQLite.
pub(super) fn set(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch(
        "UPDATE main.place SET
           rows = (SELECT count(*) FROM main.message m WHERE m.place = main.place.n
                   AND m.id <= coalesce((SELECT value FROM main.meta WHERE key = 'counted'), 9223372036854775807)),
           bytes = (SELECT coalesce(sum(length(CAST(m.text AS BLOB))), 0) FROM main.message m
                    WHERE m.place = main.place.n
                    AND m.id <= coalesce((SELECT value FROM main.meta WHERE key = 'counted'), 9223372036854775807));",
    )
}
