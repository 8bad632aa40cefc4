//! The queue of searches, in which accounts take turns.

use std::collections::VecDeque;

use super::Searching;
use crate::hub::record::Account;
use crate::limits::SEARCHES;
use crate::mailbox::{self, Job};

/// Up to [`SEARCHES`] searches. All look-ups are linear, because the queue is short.
#[derive(Default)]
pub(super) struct Turns {
    /// In the order of their turns. Each has at least one search.
    accounts: VecDeque<(Account, VecDeque<Job<Searching>>)>,
}

impl mailbox::Queue<Searching> for Turns {
    /// Queues a search. If there is no room, the account with most searches loses its newest one, if it has at least two
    /// more than this account.
    fn push(&mut self, who: Account, job: Job<Searching>) -> Result<Option<Job<Searching>>, Job<Searching>> {
        let mut displaced = None;
        if self.waiting() >= SEARCHES {
            let own = self.accounts.iter().find(|(other, _)| *other == who).map_or(0, |(_, jobs)| jobs.len());
            let largest = self.accounts.iter_mut().max_by_key(|(_, jobs)| jobs.len());
            displaced = largest.filter(|(_, jobs)| jobs.len() >= own + 2).and_then(|(_, jobs)| jobs.pop_back());
            if displaced.is_none() {
                return Err(job);
            }
        }
        match self.accounts.iter_mut().find(|(other, _)| *other == who) {
            Some((_, jobs)) => jobs.push_back(job),
            None => self.accounts.push_back((who, VecDeque::from([job]))),
        }
        Ok(displaced)
    }

    /// Takes the next search. Its account moves to the end of the turns.
    fn pop(&mut self) -> Option<Job<Searching>> {
        let (who, mut jobs) = self.accounts.pop_front()?;
        let job = jobs.pop_front();
        if !jobs.is_empty() {
            self.accounts.push_back((who, jobs));
        }
        job
    }

    fn remove(&mut self, number: u64) -> Option<Job<Searching>> {
        let find = |jobs: &VecDeque<Job<Searching>>| jobs.iter().position(|job| job.ticket.number == number);
        let removed = self.accounts.iter_mut().find_map(|(_, jobs)| find(jobs).and_then(|at| jobs.remove(at)));
        self.accounts.retain(|(_, jobs)| !jobs.is_empty());
        removed
    }

    fn waiting(&self) -> usize {
        self.accounts.iter().map(|(_, jobs)| jobs.len()).sum()
    }
}
