//! Capabilities: what a client and the server agree on beyond plain IRC.

use super::server::{Options, Server};

/// A set of capabilities.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Caps(u32);

impl Caps {
    pub(super) const SERVER_TIME: Self = Self(1);
    pub(super) const MESSAGE_TAGS: Self = Self(1 << 1);
    pub(super) const ACCOUNT_TAG: Self = Self(1 << 2);
    pub(super) const EXTENDED_JOIN: Self = Self(1 << 3);
    pub(super) const SASL: Self = Self(1 << 4);
    pub(super) const CAP_NOTIFY: Self = Self(1 << 5);
    pub(super) const ACCOUNT_REGISTRATION: Self = Self(1 << 6);
    pub(super) const BATCH: Self = Self(1 << 7);
    pub(super) const ECHO_MESSAGE: Self = Self(1 << 8);
    pub(super) const LABELED_RESPONSE: Self = Self(1 << 9);
    pub(super) const ACCOUNT_NOTIFY: Self = Self(1 << 10);
    pub(super) const CHATHISTORY: Self = Self(1 << 11);
    pub(super) const READ_MARKER: Self = Self(1 << 12);
    pub(super) const AWAY_NOTIFY: Self = Self(1 << 13);
    pub(super) const SETNAME: Self = Self(1 << 14);
    pub(super) const INVITE_NOTIFY: Self = Self(1 << 15);
    pub(super) const MULTI_PREFIX: Self = Self(1 << 16);
    pub(super) const USERHOST_IN_NAMES: Self = Self(1 << 17);
    pub(super) const NO_IMPLICIT_NAMES: Self = Self(1 << 18);
    pub(super) const STANDARD_REPLIES: Self = Self(1 << 19);

    /// All of these.
    pub(super) fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    #[must_use]
    fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    #[must_use]
    fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// What decides how a broadcast is spelled.
    pub(super) fn bits(self) -> Bits {
        Bits((self.0 & (Bits::COUNT as u32 - 1)) as u8)
    }
}

/// The capabilities that decide how a broadcast is spelled: time, id, account, extended JOIN. An event is encoded once for
/// each set that a receiver has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bits(u8);

impl Bits {
    /// The number of sets.
    pub const COUNT: usize = 16;

    /// Its number, less than [`COUNT`](Self::COUNT).
    pub fn index(self) -> usize {
        usize::from(self.0)
    }

    /// The set of this number, modulo [`COUNT`](Self::COUNT).
    pub fn of_index(index: usize) -> Self {
        Self((index % Self::COUNT) as u8)
    }

    /// The same as capabilities.
    pub(super) fn caps(self) -> Caps {
        Caps(self.0.into())
    }
}

/// All capabilities by their names, in the order in which they are listed.
const ALL: [(&str, Caps); 20] = [
    ("account-notify", Caps::ACCOUNT_NOTIFY),
    ("account-tag", Caps::ACCOUNT_TAG),
    ("away-notify", Caps::AWAY_NOTIFY),
    ("batch", Caps::BATCH),
    ("cap-notify", Caps::CAP_NOTIFY),
    ("draft/account-registration", Caps::ACCOUNT_REGISTRATION),
    ("draft/chathistory", Caps::CHATHISTORY),
    ("draft/no-implicit-names", Caps::NO_IMPLICIT_NAMES),
    ("draft/read-marker", Caps::READ_MARKER),
    ("echo-message", Caps::ECHO_MESSAGE),
    ("extended-join", Caps::EXTENDED_JOIN),
    ("invite-notify", Caps::INVITE_NOTIFY),
    ("labeled-response", Caps::LABELED_RESPONSE),
    ("message-tags", Caps::MESSAGE_TAGS),
    ("multi-prefix", Caps::MULTI_PREFIX),
    ("sasl", Caps::SASL),
    ("server-time", Caps::SERVER_TIME),
    ("setname", Caps::SETNAME),
    ("standard-replies", Caps::STANDARD_REPLIES),
    ("userhost-in-names", Caps::USERHOST_IN_NAMES),
];

/// The name of the policy that a client keeps to TLS. It is shown and cannot be asked for.
const STS: &str = "sts";

/// The capabilities that a listener offers.
pub(super) fn offered(server: &Server) -> impl Iterator<Item = (&'static str, Caps)> {
    let hides = |cap: Caps| match cap {
        Caps::ACCOUNT_REGISTRATION => !server.registers,
        Caps::CHATHISTORY | Caps::READ_MARKER => !server.keeps,
        _ => false,
    };
    ALL.into_iter().filter(move |(_, cap)| !hides(*cap))
}

