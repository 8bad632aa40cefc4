//! The properties of a history.
//!
//! A message has an id, the same for all receivers; ids rise in the order in which the server accepted the messages.
//! The lines of a connection are in the order of events, too. So the promises become these checks:
//!
//! * one order for all, and no duplicates: ids rise on each connection;
//! * each sender's order: its messages' numbers rise with their ids;
//! * no gap: a public message with an id between two that a connection received or sent was received there too, and so
//!   were all later ones by connections that stayed to the end. The same holds for a room, between entering and leaving
//!   it. A message after the last of these and before a `221` cannot be checked, because no id tells its time; so a
//!   client that leaves sends a message in the same write, and only what the server accepted between these two lines
//!   can escape;
//! * nothing outside of a membership: a room's message comes after `227` and before the end of the membership;
//! * nobody who has left a room sends to it, except a client that came back after vanishing: the server may notice that
//!   the old connection has vanished when the new one is in the room already;
//! * a direct message is received by its target alone, and by each of its sessions that stayed alive;
//! * `250 sent to N`: at most N have received it, and all N except those that vanished.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// One connection, from its `230` on.
pub(crate) struct Life {
    pub(crate) person: usize,
    pub(crate) account: String,
    pub(crate) events: Vec<Event>,
    pub(crate) end: End,
}

/// An event of a connection, in its order.
pub(crate) enum Event {
    /// A message or a notice.
    Heard(String),
    /// The last line of a reply.
    Answered { command: String, reply: String },
}

/// How a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// It received everything, and left.
    Orderly,
    /// It received everything up to the end of the test.
    Stayed,
    /// It broke off. Lines under way are lost.
    Vanished,
}

/// The number of checked items.
#[derive(Debug, Default)]
pub(crate) struct Totals {
    lives: usize,
    said: usize,
    heard: usize,
    stays: usize,
    kicks: usize,
}

impl fmt::Display for Totals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { lives, said, heard, stays, kicks } = self;
        write!(f, "{lives} connections, {said} messages heard {heard} times, {stays} stays in rooms, {kicks} kicks")
    }
}

/// A message, as received.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Message<'a> {
    id: u64,
    /// `PM`, `DM`, or the room.
    place: &'a str,
    from: &'a str,
    text: &'a str,
}

/// Everything that anybody has received.
struct Said<'a> {
    all: BTreeMap<u64, Message<'a>>,
    /// The ids by texts.
    ids: BTreeMap<&'a str, u64>,
    /// Connections that followed a vanished one, as the client and its connection.
    heirs: BTreeSet<(usize, usize)>,
}

impl Said<'_> {
    /// The id of the message of this command, if anybody received it.
    fn id_of(&self, command: &str, reply: &str) -> Option<u64> {
        reply.starts_with("C 250 ").then(|| self.ids.get(command.rsplit(' ').next()?).copied())?
    }
}

fn message(line: &str) -> Option<Message<'_>> {
    let mut words = line.strip_prefix("D ")?.splitn(3, ' ');
    let (kind, id, rest) = (words.next()?, words.next()?.parse().ok()?, words.next()?);
    let (place, rest) = if kind == "RM" { rest.split_once(' ')? } else { (kind, rest) };
    let (from, text) = rest.split_once(' ')?;
    Some(Message { id, place, from, text })
}

/// A text is `pCLIENT.LIFE.NUMBER`. Returns the client and the number.
fn sender(text: &str) -> Option<(usize, usize)> {
    let mut parts = text.strip_prefix('p')?.split('.');
    let (person, _life, number) = (parts.next()?.parse().ok()?, parts.next()?, parts.next()?.parse().ok()?);
    Some((person, number))
}

/// Returns the client and its connection.
fn speaker(text: &str) -> Option<(usize, usize)> {
    let mut parts = text.strip_prefix('p')?.split('.');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

/// The connections that followed a vanished one.
fn heirs(lives: &[Life]) -> BTreeSet<(usize, usize)> {
    let mut count: BTreeMap<usize, usize> = BTreeMap::new();
    let mut found = BTreeSet::new();
    for life in lives {
        let number = count.entry(life.person).or_default();
        *number += 1;
        if life.end == End::Vanished {
            found.insert((life.person, *number));
        }
    }
    found
}

/// Checks a whole history.
///
/// # Errors
/// What is wrong.
pub(crate) fn check(lives: &[Life]) -> Result<Totals, String> {
    let mut all: BTreeMap<u64, Message<'_>> = BTreeMap::new();
    let mut heard_by: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (number, life) in lives.iter().enumerate() {
        check_order(life, &mut all)?;
        for message in life.messages() {
            heard_by.entry(message.text).or_default().push(number);
        }
    }
    check_senders(&all)?;
    let ids: BTreeMap<&str, u64> = all.values().map(|message| (message.text, message.id)).collect();
    let said = Said { all, ids, heirs: heirs(lives) };
    let mut totals = Totals { lives: lives.len(), said: said.all.len(), ..Totals::default() };
    for life in lives {
        check_public(life, &said)?;
        check_rooms(life, &said, &mut totals)?;
        check_answers(life, lives, &heard_by)?;
        totals.heard += life.messages().count();
    }
    Ok(totals)
}

impl Life {
    fn messages(&self) -> impl Iterator<Item = Message<'_>> {
        self.events.iter().filter_map(|event| match event {
            Event::Heard(line) => message(line),
            Event::Answered { .. } => None,
        })
    }

    fn is_own(&self, message: &Message<'_>) -> bool {
        sender(message.text).is_some_and(|(person, _)| person == self.person)
    }
}

