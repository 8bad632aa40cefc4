//! What a search finds.

use super::*;
use crate::history::store::fixture::Random;

fn find_all(world: &World, asked: &Find) -> Paged {
    find::find(&world.connection, asked, &mut || false).unwrap()
}

fn texts(lines: &[Line]) -> Vec<&str> {
    lines.iter().map(|line| &*line.text).collect()
}

#[track_caller]
fn check(world: &World, asked: &Find, expected: &[&str]) {
    let paged = find_all(world, asked);
    assert_eq!(texts(&paged.lines), expected, "{asked:?}");
    assert_eq!(paged.next, None);
}

#[test]
fn words_in_any_order() {
    let mut world = world();
    for text in ["Deploy at noon", "noon, then deploy!", "deploy", "Straße gesperrt", "我在上海工作", "deploying 👋"]
    {
        world.say(Spot::Everybody, who("alice"), text);
    }
    let bob = |terms: &[Term]| by("bob", terms);
    check(&world, &bob(&[word("NOON"), word("deploy")]), &["Deploy at noon", "noon, then deploy!"]);
    check(&world, &bob(&[exact("deploy at")]), &["Deploy at noon"]);
    check(&world, &bob(&[exact("at deploy")]), &[]);
    check(&world, &bob(&[start("depl")]), &["Deploy at noon", "noon, then deploy!", "deploy", "deploying 👋"]);
    check(&world, &bob(&[word("strasse")]), &["Straße gesperrt"]);
    check(&world, &bob(&[word("上海")]), &["我在上海工作"]);
    check(&world, &bob(&[word("工")]), &["我在上海工作"]);
    check(&world, &bob(&[exact("上海工")]), &["我在上海工作"]);
    check(&world, &bob(&[word("👋")]), &[]);
    check(&world, &bob(&[word("👋"), exact("\""), word("deploying")]), &["deploying 👋"]);
}

#[test]
fn syntax_of_queries_is_words() {
    let mut world = world();
    let texts =
        ["this AND that", "near(by)", "a OR b NOT c", "text place p1 u1", "place:p1", "^start*", "it''s \"so\""];
    for text in texts {
        world.say(Spot::Everybody, who("alice"), text);
    }
    check(&world, &by("bob", &[word("AND")]), &["this AND that"]);
    check(&world, &by("bob", &[word("NEAR("), word("\"")]), &["near(by)"]);
    check(&world, &by("bob", &[word("OR"), word("NOT")]), &["a OR b NOT c"]);
    check(&world, &by("bob", &[word("place:\"p1\"")]), &["text place p1 u1", "place:p1"]);
    check(&world, &by("bob", &[start("\"^sta*")]), &["^start*"]);
    check(&world, &by("bob", &[exact("\"so\" OR \"")]), &[]);
    for nothing in ["", "*", "\"", "(", ")", "\0", "--", "';", "\u{301}", "{}", ":"] {
        for term in [word(nothing), start(nothing), exact(nothing)] {
            check(&world, &by("bob", &[term]), &[]);
        }
    }
    let long: Vec<String> = (0..700).map(|n| format!("w{n}")).collect();
    let id = world.say(Spot::Everybody, who("alice"), &long.join(" "));
    let found =
        |text: &str| find_all(&world, &by("bob", &[word(text)])).lines.iter().map(|line| line.id).collect::<Vec<_>>();
    assert_eq!(found(&long.join(" ")), [id]);
    assert_eq!(found(&format!("{} w700", long.join(" "))), [0; 0], "words beyond those that are looked up count");
    assert_eq!(found(&"\u{301}".repeat(2_048)), [0; 0]);
}

