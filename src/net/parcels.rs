//! What waits to be sent through a datagram socket: a bounded queue, in which each text stands once, however many hear
//! it.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::ops::Range;

use crate::limits::{DATAGRAM_BYTES, DATAGRAM_QUEUE, DATAGRAM_QUEUE_BYTES};

/// The queue of one socket.
#[derive(Debug, Default)]
pub(super) struct Parcels {
    queue: VecDeque<Parcel>,
    bytes: Vec<u8>,
}

/// One datagram that is to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Parcel {
    /// Where to.
    pub(super) to: SocketAddr,
    bytes: Range<usize>,
}

/// What came of a text that was to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Written {
    /// It may be queued, until the next [`Parcels::tidy`].
    At(Range<usize>),
    /// It does not fit into a datagram.
    TooLong,
    /// There is no room for it.
    Full,
}

impl Parcels {
    /// Makes room for one text, of which `encode` appends as much as is to be sent, [`DATAGRAM_BYTES`] at most: nothing
    /// if it gives `false`, which is when that is too little.
    pub(super) fn write(&mut self, encode: impl FnOnce(&mut Vec<u8>) -> bool) -> Written {
        if self.bytes.len() + DATAGRAM_BYTES > DATAGRAM_QUEUE_BYTES {
            return Written::Full;
        }
        let start = self.bytes.len();
        if encode(&mut self.bytes) { Written::At(start..self.bytes.len()) } else { Written::TooLong }
    }

    /// Queues what was written for one more receiver. False if the queue is full.
    pub(super) fn push(&mut self, to: SocketAddr, bytes: Range<usize>) -> bool {
        let fits = !self.is_full();
        if fits {
            self.queue.push_back(Parcel { to, bytes });
        }
        fits
    }

    /// Whether nothing waits.
    pub(super) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    /// Whether no more may wait.
    pub(super) fn is_full(&self) -> bool {
        self.queue.len() >= DATAGRAM_QUEUE
    }

    /// Those that wait, the first to be sent first.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Parcel> {
        self.queue.iter()
    }

    /// What a parcel holds.
    pub(super) fn contents(&self, parcel: &Parcel) -> &[u8] {
        self.bytes.get(parcel.bytes.clone()).unwrap_or_default()
    }

    /// The first `count` are gone.
    pub(super) fn sent(&mut self, count: usize) {
        self.queue.drain(..count.min(self.queue.len()));
    }

    /// Gives back the room of texts that nobody waits for any more. What was written before must not be pushed after
    /// it.
    pub(super) fn tidy(&mut self) {
        if self.queue.is_empty() {
            self.bytes.clear();
            self.bytes.shrink_to(DATAGRAM_QUEUE_BYTES / 16);
        } else if self.bytes.len() > DATAGRAM_QUEUE_BYTES / 2 {
            // The kernel takes less than there is to say. The room must come back while the queue is never empty.
            let used = self.queue.iter().map(|parcel| parcel.bytes.start).min().unwrap_or_default();
            self.bytes.drain(..used.min(self.bytes.len()));
            for Parcel { bytes, .. } in &mut self.queue {
                *bytes = bytes.start - used..bytes.end - used;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn to(port: u16) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], port))
    }

    fn say(parcels: &mut Parcels, text: &[u8]) -> Written {
        parcels.write(|out| {
            out.extend_from_slice(text);
            true
        })
    }

    #[track_caller]
    fn said(parcels: &mut Parcels, text: &[u8]) -> Range<usize> {
        match say(parcels, text) {
            Written::At(bytes) => bytes,
            Written::TooLong | Written::Full => panic!("no room"),
        }
    }

    #[track_caller]
    fn check(parcels: &Parcels, expected: &[(u16, &[u8])]) {
        let waiting: Vec<_> = parcels.iter().map(|parcel| (parcel.to.port(), parcels.contents(parcel))).collect();
        assert_eq!(waiting, expected);
    }

    #[test]
    fn a_text_stands_once_for_all_who_hear_it() {
        let mut parcels = Parcels::default();
        let (hi, ho) = (said(&mut parcels, b"hi"), said(&mut parcels, b"ho"));
        assert!(parcels.push(to(1), hi.clone()) && parcels.push(to(2), ho) && parcels.push(to(3), hi));
        check(&parcels, &[(1, b"hi"), (2, b"ho"), (3, b"hi")]);
        parcels.sent(2);
        check(&parcels, &[(3, b"hi")]);
        parcels.sent(9);
        parcels.tidy();
        assert!(parcels.is_empty() && parcels.bytes.is_empty());
    }

    #[test]
    fn what_is_too_long_leaves_nothing_behind() {
        let mut parcels = Parcels::default();
        assert_eq!(parcels.write(|_| false), Written::TooLong);
        assert_eq!(said(&mut parcels, b"hi"), 0..2);
    }

    #[test]
    fn no_more_than_so_many_wait() {
        let mut parcels = Parcels::default();
        let hi = said(&mut parcels, b"hi");
        for _ in 0..DATAGRAM_QUEUE {
            assert!(parcels.push(to(1), hi.clone()));
        }
        assert!(!parcels.push(to(1), hi.clone()));
        assert!(parcels.is_full());
        parcels.sent(1);
        assert!(parcels.push(to(1), hi.clone()) && !parcels.push(to(1), hi));
    }

    #[test]
    fn no_more_than_so_many_bytes_wait_also_when_nothing_is_ever_all_sent() {
        let mut parcels = Parcels::default();
        let text = |n: usize| [n as u8; DATAGRAM_BYTES];
        let (mut written, mut refused) = (0, 0);
        for n in 0..2000 {
            match say(&mut parcels, &text(n)) {
                Written::At(bytes) => {
                    written += 1;
                    // Two hear each text, the second of them after the next speaker's first.
                    assert!(parcels.push(to(n as u16), bytes));
                }
                Written::Full => refused += 1,
                Written::TooLong => panic!("it is not"),
            }
            assert!(parcels.bytes.len() <= DATAGRAM_QUEUE_BYTES);
            if n % 2 == 0 {
                parcels.sent(1); // half of what is said
            }
            parcels.tidy();
            for parcel in parcels.iter() {
                assert_eq!(parcels.contents(parcel), text(parcel.to.port().into()));
            }
        }
        let most = DATAGRAM_QUEUE_BYTES / DATAGRAM_BYTES;
        assert_eq!((written + refused, parcels.queue.len()), (2000, written - 1000));
        assert!(refused > 700 && parcels.queue.len() >= most - 2, "{refused} refused, {} wait", parcels.queue.len());
    }

    #[test]
    fn the_room_of_the_least_is_what_comes_back() {
        let mut parcels = Parcels::default();
        let (first, second) = (said(&mut parcels, b"first"), said(&mut parcels, b"second"));
        for _ in 0..DATAGRAM_QUEUE_BYTES / DATAGRAM_BYTES - 1 {
            said(&mut parcels, &[b'x'; DATAGRAM_BYTES]);
        }
        assert!(parcels.push(to(1), second) && parcels.push(to(2), first));
        parcels.tidy();
        check(&parcels, &[(1, b"second"), (2, b"first")]);
        parcels.sent(1);
        parcels.tidy();
        check(&parcels, &[(2, b"first")]);
    }
}
