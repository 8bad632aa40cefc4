//! People at different doors in one room: an IRC client, lines, typed lines, a guest by UDP.

use testkit::rooms::{JOIN, Peer};
use testkit::{Client, PASSWORD, Server};

use super::client::{Irc, logged_in, logged_in_with, tag, without_tags};

mod direct;
mod kept;

const DOORS: [&str; 3] = ["line://127.0.0.1:0?guests=yes", "irc://127.0.0.1:0?guests=yes", "rooms://127.0.0.1:0?udp=0"];

fn server() -> Server {
    Server::builder().listen(&DOORS).no_rates().start()
}

/// One of each door in the room `tea`, which the IRC client has made.
struct Company {
    server: Server,
    /// By IRC, with its own messages as others get them.
    ann: Irc,
    /// With `nc`.
    bob: Client,
    /// A program.
    cas: Client,
    /// By UDP.
    dan: Peer,
}

impl Company {
    fn new() -> Self {
        let server = server();
        let mut ann = logged_in_with(&server, "ann", "echo-message message-tags server-time");
        let (mut bob, mut cas) = (server.bare("bob"), server.typed("cas"));
        assert_eq!(cas.ask("WANT ids"), "C 200 ids");
        ann.ask("JOIN #tea", "366 ann #tea");
        assert!(bob.ask("JOIN tea").starts_with("C 227 tea "));
        assert!(cas.ask("JOIN tea").starts_with("C 227 tea "));
        let dan = server.guest(JOIN, "tea", "dan");
        ann.expect_exact(":bob!account@chatd.local JOIN #tea");
        ann.expect_exact(":cas!account@chatd.local JOIN #tea");
        ann.expect_exact(":^dan!guest@chatd.local JOIN #tea");
        bob.expect_all(&["C 103 tea cas entered", "C 103 tea ~dan entered"]);
        cas.expect_exact("C 103 tea ~dan entered");
        Self { server, ann, bob, cas, dan }
    }
}

/// `source PRIVMSG #tea :text` as the name and the text of chatd.
fn of_irc(line: &str) -> (String, String) {
    let line = without_tags(line).strip_prefix(':').expect("a source");
    let (nick, rest) = line.split_once('!').expect("a person");
    let text = rest.split_once(" PRIVMSG #tea :").expect("a message").1;
    (nick.replace('^', "~"), text.to_owned())
}

/// `D RM [id] tea name text`, with `words` before the name.
fn of_line(line: &str, words: usize) -> (String, String) {
    let mut words = line.splitn(words + 2, ' ').skip(words);
    (words.next().expect("a name").to_owned(), words.next().expect("a text").to_owned())
}

#[test]
fn all_hear_all_in_one_order() {
    let mut all = Company::new();
    const EACH: usize = 40;
    for number in 0..EACH {
        all.ann.send(&format!("PRIVMSG #tea :a{number}"));
        all.bob.send(&format!("RM tea b{number}"));
        all.cas.send(&format!("C RM tea c{number}"));
        all.dan.say(&format!("d{number}"));
    }
    let order: Vec<String> = (0..4 * EACH).map(|_| all.ann.line()).collect();
    let ids: Vec<u64> = order.iter().map(|line| tag(line, "msgid").expect("an id").parse().unwrap()).collect();
    assert!(ids.is_sorted_by(|a, b| a < b), "{ids:?}");
    let order: Vec<_> = order.iter().map(|line| of_irc(line)).collect();
    let without = |name: &str| order.iter().filter(|(from, _)| from != name).cloned().collect::<Vec<_>>();
    for (letter, name) in [('a', "ann"), ('b', "bob"), ('c', "cas"), ('d', "~dan")] {
        let own: Vec<_> = order.iter().filter(|(from, _)| from == name).map(|(_, text)| text.clone()).collect();
        assert_eq!(own, (0..EACH).map(|number| format!("{letter}{number}")).collect::<Vec<_>>());
    }
    let heard = all.bob.heard();
    assert_eq!(heard.iter().filter(|line| *line == "C 250 sent to 3").count(), EACH);
    let heard: Vec<_> = heard.iter().filter(|line| line.starts_with("D ")).map(|line| of_line(line, 3)).collect();
    assert_eq!(heard, without("bob"));
    // The ids are those of IRC, also those of one's own.
    let heard = all.cas.heard();
    let of_all = heard.iter().map(|line| match line.strip_prefix("C 250 sent to 3 id=") {
        Some(id) => id.parse().unwrap(),
        None => line.split(' ').nth(2).expect("an id").parse().unwrap(),
    });
    let mut of_all: Vec<u64> = of_all.collect();
    of_all.sort_unstable();
    assert_eq!(of_all, ids);
    let heard: Vec<_> = heard.iter().filter(|line| line.starts_with("D ")).map(|line| of_line(line, 4)).collect();
    assert_eq!(heard, without("cas"));
    for (name, text) in without("~dan") {
        all.dan.expect(&format!("{name}: {text}"));
    }
}

