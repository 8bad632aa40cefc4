//! What a command costs in the hub, by how many are in. Nothing is encoded or written here.

#![expect(clippy::expect_used, reason = "a bench that cannot start has nothing to tell")]

mod settings;

use std::hint::black_box;

use chatd::hub::command::Command;
use chatd::hub::names::UserName;
use chatd::hub::session::SessionId;
use chatd::hub::{Hub, Rules};
use criterion::Criterion;

/// Milliseconds of Unix time; any will do.
const NOW: u64 = 1_700_000_000_000;
/// What is said.
const TEXT: &str = "hello everybody, how are you today?";

fn main() {
    let mut criterion = settings::short();
    say(&mut criterion);
    tell(&mut criterion);
    who(&mut criterion);
    come_and_go(&mut criterion);
    criterion.final_summary();
}

fn say(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("say");
    for sessions in [10, 1_000, 10_000] {
        let mut hub = hub_of(sessions);
        group.bench_function(format!("among {sessions}"), |bencher| {
            bencher.iter(|| carry_out(&mut hub, session(1), Command::Say { text: black_box(TEXT) }));
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
            bencher.iter(|| carry_out(&mut hub, session(1), Command::Tell { to: black_box(to.clone()), text: TEXT }));
        });
    }
    group.finish();
}

fn who(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("who");
    let mut hub = hub_of(10_000);
    // All of them, all of them the long way, a ninth, one.
    for prefix in ["", "user", "user7", "user7654"] {
        group.bench_function(format!("10000 {prefix:?}"), |bencher| {
            bencher.iter(|| carry_out(&mut hub, session(1), Command::Who { prefix: black_box(prefix) }));
        });
    }
    group.finish();
}

fn come_and_go(criterion: &mut Criterion) {
    let mut hub = hub_of(10_000);
    let (who, newcomer) = (session(10_000), name("newcomer"));
    criterion.bench_function("enter and leave among 10000", |bencher| {
        bencher.iter(|| {
            carry_out(&mut hub, who, Command::Enter { name: newcomer.clone() });
            carry_out(&mut hub, who, Command::Leave);
        });
    });
}

fn carry_out(hub: &mut Hub, who: SessionId, command: Command<'_>) {
    hub.handle(who, command, NOW);
    while let Some(event) = hub.poll_event() {
        black_box(event);
    }
}

/// A hub with so many sessions, each of an account of its own.
fn hub_of(sessions: u32) -> Hub {
    let mut hub =
        Hub::new(Rules { sessions_per_account: 4, list_lines: 200, rooms_per_session: 32, room_members: 10_000 });
    for slot in 0..sessions {
        carry_out(&mut hub, session(slot), Command::Enter { name: name(&format!("user{slot}")) });
    }
    assert_eq!(hub.everyone().len(), sessions as usize, "somebody did not come in");
    hub
}

fn session(slot: u32) -> SessionId {
    SessionId { slot, generation: 0 }
}

fn name(text: &str) -> UserName {
    UserName::parse(text).expect("a name")
}
