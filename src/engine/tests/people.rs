//! Planned runs: who people are, and what they are told of each other.

use std::net::SocketAddr;

use super::clients::{Client, End, Going, Reading, Role, SLACK_MS, What};
use super::history::{CODES, account, settings, world};
use super::ledger::Place;
use super::store::Mood;
use super::world::World;
use crate::auth::Verdict;
use crate::engine::{Millis, Settings};
use crate::history::Level;
use crate::hub::record::Spot;
use crate::limits::{BAD_LINES, CUT_MS, FORGET_WAIT_MS, HISTORY_WAIT_MS};

/// What a message that is at most so old is: prompt.
const PROMPT_MS: Millis = 50;

impl World {
    /// What a client was told since the last look.
    fn told(&mut self, i: usize) -> Vec<String> {
        std::mem::take(&mut self.clients[i].past)
    }

    /// The last line of the answer.
    fn answer(&mut self, i: usize, line: &str) -> String {
        self.ask(i, line).pop().unwrap_or_default()
    }

    /// FORGET, which may take longer than everything else.
    fn forget(&mut self, i: usize, line: &str) {
        self.clients[i].past.clear();
        self.order(i, line, CODES, What::Forget);
        self.pass(100);
    }

    /// The client's connection breaks.
    fn cut(&mut self, i: usize) {
        self.clients[i].going = Going::Reset;
        self.go(i);
        self.pass(50);
    }

    /// The client says EX.
    fn say_bye(&mut self, i: usize) {
        self.clients[i].going = Going::Bye;
        self.go(i);
        self.pass(50);
    }

    /// An operator deletes an account, and somebody registers its name.
    fn register_anew(&mut self, number: u16) {
        let name = format!("u{number}");
        let outcome = self.accounts.borrow_mut().delete(&name);
        let id = self.wires[0].id.expect("a connection");
        self.engine.handle_verdict(id, Verdict::Done(outcome));
        self.pass(100);
        self.accounts.borrow_mut().add(&name, "password");
    }
}

fn without_store() -> World {
    world(Settings { history: None, ..settings() }, 6)
}

#[test]
fn those_who_watch_hear_of_comings_and_goings_and_nobody_else() {
    let mut world = without_store();
    let [alice, carol] = [0, 2].map(|account| world.typed(account));
    assert_eq!(world.ask(alice, "WATCH u1"), ["200 u1 is offline"]);
    let bob = world.typed(1);
    assert_eq!(world.told(alice), ["101 u1 online"]);
    for (line, notices) in [
        ("AWAY lunch", &["101 u1 away lunch"][..]),
        ("AWAY lunch", &[]),
        ("AWAY dinner", &["101 u1 away dinner"]),
        ("AWAY", &["101 u1 back"]),
        ("AWAY", &[]),
    ] {
        assert_eq!(&world.answer(bob, line)[..3], "200", "{line}");
        assert_eq!(world.told(alice), notices, "{line}");
    }
    // More sessions of the same account are no comings and goings.
    let phone = world.bare(1);
    world.say_bye(bob);
    assert!(world.told(alice).is_empty());
    // The end of its stream says goodbye, too.
    world.clients[phone].going = Going::End;
    world.go(phone);
    world.pass(50);
    assert_eq!(world.told(alice), ["101 u1 offline"]);
    assert_eq!(world.ask(alice, "WATCH U1 off").last().map(|line| &line[..3]), Some("200"));
    world.typed(1);
    assert!(world.told(alice).is_empty() && world.told(carol).is_empty());
    world.finish();
}

