//! Carries out lines: the door decodes them; the door, the hub or the accounts reply.

use super::Engine;
use super::backpressure::longest_wait;
use super::guard::failpoint;
use super::id::ConnId;
use super::life::{Life, Standing};
use super::pause::{Pause, Until};
use super::time::NEVER;
use crate::close::CloseReason;
use crate::door::reply::{GuestRefusal, Reply};
use crate::door::{Decoded, Masked};
use crate::hub::command::Command;
use crate::hub::event::Manner;
use crate::limits;

impl<S> Engine<S> {
    /// Carries out one line, given without its LF; `bytes` is its length on the wire.
    pub(super) fn on_line(&mut self, id: ConnId, line: &[u8], bytes: usize) {
        self.turn.work += limits::LINE_WORK + bytes / limits::WORK_BYTES;
        failpoint("line", line);
        if !self.desk.traces.is_off() {
            self.trace_line(id, line);
        }
        let password_min = self.settings.accounts.password_min_bytes;
        let Some(conn) = self.conns.find(id) else { return };
        conn.door.note_unix_ms(self.unix_ms);
        let mut decoded = conn.door.decode(line, password_min);
        self.name_guests(id, &mut decoded);
        if let Decoded::SayAs { guest, room, text } = decoded {
            self.take_name(id, guest, &room);
            decoded = Decoded::Command(Command::SayIn { room, text, manner: Manner::Text });
        }
        if let Decoded::Command(command) = &decoded
            && self.throttle(id, command, bytes)
        {
            return;
        }
        if let Decoded::Ask(ask) = decoded {
            return self.on_ask(id, &ask);
        }
        if let Decoded::Fetch(fetch) = decoded {
            return self.on_fetch(id, &fetch);
        }
        let Some(is_barred) = self.count_line(id, bytes) else { return };
        if is_barred && !matches!(decoded, Decoded::Token { .. } | Decoded::Refuse(_)) {
            return self.close(id, CloseReason::TooManyFailures);
        }
        self.handle_decoded(id, decoded, is_barred);
        self.end_if_answered(id);
    }

    /// Carries out what was decoded and counted. `is_barred` as in [`count_line`](Self::count_line).
    pub(super) fn handle_decoded(&mut self, id: ConnId, decoded: Decoded<'_>, is_barred: bool) {
        match decoded {
            Decoded::Nothing | Decoded::Ask(_) | Decoded::Fetch(_) => {}
            Decoded::Reply(reply) => self.reply(id, &reply),
            Decoded::Command(Command::Rename { guest }) if self.is_own_name(guest.as_str()) => {
                self.reply(id, &Reply::GuestRefused { why: GuestRefusal::Reserved, is_login: false });
            }
            Decoded::Command(command) => self.command(id, command),
            Decoded::Name(name) => self.on_name(id, name),
            Decoded::Guest(guest) => self.on_guest(id, guest),
            Decoded::NameOrBye(name) => self.on_name_or_bye(id, name),
            Decoded::Token { name, token: Masked(token) } => self.on_token(id, &name, token, is_barred),
            Decoded::Password { name, new, password: Masked(password) } => self.on_password(id, name, new, password),
            Decoded::ChangePassword => self.on_passwd(id),
            Decoded::OldPassword(Masked(password)) => self.on_old_password(id, password),
            Decoded::NewPassword(Masked(password)) => self.on_new_password(id, password),
            Decoded::IssueToken => self.issue_token(id),
            Decoded::EnterRoom { room, password, makes } => self.enter_room(id, room, password, makes),
            Decoded::SayAs { .. } => {} // it has become a command
            Decoded::EnterAsGuest(request) => self.enter_as_guest(id, request),
            Decoded::Irc(request) => self.on_irc(id, *request),
            Decoded::Operate(command) => self.on_operate(id, command),
            Decoded::OperatorPassword(Masked(password)) => self.on_operator_password(id, password),
            Decoded::Recall(recall) => self.on_recall(id, recall),
            Decoded::Help => {
                let keep_days = self.settings.history.as_ref().map(|history| history.keep_days);
                self.reply(id, &Reply::help(self.is_operator(id), keep_days));
            }
            Decoded::HelpOperate => self.reply(id, &Reply::help_on_op(self.is_operator(id))),
            Decoded::Over => self.leave(id),
            Decoded::Bye => self.on_bye(id),
            Decoded::Refuse(reason) => self.close(id, reason),
        }
    }

    /// The client says goodbye.
    pub(super) fn on_bye(&mut self, id: ConnId) {
        self.reply(id, &Reply::Bye);
        self.leave(id);
    }

    /// Counts a line against its connection's limits. True if the connection is barred: its address had failed too
    /// often when it came, and still has, so only a valid token logs it in. `None` if the line has ended the
    /// connection.
    pub(super) fn count_line(&mut self, id: ConnId, bytes: usize) -> Option<bool> {
        self.counters.lines += 1;
        let now = self.now;
        let conn = self.conns.find(id)?;
        let was = conn.standing;
        conn.standing = was.heard();
        conn.heard_at = now;
        self.gate.count_heard(was);
        if !conn.door.has_begun() {
            conn.line_since = NEVER; // what comes now is another line
        }
        if conn.door.is_logged_in() {
            conn.rate.spend(bytes, now, &self.settings.limits);
            conn.said_until = conn.said_until.max(now) + longest_wait(bytes);
            return Some(false);
        }
        conn.login_lines += 1;
        if conn.login_lines > limits::LOGIN_LINES {
            self.close(id, CloseReason::TooManyFailures);
            return None;
        }
        Some(was == Standing::Penalised && self.is_penalised(id))
    }

    /// Gives the hub a command of this connection, and delivers the events.
    pub(super) fn command(&mut self, id: ConnId, mut command: Command<'_>) {
        self.name_receiver(id, &mut command);
        if self.has_short_lists()
            && let Command::Who { most, .. } | Command::Names { most, .. } = &mut command
        {
            *most = None;
        }
        self.hub.handle(id.session(), command, self.unix_ms);
        self.turn.work += self.hub.take_work();
        self.deliver();
    }

    /// Sends a connection a reply of the server's own.
    pub(super) fn reply(&mut self, id: ConnId, reply: &Reply) {
        let Some(bytes) = self.push_own(id, |door, out| door.encode_reply(reply, out)) else { return };
        self.charge_answer(id, bytes);
        let Some(conn) = self.conns.find(id) else { return };
        if reply.is_bad_line() {
            conn.bad_lines += 1;
        }
        if reply.is_busy() {
            conn.login_lines = conn.login_lines.saturating_sub(1);
            if !conn.door.is_logged_in() && conn.pause == Pause::None {
                // Such lines have no other bound; and a second is less than the time that any client is told to wait.
                let now = self.now;
                conn.pause = Pause::Until { why: Until::Busy, due: now + limits::BUSY_HOLD_MS, since: now };
                self.touched.push(id);
            }
        }
        if conn.bad_lines >= limits::BAD_LINES && conn.life == Life::Open {
            self.close(id, CloseReason::TooManyBadLines);
        }
    }
}
