//! Random places, messages, holes and marks; every answer is compared with the model's.
//!
//! A failing run prints its seed. `CHATD_SEED=seed cargo test history::store::read` runs that seed alone.

use std::collections::BTreeMap;

use super::*;

use crate::history::Level;
use crate::history::store::fixture::{FIRST, Random, Said};
use crate::limits::COUNT_MOST;

const SEEDS: u64 = 8;
const ACCOUNTS: [&str; 5] = ["alice", "Bob", "carol", "d.e_", "zoe"];
const ROOMS: [&str; 3] = ["tea", "Den", "上海"];
const TEXTS: [&str; 7] =
    ["hello", "hi BOB.", "alice?", "d.e_: see", "👋", "", "carol and Zoe, long: xxxxxxxxxxxxxxxxxxxxxxx"];

#[test]
fn the_store_and_its_model_answer_the_same() {
    let seeds = match std::env::var("CHATD_SEED") {
        Ok(seed) => vec![seed.parse().expect("CHATD_SEED is a number")],
        Err(_) => (1..=SEEDS).collect(),
    };
    for seed in seeds {
        println!("CHATD_SEED={seed}");
        Simulation { random: Random(seed * 0x9e37_79b9), world: World::new() }.run();
    }
}

struct Simulation {
    random: Random,
    world: World,
}

impl Simulation {
    fn run(&mut self) {
        for name in ACCOUNTS {
            self.world.register(&account(name));
        }
        for (id, name) in ROOMS.into_iter().enumerate() {
            self.world.keep(KeptId(id as u32), name);
        }
        for step in 0..400 {
            match self.random.below(20) {
                0 => self.hole(),
                1 => self.mark(),
                2 if !self.world.said.is_empty() => {
                    let id = self.random.one(&self.world.said).id;
                    self.world.delete(id);
                }
                _ => self.say(),
            }
            if step == 300 {
                self.world.delete_account(&account("zoe"));
            }
            if step % 10 == 9 {
                self.compare();
            }
        }
        self.walk();
    }

    fn mine(&mut self) -> Mine {
        let who = account(self.random.one(&ACCOUNTS[..4]));
        let rooms = (0..3).filter(|_| !self.random.one_in(3)).map(KeptId).collect();
        Mine { who, rooms }
    }

    fn spot(&mut self) -> Spot {
        match self.random.below(4) {
            0 => Spot::Everybody,
            1 => direct(self.random.one(&ACCOUNTS)),
            _ => Spot::Room(KeptId(self.random.below(3) as u32)),
        }
    }

    fn say(&mut self) {
        let (spot, text) = (self.spot(), self.random.one(&TEXTS));
        let mut from = who(self.random.one(&ACCOUNTS));
        if matches!(spot, Spot::Room(_)) && self.random.one_in(4) {
            from = guest("Gast");
        }
        if !matches!(&spot, Spot::Direct(to) if Who::Account(to.name.clone()) == from) {
            self.world.say(spot, from, text);
        }
    }

    fn hole(&mut self) {
        let (spot, with) = (self.spot(), account(self.random.one(&ACCOUNTS)));
        let with = Some(with).filter(|with| matches!(&spot, Spot::Direct(to) if to != with));
        if with.is_some() || !matches!(spot, Spot::Direct(_)) {
            let count = [None, Some(2), Some(12)][self.random.below(3)];
            self.world.hole(spot, with.as_ref(), count, "disk full");
        }
    }

    fn id(&mut self) -> u64 {
        let span = self.world.next_id() - FIRST + 2;
        FIRST - 1 + self.random.below(span as usize) as u64
    }

    fn mark(&mut self) {
        let (mine, id) = (self.mine(), self.id());
        let spot = (!self.random.one_in(4)).then(|| self.spot());
        let of = spot.clone().map_or(Of::All, Of::One);
        // A place in which nothing was ever said cannot be read.
        let is_known = match &spot {
            Some(Spot::Direct(other)) => self.world.is_pair(&mine.who, other),
            Some(Spot::Everybody | Spot::Room(_)) | None => true,
        };
        if is_known {
            let rises = self.world.mark(&mine.who, spot, id);
            assert_eq!(mark(&self.world.connection, &Mark { who: mine.who, of, id }).unwrap(), rises);
        }
    }

    /// Compares a few random answers.
    fn compare(&mut self) {
        for _ in 0..8 {
            let (mine, all) = (self.mine(), self.random.one_in(2));
            let spot = self.spot();
            let of = match &spot {
                Spot::Room(id) if !mine.rooms.contains(id) => Of::All,
                Spot::Everybody | Spot::Room(_) | Spot::Direct(_) if all => Of::All,
                Spot::Everybody | Spot::Room(_) | Spot::Direct(_) => Of::One(spot),
            };
            let end = if self.random.one_in(2) { End::Newest } else { End::Oldest };
            let above = self.random.one_in(2).then(|| self.id());
            let below = self.random.one_in(2).then(|| self.id());
            let most = 1 + self.random.below(30) as u32;
            let most_bytes = if self.random.one_in(3) { 300 + self.random.below(5_000) } else { 0 };
            let is_unread = self.random.one_in(3);
            let asked = Page { mine, of, above, below, end, most, most_bytes, is_unread };
            let paged = page(&self.world.connection, &asked).unwrap();
            assert_eq!(paged, model_of_page(&self.world, &asked), "{asked:?}");
        }
        let mine = self.mine();
        let most = 1 + self.random.below(9) as u32;
        let counted = counts(&self.world.connection, &Counts { mine: mine.clone(), most }).unwrap();
        let mut expected = model_of_counts(&self.world, &mine);
        expected.truncate(most as usize);
        assert_eq!(counted, expected);
        assert_eq!(missed(&self.world.connection, &mine).unwrap(), model_of_missed(&self.world, &mine));
    }

