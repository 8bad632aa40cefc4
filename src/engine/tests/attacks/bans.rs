//! Bans: who is put out, who is kept out, and until when.

use std::sync::Arc;

use super::*;
use crate::auth::bans::{Ban, Bans, What, reason};
use crate::auth::{Outcome, Verdict};
use crate::close::{CloseReason, Note};
use crate::engine::ConnId;
use crate::hub::names::UserName;

/// Unix time at the start of a world, in seconds.
const START_S: u64 = 1_700_000_000;

fn bans(list: &[(&str, Option<u64>, &str)]) -> Arc<Bans> {
    let mut bans = Bans::default();
    for (what, until, why) in list {
        let (what, reason) = (What::parse(what).unwrap(), reason(why.as_bytes()).unwrap());
        bans.add(Ban { what, until: *until, reason }).unwrap();
    }
    Arc::new(bans)
}

/// A client at this address who logs in by token.
fn comer(ip: [u8; 4], port: u16, account: u16) -> Client {
    let mut client = Client::new(SocketAddr::from((ip, port)), Role::Talker, account);
    client.has_token = true;
    client
}

#[test]
fn those_who_are_in_are_put_out_and_others_are_not() {
    let mut world = world(settings(), 10);
    let pair = (world.person(0), world.person(1));
    let by_name = world.add(comer([198, 51, 100, 1], 1, 2), 64 * 1024, 0);
    let by_address = world.add(comer([203, 0, 113, 7], 1, 3), 64 * 1024, 0);
    let by_net = world.add(comer([192, 0, 2, 9], 1, 4), 64 * 1024, 0);
    let silent = world.add(Client::new(SocketAddr::from(([203, 0, 113, 7], 2)), Role::Silent, 0), 4_096, 0);
    world.run_for(2_000);
    world.check_in(&[pair.0, pair.1, by_name, by_address, by_net]);
    let list = [("U2", None, "a name"), ("203.0.113.7", None, "an address"), ("192.0.2.0/24", None, "")];
    world.engine.handle_bans(bans(&list));
    world.run_for(100);
    for (client, told) in [
        (by_name, "banned: a name"),
        (by_address, "banned: an address"),
        (silent, "banned: an address"),
        (by_net, "banned"),
    ] {
        assert_eq!(world.clients[client].end, Some(End::Told(told.to_owned())));
    }
    world.check_prompt(pair, 2_000);
    // They are refused, with a token too; and so is a stranger in the network.
    let again = [
        (world.add(comer([198, 51, 100, 1], 3, 2), 4_096, world.now), "banned: a name"),
        (world.add(comer([203, 0, 113, 7], 3, 3), 4_096, world.now), "banned: an address"),
        (world.add(comer([192, 0, 2, 200], 3, 5), 4_096, world.now), "banned"),
    ];
    world.run_for(1_000);
    for (client, told) in again {
        assert_eq!(world.clients[client].end, Some(End::Told(told.to_owned())));
    }
    let elsewhere = world.add(comer([198, 51, 100, 2], 3, 3), 4_096, world.now);
    world.run_for(1_000);
    world.check_in(&[elsewhere]);
    world.finish();
}

#[test]
fn a_ban_holds_until_its_second() {
    let mut world = world(settings(), 10);
    world.engine.handle_bans(bans(&[("u2", Some(START_S + 10), "x"), ("203.0.113.7", Some(START_S + 20), "y")]));
    let mut come = |at: Millis, ip: [u8; 4], account: u16| {
        world.run(at);
        let client = world.add(comer(ip, 1 + account + at as u16 % 1000, account), 4_096, world.now);
        world.run_for(900);
        world.clients[client].end.clone()
    };
    let told = |why: &str| Some(End::Told(format!("banned: {why}")));
    assert_eq!(come(1_000, [198, 51, 100, 1], 2), told("x"));
    assert_eq!(come(9_050, [198, 51, 100, 1], 2), told("x"));
    assert_eq!(come(10_000, [198, 51, 100, 1], 2), None);
    assert_eq!(come(19_050, [203, 0, 113, 7], 3), told("y"));
    assert_eq!(come(20_000, [203, 0, 113, 7], 3), None);
    world.finish();
}

#[test]
fn guests_leave_and_their_datagrams_are_dropped() {
    let mut world = world(settings(), 10);
    let banned = std::net::IpAddr::from([203, 0, 113, 7]);
    for n in 0..20 {
        // The host of the room comes first. It is elsewhere: its room would end with it.
        let ip = [203, 0, 113, if n < 5 { 8 + n } else { 7 }];
        let mut guest = Client::new(SocketAddr::from((ip, 2_000 + u16::from(n))), Role::Guest, 0);
        guest.operations = 1_000;
        world.add(guest, 4_096, 10 * Millis::from(n));
    }
    world.run_for(1_000);
    let of = |world: &World| (world.engine.datagrams.peers.guests(), world.engine.datagrams.peers.guests_of(banned));
    let (all, from_there) = of(&world);
    assert!(from_there > 5 && all > from_there as usize, "{from_there} of {all}");
    // A turn that has done its work leaves them for the next one. They are not heard any more.
    world.engine.turn.work = limits::TURN_WORK_ENDS;
    world.engine.handle_bans(bans(&[("203.0.113.7", None, "x")]));
    assert!(world.engine.bans.is_busy() && world.engine.is_busy());
    let guest = world.clients.iter().find(|client| client.addr.ip() == banned && client.token.is_some()).unwrap();
    let (addr, token) = (guest.addr, guest.token.clone().unwrap());
    let datagram = [&[0, token.len() as u8], token.as_bytes(), b"still here"].concat();
    let before = world.engine.counters.datagrams_invalid;
    world.engine.handle_datagram(0, addr, &datagram);
    assert_eq!(world.engine.counters.datagrams_invalid, before + 1);
    world.run_for(100);
    assert!(!world.engine.bans.is_busy());
    assert_eq!(of(&world).1, 0);
    let refused = world.add(Client::new(SocketAddr::from(([203, 0, 113, 7], 9)), Role::Guest, 0), 4_096, world.now);
    world.run_for(500);
    assert_eq!((of(&world).1, world.clients[refused].token.clone()), (0, None));
}

