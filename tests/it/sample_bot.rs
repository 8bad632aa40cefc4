//! The bot in docs/bots.md, run unchanged: it answers each question once, whatever happens to it and to the server.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use testkit::{Client, Dice, Fake, PASSWORD, PATIENCE, Server, eventually};

use crate::room_client::program;

/// An address that no client of another test has: the server keeps its port over a restart.
const ADDRESS: &str = "127.0.0.83";
/// The account of the bot.
const BOT: &str = "Helper";

/// A place where the bot lives: its program and its state.
struct Home {
    folder: tempfile::TempDir,
}

/// A running bot, killed when it is dropped.
struct Bot {
    child: Child,
}

impl Home {
    /// Writes the program. Prints a note and returns `None` without Python 3.8 or later.
    fn new() -> Option<Self> {
        let is_new = Command::new("python3").args(["-c", "import sys; sys.exit(sys.version_info < (3, 8))"]).status();
        if !is_new.is_ok_and(|status| status.success()) {
            eprintln!("skipped: there is no python3 here");
            return None;
        }
        let document = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/bots.md");
        let document = fs::read_to_string(document).expect("docs/bots.md");
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("bot.py"), program(&document, "## The bot\n")).expect("a file");
        fs::create_dir(folder.path().join("state")).expect("a folder");
        Some(Self { folder })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// What the bot has printed, in all of its runs.
    fn printed(&self) -> String {
        fs::read_to_string(self.path("printed")).unwrap_or_default()
    }

    fn start(&self, addr: SocketAddr, rooms: &[&str]) -> Bot {
        let printed = File::options().create(true).append(true).open(self.path("printed")).expect("a file");
        let child = Command::new("python3")
            .arg(self.path("bot.py"))
            .args([&addr.ip().to_string(), &addr.port().to_string(), BOT])
            .arg(self.path("state/bot"))
            .args(rooms)
            .env("BOT_PASSWORD", PASSWORD)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(printed)
            .spawn()
            .expect("python3 starts");
        Bot { child }
    }

    /// Waits until the bot has saved its state after this one.
    #[track_caller]
    fn wait_for_state(&self, before: &str) -> String {
        let read = || fs::read_to_string(self.path("state/bot")).unwrap_or_default();
        eventually("the bot saves its state", || read() != before);
        read()
    }
}

impl Bot {
    fn kill9(self) {
        drop(self);
    }

    /// Its exit code, once it has ended by itself.
    #[track_caller]
    fn wait(mut self) -> Option<i32> {
        let mut code = None;
        eventually("the bot ends", || {
            code = self.child.try_wait().expect("wait");
            code.is_some()
        });
        code.and_then(|code| code.code())
    }
}

impl Drop for Bot {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A server that keeps its port, and a kept room.
fn server() -> Server {
    let server = Server::builder().listen(&[&format!("line://{ADDRESS}:0")]).no_rates();
    let mut server = server.set("accounts.sessions_per_account", "8").start();
    server.set("listen", &format!("['line://{}']", server.addr()));
    let mut owner = server.typed("owner");
    for command in ["MAKE lobby", "KEEP lobby"] {
        owner.ask(command);
    }
    server
}

/// The next answer of the bot that this client hears, without the bot's name.
#[track_caller]
fn answer(client: &mut Client) -> String {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let line = client.line();
        assert!(Instant::now() < deadline, "no answer, but {line:?}");
        if let Some((kind, text)) = line.split_once(&format!(" {BOT} ")).filter(|_| line.starts_with("D ")) {
            let place = kind.split(' ').skip(1).filter(|word| word.parse::<u64>().is_err());
            return format!("{}: {text}", place.collect::<Vec<_>>().join(" "));
        }
    }
}

