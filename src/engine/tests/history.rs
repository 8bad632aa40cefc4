//! Planned runs with the history.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use super::clients::{Client, Going, Reading, Role, SLACK_MS, What};
use super::ledger::Place;
use super::store::Mood;
use super::world::World;
use crate::engine::{Millis, Part, Settings, State};
use crate::history::Trouble;
use crate::hub::names::UserName;
use crate::hub::record::{Account, Spot};
use crate::limits::{self, HISTORY_WAIT_MS, Limits};

/// All codes of operations of the history.
pub(super) const CODES: &[&str] = &["200", "211", "212", "213", "215", "227", "450", "501", "550", "554"];

pub(super) fn settings() -> Settings {
    let accounts = limits::Accounts { sessions_per_account: 10, ..limits::Accounts::default() };
    let limits = Limits { rate_lines_per_s: 0, rate_bytes_per_s: 0, ..Limits::default() };
    let history = Some(limits::History::default());
    Settings { limits, accounts, history, ..Settings::default() }
}

/// A world with this many accounts.
pub(super) fn world(settings: Settings, accounts: u16) -> World {
    let world = World::new(1, settings, 20_000);
    for account in 0..accounts {
        world.accounts.borrow_mut().add(&format!("u{account}"), "password");
    }
    world.accounts.borrow_mut().hash_ms = 1;
    world
}

pub(super) fn account(number: u16) -> Account {
    Account { name: UserName::parse(&format!("u{number}")).unwrap(), since: 1 }
}

impl World {
    /// A typed client that logs in, reads, and sends what the test orders.
    pub(super) fn typed(&mut self, account: u16) -> usize {
        self.come(account, |_| {})
    }

    /// A bare one.
    pub(super) fn bare(&mut self, account: u16) -> usize {
        self.come(account, |client| client.is_typed = false)
    }

    pub(super) fn come(&mut self, account: u16, change: impl FnOnce(&mut Client)) -> usize {
        let addr = SocketAddr::from(([127, 0, 0, 1], 20_000 + account));
        let mut client = Client::new(addr, Role::Talker, account);
        client.has_token = true;
        change(&mut client);
        let place = self.add(client, 64 * 1024, self.now);
        self.pass(300);
        assert!(self.clients[place].is_in() || self.clients[place].reading != Reading::All, "{account} is not in");
        place
    }

    pub(super) fn pass(&mut self, time: Millis) {
        self.run(self.now + time);
    }

    /// The lines of the answer to an operation, and the notices meanwhile.
    pub(super) fn ask(&mut self, i: usize, line: &str) -> Vec<String> {
        self.clients[i].past.clear();
        self.order(i, line, CODES, What::Recall);
        self.pass(100);
        std::mem::take(&mut self.clients[i].past)
    }

    /// The client leaves.
    pub(super) fn leave(&mut self, i: usize, going: Going) {
        self.clients[i].going = going;
        self.go(i);
        self.pass(3_000);
    }

    pub(super) fn say_to(&mut self, i: usize, place: Place) -> u32 {
        let number = self.say_at_length(i, place, 5);
        self.pass(20);
        number
    }
}

/// The ids of the lines of a page.
fn ids(lines: &[String]) -> Vec<u64> {
    lines.iter().filter_map(|line| line.strip_prefix("212-")?.split(' ').next()?.parse().ok()).collect()
}

/// The bound with which a page goes on.
fn next(lines: &[String]) -> Option<u64> {
    lines.last()?.split("next=").nth(1)?.parse().ok()
}

#[test]
fn a_page_holds_what_was_said_before_it() {
    let mut world = world(settings(), 4);
    let [alice, bob, carol] = [0, 1, 2].map(|account| world.typed(account));
    world.store.as_mut().unwrap().delay_ms = 700;
    for round in 0..40 {
        for speaker in [alice, bob] {
            world.say_at_length(speaker, Place::All, 5);
        }
        world.order(carol, "HISTORY * 200", CODES, What::Recall);
        let time = world.dice.below(30);
        world.pass(time);
        let heard: BTreeSet<u64> = world.ledger.heard_by(&world.clients[carol], Place::All).into_iter().collect();
        world.clients[carol].past.clear();
        world.order(carol, "HISTORY * 200", CODES, What::Recall);
        world.pass(3_000);
        let page: Vec<u64> = ids(&world.clients[carol].past);
        let last = page.len().saturating_sub(200);
        let found: BTreeSet<u64> = page[last..].iter().copied().collect();
        assert!(heard.is_subset(&found), "round {round}: {heard:?} and {found:?}");
    }
    world.finish();
}

