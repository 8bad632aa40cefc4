//! One room: irssi, weechat, a program with Python's `irc`, `nc`, a browser and a guest by UDP. Each hears what all others
//! say, in one order.

use std::collections::BTreeMap;

use testkit::rooms::{JOIN, Peer};
use testkit::{PASSWORD, Server, eventually};

use super::page::Page;
use super::session::key;
use crate::history::checker::{End, Event, Life, check};
use crate::irc::clients::Chat;
use crate::irc::clients::irssi::Irssi;
use crate::irc::clients::talker::Talker;
use crate::irc::clients::weechat::Weechat;
use crate::nc::{Nc, have_nc};

/// Who is there: the number of each is that in what it says.
const PEOPLE: [&str; 6] = ["eve", "wes", "tom", "carol", "alice", "~dave"];
/// How much each of them says.
const TEXTS: usize = 20;

struct Scene {
    irssi: Irssi,
    weechat: Weechat,
    talker: Talker,
    nc: Nc,
    page: Page,
    guest: Peer,
    _server: Server,
}

impl Scene {
    /// Everybody is in the lobby. `None` without one of the programs.
    #[track_caller]
    fn set() -> Option<Self> {
        let doors = ["line://127.0.0.1:0", "web://127.0.0.1:0", "irc+tls://127.0.0.1:0", "rooms://127.0.0.1:0?udp=0"];
        let server = Server::builder().no_rates().listen(&doors).sockets(5).with_pair().start();
        for name in &PEOPLE[..3] {
            server.bare(name).op("EX");
        }
        let page = have_nc().then(|| Page::open(&server)).flatten()?;
        page.log_in("alice", PASSWORD);
        page.find("log", "Messages");
        page.make_kept("lobby");
        page.click("button", "Close");
        let mut irssi = Irssi::connect(&server, PEOPLE[0])?;
        let mut weechat = Weechat::connect(&server, PEOPLE[1])?;
        let talker = Talker::start(&server, PEOPLE[2], "#lobby")?;
        talker.expect("welcome tom");
        talker.expect("names &all tom");
        talker.expect("names #lobby ");
        irssi.wait_entered("#lobby");
        weechat.wait_entered("#lobby");
        let mut nc = Nc::start(&server, &[]);
        nc.say(&format!("C carol\nC {PASSWORD}\nC JOIN lobby\n"));
        while !nc.line().starts_with("C 227 lobby ") {}
        let guest = server.guest(JOIN, "lobby", "dave");
        page.expect_people(&["alice host", "carol", "eve", "tom", "wes", "~dave"]);
        irssi.wait_shown("#lobby", "^dave");
        weechat.wait_shown("#lobby", "^dave");
        Some(Self { irssi, weechat, talker, nc, page, guest, _server: server })
    }

    /// All talk at once, and nobody waits for anybody.
    #[track_caller]
    fn talk(&mut self) {
        let all: Vec<String> = (1..=TEXTS).map(|number| text(4, number)).collect();
        self.page.fill("textbox", "Message", &all.join("\n"));
        self.page.session.press(&[key::ENTER]);
        self.page.find("dialog", &format!("Send {TEXTS} messages?"));
        for number in 1..=TEXTS {
            self.irssi.say("#lobby", &text(0, number));
            self.weechat.say("#lobby", &text(1, number));
            self.talker.say(&text(2, number));
            self.nc.say(&format!("C RM lobby {}\n", text(3, number)));
            if number == TEXTS / 2 {
                self.page.session.press(&[key::ENTER]);
            }
            self.guest.say(&text(5, number));
        }
    }

    /// What the talker has heard, with what it said itself: ids, and who said what.
    #[track_caller]
    fn heard_by_talker(&self) -> Vec<(u64, String, String)> {
        let said = |_| {
            let line = self.talker.expect("said ");
            let words: Vec<&str> = line.split(' ').collect();
            assert_eq!((words.len(), words[2]), (5, "#lobby"), "{line:?}");
            (words[1].parse().expect("an id"), named(words[3]), words[4].to_owned())
        };
        (0..PEOPLE.len() * TEXTS).map(said).collect()
    }

    /// What the page shows, likewise.
    #[track_caller]
    fn heard_by_page(&self) -> Vec<(u64, String, String)> {
        let count = PEOPLE.len() * TEXTS;
        self.page.session.wait("all messages", || {
            let messages = self.page.messages();
            (messages.len() == count && !messages.iter().any(|message| message.is_busy)).then_some(())
        });
        let told = |message: super::page::Message| (message.id.parse().expect("an id"), message.from, message.text);
        self.page.messages().into_iter().map(told).collect()
    }

