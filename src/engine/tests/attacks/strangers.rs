//! Floods of connections, lines and passwords.

use super::super::wire::Tls;
use super::*;

#[test]
fn silent_connections_are_shed_and_end_in_time() {
    let mut world = world(settings(), 10);
    let pair = (world.person(0), world.person(1));
    for number in 0..2_000 {
        let mut client = stranger(number, Role::Silent);
        client.closes = number % 2 == 0;
        world.add(client, 4_096, 1_000 + number as Millis);
    }
    world.run_for(4_000);
    let (silent, refused) = (world.engine.gate.silent, world.closed("server full"));
    assert!((400..1_024).contains(&silent), "{silent} are silent");
    assert_eq!(silent as usize + refused, 2_000);
    world.check_prompt(pair, 5_000);
    world.run_for(60_000);
    assert_eq!((world.engine.gate.silent, world.engine.conns.len()), (0, 2));
    assert_eq!(world.closed("login took too long"), silent as usize);
    world.finish();
}

#[test]
fn thousands_of_handshakes_at_once_delay_nobody() {
    let mut world = world(settings(), 10);
    let pair = (world.person(0), world.person(1));
    world.run_for(1_000);
    let crowd: Vec<usize> = (0..9_000).map(|number| world.add(local(Role::Silent, number), 4_096, 1_010)).collect();
    for place in &crowd {
        world.wires[*place].tls = Some(Tls::default());
    }
    world.run_for(20);
    assert!(world.engine.counters.tls_full < 4_000, "the crowd is still at it");
    let account = world.clients[pair.1].account;
    let (number, before) = (world.say_at_length(pair.0, Place::Account(account), 20), world.turns);
    while world.ledger.heard(number) == 0 {
        world.run_for(0);
    }
    let turns = world.turns - before; // of a few milliseconds each
    assert!(turns < 8, "{turns} turns");
    world.run_for(5_000);
    assert_eq!(world.engine.counters.tls_full, 9_000);
    world.finish();
}

#[test]
fn a_line_a_byte_a_second_is_closed_in_time() {
    let mut world = world(settings(), 10);
    let pair = (world.person(0), world.person(1));
    for number in 0..300 {
        world.add(local(Role::Dribbler, number), 4_096, 1_000 + 10 * Millis::from(number));
    }
    world.run_for(1_000);
    world.check_prompt(pair, 29_000);
    assert_eq!(world.closed("line never ended"), 0);
    world.run_for(5_000);
    assert_eq!(world.closed("line never ended"), 300);
    world.finish();
}

#[test]
fn thousands_of_pipelined_lines_delay_nobody() {
    let mut world = world(settings(), 10);
    let pair = (world.person(0), world.person(1));
    let pipeliner = world.person(2);
    world.run_for(1_000);
    for _ in 0..2_000 {
        world.order(pipeliner, "NOOP", &["200"], What::Other);
    }
    world.check_prompt(pair, 10_000);
    let taken = 2_000 - world.clients[pipeliner].expected.len();
    assert!((139..=145).contains(&taken), "{taken} lines were taken in ten seconds");
    world.run_for(190_000);
    assert!(world.clients[pipeliner].expected.is_empty(), "{:?}", world.clients[pipeliner].expected.len());
    world.finish();
}

#[test]
fn logging_in_again_does_not_reset_the_rate() {
    let mut world = world(settings(), 10);
    for _ in 0..20 {
        let eve = world.person(0);
        world.run_for(400);
        for _ in 0..40 {
            world.order(eve, "NOOP", &["200"], What::Other);
        }
        world.run_for(400);
        world.clients[eve].going = Going::Reset;
        world.go(eve);
        world.run_for(200);
    }
    let lines = world.engine.counters.lines;
    assert!(lines < 20 + 40 + 20 * 10 + 20, "{lines} lines in 20 s");
    world.finish();
}

