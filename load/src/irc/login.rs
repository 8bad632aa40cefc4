//! The login of one connection by IRC: capabilities, an account, and perhaps a channel.

use super::FAIL;
use super::base64::encode;
use crate::dialogue::{Act, Gained, Visitor};
use crate::line::Line;

/// The capabilities that are asked for: each message has its time and its id, senders hear themselves, and who enters a
/// channel is not told who is there.
const CAPS: &str = "server-time message-tags echo-message draft/no-implicit-names sasl";
/// Seconds until a busy server is asked again.
const LATER: u64 = 2;

/// The state of a login.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Dialogue {
    /// Waits for the answer to the first line.
    #[default]
    Greeting,
    /// The capabilities have been asked for.
    Capabilities,
    /// A new account has been asked for.
    Registering,
    /// SASL has been asked for. `is_busy` once the server has said that it is.
    Mechanism,
    /// The password has been sent.
    Password { is_busy: bool },
    /// The registration has been completed. `is_new` if the account is.
    Entering { is_new: bool },
    /// The channel has been requested.
    Channel,
    /// The client is in, or was refused. It sends nothing more.
    Over,
}

impl Dialogue {
    /// Takes a line of the server. Returns the reaction, and what the line has brought.
    pub(crate) fn handle_line(&mut self, line: Line<'_>, visitor: &Visitor) -> (Act, Gained) {
        let mut gained = Gained::default();
        let act = match line {
            Line::Reply(code, text) => self.on_reply(code, text, visitor, &mut gained),
            Line::Command { from, text } => self.on_command(from, text, visitor, &mut gained),
            Line::Part | Line::Notice | Line::Said { .. } | Line::Other if *self == Self::Greeting => self.no_irc(),
            Line::Part | Line::Notice | Line::Said { .. } | Line::Other => Act::Wait,
        };
        (act, gained)
    }

    fn on_reply(&mut self, code: u16, text: &str, visitor: &Visitor, gained: &mut Gained) -> Act {
        match (*self, code) {
            (Self::Over, _) => Act::Wait,
            (Self::Greeting, 220) => {
                gained.is_greeted = true;
                self.say(Self::Capabilities, format!("CAP REQ :{CAPS}"))
            }
            (Self::Registering, FAIL) if text.starts_with("REGISTER ACCOUNT_EXISTS ") => self.prove(),
            (Self::Registering, FAIL) if text.starts_with("REGISTER TEMPORARILY_UNAVAILABLE ") => {
                // The server is busy, or makes no accounts.
                if text.contains("busy") { Act::SayLater(register(visitor), LATER) } else { self.prove() }
            }
            (Self::Password { .. }, FAIL) if text.starts_with("AUTHENTICATE TEMPORARILY_UNAVAILABLE ") => {
                *self = Self::Password { is_busy: true };
                Act::Wait
            }
            (_, FAIL) => self.refuse(text.to_owned()),
            (_, _) => self.refuse(format!("{code} {text}")),
        }
    }

    fn on_command(&mut self, from: &str, text: &str, visitor: &Visitor, gained: &mut Gained) -> Act {
        let is_own = from.eq_ignore_ascii_case(&visitor.name);
        let mut words = text.split(' ');
        let (verb, first, second) = (words.next().unwrap_or_default(), words.next(), words.next());
        match (*self, verb) {
            (Self::Greeting, _) => self.no_irc(),
            (Self::Capabilities, "CAP") if second == Some("ACK") => self.introduce(visitor),
            (Self::Capabilities, "CAP") if second == Some("NAK") => self.refuse(format!("it has not all of: {CAPS}")),
            (Self::Registering, "REGISTER") if first == Some("SUCCESS") => self.complete(true),
            (Self::Mechanism, "AUTHENTICATE") => {
                let proof = encode(format!("\0{}\0{}", visitor.name, visitor.password).as_bytes());
                self.say(Self::Password { is_busy: false }, format!("AUTHENTICATE {proof}"))
            }
            (Self::Password { .. }, "903") => self.complete(false),
            (Self::Password { is_busy: true }, "904") => {
                *self = Self::Mechanism;
                Act::SayLater("AUTHENTICATE PLAIN".to_owned(), LATER)
            }
            (Self::Mechanism | Self::Password { .. }, "904" | "905" | "906" | "907" | "908") => {
                self.refuse(text.to_owned())
            }
            (Self::Entering { is_new }, "JOIN") if is_own && first == Some("&all") => {
                gained.is_logged_in = true;
                gained.is_registered = is_new;
                // IRC has no tokens: who comes back does so by the password.
                gained.token = visitor.wants_token.then(|| visitor.password.clone());
                self.enter_channel(visitor)
            }
            (Self::Channel, "JOIN") if is_own && is_channel(first, visitor) => {
                *self = Self::Over;
                Act::Enter
            }
            _ => Act::Wait,
        }
    }

