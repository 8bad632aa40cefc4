//! Asking a person for what nobody shall see: the terminal without its echo, and as it was when that is over, whatever
//! ends it; and waiting for input that may be called off.

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

/// The key that has rpassword forget what was typed, Ctrl-U: nobody sees how much that was when the prompt stands there
/// again.
const DISCARD: u8 = 0x15;

/// The terminal of this process while nothing that is typed may be seen. As it was when it is dropped.
pub struct Hidden {
    terminal: File,
    found: Termios,
    prompt: String,
    end: String,
    /// Readable when the process has been stopped and goes on: a shell has had the terminal meanwhile.
    resumed: UnixStream,
    signal: SigId,
}

impl Hidden {
    /// Ends the echo and shows `prompt`; shows `end` when it is over. Ctrl-C is a key from now on; the signals that end
    /// a process must be caught, or they leave the terminal like this.
    ///
    /// # Errors
    /// There is no terminal, or the process may open nothing more.
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

    /// Ends the echo, and shows the prompt: in this order, for what is typed at the sight of it must not be seen.
    fn begin(&mut self, when: OptionalActions) -> io::Result<()> {
        let mut quiet = self.found.clone();
        quiet.local_modes -= LocalModes::ECHO | LocalModes::ECHONL | LocalModes::ICANON | LocalModes::ISIG;
        quiet.special_codes[SpecialCodeIndex::VMIN] = 1;
        quiet.special_codes[SpecialCodeIndex::VTIME] = 0;
        tcsetattr(&self.terminal, when, &quiet)?;
        self.terminal.write_all(self.prompt.as_bytes())
    }

    /// What is typed, up to its Enter.
    ///
    /// # Errors
    /// [`ErrorKind::Interrupted`]: by Ctrl-C, upon which the process sends itself SIGINT too, or by a byte in `cancel`.
    /// Ctrl-D, or the terminal's.
    pub fn read(self, cancel: &UnixStream) -> io::Result<Secret> {
        let keys = Keys { hidden: self, cancel: cancel.try_clone()? };
        // Told to read from something else than a terminal, rpassword leaves the terminal's settings alone.
        let config = rpassword::ConfigBuilder::new().input_reader(keys).output_discard().build();
        rpassword::read_password_with_config(config).map(Secret::new)
    }
}

impl Drop for Hidden {
    fn drop(&mut self) {
        unregister(self.signal);
        // If the terminal has gone there is nothing to restore.
        let _ = self.terminal.write_all(self.end.as_bytes());
        let _ = tcsetattr(&self.terminal, OptionalActions::Now, &self.found);
    }
}

/// What is typed at a terminal that shows nothing, until there is something in `cancel`.
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
        // Before what is typed: it is not to be echoed.
        if resumed {
            return self.resume(buffer);
        }
        match self.hidden.terminal.read(buffer)? {
            // The terminal has gone. Not as an end: that rpassword takes for an Enter.
            0 => Err(ErrorKind::NotConnected.into()),
            count => Ok(count),
        }
    }
}

impl Keys {
    /// After a stop: begins anew, with nothing typed.
    fn resume(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        // However many there were; it does not wait.
        let _ = self.hidden.resumed.read(&mut [0; 64]);
        // Without what came meanwhile: the shell, or the terminal itself, may have shown it.
        self.hidden.begin(OptionalActions::Flush)?;
        let Some(first) = buffer.first_mut() else { return Ok(0) };
        *first = DISCARD;
        Ok(1)
    }
}

/// Waits until there is something to read. `false`: there is something in `cancel` instead.
///
/// # Errors
/// The kernel's.
pub fn wait_readable(input: impl AsFd, cancel: &UnixStream) -> io::Result<bool> {
    let [_, cancelled] = wait_for([input.as_fd(), cancel.as_fd()])?;
    Ok(!cancelled)
}

/// Waits until there is something to read, or an end, in at least one of these. Gives in which.
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
