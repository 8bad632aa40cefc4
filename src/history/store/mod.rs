//! The store: SQLite, and the threads that use it.

mod schema;

mod read;
mod search;

mod words;
