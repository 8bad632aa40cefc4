//! Tests of the hub: the events of each command, and a seeded simulation against a simple model.

use super::command::{Entry, HostGoes, Ignore, Keep, Watch};
use super::event::{Census, Change, Closing, Leaving, NameLine, News, Present, RoomLine, Seat, Whereabouts};
use super::names::RoomName;
use super::profile::ProfileKey;
use super::record::{KeptId, KeptRoom, Lock, Setting, Topic, Whom};
use super::*;
use crate::limits::PLACE_END_WORK;

mod direct;
mod guests;
mod guests_online;
mod ignores;
mod inviting;
mod kept;
mod watching;
mod profiles;
mod restore;
mod rooms;
mod replay;
mod shadow;
mod shadow_guests;
mod shadow_people;
mod shadow_rooms;
mod shadow_store;
mod simulation;
mod spelled;

use spelled::{spelled_audience, spelled_event, spelled_id, spelled_record};

const RULES: Rules =
    Rules { sessions_per_account: 2, list_lines: 3, rooms_per_session: 2, room_members: 3, keep_days: 30 };

fn id(slot: u32) -> SessionId {
    SessionId { slot, generation: 0 }
}

fn name(text: &str) -> UserName {
    UserName::from_record(text).unwrap()
}

fn room(text: &str) -> RoomName {
    RoomName::parse(text).unwrap()
}

/// The account that `mail` means: registered as it is spelled, at the time 1.
fn account(text: &str) -> Account {
    Account { name: name(text), since: 1 }
}

/// What KEEP asks for: nothing, a number of days, `off`, or `to` and a name.
fn keep(text: &str) -> Keep {
    match text {
        "" => Keep::Days(None),
        "off" => Keep::Off,
        text => match text.strip_prefix("to ") {
            Some(heir) => Keep::To(name(heir)),
            None => Keep::Days(Some(text.parse().unwrap())),
        },
    }
}

/// An account, or a guest with `~`.
fn whom(text: &str) -> Who {
    Who::parse(text).unwrap()
}

/// A reason, unless it is empty.
fn reason(text: &str) -> Option<std::borrow::Cow<'_, str>> {
    (!text.is_empty()).then(|| text.into())
}

/// `"name [how it calls itself]"`.
fn log_in<'a>((name, called): (&str, &'a str), since: u64) -> Command<'a> {
    let who = whom(name);
    let since = if matches!(who, Who::Guest(_)) { 0 } else { since };
    Command::LogIn { who, since, called: reason(called) }
}

/// Whom to watch: nothing, a name, or a name and `off`.
fn watch(text: &str) -> Watch {
    match text.split_once(' ') {
        _ if text.is_empty() => Watch::List,
        Some((named, _)) => Watch::Off(whom(named)),
        None => Watch::On(whom(text)),
    }
}

/// Whom to ignore: nothing, `~` or a name; then `off`. A name that begins with `no` is nobody's; `bob/2` is registered at
/// the time 2.
fn ignore(text: &str) -> Ignore {
    let (whom, is_on) = text.split_once(' ').map_or((text, true), |(whom, _)| (whom, false));
    let (shown, since) = whom.split_once('/').map_or((whom, 1), |(shown, since)| (shown, since.parse().unwrap()));
    match whom {
        "" => Ignore::List,
        "~" => Ignore::Guests { is_on },
        _ => {
            let account = (!shown.starts_with("no")).then(|| Account { name: name(shown), since });
            Ignore::Name { name: name(shown), account, is_on }
        }
    }
}

/// `"room [password]"`.
fn entry(text: &str) -> Entry {
    let (name, word) = text.split_once(' ').map_or((text, None), |(name, word)| (name, Some(word)));
    Entry { room: room(name), lock: word.filter(|word| !word.is_empty()).map(Lock::unsealed) }
}

/// A direct message; `account` is the receiver's, if it exists.
fn tell<'a>((to, text): (&str, &'a str), manner: Manner, account: Option<Account>) -> Command<'a> {
    Command::Tell { to: whom(to), text: text.into(), manner, account }
}

