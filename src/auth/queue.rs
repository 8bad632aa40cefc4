//! The passwords that wait: bounded in all and per address, drawn in turns.

use std::collections::VecDeque;
use std::net::IpAddr;

use super::request::Request;
use crate::limits::QUEUE_PER_ADDRESS;

/// A request that waits.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) ticket: u64,
    pub(super) request: Request,
}

/// Whose requests these are: one address, or all who are exempt from the rules for addresses together.
#[derive(Debug)]
struct Party {
    origin: Option<IpAddr>,
    jobs: VecDeque<Job>,
}

/// A queue in which an address with many requests does not go before one with a single one. Everything in it is
/// found by walking along it: it is short by its bound.
#[derive(Debug)]
pub(super) struct Queue {
    bound: usize,
    waiting: usize,
    /// In the order of their turns; none is without jobs.
    parties: VecDeque<Party>,
}

impl Queue {
    /// An empty queue that takes `bound` requests.
    pub(super) fn new(bound: usize) -> Self {
        Self { bound, waiting: 0, parties: VecDeque::new() }
    }

    /// Another bound. What waits already goes on waiting.
    pub(super) fn set_bound(&mut self, bound: usize) {
        self.bound = bound;
    }

    /// How many wait.
    pub(super) fn len(&self) -> usize {
        self.waiting
    }

    /// Queues a request, or gives it back when there is no room for it.
    pub(super) fn push(&mut self, origin: Option<IpAddr>, job: Job) -> Result<(), Job> {
        if self.waiting >= self.bound {
            return Err(job);
        }
        match self.parties.iter_mut().find(|party| party.origin == origin) {
            Some(party) if origin.is_some() && party.jobs.len() >= QUEUE_PER_ADDRESS => return Err(job),
            Some(party) => party.jobs.push_back(job),
            None => self.parties.push_back(Party { origin, jobs: VecDeque::from([job]) }),
        }
        self.waiting += 1;
        Ok(())
    }

    /// The next request; its party goes to the end of the turns.
    pub(super) fn pop(&mut self) -> Option<Job> {
        let mut party = self.parties.pop_front()?;
        let job = party.jobs.pop_front();
        if !party.jobs.is_empty() {
            self.parties.push_back(party);
        }
        self.waiting -= usize::from(job.is_some());
        job
    }

    /// Takes a request out. `None` if it does not wait (any more).
    pub(super) fn remove(&mut self, ticket: u64) -> Option<Job> {
        let job = self.parties.iter_mut().find_map(|party| {
            let at = party.jobs.iter().position(|job| job.ticket == ticket)?;
            party.jobs.remove(at)
        })?;
        self.parties.retain(|party| !party.jobs.is_empty());
        self.waiting -= 1;
        Some(job)
    }
}

#[cfg(test)]
mod tests {
    use super::super::request::Secret;
    use super::*;
    use crate::hub::names::UserName;

    fn job(ticket: u64) -> Job {
        let name = UserName::parse("alice").unwrap();
        Job { ticket, request: Request::Check { name, password: Secret::new(Vec::new()) } }
    }

    fn address(last: u8) -> Option<IpAddr> {
        Some(IpAddr::from([192, 0, 2, last]))
    }

    #[track_caller]
    fn check(queue: &mut Queue, expected: &[u64]) {
        let drawn = std::iter::from_fn(|| queue.pop()).map(|job| job.ticket).collect::<Vec<_>>();
        assert_eq!(drawn, expected);
        assert_eq!(queue.len(), 0);
    }

    #[test]
    fn addresses_take_turns() {
        let mut queue = Queue::new(64);
        for (origin, ticket) in [(1, 10), (1, 11), (1, 12), (2, 20), (3, 30), (2, 21)] {
            queue.push(address(origin), job(ticket)).unwrap();
        }
        queue.push(None, job(40)).unwrap();
        queue.push(None, job(41)).unwrap();
        assert_eq!(queue.len(), 8);
        check(&mut queue, &[10, 20, 30, 40, 11, 21, 41, 12]);
    }

    #[test]
    fn bounds_hold() {
        let mut queue = Queue::new(10);
        for ticket in 0..QUEUE_PER_ADDRESS as u64 {
            queue.push(address(1), job(ticket)).unwrap();
        }
        assert_eq!(queue.push(address(1), job(99)).unwrap_err().ticket, 99);
        for ticket in 4..10 {
            queue.push(None, job(ticket)).unwrap();
        }
        assert!(queue.push(address(2), job(99)).is_err());
        assert!(queue.push(None, job(99)).is_err());
        queue.set_bound(11);
        queue.push(address(2), job(10)).unwrap();
        queue.set_bound(1);
        assert_eq!(queue.len(), 11);
        check(&mut queue, &[0, 4, 10, 1, 5, 2, 6, 3, 7, 8, 9]);
        queue.push(address(1), job(11)).unwrap();
        check(&mut queue, &[11]);
    }

    #[test]
    fn removal() {
        let mut queue = Queue::new(64);
        for (origin, ticket) in [(1, 10), (1, 11), (2, 20), (1, 12)] {
            queue.push(address(origin), job(ticket)).unwrap();
        }
        assert_eq!(queue.remove(11).unwrap().ticket, 11);
        assert_eq!(queue.remove(20).unwrap().ticket, 20);
        assert!(queue.remove(20).is_none());
        assert_eq!(queue.len(), 2);
        check(&mut queue, &[10, 12]);
    }
}
