//! Waits for the store: who waits for what, and until when.

use std::collections::{BTreeMap, VecDeque};

use super::forgets::Taken;
use crate::engine::id::ConnId;
use crate::engine::time::{Millis, NEVER};
use crate::history::Level;
use crate::hub::profile::ProfileKey;
use crate::hub::record::Account;
use crate::limits::{FORGET_WAIT_MS, HISTORY_WAIT_MS};

/// What the answer to a request is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Goal {
    /// These waits of the hub.
    Keep(Vec<u64>),
    /// A page for a connection; of what it has missed if `is_unread`.
    Page { id: ConnId, is_unread: bool },
    /// Counts for a connection.
    Counts(ConnId),
    /// A connection has read a place, shown so, up to this message.
    Mark { id: ConnId, place: Option<Box<str>>, upto: u64 },
    /// How much a session has missed at its login.
    Missed { id: ConnId, is_told: bool },
    /// What this account says of itself, for a connection.
    Profile { id: ConnId, account: Account, showing: Showing },
    /// How loud a place is for the account of a connection, shown so.
    Loud { id: ConnId, place: Box<str>, level: Level },
    /// An account forgets something.
    Forget(Forgetting),
}

/// What is shown of a profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Showing {
    /// What everybody may see: for WHOIS.
    Whois,
    /// What the account itself has set: one value, or all of them.
    Set(Option<ProfileKey>),
    /// How the account calls itself, for all who see it from now on.
    Called,
}

/// A request to forget that is not answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Forgetting {
    /// The connection that has asked.
    pub(super) id: ConnId,
    pub(super) account: Account,
    /// What it takes of the account's rates; `None` if it was given back.
    pub(super) taken: Option<Taken>,
}

impl Goal {
    /// The connection that asked.
    pub(super) fn of(&self) -> Option<ConnId> {
        match self {
            Self::Keep(_) => None,
            Self::Page { id, .. }
            | Self::Counts(id)
            | Self::Mark { id, .. }
            | Self::Missed { id, .. }
            | Self::Profile { id, .. }
            | Self::Loud { id, .. } => Some(*id),
            Self::Forget(forgetting) => Some(forgetting.id),
        }
    }
}

/// A wait that was too long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Overdue {
    /// For the answer to this request.
    Answer(u64, Goal),
    /// For this wait of the hub, of this connection.
    Ticket(u64, ConnId),
}

/// The open requests and waits. A connection has at most one of them, and one for its login.
#[derive(Debug, Default)]
pub(super) struct Waits {
    /// The number of the last request.
    last: u64,
    open: BTreeMap<u64, Goal>,
    /// The waits of the hub, each with the connection that asked.
    tickets: BTreeMap<u64, ConnId>,
    /// When each wait is too long, in this order. Waits that are over may still be here.
    dues: VecDeque<(Millis, Due)>,
    /// The same for requests to forget, which may take longer.
    forget_dues: VecDeque<(Millis, u64)>,
}

#[derive(Clone, Copy, Debug)]
enum Due {
    Answer(u64),
    Ticket(u64),
}

impl Waits {
    /// A number for a request with this goal.
    pub(super) fn open(&mut self, goal: Goal, now: Millis) -> u64 {
        self.last += 1;
        match goal {
            Goal::Forget(_) => self.forget_dues.push_back((now + FORGET_WAIT_MS, self.last)),
            Goal::Keep(_)
            | Goal::Page { .. }
            | Goal::Counts(_)
            | Goal::Mark { .. }
            | Goal::Missed { .. }
            | Goal::Profile { .. }
            | Goal::Loud { .. } => self.dues.push_back((now + HISTORY_WAIT_MS, Due::Answer(self.last))),
        }
        self.open.insert(self.last, goal);
        self.last
    }

    /// Nobody waits for this answer any longer. Of a request to forget it is still heard. True if the request is to be
    /// cancelled.
    pub(super) fn abandon(&mut self, number: u64) -> bool {
        let is_heard = matches!(self.open.get(&number), Some(Goal::Forget(_)));
        !is_heard && self.close(number).is_some()
    }

    /// The answer to a request to forget is late: it is heard when it comes.
    pub(super) fn expect_late(&mut self, number: u64, forgetting: Forgetting) {
        self.open.insert(number, Goal::Forget(forgetting));
    }

