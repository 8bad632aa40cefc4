//! The heap of an outbox: its list of pieces and the bytes that only its connection receives.

use std::collections::VecDeque;

use super::piece::Piece;

/// Queues kept for reuse.
const SPARES: usize = 64;
/// The largest queue that is kept for reuse, in bytes of heap.
const SPARE_BYTES: usize = 2048;

/// The part of an outbox behind its first piece.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    /// The pieces behind the first.
    pub(crate) pieces: VecDeque<Piece>,
    /// Bytes that only this connection receives.
    pub(crate) own: Vec<u8>,
    /// The position in `own` of each frame's first byte, ascending. A frame ends where the next one starts, or at the
    /// end of its piece.
    pub(crate) starts: Vec<u32>,
}

impl Queue {
    /// The heap that it takes, in bytes, including the queue itself.
    pub(crate) fn heap_bytes(&self) -> usize {
        let pieces = self.pieces.capacity() * size_of::<Piece>();
        let starts = self.starts.capacity() * size_of::<u32>();
        size_of::<Self>() + pieces + starts + self.own.capacity()
    }

    /// Removes the first `count` bytes of `own`, which no piece refers to, and half of the memory that is then unused.
    pub(crate) fn cut(&mut self, count: usize) {
        self.own.drain(..count);
        self.own.shrink_to(self.own.len() * 2);
        let gone = self.starts.partition_point(|start| (*start as usize) < count);
        self.starts.drain(..gone);
        self.starts.shrink_to(self.starts.len() * 2);
        for start in &mut self.starts {
            *start -= count as u32;
        }
    }

    fn clear(&mut self) {
        self.pieces.clear();
        self.own.clear();
        self.starts.clear();
    }
}

/// Empty queues that are used again, so that a reply allocates nothing in the steady state. At most [`SPARES`] of
/// [`SPARE_BYTES`] each.
#[derive(Debug, Default)]
pub(super) struct Spares {
    #[expect(clippy::vec_box, reason = "a box moves from an outbox to the list and back as it is")]
    queues: Vec<Box<Queue>>,
}

impl Spares {
    /// An empty queue.
    pub(super) fn take(&mut self) -> Box<Queue> {
        self.queues.pop().unwrap_or_default()
    }

    /// Keeps a queue for reuse if it is small and there is room.
    pub(super) fn put(&mut self, mut queue: Box<Queue>) {
        if self.queues.len() < SPARES && queue.heap_bytes() <= SPARE_BYTES {
            queue.clear();
            self.queues.push(queue);
        }
    }

    /// Releases all of them.
    pub(super) fn clear(&mut self) {
        self.queues = Vec::new();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_queues_are_used_again() {
        let mut spares = Spares::default();
        let mut queue = spares.take();
        queue.own.extend_from_slice(b"reply");
        queue.starts.push(0);
        let capacity = queue.own.capacity();
        spares.put(queue);
        let queue = spares.take();
        assert_eq!((queue.own.len(), queue.starts.len(), queue.own.capacity()), (0, 0, capacity));
    }

    #[test]
    fn spares_have_a_bound() {
        let mut spares = Spares::default();
        let mut large = spares.take();
        large.own.reserve(SPARE_BYTES);
        spares.put(large);
        assert!(spares.queues.is_empty());
        for _ in 0..2 * SPARES {
            spares.put(Box::default());
        }
        assert_eq!(spares.queues.len(), SPARES);
        spares.clear();
        assert_eq!(spares.queues.capacity(), 0);
    }
}
