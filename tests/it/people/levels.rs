//! NOTIFY.

use testkit::{Client, Server};

use super::{begins, delete, keep, says, twice};

/// The levels in UNREAD.
#[track_caller]
fn levels(client: &mut Client) -> Vec<String> {
    let mut lines = client.list("UNREAD");
    lines.pop();
    let shown = |line: &String| {
        let words: Vec<&str> = line.split(' ').collect();
        format!("{} {}", words[0], words[5].trim_start_matches("notify="))
    };
    let mut shown: Vec<String> = lines.iter().map(shown).collect();
    shown.sort();
    shown
}

#[test]
fn a_level_belongs_to_the_account_and_outlives_a_restart() {
    let mut server = Server::builder().no_rates().start();
    let (mut alice, mut bob) = (server.typed("alice"), server.typed("bob"));
    keep(&mut alice, "lobby");
    begins(&mut bob, "DM alice hello", "C 250 ");
    assert_eq!(levels(&mut alice), ["* mentions", "@bob all", "lobby mentions"]);
    says(&mut alice, "NOTIFY * none", "C 200 * notify=none");
    says(&mut alice, "NOTIFY #Lobby ALL", "C 200 lobby notify=all");
    says(&mut alice, "NOTIFY @BOB mentions", "C 200 @bob notify=mentions");
    for command in ["NOTIFY", "NOTIFY *", "NOTIFY * loud", "NOTIFY * all all"] {
        begins(&mut alice, command, "C 501 ");
    }
    for place in ["elsewhere", "#elsewhere", "@nobody", "@-bob", "@~bob"] {
        begins(&mut alice, &format!("NOTIFY {place} none"), "C 550 ");
    }
    begins(&mut bob, "NOTIFY lobby none", "C 550 ");
    twice(&mut server, |server| {
        let (mut alice, mut bob) = (server.typed("alice"), server.typed("bob"));
        assert_eq!(levels(&mut alice), ["* none", "@bob mentions", "lobby all"]);
        assert_eq!(levels(&mut bob)[0], "* mentions");
    });
    // A level silences nothing.
    let (mut alice, mut bob) = (server.typed("alice"), server.typed("bob"));
    begins(&mut bob, "PM alice, hello", "C 250 ");
    alice.expect("D PM ");
    assert!(alice.list("UNREAD").iter().any(|line| line.starts_with("* 1 1 ")));
    // An account that is registered anew has the levels of the beginning.
    drop(alice);
    delete(&server, "alice");
    assert_eq!(levels(&mut server.typed("alice")), ["* mentions"]);
}
