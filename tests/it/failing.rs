//! A full, read-only or failing disk: chat and login continue, registrations are answered with 450, and the server
//! recovers.

use std::fs::{self, File, Permissions};
use std::io::Write as _;
use std::os::unix::fs::{PermissionsExt as _, chown, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Resource, Rlimit, getrlimit, prlimit};
use testkit::{Builder, Canary, PASSWORD, Server, Strace, pause};

/// How soon registrations are promised to work again.
const HEALED: Duration = Duration::from_secs(30);

/// Registers as soon as that works again, which must be in time.
#[track_caller]
fn register_when_healed(server: &Server, name: &str) {
    let begun = Instant::now();
    loop {
        let (_, answer) = server.register(name);
        if answer.starts_with("C 230 ") {
            return println!("{name} registered {:?} after the fault", begun.elapsed());
        }
        assert!(answer.starts_with("C 450 ") && begun.elapsed() < HEALED, "{answer:?}");
        pause(100);
    }
}

/// A server whose only files are those of the accounts; [`crate::history`] has tests of the store's trouble.
fn accounts_only() -> Builder {
    Server::builder().no_rates().set("history.file", "''")
}

/// While these calls fail, new users are told so, and all others notice nothing.
#[track_caller]
fn check_injected(what: &str, injections: &[&str]) {
    let mut server = accounts_only().start();
    server.bare("alice").barrier();
    let canary = Canary::start(&server);
    let Some(strace) = Strace::attach(&server, injections) else { return };
    let (mut bob, answer) = server.register("bob");
    assert!(answer.starts_with("C 450 "), "{what}: {answer:?}");
    server.returning("alice").barrier();
    let mut alice = server.returning("alice");
    for (line, code) in [("PASSWD", "C 331 "), (PASSWORD, "C 332 "), ("battery staple", "")] {
        alice.send(line);
        alice.expect(code);
    }
    assert!(server.wait_for_log("accounts: the file cannot be written").contains("[ERROR]"));
    canary.talks();
    drop(strace);
    // The refused client is still connected, and may try again.
    bob.send(PASSWORD);
    bob.expect("C ");
    register_when_healed(&server, "carol");
    server.wait_for_log("accounts: the file can be written again");
    canary.finish(what);
    server.kill9();
    server.restart();
    server.returning("carol").barrier();
    for name in ["canary1", "canary2"] {
        server.returning(name).barrier();
    }
}

#[test]
fn a_disk_that_fails_is_told_and_heals() {
    check_injected("EIO at each write", &["pwrite64:error=EIO"]);
    check_injected("EIO at each sync", &["fdatasync:error=EIO"]);
    check_injected("EIO at everything", &["pwrite64,fdatasync,fsync,ftruncate,/^rename:error=EIO"]);
}

#[test]
fn a_full_or_read_only_disk_is_reported_and_heals() {
    check_injected("ENOSPC at each write", &["pwrite64:error=ENOSPC"]);
    check_injected("EDQUOT, and nothing can be cut back", &["pwrite64:error=EDQUOT", "ftruncate:error=EIO"]);
    check_injected("20 bytes of each write", &["pwrite64:retval=20"]);
    check_injected("EROFS at each write", &["pwrite64,ftruncate:error=EROFS"]);
}

/// A server whose account file is on a separate disk of this size, and the disk's path from outside. Prints why and
/// returns `None` if that is not possible.
fn on_a_small_disk(size: &str) -> Option<(Server, PathBuf)> {
    on_a_small_disk_of(size, "accounts.file", "disk/accounts")
}

/// The same for the file of another key.
pub(crate) fn on_a_small_disk_of(size: &str, key: &str, file: &str) -> Option<(Server, PathBuf)> {
    let probe = Command::new("unshare").args(["-m", "mount", "-t", "tmpfs", "none", "/mnt"]).output();
    if !probe.is_ok_and(|output| output.status.success()) {
        println!("skipped: no mount namespace of one's own here (that takes root, and unshare)");
        return None;
    }
    let mount = format!("mkdir -p disk && mount -t tmpfs -o size={size},mode=700 none disk && exec \"$0\" \"$@\"");
    let builder = Server::builder().no_rates().set(key, &format!("{file:?}"));
    let server = builder.within(&["unshare", "-m", "sh", "-c", &mount]).start();
    let inside = format!("/proc/{}/root{}", server.pid(), server.path("disk").display());
    Some((server, PathBuf::from(inside)))
}

/// Uses up all space.
pub(crate) fn fill(path: &Path) {
    let mut file = File::create(path).unwrap();
    while file.write_all(&[b'x'; 512]).is_ok() {}
}

