//! The rule by which a client resumes, written from the protocol and not from `chatclient`: C is the highest id up to
//! which the client has everything.

/// What a client remembers between its connections.
#[derive(Default)]
pub(super) struct Memory {
    /// C.
    everything_to: u64,
    /// The highest id that it has had; everything up to it, once a resume has reached its end.
    highest: u64,
    has_resumed: bool,
    /// Its own lines without an answer.
    unconfirmed: usize,
}

impl Memory {
    /// The bound of the next resume.
    pub(super) fn everything_to(&self) -> u64 {
        self.everything_to
    }

    /// A connection begins. What was not confirmed on the last one is in pages, or has not arrived.
    pub(super) fn on_connect(&mut self) {
        self.highest = self.everything_to;
        self.has_resumed = false;
        self.unconfirmed = 0;
    }

    /// A message has come, live or in a page. Not for holes: their ids may move.
    pub(super) fn on_message(&mut self, id: u64) {
        self.highest = self.highest.max(id);
        self.settle();
    }

    /// A resume has reached its end.
    pub(super) fn on_end(&mut self) {
        self.has_resumed = true;
        self.settle();
    }

    /// It sends a line of its own.
    pub(super) fn on_send(&mut self) {
        self.unconfirmed += 1;
    }

    /// Its oldest line without an answer has one.
    pub(super) fn on_answer(&mut self) {
        self.unconfirmed -= 1;
        self.settle();
    }

    fn settle(&mut self) {
        if self.has_resumed && self.unconfirmed == 0 {
            self.everything_to = self.highest;
        }
    }
}

#[test]
fn live_lines_before_the_end_of_a_resume_raise_nothing() {
    let mut memory = Memory::default();
    memory.on_connect();
    memory.on_message(5);
    memory.on_message(9);
    assert_eq!(memory.everything_to(), 0);
    memory.on_end();
    assert_eq!(memory.everything_to(), 9);
    memory.on_message(12);
    memory.on_connect();
    memory.on_message(20);
    assert_eq!(memory.everything_to(), 12);
    memory.on_connect();
    memory.on_end();
    assert_eq!(memory.everything_to(), 12, "what was heard on a connection without an end does not count");
}

#[test]
fn an_unconfirmed_line_of_ones_own_holds_the_bound() {
    let mut memory = Memory::default();
    memory.on_connect();
    memory.on_end();
    memory.on_message(3);
    memory.on_send();
    memory.on_send();
    memory.on_message(7);
    memory.on_answer();
    assert_eq!(memory.everything_to(), 3);
    memory.on_answer();
    assert_eq!(memory.everything_to(), 7);
    memory.on_send();
    memory.on_message(9);
    memory.on_connect();
    assert_eq!(memory.everything_to(), 7);
    memory.on_end();
    memory.on_message(11);
    assert_eq!(memory.everything_to(), 11);
}
