//! What is read, what is new, and what is asked for of the past.

use super::*;

fn ready() -> Stage {
    let mut stage = Stage::new(Settings { resumes: Resumes::Always, ..settings() }, Some("t1"));
    stage.session = stage.session.with_seen(vec![Some(100)]);
    stage.play("connected\nserver C 220 hi\nserver C 230 welcome\nserver C 200 ids\nserver C 231 t2 expires=86400\nserver C 211 0 online");
    stage.play("server C 213-* 0 0 read=100 last=100\nserver C 213-den 0 0 read=100 last=90\nserver C 213 x");
    stage.play("server C 227 den token=A kept=30\nserver C 212 0 end");
    stage
}

#[test]
fn counts_in_the_prompt_until_something_is_typed() {
    ready().check(
        "server D RM 150 den bob one
        = room den 150 bob: one
        prompt alice [den 1]>
        seen 150
        server D PM 151 bob here
        = all 151 bob: here
        server D DM 152 bob psst
        = with bob 152 bob: psst !
        prompt alice [@bob 1, den 1]>
        user
        > C READ 152
        ask alice>
        server C 200 done
        server D RM 153 den bob two
        = room den 153 bob: two
        prompt alice [den 1]>
        user hi
        > C PM hi
        ask alice>
        server D RM 154 den bob three
        = room den 154 bob: three
        prompt alice [den 1]>
        wait 999
        wait 1
        > C READ 153
        seen 153",
    );
}

#[test]
fn another_client_reads() {
    let mut stage = ready();
    stage.play("server D RM 150 den bob one\nserver D RM 151 den bob two\nserver D DM 152 bob psst");
    stage.check(
        "server C 108 den 150
        prompt alice [@bob 1, den 1]>
        server C 108 @Bob 152
        prompt alice [den 1]>
        server C 108 - 152
        prompt alice>
        server C 108 nonsense
        server C 108 - x
        user
        ask alice>",
    );
}

#[test]
fn what_is_off_the_record_is_not_told() {
    let mut stage = ready();
    stage.play("user /join off\nserver C 227 off token=A\nuser /pm");
    let happened = stage.play("server D RM 150 off bob one\nuser");
    assert!(happened.contains("prompt alice [off 1]>") && !happened.contains("READ"), "{happened}");
    // It is kept from now on.
    stage.play("server C 112 off kept 30\nserver D RM 160 off bob two\nwait 1000");
    assert!(stage.play("user").contains("> C READ 160\n"));
    stage.play("server C 200 done\nserver C 112 off not kept\nserver D RM 170 off bob three\nwait 1000");
    assert!(!stage.play("user").contains("> C READ"));
}

#[test]
fn a_refused_report_is_made_later() {
    let mut stage = ready();
    stage.play("server D DM 150 bob hi\nuser\nserver C 450 not now");
    let happened = stage.play("wait 29999\nwait 1");
    assert!(happened.ends_with("wait 1\n> C READ 150\n"), "{happened}");
}

#[test]
fn to_the_next_place() {
    let mut stage = ready();
    stage.play("user /join hall\nserver C 227 hall token=A\nuser /pm");
    stage.play("server D RM 150 hall bob one\nserver D RM 151 den bob two\nserver D DM 152 bob psst");
    stage.check(
        "user /next
        > C READ 152
        ask your message to bob?
        user hi there
        > C DM bob hi there
        ask alice>
        user /next
        - place: you talk in hall now
        ask alice in hall>
        user /next
        - place: you talk in den now
        ask alice in den>
        user /next
        - next: nothing is new elsewhere
        ask alice in den>",
    );
}