#[test]
fn guessing_passwords_keeps_no_neighbour_out() {
    let mut world = world(settings(), 10);
    let at = |role, port| Client::new(SocketAddr::from(([192, 0, 2, 1], port)), role, 3);
    for port in 0..5 {
        world.add(at(Role::Guesser, port), 4_096, 1_000 * Millis::from(port));
    }
    world.run_for(20_000);
    assert_eq!(world.closed("too many failures"), 5);
    // A password is not looked at; a token lets a neighbour in, and somebody from elsewhere comes in with a password.
    let by_password = world.add(at(Role::Talker, 90), 4_096, world.now);
    let mut neighbour = at(Role::Talker, 91);
    neighbour.has_token = true;
    let by_token = world.add(neighbour, 4_096, world.now);
    let elsewhere = world.add(stranger(7, Role::Talker), 4_096, world.now);
    world.run_for(3_000);
    assert_eq!(world.clients[by_password].end, Some(End::Told("too many failures".to_owned())));
    world.check_in(&[by_token, elsewhere]);
    world.finish();
}

#[test]
fn a_new_password_ends_the_other_sessions() {
    let mut world = world(settings(), 10);
    let sessions: Vec<_> = (0..4).map(|_| world.person(3)).collect();
    world.run_for(1_000);
    for (round, session) in [0, 0, 0, 0].into_iter().enumerate() {
        world.clients[sessions[session]].in_dialogue = true;
        world.order(sessions[session], "PASSWD", &["331", "450"], What::Passwd);
        world.run_for(1_000);
        let epoch = world.accounts.borrow().find("u3").map(|account| account.epoch);
        assert_eq!(epoch, Some(2 + round.min(2) as u32), "three times in ten minutes");
    }
    world.check_in(&sessions[..1]);
    assert_eq!(world.closed("password was changed"), 3);
    world.finish();
}

#[test]
fn storms_of_joins_and_resets_leave_nothing() {
    let mut world = world(settings(), 100);
    let pair = (world.person(98), world.person(99));
    let host = world.person(97);
    let others: Vec<_> = (0..60).map(|account| world.person(account)).collect();
    world.run_for(1_000);
    world.order(host, "MAKE r0", &["227"], What::Enter { room: 0, is_wrong: false });
    for round in 0..10 {
        for other in &others {
            world.order(*other, "JOIN r0", &["227"], What::Enter { room: 0, is_wrong: false });
            world.order(*other, "LEAVE r0", &["200"], What::Leave(0));
        }
        for number in 0..50 {
            let mut client = local(Role::Talker, 0);
            client.going = Going::Reset;
            client.operations = (number % 2) as u32;
            client.every_ms = 1;
            let i = world.add(client, 1_024, world.now + number);
            world.reset_at(i, world.now + 1 + number + round * 7);
        }
        world.check_prompt(pair, 1_000);
    }
    world.finish();
}

#[test]
fn a_whole_session_in_one_piece_or_byte_by_byte_gets_its_answers_in_order() {
    for step_ms in [0, 1, 37] {
        let mut world = world(settings(), 10);
        let i = world.add(local(Role::Silent, 0), 256, 0);
        world.clients[i].is_typed = false;
        world.act(i);
        let lines: [(&str, &'static [&'static str], What); 7] = [
            ("u0", &["331"], What::Other),
            ("password", &["230"], What::Token),
            ("NOOP", &["200"], What::Other),
            ("MAKE r0", &["227"], What::Enter { room: 0, is_wrong: false }),
            ("NONSENSE", &["502"], What::Other),
            ("HELP", &["214"], What::Other),
            ("EX", &["221"], What::Bye),
        ];
        let all: String = lines.iter().map(|(line, _, _)| format!("{line}\n")).collect();
        let pieces: Vec<&[u8]> = if step_ms == 0 { vec![all.as_bytes()] } else { all.as_bytes().chunks(1).collect() };
        for (n, piece) in pieces.into_iter().enumerate() {
            world.clients[i].outbound.push_back((n as Millis * step_ms, piece.to_vec()));
            world.plan(i, n as Millis * step_ms);
        }
        let expected = lines.into_iter().map(|(_, codes, what)| Expect { codes, what, sent_at: 0, bytes: 0 });
        world.clients[i].expected.extend(expected);
        world.run_for(10_000);
        assert_eq!(world.clients[i].end, Some(End::Left));
        world.finish();
    }
}
