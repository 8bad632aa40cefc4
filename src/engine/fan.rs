//! Fan-out: one event for many receivers becomes one frame for each spelling, to which their outboxes refer.

use super::conn::Conn;
use super::flush::Writer;
use super::id::ConnId;
use super::life::{Flush, Life};
use super::pages::{ByKind, Pages, Piece};
use super::public_log::PublicLog;
use super::table::Table;
use crate::door::recall::{Notice, Wants};
use crate::door::{self, Door, Kind, Scene, Spelling};
use crate::hub::event::Event;
use crate::hub::session::SessionId;

/// What many are told.
#[derive(Clone, Copy, Debug)]
pub(super) enum Told<'a> {
    /// An event of the hub.
    Event(&'a Event, Scene<'a>),
    /// A notice about what is kept.
    Notice(&'a Notice),
}

impl Told<'_> {
    fn spelling(self, door: &Door) -> Spelling {
        match self {
            Self::Event(event, _) => door.spelling(event),
            Self::Notice(_) => door.kind().map_or(Spelling::Untold, Spelling::Shared),
        }
    }

    fn encode(self, kind: Kind, out: &mut Vec<u8>) {
        match self {
            Self::Event(event, scene) => door::encode(kind, event, scene, out),
            Self::Notice(notice) => door::encode_notice(kind, notice, out),
        }
    }

    fn encode_told(self, door: &mut Door, out: &mut Vec<u8>) {
        match self {
            Self::Event(event, scene) => door.encode_told(event, scene.unix_ms, out),
            Self::Notice(_) => {}
        }
    }
}

/// Delivery of one event to many receivers: the frame is encoded once per spelling, and each outbox refers to it.
pub(super) struct Fan<'a, S> {
    told: Told<'a>,
    frames: ByKind<Option<Piece>>,
    conns: &'a mut Table<S>,
    pages: &'a mut Pages,
    writer: &'a mut Writer,
    public: &'a PublicLog,
    /// Number of deliveries.
    pub(super) count: u64,
    /// Skips receivers that lag. A connection is never closed because of messages that came by datagram.
    pub(super) skips_lagging: bool,
    /// Number of skipped receivers.
    pub(super) skipped: u64,
}

impl<'a, S> Fan<'a, S> {
    /// To nobody so far.
    pub(super) fn new(
        told: Told<'a>,
        conns: &'a mut Table<S>,
        pages: &'a mut Pages,
        writer: &'a mut Writer,
        public: &'a PublicLog,
    ) -> Self {
        Self {
            told,
            frames: ByKind::default(),
            conns,
            pages,
            writer,
            public,
            count: 0,
            skips_lagging: false,
            skipped: 0,
        }
    }

    /// Gives a message to its own sender, if its connection asks for that.
    pub(super) fn echo(&mut self, sender: SessionId) {
        if self.conns.find(ConnId::of(sender)).is_some_and(|conn| conn.door.echoes()) {
            self.hand_to(sender);
        }
    }

    /// Gives a notice to a session that asks for such.
    pub(super) fn hand_to_wanting(&mut self, session: SessionId, wants: Wants) {
        if self.conns.peek(ConnId::of(session)).is_some_and(|conn| conn.door.wants(wants)) {
            self.hand_to(session);
        }
    }

    /// Gives it to a session, if its connection is told such things.
    pub(super) fn hand_to(&mut self, session: SessionId) {
        // A connection that is broken, closing or closed receives nothing more.
        let is_there = |conn: &&mut Conn<S>| conn.end.is_none() && conn.life == Life::Open;
        let id = ConnId::of(session);
        let Some(conn) = self.conns.find(id).filter(is_there) else { return };
        if self.skips_lagging && conn.is_lagging() {
            self.skipped += 1;
            return;
        }
        match self.told.spelling(&conn.door) {
            Spelling::Untold => return,
            Spelling::Shared(kind) => {
                let Some(frame) = self.frames.get_mut(kind) else { return };
                let piece = *frame.get_or_insert_with(|| self.pages.write(kind, |out| self.told.encode(kind, out)));
                if piece.is_empty() {
                    return; // its door does not tell it
                }
                self.count += self.public.bring_up(conn, self.pages) as u64;
                conn.outbox.push_shared(piece, self.pages);
            }
            Spelling::Own => {
                self.count += self.public.bring_up(conn, self.pages) as u64;
                let Conn { outbox, door, .. } = conn;
                let bytes = outbox.push_own(self.pages, |out| self.told.encode_told(door, out));
                self.pages.count_direct(bytes);
            }
        }
        self.count += 1;
        if conn.flush == Flush::Idle {
            conn.flush = Flush::Broadcast;
            self.writer.push_broadcast(id);
        }
    }
}
