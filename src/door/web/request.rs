//! Requests: the page, its files, and the handshake of a WebSocket.

use std::net::IpAddr;

use data_encoding::BASE64;
use sha1::{Digest as _, Sha1};

use super::files::{File, Files};
use crate::door::http::{Head, Host, Method, Status};

/// The subprotocol that is spoken.
pub const PROTOCOL: &str = "chatd.v1";
/// What is hashed with the key of a handshake (RFC 6455, section 1.3).
const GUID: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// The answer to other requests for the WebSocket.
const NO_HANDSHAKE: &str = "/ws is a WebSocket";

/// A request, borrowed from its head.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetch<'a> {
    /// What is asked for.
    pub what: What,
    /// The name by which the client knows the server.
    pub host: Host<'a>,
    /// The value of the `Host` field, as it was sent.
    pub authority: &'a str,
    /// False if a page of another site has sent it. Programs name no origin.
    pub is_from_here: bool,
    /// The clients before the one that has sent the request, as proxies name them.
    pub forwarded: Forwarded,
}

/// The `X-Forwarded-For` fields of a request, joined.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Forwarded {
    /// There is none.
    Missing,
    /// Something in them is no address.
    Unreadable,
    /// The addresses in their order: each proxy has appended the one that it was asked by.
    By(Vec<IpAddr>),
}

/// A resource, or why there is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// `/`: the page. With whether the client has this one already.
    Page {
        /// The client's copy is as new.
        is_known: bool,
    },
    /// `/a/HASH/NAME`: a file of the page.
    File(File),
    /// `/ws`: the conversation.
    Upgrade(Upgrade),
    /// The request is understood, and answered with this status and text.
    Wrong(Status, &'static str),
    /// The bytes are no request that may be answered otherwise; the connection closes.
    Refused(Status, &'static str),
}

/// A handshake that can be accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upgrade {
    /// The answer to its key.
    pub accept: String,
    /// It has offered the subprotocol.
    pub names_protocol: bool,
}

impl<'a> Fetch<'a> {
    /// The request of a head.
    pub(super) fn of(head: &Head<'a>) -> Self {
        let authority = head.only(b"host").and_then(|host| std::str::from_utf8(host).ok()).unwrap_or_default().trim();
        Self {
            what: What::of(head),
            host: head.host,
            authority,
            is_from_here: head.all(b"origin").all(|origin| is_at(origin, authority)),
            forwarded: Forwarded::of(head),
        }
    }

    /// Bytes that are no request.
    pub(super) fn refused(status: Status, why: &'static str) -> Self {
        let (host, forwarded) = (Host::Name(""), Forwarded::Missing);
        Self { what: What::Refused(status, why), host, authority: "", is_from_here: true, forwarded }
    }
}

/// Whether an `Origin`, which is a scheme and an authority, or `null`, is that of the pages of this authority.
fn is_at(origin: &[u8], authority: &str) -> bool {
    let origin = std::str::from_utf8(origin).ok().map(str::trim);
    let named = origin.and_then(|origin| origin.split_once("://")).map(|(_, named)| named);
    named.is_some_and(|named| named.eq_ignore_ascii_case(authority))
}

impl What {
    fn of(head: &Head<'_>) -> Self {
        let files = Files::of_page();
        match (head.method, head.path) {
            (Method::Other, _) => Self::Wrong(Status::MethodNotAllowed, "only GET and HEAD"),
            (Method::Get | Method::Head, "/") => Self::Page { is_known: knows(head, &files.hash) },
            (Method::Head, "/ws") => Self::Wrong(Status::UpgradeRequired, NO_HANDSHAKE),
            (Method::Get, "/ws") => {
                Upgrade::of(head).map_or_else(|(status, why)| Self::Wrong(status, why), Self::Upgrade)
            }
            (Method::Get | Method::Head, path) => file(files, path)
                .map_or(Self::Wrong(Status::NotFound, "there are the page at / and its files"), |file| {
                    Self::File(file.clone())
                }),
        }
    }
}

