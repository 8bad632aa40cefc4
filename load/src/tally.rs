//! Counts of the lines that each connection has sent and received, and their latency. Without sockets and clocks.
//!
//! All connections are receivers; some of them are senders too. They form groups (all, a room, a pair): every other
//! receiver of a group must receive each line of its senders once, in the order in which they were sent.

use hdrhistogram::Histogram;

use super::line::Line;
use super::stamp::Stamp;

/// The most cells of the table with a number for each receiver and each sender of its group: 256 MiB.
pub(super) const CELLS_MOST: u64 = 64 * 1024 * 1024;
/// The longest latency that is recorded as such, in nanoseconds: an hour.
const LATENCY_MOST: u64 = 3_600_000_000_000;

/// The counts of a run.
pub(super) struct Tally {
    run: u16,
    ears: Vec<Ear>,
    voices: Vec<Voice>,
    groups: Vec<Group>,
    /// For each receiver and each sender of its group: the number of the next line.
    next: Vec<u32>,
    /// Cells per receiver in `next`.
    width: usize,
    /// Lines that were sent and not received yet, once for each receiver.
    outstanding: u64,
    out_of_order: u64,
    strays: u64,
    last_heard: u64,
    latency: Histogram<u64>,
}

struct Ear {
    group: usize,
    voice: Option<usize>,
    heard: u64,
    is_live: bool,
}

struct Voice {
    ear: usize,
    /// Its index among the senders of its group.
    place: usize,
    said: u32,
    answered: u32,
    refused: u32,
}

#[derive(Clone, Default)]
struct Group {
    voices: Vec<usize>,
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
}

impl Tally {
    /// A run with these receivers, each in a group and with whether its connection is open, some of which are senders.
    pub(super) fn new(run: u16, ears: &[(usize, bool)], voices: &[usize]) -> Self {
        let mut groups = vec![Group::default(); ears.iter().map(|(group, _)| group + 1).max().unwrap_or(0)];
        let mut ears: Vec<Ear> = ears
            .iter()
            .map(|(group, is_live)| Ear { group: *group, voice: None, heard: 0, is_live: *is_live })
            .collect();
        for group in ears.iter().filter(|ear| ear.is_live).map(|ear| ear.group) {
            if let Some(group) = groups.get_mut(group) {
                group.live += 1;
            }
        }
        let mut told = Vec::new();
        for ear_id in voices {
            let Some(ear) = ears.get_mut(*ear_id) else { continue };
            let Some(group) = groups.get_mut(ear.group) else { continue };
            ear.voice = Some(told.len());
            told.push(Voice { ear: *ear_id, place: group.voices.len(), said: 0, answered: 0, refused: 0 });
            group.voices.push(told.len() - 1);
        }
        let width = groups.iter().map(|group| group.voices.len()).max().unwrap_or(0);
        #[expect(clippy::expect_used, reason = "the bounds are constants that the histogram takes")]
        let latency = Histogram::new_with_bounds(1, LATENCY_MOST, 3).expect("good bounds");
        Self {
            run,
            next: vec![0; ears.len() * width],
            ears,
            voices: told,
            groups,
            width,
            outstanding: 0,
            out_of_order: 0,
            strays: 0,
            last_heard: 0,
            latency,
        }
    }

    /// Notes that a sender sends its next line, and returns the line's stamp. `at` is when it was due.
    pub(super) fn say(&mut self, voice_id: usize, at: u64) -> Option<Stamp> {
        let voice = self.voices.get_mut(voice_id)?;
        let number = voice.said;
        voice.said += 1;
        if let Some(group) = self.ears.get(voice.ear).and_then(|ear| self.groups.get_mut(ear.group)) {
            group.said += 1;
            self.outstanding += group.live.saturating_sub(1);
        }
        Some(Stamp { run: self.run, sender: u32::try_from(voice_id).ok()?, number, at })
    }

    /// Takes a line received at `now`, in nanoseconds of the run.
    pub(super) fn handle_line(&mut self, ear: usize, line: Line<'_>, now: u64) -> Event {
        match line {
            Line::Said(text) => match Stamp::decode(text).filter(|stamp| stamp.run == self.run) {
                Some(stamp) => self.hear(ear, stamp, now),
                None => Event::Nothing,
            },
            Line::Reply(code, _) => self.answer(ear, code),
            Line::Part | Line::Notice | Line::Other => Event::Nothing,
        }
    }

    fn hear(&mut self, ear_id: usize, stamp: Stamp, now: u64) -> Event {
        let Some(ear) = self.ears.get_mut(ear_id) else { return Event::Nothing };
        let voice_id = stamp.sender as usize;
        let voice = self.voices.get(voice_id).filter(|voice| voice.ear != ear_id);
        let is_of_group = self.groups.get(ear.group).is_some_and(|group| {
            voice.is_some_and(|voice| group.voices.get(voice.place).is_some_and(|there| *there == voice_id))
        });
        let Some(voice) = voice.filter(|_| is_of_group) else {
            self.strays += 1;
            return Event::Nothing;
        };
        let Some(next) = self.next.get_mut(ear_id * self.width + voice.place) else { return Event::Nothing };
        if stamp.number < *next {
            self.out_of_order += 1;
        } else {
            *next = stamp.number.saturating_add(1);
        }
        ear.heard += 1;
        self.outstanding = self.outstanding.saturating_sub(1);
        self.last_heard = now;
        self.latency.saturating_record(now.saturating_sub(stamp.at).max(1));
        Event::Heard
    }