#[test]
fn it_answers_what_is_for_it() {
    let Some(home) = Home::new() else { return };
    let server = server();
    let mut alice = server.typed("alice");
    alice.ask("PM Helper: said before it was there");
    alice.ask("JOIN lobby");
    let bot = home.start(server.addr(), &["lobby"]);
    alice.expect(&format!("C 103 lobby {BOT} entered"));
    home.wait_for_state("");
    for (command, expected) in [
        ("PM helper, PING", "PM: [bot] alice: pong"),
        ("RM lobby (@HELPER.) ping", "RM lobby: [bot] alice: pong"),
        ("DM helper ping", "DM: [bot] alice: pong"),
        ("DM helper what is it?", "DM: [bot] alice: I know one word: ping"),
    ] {
        alice.ask(command);
        assert_eq!(answer(&mut alice), expected, "{command}");
    }
    // What comes next is the answer to the last of these.
    for text in ["helpers ping", "my-helper ping", "helper2", "éhelper", "[bot] helper: ping", "pinghelper", "help er"]
    {
        alice.ask(&format!("PM {text}"));
    }
    alice.ask("RM lobby ..helper_");
    assert_eq!(answer(&mut alice), "RM lobby: [bot] alice: I know one word: ping");
    // It is a member of the room from now on, and finds it by itself.
    bot.kill9();
    alice.expect(&format!("C 104 lobby {BOT} left"));
    alice.ask("RM lobby ping helper");
    let _bot = home.start(server.addr(), &[]);
    assert_eq!(answer(&mut alice), "RM lobby: [bot] alice: pong");
    assert_eq!(home.printed(), "");
}

#[test]
fn a_kill_between_an_answer_and_its_note_gives_no_second_answer() {
    let Some(home) = Home::new() else { return };
    let server = server();
    let mut alice = server.typed("alice");
    alice.ask("JOIN lobby");
    let bot = home.start(server.addr(), &["lobby"]);
    home.wait_for_state("");
    for place in ["PM", "RM lobby", "DM helper"] {
        // It can note nothing now.
        eventually("a folder is in its way", || fs::create_dir(home.path("state/bot.new")).is_ok());
        alice.ask(&format!("{place} helper, ping"));
        assert!(answer(&mut alice).ends_with("[bot] alice: pong"));
        eventually("it has failed to note it", || home.printed().matches("bot.new").count() > 1);
        if place == "DM helper" {
            break;
        }
        let before = home.wait_for_state("");
        fs::remove_dir(home.path("state/bot.new")).expect("its folder");
        home.wait_for_state(&before);
        fs::write(home.path("printed"), "").expect("a file");
    }
    bot.kill9();
    let before = home.wait_for_state("");
    fs::remove_dir(home.path("state/bot.new")).expect("its folder");
    let bot = home.start(server.addr(), &[]);
    home.wait_for_state(&before);
    // Two questions while it is not there, the first of them in the place of the last answer.
    bot.kill9();
    alice.ask("DM helper ping");
    alice.ask("PM helper: which?");
    let _bot = home.start(server.addr(), &[]);
    assert_eq!(answer(&mut alice), "DM: [bot] alice: pong");
    assert_eq!(answer(&mut alice), "PM: [bot] alice: I know one word: ping");
    let counted = |client: &mut Client, place: &str| {
        let lines = client.list(&format!("HISTORY {place} 200"));
        lines.iter().filter(|line| line.contains("[bot] alice: ")).count()
    };
    assert_eq!(["*", "lobby", "@helper"].map(|place| counted(&mut alice, place)), [2, 1, 2]);
}