/// The file at `/a/HASH/NAME`.
fn file<'f>(files: &'f Files, path: &str) -> Option<&'f File> {
    let (hash, name) = path.strip_prefix("/a/")?.split_once('/')?;
    files.find(hash, name)
}

/// True if the client has what this ETag names.
fn knows(head: &Head<'_>, tag: &str) -> bool {
    let mut tags = head.all(b"if-none-match").flat_map(|value| value.split(|byte| *byte == b','));
    tags.any(|known| {
        let known = known.trim_ascii();
        let known = known.strip_prefix(b"W/").unwrap_or(known);
        known == b"*" || known.strip_prefix(b"\"").and_then(|rest| rest.strip_suffix(b"\"")) == Some(tag.as_bytes())
    })
}

impl Upgrade {
    /// The handshake of a head.
    ///
    /// # Errors
    /// The status and the text of the answer.
    fn of(head: &Head<'_>) -> Result<Self, (Status, &'static str)> {
        let asks = |name, word: &[u8]| words(head, name).any(|item| item.eq_ignore_ascii_case(word));
        if !asks(b"upgrade", b"websocket") || !asks(b"connection", b"upgrade") {
            return Err((Status::UpgradeRequired, NO_HANDSHAKE));
        }
        if !head.keeps_open {
            return Err((Status::UpgradeRequired, "/ws is a WebSocket over HTTP/1.1"));
        }
        if head.only(b"sec-websocket-version") != Some(b"13") {
            return Err((Status::UpgradeRequired, "only version 13 of the WebSocket protocol is spoken"));
        }
        let key = head.only(b"sec-websocket-key").filter(|key| is_key(key));
        let Some(key) = key else { return Err((Status::BadRequest, "a Sec-WebSocket-Key of 16 bytes is needed")) };
        let mut offers = words(head, b"sec-websocket-protocol").peekable();
        let offers_any = offers.peek().is_some();
        let names_protocol = offers.any(|offer| offer == PROTOCOL.as_bytes());
        if offers_any && !names_protocol {
            return Err((Status::BadRequest, "the only subprotocol is chatd.v1"));
        }
        let accept = BASE64.encode(&Sha1::new().chain_update(key).chain_update(GUID).finalize());
        Ok(Self { accept, names_protocol })
    }
}

/// The items of all comma-separated lists of this field.
fn words<'a>(head: &Head<'a>, name: &'static [u8]) -> impl Iterator<Item = &'a [u8]> {
    head.all(name).flat_map(|value| value.split(|byte| *byte == b',')).map(<[u8]>::trim_ascii)
}

/// Whether this is the Base64 of 16 bytes.
fn is_key(key: &[u8]) -> bool {
    BASE64.decode(key).is_ok_and(|bytes| bytes.len() == 16)
}

impl Forwarded {
    fn of(head: &Head<'_>) -> Self {
        let mut all = Vec::new();
        for item in words(head, b"x-forwarded-for") {
            match std::str::from_utf8(item).ok().and_then(|text| text.parse().ok()) {
                Some(address) => all.push(address),
                None => return Self::Unreadable,
            }
        }
        if all.is_empty() { Self::Missing } else { Self::By(all) }
    }

    /// The client, if the last sender is a proxy: the rightmost address that is no proxy, or the leftmost one.
    ///
    /// # Errors
    /// What is wrong with the fields.
    pub fn client(&self, is_proxy: impl Fn(IpAddr) -> bool) -> Result<IpAddr, &'static str> {
        match self {
            Self::Missing => Err("the proxy names no client: it must send X-Forwarded-For"),
            Self::Unreadable => Err("X-Forwarded-For has something that is no address"),
            Self::By(all) => {
                let client = all.iter().rev().find(|address| !is_proxy(**address)).or(all.first());
                client.copied().ok_or("X-Forwarded-For is empty")
            }
        }
    }
}
