//! Virtual clients: how they behave, and what each knows of its connection.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::SocketAddr;

use super::irc_clients::IrcTalk;
use super::ledger::Note;
use super::shadow::Presence;
use crate::engine::{ConnId, Millis, NEVER};

/// Milliseconds after a deadline in which it must be kept; turns take time.
pub(super) const SLACK_MS: Millis = 100;
/// How a client reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reading {
    /// Everything at once.
    All,
    /// This many bytes a millisecond.
    Rate(usize),
    /// Nothing.
    Stopped,
}

/// The behaviour of a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// Logs in, talks, and leaves.
    Talker,
    /// Connects and says nothing.
    Silent,
    /// Sends a byte a second and never ends its line.
    Dribbler,
    /// Tries wrong passwords.
    Guesser,
    /// Logs in and repeats HELP.
    Flooder,
    /// Enters a room at the room door and talks by datagrams.
    Guest,
}

/// How a client leaves after its last operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Going {
    /// It says EX.
    Bye,
    /// It ends its stream.
    End,
    /// It breaks the connection.
    Reset,
    /// It stays until the end of the run.
    Stays,
}

/// How a connection ended, as the client sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// The server sent 421 with this reason.
    Told(String),
    /// The client left, and the server ended the stream.
    Left,
    /// The client reset it.
    Broke,
    /// The server reset it.
    CutOff,
}

/// The reply that a line must get.
#[derive(Debug)]
pub(super) struct Expect {
    /// The codes that are right.
    pub(super) codes: &'static [&'static str],
    pub(super) what: What,
    pub(super) sent_at: Millis,
    /// The size of the line.
    pub(super) bytes: usize,
}

/// The request in the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    Greeting,
    Name,
    Token,
    Password,
    Say(u32),
    Enter {
        room: u8,
        is_wrong: bool,
    },
    Leave(u8),
    Passwd,
    OldPassword,
    NewPassword,
    Bye,
    /// What was said before, or about it.
    Recall,
    /// The same, for the store has more time for it.
    Forget,
    Watch {
        account: u16,
        is_on: bool,
    },
    Ignore {
        account: u16,
        is_on: bool,
    },
    Other,
}

/// One client of one connection.
#[derive(Debug)]
pub(super) struct Client {
    pub(super) addr: SocketAddr,
    pub(super) role: Role,
    /// The number of its account.
    pub(super) account: u16,
    pub(super) is_typed: bool,
    pub(super) reading: Reading,
    /// Whether it reads fast enough that the server must not close it.
    pub(super) is_fair: bool,
    /// Its connection meets a panic of the server.
    pub(super) may_panic: bool,
    pub(super) going: Going,
    /// How many operations are left, and the longest pause between two.
    pub(super) operations: u32,
    pub(super) every_ms: Millis,
    /// How many operations it sends at once.
    pub(super) batch: u32,
    /// The longest text.
    pub(super) text_bytes: u64,
    /// Whether it closes its side when the server has.
    pub(super) closes: bool,
    /// It logs in by token.
    pub(super) has_token: bool,
    /// When it stops reading, and for how long.
    pub(super) stops: Option<(Millis, Millis)>,

    pub(super) is_stirred: bool,
    pub(super) expected: VecDeque<Expect>,
    /// Pieces of bytes to be sent, and when.
    pub(super) outbound: VecDeque<(Millis, Vec<u8>)>,
    pub(super) line: Vec<u8>,
    pub(super) read_at: Millis,
    pub(super) talk_at: Millis,
    pub(super) in_dialogue: bool,
    pub(super) is_connected: bool,
    pub(super) connected_at: Millis,
    pub(super) in_since: Millis,
    pub(super) over_at: Millis,
    /// When it saw the end of the server's stream.
    pub(super) ended_at: Millis,
    pub(super) is_going: bool,
    pub(super) end: Option<End>,
    pub(super) rooms: BTreeSet<u8>,
    pub(super) notes: Vec<Note>,
    /// Lines of what was said before and notices of it, without their `C `, since the test has taken them.
    pub(super) past: Vec<String>,
    /// When the bucket of lines is empty, in microseconds, …
    pub(super) rate_clear_us: u64,
    /// … and the bucket of bytes.
    pub(super) bytes_clear_us: u64,
    /// The token of its latest place in a room.
    pub(super) token: Option<String>,
    /// The id that its connection has or had.
    pub(super) session: Option<ConnId>,
    /// When it last showed its token.
    pub(super) spoke_at: Millis,
    /// When its machine vanishes.
    pub(super) vanishes_at: Millis,
    /// Whether it speaks to everybody.
    pub(super) is_public: bool,
    /// How it sees the accounts that it watches; `tracks` if the model follows that.
    pub(super) watching: BTreeMap<u16, Presence>,
    pub(super) tracks: bool,
    /// What it knows, if it comes by the IRC door.
    pub(super) irc: Option<IrcTalk>,
    /// It may have asked for notices of what is forgotten.
    pub(super) wants_forgets: bool,
}

impl Client {
    pub(super) fn new(addr: SocketAddr, role: Role, account: u16) -> Self {
        Self {
            addr,
            role,
            account,
            is_typed: true,
            reading: Reading::All,
            is_fair: true,
            may_panic: false,
            going: Going::Stays,
            operations: 0,
            every_ms: 1_000,
            batch: 1,
            text_bytes: 60,
            closes: true,
            has_token: false,
            stops: None,
            is_stirred: false,
            expected: VecDeque::new(),
            outbound: VecDeque::new(),
            line: Vec::new(),
            read_at: NEVER,
            talk_at: NEVER,
            in_dialogue: false,
            is_connected: false,
            connected_at: NEVER,
            in_since: NEVER,
            over_at: NEVER,
            ended_at: NEVER,
            is_going: false,
            end: None,
            rooms: BTreeSet::new(),
            notes: Vec::new(),
            past: Vec::new(),
            rate_clear_us: 0,
            bytes_clear_us: 0,
            token: None,
            session: None,
            spoke_at: NEVER,
            vanishes_at: NEVER,
            is_public: true,
            watching: BTreeMap::new(),
            tracks: false,
            irc: None,
            wants_forgets: false,
        }
    }

    pub(super) fn is_guest(&self) -> bool {
        self.role == Role::Guest
    }

    /// Whether it is a guest at the IRC door.
    pub(super) fn is_irc_guest(&self) -> bool {
        self.irc.as_ref().is_some_and(|talk| talk.guest.is_some())
    }

    /// Whether it may be one of the web door, where lines are typed and frames whole.
    pub(super) fn may_come_by_web(&self) -> bool {
        self.is_typed && self.irc.is_none() && !matches!(self.role, Role::Guest | Role::Dribbler)
    }

    pub(super) fn is_over(&self) -> bool {
        self.end.is_some()
    }

    pub(super) fn is_in(&self) -> bool {
        self.in_since != NEVER && !self.is_over()
    }

    /// When it was over, or `now`.
    pub(super) fn over_at_or(&self, now: Millis) -> Millis {
        self.over_at.min(now)
    }

    /// Whether it may have missed messages that were addressed to it.
    pub(super) fn is_lossy(&self) -> bool {
        match &self.end {
            Some(End::Told(reason)) => reason == "too slow",
            Some(End::Left) => false,
            Some(End::Broke | End::CutOff) => true,
            None => self.reading == Reading::Stopped || self.is_guest(),
        }
    }
}
