//! The command-line arguments, and checks that clap cannot do.

use std::path::PathBuf;

use chatd::limits::{LINE_BYTES_MOST, NAME_BYTES, PASSWORD_MAX_BYTES};
use clap::{Args as Group, Parser, Subcommand, ValueEnum};

use super::speech::Speech;
use super::stamp;
use super::tally;

/// The most connections; no process has more descriptors.
const CONNECTIONS_MOST: u32 = 1_000_000;
/// The longest run, in seconds: a day.
const SECONDS_MOST: u32 = 24 * 60 * 60;
/// The most connections that read a history. Each is an account of its own, and as many are away.
const READERS_MOST: u32 = 1_000;
/// Bytes of a line besides its text: `C RM`, a room's name, spaces, the LF.
const FRAME_BYTES: usize = 64;
/// The longest text by IRC: with the longest names, its line is still one.
const IRC_TEXT_BYTES: usize = 384;

const AFTER_HELP: &str = "\
  chatload mesh --spawn                     starts a server, measures it, ends it
  chatload fanout --server localhost:5015   measures one that runs; needs accounts there and makes them
                                            (load0, load1, …), and its limits hold: see docs/chatload.md

Ctrl-C ends a run early and prints what it has; a second one ends at once.
Exit status: 0 done, 1 the server failed, went away or lost lines, 2 usage.";

/// The arguments of `chatload`.
#[derive(Clone, Debug, Parser)]
#[command(name = "chatload", version, about = "Measures a chatd: what it takes, and how fast it is", after_help = AFTER_HELP)]
pub struct Args {
    /// The workload.
    #[command(subcommand)]
    pub work: Work,
}

/// The workload.
#[derive(Clone, Debug, Subcommand)]
pub enum Work {
    /// Connections that log in and send nothing: their cost
    Idle(Common),
    /// One sends, many receive
    Fanout {
        /// Options of every workload.
        #[command(flatten)]
        common: Common,
        /// The rate and the receivers of lines.
        #[command(flatten)]
        talk: Talk,
    },
    /// Everybody sends and everybody receives
    Mesh {
        /// Options of every workload.
        #[command(flatten)]
        common: Common,
        /// The rate and the receivers of lines.
        #[command(flatten)]
        talk: Talk,
    },
    /// Pairs that answer each other by direct messages: the latency of a line
    Pingpong {
        /// Options of every workload.
        #[command(flatten)]
        common: Common,
        /// Lines a second of each pair; without it, each answers at once
        #[arg(long, value_name = "LINES", value_parser = rate)]
        rate: Option<f64>,
        /// Further connections that log in and send nothing
        #[arg(long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(u32).range(..=i64::from(CONNECTIONS_MOST)))]
        idle: u32,
    },
    /// Connections that shake hands by TLS and leave, beside a pair that talks (with --tls only)
    Handshakes {
        /// Options of every workload.
        #[command(flatten)]
        common: Common,
        /// Open loop: handshakes a second, whatever the server does; without it, each connection follows the last
        #[arg(long, value_name = "N", value_parser = rate)]
        rate: Option<f64>,
        /// Use tickets of earlier connections, where the server gives them
        #[arg(long)]
        resumed: bool,
        /// Lines a second of the pair
        #[arg(long, value_name = "LINES", value_parser = rate, default_value_t = 100.0)]
        pair_rate: f64,
    },
    /// The server is killed and restarted: how soon all clients are back (with --spawn only)
    Storm(Common),
    /// A history of millions of messages is read, searched and written to (starts a server of its own)
    History {
        /// Options of every workload.
        #[command(flatten)]
        common: Common,
        /// The history.
        #[command(flatten)]
        past: Past,
    },
}

/// A switch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Switch {
    /// On.
    On,
    /// Off.
    Off,
}

/// The history that is read.
#[derive(Clone, Debug, Group)]
pub struct Past {
    /// Messages in the history
    #[arg(long, value_name = "N", default_value_t = 10_000_000, value_parser = clap::value_parser!(u64).range(1..=1_000_000_000))]
    pub rows: u64,
    /// Places that they were said in: everybody, kept rooms, and pairs
    #[arg(long, value_name = "N", default_value_t = 500, value_parser = clap::value_parser!(u32).range(33..=900))]
    pub places: u32,
    /// How often each thing is asked, at most
    #[arg(long, value_name = "N", default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub asks: u32,
}

