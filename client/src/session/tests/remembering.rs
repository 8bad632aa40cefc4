//! The rooms of the last run.

use super::*;

fn returning(rooms: &[&str], here: Option<&str>) -> Stage {
    let mut stage = Stage::new(settings(), Some("t1"));
    let rooms = rooms.iter().map(|room| (*room).to_owned()).collect();
    stage.session =
        Session::new(settings(), vec![Some(secret("t1"))]).with_places(Places { rooms, here: here.map(str::to_owned) });
    stage
}

#[test]
fn the_rooms_are_entered_again_with_the_same_place() {
    returning(&["den", "lobby", "gone", "locked", "full"], Some("lobby")).check(
        "- connecting: connecting to a:1
        connect 0
        connected
        server C 220 hi
        > C alice t1
        server C 230 welcome
        - connected: welcome
        - help: PM to everybody, DM to one, EX to leave; /help lists more
        > C TOKEN
        > C JOIN den
        > C JOIN lobby
        > C JOIN gone
        > C JOIN locked
        > C JOIN full
        > C WHO
        server C 231 t2 expires=86400
        keep t2
        server C 227 den host=bob
        - entered: you are in den
        server C 227 Lobby host=bob
        - place: you talk in Lobby now
        server C 550 no such room
        - left-room: gone is gone
        server C 554 the room needs a password: JOIN room password
        - left-room: locked has a password: /join locked PASSWORD
        server C 554 full is full
        - left-room: you are not in full: full is full
        places Lobby den,Lobby,locked,full
        ask alice in Lobby>
        server C 211 0 online
        user /leave locked
        > C LEAVE locked
        server C 550 you are not in locked
        # 550 you are not in locked
        places Lobby den,Lobby,full
        ask alice in Lobby>
        user /leave
        > C LEAVE Lobby
        server C 200 done
        # 200 you have left Lobby
        - place: you talk to everybody now
        places * den,full
        ask alice>",
    );
}

#[test]
fn a_break_before_the_answers_loses_no_room() {
    let mut stage = returning(&["den"], Some("den"));
    let first = stage.play("connected\nserver C 220 hi\nserver C 230 welcome\nlost gone");
    assert!(!first.contains("\nplaces"), "{first}");
    let second = stage.play(
        "wait 5000\nconnected\nserver C 220 hi\nserver C 230 welcome\nserver C 231 t2 expires=9\nserver C 227 den",
    );
    assert_eq!(second.matches("> C JOIN den").count(), 1, "{second}");
    assert!(
        second.contains("place: you talk in den now") && !second.contains("\nplaces"),
        "nothing has changed: {second}"
    );
}

#[test]
fn scripts_remember_nothing() {
    let script = Settings { people: false, ..settings() };
    let mut stage = Stage::script();
    let places = Places { rooms: vec!["den".to_owned()], here: None };
    stage.session = Session::new(script, vec![Some(secret("t1"))]).with_places(places);
    stage.enter();
    let happened = stage.play("user /join lobby\nserver C 227 lobby");
    assert!(!happened.contains("JOIN den") && !happened.contains("\nplaces"), "{happened}");
}

#[test]
fn what_was_left_last_is_not_remembered() {
    let mut stage = returning(&["den"], Some("den"));
    stage.play("connected\nserver C 220 hi\nserver C 230 welcome\nserver C 231 t2 expires=9\nserver C 227 den\nserver C 211 0 online");
    let happened = stage.play("user /leave\nuser /quit\nserver C 200 done");
    assert!(happened.ends_with("places *\n> C EX\n"), "{happened}");
}
