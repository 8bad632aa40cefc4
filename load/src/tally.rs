//! Counts of the lines that each connection has sent and received, and their latency. Without sockets and clocks.
//!
//! All connections are receivers; some of them are senders too. They form groups (all, a room, a pair): every other
//! receiver of a group must receive each line of its senders once, in the order in which they were sent.

use hdrhistogram::Histogram;

use super::line::Line;
use super::speech::Speech;
use super::stamp::Stamp;

/// The most cells of the table with a number for each receiver and each sender of its group: 256 MiB.
pub(super) const CELLS_MOST: u64 = 64 * 1024 * 1024;
/// The longest latency that is recorded as such, in nanoseconds: an hour.
const LATENCY_MOST: u64 = 3_600_000_000_000;

/// What the server adds to the answer to a line that it did not keep.
const NOT_KEPT: &str = ", not kept";

/// The counts of a run.
pub(super) struct Tally {
    run: u16,
    receivers: Vec<Receiver>,
    senders: Vec<Sender>,
    groups: Vec<Group>,
    /// For each receiver and each sender of its group: the number of the next line.
    next: Vec<u32>,
    /// Cells per receiver in `next`.
    width: usize,
    /// Lines that were sent and not received yet, once for each receiver.
    outstanding: u64,
    out_of_order: u64,
    strays: u64,
    bad_ids: u64,
    /// What is spoken: it says whether senders hear themselves, and whether messages have an id.
    speech: Speech,
    last_heard: u64,
    latency: Histogram<u64>,
}

struct Receiver {
    group: usize,
    sender: Option<usize>,
    heard: u64,
    is_live: bool,
    /// The id of the last message.
    last_id: u64,
}

struct Sender {
    receiver: usize,
    /// Its index among the senders of its group.
    place: usize,
    said: u32,
    answered: u32,
    refused: u32,
    not_kept: u32,
}

#[derive(Clone, Default)]
struct Group {
    senders: Vec<usize>,
    live: u64,
    said: u64,
}

/// The meaning of a line for the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Event {
    /// A line of the run was received.
    Heard,
    /// A line that this connection has sent was answered.
    Answered,
    /// Nothing that counts.
    Nothing,
}

/// The totals of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    /// Lines sent.
    pub(super) said: u64,
    /// … that the server answered with anything but `250`.
    pub(super) refused: u64,
    /// … that the server has delivered and not kept.
    pub(super) not_kept: u64,
    /// … that the server has not answered.
    pub(super) unanswered: u64,
    /// Lines received, counted at each receiver.
    pub(super) heard: u64,
    /// Lines that should have been received and were not, counted at each receiver. If its connection has ended, only
    /// lines before the last one that it received count.
    pub(super) lost: u64,
    /// Lines received after a later one of the same sender, or twice.
    pub(super) out_of_order: u64,
    /// Lines received by a connection that they were not for.
    pub(super) strays: u64,
    /// Messages without an id greater than that of the message before at the same receiver, where they have ids.
    pub(super) bad_ids: u64,
}

/// A distribution of latencies, in nanoseconds, with three digits.
#[expect(clippy::expect_used, reason = "the bounds are constants that the histogram takes")]
pub(super) fn latencies() -> Histogram<u64> {
    Histogram::new_with_bounds(1, LATENCY_MOST, 3).expect("good bounds")
}