#[test]
fn a_cut_counts_when_it_has_lasted() {
    let mut world = without_store();
    let alice = world.typed(0);
    world.ask(alice, "WATCH u1");
    let mut bob = world.typed(1);
    world.told(alice);
    // Cut and back within ten seconds, over and over: nobody is told.
    for _ in 0..10 {
        world.cut(bob);
        world.pass(CUT_MS - 3_000);
        assert_eq!(world.answer(alice, "WATCH u1"), "200 u1 is online");
        bob = world.typed(1);
        world.pass(1_000);
    }
    assert!(world.told(alice).is_empty());
    // The time counts from the last cut.
    world.cut(bob);
    let since = world.now;
    world.run(since + CUT_MS - 100);
    assert!(world.told(alice).is_empty());
    world.run(since + CUT_MS + SLACK_MS);
    assert_eq!(world.told(alice), ["101 u1 offline"]);
    // Who goes for good while the cut of before is still counted is told once.
    let bob = world.typed(1);
    world.cut(bob);
    let bob = world.typed(1);
    world.say_bye(bob);
    world.pass(2 * CUT_MS);
    assert_eq!(world.told(alice), ["101 u1 online", "101 u1 offline"]);
    world.finish();
}

#[test]
fn who_was_away_and_cut_is_back() {
    let mut world = without_store();
    let alice = world.typed(0);
    world.ask(alice, "WATCH u1");
    let bob = world.typed(1);
    world.ask(bob, "AWAY lunch");
    world.told(alice);
    world.cut(bob);
    world.pass(5_000);
    assert_eq!(world.answer(alice, "WATCH u1"), "200 u1 is away: lunch");
    world.typed(1);
    assert_eq!(world.told(alice), ["101 u1 back"]);
    world.pass(2 * CUT_MS);
    assert!(world.told(alice).is_empty());
    world.finish();
}

#[test]
fn every_end_that_is_no_goodbye_is_a_cut() {
    let mut world = without_store();
    let [alice, eve] = [0, 3].map(|account| world.typed(account));
    world.ask(alice, "WATCH u1");
    let bob = world.typed(1);
    world.told(alice);
    // Closed by the server, for its lines.
    world.clients[bob].may_panic = true;
    for _ in 0..BAD_LINES {
        world.order(bob, "NOOP now", &["501"], What::Other);
    }
    world.pass(1_000);
    assert!(matches!(world.clients[bob].end, Some(End::Told(_))), "{:?}", world.clients[bob].end);
    assert!(world.told(alice).is_empty());
    world.pass(CUT_MS);
    assert_eq!(world.told(alice), ["101 u1 offline"]);
    let _ = eve;
    world.finish();
}

#[test]
fn nobody_is_told_while_the_server_stops() {
    let mut world = without_store();
    let [alice, bob, carol] = [0, 1, 2].map(|account| world.typed(account));
    world.ask(alice, "WATCH u1");
    world.ask(alice, "WATCH u2");
    world.cut(carol);
    world.clients[bob].is_going = true;
    world.finish_by_stop();
    assert!(world.told(alice).is_empty());
}

#[test]
fn ten_thousand_accounts_are_away_at_once() {
    const PEOPLE: u16 = 10_000;
    let mut world = world(Settings { history: None, ..settings() }, PEOPLE + 2);
    world.audit_every_ms = 5_000;
    let pair = [PEOPLE, PEOPLE + 1].map(|account| world.typed(account));
    let people: Vec<usize> = (0..PEOPLE)
        .map(|account| {
            let addr = SocketAddr::from(([127, 0, 0, 1], 20_000 + account));
            let mut client = Client::new(addr, Role::Talker, account);
            client.has_token = true;
            world.add(client, 64 * 1024, world.now)
        })
        .collect();
    world.pass(5_000);
    // A thousand of them watch a hundred each.
    for (watcher, person) in people.iter().enumerate().take(1_000) {
        for name in 0..100 {
            let line = format!("WATCH u{}", watcher / 100 * 1_000 + watcher % 10 * 100 + name);
            world.order(*person, &line, &["200"], What::Other);
        }
    }
    world.pass(2_000);
    for person in &people {
        world.order(*person, "AWAY lunch", &["200"], What::Other);
    }
    for _ in 0..10 {
        let number = world.say_at_length(pair[0], Place::Account(PEOPLE + 1), 5);
        world.pass(PROMPT_MS);
        assert_eq!(world.ledger.heard(number), 1, "at {}", world.now);
    }
    world.pass(5_000);
    for (watcher, person) in people.iter().enumerate() {
        let told = &world.clients[*person].past;
        let expected = if watcher < 1_000 { 100 } else { 0 };
        assert!(world.clients[*person].is_in(), "{watcher} is not in");
        assert_eq!(told.len(), expected, "{watcher}: {told:?}");
        assert!(told.iter().all(|line| line.starts_with("101 u") && line.ends_with(" away lunch")), "{told:?}");
    }
}

