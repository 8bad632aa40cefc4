//! Datagrams that wait to be sent through a socket: a bounded queue, in which each text is stored once for all
//! receivers.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::ops::Range;

use crate::limits::{DATAGRAM_BYTES, DATAGRAM_QUEUE, DATAGRAM_QUEUE_BYTES};

/// The queue of one socket.
#[derive(Debug, Default)]
pub struct SendQueue {
    queue: VecDeque<ToSend>,
    bytes: Vec<u8>,
    /// The socket accepted fewer than offered; its owner reports when it accepts more.
    is_blocked: bool,
}

/// The result of offering datagrams to a socket.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sent {
    /// Number that the kernel accepted.
    pub count: u64,
    /// Number that the kernel refused for a reason of their own, such as no route.
    pub failed: u64,
}

/// One datagram to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToSend {
    /// Its destination.
    pub to: SocketAddr,
    bytes: Range<usize>,
}

/// The result of writing a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Written {
    /// It may be queued, until the next [`SendQueue::tidy`].
    At(Range<usize>),
    /// It does not fit into a datagram.
    TooLong,
    /// There is no room for it; none of its receivers gets it.
    Full,
}

impl SendQueue {
    /// Writes one text, which `encode` appends, at most [`DATAGRAM_BYTES`] long. `encode` returns false if that is too
    /// short.
    pub fn write(&mut self, encode: impl FnOnce(&mut Vec<u8>) -> bool) -> Written {
        if self.queue.len() >= DATAGRAM_QUEUE { Written::Full } else { self.write_again(encode) }
    }

    /// The same for another spelling of a text of which one is queued already: receivers with one spelling have not
    /// used up the room of those with another.
    pub fn write_again(&mut self, encode: impl FnOnce(&mut Vec<u8>) -> bool) -> Written {
        if self.bytes.len() + DATAGRAM_BYTES > DATAGRAM_QUEUE_BYTES {
            return Written::Full;
        }
        let start = self.bytes.len();
        if encode(&mut self.bytes) { Written::At(start..self.bytes.len()) } else { Written::TooLong }
    }

    /// Queues what was written for one more receiver. There is always room: a text goes to all its receivers or to
    /// none, so the queue exceeds [`DATAGRAM_QUEUE`] by at most the members of one room.
    pub fn push(&mut self, to: SocketAddr, bytes: Range<usize>) {
        self.queue.push_back(ToSend { to, bytes });
    }

    /// True if the queue is empty.
    pub fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    /// True if the queue is not empty and the socket accepts datagrams.
    pub fn may_flush(&self) -> bool {
        !self.is_blocked && !self.is_empty()
    }

    /// True if so much is queued that it should be sent now, to make room.
    pub fn wants_flush(&self) -> bool {
        let is_full = self.queue.len() >= DATAGRAM_QUEUE / 2 || self.bytes.len() >= DATAGRAM_QUEUE_BYTES / 2;
        is_full && self.may_flush()
    }

    /// Sets whether the socket accepts no more for now.
    pub fn set_blocked(&mut self, is_blocked: bool) {
        self.is_blocked = is_blocked;
    }

    /// The queued datagrams, in order.
    pub fn iter(&self) -> impl Iterator<Item = &ToSend> {
        self.queue.iter()
    }

    /// The bytes of a datagram.
    pub fn contents(&self, item: &ToSend) -> &[u8] {
        self.bytes.get(item.bytes.clone()).unwrap_or_default()
    }

    /// Removes the first `count` datagrams, which were sent.
    pub fn sent(&mut self, count: usize) {
        self.queue.drain(..count.min(self.queue.len()));
    }

