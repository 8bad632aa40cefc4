//! The log on disk (`--log`): a file for each place of each server, with a line for each message.
//!
//! Every line is one write to a file that is opened for it, so a rotated or deleted file is simply a new one, and clients
//! that share the folder do not tear each other's lines. What the file has already is not written again: each write
//! first reads what others have added, under the file's lock.

mod entry;
mod file;
mod tail;

use std::collections::HashMap;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use jiff::tz::TimeZone;

use super::action::{Now, Shown};
use super::destination::Server;
use super::show::{Form, View};

use self::entry::{Entry, entry, safe};
use self::file::Folder;
use self::tail::Tail;

/// The most files of which it is remembered what they have, or what they miss.
const FILES: usize = 512;

/// The log of a run.
pub(super) struct Log {
    root: PathBuf,
    /// The folder of the server in use, below the root.
    server: String,
    view: View,
    files: HashMap<(String, String), State>,
    /// Whether the user has been told that nothing can be written, since it last could.
    is_told: bool,
}

/// What is known of a file.
#[derive(Default)]
struct State {
    tail: Tail,
    /// How many lines could not be written, and why the last could not.
    missing: Option<(u64, String)>,
}

impl Log {
    /// A log in this folder, with times of this zone. The folder is made when it is needed.
    pub(super) fn new(root: PathBuf, zone: TimeZone) -> Self {
        let view = View::new(Form::Plain, zone);
        Self { root, server: String::new(), view, files: HashMap::new(), is_told: false }
    }

    /// Checks that the folder is there, or can be made. Returns why not, for the user. From now on, a file that has
    /// reached its greatest size is an error like a full disk, and does not end the process.
    pub(super) fn check(&mut self) -> Option<String> {
        // Its default would. If this fails, it does.
        let _ = signal_hook::flag::register(libc::SIGXFSZ, Arc::new(AtomicBool::new(false)));
        let error = Folder::check(&self.root).err()?;
        self.trouble(&error)
    }

    /// What follows is from this server.
    pub(super) fn enter(&mut self, server: &Server) {
        self.server = format!("{}_{}", safe(&server.host.to_lowercase()), server.port);
    }

    /// Writes what belongs into the log. If that fails, it returns why, once until it works again.
    pub(super) fn add(&mut self, shown: &Shown, now: Now) -> Option<String> {
        let entry = entry(shown, &self.view, now)?;
        let key = (self.server.clone(), entry.file.clone());
        if self.files.len() >= FILES && !self.files.contains_key(&key) {
            self.files.clear();
        }
        let state = self.files.entry(key).or_default();
        let added = Folder::open(&self.root, &self.server).and_then(|folder| state.add(&folder, &entry));
        match added {
            Ok(()) => {
                self.is_told = false;
                None
            }
            Err(error) => {
                let count = state.missing.take().map_or(0, |(count, _)| count);
                state.missing = Some((count.saturating_add(1), error.to_string()));
                self.trouble(&error)
            }
        }
    }

    /// Writes into each file what is missing in it, if that works by now.
    pub(super) fn finish(&mut self, now: Now) {
        for ((server, file), state) in &mut self.files {
            if state.missing.is_some() {
                let entry = Entry { file: file.clone(), stamp: entry::stamp(&self.view, now), ..Entry::default() };
                // There is no later time to try it.
                let _ = Folder::open(&self.root, server).and_then(|folder| state.add(&folder, &entry));
            }
        }
    }

    fn trouble(&mut self, error: &io::Error) -> Option<String> {
        let is_told = std::mem::replace(&mut self.is_told, true);
        let why = || format!("the log in {}: {error}; the client tries again with each line", self.root.display());
        (!is_told).then(why)
    }
}

impl State {
    /// Adds a line to its file, after one about what is missing before it.
    fn add(&mut self, folder: &Folder, entry: &Entry) -> io::Result<()> {
        let mut file = folder.file(&entry.file)?;
        self.tail.catch_up(&file)?;
        let mut text = String::new();
        if self.tail.is_torn() {
            text.push('\n');
        }
        if let Some((count, why)) = &self.missing {
            let what = if *count == 1 { "1 line is missing" } else { &format!("{count} lines are missing") };
            text.push_str(&format!("{} -- {what} here: {why}\n", entry.stamp));
        }
        let is_there = entry.body.is_empty() || (entry.is_once && self.tail.has(&entry.line()));
        if !is_there {
            text.push_str(&entry.line());
            text.push('\n');
        }
        if !text.is_empty() {
            file.append(&text)?;
        }
        self.missing = None;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
