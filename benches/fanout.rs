//! The cost of fan-out without the system calls: the hub, encoding, queueing to the receivers' outboxes, and the
//! bookkeeping of sent bytes.

#![expect(clippy::expect_used, reason = "a bench that cannot start measures nothing")]

mod settings;

use std::hint::black_box;

use chatd::door::{self, Kind};
use chatd::engine::outbox::Outbox;
use chatd::engine::pages::Pages;
use chatd::hub::command::{Command, Entry};
use chatd::hub::event::Audience;
use chatd::hub::names::{RoomName, UserName};
use chatd::hub::session::SessionId;
use chatd::hub::{Hub, Rules};
use criterion::{BenchmarkId, Criterion, Throughput};

/// Milliseconds of Unix time; any will do.
const NOW: u64 = 1_700_000_000_000;
/// The text of the messages.
const TEXT: &str = "hello everybody, how are you today?";
/// Lines per flush, as in a turn of the loop under load.
const LINES_A_TURN: usize = 32;

fn main() {
    let mut criterion = settings::short();
    everybody(&mut criterion);
    rooms(&mut criterion);
    criterion.final_summary();
}

/// One line, or the lines of a turn, to all sessions.
fn everybody(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("to everybody");
    for receivers in [10, 1_000, 10_000] {
        for lines in [1, LINES_A_TURN] {
            let mut chat = Chat::of(receivers + 1);
            group.throughput(Throughput::Elements(u64::from(receivers) * lines as u64));
            group.bench_function(BenchmarkId::new(format!("{lines} lines"), receivers), |bencher| {
                bencher.iter(|| {
                    for _ in 0..lines {
                        chat.carry_out(session(0), Command::Say { text: black_box(TEXT).into() });
                    }
                    chat.send_all();
                });
            });
        }
    }
    group.finish();
}

/// One line in each of several rooms of ten members.
fn rooms(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("in rooms of ten");
    for rooms in [1, 1_000] {
        let mut chat = Chat::of(rooms * 10);
        for slot in 0..rooms * 10 {
            chat.carry_out(session(slot), enter(&room(slot / 10), slot % 10 == 0));
        }
        chat.send_all();
        group.throughput(Throughput::Elements(u64::from(rooms) * 9));
        group.bench_function(BenchmarkId::from_parameter(rooms), |bencher| {
            bencher.iter(|| {
                for number in 0..rooms {
                    let said = Command::SayIn { room: room(number), text: black_box(TEXT).into() };
                    chat.carry_out(session(number * 10), said);
                }
                chat.send_all();
            });
        });
    }
    group.finish();
}

/// A hub, and an outbox per session.
struct Chat {
    hub: Hub,
    pages: Pages,
    outboxes: Vec<Outbox>,
    dirty: Vec<usize>,
}

impl Chat {
    fn of(sessions: u32) -> Self {
        let rules = Rules { sessions_per_account: 4, list_lines: 200, rooms_per_session: 32, room_members: 10_000 };
        let outboxes = (0..sessions).map(|_| Outbox::default()).collect();
        let mut chat = Self { hub: Hub::new(rules), pages: Pages::default(), outboxes, dirty: Vec::new() };
        for slot in 0..sessions {
            let name = UserName::parse(&format!("user{slot}")).expect("a name");
            chat.carry_out(session(slot), Command::LogIn { name });
        }
        chat.send_all();
        chat
    }

    /// Executes a command, and queues its broadcasts.
    fn carry_out(&mut self, who: SessionId, command: Command<'_>) {
        self.hub.handle(who, command, NOW);
        while let Some((audience, event)) = self.hub.poll_event() {
            let hearers: &mut dyn Iterator<Item = SessionId> = match &audience {
                Audience::Others(except) => &mut self.hub.everyone().iter().copied().filter(move |id| id != except),
                Audience::Room { room, except } => {
                    let members = self.hub.members_of(*room).iter().map(|member| member.session);
                    &mut members.filter(move |id| Some(*id) != *except)
                }
                Audience::One(_) | Audience::Account { .. } | Audience::Members { .. } => continue,
            };
            let piece = self.pages.write(Kind::Typed, |out| door::encode(Kind::Typed, &event, out));
            for id in hearers {
                let slot = id.slot as usize;
                let Some(outbox) = self.outboxes.get_mut(slot) else { continue };
                if outbox.owed() == 0 {
                    self.dirty.push(slot);
                }
                outbox.push_shared(piece, &mut self.pages);
            }
        }
    }

    /// Ends a turn in which each receiver takes all bytes.
    fn send_all(&mut self) {
        for slot in self.dirty.drain(..) {
            if let Some(outbox) = self.outboxes.get_mut(slot) {
                outbox.advance(outbox.owed(), &mut self.pages);
            }
        }
        self.pages.turn_over();
    }
}

fn enter(room: &RoomName, makes: bool) -> Command<'static> {
    let entry = Entry { room: room.clone(), password: None };
    if makes { Command::Make(entry) } else { Command::Join(entry) }
}

fn room(number: u32) -> RoomName {
    RoomName::parse(&format!("room{number}")).expect("a room's name")
}

fn session(slot: u32) -> SessionId {
    SessionId { slot, generation: 0 }
}
