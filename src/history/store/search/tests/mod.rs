//! Tests of searches: what they find, against a model, and the thread with its queue.

mod found;
mod service;

use super::*;
use crate::history::request::{Flag, Line, Mine, Of, Term};
use crate::history::store::fixture::{World, account, guest};
use crate::hub::names::Who;
use crate::hub::record::{KeptId, Spot};

fn who(name: &str) -> Who {
    Who::Account(account(name).name)
}

/// A search by `name`, a member of the room 7, in all places.
fn by(name: &str, terms: &[Term]) -> Find {
    let mine = Mine { who: account(name), rooms: vec![KeptId(7)] };
    let (from, above, below) = (None, None, None);
    Find { mine, of: Of::All, from, terms: terms.to_vec(), above, below, most: 50, most_bytes: 0 }
}

fn word(text: &str) -> Term {
    Term::Word(text.into())
}

fn start(text: &str) -> Term {
    Term::Prefix(text.into())
}

fn exact(text: &str) -> Term {
    Term::Exact(text.into())
}

/// A world with alice, bob, carol and the rooms 7 (tea) and 8 (den).
fn world() -> World {
    let mut world = World::new();
    for name in ["alice", "bob", "carol"] {
        world.register(&account(name));
    }
    world.keep(KeptId(7), "tea");
    world.keep(KeptId(8), "den");
    world
}