/// Options of every workload.
#[derive(Clone, Debug, Group)]
pub struct Common {
    /// Measure the server at ADDR, such as localhost:5015
    #[arg(long, value_name = "ADDR", conflicts_with = "spawn")]
    pub server: Option<String>,
    /// Start a server for the run, with cheap passwords and without rates, in a temporary folder
    #[arg(long)]
    pub spawn: bool,
    /// With --spawn: override one key of the server's configuration, as chatd --set does; may be repeated
    #[arg(long, value_name = "KEY=VALUE", conflicts_with = "server")]
    pub set: Vec<String>,
    /// With --spawn: whether the server keeps what is said [default: as the server does]
    #[arg(long, value_name = "SWITCH", value_enum, conflicts_with = "server")]
    pub history: Option<Switch>,
    /// With --spawn: run N times with a history and N times without one, in turn, each with a new server, and compare
    #[arg(long, value_name = "N", conflicts_with_all = ["server", "history"], value_parser = clap::value_parser!(u32).range(1..=100))]
    pub turns: Option<u32>,
    /// With --server: the server's process on this machine, to measure what it uses
    #[arg(long, value_name = "PID", conflicts_with = "spawn", value_parser = clap::value_parser!(u32).range(1..))]
    pub pid: Option<u32>,
    /// Encrypt all connections. With --spawn, the server gets a certificate of its own
    #[arg(long)]
    pub tls: bool,
    /// Connect by WebSocket, one message for each line. With --spawn, the server has a web door only; with --server, the
    /// port is that of its web door [default: 8015]
    #[arg(long)]
    pub web: bool,
    /// Speak IRC, as accounts. With --spawn, the server has an IRC door only; with --server, the port is that of its IRC
    /// door [default: 6667, with --tls 6697]
    #[arg(long, conflicts_with = "web")]
    pub irc: bool,
    /// With --tls: check the server's certificate against the ones in FILE (PEM). Without it, any is accepted: this
    /// measures a server, and sends it nothing worth protecting
    #[arg(long, value_name = "FILE", conflicts_with = "spawn")]
    pub ca: Option<PathBuf>,
    /// Connections; fanout: the receivers; pingpong: those in pairs; handshakes: those at the same time [default: idle,
    /// fanout, storm 1000; mesh 100; pingpong 2; handshakes 16; history 1]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=i64::from(CONNECTIONS_MOST)))]
    pub connections: Option<u32>,
    /// How long to measure [default: idle 5, others 10, history 10 for each thing that is asked; storm takes as long as
    /// it takes]
    #[arg(long, value_name = "S", value_parser = clap::value_parser!(u32).range(1..=i64::from(SECONDS_MOST)))]
    pub seconds: Option<u32>,
    /// Bytes of text per line [default: 64; history: 29]
    #[arg(long, value_name = "BYTES")]
    pub size: Option<usize>,
    /// Connections that are opened and logged in at the same time [default: 256; storm, when they come back: all]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub at_once: Option<u32>,
    /// The accounts are named PREFIX0, PREFIX1, …; two runs at the same time need two prefixes
    #[arg(long, value_name = "PREFIX", default_value = "load")]
    pub prefix: String,
    /// The password of all accounts
    #[arg(long, value_name = "PASSWORD", default_value = "chatload-password")]
    pub password: String,
    /// Print one JSON object instead of the table
    #[arg(long)]
    pub json: bool,
}

/// The rate and the receivers of lines.
#[derive(Clone, Debug, Group)]
pub struct Talk {
    /// Open loop: lines a second of each sender, whatever the server does [default: fanout 100, mesh 10]
    #[arg(long, value_name = "LINES", value_parser = rate, conflicts_with = "window")]
    pub rate: Option<f64>,
    /// Closed loop: as fast as possible, with at most this many lines under way
    #[arg(long, value_name = "LINES", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub window: Option<u32>,
    /// How many of the connections send [default: fanout 1 (one in each room), mesh all]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=i64::from(CONNECTIONS_MOST)))]
    pub senders: Option<u32>,
    /// Spread the connections over this many rooms, and send there instead of to everybody
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(u32).range(..=i64::from(CONNECTIONS_MOST)))]
    pub rooms: u32,
}

