//! What the line door says by itself, as it is spelled: one code and one text for each.

use std::fmt::Write as _;

use super::Masked;
use super::token::RoomToken;
use super::wire::Wire;
use crate::close::CloseReason;
use crate::hub::names::{RoomName, UserName};
use crate::limits::{NAME_BYTES, NAME_CHARS, PASSWORD_MAX_BYTES};

/// A line (or two) of the server to one client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// 220: who answers.
    Greeting,
    /// 331: the account exists, or must not be told from one that does.
    AskPassword(UserName),
    /// 332: the name is free.
    AskNewPassword(UserName),
    /// 553: no name.
    BadName,
    /// 553: several words, and the second one is no token.
    NameOfWords,
    /// 553: the name is kept for the server.
    ReservedName(UserName),
    /// 553: somebody else was faster.
    NameTaken(UserName),
    /// 450: there are as many accounts as there may be.
    NoNewAccounts,
    /// 553: no name for a room.
    BadRoomName,
    /// 553: the name is kept for the server.
    ReservedRoomName,
    /// 227: a room was entered; the place's token, and the port that takes datagrams for it.
    Entered {
        /// Which room.
        room: RoomName,
        /// The token.
        token: RoomToken,
        /// The UDP port, if there is one.
        port: Option<u16>,
    },
    /// 200: the login starts anew.
    LoginCancelled,
    /// 501: a password that may not be one; the least number of bytes that may.
    PasswordSize(u32),
    /// 530: this many tries are left.
    WrongPassword(u32),
    /// 531: the password is asked for instead.
    TokenRefused,
    /// 450: too many passwords wait; seconds.
    Busy(u32),
    /// 450: the account file cannot be written.
    CannotSave,
    /// 450 to PASSWD: it was changed too often of late; seconds until it may be again.
    TooManyChanges(u64),
    /// 331 within PASSWD.
    AskOldPassword,
    /// 332 within PASSWD.
    AskNextPassword,
    /// 530 within PASSWD.
    WrongOldPassword,
    /// 200 at the end of PASSWD.
    PasswordChanged,
    /// 231: a resume token and how many seconds it is good for.
    Token(Masked<String>, u64),
    /// 200.
    Cancelled,
    /// 200.
    Done,
    /// 221.
    Bye,
    /// 350.
    AskNameAndMessage,
    /// 354.
    AskMessage,
    /// 500: longer than this many bytes.
    LineTooLong(usize),
    /// 501: bytes that no line may hold.
    BadBytes,
    /// 501: a room's password that may not be one.
    RoomPasswordSize,
    /// 554: the room has another password.
    WrongRoomPassword,
    /// 450: too many wrong passwords of rooms; seconds.
    TooManyGuesses(u32),
    /// 501: how an operation is spelled.
    Usage(&'static str),
    /// 501: a typed line that is neither C nor D.
    NeitherCommandNorData,
    /// 502.
    UnknownOperation,
    /// 503: data that nobody asked for.
    NotNow,
    /// 550: a name that nobody can have.
    NoSuchUser,
    /// 550: no direct message reaches a guest.
    GuestsHearRooms,
    /// 550: there is no room of that name.
    NoSuchRoom,
    /// 214: all operations, or one.
    Help(&'static [&'static str]),
    /// 421.
    Closing(CloseReason),
}

impl Reply {
    /// Appends the reply to `out`, as whole lines.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let mut out = Wire(out);
        let result = match self {
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
            Self::NameTaken(name) => writeln!(out, "C 553 {name} was just taken; your name?"),
            Self::NoNewAccounts => writeln!(out, "C 450 no new accounts; your name?"),
            Self::BadRoomName => writeln!(out, "C 553 a room's name is 1 to {NAME_CHARS} letters, digits or _ . -"),
            Self::ReservedRoomName => writeln!(out, "C 553 that name is reserved"),
            Self::Entered { room, token, port: None } => writeln!(out, "C 227 {room} token={}", token.encode()),
            Self::Entered { room, token, port: Some(port) } => {
                writeln!(out, "C 227 {room} token={} udp={port}", token.encode())
            }
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
            Self::GuestsHearRooms => {
                writeln!(out, "C 550 a guest is heard in rooms only, and hears rooms only: RM room text")
            }
            Self::NoSuchRoom => writeln!(out, "C 550 no such room; ROOMS lists all"),
            Self::Help(lines) => encode_list(&mut out, 214, lines),
            Self::Closing(reason) => writeln!(out, "C 421 {reason}"),
        };
        debug_assert!(result.is_ok(), "formatting into bytes cannot fail");
    }

    /// Whether the line that is answered so counts as a bad one (500 or 501).
    pub fn is_bad_line(&self) -> bool {
        matches!(
            self,
            Self::LineTooLong(_)
                | Self::BadBytes
                | Self::Usage(_)
                | Self::NeitherCommandNorData
                | Self::PasswordSize(_)
                | Self::RoomPasswordSize
        )
    }

    /// Whether the server could not do its part just now (450): such a line counts towards no limit.
    pub fn is_busy(&self) -> bool {
        matches!(self, Self::Busy(_) | Self::CannotSave | Self::TooManyChanges(_) | Self::NoNewAccounts)
    }
}

/// A reply of several lines: all but the last have `-` after the code.
fn encode_list(out: &mut Wire<'_>, code: u16, lines: &[&str]) -> std::fmt::Result {
    for (index, line) in lines.iter().enumerate() {
        let mark = if index + 1 == lines.len() { ' ' } else { '-' };
        writeln!(out, "C {code}{mark}{line}")?;
    }
    Ok(())
}
