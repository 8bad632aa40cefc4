//! From arguments to a running server, and from its end to an exit code.

mod accounts;
#[cfg(feature = "tls")]
mod cert;
mod check;
mod ctl;
mod endpoints;
#[cfg(feature = "history")]
mod history;
mod irc;
mod password;
mod reload;
mod served;

use std::io::{self, ErrorKind, Write};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use log::LevelFilter;

use self::reload::Reloader;
use crate::auth::admin;
use crate::config::{self, Args, Command, Config, Loaded};
use crate::logging::{Taken, Target};
use crate::net::{Endpoint, IrcServer, Operators, Passed, Settings, StartError, Tuning};
use crate::{logging, net};

/// Exit code: the operation failed.
const FAILED: u8 = 1;
/// Exit code: wrong usage (the same as clap's).
const USAGE: u8 = 2;
/// Exit code: another process uses the port or the account file (sysexits' EX_TEMPFAIL).
const IN_USE: u8 = 75;
/// Exit code: the configuration or the account file must be fixed first (sysexits' EX_CONFIG).
const BAD_CONFIG: u8 = 78;

/// Why a program without the feature `tls` knows nothing of certificates.
#[cfg(not(feature = "tls"))]
const NO_TLS: &str = "this program was built without the feature tls; build it with: cargo build --features tls";

/// Why a program without the feature `history` keeps nothing.
#[cfg(not(feature = "history"))]
const NO_HISTORY: &str =
    "this program was built without the feature history; build it with: cargo build --features history";

/// `chatd`: runs the server, or a command of the operator, as the arguments say.
pub fn chatd(args: Args) -> ExitCode {
    let passed = Passed::from_environment();
    let Args { place, check, command, .. } = args;
    let mut command = command;
    if let Some(Command::Ctl { socket, json, words, .. }) = &mut command {
        if check {
            return stop(USAGE, &["--check cannot be combined with a command".to_owned()]);
        }
        let json = ctl::take_json(words) || *json;
        return ctl::run(&place, socket.as_deref(), words, json);
    }
    let loaded = match config::load(&place) {
        Ok(loaded) => loaded,
        Err(faults) => return stop(BAD_CONFIG, &faults.into_lines()),
    };
    match command {
        Some(Command::Accounts { .. }) if check => {
            return stop(
                USAGE,
                &["--check cannot be combined with a command; for the accounts there is 'chatd accounts check'"
                    .to_owned()],
            );
        }
        Some(Command::Accounts { operation, .. }) => return accounts::run(&operation, &loaded),
        Some(Command::Cert { .. }) if check => {
            return stop(USAGE, &["--check cannot be combined with a command; there is 'chatd cert show'".to_owned()]);
        }
        #[cfg(feature = "tls")]
        Some(Command::Cert { operation, .. }) => return cert::run(&operation, &loaded),
        #[cfg(not(feature = "tls"))]
        Some(Command::Cert { .. }) => return stop(FAILED, &[NO_TLS.to_owned()]),
        Some(Command::History { .. }) if check => {
            return stop(
                USAGE,
                &["--check cannot be combined with a command; for the history there is 'chatd history check'"
                    .to_owned()],
            );
        }
        #[cfg(feature = "history")]
        Some(Command::History { operation, .. }) => return history::run(&operation, &loaded),
        #[cfg(not(feature = "history"))]
        Some(Command::History { .. }) => return stop(FAILED, &[NO_HISTORY.to_owned()]),
        Some(Command::Ctl { .. }) | None => {}
    }
    let (listen, mut faults) = endpoints::of(&loaded);
    let irc = irc::server(&loaded, &loaded).unwrap_or_else(|why| {
        faults.push(why);
        Arc::default()
    });
    if check {
        return check::run(&loaded, &listen, faults, place.set.len());
    }
    if !faults.is_empty() {
        return stop(BAD_CONFIG, &faults);
    }
    if let Err(why) = check::own_files(&loaded) {
        return stop(BAD_CONFIG, &[why]);
    }
    let (level, target) = (loaded.config.log.level, target(&loaded, &[]));
    let settings = settings(listen, &loaded, irc, passed);
    let overrides = overrides(place.set.len());
    let origin = format!("{}{overrides}", loaded.origin);
    let mut reloader = Reloader::new(place, loaded);
    run(settings, level, &target, &origin, Box::new(move || reloader.reload()))
}

/// `chatserver PORT`: runs the server on all interfaces with the defaults.
pub fn chatserver(port: u16) -> ExitCode {
    let passed = Passed::from_environment();
    let listen = vec![
        Endpoint::line(SocketAddr::from((Ipv4Addr::UNSPECIFIED, port))),
        Endpoint { optional: true, ..Endpoint::line(SocketAddr::from((Ipv6Addr::UNSPECIFIED, port))) },
    ];
    let loaded = Loaded { config: Config::default(), origin: config::Origin::Defaults };
    let level = loaded.config.log.level;
    let settings = settings(listen, &loaded, Arc::default(), passed);
    let reload = Box::new(|| {
        let why = "chatserver has no configuration file; nothing changes";
        log::info!("reload: {why}");
        Err(vec![why.to_owned()])
    });
    run(settings, level, &Target::default(), "built-in defaults, on all interfaces", reload)
}

