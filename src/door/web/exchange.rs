//! The requests of one connection, before its conversation.

use super::answer::{Fetched, status_of};
use super::request::Fetch;
use crate::close::CloseReason;
use crate::door::http::{self, Answer, Head, Method, Parsed, Status};
use crate::door::inbox::Cut;
use crate::limits::REQUESTS_A_CONNECTION;

/// The requests of one connection, one at a time.
#[derive(Debug)]
pub(super) struct Exchange {
    /// Requests that the connection may still carry.
    left: u8,
    /// A request has begun that is not answered.
    has_begun: bool,
    /// The answer to the request has a body.
    has_body: bool,
    /// The connection closes after the answer.
    is_last: bool,
}

impl Exchange {
    /// Of a new connection.
    pub(super) fn new() -> Self {
        Self { left: REQUESTS_A_CONNECTION, has_begun: false, has_body: true, is_last: false }
    }

    /// True if the answer to the last request has a body.
    pub(super) fn has_body(&self) -> bool {
        self.has_body
    }

    /// True if no other request follows the answer to the last one.
    pub(super) fn is_last(&self) -> bool {
        self.is_last
    }

    /// Looks for a request at the start of `bytes`.
    pub(super) fn cut(&mut self, bytes: &[u8]) -> Cut {
        self.has_begun = !bytes.is_empty();
        match http::parse(bytes) {
            Parsed::Whole(_, length) => Cut::Line { end: length, next: length },
            Parsed::Refused(..) => Cut::Line { end: bytes.len(), next: bytes.len() },
            Parsed::Partial => Cut::Partial { keep: 0 },
        }
    }

    /// Decodes what [`cut`](Self::cut) has found.
    pub(super) fn decode<'a>(&mut self, bytes: &'a [u8]) -> Fetch<'a> {
        (self.has_begun, self.has_body) = (true, true);
        self.left = self.left.saturating_sub(1);
        match http::parse(bytes) {
            Parsed::Whole(head, _) => {
                let Head { method, keeps_open, .. } = *head;
                self.has_body = method != Method::Head;
                self.is_last = !keeps_open || self.left == 0;
                Fetch::of(&head)
            }
            Parsed::Refused(status, why) => self.refused(status, why),
            Parsed::Partial => self.refused(Status::BadRequest, "this is no HTTP/1.1 request"),
        }
    }

    /// Appends the answer to the last request to `out`.
    pub(super) fn encode(&mut self, answer: &Fetched<'_>, out: &mut Vec<u8>) {
        self.has_begun = false;
        answer.encode(self.has_body, self.is_last, out);
    }

    fn refused(&mut self, status: Status, why: &'static str) -> Fetch<'static> {
        self.is_last = true;
        Fetch::refused(status, why)
    }

    /// Answers a request that has begun, or is the first, because the connection closes. Clients take an answer that
    /// nobody has asked for as one to their next request, so there is none between two.
    pub(super) fn encode_close(&mut self, reason: &CloseReason, out: &mut Vec<u8>) {
        let is_new = self.left == REQUESTS_A_CONNECTION; // its first request comes, or it is no client of ours
        if (std::mem::take(&mut self.has_begun) || is_new) && *reason != CloseReason::TooSlow {
            self.is_last = true;
            Answer::text(status_of(reason), &format!("{reason}\n")).encode(self.has_body, true, out);
        }
    }
}
