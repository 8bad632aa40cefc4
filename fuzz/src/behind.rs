//! A minimal server behind a door: a hub in which `bob` is logged in, and accounts that answer at once. `alice` has an
//! account with the password `password1` and the token `t1.T0KEN`. The password `busybusy` meets a full queue, and
//! `fulldisk` cannot be saved.

use std::collections::BTreeMap;

use chatd::close::CloseReason;
use chatd::door::inbox::{Cut, Inbox};
use chatd::door::reply::Reply;
use chatd::door::rooms::{Operation, Options};
use chatd::door::token::RoomToken;
use chatd::door::{self, Decoded, Door, Kind, Masked};
use chatd::hub::command::{Command, Entry};
use chatd::hub::event::{Audience, Event};
use chatd::hub::names::UserName;
use chatd::hub::room::RoomId;
use chatd::hub::session::SessionId;
use chatd::hub::{Hub, Rules};
use chatd::text;

const ME: SessionId = SessionId { slot: 1, generation: 1 };
const BOB: SessionId = SessionId { slot: 2, generation: 1 };
const PASSWORD_MIN: u32 = 8;
const LINE_BYTES: u32 = 4096;

/// One connection, and the output that its input causes.
pub(crate) struct Server {
    door: Door,
    inbox: Inbox,
    hub: Hub,
    /// The tokens of the rooms that the client is in.
    tokens: BTreeMap<RoomId, RoomToken>,
    /// The number of tokens given so far.
    tokens_given: u8,
    tries: u32,
    is_over: bool,
    told: Told,
}

/// The output to the client of the connection and to `bob`.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Told {
    me: Vec<u8>,
    bob: Vec<u8>,
}

impl Server {
    pub(crate) fn line() -> Self {
        Self::new(Door::line())
    }

    pub(crate) fn room(how: u8) -> Self {
        Self::new(Door::rooms(Options { status_ok: how & 1 == 1, down_named: how & 2 == 2 }))
    }

    fn new(door: Door) -> Self {
        let mut hub = Hub::new(Rules { sessions_per_account: 2, list_lines: 5, rooms_per_session: 2, room_members: 3 });
        let bob = UserName::parse("bob").expect("a name");
        hub.handle(BOB, Command::LogIn { name: bob }, 1);
        while hub.poll_event().is_some() {}
        let (inbox, told) = (Inbox::default(), Told::default());
        Self { door, inbox, hub, tokens: BTreeMap::new(), tokens_given: 0, tries: 3, is_over: false, told }
    }

