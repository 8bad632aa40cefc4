//! Tests of the dialogue without a socket. A script lists the lines that a client sends and the lines that it gets. A
//! minimal server with one account answers at once.

use std::collections::HashMap;

use super::*;
use crate::door::recall::{Recall, Recalled};
use crate::door::reply::GuestRefusal;
use crate::door::token::RoomToken;
use crate::hub::command::{Command, Entry, HostGoes};
use crate::hub::event::{Audience, Manner, Message};
use crate::hub::names::{GuestName, Who};
use crate::hub::record::{Fate, Lock, Spot};
use crate::hub::room::RoomId;
use crate::hub::session::SessionId;
use crate::hub::{Hub, Rules};

mod guests;
mod login;
mod operations;
mod past;
mod people;
mod people_properties;
mod properties;
mod recall;
mod recall_properties;
mod rooms;
mod whois;

const ME: SessionId = SessionId { slot: 1, generation: 0 };
const BOB: SessionId = SessionId { slot: 2, generation: 0 };
const ZOE: SessionId = SessionId { slot: 3, generation: 0 };
const PASSWORD_MIN: u32 = 8;
const RULES: Rules =
    Rules { sessions_per_account: 2, list_lines: 200, rooms_per_session: 2, room_members: 3, keep_days: 30 };

/// A minimal server. `alice` has an account with the password `password1` and the token `t1.T0KEN`. `bob` is online in a
/// bare session. The password `busybusy` meets a full queue, and `fulldisk` cannot be saved. The name `taken` is always
/// taken by another client, also as that of a guest. The name `toomany` and the password `toolate!` get no new account.
struct Server {
    line: Line,
    bob: Line,
    hub: Hub,
    tries_left: u32,
    is_closed: bool,
    out: Vec<u8>,
    bob_heard: Vec<u8>,
    /// The tokens of all places in rooms.
    tokens: HashMap<(SessionId, RoomId), RoomToken>,
    /// The number of tokens given so far.
    tokens_given: u8,
    /// Days for which HELP says that things are kept.
    keep_days: Option<u32>,
}

impl Server {
    fn new() -> Self {
        let mut hub = Hub::new(RULES);
        hub.handle(BOB, Command::LogIn { who: UserName::parse("bob").unwrap().into(), since: 1, called: None }, 1);
        while hub.poll_event().is_some() {}
        let bob = Line { dialect: Some(Dialect::Bare), dialogue: Dialogue::Ready, ..Line::default() };
        let (line, out, bob_heard) = (Line::default(), Vec::new(), Vec::new());
        let tokens = HashMap::new();
        Self {
            line,
            bob,
            hub,
            tries_left: 3,
            is_closed: false,
            out,
            bob_heard,
            tokens,
            tokens_given: 0,
            keep_days: None,
        }
    }