    /// Pages one after the other, in both directions, have everything once.
    fn walk(&mut self) {
        for end in [End::Newest, End::Oldest] {
            let mine = self.mine();
            let (most, whole) = (1 + self.random.below(40) as u32, self.world.readable(&mine, &Of::All));
            let whole: Vec<Line> = whole.iter().map(|(spot, said)| self.world.line(&mine, spot, said)).collect();
            let mut asked = Page { end, most, most_bytes: 3_000, ..newest(&mine) };
            let mut pages = Vec::new();
            loop {
                let paged = page(&self.world.connection, &asked).unwrap();
                pages.push(paged.lines);
                match end {
                    _ if paged.next.is_none() => break,
                    End::Newest => asked.below = paged.next,
                    End::Oldest => asked.above = paged.next,
                }
            }
            if end == End::Newest {
                pages.reverse();
            }
            assert_eq!(pages.concat(), whole);
        }
    }
}

fn is_unread(world: &World, mine: &Mine, spot: &Spot, said: &Said) -> bool {
    said.id > world.read(&mine.who, Some(spot)) && !world.is_own(mine, said)
}

/// Whether a page of what is unread shows it: with a bound above, the account's floor is none.
fn is_shown(world: &World, page: &Page, spot: &Spot, said: &Said) -> bool {
    let who = &page.mine.who;
    let is_by_floor = page.above.is_some() && world.read(who, Some(spot)) <= world.read(who, None);
    is_by_floor && !world.is_own(&page.mine, said) || is_unread(world, &page.mine, spot, said)
}

fn model_of_page(world: &World, page: &Page) -> Paged {
    let mut all = world.readable(&page.mine, &page.of);
    all.retain(|(spot, said)| {
        page.above.is_none_or(|above| said.id > above)
            && page.below.is_none_or(|below| said.id < below)
            && (!page.is_unread || is_shown(world, page, spot, said))
    });
    if page.end == End::Newest {
        all.reverse();
    }
    let (mut lines, mut bytes) = (Vec::new(), 0);
    for (spot, said) in &all {
        let line = world.line(&page.mine, spot, said);
        bytes += line.bytes();
        let is_over = lines.len() == page.most as usize || page.most_bytes > 0 && bytes > page.most_bytes;
        if is_over && !lines.is_empty() {
            break;
        }
        lines.push(line);
    }
    let rest = all.len() - lines.len();
    let next = (rest > 0).then(|| lines.last().unwrap().id);
    if page.end == End::Newest {
        lines.reverse();
    }
    Paged { lines, next, left: if page.is_unread { (rest as u32).min(COUNT_MOST) } else { 0 } }
}

fn model_of_counts(world: &World, mine: &Mine) -> Vec<Count> {
    let mut counts: BTreeMap<Spot, Count> = BTreeMap::new();
    let rooms = mine.rooms.iter().map(|id| Spot::Room(*id));
    let empty = |spot: &Spot| {
        let shown = match spot {
            Spot::Room(id) => ROOMS[id.0 as usize],
            Spot::Everybody | Spot::Direct(_) => "*",
        };
        let read = world.read(&mine.who, Some(spot));
        let level = Level::usual(matches!(spot, Spot::Direct(_)));
        Count { place: shown.into(), unread: 0, mentions: 0, read, last: 0, level }
    };
    for spot in [Spot::Everybody].into_iter().chain(rooms) {
        counts.insert(spot.clone(), empty(&spot));
    }
    for (spot, said) in world.readable(mine, &Of::All) {
        if said.is_hole {
            continue;
        }
        let line = world.line(mine, &spot, said);
        let count = counts.entry(spot.clone()).or_insert_with(|| Count { place: line.place, ..empty(&spot) });
        let unread = is_unread(world, mine, &spot, said);
        count.last = said.id;
        count.unread += u32::from(unread);
        count.mentions += u32::from(unread && line.flag == Flag::Mention);
    }
    let mut counts: Vec<(Spot, Count)> = counts.into_iter().collect();
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(count.last));
    counts.into_iter().map(|(_, count)| count).collect()
}

fn model_of_missed(world: &World, mine: &Mine) -> Missed {
    let counts = model_of_counts(world, mine);
    let sum = |of: fn(&Count) -> u32| counts.iter().map(of).sum::<u32>().min(COUNT_MOST);
    Missed { count: sum(|it| it.unread), mentions: sum(|it| it.mentions), floor: world.read(&mine.who, None) }
}