    /// What nc has been told, as the events of its connection.
    #[track_caller]
    fn events_of_nc(&self) -> Vec<Event> {
        let (mut events, mut answers, mut heard) = (Vec::new(), 0, 0);
        while answers < TEXTS || heard < (PEOPLE.len() - 1) * TEXTS {
            let line = self.nc.line();
            if line.starts_with("C 250 ") {
                answers += 1;
                let command = format!("RM lobby {}", text(3, answers));
                events.push(Event::Answered { command, reply: line });
            } else if line.starts_with("D RM ") {
                heard += 1;
                events.push(Event::Heard(line));
            }
        }
        events
    }

    /// What the guest has heard: who said what.
    #[track_caller]
    fn heard_by_guest(&self) -> Vec<(String, String)> {
        let said = |_| {
            let heard = String::from_utf8(self.guest.hear()).expect("text");
            let (from, text) = heard.split_once(": ").unwrap_or_else(|| panic!("{heard:?}"));
            (from.to_owned(), text.to_owned())
        };
        (0..(PEOPLE.len() - 1) * TEXTS).map(said).collect()
    }
}

/// What one of them says.
fn text(person: usize, number: usize) -> String {
    format!("p{person}.0.{number}")
}

/// A nick of IRC as it is elsewhere.
fn named(nick: &str) -> String {
    nick.replacen('^', "~", 1)
}

/// Who said what, by what a client that people look at has shown: `12:34 <@alice> text`, or `time nick text` with tabs.
#[track_caller]
fn heard_by_chat(client: &mut impl Chat, own: &str) -> Vec<(String, String)> {
    let read = |shown: &str| -> Vec<(String, String)> {
        let line = |line: &str| {
            let (rest, text) = line.rsplit_once([' ', '\t'])?;
            let nick = rest.rsplit(['<', '\t']).next()?.trim_matches([' ', '@', '>']);
            (text.starts_with('p') && text.matches('.').count() == 2 && nick != own)
                .then(|| (named(nick), text.to_owned()))
        };
        shown.lines().filter_map(line).collect()
    };
    eventually("it has shown all", || {
        client.attend();
        read(&client.shown("#lobby")).len() == (PEOPLE.len() - 1) * TEXTS
    });
    read(&client.shown("#lobby"))
}

/// The connection of one of them, which has entered the lobby and stays.
fn life(person: usize, heard: Vec<Event>) -> Life {
    let (command, reply) = ("JOIN lobby".to_owned(), "C 227 lobby token=X".to_owned());
    let events = std::iter::once(Event::Answered { command, reply }).chain(heard).collect();
    Life { person, account: PEOPLE[person].to_owned(), events, end: End::Stayed }
}

#[test]
fn irc_clients_nc_a_browser_and_a_guest_by_udp_hear_one_order() {
    let Some(mut scene) = Scene::set() else { return };
    scene.talk();
    let by_talker = scene.heard_by_talker();
    let by_page = scene.heard_by_page();
    let ids: BTreeMap<String, u64> = by_talker.iter().map(|(id, _, text)| (text.clone(), *id)).collect();
    let line = |id: u64, from: &str, text: &str| Event::Heard(format!("D RM {id} lobby {from} {text}"));
    // What clients show without an id is known by its text.
    let known = |heard: Vec<(String, String)>| -> Vec<Event> {
        heard.iter().map(|(from, text)| line(ids[text], from, text)).collect()
    };
    // The checker takes no echo; the order of the echoes is checked below.
    let others = |own: &str, heard: &[(u64, String, String)]| -> Vec<Event> {
        heard.iter().filter(|(_, from, _)| from != own).map(|(id, from, text)| line(*id, from, text)).collect()
    };
    let lives = [
        life(0, known(heard_by_chat(&mut scene.irssi, PEOPLE[0]))),
        life(1, known(heard_by_chat(&mut scene.weechat, PEOPLE[1]))),
        life(2, others(PEOPLE[2], &by_talker)),
        life(3, scene.events_of_nc()),
        life(4, others(PEOPLE[4], &by_page)),
        life(5, known(scene.heard_by_guest())),
    ];
    let totals = check(&lives).unwrap_or_else(|fault| panic!("{fault}"));
    println!("{totals}");
    assert!(by_talker.is_sorted(), "an echo out of its place: {by_talker:?}");
    assert_eq!(by_talker, by_page, "the same to two who see their own messages");
}