#[test]
fn nobody_finds_what_is_not_theirs() {
    let mut world = world();
    world.say(Spot::Everybody, who("alice"), "x 1");
    world.say(Spot::Room(KeptId(7)), who("alice"), "x 2");
    world.say(Spot::Room(KeptId(8)), who("bob"), "x 3");
    world.say(Spot::Direct(account("bob")), who("alice"), "x 4");
    world.say(Spot::Direct(account("alice")), who("bob"), "x 5");
    world.say(Spot::Direct(account("carol")), who("alice"), "x 6");
    world.say(Spot::Direct(account("carol")), who("bob"), "x 7");
    let x = || by("bob", &[word("x")]);
    check(&world, &x(), &["x 1", "x 2", "x 4", "x 5", "x 7"]);
    check(&world, &Find { of: Of::One(Spot::Direct(account("alice"))), ..x() }, &["x 4", "x 5"]);
    check(&world, &Find { of: Of::One(Spot::Direct(account("bob"))), ..x() }, &[]);
    check(&world, &Find { of: Of::One(Spot::Room(KeptId(7))), ..x() }, &["x 2"]);
    check(&world, &Find { of: Of::One(Spot::Everybody), ..x() }, &["x 1"]);
    check(&world, &Find { of: Of::One(Spot::Room(KeptId(77))), ..x() }, &[]);
    check(&world, &Find { of: Of::One(Spot::Direct(account("dave"))), ..x() }, &[]);
    // An account that the store does not know, and one with an earlier account's name.
    check(&world, &Find { mine: Mine { who: account("dave"), rooms: vec![] }, ..x() }, &["x 1"]);
    let anew = Account { since: 9, ..account("bob") };
    check(&world, &Find { mine: Mine { who: anew, rooms: vec![] }, ..x() }, &["x 1"]);
}

#[test]
fn authors_and_deleted_rows() {
    let mut world = world();
    world.say(Spot::Everybody, who("alice"), "x 1");
    let deleted = world.say(Spot::Everybody, who("alice"), "x 2");
    world.say(Spot::Everybody, guest("Alice"), "x 3");
    world.say(Spot::Everybody, who("carol"), "x bob 4");
    world.delete(deleted);
    let from = |name: &str| Find { from: Who::parse(name), ..by("bob", &[word("x")]) };
    check(&world, &from("ALICE"), &["x 1"]);
    check(&world, &from("~alice"), &["x 3"]);
    check(&world, &from("dave"), &[]);
    check(&world, &from("Carol"), &["x bob 4"]);
    world.delete_account(&account("carol"));
    check(&world, &from("carol"), &[]);
    let lines = find_all(&world, &by("bob", &[word("x")])).lines;
    let shown: Vec<_> = lines.iter().map(|line| (&*line.from, line.flag)).collect();
    assert_eq!(shown, [("alice", Flag::Plain), ("~Alice", Flag::Plain), ("-carol", Flag::Mention)]);
}

#[test]
fn a_member_of_a_thousand_rooms_finds_what_is_there() {
    let mut world = world();
    (100..1_100).for_each(|room| world.keep(KeptId(room), "room"));
    world.say(Spot::Room(KeptId(1_099)), who("alice"), "x 1");
    world.say(Spot::Room(KeptId(99)), who("alice"), "x 2");
    let mine = Mine { who: account("bob"), rooms: (100..1_100).map(KeptId).collect() };
    check(&world, &Find { mine, ..by("bob", &[word("x")]) }, &["x 1"]);
}

/// Words of the random texts: spellings in texts, and one in queries.
const WORDS: [(&[&str], &str); 8] = [
    (&["hello", "Hello,", "HE\u{301}LLO!"], "HELLO"),
    (&["help", "ＨＥＬＰ"], "h\u{e9}lp"),
    (&["Straße", "STRASSE."], "strasse"),
    (&["我在上海工作"], "上海"),
    (&["AND", "(and)"], "and"),
    (&["สวัสดีครับ"], "ครับ"),
    (&["👋"], "👋"),
    (&["\u{130}zmir"], "izmir"),
];

#[test]
fn a_search_and_its_model_find_the_same() {
    for seed in 1..=5_u64 {
        println!("seed {seed}");
        let (mut random, mut world) = (Random(seed * 0x9e37_79b9), world());
        let names = ["alice", "bob", "carol"];
        // The words of each message, by its id.
        let mut all: Vec<(u64, Vec<usize>)> = Vec::new();
        for n in 0..300 {
            let words: Vec<usize> = (0..random.below(5)).map(|_| random.below(WORDS.len())).collect();
            let text: Vec<&str> = words.iter().map(|word| random.one(WORDS[*word].0)).collect();
            let from = random.one(&names);
            let to = random.one(&names);
            let spot = match random.below(4) {
                0 => Spot::Everybody,
                1 if from != to => Spot::Direct(account(to)),
                n => Spot::Room(KeptId(7 + (n as u32 & 1))),
            };
            all.push((world.say(spot, who(from), &text.join(" ")), words));
            if n % 70 == 69 {
                world.next_span();
            }
            if random.one_in(20) {
                world.delete(random.one(&all).0);
            }
        }
        for _ in 0..60 {
            compare(&world, &mut random, &all);
        }
    }
}

