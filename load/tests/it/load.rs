//! `chatload` as users run it: each workload with small numbers, and runs that fail. No speed is asserted.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;
use testkit::{Outcome, START_STOP, Server, eventually, finish_child, hear_signals, run};

/// A running chatload, with its own folder for temporary files.
pub(crate) struct Load {
    child: Option<Child>,
    tmp: TempDir,
}

impl Load {
    /// Starts it with these arguments, separated by spaces.
    #[track_caller]
    pub(crate) fn start(args: &str) -> Self {
        let tmp = tempfile::tempdir().unwrap();
        hear_signals();
        let mut command = Command::new(env!("CARGO_BIN_EXE_chatload"));
        command.args(args.split(' ')).env("TMPDIR", tmp.path());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        Self { child: Some(command.spawn().expect("chatload starts")), tmp }
    }

    fn signal(&self, signal: Signal) {
        let pid = Pid::from_child(self.child.as_ref().expect("it runs"));
        kill_process(pid, signal).expect("it is there");
    }

    /// Waits until it has ended by itself.
    #[track_caller]
    pub(crate) fn finish(&mut self) -> Outcome {
        finish_child(self.child.take().expect("it runs"), 3 * START_STOP)
    }

    /// What is left in its folder for temporary files.
    fn left_over(&self) -> Vec<String> {
        let entries = fs::read_dir(self.tmp.path()).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    /// The process of its server, once that listens.
    #[track_caller]
    fn server_pid(&self) -> u32 {
        let mut pid = None;
        eventually("the server has its lock", || {
            let folder = self.left_over().pop();
            let lock = folder.map(|folder| self.tmp.path().join(folder).join("accounts.lock"));
            pid = lock.and_then(|lock| fs::read_to_string(lock).ok()?.trim().parse().ok());
            pid.is_some()
        });
        pid.unwrap()
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            // It may have ended already; then there is nothing to kill.
            let _ = child.kill();
            child.wait().expect("wait");
        }
    }
}

/// Runs it to its end, which must be a success, and returns its JSON object.
#[track_caller]
pub(crate) fn json(args: &str) -> Value {
    let mut load = Load::start(&format!("{args} --json"));
    let outcome = load.finish();
    outcome.check(0, &[]);
    assert_eq!(load.left_over(), [""; 0], "what it made is gone");
    object(&outcome)
}

#[track_caller]
fn object(outcome: &Outcome) -> Value {
    assert_eq!(outcome.stdout.lines().count(), 1, "{outcome:?}");
    serde_json::from_str(&outcome.stdout).expect("one JSON object")
}

/// Whether a process has ended, reaped or not.
fn has_ended(pid: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.is_empty() || stat.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with('Z'))
}

/// All lines have arrived: each line is delivered to this many receivers.
#[track_caller]
pub(crate) fn all_heard(report: &Value, by: u64) {
    let lines = &report["lines"];
    let said = lines["said"].as_u64().unwrap();
    assert!(said > 0, "{report}");
    assert_eq!(lines["deliveries"], said * by, "{report}");
    for nothing in ["lost", "out_of_order", "strays", "refused", "unanswered"] {
        assert_eq!(lines[nothing], 0, "{nothing}: {report}");
    }
    let latency = &report["latency_us"];
    let at = |name: &str| latency[name].as_f64().unwrap();
    assert!(
        0.0 < at("p50") && at("p50") <= at("p99") && at("p99") <= at("p999") && at("p999") <= at("max"),
        "{report}"
    );
}

#[test]
fn idle_says_what_connections_cost() {
    let report = json("idle --spawn --connections 50 --seconds 1");
    let found = &report["connections"];
    assert_eq!((&found["asked"], &found["logged_in"], &found["registered"]), (&50.into(), &50.into(), &50.into()));
    assert!(found["logins_per_s"].as_f64().unwrap() > 0.0 && found["connections_per_s"].as_f64().unwrap() > 0.0);
    assert!(report["process"]["rss_bytes"].as_u64().unwrap() > 0, "{report}");
    assert!(report["process"]["rss_bytes_per_connection"].is_number(), "{report}");
    assert!(report.get("lines").is_none() && report.get("latency_us").is_none(), "{report}");
}

#[test]
fn fanout_is_heard_by_all() {
    let report = json("fanout --spawn --connections 20 --rate 50 --seconds 1");
    all_heard(&report, 20);
    assert_eq!((&report["lines"]["loop"], &report["lines"]["said"]), (&"open".into(), &50.into()));
    assert!(report["process"]["cpu_us_per_delivery"].is_number(), "{report}");
    let report = json("fanout --spawn --connections 20 --senders 2 --window 5 --size 500 --seconds 1");
    all_heard(&report, 21);
    assert_eq!((&report["lines"]["loop"], &report["lines"]["size_bytes"]), (&"closed".into(), &500.into()));
}

