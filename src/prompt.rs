//! Passwords at the terminal: echo is off while one is typed, and the terminal is restored afterwards, however that
//! ends. Waiting for input can be cancelled.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write as _};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::termios::{LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr};
use signal_hook::SigId;
use signal_hook::consts::SIGCONT;
use signal_hook::low_level::{pipe, unregister};

use crate::secret::Secret;

/// Ctrl-U, which makes rpassword discard the line. The user sees an empty prompt after a stop, so the input must be
/// empty too.
const DISCARD: u8 = 0x15;

/// The terminal of this process with echo off. Dropping it restores the terminal.
pub struct Hidden {
    terminal: File,
    found: Termios,
    prompt: String,
    end: String,
    /// Readable after SIGCONT: the process was stopped, and the shell had the terminal in the meantime.
    resumed: UnixStream,
    signal: SigId,
}

impl Hidden {
    /// Turns echo off and shows `prompt`. `end` is shown when this is dropped. From now on Ctrl-C is read as a key. The
    /// caller must catch the signals that end a process, or they leave the terminal without echo.
    ///
    /// # Errors
    /// There is no terminal, or no descriptor is left.
    pub fn new(prompt: &str, end: &str) -> io::Result<Self> {
        let terminal = OpenOptions::new().read(true).write(true).open("/dev/tty")?;
        let found = tcgetattr(&terminal)?;
        let (resumed, ring) = UnixStream::pair()?;
        resumed.set_nonblocking(true)?;
        let signal = pipe::register(SIGCONT, ring)?;
        let mut hidden = Self { terminal, found, prompt: prompt.to_owned(), end: end.to_owned(), resumed, signal };
        hidden.begin(OptionalActions::Now)?;
        Ok(hidden)
    }

    /// Turns echo off, then shows the prompt, so that nothing typed in answer to the prompt is echoed.
    fn begin(&mut self, when: OptionalActions) -> io::Result<()> {
        let mut quiet = self.found.clone();
        quiet.local_modes -= LocalModes::ECHO | LocalModes::ECHONL | LocalModes::ICANON | LocalModes::ISIG;
        quiet.special_codes[SpecialCodeIndex::VMIN] = 1;
        quiet.special_codes[SpecialCodeIndex::VTIME] = 0;
        tcsetattr(&self.terminal, when, &quiet)?;
        self.terminal.write_all(self.prompt.as_bytes())
    }

    /// Reads the password, up to Enter.
    ///
    /// # Errors
    /// [`ErrorKind::Interrupted`] if the user types Ctrl-C (the process then also sends itself SIGINT) or if there is a
    /// byte in `cancel`. Other errors after Ctrl-D, or if the terminal fails.
    pub fn read(self, cancel: &UnixStream) -> io::Result<Secret> {
        let keys = Keys { hidden: self, cancel: cancel.try_clone()? };
        // With an input reader of its own, rpassword does not touch the terminal's settings.
        let config = rpassword::ConfigBuilder::new().input_reader(keys).output_discard().build();
        rpassword::read_password_with_config(config).map(Secret::new)
    }
}

impl Drop for Hidden {
    fn drop(&mut self) {
        unregister(self.signal);
        // If the terminal is gone, there is nothing to restore.
        let _ = self.terminal.write_all(self.end.as_bytes());
        let _ = tcsetattr(&self.terminal, OptionalActions::Now, &self.found);
    }
}

/// The keys typed at the hidden prompt. Reading fails once there is a byte in `cancel`.
struct Keys {
    hidden: Hidden,
    cancel: UnixStream,
}

impl Read for Keys {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Hidden { terminal, resumed, .. } = &self.hidden;
        let [_, resumed, cancelled] = wait_for([terminal.as_fd(), resumed.as_fd(), self.cancel.as_fd()])?;
        if cancelled {
            return Err(ErrorKind::Interrupted.into());
        }
        // Handle this before reading keys, since echo may be on.
        if resumed {
            return self.resume(buffer);
        }
        match self.hidden.terminal.read(buffer)? {
            // The terminal is gone. An end of input would not do: rpassword takes that for Enter.
            0 => Err(ErrorKind::NotConnected.into()),
            count => Ok(count),
        }
    }
}

impl Keys {
    /// Starts over after a stop, with empty input.
    fn resume(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        // Non-blocking, so it drains whatever has arrived.
        let _ = self.hidden.resumed.read(&mut [0; 64]);
        // Flush what was typed in the meantime: the shell or the terminal may have echoed it.
        self.hidden.begin(OptionalActions::Flush)?;
        let Some(first) = buffer.first_mut() else { return Ok(0) };
        *first = DISCARD;
        Ok(1)
    }
}

/// Waits until `input` is readable or at its end. False if there is a byte in `cancel` instead.
///
/// # Errors
/// Of poll(2).
pub fn wait_readable(input: impl AsFd, cancel: &UnixStream) -> io::Result<bool> {
    let [_, cancelled] = wait_for([input.as_fd(), cancel.as_fd()])?;
    Ok(!cancelled)
}

/// Waits until at least one of these is readable or at its end. Says which are.
fn wait_for<const COUNT: usize>(from: [BorrowedFd<'_>; COUNT]) -> io::Result<[bool; COUNT]> {
    loop {
        let mut fds = from.map(|fd| PollFd::from_borrowed_fd(fd, PollFlags::IN));
        match poll(&mut fds, None) {
            Ok(_) => return Ok(fds.map(|fd| !fd.revents().is_empty())),
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}
