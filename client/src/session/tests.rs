//! Scripted dialogues: the session's inputs, and its actions.
//!
//! A script has a line for each input, followed by the lines of the resulting actions. Inputs:
//!
//! ```text
//! connected          lost WHY           server LINE        user LINE (or: user)      bad WHY
//! (⏎ in the LINE of a user is a line end)
//! secret TEXT        secret (refused)   end                terminated        wait MS
//! cancel             edited TEXT        unedited WHY
//! kept TOKEN (of the first server)           unheard
//! unknown N WHY      changed N M        not-pinned N       (a server with key N, where M was known)
//! ```
//!
//! Actions: `ask PROMPT` asks for a line, `ask: PROMPT` for an answer, `ask trust: PROMPT` for
//! one about a server, before which is `drop typed`, and `erase` erases the line; `edit TEXT` opens an editor; `> LINE` is sent;
//! `- KIND: TEXT` and `! KIND: TEXT` are notes and troubles; `# CODE TEXT` is a reply (`#- …` with more to come), `*
//! CODE TEXT` a notice, `= …` a message, `...` a hole, `--- new` what is new; `call …` calls the user; `seen ID` is kept (of the first server); and `connect N`, `disconnect`, `prompt PROMPT`, `want WHAT`, `keep TOKEN`,
//! `forget TOKEN` (of the first server),
//! `trust KEY of N`, `leave CODE`. `places HERE ROOMS` is kept, and `log …` is logged. A script without any `prompt`,
//! `erase`, `call`, `log` or `places` does not check them.

use super::*;
use crate::action::{Call, Doubt, Hole, Message, Places, Wanted};

mod calling;
mod composing;
mod hostile;
mod inviting;
mod leaving;
mod login;
mod loss;
mod model;
mod pasting;
mod people;
mod places;
mod proving;
mod reading;
mod remembering;
mod returning;
mod talking;

/// A session with a clock of its own, and all its actions.
struct Stage {
    session: Session,
    now: Now,
    /// Whether the questions after the login are answered here: the user ignores nobody, and is not away.
    answers_itself: bool,
}

fn settings() -> Settings {
    let (servers, user) = (vec!["a:1".to_owned()], "alice".to_owned());
    Settings {
        servers,
        user,
        people: true,
        asks_person: true,
        asks_trust: true,
        once: None,
        listens: false,
        room: None,
        registers: true,
        watch: Vec::new(),
        resumes: Resumes::Never,
        seed: 7,
    }
}

fn secret(text: &str) -> Secret {
    Secret(Zeroizing::new(text.to_owned()))
}

impl Stage {
    fn new(settings: Settings, token: Option<&str>) -> Self {
        let now = Now { monotonic_ms: 1_000_000, unix_ms: 1_700_000_000_000 };
        Self { session: Session::new(settings, vec![token.map(secret)]), now, answers_itself: true }
    }

    /// A logged-in person at the prompt.
    fn ready() -> Self {
        let mut stage = Self::new(settings(), Some("t1"));
        stage.enter();
        stage
    }

    /// The same for a script.
    fn script() -> Self {
        let mut stage = Self::new(Settings { people: false, ..settings() }, Some("t1"));
        stage.enter();
        stage
    }

    fn enter(&mut self) {
        self.play("connected\nserver C 220 hi\nserver C 230 welcome\nserver C 231 t2 expires=86400\nserver C 211-bob\nserver C 211 1 online");
    }

    /// Passes the inputs of a script to the session. Returns them with the actions after each.
    fn play(&mut self, script: &str) -> String {
        let mut happened = String::new();
        self.drain(&mut happened);
        for line in script.lines().map(str::trim_start).filter(|line| is_input(line)) {
            happened.push_str(line);
            happened.push('\n');
            self.happen(line);
            self.answer_by_itself();
            self.drain(&mut happened);
        }
        happened
    }