#[test]
fn in_a_mesh_everybody_hears_everybody() {
    let report = json("mesh --spawn --connections 10 --rate 20 --seconds 1");
    all_heard(&report, 9);
    assert_eq!(report["lines"]["said"], 200);
    all_heard(&json("mesh --spawn --connections 10 --window 10 --seconds 1"), 9);
}

#[test]
fn pingpong_goes_to_and_fro_among_idle_ones() {
    all_heard(&json("pingpong --spawn --idle 10 --seconds 1"), 1);
    let report = json("pingpong --spawn --connections 4 --rate 20 --seconds 1");
    all_heard(&report, 1);
    assert_eq!(report["connections"]["logged_in"], 4);
}

#[test]
fn after_a_storm_all_are_back() {
    let report = json("storm --spawn --connections 40");
    let storm = &report["storm"];
    assert_eq!((&storm["resumed"], &report["connections"]["logged_in"]), (&40.into(), &40.into()), "{report}");
    let time = |name: &str| storm[name].as_f64().unwrap();
    assert!(time("down_s") > 0.0 && 0.0 < time("half_resumed_s") && time("half_resumed_s") <= time("all_resumed_s"));
}

#[test]
fn the_table_explains_its_words() {
    let outcome = Load::start("mesh --spawn --connections 5 --seconds 1").finish();
    outcome.check(0, &[]);
    assert_eq!(outcome.stderr, "", "no progress where there is no terminal");
    for part in ["mesh: ", "deliveries", "\n  delivery ", "\n  latency ", "\n  open loop ", "server's CPU"] {
        assert!(outcome.stdout.contains(part), "no {part:?} in {}", outcome.stdout);
    }
}

#[test]
fn a_running_server_and_its_process_are_measured() {
    let server = Server::builder().no_rates().start();
    let mut watcher = server.typed("watcher");
    let common = format!("mesh --server {} --connections 5 --rate 20 --seconds 1", server.addr());
    let report = json(&common);
    // Four of the run, and the watcher, which the run does not count.
    all_heard(&report, 4);
    assert!(report.get("process").is_none() && report["process_unknown"].is_string(), "{report}");
    assert_eq!(report["connections"]["registered"], 5);
    watcher.expect("D PM ");
    let report = json(&format!("{common} --pid {}", server.pid()));
    all_heard(&report, 4);
    assert!(report["process"]["rss_bytes"].as_u64().unwrap() > 0, "{report}");
    assert_eq!(report["connections"]["registered"], 0, "the accounts are there from the first run");
}

#[test]
fn the_spawned_server_can_be_given_rules() {
    let report = json("mesh --spawn --connections 8 --seconds 1 --set limits.connections=5");
    assert_eq!(
        (&report["connections"]["logged_in"], &report["connections"]["failed"]["server full"]),
        (&5.into(), &3.into())
    );
    all_heard(&report, 4);
    // What the server takes late counts as late.
    let slow = "--set limits.rate_lines_per_s=5 --set limits.rate_burst=1";
    let report = json(&format!("fanout --spawn --connections 2 --rate 20 --seconds 1 {slow}"));
    assert_eq!(report["lines"]["said"], 20);
    assert!(report["latency_us"]["max"].as_f64().unwrap() > 1e6, "{report}");
    Load::start("idle --spawn --set nonsense=1").finish().check(1, &["does not start", "nonsense=1: unknown key"]);
}

#[test]
fn ctrl_c_prints_what_there_is() {
    let server = Server::builder().no_rates().start();
    let mut watcher = server.typed("watcher");
    let mut load = Load::start(&format!("mesh --server {} --connections 5 --seconds 600 --json", server.addr()));
    watcher.expect("D PM ");
    load.signal(Signal::INT);
    let outcome = load.finish();
    outcome.check(0, &[]);
    let report = object(&outcome);
    assert_eq!(report["interrupted"], true);
    all_heard(&report, 4);
}

#[test]
fn however_a_run_ends_its_server_ends_too() {
    for signal in [Signal::INT, Signal::TERM, Signal::HUP] {
        let mut load = Load::start("idle --spawn --connections 5 --seconds 600 --json");
        let pid = load.server_pid();
        load.signal(signal);
        load.finish();
        assert!(has_ended(pid), "{signal:?}");
        assert_eq!(load.left_over(), [""; 0], "{signal:?}");
    }
    let load = Load::start("idle --spawn --connections 5 --seconds 600 --json");
    let pid = load.server_pid();
    load.signal(Signal::KILL);
    eventually("the server ends with the run that has started it", || has_ended(pid));
}

#[test]
fn a_server_that_dies_is_told() {
    let mut server = Server::builder().no_rates().start();
    let mut watcher = server.typed("watcher");
    let mut load = Load::start(&format!("mesh --server {} --connections 5 --seconds 600 --json", server.addr()));
    watcher.expect("D PM ");
    server.kill9();
    let outcome = load.finish();
    outcome.check(1, &["chatload: the server went away"]);
    let report = object(&outcome);
    assert_eq!((&report["server_went_away"], &report["interrupted"]), (&true.into(), &false.into()));
    let ended: u64 = report["connections"]["ended"].as_object().unwrap().values().map(|n| n.as_u64().unwrap()).sum();
    assert_eq!(ended, 5, "{report}");
    assert_eq!((&report["lines"]["lost"], &report["lines"]["out_of_order"]), (&0.into(), &0.into()), "{report}");
}

