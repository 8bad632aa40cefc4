//! Profiles, presence, peace, erasing.

use super::super::asks::Ask;
use super::*;

/// Whether the client asks by itself whom the user ignores.
pub(super) fn is_ignores(request: &Request) -> bool {
    matches!(request, Request::People(Ask::Ignores { is_shown: false }))
}

/// A person whose server keeps what is said.
fn kept() -> Stage {
    let mut stage = Stage::new(Settings { resumes: Resumes::Always, ..settings() }, Some("t1"));
    stage.session = stage.session.with_seen(vec![Some(100)]);
    stage.play(LOGIN);
    stage
}

const LOGIN: &str = "connected\nserver C 220 hi\nserver C 230 welcome\nserver C 200 ids\nserver C 231 t2 expires=86400\nserver C 211 0 online\nserver C 213-* 0 0 read=100 last=100 notify=mentions\nserver C 213 x\nserver C 212 0 end";

#[test]
fn who_somebody_is() {
    Stage::ready().check(
        "user /whois bob
        > C WHOIS bob
        ask alice>
        server C 215-sessions 2
        server C 215-since 2026-01-05
        server C 215-idle 200
        server C 215-away to lunch; JOIN me
        server C 215-name Bob  Miller
        server C 215 bob
        #- 215 bob is away (2 sessions), idle for 3 minutes
        #- 215   registered  2026-01-05
        #- 215   away        to lunch; JOIN me
        # 215   name        Bob  Miller
        user /whois ~guest
        > C WHOIS ~guest
        ask alice>
        server C 215-guest
        server C 215 ~guest
        # 215 ~guest is a guest
        user /whois nobody
        > C WHOIS nobody
        ask alice>
        server C 550 there is no nobody
        # 550 there is no nobody
        user /whois
        > C WHOIS
        ask alice>",
    );
    // A script gets the lines as they are.
    Stage::script().check(
        "user /whois bob
        > C WHOIS bob
        ask alice>
        server C 215-sessions 2
        #- 215 sessions 2
        server C 215 bob
        # 215 bob",
    );
}

#[test]
fn the_profile() {
    Stage::ready().check(
        "user /set
        > C SET
        ask alice>
        server C 215-name Alice
        server C 215-about hi
        server C 215 alice
        #- 215 the profile of alice; /set KEY VALUE changes it
        #- 215   name      Alice
        #- 215   about     hi
        #- 215   status    -
        #- 215   pronouns  -
        #- 215   zone      -
        #- 215   url       -
        # 215   seen      -
        user /set zone
        > C SET zone
        ask alice>
        server C 215 alice
        #- 215 the profile of alice; /set KEY VALUE changes it
        # 215   zone  -
        user /set about  I  am
        > C SET about I  am
        ask alice>
        server C 200 done
        # 200 your about is set; /whois shows it
        user /set Name -
        > C SET Name -
        ask alice>
        server C 200 done
        # 200 your name is removed
        user /set seen none
        > C SET seen none
        ask alice>
        server C 200 done
        # 200 nobody sees any more for how long you are idle, and when you were here
        user /set colour red
        > C SET colour red
        ask alice>
        server C 501 there is no key colour; SET shows all
        # 501 there is no key colour; /set shows all",
    );
}

#[test]
fn away_and_back_and_away_again_after_a_break() {
    let mut stage = Stage::ready();
    stage.check(
        "user /away
        ! usage: say why you go, for example: /away lunch (if another client of yours has said so, /back)
        ask alice>
        user /away  to lunch
        > C AWAY to lunch
        ask alice>
        server C 200 done
        # 200 you are away: to lunch
        prompt alice (away)>
        lost cut
        ! lost: the connection to a:1 is lost: cut
        - retry: trying a:1 in 1 s
        prompt alice (offline)>
        wait 60000
        - connecting: connecting to a:1
        connect 0",
    );
    let happened = stage.play("connected\nserver C 220 hi\nserver C 230 welcome");
    assert!(happened.contains("> C AWAY to lunch\n"), "{happened}");
    stage.play("server C 231 t3 expires=86400\nserver C 211 0 online");
    stage.check(
        "server C 200 done
        - away: you are still away: to lunch
        user /away
        > C AWAY
        ask alice (away)>
        server C 200 done
        # 200 you are back
        prompt alice>
        user /back
        > C AWAY
        ask alice>
        server C 200 done
        # 200 you are back",
    );
    // It is said only as long as it is so.
    let happened = stage.play("lost cut\nwait 60000\nconnected\nserver C 220 hi\nserver C 230 welcome");
    assert!(!happened.contains("> C AWAY"), "{happened}");
}

