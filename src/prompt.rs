//! Asking a person for what nobody shall see: the terminal without its echo, and as it was when that is over, whatever ends
//! it.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write as _};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::termios::{LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr};

/// The terminal of this process while nothing that is typed may be seen. As it was when it is dropped.
pub struct Hidden {
    terminal: File,
    found: Termios,
}

impl Hidden {
    /// Ends the echo. Ctrl-C is a key from now on; the signals that end a process must be caught, or they leave the terminal
    /// like this.
    ///
    /// # Errors
    /// There is no terminal.
    pub fn new() -> io::Result<Self> {
        let terminal = OpenOptions::new().read(true).write(true).open("/dev/tty")?;
        let found = tcgetattr(&terminal)?;
        let mut quiet = found.clone();
        quiet.local_modes -= LocalModes::ECHO | LocalModes::ECHONL | LocalModes::ICANON | LocalModes::ISIG;
        quiet.special_codes[SpecialCodeIndex::VMIN] = 1;
        quiet.special_codes[SpecialCodeIndex::VTIME] = 0;
        tcsetattr(&terminal, OptionalActions::Now, &quiet)?;
        Ok(Self { terminal, found })
    }

    /// Shows this.
    ///
    /// # Errors
    /// The terminal's.
    pub fn say(&self, text: &str) -> io::Result<()> {
        (&self.terminal).write_all(text.as_bytes())
    }

    /// What is typed, up to its Enter. The caller is to wipe it.
    ///
    /// # Errors
    /// [`ErrorKind::Interrupted`]: by Ctrl-C, upon which the process sends itself SIGINT too, or by a byte in `cancel`.
    /// Ctrl-D, or the terminal's.
    pub fn read(&self, cancel: &UnixStream) -> io::Result<String> {
        let reader = Cancellable { terminal: self.terminal.try_clone()?, cancel: cancel.try_clone()? };
        // Told to read from something else than a terminal, rpassword leaves the terminal's settings alone.
        let config = rpassword::ConfigBuilder::new().input_reader(reader).output_discard().build();
        rpassword::read_password_with_config(config)
    }
}

impl Drop for Hidden {
    fn drop(&mut self) {
        // If the terminal has gone there is nothing to restore.
        let _ = tcsetattr(&self.terminal, OptionalActions::Now, &self.found);
    }
}

/// A terminal, to be read until there is something in `cancel`.
struct Cancellable {
    terminal: File,
    cancel: UnixStream,
}

impl Read for Cancellable {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if !wait_readable(&self.terminal, &self.cancel)? {
            return Err(ErrorKind::Interrupted.into());
        }
        self.terminal.read(buffer)
    }
}

/// Waits until there is something to read. `false`: there is something in `cancel` instead.
///
/// # Errors
/// The kernel's.
pub fn wait_readable(input: impl AsFd, cancel: &UnixStream) -> io::Result<bool> {
    loop {
        let mut fds = [PollFd::new(&input, PollFlags::IN), PollFd::new(cancel, PollFlags::IN)];
        match poll(&mut fds, None) {
            Ok(_) => {}
            Err(rustix::io::Errno::INTR) => continue,
            Err(error) => return Err(error.into()),
        }
        let [input, cancel] = fds;
        if !cancel.revents().is_empty() {
            return Ok(false);
        }
        if !input.revents().is_empty() {
            return Ok(true);
        }
    }
}