/// What the server does besides: `kept` and `lost` settle a wait, `on`, `full` and `off` say whether messages are kept,
/// `forget` deletes an account, `cut` says that an account was cut off ten seconds ago, `tend` looks after kept rooms.
fn serve(hub: &mut Hub, step: &str) {
    let (verb, rest) = step.split_once(' ').unwrap_or((step, ""));
    match verb {
        "kept" => hub.settle_wait(rest.parse().unwrap(), true),
        "lost" => hub.settle_wait(rest.parse().unwrap(), false),
        "on" => hub.set_keeping(Keeping::On),
        "full" => hub.set_keeping(Keeping::Full),
        "off" => hub.set_keeping(Keeping::Off),
        "neighbours" => hub.tell_neighbours(true),
        "cut" => hub.end_cut(&name(rest)),
        "forget" => hub.forget_account(&account(rest)),
        "tend" => hub.tend_kept_rooms(rest.parse().unwrap()),
        other => panic!("the server does not {other}"),
    }
}

/// Carries out `"slot[.generation] verb arguments"` at millisecond `unix_ms`, or `"server verb arguments"`.
fn carry_out(hub: &mut Hub, step: &str, unix_ms: u64) {
    if let Some(step) = step.strip_prefix("server ") {
        return serve(hub, step);
    }
    let (who, command) = step.split_once(' ').unwrap();
    let (slot, generation) = who.split_once('.').unwrap_or((who, "0"));
    let who = SessionId { slot: slot.parse().unwrap(), generation: generation.parse().unwrap() };
    let (verb, rest) = command.split_once(' ').unwrap_or((command, ""));
    let two = || rest.split_once(' ').unwrap_or((rest, ""));
    let command = match verb {
        "enter" => log_in(two(), 1),
        "reenter" => log_in(two(), 2),
        "leave" => Command::Leave { text: reason(rest) },
        "cut" => Command::Cut,
        "away" => Command::Away { text: (!rest.is_empty()).then(|| rest.into()) },
        "watch" => Command::Watch(watch(rest)),
        "ignore" => Command::Ignore(ignore(rest)),
        "set" => {
            let key = ProfileKey::parse(two().0).unwrap();
            Command::Set { key, value: Some(two().1).filter(|value| !value.is_empty()).map(Into::into) }
        }
        "say" => Command::Say { text: rest.into(), manner: Manner::Text },
        "note" => Command::Say { text: rest.into(), manner: Manner::Notice },
        "tell" => tell(two(), Manner::Text, None),
        "find" => Command::CanTell { name: whom(rest), account: None },
        "mail" => tell(two(), Manner::Text, Some(account(two().0))),
        "notice" => tell(two(), Manner::Notice, Some(account(two().0))),
        "findmail" => Command::CanTell { name: whom(rest), account: Some(account(rest)) },
        "who" => Command::Who { prefix: rest.into(), most: None },
        "make" => Command::Make(entry(rest)),
        "join" => Command::Join(entry(rest)),
        "visit" | "found" | "begin" => {
            let (guest, rest) = two();
            let guest = GuestName::parse(guest).unwrap();
            let makes = match verb {
                "found" => Some(HostGoes::Closes),
                "begin" => Some(HostGoes::PassesOn),
                _ => None,
            };
            Command::EnterAsGuest { guest, makes, entry: entry(rest) }
        }
        "rename" => Command::Rename { guest: GuestName::parse(rest).unwrap() },
        "part" => Command::LeaveRoom { room: room(two().0), text: reason(two().1) },
        "rm" => Command::SayIn { room: room(two().0), text: two().1.into(), manner: Manner::Text },
        "roomnote" => Command::SayIn { room: room(two().0), text: two().1.into(), manner: Manner::Notice },
        "invite" => Command::Invite { room: room(two().0), name: whom(two().1) },
        "handon" => Command::HandOn { room: room(two().0), name: whom(two().1) },
        "public" => Command::Attend { public: rest == "on" },
        "census" => Command::Census,
        "findroom" => Command::CanSayIn { room: room(rest) },
        "listen" => Command::Listen { room: room(rest) },
        "areon" => Command::AreOn { names: rest.split(' ').map(whom).collect() },
        "rooms" => Command::Rooms { prefix: rest.into() },
        "names" => Command::Names { room: room(two().0), prefix: two().1.into(), most: None },
        "kick" => {
            let (name, text) = two().1.split_once(' ').unwrap_or((two().1, ""));
            Command::Kick { room: room(two().0), name: whom(name), text: reason(text) }
        }
        "close" => Command::CloseRoom { room: room(rest) },
        "keep" => Command::Keep { room: room(two().0), how: keep(two().1) },
        "topic" => Command::Topic { room: room(rest), text: None },
        "settopic" => Command::Topic { room: room(two().0), text: Some(two().1.into()) },
        "lock" => {
            let Entry { room, lock } = entry(rest);
            Command::LockRoom { room, lock }
        }
        other => panic!("no such command: {other}"),
    };
    hub.handle(who, command, unix_ms);
}

