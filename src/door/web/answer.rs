//! Answers to requests, and the codes with which conversations close.

use super::files::{File, Files};
use super::frame::code;
use super::policy::{GUARDS, page_fields};
use super::request::{PROTOCOL, Upgrade};
use crate::close::CloseReason;
use crate::door::http::{Answer, Status};

/// The answer to a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fetched<'a> {
    /// The head of the page; its bytes follow. `authority` is the value of the `Host` field.
    Page {
        /// The name of the server that the page may talk to.
        authority: &'a str,
    },
    /// The client has this page.
    NotModified,
    /// The head of a file; its bytes follow.
    File(&'a File),
    /// A status and a text.
    Text(Status, &'a str),
    /// The conversation begins.
    Upgraded(&'a Upgrade),
}

impl Fetched<'_> {
    /// The status.
    pub fn status(&self) -> Status {
        match self {
            Self::Page { .. } | Self::File(_) => Status::Ok,
            Self::NotModified => Status::NotModified,
            Self::Text(status, _) => *status,
            Self::Upgraded(_) => Status::Switching,
        }
    }

    /// Appends it to `out`, without the bytes of a file. As [`Answer::encode`].
    pub(super) fn encode(&self, has_body: bool, is_last: bool, out: &mut Vec<u8>) {
        let files = Files::of_page();
        let close = if is_last { "Connection: close\r\n" } else { "" };
        let head = match self {
            Self::Text(status, text) => return Answer::text(*status, text).encode(has_body, is_last, out),
            Self::Page { authority } => {
                let (length, media_type) = (files.index.at.len(), files.index.media_type);
                format!(
                    "HTTP/1.1 200 OK\r\nContent-Type: {media_type}\r\nContent-Length: {length}\r\n\
                     Cache-Control: no-cache\r\nETag: \"{}\"\r\n{}{close}\r\n",
                    files.hash,
                    page_fields(authority)
                )
            }
            Self::NotModified => format!(
                "HTTP/1.1 304 Not Modified\r\nCache-Control: no-cache\r\nETag: \"{}\"\r\n{close}\r\n",
                files.hash
            ),
            Self::File(file) => format!(
                "HTTP/1.1 200 OK\r\nContent-Type: {}\r\nContent-Length: {}\r\n\
                 Cache-Control: public, max-age=31536000, immutable\r\n{GUARDS}{close}\r\n",
                file.media_type,
                file.at.len()
            ),
            Self::Upgraded(Upgrade { accept, names_protocol }) => {
                let protocol =
                    if *names_protocol { format!("Sec-WebSocket-Protocol: {PROTOCOL}\r\n") } else { String::new() };
                format!(
                    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                     Sec-WebSocket-Accept: {accept}\r\n{protocol}\r\n"
                )
            }
        };
        out.extend_from_slice(head.as_bytes());
    }
}

/// The status for a connection that closes before its upgrade: the fault is that of the client's bytes, or the server's
/// state.
pub fn status_of(reason: &CloseReason) -> Status {
    match reason {
        CloseReason::NotAChatClient
        | CloseReason::ProxyHeader
        | CloseReason::NoProxyHeader
        | CloseReason::NotTls
        | CloseReason::TlsFailed
        | CloseReason::BadWebSocketFrame
        | CloseReason::LineNeverEnded
        | CloseReason::TooManyBadLines => Status::BadRequest,
        CloseReason::TooManyFromAddress => Status::TooManyRequests,
        CloseReason::Banned(_) | CloseReason::PutOut(_) => Status::Forbidden,
        CloseReason::LoginTooLong
        | CloseReason::TooManyFailures
        | CloseReason::TooSlow
        | CloseReason::ServerFull
        | CloseReason::LoggedInAlready(_)
        | CloseReason::PasswordChanged
        | CloseReason::Replaced
        | CloseReason::ShuttingDown(_)
        | CloseReason::Internal
        | CloseReason::RoomLocked
        | CloseReason::RoomFull
        | CloseReason::RoomClosed
        | CloseReason::Kicked => Status::Unavailable,
    }
}

/// The code with which a conversation closes for a reason.
pub(super) fn code_of(reason: &CloseReason) -> u16 {
    match reason {
        CloseReason::ShuttingDown(_) => code::GOING_AWAY,
        CloseReason::BadWebSocketFrame => code::PROTOCOL,
        CloseReason::LineNeverEnded => code::TOO_BIG,
        CloseReason::Internal => code::INTERNAL,
        CloseReason::ServerFull | CloseReason::TooSlow => code::TRY_LATER,
        CloseReason::LoginTooLong
        | CloseReason::TooManyFailures
        | CloseReason::TooManyBadLines
        | CloseReason::NotAChatClient
        | CloseReason::ProxyHeader
        | CloseReason::NoProxyHeader
        | CloseReason::NotTls
        | CloseReason::TlsFailed
        | CloseReason::TooManyFromAddress
        | CloseReason::LoggedInAlready(_)
        | CloseReason::PasswordChanged
        | CloseReason::Replaced
        | CloseReason::PutOut(_)
        | CloseReason::Banned(_)
        | CloseReason::RoomLocked
        | CloseReason::RoomFull
        | CloseReason::RoomClosed
        | CloseReason::Kicked => code::POLICY,
    }
}