impl Args {
    /// Checks the arguments together.
    ///
    /// # Errors
    /// The fault, and the correction.
    pub fn check(&self) -> Result<(), String> {
        let common = self.common();
        if common.server.is_none() && !common.spawn && !matches!(self.work, Work::History { .. }) {
            return Err("it takes a server: --spawn starts one, --server ADDR names one that runs".to_owned());
        }
        let longest = if common.irc { IRC_TEXT_BYTES } else { LINE_BYTES_MOST - FRAME_BYTES };
        let size = self.size();
        let least = if matches!(self.work, Work::History { .. }) { 1 } else { stamp::BYTES };
        if !(least..=longest).contains(&size) {
            return Err(format!("--size {size}: it takes {least} to {longest} bytes"));
        }
        let digits = self.connections().to_string().len();
        let is_name = common.prefix.starts_with(|c: char| c.is_ascii_alphabetic())
            && common.prefix.chars().all(|c| c.is_ascii_alphanumeric() || "_.-".contains(c));
        if !is_name || common.prefix.len() + digits > NAME_BYTES {
            return Err(format!(
                "--prefix {:?}: it takes a letter, then letters, digits or _.- (a name has {NAME_BYTES} at most)",
                common.prefix
            ));
        }
        if !(1..=PASSWORD_MAX_BYTES).contains(&common.password.len()) || common.password.chars().any(char::is_control) {
            return Err(format!("--password: it takes 1 to {PASSWORD_MAX_BYTES} bytes"));
        }
        if common.tls && !cfg!(feature = "tls") {
            return Err("--tls: this chatload was built without TLS (the cargo feature tls)".to_owned());
        }
        if (common.history == Some(Switch::On) || common.turns.is_some()) && !cfg!(feature = "history") {
            return Err("--history, --turns: this chatload was built without the cargo feature history".to_owned());
        }
        if common.ca.is_some() && !common.tls {
            return Err("--ca checks a certificate, so it goes with --tls".to_owned());
        }
        match &self.work {
            Work::Idle(_) => Ok(()),
            Work::Handshakes { common, .. } if !common.tls => {
                Err("handshakes measures TLS, so it goes with --tls".to_owned())
            }
            Work::Handshakes { .. } => Ok(()),
            Work::Storm(common) if !common.spawn => {
                Err("storm kills the server, so it takes one of its own: use --spawn".to_owned())
            }
            Work::Storm(_) => Ok(()),
            Work::History { .. } if !cfg!(feature = "history") => {
                Err("history: this chatload was built without the cargo feature history".to_owned())
            }
            Work::History { common, .. } if common.server.is_some() => {
                Err("history fills the history of a server of its own: leave out --server".to_owned())
            }
            Work::History { common, .. } if common.history.is_some() || common.turns.is_some() => {
                Err("history measures a history: leave out --history and --turns".to_owned())
            }
            Work::History { common, .. } if common.irc => {
                Err("history asks in the typed dialect: leave out --irc".to_owned())
            }
            Work::History { .. } if self.connections() > READERS_MOST => {
                Err(format!("--connections: history takes {READERS_MOST} at most"))
            }
            Work::History { .. } => Ok(()),
            Work::Pingpong { common, .. } if common.connections.is_some_and(|n| n % 2 == 1) => {
                Err("--connections: pingpong takes an even number, for they go in pairs".to_owned())
            }
            Work::Pingpong { .. } => Ok(()),
            Work::Fanout { talk, .. } | Work::Mesh { talk, .. } => self.check_talk(talk),
        }
    }

