//! CHATHISTORY and MARKREAD.

use crate::door::decoded::Decoded;
use crate::door::irc::door::IrcDoor;
use crate::door::irc::message::Parameters;
use crate::door::irc::names::{self, Target};
use crate::door::irc::point::Point;
use crate::door::irc::step::{Asked, Past, What};
use crate::door::irc::voice::repeated;
use crate::door::recall::{Bound, PlaceName, Recall, When};
use crate::hub::names::Who;
use crate::limits::IRC_HISTORY_MESSAGES;

impl IrcDoor {
    /// `CHATHISTORY LATEST|BEFORE|AFTER|AROUND target point limit`, `BETWEEN target point point limit`, `TARGETS point
    /// point limit`.
    pub(super) fn on_chathistory(&mut self, parameters: Parameters<'_>) -> Decoded<'static> {
        let subcommand = parameters.at(0).to_ascii_uppercase();
        let is_between = subcommand == "BETWEEN";
        let is_known = matches!(subcommand.as_str(), "LATEST" | "BEFORE" | "AFTER" | "AROUND" | "BETWEEN" | "TARGETS");
        let least = if is_between { 5 } else { 4 };
        let why = match parameters.count() {
            0 => Some("Insufficient parameters"),
            _ if !is_known => Some("Unknown command"),
            count if count < least => Some("Insufficient parameters"),
            count if count > least => Some("Too many parameters"),
            _ => None,
        };
        if let Some(why) = why {
            let context = format!(" {}", repeated(parameters.at(0)));
            self.voice().fail("CHATHISTORY", "INVALID_PARAMS", &context, why);
            return Decoded::Nothing;
        }
        if subcommand == "TARGETS" {
            return self.on_targets_of_history(parameters);
        }
        let guests = self.server.guests;
        let is_guest = matches!(names::receiver(parameters.at(1), guests), Some(Who::Guest(_)));
        let Some(place) = self.place(parameters.at(1)).filter(|_| !is_guest) else {
            if is_guest {
                self.say_empty_page(repeated(parameters.at(1)));
                return Decoded::Nothing;
            }
            let context = format!(" {subcommand} {}", repeated(parameters.at(1)));
            self.voice().fail("CHATHISTORY", "INVALID_TARGET", &context, "Messages could not be retrieved");
            return Decoded::Nothing;
        };
        let most = parameters.at(least - 1).parse().ok().filter(|most| *most > 0);
        let points = (Point::parse(parameters.at(2)), Point::parse(parameters.at(3)));
        let shown = self.shown_target(parameters.at(1));
        match most.zip(pages(&subcommand, points)) {
            Some((most, bounds)) => self.ask_pages(&subcommand, place, (&shown, bounds), most),
            None => {
                let words = parameters.as_slice().get(2..least).unwrap_or_default();
                self.refuse_points(&subcommand, &shown, words);
                Decoded::Nothing
            }
        }
    }

    /// One of the points, or the number behind them, is none.
    fn refuse_points(&mut self, subcommand: &str, shown: &str, words: &[&str]) {
        let Some((most, points)) = words.split_last() else { return };
        let is_point = |word: &str| match Point::parse(word) {
            Some(Point::Newest) => subcommand == "LATEST",
            point => point.is_some(),
        };
        let is_foreign =
            |word: &str| word.split_once('=').is_some_and(|(key, _)| !matches!(key, "msgid" | "timestamp"));
        let wrong = points.iter().find(|word| !is_point(word));
        let (code, subject, why) = match wrong {
            Some(word) if is_foreign(word) => ("INVALID_MSGREFTYPE", shown, "A point is a msgid or a timestamp"),
            Some(word) if word.starts_with("timestamp=") => ("INVALID_PARAMS", repeated(word), "Invalid timestamp"),
            wrong => ("INVALID_PARAMS", repeated(wrong.unwrap_or(most)), "Invalid parameters"),
        };
        self.voice().fail("CHATHISTORY", code, &format!(" {subcommand} {subject}"), why);
    }

    /// AROUND is two pages, the others are one.
    fn ask_pages(
        &mut self,
        subcommand: &str,
        place: PlaceName,
        (shown, bounds): (&str, Vec<Bound>),
        most: u32,
    ) -> Decoded<'static> {
        let most = most.min(IRC_HISTORY_MESSAGES);
        let last = bounds.len().saturating_sub(1);
        for (index, bound) in bounds.iter().enumerate() {
            // The second half of AROUND begins with the message itself.
            let most = match (last, index) {
                (0, _) => most,
                (_, 0) => most / 2,
                (_, _) => most - most / 2,
            };
            if most == 0 {
                continue;
            }
            let past = Past { subcommand: subcommand.into(), lines: Vec::new() };
            let mut asked = Asked::channel(What::History(Box::new(past)), shown);
            asked.is_last = index == last;
            let recall = Recall::Page { place: Some(place.clone()), bound: *bound, most };
            self.then(asked, Decoded::Recall(recall), false);
        }
        self.begin()
    }

