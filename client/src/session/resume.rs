//! What was missed. After each login the client asks for what was said since the last message that the user has: which
//! places there are, then page by page. Until the end is reached, live messages are held.
//!
//! ```text
//! WANT ─▶ UNREAD ─▶ JOIN … ─▶ HISTORY after C ─▶ HISTORY after NEXT ─▶ … ─▶ end
//! ```
//!
//! Nothing of the pages is shown before the end, so a connection that is lost meanwhile costs nothing: the next one
//! begins where this one began.

use std::collections::VecDeque;

use super::requests::{Request, Way};
use super::unread::is_same_place;
use super::{Resumes, Session};
use crate::action::{Now, Place};
use crate::frame::Said;
use crate::past::{self, Line};

/// More than this is not shown …
const MOST: usize = 1_000;
/// … but the last of it, which is this much, and also the most that a page holds.
const LAST: usize = 200;
/// The most pages of one resume.
const PAGES: u32 = 2_000;
/// Live messages are held for this long, and so many. Then they are shown before what was missed.
const HOLD_MS: u64 = 5_000;
const HELD: usize = 1_000;
/// A server that cannot answer now is asked again after this time, and each time after twice that …
const PAUSE_MS: u64 = 1_000;
/// … up to this.
const PAUSE_MOST_MS: u64 = 30_000;
/// The notice after a break, if the server keeps nothing.
pub(super) const NOT_REACHED: &str = "what was said meanwhile has not reached you";
/// The notices and fields that the client understands.
const WANTED: [&str; 5] = ["WANT", "ids", "reads", "forgets", "own"];

/// The state of the past on a connection.
#[derive(Debug, Default)]
pub(super) enum Resume {
    /// The server keeps nothing, or is not asked.
    #[default]
    Off,
    /// It is being asked for.
    Asking(Box<Asking>),
    /// The user has everything.
    Current,
}

/// A resume that has not reached the end.
#[derive(Debug)]
pub(super) struct Asking {
    step: Step,
    /// Nothing up to here is missing.
    after: u64,
    /// Whether nothing is known of earlier runs: what the account has read elsewhere is not shown.
    is_first: bool,
    /// The lines of the page that is arriving.
    page: Vec<Line>,
    /// The lines of the pages before it.
    lines: Vec<Line>,
    /// Unconfirmed messages of the user that were found, and are before those lines.
    found: Vec<Line>,
    /// The highest id in a page.
    newest: u64,
    pages: u32,
    /// Whether only the last lines are shown.
    is_cut: bool,
    /// Live messages, while they are held.
    held: Option<VecDeque<Said>>,
    /// Until when they are held, in monotonic milliseconds.
    held_until: u64,
    pause_ms: u64,
    /// When the server is asked again, in monotonic milliseconds.
    again_ms: Option<u64>,
    is_trouble_told: bool,
}

/// What the server has been asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Want,
    Unread,
    /// To enter the rooms; the first page comes at once.
    Join,
    /// The page after this id.
    After(u64),
    /// The page before this id, or the newest.
    Before(Option<u64>),
}

impl Asking {
    fn new(step: Step, now: Now) -> Box<Self> {
        Box::new(Self {
            step,
            after: if let Step::After(id) = step { id } else { 0 },
            is_first: false,
            page: Vec::new(),
            lines: Vec::new(),
            found: Vec::new(),
            newest: 0,
            pages: 0,
            is_cut: false,
            held: Some(VecDeque::new()),
            held_until: now.monotonic_ms.saturating_add(HOLD_MS),
            pause_ms: PAUSE_MS,
            again_ms: None,
            is_trouble_told: false,
        })
    }

    fn due(&self) -> Option<u64> {
        let held = self.held.as_ref().map(|_| self.held_until);
        held.into_iter().chain(self.again_ms).min()
    }
}

impl Session {
    /// The user is logged in. The first step of the resume, before the rooms are entered.
    pub(super) fn begin_resume(&mut self, now: Now) {
        self.news.turn_to(self.retry.server());
        match self.settings.resumes {
            Resumes::Never => {}
            Resumes::InRun => self.learn_ignored(now),
            Resumes::Always => {
                self.resume = Resume::Asking(Asking::new(Step::Want, now));
                self.ask_past(now);
            }
        }
    }