#[test]
fn what_happens_in_a_room_is_told_in_each_spelling() {
    let mut all = Company::new();
    all.ann.send("TOPIC #tea :green and black");
    all.ann.expect_exact(":ann!account@chatd.local TOPIC #tea :green and black");
    assert_eq!(all.bob.line(), "C 105 tea by ann: green and black");
    assert_eq!(all.bob.ask("TOPIC tea mine"), "C 554 you are not the host of tea");
    all.ann.send("MODE #tea +o bob");
    all.ann.expect_exact(":ann!account@chatd.local MODE #tea -o+o ann bob");
    all.bob.expect_exact("C 107 tea bob is host now");
    assert_eq!(all.bob.ask("HOST tea ann"), "C 200 done");
    all.ann.expect_exact(":bob!account@chatd.local MODE #tea -o+o bob ann");
    assert_eq!(
        all.cas.heard(),
        ["C 105 tea by ann: green and black", "C 107 tea bob is host now", "C 107 tea ann is host now"]
    );
    // What one does, and notices.
    all.bob.send("RM tea /me waves");
    all.ann.expect_exact(":bob!account@chatd.local PRIVMSG #tea :\u{1}ACTION waves\u{1}");
    all.ann.send("PRIVMSG #tea :\u{1}ACTION waves back\u{1}");
    all.ann.expect_exact(":ann!account@chatd.local PRIVMSG #tea :\u{1}ACTION waves back\u{1}");
    all.ann.send("NOTICE #tea :the kettle boils");
    all.ann.expect_exact(":ann!account@chatd.local NOTICE #tea :the kettle boils");
    all.bob.expect_all(&["C 250 sent to 3", "D RM tea ann /me waves back", "D RM tea ann the kettle boils"]);
    for text in ["bob: /me waves", "ann: /me waves back", "ann: the kettle boils"] {
        all.dan.expect(text);
    }
    // Colours are taken out, for IRC people too.
    all.ann.send("PRIVMSG #tea :\u{3}4red\u{f} and \u{2}bold");
    all.bob.expect_exact("D RM tea ann red and bold");
    all.dan.expect("ann: red and bold");
    all.ann.line();
    all.cas.heard();
    // Somebody goes.
    all.ann.send("KICK #tea ^dan :too loud");
    all.ann.expect_exact(":ann!account@chatd.local KICK #tea ^dan :too loud");
    all.bob.expect_exact("C 104 tea ~dan left: kicked");
    assert_eq!(all.cas.ask("LEAVE tea"), "C 200 done");
    all.ann.expect_exact(":cas!account@chatd.local PART #tea");
    all.bob.expect_exact("C 104 tea cas left");
    all.ann.send("PART #tea :home");
    all.ann.expect_exact(":ann!account@chatd.local PART #tea :home");
    all.bob.expect_all(&["C 104 tea ann left", "C 107 tea bob is host now"]);
    all.ann.ask("JOIN #tea", "366 ann #tea");
    assert_eq!(all.bob.ask("CLOSE tea"), "C 200 done");
    all.ann.expect(":chatd.local KICK #tea ann");
}

