//! Notices 109: those who may have heard what was forgotten drop it too.

use crate::door::recall::{Notice, Wants};
use crate::engine::Engine;
use crate::engine::deliver::Hearers;
use crate::engine::id::ConnId;
use crate::history::{Said, Shown};
use crate::hub::names::UserName;
use crate::limits::TURN_WORK_ENDS;

/// What was forgotten, and the places whose hearers have not been told yet.
#[derive(Debug)]
pub(super) struct Telling {
    /// The account that has forgotten it.
    by: UserName,
    /// The message; `None` for all of the account's.
    one: Option<u64>,
    at: std::vec::IntoIter<Said>,
    /// The connection that has asked.
    except: ConnId,
}

impl Telling {
    pub(super) fn new(by: UserName, one: Option<u64>, at: Vec<Said>, except: ConnId) -> Self {
        Self { by, one, at: at.into_iter(), except }
    }

    fn notice(&self, place: Box<str>) -> Notice {
        match self.one {
            Some(id) => Notice::Forgotten { place, id },
            None => Notice::ForgottenAll { place, name: self.by.as_str().into() },
        }
    }
}

impl<S> Engine<S> {
    /// Tells the hearers of what was forgotten, after those of what was forgotten before it.
    pub(super) fn begin_to_tell(&mut self, telling: Telling) {
        self.history.tellings.push_back(telling);
        self.tell_forgotten();
    }

    /// Tells what was forgotten, in as many places as this turn has room for: an account may have spoken to thousands.
    pub(super) fn tell_forgotten(&mut self) {
        while self.turn.work < TURN_WORK_ENDS
            && let Some(mut telling) = self.history.tellings.pop_front()
        {
            if let Some(at) = telling.at.next() {
                self.turn.work += 1;
                self.tell_forgotten_at(&telling, &at);
                self.history.tellings.push_front(telling);
            }
        }
    }

    fn tell_forgotten_at(&mut self, telling: &Telling, at: &Said) {
        let mut tell = |hearers, place| {
            self.deliver_notice(hearers, telling.except, Wants::FORGETS, &telling.notice(place));
        };
        match at {
            Said::Everybody => tell(Hearers::Everybody, "*".into()),
            Said::Room(room) => tell(Hearers::Room(room), room.to_string().into()),
            Said::Direct(one, other) => {
                if !one.is_gone {
                    tell(Hearers::Account(&one.name), place_of_direct(other));
                }
                if !other.is_gone && one != other {
                    tell(Hearers::Account(&other.name), place_of_direct(one));
                }
            }
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
fn place_of_direct(with: &Shown) -> Box<str> {
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
