//! The queue of passwords: bounded in total, per address and per network, and served in turns. Operators do not wait
//! in it, so that no flood of passwords keeps them from banning.

use std::collections::VecDeque;
use std::net::IpAddr;

use super::Hashing;
use crate::auth::request::{Asked, Origin};
use crate::limits::{QUEUE_OF_OPERATORS, QUEUE_PER_ADDRESS, QUEUE_PER_NETWORK};
use crate::mailbox;

/// A request in the queue.
pub(super) type Job = mailbox::Job<Hashing>;

/// The requests of one network, or of all origins that are exempt from the per-address rules.
struct Network {
    network: Option<IpAddr>,
    /// In the order of their turns. Each has at least one job.
    parties: VecDeque<Party>,
}

/// The requests of one address.
struct Party {
    address: Option<IpAddr>,
    /// The oldest first, each with its arrival number.
    jobs: VecDeque<(u64, Job)>,
}

/// A queue in which networks take turns, and the addresses of a network too, however many requests each has. All
/// searches are linear, because the queue is short.
pub(in crate::auth) struct Queue {
    bound: usize,
    waiting: usize,
    arrivals: u64,
    /// In the order of their turns. Each has at least one party.
    networks: VecDeque<Network>,
    /// The requests of operators, at most [`QUEUE_OF_OPERATORS`], the oldest first. They come before all others.
    operators: VecDeque<Job>,
}

impl Queue {
    /// An empty queue for up to `bound` requests.
    pub(in crate::auth) fn new(bound: usize) -> Self {
        Self { bound, waiting: 0, arrivals: 0, networks: VecDeque::new(), operators: VecDeque::new() }
    }

    /// Changes the bound. Requests in the queue stay.
    pub(in crate::auth) fn set_bound(&mut self, bound: usize) {
        self.bound = bound;
    }
}

impl mailbox::Queue<Hashing> for Queue {
    /// Queues a request. If there is no room, the party (or network) with most requests loses its newest one, if it has
    /// at least two more than the origin of this request.
    fn push(&mut self, origin: Option<Origin>, job: Job) -> Result<Option<Job>, Job> {
        if job.ticket.asked == Asked::Deed {
            if self.operators.len() >= QUEUE_OF_OPERATORS {
                return Err(job);
            }
            self.operators.push_back(job);
            return Ok(None);
        }
        let (address, network) = (origin.map(|origin| origin.address), origin.map(|origin| origin.network));
        let mine = self.networks.iter().find(|other| other.network == network);
        let of_network = mine.map_or(0, Network::len);
        let of_address = mine.and_then(|mine| mine.party(address)).map_or(0, |party| party.jobs.len());
        let has_bounds = origin.is_some();
        if has_bounds && of_address >= QUEUE_PER_ADDRESS {
            return Err(job);
        }
        let displaced = if has_bounds && of_network >= QUEUE_PER_NETWORK {
            mine.and_then(|mine| mine.newest_of_most(of_address + 2))
        } else if self.waiting >= self.bound {
            let largest = self.networks.iter().filter(|other| other.len() >= of_network + 2).max_by_key(|it| it.len());
            let party = || self.networks.iter().filter_map(|other| other.newest_of_most(of_address + 2)).max();
            largest.and_then(|largest| largest.newest_of_most(1)).or_else(party)
        } else {
            self.add(address, network, job);
            return Ok(None);
        };
        let Some(displaced) = displaced.and_then(|newest| self.take_out(|arrival, _| arrival == newest.arrival)) else {
            return Err(job);
        };
        self.add(address, network, job);
        Ok(Some(displaced))
    }

    /// Takes the next request. Its network and its party move to the end of their turns.
    fn pop(&mut self) -> Option<Job> {
        if let Some(job) = self.operators.pop_front() {
            return Some(job);
        }
        let mut network = self.networks.pop_front()?;
        let mut party = network.parties.pop_front()?;
        let job = party.jobs.pop_front().map(|(_, job)| job);
        if !party.jobs.is_empty() {
            network.parties.push_back(party);
        }
        if !network.parties.is_empty() {
            self.networks.push_back(network);
        }
        self.waiting -= usize::from(job.is_some());
        job
    }

    /// Takes out the request with this number; `None` if it is not in the queue.
    fn remove(&mut self, number: u64) -> Option<Job> {
        let of_operator = self.operators.iter().position(|job| job.ticket.number == number);
        let of_operator = of_operator.and_then(|at| self.operators.remove(at));
        of_operator.or_else(|| self.take_out(|_, job| job.ticket.number == number))
    }

    fn waiting(&self) -> usize {
        self.waiting + self.operators.len()
    }
}