    /// The rooms are being entered: in a script, what was missed is asked for.
    pub(super) fn continue_resume(&mut self, now: Now) {
        let server = self.retry.server();
        match self.settings.resumes {
            Resumes::Always => {}
            Resumes::Never => self.tell_return(),
            Resumes::InRun => match self.highest(server).or_else(|| self.seen.get(server)?.top()) {
                Some(top) => {
                    self.resume = Resume::Asking(Asking::new(Step::After(top), now));
                    self.ask_past(now);
                }
                None => {
                    self.resume = Resume::Current;
                    self.tell_return();
                }
            },
        }
    }

    /// Whether the server keeps what is said.
    pub(super) fn has_past(&self) -> bool {
        !matches!(self.resume, Resume::Off)
    }

    /// Whether the user has everything.
    pub(super) fn is_current(&self) -> bool {
        matches!(self.resume, Resume::Current)
    }

    /// When the resume has something to do, in monotonic milliseconds.
    pub(super) fn resume_due(&self) -> Option<u64> {
        let is_possible = self.is_ready() && !self.keys.is_changing();
        if let (Resume::Asking(asking), true) = (&self.resume, is_possible) { asking.due() } else { None }
    }

    /// Asks again, or shows the live messages that have been held for long enough.
    pub(super) fn on_resume_time(&mut self, now: Now) {
        let is_possible = self.is_ready() && !self.keys.is_changing();
        let Resume::Asking(asking) = &mut self.resume else { return };
        if asking.held.is_some() && asking.held_until <= now.monotonic_ms {
            self.let_go_early();
        }
        let Resume::Asking(asking) = &mut self.resume else { return };
        if is_possible && asking.again_ms.is_some_and(|again| again <= now.monotonic_ms) {
            asking.again_ms = None;
            self.ask_past(now);
        }
    }

    /// A live message. It is returned if it is to be shown now.
    pub(super) fn hold(&mut self, said: Said) -> Option<Said> {
        let is_full = match &mut self.resume {
            Resume::Asking(asking) => match &mut asking.held {
                Some(held) => {
                    held.push_back(said);
                    held.len() >= HELD
                }
                None => return Some(said),
            },
            Resume::Off | Resume::Current => return Some(said),
        };
        if is_full {
            self.let_go_early();
        }
        None
    }

    /// A message of this id is shown. It was heard, or it is the user's and confirmed.
    pub(super) fn note_shown(&mut self, id: u64, is_live: bool, is_own: bool) {
        let is_current = self.is_current();
        let is_asking = self.has_past() && !is_current;
        let Some(seen) = self.seen() else { return };
        if is_own && (is_current || is_asking) {
            seen.note_own(id);
        }
        if is_current && is_live {
            seen.hear(id);
        } else if is_current {
            seen.raise(id);
        } else if is_asking {
            seen.hear_out_of_turn(id);
        }
    }

    /// What was missed takes long: shows the live messages that are held.
    fn let_go_early(&mut self) {
        self.let_go();
        self.offer();
    }

    /// Shows the live messages that are held, before what was missed.
    fn let_go(&mut self) {
        let Resume::Asking(asking) = &mut self.resume else { return };
        for said in asking.held.take().into_iter().flatten() {
            let is_own = self.is_own(&said);
            self.note_shown(said.id, true, is_own);
            self.show_said(said);
        }
    }

    /// A message was erased: `place ID`; or all of somebody: `place all NAME`. What is not shown yet never is.
    pub(super) fn on_erased(&mut self, text: &str) {
        let Some((place, what)) = text.trim_end().split_once(' ') else { return };
        let Some(place) = past::place(place) else { return };
        let is_it = |line: &Line| match what.strip_prefix("all ") {
            Some(name) => is_same_place(&line.place, &place) && line.from.eq_ignore_ascii_case(name),
            None => what.parse() == Ok(line.id),
        };
        if let Ok(id) = what.parse() {
            self.news.erase(id);
        }
        if let Resume::Asking(asking) = &mut self.resume {
            asking.page.retain(|line| !is_it(line));
            asking.lines.retain(|line| !is_it(line));
            if let Some(held) = &mut asking.held {
                held.retain(|said| what.parse() != Ok(said.id));
            }
        }
    }

    /// The connection is over. What was shown of it stays known.
    pub(super) fn drop_resume(&mut self) {
        if let Resume::Asking(asking) = &self.resume
            && let Some(first) = asking.held.as_ref().and_then(VecDeque::front)
        {
            let before = first.id.saturating_sub(1);
            self.begin_to_listen(before);
        }
        self.let_go();
        if matches!(&self.resume, Resume::Asking(asking) if asking.step == Step::Want) {
            self.tell_away();
        }
        self.resume = Resume::Off;
    }