impl Tally {
    /// A run with these receivers, some of them senders, who speak that. Each has a group, and a flag that its connection
    /// is open.
    pub(super) fn new(run: u16, receivers: &[(usize, bool)], senders: &[usize], speech: Speech) -> Self {
        let mut groups = vec![Group::default(); receivers.iter().map(|(group, _)| group + 1).max().unwrap_or(0)];
        let mut receivers: Vec<Receiver> = receivers
            .iter()
            .map(|(group, is_live)| Receiver { group: *group, sender: None, heard: 0, is_live: *is_live, last_id: 0 })
            .collect();
        for group in receivers.iter().filter(|receiver| receiver.is_live).map(|receiver| receiver.group) {
            if let Some(group) = groups.get_mut(group) {
                group.live += 1;
            }
        }
        let mut told = Vec::new();
        for receiver_id in senders {
            let Some(receiver) = receivers.get_mut(*receiver_id) else { continue };
            let Some(group) = groups.get_mut(receiver.group) else { continue };
            receiver.sender = Some(told.len());
            told.push(Sender {
                receiver: *receiver_id,
                place: group.senders.len(),
                said: 0,
                answered: 0,
                refused: 0,
                not_kept: 0,
            });
            group.senders.push(told.len() - 1);
        }
        let width = groups.iter().map(|group| group.senders.len()).max().unwrap_or(0);
        let latency = latencies();
        Self {
            run,
            next: vec![0; receivers.len() * width],
            receivers,
            senders: told,
            groups,
            width,
            outstanding: 0,
            out_of_order: 0,
            strays: 0,
            bad_ids: 0,
            speech,
            last_heard: 0,
            latency,
        }
    }

    /// Notes that a sender sends its next line, and returns the line's stamp. `at` is when it was due.
    pub(super) fn say(&mut self, sender_id: usize, at: u64) -> Option<Stamp> {
        let sender = self.senders.get_mut(sender_id)?;
        let number = sender.said;
        sender.said += 1;
        if let Some(group) =
            self.receivers.get(sender.receiver).and_then(|receiver| self.groups.get_mut(receiver.group))
        {
            group.said += 1;
            self.outstanding += group.live.saturating_sub(1);
        }
        Some(Stamp { run: self.run, sender: u32::try_from(sender_id).ok()?, number, at })
    }

    /// Takes a line received at `now`, in nanoseconds of the run.
    pub(super) fn handle_line(&mut self, receiver: usize, line: Line<'_>, now: u64) -> Event {
        match line {
            Line::Said { id, text } => match Stamp::decode(text).filter(|stamp| stamp.run == self.run) {
                Some(stamp) => {
                    self.note_id(receiver, id);
                    if self.is_echo(receiver, stamp) {
                        self.hear_echo(receiver, stamp)
                    } else {
                        self.hear(receiver, stamp, now)
                    }
                }
                None => Event::Nothing,
            },
            Line::Reply(code, text) => self.answer(receiver, code, text),
            Line::Part | Line::Notice | Line::Command { .. } | Line::Other => Event::Nothing,
        }
    }

    /// Notes the id of a message, where messages have one: ids grow at every receiver.
    fn note_id(&mut self, receiver: usize, id: Option<u64>) {
        let Some(receiver) = self.receivers.get_mut(receiver).filter(|_| self.speech.echoes()) else { return };
        let id = id.unwrap_or(0);
        self.bad_ids += u64::from(id <= receiver.last_id);
        receiver.last_id = receiver.last_id.max(id);
    }

    /// Whether a receiver has said this itself, and is to hear it.
    fn is_echo(&self, receiver: usize, stamp: Stamp) -> bool {
        let sender = self.senders.get(stamp.sender as usize);
        self.speech.echoes() && sender.is_some_and(|sender| sender.receiver == receiver)
    }

    /// Who hears what it has said has its answer. Lines that were refused are not heard.
    fn hear_echo(&mut self, receiver: usize, stamp: Stamp) -> Event {
        if self.senders.get(stamp.sender as usize).is_some_and(|sender| stamp.number < sender.answered) {
            self.out_of_order += 1;
            return Event::Nothing;
        }
        self.answer(receiver, 250, "")
    }