/// The words of `CAP LS`. Values are for clients of version 302.
pub(super) fn listed(server: &Server, options: Options, has_values: bool) -> Vec<String> {
    let mut words: Vec<String> = offered(server)
        .map(|(name, cap)| match value(cap).filter(|_| has_values) {
            Some(value) => format!("{name}={value}"),
            None => name.to_owned(),
        })
        .collect();
    if let Some(port) = options.sts.filter(|_| has_values) {
        words.push(format!("{STS}=port={port}"));
    }
    words
}

fn value(cap: Caps) -> Option<&'static str> {
    match cap {
        Caps::SASL => Some("PLAIN"),
        Caps::ACCOUNT_REGISTRATION => Some("before-connect"),
        _ => None,
    }
}

/// The names of a set, in the order in which they are listed.
pub(super) fn names(caps: Caps) -> impl Iterator<Item = &'static str> {
    ALL.into_iter().filter(move |(_, cap)| caps.has(*cap)).map(|(name, _)| name)
}

/// What a client has after a `CAP REQ`: names, with `-` before those to give up. `None` if the server cannot do all of it;
/// nothing changes then. `is_302` clients do not give up cap-notify.
pub(super) fn requested(had: Caps, request: &str, server: &Server, is_302: bool) -> Option<Caps> {
    let mut caps = had;
    for word in request.split(' ').filter(|word| !word.is_empty()) {
        let (name, is_off) = word.strip_prefix('-').map_or((word, false), |name| (name, true));
        let (_, cap) = offered(server).find(|(other, _)| *other == name)?;
        if is_off && is_302 && cap == Caps::CAP_NOTIFY {
            return None;
        }
        caps = if is_off { caps.without(cap) } else { caps.and(cap) };
    }
    Some(caps)
}

/// A client of version 302 has cap-notify.
pub(super) fn of_version_302(caps: Caps) -> Caps {
    caps.and(Caps::CAP_NOTIFY)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed_by(server: &Server, options: Options, has_values: bool) -> String {
        listed(server, options, has_values).join(" ")
    }

    #[track_caller]
    fn check(had: &str, request: &str, expected: Option<&str>) {
        let server = Server::default();
        let had = requested(Caps::default(), had, &server, false).unwrap();
        let found = requested(had, request, &server, false).map(|caps| names(caps).collect::<Vec<_>>().join(" "));
        assert_eq!(found.as_deref(), expected, "{request:?}");
    }

    #[test]
    fn lists() {
        let server = Server::default();
        let options = Options { guests: false, sts: Some(6697) };
        let words = listed_by(&server, options, true);
        assert!(words.contains(" sasl=PLAIN ") && words.ends_with(" sts=port=6697"), "{words}");
        let words = listed_by(&server, options, false);
        assert!(!words.contains('=') && !words.contains("sts"), "{words}");
        let server = Server { registers: false, keeps: false, ..server };
        let words = listed_by(&server, Options::default(), true);
        assert!(!words.contains("draft/chathistory") && !words.contains("account-registration"), "{words}");
        assert!(words.len() < 400, "it fits one line: {words}");
    }

    #[test]
    fn requests_are_whole() {
        check("", "sasl batch", Some("batch sasl"));
        check("sasl", "-sasl  batch ", Some("batch"));
        check("sasl", "batch nonsense", None);
        check("", "Batch", None);
        check("", "sts", None);
        check("", "sasl=PLAIN", None);
        check("batch", "", Some("batch"));
        check("", "-batch", Some(""));
        assert_eq!(requested(Caps::CAP_NOTIFY, "-cap-notify", &Server::default(), true), None);
    }

    #[test]
    fn spellings() {
        assert_eq!(Caps::SERVER_TIME.and(Caps::EXTENDED_JOIN).and(Caps::SASL).bits().index(), 9);
        for index in 0..Bits::COUNT {
            assert_eq!(Bits::of_index(index).caps().bits().index(), index);
        }
        let all = ALL.iter().fold(Caps::default(), |all, (_, cap)| all.and(*cap));
        assert_eq!(names(all).count(), ALL.len());
        assert!(ALL.is_sorted_by_key(|(name, _)| *name));
    }
}