    /// Frees the space of texts that no queued datagram uses. Texts written before must not be pushed afterwards.
    pub fn tidy(&mut self) {
        if self.queue.is_empty() {
            self.bytes.clear();
            self.bytes.shrink_to(DATAGRAM_QUEUE_BYTES / 16);
        } else if self.bytes.len() > DATAGRAM_QUEUE_BYTES / 2 {
            // The kernel accepts less than is queued. Space must be freed although the queue is never empty.
            let used = self.queue.iter().map(|item| item.bytes.start).min().unwrap_or_default();
            self.bytes.drain(..used.min(self.bytes.len()));
            for ToSend { bytes, .. } in &mut self.queue {
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

    fn say(queue: &mut SendQueue, text: &[u8]) -> Written {
        queue.write(|out| {
            out.extend_from_slice(text);
            true
        })
    }

    #[track_caller]
    fn said(queue: &mut SendQueue, text: &[u8]) -> Range<usize> {
        match say(queue, text) {
            Written::At(bytes) => bytes,
            Written::TooLong | Written::Full => panic!("no room"),
        }
    }

    #[track_caller]
    fn check(queue: &SendQueue, expected: &[(u16, &[u8])]) {
        let waiting: Vec<_> = queue.iter().map(|item| (item.to.port(), queue.contents(item))).collect();
        assert_eq!(waiting, expected);
    }

    #[test]
    fn a_text_stands_once_for_all_who_hear_it() {
        let mut queue = SendQueue::default();
        let (hi, ho) = (said(&mut queue, b"hi"), said(&mut queue, b"ho"));
        queue.push(to(1), hi.clone());
        queue.push(to(2), ho);
        queue.push(to(3), hi);
        check(&queue, &[(1, b"hi"), (2, b"ho"), (3, b"hi")]);
        queue.sent(2);
        check(&queue, &[(3, b"hi")]);
        queue.sent(9);
        queue.tidy();
        assert!(queue.is_empty() && queue.bytes.is_empty());
    }

    #[test]
    fn what_is_too_long_leaves_nothing_behind() {
        let mut queue = SendQueue::default();
        assert_eq!(queue.write(|_| false), Written::TooLong);
        assert_eq!(said(&mut queue, b"hi"), 0..2);
    }

    #[test]
    fn no_text_begins_when_so_many_wait_and_one_that_has_begun_goes_to_all() {
        let mut queue = SendQueue::default();
        let hi = said(&mut queue, b"hi");
        for _ in 0..DATAGRAM_QUEUE / 2 {
            assert!(!queue.wants_flush());
            queue.push(to(1), hi.clone());
        }
        assert!(queue.wants_flush());
        let ho = said(&mut queue, b"ho");
        for _ in 0..DATAGRAM_QUEUE {
            queue.push(to(1), ho.clone());
        }
        assert_eq!(say(&mut queue, b"hi"), Written::Full);
        queue.sent(DATAGRAM_QUEUE / 2 + 1);
        said(&mut queue, b"hi");
        queue.set_blocked(true);
        assert!(!queue.wants_flush() && !queue.may_flush());
    }

    #[test]
    fn no_more_than_so_many_bytes_wait_also_when_nothing_is_ever_all_sent() {
        let mut queue = SendQueue::default();
        let text = |n: usize| [n as u8; DATAGRAM_BYTES];
        let (mut written, mut refused) = (0, 0);
        for n in 0..2000 {
            match say(&mut queue, &text(n)) {
                Written::At(bytes) => {
                    written += 1;
                    // Each text has two receivers; the second is queued after the next text's first.
                    queue.push(to(n as u16), bytes);
                }
                Written::Full => refused += 1,
                Written::TooLong => panic!("it is not"),
            }
            assert!(queue.bytes.len() <= DATAGRAM_QUEUE_BYTES);
            if n % 2 == 0 {
                queue.sent(1); // half of what is queued
            }
            queue.tidy();
            for item in queue.iter() {
                assert_eq!(queue.contents(item), text(item.to.port().into()));
            }
        }
        let most = DATAGRAM_QUEUE_BYTES / DATAGRAM_BYTES;
        assert_eq!((written + refused, queue.queue.len()), (2000, written - 1000));
        assert!(refused > 700 && queue.queue.len() >= most - 2, "{refused} refused, {} wait", queue.queue.len());
    }

    #[test]
    fn the_room_of_the_least_is_what_comes_back() {
        let mut queue = SendQueue::default();
        let (first, second) = (said(&mut queue, b"first"), said(&mut queue, b"second"));
        for _ in 0..DATAGRAM_QUEUE_BYTES / DATAGRAM_BYTES - 1 {
            said(&mut queue, &[b'x'; DATAGRAM_BYTES]);
        }
        queue.push(to(1), second);
        queue.push(to(2), first);
        queue.tidy();
        check(&queue, &[(1, b"second"), (2, b"first")]);
        queue.sent(1);
        queue.tidy();
        check(&queue, &[(2, b"first")]);
    }
}