#[test]
fn a_full_disk_stops_registrations_only() {
    let Some((server, disk)) = on_a_small_disk("64k") else { return };
    server.bare("alice").barrier();
    let canary = Canary::start(&server);
    fill(&disk.join("filler"));
    // The last page of the file has some room left.
    let mut registered = vec!["alice".to_owned()];
    let answer = loop {
        let name = format!("n{}", registered.len());
        let (_, answer) = server.register(&name);
        if !answer.starts_with("C 230 ") {
            break answer;
        }
        registered.push(name);
    };
    assert!(answer.starts_with("C 450 "), "{answer:?}");
    assert!(server.wait_for_log("accounts: the file cannot be written").contains(" space"));
    server.returning("alice").barrier();
    canary.talks();
    let full = fs::read_to_string(disk.join("accounts")).unwrap();
    assert!(
        full.ends_with('\n') && full.lines().count() == registered.len() + 3,
        "nothing half is left behind:\n{full}"
    );
    fs::remove_file(disk.join("filler")).unwrap();
    register_when_healed(&server, "bob");
    registered.push("bob".to_owned());
    canary.finish("full disk");
    // The disk is gone with the server, so its content is copied.
    let mut other = Server::start();
    other.term();
    fs::copy(disk.join("accounts"), other.path("accounts")).unwrap();
    drop(server);
    other.restart();
    registered.iter().for_each(|name| other.returning(name).barrier());
}

#[test]
fn a_file_size_limit_stops_registrations_only() {
    let mut server = accounts_only().start();
    let canary = Canary::start(&server);
    // The account file is then longer than the log, which goes on.
    let mut registered: Vec<String> = (0..40).map(|n| format!("n{n}")).collect();
    registered.iter().for_each(|name| server.bare(name).barrier());
    // The next byte exceeds the limit. The kernel then also sends a signal, which ends a process that does not handle
    // it.
    let pid = Pid::from_raw(server.pid().cast_signed()).expect("a pid");
    let most = getrlimit(Resource::Fsize).maximum;
    let length = fs::metadata(server.path("accounts")).unwrap().len();
    prlimit(Some(pid), Resource::Fsize, Rlimit { current: Some(length), maximum: most }).expect("prlimit");
    let (_, answer) = server.register("bob");
    assert!(answer.starts_with("C 450 "), "{answer:?}");
    server.wait_for_log("accounts: the file cannot be written");
    server.returning("n2").barrier();
    canary.talks();
    let full = fs::read_to_string(server.path("accounts")).unwrap();
    assert_eq!(full.len() as u64, length, "something half is left:\n{full}");
    prlimit(Some(pid), Resource::Fsize, Rlimit { current: most, maximum: most }).expect("prlimit");
    register_when_healed(&server, "carol");
    registered.push("carol".to_owned());
    canary.finish("a file size limit");
    assert_eq!(server.term().code(), Some(0));
    server.restart();
    registered.iter().for_each(|name| server.returning(name).barrier());
}

#[test]
fn a_bad_disk_at_the_start_is_reported() {
    let Some((mut server, _)) = on_a_small_disk("64k") else { return };
    server.term();
    for (options, why) in [("size=4k", "No space left"), ("ro", "Read-only file system")] {
        let mount = format!("mount -t tmpfs -o {options} none disk && exec \"$0\" \"$@\"");
        server.set_within(&["unshare", "-m", "sh", "-c", &mount]);
        server.fails_to_start().check(78, &["disk/accounts", why]);
    }
}

#[test]
fn files_of_others_and_links_stop_the_start() {
    let mut server = Server::start();
    server.bare("alice").barrier();
    server.term();
    for name in ["accounts", "accounts.key"] {
        let (path, away) = (server.path(name), server.path("away"));
        fs::rename(&path, &away).unwrap();
        symlink(&away, &path).unwrap();
        server.fails_to_start().check(78, &[name, "is a symbolic link"]);
        fs::remove_file(&path).unwrap();
        fs::create_dir(&path).unwrap();
        server.fails_to_start().check(78, &[name]);
        fs::remove_dir(&path).unwrap();
        fs::rename(&away, &path).unwrap();
        if rustix::process::geteuid().is_root() {
            chown(&path, Some(12_345), None).unwrap();
            server.fails_to_start().check(78, &[&format!("chown 0 {}", path.display())]);
            chown(&path, Some(0), None).unwrap();
        } else {
            println!("skipped: a file of somebody else's takes root to make");
        }
    }
    let victim = server.path("victim");
    fs::write(&victim, "somebody's").unwrap();
    fs::set_permissions(&victim, Permissions::from_mode(0o600)).unwrap();
    fs::remove_file(server.path("accounts.lock")).unwrap();
    symlink(&victim, server.path("accounts.lock")).unwrap();
    server.fails_to_start().check(78, &["accounts.lock: is a symbolic link"]);
    fs::remove_file(server.path("accounts.lock")).unwrap();
    // A file written beside the account file does not follow a link.
    symlink(&victim, server.path("accounts.key.new")).unwrap();
    fs::remove_file(server.path("accounts.key")).unwrap();
    server.restart();
    assert_eq!(fs::read_to_string(&victim).unwrap(), "somebody's");
    server.returning("alice").barrier();
}