    fn check_talk(&self, talk: &Talk) -> Result<(), String> {
        let (all, senders, rooms) = (self.connections(), self.senders(), talk.rooms.max(1));
        if all < 2 * rooms {
            return Err(format!("--connections: {rooms} rooms take {} at least, for somebody must hear it", 2 * rooms));
        }
        if senders > all {
            return Err(format!("--senders {senders}: there are only {all} connections"));
        }
        let cells = u64::from(all) * u64::from(senders.div_ceil(rooms));
        if cells > tally::CELLS_MOST {
            return Err(format!(
                "{all} connections that count the lines of {senders} senders take too much memory: use fewer --senders"
            ));
        }
        Ok(())
    }

    /// The same workload with a history or without one, once.
    pub fn with_history(&self, is_on: bool) -> Self {
        let mut args = self.clone();
        let common = match &mut args.work {
            Work::Idle(common) | Work::Storm(common) => common,
            Work::Fanout { common, .. }
            | Work::Mesh { common, .. }
            | Work::Pingpong { common, .. }
            | Work::Handshakes { common, .. }
            | Work::History { common, .. } => common,
        };
        common.history = Some(if is_on { Switch::On } else { Switch::Off });
        common.turns = None;
        args
    }

    /// Options of every workload.
    pub fn common(&self) -> &Common {
        match &self.work {
            Work::Idle(common) | Work::Storm(common) => common,
            Work::Fanout { common, .. }
            | Work::Mesh { common, .. }
            | Work::Pingpong { common, .. }
            | Work::Handshakes { common, .. }
            | Work::History { common, .. } => common,
        }
    }

    /// What connections speak.
    pub(super) fn speech(&self) -> Speech {
        if self.common().irc { Speech::Irc } else { Speech::Typed }
    }

    /// The number of connections that log in.
    pub fn connections(&self) -> u32 {
        let asked = self.common().connections;
        match &self.work {
            Work::Idle(_) | Work::Storm(_) => asked.unwrap_or(1000),
            // The senders come on top of the receivers.
            Work::Fanout { .. } => asked.unwrap_or(1000).saturating_add(self.senders()),
            Work::Mesh { .. } => asked.unwrap_or(100),
            Work::Pingpong { idle, .. } => asked.unwrap_or(2).saturating_add(*idle),
            Work::Handshakes { .. } => 2,
            Work::History { .. } => asked.unwrap_or(1),
        }
    }

    /// Bytes of text per line.
    pub fn size(&self) -> usize {
        let usual = if matches!(self.work, Work::History { .. }) { 29 } else { 64 };
        self.common().size.unwrap_or(usual)
    }

    /// The number of connections that shake hands and leave, at the same time.
    pub fn visits(&self) -> u32 {
        match &self.work {
            Work::Handshakes { common, .. } => common.connections.unwrap_or(16),
            Work::Idle(_)
            | Work::Storm(_)
            | Work::Fanout { .. }
            | Work::Mesh { .. }
            | Work::Pingpong { .. }
            | Work::History { .. } => 0,
        }
    }

    /// Whether tickets of earlier connections are used.
    pub fn resumes(&self) -> bool {
        matches!(self.work, Work::Handshakes { resumed: true, .. })
    }

    /// The number of senders.
    pub fn senders(&self) -> u32 {
        match &self.work {
            Work::Idle(_) | Work::Storm(_) | Work::History { .. } => 0,
            Work::Fanout { talk, .. } => talk.senders.unwrap_or(talk.rooms.max(1)),
            Work::Mesh { talk, .. } => talk.senders.unwrap_or_else(|| self.connections()),
            Work::Pingpong { common, .. } => common.connections.unwrap_or(2),
            Work::Handshakes { .. } => 2,
        }
    }

    /// The number of rooms; 0 for none.
    pub fn rooms(&self) -> u32 {
        match &self.work {
            Work::Idle(_) | Work::Storm(_) | Work::Pingpong { .. } | Work::Handshakes { .. } | Work::History { .. } => {
                0
            }
            Work::Fanout { talk, .. } | Work::Mesh { talk, .. } => talk.rooms,
        }
    }

    /// How long to measure, in seconds.
    pub fn seconds(&self) -> u32 {
        let usual = if matches!(self.work, Work::Idle(_)) { 5 } else { 10 };
        self.common().seconds.unwrap_or(usual)
    }

