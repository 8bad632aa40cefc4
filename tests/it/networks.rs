//! The limits of a network, in a network of the test's own: a /48 of IPv6 and a /24 of IPv4 have eight times the limits
//! of an address.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use testkit::netns::among_many_addresses;
use testkit::rooms::{JOIN, MAKE, Way, exchange_on, frames, request};
use testkit::{Builder, Canary, Client, Server};

/// The listeners of these servers, in networks without other hosts.
const DOORS: [&str; 2] = ["line://10.255.255.1:0", "line://[2001:db8:ffff::1]:0"];

/// An address of a /64 of the /48 with this number.
fn v6(site: u16, subnet: u16) -> IpAddr {
    Ipv6Addr::new(0x2001, 0xdb8, site, subnet, 0, 0, 0, 7).into()
}

/// An address of the /24 with this number.
fn v4(network: u8, host: u8) -> IpAddr {
    [10, 1, network, host].into()
}

fn builder() -> Builder {
    Server::builder().no_rates().listen(&DOORS)
}

/// The listener for an address's family.
fn door(server: &Server, from: IpAddr) -> SocketAddr {
    let addrs = server.addrs();
    *addrs.iter().find(|addr| addr.is_ipv4() == from.is_ipv4()).expect("a listener of this family")
}

/// A client from this address, and its first line.
#[track_caller]
fn knock(server: &Server, from: IpAddr) -> (Client, String) {
    let mut client = Client::connect_from(from, door(server, from));
    let first = client.line();
    (client, first)
}

/// The accepted clients among these addresses, in the order in which they connected.
#[track_caller]
fn let_in(server: &Server, from: impl IntoIterator<Item = IpAddr>) -> Vec<Client> {
    let mut inside = Vec::new();
    for from in from {
        let (client, first) = knock(server, from);
        match first.as_str() {
            "C 421 too many from your address" | "C 421 server full" => {}
            greeting if greeting.starts_with("C 220 ") => inside.push(client),
            other => panic!("{from}: {other:?}"),
        }
    }
    inside
}

/// Sixty users, each from a network of their own, of both families: all are accepted, and can go on.
#[track_caller]
fn newcomers_are_served(server: &Server) {
    for number in 0..60_u8 {
        let from = if number.is_multiple_of(2) { v6(0x1000 + u16::from(number), 1) } else { v4(100 + number, 1) };
        let (mut client, first) = knock(server, from);
        assert!(first.starts_with("C 220 "), "newcomer {number} from {from}: {first:?}");
        client.send(&format!("newcomer{number}"));
        client.expect("C 332 ");
    }
}

#[test]
fn a_silent_48_keeps_nobody_else_out() {
    among_many_addresses(|| {
        let server = builder().start();
        let canary = Canary::start(&server);
        // 311 subscribers' networks of one /48, three connections each.
        let silent = let_in(&server, (0..311 * 3).map(|n| v6(1, n % 311)));
        newcomers_are_served(&server);
        assert_eq!(silent.len(), 128);
        let told = server.wait_for_log("was not let in: too many from");
        assert!(told.ends_with(": 2001:db8:1:80::7 was not let in: too many from 2001:db8:1::/48"), "{told}");
        canary.talks();
        canary.finish("933 silent ones of a /48");
    });
}

#[test]
fn a_silent_24_keeps_nobody_else_out() {
    among_many_addresses(|| {
        let server = builder().start();
        let canary = Canary::start(&server);
        let silent = let_in(&server, (0..250 * 3_u32).map(|n| v4(1, (n % 250) as u8)));
        newcomers_are_served(&server);
        assert_eq!(silent.len(), 128);
        canary.talks();
        canary.finish("750 silent ones of a /24");
    });
}

#[test]
fn a_network_has_so_many_new_connections() {
    among_many_addresses(|| {
        let server = builder().set("limits.new_per_address", "4").start();
        // A login costs its network nothing, however often it happens.
        for number in 0..40 {
            let (mut client, first) = knock(&server, v6(1, number % 16));
            assert!(first.starts_with("C 220 "), "login {number}: {first:?}");
            client.login_bare(&format!("visitor{}", number % 4));
            assert_eq!(client.ask("EX"), "C 221 bye");
        }
        let come_and_go = |site| (0..48).map(|n| let_in(&server, [v6(site, n)]).len()).sum::<usize>();
        assert_eq!(come_and_go(1), 32);
        assert_eq!(come_and_go(2), 32);
        newcomers_are_served(&server);
    });
}

#[test]
fn a_network_has_so_many_guests() {
    among_many_addresses(|| {
        let rooms = "rooms://[2001:db8:ffff::1]:0?udp=0";
        let server = builder().listen(&[DOORS[0], rooms]).sockets(3).set("limits.per_address", "2").start();
        let canary = Canary::start(&server);
        let enter = |operation, from: IpAddr, name: &str| {
            let client = Client::connect_from(from, server.door("rooms"));
            let bytes = request(operation, "lobby", name.as_bytes());
            let answer = exchange_on(client.stream(), &bytes, Way::Whole);
            frames(&answer)[0].payload == [0]
        };
        assert!(enter(MAKE, v6(9, 0), "host"));
        // Their TCP connections are over: what counts are guests.
        let entered = (0..24).filter(|n| enter(JOIN, v6(1, *n), &format!("guest{n}"))).count();
        assert_eq!(entered, 16);
        assert!(enter(JOIN, v6(2, 1), "else"));
        canary.talks();
        canary.finish("guests of a /48");
    });
}
