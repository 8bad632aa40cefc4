//! The login of one connection in the typed dialect: greeting, name, password, and perhaps a token and a room. Without
//! sockets and clocks.

use std::mem;

use super::line::Line;

/// A client that logs in.
#[derive(Clone, Debug)]
pub(super) struct Visitor {
    /// The account.
    pub(super) name: String,
    /// Its password.
    pub(super) password: String,
    /// A token to resume with instead of the password.
    pub(super) token: Option<String>,
    /// Whether to request a token.
    pub(super) wants_token: bool,
    /// The room to enter.
    pub(super) room: Option<Room>,
}

/// A room to enter.
#[derive(Clone, Debug)]
pub(super) struct Room {
    pub(super) name: String,
    /// Whether to create it instead of joining it.
    pub(super) is_new: bool,
}

/// The state of a login.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Dialogue {
    /// Waits for the greeting.
    #[default]
    Greeting,
    /// The name has been sent, perhaps with a token.
    Name,
    /// The password has been sent. `is_new` if it creates an account.
    Password { is_new: bool },
    /// A token has been requested.
    Token,
    /// The room has been requested.
    Room,
    /// The client is in, or was refused. It sends nothing more.
    Over,
}

/// The reaction to a line.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Act {
    /// Nothing.
    Wait,
    /// Send this line (without its LF).
    Say(String),
    /// Send it after this many seconds.
    SayLater(String, u64),
    /// The client is in.
    Enter,
    /// It was refused; why, in the server's words.
    Refused(String),
}

impl Act {
    /// A refusal in the server's words.
    pub(super) fn refused(why: &str) -> Self {
        // It is shown on a terminal, and another server may send anything.
        Self::Refused(why.chars().map(|c| if c.is_control() { '?' } else { c }).take(100).collect())
    }
}

/// The result of a line.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Gained {
    /// A greeting.
    pub(super) is_greeted: bool,
    /// A login.
    pub(super) is_logged_in: bool,
    /// … that created an account.
    pub(super) is_registered: bool,
    /// A token.
    pub(super) token: Option<String>,
}

impl Dialogue {
    /// Takes a line of the server. Returns the reaction, and what the line has brought.
    pub(super) fn handle_line(&mut self, line: Line<'_>, visitor: &Visitor) -> (Act, Gained) {
        let mut gained = Gained::default();
        let Line::Reply(code, text) = line else {
            let act = match (line, *self) {
                (Line::Other, Self::Greeting) => self.refuse("what answers there is no chatd".to_owned()),
                _ => Act::Wait,
            };
            return (act, gained);
        };
        let act = match (mem::replace(self, Self::Over), code) {
            (Self::Greeting, 220) => {
                gained.is_greeted = true;
                let token = visitor.token.as_ref().map(|token| format!(" {token}")).unwrap_or_default();
                self.say(Self::Name, format!("C {}{token}", visitor.name))
            }
            (Self::Name, 331 | 332) => {
                self.say(Self::Password { is_new: code == 332 }, format!("C {}", visitor.password))
            }
            // Others were faster, and the accounts are used up.
            (Self::Password { is_new: true }, 450) if text.ends_with("your name?") => {
                self.refuse(format!("{code} {text}"))
            }
            // The queue of passwords is full.
            (Self::Password { is_new }, 450) => {
                *self = Self::Password { is_new };
                Act::SayLater(format!("C {}", visitor.password), seconds_in(text))
            }
            (from @ (Self::Name | Self::Password { .. }), 230) => {
                gained.is_logged_in = true;
                gained.is_registered = from == Self::Password { is_new: true };
                self.go_on(visitor)
            }
            (Self::Token, 231) => {
                gained.token = text.split(' ').next().map(str::to_owned);
                self.enter_room(visitor)
            }
            (Self::Room, 227) => Act::Enter,
            (Self::Over, _) => Act::Wait,
            (Self::Greeting | Self::Name | Self::Password { .. } | Self::Token | Self::Room, _) => {
                self.refuse(format!("{code} {text}"))
            }
        };
        (act, gained)
    }

    fn say(&mut self, next: Self, line: String) -> Act {
        *self = next;
        Act::Say(line)
    }

    fn refuse(&mut self, why: String) -> Act {
        *self = Self::Over;
        Act::refused(&why)
    }

    fn go_on(&mut self, visitor: &Visitor) -> Act {
        if visitor.wants_token { self.say(Self::Token, "C TOKEN".to_owned()) } else { self.enter_room(visitor) }
    }

