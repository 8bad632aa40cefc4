//! Where the user was, for the next run.

use super::Shell;
use crate::action::{Places, Weight};
use crate::store::{Last, Store};

impl Shell {
    /// Stores where the user is.
    pub(super) fn keep_places(&mut self, places: &Places) {
        let Some(store) = &self.store else { return };
        // Any server of the list may answer next time.
        let kept = self.servers.iter().try_for_each(|server| store.keep_places(server, &self.options.user, places));
        self.on_kept(kept);
    }

    /// After the first login of a person, stores that this is where they talked last.
    pub(super) fn keep_last(&mut self) {
        if !self.is_edited || std::mem::replace(&mut self.is_last_kept, true) {
            return;
        }
        let Some(store) = &self.store else { return };
        let trust = &self.options.trust;
        let ca = trust.ca.as_ref().map(|path| std::path::absolute(path).unwrap_or_else(|_| path.clone()));
        let (servers, user) = (self.servers.join(","), self.options.user.clone());
        let kept = store.keep_last(&Last { servers, user, ca, pins: trust.pins.clone() });
        self.on_kept(kept);
    }

    fn on_kept(&mut self, kept: Result<(), String>) {
        if let Err(why) = kept {
            self.store = None;
            self.say(Weight::Trouble, "state", format!("{why}; nothing is kept for the next run"));
        }
    }
}

/// Where this user of the first of these servers that is known was in the last run. Why nothing is used goes to
/// `troubles`.
pub(super) fn remembered(store: Option<&Store>, servers: &[String], user: &str, troubles: &mut Vec<String>) -> Places {
    let kept = |server: &String| store.map_or(Ok(None), |store| store.places(server, user)).transpose();
    let first = servers.iter().find_map(kept).unwrap_or_else(|| Ok(Places::default()));
    first.unwrap_or_else(|why| {
        troubles.push(why);
        Places::default()
    })
}
