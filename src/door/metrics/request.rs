//! Requests: the resources of the door, and who may have them.

use crate::door::http::{Head, Method, Status};
use crate::limits::{CONNZ_LINES, CONNZ_LINES_MOST};
use crate::secret::Masked;

/// A request, borrowed from its head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ask<'a> {
    /// What is asked for.
    pub what: What,
    /// The token that came with it, unchecked.
    pub bearer: Option<Masked<&'a [u8]>>,
    /// True if the request was sent to an address or to `localhost`, and not to a name.
    pub is_host_ours: bool,
}

/// A resource, or why there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// `/healthz`: whether the server turns.
    Health,
    /// `/readyz`: whether it takes connections.
    Ready,
    /// `/metrics`: its figures.
    Figures,
    /// `/connz`: its connections.
    Connections(List),
    /// The request is understood, and answered with this status and text.
    Wrong(Status, &'static str),
    /// The bytes are no request that may be answered otherwise; the connection closes.
    Refused(Status, &'static str),
}

/// Which connections are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct List {
    /// How many at most, up to [`CONNZ_LINES_MOST`].
    pub limit: u32,
    /// Which come first.
    pub sort: Sort,
}

/// The order of a list of connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sort {
    /// Those with the most unread output.
    Owed,
    /// Those that have been connected for the longest time.
    Since,
}

impl What {
    /// True if it is for anybody who reaches the listener: it tells nothing about users.
    pub fn is_public(self) -> bool {
        match self {
            Self::Health | Self::Ready => true,
            Self::Figures | Self::Connections(_) | Self::Wrong(..) | Self::Refused(..) => false,
        }
    }

    fn of(head: &Head<'_>) -> Self {
        match (head.method, head.path) {
            (Method::Other, _) => Self::Wrong(Status::MethodNotAllowed, "only GET and HEAD"),
            (Method::Get | Method::Head, "/healthz") => Self::Health,
            (Method::Get | Method::Head, "/readyz") => Self::Ready,
            (Method::Get | Method::Head, "/metrics") => Self::Figures,
            (Method::Get | Method::Head, "/connz") => List::parse(head.query).map_or(
                Self::Wrong(Status::BadRequest, "/connz takes limit=NUMBER and sort=owed or sort=since, each once"),
                Self::Connections,
            ),
            (Method::Get | Method::Head, _) => {
                Self::Wrong(Status::NotFound, "there are /healthz, /readyz, /metrics and /connz")
            }
        }
    }
}

impl<'a> Ask<'a> {
    /// The request of a head.
    pub(super) fn of(head: &Head<'a>) -> Self {
        let bearer = head.only(b"authorization").and_then(bearer).map(Masked);
        Self { what: What::of(head), bearer, is_host_ours: head.host.is_of_this_machine() }
    }
}

impl List {
    /// Reads a query. `None` if something in it is unknown, wrong, or given twice.
    fn parse(query: &str) -> Option<Self> {
        let (mut limit, mut sort) = (None, None);
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            match pair.split_once('=')? {
                ("limit", number) if limit.is_none() && number.bytes().all(|byte| byte.is_ascii_digit()) => {
                    limit = Some(number.parse::<u32>().ok()?.min(CONNZ_LINES_MOST));
                }
                ("sort", "owed") if sort.is_none() => sort = Some(Sort::Owed),
                ("sort", "since") if sort.is_none() => sort = Some(Sort::Since),
                _ => return None,
            }
        }
        Some(Self { limit: limit.unwrap_or(CONNZ_LINES), sort: sort.unwrap_or(Sort::Owed) })
    }
}

/// The token of an `Authorization` field.
fn bearer(value: &[u8]) -> Option<&[u8]> {
    let (scheme, token) = value.split_at_checked(b"Bearer ".len())?;
    scheme.eq_ignore_ascii_case(b"Bearer ").then_some(token.trim_ascii())
}
