//! The driver of the browser: one process for all tests, which the first of them starts, and seats for browsers.

use std::io::{BufRead as _, BufReader};
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Condvar, Mutex, OnceLock, mpsc};
use std::thread;
use std::time::Duration;

use serde_json::Value;

/// How long the driver may take for one request: to start a browser, for example, on a machine that is busy.
const REQUEST: Duration = Duration::from_secs(120);

/// The browsers that run at once. Each takes most of a core while it starts.
const SEATS: usize = 2;

/// Runs the driver until the input ends, which happens when the tests end, in whatever way. Then it kills the whole group
/// of processes, browsers included, and removes their profiles.
const KEEPER: &str = r#"chromedriver --port=0 & cat >/dev/null; rm -rf "$0"; kill -KILL 0"#;

/// The names under which the browser may be installed.
const BROWSERS: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/// A running driver.
pub(super) struct Driver {
    agent: ureq::Agent,
    address: String,
    /// The browser's program.
    pub(super) browser: PathBuf,
    /// A folder for profiles; the keeper removes it.
    pub(super) profiles: PathBuf,
    /// Its standard input stays open as long as these tests run.
    _keeper: Child,
}

impl Driver {
    /// The driver, or why there is none.
    pub(super) fn shared() -> Result<&'static Self, &'static str> {
        static DRIVER: OnceLock<Result<Driver, String>> = OnceLock::new();
        DRIVER.get_or_init(Self::start).as_ref().map_err(String::as_str)
    }

    fn start() -> Result<Self, String> {
        let browser = BROWSERS.into_iter().find_map(find).ok_or("there is no chromium here")?;
        find("chromedriver").ok_or("there is no chromedriver here")?;
        let profiles = tempfile::Builder::new().prefix("chatd-browsers-").tempdir().expect("a folder").keep();
        let mut keeper = Command::new("sh")
            .args(["-c", KEEPER])
            .arg(&profiles)
            .env("TZ", "UTC")
            .env("LC_ALL", "C.UTF-8")
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("a shell");
        let output = BufReader::new(keeper.stdout.take().expect("its output"));
        let (tell, told) = mpsc::channel();
        thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                // An earlier line names port 0.
                if let Some((_, port)) = line.split_once("successfully on port ") {
                    // After the first such line nobody listens.
                    let _ = tell.send(port.trim_end_matches('.').to_owned());
                }
            }
        });
        let port = told.recv_timeout(REQUEST).expect("the driver names its port");
        let config =
            ureq::Agent::config_builder().timeout_global(Some(REQUEST)).http_status_as_error(false).proxy(None);
        let agent = config.build().new_agent();
        Ok(Self { agent, address: format!("http://127.0.0.1:{port}"), browser, profiles, _keeper: keeper })
    }

    /// Sends a request, and gives the `value` of the answer.
    ///
    /// # Errors
    /// The driver does not carry it out, and says why.
    #[track_caller]
    pub(super) fn ask(&self, method: &str, path: &str, body: &Value) -> Result<Value, String> {
        let url = format!("{}{path}", self.address);
        let answer = match method {
            "GET" => self.agent.get(url).call(),
            "DELETE" => self.agent.delete(url).call(),
            _ => self.agent.post(url).content_type("application/json").send(body.to_string()),
        };
        let mut answer = answer.unwrap_or_else(|error| panic!("{method} {path}: {error}"));
        let text = answer.body_mut().with_config().limit(64 << 20).read_to_string().expect("an answer");
        let mut answer: Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
        let value = answer["value"].take();
        match value["error"].as_str() {
            Some(error) if value["message"].is_string() => {
                Err(format!("{error}: {}", value["message"].as_str().unwrap_or("")))
            }
            _ => Ok(value),
        }
    }
}

/// A program in `PATH`.
fn find(program: &str) -> Option<PathBuf> {
    std::env::split_paths(&std::env::var_os("PATH")?).map(|folder| folder.join(program)).find(|path| path.is_file())
}

static FREE: Mutex<usize> = Mutex::new(SEATS);
static CHANGED: Condvar = Condvar::new();

/// Room for so many browsers. Dropping it makes the room free.
pub(super) struct Seats(usize);

impl Seats {
    /// Waits until there is room for `count` browsers at once.
    pub(super) fn take(count: usize) -> Self {
        let mut free = FREE.lock().expect("no panic");
        while *free < count {
            free = CHANGED.wait(free).expect("no panic");
        }
        *free -= count;
        Self(count)
    }
}

impl Drop for Seats {
    fn drop(&mut self) {
        *FREE.lock().expect("no panic") += self.0;
        CHANGED.notify_all();
    }
}
