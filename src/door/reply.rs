//! The server's own replies at the line door: a code and a text for each.

use std::fmt::Write as _;

use super::help;
use super::operations::Operation;
use super::recall::{Notice, Recalled};
use super::token::RoomToken;
use super::wire::Wire;
use crate::close::CloseReason;
use crate::hub::names::{NameError, RoomName, UserName};
use crate::hub::profile::ProfileKey;
use crate::hub::record::Topic;
use crate::limits::{AWAY_BYTES, NAME_BYTES, NAME_CHARS, PASSWORD_MAX_BYTES, TOPIC_BYTES};
use crate::secret::Masked;

/// A reply of the server to one client, which is no event of the hub.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// 220: the greeting.
    Greeting,
    /// The answer to a ping of a WebSocket, with its payload.
    Pong(Box<[u8]>),
    /// 331: asks for the password of this account. Also sent for unknown names while registration is closed.
    AskPassword(UserName),
    /// 332: asks for the password of a new account.
    AskNewPassword(UserName),
    /// 553: the text does not have the form of a name.
    BadName,
    /// 553: several words instead of a name, and the second one is no token.
    NameOfWords,
    /// 553: the name is reserved.
    ReservedName(UserName),
    /// 553: the name is banned, so it cannot be registered.
    BannedName(UserName),
    /// 553: another client has registered the name in the meantime.
    NameTaken(UserName),
    /// 450: the server has as many accounts as it may.
    NoNewAccounts,
    /// 553: no guest may have this name.
    GuestRefused {
        /// Why.
        why: GuestRefusal,
        /// True at the login, where a name is asked for again.
        is_login: bool,
    },
    /// 554: the session is that of a guest.
    NeedsAccount,
    /// 553: the text is not a well-formed room name.
    BadRoomName,
    /// 553: the room's name is reserved.
    ReservedRoomName,
    /// 227: the session has entered a room.
    Entered {
        /// The room, as its maker spelled it.
        room: RoomName,
        /// The token of the session's place in the room.
        token: RoomToken,
        /// The UDP port that accepts datagrams with the token, if there is one.
        port: Option<u16>,
        /// Days for which the room's messages are kept, if it is a kept room.
        kept: Option<u32>,
        /// What the room is about, if it has a topic.
        topic: Option<Box<Topic>>,
    },
    /// The answer to a request for what was said before.
    Recalled(Box<Recalled>),
    /// A notice about what is kept.
    Notice(Notice),
    /// 200: the password prompt was cancelled; asks for a name again.
    LoginCancelled,
    /// 501: the password is too short or too long. Holds the least size in bytes.
    PasswordSize(u32),
    /// 530: the password is wrong. Holds the number of tries left.
    WrongPassword(u32),
    /// 531: the resume token is refused; asks for the password instead.
    TokenRefused,
    /// 450: the queue of passwords to check is full. Holds the seconds to wait.
    Busy(u32),
    /// 450: the account file cannot be written now.
    CannotSave,
    /// 450, in PASSWD: the password was changed too often recently. Holds the seconds to wait.
    TooManyChanges(u64),
    /// 331, in PASSWD: asks for the current password.
    AskOldPassword,
    /// 332, in PASSWD: asks for the new password.
    AskNextPassword,
    /// 530, in PASSWD: the current password is wrong.
    WrongOldPassword,
    /// 200, in PASSWD: the password was changed.
    PasswordChanged,
    /// 231: a resume token, and its lifetime in seconds.
    Token(Masked<String>, u64),
    /// 200: a prompt was cancelled.
    Cancelled,
    /// 200: the operation was carried out.
    Done,
    /// 221: goodbye.
    Bye,
    /// 350: asks for a name and a message.
    AskNameAndMessage,
    /// 354: asks for a message.
    AskMessage,
    /// 500: the line is too long. Holds the bound in bytes.
    LineTooLong(usize),
    /// 501: the line contains forbidden bytes or characters.
    BadBytes,
    /// 501: the room's password is too long.
    RoomPasswordSize,
    /// 554: the room's password is wrong.
    WrongRoomPassword,
    /// 450: too many wrong room passwords. Holds the seconds to wait.
    TooManyGuesses(u32),
    /// 501: wrong arguments. Holds the operation's usage.
    Usage(&'static str),
    /// 501: a line of a typed session begins with neither `C ` nor `D `.
    NeitherCommandNorData,
    /// 502: no operation has this verb.
    UnknownOperation,
    /// 503: a `D` line without a prompt.
    NotNow,
    /// 550: no account and no guest can have this name.
    NoSuchUser,
    /// 550: no room has this name.
    NoSuchRoom,
    /// 214: the help for one operation, as lines.
    Help(&'static [&'static str]),
    /// 214: the help for all operations.
    HelpOnAll {
        /// True for operators, who see theirs too.
        is_operator: bool,
        /// Days for which messages are kept; `None` if none are.
        keep_days: Option<u32>,
    },
    /// 501: the topic is too long.
    TopicSize,
    /// 501: the text of AWAY is too long.
    AwaySize,
    /// 501: this key of a profile takes no such value.
    BadValue(ProfileKey),
    /// 550: guests are not ignored one by one.
    GuestsAreIgnoredTogether,
    /// At the IRC door: the password is right, or the new account is on disk. The session has not begun.
    Proved {
        /// The account's name as it was registered.
        name: UserName,
    },
    /// 421: the server closes the connection for this reason.
    Closing(CloseReason),
}