impl Hub {
    /// The sessions of an audience. Valid until the next command.
    pub(crate) fn hearers(&self, audience: &Audience) -> Vec<SessionId> {
        let but = |ids: &[SessionId], except| ids.iter().copied().filter(|id| Some(*id) != except).collect();
        match audience {
            Audience::One(id) => vec![*id],
            Audience::Others(except) => {
                let attending = self.everyone().iter().copied().filter(|id| self.attends(*id));
                but(&attending.collect::<Vec<_>>(), Some(*except))
            }
            Audience::Person { who, except } => but(self.sessions_named(who), Some(*except)),
            Audience::Room { room, except } => {
                let listeners = self.members_of(*room).iter().filter(|member| member.listens);
                but(&listeners.map(|member| member.session).collect::<Vec<_>>(), *except)
            }
            Audience::Watchers(name) => self.watchers_of(name).to_vec(),
            Audience::Neighbours(sessions) => sessions.clone(),
            Audience::Members { members, .. } => members.iter().map(|member| member.session).collect(),
        }
    }
}

/// Places in rooms that have ended.
type Ended = Vec<(SessionId, RoomId)>;

/// All events, and the places that have ended.
fn drain(hub: &mut Hub) -> (Vec<(Audience, Event)>, Ended) {
    let events = std::iter::from_fn(|| hub.poll_event()).collect();
    let ended = std::iter::from_fn(|| hub.poll_ended_place()).collect();
    hub.check_invariants();
    (events, ended)
}

/// The events as a script spells them. The last element is `ended` and the places as `slot.generation#room`, if any have ended.
fn said(hub: &mut Hub) -> Vec<String> {
    let (events, ended) = drain(hub);
    let spelled = |(audience, event): &(Audience, Event)| {
        format!("{}: {}", spelled_audience(hub, audience), spelled_event(event))
    };
    let mut said: Vec<String> = events.iter().map(spelled).collect();
    if !ended.is_empty() {
        let place =
            |(who, room): &(SessionId, RoomId)| format!(" {}.{}{}", who.slot, who.generation, spelled_id(*room));
        said.push(ended.iter().fold("ended".to_owned(), |text, ended| text + &place(ended)));
    }
    said
}

/// A hub after the commands of `setup`, with all events polled.
fn hub_after(setup: &[&str]) -> Hub {
    let mut hub = Hub::new(RULES);
    for step in setup {
        carry_out(&mut hub, step, 1);
        drain(&mut hub);
        records(&mut hub);
    }
    hub
}

/// All records.
fn records(hub: &mut Hub) -> Vec<HandedOut> {
    std::iter::from_fn(|| hub.poll_record()).collect()
}

/// The accounts that were cut off, as the hub hands them out.
fn cuts(hub: &mut Hub) -> Vec<String> {
    std::iter::from_fn(|| hub.poll_cut()).map(|name| name.to_string()).collect()
}

/// The events, and after `records` what is to be kept.
fn said_and_kept(hub: &mut Hub) -> Vec<String> {
    let mut all = said(hub);
    let records = records(hub);
    if !records.is_empty() {
        all.push("records".to_owned());
        all.extend(records.iter().map(spelled_record));
    }
    all
}

/// Like `check`, with a store, and with the records.
#[track_caller]
fn check_kept(setup: &[&str], step: &str, expected: &[&str]) {
    let mut hub = hub_after(&[&["server on"], setup].concat());
    carry_out(&mut hub, step, 1);
    assert_eq!(said_and_kept(&mut hub), expected, "{step} after {setup:?}");
}

#[track_caller]
fn check(setup: &[&str], step: &str, expected: &[&str]) {
    let mut hub = hub_after(setup);
    carry_out(&mut hub, step, 1);
    assert_eq!(said(&mut hub), expected, "{step} after {setup:?}");
}

const THREE: &[&str] = &["1 enter Alice", "2 enter bob", "3 enter Alice"];

#[test]
fn welcome_counts_accounts() {
    check(&[], "1 enter Alice", &["to 1.0: welcome Alice, 1 online"]);
    check(THREE, "4 enter carol", &["to 4.0: welcome carol, 3 online"]);
    check(THREE, "4 enter bob", &["to 4.0: welcome bob, 2 online"]);
}