#[test]
fn a_wrong_address_is_told() {
    // A port that was free a moment ago.
    let addr = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).unwrap();
    let check = |args: &str, code, told: &[&str]| {
        let outcome = Load::start(args).finish();
        outcome.check(code, told);
        assert_eq!(outcome.stdout, "");
    };
    check(&format!("idle --server {addr}"), 1, &["chatload: ", "connection refused", "--spawn"]);
    check("idle --server 127.0.0.1:99999", 1, &["HOST:PORT"]);
    check("storm --server localhost", 2, &["--spawn"]);
    check("mesh", 2, &["--server"]);
    check("mesh --spawn --size 1", 2, &["--size"]);
}

#[test]
fn what_is_no_chatd_is_told() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap();
    let mut load = Load::start(&format!("idle --server {addr} --connections 1"));
    let (mut stream, _) = listener.accept().unwrap();
    stream.write_all(b"SSH-2.0-OpenSSH_9.9\r\n").unwrap();
    load.finish().check(1, &["is no chatd"]);
}

/// A server that loses and reorders lines, and counts that.
#[derive(Default)]
struct Forger {
    peers: Vec<TcpStream>,
    relayed: u64,
    lost: u64,
    late: u64,
    held: Option<String>,
}

impl Forger {
    /// Relays a line to all but its sender. The last client does not get every line in order.
    fn relay(&mut self, from: usize, text: &str) {
        self.relayed += 1;
        let line = format!("D PM {} somebody {text}\n", self.relayed);
        let last = self.peers.len() - 1;
        for (who, peer) in self.peers.iter_mut().enumerate().filter(|(who, _)| *who != from) {
            let sent = match (who == last, self.relayed % 10) {
                (true, 4) => {
                    self.lost += 1;
                    continue;
                }
                (true, 7) => {
                    self.held = Some(line.clone());
                    continue;
                }
                (true, _) => line.clone() + &self.held.take().inspect(|_| self.late += 1).unwrap_or_default(),
                (false, _) => line.clone(),
            };
            // A client that is gone receives nothing.
            let _ = peer.write_all(sent.as_bytes());
        }
    }

    /// Serves one connection, to its end.
    fn serve(forger: &Mutex<Self>, mut stream: TcpStream) {
        let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
        let mut ask = |reply: &str| {
            stream.write_all(reply.as_bytes()).unwrap();
            lines.next().and_then(Result::ok)
        };
        ask("C 220 chatd\n");
        ask("C 332 new\n");
        let who = {
            let mut forger = forger.lock().unwrap();
            forger.peers.push(stream.try_clone().unwrap());
            forger.peers.len() - 1
        };
        stream.write_all(b"C 230 welcome\n").unwrap();
        for line in lines.map_while(Result::ok) {
            let mut forger = forger.lock().unwrap();
            forger.relay(who, line.strip_prefix("C PM ").unwrap());
            let _ = forger.peers[who].write_all(b"C 250 sent\n");
        }
    }
}

#[test]
fn lost_lines_and_lines_out_of_order_are_found() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap();
    let forger = Arc::new(Mutex::new(Forger::default()));
    let served = Arc::clone(&forger);
    // One sender and three receivers. The last receiver is served badly.
    thread::spawn(move || {
        for stream in listener.incoming().take(4) {
            let forger = Arc::clone(&served);
            thread::spawn(move || Forger::serve(&forger, stream.unwrap()));
        }
    });
    let mut load = Load::start(&format!("fanout --server {addr} --connections 3 --rate 100 --seconds 1 --json"));
    let outcome = load.finish();
    outcome.check(1, &["not every line came as it must", " lost", " out of order"]);
    let report = object(&outcome);
    let forger = forger.lock().unwrap();
    let lost = forger.lost + u64::from(forger.held.is_some());
    assert_eq!((forger.relayed, lost, forger.late), (100, 10, 10));
    let lines = &report["lines"];
    assert_eq!((&lines["said"], &lines["deliveries"]), (&100.into(), &290.into()), "{report}");
    assert_eq!((&lines["lost"], &lines["out_of_order"]), (&10.into(), &10.into()), "{report}");
}

#[test]
fn it_needs_no_chatd_beside_it() {
    // A link, not a copy: a file that was just written may still be open for writing in a process that another test
    // starts.
    let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let alone = dir.path().join("chatload");
    fs::hard_link(env!("CARGO_BIN_EXE_chatload"), &alone).unwrap();
    let args = ["idle", "--spawn", "--connections", "2", "--seconds", "1"];
    run(alone.to_str().unwrap(), dir.path(), &args).check(0, &[]);
}