    fn hear(&mut self, receiver_id: usize, stamp: Stamp, now: u64) -> Event {
        let Some(receiver) = self.receivers.get_mut(receiver_id) else { return Event::Nothing };
        let sender_id = stamp.sender as usize;
        let sender = self.senders.get(sender_id).filter(|sender| sender.receiver != receiver_id);
        let is_of_group = self.groups.get(receiver.group).is_some_and(|group| {
            sender.is_some_and(|sender| group.senders.get(sender.place).is_some_and(|there| *there == sender_id))
        });
        let Some(sender) = sender.filter(|_| is_of_group) else {
            self.strays += 1;
            return Event::Nothing;
        };
        let Some(next) = self.next.get_mut(receiver_id * self.width + sender.place) else { return Event::Nothing };
        if stamp.number < *next {
            self.out_of_order += 1;
        } else {
            *next = stamp.number.saturating_add(1);
        }
        receiver.heard += 1;
        self.outstanding = self.outstanding.saturating_sub(1);
        self.last_heard = now;
        self.latency.saturating_record(now.saturating_sub(stamp.at).max(1));
        Event::Heard
    }

    fn answer(&mut self, receiver_id: usize, code: u16, text: &str) -> Event {
        let Some(receiver) = self.receivers.get(receiver_id) else { return Event::Nothing };
        let Some(sender) = receiver.sender.and_then(|sender| self.senders.get_mut(sender)) else {
            return Event::Nothing;
        };
        // 421 is not an answer: it is the end of the connection.
        if code == 421 || sender.answered >= sender.said {
            return Event::Nothing;
        }
        sender.answered += 1;
        sender.not_kept += u32::from(code == 250 && text.contains(NOT_KEPT));
        if code != 250 {
            sender.refused += 1;
            let hearers = self.groups.get(receiver.group).map_or(0, |group| group.live.saturating_sub(1));
            self.outstanding = self.outstanding.saturating_sub(hearers);
        }
        Event::Answered
    }

    /// Notes that a receiver's connection has ended: lines for it are no longer waited for.
    pub(super) fn handle_end(&mut self, receiver_id: usize) {
        let Some(receiver) = self.receivers.get_mut(receiver_id).filter(|receiver| receiver.is_live) else { return };
        receiver.is_live = false;
        let own =
            receiver.sender.and_then(|sender| self.senders.get(sender)).map_or(0, |sender| u64::from(sender.said));
        if let Some(group) = self.groups.get_mut(receiver.group) {
            group.live -= 1;
            self.outstanding = self.outstanding.saturating_sub(group.said.saturating_sub(own + receiver.heard));
        }
    }

    /// Whether a sender's connection is open.
    pub(super) fn is_live(&self, sender: usize) -> bool {
        self.senders
            .get(sender)
            .and_then(|sender| self.receivers.get(sender.receiver))
            .is_some_and(|receiver| receiver.is_live)
    }

    /// The connection of a sender.
    pub(super) fn receiver_of(&self, sender: usize) -> Option<usize> {
        self.senders.get(sender).map(|sender| sender.receiver)
    }

    /// The number of senders.
    pub(super) fn senders(&self) -> usize {
        self.senders.len()
    }

    /// The number of lines that a sender has sent.
    pub(super) fn said(&self, sender: usize) -> u32 {
        self.senders.get(sender).map_or(0, |sender| sender.said)
    }

    /// Whether a sender may send a line if at most `window` may be under way.
    pub(super) fn has_room(&self, sender_id: usize, window: u32) -> bool {
        let Some(sender) = self.senders.get(sender_id) else { return false };
        let group = self.receivers.get(sender.receiver).and_then(|receiver| self.groups.get(receiver.group));
        let hearers = group.map_or(0, |group| group.live.saturating_sub(1));
        self.outstanding + hearers <= u64::from(window) * hearers && sender.said - sender.answered < window
    }

    /// Whether every line has been answered and received.
    pub(super) fn is_settled(&self) -> bool {
        let is_live = |sender: &Sender| self.receivers.get(sender.receiver).is_some_and(|receiver| receiver.is_live);
        self.outstanding == 0
            && self.senders.iter().filter(|sender| is_live(sender)).all(|sender| sender.answered == sender.said)
    }

    /// The number of receivers with an open connection.
    pub(super) fn live(&self) -> u64 {
        self.groups.iter().map(|group| group.live).sum()
    }

    /// Lines received so far.
    pub(super) fn heard(&self) -> u64 {
        self.latency.len()
    }