#[test]
fn sessions_of_an_account_are_limited() {
    check(THREE, "4 enter Alice", &["to 4.0: full at 2"]);
    check(&[THREE, &["4 enter Alice"]].concat(), "4 say hi", &[]);
    check(&[THREE, &["1 leave"]].concat(), "4 enter Alice", &["to 4.0: welcome Alice, 2 online"]);
}

#[test]
fn a_second_login_is_ignored() {
    check(THREE, "1 enter carol", &[]);
    check(&[THREE, &["1 enter carol"]].concat(), "2 who", &["to 2.0: online Alice bob of 2"]);
}

#[test]
fn leaving() {
    check(THREE, "1 leave", &[]);
    check(&[THREE, &["1 leave"]].concat(), "2 who", &["to 2.0: online Alice bob of 2"]);
    check(&[THREE, &["1 leave", "3 leave"]].concat(), "2 who", &["to 2.0: online bob of 1"]);
    check(&[THREE, &["1 leave", "1 leave"]].concat(), "2 say hi", &["all but 2.0: bob says hi", "to 2.0: sent to 1"]);
}

#[test]
fn public_messages() {
    check(&["1 enter Alice"], "1 say hi", &["all but 1.0: Alice says hi", "to 1.0: sent to 0"]);
    check(THREE, "1 say hi  there ", &["all but 1.0: Alice says hi  there ", "to 1.0: sent to 2"]);
}

#[test]
fn direct_messages() {
    check(THREE, "2 tell aLICE psst", &["Alice but 2.0: bob tells psst", "to 2.0: sent to Alice"]);
    check(THREE, "1 tell alice me", &["Alice but 1.0: Alice tells me", "to 1.0: sent to Alice"]);
    check(THREE, "1 tell Carol psst", &["to 1.0: Carol is not online"]);
    check(THREE, "1 tell bo psst", &["to 1.0: bo is not online"]);
}

#[test]
fn direct_messages_to_oneself() {
    check(THREE, "2 tell BOB me", &["to 2.0: that is you"]);
    check(THREE, "2 find BOB", &["to 2.0: that is you"]);
}

#[test]
fn can_tell() {
    check(THREE, "2 find ALICE", &["to 2.0: found Alice"]);
    check(THREE, "1 find alice", &["to 1.0: found Alice"]);
    check(THREE, "1 find Dora", &["to 1.0: Dora is not online"]);
}

#[test]
fn who_is_online() {
    const FIVE: &[&str] = &["1 enter bob", "2 enter Bo_b", "3 enter Carl", "4 enter BOA", "5 enter a"];
    check(FIVE, "1 who", &["to 1.0: online a Bo_b BOA of 5"]);
    check(FIVE, "1 who bO", &["to 1.0: online Bo_b BOA bob of 3"]);
    check(FIVE, "1 who bob", &["to 1.0: online bob of 1"]);
    check(FIVE, "1 who carla", &["to 1.0: online  of 0"]);
    check(FIVE, "1 who z", &["to 1.0: online  of 0"]);
    check(FIVE, "1 who é", &["to 1.0: online  of 0"]);
    check(&[FIVE, &["6 enter boss"]].concat(), "1 who bo", &["to 1.0: online Bo_b BOA bob of 4"]);
}

#[test]
fn commands_before_login_are_ignored() {
    for step in ["say hi", "tell bob hi", "tell dora hi", "find bob", "find dora", "who", "who b", "leave"] {
        for stranger in ["9", "1.7"] {
            check(THREE, &format!("{stranger} {step}"), &[]);
        }
    }
}

#[test]
fn a_slot_can_be_reused() {
    let setup = [THREE, &["1 leave", "1.1 enter dora", "1 leave"]].concat();
    check(&setup, "1.1 say hi", &["all but 1.1: dora says hi", "to 1.1: sent to 2"]);
    check(&setup, "1 say hi", &[]);
}

#[test]
fn new_rules_end_no_session() {
    let mut hub = hub_after(THREE);
    hub.set_rules(Rules { sessions_per_account: 1, list_lines: 1, ..RULES });
    assert_eq!(hub.sessions_of(&name("alice")), [id(1), id(3)]);
    carry_out(&mut hub, "4 enter bob", 1);
    carry_out(&mut hub, "1 who", 1);
    assert_eq!(said(&mut hub), ["to 4.0: full at 1", "to 1.0: online Alice of 2"]);
}