#[test]
fn a_store_that_does_not_answer_blocks_nobody() {
    let mut world = world(settings(), 4);
    let [alice, bob, carol] = [0, 1, 2].map(|account| world.typed(account));
    world.set_mood(Mood::Stuck);
    let since = world.now;
    world.clients[carol].past.clear();
    for line in ["HISTORY", "READ *", "UNREAD"] {
        world.order(carol, line, CODES, What::Recall);
    }
    for _ in 0..19 {
        let number = world.say_to(alice, Place::Account(1));
        assert_eq!(world.ledger.heard(number), 1, "at {}", world.now);
        world.pass(80);
    }
    assert!(world.clients[carol].past.is_empty(), "{:?}", world.clients[carol].past);
    world.run(since + 3 * HISTORY_WAIT_MS + SLACK_MS);
    let past = &world.clients[carol].past;
    assert!(past.len() == 3 && past.iter().all(|line| line.starts_with("450 ")), "{past:?}");
    // The answers that come late are for nobody.
    world.set_mood(Mood::Well);
    world.pass(1_000);
    assert_eq!(world.store.as_ref().unwrap().cancelled, 3);
    assert_eq!(ids(&world.ask(carol, "HISTORY *")), [] as [u64; 0]);
    assert_eq!(ids(&world.ask(bob, "HISTORY @u0")).len(), 19);
    world.finish();
}

#[test]
fn what_was_answered_450_is_not_kept_and_what_was_kept_is() {
    let mut world = world(settings(), 4);
    let alice = world.typed(0);
    for (mood, is_kept) in [(Mood::Well, true), (Mood::Broken, false), (Mood::Stuck, false), (Mood::Well, true)] {
        world.set_mood(mood);
        let number = world.say_at_length(alice, Place::Account(3), 5);
        world.pass(HISTORY_WAIT_MS + SLACK_MS);
        assert!(world.clients[alice].expected.is_empty(), "{mood:?}: {:?}", world.clients[alice].expected);
        world.set_mood(Mood::Well);
        world.pass(1_000);
        let texts = world.store.as_ref().unwrap().texts();
        let text = format!("m{number} xxxxx");
        assert_eq!(texts.contains(&text), is_kept, "{mood:?}: {texts:?}");
    }
    world.finish();
}

#[test]
fn a_message_whose_sender_is_gone_is_kept_or_withdrawn() {
    let mut world = world(settings(), 4);
    for mood in [Mood::Well, Mood::Broken, Mood::Stuck] {
        let alice = world.typed(0);
        world.store.as_mut().unwrap().delay_ms = 500;
        world.set_mood(mood);
        world.say_at_length(alice, Place::Account(3), 5);
        world.pass(5);
        world.reset_at(alice, world.now);
        world.pass(HISTORY_WAIT_MS + SLACK_MS);
        world.set_mood(Mood::Well);
        world.pass(2_000);
        let store = world.store.as_ref().unwrap();
        assert!(store.is_idle() && store.ids().is_disjoint(&store.refused), "{mood:?}");
    }
    world.finish();
}

#[test]
fn a_full_queue_drops_and_a_hole_says_so() {
    let mut settings = settings();
    let rules = settings.history.as_mut().unwrap();
    rules.queue_bytes = 64 * 1024;
    let mut world = world(settings, 4);
    let [alice, bob] = [0, 1].map(|account| world.typed(account));
    world.set_mood(Mood::Stuck);
    for _ in 0..100 {
        world.say_at_length(alice, Place::All, 1_000);
        world.say_at_length(bob, Place::Account(0), 1_000);
        world.pass(5);
    }
    let dropped = world.engine.counters.history_dropped;
    assert!(dropped > 50, "{dropped}");
    // The bound, and what one turn may bring.
    let most = world.store.as_ref().unwrap().most_backlog;
    assert!(most <= 64 * 1024 + 4 * 1_300, "{most}");
    world.set_mood(Mood::Well);
    world.pass(100);
    let after = world.say_to(alice, Place::All);
    world.pass(1_000);
    let store = world.store.as_ref().unwrap();
    let holes = store.holes();
    assert_eq!(holes.iter().map(|(_, _, count)| count.unwrap()).sum::<u64>(), dropped, "{holes:?}");
    let places: Vec<_> = holes.iter().map(|(_, spot, _)| spot.clone()).collect();
    assert_eq!(places, [Spot::Everybody, Spot::Direct(account(0))]);
    // They are after what they stand for, and before what is kept next.
    assert!(holes.iter().all(|(id, _, _)| *id < world.ledger.id(after)));
    assert_eq!(store.texts().len() as u64 + dropped, 201);
    let page = world.ask(bob, "HISTORY * 5");
    assert!(page.iter().any(|line| line.contains(" * server g ")), "{page:?}");
    world.finish();
}

