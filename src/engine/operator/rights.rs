//! Who may send which commands.

use std::sync::Arc;

use super::Engine;
use crate::door::Class;
use crate::engine::id::ConnId;
use crate::hub::names::UserName;

/// The accounts that may send `OP`: `operator.accounts`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Operators(Arc<[UserName]>);

impl Operators {
    /// Accounts of these names. A text that is no name is left out.
    pub fn new(names: &[String]) -> Self {
        Self(names.iter().filter_map(|name| UserName::from_record(name).ok()).collect())
    }

    /// Whether this is one of them, in any case.
    pub fn has(&self, name: &UserName) -> bool {
        self.0.contains(name)
    }
}

/// What a connection may ask as an operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Right {
    /// It came through the operator's socket: everything.
    Socket,
    /// It is an operator in the chat: the commands that are for the chat.
    Chat,
    /// It is an operator in the chat, but others may read or change what it sends.
    InTheClear,
    /// It is no operator.
    None,
}

impl<S> Engine<S> {
    /// What a connection may ask as an operator.
    pub(super) fn right(&self, id: ConnId) -> Right {
        let Some(conn) = self.conns.peek(id) else { return Right::None };
        if conn.door.class() == Class::Operator {
            return Right::Socket;
        }
        if !self.is_operator(id) {
            return Right::None;
        }
        if conn.is_tls || conn.origin.is_local() { Right::Chat } else { Right::InTheClear }
    }

    /// Whether an operator's account is logged in here.
    pub(in crate::engine) fn is_operator(&self, id: ConnId) -> bool {
        self.account_of(id).is_some_and(|name| self.settings.operators.has(name))
    }

    /// The operator of a connection for the log: who, and from where.
    pub(super) fn known_place(&self, id: ConnId) -> String {
        match (self.account_of(id), self.conns.peek(id)) {
            (Some(name), Some(conn)) => format!("{name} from {}", conn.origin),
            (_, _) => "at the socket".to_owned(),
        }
    }
}
