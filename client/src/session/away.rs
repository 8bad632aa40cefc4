//! Which failures have been reported while no server can be reached: each state is reported once, not each attempt.

/// The reports since the last login.
#[derive(Debug, Default)]
pub(super) struct Away {
    /// For each server, by its index: its reported failure.
    told: Vec<Option<String>>,
    /// Whether it has been reported that a server will be tried again.
    is_told: bool,
}

impl Away {
    /// The user is logged in: the next failure is news.
    pub(super) fn end(&mut self) {
        *self = Self::default();
    }

    /// Whether nothing has been reported of this server.
    pub(super) fn is_unknown(&self, server: usize) -> bool {
        !self.is_told && self.told.get(server).is_none_or(Option::is_none)
    }

    /// Whether it has been reported that a server will be tried again.
    pub(super) fn is_told(&self) -> bool {
        self.is_told
    }

    /// It is being reported now.
    pub(super) fn tell(&mut self) {
        self.is_told = true;
    }

    /// Notes the failure of a server. True if it is news.
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