    #[track_caller]
    fn check(&mut self, script: &str) {
        let expected: Vec<&str> = script.lines().map(str::trim_start).filter(|line| !line.is_empty()).collect();
        let happened = self.play(script);
        let tells_prompts = expected.iter().any(|line| line.starts_with("prompt "));
        let tells_erasing = expected.contains(&"erase");
        let tells_calls = expected.iter().any(|line| line.starts_with("call "));
        let tells_log = expected.iter().any(|line| line.starts_with("log "));
        let tells_places = expected.iter().any(|line| line.starts_with("places "));
        let is_told = |line: &&str| {
            (tells_places || !line.starts_with("places "))
                && (tells_log || !line.starts_with("log "))
                && (tells_prompts || !line.starts_with("prompt "))
                && (tells_erasing || *line != "erase")
                && (tells_calls || !line.starts_with("call "))
        };
        let happened: Vec<&str> = happened.lines().filter(is_told).collect();
        assert!(happened == expected, "expected:\n{}\n\nhappened:\n{}\n", expected.join("\n"), happened.join("\n"));
    }

    fn happen(&mut self, line: &str) {
        let (what, rest) = line.split_once(' ').unwrap_or((line, ""));
        let bytes = format!("{rest}\n");
        let typed = rest.replace('⏎', "\n");
        let input = match what {
            "kept" => Input::Token(0, secret(rest)),
            "connected" => Input::Connected,
            "lost" => Input::Disconnected(rest),
            "unknown" | "changed" | "not-pinned" => Input::Unproven(doubt(what, rest)),
            "server" => Input::Bytes(bytes.as_bytes()),
            "user" => Input::Line(&typed),
            "bad" => Input::BadLine(rest),
            "secret" => Input::Secret((!rest.is_empty()).then(|| secret(rest))),
            "end" => Input::End,
            "cancel" => Input::Cancel,
            "edited" => Input::Edited(Ok(&typed)),
            "unedited" => Input::Edited(Err(rest)),
            "unheard" => Input::Unheard,
            "terminated" => Input::Terminated,
            "wait" => {
                let ms: u64 = rest.parse().unwrap();
                self.now.monotonic_ms += ms;
                self.now.unix_ms += ms;
                Input::Tick
            }
            _ => unreachable!("{line}"),
        };
        self.session.handle(input, self.now);
    }

    /// Answers the questions that the client asks by itself, as far as they are the oldest.
    fn answer_by_itself(&mut self) {
        while self.answers_itself
            && let Some(answer) = self.session.requests.front().and_then(people::answer_by_itself)
        {
            self.session.handle(Input::Bytes(answer), self.now);
        }
    }

    fn drain(&mut self, out: &mut String) {
        let mut before = "";
        while let Some(action) = self.session.poll() {
            let told = told(&action);
            // The two come together; a `/whois` of the user comes alone.
            before = match (before, told.as_str()) {
                (_, "> C IGNORE") if self.answers_itself => "IGNORE",
                ("IGNORE", "> C WHOIS") => "WHOIS",
                _ => "",
            };
            if !before.is_empty() {
                continue;
            }
            out.push_str(&told);
            out.push('\n');
        }
    }
}

fn key(byte: &str) -> Fingerprint {
    Fingerprint::of_digest(&[byte.parse().unwrap(); 32])
}

fn doubt(what: &str, rest: &str) -> Doubt {
    let (first, rest) = rest.split_once(' ').unwrap_or((rest, ""));
    let key_of = key(first);
    match what {
        "unknown" => Doubt::Unknown { key: key_of, why: rest.to_owned() },
        "changed" => Doubt::Changed { key: key_of, known: key(rest), place: "a:1".to_owned() },
        _ => Doubt::NotPinned { key: key_of },
    }
}

fn is_input(line: &str) -> bool {
    let first = line.split(' ').next().unwrap_or_default();
    [
        "kept",
        "connected",
        "lost",
        "server",
        "user",
        "bad",
        "secret",
        "end",
        "cancel",
        "edited",
        "unedited",
        "unheard",
        "terminated",
        "wait",
        "unknown",
        "changed",
        "not-pinned",
    ]
    .contains(&first)
}

