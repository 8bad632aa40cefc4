//! What the hub has to say, and to whom. Doors make bytes out of events.

use super::names::UserName;
use super::session::SessionId;

/// Who hears an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Audience {
    /// One session: an answer to its command.
    One(SessionId),
    /// Every session but this one.
    Others(SessionId),
    /// Every session of an account, without the one that spoke.
    Account {
        /// Whose sessions.
        name: UserName,
        /// The session that is left out.
        except: SessionId,
    },
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A public message.
    Said(Message),
    /// A direct message.
    Told(Message),
    /// The session is in.
    Welcome {
        /// Its account's name.
        name: UserName,
        /// Accounts online, this one too.
        online: usize,
    },
    /// The account is logged in as often as it may be; the session is not in.
    SessionsFull {
        /// How often that is.
        sessions: u32,
    },
    /// A public message was queued for so many sessions.
    Sent {
        /// How many.
        hearers: usize,
    },
    /// A direct message was queued for the sessions of this account.
    SentTo {
        /// Whose.
        name: UserName,
    },
    /// A direct message to this account would reach somebody.
    Found {
        /// Whom.
        name: UserName,
    },
    /// A direct message to this name reaches (or would reach) nobody.
    NotOnline {
        /// Whom; as registered if that is known, else as it was asked for.
        name: UserName,
    },
    /// Who is online.
    Online {
        /// In lower-case order, as many as a list may show.
        names: Vec<UserName>,
        /// How many there are.
        matching: usize,
    },
}

/// What somebody said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// One a message, the same for all who hear it, strictly increasing; `id >> 20` is its Unix time in milliseconds.
    pub id: u64,
    /// Whose words.
    pub from: UserName,
    /// The words.
    pub text: Box<str>,
}