/// Why a guest may not have a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GuestRefusal {
    /// The text does not have the form of a name.
    Shape,
    /// The name is reserved.
    Reserved,
    /// Another guest has it.
    Taken,
}

impl From<NameError> for GuestRefusal {
    fn from(why: NameError) -> Self {
        match why {
            NameError::Shape => Self::Shape,
            NameError::Reserved => Self::Reserved,
        }
    }
}

impl Reply {
    /// The help on all operations. Only operators see theirs. `keep_days` is for how many days messages are kept; `None`
    /// if none are.
    pub fn help(is_operator: bool, keep_days: Option<u32>) -> Self {
        Self::HelpOnAll { is_operator, keep_days }
    }

    /// The help on the operators' commands; to others the operation does not exist.
    pub fn help_on_op(is_operator: bool) -> Self {
        if is_operator { Self::Help(Operation::Op.help()) } else { Self::UnknownOperation }
    }

    /// Appends the reply to `out` as whole lines.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let mut out = Wire(out);
        let result = match self {
            Self::Pong(_) => Ok(()),       // only the web door has pings
            Self::Proved { .. } => Ok(()), // only the IRC door asks for that
            Self::Greeting => writeln!(out, "C 220 chatd {} ready; your name?", env!("CARGO_PKG_VERSION")),
            Self::AskPassword(name) => writeln!(out, "C 331 {name}, your password?"),
            Self::AskNewPassword(name) => writeln!(out, "C 332 {name} is new here; choose a password"),
            Self::BadName => writeln!(
                out,
                "C 553 a name is a letter, then letters, digits or _ . - and at most {NAME_BYTES} in all; your name?"
            ),
            Self::NameOfWords => {
                writeln!(out, "C 553 a name is one word, for example zoe.miller; your name?")
            }
            Self::ReservedName(name) => writeln!(out, "C 553 {name} is reserved; your name?"),
            Self::BannedName(name) => writeln!(out, "C 553 {name} cannot be registered; your name?"),
            Self::NameTaken(name) => writeln!(out, "C 553 {name} was just taken; your name?"),
            Self::GuestRefused { why, is_login } => encode_guest_refused(&mut out, *why, *is_login),
            Self::NeedsAccount => writeln!(out, "C 554 {NEEDS_ACCOUNT}"),
            Self::NoNewAccounts => writeln!(out, "C 450 no new accounts; your name?"),
            Self::BadRoomName => writeln!(out, "C 553 a room's name is 1 to {NAME_CHARS} letters, digits or _ . -"),
            Self::ReservedRoomName => writeln!(out, "C 553 that name is reserved"),
            Self::Entered { room, token, port, kept, topic: _ } => encode_entered(&mut out, room, token, *port, *kept),
            Self::Recalled(_) | Self::Notice(_) => Ok(()), // the line door spells them for its dialects
            Self::WrongRoomPassword => writeln!(out, "C 554 wrong room password"),
            Self::TooManyGuesses(seconds) => {
                writeln!(out, "C 450 too many wrong room passwords, try again in {seconds} s")
            }
            Self::LoginCancelled => writeln!(out, "C 200 cancelled; your name?"),
            Self::PasswordSize(least) => {
                writeln!(out, "C 501 a password has {least} to {PASSWORD_MAX_BYTES} bytes; your password?")
            }
            Self::WrongPassword(1) => writeln!(out, "C 530 wrong password; 1 try left"),
            Self::WrongPassword(left) => writeln!(out, "C 530 wrong password; {left} tries left"),
            Self::TokenRefused => writeln!(out, "C 531 token refused; your password?"),
            Self::Busy(seconds) => writeln!(out, "C 450 busy, try again in {seconds} s"),
            Self::CannotSave => writeln!(out, "C 450 accounts cannot be saved now, try again in 30 s"),
            Self::TooManyChanges(seconds) => writeln!(out, "C 450 too many new passwords, try again in {seconds} s"),
            Self::AskOldPassword => writeln!(out, "C 331 your old password?"),
            Self::AskNextPassword => writeln!(out, "C 332 choose a new password"),
            Self::WrongOldPassword => writeln!(out, "C 530 wrong password; yours is unchanged, PASSWD tries again"),
            Self::PasswordChanged => writeln!(out, "C 200 password changed; other sessions and older tokens are void"),
            Self::Token(Masked(token), seconds) => writeln!(out, "C 231 {token} expires={seconds}"),
            Self::Cancelled => writeln!(out, "C 200 cancelled"),
            Self::Done => writeln!(out, "C 200 done"),
            Self::Bye => writeln!(out, "C 221 bye"),
            Self::AskNameAndMessage => writeln!(out, "C 350 name and message?"),
            Self::AskMessage => writeln!(out, "C 354 your message?"),
            Self::LineTooLong(bound) => writeln!(out, "C 500 line too long; at most {bound} bytes"),
            Self::BadBytes => {
                writeln!(out, "C 501 bad bytes; a line is UTF-8 text without control or invisible characters")
            }
            Self::RoomPasswordSize => writeln!(out, "C 501 a room's password has 1 to {PASSWORD_MAX_BYTES} bytes"),
            Self::Usage(usage) => writeln!(out, "C 501 usage: {usage}"),
            Self::NeitherCommandNorData => writeln!(out, "C 501 a line begins with C or D, then a space"),
            Self::UnknownOperation => {
                writeln!(out, "C 502 unknown operation; PM hello says it to everybody, HELP lists all")
            }
            Self::NotNow => writeln!(out, "C 503 no message was asked for; PM, DM or RM first"),
            Self::NoSuchUser => writeln!(out, "C 550 no such user"),
            Self::NoSuchRoom => writeln!(out, "C 550 no such room; ROOMS lists all"),
            Self::Help(lines) => encode_list(&mut out, 214, lines),
            Self::HelpOnAll { is_operator, keep_days } => encode_help(&mut out, *is_operator, *keep_days),
            Self::TopicSize => writeln!(out, "C 501 a topic has at most {TOPIC_BYTES} bytes"),
            Self::AwaySize => writeln!(out, "C 501 the text has at most {AWAY_BYTES} bytes"),
            Self::BadValue(key) => encode_bad_value(&mut out, *key),
            Self::GuestsAreIgnoredTogether => writeln!(out, "C 550 guests are ignored together: IGNORE ~"),
            Self::Closing(reason) => writeln!(out, "C 421 {reason}"),
        };
        debug_assert!(result.is_ok(), "formatting into bytes cannot fail");
    }

    /// Whether this reply is a 500 or 501. The caller counts such lines and closes a connection after too many.
    pub fn is_bad_line(&self) -> bool {
        matches!(
            self,
            Self::LineTooLong(_)
                | Self::BadBytes
                | Self::Usage(_)
                | Self::NeitherCommandNorData
                | Self::PasswordSize(_)
                | Self::RoomPasswordSize
                | Self::TopicSize
                | Self::AwaySize
                | Self::BadValue(_)
        )
    }

    /// Whether this reply is a 450 for a server that is busy or full. The answered line counts towards no limit.
    pub fn is_busy(&self) -> bool {
        matches!(self, Self::Busy(_) | Self::CannotSave | Self::TooManyChanges(_) | Self::NoNewAccounts)
    }
}