    /// Ends all requests to forget: their answers will never come.
    pub(super) fn end_forgets(&mut self) -> Vec<(u64, Forgetting)> {
        let ended = self.open.extract_if(.., |_, goal| matches!(goal, Goal::Forget(_)));
        let ended = ended.filter_map(|(number, goal)| match goal {
            Goal::Forget(forgetting) => Some((number, forgetting)),
            Goal::Keep(_)
            | Goal::Page { .. }
            | Goal::Counts(_)
            | Goal::Mark { .. }
            | Goal::Missed { .. }
            | Goal::Profile { .. }
            | Goal::Loud { .. } => None,
        });
        ended.collect()
    }

    /// A number for a batch with these awaited records. Their waits end by themselves ([`await_ticket`](Self::await_ticket)).
    pub(super) fn open_keep(&mut self, tickets: Vec<u64>) -> u64 {
        self.last += 1;
        if !tickets.is_empty() {
            self.open.insert(self.last, Goal::Keep(tickets));
        }
        self.last
    }

    /// The answer has come, or nobody waits for it any longer: what it was for. `None` if that was so before.
    pub(super) fn close(&mut self, number: u64) -> Option<Goal> {
        self.open.remove(&number)
    }

    /// A connection waits for a record.
    pub(super) fn await_ticket(&mut self, ticket: u64, id: ConnId, now: Millis) {
        self.tickets.insert(ticket, id);
        self.dues.push_back((now + HISTORY_WAIT_MS, Due::Ticket(ticket)));
    }

    /// A wait of the hub is over: the connection that asked. `None` if it was over before.
    pub(super) fn end_ticket(&mut self, ticket: u64) -> Option<ConnId> {
        self.tickets.remove(&ticket)
    }

    /// When the next wait is too long; [`NEVER`] if nobody waits.
    pub(super) fn next_due(&self) -> Millis {
        let forget = self.forget_dues.front().map_or(NEVER, |(due, _)| *due);
        self.dues.front().map_or(NEVER, |(due, _)| *due).min(forget)
    }

    /// The next wait that is too long. It is over then.
    pub(super) fn poll_overdue(&mut self, now: Millis) -> Option<Overdue> {
        loop {
            let forget = self.forget_dues.pop_front_if(|(due, _)| *due <= now);
            let what = match forget {
                Some((_, number)) => Due::Answer(number),
                None => self.dues.pop_front_if(|(due, _)| *due <= now)?.1,
            };
            let overdue = match what {
                Due::Answer(number) => self.close(number).map(|goal| Overdue::Answer(number, goal)),
                Due::Ticket(ticket) => self.end_ticket(ticket).map(|id| Overdue::Ticket(ticket, id)),
            };
            if overdue.is_some() {
                return overdue;
            }
        }
    }

    /// Forgets deadlines of waits that are over, so that they wake nobody.
    pub(super) fn tidy(&mut self) {
        while let Some((_, what)) = self.dues.front() {
            let is_open = match what {
                Due::Answer(number) => self.open.contains_key(number),
                Due::Ticket(ticket) => self.tickets.contains_key(ticket),
            };
            if is_open {
                break;
            }
            self.dues.pop_front();
        }
        while self.forget_dues.pop_front_if(|(_, number)| !self.open.contains_key(number)).is_some() {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: ConnId = ConnId { slot: 3, generation: 9 };

    #[test]
    fn an_answer_comes_in_time_or_not_at_all() {
        let mut waits = Waits::default();
        let [first, second] = [0, 100].map(|now| waits.open(Goal::Counts(ID), now));
        assert_eq!(waits.close(first), Some(Goal::Counts(ID)));
        assert_eq!(waits.close(first), None);
        waits.tidy();
        assert_eq!((waits.next_due(), waits.poll_overdue(2_099)), (2_100, None));
        assert_eq!(waits.poll_overdue(2_100), Some(Overdue::Answer(second, Goal::Counts(ID))));
        assert_eq!((waits.close(second), waits.next_due()), (None, NEVER));
    }

    #[test]
    fn a_wait_of_the_hub_ends_once() {
        let mut waits = Waits::default();
        waits.await_ticket(5, ID, 10);
        waits.await_ticket(6, ID, 10);
        let number = waits.open_keep(vec![5, 6]);
        assert_eq!((waits.end_ticket(5), waits.end_ticket(5)), (Some(ID), None));
        assert_eq!(waits.poll_overdue(2_010), Some(Overdue::Ticket(6, ID)));
        assert_eq!(waits.close(number), Some(Goal::Keep(vec![5, 6])));
        assert_eq!((waits.end_ticket(6), waits.poll_overdue(9_999)), (None, None));
        assert_eq!(waits.open_keep(Vec::new()), number + 1);
        assert_eq!(waits.close(number + 1), None, "nobody waits for it");
    }
}
