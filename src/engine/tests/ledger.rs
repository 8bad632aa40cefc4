//! The shadow model: all messages and their receivers, from the lines on the wire alone.
//!
//! Each text contains its number in the ledger. Typed lines contain the id of the message, and ids rise in the hub's
//! order. So every client must see rising ids, and of each place that it hears it must see every id between its first
//! and its last. Replies 250 say how many receivers a message has; all of them must hear it, except those that were
//! closed as too slow or reset.

use std::collections::{BTreeMap, BTreeSet};

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

/// One note of a client, in the order of its lines.
#[derive(Clone, Copy, Debug)]
pub(super) enum Note {
    /// It hears this place from here on …
    In(Place),
    /// … or no longer.
    Out(Place),
    /// It has heard a message.
    Heard(u32),
    /// Its own message was accepted.
    Said(u32),
}

/// A message.
#[derive(Debug)]
struct Message {
    from: usize,
    place: Place,
    sent_at: Millis,
    answered_at: Millis,
    /// The number of receivers in the reply.
    hearers: Option<u32>,
    /// The server's id; 0 until a typed line has shown it.
    id: u64,
    heard: u32,
    /// True if it came by a datagram, which receivers that lag do not get.
    may_be_lost: bool,
}

/// All messages.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    messages: Vec<Message>,
}

impl Ledger {
    /// Adds a message that is about to be sent, and returns its number.
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

    /// The server has accepted a message.
    pub(super) fn on_answer(&mut self, number: u32, hearers: Option<u32>, now: Millis) {
        let message = &mut self.messages[number as usize];
        (message.hearers, message.answered_at) = (hearers, now);
    }

    /// The server has shown its sender the id of a message.
    pub(super) fn on_own(&mut self, number: u32, id: u64) {
        let message = &mut self.messages[number as usize];
        assert!(message.id == 0 || message.id == id, "two ids: {id} and {message:?}");
        message.id = id;
    }

    /// A client has heard a message.
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

    /// A receiver hears this message by a datagram, which the ledger does not see.
    pub(super) fn excuse(&mut self, number: u32) {
        self.messages[number as usize].may_be_lost = true;
    }

    /// Where a message was said.
    pub(super) fn place(&self, number: u32) -> Place {
        self.messages[number as usize].place
    }

    /// Who has said a message.
    pub(super) fn speaker(&self, number: u32) -> usize {
        self.messages[number as usize].from
    }

    /// The ids of the messages of some place and speaker, as far as typed lines have shown them.
    pub(super) fn ids(&self, is_it: impl Fn(Place, usize) -> bool) -> BTreeSet<u64> {
        self.messages
            .iter()
            .filter(|message| message.id > 0 && is_it(message.place, message.from))
            .map(|message| message.id)
            .collect()
    }

    /// The id of a message; 0 until a typed line has shown it.
    pub(super) fn id(&self, number: u32) -> u64 {
        self.messages[number as usize].id
    }

    /// The ids that a client has heard in a place, in their order.
    pub(super) fn heard_by(&self, client: &Client, place: Place) -> Vec<u64> {
        let heard = client.notes.iter().filter_map(|note| match note {
            Note::Heard(number) => Some(&self.messages[*number as usize]),
            Note::In(_) | Note::Out(_) | Note::Said(_) => None,
        });
        heard.filter(|message| message.place == place).map(|message| message.id).collect()
    }

    /// How often a message was heard.
    pub(super) fn heard(&self, number: u32) -> u32 {
        self.messages[number as usize].heard
    }

    /// How many messages there are, and how often they were heard.
    pub(super) fn counts(&self) -> (usize, u64) {
        (self.messages.len(), self.messages.iter().map(|message| u64::from(message.heard)).sum())
    }

    /// Checks order and gaps. All connections must have ended, or have read everything.
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
        // Only clients that were closed as too slow or reset may have missed it.
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
