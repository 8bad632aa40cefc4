//! A server with a history, and a connection that is cut at random: whatever happens, each message is shown once.

use std::collections::BTreeMap;

use super::*;

/// A message that the server keeps.
struct Kept {
    id: u64,
    from: &'static str,
    text: String,
}

/// A server, its connection, and a client.
struct World {
    session: Session,
    now: Now,
    random: u64,
    /// Whether the server sometimes cannot read its history.
    is_moody: bool,
    /// Whether no resume takes long or is cut off. Then all messages are shown in their order.
    is_calm: bool,
    said: Vec<Kept>,
    last_id: u64,
    is_connected: bool,
    is_in: bool,
    to_server: VecDeque<String>,
    /// A confirmation that waits for the disk, and the connection with it.
    awaited: Option<String>,
    to_client: VecDeque<String>,
    /// How often each message was shown.
    shown: BTreeMap<u64, u32>,
    /// The messages of bob, as they were shown.
    order: Vec<u64>,
    typed: u32,
}

impl World {
    fn new(seed: u64) -> Self {
        let settings = Settings { resumes: Resumes::Always, ..settings() };
        let session = Session::new(settings, vec![Some(secret("t"))]).with_seen(vec![Some(1_000)]);
        Self {
            session,
            now: Now { monotonic_ms: 1_000_000, unix_ms: 1_700_000_000_000 },
            random: seed,
            is_moody: seed % 2 == 1,
            is_calm: seed.is_multiple_of(4),
            said: Vec::new(),
            last_id: 1_000,
            is_connected: false,
            is_in: false,
            to_server: VecDeque::new(),
            awaited: None,
            to_client: VecDeque::new(),
            shown: BTreeMap::new(),
            order: Vec::new(),
            typed: 0,
        }
    }

