//! The web door in the engine.

use super::Engine;
use super::id::ConnId;
use crate::door::web::Fetch;

impl<S> Engine<S> {
    /// Takes a request of a browser.
    pub(super) fn on_fetch(&mut self, _id: ConnId, _fetch: &Fetch<'_>) {}
}
