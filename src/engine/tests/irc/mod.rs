//! The IRC door in the engine: virtual clients that are written to by hand, in virtual time.

mod bounds;
mod channels;
mod entering;
mod flow;
mod history;
mod others;
mod passwords;

use std::net::{IpAddr, Ipv4Addr};
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use testkit::Dice;

use super::by_hand::ByHand;
use super::store::Store;
use crate::door::Door;
use crate::door::irc::{Guests, Options, Server};
use crate::engine::{Entrance, Listening, Millis, Settings};
use crate::hub::record::Restored;
use crate::limits;

const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
/// An address from which nobody is exempt from limits.
const ELSEWHERE: IpAddr = IpAddr::V4(Ipv4Addr::new(203, 0, 113, 7));
/// What a client says of itself, all but the nick.
const USER: &str = "USER u 0 * :Some Body\n";

/// An engine with an IRC door, and doors for others.
struct Irc {
    hand: ByHand,
    options: Options,
    store: Option<Store>,
}

impl Deref for Irc {
    type Target = ByHand;

    fn deref(&self) -> &ByHand {
        &self.hand
    }
}

impl DerefMut for Irc {
    fn deref_mut(&mut self) -> &mut ByHand {
        &mut self.hand
    }
}

impl Irc {
    /// A door that lets no guests in.
    fn new() -> Self {
        Self::with(Settings::default(), Options::default())
    }

    /// A door that lets guests in.
    fn with_guests() -> Self {
        Self::with(Settings::default(), Options { guests: true, sts: None })
    }

    /// A door where guests have no mark.
    fn bare() -> Self {
        let irc = Arc::new(Server { guests: Guests::Bare, ..Server::default() });
        Self::with(Settings { irc, ..Settings::default() }, Options { guests: true, sts: None })
    }

    fn with(settings: Settings, options: Options) -> Self {
        Self { hand: ByHand::new(settings, listening(), 7), options, store: None }
    }

    /// A door with a store, which answers when time passes.
    fn with_store() -> Self {
        Self::with_store_and(limits::Limits::default())
    }

    fn with_store_and(limits: limits::Limits) -> Self {
        let history = Some(limits::History::default());
        let settings = Settings { history, limits, ..Settings::default() };
        let mut irc = Self::with(settings, Options { guests: true, sts: None });
        irc.engine.restore(Restored::default());
        irc.store = Some(Store::new(0));
        irc
    }

    /// Lets time pass, for the store too.
    fn pass(&mut self, time: Millis) {
        let Some(mut store) = self.store.take() else { return self.hand.pass(time) };
        let until = self.now + time;
        loop {
            self.hand.pass(0);
            for message in std::mem::take(&mut self.to_history) {
                store.take(message);
            }
            let now = self.now;
            store.work(now, &mut Dice::of(1));
            while let Some((number, verdict)) = store.poll_answer() {
                self.engine.handle_history(number, verdict);
            }
            self.hand.pass(0);
            self.settle();
            if self.now >= until {
                break;
            }
            self.hand.pass(20.min(until - now));
        }
        self.store = Some(store);
    }

    /// A new connection at the IRC door.
    fn connect(&mut self) -> usize {
        self.connect_from(HERE).unwrap()
    }

    fn connect_from(&mut self, ip: IpAddr) -> Result<usize, String> {
        let door = Door::irc(Arc::clone(&self.engine.settings.irc), self.options);
        self.arrive(ip.into(), door, Entrance::default(), || Door::irc(Arc::default(), Options::default()))
    }

    /// Adds an account whose password is `password`.
    fn account(&mut self, name: &str) {
        self.accounts.borrow_mut().add(name, "password");
    }

    /// What a client has heard since the last time, without the ends of its lines.
    fn take(&mut self, place: usize) -> String {
        let text = String::from_utf8(self.heard(place)).unwrap();
        for line in text.split_inclusive('\n') {
            assert!(line.ends_with("\r\n") && line.trim_end().find('\r').is_none(), "{line:?}");
        }
        text.replace("\r\n", "\n")
    }

    /// The answer to lines, and what has come besides.
    fn ask(&mut self, place: usize, lines: &str) -> String {
        self.take(place);
        self.say(place, lines);
        self.pass(500);
        self.take(place)
    }

    /// Sends lines.
    fn say(&mut self, place: usize, lines: &str) {
        self.send(place, lines.replace('\n', "\r\n"));
    }

    /// A client who is in as an account, by PASS.
    fn person(&mut self, name: &str) -> usize {
        self.person_with(name, "")
    }

    /// The same with capabilities.
    fn person_with(&mut self, name: &str, caps: &str) -> usize {
        if self.accounts.borrow().find(name).is_none() {
            self.account(name);
        }
        let place = self.connect();
        let caps = if caps.is_empty() { String::new() } else { format!("CAP REQ :{caps}\nCAP END\n") };
        let heard = self.ask(place, &format!("PASS {name}:password\nNICK x\nUSER u 0 * :{name}\n{caps}"));
        assert!(heard.contains(" JOIN &all"), "{heard}");
        place
    }

    /// A guest who is in.
    fn guest(&mut self, nick: &str) -> usize {
        let place = self.connect();
        let heard = self.ask(place, &format!("NICK {nick}\nUSER u 0 * :{nick}\n"));
        assert!(heard.contains(" JOIN &all"), "{heard}");
        place
    }

    /// Somebody at the line door, who is logged in.
    fn liner(&mut self, name: &str) -> usize {
        if self.accounts.borrow().find(name).is_none() {
            self.account(name);
        }
        let place = self.arrive(HERE.into(), Door::line(), Entrance::default(), Door::line).unwrap();
        self.send(place, format!("C {name}\nD password\n"));
        self.pass(500);
        let heard = String::from_utf8(self.heard(place)).unwrap();
        assert!(heard.contains("C 230 "), "{heard}");
        place
    }

    /// What somebody at the line door hears after a line.
    fn ask_line(&mut self, place: usize, line: &str) -> String {
        self.send(place, format!("C {line}\n"));
        self.pass(500);
        String::from_utf8(self.heard(place)).unwrap()
    }
}

fn listening() -> Listening {
    let name = "irc://127.0.0.1:6667".to_owned();
    Listening { name, door: "irc", is_tls: false, token: None, not_after: None, names: Vec::new() }
}

/// The AUTHENTICATE of a name and a password.
fn plain(name: &str, password: &str) -> String {
    let message = format!("\0{name}\0{password}");
    format!("AUTHENTICATE PLAIN\nAUTHENTICATE {}\n", data_encoding::BASE64.encode(message.as_bytes()))
}

/// The commands of lines, without sources, tags and parameters.
fn commands(text: &str) -> Vec<&str> {
    text.lines()
        .map(|line| {
            let mut words = line.split(' ').skip_while(|word| word.starts_with(['@', ':']));
            words.next().unwrap_or_default()
        })
        .collect()
}
