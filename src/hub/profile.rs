//! What an account says of itself.

use crate::limits;

/// A key of a profile, in the order in which WHOIS shows them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ProfileKey {
    /// A display name. It is shown nowhere but in a profile, so it fools nobody.
    Name,
    /// What the account does at the moment.
    Status,
    /// How to speak of the person.
    Pronouns,
    /// A time zone.
    Zone,
    /// A page, by http or https.
    Url,
    /// A few words about the person.
    About,
    /// Whether others see how long the account is idle, and when it was last there: `none` hides both.
    Seen,
}

impl ProfileKey {
    /// All keys, in their order.
    pub const ALL: [Self; 7] =
        [Self::Name, Self::Status, Self::Pronouns, Self::Zone, Self::Url, Self::About, Self::Seen];

    /// Its word in a line and in the store.
    pub fn word(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Status => "status",
            Self::Pronouns => "pronouns",
            Self::Zone => "zone",
            Self::Url => "url",
            Self::About => "about",
            Self::Seen => "seen",
        }
    }

    /// The key of a word, in any case.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|key| key.word().eq_ignore_ascii_case(word))
    }

    /// The most bytes of its value.
    pub fn most_bytes(self) -> usize {
        match self {
            Self::Name => limits::PROFILE_NAME_BYTES,
            Self::Status => limits::PROFILE_STATUS_BYTES,
            Self::Pronouns => limits::PROFILE_PRONOUNS_BYTES,
            Self::Zone => limits::PROFILE_ZONE_BYTES,
            Self::Url => limits::PROFILE_URL_BYTES,
            Self::About => limits::PROFILE_ABOUT_BYTES,
            Self::Seen => "none".len(),
        }
    }
}
