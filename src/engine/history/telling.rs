//! What others are told of what was forgotten, and how each of them sees the place.

use crate::door::recall::Notice;
use crate::engine::id::ConnId;
use crate::history::{Said, Shown};
use crate::hub::names::UserName;

/// What was forgotten, and the places whose hearers have not been told yet.
#[derive(Debug)]
pub(super) struct Telling {
    /// The account that has forgotten it.
    by: UserName,
    /// The message; `None` for all of the account's.
    one: Option<u64>,
    pub(super) at: std::vec::IntoIter<Said>,
    /// The connection that has asked.
    pub(super) except: ConnId,
}

impl Telling {
    pub(super) fn new(by: UserName, one: Option<u64>, at: Vec<Said>, except: ConnId) -> Self {
        Self { by, one, at: at.into_iter(), except }
    }

    /// The notice for those who see the place like this.
    pub(super) fn notice(&self, place: Box<str>) -> Notice {
        match self.one {
            Some(id) => Notice::Forgotten { place, id },
            None => Notice::ForgottenAll { place, name: self.by.as_str().into() },
        }
    }
}

/// The place as this account sees it.
pub(super) fn place_of(at: &Said, reader: &UserName) -> Box<str> {
    match at {
        Said::Everybody => "*".into(),
        Said::Room(room) => room.to_string().into(),
        Said::Direct(one, other) if one.name == *reader && !one.is_gone => place_of_direct(other),
        Said::Direct(one, _) => place_of_direct(one),
    }
}

/// Direct messages with this account.
pub(super) fn place_of_direct(with: &Shown) -> Box<str> {
    let gone = if with.is_gone { "-" } else { "" };
    format!("@{gone}{}", with.name).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(name: &str, is_gone: bool) -> Shown {
        Shown { name: UserName::parse(name).unwrap(), is_gone }
    }

    #[test]
    fn a_place_is_named_after_the_other_one() {
        let [alice, bob] = ["Alice", "bob"].map(|name| shown(name, false));
        let reader = UserName::parse("ALICE").unwrap();
        let check = |one: &Shown, other: &Shown, expected: &str| {
            assert_eq!(&*place_of(&Said::Direct(one.clone(), other.clone()), &reader), expected);
        };
        check(&alice, &bob, "@bob");
        check(&bob, &alice, "@bob");
        check(&alice, &alice, "@Alice");
        // The account of her name before her.
        check(&shown("alice", true), &alice, "@-alice");
        check(&alice, &shown("alice", true), "@-alice");
        assert_eq!(&*place_of(&Said::Everybody, &reader), "*");
    }
}