fn ensure(holds: bool, what: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(what()) }
}

/// Ids rise on a connection, and each identifies one message.
fn check_order<'a>(life: &'a Life, all: &mut BTreeMap<u64, Message<'a>>) -> Result<(), String> {
    let mut last = 0;
    for message in life.messages() {
        ensure(message.id > last, || format!("{}: {message:?} comes after {last}", life.account))?;
        last = message.id;
        ensure(!life.is_own(&message), || format!("{}: hears itself: {message:?}", life.account))?;
        let known = all.entry(message.id).or_insert_with(|| message.clone());
        ensure(*known == message, || format!("{}: {message:?} is {known:?} for others", life.account))?;
    }
    Ok(())
}

/// The messages of each sender keep their order.
fn check_senders(all: &BTreeMap<u64, Message<'_>>) -> Result<(), String> {
    let mut last: BTreeMap<usize, usize> = BTreeMap::new();
    for message in all.values() {
        let (person, number) = sender(message.text).ok_or_else(|| format!("nobody has said {message:?}"))?;
        let before = last.insert(person, number).unwrap_or(0);
        ensure(before < number, || format!("{message:?} comes after number {before} of the same sender"))?;
    }
    Ok(())
}

/// No gap in public messages, from the first that a connection received or sent.
fn check_public(life: &Life, said: &Said<'_>) -> Result<(), String> {
    let heard: BTreeSet<u64> =
        life.messages().filter(|message| message.place == "PM").map(|message| message.id).collect();
    let own = life.events.iter().filter_map(|event| match event {
        Event::Answered { command, reply } => said.id_of(command, reply),
        Event::Heard(_) => None,
    });
    let known: BTreeSet<u64> = heard.iter().copied().chain(own).collect();
    let (Some(first), Some(last)) = (known.first(), known.last()) else { return Ok(()) };
    let last = if life.end == End::Stayed { u64::MAX } else { *last };
    let missing = said
        .all
        .range(first..=&last)
        .find(|(id, message)| message.place == "PM" && !life.is_own(message) && !heard.contains(id));
    ensure(missing.is_none(), || format!("{} ({:?}): has not heard {missing:?}", life.account, life.end))
}

/// A membership of a room.
#[derive(Default)]
struct Stay {
    heard: BTreeSet<u64>,
    /// The messages that its member has sent, anywhere: earlier messages of the room have arrived by then.
    own: BTreeSet<u64>,
    /// The members that have left since.
    gone: BTreeSet<String>,
}

fn check_rooms(life: &Life, said: &Said<'_>, totals: &mut Totals) -> Result<(), String> {
    let mut stays: BTreeMap<String, Stay> = BTreeMap::new();
    for event in &life.events {
        match event {
            Event::Answered { command, reply } => {
                if let Some(id) = said.id_of(command, reply) {
                    stays.values_mut().for_each(|stay| _ = stay.own.insert(id));
                }
                let mut words = command.split(' ');
                let (operation, room) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
                if reply.starts_with("C 227 ") {
                    if !stays.contains_key(room) {
                        totals.stays += 1;
                    }
                    stays.entry(room.to_owned()).or_default();
                } else if operation == "LEAVE" && reply.starts_with("C 200") {
                    let stay = stays
                        .remove(room)
                        .ok_or_else(|| format!("{}: left {room}, in which it was not", life.account))?;
                    check_stay(life, room, &stay, false, said)?;
                } else if operation == "RM" {
                    let is_in = stays.contains_key(room);
                    ensure(is_in == reply.starts_with("C 250 "), || {
                        format!("{}: {command} is answered {reply}, and it is in the room: {is_in}", life.account)
                    })?;
                }
            }
            Event::Heard(line) => on_room_line(life, line, &mut stays, said, totals)?,
        }
    }
    for (room, stay) in &stays {
        check_stay(life, room, stay, life.end == End::Stayed, said)?;
    }
    Ok(())
}

