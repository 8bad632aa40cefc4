//! Peers in virtual time, without a socket.

use proptest::prelude::*;

use super::*;
use crate::door::datagram::Body;
use crate::hub::command::{Command, Entry, HostGoes};
use crate::hub::names::GuestName;
use crate::hub::{Hub, Rules};

const RULES: Rooms = Rooms { per_session: 32, members: 10_000, guest_idle_s: 300, datagram_idle_s: 60 };
const IDLE: (Millis, Millis) = (60_000, 300_000);

/// Peers, and two rooms for them: `lobby` and `other`.
struct Fixture {
    peers: Peers,
    hub: Hub,
    now: Millis,
}

fn token(n: u8) -> RoomToken {
    RoomToken::new([n; 16])
}

fn session(n: u8) -> SessionId {
    SessionId { slot: n.into(), generation: 1 }
}

fn room(name: &str) -> RoomName {
    RoomName::parse(name).unwrap()
}

fn at(addr: &str) -> Place {
    Place { socket: 0, addr: addr.parse().unwrap() }
}

impl Fixture {
    fn new() -> Self {
        let mut hub = Hub::new(Rules {
            sessions_per_account: 4,
            list_lines: 9,
            rooms_per_session: 9,
            room_members: 9,
            keep_days: 0,
        });
        for (n, name) in [(201, "lobby"), (202, "other")] {
            let entry = Entry { room: room(name), lock: None };
            let guest = GuestName::parse("host").unwrap();
            hub.handle(session(n), Command::EnterAsGuest { guest, makes: Some(HostGoes::Closes), entry }, 0);
        }
        Self { peers: Peers::default(), hub, now: 1000 }
    }

    fn id(&self, name: &str) -> RoomId {
        self.hub.find_room(&room(name)).unwrap()
    }

    /// The place of member `n` in a room.
    fn place(&self, n: u8, name: &str) -> Membership {
        (session(n), self.id(name))
    }

    /// Member `n` of a room, whose token was given to `ip`; an account if there is no spelling.
    fn add(&mut self, n: u8, name: &str, ip: &str, guest: Option<Spelling>) {
        let peer = Peer::new(session(n), (room(name), self.id(name)), ip.parse().unwrap(), guest, self.now);
        assert_eq!(self.peers.issue(self.place(n, name), Some(token(n))), Some(token(n)));
        self.peers.insert(token(n), peer, &RULES);
        self.check();
    }

    fn hear_in(&mut self, name: Option<&str>, n: u8, place: Place) -> Result<Heard, Unheard> {
        let up = Up { room: name, token: token(n), body: Body::Empty };
        let heard = self.peers.hear(&up, place, self.now, &RULES);
        self.check();
        heard
    }

    fn hear(&mut self, n: u8, place: Place) -> Result<bool, Unheard> {
        self.hear_in(None, n, place).map(|heard| heard.is_new)
    }

    fn silences(&mut self) -> Vec<Silence> {
        let mut all = Vec::new();
        while let Some(silence) = self.peers.poll_silence(self.now, &RULES) {
            all.push(silence);
            self.check();
        }
        all
    }

    /// The counts match the table.
    #[track_caller]
    fn check(&self) {
        let mut hearing: HashMap<RoomId, u32> = HashMap::new();
        for peer in self.peers.peers.values().filter(|peer| peer.place.is_some()) {
            *hearing.entry(peer.room_id).or_default() += 1;
        }
        assert_eq!(self.peers.hearing, hearing);
        assert_eq!(self.peers.guests(), self.peers.peers.values().filter(|peer| peer.is_guest).count());
        assert_eq!(self.peers.places().count(), hearing.values().sum::<u32>() as usize);
        let armed = self.peers.peers.values().map(|peer| peer.armed).filter(|armed| *armed != NEVER);
        assert_eq!(self.peers.next_due(), armed.min());
        assert_eq!(
            (self.peers.peers.len(), self.peers.tokens.len()),
            (self.peers.by_token.len(), self.peers.by_token.len())
        );
        for (token, place) in &self.peers.by_token {
            assert_eq!(self.peers.tokens.get(place), Some(token));
            let peer = &self.peers.peers[place];
            assert_eq!((peer.session, peer.room_id), *place);
        }
    }
}

