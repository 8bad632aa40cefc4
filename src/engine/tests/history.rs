//! Planned runs with the history.