    /// Sends `line` (without its LF) as the client. Returns the answers.
    fn send(&mut self, line: &[u8]) -> Vec<String> {
        assert!(!self.is_closed, "the connection is closed");
        match self.line.decode(line, PASSWORD_MIN) {
            Decoded::Nothing => {}
            Decoded::Reply(reply) => self.tell(&reply),
            Decoded::Command(command) => self.ask_hub(ME, command),
            Decoded::Name(name) if name.as_str().eq_ignore_ascii_case("alice") => self.tell(&Reply::AskPassword(name)),
            Decoded::Name(name) if name.as_str() == "toomany" => self.tell(&Reply::NoNewAccounts),
            Decoded::Name(name) if name.is_reserved() => self.tell(&Reply::ReservedName(name)),
            Decoded::Name(name) | Decoded::NameOrBye(name) if name.as_str().eq_ignore_ascii_case("bye") => {
                self.tell(&Reply::AskPassword(name)); // an account had the name before it was reserved
            }
            Decoded::Guest(guest) if guest.as_str() == "taken" => {
                self.tell(&Reply::GuestRefused { why: GuestRefusal::Taken, is_login: true });
            }
            Decoded::Guest(guest) => {
                self.ask_hub(ME, Command::LogIn { who: guest.into(), since: 0, called: None });
            }
            Decoded::NameOrBye(_) => self.close(&Reply::Bye),
            Decoded::Name(name) => self.tell(&Reply::AskNewPassword(name)),
            Decoded::Token { name, token: Masked(b"t1.T0KEN") } if name.as_str() == "alice" => self.enter(name),
            Decoded::Token { .. } => self.fail(|_| Reply::TokenRefused),
            Decoded::Password { password: Masked(b"busybusy"), .. } => self.tell(&Reply::Busy(2)),
            Decoded::Password { name, new: true, .. } if name.as_str() == "taken" => self.tell(&Reply::NameTaken(name)),
            Decoded::Password { new: true, password: Masked(b"toolate!"), .. } => self.tell(&Reply::NoNewAccounts),
            Decoded::Password { new: true, password: Masked(b"fulldisk"), .. } => self.tell(&Reply::CannotSave),
            Decoded::Password { name, new: true, .. } => self.enter(name),
            Decoded::Password { name, password: Masked(b"password1"), .. } if name.as_str() == "alice" => {
                self.enter(name)
            }
            Decoded::Password { .. } => self.fail(Reply::WrongPassword),
            Decoded::ChangePassword => self.tell(&Reply::AskOldPassword),
            Decoded::OldPassword(Masked(b"busybusy")) | Decoded::NewPassword(Masked(b"busybusy")) => {
                self.tell(&Reply::Busy(2))
            }
            Decoded::OldPassword(Masked(b"password1")) => self.tell(&Reply::AskNextPassword),
            Decoded::OldPassword(_) => self.tell(&Reply::WrongOldPassword),
            Decoded::NewPassword(Masked(b"fulldisk")) => self.tell(&Reply::CannotSave),
            Decoded::NewPassword(_) => self.tell(&Reply::PasswordChanged),
            Decoded::EnterRoom { room, password, makes } => self.enter_room(ME, room, password, makes),
            Decoded::Recall(Recall::Want(wants)) => self.tell(&Reply::Recalled(Box::new(Recalled::Wants(wants)))),
            Decoded::Recall(_) => self.tell(&Reply::Recalled(Box::new(Recalled::NothingKept))),
            Decoded::IssueToken => self.tell(&Reply::Token(Masked("t1.T0KEN".into()), 86_400)),
            decoded @ (Decoded::EnterAsGuest(_)
            | Decoded::SayAs { .. }
            | Decoded::Irc(_)
            | Decoded::Ask(_)
            | Decoded::Fetch(_)
            | Decoded::Over) => {
                panic!("{decoded:?} is none of the line door's")
            }
            Decoded::Operate(_) | Decoded::OperatorPassword(_) => self.tell(&Reply::UnknownOperation),
            Decoded::Help => self.tell(&Reply::help(false, self.keep_days)),
            Decoded::HelpOperate => self.tell(&Reply::help_on_op(false)),
            Decoded::Bye => self.close(&Reply::Bye),
            Decoded::Refuse(reason) => self.close(&Reply::Closing(reason)),
        }
        taken(&mut self.out)
    }

    fn tell(&mut self, reply: &Reply) {
        self.line.encode_reply(reply, &mut self.out);
    }

    fn close(&mut self, reply: &Reply) {
        self.is_closed = true;
        self.tell(reply);
    }

    fn fail(&mut self, reply: impl FnOnce(u32) -> Reply) {
        self.tries_left -= 1;
        match self.tries_left {
            0 => self.close(&Reply::Closing(CloseReason::TooManyFailures)),
            left => self.tell(&reply(left)),
        }
    }

    fn enter(&mut self, name: UserName) {
        self.ask_hub(ME, Command::LogIn { who: name.into(), since: 1, called: None });
    }