#[test]
fn the_first_valid_datagram_pins_the_address() {
    let mut f = Fixture::new();
    f.add(1, "lobby", "127.0.0.1", Some(Spelling::Named));
    assert_eq!(f.peers.place(f.place(1, "lobby")), None);
    assert!(!f.peers.hears(f.id("lobby")));
    assert_eq!(f.hear(1, at("127.0.0.2:7")), Err(Unheard::Invalid));
    assert_eq!(f.peers.place(f.place(1, "lobby")), None);
    assert_eq!(f.hear(1, at("127.0.0.1:7")), Ok(true));
    assert_eq!(f.peers.place(f.place(1, "lobby")), Some((at("127.0.0.1:7"), Spelling::Named)));
    assert!(f.peers.hears(f.id("lobby")) && !f.peers.hears(f.id("other")));
    for stranger in ["127.0.0.1:8", "127.0.0.2:7", "[::1]:7"] {
        assert_eq!(f.hear(1, at(stranger)), Err(Unheard::Invalid), "{stranger}");
    }
    assert_eq!(f.hear(1, at("127.0.0.1:7")), Ok(false));
    // The address is the member's, the socket is the one that it used last.
    let elsewhere = Place { socket: 3, ..at("127.0.0.1:7") };
    assert_eq!(f.hear(1, elsewhere), Ok(false));
    assert_eq!(f.peers.place(f.place(1, "lobby")), Some((elsewhere, Spelling::Named)));
}

#[test]
fn tokens_that_are_not_there_and_rooms_that_are_not_theirs() {
    let mut f = Fixture::new();
    f.add(1, "lobby", "127.0.0.1", None);
    let here = at("127.0.0.1:7");
    assert_eq!(f.hear(0, here), Err(Unheard::Invalid));
    for (name, is_it) in [("other", false), ("nowhere", false), ("lobby ", false), ("lobby", true), ("LOBBY", true)] {
        assert_eq!(f.hear_in(Some(name), 1, here).is_ok(), is_it, "{name}");
    }
    f.peers.remove(f.place(1, "lobby"));
    f.peers.remove(f.place(1, "lobby"));
    f.check();
    assert_eq!(f.hear(1, here), Err(Unheard::Invalid));
    assert!(!f.peers.hears(f.id("lobby")));
    assert_eq!((f.peers.len(), f.peers.next_due()), (0, None));
}

#[test]
fn mapped_addresses_are_the_ones_that_they_map() {
    for (given, speaks) in [("::ffff:192.0.2.1", "192.0.2.1:7"), ("192.0.2.1", "[::ffff:192.0.2.1]:7")] {
        let mut f = Fixture::new();
        f.add(1, "lobby", given, None);
        assert_eq!(f.hear(1, at("[::ffff:192.0.2.2]:7")), Err(Unheard::Invalid));
        assert_eq!(f.hear(1, at(speaks)), Ok(true), "{given} {speaks}");
        assert_eq!(f.hear(1, at(speaks)), Ok(false), "{given} {speaks}");
    }
}

#[test]
fn entering_again_changes_nothing() {
    let mut f = Fixture::new();
    f.add(1, "lobby", "127.0.0.1", None);
    assert_eq!(f.hear(1, at("127.0.0.1:7")), Ok(true));
    f.now += 30_000;
    f.add(1, "lobby", "127.0.0.1", None);
    assert_eq!(f.peers.place(f.place(1, "lobby")), Some((at("127.0.0.1:7"), Spelling::Text)));
    assert_eq!(f.peers.len(), 1);
    f.now += 30_000; // entering does not end a silence
    assert_eq!(f.silences(), [Silence::Unbound]);
    f.add(2, "lobby", "127.0.0.1", Some(Spelling::Text));
    f.add(2, "lobby", "127.0.0.1", Some(Spelling::Text));
    assert_eq!(f.peers.guests(), 1);
}

#[test]
fn a_place_keeps_its_token() {
    let mut f = Fixture::new();
    let (lobby, other) = (f.place(1, "lobby"), f.place(1, "other"));
    assert_eq!(f.peers.issue(lobby, None), None);
    assert_eq!(f.peers.issue(lobby, Some(token(1))), Some(token(1)));
    assert_eq!(f.peers.issue(lobby, Some(token(2))), Some(token(1)));
    assert_eq!(f.peers.issue(lobby, None), Some(token(1)));
    // Each place has its own; a place that was left and taken again has another.
    assert_eq!(f.peers.issue(other, Some(token(3))), Some(token(3)));
    f.peers.remove(lobby);
    assert_eq!(f.peers.issue(lobby, Some(token(4))), Some(token(4)));
    assert_eq!((f.peers.len(), f.peers.next_due()), (0, None), "a token alone hears nothing");
}

#[test]
fn a_silent_account_is_unbound_and_may_speak_from_elsewhere_then() {
    let mut f = Fixture::new();
    f.add(1, "lobby", "127.0.0.1", None);
    assert_eq!(f.peers.next_due(), None); // it has its connection
    f.hear(1, at("127.0.0.1:7")).unwrap();
    f.now += IDLE.0 - 1;
    assert_eq!(f.silences(), []);
    assert_eq!(f.hear(1, at("127.0.0.1:7")), Ok(false));
    f.now += 1;
    assert_eq!(f.silences(), [Silence::Broken]);
    f.now += IDLE.0 - 1;
    assert_eq!(f.silences(), [Silence::Unbound]);
    assert!(!f.peers.hears(f.id("lobby")));
    assert_eq!((f.peers.place(f.place(1, "lobby")), f.peers.next_due()), (None, None));
    assert_eq!(f.hear(1, at("127.0.0.1:8")), Ok(true));
}