#[test]
fn missed_goes_on_where_it_ended() {
    let mut world = world(settings(), 4);
    let alice = world.typed(0);
    let number = |lines: &[String]| lines.iter().filter(|line| line.contains(" u0: m")).count();
    (0..120).for_each(|_| {
        world.say_to(alice, Place::All);
    });
    let bob = world.bare(1);
    let told = std::mem::take(&mut world.clients[bob].past);
    assert_eq!(told, ["110 120 missed, 0 for you; MISSED shows them"]);
    // What is said from now on is not among them, and the floor that is written meanwhile takes nothing away.
    world.say_to(alice, Place::All);
    world.pass(31_000);
    for (expected, last) in [
        (50, "212 50 messages; MISSED shows 70 more"),
        (50, "212 50 messages; MISSED shows 20 more"),
        (20, "212 20 messages"),
        (0, "212 0 messages"),
    ] {
        let page = world.ask(bob, "MISSED");
        assert_eq!((number(&page), page.last().map(String::as_str)), (expected, Some(last)));
    }
    world.leave(bob, Going::Bye);
    (0..3).for_each(|_| {
        world.say_to(alice, Place::All);
    });
    let back = world.bare(1);
    assert_eq!(std::mem::take(&mut world.clients[back].past), ["110 3 missed, 0 for you; MISSED shows them"]);
    assert_eq!(world.ask(back, "READ"), ["200 read"]);
    assert_eq!(world.ask(back, "MISSED"), ["212 0 messages"]);
    world.leave(back, Going::Bye);
    let again = world.bare(1);
    assert!(world.clients[again].past.is_empty(), "{:?}", world.clients[again].past);
    world.finish();
}

#[test]
fn what_missed_has_not_shown_is_missed_at_the_next_login_too() {
    let mut world = world(settings(), 4);
    let alice = world.typed(0);
    (0..60).for_each(|_| {
        world.say_to(alice, Place::All);
    });
    // Bob is told, asks for nothing, hears one more, and is cut after a while.
    let bob = world.bare(1);
    world.say_to(alice, Place::All);
    world.pass(61_000);
    world.leave(bob, Going::Reset);
    let back = world.bare(1);
    assert_eq!(std::mem::take(&mut world.clients[back].past), ["110 61 missed, 0 for you; MISSED shows them"]);
    assert_eq!(world.ask(back, "MISSED").last().unwrap(), "212 50 messages; MISSED shows 11 more");
    world.leave(back, Going::Bye);
    let again = world.bare(1);
    assert_eq!(std::mem::take(&mut world.clients[again].past), ["110 11 missed, 0 for you; MISSED shows them"]);
    assert_eq!(world.ask(again, "MISSED").last().unwrap(), "212 11 messages");
    world.leave(again, Going::Bye);
    let last = world.bare(1);
    assert!(world.clients[last].past.is_empty(), "{:?}", world.clients[last].past);
    world.finish();
}

#[test]
fn the_floor_of_a_bare_session_is_what_was_acknowledged() {
    let mut world = world(settings(), 4);
    let [alice, _typed] = [0, 2].map(|account| world.typed(account));
    let floor = |world: &World| world.store.as_ref().unwrap().floors.get(&account(1)).copied().unwrap_or_default();
    let bob = world.bare(1);
    let first = world.say_to(alice, Place::All);
    world.pass(31_000);
    assert_eq!(floor(&world), world.ledger.id(first));
    // From here on bob reads nothing. His kernel acknowledges half of what fits.
    world.clients[bob].reading = Reading::Stopped;
    let said: Vec<u32> = (0..40)
        .map(|_| {
            let number = world.say_at_length(alice, Place::All, 1_400);
            world.pass(7_000);
            number
        })
        .collect();
    let acknowledged = floor(&world);
    assert!(acknowledged > world.ledger.id(said[4]), "nothing was acknowledged after the first one");
    assert!(acknowledged <= world.ledger.id(said[24]), "that was not acknowledged");
    world.clients[bob].going = Going::Reset;
    world.go(bob);
    world.pass(5_000);
    assert!(floor(&world) <= world.ledger.id(said[24]), "that was not acknowledged");
    let again = world.bare(1);
    let told = std::mem::take(&mut world.clients[again].past);
    let missed: usize = told[0].split(' ').nth(1).unwrap().parse().unwrap();
    assert!((15..36).contains(&missed), "{told:?}");
    world.finish();
}