    fn enter_room(&mut self, who: SessionId, room: RoomName, password: Option<Masked<&str>>, makes: bool) {
        let lock = password.map(|Masked(text)| Lock::unsealed(text));
        let entry = Entry { room, lock };
        self.ask_hub(who, if makes { Command::Make(entry) } else { Command::Join(entry) });
    }

    /// The token of a place, or a new one if it has none.
    fn token(&mut self, place: (SessionId, RoomId)) -> RoomToken {
        *self.tokens.entry(place).or_insert_with(|| {
            self.tokens_given += 1;
            RoomToken::new([self.tokens_given; 16])
        })
    }

    /// Sends a line as bob. It must be a command for the hub.
    #[track_caller]
    fn send_of_bob(&mut self, line: &str) {
        let decoded = self.bob.decode(line.as_bytes(), PASSWORD_MIN);
        if let Decoded::Command(command) = decoded {
            self.ask_hub(BOB, command);
        } else if let Decoded::EnterRoom { room, password, makes } = decoded {
            self.enter_room(BOB, room, password, makes);
        } else {
            panic!("bob asks for {decoded:?}");
        }
    }

    /// Lets a guest enter a room and listen.
    fn visit(&mut self, room: &str) {
        let guest = GuestName::parse("zoe").unwrap();
        let room = RoomName::parse(room).unwrap();
        let entry = Entry { room: room.clone(), lock: None };
        self.ask_hub(ZOE, Command::EnterAsGuest { guest, makes: None, entry });
        self.ask_hub(ZOE, Command::Listen { room });
    }

    /// Gives the hub a command and encodes its events for their receivers.
    fn ask_hub(&mut self, who: SessionId, command: Command<'_>) {
        self.hub.handle(who, command, 1000);
        while let Some((audience, event)) = self.hub.poll_event() {
            if let (Audience::One(who), Event::Entered { room, id, kept, topic, .. }) = (&audience, &event) {
                let reply = Reply::Entered {
                    room: room.clone(),
                    token: self.token((*who, *id)),
                    port: None,
                    kept: *kept,
                    topic: topic.clone().map(Box::new),
                };
                match *who {
                    ME => self.line.encode_reply(&reply, &mut self.out),
                    BOB => self.bob.encode_reply(&reply, &mut self.bob_heard),
                    _ => {}
                }
                continue;
            }
            for id in self.hub.hearers(&audience) {
                let (line, out) = match id {
                    ME => (&mut self.line, &mut self.out),
                    BOB => (&mut self.bob, &mut self.bob_heard),
                    _ => continue,
                };
                if audience == Audience::One(id) {
                    line.encode_event(&event, out);
                } else {
                    encode(line.kind(), &event, out);
                }
            }
        }
        while let Some(place) = self.hub.poll_ended_place() {
            self.tokens.remove(&place);
        }
    }
}

/// Takes the lines out of `out`. Checks that they are whole lines without control characters.
#[track_caller]
fn taken(out: &mut Vec<u8>) -> Vec<String> {
    let bytes = std::mem::take(out);
    assert!(bytes.is_empty() || bytes.ends_with(b"\n"), "a line is not ended");
    let lines: Vec<&[u8]> = bytes.split_inclusive(|&b| b == b'\n').map(|line| &line[..line.len() - 1]).collect();
    lines
        .into_iter()
        .map(|line| text::check(line).filter(|line| line.is_clean).expect("no forbidden character").text.to_owned())
        .collect()
}

/// Plays a script. `> line` is sent by the client. `< line` is a line that the client gets: all of them must be listed; `…`
/// at the end matches anything. `bob> line` is a public message of bob, `bob: line` any line of his. `bob< line` is a line
/// that bob gets: all of them must be listed, or none. `zoe> room` lets a guest enter, `zoe: room text` is her message,
/// `zoe: leave` ends her session. `guests>` lets the client come as a guest.
#[track_caller]
fn check(script: &[&str]) {
    for end in ["", "\r"] {
        play(script, end);
    }
}

