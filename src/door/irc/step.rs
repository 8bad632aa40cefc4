//! What one line of a client leads to: steps, one after the other, and what is being answered.

use crate::door::decoded::Decoded;
use crate::hub::event::Manner;
use crate::hub::names::RoomName;
use crate::secret::Secret;

/// One step: a request, and how its answer is spelled.
#[derive(Debug)]
pub(super) struct Step {
    pub(super) decoded: Decoded<'static>,
    pub(super) asked: Asked,
    /// True if it counts as a line for the rates: each channel of a JOIN, each receiver of a message.
    pub(super) counts: bool,
}

/// What is being answered, and the words of the client that the answer repeats.
#[derive(Debug, Default)]
pub(super) struct Asked {
    pub(super) what: What,
    /// The channel, or what was given as one.
    pub(super) channel: Box<str>,
    /// The nick, or what was given as one.
    pub(super) nick: Box<str>,
    /// True for the last step of a list, which ends it.
    pub(super) is_last: bool,
}

impl Asked {
    /// About neither a channel nor a nick.
    pub(super) fn plain(what: What) -> Self {
        Self { what, is_last: true, ..Self::default() }
    }

    /// About a channel.
    pub(super) fn channel(what: What, channel: impl Into<Box<str>>) -> Self {
        Self { what, channel: channel.into(), nick: "*".into(), is_last: true }
    }

    /// About a nick.
    pub(super) fn nick(what: What, nick: impl Into<Box<str>>) -> Self {
        Self { what, channel: "*".into(), nick: nick.into(), is_last: true }
    }
}

/// What is being answered.
#[derive(Debug, Default)]
pub(super) enum What {
    /// A command without an answer of its own.
    #[default]
    Nothing,
    /// The end of the registration.
    Entering,
    /// The figures of the greeting.
    Burst,
    /// AUTHENTICATE.
    Sasl,
    /// PASS.
    Pass,
    /// REGISTER.
    Register,
    /// A command of NickServ.
    NickServ,
    /// PRIVMSG or NOTICE.
    Message(Manner),
    /// PRIVMSG or NOTICE to the client's own nick, and the text, which comes back if it has no other session.
    ToSelf(Manner, Box<str>),
    /// JOIN.
    Join {
        /// The room; `None` for `&all`.
        room: Option<RoomName>,
        /// The key, for the room that is made if there is none.
        key: Option<Secret<String>>,
        /// True if the room is being made.
        makes: bool,
    },
    /// PART, with its reason.
    Part(Option<Box<str>>),
    /// TOPIC that shows, or sets.
    Topic,
    /// KICK.
    Kick,
    /// INVITE.
    Invite,
    /// NAMES, also of a channel that was entered.
    Names,
    /// `MODE #a`.
    ShowMode,
    /// `MODE #a +k`, `-k`.
    LockMode {
        /// True for `+k`.
        is_set: bool,
    },
    /// Another change of modes.
    SetMode,
    /// Whether somebody is there who is not on the channel.
    NotThere,
    /// WHO of a channel, of a nick, or of a beginning of nicks.
    Who(Box<Fields>),
    /// LIST: the channel that was asked for; `None` for all, or those of a beginning.
    List(Option<Box<str>>),
    /// WHOIS.
    Whois,
    /// ISON.
    Ison,
    /// USERHOST.
    UserHost,
    /// AWAY.
    Away,
    /// NICK.
    Nick,
    /// SETNAME.
    SetName(Box<str>),
    /// MONITOR with `+` or `-`.
    Monitor,
    /// MONITOR with `L`.
    MonitorList,
    /// MONITOR with `C`.
    MonitorClear,
    /// MONITOR with `S`.
    MonitorStatus,
    /// LUSERS.
    Lusers,
    /// CHATHISTORY: its subcommand, and the lines of the pages before.
    History(Box<Past>),
    /// CHATHISTORY TARGETS, between two ids: at most so many, the newest ones or the oldest.
    HistoryTargets { above: u64, below: u64, newest: bool, most: usize },
    /// MARKREAD that sets; the answer is that of the question which follows.
    SetMark,
    /// MARKREAD that asks.
    Mark,
    /// The mark of `&all`, when it is entered; then who is there.
    EntersEverybody,
    /// What waits for the account, when its session begins.
    Waiting,
    /// QUIT, with its text.
    Quit(Option<Box<str>>),
}

/// The fields of a WHOX; none for a plain WHO.
#[derive(Clone, Debug, Default)]
pub(super) struct Fields {
    /// The letters; `None` for a plain WHO.
    pub(super) letters: Option<Box<str>>,
    /// What the client has named its question.
    pub(super) token: Box<str>,
}

/// A CHATHISTORY in several pages.
#[derive(Debug, Default)]
pub(super) struct Past {
    pub(super) subcommand: Box<str>,
    /// The pages so far.
    pub(super) lines: Vec<crate::history::Line>,
}
