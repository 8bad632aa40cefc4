//! Events and records as the scripts of the tests spell them.

use super::*;

/// An audience as a script spells it: by its definition if that says more than its sessions.
pub(super) fn spelled_audience(hub: &Hub, audience: &Audience) -> String {
    match audience {
        Audience::Others(id) => format!("all but {}.{}", id.slot, id.generation),
        Audience::Person { who, except } => format!("{who} but {}.{}", except.slot, except.generation),
        Audience::Watchers(name) => format!("watchers of {name}"),
        Audience::One(_) | Audience::Room { .. } | Audience::Neighbours(_) | Audience::Members { .. } => {
            let ids: Vec<_> = hub.hearers(audience).iter().map(|id| format!("{}.{}", id.slot, id.generation)).collect();
            format!("to {}", if ids.is_empty() { "nobody".to_owned() } else { ids.join(" ") })
        }
    }
}

/// A room's id as a script spells it: `#` and its number.
pub(super) fn spelled_id(id: RoomId) -> String {
    format!("{id:?}").replace("RoomId(", "#").replace(')', "")
}

#[expect(clippy::too_many_lines, reason = "an arm for each event")]
pub(super) fn spelled_event(event: &Event) -> String {
    match event {
        Event::Said(message) => format!("{} {} {}", message.from, spelled_manner(message, "says"), message.text),
        Event::Told { message, .. } => {
            format!("{} {} {}", message.from, spelled_manner(message, "tells"), message.text)
        }
        Event::SaidIn { room, message } => {
            format!("{} {} in {room} {}", message.from, spelled_manner(message, "says"), message.text)
        }
        Event::Welcome { name, online } => format!("welcome {name}, {online} online"),
        Event::SessionsFull { sessions } => format!("full at {sessions}"),
        Event::Sent { hearers, message, .. } => format!("sent to {hearers}{}", dropped(message)),
        Event::SentTo { name, message, away } => {
            format!("sent to {name}{}{}", dropped(message), away_text(away.as_deref()))
        }
        Event::CanTell { name } => format!("found {name}"),
        Event::NotOnline { name } => format!("{name} is not online"),
        Event::Online { names, matching } => format!("online {} of {matching}", spelled_present(names)),
        Event::Entered { .. } => spelled_entry(event),
        Event::Done => "done".to_owned(),
        Event::CanSayIn => "found the room".to_owned(),
        Event::RoomExists { room } => format!("{room} is there"),
        Event::NoSuchRoom => "no such room".to_owned(),
        Event::RoomNeedsPassword => "needs a word".to_owned(),
        Event::WrongRoomPassword { room } => format!("wrong word for {room}"),
        Event::OnlyYou => "that is you".to_owned(),
        Event::RoomFull { room } => format!("{room} is full"),
        Event::TooManyRooms { most } => format!("in {most} rooms"),
        Event::GuestNameTaken => "guest is there".to_owned(),
        Event::NotMember { room } => format!("not in {room}"),
        Event::NotHost { room } => format!("not host of {room}"),
        Event::NotInRoom { name } => format!("{name} is not there"),
        Event::Rooms { rooms, matching } => format!("rooms [{}] of {matching}", spelled_rooms(rooms)),
        Event::Names { room, names, matching } => format!("in {room} [{}] of {matching}", spelled_names(names)),
        Event::Arrived { .. } | Event::Gone { .. } => spelled_in_room(event),
        Event::Renamed { was, now } => format!("{was} is {now}"),
        Event::YouAre { was, now } => format!("was {was}, is {now}"),
        Event::Neighbour { who, news } => format!("{who} {}", spelled_news(news)),
        Event::HearsOneRoom { name } => format!("{name} hears one room"),
        Event::NeedsAccount => "needs an account".to_owned(),
        Event::NotAGuest => "no guest".to_owned(),
        Event::RoomClosed { room, why } => format!("{room} closed{}", spelled_closing(why)),
        Event::Announced { text } => format!("announced: {text}"),
        Event::HostIs { room, who, was: None } => format!("{who} is host of {room}"),
        Event::HostIs { room, who, was: Some(was) } => format!("{who} is host of {room} after {was}"),
        Event::OwnerIs { owner } => format!("owned by {}", owner.as_ref().map_or("nobody", UserName::as_str)),
        Event::Invited { room, name, away } => format!("{name} invited to {room}{}", away_text(away.as_deref())),
        Event::Invitation { room, from, to } => format!("{from} invites {to} to {room}"),
        Event::LockIs { room, by, is_locked } => {
            format!("{by} {} {room}", if *is_locked { "locks" } else { "unlocks" })
        }
        Event::InRoomAlready { room, name } => format!("{name} is in {room}"),
        Event::InvitedHere { room, from, to } => format!("{from} asks {to} into {room}"),
        Event::Attends { public } => format!("attends: {public}"),
        Event::Counted(Census { accounts, guests, sessions, rooms, most_sessions }) => {
            format!("{accounts} accounts, {guests} guests, {sessions} sessions of {most_sessions}, {rooms} rooms")
        }
        Event::OwnTold { to, message } => format!("own to {to}: {}", message.text),
        Event::Awaited { ticket } => format!("waits for {ticket}"),
        Event::KeptFor { name, .. } => format!("kept for {name}"),
        Event::NotKept => "not kept".to_owned(),
        Event::TooManyWaiting { name } => format!("too many wait for {name}"),
        Event::Withdrawn { to, .. } => format!("withdrawn to {to}"),
        Event::NothingKept => "nothing is kept".to_owned(),
        Event::RoomKept { room, days: Some(days) } => format!("{room} is kept {days} days"),
        Event::RoomKept { room, days: None } => format!("{room} is not kept"),
        Event::TopicIs { room, by, text } => format!("{room} by {by}: {text}"),
        Event::TopicShown { room, topic: Some(Topic { by, text, .. }) } => format!("shown {room} by {by}: {text}"),
        Event::TopicShown { room, topic: None } => format!("{room} has no topic"),
        Event::TooManyDays { most } => format!("at most {most} days"),
        Event::OwnsTooMany { name, most } => format!("{name:?} owns {most}"),
        Event::MemberOfTooMany { most } => format!("member of {most}"),
        Event::AwayIs { text } => text.as_ref().map_or("back".to_owned(), |text| format!("away: {text}")),
        Event::Presence { name, change } => format!("{name} is {}", spelled_change(change)),
        Event::Watched { name, presence } => format!("watches {name}, {}", spelled_whereabouts(presence)),
        Event::Watches { names } => format!("watches [{}]", joined(names)),
        Event::WatchesFull { most } => format!("watches {most}"),
        Event::Ignores { names, guests } => format!("ignores [{}]{}", joined(names), if *guests { " ~" } else { "" }),
        Event::IgnoresFull { most } => format!("ignores {most}"),
        Event::IgnoresYourself => "ignores nobody's self".to_owned(),
        Event::NoSuchAccount { name } => format!("no account {name}"),
        Event::TakesNone { name } => format!("{name} takes none"),
        Event::KeptFull => "no more can be kept".to_owned(),
    }
}