/// Plays a script of typed lines, and once more as bare lines, without their prefixes `C ` and `D `.
#[track_caller]
fn check_both(script: &[&str]) {
    check(script);
    let bare: Vec<String> = script.iter().map(|line| undressed(line)).collect();
    check(&bare.iter().map(String::as_str).collect::<Vec<_>>());
}

fn undressed(line: &str) -> String {
    match line.strip_prefix("> C ").or_else(|| line.strip_prefix("> D ")) {
        Some(body) => format!("> {body}"),
        None => line.to_owned(),
    }
}

#[track_caller]
fn play(script: &[&str], end: &str) {
    let mut server = Server::new();
    let (mut told, mut sent) = (Vec::<String>::new(), String::new());
    let (mut heard, mut is_heard) = (Vec::<String>::new(), false);
    for line in script {
        if let Some(expected) = line.strip_prefix("< ") {
            assert!(!told.is_empty(), "nothing is told after {sent:?}, not {expected:?}: {script:#?}");
            assert_like(&told.remove(0), expected, script);
        } else if let Some(expected) = line.strip_prefix("bob< ") {
            is_heard = true;
            assert!(!heard.is_empty(), "bob hears nothing after {sent:?}, not {expected:?}: {script:#?}");
            assert_like(&heard.remove(0), expected, script);
        } else {
            assert!(told.is_empty(), "{told:?} is told after {sent:?}: {script:#?}");
            assert!(!is_heard || heard.is_empty(), "bob hears {heard:?} after {sent:?}: {script:#?}");
            sent = (*line).to_owned();
            told = act(&mut server, line, end);
            (heard, is_heard) = (taken(&mut server.bob_heard), false);
        }
    }
    assert!(told.is_empty(), "{told:?} is told after {sent:?}: {script:#?}");
    assert!(!is_heard || heard.is_empty(), "bob hears {heard:?} after {sent:?}: {script:#?}");
}

/// Carries out one line of a script. Returns the lines that the client gets.
#[track_caller]
fn act(server: &mut Server, line: &str, end: &str) -> Vec<String> {
    let (who, what) = line.split_at(line.find(['>', ':']).expect("a line of a script"));
    let rest = what[1..].strip_prefix(' ').unwrap_or(&what[1..]);
    match (who, &what[..1]) {
        ("", ">") => return server.send(format!("{rest}{end}").as_bytes()),
        ("guests", _) => server.line = Line::with_guests(),
        ("bob", ">") => server.ask_hub(BOB, Command::Say { text: rest.into(), manner: Manner::Text }),
        ("bob", _) => server.send_of_bob(rest),
        ("zoe", ">") => server.visit(rest),
        ("zoe", _) if rest == "leave" => server.ask_hub(ZOE, Command::Leave { text: None }),
        ("zoe", _) => {
            let (room, text) = rest.split_once(' ').expect("a room and a text");
            server.ask_hub(
                ZOE,
                Command::SayIn { room: RoomName::parse(room).unwrap(), text: text.into(), manner: Manner::Text },
            );
        }
        _ => panic!("{line:?} is no line of a script"),
    }
    taken(&mut server.out)
}

#[track_caller]
fn assert_like(told: &str, expected: &str, script: &[&str]) {
    match expected.strip_suffix('…') {
        Some(start) => assert!(told.starts_with(start), "{told:?} is told, not {expected:?}: {script:#?}"),
        None => assert_eq!(told, expected, "{script:#?}"),
    }
}

/// The typed login of alice. [`undressed`] makes the bare one.
const LOGIN: &[&str] = &["> C alice", "< C 331 alice, your password?", "> C password1", "< C 230 welcome alice…"];

/// Plays a script in both dialects, after alice's login.
#[track_caller]
fn check_in(script: &[&str]) {
    check_both(&[LOGIN, script].concat());
}

/// A prompt: the script that leads to it, a valid answer, the reply to that, and the reply to an empty line.
struct Prompt {
    way: Vec<&'static str>,
    answer: &'static str,
    told: &'static [&'static str],
    on_empty: &'static [&'static str],
}