    /// A number below this.
    fn draw(&mut self, below: u64) -> u64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.random ^ (self.random >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb) % below
    }

    fn step(&mut self) {
        match self.draw(20) {
            // Before the first login, a client does not try again.
            0 if self.is_connected && self.session.was_in && (!self.is_calm || self.session.is_current()) => self.cut(),
            1..=4 => self.bob_says(),
            5..=6 => {
                self.typed += 1;
                let line = format!("mine {}", self.typed);
                self.input(Input::Line(&line));
            }
            7..=12 => self.serve(),
            13 if !self.is_calm || !self.is_connected => self.wait(700),
            _ => self.deliver(),
        }
        self.check();
    }

    /// What the number says: nothing up to it is missing.
    fn check(&self) {
        let Some(highest) = self.session.highest(0) else { return };
        for Kept { id, from, text } in self.said.iter().filter(|kept| kept.id <= highest) {
            assert_eq!(self.shown.get(id), Some(&1), "{id} {from}: {text}, up to {highest}");
        }
    }

    fn bob_says(&mut self) {
        let text = format!("bob {}", self.said.len());
        let id = self.keep("bob", text.clone());
        if self.is_in {
            self.to_client.push_back(format!("D PM {id} bob {text}"));
        }
    }

    fn keep(&mut self, from: &'static str, text: String) -> u64 {
        self.last_id += 1 + self.draw(5);
        self.said.push(Kept { id: self.last_id, from, text });
        self.last_id
    }

    /// The server takes a line.
    fn serve(&mut self) {
        if let Some(answer) = self.awaited.take() {
            return self.to_client.push_back(answer);
        }
        let Some(line) = self.to_server.pop_front() else { return };
        let words: Vec<&str> = line.split(' ').collect();
        let can_read = !self.is_moody || self.draw(3) > 0;
        let answers = match words.as_slice() {
            ["C", "alice", ..] => {
                self.is_in = true;
                vec!["C 230 welcome alice".to_owned()]
            }
            ["C", "WANT", ..] => vec!["C 200 ids reads forgets own".to_owned()],
            ["C", "TOKEN"] => vec!["C 231 t expires=86400".to_owned()],
            ["C", "WHO"] => vec!["C 211 1 online".to_owned()],
            ["C", "UNREAD" | "HISTORY", ..] if !can_read => vec!["C 450 not now".to_owned()],
            ["C", "UNREAD"] => {
                vec![format!("C 213-* 0 0 read=1000 last={} notify=all", self.last_id), "C 213 x".to_owned()]
            }
            ["C", "HISTORY", "after", id, _] => self.page(id.parse().unwrap()),
            ["C", "PM", ..] => {
                let id = self.keep("alice", line["C PM ".len()..].to_owned());
                self.awaited = Some(format!("C 250 sent to 1 id={id}"));
                Vec::new()
            }
            ["C", "IGNORE"] => vec!["C 211 0 ignored".to_owned()],
            ["C", "READ" | "NOOP", ..] => vec!["C 200 done".to_owned()],
            _ => panic!("{line}"),
        };
        self.to_client.extend(answers);
    }

    fn page(&mut self, after: u64) -> Vec<String> {
        let most = usize::try_from(1 + self.draw(4)).unwrap();
        let lines: Vec<&Kept> = self.said.iter().filter(|kept| kept.id > after).collect();
        let end = if lines.len() > most { format!("next={}", lines[most - 1].id) } else { "end".to_owned() };
        let told = lines.iter().take(most).map(|kept| format!("C 212-{} * {} - {}", kept.id, kept.from, kept.text));
        told.chain([format!("C 212 {} {end}", lines.len().min(most))]).collect()
    }

    fn deliver(&mut self) {
        let count = usize::try_from(1 + self.draw(4)).unwrap().min(self.to_client.len());
        for line in self.to_client.drain(..count).collect::<Vec<_>>() {
            self.input(Input::Bytes(format!("{line}\n").as_bytes()));
        }
    }

    /// The connection is cut. The server has taken some of what was under way.
    fn cut(&mut self) {
        for _ in 0..self.draw(3) {
            self.serve();
        }
        (self.is_connected, self.is_in) = (false, false);
        self.forget_lines();
        self.input(Input::Disconnected("cut"));
    }

    fn forget_lines(&mut self) {
        self.to_server.clear();
        self.to_client.clear();
        self.awaited = None;
    }

    fn wait(&mut self, ms: u64) {
        self.now.monotonic_ms += ms;
        self.input(Input::Tick);
    }

    fn input(&mut self, input: Input<'_>) {
        self.session.handle(input, self.now);
        let mut connects = false;
        while let Some(action) = self.session.poll() {
            match action {
                Action::Connect(_) => connects = true,
                Action::Disconnect => {
                    (self.is_connected, self.is_in) = (false, false);
                    self.forget_lines();
                }
                Action::Send(bytes) => {
                    let line = String::from_utf8(bytes.to_vec()).unwrap();
                    self.to_server.push_back(line.trim_end().to_owned());
                }
                Action::Show(Shown::Message(Message { id: Some(id), from, .. }))
                | Action::ShowPage(Shown::Message(Message { id: Some(id), from, .. })) => {
                    *self.shown.entry(id).or_default() += 1;
                    if from == "bob" {
                        self.order.push(id);
                    }
                }
                Action::Call(_)
                | Action::Show(_)
                | Action::ShowPage(_)
                | Action::EraseLine
                | Action::Edit(_)
                | Action::AskLine(_)
                | Action::AskAnswer(_)
                | Action::DropTyped
                | Action::AskTrust(_)
                | Action::Prompt(_)
                | Action::AskSecret(_)
                | Action::KeepToken(..)
                | Action::ForgetToken(..)
                | Action::KeepSeen(..)
                | Action::KeepPlaces(_)
                | Action::TrustKey(..)
                | Action::Leave(_) => {}
            }
        }
        if connects {
            self.is_connected = true;
            self.to_client.push_back("C 220 hi".to_owned());
            self.session.handle(Input::Connected, self.now);
        }
    }

    /// Everything that is under way arrives.
    fn come_to_rest(&mut self) {
        self.is_moody = false;
        for _ in 0..400 {
            self.serve();
            while !self.to_client.is_empty() {
                self.deliver();
            }
            self.wait(if self.is_connected && self.is_calm { 0 } else { 1_000 });
        }
        self.check();
        for Kept { id, from, text } in &self.said {
            assert_eq!(self.shown.get(id), Some(&1), "{id} {from}: {text}");
        }
        let is_said = |text: &str| self.said.iter().any(|kept| kept.text == text);
        let waiting = self.session.unconfirmed.iter().filter(|unconfirmed| unconfirmed.was_sent);
        waiting.for_each(|unconfirmed| assert!(!is_said(&unconfirmed.words.text), "{unconfirmed:?} has arrived"));
    }
}

#[test]
fn each_message_is_shown_once() {
    for seed in 0..150 {
        println!("seed {seed}");
        let mut world = World::new(seed);
        world.input(Input::Tick);
        (0..600).for_each(|_| world.step());
        world.come_to_rest();
        assert!(!world.is_calm || world.order.is_sorted(), "{:?}", world.order);
        assert!(world.said.len() > 50 && world.session.is_current());
    }
}