#[test]
fn who_watches_a_restless_account_and_reads_is_not_too_slow() {
    let mut world = without_store();
    let alice = world.come(0, |client| client.reading = Reading::Rate(40));
    world.order(alice, "WATCH u1", &["200"], What::Other);
    world.pass(200);
    let bob = world.typed(1);
    let text = "x".repeat(190);
    for number in 0..6_000 {
        world.order(bob, &format!("AWAY {number:05}{text}"), &["200"], What::Other);
    }
    world.pass(20_000);
    assert!(world.clients[alice].is_in(), "{:?}", world.clients[alice].end);
    assert!(world.engine.counters.throttled > 10, "nobody has waited for those who watch");
    world.clients[bob].going = Going::Reset;
    world.clients[alice].reading = Reading::All;
    world.hear(alice);
    world.pass(60_000);
    let told = world.told(alice);
    let texts: Vec<&str> = told.iter().filter_map(|line| line.strip_prefix("101 u1 away ")?.get(..5)).collect();
    assert!(texts.len() > 500 && texts.is_sorted(), "{}", texts.len());
    world.finish();
}

#[test]
fn whois_without_a_store() {
    let mut world = without_store();
    let [alice, bob] = [0, 1].map(|account| world.typed(account));
    world.pass(5_000);
    world.ask(bob, "AWAY lunch");
    let answer = world.ask(alice, "WHOIS U1");
    let expected = ["215-sessions 1", "215-since 1970-01-01", "215-idle 5", "215-away lunch", "215 u1"];
    assert_eq!(answer, expected);
    world.say_to(alice, Place::All);
    assert!(world.ask(alice, "WHOIS").contains(&"215-idle 0".to_owned()));
    assert_eq!(world.ask(alice, "WHOIS u5"), ["215-sessions 0", "215-since 1970-01-01", "215 u5"]);
    for line in ["WHOIS nobody", "WHOIS ~bob", "WHOIS ~u1"] {
        assert_eq!(&world.answer(alice, line)[..3], "550", "{line}");
    }
    for line in ["SET name Zoe", "SET", "SET name", "IGNORE u1", "IGNORE", "NOTIFY * all", "FORGET", "FORGET all"] {
        assert_eq!(world.ask(alice, line), ["554 nothing is kept here"], "{line}");
    }
    world.finish();
}

#[test]
fn whois_shows_a_guest_that_is_here() {
    let mut world = without_store();
    let alice = world.typed(0);
    // Some want to make the room, the others to enter it.
    let guests: Vec<usize> = (0..16)
        .map(|number| {
            let addr = SocketAddr::from(([127, 0, 0, 1], 20_500 + number));
            world.add(Client::new(addr, Role::Guest, 0), 4 * 1024, world.now + 10 * u64::from(number))
        })
        .collect();
    world.pass(300);
    let (here, others): (Vec<usize>, Vec<usize>) =
        guests.iter().copied().partition(|guest| world.clients[*guest].token.is_some());
    assert!(!here.is_empty() && !others.is_empty(), "{here:?} {others:?}");
    for guest in here {
        let expected = ["215-guest".to_owned(), format!("215 ~g{guest}")];
        assert_eq!(world.ask(alice, &format!("WHOIS ~g{guest}")), expected);
    }
    for guest in others {
        assert_eq!(&world.answer(alice, &format!("WHOIS ~g{guest}"))[..3], "550");
    }
}