#[test]
fn a_silent_guest_goes_whether_it_was_ever_heard_or_not() {
    let mut f = Fixture::new();
    f.add(1, "lobby", "127.0.0.1", Some(Spelling::Text));
    f.add(2, "lobby", "127.0.0.1", Some(Spelling::Text));
    f.now += 10;
    f.hear(2, at("127.0.0.1:7")).unwrap();
    f.now += IDLE.1 - 10;
    assert_eq!(f.silences(), [Silence::Over(session(1)), Silence::Broken]);
    f.peers.remove(f.place(1, "lobby"));
    f.now += 10;
    assert_eq!(f.silences(), [Silence::Over(session(2))]);
    // A silence that has no effect is not reported again.
    assert_eq!(f.silences(), []);
}

#[test]
fn an_invalid_datagram_is_no_sign_of_life_and_one_too_many_is() {
    let mut f = Fixture::new();
    f.add(1, "lobby", "127.0.0.1", Some(Spelling::Text));
    f.now += 100;
    assert!(f.hear(1, at("127.0.0.2:7")).is_err() && f.hear_in(Some("other"), 1, at("127.0.0.1:7")).is_err());
    for _ in 0..DATAGRAM_BURST {
        f.hear(1, at("127.0.0.1:7")).unwrap();
    }
    f.now += 10;
    assert_eq!(f.hear(1, at("127.0.0.1:7")), Err(Unheard::TooFast));
    f.now += IDLE.1 - 1;
    assert_eq!(f.silences(), [Silence::Broken]);
    f.now += 1;
    assert_eq!(f.silences(), [Silence::Over(session(1))]);
}

#[test]
fn a_hundred_at_once_and_then_fifty_a_second() {
    let mut f = Fixture::new();
    for n in [1, 2] {
        f.add(n, "lobby", "127.0.0.1", None);
    }
    let burst = |f: &mut Fixture, n: u8| (0..1000).filter(|_| f.hear(n, at("127.0.0.1:7")).is_ok()).count();
    assert_eq!(burst(&mut f, 1), 100);
    f.now += 1000;
    assert_eq!(burst(&mut f, 1), 50);
    f.now += 19;
    assert_eq!(burst(&mut f, 1), 0);
    f.now += 1;
    assert_eq!(burst(&mut f, 1), 1);
    f.now += 60_000;
    assert_eq!((burst(&mut f, 1), burst(&mut f, 2)), (100, 100));
    // An invalid datagram takes nothing from the allowance.
    f.now += 20;
    assert_eq!(f.hear(1, at("127.0.0.1:8")), Err(Unheard::Invalid));
    assert_eq!(f.hear(1, at("127.0.0.1:7")), Ok(false));
}

#[test]
fn new_times_of_silence_hold_for_those_who_are_there() {
    let mut f = Fixture::new();
    f.add(1, "lobby", "127.0.0.1", Some(Spelling::Text));
    f.add(2, "lobby", "127.0.0.1", None);
    f.hear(2, at("127.0.0.1:7")).unwrap();
    let shorter = Rooms { guest_idle_s: 2, datagram_idle_s: 1, ..RULES };
    f.peers.rearm(&shorter);
    f.check();
    f.now += 1000;
    assert_eq!(f.peers.poll_silence(f.now, &shorter), Some(Silence::Unbound));
    assert_eq!(f.peers.poll_silence(f.now, &shorter), None);
    // And back, before the guest's is over.
    f.peers.rearm(&RULES);
    f.now += 1000;
    assert_eq!(f.silences(), [Silence::Broken]);
}

proptest! {
    /// The counts match the table after any sequence of actions, and a removed member is never the sender of a
    /// datagram.
    #[test]
    fn counts_stay_true(steps in prop::collection::vec((0..6u8, 0..6u8, 0..3u16, 0..40_000u64), 0..200)) {
        let mut f = Fixture::new();
        let name = |n: u8| ["lobby", "other"][usize::from(n % 2)];
        for (what, n, port, time) in steps {
            let is_there = f.peers.by_token.contains_key(&token(n));
            let place = Place { socket: port.into(), addr: SocketAddr::from(([127, 0, 0, 1], port)) };
            match what {
                0 | 1 => f.add(n, name(n), "127.0.0.1", (n > 2).then_some(Spelling::Text)),
                2 => f.peers.remove(f.place(n, name(n))),
                3 => f.now += time,
                4 => drop(f.silences()),
                _ => prop_assert!(is_there || f.hear(n, place).is_err()),
            }
            if what == 5 && is_there {
                let known = f.peers.place(f.place(n, name(n))).map(|(place, _)| place.addr);
                prop_assert_eq!(f.hear(n, place).is_ok(), known.is_none_or(|known| known == place.addr));
            }
            f.check();
        }
    }
}
