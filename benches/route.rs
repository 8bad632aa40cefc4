//! The cost of commands in the hub, by the number of sessions. Nothing is encoded or written here.

#![expect(clippy::expect_used, reason = "a bench that cannot start measures nothing")]

mod settings;

use std::hint::black_box;

use chatd::hub::command::{Command, Entry};
use chatd::hub::event::Event;
use chatd::hub::event::Manner;
use chatd::hub::names::{RoomName, UserName};
use chatd::hub::session::SessionId;
use chatd::hub::{Hub, Rules};
use criterion::Criterion;

/// Milliseconds of Unix time; any will do.
const NOW: u64 = 1_700_000_000_000;
/// The text of the messages.
const TEXT: &str = "hello everybody, how are you today?";

fn main() {
    let mut criterion = settings::short();
    say(&mut criterion);
    tell(&mut criterion);
    who(&mut criterion);
    come_and_go(&mut criterion);
    say_in(&mut criterion);
    join_and_part(&mut criterion);
    criterion.final_summary();
}

fn say(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("say");
    for sessions in [10, 1_000, 10_000] {
        let mut hub = hub_of(sessions);
        group.bench_function(format!("among {sessions}"), |bencher| {
            bencher.iter(|| {
                carry_out(&mut hub, session(1), Command::Say { text: black_box(TEXT).into(), manner: Manner::Text })
            });
        });
    }
    group.finish();
}

fn tell(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("tell");
    let mut hub = hub_of(10_000);
    for (what, to) in [("one of 10000", "USER7654"), ("nobody among 10000", "nobody")] {
        let to = name(to);
        group.bench_function(what, |bencher| {
            bencher.iter(|| {
                carry_out(
                    &mut hub,
                    session(1),
                    Command::Tell {
                        to: black_box(to.clone().into()),
                        text: TEXT.into(),
                        manner: Manner::Text,
                        account: None,
                    },
                )
            });
        });
    }
    group.finish();
}

fn who(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("who");
    let mut hub = hub_of(10_000);
    // All names without a search, all names by a search, a ninth of them, one.
    for prefix in ["", "user", "user7", "user7654"] {
        group.bench_function(format!("10000 {prefix:?}"), |bencher| {
            bencher.iter(|| {
                carry_out(&mut hub, session(1), Command::Who { prefix: black_box(prefix).into(), most: None })
            });
        });
    }
    group.finish();
}

fn come_and_go(criterion: &mut Criterion) {
    let mut hub = hub_of(10_000);
    let (who, newcomer) = (session(10_000), name("newcomer"));
    criterion.bench_function("enter and leave among 10000", |bencher| {
        bencher.iter(|| {
            carry_out(&mut hub, who, Command::LogIn { who: newcomer.clone().into(), since: 1, called: None });
            carry_out(&mut hub, who, Command::Leave { text: None });
        });
    });
}

fn say_in(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("say in a room");
    for members in [10, 1_000, 10_000] {
        let mut hub = hub_of(members);
        fill_rooms(&mut hub, members, members);
        group.bench_function(format!("of {members}"), |bencher| {
            let room = room(0);
            bencher.iter(|| {
                carry_out(
                    &mut hub,
                    session(1),
                    Command::SayIn { room: room.clone(), text: TEXT.into(), manner: Manner::Text },
                )
            });
        });
    }
    let mut hub = hub_of(10_000);
    fill_rooms(&mut hub, 10_000, 10);
    group.bench_function("of 10, one of 1000 rooms", |bencher| {
        let room = room(777);
        bencher.iter(|| {
            carry_out(
                &mut hub,
                session(7_777),
                Command::SayIn { room: room.clone(), text: TEXT.into(), manner: Manner::Text },
            )
        });
    });
    group.finish();
}

/// The longest-standing member except the host leaves and enters again: all others move up.
fn join_and_part(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("join and part");
    for members in [10, 1_000, 9_999] {
        let mut hub = hub_of(10_000);
        fill_rooms(&mut hub, members, members);
        let mut next = 0;
        group.bench_function(format!("a room of {members}"), |bencher| {
            bencher.iter(|| {
                next = next % (members - 1) + 1;
                carry_out(&mut hub, session(next), Command::LeaveRoom { room: room(0), text: None });
                carry_out(&mut hub, session(next), Command::Join(entry(0)));
            });
        });
    }
    group.finish();
}

/// Lets the first `sessions` make and join rooms of `members` each.
fn fill_rooms(hub: &mut Hub, sessions: u32, members: u32) {
    for slot in 0..sessions {
        let entry = entry(slot / members);
        carry_out(hub, session(slot), if slot % members == 0 { Command::Make(entry) } else { Command::Join(entry) });
    }
    let rooms = sessions.div_ceil(members) as usize;
    hub.handle(session(0), Command::Rooms { prefix: "".into() }, NOW);
    let told = hub.poll_event().map(|(_, event)| event);
    assert!(matches!(told, Some(Event::Rooms { matching, .. }) if matching == rooms), "{told:?} for {rooms} rooms");
}

fn carry_out(hub: &mut Hub, who: SessionId, command: Command<'_>) {
    hub.handle(who, command, NOW);
    while let Some(event) = hub.poll_event() {
        black_box(event);
    }
    while let Some(place) = hub.poll_ended_place() {
        black_box(place);
    }
}

/// A hub with this number of sessions, each of its own account.
fn hub_of(sessions: u32) -> Hub {
    let mut hub = Hub::new(Rules {
        sessions_per_account: 4,
        list_lines: 200,
        rooms_per_session: 32,
        room_members: 10_000,
        keep_days: 0,
    });
    for slot in 0..sessions {
        carry_out(
            &mut hub,
            session(slot),
            Command::LogIn { who: name(&format!("user{slot}")).into(), since: 1, called: None },
        );
    }
    assert_eq!(hub.everyone().len(), sessions as usize, "a login was refused");
    hub
}

fn session(slot: u32) -> SessionId {
    SessionId { slot, generation: 0 }
}

fn entry(number: u32) -> Entry {
    Entry { room: room(number), lock: None }
}

fn room(number: u32) -> RoomName {
    RoomName::parse(&format!("room{number}")).expect("a name")
}

fn name(text: &str) -> UserName {
    UserName::parse(text).expect("a name")
}
