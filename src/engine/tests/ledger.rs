//! The shadow model: what was said, who heard it, and what follows for everybody from the lines on the wire alone.
//!
//! Each text carries its number in the ledger. Typed lines carry the id that the server gave the message, and ids rise
//! in the order in which the hub took the messages: so there is one order that every client's lines must agree with,
//! and between two messages that a client has heard in a place there can be none of that place that it has not.

use std::collections::BTreeMap;

use super::clients::Client;
use crate::engine::{Millis, NEVER};

/// Where something is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Place {
    /// To everybody.
    All,
    /// In a room, by its number.
    Room(u8),
    /// To an account, by its number.
    Account(u16),
}

/// What a client has noted, in the order of its lines.
#[derive(Clone, Copy, Debug)]
pub(super) enum Note {
    /// It hears a place from here on.
    In(Place),
    /// … and no longer.
    Out(Place),
    /// It has heard a message.
    Heard(u32),
    /// A message of its own was taken.
    Said(u32),
}

/// A message.
#[derive(Debug)]
struct Message {
    from: usize,
    place: Place,
    sent_at: Millis,
    answered_at: Millis,
    /// To how many it was sent, by the answer.
    hearers: Option<u32>,
    /// The server's id; 0 while nobody has heard it in typed lines.
    id: u64,
    heard: u32,
    /// It came by a datagram: receivers that lag do not get it.
    may_be_lost: bool,
}

/// All messages.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    messages: Vec<Message>,
}

impl Ledger {
    /// Somebody is about to say something. Gives its number.
    pub(super) fn say(&mut self, from: usize, place: Place, now: Millis, may_be_lost: bool) -> u32 {
        let message =
            Message { from, place, sent_at: now, answered_at: NEVER, hearers: None, id: 0, heard: 0, may_be_lost };
        self.messages.push(message);
        self.messages.len() as u32 - 1
    }

    /// The text of the next message that is said.
    pub(super) fn next_text(&self) -> String {
        format!("m{} by a guest", self.messages.len())
    }

    /// The server has taken it, for so many hearers if it says.
    pub(super) fn on_answer(&mut self, number: u32, hearers: Option<u32>, now: Millis) {
        let message = &mut self.messages[number as usize];
        (message.hearers, message.answered_at) = (hearers, now);
    }

    /// Somebody has heard it.
    pub(super) fn on_heard(&mut self, number: u32, place: Place, id: Option<u64>, by: usize) {
        let message = &mut self.messages[number as usize];
        assert_ne!(message.from, by, "{by} hears itself: {message:?}");
        assert_eq!(message.place, place, "{by} hears {message:?}");
        message.heard += 1;
        if let Some(id) = id {
            assert!(message.id == 0 || message.id == id, "two ids: {id} and {message:?}");
            message.id = id;
        }
    }

    /// Somebody hears it by a datagram, of which the ledger does not know.
    pub(super) fn excuse(&mut self, number: u32) {
        self.messages[number as usize].may_be_lost = true;
    }

    /// How often a message was heard.
    pub(super) fn heard(&self, number: u32) -> u32 {
        self.messages[number as usize].heard
    }

    /// How many messages there are, and how often they were heard.
    pub(super) fn counts(&self) -> (usize, u64) {
        (self.messages.len(), self.messages.iter().map(|message| u64::from(message.heard)).sum())
    }

    /// Checks that there is one order and no gap. All connections must be over, or have read everything.
    pub(super) fn check(&self, clients: &[Client]) {
        let mut places: BTreeMap<Place, Vec<u64>> = BTreeMap::new();
        for message in self.messages.iter().filter(|message| message.id > 0 && !message.may_be_lost) {
            places.entry(message.place).or_default().push(message.id);
        }
        places.values_mut().for_each(|ids| ids.sort_unstable());
        for (by, client) in clients.iter().enumerate() {
            self.check_client(by, client, &places);
        }
        for (number, message) in self.messages.iter().enumerate() {
            self.check_message(number, message, clients);
        }
    }

    fn check_message(&self, number: usize, message: &Message, clients: &[Client]) {
        let Some(hearers) = message.hearers else { return };
        assert!(message.heard <= hearers, "{number} was heard by {}: {message:?}", message.heard);
        if message.heard == hearers || message.may_be_lost {
            return;
        }
        // Who was cut or has broken off may have missed it, and nobody else.
        let may_have_missed = |client: &&Client| {
            client.is_lossy() && client.in_since <= message.answered_at && client.over_at >= message.sent_at
        };
        let excused = clients.iter().filter(may_have_missed).count();
        let missed = (hearers - message.heard) as usize;
        assert!(missed <= excused, "{missed} have missed {number}, {excused} were cut: {message:?}");
    }

    fn check_client(&self, by: usize, client: &Client, places: &BTreeMap<Place, Vec<u64>>) {
        let mut open: BTreeMap<Place, Vec<u64>> = BTreeMap::new();
        let mut last = 0;
        let close = |place: Place, heard: Vec<u64>| {
            let (Some(first), Some(last)) = (heard.first(), heard.last()) else { return };
            let ids = places.get(&place).map_or(&[][..], Vec::as_slice);
            let from = ids.partition_point(|id| id < first);
            let to = ids.partition_point(|id| id <= last);
            assert_eq!(ids[from..to], heard, "client {by} has a gap in {place:?}: {client:?}");
        };
        for note in &client.notes {
            match note {
                Note::In(place) => {
                    open.entry(*place).or_default();
                }
                Note::Out(place) => {
                    if let Some(heard) = open.remove(place) {
                        close(*place, heard);
                    }
                }
                Note::Heard(number) | Note::Said(number) => {
                    let message = &self.messages[*number as usize];
                    if message.id == 0 {
                        continue;
                    }
                    assert!(message.id > last, "client {by} hears out of order: {message:?} after {last}");
                    last = message.id;
                    if !message.may_be_lost
                        && let Some(heard) = open.get_mut(&message.place)
                    {
                        heard.push(message.id);
                    }
                }
            }
        }
        for (place, heard) in open {
            close(place, heard);
        }
    }
}
