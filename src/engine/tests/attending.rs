//! Planned runs: sessions that hear nothing of what is said to everybody.

use super::history::{settings, world};
use super::ledger::Place;
use crate::engine::Settings;

const OFF: &str = "200 you do not hear what is said to everybody; PUBLIC on ends that";
const ON: &str = "200 you hear what is said to everybody";

#[test]
fn going_to_and_fro_leaves_nothing_behind() {
    let mut world = world(Settings { history: None, ..settings() }, 6);
    let [alice, bob, carol] = [0, 1, 2].map(|account| world.typed(account));
    for number in 0..100 {
        assert_eq!(world.ask(bob, "PUBLIC off"), [OFF]);
        if number % 7 == 0 {
            world.say(alice, Place::All); // the ledger counts who hears it
            world.pass(100);
        }
        if number % 3 == 0 {
            assert_eq!(world.ask(bob, "PUBLIC off"), [OFF]);
        }
        assert_eq!(world.ask(bob, "PUBLIC on"), [ON]);
        if number % 5 == 0 {
            world.say(alice, Place::All);
            world.pass(100);
        }
        assert!(world.engine.public.listed() <= 3, "{} entries for three sessions", world.engine.public.listed());
    }
    assert_eq!(world.ask(carol, "PUBLIC off"), [OFF]);
    assert_eq!(world.ask(bob, "PUBLIC off"), [OFF]);
    world.say(alice, Place::All);
    world.pass(100);
    world.finish();
}