#[test]
fn a_receiver_who_is_away() {
    Stage::ready().check(
        "user /dm bob hi
        > C DM bob hi
        ask alice>
        server C 250 sent to bob (away: lunch (long))
        = with bob alice: hi (sent to bob, who is away: lunch (long))",
    );
    Stage::script().check(
        "user /dm bob hi
        > C DM bob hi
        ask alice>
        server C 250 sent to bob (away: lunch (long))
        = with bob alice: hi (sent to bob (away: lunch (long)))",
    );
}

#[test]
fn whom_the_user_watches() {
    let mut stage = Stage::ready();
    stage.check(
        "user /watch bob
        > C WATCH bob
        ask alice>
        server C 200 bob is away: SET; JOIN us
        # 200 bob is away: SET; JOIN us
        server C 101 bob back
        * 101 bob back
        user /watch carol
        > C WATCH carol
        ask alice>
        server C 200 carol is offline
        # 200 carol is offline
        user /watch 1x
        > C WATCH 1x
        ask alice>
        server C 501 1x is no name
        # 501 1x is no name
        user /watch
        > C WATCH
        ask alice>
        server C 211-bob
        #- 211 bob is online
        server C 211-erin
        #- 211 erin
        server C 211 2 watched
        # 211 2 watched
        user /watch Carol off
        > C WATCH Carol off
        ask alice>
        server C 200 done
        # 200 Carol is not watched any more",
    );
    // They are watched again after a break, and what has changed meanwhile is told.
    stage.play("user /watch dave\nserver C 200 dave is online\nlost cut\nwait 60000");
    let happened = stage.play("connected\nserver C 220 hi\nserver C 230 welcome");
    assert!(happened.contains("> C WATCH bob\n> C WATCH dave\n"), "{happened}");
    stage.play("server C 231 t3 expires=86400\nserver C 211 0 online");
    stage.check(
        "server C 200 bob is online
        server C 200 dave is away: lunch
        * 101 dave away lunch",
    );
}

fn watching(people: bool) -> Stage {
    let watch = vec!["bob".to_owned(), "carol".to_owned(), "dave".to_owned()];
    let mut stage = Stage::new(Settings { people, watch, ..settings() }, Some("t1"));
    let happened = stage.play("connected\nserver C 220 hi\nserver C 230 welcome");
    assert!(happened.contains("> C WATCH bob\n> C WATCH carol\n> C WATCH dave\n"), "{happened}");
    stage.play("server C 231 t2 expires=86400\nserver C 211 0 online");
    stage
}

#[test]
fn watched_from_the_start() {
    watching(true).check(
        "server C 200 Bob is online
        * 101 Bob online
        server C 200 carol is offline
        server C 200 dave is away: lunch
        * 101 dave away lunch",
    );
    watching(false).check(
        "server C 200 Bob is online
        * 101 Bob online
        server C 200 carol is offline
        * 101 carol offline
        server C 554 100 are the most
        ! watch: dave is not watched: 100 are the most",
    );
    // Of an older server it is told once, and the client goes on.
    let mut stage = watching(true);
    stage.check(
        "server C 502 unknown operation; PM hello says it to everybody, HELP lists all
        ! watch: nobody is watched: this server has no WATCH: it is older than this client
        server C 502 unknown operation; PM hello says it to everybody, HELP lists all
        server C 502 unknown operation; PM hello says it to everybody, HELP lists all
        user /watch
        > C WATCH
        ask alice>
        server C 502 unknown operation; PM hello says it to everybody, HELP lists all
        # 502 this server has no WATCH: it is older than this client
        user hi
        > C PM hi
        ask alice>",
    );
}

#[test]
fn who_is_ignored_does_not_ring() {
    let mut stage = Stage::new(Settings { resumes: Resumes::Always, ..settings() }, Some("t1"));
    stage.ignores_nobody = false;
    let happened = stage.play(LOGIN.rsplit_once('\n').unwrap().0);
    let (ignore, history) = (happened.find("> C IGNORE\n"), happened.find("> C HISTORY"));
    assert!(ignore.is_some() && ignore < history, "{happened}");
    stage.play("server C 211-bob\nserver C 211-~\nserver C 211 2 ignored\nserver C 212 0 end");
    assert!(stage.session.rules.is_ignored("Bob") && !stage.session.rules.is_ignored("carol"));
    stage.check(
        "user /unignore BOB
        > C IGNORE BOB off
        ask alice>
        server C 200 done
        # 200 BOB is not ignored any more
        user /ignore carol
        > C IGNORE carol
        ask alice>
        server C 200 done
        # 200 no direct messages of carol reach you, and carol calls you nowhere
        user /ignore nobody
        > C IGNORE nobody
        ask alice>
        server C 550 there is no account nobody
        # 550 there is no account nobody
        user /ignore
        > C IGNORE
        ask alice>
        server C 211-carol
        #- 211 carol
        server C 211 1 ignored
        # 211 1 ignored
        user /ignore ~
        > C IGNORE ~
        ask alice>
        server C 200 done
        # 200 no direct messages of guests reach you",
    );
    let rules = &stage.session.rules;
    assert!(rules.is_ignored("carol") && !rules.is_ignored("bob") && !rules.is_ignored("nobody"));
    // Another connection, another list.
    stage.play("lost cut\nwait 60000");
    stage.play(LOGIN.rsplit_once('\n').unwrap().0);
    stage.play("server C 502 unknown operation");
    assert!(!stage.session.rules.is_ignored("carol"));
}

