//! Network namespaces for tests; they need root and ip(8).

use std::fs::File;
use std::os::fd::AsFd as _;
use std::panic::resume_unwind;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

/// A network namespace for a test. Dropping it removes it, with all that runs in it.
pub struct Namespace(pub String);

impl Namespace {
    /// `None` without the necessary rights.
    pub fn make() -> Option<Self> {
        static MADE: AtomicUsize = AtomicUsize::new(0);
        let name = format!("chatd-{}-{}", std::process::id(), MADE.fetch_add(1, Ordering::Relaxed));
        ip(&["netns", "add", &name]).then(|| Self(name))
    }

    /// One in which all addresses of 10.0.0.0/8 and 2001:db8::/32 are local.
    fn with_many_addresses() -> Option<Self> {
        let namespace = Self::make()?;
        let name = &namespace.0;
        let nonlocal = "echo 1 > /proc/sys/net/ipv6/ip_nonlocal_bind";
        let is_made = ip(&["-n", name, "link", "set", "lo", "up"])
            && ip(&["-n", name, "route", "add", "local", "10.0.0.0/8", "dev", "lo"])
            && ip(&["-n", name, "-6", "route", "add", "local", "2001:db8::/32", "dev", "lo"])
            && ip(&["netns", "exec", name, "sh", "-c", nonlocal]);
        is_made.then_some(namespace)
    }

    /// Moves this thread, and what it starts, into the namespace.
    fn enter(&self) {
        let file = File::open(format!("/run/netns/{}", self.0)).expect("the namespace is there");
        move_into_link_name_space(file.as_fd(), Some(LinkNameSpaceType::Network)).expect("setns");
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        if let Ok(found) = Command::new("ip").args(["netns", "pids", &self.0]).output() {
            for pid in String::from_utf8_lossy(&found.stdout).split_whitespace() {
                // A process that has ended in the meantime need not be killed.
                let _ = Command::new("kill").args(["-9", pid]).stderr(Stdio::null()).status();
            }
        }
        ip(&["netns", "del", &self.0]);
    }
}

/// Runs ip(8). Whether it succeeded.
pub fn ip(words: &[&str]) -> bool {
    Command::new("ip").args(words).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}

/// Runs a test, with the servers that it starts, in a namespace in which all addresses of 10.0.0.0/8 and 2001:db8::/32
/// are local.
pub fn among_many_addresses(test: impl FnOnce() + Send) {
    let Some(namespace) = Namespace::with_many_addresses() else {
        eprintln!("skipped: no network namespaces with IPv6 here (they take root, and ip(8))");
        return;
    };
    let result = thread::scope(|scope| {
        let inside = scope.spawn(|| {
            namespace.enter();
            test();
        });
        inside.join()
    });
    if let Err(panic) = result {
        resume_unwind(panic);
    }
}