    fn enter_room(&mut self, visitor: &Visitor) -> Act {
        match &visitor.room {
            None => Act::Enter,
            Some(room) => {
                let verb = if room.is_new { "MAKE" } else { "JOIN" };
                self.say(Self::Room, format!("C {verb} {}", room.name))
            }
        }
    }
}

/// The seconds of `busy, try again in N s`; 2 if there are none.
fn seconds_in(text: &str) -> u64 {
    text.split(' ').find_map(|word| word.parse().ok()).unwrap_or(2).min(60)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn visitor() -> Visitor {
        Visitor { name: "ann".to_owned(), password: "pw".to_owned(), token: None, wants_token: false, room: None }
    }

    /// The reactions to these lines: the lines sent, `+N` for later, `in`, or `no: WHY`.
    #[track_caller]
    pub(crate) fn check_reactions(
        mut handle_line: impl FnMut(&str) -> (Act, Gained),
        lines: &[&str],
        expected: &[&str],
    ) -> Vec<Gained> {
        let (mut all, mut found) = (Vec::new(), Vec::new());
        for line in lines {
            let (act, gained) = handle_line(line);
            all.push(gained);
            match act {
                Act::Wait => {}
                Act::Say(lines) => found.push(lines.replace("\r\n", "|")),
                Act::SayLater(line, after) => found.push(format!("{line} +{after}")),
                Act::Enter => found.push("in".to_owned()),
                Act::Refused(why) => found.push(format!("no: {why}")),
            }
        }
        assert_eq!(found, expected, "{lines:?}");
        all
    }

    #[track_caller]
    fn check(visitor: &Visitor, lines: &[&str], expected: &[&str]) -> Vec<Gained> {
        let mut dialogue = Dialogue::default();
        check_reactions(|line| dialogue.handle_line(Line::parse(line.as_bytes()), visitor), lines, expected)
    }

    const HELLO: &str = "C 220 chatd 0.1.0 ready; your name?";

    #[test]
    fn in_by_password() {
        let gained =
            check(&visitor(), &[HELLO, "C 331 ann, your password?", "C 230 welcome"], &["C ann", "C pw", "in"]);
        assert!(gained[0].is_greeted && gained[2].is_logged_in && !gained[2].is_registered);
        let gained = check(&visitor(), &[HELLO, "C 332 new", "D PM 1 x y", "C 230 welcome"], &["C ann", "C pw", "in"]);
        assert!(gained[3].is_registered);
    }

    #[test]
    fn a_busy_server_is_asked_again() {
        let lines = [HELLO, "C 332 new", "C 450 busy, try again in 3 s", "C 450 busy", "C 230 welcome"];
        check(&visitor(), &lines, &["C ann", "C pw", "C pw +3", "C pw +2", "in"]);
    }

    #[test]
    fn a_token_and_a_room() {
        let mut guest = visitor();
        guest.wants_token = true;
        guest.room = Some(Room { name: "r1".to_owned(), is_new: true });
        let lines =
            [HELLO, "C 331 x", "C 230 hi", "C 231 t1.2.ab expires=86400", "C 103 r1 bob entered", "C 227 r1 token=T"];
        let gained = check(&guest, &lines, &["C ann", "C pw", "C TOKEN", "C MAKE r1", "in"]);
        assert_eq!(gained[3].token.as_deref(), Some("t1.2.ab"));
        guest = visitor();
        guest.token = Some("t1.2.ab".to_owned());
        guest.room = Some(Room { name: "r1".to_owned(), is_new: false });
        check(&guest, &[HELLO, "C 230 hi", "C 227 r1 token=T"], &["C ann t1.2.ab", "C JOIN r1", "in"]);
    }

    #[test]
    fn turned_away() {
        check(&visitor(), &["HTTP/1.1 400 Bad Request"], &["no: what answers there is no chatd"]);
        check(&visitor(), &["C 421 server full"], &["no: 421 server full"]);
        check(&visitor(), &[HELLO, "C 331 x", "C 530 wrong password"], &["C ann", "C pw", "no: 530 wrong password"]);
        check(&visitor(), &[HELLO, "C 553 \u{1b}[2J"], &["C ann", "no: 553 ?[2J"]);
        // A refused client sends nothing more.
        check(&visitor(), &["C 500 x", HELLO, "C 331 x"], &["no: 500 x"]);
    }
}