fn on_room_line(
    life: &Life,
    line: &str,
    stays: &mut BTreeMap<String, Stay>,
    said: &Said<'_>,
    totals: &mut Totals,
) -> Result<(), String> {
    let outside = || format!("{}: hears {line:?} of a room in which it is not", life.account);
    if let Some(message) = message(line) {
        if ["PM", "DM"].contains(&message.place) {
            return Ok(());
        }
        let stay = stays.get_mut(message.place).ok_or_else(outside)?;
        let may_be_in =
            !stay.gone.contains(message.from) || speaker(message.text).is_some_and(|who| said.heirs.contains(&who));
        ensure(may_be_in, || format!("{}: {message:?} is of one who has left", life.account))?;
        stay.heard.insert(message.id);
        return Ok(());
    }
    let mut words = line.split(' ').skip(1);
    let (code, room, name) = (words.next(), words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let is_kick = line.ends_with(" left: kicked");
    let stay = stays.get_mut(room).ok_or_else(outside)?;
    // An account with two sessions says little about either.
    let is_one = name != "twin";
    match code {
        Some("103") => {
            stay.gone.remove(name);
        }
        Some("104") if is_kick && name == life.account => {
            totals.kicks += 1;
            let stay = stays.remove(room).ok_or_else(outside)?;
            check_stay(life, room, &stay, false, said)?;
        }
        Some("104") if is_one => {
            stay.gone.insert(name.to_owned());
        }
        Some("106") => {
            let stay = stays.remove(room).ok_or_else(outside)?;
            check_stay(life, room, &stay, false, said)?;
        }
        _ => {}
    }
    Ok(())
}

/// No gap in the messages of a room.
fn check_stay(life: &Life, room: &str, stay: &Stay, to_the_end: bool, said: &Said<'_>) -> Result<(), String> {
    let known: BTreeSet<u64> = stay.heard.union(&stay.own).copied().collect();
    let (Some(first), Some(last)) = (known.first(), known.last()) else { return Ok(()) };
    let last = if to_the_end { u64::MAX } else { *last };
    let missing = said
        .all
        .range(first..=&last)
        .find(|(id, message)| message.place == room && !life.is_own(message) && !stay.heard.contains(id));
    ensure(missing.is_none(), || format!("{} in {room}: has not heard {missing:?}", life.account))
}

/// The receiver counts reported to senders are true.
fn check_answers(life: &Life, lives: &[Life], heard_by: &BTreeMap<&str, Vec<usize>>) -> Result<(), String> {
    for event in &life.events {
        let Event::Answered { command, reply } = event else { continue };
        let Some(text) = command.rsplit(' ').next().filter(|text| sender(text).is_some()) else { continue };
        let hearers = heard_by.get(text).map_or(&[][..], Vec::as_slice);
        let told = reply.strip_prefix("C 250 sent to ");
        ensure(told.is_some() || hearers.is_empty(), || format!("{command}: {reply}, and yet it was heard"))?;
        let Some(told) = told else { continue };
        let vanished = lives.iter().filter(|life| life.end == End::Vanished).count();
        if let Ok(count) = told.parse::<usize>() {
            let is_true = hearers.len() <= count && hearers.len() + vanished >= count;
            ensure(is_true, || format!("{command}: {reply}, and {} have heard it", hearers.len()))?;
        } else {
            let is_target = |number: &usize| lives.get(*number).is_some_and(|life| life.account == told);
            ensure(hearers.iter().all(is_target), || format!("{command}: somebody else has heard it"))?;
            ensure(!hearers.is_empty() || vanished > 0, || format!("{command}: {reply}, and nobody has heard it"))?;
        }
    }
    Ok(())
}

/// The connections of clients 0, 1, …, which are called a, b, …. A line with ` => ` is a command and its reply; a
/// client whose `EX` is answered has left.
fn lives(scripts: &[&[&str]]) -> Vec<Life> {
    let life = |(person, script): (usize, &&[&str])| {
        let event = |line: &&str| match line.split_once(" => ") {
            Some((command, reply)) => Event::Answered { command: command.to_owned(), reply: reply.to_owned() },
            None => Event::Heard((*line).to_owned()),
        };
        let account = char::from(b'a' + person as u8).to_string();
        let has_gone = script.last().is_some_and(|line| line.starts_with("EX => "));
        let end = if has_gone { End::Orderly } else { End::Stayed };
        Life { person, account, events: script.iter().map(event).collect(), end }
    };
    scripts.iter().enumerate().map(life).collect()
}

#[track_caller]
fn check_fault(expected: &str, scripts: &[&[&str]]) {
    let found = check(&lives(scripts)).expect_err("a fault");
    assert!(found.contains(expected), "{found}");
}

#[test]
fn a_sound_history_passes() {
    let a = ["PM p0.0.1 => C 250 sent to 2", "MAKE r => C 227 r token=X", "C 103 r b entered", "D RM 2 r b p1.0.1"];
    let b = ["D PM 1 a p0.0.1", "JOIN r => C 227 r token=Y", "RM r p1.0.1 => C 250 sent to 1", "LEAVE r => C 200 left"];
    check(&lives(&[&a, &b, &["D PM 1 a p0.0.1"]])).unwrap();
}

#[test]
fn who_vanished_may_be_noticed_late() {
    let joined = "JOIN r => C 227 r token=X";
    let heard = ["C 103 r a entered", "C 104 r a left", "D RM 1 r a p0.1.1"];
    let lives = |end| {
        let mut lives =
            lives(&[&[], &[&[joined][..], &heard[..]].concat(), &[joined, "RM r p0.1.1 => C 250 sent to 1"]]);
        lives[0].end = end;
        lives[2].person = 0;
        lives
    };
    check(&lives(End::Vanished)).unwrap();
    assert!(check(&lives(End::Orderly)).is_err_and(|fault| fault.contains("who has left")));
}

#[test]
fn broken_promises_are_found() {
    check_fault("comes after 2", &[&[], &["D PM 2 a p0.0.2", "D PM 1 a p0.0.1"]]);
    check_fault("comes after 1", &[&[], &["D PM 1 a p0.0.1", "D PM 1 a p0.0.1"]]);
    check_fault("of the same sender", &[&[], &["D PM 1 a p0.0.2", "D PM 2 a p0.0.1"]]);
    check_fault("for others", &[&[], &["D PM 1 a p0.0.1"], &["D PM 1 a p0.0.2"]]);
    check_fault("hears itself", &[&["D PM 1 a p0.0.1"]]);
    let whole = ["D PM 1 a p0.0.1", "D PM 2 a p0.0.2", "D PM 3 a p0.0.3"];
    check_fault("has not heard", &[&[], &whole, &[whole[0], whole[2]]]);
    check_fault("has not heard", &[&[], &whole, &[whole[0], whole[1]]]);
    let (own, bye) = ("PM p2.0.1 => C 250 sent to 2", "EX => C 221 bye");
    let all = [whole[0], whole[1], "D PM 4 c p2.0.1"];
    check_fault("c (Orderly): has not heard", &[&["D PM 4 c p2.0.1"], &all, &[whole[0], own, bye]]);
    let all = ["D PM 1 c p2.0.1", "D PM 2 a p0.0.2", "D PM 3 a p0.0.3"];
    check_fault("c (Stayed): has not heard", &[&all[..1], &all, &[own, all[2]]]);
    check_fault("in which it is not", &[&[], &["D RM 1 r a p0.0.1"]]);
    let joined = "JOIN r => C 227 r token=X";
    check_fault("in which it is not", &[&[], &[joined, "LEAVE r => C 200 left", "D RM 1 r a p0.0.1"]]);
    check_fault("in which it is not", &[&[], &[joined, "C 104 r b left: kicked", "D RM 1 r a p0.0.1"]]);
    check_fault("who has left", &[&[], &[joined, "C 104 r a left", "D RM 1 r a p0.0.1"]]);
    let room = [joined, "D RM 1 r a p0.0.1", "D RM 2 r a p0.0.2", "D RM 3 r a p0.0.3"];
    check_fault("has not heard", &[&[], &room, &[room[0], room[1], room[3]]]);
    let own = "RM r p2.0.1 => C 250 sent to 2";
    let left = [joined, room[1], own, "LEAVE r => C 200 left"];
    let a = [joined, "D RM 4 r c p2.0.1"];
    check_fault("c in r: has not heard", &[&a, &[joined, room[1], room[2], "D RM 4 r c p2.0.1"], &left]);
    check_fault("somebody else", &[&["DM b p0.0.1 => C 250 sent to b"], &[], &["D DM 1 a p0.0.1"]]);
    check_fault("nobody has heard", &[&["DM b p0.0.1 => C 250 sent to b"], &[]]);
    check_fault("have heard it", &[&["PM p0.0.1 => C 250 sent to 2"], &["D PM 1 a p0.0.1"], &[]]);
    check_fault("and yet it was heard", &[&["RM r p0.0.1 => C 550 no"], &[joined, "D RM 1 r a p0.0.1"]]);
}