#[test]
fn other_sessions_hear_what_was_read_once_a_second() {
    let mut world = world(settings(), 4);
    let [alice, first, second] = [0, 1, 1].map(|account| world.typed(account));
    world.ask(second, "WANT reads");
    let mut told = Vec::new();
    for _ in 0..10 {
        world.say_to(alice, Place::All);
        world.ask(first, "READ *");
        told.append(&mut world.clients[second].past);
    }
    world.pass(1_500);
    told.append(&mut world.clients[second].past);
    assert!((2..=4).contains(&told.len()), "{told:?}");
    let last = world.engine.hub.last_id();
    assert_eq!(told.last(), Some(&format!("108 * {last}")));
    assert_eq!(world.ask(first, "READ"), ["200 read"]);
    world.pass(100);
    assert_eq!(world.clients[second].past, [format!("108 - {last}")]);
    assert!(world.clients[first].past.is_empty() && world.clients[alice].past.is_empty());
    world.finish();
}

#[test]
fn a_client_that_is_cut_at_random_hears_each_message_once() {
    let mut world = world(settings(), 6);
    let speakers = [0, 1, 2].map(|account| world.typed(account));
    let mut listener = world.typed(3);
    let mut seen: BTreeSet<u64> = BTreeSet::new();
    let mut upto = 0;
    let mut said = Vec::new();
    for _ in 0..25 {
        for _ in 0..world.dice.below(40) {
            let speaker = speakers[world.dice.below(3) as usize];
            said.push(world.say_at_length(speaker, Place::All, 5));
            let time = world.dice.below(10);
            world.pass(time);
        }
        // Cut, away for a while, and back.
        let heard = world.ledger.heard_by(&world.clients[listener], Place::All);
        heard.into_iter().for_each(|id| {
            seen.insert(id);
            upto = upto.max(id);
        });
        world.reset_at(listener, world.now);
        world.pass(20);
        said.push(world.say_at_length(speakers[0], Place::All, 5));
        listener = world.typed(3);
        said.push(world.say_at_length(speakers[1], Place::All, 5));
        let mut after = upto;
        loop {
            let page = world.ask(listener, &format!("HISTORY after {after} 7"));
            seen.extend(ids(&page));
            match next(&page) {
                Some(next) => after = next,
                None => break,
            }
        }
        upto = upto.max(seen.last().copied().unwrap_or_default());
    }
    world.pass(1_000);
    seen.extend(world.ledger.heard_by(&world.clients[listener], Place::All));
    let all = world.ledger.ids(|place, _| place == Place::All);
    assert_eq!(all.len(), said.len());
    assert_eq!(seen, all);
    world.finish();
}

#[test]
fn only_members_read_a_kept_room() {
    let mut world = world(settings(), 6);
    let [alice, bob, carol] = [0, 1, 2].map(|account| world.typed(account));
    let enter = What::Enter { room: 0, is_wrong: false };
    world.order(alice, "MAKE r0", &["227"], enter);
    world.pass(50);
    assert_eq!(world.ask(alice, "KEEP r0").last().map(|line| &line[..3]), Some("200"));
    world.order(bob, "JOIN r0", &["227"], enter);
    world.pass(50);
    world.say_to(alice, Place::Room(0));
    assert_eq!(ids(&world.ask(bob, "HISTORY r0")).len(), 1);
    assert_eq!(world.ask(carol, "HISTORY r0").last().map(|line| &line[..3]), Some("550"));
    assert_eq!(ids(&world.ask(carol, "HISTORY")).len(), 0);
    world.order(alice, "KICK r0 u1", &["200"], What::Other);
    world.pass(50);
    for line in ["HISTORY r0", "SEARCH xxxxx in:r0", "READ r0"] {
        assert_eq!(world.ask(bob, line).last().map(|line| &line[..3]), Some("550"), "{line}");
    }
    assert_eq!(ids(&world.ask(bob, "SEARCH xxxxx")).len(), 0);
    assert_eq!(world.ask(carol, "HISTORY @nobody").last().map(|line| &line[..3]), Some("550"));
    world.finish();
}