fn told(action: &Action) -> String {
    match action {
        Action::Connect(server) => format!("connect {server}"),
        Action::Disconnect => "disconnect".to_owned(),
        Action::Send(bytes) => {
            let line = String::from_utf8(bytes.to_vec()).unwrap();
            format!("> {}", line.strip_suffix('\n').unwrap())
        }
        Action::Call(Call::Said(Message { place, id, from, .. })) => {
            format!("call {} {} {from}", told_place(place), id.unwrap())
        }
        Action::Call(Call::Missed { count, for_user, newest }) => {
            let newest = newest.as_ref().map_or(String::new(), |newest| format!(": {}", newest.text));
            format!("call missed {count} {for_user}{newest}")
        }
        Action::Show(shown) | Action::ShowPage(shown) => told_shown(shown),
        Action::Log(shown) => format!("log {}", told_shown(shown)),
        Action::EraseLine => "erase".to_owned(),
        Action::Edit(text) => format!("edit {}", text.replace('\n', "⏎")),
        Action::AskLine(prompt) => format!("ask {}", prompt.trim_end()),
        Action::AskAnswer(prompt) => format!("ask: {}", prompt.trim_end()),
        Action::AskTrust(prompt) => format!("ask trust: {}", prompt.trim_end()),
        Action::DropTyped => "drop typed".to_owned(),
        Action::Prompt(prompt) => format!("prompt {}", prompt.trim_end()),
        Action::AskSecret(Wanted::Password(tries)) => format!("want password {tries}"),
        Action::AskSecret(Wanted::NewPassword(tries)) => format!("want new password {tries}"),
        Action::AskSecret(Wanted::OldPassword(tries)) => format!("want old password {tries}"),
        Action::AskSecret(Wanted::NextPassword(tries)) => format!("want next password {tries}"),
        Action::AskSecret(Wanted::NewPasswordAgain) => "want new password again".to_owned(),
        Action::KeepToken(0, token) => format!("keep {}", *token.0),
        Action::KeepToken(server, token) => format!("keep {} of {server}", *token.0),
        Action::ForgetToken(0, token) => format!("forget {}", *token.0),
        Action::ForgetToken(server, token) => format!("forget {} of {server}", *token.0),
        Action::KeepSeen(0, id) => format!("seen {id}"),
        Action::KeepSeen(server, id) => format!("seen {id} of {server}"),
        Action::KeepPlaces(Places { rooms, here }) => {
            format!("places {} {}", here.as_deref().unwrap_or("*"), rooms.join(",")).trim_end().to_owned()
        }
        Action::TrustKey(server, key) => format!("trust {key} of {server}"),
        Action::Leave(code) => format!("leave {code}"),
    }
}

fn told_shown(shown: &Shown) -> String {
    match shown {
        Shown::New => "--- new".to_owned(),
        Shown::Hole(Hole { place, id, text }) => format!("... {} {id} {text}", told_place(place)),
        Shown::Message(Message { place, from, text, id, confirmed, stands_out, is_past, .. }) => {
            let place = format!("{}{}", if *is_past { "past " } else { "" }, told_place(place));
            let id = id.map_or(String::new(), |id| format!(" {id}"));
            let confirmed = confirmed.as_ref().map_or(String::new(), |confirmed| format!(" ({confirmed})"));
            let loud = if *stands_out { " !" } else { "" };
            format!("= {place}{id} {from}: {text}{confirmed}{loud}")
        }
        Shown::Reply { code, more: true, text } => format!("#- {code} {text}"),
        Shown::Reply { code, more: false, text } => format!("# {code} {text}"),
        Shown::Notice { code, text } => format!("* {code} {text}"),
        Shown::Status(Status { weight: Weight::Note, kind, text }) => format!("- {kind}: {text}"),
        Shown::Status(Status { weight: Weight::Trouble, kind, text }) => format!("! {kind}: {text}"),
    }
}

fn told_place(place: &Place) -> String {
    match place {
        Place::Public => "all".to_owned(),
        Place::Room(room) => format!("room {room}"),
        Place::Direct { with } => format!("with {with}"),
    }
}

#[track_caller]
fn check(script: &str) {
    Stage::new(settings(), None).check(script);
}