    /// The name of the workload.
    pub fn name(&self) -> &'static str {
        match self.work {
            Work::Idle(_) => "idle",
            Work::Fanout { .. } => "fanout",
            Work::Mesh { .. } => "mesh",
            Work::Pingpong { .. } => "pingpong",
            Work::Handshakes { .. } => "handshakes",
            Work::Storm(_) => "storm",
            Work::History { .. } => "history",
        }
    }
}

fn rate(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(rate) if (0.001..=1_000_000.0).contains(&rate) => Ok(rate),
        Ok(_) | Err(_) => Err("it takes a number of lines (or handshakes) a second, 0.001 to 1000000".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(line: &str, expected: Result<(u32, u32, u32), &str>) {
        let args = Args::try_parse_from(line.split(' ')).map_err(|error| error.to_string());
        let found = args.and_then(|args| args.check().map(|()| (args.connections(), args.senders(), args.seconds())));
        match (found, expected) {
            (Ok(found), Ok(expected)) => assert_eq!(found, expected, "{line}"),
            (Err(found), Err(expected)) => assert!(found.contains(expected), "{line}: {found}"),
            (found, expected) => panic!("{line}: {found:?}, not {expected:?}"),
        }
    }

    #[test]
    fn works_have_their_defaults() {
        check("chatload idle --spawn", Ok((1000, 0, 5)));
        check("chatload fanout --spawn", Ok((1001, 1, 10)));
        check("chatload fanout --spawn --rooms 5 --connections 50", Ok((55, 5, 10)));
        check("chatload mesh --server localhost --seconds 3", Ok((100, 100, 3)));
        check("chatload mesh --spawn --senders 7 --window 64", Ok((100, 7, 10)));
        check("chatload pingpong --spawn --idle 100 --rate 5", Ok((102, 2, 10)));
        check("chatload storm --spawn --connections 5000", Ok((5000, 0, 10)));
        check("chatload history", Ok((1, 0, 10)));
        check("chatload history --spawn --rows 1000 --places 33 --size 1 --connections 4", Ok((4, 0, 10)));
        check("chatload mesh --spawn --history off", Ok((100, 100, 10)));
        check("chatload mesh --spawn --turns 5", Ok((100, 100, 10)));
    }

    #[test]
    fn what_cannot_be_is_told() {
        check("chatload mesh", Err("--server"));
        check("chatload mesh --spawn --server x", Err("cannot be used with"));
        check("chatload mesh --spawn --rate 1 --window 1", Err("cannot be used with"));
        check("chatload mesh --spawn --rate nan", Err("a number of lines"));
        check("chatload mesh --spawn --size 5", Err("--size 5"));
        check("chatload mesh --spawn --connections 1", Err("somebody must hear"));
        check("chatload mesh --spawn --connections 9 --rooms 5", Err("10 at least"));
        check("chatload mesh --spawn --senders 101", Err("only 100"));
        check("chatload mesh --spawn --connections 20000", Err("--senders"));
        check("chatload mesh --spawn --prefix 1a", Err("--prefix"));
        check("chatload mesh --server x --password", Err("--password"));
        check("chatload pingpong --spawn --connections 3", Err("even"));
        check("chatload storm --server x", Err("--spawn"));
        check("chatload handshakes --spawn", Err("--tls"));
        check("chatload idle --server x --ca y", Err("--tls"));
        check("chatload handshakes --tls --spawn --connections 9", Ok((2, 2, 10)));
        check("chatload idle --server x --set a=1", Err("cannot be used with"));
        check("chatload idle --server x --history on", Err("cannot be used with"));
        check("chatload idle --spawn --turns 3 --history on", Err("cannot be used with"));
        check("chatload history --history off", Err("leave out"));
        check("chatload history --server x", Err("of its own"));
        check("chatload idle --spawn --web --irc", Err("cannot be used with"));
        check("chatload mesh --spawn --irc --size 385", Err("30 to 384"));
        check("chatload mesh --spawn --irc --size 384", Ok((100, 100, 10)));
        check("chatload history --irc", Err("leave out --irc"));
        check("chatload history --connections 1001", Err("1000 at most"));
        check("chatload history --places 32", Err("33"));
    }
}