#[test]
fn whois_shows_what_was_set_and_hides_times() {
    let mut world = world(settings(), 4);
    let [alice, bob] = [0, 1].map(|account| world.typed(account));
    for line in ["SET about likes bees", "SET name Bob \u{1F41D}", "SET status here"] {
        assert_eq!(&world.answer(bob, line)[..3], "200", "{line}");
    }
    assert_eq!(&world.answer(bob, "SET status -")[..3], "200");
    let profile = ["215-name Bob \u{1F41D}", "215-about likes bees"];
    assert_eq!(world.ask(bob, "SET"), [profile[0], profile[1], "215 u1"]);
    assert_eq!(world.ask(bob, "SET about"), [profile[1], "215 u1"]);
    assert_eq!(world.ask(bob, "SET zone"), ["215 u1"]);
    let shown = world.ask(alice, "WHOIS u1");
    assert_eq!(shown[0], "215-sessions 1");
    assert!(shown[2].starts_with("215-idle "), "{shown:?}");
    assert_eq!(shown[3..], [profile[0], profile[1], "215 u1"]);
    world.say_to(bob, Place::All);
    world.say_bye(bob);
    world.pass(1_000);
    let shown = world.ask(alice, "WHOIS u1");
    assert_eq!((&*shown[0], &*shown[2]), ("215-sessions 0", "215-seen 2023-11-14T22:13"));
    let bob = world.typed(1);
    assert_eq!(&world.answer(bob, "SET seen none")[..3], "200");
    // Of oneself, too, WHOIS shows what others see.
    for asker in [alice, bob] {
        let shown = world.ask(asker, "WHOIS u1");
        assert!(!shown.iter().any(|line| line.contains("idle") || line.contains("seen")), "{shown:?}");
    }
    assert!(world.ask(bob, "SET").contains(&"215-seen none".to_owned()));
    world.say_bye(bob);
    world.pass(1_000);
    let shown = world.ask(alice, "WHOIS u1");
    assert_eq!(shown[0], "215-sessions 0");
    assert!(!shown.iter().any(|line| line.contains("seen")), "{shown:?}");
    world.finish();
}

#[test]
fn whois_of_an_account_that_comes_or_goes_meanwhile() {
    let mut world = world(settings(), 4);
    let [alice, bob] = [0, 1].map(|account| world.typed(account));
    world.pass(500);
    world.set_mood(Mood::Stuck);
    for name in ["u1", "u2", "u3"] {
        let asker = world.come(0, |client| client.is_public = false);
        world.clients[asker].past.clear();
        world.order(asker, &format!("WHOIS {name}"), CODES_OF_WHOIS, What::Recall);
    }
    world.say_bye(bob);
    world.typed(2);
    world.accounts.borrow_mut().delete("u3");
    world.set_mood(Mood::Well);
    world.pass(500);
    let first = world.clients.len() - 4;
    let answers: Vec<Vec<String>> = (first..first + 3).map(|i| world.told(i)).collect();
    assert_eq!(answers[0][0], "215-sessions 0");
    assert_eq!(answers[1][0], "215-sessions 1");
    assert_eq!(&answers[2][0][..3], "550");
    for (mood, wait) in [(Mood::Broken, 100), (Mood::Stuck, HISTORY_WAIT_MS)] {
        world.set_mood(mood);
        world.clients[alice].past.clear();
        world.order(alice, "WHOIS u1", CODES_OF_WHOIS, What::Recall);
        world.pass(wait + SLACK_MS);
        assert_eq!(&world.told(alice)[0][..3], "450", "{mood:?}");
    }
    world.set_mood(Mood::Well);
    world.finish();
}

const CODES_OF_WHOIS: &[&str] = &["215", "450", "550"];