    fn answer(&mut self, ear_id: usize, code: u16) -> Event {
        let Some(ear) = self.ears.get(ear_id) else { return Event::Nothing };
        let Some(voice) = ear.voice.and_then(|voice| self.voices.get_mut(voice)) else { return Event::Nothing };
        // 421 is not an answer: it is the end of the connection.
        if code == 421 || voice.answered >= voice.said {
            return Event::Nothing;
        }
        voice.answered += 1;
        if code != 250 {
            voice.refused += 1;
            let hearers = self.groups.get(ear.group).map_or(0, |group| group.live.saturating_sub(1));
            self.outstanding = self.outstanding.saturating_sub(hearers);
        }
        Event::Answered
    }

    /// Notes that a receiver's connection has ended: lines for it are no longer waited for.
    pub(super) fn handle_end(&mut self, ear_id: usize) {
        let Some(ear) = self.ears.get_mut(ear_id).filter(|ear| ear.is_live) else { return };
        ear.is_live = false;
        let own = ear.voice.and_then(|voice| self.voices.get(voice)).map_or(0, |voice| u64::from(voice.said));
        if let Some(group) = self.groups.get_mut(ear.group) {
            group.live -= 1;
            self.outstanding = self.outstanding.saturating_sub(group.said.saturating_sub(own + ear.heard));
        }
    }

    /// Whether a sender's connection is open.
    pub(super) fn is_live(&self, voice: usize) -> bool {
        self.voices.get(voice).and_then(|voice| self.ears.get(voice.ear)).is_some_and(|ear| ear.is_live)
    }

    /// The connection of a sender.
    pub(super) fn ear_of(&self, voice: usize) -> Option<usize> {
        self.voices.get(voice).map(|voice| voice.ear)
    }

    /// The number of senders.
    pub(super) fn voices(&self) -> usize {
        self.voices.len()
    }

    /// The number of lines that a sender has sent.
    pub(super) fn said(&self, voice: usize) -> u32 {
        self.voices.get(voice).map_or(0, |voice| voice.said)
    }

    /// Whether a sender may send a line if at most `window` may be under way.
    pub(super) fn has_room(&self, voice_id: usize, window: u32) -> bool {
        let Some(voice) = self.voices.get(voice_id) else { return false };
        let group = self.ears.get(voice.ear).and_then(|ear| self.groups.get(ear.group));
        let hearers = group.map_or(0, |group| group.live.saturating_sub(1));
        self.outstanding + hearers <= u64::from(window) * hearers && voice.said - voice.answered < window
    }

    /// Whether every line has been answered and received.
    pub(super) fn is_settled(&self) -> bool {
        let is_live = |voice: &Voice| self.ears.get(voice.ear).is_some_and(|ear| ear.is_live);
        self.outstanding == 0
            && self.voices.iter().filter(|voice| is_live(voice)).all(|voice| voice.answered == voice.said)
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
        let mut counts = Counts { out_of_order: self.out_of_order, strays: self.strays, ..Counts::default() };
        for voice in &self.voices {
            counts.said += u64::from(voice.said);
            counts.refused += u64::from(voice.refused);
            counts.unanswered += u64::from(voice.said - voice.answered);
        }
        for (ear_id, ear) in self.ears.iter().enumerate() {
            counts.heard += ear.heard;
            counts.lost += self.due(ear_id, ear).saturating_sub(ear.heard);
        }
        counts
    }

    /// The number of lines that a receiver should have received.
    fn due(&self, ear_id: usize, ear: &Ear) -> u64 {
        let Some(group) = self.groups.get(ear.group) else { return 0 };
        let voices = group.voices.iter().filter_map(|voice| self.voices.get(*voice));
        voices
            .filter(|voice| voice.ear != ear_id)
            .map(|voice| {
                let heard = self.next.get(ear_id * self.width + voice.place).copied().unwrap_or(0);
                let due = if ear.is_live { voice.answered.max(heard) } else { heard };
                u64::from(due.saturating_sub(voice.refused))
            })
            .sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Three receivers of one group, the first two of them senders; and a fourth by itself.
    fn tally() -> Tally {
        Tally::new(7, &[(0, true), (0, true), (0, true), (1, true)], &[0, 1])
    }

    fn text(stamp: Stamp) -> Vec<u8> {
        let mut text = Vec::new();
        stamp.encode(64, &mut text);
        text
    }

    fn hear(tally: &mut Tally, ear: usize, stamp: Stamp, now: u64) -> Event {
        tally.handle_line(ear, Line::Said(&text(stamp)), now)
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
        assert_eq!(tally.handle_line(1, Line::Said(b"hello"), 1), Event::Nothing);
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