#[test]
fn guests_that_are_put_out_leave_over_several_turns_whatever_is_banned_meanwhile() {
    let mut world = world(settings(), 10);
    for n in 0..20 {
        let mut guest = Client::new(SocketAddr::from(([203, 0, 113, n], 2_000)), Role::Guest, 0);
        guest.operations = 1_000;
        world.add(guest, 4_096, 10 * Millis::from(n));
    }
    world.run_for(1_000);
    let guests: Vec<_> = world.engine.datagrams.peers.guest_addresses().map(|(guest, _)| guest).collect();
    assert!(guests.len() > 5, "{guests:?}");
    world.engine.turn.work = limits::TURN_WORK_ENDS;
    let why = CloseReason::PutOut(Note::new("out"));
    world.engine.put_out_guests(guests.into_iter().map(|guest| (guest, why.clone())));
    assert!(world.engine.bans.is_busy());
    world.engine.handle_bans(bans(&[("192.0.2.1", None, "x")]));
    world.engine.handle_bans(bans(&[]));
    world.run_for(100);
    assert!(!world.engine.bans.is_busy());
    assert_eq!(world.engine.datagrams.peers.guests(), 0);
}

#[test]
fn a_ban_of_thousands_is_spread_over_turns() {
    let mut world = world(settings(), 10);
    let pair = (world.person(0), world.person(1));
    for number in 0..2_000_u32 {
        let ip = [10, (number >> 8) as u8, number as u8, 1];
        world.add(comer(ip, 1, 2 + (number % 8) as u16), 4_096, Millis::from(number) / 2);
    }
    world.run_for(20_000);
    assert!(world.engine.hub.everyone().len() > 1_900, "{}", world.engine.hub.everyone().len());
    world.engine.handle_bans(bans(&[("10.0.0.0/8", None, "all of you")]));
    world.check_prompt(pair, 3_000);
    assert_eq!(world.engine.hub.everyone().len(), 2);
    assert!(world.closed("banned: all of you") > 1_900);
    world.finish();
}

#[test]
fn ten_thousand_bans_are_looked_up_for_each_comer() {
    let mut world = world(settings(), 10);
    let mut list = Bans::default();
    for n in 0..10_000_u32 {
        let what = format!("{}.{}.{}.0/{}", 100 + (n >> 14), (n >> 6) & 255, (n & 63) << 2, 22 + n % 3);
        list.add(Ban { what: What::parse(&what).unwrap(), until: None, reason: reason(b"x").unwrap() }).unwrap();
    }
    world.engine.handle_bans(Arc::new(list));
    let inside: Vec<_> = (0..8).map(|n| world.add(comer([203, 0, 113, n], 1, u16::from(n)), 4_096, 0)).collect();
    let banned: Vec<_> = (0..100).map(|n| world.add(comer([100, n, 8, 1], 1, 9), 4_096, 100)).collect();
    world.run_for(2_000);
    world.check_in(&inside);
    for client in banned {
        assert_eq!(world.clients[client].end, Some(End::Told("banned: x".to_owned())));
    }
    world.finish();
}

#[test]
fn deeds_take_effect_though_their_operator_has_gone() {
    let mut world = world(settings(), 10);
    let others = [world.person(0), world.person(1)];
    let _ended: Vec<_> = [3, 3, 4, 5].into_iter().map(|account| world.person(account)).collect();
    world.run_for(1_000);
    let name = |text: &str| UserName::parse(text).unwrap();
    let banned = bans(&[("u5", None, "x")]);
    let ban = banned.iter().next().unwrap();
    for outcome in [
        Outcome::PasswordSet { name: name("U3"), epoch: 2 },
        Outcome::Deleted { name: name("U4"), since: 1 },
        Outcome::Banned { ban, bans: Arc::clone(&banned) },
        Outcome::NoSuchBan,
    ] {
        world.engine.handle_verdict(ConnId { slot: 9_999, generation: 0 }, Verdict::Done(outcome));
    }
    world.run_for(100);
    assert_eq!(world.closed("password was changed"), 2);
    assert_eq!(world.closed("put out by the operator: account deleted"), 1);
    assert_eq!(world.closed("banned: x"), 1);
    world.check_in(&others);
    world.finish();
}