    /// When the last line was received; 0 if none was.
    pub(super) fn last_heard(&self) -> u64 {
        self.last_heard
    }

    /// From when a line was due to when it was received, in nanoseconds.
    pub(super) fn latency(&self) -> &Histogram<u64> {
        &self.latency
    }

    /// The totals so far.
    pub(super) fn counts(&self) -> Counts {
        let mut counts =
            Counts { out_of_order: self.out_of_order, strays: self.strays, bad_ids: self.bad_ids, ..Counts::default() };
        for sender in &self.senders {
            counts.said += u64::from(sender.said);
            counts.refused += u64::from(sender.refused);
            counts.not_kept += u64::from(sender.not_kept);
            counts.unanswered += u64::from(sender.said - sender.answered);
        }
        for (receiver_id, receiver) in self.receivers.iter().enumerate() {
            counts.heard += receiver.heard;
            counts.lost += self.due(receiver_id, receiver).saturating_sub(receiver.heard);
        }
        counts
    }

    /// The number of lines that a receiver should have received.
    fn due(&self, receiver_id: usize, receiver: &Receiver) -> u64 {
        let Some(group) = self.groups.get(receiver.group) else { return 0 };
        let senders = group.senders.iter().filter_map(|sender| self.senders.get(*sender));
        senders
            .filter(|sender| sender.receiver != receiver_id)
            .map(|sender| {
                let heard = self.next.get(receiver_id * self.width + sender.place).copied().unwrap_or(0);
                let due = if receiver.is_live { sender.answered.max(heard) } else { heard };
                u64::from(due.saturating_sub(sender.refused))
            })
            .sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Three receivers of one group, the first two of them senders; and a fourth by itself.
    fn tally() -> Tally {
        Tally::new(7, &[(0, true), (0, true), (0, true), (1, true)], &[0, 1], Speech::Typed)
    }

    fn text(stamp: Stamp) -> Vec<u8> {
        let mut text = Vec::new();
        stamp.encode(64, &mut text);
        text
    }

    fn hear(tally: &mut Tally, receiver: usize, stamp: Stamp, now: u64) -> Event {
        tally.handle_line(receiver, Line::Said { id: None, text: &text(stamp) }, now)
    }

    const SENT: Line<'_> = Line::Reply(250, "sent to 2");

    #[test]
    fn all_is_well() {
        let mut tally = tally();
        let stamp = tally.say(0, 1_000).unwrap();
        assert!(!tally.is_settled());
        assert_eq!(tally.handle_line(0, SENT, 1_500), Event::Answered);
        assert_eq!(hear(&mut tally, 1, stamp, 2_000), Event::Heard);
        assert!(!tally.is_settled());
        assert_eq!(hear(&mut tally, 2, stamp, 5_000), Event::Heard);
        assert!(tally.is_settled());
        assert_eq!(tally.counts(), Counts { said: 1, heard: 2, ..Counts::default() });
        assert_eq!((tally.latency().max() / 100, tally.latency().min() / 100, tally.last_heard()), (40, 10, 5_000));
    }

    #[test]
    fn gaps_and_missing_ends_are_lost_lines() {
        let mut tally = tally();
        let stamps: Vec<Stamp> = (0..4).map(|_| tally.say(0, 0).unwrap()).collect();
        for _ in 0..4 {
            tally.handle_line(0, SENT, 1);
        }
        hear(&mut tally, 1, stamps[0], 1);
        hear(&mut tally, 1, stamps[2], 1);
        assert_eq!(tally.counts(), Counts { said: 4, heard: 2, lost: 2 + 4, ..Counts::default() });
        // A late line is not lost but out of order.
        hear(&mut tally, 1, stamps[1], 1);
        assert_eq!(tally.counts(), Counts { said: 4, heard: 3, lost: 1 + 4, out_of_order: 1, ..Counts::default() });
        // After the end of its connection, a receiver misses only lines before the last one that it received.
        tally.handle_end(2);
        hear(&mut tally, 1, stamps[3], 1);
        assert_eq!(tally.counts(), Counts { said: 4, heard: 4, out_of_order: 1, ..Counts::default() });
        assert!(tally.is_settled());
    }

    #[test]
    fn what_is_not_of_the_run_does_not_count() {
        let mut tally = tally();
        let stamp = tally.say(0, 0).unwrap();
        assert_eq!(hear(&mut tally, 1, Stamp { run: 8, ..stamp }, 1), Event::Nothing);
        assert_eq!(tally.handle_line(1, Line::Said { id: None, text: b"hello" }, 1), Event::Nothing);
        assert_eq!(tally.handle_line(1, SENT, 1), Event::Nothing);
        assert_eq!(tally.handle_line(2, SENT, 1), Event::Nothing);
        assert_eq!(tally.counts(), Counts { said: 1, unanswered: 1, ..Counts::default() });
        // The sender itself, another group, and a sender that does not exist.
        hear(&mut tally, 0, stamp, 1);
        hear(&mut tally, 3, stamp, 1);
        hear(&mut tally, 1, Stamp { sender: 99, ..stamp }, 1);
        assert_eq!(tally.counts().strays, 3);
    }

    #[test]
    fn refused_lines_are_not_waited_for() {
        let mut tally = tally();
        tally.say(0, 0).unwrap();
        let heard = tally.say(0, 0).unwrap();
        tally.handle_line(0, Line::Reply(550, "no"), 1);
        tally.handle_line(0, SENT, 1);
        hear(&mut tally, 1, heard, 1);
        hear(&mut tally, 2, heard, 1);
        assert!(tally.is_settled());
        assert_eq!(tally.counts(), Counts { said: 2, refused: 1, heard: 2, ..Counts::default() });
    }

    #[test]
    fn who_hears_itself_has_its_answer() {
        let mut tally = Tally::new(7, &[(0, true), (0, true)], &[0], Speech::Irc);
        let stamps: Vec<Stamp> = (0..3).map(|_| tally.say(0, 0).unwrap()).collect();
        let hear = |tally: &mut Tally, receiver, stamp, id| {
            tally.handle_line(receiver, Line::Said { id, text: &text(stamp) }, 1)
        };
        assert!(!tally.has_room(0, 3));
        assert_eq!(hear(&mut tally, 0, stamps[0], Some(5)), Event::Answered);
        assert_eq!(hear(&mut tally, 1, stamps[0], Some(5)), Event::Heard);
        assert!(tally.has_room(0, 3));
        assert_eq!(tally.handle_line(0, Line::Reply(404, "no"), 1), Event::Answered);
        assert_eq!(hear(&mut tally, 0, stamps[2], Some(7)), Event::Answered);
        assert_eq!(hear(&mut tally, 1, stamps[2], Some(7)), Event::Heard);
        assert!(tally.is_settled());
        let all = Counts { said: 3, refused: 1, heard: 2, ..Counts::default() };
        assert_eq!(tally.counts(), all);
        // Twice, and with the id of the message before, or with none.
        assert_eq!(hear(&mut tally, 0, stamps[0], Some(7)), Event::Nothing);
        hear(&mut tally, 1, stamps[2], None);
        assert_eq!(tally.counts(), Counts { heard: 3, out_of_order: 2, bad_ids: 2, ..all });
    }

    #[test]
    fn a_window_has_room_until_it_is_full() {
        let mut tally = tally();
        let first = tally.say(0, 0).unwrap();
        assert!(!tally.has_room(0, 1) && !tally.has_room(1, 1) && tally.has_room(1, 2));
        tally.handle_line(0, SENT, 1);
        hear(&mut tally, 1, first, 1);
        assert!(!tally.has_room(0, 1));
        tally.handle_end(2);
        assert!(tally.has_room(0, 1) && tally.has_room(1, 1));
        assert_eq!(tally.live(), 3);
        // Without receivers, answers alone make room.
        tally.handle_end(1);
        assert!(tally.has_room(0, 1));
        tally.say(0, 0).unwrap();
        assert!(!tally.has_room(0, 1));
    }
}
