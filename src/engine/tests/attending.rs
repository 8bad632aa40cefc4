//! Planned runs: sessions that hear nothing of what is said to everybody.

use super::history::{settings, world};
use super::ledger::{Note, Place};
use crate::engine::Settings;

const OFF: &str = "200 you do not hear what is said to everybody; PUBLIC on ends that";
const ON: &str = "200 you hear what is said to everybody";

#[test]
fn going_to_and_fro_leaves_nothing_behind() {
    let mut world = world(Settings { history: None, ..settings() }, 6);
    let [alice, bob, carol] = [0, 1, 2].map(|account| world.typed(account));
    for number in 0..100 {
        assert_eq!(world.ask(bob, "PUBLIC off"), [OFF]);
        world.clients[bob].notes.push(Note::Out(Place::All)); // for the ledger, which checks that it hears nothing
        if number % 7 == 0 {
            world.say(alice, Place::All);
            world.pass(100);
        }
        if number % 3 == 0 {
            assert_eq!(world.ask(bob, "PUBLIC off"), [OFF]);
        }
        assert_eq!(world.ask(bob, "PUBLIC on"), [ON]);
        world.clients[bob].notes.push(Note::In(Place::All));
        if number % 5 == 0 {
            world.say(alice, Place::All);
            world.pass(100);
        }
        assert!(world.engine.public.listed() <= 3, "{} entries for three sessions", world.engine.public.listed());
    }
    for client in [bob, carol] {
        assert_eq!(world.ask(client, "PUBLIC off"), [OFF]);
        world.clients[client].notes.push(Note::Out(Place::All));
    }
    world.say(alice, Place::All);
    world.pass(100);
    world.finish();
}