impl Prompt {
    fn before_login(
        way: &'static [&'static str],
        answer: &'static str,
        told: &'static [&'static str],
        on_empty: &'static [&'static str],
    ) -> Self {
        Self { way: way.to_vec(), answer, told, on_empty }
    }

    fn after_login(way: &'static [&'static str], answer: &'static str, told: &'static [&'static str]) -> Self {
        Self { way: [LOGIN, way].concat(), answer, told, on_empty: &["< C 200 cancelled"] }
    }
}

/// Every state of the dialogue before login.
fn prompts_before_login() -> Vec<Prompt> {
    let cancelled = &["< C 200 cancelled; your name?"];
    vec![
        Prompt::before_login(&[], "> C alice", &["< C 331 alice, your password?"], &[]),
        Prompt::before_login(&LOGIN[..2], "> C password1", &["< C 230 welcome alice…"], cancelled),
        Prompt::before_login(
            &["> C dora", "< C 332 dora is new here; choose a password"],
            "> C password1",
            &["< C 230 welcome dora…"],
            cancelled,
        ),
        Prompt::before_login(
            &["> C alice t1.WR0NG", "< C 531 token refused; your password?"],
            "> C password1",
            &["< C 230 welcome alice…"],
            cancelled,
        ),
    ]
}

/// Every state of the dialogue after login. The ready state counts as a prompt for an operation.
fn prompts_after_login() -> Vec<Prompt> {
    vec![
        Prompt { on_empty: &[], ..Prompt::after_login(&[], "> C NOOP", &["< C 200…"]) },
        Prompt::after_login(&["> C PM", "< C 354 your message?"], "> D hi", &["< C 250 sent to 1"]),
        Prompt::after_login(
            &["> C DM", "< C 211-alice", "< C 211-bob", "< C 211 2 online", "< C 350 name and message?"],
            "> D bob hi",
            &["< C 250 sent to bob"],
        ),
        Prompt::after_login(&["> C DM bob", "< C 354 your message?"], "> D hi", &["< C 250 sent to bob"]),
        Prompt::after_login(
            &["> C DM", "< C 211-alice", "< C 211-bob", "< C 211 2 online", "< C 350…", "> D bob", "< C 354…"],
            "> D hi",
            &["< C 250 sent to bob"],
        ),
        Prompt::after_login(
            &["> C MAKE tea", "< C 227 tea token=…", "> C RM tea", "< C 354 your message?"],
            "> D hi",
            &["< C 250 sent to 0"],
        ),
        Prompt::after_login(&["> C PASSWD", "< C 331 …"], "> D password1", &["< C 332 …"]),
        Prompt::after_login(
            &["> C PASSWD", "< C 331 …", "> D password1", "< C 332 …"],
            "> D password2",
            &["< C 200 …"],
        ),
    ]
}

fn prompts() -> Vec<Prompt> {
    let mut prompts = prompts_before_login();
    prompts.extend(prompts_after_login());
    prompts
}

/// Lines with forbidden bytes or characters.
const BAD_BYTES: [&[u8]; 26] = [
    b"\0",
    b"a\0b",
    b"\x01",
    b"\x08",
    b"\x0b",
    b"\x0c",
    b"\x1b[2J",
    b"\x1f",
    b"\x7f",
    b"a\rb",
    b"\r\r",
    b"a\r\r",
    b"\xff",
    b"a\xc3",
    b"\xc3(",
    b"\xc0\x80",
    b"\xed\xa0\x80",
    b"\xf4\x90\x80\x80",
    b"\xc2\x80",
    b"\xc2\x9b31m",
    b"\xc2\x9f",
    b"\xe2\x80\xa8",
    b"\xe2\x80\xa9",
    b"\xe2\x80\xaa",
    b"\xe2\x80\xae",
    b"\xe2\x81\xa9",
];

