//! What many clients of IRC share is what each of them would get alone.

use proptest::prelude::*;

use super::irc_people::{SPELLED, room, who};
use super::monitor::Bench;
use crate::door::irc::Bits;
use crate::hub::command::Command;
use crate::hub::event::Manner;
use crate::hub::names::GuestName;
use crate::hub::profile::ProfileKey;
use crate::limits::Limits;

/// What a client may want besides.
const BESIDES: &str = "away-notify setname invite-notify account-notify";

/// What somebody does: who, what, and the words.
type Act = (usize, u8, String);

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let words = prop_oneof!["[a-z]{1,9}", "[ a-z\u{e9}]{0,900}[a-z]", Just("/me waves".to_owned())];
    prop::collection::vec((0..3_usize, 0..12_u8, words), 1..16)
}

/// The actors: a host who stays, somebody, and a guest.
struct Cast {
    bench: Bench,
    actors: [usize; 3],
    /// How often the guest has another name.
    renamed: usize,
}

impl Cast {
    /// The actors, and a hearer of each of these sets of capabilities.
    fn new(sets: &[usize]) -> (Self, Vec<usize>) {
        let mut bench = Bench::new(Limits::default());
        bench.engine.hub.tell_neighbours(true);
        let actors = ["ann", "ben", "~gus"].map(|name| bench.irc(name, ""));
        for actor in actors {
            bench.enter(actor, "Tea");
        }
        let hearers = sets.iter().map(|set| {
            let caps: Vec<&str> = (0..4).filter(|bit| set & 1 << bit != 0).map(|bit| SPELLED[bit]).collect();
            bench.irc(&format!("hearer{set}"), format!("{BESIDES} {}", caps.join(" ")).trim_end())
        });
        let hearers: Vec<usize> = hearers.collect();
        for hearer in &hearers {
            bench.enter(*hearer, "tea");
        }
        for hearer in &hearers {
            bench.take(*hearer);
        }
        (Self { bench, actors, renamed: 0 }, hearers)
    }

    fn act(&mut self, (actor, what, words): &Act) {
        let (place, is_host) = (self.actors[*actor], *actor == 0);
        let short: String = words.chars().take(60).collect::<String>().trim().to_owned();
        let short = || short.clone().into();
        let command = match what {
            0..=2 => return self.bench.say_in(place, "tea", words),
            3 | 4 => return self.bench.say(place, words),
            5 if !is_host => Command::LeaveRoom { room: room("tea"), text: Some(short()) },
            6 if !is_host => return self.bench.enter(place, "tea"),
            7 => Command::Away { text: Some(short()) },
            8 => Command::Away { text: None },
            9 if *actor == 2 => Command::Set { key: ProfileKey::Name, value: Some(short()) },
            9 => Command::Topic { room: room("tea"), text: Some(short()) },
            10 if *actor == 2 => {
                self.renamed += 1;
                Command::Rename { guest: GuestName::parse(&format!("gus{}", self.renamed)).unwrap() }
            }
            10 if is_host => Command::Kick { room: room("tea"), name: who("ben"), text: Some(short()) },
            10 => Command::Invite { room: room("tea"), name: who("ann") },
            11 if is_host => Command::HandOn { room: room("tea"), name: who("ann") },
            _ => Command::SayIn { room: room("tea"), text: short(), manner: Manner::Notice },
        };
        self.bench.command(place, command);
    }
}

/// What hearers of these sets hear.
fn heard(sets: &[usize], acts: &[Act]) -> Vec<String> {
    let (mut cast, hearers) = Cast::new(sets);
    for act in acts {
        cast.act(act);
    }
    hearers.into_iter().map(|hearer| cast.bench.heard_by(hearer)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn together_as_alone(acts in acts()) {
        let sets: Vec<usize> = (0..Bits::COUNT).collect();
        let together = heard(&sets, &acts);
        for (set, heard_by_many) in together.iter().enumerate() {
            let alone = heard(&[set], &acts);
            prop_assert_eq!(heard_by_many, &alone[0], "set {}", set);
        }
        // The words are the same for all; tags and the ends of JOIN are not.
        let bare = |heard: &str| -> Vec<String> {
            let lines = heard.lines().map(|line| line.strip_prefix('@').map_or(line, |tagged| tagged.split_once(' ').unwrap().1));
            lines.map(|line| line.split(" JOIN #").next().unwrap().to_owned()).collect()
        };
        prop_assert!(together.iter().all(|heard| bare(heard) == bare(&together[0])));
    }
}