#[test]
fn what_is_said_after_a_kick_is_in_no_answer_that_was_under_way() {
    let mut world = world(settings(), 4);
    let alice = world.typed(0);
    let readers: Vec<usize> = (0..3).map(|_| world.typed(1)).collect();
    let enter = What::Enter { room: 0, is_wrong: false };
    world.order(alice, "MAKE r0", &["227"], enter);
    world.pass(50);
    assert_eq!(world.ask(alice, "KEEP r0").last().map(|line| &line[..3]), Some("200"));
    world.order(readers[0], "JOIN r0", &["227"], enter);
    world.pass(50);
    world.say_to(alice, Place::Room(0));
    world.pass(500);
    world.set_mood(Mood::Stuck);
    for (reader, line) in readers.iter().zip(["HISTORY r0 200", "SEARCH xxxxx", "UNREAD"]) {
        world.clients[*reader].past.clear();
        world.order(*reader, line, CODES, What::Recall);
    }
    world.pass(50);
    world.order(alice, "KICK r0 u1", &["200"], What::Other);
    world.pass(50);
    for _ in 0..3 {
        world.say_to(alice, Place::Room(0));
    }
    world.pass(300);
    // The store takes what was said before it answers.
    world.store.as_mut().unwrap().records_first();
    world.set_mood(Mood::Well);
    world.pass(500);
    for (reader, expected) in readers.iter().zip([1, 1]) {
        assert_eq!(ids(&world.clients[*reader].past).len(), expected, "{:?}", world.clients[*reader].past);
    }
    let counts = &world.clients[readers[2]].past;
    assert!(counts.last().is_some_and(|line| line.starts_with("213 ")), "{counts:?}");
    assert!(!counts.iter().any(|line| line.starts_with("213-r0 ")), "{counts:?}");
    world.finish();
}

#[test]
fn a_keep_that_is_not_on_disk_is_undone() {
    let mut world = world(settings(), 2);
    let alice = world.typed(0);
    world.order(alice, "MAKE r0", &["227"], What::Enter { room: 0, is_wrong: false });
    world.pass(50);
    for (mood, code) in [(Mood::Stuck, "450"), (Mood::Broken, "450"), (Mood::Well, "200")] {
        world.set_mood(mood);
        world.clients[alice].past.clear();
        world.order(alice, "KEEP r0", CODES, What::Recall);
        world.pass(HISTORY_WAIT_MS + SLACK_MS);
        let past = world.clients[alice].past.clone();
        assert_eq!(past.last().map(|line| &line[..3]), Some(code), "{mood:?}: {past:?}");
        world.set_mood(Mood::Well);
        world.pass(500);
        let rooms = world.store.as_ref().unwrap().rooms.len();
        assert_eq!(rooms, usize::from(code == "200"), "{mood:?}");
    }
    world.finish();
}

#[test]
fn a_stop_loses_nothing() {
    let mut world = world(settings(), 4);
    let [alice, bob] = [0, 1].map(|account| world.typed(account));
    world.bare(2);
    world.say_to(alice, Place::All);
    world.say_at_length(bob, Place::All, 5);
    world.set_mood(Mood::Stuck);
    world.pass(3);
    world.order(bob, "HISTORY", CODES, What::Recall);
    world.pass(3);
    world.say_at_length(alice, Place::All, 5);
    world.pass(3);
    world.clients[bob].is_going = true;
    let since = world.now;
    world.finish_by_stop();
    assert!(world.now - since < HISTORY_WAIT_MS, "the stop has waited for the store");
    assert_eq!(world.store.as_ref().unwrap().texts().len(), 3);
}

#[test]
fn a_lost_store_is_told_and_everything_else_goes_on() {
    let mut world = world(settings(), 4);
    let [alice, bob] = [0, 1].map(|account| world.typed(account));
    world.engine.handle_trouble(Trouble { broken: Some("no space left".into()), full: None });
    assert!(world.engine.degraded().any(|shown| shown.part.name() == "history broken"));
    world.engine.handle_trouble(Trouble::default());
    world.pass(11_000);
    assert_eq!(world.engine.degraded().count(), 0);
    world.set_mood(Mood::Stuck);
    world.engine.handle_history_lost();
    let number = world.say_to(alice, Place::Account(1));
    assert_eq!(world.ledger.heard(number), 1);
    world.engine.handle_trouble(Trouble::default());
    world.pass(11_000);
    assert!(world.engine.degraded().any(|shown| shown.part.name() == "history broken"));
    assert_eq!(world.engine.counters.history_dropped, 1);
    let _ = bob;
}