#[test]
fn bad_bytes_keep_the_prompt() {
    for prompt in prompts() {
        for is_typed in [false, true] {
            for bad in BAD_BYTES {
                let mut server = Server::new();
                let dress = |line: &str| if is_typed { line.to_owned() } else { undressed(line) };
                for line in prompt.way.iter().filter_map(|line| dress(line).strip_prefix("> ").map(str::to_owned)) {
                    server.send(line.as_bytes());
                }
                let prefix = if is_typed { prompt.answer.get(2..4).unwrap() } else { "" };
                let told = server.send(&[prefix.as_bytes(), bad].concat());
                assert!(
                    told.len() == 1 && told[0].starts_with("C 501 "),
                    "{told:?} for {bad:?} after {:?}",
                    prompt.way
                );
                let told = server.send(dress(prompt.answer).strip_prefix("> ").unwrap().as_bytes());
                assert_like(&told[0], prompt.told[0].strip_prefix("< ").unwrap(), &prompt.way);
            }
        }
    }
}

#[test]
fn every_prompt_accepts_its_answer() {
    for prompt in prompts() {
        check_both(&[&prompt.way, &[prompt.answer][..], prompt.told].concat());
    }
}

#[test]
fn an_empty_line_is_ignored_or_cancels() {
    for prompt in prompts_before_login() {
        check_both(&[&prompt.way, &[">"][..], prompt.on_empty, LOGIN].concat());
    }
    for prompt in prompts_after_login() {
        check_both(&[&prompt.way, &[">"][..], prompt.on_empty, &["> C NOOP", "< C 200…"]].concat());
        check(&[&prompt.way, &[">"][..], prompt.on_empty, &["> D hi", "< C 503…"]].concat());
    }
}

#[test]
fn a_typed_line_is_c_or_d() {
    // The first prompt is left out: there, a line without `C ` makes the session a bare one.
    for prompt in prompts().iter().skip(1) {
        for line in
            ["> PM hi", "> c NOOP", "> d hi", "> C", "> D", "> CNOOP", "> C\tNOOP", "> D\thi", ">  C NOOP", "> x"]
        {
            check(&[&prompt.way, &[line, "< C 501…", prompt.answer][..], prompt.told].concat());
        }
    }
}

#[test]
fn an_empty_typed_line() {
    // A program sends `C ` for an empty line.
    for prompt in prompts() {
        check(&[&prompt.way, &["> C "][..], prompt.on_empty, &["> C "]].concat());
    }
    for prompt in prompts().iter().skip(1) {
        check(&[&prompt.way, &["> D ", "< C 501…", prompt.answer][..], prompt.told].concat());
    }
}

#[test]
fn a_typed_operation_cancels_the_prompt() {
    for prompt in prompts_after_login() {
        let after = |script: &[&'static str]| check(&[&prompt.way, script].concat());
        after(&["> C NOOP", "< C 200…", "> D hi", "< C 503…"]);
        after(&["> C PM all", "< C 250 sent to 1", "bob< D PM alice all", "> D hi", "< C 503…"]);
        after(&["> C PM", "< C 354…", "> D hi", "< C 250…", "bob< D PM alice hi", "> D hi", "< C 503…"]);
        after(&["> C PASSWD", "< C 331…", "> D password1", "< C 332…"]);
        after(&["> C DM dora", "< C 550 dora is not online", "> D hi", "< C 503…"]);
        after(&["> C FROB", "< C 502…", "> D hi", "< C 503…"]);
        after(&["> C EX", "< C 221 bye"]);
        // A 501 keeps the prompt.
        after(&["> C WHO a b", "< C 501 usage: WHO…", prompt.answer, prompt.told[0]]);
    }
}

/// A message without a place in the store; `is_dropped` if it should have one.
fn message(id: u64, from: Who, text: &str, is_dropped: bool) -> Message {
    let fate = if is_dropped { Fate::Dropped(Spot::Everybody) } else { Fate::Unkept };
    Message { id, from, text: text.into(), manner: Manner::Text, fate }
}

/// The same, from bob.
fn from_bob(id: u64, is_dropped: bool) -> Message {
    message(id, UserName::parse("bob").unwrap().into(), "hi", is_dropped)
}
