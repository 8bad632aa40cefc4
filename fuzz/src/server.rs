//! The decoders of the server.

use std::borrow::Cow;

use chatd::auth::fuzzing as auth;
use chatd::config;
use chatd::door::datagram::{self, Body, Control, Speaker, Spelling};
use chatd::door::token::RoomToken;
use chatd::hub::names::{RoomName, UserName};
use chatd::limits::{DATAGRAM_BYTES, ROOM_REQUEST_BYTES, TOKEN_LIFE_S};
use chatd::text;

use super::behind::Server;
use super::pieces::pieces;

/// The line door: however a stream is cut, it is told the same, in whole lines that no terminal obeys.
///
/// Byte 0 says how it begins (bit 0: logged in; bit 1: typed; bit 2: guests are let in, and a guest has logged in), bytes 1
/// to 3 how it is cut; the rest is what is sent.
pub fn line(data: &[u8]) {
    let Some(([how, steps @ ..], sent)) = data.split_first_chunk::<4>() else { return };
    let login: &[u8] = match how & 7 {
        5 => b"~rob\n",
        7 => b"C ~rob\n",
        1 => b"alice t1.T0KEN\n",
        3 => b"C alice t1.T0KEN\n",
        _ => b"",
    };
    let sent = [login, sent].concat();
    let server = || if how & 4 == 4 { Server::line_with_guests() } else { Server::line() };
    let told = server().hear(sent.chunks(sent.len().max(1)));
    told.check_lines();
    assert_eq!(server().hear(pieces(&sent, steps)), told, "cut in pieces of {steps:?}");
}

/// The room door: however a request is cut, it is answered the same, by two whole frames at most.
///
/// Byte 0 says what kind of listener it is, bytes 1 to 3 how it is cut; the rest is what is sent.
pub fn room(data: &[u8]) {
    let Some(([how, steps @ ..], sent)) = data.split_first_chunk::<4>() else { return };
    let told = Server::room(*how).hear(sent.chunks(sent.len().max(1)));
    let frames = told.check_frames();
    assert!(frames <= 2, "{frames} frames");
    let request = text::without_mark(sent);
    assert!(frames > 0 || request.len() < 32, "a whole header is not answered");
    if sent.len() <= ROOM_REQUEST_BYTES {
        assert_eq!(Server::room(*how).hear(pieces(sent, steps)), told, "cut in pieces of {steps:?}");
    }
}

/// The relay door: however a stream is cut, the room hears the same, and nobody hears a byte that a terminal obeys.
///
/// Byte 0 says how it begins (bit 0: messages are sent back; bit 1: the speaker is named), bytes 1 to 3 how it is cut; the
/// rest is what is sent.
pub fn relay(data: &[u8]) {
    let Some(([how, steps @ ..], sent)) = data.split_first_chunk::<4>() else { return };
    let named: &[u8] = if how & 2 == 2 { b"zoe : hi\0" } else { b"" };
    let sent = [named, sent].concat();
    let echo = how & 1 == 1;
    let told = Server::relay(echo).hear(sent.chunks(sent.len().max(1)));
    told.check_relayed(echo);
    let cut = Server::relay(echo).hear(pieces(&sent, steps));
    assert_eq!(cut.relayed(), told.relayed(), "cut in pieces of {steps:?}");
}

/// Datagrams: what is understood can be said again, and nobody hears a byte that a terminal obeys. Without a member's
/// token nobody hears anything.
pub fn datagram(data: &[u8]) {
    let (mut server, mine) = Server::guest();
    assert!(server.hear_datagram(data).is_nothing(), "a stranger is heard");
    let Some(up) = datagram::decode(data) else { return };
    assert!(data.len() <= DATAGRAM_BYTES);
    let room = up.room.unwrap_or_default();
    let text = if let Body::Text(text) = &up.body { &**text } else { "" };
    let token = up.token.encode();
    let again = [&[room.len() as u8, token.len() as u8], room.as_bytes(), token.as_bytes(), text.as_bytes()].concat();
    let is_as_it_came = !matches!(up.body, Body::Text(Cow::Owned(_)));
    let end = data.strip_prefix(again.as_slice());
    let is_spelled = end.is_some_and(|end| [&b""[..], b"\n", b"\r\n", b"\0"].contains(&end));
    assert!(is_spelled || !is_as_it_came, "one spelling each, but for its end and what is taken out");
    assert_eq!(datagram::decode(&again).map(|up| up.body == Body::Text(text.into())), Some(!text.is_empty()));
    assert!(text::check(text.as_bytes()).is_some_and(|checked| checked.is_clean), "{text:?}");
    // With a guest's token it is delivered, in that room only. The guest receives the room's messages until it leaves.
    let sent = [&[room.len() as u8, mine.len() as u8], room.as_bytes(), mine.as_bytes(), text.as_bytes()].concat();
    let told = server.hear_datagram(&sent);
    told.check_lines();
    let is_here = room.is_empty() || RoomName::parse(room).is_ok_and(|room| room.is("hall"));
    let control = datagram::control(text);
    let says = !text.is_empty() && control != Some(Control::Hello);
    assert_eq!(!told.is_nothing(), is_here && says, "{told:?}");
    let (told, datagrams) = server.hear_bob("C RM hall hi\n");
    told.check_lines();
    let stays = is_here && control != Some(Control::Leave);
    assert_eq!(datagrams, if stays { vec![b"bob: hi".to_vec()] } else { Vec::new() });
    for spelling in Spelling::ALL {
        let mut out = Vec::new();
        let fits = datagram::encode(spelling, Speaker::Server, text, &mut out);
        assert_eq!(fits, !out.is_empty());
        assert!(out.len() <= DATAGRAM_BYTES);
        assert!(!fits || out.ends_with(text.replace('\t', " ").as_bytes()));
    }
}