/// Somebody comes into a room, or leaves it.
fn spelled_in_room(event: &Event) -> String {
    if let Event::Arrived { room, who, first, away, called, is_owner } = event {
        let again = if *first { "" } else { " again" };
        let owner = if *is_owner { " its owner" } else { "" };
        return format!("{who}{} enters {room}{again}{owner}{}", alias(called.as_deref()), away_text(away.as_deref()));
    }
    let Event::Gone { room, who, last, why, text } = event else { panic!("{event:?} is elsewhere") };
    let (still, text) = (if *last { "" } else { ", still there" }, said_text(text.as_deref()));
    format!("{who} leaves {room}{still}{}{text}", spelled_leaving(why))
}

/// How somebody calls itself.
fn alias(called: Option<&str>) -> String {
    called.map_or_else(String::new, |called| format!(" alias {called}"))
}

fn joined(names: &[impl ToString]) -> String {
    names.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}

/// Nobody is named who goes offline, as most do.
fn spelled_leaving(why: &Leaving) -> &'static str {
    match why {
        Leaving::Left => "",
        Leaving::Kicked { .. } => ", kicked",
        Leaving::Offline => ", offline",
    }
}

fn spelled_news(news: &News) -> String {
    match news {
        News::Offline { text } => format!("goes{}", said_text(text.as_deref())),
        News::Away(text) => text.as_ref().map_or("is back".to_owned(), |text| format!("is away: {text}")),
        News::Called(text) => text.as_ref().map_or("is called nothing".to_owned(), |text| format!("is called {text}")),
    }
}

fn said_text(text: Option<&str>) -> String {
    text.map_or_else(String::new, |text| format!(": {text}"))
}

fn spelled_rooms(rooms: &[RoomLine]) -> String {
    let line = |RoomLine { name, members, is_locked, is_kept, topic }: &RoomLine| {
        let (locked, kept) = (if *is_locked { " locked" } else { "" }, if *is_kept { " kept" } else { "" });
        format!("{name} {members}{locked}{kept}{}", said_text(topic.as_deref()))
    };
    rooms.iter().map(line).collect::<Vec<_>>().join(", ")
}

/// The entry into a room.
fn spelled_entry(event: &Event) -> String {
    let Event::Entered { room, id, kept, topic, .. } = event else { unreachable!() };
    let kept = kept.map_or_else(String::new, |days| format!(" kept {days} days"));
    let topic = topic.as_ref().map_or_else(String::new, |Topic { by, text, .. }| format!(" by {by}: {text}"));
    format!("in {room}{}{kept}{topic}", spelled_id(*id))
}

