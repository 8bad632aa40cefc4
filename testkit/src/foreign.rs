//! Packages of npm and PyPI that tests need, in the versions that `testkit/foreign` pins. They are fetched once, into
//! `target/foreign`.

use std::env;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use crate::pause;

const PACKAGE: &str = include_str!("../foreign/package.json");
const PACKAGE_LOCK: &str = include_str!("../foreign/package-lock.json");
const REQUIREMENTS: &str = include_str!("../foreign/requirements.txt");

/// How long a fetch may take, however slow the network is.
const FETCH: Duration = Duration::from_secs(180);

/// The folder `node_modules` with `ws` and `axe-core`, for `NODE_PATH`. `None` if node or npm is missing or the packages
/// cannot be fetched; a note with the reason is printed.
pub fn node_modules() -> Option<PathBuf> {
    static FOUND: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    let files = [("package.json", PACKAGE), ("package-lock.json", PACKAGE_LOCK)];
    let found = FOUND.get_or_init(|| {
        answers("node", &["--version"])?;
        let folder = provide("npm", &files, |folder| {
            let mut npm = Command::new("npm");
            npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--fetch-retries=1", "--loglevel=error"]);
            npm.current_dir(folder);
            npm
        })?;
        Ok(folder.join("node_modules"))
    });
    noted(found)
}

/// The folder with Python's `websockets` and `irc`, for `PYTHONPATH`. `None` if Python (3.11 or later) or pip is missing or
/// the packages cannot be fetched; a note with the reason is printed.
pub fn python_path() -> Option<PathBuf> {
    static FOUND: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    let found = FOUND.get_or_init(|| {
        answers("python3", &["-c", "import sys; sys.exit(sys.version_info < (3, 11))"])?;
        let folder = provide("pip", &[("requirements.txt", REQUIREMENTS)], |folder| {
            let mut pip = Command::new("python3");
            pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input", "--retries=1"]);
            // The wheel without compiled parts, for any version of Python.
            pip.args(["--only-binary=:all:", "--platform=any", "--implementation=py", "--abi=none", "--no-deps"]);
            pip.args(["--require-hashes", "--requirement=requirements.txt", "--target=packages"]);
            pip.current_dir(folder);
            pip
        })?;
        Ok(folder.join("packages"))
    });
    noted(found)
}

fn noted(found: &Result<PathBuf, String>) -> Option<PathBuf> {
    if let Err(why) = found {
        println!("skipped: {why}");
    }
    found.as_ref().ok().cloned()
}

/// # Errors
/// The program is missing, or is not the one that is needed.
fn answers(program: &str, args: &[&str]) -> Result<(), String> {
    let answer = Command::new(program).args(args).stdin(Stdio::null()).output();
    if answer.is_ok_and(|answer| answer.status.success()) {
        return Ok(());
    }
    Err(format!("`{program} {}` does not work here", args.join(" ")))
}

/// A folder with these files, in which this command has worked. Other processes wait meanwhile.
///
/// # Errors
/// Why there is none.
fn provide(name: &str, files: &[(&str, &str)], fetch: impl FnOnce(&Path) -> Command) -> Result<PathBuf, String> {
    let folder = target().join("foreign");
    let told = |error: std::io::Error| format!("{}: {error}", folder.display());
    fs::create_dir_all(&folder).map_err(told)?;
    let lock = File::create(folder.join(format!("{name}.lock"))).map_err(told)?;
    lock.lock().map_err(told)?;
    let (whole, begun) = (folder.join(name), folder.join(format!("{name}.begun")));
    let is_whole =
        files.iter().all(|(name, text)| fs::read_to_string(whole.join(name)).is_ok_and(|held| held == *text));
    if is_whole {
        return Ok(whole);
    }
    for old in [&whole, &begun] {
        if old.exists() {
            fs::remove_dir_all(old).map_err(told)?;
        }
    }
    fs::create_dir(&begun).map_err(told)?;
    for (name, text) in files {
        fs::write(begun.join(name), text).map_err(told)?;
    }
    run(fetch(&begun), &begun.join("output"))?;
    fs::rename(&begun, &whole).map_err(told)?;
    Ok(whole)
}

/// Runs a command to its end, or for as long as a fetch may take. Its output goes to a file, however long it is.
///
/// # Errors
/// It is missing or fails, with the end of its output.
fn run(mut command: Command, output: &Path) -> Result<(), String> {
    let line = format!("{command:?}");
    let file = File::create(output).expect("a file for the output");
    let errors = file.try_clone().expect("a descriptor");
    let child = command.stdin(Stdio::null()).stdout(file).stderr(errors).spawn();
    let is_done = child.map_err(|error| format!("{line}: {error}")).map(wait)?;
    if is_done {
        return Ok(());
    }
    let told = fs::read_to_string(output).unwrap_or_default();
    Err(format!("{line} fails: {}", told.lines().next_back().unwrap_or("it says nothing")))
}

/// Whether it ends well in time.
fn wait(mut child: Child) -> bool {
    let deadline = Instant::now() + FETCH;
    loop {
        if let Some(status) = child.try_wait().expect("wait") {
            return status.success();
        }
        if Instant::now() > deadline {
            // It may have ended just now.
            let _ = child.kill();
            child.wait().expect("wait");
            return false;
        }
        pause(20);
    }
}

/// The folder of Cargo's output. A test lies two folders below that of its profile.
fn target() -> PathBuf {
    let test = env::current_exe().expect("the path of this test");
    test.ancestors().nth(3).expect("a folder of a profile").to_owned()
}