    /// Gives the name, and asks for an account of that name, unless there is one.
    fn introduce(&mut self, visitor: &Visitor) -> Act {
        let name = format!("NICK {0}\r\nUSER {0} 0 * :{0}", visitor.name);
        if visitor.token.is_some() {
            return self.say(Self::Mechanism, format!("{name}\r\nAUTHENTICATE PLAIN"));
        }
        self.say(Self::Registering, format!("{name}\r\n{}", register(visitor)))
    }

    fn prove(&mut self) -> Act {
        self.say(Self::Mechanism, "AUTHENTICATE PLAIN".to_owned())
    }

    fn complete(&mut self, is_new: bool) -> Act {
        self.say(Self::Entering { is_new }, "CAP END".to_owned())
    }

    fn enter_channel(&mut self, visitor: &Visitor) -> Act {
        match &visitor.room {
            None => {
                *self = Self::Over;
                Act::Enter
            }
            // Who comes first makes it.
            Some(room) => self.say(Self::Channel, format!("JOIN #{}", room.name)),
        }
    }

    fn no_irc(&mut self) -> Act {
        self.refuse("the server speaks no IRC there".to_owned())
    }

    fn say(&mut self, next: Self, line: String) -> Act {
        *self = next;
        Act::Say(line)
    }

    fn refuse(&mut self, why: String) -> Act {
        *self = Self::Over;
        Act::refused(&why)
    }
}

fn register(visitor: &Visitor) -> String {
    format!("REGISTER * * :{}", visitor.password)
}

