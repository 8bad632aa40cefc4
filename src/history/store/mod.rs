//! The store: SQLite, and the threads that use it.

mod schema;

#[cfg(test)]
mod fixture;

mod read;
mod search;

mod words;
