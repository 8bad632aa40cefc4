//! The head of a request: its first line and its fields.

use httparse::{EMPTY_HEADER, Header, Request};

use super::{Host, Status};
use crate::limits::{HEAD_BYTES, HEAD_FIELDS};

/// The head of a request, borrowed from the bytes that were read.
#[derive(Debug)]
pub struct Head<'a> {
    /// What to do with the target.
    pub method: Method,
    /// The path of the target, which begins with `/`. Escapes stay as they are.
    pub path: &'a str,
    /// The part of the target behind the first `?`; empty if there is none.
    pub query: &'a str,
    /// The value of the one `Host` field.
    pub host: Host<'a>,
    /// Whether the connection may carry another request: HTTP/1.1 without `Connection: close`.
    pub keeps_open: bool,
    fields: [Header<'a>; HEAD_FIELDS],
    count: usize,
}

/// The method of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// The answer has a body.
    Get,
    /// The answer is that of [`Get`](Self::Get) without its body.
    Head,
    /// Any other method, which no resource here has.
    Other,
}

/// The result of looking for a head at the start of the input.
#[derive(Debug)]
pub enum Parsed<'a> {
    /// A whole head, and its length in bytes.
    Whole(Box<Head<'a>>, usize),
    /// The head is not complete.
    Partial,
    /// No head, or one that may not be answered otherwise: the connection closes after this answer, because nobody
    /// can say where the next request begins. With the reason, for the body of the answer.
    Refused(Status, &'static str),
}

/// Looks for a head of at most [`HEAD_BYTES`] at the start of `bytes`, which may contain more than one.
pub fn parse(bytes: &[u8]) -> Parsed<'_> {
    let bounded = bytes.get(..HEAD_BYTES).unwrap_or(bytes);
    let mut fields = [EMPTY_HEADER; HEAD_FIELDS];
    let mut request = Request::new(&mut fields);
    let length = match request.parse(bounded) {
        Ok(httparse::Status::Complete(length)) => length,
        Ok(httparse::Status::Partial) if bytes.len() >= HEAD_BYTES => {
            return Parsed::Refused(Status::HeadTooLarge, "the head has more than 8 KiB");
        }
        Ok(httparse::Status::Partial) => return Parsed::Partial,
        Err(httparse::Error::TooManyHeaders) => {
            return Parsed::Refused(Status::HeadTooLarge, "the head has more than 64 fields");
        }
        Err(_) => return Parsed::Refused(Status::BadRequest, "this is no HTTP/1.1 request"),
    };
    if bounded.get(..length).is_some_and(ends_in_two_ways) {
        return Parsed::Refused(Status::BadRequest, "some lines end with CR LF, others with LF alone");
    }
    let (method, target, version) = (request.method, request.path, request.version);
    let count = request.headers.len();
    match Head::of(method, target, version, fields, count) {
        Ok(head) => Parsed::Whole(Box::new(head), length),
        Err(why) => Parsed::Refused(Status::BadRequest, why),
    }
}

impl<'a> Head<'a> {
    /// Checks what httparse leaves to its caller.
    fn of(
        method: Option<&'a str>,
        target: Option<&'a str>,
        version: Option<u8>,
        fields: [Header<'a>; HEAD_FIELDS],
        count: usize,
    ) -> Result<Self, &'static str> {
        let method = match method {
            Some("GET") => Method::Get,
            Some("HEAD") => Method::Head,
            Some(_) | None => Method::Other,
        };
        let target = target.filter(|target| target.starts_with('/')).ok_or("the target must be a path")?;
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let mut head = Self { method, path, query, host: Host::NONE, keeps_open: version == Some(1), fields, count };
        let host = head.only(b"host").ok_or("exactly one Host is needed")?;
        head.host = Host::parse(host).ok_or("the Host is no name or address with a port")?;
        if head.has_body() {
            return Err("a request here has no body");
        }
        let closes = head.all(b"connection").any(|value| has_word(value, b"close"));
        head.keeps_open &= !closes;
        Ok(head)
    }

    /// The values of all fields of this name, which is in lower case, in their order.
    pub fn all(&self, name: &'static [u8]) -> impl Iterator<Item = &'a [u8]> {
        let fields = self.fields.iter().take(self.count);
        fields.filter(move |field| field.name.as_bytes().eq_ignore_ascii_case(name)).map(|field| field.value)
    }

    /// The value of the only field of this name; `None` if there is none, or more than one.
    pub fn only(&self, name: &'static [u8]) -> Option<&'a [u8]> {
        let mut values = self.all(name);
        values.next().filter(|_| values.next().is_none())
    }

    /// True if a body follows, or may follow by some other reading of the fields.
    fn has_body(&self) -> bool {
        self.all(b"transfer-encoding").next().is_some()
            || self.all(b"content-length").any(|length| length.trim_ascii() != b"0")
    }
}

/// True if a comma-separated list contains `word`, in any case.
fn has_word(list: &[u8], word: &[u8]) -> bool {
    list.split(|byte| *byte == b',').any(|item| item.trim_ascii().eq_ignore_ascii_case(word))
}

/// True if some lines of a head end with CR LF and others with LF alone. People who type into nc send the one, programs
/// the other. A head with both went through a proxy that took the LF for a part of a value: what a stranger wrote behind
/// it would here be a field, or even a request, that the proxy has not seen.
fn ends_in_two_ways(head: &[u8]) -> bool {
    let mut ends = memchr::memchr_iter(b'\n', head).map(|at| head.get(..at).is_some_and(|line| line.ends_with(b"\r")));
    ends.next().is_some_and(|first| ends.any(|end| end != first))
}
