//! Writing to standard output and standard error so that a signal ends the wait for a reader that does not read.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::fs::OpenOptionsExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use rustix::fs::{FileType, OFlags, fstat};
use rustix::io::Errno;

use super::alarm::Alarm;

/// The size of a write: what a pipe that is ready takes.
const PIECE: usize = 4096;
/// The pause if a terminal is ready and still takes nothing, because another thread is writing to it.
const PAUSE: Duration = Duration::from_millis(2);

/// Standard output or standard error.
pub(super) struct Output {
    file: OwnedFd,
    alarm: Arc<Alarm>,
    /// A write was abandoned because the client is to end. Nothing more is written.
    is_given_up: AtomicBool,
}

impl Output {
    /// Standard output or standard error (`file`). A write blocks only as long as the alarm allows.
    ///
    /// # Errors
    ///
    /// The process is out of descriptors.
    pub(super) fn new(file: impl AsFd, alarm: Arc<Alarm>) -> io::Result<Self> {
        let file = match open_impatient(&file) {
            Some(own) => own.into(),
            None => file.as_fd().try_clone_to_owned()?,
        };
        Ok(Self { file, alarm, is_given_up: AtomicBool::new(false) })
    }

    /// Writes all of the text, and blocks as long as that takes. When the client is to end, it blocks only for a
    /// moment, and the rest is lost.
    ///
    /// # Errors
    ///
    /// The file cannot be written to any more.
    pub(super) fn write(&self, text: &str) -> io::Result<()> {
        let mut bytes = text.as_bytes();
        while !bytes.is_empty() && !self.is_given_up.load(Ordering::SeqCst) {
            if !self.alarm.wait_writable(&self.file, None)? {
                self.is_given_up.store(true, Ordering::SeqCst);
                break;
            }
            let piece = bytes.get(..PIECE).unwrap_or(bytes);
            match rustix::io::write(&self.file, piece) {
                Ok(n) => bytes = bytes.get(n..).unwrap_or_default(),
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => thread::sleep(PAUSE),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }
}

/// Writes what standard output takes without blocking. It is safe to call from a panic at any place.
pub(super) fn write_at_once(text: &str) {
    // Without a non-blocking one, a blocked write is the smaller risk, compared with a terminal left in raw mode.
    let _ = match open_impatient(io::stdout()) {
        Some(mut own) => own.write(text.as_bytes()).map(|_| ()),
        None => rustix::io::write(io::stdout(), text.as_bytes()).map(|_| ()).map_err(io::Error::from),
    };
}

/// The same pipe or terminal, opened again without blocking: that flag belongs to the open file, which other processes
/// share. `None` if it never blocks, or cannot be opened again.
fn open_impatient(file: impl AsFd) -> Option<File> {
    let kind = FileType::from_raw_mode(fstat(&file).ok()?.st_mode);
    if !matches!(kind, FileType::Fifo | FileType::CharacterDevice) {
        return None;
    }
    let flags = i32::try_from((OFlags::NONBLOCK | OFlags::NOCTTY).bits()).ok()?;
    let path = format!("/proc/self/fd/{}", file.as_fd().as_raw_fd());
    OpenOptions::new().write(true).custom_flags(flags).open(path).ok()
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn a_full_pipe_is_waited_for_until_the_alarm() {
        let (mut reader, writer) = io::pipe().unwrap();
        let alarm = Arc::new(Alarm::new(&[]).unwrap());
        let output = Output::new(&writer, Arc::clone(&alarm)).unwrap();
        let (sender, written) = mpsc::channel();
        let writing = thread::spawn(move || {
            let text = "x".repeat(1 << 20);
            sender.send(output.write(&text).is_ok()).unwrap();
            sender.send(output.write(&text).is_ok()).unwrap();
            output.write(&text).is_ok()
        });
        reader.read_exact(&mut vec![0; 1 << 20]).unwrap();
        assert!(written.recv().unwrap());
        assert!(written.recv_timeout(Duration::from_millis(50)).is_err(), "nobody reads");
        alarm.raise();
        assert!(written.recv_timeout(Duration::from_secs(5)).unwrap());
        assert!(writing.join().unwrap());
    }

    #[test]
    fn nobody_who_reads_is_an_error() {
        let (reader, writer) = io::pipe().unwrap();
        let output = Output::new(&writer, Arc::new(Alarm::new(&[]).unwrap())).unwrap();
        drop(reader);
        assert_eq!(output.write("x").unwrap_err().kind(), io::ErrorKind::BrokenPipe);
        let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
        let output = Output::new(&full, Arc::new(Alarm::new(&[]).unwrap())).unwrap();
        assert_eq!(output.write("x").unwrap_err().kind(), io::ErrorKind::StorageFull);
    }
}
