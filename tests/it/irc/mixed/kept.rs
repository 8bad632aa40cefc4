//! A kept room, in the pages of both doors.

use super::*;

/// `ID place from flags text` of a page of lines.
fn of_page(line: &str) -> (String, String, String) {
    let words: Vec<&str> = line.splitn(5, ' ').collect();
    (words[0].to_owned(), words[2].to_owned(), words[4].to_owned())
}

#[test]
fn both_doors_show_the_same_past() {
    let mut server = server();
    let mut ann = logged_in_with(&server, "ann", "echo-message message-tags server-time batch draft/chathistory");
    let mut cas = server.typed("cas");
    ann.ask("JOIN #tea", "366 ann #tea");
    ann.ask("MODE #tea +P", "MODE #tea +P");
    assert!(cas.ask("JOIN tea").ends_with(" kept=30"));
    ann.wait(":cas!account@chatd.local JOIN #tea");
    for number in 0..20 {
        assert!(cas.ask(&format!("RM tea line {number}")).starts_with("C 250 sent to 1"));
        ann.send(&format!("PRIVMSG #tea :irc {number}"));
        ann.wait(":ann!account@chatd.local PRIVMSG");
        assert!(cas.line().ends_with(&format!(" ann irc {number}")));
    }
    assert!(cas.ask("RM tea secret").starts_with("C 250 "));
    assert!(cas.ask("FORGET").starts_with("C 200 forgot "));
    let check = |ann: &mut Irc, cas: &mut Client| {
        let lines = cas.list("HISTORY tea 30");
        let lines: Vec<_> = lines[..lines.len() - 1].iter().map(|line| of_page(line)).collect();
        assert_eq!(lines.len(), 30);
        let page = ann.ask("CHATHISTORY LATEST #tea * 30", "BATCH -*");
        let page: Vec<_> = page
            .iter()
            .filter(|line| tag(line, "batch").is_some())
            .map(|line| {
                let (from, text) = of_irc(line);
                (tag(line, "msgid").expect("an id").to_owned(), from, text)
            })
            .collect();
        assert_eq!(page, lines);
        let middle = &lines[10].0;
        let before = ann.ask(&format!("CHATHISTORY BEFORE #tea msgid={middle} 5"), "BATCH -*");
        let ids: Vec<_> = before.iter().filter_map(|line| tag(line, "msgid")).map(str::to_owned).collect();
        assert_eq!(ids, lines[5..10].iter().map(|line| line.0.clone()).collect::<Vec<_>>());
    };
    ann.heard();
    check(&mut ann, &mut cas);
    // The same after a crash, for what was on disk.
    testkit::pause(600);
    server.kill9();
    server.restart();
    let mut cas = server.greeted();
    cas.login_typed("cas");
    assert!(cas.ask("JOIN tea").ends_with(" kept=30"));
    let mut ann = logged_in_again(&server);
    ann.ask("JOIN #tea", "366 ann #tea");
    ann.heard();
    check(&mut ann, &mut cas);
}

fn logged_in_again(server: &Server) -> Irc {
    let mut ann = Irc::connect(server.door("irc"));
    ann.send("CAP REQ :echo-message message-tags server-time batch draft/chathistory");
    ann.send(&format!("PASS :ann:{PASSWORD}"));
    ann.greet("ann");
    ann.send("CAP END");
    ann.wait("366 ann &all");
    ann
}