#[test]
fn surplus_sessions_are_the_oldest() {
    let mut hub = hub_after(THREE);
    assert_eq!(hub.surplus_of(&name("ALICE")), [id(1)]);
    assert_eq!(hub.surplus_of(&name("bob")), []);
    assert_eq!(hub.surplus_of(&name("dora")), []);
    hub.set_rules(Rules { sessions_per_account: 1, ..RULES });
    assert_eq!(hub.surplus_of(&name("alice")), [id(1), id(3)]);
    carry_out(&mut hub, "1 leave", 1);
    assert_eq!(hub.surplus_of(&name("alice")), [id(3)]);
}

#[test]
fn what_grows_with_the_server_is_charged() {
    // A list shows at most three entries here.
    let setup = ["1 enter pa", "2 enter pb", "3 enter pc", "4 enter pd", "5 enter x", "1 make Tea", "2 join tea"];
    let cost = |step: &str| {
        let mut hub = hub_after(&setup);
        hub.take_work();
        carry_out(&mut hub, step, 0);
        hub.take_work()
    };
    assert_eq!(cost("1 who"), 3 * LIST_LINE_WORK + 5);
    assert_eq!(cost("1 who P"), 3 * LIST_LINE_WORK + 4);
    assert_eq!(cost("1 who X"), LIST_LINE_WORK + 1);
    assert_eq!(cost("1 who nobody"), 0);
    assert_eq!(cost("1 rooms t"), LIST_LINE_WORK + 1);
    assert_eq!(cost("5 names tea P"), 2 * LIST_LINE_WORK + 2);
    assert_eq!(cost("1 say hello"), 0); // delivery is charged by the caller
    assert_eq!(cost("2 part tea"), PLACE_END_WORK);
    assert_eq!(cost("1 kick tea pb"), PLACE_END_WORK);
    assert_eq!(cost("1 close tea"), 2 * PLACE_END_WORK);
    assert_eq!(cost("2 leave"), PLACE_END_WORK);
    let mut hub = hub_after(&[&setup[..], &["3 join tea", "1 make milk", "2 join milk", "3 join milk"]].concat());
    hub.tell_neighbours(true);
    hub.take_work();
    carry_out(&mut hub, "1 away", 0);
    assert_eq!(hub.take_work(), 0);
    carry_out(&mut hub, "1 away at lunch", 0);
    assert_eq!(hub.take_work(), 1 + 2, "six places, and two others");
    let mut hub = hub_after(&setup);
    carry_out(&mut hub, "1 who", 0);
    assert!(hub.take_work() > 0);
    assert_eq!(hub.take_work(), 0);
}

#[test]
fn queries() {
    let hub = hub_after(&[THREE, &["2 leave"]].concat());
    let mut everyone = hub.everyone().to_vec();
    everyone.sort();
    assert_eq!(everyone, [id(1), id(3)]);
    assert_eq!(hub.accounts_online(), 1);
    assert_eq!(hub.name_of(id(3)).map(UserName::as_str), Some("Alice"));
    assert_eq!(hub.name_of(id(2)), None);
    assert_eq!(hub.name_of(SessionId { slot: 3, generation: 1 }), None);
    assert_eq!(hub.sessions_of(&name("bob")), []);
}

#[test]
fn ids_carry_the_time_and_rise_though_it_falls() {
    let mut hub = hub_after(THREE);
    let mut ids = Vec::new();
    for (step, unix_ms) in [("1 say a", 5_000), ("1 tell bob b", 5_000), ("2 say c", 4_000), ("2 say d", 6_000)] {
        carry_out(&mut hub, step, unix_ms);
        ids.extend(drain(&mut hub).0.iter().filter_map(|(_, event)| id_of(event)));
    }
    assert_eq!(ids, [5_000 << 20, (5_000 << 20) + 1, (5_000 << 20) + 2, 6_000 << 20]);
}

/// The message that an event delivers.
fn message_of(event: &Event) -> Option<&Message> {
    if let Event::Told { message, .. } = event {
        return Some(message);
    }
    if let Event::Said(message) | Event::SaidIn { message, .. } = event { Some(message) } else { None }
}

fn id_of(event: &Event) -> Option<u64> {
    message_of(event).map(|message| message.id)
}