impl Queue {
    fn add(&mut self, address: Option<IpAddr>, network: Option<IpAddr>, job: Job) {
        let job = (self.arrivals, job);
        self.arrivals += 1;
        self.waiting += 1;
        let party = |job| Party { address, jobs: VecDeque::from([job]) };
        match self.networks.iter_mut().find(|other| other.network == network) {
            Some(mine) => match mine.parties.iter_mut().find(|party| party.address == address) {
                Some(party) => party.jobs.push_back(job),
                None => mine.parties.push_back(party(job)),
            },
            None => self.networks.push_back(Network { network, parties: VecDeque::from([party(job)]) }),
        }
    }

    fn take_out(&mut self, is_it: impl Fn(u64, &Job) -> bool) -> Option<Job> {
        let mut parties = self.networks.iter_mut().flat_map(|network| network.parties.iter_mut());
        let (_, job) = parties.find_map(|party| {
            let at = party.jobs.iter().position(|(arrival, job)| is_it(*arrival, job))?;
            party.jobs.remove(at)
        })?;
        self.waiting -= 1;
        for network in &mut self.networks {
            network.parties.retain(|party| !party.jobs.is_empty());
        }
        self.networks.retain(|network| !network.parties.is_empty());
        Some(job)
    }
}

/// The newest request of a party. Of two, the greater is displaced first: that of the larger party, then the newer one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Newest {
    /// The number of requests of the party.
    of: usize,
    arrival: u64,
}

impl Network {
    /// The number of requests of the network.
    fn len(&self) -> usize {
        self.parties.iter().map(|party| party.jobs.len()).sum()
    }

    fn party(&self, address: Option<IpAddr>) -> Option<&Party> {
        self.parties.iter().find(|party| party.address == address)
    }