/// Why a guest may not do something.
pub(super) const NEEDS_ACCOUNT: &str = "that needs an account, and you are a guest";

/// Encodes why a guest may not have a name, and asks for another one at the login.
fn encode_guest_refused(out: &mut Wire<'_>, why: GuestRefusal, is_login: bool) -> std::fmt::Result {
    let asks = if is_login { "; your name?" } else { "" };
    match why {
        GuestRefusal::Shape => {
            writeln!(out, "C 553 a guest's name is ~ and 1 to {NAME_CHARS} letters, digits or _ . -{asks}")
        }
        GuestRefusal::Reserved => writeln!(out, "C 553 that name is reserved{asks}"),
        GuestRefusal::Taken => writeln!(out, "C 553 another guest has that name{asks}"),
    }
}

/// Encodes the entry into a room.
fn encode_entered(
    out: &mut Wire<'_>,
    room: &RoomName,
    token: &RoomToken,
    port: Option<u16>,
    kept: Option<u32>,
) -> std::fmt::Result {
    let port = port.map_or_else(String::new, |port| format!(" udp={port}"));
    let kept = kept.map_or_else(String::new, |days| format!(" kept={days}"));
    writeln!(out, "C 227 {room} token={}{port}{kept}", token.encode())
}

/// Encodes what a key of a profile takes.
fn encode_bad_value(out: &mut Wire<'_>, key: ProfileKey) -> std::fmt::Result {
    let (word, most) = (key.word(), key.most_bytes());
    match key {
        ProfileKey::Url => {
            writeln!(out, "C 501 {word} begins with http:// or https://, and has no spaces and at most {most} bytes")
        }
        ProfileKey::Seen => writeln!(out, "C 501 {word} is none, which hides when you were there, or - to show it"),
        ProfileKey::Name | ProfileKey::Status | ProfileKey::Pronouns | ProfileKey::Zone | ProfileKey::About => {
            writeln!(out, "C 501 {word} has at most {most} bytes")
        }
    }
}

/// Encodes the help on all operations, which ends with what is kept.
fn encode_help(out: &mut Wire<'_>, is_operator: bool, keep_days: Option<u32>) -> std::fmt::Result {
    for line in help::general(is_operator, keep_days.is_some()) {
        writeln!(out, "C 214-{line}")?;
    }
    match keep_days {
        None => writeln!(out, "C 214 nothing of what is said is kept"),
        Some(days) => {
            let days = Days(days);
            writeln!(out, "C 214-kept for {days}: what you say to everybody, to one person, in kept rooms")?;
            writeln!(out, "C 214 nothing is kept of what is said in other rooms")
        }
    }
}

/// A number of days, for people.
pub(super) struct Days(pub(super) u32);

impl std::fmt::Display for Days {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} day{}", self.0, if self.0 == 1 { "" } else { "s" })
    }
}

/// Encodes a reply of several lines. All but the last have `-` after the code.
fn encode_list(out: &mut Wire<'_>, code: u16, lines: &[&str]) -> std::fmt::Result {
    for (index, line) in lines.iter().enumerate() {
        let mark = if index + 1 == lines.len() { ' ' } else { '-' };
        writeln!(out, "C {code}{mark}{line}")?;
    }
    Ok(())
}