    /// A line of an unfinished answer.
    pub(super) fn on_past_line(&mut self, code: u16, text: String, now: Now) {
        let Resume::Asking(asking) = &mut self.resume else { return };
        match asking.step {
            Step::Unread if code == 213 => {
                if let Some(unread) = past::unread(&text) {
                    if let Some(level) = unread.level {
                        self.rules.set_level(unread.place.clone(), level);
                    }
                    return self.news.learn(unread);
                }
            }
            Step::After(_) | Step::Before(_) if code == 212 => {
                if let Some(line) = past::line(&text) {
                    return self.take_past(line);
                }
            }
            Step::Want | Step::Unread | Step::Join | Step::After(_) | Step::Before(_) => {}
        }
        self.on_nonsense(format!("the server sent a line that means nothing: C {code}-{text}"), now);
    }

    /// The end of an answer.
    pub(super) fn on_past_answer(&mut self, code: u16, text: &str, now: Now) {
        let is_ready = self.is_ready();
        let Resume::Asking(asking) = &mut self.resume else { return };
        if !is_ready {
            return;
        }
        match (asking.step, code) {
            (Step::Want, 200) => self.step_to(Step::Unread, now),
            (Step::Unread, 213) => self.step_to(Step::Join, now),
            (Step::After(_) | Step::Before(_), 212) => match past::last(text) {
                Some(last) => self.on_page(last.next, now),
                None => self.end_without_past(Some(text)),
            },
            (Step::Unread | Step::After(_) | Step::Before(_), 450) => self.ask_again(text, now),
            (_, 502 | 554) => self.end_without_past(None),
            (Step::Want | Step::Unread | Step::Join | Step::After(_) | Step::Before(_), _) => {
                self.end_without_past(Some(text))
            }
        }
    }

    /// Sends what the step asks for; during a password change, after it.
    fn ask_past(&mut self, now: Now) {
        let is_changing = self.keys.is_changing();
        let Resume::Asking(asking) = &mut self.resume else { return };
        asking.page.clear();
        if is_changing {
            asking.again_ms = Some(now.monotonic_ms);
            return;
        }
        let most = LAST.to_string();
        match asking.step {
            Step::Want => self.request(Request::Resume, &WANTED, now),
            Step::Unread => {
                self.news.forget();
                self.rules.forget_levels();
                self.request(Request::Resume, &["UNREAD"], now);
            }
            Step::Join => {
                self.learn_ignored(now);
                self.on_counts(now);
            }
            Step::After(id) => self.request(Request::Resume, &["HISTORY", "after", &id.to_string(), &most], now),
            Step::Before(Some(id)) => {
                self.request(Request::Resume, &["HISTORY", "before", &id.to_string(), &most], now);
            }
            Step::Before(None) => self.request(Request::Resume, &["HISTORY", &most], now),
        }
    }

    fn step_to(&mut self, step: Step, now: Now) {
        if let Resume::Asking(asking) = &mut self.resume {
            (asking.step, asking.pause_ms) = (step, PAUSE_MS);
            self.ask_past(now);
        }
    }

    /// The server cannot answer now.
    fn ask_again(&mut self, why: &str, now: Now) {
        let Resume::Asking(asking) = &mut self.resume else { return };
        asking.again_ms = Some(now.monotonic_ms.saturating_add(asking.pause_ms));
        asking.pause_ms = (asking.pause_ms * 2).min(PAUSE_MOST_MS);
        if !std::mem::replace(&mut asking.is_trouble_told, true) {
            self.note(
                "missed",
                format!("what was said meanwhile cannot be read yet: {why}; the client goes on asking"),
            );
        }
    }

    /// The places are known: enters the rooms, and asks for the first page.
    fn on_counts(&mut self, now: Now) {
        let highest = self.highest(self.retry.server());
        let first = self.news.start(self.settings.people);
        if highest.is_none() {
            self.begin_to_listen(first);
        }
        if let Resume::Asking(asking) = &mut self.resume {
            asking.is_first = highest.is_none();
            asking.after = highest.unwrap_or(first);
            if self.settings.people {
                for room in self.news.rooms() {
                    if self.rooms.find(&room).is_none() {
                        self.enter(&room, None, Way::Member, now);
                    }
                }
            }
        }
        if let Resume::Asking(asking) = &self.resume {
            self.step_to(Step::After(asking.after), now);
        }
    }

