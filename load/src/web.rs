//! WebSocket, without sockets: the client's side, as far as one text message for each line takes.
//!
//! ```text
//! request ─▶ 101 ─▶ messages of the server ─▶ lines, and pings to answer
//! ```

mod frame;
#[cfg(test)]
mod tests;
mod upgrade;

use self::frame::{Frame, Next, next};
pub(super) use self::frame::{Masks, wrap, wrap_pong};
pub(super) use self::upgrade::request;
use self::upgrade::{Answer, answer};
use super::inbox::{ENDLESS, LINE_MOST};

/// What a server has sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Heard<'a> {
    /// A line.
    Line(&'a [u8]),
    /// A ping with this payload, which wants a pong.
    Ping(&'a [u8]),
}

/// The messages of one server. Between two events it keeps no more than the start of a frame.
#[derive(Default)]
pub(super) struct Web {
    state: State,
    /// Input that is not whole: the start of the answer, or of a frame.
    held: Vec<u8>,
    /// The payloads of a message whose last frame has not come.
    gathered: Option<Vec<u8>>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    /// The request is on its way.
    #[default]
    Asking,
    /// Messages come.
    Open,
    /// The server has said that nothing follows.
    Ended,
}

impl Web {
    /// Takes what the socket gave, and passes what the server has sent to `take`.
    ///
    /// # Errors
    /// The connection cannot be used any more, and why.
    pub(super) fn receive(&mut self, input: &[u8], take: &mut dyn FnMut(Heard<'_>)) -> Result<(), String> {
        if self.held.is_empty() {
            let used = self.advance(input, take)?;
            self.held.extend_from_slice(input.get(used..).unwrap_or_default());
        } else {
            self.held.extend_from_slice(input);
            let mut held = std::mem::take(&mut self.held);
            let used = self.advance(&held, take)?;
            held.drain(..used);
            // An empty buffer is given back.
            self.held = if held.is_empty() { Vec::new() } else { held };
        }
        Ok(())
    }

    /// Whether the server has said that nothing follows.
    pub(super) fn has_ended(&self) -> bool {
        self.state == State::Ended
    }

    /// Goes on until more input is needed, and returns how much of it is used up.
    fn advance(&mut self, input: &[u8], take: &mut dyn FnMut(Heard<'_>)) -> Result<usize, String> {
        let mut used = 0;
        if self.state == State::Asking {
            match answer(input)? {
                Answer::Partial => return Ok(0),
                Answer::Upgraded { length } => used = length,
            }
            self.state = State::Open;
        }
        while self.state == State::Open {
            let Next::Whole { frame, length } = next(input.get(used..).unwrap_or_default())? else { return Ok(used) };
            used += length;
            self.hear(frame, take)?;
        }
        // Nothing counts behind a close.
        Ok(input.len())
    }

    fn hear(&mut self, frame: Frame<'_>, take: &mut dyn FnMut(Heard<'_>)) -> Result<(), String> {
        match frame {
            Frame::Text { payload, is_last: true } if self.gathered.is_none() => take(Heard::Line(payload)),
            Frame::Text { payload, is_last: false } if self.gathered.is_none() => {
                self.gathered = Some(payload.to_vec());
            }
            Frame::More { payload, is_last } => {
                let Some(gathered) = &mut self.gathered else { return Err(frame::BROKEN.to_owned()) };
                if gathered.len() + payload.len() > LINE_MOST {
                    return Err(ENDLESS.to_owned());
                }
                gathered.extend_from_slice(payload);
                if is_last {
                    take(Heard::Line(gathered));
                    self.gathered = None;
                }
            }
            Frame::Text { .. } => return Err(frame::BROKEN.to_owned()),
            Frame::Ping(payload) => take(Heard::Ping(payload)),
            Frame::Pong => {}
            Frame::Close => self.state = State::Ended,
        }
        Ok(())
    }
}