/// Whether it is the channel of this room.
fn is_channel(channel: Option<&str>, visitor: &Visitor) -> bool {
    let name = channel.and_then(|channel| channel.strip_prefix('#'));
    name.is_some() && name == visitor.room.as_ref().map(|room| room.name.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialogue::Room;
    use crate::dialogue::tests::{check_reactions, visitor};
    use crate::irc::parse;

    #[track_caller]
    fn check(visitor: &Visitor, lines: &[&str], expected: &[&str]) -> Vec<Gained> {
        let mut dialogue = Dialogue::default();
        check_reactions(|line| dialogue.handle_line(parse(line.as_bytes()), visitor), lines, expected)
    }

    const PONG: &str = ":x.y PONG x.y :chatload";
    const ACK: &str = ":x.y CAP * ACK :server-time";
    const EXISTS: &str = ":x.y FAIL REGISTER ACCOUNT_EXISTS ann :It exists";
    const IN: &str = "@time=1 :ann!account@x.y JOIN &all";
    const REQUEST: &str = "CAP REQ :server-time message-tags echo-message draft/no-implicit-names sasl";
    const HELLO: &str = "NICK ann|USER ann 0 * :ann|REGISTER * * :pw";

    #[test]
    fn a_new_account() {
        let lines = [
            PONG,
            ACK,
            ":x.y REGISTER SUCCESS ann :made",
            ":x.y 900 ann ann!account@x.y ann :hi",
            ":x.y 001 ann :hi",
            IN,
        ];
        let gained = check(&visitor(), &lines, &[REQUEST, HELLO, "CAP END", "in"]);
        assert!(gained[0].is_greeted && gained[5].is_logged_in && gained[5].is_registered && gained[5].token.is_none());
    }

    #[test]
    fn an_account_that_exists() {
        let lines = [PONG, ACK, EXISTS, "AUTHENTICATE +", ":x.y 900 ann x ann :hi", ":x.y 903 ann :ok", IN];
        let expected = [REQUEST, HELLO, "AUTHENTICATE PLAIN", "AUTHENTICATE AGFubgBwdw==", "CAP END", "in"];
        let gained = check(&visitor(), &lines, &expected);
        assert!(gained[6].is_logged_in && !gained[6].is_registered);
        // No new accounts are made.
        let closed = ":x.y FAIL REGISTER TEMPORARILY_UNAVAILABLE ann :No new accounts";
        check(&visitor(), &[PONG, ACK, closed], &[REQUEST, HELLO, "AUTHENTICATE PLAIN"]);
    }

    #[test]
    fn who_comes_back_has_an_account() {
        let mut ann = visitor();
        ann.wants_token = true;
        let gained =
            check(&ann, &[PONG, ACK, ":x.y REGISTER SUCCESS ann :made", IN], &[REQUEST, HELLO, "CAP END", "in"]);
        ann.token = gained[3].token.clone();
        let hello = "NICK ann|USER ann 0 * :ann|AUTHENTICATE PLAIN";
        check(&ann, &[PONG, ACK, "AUTHENTICATE +"], &[REQUEST, hello, "AUTHENTICATE AGFubgBwdw=="]);
    }

    #[test]
    fn a_busy_server_is_asked_again() {
        let busy = ":x.y FAIL REGISTER TEMPORARILY_UNAVAILABLE ann :The server is busy, try again";
        check(&visitor(), &[PONG, ACK, busy], &[REQUEST, HELLO, "REGISTER * * :pw +2"]);
        let busy = ":x.y FAIL AUTHENTICATE TEMPORARILY_UNAVAILABLE :The server is busy, try again";
        let lines = [PONG, ACK, EXISTS, "AUTHENTICATE +", busy, ":x.y 904 ann :failed", "AUTHENTICATE +"];
        let proof = "AUTHENTICATE AGFubgBwdw==";
        check(&visitor(), &lines, &[REQUEST, HELLO, "AUTHENTICATE PLAIN", proof, "AUTHENTICATE PLAIN +2", proof]);
    }

    #[test]
    fn a_channel() {
        let mut ann = visitor();
        ann.room = Some(Room { name: "r1".to_owned(), is_new: true });
        let made = ":x.y REGISTER SUCCESS ann :made";
        let others = ["@time=1 :bob!account@x.y JOIN #r1", ":ann!account@x.y JOIN #r2", ":x.y 332 ann #r1 :JOIN"];
        let lines = [&[PONG, ACK, made, IN], &others[..], &[":Ann!account@x.y JOIN #r1"]].concat();
        check(&ann, &lines, &[REQUEST, HELLO, "CAP END", "JOIN #r1", "in"]);
        let full = ":x.y 471 ann #r1 :Cannot join channel (+l)";
        let no = "no: 471 ann #r1 :Cannot join channel (+l)";
        check(&ann, &[PONG, ACK, made, IN, full], &[REQUEST, HELLO, "CAP END", "JOIN #r1", no]);
    }

    #[test]
    fn turned_away() {
        for line in ["HTTP/1.1 400 Bad Request", "C 220 chatd ready; your name?", "C 331 x", ""] {
            check(&visitor(), &[line], &["no: the server speaks no IRC there"]);
        }
        check(&visitor(), &[PONG, ":x.y CAP * NAK :sasl"], &[REQUEST, &format!("no: it has not all of: {CAPS}")]);
        let wrong = [PONG, ACK, EXISTS, "AUTHENTICATE +", ":x.y 904 ann :failed", IN];
        let proof = "AUTHENTICATE AGFubgBwdw==";
        check(&visitor(), &wrong, &[REQUEST, HELLO, "AUTHENTICATE PLAIN", proof, "no: 904 ann :failed"]);
        let weak = ":x.y FAIL REGISTER WEAK_PASSWORD ann :\u{1b}[2J";
        check(&visitor(), &[PONG, ACK, weak, PONG], &[REQUEST, HELLO, "no: REGISTER WEAK_PASSWORD ann :?[2J"]);
    }
}