    /// The newest request of the largest party, if that has at least `least` requests.
    fn newest_of_most(&self, least: usize) -> Option<Newest> {
        let newest = |party: &Party| Some(Newest { of: party.jobs.len(), arrival: party.jobs.back()?.0 });
        self.parties.iter().filter_map(newest).max().filter(|newest| newest.of >= least)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::deed::Deed;
    use crate::auth::request::{Asked, Request, Secret};
    use crate::hub::names::UserName;
    use crate::mailbox::{Queue as _, Ticket};

    fn job(ticket: u64) -> Job {
        let name = UserName::parse("alice").unwrap();
        let ticket = Ticket { number: ticket, asked: Asked::Check };
        Job { ticket, request: Request::Check { name, password: Secret::new(Vec::new()) } }
    }

    /// An address of a network.
    fn at(network: u8, host: u8) -> Option<Origin> {
        let (address, network) = (IpAddr::from([192, 0, network, host]), IpAddr::from([192, 0, network, 0]));
        Some(Origin { address, network })
    }

    /// The result of a push: nothing, the number of the displaced request, or a refusal.
    #[track_caller]
    fn check(queue: &mut Queue, origin: Option<Origin>, ticket: u64, expected: Result<Option<u64>, ()>) {
        let pushed = queue.push(origin, job(ticket));
        let pushed = pushed.map(|displaced| displaced.map(|job| job.ticket.number)).map_err(|refused| {
            assert_eq!(refused.ticket.number, ticket);
        });
        assert_eq!(pushed, expected, "{ticket} of {origin:?}");
    }

    #[track_caller]
    fn check_drawn(queue: &mut Queue, expected: &[u64]) {
        let drawn = std::iter::from_fn(|| queue.pop()).map(|job| job.ticket.number).collect::<Vec<_>>();
        assert_eq!(drawn, expected);
        assert_eq!((queue.waiting(), queue.networks.len()), (0, 0));
    }

    #[test]
    fn networks_take_turns_and_their_addresses_too() {
        let mut queue = Queue::new(64);
        for (origin, ticket) in [(at(1, 1), 10), (at(1, 1), 11), (at(1, 2), 20), (at(2, 1), 30), (at(1, 1), 12)] {
            check(&mut queue, origin, ticket, Ok(None));
        }
        for ticket in [40, 41, 42] {
            check(&mut queue, None, ticket, Ok(None));
        }
        assert_eq!(queue.waiting(), 8);
        check_drawn(&mut queue, &[10, 30, 40, 20, 41, 11, 42, 12]);
    }

    #[test]
    fn an_address_and_a_network_have_so_many() {
        let mut queue = Queue::new(1000);
        for host in 0..8 {
            for n in 0..4 {
                check(&mut queue, at(1, host), u64::from(host) * 10 + n, Ok(None));
            }
            check(&mut queue, at(1, host), 99, Err(()));
        }
        // The network is at its bound. An address without requests displaces the newest request of the largest party.
        for (ticket, displaced) in [(100, 73), (101, 63), (102, 53), (103, 43)] {
            check(&mut queue, at(1, ticket as u8), ticket, Ok(Some(displaced)));
        }
        for (ticket, displaced) in [(110, 33), (111, 23)] {
            check(&mut queue, at(1, 100), ticket, Ok(Some(displaced)));
        }
        // It has three now, and the others have three or four.
        check(&mut queue, at(1, 100), 112, Err(()));
        // Other networks are not affected, and exempt requests have neither bound.
        check(&mut queue, at(2, 1), 200, Ok(None));
        for ticket in 300..400 {
            check(&mut queue, None, ticket, Ok(None));
        }
    }

    #[test]
    fn in_a_full_queue_the_newest_of_the_party_with_most_makes_room() {
        let mut queue = Queue::new(6);
        for (host, ticket) in [(1, 10), (2, 20), (1, 11), (1, 12), (2, 21), (1, 13)] {
            check(&mut queue, at(1, host), ticket, Ok(None));
        }
        check(&mut queue, at(1, 3), 30, Ok(Some(13)));
        check(&mut queue, at(1, 4), 40, Ok(Some(12)));
        check(&mut queue, at(1, 5), 50, Ok(Some(21)));
        check(&mut queue, at(1, 6), 60, Ok(Some(11)));
        // Every party has one request, and none has two more than another.
        check(&mut queue, at(1, 7), 70, Err(()));
        check(&mut queue, at(1, 1), 14, Err(()));
        check_drawn(&mut queue, &[10, 20, 30, 40, 50, 60]);
    }

    #[test]
    fn in_a_full_queue_a_network_of_many_makes_room_though_each_has_but_one() {
        let mut queue = Queue::new(6);
        for host in 0..6 {
            check(&mut queue, at(1, host), u64::from(host), Ok(None));
        }
        check(&mut queue, at(2, 1), 20, Ok(Some(5)));
        check(&mut queue, None, 30, Ok(Some(4)));
        check(&mut queue, at(2, 2), 21, Ok(Some(3)));
        check(&mut queue, at(2, 3), 22, Err(()));
        check(&mut queue, at(3, 1), 31, Ok(Some(2)));
        check(&mut queue, at(4, 1), 41, Ok(Some(21)));
        check_drawn(&mut queue, &[0, 20, 30, 31, 41, 1]);
    }

    #[test]
    fn another_bound_holds_for_what_comes() {
        let mut queue = Queue::new(2);
        check(&mut queue, at(1, 1), 1, Ok(None));
        check(&mut queue, at(2, 1), 2, Ok(None));
        check(&mut queue, at(3, 1), 3, Err(()));
        queue.set_bound(3);
        check(&mut queue, at(3, 1), 3, Ok(None));
        queue.set_bound(1);
        assert_eq!(queue.waiting(), 3);
        check(&mut queue, at(4, 1), 4, Err(()));
        check_drawn(&mut queue, &[1, 2, 3]);
        check(&mut queue, at(4, 1), 4, Ok(None));
        check_drawn(&mut queue, &[4]);
    }

    #[test]
    fn operators_come_first_and_are_not_displaced() {
        let deed = |ticket| {
            let ticket = Ticket { number: ticket, asked: Asked::Deed };
            Job { ticket, request: Request::Deed(Deed::Check) }
        };
        let mut queue = Queue::new(2);
        for ticket in [1, 2] {
            check(&mut queue, at(ticket as u8, 1), ticket, Ok(None));
        }
        for ticket in 100..100 + QUEUE_OF_OPERATORS as u64 {
            assert!(queue.push(None, deed(ticket)).is_ok_and(|displaced| displaced.is_none()));
        }
        assert!(queue.push(None, deed(999)).is_err());
        assert_eq!(queue.waiting(), 2 + QUEUE_OF_OPERATORS);
        check(&mut queue, at(3, 1), 3, Err(()));
        assert_eq!(queue.remove(101).unwrap().ticket.number, 101);
        let drawn: Vec<_> = std::iter::from_fn(|| queue.pop()).map(|job| job.ticket.number).collect();
        assert_eq!(drawn[..2], [100, 102]);
        assert_eq!(drawn[QUEUE_OF_OPERATORS - 1..], [1, 2]);
    }

    #[test]
    fn removal() {
        let mut queue = Queue::new(64);
        for (host, ticket) in [(1, 10), (1, 11), (2, 20), (1, 12)] {
            check(&mut queue, at(1, host), ticket, Ok(None));
        }
        assert_eq!(queue.remove(11).unwrap().ticket.number, 11);
        assert_eq!(queue.remove(20).unwrap().ticket.number, 20);
        assert!(queue.remove(20).is_none());
        assert_eq!(queue.waiting(), 2);
        check_drawn(&mut queue, &[10, 12]);
    }
}