#[test]
fn who_goes_offline_is_told_once_at_each_door() {
    let mut all = Company::new();
    let mut rob = all.server.greeted();
    rob.send("~rob");
    rob.expect("C 230 ");
    assert!(rob.ask("JOIN tea").starts_with("C 227 "));
    all.ann.expect_exact(":^rob!guest@chatd.local JOIN #tea");
    assert_eq!(rob.ask("NICK ~robin"), "C 200 you are ~robin now");
    all.ann.expect_exact(":^rob!guest@chatd.local NICK ^robin");
    rob.send("EX");
    rob.expect_exact("C 221 bye");
    all.ann.expect(":^robin!guest@chatd.local QUIT");
    let told = ["C 103 tea ~rob entered", "C 102 ~rob is ~robin now", "C 104 tea ~robin left"];
    all.bob.expect_all(&told);
    assert_eq!(all.cas.heard(), told);
    let mut kim = Irc::connect(all.server.door("irc"));
    kim.greet("kim");
    kim.wait("366 ^kim &all");
    kim.ask("JOIN #tea", "366 ^kim #tea");
    kim.ask("NICK kit", ":^kim!guest@chatd.local NICK ^kit");
    kim.ask("QUIT :bye", "ERROR");
    let told = ["C 103 tea ~kim entered", "C 102 ~kim is ~kit now", "C 104 tea ~kit left"];
    all.bob.expect_all(&told);
    assert_eq!(all.cas.heard(), told);
    all.ann.expect_exact(":^kim!guest@chatd.local JOIN #tea");
    all.ann.expect_exact(":^kim!guest@chatd.local NICK ^kit");
    all.ann.expect(":^kit!guest@chatd.local QUIT");
    all.ann.barrier();
}

#[test]
fn long_texts_arrive_whole_in_several_lines() {
    let mut all = Company::new();
    let texts = [
        "word ".repeat(800).trim_end().to_owned(),
        "x".repeat(4_000),
        "größe".repeat(550),
        "👩‍👩‍👧 ".repeat(150).trim_end().to_owned(),
        format!("/me {}", "goes on ".repeat(200).trim_end()),
    ];
    for text in texts {
        assert_eq!(all.bob.ask(&format!("RM tea {text}")), "C 250 sent to 3");
        let heard = all.cas.line();
        assert_eq!(of_line(&heard, 4), ("bob".to_owned(), text.clone()));
        let (is_deed, said) = text.strip_prefix("/me ").map_or((false, &*text), |deed| (true, deed));
        let mut lines = vec![all.ann.line()];
        let id = tag(&lines[0], "msgid").expect("an id").to_owned();
        assert_eq!(heard.split(' ').nth(2), Some(&*id));
        let mut parts = Vec::new();
        loop {
            let (from, part) = of_irc(lines.last().unwrap());
            assert_eq!(from, "bob");
            let part = part.strip_prefix("\u{1}ACTION ").map_or(&*part, |deed| deed.trim_end_matches('\u{1}'));
            parts.push(part.to_owned());
            let joined = parts.concat();
            if joined.len() >= said.len() {
                assert_eq!(joined, said, "is it a deed? {is_deed}");
                break;
            }
            lines.push(all.ann.line());
            assert!(tag(lines.last().unwrap(), "msgid").is_none(), "the first line alone has the id");
        }
        assert!(lines.len() > 1);
        all.ann.barrier();
    }
    // As long as an IRC line may be, it comes to lines as it is; what is longer is refused.
    let long = "y".repeat(440);
    all.ann.send(&format!("PRIVMSG #tea :{long}"));
    all.ann.expect("PRIVMSG #tea");
    assert_eq!(all.bob.heard().last().unwrap(), &format!("D RM tea ann {long}"));
    all.ann.send(&format!("PRIVMSG #tea :{}", "y".repeat(600)));
    all.ann.expect("417 ann");
    assert_eq!(all.bob.heard(), [""; 0]);
}

#[test]
fn what_is_said_to_everybody() {
    let server = server();
    let (mut ann, mut bob) = (logged_in(&server, "ann"), server.bare("bob"));
    assert_eq!(bob.ask("PM good morning"), "C 250 sent to 1");
    ann.expect_exact(":bob!account@chatd.local PRIVMSG &all :good morning");
    ann.send("PRIVMSG &all :and to you");
    bob.expect_exact("D PM ann and to you");
    ann.ask("PART &all", ":ann!account@chatd.local PART &all");
    assert_eq!(bob.ask("PM nobody hears"), "C 250 sent to 0");
    assert_eq!(bob.ask("PUBLIC off"), "C 200 you do not hear what is said to everybody; PUBLIC on ends that");
    ann.ask("JOIN &all", "366 ann &all");
    ann.send("PRIVMSG &all :nobody hears");
    ann.barrier();
    assert_eq!(bob.heard(), [""; 0]);
    assert_eq!(bob.list("WHO"), ["ann", "bob", "2 online"]);
}
