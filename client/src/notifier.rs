//! Runs the program of `--notify-command`: one at a time, at most one a second, in a thread of its own.
//!
//! What calls meanwhile is gathered for the next run. Nothing here delays the client: it only puts a reason into a
//! mailbox that is never full, and at its end it waits for a moment.

use std::io::{self, Write as _};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, ChildStdin, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use rustix::process::{Pid, Signal, kill_process_group};

use super::event::Event;
use super::inbox::Doorbell;
use super::program::{Pauses, command};
use super::show::call::Gathered;

/// The time from one start to the next.
const EVERY: Duration = Duration::from_secs(1);
/// A program that runs longer is ended.
const LIMIT: Duration = Duration::from_secs(10);
/// How long the end of the client waits for a program, and for this thread in all.
const MOMENT: Duration = Duration::from_millis(300);
const LAST_WAIT: Duration = Duration::from_millis(600);

/// The main thread's end.
pub(super) struct Notifier {
    mailbox: Arc<Mailbox>,
    /// Disconnected when the thread has ended.
    ended: Receiver<()>,
}

/// What the next run is told.
#[derive(Default)]
struct Mailbox {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    gathered: Option<Gathered>,
    is_over: bool,
}

impl Notifier {
    /// Starts the thread: `words` are the program and its arguments, `user` is told to it. The first failure is reported
    /// to `doorbell`.
    ///
    /// # Errors
    ///
    /// The process is out of threads.
    pub(super) fn start(words: Vec<String>, user: String, doorbell: Doorbell) -> io::Result<Self> {
        let mailbox = Arc::new(Mailbox::default());
        let (sender, ended) = mpsc::channel();
        let shared = Arc::clone(&mailbox);
        thread::Builder::new().name("notify".to_owned()).spawn(move || {
            shared.serve(&words, &user, &doorbell);
            drop(sender);
        })?;
        Ok(Self { mailbox, ended })
    }

    /// Runs the program for this reason, at once or with what comes until it may run again.
    pub(super) fn notify(&self, new: Gathered) {
        let mut state = self.mailbox.lock();
        let gathered = state.gathered.take();
        state.gathered = Some(match gathered {
            Some(gathered) => gathered.and(new),
            None => new,
        });
        self.mailbox.changed.notify_all();
    }

    /// Ends the thread. A program that runs gets a moment.
    pub(super) fn finish(self) {
        self.mailbox.lock().is_over = true;
        self.mailbox.changed.notify_all();
        // A thread that the system holds up ends with the process.
        let _ = self.ended.recv_timeout(LAST_WAIT);
    }
}

