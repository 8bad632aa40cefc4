//! Poll tokens: the source of an event. A connection's token is its slot and generation, so that an event of a
//! connection that has ended finds none.

use mio::Token;

use crate::engine::ConnId;

/// The source of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// A listener, by index.
    Listener(usize),
    /// Another thread has a message for the loop.
    Waker,
    /// A signal has arrived.
    Signals,
    /// A datagram socket, by index.
    Datagrams(usize),
    /// A connection.
    Connection(ConnId),
}

const GENERATION_SHIFT: u32 = 32;
/// No connection has this generation: these tokens are the loop's own sources.
const OWN: u32 = 0;
const WAKER_SLOT: u32 = u32::MAX;
const SIGNALS_SLOT: u32 = u32::MAX - 1;
/// Datagram sockets count from here up to those two; listeners are below.
const DATAGRAM_SLOTS: u32 = 1 << 31;

impl Source {
    /// The token to register the source with.
    pub(crate) fn token(self) -> Token {
        let (slot, generation) = match self {
            Self::Listener(place) => (place as u32, OWN),
            Self::Waker => (WAKER_SLOT, OWN),
            Self::Signals => (SIGNALS_SLOT, OWN),
            Self::Datagrams(place) => (DATAGRAM_SLOTS | place as u32, OWN),
            Self::Connection(id) => (id.slot, id.generation),
        };
        Token(slot as usize | (generation as usize) << GENERATION_SHIFT)
    }
}

impl From<Token> for Source {
    fn from(token: Token) -> Self {
        let (slot, generation) = (token.0 as u32, (token.0 >> GENERATION_SHIFT) as u32);
        match (generation, slot) {
            (OWN, WAKER_SLOT) => Self::Waker,
            (OWN, SIGNALS_SLOT) => Self::Signals,
            (OWN, slot) if slot >= DATAGRAM_SLOTS => Self::Datagrams((slot - DATAGRAM_SLOTS) as usize),
            (OWN, place) => Self::Listener(place as usize),
            (generation, slot) => Self::Connection(ConnId { slot, generation }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_come_back_as_what_they_were() {
        let id = ConnId { slot: 7, generation: u32::MAX };
        let own = [Source::Listener(0), Source::Listener(9), Source::Waker, Source::Signals];
        for source in [&own[..], &[Source::Datagrams(0), Source::Datagrams(9), Source::Connection(id)]].concat() {
            assert_eq!(Source::from(source.token()), source);
        }
    }
}