fn settings(listen: Vec<Endpoint>, loaded: &Loaded, irc: Arc<IrcServer>, passed: Passed) -> Settings {
    let config = &loaded.config;
    let socket = loaded.operator_socket();
    Settings {
        listen,
        datagrams: config.datagrams.as_ref().map(config::Address::socket),
        operator_socket: socket.map(|socket| net::OperatorSocket { path: socket.path, is_set: socket.is_set }),
        accounts_file: loaded.accounts_file(),
        history_file: loaded.history_file(),
        stats_log_lines_dropped: logging::dropped,
        tuning: tuning(loaded, irc),
        passed,
    }
}

fn tuning(loaded: &Loaded, irc: Arc<IrcServer>) -> Tuning {
    let config = &loaded.config;
    Tuning {
        limits: config.limits.clone(),
        login: config.login.clone(),
        accounts: config.accounts.rules.clone(),
        rooms: config.rooms.clone(),
        history: loaded.history_file().map(|_| config.history.rules.clone()),
        operators: Operators::new(&config.operator.accounts),
        web: config.web.clone(),
        irc,
        stats_s: config.log.stats_s,
    }
}

fn overrides(count: usize) -> String {
    match count {
        0 => String::new(),
        1 => ", 1 key by --set".to_owned(),
        _ => format!(", {count} keys by --set"),
    }
}

/// Starts the log, runs the server, and gives the exit code. A failure to start goes to standard error, and to the log
/// file if there is one.
fn run(settings: Settings, level: LevelFilter, target: &Target, origin: &str, reload: net::Reload) -> ExitCode {
    let to_file = target.file.is_some();
    if let Err(why) = logging::start(level, target) {
        return stop(BAD_CONFIG, &[why]);
    }
    std::panic::set_hook(Box::new(log_panic));
    log::info!("chatd {} starts; configuration: {origin}", env!("CARGO_PKG_VERSION"));
    let (code, why) = match net::serve(settings, reload) {
        Ok(()) => {
            logging::finish();
            return ExitCode::SUCCESS;
        }
        Err(StartError::InUse(why)) => (IN_USE, why),
        Err(StartError::Config(why)) => (BAD_CONFIG, why),
        Err(StartError::Failed(why)) => (FAILED, why),
    };
    if to_file {
        log::error!("{why}");
    }
    // If standard error blocked the log, writing to it here would never return.
    if logging::finish() || to_file { stop(code, &[why]) } else { ExitCode::from(code) }
}

/// Logs the place of a panic, and not its message, which may quote what users said.
fn log_panic(panic: &std::panic::PanicHookInfo<'_>) {
    match panic.location() {
        Some(place) => log::error!("internal error: a panic at {place}; please report it"),
        None => log::error!("internal error: a panic; please report it"),
    }
}

/// Writes the lines to standard error and gives the exit code. If standard error is closed, nothing can be done.
fn stop(code: u8, lines: &[String]) -> ExitCode {
    let mut text = String::new();
    for line in lines {
        text.push_str(&format!("chatd: {}\n", logging::escape(line)));
    }
    let _ = io::stderr().write_all(text.as_bytes());
    ExitCode::from(code)
}

/// Writes the text to standard output. A reader that stops early, such as `head`, is not an error.
fn print(text: &str) -> ExitCode {
    match io::stdout().write_all(text.as_bytes()).and_then(|()| io::stdout().flush()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if error.kind() == ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            stop(FAILED, &[format!("standard output: {error}; the operation is done, but its output is incomplete")])
        }
    }
}

/// The target of the log by this configuration. It must not be the configuration file, nor a file of the accounts of
/// this configuration or of those `in_use` by the server.
fn target(loaded: &Loaded, in_use: &[PathBuf]) -> Target {
    let mut taken = Vec::new();
    if let config::Origin::File(path) = &loaded.origin {
        taken.push(Taken { path: path.clone(), what: "the configuration" });
    }
    for file in [loaded.accounts_file()].iter().chain(in_use) {
        let companions = admin::companions(file).into_iter();
        taken.push(Taken { path: file.clone(), what: "the account file" });
        taken.extend(companions.map(|path| Taken { path, what: "a file of the accounts" }));
        // The next start would take a log of this name for a copy of the account file.
        let log = loaded.log_file().filter(|log| admin::is_kept_name(file, log));
        taken.extend(log.map(|path| Taken { path, what: "a file of the accounts" }));
    }
    Target { file: loaded.log_file(), taken }
}
