//! The metrics door: HTTP for monitoring programs. It decodes requests and encodes answers; the engine has the figures.

pub(in crate::door) mod request;

#[cfg(test)]
mod tests;

pub use request::{Ask, List, Sort, What};

use super::decoded::Decoded;
use super::http::{self, Answer, Head, Method, Parsed, Status};
use super::inbox::Cut;
use crate::close::CloseReason;
use crate::limits::REQUESTS_A_CONNECTION;

/// The requests of one connection, one at a time.
#[derive(Debug)]
pub struct Metrics {
    /// The listener, by its number.
    listener: usize,
    /// Requests that the connection may still carry.
    left: u8,
    /// A request has begun that is not answered.
    has_begun: bool,
    /// The answer to the request has a body.
    has_body: bool,
    /// The connection closes after the answer.
    is_last: bool,
}

impl Metrics {
    /// The state of a new connection at this listener.
    pub fn new(listener: usize) -> Self {
        Self { listener, left: REQUESTS_A_CONNECTION, has_begun: false, has_body: true, is_last: false }
    }

    /// The listener, by its number.
    pub fn listener(&self) -> usize {
        self.listener
    }

    /// True if no other request follows the answer to the last one.
    pub fn is_over(&self) -> bool {
        self.is_last
    }

    /// Looks for the head of a request at the start of `bytes`. Bytes that are none are cut as they are, so that
    /// [`decode`](Self::decode) refuses them.
    pub fn cut(&mut self, bytes: &[u8]) -> Cut {
        self.has_begun = !bytes.is_empty();
        match http::parse(bytes) {
            Parsed::Whole(_, length) => Cut::Line { end: length, next: length },
            Parsed::Refused(..) => Cut::Line { end: bytes.len(), next: bytes.len() },
            Parsed::Partial => Cut::Partial { keep: 0 },
        }
    }

    /// Decodes what [`cut`](Self::cut) has found.
    pub fn decode<'a>(&mut self, bytes: &'a [u8]) -> Decoded<'a> {
        (self.has_begun, self.has_body) = (true, true);
        self.left = self.left.saturating_sub(1);
        Decoded::Ask(match http::parse(bytes) {
            Parsed::Whole(head, _) => {
                let Head { method, keeps_open, .. } = *head;
                self.has_body = method != Method::Head;
                self.is_last = !keeps_open || self.left == 0;
                Ask::of(&head)
            }
            Parsed::Refused(status, why) => self.refused(status, why),
            Parsed::Partial => self.refused(Status::BadRequest, "this is no HTTP/1.1 request"),
        })
    }

    fn refused(&mut self, status: Status, why: &'static str) -> Ask<'static> {
        self.is_last = true;
        Ask { what: What::Refused(status, why), bearer: None, is_host_ours: false }
    }

    /// Appends the answer to the request to `out`.
    pub fn encode_answer(&mut self, answer: &Answer<'_>, out: &mut Vec<u8>) {
        self.has_begun = false;
        answer.encode(self.has_body, self.is_last, out);
    }

    /// Appends the answer to a request that has begun to `out`, because the connection closes for this reason. Clients
    /// take an answer that nobody has asked for as one to their next request, so there is none then.
    pub fn encode_close(&mut self, reason: &CloseReason, out: &mut Vec<u8>) {
        if std::mem::take(&mut self.has_begun) && *reason != CloseReason::TooSlow {
            self.is_last = true;
            Answer::text(status_of(reason), &format!("{reason}\n")).encode(self.has_body, true, out);
        }
    }

    /// Appends the refusal of a connection that is not admitted to `out`. `bytes` is what the client has sent so far.
    pub fn refuse(&mut self, bytes: &[u8], reason: &CloseReason, out: &mut Vec<u8>) {
        let has_body = !bytes.starts_with(b"HEAD ");
        Answer::text(status_of(reason), &format!("{reason}\n")).encode(has_body, true, out);
    }
}

/// The status for a connection that the server closes: the fault is that of the client's bytes, or the server's state.
fn status_of(reason: &CloseReason) -> Status {
    match reason {
        CloseReason::LineNeverEnded
        | CloseReason::TooManyBadLines
        | CloseReason::NotAChatClient
        | CloseReason::ProxyHeader
        | CloseReason::NoProxyHeader
        | CloseReason::NotTls
        | CloseReason::BadWebSocketFrame
        | CloseReason::TlsFailed => Status::BadRequest,
        CloseReason::LoginTooLong
        | CloseReason::TooManyFailures
        | CloseReason::TooSlow
        | CloseReason::ServerFull
        | CloseReason::TooManyFromAddress
        | CloseReason::LoggedInAlready(_)
        | CloseReason::PasswordChanged
        | CloseReason::Replaced
        | CloseReason::ShuttingDown(_)
        | CloseReason::RoomLocked
        | CloseReason::RoomFull
        | CloseReason::RoomClosed
        | CloseReason::Kicked
        | CloseReason::PutOut(_)
        | CloseReason::Banned(_)
        | CloseReason::Internal => Status::Unavailable,
    }
}