#[test]
fn how_loud_places_are() {
    let mut stage = kept();
    stage.check(
        "user /notify den none
        > C NOTIFY den none
        ask alice>
        server C 200 done
        # 200 den: nothing calls you
        user /notify mentions
        > C NOTIFY * mentions
        ask alice>
        server C 200 done
        # 200 what is said to everybody: what is for you calls you
        user /notify #all all
        > C NOTIFY #all all
        ask alice>
        server C 550 there is no such place
        # 550 there is no such place
        user /notify @ all
        ! usage: a place is a room, @NAME, or * for what is said to everybody
        ask alice>
        user /notify
        > C UNREAD
        ask alice>
        server C 213-den 3 1 read=1 last=2 notify=none
        #- 213 den: nothing calls you
        server C 213-@bob 0 0 read=1 last=2 notify=all
        #- 213 @bob: everything calls you
        server C 213 2 places; what is said there is kept for 30 days
        # 213 2 places; what is said there is kept for 30 days
        user /notify @carol
        > C UNREAD
        ask alice>
        server C 213-den 3 1 read=1 last=2 notify=none
        server C 213 2 places
        # 213 @carol: everything calls you (nothing else is known of it)
        user /notify den
        > C UNREAD
        ask alice>
        server C 213-@bob 3 1 read=1 last=2 notify=all
        server C 213-den 3 1 read=1 last=2 notify=none
        # 213 den: nothing calls you
        server C 213 2 places",
    );
    let level = |name: &str| stage.session.rules.level(&Place::Room(name.to_owned()));
    assert_eq!((level("DEN").word(), level("all").word()), ("none", "mentions"));
}

#[test]
fn a_person_is_asked_before_something_is_erased() {
    let mut stage = kept();
    stage.play("user hunter2\nserver C 250 sent to 3 id=150\nserver D RM 160 den bob no\u{202e}ise\nuser /dm bob bye\nserver C 250 sent to bob id=170");
    stage.check(
        "user /erase
        ask: erase \"bye\" (with bob)? [y/N]
        user
        - cancelled: nothing is erased
        ask alice>
        user /erase 2
        ask: erase \"hunter2\" (to everybody)? [y/N]
        user oops
        - cancelled: nothing is erased
        ask alice>
        user /erase 2
        ask: erase \"hunter2\" (to everybody)? [y/N]
        user y
        > C FORGET 150
        ask alice>
        server C 200 forgot 150 in *
        # 200 erased; it may still be on the screens of those who have read it
        user /erase 2
        ! usage: not 2 messages of yours are on the screen; /history and /search show older ones
        ask alice>
        user /erase bob
        ask: erase bob's \"no\\u{202e}ise\" (in den)? [y/N]
        user yes
        > C FORGET 160
        ask alice>
        server C 554 bob said that, and den is not yours
        # 554 bob said that, and den is not yours
        user /erase all
        ask: erase all that you have ever said on this server? [y/N]
        user /who
        - cancelled: nothing is erased
        > C WHO
        ask alice>
        server C 211 0 online
        # 211 0 online
        user /erase all
        ask: erase all that you have ever said on this server? [y/N]
        user Y
        > C FORGET all
        ask alice>
        server C 200 forgot 12 lines
        # 200 erased: 12 lines
        user /erase
        ! usage: no message of yours is on the screen; /history and /search show older ones
        ask alice>
        user /erase 1882416070839500802
        ask: erase the message 1882416070839500802? [y/N]
        end
        - cancelled: nothing is erased
        ask alice>",
    );
}

#[test]
fn what_is_found_can_be_erased() {
    let mut stage = kept();
    stage.play("user new\nserver C 250 sent to 3 id=300\nuser /search pass");
    stage.check(
        "server C 212-200 den alice - my password
        = past room den 200 alice: my password
        server C 212 1 end
        # 212 1 message; that is all
        user /erase
        ask: erase \"my password\" (in den)? [y/N]
        user n
        - cancelled: nothing is erased
        ask alice>
        user /erase 2
        ask: erase \"new\" (to everybody)? [y/N]
        lost cut
        ! lost: the connection to a:1 is lost: cut
        - retry: trying a:1 in 1 s
        user y
        ! offline: not connected, so nothing is erased
        ask alice (offline)>",
    );
}