impl Mailbox {
    fn lock(&self) -> MutexGuard<'_, State> {
        // A panic elsewhere leaves nothing half done in here.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn serve(&self, words: &[String], user: &str, doorbell: &Doorbell) {
        let mut is_told = false;
        let mut next = Instant::now();
        while let Some(gathered) = self.take(next) {
            next = Instant::now() + EVERY;
            if let Err(why) = self.run(words, gathered.object(user).as_bytes())
                && !is_told
            {
                is_told = true;
                doorbell.ring(Event::NotNotified(why));
            }
        }
    }

    /// Waits until there is a reason, and until then. `None` at the end.
    fn take(&self, until: Instant) -> Option<Gathered> {
        let mut state = self.lock();
        loop {
            if state.is_over {
                return None;
            }
            let left = until.saturating_duration_since(Instant::now());
            state = match state.gathered.take() {
                Some(gathered) if left.is_zero() => return Some(gathered),
                Some(gathered) => {
                    state.gathered = Some(gathered);
                    self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0
                }
                None => self.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
            };
        }
    }

    /// Runs the program once.
    ///
    /// # Errors
    ///
    /// Why it could not be started, or has failed.
    fn run(&self, words: &[String], input: &[u8]) -> Result<(), String> {
        let Some(mut command) = command(words) else { return Ok(()) };
        // A group of its own: all of it can be ended, and a Ctrl-C at the terminal is not for it.
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
        let mut child = command.spawn().map_err(|error| error.to_string())?;
        let attended = self.attend(&mut child, input);
        if !matches!(attended, Ok(Some(_))) {
            end(&mut child);
        }
        match attended {
            Ok(Some(status)) if status.success() => Ok(()),
            Ok(Some(status)) => Err(status.to_string()),
            Ok(None) if self.lock().is_over => Ok(()),
            Ok(None) => Err(format!("it took longer than {} s and was ended", LIMIT.as_secs())),
            Err(error) => Err(error.to_string()),
        }
    }

    /// Writes the input and waits for the program's end; `None` if it takes too long.
    fn attend(&self, child: &mut Child, input: &[u8]) -> io::Result<Option<ExitStatus>> {
        let mut deadline = Instant::now() + LIMIT;
        let mut rest = input;
        let mut pipe = child.stdin.take();
        if let Some(pipe) = &pipe {
            // A program that reads nothing must not hold this thread. The flag is that of our end alone.
            fcntl_setfl(pipe, fcntl_getfl(pipe)? | OFlags::NONBLOCK)?;
        }
        let mut pauses = Pauses::new();
        loop {
            pipe = pipe.take().and_then(|pipe| feed(pipe, &mut rest));
            if let Some(status) = child.try_wait()? {
                return Ok(Some(status));
            }
            if self.lock().is_over {
                deadline = deadline.min(Instant::now() + MOMENT);
                // Once: it is not put off by the next look.
                return Self::wait_until(child, deadline);
            }
            if Instant::now() >= deadline {
                return Ok(None);
            }
            let mut fds: Vec<PollFd<'_>> = pipe.iter().map(|pipe| PollFd::new(pipe, PollFlags::OUT)).collect();
            match poll(&mut fds, Some(&pauses.next())) {
                Ok(_) | Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Waits for the program's end until then.
    fn wait_until(child: &mut Child, deadline: Instant) -> io::Result<Option<ExitStatus>> {
        loop {
            let status = child.try_wait()?;
            if status.is_some() || Instant::now() >= deadline {
                return Ok(status);
            }
            thread::sleep(Duration::from_millis(5));
        }
    }
}

/// Writes what the pipe takes. Gives the pipe back if there is more to write; a reader that is gone wants nothing more.
fn feed(mut pipe: ChildStdin, rest: &mut &[u8]) -> Option<ChildStdin> {
    while !rest.is_empty() {
        match pipe.write(rest) {
            Ok(n) => *rest = rest.get(n..).unwrap_or_default(),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Some(pipe),
            Err(_) => return None,
        }
    }
    None
}

/// Ends a program that has not been waited for, with its group: nobody else can have its number.
fn end(child: &mut Child) {
    if let Some(group) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
        // It may have ended by itself in the meantime.
        let _ = kill_process_group(group, Signal::KILL);
    }
    let _ = child.wait();
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// Runs a shell script with this input, in less than five seconds.
    #[track_caller]
    fn run(script: &str, input: &[u8]) -> Result<(), String> {
        let began = Instant::now();
        let words = ["sh", "-c", script].map(str::to_owned);
        let result = Mailbox::default().run(&words, input);
        assert!(began.elapsed() < Duration::from_secs(5), "{script}: {:?}", began.elapsed());
        result
    }

    /// More than a pipe holds.
    fn much() -> Vec<u8> {
        vec![b'x'; 1 << 20]
    }

    #[test]
    fn a_program_gets_all_of_its_input() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("count");
        run(&format!("sleep 0.1; wc -c >'{}'", file.display()), &much()).unwrap();
        assert_eq!(fs::read_to_string(&file).unwrap().trim(), "1048576");
    }

    #[test]
    fn a_program_may_read_nothing_and_write_much() {
        for script in ["exit 0", "exec <&-; sleep 0.1", "head -c 1", "head -c 5000000 /dev/zero", "sleep 60 & exit 0"] {
            assert_eq!(run(script, &much()), Ok(()), "{script}");
        }
    }

    #[test]
    fn why_a_program_failed() {
        assert_eq!(run("exit 3", b"x"), Err("exit status: 3".to_owned()));
        assert!(run("kill -9 $$", &much()).unwrap_err().contains("signal: 9"));
        let why = Mailbox::default().run(&["/nowhere/at/all".to_owned()], b"x").unwrap_err();
        assert!(why.contains("No such file"), "{why}");
        assert_eq!(Mailbox::default().run(&[], b"x"), Ok(()));
    }

    #[test]
    fn the_end_does_not_wait_for_a_program() {
        let mailbox = Mailbox::default();
        mailbox.lock().is_over = true;
        let began = Instant::now();
        assert_eq!(mailbox.run(&["sleep", "60"].map(str::to_owned), &much()), Ok(()));
        assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
        assert_eq!(mailbox.take(Instant::now()), None);
    }
}
