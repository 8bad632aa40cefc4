//! What is said to everybody, while clients of IRC come, go and agree on other capabilities within a turn.

use proptest::prelude::*;

use super::irc_people::who;
use super::monitor::Bench;
use crate::door::Door;
use crate::door::irc::{IrcDoor, Options, Server};
use crate::hub::command::Command;
use crate::hub::event::Manner;
use crate::limits::Limits;

/// One at the line door, and four at the IRC door.
const PEOPLE: usize = 5;

/// What happens next within a turn.
#[derive(Clone, Copy, Debug)]
enum Act {
    /// This one says something.
    Say(usize),
    /// This one hears public messages from now on, or no longer.
    Attend(usize, bool),
    /// This one, at the IRC door, takes times from now on, or no longer.
    Times(usize, bool),
    /// The turn ends.
    End,
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        6 => (0..PEOPLE).prop_map(Act::Say),
        3 => (0..PEOPLE, any::<bool>()).prop_map(|(who, is_on)| Act::Attend(who, is_on)),
        2 => (1..PEOPLE, any::<bool>()).prop_map(|(who, is_on)| Act::Times(who, is_on)),
        1 => Just(Act::End),
    ]
}

impl Bench {
    /// Carries out a line at the IRC door at once, with all its steps.
    fn line_now(&mut self, place: usize, line: &str) {
        let id = self.wires[place].id;
        self.engine.on_line(id, line.as_bytes(), line.len());
        while self.engine.conns.peek(id).is_some_and(|conn| conn.door.as_irc().is_some_and(IrcDoor::is_answering)) {
            self.engine.on_step(id);
        }
    }

    fn say_now(&mut self, place: usize, text: &str) {
        let id = self.wires[place].id;
        self.engine.command(id, Command::Say { text: text.to_owned().into(), manner: Manner::Text });
    }
}

/// A message as it is heard: whether it has a time, and its number.
fn heard_in(line: &str) -> Option<(bool, usize)> {
    let number = |text: &str| text.rsplit(' ').next().and_then(|word| word.trim_start_matches(':').parse().ok());
    match line.split_once(" PRIVMSG &all ") {
        Some((head, text)) => Some((head.starts_with("@time="), number(text)?)),
        None => line.starts_with("D PM ").then(|| number(line)).flatten().map(|number| (false, number)),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn each_hears_what_is_said_while_it_attends(acts in prop::collection::vec(act(), 1..60)) {
        let mut bench = Bench::new(Limits::default());
        let line = bench.person("alice");
        let people: Vec<usize> = std::iter::once(line)
            .chain(["bob", "carol", "dave", "~eve"].map(|name| bench.irc(name, "message-tags")))
            .collect();
        let (mut attends, mut times) = ([true; PEOPLE], [false; PEOPLE]);
        let mut expected = vec![Vec::new(); PEOPLE];
        bench.begin();
        for (number, act) in acts.iter().enumerate() {
            match *act {
                Act::Say(from) => {
                    bench.say_now(people[from], &number.to_string());
                    for to in (0..PEOPLE).filter(|to| *to != from && attends[*to]) {
                        expected[to].push((times[to], number));
                    }
                }
                Act::Attend(one, public) => {
                    let id = bench.wires[people[one]].id;
                    bench.engine.command(id, Command::Attend { public });
                    attends[one] = public;
                }
                Act::Times(one, is_on) => {
                    let sign = if is_on { "" } else { "-" };
                    bench.line_now(people[one], &format!("CAP REQ :{sign}server-time"));
                    times[one] = is_on;
                }
                Act::End => {
                    bench.end();
                    bench.begin();
                }
            }
        }
        bench.end();
        bench.settle();
        for (place, expected) in people.iter().zip(expected) {
            let heard = bench.take(*place);
            let heard: Vec<_> = heard.lines().filter_map(|line| heard_in(line.trim_end())).collect();
            prop_assert_eq!(heard, expected);
        }
    }
}

#[test]
fn nothing_is_heard_before_the_greeting_is_over() {
    let mut bench = Bench::new(Limits::default());
    let alice = bench.person("alice");
    let mut door = IrcDoor::new(std::sync::Arc::new(Server::default()), Options::default());
    for line in ["CAP LS 302", "NICK bob", "USER u 0 * :u"] {
        let _nothing = door.decode(line.as_bytes());
        door.end_line(&mut Vec::new());
    }
    let bob = bench.connect(Door::Irc(Box::new(door))).unwrap();
    let id = bench.wires[bob].id;
    bench.begin();
    bench.engine.command(id, Command::LogIn { who: who("bob"), since: 1, called: None });
    bench.say_now(alice, "early");
    bench.engine.on_step(id);
    bench.say_now(alice, "late");
    bench.end();
    bench.settle();
    let heard = bench.heard_by(bob);
    let (greeting, said) = heard.split_once(":bob!account@chatd.local JOIN &all\n").unwrap();
    assert!(greeting.contains(" 376 bob ") && !greeting.contains(" PRIVMSG "), "{heard}");
    assert!(!said.contains("early") && said.ends_with(" PRIVMSG &all :late\n"), "{heard}");
}
