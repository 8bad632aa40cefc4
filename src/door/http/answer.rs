//! Answers: a status line, a few fields, and a body of known length.

/// The status of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// 200.
    Ok,
    /// 101: the conversation begins.
    Switching,
    /// 304: the client has it.
    NotModified,
    /// 400: no HTTP, or a request that could be read in several ways. The connection closes.
    BadRequest,
    /// 401: a token is needed.
    Unauthorized,
    /// 404: nothing is here.
    NotFound,
    /// 405: neither GET nor HEAD.
    MethodNotAllowed,
    /// 403: a page of another site asks.
    Forbidden,
    /// 421: the Host is none that this server answers to.
    Misdirected,
    /// 426: a WebSocket is needed, of the version that is spoken here.
    UpgradeRequired,
    /// 429: too many requests.
    TooManyRequests,
    /// 431: the head is too long, or has too many fields. The connection closes.
    HeadTooLarge,
    /// 503: the server is full, stopping, or not ready.
    Unavailable,
}

impl Status {
    /// All statuses, each at its [index](Self::index).
    pub const ALL: [Self; 13] = [
        Self::Ok,
        Self::Switching,
        Self::NotModified,
        Self::BadRequest,
        Self::Unauthorized,
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::Forbidden,
        Self::Misdirected,
        Self::UpgradeRequired,
        Self::TooManyRequests,
        Self::HeadTooLarge,
        Self::Unavailable,
    ];

    /// Its index in a table of counters.
    pub fn index(self) -> usize {
        self as usize
    }

    /// The code.
    pub fn code(self) -> u16 {
        match self {
            Self::Ok => 200,
            Self::Switching => 101,
            Self::NotModified => 304,
            Self::BadRequest => 400,
            Self::Unauthorized => 401,
            Self::NotFound => 404,
            Self::MethodNotAllowed => 405,
            Self::Forbidden => 403,
            Self::Misdirected => 421,
            Self::UpgradeRequired => 426,
            Self::TooManyRequests => 429,
            Self::HeadTooLarge => 431,
            Self::Unavailable => 503,
        }
    }

    /// The phrase behind the code.
    fn phrase(self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::Switching => "Switching Protocols",
            Self::NotModified => "Not Modified",
            Self::BadRequest => "Bad Request",
            Self::Unauthorized => "Unauthorized",
            Self::NotFound => "Not Found",
            Self::MethodNotAllowed => "Method Not Allowed",
            Self::Forbidden => "Forbidden",
            Self::Misdirected => "Misdirected Request",
            Self::UpgradeRequired => "Upgrade Required",
            Self::TooManyRequests => "Too Many Requests",
            Self::HeadTooLarge => "Request Header Fields Too Large",
            Self::Unavailable => "Service Unavailable",
        }
    }

    /// The field that this status needs, whole, with its line's end.
    fn field(self) -> &'static str {
        match self {
            Self::Unauthorized => "WWW-Authenticate: Bearer\r\n",
            Self::MethodNotAllowed => "Allow: GET, HEAD\r\n",
            Self::TooManyRequests | Self::Unavailable => "Retry-After: 10\r\n",
            Self::UpgradeRequired => "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n",
            Self::Ok
            | Self::Switching
            | Self::NotModified
            | Self::BadRequest
            | Self::NotFound
            | Self::Forbidden
            | Self::Misdirected
            | Self::HeadTooLarge => "",
        }
    }
}

/// An answer, for the bodies of which nothing of a request is repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer<'a> {
    /// The status.
    pub status: Status,
    /// The media type of the body.
    pub media_type: &'static str,
    /// The body.
    pub body: &'a [u8],
}

impl<'a> Answer<'a> {
    /// Plain text for people.
    pub fn text(status: Status, body: &'a str) -> Self {
        Self { status, media_type: "text/plain; charset=utf-8", body: body.as_bytes() }
    }

    /// Appends the answer to `out`. `has_body` is false for an answer to HEAD, which has the length of the body and
    /// not the body. `is_last` says that the connection closes.
    pub fn encode(&self, has_body: bool, is_last: bool, out: &mut Vec<u8>) {
        let Self { status, media_type, body } = self;
        let close = if is_last { "Connection: close\r\n" } else { "" };
        let head = format!(
            "HTTP/1.1 {} {}\r\nContent-Type: {media_type}\r\nContent-Length: {}\r\nCache-Control: no-store\r\n\
             X-Content-Type-Options: nosniff\r\n{}{close}\r\n",
            status.code(),
            status.phrase(),
            body.len(),
            status.field(),
        );
        out.extend_from_slice(head.as_bytes());
        if has_body {
            out.extend_from_slice(body);
        }
    }
}