    /// Processes pieces of input, like reads from a socket, until their end or the end of the connection.
    pub(crate) fn hear<'a>(mut self, pieces: impl Iterator<Item = &'a [u8]>) -> Told {
        let mut held = vec![0; LINE_BYTES as usize];
        let mut scratch = Vec::new();
        for piece in pieces {
            let count = self.inbox.unload(&mut held);
            scratch.clear();
            scratch.extend(held.iter().take(count).chain(piece));
            let rest = self.take(&scratch);
            if self.is_over {
                break;
            }
            let rest = scratch.get(rest..).unwrap_or_default();
            assert!(rest.len() <= LINE_BYTES as usize, "{} bytes are held", rest.len());
            self.inbox.hold(rest);
        }
        self.door.end(&mut self.told.me);
        self.told
    }

    /// Carries out all frames in `bytes`. Returns the offset of the rest.
    fn take(&mut self, bytes: &[u8]) -> usize {
        let mut at = 0;
        while !self.is_over {
            let rest = bytes.get(at..).unwrap_or_default();
            let limit = self.door.frame_limit(LINE_BYTES);
            if !self.inbox.is_discarding()
                && let Some(reason) = self.door.sniff(rest, limit)
            {
                self.close(reason);
                break;
            }
            match self.door.cut(&mut self.inbox, rest, limit) {
                Cut::Line { end, next } => {
                    self.carry_out(rest.get(..end).expect("a frame lies within what came"));
                    at += next;
                }
                Cut::TooLong { next } => {
                    self.tell(&Reply::LineTooLong(limit));
                    at += next;
                }
                Cut::Partial { keep } => return at + keep,
                Cut::NeverEnds => self.close(CloseReason::LineNeverEnded),
            }
        }
        at
    }

    fn carry_out(&mut self, frame: &[u8]) {
        match self.door.decode(frame, PASSWORD_MIN) {
            Decoded::Nothing => {}
            Decoded::Reply(reply) => self.tell(&reply),
            Decoded::Command(command) => self.ask(command),
            Decoded::Name(name) if name.as_str().eq_ignore_ascii_case("alice") => self.tell(&Reply::AskPassword(name)),
            Decoded::Name(name) if name.is_reserved() => self.tell(&Reply::ReservedName(name)),
            Decoded::Name(name) => self.tell(&Reply::AskNewPassword(name)),
            Decoded::NameOrBye(_) => self.leave(),
            Decoded::Token { name, token: Masked(b"t1.T0KEN") } => self.ask(Command::LogIn { name }),
            Decoded::Token { .. } => self.fail(|_| Reply::TokenRefused),
            Decoded::Password { password: Masked(b"busybusy"), .. } => self.tell(&Reply::Busy(2)),
            Decoded::Password { name, new: true, .. } if name.as_str() == "taken" => self.tell(&Reply::NameTaken(name)),
            Decoded::Password { new: true, password: Masked(b"fulldisk"), .. } => self.tell(&Reply::CannotSave),
            Decoded::Password { name, new, password: Masked(password) } if new || password == b"password1" => {
                self.ask(Command::LogIn { name });
            }
            Decoded::Password { .. } => self.fail(Reply::WrongPassword),
            Decoded::ChangePassword => self.tell(&Reply::AskOldPassword),
            Decoded::OldPassword(Masked(b"password1")) => self.tell(&Reply::AskNextPassword),
            Decoded::OldPassword(_) => self.tell(&Reply::WrongOldPassword),
            Decoded::NewPassword(_) => self.tell(&Reply::PasswordChanged),
            Decoded::IssueToken => self.tell(&Reply::Token(Masked("t1.T0KEN".to_owned()), 86_400)),
            Decoded::EnterRoom { room, password, makes } => {
                let entry = Entry { room, password };
                self.ask(if makes { Command::Make(entry) } else { Command::Join(entry) });
            }
            Decoded::EnterAsGuest(request) => {
                let password = request.password.as_ref().map(|Masked(word)| Masked(word.as_str()));
                let entry = Entry { room: request.room, password };
                let makes = request.operation == Operation::Make;
                self.ask(Command::EnterAsGuest { guest: request.guest, makes, entry });
                self.is_over = true;
            }
            Decoded::Over => self.is_over = true,
            Decoded::Bye => self.leave(),
            Decoded::Refuse(reason) => self.close(reason),
        }
    }

    /// The token of the client's place in a room, or a new one if it has none.
    fn token(&mut self, room: RoomId) -> RoomToken {
        *self.tokens.entry(room).or_insert_with(|| {
            self.tokens_given = self.tokens_given.wrapping_add(1);
            RoomToken::new([self.tokens_given; RoomToken::BYTES])
        })
    }

    fn tell(&mut self, reply: &Reply) {
        self.door.encode_reply(reply, &mut self.told.me);
    }

    fn leave(&mut self) {
        self.tell(&Reply::Bye);
        self.is_over = true;
    }

    fn close(&mut self, reason: CloseReason) {
        self.tell(&Reply::Closing(reason));
        self.is_over = true;
    }

    fn fail(&mut self, reply: impl FnOnce(u32) -> Reply) {
        self.tries -= 1;
        match self.tries {
            0 => self.close(CloseReason::TooManyFailures),
            left => self.tell(&reply(left)),
        }
    }

    fn ask(&mut self, command: Command<'_>) {
        self.hub.handle(ME, command, 1000);
        while let Some((audience, event)) = self.hub.poll_event() {
            match audience {
                Audience::One(who) => {
                    assert_eq!(who, ME, "only who asks is answered");
                    if let Event::Entered { room, id } = event {
                        let token = self.token(id);
                        self.tell(&Reply::Entered { room, token, port: Some(5015) });
                    } else {
                        self.door.encode_event(&event, &mut self.told.me);
                    }
                }
                Audience::Others(_) | Audience::Room { .. } | Audience::Members { .. } | Audience::Account { .. } => {
                    door::encode(Kind::Typed, &event, &mut self.told.bob);
                }
            }
        }
        while let Some((who, room)) = self.hub.poll_ended_place() {
            if who == ME {
                self.tokens.remove(&room);
            }
        }
    }
}

impl Told {
    /// Checks that the output consists of whole lines of a server, without control characters.
    pub(crate) fn check_lines(&self) {
        for told in [&self.me, &self.bob] {
            let told = std::str::from_utf8(told).expect("UTF-8");
            assert!(told.is_empty() || told.ends_with('\n'), "a line is not ended");
            for line in told.lines() {
                let is_code = |code: &str| code.len() == 3 && code.bytes().all(|byte| byte.is_ascii_digit());
                let is_reply = line.starts_with("C ") && line.get(2..5).is_some_and(is_code);
                assert!(is_reply || line.starts_with("D "), "{line:?}");
                assert!(text::check(line.as_bytes()).is_some_and(|checked| checked.is_clean), "{line:?}");
            }
        }
    }

    /// Checks that the output consists of whole frames of the room door. Returns their number.
    pub(crate) fn check_frames(&self) -> usize {
        let (mut rest, mut count) = (self.me.as_slice(), 0);
        while !rest.is_empty() {
            let (header, behind) = rest.split_first_chunk::<32>().expect("a whole header");
            let (room, size) = (usize::from(header[0]), usize::from(header[30]) << 8 | usize::from(header[31]));
            assert!(header[3..30].iter().all(|byte| *byte == 0) && header[2] <= 2, "{header:?}");
            rest = behind.get(room + size..).expect("a whole frame");
            count += 1;
        }
        count
    }
}
