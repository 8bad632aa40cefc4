//! System calls that fail, or end the process, injected by strace.

use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, ChildStderr, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::{Server, pause};

/// strace, attached to a server. Dropping it detaches it.
pub struct Strace {
    child: Child,
    /// Kept open, so that strace can write its last message.
    _stderr: BufReader<ChildStderr>,
}

impl Strace {
    /// Attaches to a server, with `-e inject=…` for each of these. Prints why and returns `None` if that is not
    /// possible.
    pub fn attach(server: &Server, injections: &[&str]) -> Option<Self> {
        Self::attach_to_files(server, &[], injections)
    }

    /// The same, for the calls on these files alone; on all if there are none.
    pub fn attach_to_files(server: &Server, files: &[PathBuf], injections: &[&str]) -> Option<Self> {
        let mut command = Command::new("strace");
        command.args(["-f", "-o", "/dev/null", "-p", &server.pid().to_string()]).args(options(injections));
        files.iter().for_each(|file| _ = command.arg("-P").arg(file));
        let spawned = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn();
        let Ok(mut child) = spawned else {
            println!("skipped: there is no strace");
            return None;
        };
        let mut stderr = BufReader::new(child.stderr.take().expect("a pipe"));
        let mut said = String::new();
        while stderr.read_line(&mut said).is_ok_and(|bytes| bytes > 0) {
            if said.contains("attached") {
                return Some(Self { child, _stderr: stderr });
            }
        }
        println!("skipped: strace cannot attach here: {said}");
        // It has ended.
        let _ = child.wait();
        None
    }
}

impl Drop for Strace {
    fn drop(&mut self) {
        // A strace that is told to end detaches from its process.
        let pid = Pid::from_raw(self.child.id().cast_signed()).expect("a pid");
        let _ = kill_process(pid, Signal::TERM);
        let deadline = Instant::now() + Duration::from_secs(1);
        while self.child.try_wait().is_ok_and(|status| status.is_none()) && Instant::now() < deadline {
            pause(5);
        }
        // It may wait without end for a thread of a process that it has killed itself. Then there is nothing to detach
        // from.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A command that starts a program under strace with these injections. Prints why and returns `None` if that is not
/// possible.
pub fn strace(injections: &[&str]) -> Option<Command> {
    let mut probe = Command::new("strace");
    match probe.args(["-o", "/dev/null", "-e", "inject=getppid:retval=1", "true"]).output() {
        Ok(output) if output.status.success() => {
            let mut command = Command::new("strace");
            command.args(["-f", "-o", "/dev/null"]).args(options(injections));
            Some(command)
        }
        Ok(output) => {
            println!("skipped: strace cannot trace here: {}", String::from_utf8_lossy(&output.stderr));
            None
        }
        Err(_) => {
            println!("skipped: there is no strace");
            None
        }
    }
}

fn options(injections: &[&str]) -> Vec<String> {
    injections.iter().flat_map(|injection| ["-e".to_owned(), format!("inject={injection}")]).collect()
}
