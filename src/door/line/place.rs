//! Names of rooms and places, as arguments of operations.

use crate::door::decoded::Decoded;
use crate::door::recall::PlaceName;
use crate::door::reply::Reply;
use crate::hub::names::{NameError, RoomName, UserName};

/// An operation on a room, or the refusal of a name that no room can have.
pub(super) fn in_room<'a>(room: &str, decoded: impl FnOnce(RoomName) -> Decoded<'a>) -> Decoded<'a> {
    room_name(room).map_or(Decoded::Reply(Reply::NoSuchRoom), decoded)
}

/// The name of a room that exists, with or without `#`.
pub(super) fn room_name(text: &str) -> Result<RoomName, NameError> {
    RoomName::parse(text.strip_prefix('#').unwrap_or(text))
}

/// A place, or the refusal of a name that no account and no room can have.
pub(super) fn place(text: &str) -> Result<PlaceName, Reply> {
    if text == "*" {
        return Ok(PlaceName::Everybody);
    }
    match text.strip_prefix('@') {
        Some(name) => UserName::from_record(name).map(PlaceName::Direct).map_err(|_| Reply::NoSuchUser),
        None => room_name(text).map(PlaceName::Room).map_err(|_| Reply::NoSuchRoom),
    }
}

/// A request that may name a place, or the refusal of that place.
pub(super) fn in_place<'a>(
    place: Option<Result<PlaceName, Reply>>,
    decoded: impl FnOnce(Option<PlaceName>) -> Decoded<'a>,
) -> Decoded<'a> {
    place.transpose().map_or_else(Decoded::Reply, decoded)
}
