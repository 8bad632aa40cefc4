//! FORGET becomes a request, and its answer. It takes effect even if its answer is late, or its connection has ended
//! meanwhile: then it is heard all the same, so that others are told.

use super::forgets::Kind;
use super::telling::{Telling, place_of};
use super::waits::{Forgetting, Goal};
use crate::door::recall::{self, Recalled};
use crate::engine::Engine;
use crate::engine::id::ConnId;
use crate::engine::pause::Recalling;
use crate::history::{Forget, Forgets, Forgotten, Mine, Request, Verdict};
use crate::hub::record::Account;

impl<S> Engine<S> {
    /// FORGET.
    pub(super) fn on_forget(&mut self, id: ConnId, what: recall::Forgetting) {
        if let Err(answer) = self.ask_to_forget(id, what) {
            self.answer_recall(id, answer);
        }
    }

    fn ask_to_forget(&mut self, id: ConnId, what: recall::Forgetting) -> Result<(), Recalled> {
        let mine = self.mine(id).ok_or(Recalled::NotYours)?;
        let newest = self.hub.last_id();
        let (what, kind) = match what {
            recall::Forgetting::Newest => (Forgets::Newest, Kind::One),
            recall::Forgetting::One(one) if one > newest => return Err(Recalled::NoSuchMessage),
            recall::Forgetting::One(one) => (Forgets::One(one), Kind::One),
            recall::Forgetting::All => (Forgets::All(newest), Kind::All),
        };
        if self.history.is_lost {
            return Err(Recalled::NotForgotten);
        }
        let account = mine.who.clone();
        let taken = self.history.forgets.take(&account, kind, self.now);
        let taken = taken.map_err(|retry_s| Recalled::ForgotTooMuch { retry_s })?;
        let forget = self.forget(mine, what);
        self.ask_history(id, forget, Goal::Forget(Forgetting { id, account, taken: Some(taken) }));
        Ok(())
    }

    fn forget(&self, mine: Mine, what: Forgets) -> Request {
        let owns = self.hub.kept_rooms_owned_by(&mine.who);
        Request::Forget(Forget { mine, owns, what })
    }

    /// The store has forgotten something, or has not.
    pub(super) fn on_forgotten(&mut self, number: u64, forgetting: Forgetting, verdict: Verdict) {
        let Forgetting { id, account, taken } = forgetting;
        let is_awaited = self.end_recall(id, Recalling::Answer(number));
        let (answer, telling) = match verdict {
            Verdict::Forgotten(forgotten) => outcome(forgotten, &account, id),
            Verdict::Kept
            | Verdict::NotKept
            | Verdict::Page(_)
            | Verdict::Counts(_)
            | Verdict::Missed(_)
            | Verdict::Marked { .. }
            | Verdict::Profile(_)
            | Verdict::Unavailable
            | Verdict::Busy => (Recalled::NotForgotten, None),
        };
        if let Some(taken) = taken.filter(|_| telling.is_none()) {
            self.history.forgets.refund(&account, taken);
        }
        self.guard(id, |engine| {
            if is_awaited {
                engine.answer_recall(id, answer);
            }
            if let Some(telling) = telling {
                engine.begin_to_tell(telling);
            }
        });
    }

    /// The store takes too long to forget something. It may still come.
    pub(super) fn on_late_to_forget(&mut self, number: u64, forgetting: Forgetting) {
        let Forgetting { id, account, taken } = forgetting;
        if let Some(taken) = taken {
            self.history.forgets.refund(&account, taken);
        }
        self.history.waits.expect_late(number, Forgetting { id, account, taken: None });
        if self.end_recall(id, Recalling::Answer(number)) {
            self.guard(id, |engine| engine.answer_recall(id, Recalled::NotForgotten));
        }
    }

    /// The store will never answer again.
    pub(super) fn end_forgets(&mut self) {
        for (number, forgetting) in self.history.waits.end_forgets() {
            self.on_forgotten(number, forgetting, Verdict::Unavailable);
        }
        self.history.waits.tidy();
    }

    /// Releases memory left over from a peak.
    pub(in crate::engine) fn shrink_forgets(&mut self) {
        self.history.forgets.shrink(self.now);
    }
}

/// The answer to the account on this connection, and what others are told.
fn outcome(forgotten: Forgotten, account: &Account, id: ConnId) -> (Recalled, Option<Telling>) {
    let telling = |one, at| Some(Telling::new(account.name.clone(), one, at, id));
    match forgotten {
        Forgotten::None => (Recalled::NoSuchMessage, None),
        Forgotten::NotYours => (Recalled::NotYourMessage, None),
        Forgotten::One { id, at, is_erased } => {
            let place = place_of(&at, &account.name);
            (Recalled::Forgot { id, place, is_erased }, telling(Some(id), vec![at]))
        }
        // Nobody has anything to hear, and it costs nothing.
        Forgotten::All { count: 0, is_erased, .. } => (Recalled::ForgotAll { count: 0, is_erased }, None),
        Forgotten::All { count, at, is_erased } => (Recalled::ForgotAll { count, is_erased }, telling(None, at)),
    }
}
