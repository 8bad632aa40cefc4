//! The store on a disk that fails, loses and tears: a power cut after every write and sync, an error at every one.
//!
//! [`vfs`] passes the calls of SQLite through to the files of a folder and notes them in a [`model::Disk`]. From these
//! notes, [`model::Replay`] makes what the folder may hold after a power cut: what was synced, and any part of what was
//! written since. So one run is checked against a cut at each of its steps.
#![allow(unsafe_code, reason = "SQLite takes a file system as a table of C functions; they are in `vfs` alone")]

mod killed;
mod model;
mod script;
mod store;
mod toy;
mod vfs;
