//! Commands whose cost grows with the server are charged accordingly: they delay nobody else.

use rustix::process::Signal;
use testkit::{Canary, Client, Server};

/// The number of users online, each in one room with all others, and host of some more rooms.
const PEOPLE: usize = 100;
const ROOMS_EACH: usize = 8;

/// A server with much to list.
struct Full {
    server: Server,
    people: Vec<Client>,
}

impl Full {
    #[track_caller]
    fn start() -> Self {
        let server = Server::builder().no_rates().set("history.file", "''").start();
        let mut people: Vec<Client> = (0..PEOPLE).map(|n| server.bare(&format!("person{n}"))).collect();
        for (n, person) in people.iter_mut().enumerate() {
            person.ask(if n == 0 { "MAKE everybody" } else { "JOIN everybody" });
            for room in 0..ROOMS_EACH {
                assert!(person.ask(&format!("MAKE \u{df}room{n}-{room}")).starts_with("C 227 "));
            }
        }
        Self { server, people }
    }

    /// One client sends `dear` twenty times and then a message, all in one write; another sends a message a moment
    /// later. The first client's message comes last.
    #[track_caller]
    fn check(&self, dear: &str) {
        let [mut greedy, mut modest, mut hearer] = ["greedy", "modest", "hearer"].map(|name| self.server.bare(name));
        // Both are there when the server reads, in this order.
        self.server.signal(Signal::STOP);
        greedy.send(&format!("{}DM hearer greedy", format!("{dear}\n").repeat(20)));
        modest.send("DM hearer modest");
        self.server.signal(Signal::CONT);
        hearer.expect_exact("D DM modest modest");
        hearer.expect_exact("D DM greedy greedy");
        for client in [&mut greedy, &mut modest, &mut hearer] {
            client.op("EX");
        }
    }
}

#[test]
fn long_lists_delay_nobody_else() {
    let full = Full::start();
    let canary = Canary::start(&full.server);
    for dear in ["ROOMS", "ROOMS \u{df}", "ROOMS \u{df}ROOM", "WHO", "WHO p", "NAMES everybody", "NAMES everybody p"] {
        full.check(dear);
    }
    canary.talks();
    canary.finish("long lists");
    drop(full.people);
}