#[test]
fn pages_that_are_asked_for() {
    ready().check(
        "user /history
        > C HISTORY
        ask alice>
        server C 212-50 * bob - old
        = past all 50 bob: old
        server C 212-60 lobby server g 2 days are not kept any more
        ... room lobby 60 2 days are not kept any more
        server C 212-70 @bob alice - mine
        = past with bob 70 alice: mine
        server C 212 3 next=50
        # 212 3 messages; for more: /history before 50
        user /history @bob after 3d 20
        > C HISTORY @bob after 3d 20
        ask alice>
        server C 212 20 next=90
        # 212 20 messages; for more: /history @bob after 90 20
        user /history #5 20
        > C HISTORY #5 20
        ask alice>
        server C 212 20 next=90
        # 212 20 messages; for more: /history #5 before 90 20
        user /history nosuch
        > C HISTORY nosuch
        ask alice>
        server C 550 no such place
        # 550 no such place
        user /history lobby den
        ! usage: usage: /history [PLACE] [before WHEN|after WHEN] [N]
        ask alice>
        user /missed
        > C MISSED
        ask alice>
        server C 212-80 den eve m alice!
        = past room den 80 eve: alice! !
        server C 212 1 next=80
        # 212 1 message; /missed shows more
        user /search wor* in:den before:3d
        > C SEARCH wor* in:den before:3d
        ask alice>
        server C 212 50 next=44
        # 212 50 messages; for more: /search wor* in:den before:44
        user /search x
        > C SEARCH x
        ask alice>
        server C 212 0 end
        # 212 there are no such messages
        user /unread
        > C UNREAD
        ask alice>
        server C 213-den 1000 3 read=1 last=2 notify=all
        #- 213 den: 1,000 or more new, 3 for you
        server C 213-* 5 0 read=1 last=2 notify=all
        #- 213 to everybody: 5 new
        server C 213-@bob 0 0 read=1 last=2 notify=all
        #- 213 @bob: nothing new
        server C 213 kept for 30 days; MISSED shows them
        # 213 kept for 30 days; /missed shows them",
    );
}

#[test]
fn in_a_room_its_own_page() {
    let mut stage = ready();
    stage.play("user /join den");
    stage.check(
        "user /history 5
        > C HISTORY den 5
        ask alice in den>
        server C 212 5 end
        # 212 5 messages; that is all
        user /history * 5
        > C HISTORY * 5
        ask alice in den>",
    );
}

#[test]
fn a_script_gets_the_replies_as_they_are() {
    let mut stage = Stage::script();
    stage.check(
        "user /history 2
        > C HISTORY 2
        ask alice>
        server C 212-50 * bob - old
        = past all 50 bob: old
        server C 212 1 next=50
        # 212 1 next=50
        user /unread
        > C UNREAD
        ask alice>
        server C 213-den 1 0 read=1 last=2 notify=all
        #- 213 den 1 0 read=1 last=2 notify=all
        server C 213 x
        # 213 x
        user /search x
        > C SEARCH x
        ask alice>
        server C 554 search is off
        # 554 search is off
        ! not-done: line 3 was not done: /search x (search is off)",
    );
}

#[test]
fn rooms_that_are_kept() {
    let mut stage = ready();
    stage.check(
        "user /topic den what it is about
        > C TOPIC den what it is about
        ask alice>
        server C 200 done
        # 200 the topic of den is set
        server C 105 den by alice: what it is about
        * 105 den by alice: what it is about
        user /topic #other
        > C TOPIC other
        ask alice>
        server C 200 other by bob: tea
        # 200 other by bob: tea
        user /topic
        ! usage: you talk to everybody; say which room (you are in den)
        ask alice>
        user /join den
        - place: you talk in den now
        ask alice in den>
        user /topic den is open
        > C TOPIC den is open
        ask alice in den>
        server C 200 done
        # 200 the topic of den is set
        user /topic we are open
        > C TOPIC den we are open
        ask alice in den>
        server C 200 done
        # 200 the topic of den is set
        user /topic -
        > C TOPIC den -
        ask alice in den>
        server C 200 done
        # 200 den has no topic any more
        user /lock two words
        > C LOCK den two words
        ask alice in den>
        server C 200 done
        # 200 the password of den is set
        user /lock -
        > C LOCK den -
        ask alice in den>
        server C 554 you are not its host
        # 554 you are not its host
        user /lock den
        ! usage: say a password for den, or - for none
        ask alice in den>
        user /keep 7
        > C KEEP den 7
        ask alice in den>
        server C 200 done
        # 200 den is kept, and what is said there for 7 days
        server C 112 den kept 7
        * 112 den kept 7
        user /keep off
        > C KEEP den off
        ask alice in den>
        server C 200 done
        # 200 den is not kept any more
        user /keep #off to bob
        > C KEEP #off TO bob
        ask alice in den>
        server C 450 not now
        # 450 not now",
    );
}
