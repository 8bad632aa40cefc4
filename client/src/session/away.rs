//! Which failures were told while no server can be reached: each state is told once, not each try.

/// What has been told since the user was logged in last.
#[derive(Debug, Default)]
pub(super) struct Away {
    /// Of each server, by its place in the list: how it failed.
    told: Vec<Option<String>>,
    /// Whether it was told that a server will be tried again.
    is_told: bool,
}

impl Away {
    /// The user is logged in: whatever comes is news.
    pub(super) fn end(&mut self) {
        *self = Self::default();
    }

    /// Whether nothing has been told of this server.
    pub(super) fn is_unknown(&self, server: usize) -> bool {
        !self.is_told && self.told.get(server).is_none_or(Option::is_none)
    }

    /// Whether it was told that a server will be tried again.
    pub(super) fn is_told(&self) -> bool {
        self.is_told
    }

    /// It is told now.
    pub(super) fn tell(&mut self) {
        self.is_told = true;
    }

    /// Notes how a server has failed; whether that is news.
    pub(super) fn note(&mut self, server: usize, how: &str) -> bool {
        if self.told.len() <= server {
            self.told.resize(server + 1, None);
        }
        let Some(told) = self.told.get_mut(server) else { return true };
        let is_news = told.as_deref() != Some(how);
        *told = Some(how.to_owned());
        is_news
    }
}