/// Everybody asks once, at a random moment and in a random place. Returns how often each was answered.
fn storm(home: &Home, server: &mut Server, seed: u64) -> BTreeMap<String, usize> {
    const PEOPLE: usize = 36;
    let mut dice = Dice::of(seed);
    let mut reader = server.typed("reader");
    reader.ask("JOIN lobby");
    let mut bot = Some(home.start(server.addr(), &["lobby"]));
    home.wait_for_state("");
    let mut names = Vec::new();
    for number in 0..PEOPLE {
        names.push(format!("c{number}"));
        server.typed(&names[number]).barrier();
    }
    for (number, name) in names.iter().enumerate() {
        let addr = server.addr();
        thread::scope(|scope| {
            let noise = scope.spawn(move || {
                let mut noise = Client::connect(addr);
                noise.expect("C 220 ");
                noise.login_typed("noise");
                (0..200).for_each(|_| _ = noise.ask("PM nobody in particular"));
            });
            let mut asker = server.typed(name);
            asker.ask("JOIN lobby");
            let command = ["PM helper: ping", "RM lobby ping, helper?", "DM helper ping"][dice.below(3) as usize];
            assert!(asker.ask(command).starts_with("C 250 "));
            if dice.below(3) > 0 {
                thread::sleep(Duration::from_micros(dice.below(8_000)));
                bot.take().expect("a bot").kill9();
                bot = Some(home.start(addr, &[]));
            }
            noise.join().expect("the noise");
        });
        if number % 12 == 5 {
            server.restart();
        }
    }
    // The last question is answered after all others.
    let mut last = server.typed("last");
    last.ask("DM helper ping");
    while answer(&mut last) != "DM: [bot] last: pong" {}
    let mut counts: BTreeMap<String, usize> = names.into_iter().map(|name| (name, 0)).collect();
    let mut bot = server.typed(BOT);
    let mut after = "1".to_owned();
    loop {
        let mut lines = bot.list(&format!("HISTORY after {after} 200"));
        let end = lines.pop().expect("a last line");
        for line in &lines {
            let words: Vec<&str> = line.split(' ').collect();
            if words[2] == BOT {
                let name = words[5].trim_end_matches(':');
                *counts.entry(name.to_owned()).or_default() += 1;
            }
        }
        let Some((_, next)) = end.split_once("next=") else { break };
        next.clone_into(&mut after);
    }
    counts.remove("last");
    counts
}

#[test]
fn each_is_answered_once_over_kills_and_restarts() {
    let Some(home) = Home::new() else { return };
    let seed = Dice::today();
    println!("CHATD_SEED={seed}");
    let mut server = server();
    let counts = storm(&home, &mut server, seed);
    assert!(counts.values().all(|&count| count == 1), "CHATD_SEED={seed}: {counts:?}\n{}", home.printed());
}

#[test]
fn two_bots_end_their_talk() {
    let Some(home) = Home::new() else { return };
    let server = server();
    let _bot = home.start(server.addr(), &[]);
    home.wait_for_state("");
    // This one does not know the sign, and answers every answer.
    let mut other = server.typed("other");
    for _ in 0..10 {
        other.ask("PM helper, ping");
        assert_eq!(answer(&mut other), "PM: [bot] other: pong");
    }
    for _ in 0..5 {
        other.ask("PM helper, ping");
    }
    let mut alice = server.typed("alice");
    alice.ask("PM helper, ping");
    assert_eq!(answer(&mut other), "PM: [bot] alice: pong");
}

#[test]
fn it_waits_as_long_as_the_server_says_and_ends_when_it_must() {
    let Some(home) = Home::new() else { return };
    let fake = Fake::start();
    let bot = home.start(fake.addr(), &[]);
    let mut first = fake.accept();
    let told = Instant::now();
    first.send("C 421 shutting down, retry in 2 s");
    drop(first);
    let mut second = fake.accept();
    assert!(told.elapsed() >= Duration::from_secs(2), "{:?}", told.elapsed());
    second.send("C 220 fake; your name?");
    second.expect_exact(&format!("C {BOT}"));
    second.send("C 450 no new accounts; your name?");
    // It connects anew, and does not say its password where a name is asked for.
    let mut third = fake.accept();
    assert_eq!(second.expect_reset_or_closed(), "");
    third.send("C 220 fake; your name?");
    third.expect_exact(&format!("C {BOT}"));
    third.send("C 331 Helper, your password?");
    third.expect_exact(&format!("C {PASSWORD}"));
    third.send("C 230 welcome Helper");
    third.expect_exact("C WANT ids");
    third.send("C 421 another login took this place");
    drop(third);
    assert_eq!(bot.wait(), Some(1));
    let bot = home.start(fake.addr(), &[]);
    let mut fourth = fake.accept();
    fourth.send("C 220 fake; your name?");
    fourth.expect("C ");
    fourth.send("C 331 Helper, your password?");
    fourth.expect("C ");
    fourth.send("C 530 wrong password; 2 tries left");
    assert_eq!(bot.wait(), Some(1));
    assert!(home.printed().contains("530 wrong password"), "{}", home.printed());
}