/// The names of those who are online; `*` marks who is away.
fn spelled_present(names: &[Present]) -> String {
    let line = |Present { who, is_away, called }: &Present| {
        format!("{who}{}{}", if *is_away { "*" } else { "" }, alias(called.as_deref()))
    };
    names.iter().map(line).collect::<Vec<_>>().join(" ")
}

fn spelled_names(names: &[NameLine]) -> String {
    let line = |NameLine { who, seat, is_away, called }: &NameLine| {
        let seat = match seat {
            Seat::Host => " host",
            Seat::Member => "",
            Seat::Absent => " absent",
        };
        format!("{who}{seat}{}{}", if *is_away { "*" } else { "" }, alias(called.as_deref()))
    };
    names.iter().map(line).collect::<Vec<_>>().join(", ")
}

fn spelled_closing(why: &Closing) -> String {
    match why {
        Closing::ByHost => " by its host".to_owned(),
        Closing::HostLeft => ", its host has left".to_owned(),
        Closing::ByOperator(reason) => format!(" by the operator: {reason}"),
    }
}

fn spelled_change(change: &Change) -> String {
    match change {
        Change::Online => "online".to_owned(),
        Change::Offline => "offline".to_owned(),
        Change::Away(text) => format!("away: {text}"),
        Change::Back => "back".to_owned(),
    }
}

fn spelled_whereabouts(presence: &Whereabouts) -> String {
    match presence {
        Whereabouts::Online => "online".to_owned(),
        Whereabouts::Away(text) => format!("away: {text}"),
        Whereabouts::Offline => "offline".to_owned(),
    }
}

fn away_text(away: Option<&str>) -> String {
    away.map_or_else(String::new, |text| format!(", away: {text}"))
}

fn dropped(message: &Message) -> &'static str {
    if message.is_dropped() { ", not kept" } else { "" }
}

/// What somebody does with a text; with a notice, they note it.
fn spelled_manner(message: &Message, verb: &'static str) -> &'static str {
    match message.manner {
        Manner::Text => verb,
        Manner::Notice => "notes",
    }
}

/// A record, with `#` and its ticket if somebody waits for it.
pub(super) fn spelled_record(HandedOut { record, ticket }: &HandedOut) -> String {
    let spelled = match record {
        Record::Row(row) => format!("row {} from {}: {}", spelled_spot(&row.spot), row.from, row.text),
        Record::Account(account) => format!("account {}", spelled_account(account)),
        Record::Seen(account, _) => format!("seen {}", spelled_account(account)),
        Record::Deleted(account) => format!("deleted {}", spelled_account(account)),
        Record::Room(room) => spelled_room(room),
        Record::RoomGone(id) => format!("room {} gone", id.0),
        Record::Member(id, account, _) => format!("member {} {}", id.0, spelled_account(account)),
        Record::NoMember(id, account) => format!("no member {} {}", id.0, spelled_account(account)),
        Record::Floor(account, _) => format!("floor {}", spelled_account(account)),
        Record::Hole(hole) => format!("hole {}: {:?}", spelled_spot(&hole.spot), hole.count),
        Record::Withdrawn(_) => "withdrawn".to_owned(),
        Record::Profile(Setting { account, key, value, .. }) => {
            format!("{} sets {} to {value:?}", spelled_account(account), key.word())
        }
        Record::Unset(_) => "unset".to_owned(),
        Record::Ignore(account, whom) => format!("{} ignores {}", spelled_account(account), spelled_whom(whom)),
        Record::NoIgnore(account, whom) => format!("{} takes from {}", spelled_account(account), spelled_whom(whom)),
    };
    match ticket {
        Some(ticket) => format!("{spelled} #{ticket}"),
        None => spelled,
    }
}

pub(super) fn spelled_spot(spot: &Spot) -> String {
    match spot {
        Spot::Everybody => "*".to_owned(),
        Spot::Room(id) => format!("room {}", id.0),
        Spot::Direct(account) => format!("@{}", spelled_account(account)),
    }
}

fn spelled_whom(whom: &Whom) -> String {
    match whom {
        Whom::Guests => "~".to_owned(),
        Whom::Account(account) => spelled_account(account),
    }
}

/// The name, and the time of its registration unless that is 1.
fn spelled_account(account: &Account) -> String {
    if account.since == 1 { account.name.to_string() } else { format!("{}/{}", account.name, account.since) }
}

fn spelled_room(room: &KeptRoom) -> String {
    let owner = room.owner.as_ref().map_or_else(|| "nobody".to_owned(), spelled_account);
    let mut spelled = format!("room {} {} of {owner} {}d", room.id.0, room.name, room.days);
    if room.ownerless_since_ms > 0 {
        spelled += &format!(" since {}", room.ownerless_since_ms);
    }
    if let Some(Topic { by, text, .. }) = &room.topic {
        spelled += &format!(" by {by}: {text}");
    }
    spelled + if room.lock.is_some() { " locked" } else { "" }
}