    /// A listener of which nothing is known begins after this id, even if the connection ends before it has asked for
    /// more: otherwise it would begin once more at the next one.
    fn begin_to_listen(&mut self, id: u64) {
        if !self.settings.people
            && id > 0
            && let Some(seen) = self.seen()
            && seen.top().is_none()
        {
            seen.raise(id);
        }
    }

    /// A line of a page.
    fn take_past(&mut self, line: Line) {
        let is_own = self.is_me(&line.from);
        let is_elsewhere = match &line.place {
            Place::Room(room) => !self.settings.people && self.rooms.find(room).is_none(),
            Place::Public | Place::Direct { .. } => false,
        };
        let is_read = line.id <= self.news.mark(&line.place);
        let Resume::Asking(asking) = &mut self.resume else { return };
        asking.newest = asking.newest.max(line.id);
        let Some(seen) = self.seen.get(self.retry.server()) else { return };
        let is_had = !line.is_hole && !is_own && seen.has(line.id);
        // It came live, too.
        let is_held = |held: &VecDeque<Said>| held.binary_search_by_key(&line.id, |said| said.id).is_ok();
        let is_live = asking.held.as_ref().is_some_and(is_held);
        if is_elsewhere || is_had || is_live || (asking.is_first && is_read) || line.id <= asking.after {
            return;
        }
        if asking.page.len() <= MOST {
            asking.page.push(line);
        }
    }

    /// A page has ended.
    fn on_page(&mut self, next: Option<u64>, now: Now) {
        let Resume::Asking(asking) = &mut self.resume else { return };
        asking.pages += 1;
        let mut page = std::mem::take(&mut asking.page);
        match asking.step {
            Step::After(after) => {
                asking.lines.append(&mut page);
                if asking.lines.len() > MOST {
                    return self.cut_past(now);
                }
                match next.filter(|next| *next > after && asking.pages < PAGES) {
                    Some(next) => self.step_to(Step::After(next), now),
                    None => self.end_resume(),
                }
            }
            Step::Before(before) => {
                page.append(&mut asking.lines);
                asking.lines = page;
                let is_lower = |next: &u64| before.is_none_or(|before| *next < before);
                let goes_on = asking.lines.len() < LAST && asking.pages < PAGES;
                match next.filter(|next| goes_on && is_lower(next) && *next > asking.after) {
                    Some(next) => self.step_to(Step::Before(Some(next)), now),
                    None => self.end_resume(),
                }
            }
            Step::Want | Step::Unread | Step::Join => {}
        }
    }

    /// Too much was missed: only the last of it is shown.
    fn cut_past(&mut self, now: Now) {
        let Resume::Asking(asking) = &mut self.resume else { return };
        asking.is_cut = true;
        let lines = std::mem::take(&mut asking.lines);
        let found = lines.into_iter().filter(|line| self.find_unconfirmed(line).is_some()).collect();
        if let Resume::Asking(asking) = &mut self.resume {
            asking.found = found;
        }
        self.step_to(Step::Before(None), now);
    }

    /// The end is reached: shows what was missed, then what was held.
    fn end_resume(&mut self) {
        let Resume::Asking(asking) = std::mem::replace(&mut self.resume, Resume::Current) else { return };
        let Asking { mut lines, mut found, newest, after, is_cut, held, .. } = *asking;
        if is_cut {
            lines.drain(..lines.len().saturating_sub(LAST));
            let first = lines.first().map_or(u64::MAX, |line| line.id);
            found.retain(|line| line.id < first);
            found.append(&mut lines);
            lines = found;
        }
        self.show_missed(lines, is_cut);
        let last = held.iter().flatten().next_back().map_or(0, |said| said.id);
        if let Some(seen) = self.seen() {
            seen.settle(newest.max(after).max(last));
        }
        // Otherwise they have been offered.
        if held.is_some() {
            self.offer();
        }
        for said in held.into_iter().flatten() {
            self.show_said(said);
        }
    }

    /// The server keeps nothing, or cannot say what.
    fn end_without_past(&mut self, why: Option<&str>) {
        self.let_go();
        self.resume = Resume::Off;
        if let Some(why) = why {
            self.trouble("missed", format!("what was said meanwhile cannot be read: {why}"));
        }
        self.tell_return();
    }

    /// Tells how long the user was away, if the connection was lost, and what is unconfirmed.
    fn tell_return(&mut self) {
        self.tell_away();
        self.offer();
    }

    fn tell_away(&mut self) {
        if let Some(seconds) = self.away_s.take() {
            self.note("missed", format!("you were away for {seconds} s; {NOT_REACHED}"));
        }
    }
}
