//! The engine's access to the accounts.

use std::cell::RefCell;
use std::rc::Rc;

use crate::auth::Auth;
use crate::engine::Roll;
use crate::hub::names::{RoomName, UserName};
use crate::hub::record::Lock;

/// The accounts, shared by the loop and the engine. No borrow outlives a call.
pub(super) struct Shared(pub(super) Rc<RefCell<Auth>>);

impl Roll for Shared {
    fn lookup(&self, name: &UserName) -> Option<UserName> {
        self.0.borrow().lookup(name)
    }

    fn list(&self, after: Option<&UserName>, most: usize) -> Vec<(UserName, u64)> {
        self.0.borrow().list(after, most)
    }

    fn since(&self, name: &UserName) -> Option<u64> {
        self.0.borrow().since(name)
    }

    fn lock(&self, room: &RoomName, password: &str) -> Lock {
        Lock(self.0.borrow().room_tag(room.folded(), password))
    }

    fn may_register(&self) -> bool {
        self.0.borrow().may_register()
    }

    fn epoch(&self, name: &UserName) -> Option<u32> {
        self.0.borrow().epoch(name)
    }

    fn issue_token(&self, name: &UserName, epoch: u32, unix_s: u64) -> Option<(String, u64)> {
        self.0.borrow().issue_token(name, epoch, unix_s)
    }

    fn check_token(&self, name: &UserName, token: &[u8], unix_s: u64) -> Option<u32> {
        self.0.borrow().check_token(name, token, unix_s)
    }
}