/// Whether a message with these words is found.
type Model<'a> = Box<dyn Fn(&[usize]) -> bool + 'a>;

fn compare(world: &World, random: &mut Random, all: &[(u64, Vec<usize>)]) {
    let name = random.one(&["alice", "bob", "carol"]);
    let (one, two) = (random.below(WORDS.len()), random.below(WORDS.len()));
    // Emoji are no words, so a query of nothing else finds nothing.
    let is_word = |word: usize| word != 6;
    let terms: Vec<Vec<Term>> = vec![
        vec![start("hel")],
        vec![word(WORDS[one].1), word(WORDS[two].1)],
        vec![exact(&format!("{} {}", WORDS[one].1, WORDS[two].1))],
        vec![word(WORDS[one].1)],
    ];
    for terms in terms {
        let model: Model<'_> = match &terms[..] {
            [Term::Prefix(_)] => Box::new(|words| words.iter().any(|word| *word < 2)),
            [Term::Word(_), Term::Word(_)] => Box::new(|words| {
                (is_word(one) || is_word(two)) && [one, two].iter().all(|it| !is_word(*it) || words.contains(it))
            }),
            [Term::Exact(_)] if [one, two].iter().all(|it| ![3, 5, 6].contains(it)) => Box::new(|words| {
                let words: Vec<usize> = words.iter().copied().filter(|word| is_word(*word)).collect();
                words.windows(2).any(|pair| pair == [one, two])
            }),
            [Term::Exact(_)] => continue,
            _ => Box::new(|words| is_word(one) && words.contains(&one)),
        };
        check_model(world, random, all, by(name, &terms), &*model);
    }
}

/// Compares all pages of a search with the model, with and without time that runs out.
fn check_model(
    world: &World,
    random: &mut Random,
    all: &[(u64, Vec<usize>)],
    asked: Find,
    model: &dyn Fn(&[usize]) -> bool,
) {
    let from = random.one_in(3).then(|| who(random.one(&["alice", "bob"])));
    let bound = |random: &mut Random| random.one_in(2).then(|| random.one(all).0);
    let (above, below) = (bound(random), bound(random));
    let mut asked = Find { from, above, below, most: 1 + random.below(20) as u32, ..asked };
    let words = |id: u64| all.iter().find(|(of, _)| *of == id).map(|(_, words)| &words[..]).unwrap_or_default();
    let expected: Vec<Line> = (world.readable(&asked.mine, &Of::All).into_iter())
        .filter(|(_, said)| above.is_none_or(|above| said.id > above) && below.is_none_or(|below| said.id < below))
        .filter(|(_, said)| asked.from.as_ref().is_none_or(|from| said.from == *from))
        .filter(|(_, said)| model(words(said.id)))
        .map(|(spot, said)| world.line(&asked.mine, &spot, said))
        .collect();
    let patience = if random.one_in(2) { usize::MAX } else { random.below(6) };
    let (mut pages, mut rounds) = (Vec::new(), 0);
    loop {
        let mut asks = 0;
        let mut is_late = || {
            asks += 1;
            asks > patience
        };
        let paged = find::find(&world.connection, &asked, &mut is_late).unwrap();
        assert!(paged.lines.len() <= asked.most as usize);
        pages.push(paged.lines);
        let Some(next) = paged.next else { break };
        assert!(asked.below.is_none_or(|below| next < below), "a search goes on");
        asked.below = Some(next);
        rounds += 1;
        assert!(rounds < 400);
    }
    pages.reverse();
    assert_eq!(pages.concat(), expected, "{asked:?} {patience}");
}