#[test]
fn what_was_set_and_answered_450_is_not_set() {
    let mut world = world(settings(), 4);
    let alice = world.typed(0);
    assert_eq!(&world.answer(alice, "SET name first")[..3], "200");
    for mood in [Mood::Broken, Mood::Stuck] {
        world.set_mood(mood);
        world.clients[alice].past.clear();
        for line in ["SET name second", "SET zone moon"] {
            world.order(alice, line, CODES, What::Recall);
            world.pass(HISTORY_WAIT_MS + SLACK_MS);
        }
        let told = world.told(alice);
        assert!(told.len() == 2 && told.iter().all(|line| line.starts_with("450 ")), "{mood:?}: {told:?}");
        world.set_mood(Mood::Well);
        world.pass(1_000);
        assert_eq!(world.ask(alice, "SET"), ["215-name first", "215 u0"], "{mood:?}");
    }
    assert_eq!(world.store.as_ref().unwrap().profiles.unset.len(), 4);
    // The connection ends before the answer: it is set, or it is not, and nobody waits for ever.
    world.set_mood(Mood::Stuck);
    world.order(alice, "SET name third", CODES, What::Recall);
    world.pass(20);
    world.cut(alice);
    world.pass(HISTORY_WAIT_MS);
    world.set_mood(Mood::Well);
    let alice = world.typed(0);
    assert_eq!(world.ask(alice, "SET"), ["215-name first", "215 u0"]);
    assert_eq!(&world.answer(alice, "SET name fourth")[..3], "200");
    // A store that is lost answers at once.
    world.engine.handle_history_lost();
    for line in ["SET name fifth", "IGNORE u1", "FORGET"] {
        assert_eq!(&world.answer(alice, line)[..3], "450", "{line}");
    }
}

#[test]
fn who_is_ignored_is_told_so_at_the_prompt() {
    let mut world = world(settings(), 4);
    let [alice, bob] = [0, 1].map(|account| world.typed(account));
    // The name may be away.
    for name in ["u1", "u3"] {
        assert_eq!(&world.answer(alice, &format!("IGNORE {name}"))[..3], "200", "{name}");
    }
    assert_eq!(world.ask(alice, "IGNORE"), ["211-u1", "211-u3", "211 2 ignored"]);
    let refused = ["554 u0 takes no messages from you"];
    assert_eq!(world.ask(bob, "DM u0"), refused);
    assert_eq!(world.ask(bob, "DM u0 m0 hello"), refused);
    assert_eq!(world.ask(bob, "NOOP"), ["200 done"], "no text was expected");
    assert_eq!(&world.answer(alice, "IGNORE u0")[..3], "554");
    assert_eq!(&world.answer(alice, "IGNORE nobody")[..3], "550");
    assert_eq!(&world.answer(alice, "IGNORE u2 off")[..3], "200");
    // An ignored account that is gone is ignored no longer, whoever has its name.
    world.say_bye(bob);
    world.register_anew(1);
    let bob = world.typed(1);
    let number = world.say_to(bob, Place::Account(0));
    assert_eq!(world.ledger.heard(number), 1);
    world.finish();
}