#[test]
fn without_a_store_nothing_is_kept() {
    let mut world = world(Settings { history: None, ..settings() }, 2);
    let alice = world.typed(0);
    for line in ["HISTORY", "MISSED", "SEARCH word", "UNREAD", "READ", "READ *"] {
        assert_eq!(world.ask(alice, line), ["554 nothing is kept here"], "{line}");
    }
    assert_eq!(world.ask(alice, "WANT ids"), ["200 ids"]);
    world.finish();
}

#[test]
fn ten_thousand_waits_end_in_time() {
    const WAITS: usize = 10_000;
    let mut settings = settings();
    settings.accounts.sessions_per_account = 100;
    let mut world = world(settings, 200);
    world.audit_every_ms = 1_000;
    let pair = [world.typed(198), world.typed(199)];
    let eves: Vec<usize> = (0..WAITS)
        .map(|number| {
            let addr = SocketAddr::from(([127, 0, 0, 1], 10_000 + number as u16));
            let mut client = Client::new(addr, Role::Talker, (number % 180) as u16);
            client.has_token = true;
            client.is_public = false;
            world.add(client, 4 * 1024, world.now)
        })
        .collect();
    world.pass(5_000);
    world.set_mood(Mood::Stuck);
    for eve in &eves {
        world.order(*eve, "HISTORY * 200", CODES, What::Recall);
    }
    world.pass(500);
    let requests = world.store.as_ref().unwrap().requests;
    assert!(requests >= WAITS as u64, "{requests}");
    for _ in 0..4 {
        let number = world.say_to(pair[0], Place::Account(199));
        assert_eq!(world.ledger.heard(number), 1, "at {}", world.now);
        world.pass(500);
    }
    world.pass(500);
    for eve in &eves {
        let client = &world.clients[*eve];
        assert_eq!(client.past, ["450 the history does not answer now, try again in some seconds"], "{client:?}");
    }
    assert_eq!(world.store.as_ref().unwrap().cancelled, WAITS as u64);
}

#[test]
fn readers_of_pages_that_do_not_read_harm_nobody() {
    let mut world = world(settings(), 100);
    let pair = [world.typed(98), world.typed(99)];
    for _ in 0..100 {
        world.say_at_length(pair[0], Place::All, 1_000);
    }
    world.pass(500);
    let eves: Vec<usize> = (0..60).map(|account| world.come(account, |client| client.is_fair = false)).collect();
    for eve in &eves {
        world.clients[*eve].reading = Reading::Stopped;
        for _ in 0..40 {
            world.order(*eve, "HISTORY * 200", CODES, What::Recall);
        }
    }
    for _ in 0..20 {
        let number = world.say_to(pair[0], Place::Account(99));
        assert_eq!(world.ledger.heard(number), 1, "at {}", world.now);
        world.pass(500);
    }
    // Each holds a page or two, and what its kernel has.
    let owed = world.engine.pages.owed_bytes();
    assert!(owed < 60 * 400 * 1024, "{owed}");
    assert!(world.store.as_ref().unwrap().requests < 60 * 10, "pages are made that nobody reads");
    world.finish();
}

#[test]
fn a_flood_of_requests_has_the_rate_of_talk() {
    let mut settings = settings();
    (settings.limits.rate_lines_per_s, settings.limits.rate_burst) = (10, 20);
    let mut world = world(settings, 2);
    let alice = world.typed(0);
    for _ in 0..200 {
        world.order(alice, "HISTORY", CODES, What::Recall);
    }
    world.pass(5_000);
    let requests = world.store.as_ref().unwrap().requests;
    assert!((60..=72).contains(&requests), "{requests}");
    world.clients[alice].going = Going::Reset;
    world.finish();
}

#[test]
fn a_server_that_is_overloaded_reads_nothing_from_the_history() {
    let mut world = world(settings(), 2);
    let alice = world.typed(0);
    world.engine.handle_part(Part::Overloaded, State::Ill("turns are long".into()));
    for (line, code) in [("HISTORY", "450"), ("SEARCH word", "450"), ("UNREAD", "213"), ("READ", "200")] {
        assert_eq!(world.ask(alice, line).last().map(|line| &line[..3]), Some(code), "{line}");
    }
    world.finish();
}