#[test]
fn a_script_erases_without_a_question() {
    let mut stage = Stage::script();
    stage.check(
        "user /erase
        > C FORGET
        ask alice>
        server C 200 forgot 150 in *
        # 200 forgot 150 in *
        user /erase 2
        ! usage: not 2 messages of yours are on the screen; /history and /search show older ones
        ! not-done: line 2 was not done: /erase 2
        ask alice>
        user /erase 15000
        > C FORGET 15000
        ask alice>
        server C 550 there is no such message
        # 550 there is no such message
        ! not-done: line 3 was not done: /erase 15000 (there is no such message)
        user /erase all
        > C FORGET all
        ask alice>",
    );
    // It may take the server a while.
    let happened = stage.play("wait 89999");
    assert!(!happened.contains("lost"), "{happened}");
    assert!(stage.play("wait 1").contains("the server does not answer"));
}

#[test]
fn somebody_has_erased_something() {
    let mut stage = kept();
    stage.play("server D RM 150 den bob one\nserver D RM 160 den bob two\nuser mine\nserver C 250 sent to 3 id=170");
    stage.check(
        "server C 109 den 150
        * 109 den 150 bob
        server C 109 den 150
        * 109 den 150
        server C 109 * 170
        * 109 * 170 alice
        server C 109 den all bob
        * 109 den all bob
        server C 109 nonsense
        * 109 nonsense
        user /erase bob
        ! usage: no message of bob is on the screen; /history and /search show older ones
        ask alice>
        user /erase
        ! usage: no message of yours is on the screen; /history and /search show older ones
        ask alice>",
    );
}

#[test]
fn what_somebody_does() {
    Stage::ready().check(
        "user /me waves  at you
        > C PM /me waves  at you
        ask alice>
        server C 250 sent to 3
        = all alice: /me waves  at you (sent to 3)
        user /dm bob /me waves
        > C DM bob /me waves
        ask alice>
        server C 250 sent to bob
        = with bob alice: /me waves (sent to bob)
        user /dm bob
        > C DM bob
        server C 354 your message to bob?
        ask your message to bob?
        user /me waves
        > C DM bob /me waves
        ask alice>
        user /me
        ! usage: usage: /me TEXT
        ask alice>",
    );
}

#[test]
fn without_a_connection() {
    let mut stage = Stage::ready();
    stage.play("lost cut");
    for command in ["/whois bob", "/set name x", "/away x", "/back", "/watch bob", "/ignore bob", "/notify none"] {
        let happened = stage.play(&format!("user {command}"));
        assert!(happened.contains("! offline: not connected; /quit leaves") && !happened.contains("> "), "{happened}");
    }
}

#[test]
fn a_request_whose_answer_is_lost_fails_its_line() {
    let mut stage = Stage::script();
    let happened = stage.play("user /set name x\nlost cut");
    assert!(happened.contains("! not-done: line 1 was not done: /set name x (no answer)"), "{happened}");
}

#[test]
fn answers_that_make_no_sense() {
    let mut stage = kept();
    stage.play("user /whois bob");
    for _ in 0..1_000 {
        stage.play("server C 215-x y\nserver C 999-x\nserver C 215-");
    }
    let happened = stage.play("server C 215 bob");
    assert!(happened.lines().count() < 80 && happened.contains("bob is offline"), "{happened}");
    stage.play("user /watch bob\nserver C 200 what?\nuser /ignore\nserver C 212-x\nserver C 215 x");
    stage.play("user /notify\nserver C 213-what\nserver C 213 x");
    for notice in ["", "bob", "bob tired", "bob online x", "\u{202e} online"] {
        stage.play(&format!("server C 101 {notice}\nserver C 109 {notice}"));
    }
    let happened = stage.play("user hi");
    assert!(happened.contains("> C PM hi"), "{happened}");
}

/// Until a password is changed, the server would take anything else for it.
#[test]
fn a_password_change_is_not_interrupted_by_questions() {
    let mut stage = Stage::new(Settings { resumes: Resumes::Always, ..settings() }, Some("t1"));
    stage.ignores_nobody = false;
    stage.play(LOGIN.rsplit_once("\nserver C 213 x").unwrap().0);
    stage.check(
        "user /passwd
        > C PASSWD
        server C 213 x
        server C 331 your old password?
        want old password 1
        wait 5000
        secret
        - cancelled: your password is unchanged
        > C\u{20}
        > C IGNORE
        > C HISTORY after 100 200",
    );
}
