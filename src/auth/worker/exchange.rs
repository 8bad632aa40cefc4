//! Where the loop and the worker meet: requests one way, answers the other. Neither holds the lock for longer than
//! it takes to put something in or take it out.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use super::queue::{Job, Queue};
use crate::auth::request::{Answer, Origin, Refused, Verdict};
use crate::limits::{self, Argon2Cost};

/// The two ways between the loop and the worker.
#[derive(Debug)]
pub(in crate::auth) struct Exchange {
    state: Mutex<State>,
    bell: Condvar,
}

#[derive(Debug)]
struct State {
    queue: Queue,
    /// Tickets that the worker has taken and not answered yet.
    under_way: Vec<u64>,
    answers: VecDeque<Answer>,
    cost: Argon2Cost,
    open: bool,
    /// The worker is no more, and the loop has not asked for that yet.
    is_lost: bool,
}

/// What the worker finds when it looks for work.
#[derive(Debug)]
pub(in crate::auth) enum Next {
    /// A request, and what a new hash costs by now.
    Job(Job, Argon2Cost),
    /// Nobody waits.
    Nobody,
    /// The end: what waits is not asked for any more.
    Closing,
}

impl Exchange {
    /// Empty, with the bound and the cost of `rules`.
    pub(in crate::auth) fn new(rules: &limits::Accounts) -> Self {
        let state = State {
            queue: Queue::new(bound(rules)),
            under_way: Vec::new(),
            answers: VecDeque::new(),
            cost: rules.argon2,
            open: true,
            is_lost: false,
        };
        Self { state: Mutex::new(state), bell: Condvar::new() }
    }

    /// Puts a request into the queue. True if another one has made room for it, which is answered by that.
    pub(in crate::auth) fn submit(&self, origin: Option<Origin>, job: Job) -> Result<bool, Refused> {
        let mut state = self.lock();
        if !state.open {
            return Err(Refused::Full);
        }
        let pushed = state.queue.push(origin, job);
        if let Ok(Some(Job { ticket, .. })) = pushed {
            state.answers.push_back(Answer { ticket, verdict: Verdict::Busy });
        }
        // What did not fit is dropped, and wiped, outside the lock.
        drop(state);
        let displaced = pushed.map_err(|_| Refused::Full)?;
        self.bell.notify_one();
        Ok(displaced.is_some())
    }

    /// Takes a request back. False if it does not wait (any more).
    pub(in crate::auth) fn cancel(&self, ticket: u64) -> bool {
        let removed = self.lock().queue.remove(ticket);
        removed.is_some()
    }

    /// An answer, if there is one.
    pub(in crate::auth) fn poll_answer(&self) -> Option<Answer> {
        self.lock().answers.pop_front()
    }

    /// Whether the worker has given up; true once.
    pub(in crate::auth) fn poll_loss(&self) -> bool {
        std::mem::take(&mut self.lock().is_lost)
    }

    /// How many requests wait.
    pub(in crate::auth) fn waiting(&self) -> usize {
        self.lock().queue.len()
    }

    /// New rules, from the next request on.
    pub(in crate::auth) fn reconfigure(&self, rules: &limits::Accounts) {
        let mut state = self.lock();
        state.queue.set_bound(bound(rules));
        state.cost = rules.argon2;
    }

    /// Ends it: the worker finishes what it has begun and goes.
    pub(in crate::auth) fn close(&self) {
        self.lock().open = false;
        self.bell.notify_all();
    }

    /// The worker's: what is to be done. With `may_sleep` it waits until there is something.
    pub(in crate::auth) fn next(&self, may_sleep: bool) -> Next {
        let mut state = self.lock();
        loop {
            if !state.open {
                return Next::Closing;
            }
            if let Some(job) = state.queue.pop() {
                state.under_way.push(job.ticket);
                return Next::Job(job, state.cost);
            }
            if !may_sleep {
                return Next::Nobody;
            }
            state = self.bell.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// The worker's: these are done. False if there is nothing to wake the loop for.
    pub(in crate::auth) fn answer(&self, answers: impl IntoIterator<Item = Answer>) -> bool {
        let mut state = self.lock();
        for answer in answers {
            state.under_way.retain(|ticket| *ticket != answer.ticket);
            state.answers.push_back(answer);
        }
        !state.answers.is_empty()
    }

    /// The worker is no more: everybody who waits is told so, and nobody else is let in.
    pub(in crate::auth) fn give_up(&self) {
        let mut state = self.lock();
        (state.open, state.is_lost) = (false, true);
        let mut tickets = std::mem::take(&mut state.under_way);
        tickets.extend(std::iter::from_fn(|| state.queue.pop()).map(|job| job.ticket));
        state.answers.extend(tickets.into_iter().map(|ticket| Answer { ticket, verdict: Verdict::Unavailable }));
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing in here is left half done by a panic: each change of the state is one call.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn bound(rules: &limits::Accounts) -> usize {
    usize::try_from(rules.queue).unwrap_or(usize::MAX)
}
