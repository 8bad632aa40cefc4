//! What makes a room a kept one.

use std::collections::BTreeMap;

use crate::hub::names::UserName;
use crate::hub::record::{Account, KeptId};

/// What a kept room has besides what every room has.
#[derive(Debug)]
pub(in crate::hub) struct Kept {
    pub(in crate::hub) id: KeptId,
    /// Always a member. `None` once that account was deleted.
    pub(in crate::hub) owner: Option<Account>,
    /// Since when it has no owner, in milliseconds since 1970; 0 while it has one, or if that is not known yet.
    pub(in crate::hub) ownerless_since_ms: u64,
    /// Days for which its messages are kept.
    pub(in crate::hub) days: u32,
    pub(in crate::hub) members: BTreeMap<UserName, Standing>,
    /// What is on its way to the disk, if anything is.
    pub(in crate::hub) asked: Option<Asked>,
}

/// A member account.
#[derive(Debug)]
pub(in crate::hub) struct Standing {
    pub(in crate::hub) account: Account,
    /// Rises from member to member: the least is the longest-standing.
    pub(in crate::hub) place: u64,
    /// The newest message when the account became a member; 0 if that was in an earlier run.
    pub(in crate::hub) since_id: u64,
}

/// What a session of the owner's has asked for. It counts once it is on disk.
#[derive(Debug)]
pub(in crate::hub) enum Asked {
    /// To keep the room. This counts at once, and ends if it does not get to the disk.
    New,
    /// To keep its messages for another number of days.
    Days(u32),
    /// To give it to a member.
    To(Account),
    /// To keep it no longer.
    Off {
        /// Messages that were said since, which are off the record.
        unkept: u64,
    },
}

impl Kept {
    pub(in crate::hub) fn is_member(&self, name: &UserName) -> bool {
        self.members.contains_key(name)
    }

    pub(in crate::hub) fn is_owned_by(&self, name: &UserName) -> bool {
        self.owner.as_ref().is_some_and(|owner| owner.name == *name)
    }

    /// Itself, unless the store was told that the room is gone.
    pub(in crate::hub) fn shown(&self) -> Option<&Self> {
        (!matches!(self.asked, Some(Asked::Off { .. }))).then_some(self)
    }

    /// The members, the longest-standing first.
    pub(in crate::hub) fn by_standing(&self) -> Vec<&Standing> {
        let mut members: Vec<&Standing> = self.members.values().collect();
        members.sort_unstable_by_key(|member| member.place);
        members
    }
}