/// The account file: it loads, or is refused by a line; what loads is spelled in one way. The lines are taken as they
/// are, and once more with sound checksums, which no fuzzer would find.
pub fn accounts(data: &[u8]) {
    check_accounts(data);
    let mut sealed = Vec::new();
    for line in data.split(|byte| *byte == b'\n') {
        match std::str::from_utf8(line).ok().and_then(|line| line.rsplit_once(':')) {
            Some((body, _)) => {
                let body = format!("{body}:");
                sealed.extend(body.as_bytes());
                sealed.extend(auth::seal(&body).as_bytes());
            }
            None => sealed.extend(line),
        }
        sealed.push(b'\n');
    }
    sealed.pop();
    check_accounts(&sealed);
}

/// The list of bans: what is read is written in lines that no terminal obeys, and reads the same. A bad line has the
/// number of a line.
pub fn bans(data: &[u8]) {
    match auth::bans_again(data) {
        Ok(again) => {
            assert!(again.lines().all(|line| text::check(line.as_bytes()).is_some_and(|checked| checked.is_clean)));
            assert_eq!(auth::bans_again(again.as_bytes()), Ok(again));
        }
        Err(line) => assert!((1..=1 + data.iter().filter(|byte| **byte == b'\n').count()).contains(&line)),
    }
}

fn check_accounts(file: &[u8]) {
    match auth::load(file) {
        Ok(loaded) => {
            assert!(loaded.good <= file.len() && loaded.accounts <= loaded.lines);
            let whole = &file[..loaded.good];
            assert_eq!(
                whole.iter().filter(|byte| **byte == b'\n').count(),
                loaded.lines + usize::from(loaded.good > 0)
            );
            // What follows is torn: without it nothing else is there.
            assert_eq!(auth::load(whole), Ok(loaded));
        }
        Err(line) => assert!(line >= 1 && line <= 1 + file.iter().filter(|byte| **byte == b'\n').count()),
    }
    if let Ok(lines) = auth::load_edited(file) {
        // What an editor has done to it is undone once and for all, and costs no line.
        let found = auth::load(&lines).expect("the server's own lines");
        assert_eq!((found.good, auth::load_edited(&lines)), (lines.len(), Ok(lines)));
        assert!(auth::load(file).is_err() || auth::load(file).is_ok_and(|strict| strict.lines <= found.lines));
    }
    for line in file.split(|byte| *byte == b'\n') {
        if let Some(again) = auth::spell_again(line) {
            assert_eq!(again.as_bytes(), line, "one spelling each");
        }
    }
}

/// Resume tokens, and the file of their key: only what was made is taken.
///
/// The first 8 bytes are the time; the rest is the token, once as it is, and once with a sound end.
pub fn token(data: &[u8]) {
    if let Ok(text) = std::str::from_utf8(data) {
        assert!(auth::key_again(text).is_none_or(|again| *again == text), "one spelling each");
    }
    let Some((unix, token)) = data.split_first_chunk::<8>() else { return };
    let unix = u64::from_le_bytes(*unix);
    let Ok(alice) = UserName::parse("alice") else { return };
    let made = auth::token(&alice, 3, unix.saturating_add(TOKEN_LIFE_S));
    assert_eq!(auth::accepts(token, &alice, 3, unix), token == made.as_bytes(), "made is {made}");
    if let Some(expiry) = std::str::from_utf8(token).ok().and_then(|text| text.parse().ok()) {
        let made = auth::token(&alice, 3, expiry);
        let is_timely = expiry > unix && expiry - unix <= TOKEN_LIFE_S;
        assert_eq!(auth::accepts(made.as_bytes(), &alice, 3, unix), is_timely);
        assert!(!auth::accepts(made.as_bytes(), &alice, 2, unix));
    }
    // A room's token has one spelling, too.
    assert!(RoomToken::decode(token).is_none_or(|found| found.encode().as_bytes() == token));
}

/// The configuration: a file, and after the first NUL a `--set`. An accepted configuration is printed so that it reads
/// back the same; a refused one is reported in whole lines.
pub fn config(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let (text, set) = text.split_once('\0').unwrap_or((text, ""));
    let set = if set.is_empty() { Vec::new() } else { vec![set.to_owned()] };
    match config::parse(text, &set) {
        Ok(found) => {
            let printed = config::to_toml(&found).expect("what was read can be printed");
            assert_eq!(config::parse(&printed, &[]).as_ref(), Ok(&found), "{printed}");
        }
        Err(faults) => {
            let lines = faults.into_lines();
            assert!(!lines.is_empty() && lines.iter().all(|line| !line.is_empty()));
        }
    }
}