    fn on_targets_of_history(&mut self, parameters: Parameters<'_>) -> Decoded<'static> {
        let points = (Point::parse(parameters.at(1)), Point::parse(parameters.at(2)));
        let most: Option<u32> = parameters.at(3).parse().ok().filter(|most| *most > 0);
        let ((Some(Point::At(one)), Some(Point::At(other))), Some(most)) = (points, most) else {
            self.voice().fail("CHATHISTORY", "INVALID_PARAMS", " TARGETS", "Two timestamps and a number");
            return Decoded::Nothing;
        };
        let (above, below) = (Point::At(one.min(other)).above(), Point::At(one.max(other)).below());
        let (newest, most) = (other < one, most.min(IRC_HISTORY_MESSAGES) as usize);
        let what = What::HistoryTargets { above, below, newest, most };
        self.ask(Asked::plain(what), Decoded::Recall(Recall::Unread))
    }

    /// A target as it is shown.
    fn shown_target(&self, target: &str) -> String {
        match Target::parse(target) {
            Some(Target::Room(room)) => self.channel_of(&room),
            Some(Target::Everybody) => names::EVERYBODY.to_owned(),
            Some(Target::Who(who)) => names::nick(&who, self.server.guests).to_string(),
            None => repeated(target).to_owned(),
        }
    }

    /// The place of a target.
    fn place(&self, target: &str) -> Option<PlaceName> {
        Some(match Target::parse(target)? {
            Target::Everybody => PlaceName::Everybody,
            Target::Room(room) => PlaceName::Room(room),
            Target::Who(Who::Account(name)) => PlaceName::Direct(name),
            Target::Who(Who::Guest(_)) => return None, // what is said to guests is not kept
        })
    }

    /// `MARKREAD target [timestamp=…]`.
    pub(super) fn on_markread(&mut self, parameters: Parameters<'_>) -> Decoded<'static> {
        let target = parameters.at(0);
        let shown = repeated(target).to_owned();
        if target.is_empty() {
            self.voice().fail("MARKREAD", "NEED_MORE_PARAMS", "", "Missing parameters");
            return Decoded::Nothing;
        }
        if let Some(who @ Who::Guest(_)) = names::receiver(target, self.server.guests) {
            let nick = names::nick(&who, self.server.guests).to_string();
            self.voice().server_line(format_args!("MARKREAD {nick} *"));
            return Decoded::Nothing;
        }
        let Some(place) = self.place(target) else {
            self.voice().fail("MARKREAD", "INVALID_PARAMS", &format!(" {shown}"), "No such target");
            return Decoded::Nothing;
        };
        let shown = self.shown_target(target);
        if parameters.count() > 1 {
            let Some(point @ Point::At(_)) = Point::parse(parameters.at(1)) else {
                let context = format!(" {shown}");
                self.voice().fail("MARKREAD", "INVALID_PARAMS", &context, "Invalid timestamp");
                return Decoded::Nothing;
            };
            let when = Some(When::Id(point.above()));
            let asked = Asked::channel(What::SetMark, shown.as_str());
            self.then(asked, Decoded::Recall(Recall::Read { place: Some(place), when }), false);
        }
        self.then(Asked::channel(What::Mark, shown), Decoded::Recall(Recall::Unread), false);
        self.begin()
    }
}

/// The bounds of the pages of a subcommand. `None` if a point is none, or one is missing.
fn pages(subcommand: &str, (one, other): (Option<Point>, Option<Point>)) -> Option<Vec<Bound>> {
    let (one, two) = (one?, other);
    let before = |point: Point| Bound::Before(When::Id(point.below()));
    let after = |point: Point| Bound::After(When::Id(point.above()));
    Some(match (subcommand, one) {
        ("LATEST", Point::Newest) => vec![Bound::None],
        (_, Point::Newest) => return None,
        ("LATEST", point) => vec![Bound::Between { above: point.above(), below: u64::MAX, newest: true }],
        ("BEFORE", point) => vec![before(point)],
        ("AFTER", point) => vec![after(point)],
        ("AROUND", point) => vec![before(point), Bound::After(When::Id(point.below().saturating_sub(1)))],
        ("BETWEEN", one) => match two? {
            Point::Newest => return None,
            two => {
                let newest = two.below() < one.below();
                let (low, high) = if newest { (two, one) } else { (one, two) };
                vec![Bound::Between { above: low.above(), below: high.below(), newest }]
            }
        },
        _ => return None,
    })
}
