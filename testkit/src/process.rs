//! The server's process as seen in /proc, and programs that run to their end.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Resource, Rlimit, Signal, prlimit};

use crate::{Client, PATIENCE, START_STOP, Server, pause};

/// The result of a program.
#[derive(Debug)]
pub struct Outcome {
    /// Its exit code; `None` if a signal ended it.
    pub code: Option<i32>,
    /// Its standard output.
    pub stdout: String,
    /// Its standard error.
    pub stderr: String,
}

impl Outcome {
    /// It must have ended with this code, and standard error must contain all of these.
    #[track_caller]
    pub fn check(&self, code: i32, told: &[&str]) {
        assert_eq!(self.code, Some(code), "{self:?}");
        for part in told {
            assert!(self.stderr.contains(part), "no {part:?} in {self:?}");
        }
    }
}

/// Runs one of our programs in a folder to its end, which must come in time.
#[track_caller]
pub fn run(binary: &str, dir: &Path, args: &[&str]) -> Outcome {
    let mut command = Command::new(binary);
    command.current_dir(dir).args(args);
    finish(command)
}

/// The same with this as standard input.
#[track_caller]
pub fn run_with(binary: &str, dir: &Path, args: &[&str], input: &str) -> Outcome {
    let mut command = Command::new(binary);
    command.current_dir(dir).args(args);
    finish_with(command, input)
}

/// Runs a command to its end, which must come in time.
#[track_caller]
pub fn finish(command: Command) -> Outcome {
    finish_with(command, "")
}

/// The input must fit into a pipe.
#[track_caller]
pub fn finish_with(mut command: Command, input: &str) -> Outcome {
    let program = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = program.spawn().expect("the program starts");
    // A program that has ended by now did not want it.
    let _ = child.stdin.take().expect("a pipe").write_all(input.as_bytes());
    finish_child(child, START_STOP)
}

/// Waits until a program that was started with pipes has ended by itself, which it must in time. Its output must fit
/// into the pipes.
#[track_caller]
pub fn finish_child(mut child: Child, time: Duration) -> Outcome {
    let deadline = Instant::now() + time;
    while child.try_wait().expect("wait").is_none() {
        if Instant::now() > deadline {
            // Its output so far is worth more than the result of the kill.
            let _ = child.kill();
            panic!("it does not end: {:?}", child.wait_with_output());
        }
        thread::sleep(Duration::from_millis(1));
    }
    let output = child.wait_with_output().expect("its output");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Outcome { code: output.status.code(), stdout: text(&output.stdout), stderr: text(&output.stderr) }
}

/// Waits until a condition holds, as long as for an expected line.
#[track_caller]
pub fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < deadline, "it never comes to this: {what}");
        pause(5);
    }
}

/// A thread of a process.
#[derive(Debug)]
pub struct Thread {
    /// Whether it is the main thread: the event loop.
    pub is_main: bool,
    /// Its name.
    pub name: String,
    /// Processor time, in the kernel's ticks: a hundred a second.
    pub ticks: u64,
}

impl Server {
    /// A client logged in without types, with a small receive buffer.
    #[track_caller]
    pub fn narrow(&self, name: &str) -> Client {
        let mut client = Client::connect_narrow(self.addr());
        client.expect("C 220 ");
        client.login_bare(name);
        client
    }

    /// The number of open descriptors.
    pub fn descriptors(&self) -> usize {
        fs::read_dir(format!("/proc/{}/fd", self.pid())).expect("/proc").count()
    }

    /// Resident memory, in KiB.
    pub fn resident_kib(&self) -> u64 {
        self.memory_kib("Rss:")
    }

    /// Resident memory in KiB without the program's own code, which the kernel loads as it runs.
    pub fn own_kib(&self) -> u64 {
        self.memory_kib("Anonymous:")
    }

    fn memory_kib(&self, what: &str) -> u64 {
        memory_kib(self.pid(), what)
    }

    /// The peak of resident memory, in KiB; the kernel's value may be off by some dozens of pages.
    pub fn most_resident_kib(&self) -> u64 {
        told_by_proc(self.pid(), "status", "VmHWM:")
    }

    /// The size of the kernel's descriptor table for the process.
    pub fn descriptor_table(&self) -> u64 {
        told_by_proc(self.pid(), "status", "FDSize:")
    }

    /// The process's threads.
    pub fn threads(&self) -> Vec<Thread> {
        let pid = self.pid().to_string();
        let tasks = fs::read_dir(format!("/proc/{pid}/task")).expect("/proc");
        let ids = tasks.map(|task| task.expect("a task").file_name().into_string().expect("a number"));
        ids.map(|id| {
            let stat = fs::read_to_string(format!("/proc/{pid}/task/{id}/stat")).expect("/proc");
            // The name is in parentheses and may contain anything; the fields follow it.
            let (head, tail) = stat.rsplit_once(')').expect("a name in brackets");
            let name = head.split_once('(').expect("a name in brackets").1.to_owned();
            let times = tail.split_whitespace().skip(11).take(2);
            let ticks = times.map(|time| time.parse::<u64>().expect("ticks")).sum();
            Thread { is_main: id == pid, name, ticks }
        })
        .collect()
    }

    /// Processor time of the process, in ticks.
    pub fn ticks(&self) -> u64 {
        self.threads().iter().map(|thread| thread.ticks).sum()
    }

    /// Waits a second, in which the process must use almost no processor time.
    #[track_caller]
    pub fn is_idle_for_a_second(&self) {
        let before = self.ticks();
        pause(1000);
        let used = self.ticks() - before;
        assert!(used < 10, "{used} ticks of a hundred were used for nothing");
    }

    /// Changes the descriptor limit of the running process.
    pub fn limit_descriptors(&self, most: u64) {
        let pid = Pid::from_raw(self.pid().cast_signed()).expect("a pid");
        let old = rustix::process::getrlimit(Resource::Nofile);
        let new = Rlimit { current: Some(most), maximum: old.maximum };
        prlimit(Some(pid), Resource::Nofile, new).expect("prlimit");
    }

    /// Starts the server in its folder again; it must end by itself.
    #[track_caller]
    pub fn fails_to_start(&mut self) -> Outcome {
        finish(self.builder.command(self.dir.path()))
    }
}

/// A field of the process's `smaps_rollup`, such as `Rss:`, in KiB.
pub fn memory_kib(pid: u32, what: &str) -> u64 {
    // The value in `status` may be off by many pages; this one is computed when it is read.
    told_by_proc(pid, "smaps_rollup", what)
}

/// The number after this word in a file of `/proc/PID`, in KiB if it has a unit.
fn told_by_proc(pid: u32, file: &str, word: &str) -> u64 {
    let text = fs::read_to_string(format!("/proc/{pid}/{file}")).expect("/proc");
    let line = text.lines().find_map(|line| line.strip_prefix(word)).expect("such a line");
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}

/// Makes programs that are started from now on receive INT, HUP and QUIT, even if the tests were started with these
/// ignored, as by `nohup` or in the background of a script. A child process inherits ignored signals, but no handlers.
pub fn hear_signals() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        let ends = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(true));
        for signal in [Signal::INT, Signal::HUP, Signal::QUIT] {
            signal_hook::flag::register_conditional_shutdown(signal.as_raw(), 130, std::sync::Arc::clone(&ends))
                .expect("a handler");
        }
    });
}
