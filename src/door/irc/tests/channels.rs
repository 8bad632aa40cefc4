//! What clients are told about channels: refusals, and lines with several channels.

use super::chat::Chat;

#[test]
fn kick_takes_one_channel_or_as_many_as_nicks() {
    let mut chat = Chat::new();
    let alice = chat.enter("Alice", "");
    let people: Vec<usize> = ["~bob", "~carol", "~dora"].into_iter().map(|name| chat.enter(name, "")).collect();
    chat.send(alice, "JOIN #a,#b");
    for one in &people {
        chat.send(*one, "JOIN #a,#b");
    }
    let kicked = |channel: &str, nick: &str| format!(":Alice!account@chatd.local KICK {channel} {nick} :bye\n");
    chat.taken(people[2]);
    chat.send(alice, "KICK #a,#b ^bob,^carol :bye");
    assert_eq!(chat.taken(people[2]), kicked("#a", "^bob") + &kicked("#b", "^carol"));
    chat.send(alice, "KICK #a ^carol,^nobody :bye");
    assert_eq!(chat.taken(people[2]), kicked("#a", "^carol"));
    chat.taken(alice);
    chat.send(alice, "KICK #a,#b ^dora :bye");
    assert_eq!(chat.taken(alice), ":chatd.local 461 Alice KICK :Not enough parameters\n");
    assert_eq!(chat.taken(people[2]), "");
}

#[test]
fn a_room_is_handed_to_a_member() {
    let mut chat = Chat::new();
    let (alice, _bob) = (chat.enter("Alice", ""), chat.enter("~bob", ""));
    chat.send(alice, "JOIN #a");
    chat.taken(alice);
    chat.send(alice, "MODE #a +o ^bob");
    assert_eq!(chat.taken(alice), ":chatd.local 441 Alice ^bob #a :They aren't on that channel\n");
    chat.send(alice, "MODE #a +o ^nobody");
    assert_eq!(chat.taken(alice), ":chatd.local 401 Alice ^nobody :No such nick\n");
    chat.send(alice, "MODE #a +o");
    assert_eq!(chat.taken(alice), ":chatd.local 461 Alice MODE :Not enough parameters\n");
}

#[test]
fn keys_that_are_none() {
    let mut chat = Chat::new();
    let alice = chat.enter("Alice", "");
    chat.send(alice, "JOIN #a");
    chat.taken(alice);
    chat.send(alice, "MODE #a +k");
    assert_eq!(chat.taken(alice), ":chatd.local 461 Alice MODE :Not enough parameters\n");
    for key in [":", ":a b", "a,b", "a:b", &"x".repeat(129)] {
        chat.send(alice, &format!("MODE #a +k {key}"));
        let expected = ":chatd.local 696 Alice #a k * :a key is one word without a comma\n";
        assert_eq!(chat.taken(alice), expected, "{key}");
    }
}

#[test]
fn what_others_hear_too_bears_the_label() {
    let mut chat = Chat::new();
    let alice = chat.enter("Alice", "labeled-response batch");
    let people: Vec<usize> = ["~bob", "~carol"].into_iter().map(|name| chat.enter(name, "")).collect();
    chat.send(alice, "JOIN #a");
    for one in &people {
        chat.send(*one, "JOIN #a");
    }
    chat.taken(alice);
    chat.send(alice, "@label=x TOPIC #A :tea");
    assert_eq!(chat.taken(alice), "@label=x :Alice!account@chatd.local TOPIC #a :tea\n");
    chat.send(alice, "@label=x KICK #a ^bob :bye");
    assert_eq!(chat.taken(alice), "@label=x :Alice!account@chatd.local KICK #a ^bob :bye\n");
    chat.send(people[0], "JOIN #a");
    chat.taken(alice);
    chat.send(alice, "@label=x KICK #a ^bob,^carol :bye");
    let kicked = |nick: &str| format!("@batch=1 :Alice!account@chatd.local KICK #a {nick} :bye\n");
    let expected = format!(
        "@label=x :chatd.local BATCH +1 labeled-response\n{}{}:chatd.local BATCH -1\n",
        kicked("^bob"),
        kicked("^carol")
    );
    assert_eq!(chat.taken(alice), expected);
    chat.send(people[1], "JOIN #a");
    chat.taken(alice);
    chat.send(alice, "@label=x MODE #a +o ^carol");
    assert_eq!(chat.taken(alice), "@label=x :Alice!account@chatd.local MODE #a -o+o Alice ^carol\n");
    chat.send(alice, "@label=x TOPIC #a :coffee");
    assert_eq!(chat.taken(alice), "@label=x :chatd.local 482 Alice #a :You're not channel operator\n");
    chat.send(people[1], "TOPIC #a :milk");
    assert_eq!(chat.taken(alice), ":^carol!guest@chatd.local TOPIC #a :milk\n");
}