#[test]
fn an_ignore_that_is_not_on_disk_is_undone() {
    let mut world = world(settings(), 4);
    let [alice, bob] = [0, 1].map(|account| world.typed(account));
    for mood in [Mood::Broken, Mood::Stuck] {
        world.set_mood(mood);
        world.clients[alice].past.clear();
        world.order(alice, "IGNORE u1", CODES, What::Recall);
        world.pass(HISTORY_WAIT_MS + SLACK_MS);
        assert_eq!(&world.told(alice)[0][..3], "450", "{mood:?}");
        let number = world.say_to(bob, Place::Account(0));
        assert_eq!(world.ledger.heard(number), 1, "{mood:?}");
        world.set_mood(Mood::Well);
        world.pass(1_000);
        assert!(world.store.as_ref().unwrap().ignores.is_empty(), "{mood:?}");
    }
    assert_eq!(&world.answer(alice, "IGNORE u1")[..3], "200");
    world.set_mood(Mood::Stuck);
    world.clients[alice].past.clear();
    world.order(alice, "IGNORE u1 off", CODES, What::Recall);
    world.pass(HISTORY_WAIT_MS + SLACK_MS);
    assert_eq!(&world.told(alice)[0][..3], "450");
    assert_eq!(world.ask(bob, "DM u0 m0 hello"), ["554 u0 takes no messages from you"]);
    world.set_mood(Mood::Well);
    world.pass(1_000);
    assert_eq!(world.store.as_ref().unwrap().ignores.len(), 1);
    world.finish();
}

#[test]
fn a_place_that_is_mine_is_as_loud_as_i_want() {
    let mut world = world(settings(), 4);
    let [alice, bob] = [0, 1].map(|account| world.typed(account));
    world.order(alice, "MAKE r0", &["227"], What::Enter { room: 0, is_wrong: false });
    world.pass(50);
    world.ask(alice, "KEEP r0");
    for (line, answer) in [
        ("NOTIFY * none", "200 * notify=none"),
        ("NOTIFY R0 all", "200 r0 notify=all"),
        ("NOTIFY @U1 mentions", "200 @u1 notify=mentions"),
    ] {
        assert_eq!(world.ask(alice, line), [answer]);
    }
    let levels = world.store.as_ref().unwrap().levels.clone();
    assert_eq!(levels.get(&(account(0), Spot::Direct(account(1)))), Some(&Level::Mentions));
    assert_eq!(levels.len(), 3);
    for line in ["NOTIFY r0 all", "NOTIFY r1 all", "NOTIFY @nobody all"] {
        assert_eq!(&world.answer(bob, line)[..3], "550", "{line}");
    }
    world.finish();
}

/// What FORGET takes from view, and who is told.
mod forgetting {
    use super::*;

    /// Alice and bob in a kept room of hers, and carol; each wants to be told, and bob has a session that does not.
    struct Scene {
        world: World,
        alice: usize,
        phone: usize,
        bob: usize,
        deaf: usize,
        carol: usize,
    }

    fn scene() -> Scene {
        let mut world = world(settings(), 6);
        let [alice, phone, bob, deaf, carol] = [0, 0, 1, 1, 2].map(|account| world.typed(account));
        for client in [alice, phone, bob, carol] {
            world.ask(client, "WANT ids forgets");
        }
        let enter = What::Enter { room: 0, is_wrong: false };
        world.order(alice, "MAKE r0", &["227"], enter);
        world.pass(50);
        world.ask(alice, "KEEP r0");
        world.order(bob, "JOIN r0", &["227"], enter);
        world.pass(50);
        for client in [alice, phone, bob, deaf, carol] {
            world.told(client);
        }
        Scene { world, alice, phone, bob, deaf, carol }
    }

    impl Scene {
        /// What each of them was told: alice, her phone, bob, the session that does not want it, and carol.
        fn all_told(&mut self) -> [Vec<String>; 5] {
            [self.alice, self.phone, self.bob, self.deaf, self.carol].map(|client| self.world.told(client))
        }

        fn say(&mut self, by: usize, place: Place) -> u64 {
            let number = self.world.say_to(by, place);
            self.world.pass(300);
            self.world.ledger.id(number)
        }
    }

    fn lines(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }

    #[test]
    fn one_message_and_who_hears_of_it() {
        let mut scene = scene();
        let (alice, bob) = (scene.alice, scene.bob);
        let public = scene.say(alice, Place::All);
        let direct = scene.say(alice, Place::Account(1));
        let in_room = scene.say(bob, Place::Room(0));
        // Alice's own newest one, then by their ids; of bob, since the room is hers.
        scene.world.forget(alice, "FORGET");
        let (to_bob, to_alice) = (format!("109 @u0 {direct}"), format!("109 @u1 {direct}"));
        let answer = format!("200 forgot {direct} in @u1");
        assert_eq!(scene.all_told(), [vec![answer], vec![to_alice], vec![to_bob], vec![], vec![]]);
        scene.world.forget(alice, &format!("FORGET {public}"));
        let (answer, told) = (vec![format!("200 forgot {public} in *")], vec![format!("109 * {public}")]);
        assert_eq!(scene.all_told(), [answer, told.clone(), told.clone(), vec![], told]);
        scene.world.forget(alice, &format!("FORGET {in_room}"));
        let (answer, told) = (vec![format!("200 forgot {in_room} in r0")], vec![format!("109 r0 {in_room}")]);
        assert_eq!(scene.all_told(), [answer, vec![], told, vec![], vec![]]);
        let page = scene.world.ask(alice, "HISTORY");
        assert_eq!(page, ["212 0 end"], "{page:?}");
        scene.world.finish();
    }

    #[test]
    fn what_is_not_mine_stays() {
        let mut scene = scene();
        let (alice, bob, carol) = (scene.alice, scene.bob, scene.carol);
        let public = scene.say(alice, Place::All);
        let direct = scene.say(alice, Place::Account(1));
        for (who, id, code) in [
            (bob, public, "554"),
            (bob, direct, "554"),
            (carol, direct, "550"),
            (alice, u64::MAX, "550"),
            (alice, 1, "550"),
        ] {
            scene.world.forget(who, &format!("FORGET {id}"));
            assert_eq!(&scene.world.told(who)[0][..3], code, "{who} {id}");
        }
        scene.world.forget(carol, "FORGET");
        assert_eq!(&scene.world.told(carol)[0][..3], "550", "she has said nothing");
        assert!(scene.all_told().iter().all(Vec::is_empty));
        assert!(scene.world.store.as_ref().unwrap().forgotten.is_empty());
        scene.world.finish();
    }

    #[test]
    fn everything_and_one_notice_a_place() {
        let mut scene = scene();
        let alice = scene.alice;
        for place in [Place::All, Place::Account(1), Place::Room(0), Place::All] {
            scene.say(alice, place);
        }
        let of_bob = scene.say(scene.bob, Place::All);
        scene.world.forget(alice, "FORGET all");
        let places = [
            lines(&["200 forgot 4 lines"]),
            lines(&["109 * all u0", "109 @u1 all u0"]),
            lines(&["109 * all u0", "109 @u0 all u0", "109 r0 all u0"]),
            vec![],
            lines(&["109 * all u0"]),
        ];
        assert_eq!(scene.all_told(), places);
        assert_eq!(scene.world.ask(alice, "HISTORY").len(), 2, "{of_bob} is left");
        scene.world.forget(alice, "FORGET all");
        let told = scene.world.told(alice);
        assert!(told[0].starts_with("450 too much forgotten, try again in 3"), "{told:?}");
        scene.world.pass(3_600_000);
        scene.world.forget(alice, "FORGET all");
        assert_eq!(scene.world.told(alice), ["200 forgot 0 lines"]);
        scene.world.finish();
    }

    #[test]
    fn six_a_minute_of_all_sessions_together() {
        let mut scene = scene();
        let (alice, phone) = (scene.alice, scene.phone);
        (0..8).for_each(|_| {
            scene.say(alice, Place::All);
        });
        scene.world.forget(phone, "FORGET 1");
        assert_eq!(&scene.world.told(phone)[0][..3], "550", "that counts for nothing");
        for number in 0..6 {
            let session = [alice, phone][number % 2];
            scene.world.forget(session, "FORGET");
            assert_eq!(&scene.world.told(session).pop().unwrap()[..10], "200 forgot", "{number}");
        }
        scene.world.forget(phone, "FORGET");
        let told = scene.world.told(phone).pop().unwrap();
        assert!(told.starts_with("450 too much forgotten, try again in "), "{told}");
        let seconds = told.split(' ').nth_back(1).unwrap().parse::<u64>().unwrap();
        scene.world.pass(seconds * 1_000 - 1_200);
        scene.world.forget(phone, "FORGET");
        assert_eq!(&scene.world.told(phone)[0][..3], "450");
        scene.world.pass(1_200);
        scene.world.forget(phone, "FORGET");
        assert_eq!(&scene.world.told(phone)[0][..10], "200 forgot");
        scene.world.finish();
    }

    #[test]
    fn a_slow_store_has_a_minute_and_is_heard_later_too() {
        let mut scene = scene();
        let (alice, bob) = (scene.alice, scene.bob);
        let first = scene.say(alice, Place::All);
        let second = scene.say(alice, Place::All);
        scene.world.set_mood(Mood::Stuck);
        scene.world.forget(alice, &format!("FORGET {first}"));
        scene.world.pass(FORGET_WAIT_MS - 1_000);
        assert!(scene.world.told(alice).is_empty(), "it waits");
        // Meanwhile others talk, and the session is not read.
        let number = scene.world.say_to(bob, Place::Account(2));
        assert_eq!(scene.world.ledger.heard(number), 1);
        scene.world.pass(1_000 + SLACK_MS);
        assert_eq!(&scene.world.told(alice)[0][..26], "450 it is not forgotten ye");
        scene.all_told();
        scene.world.set_mood(Mood::Well);
        scene.world.pass(500);
        let told = vec![format!("109 * {first}")];
        assert_eq!(scene.all_told(), [vec![], told.clone(), told.clone(), vec![], told]);
        // That was answered 450, and takes nothing of the rate.
        for _ in 0..5 {
            scene.say(alice, Place::All);
        }
        for number in 0..6 {
            scene.world.forget(alice, "FORGET");
            assert_eq!(&scene.world.told(alice)[0][..10], "200 forgot", "{number}");
        }
        assert!(scene.world.store.as_ref().unwrap().forgotten.contains(&second));
        scene.world.finish();
    }

    #[test]
    fn a_broken_store_forgets_nothing_and_says_so() {
        let mut scene = scene();
        let alice = scene.alice;
        scene.say(alice, Place::All);
        scene.world.set_mood(Mood::Broken);
        for line in ["FORGET", "FORGET all"] {
            scene.world.forget(alice, line);
            assert_eq!(&scene.world.told(alice)[0][..26], "450 it is not forgotten ye", "{line}");
        }
        scene.world.set_mood(Mood::Well);
        scene.world.store.as_mut().unwrap().has_reader = true;
        scene.world.forget(alice, "FORGET all");
        assert_eq!(scene.world.told(alice), ["200 forgotten; on disk until a reader has ended"]);
        // A store that is lost while it is asked.
        scene.say(alice, Place::All);
        scene.world.set_mood(Mood::Stuck);
        scene.world.forget(alice, "FORGET");
        assert!(scene.world.told(alice).is_empty());
        scene.world.engine.handle_history_lost();
        scene.world.pass(100);
        assert_eq!(&scene.world.told(alice)[0][..3], "450");
    }

    #[test]
    fn who_is_cut_meanwhile_has_forgotten_all_the_same() {
        let mut scene = scene();
        let (alice, phone) = (scene.alice, scene.phone);
        let id = scene.say(alice, Place::All);
        scene.all_told();
        scene.world.set_mood(Mood::Stuck);
        scene.world.forget(alice, "FORGET");
        scene.world.cut(alice);
        scene.world.set_mood(Mood::Well);
        scene.world.pass(500);
        assert_eq!(scene.world.told(phone), [format!("109 * {id}")]);
        assert_eq!(scene.world.store.as_ref().unwrap().cancelled, 0);
        scene.world.finish();
    }
}
