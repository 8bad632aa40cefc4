use clap::Parser as _;

use super::*;

/// Digests a file `config.toml` with this text, and these `--set` options.
fn digested(text: &str, set: &[&str]) -> Result<Config, Vec<String>> {
    let mut sources = vec![Source::file(Path::new("config.toml"), text)];
    sources.extend(set.iter().map(|text| Source::set(text)));
    digest::digest(&sources).map_err(|faults| Faults(faults).into_lines())
}

#[track_caller]
fn check(text: &str, expected: &str) {
    assert_eq!(digested(text, &[]).unwrap_err(), [expected], "{text}");
}

#[track_caller]
fn check_set(set: &str, expected: &str) {
    assert_eq!(digested("", &[set]).unwrap_err(), [expected], "{set}");
}

#[track_caller]
fn good(text: &str, set: &[&str]) -> Config {
    digested(text, set).unwrap_or_else(|faults| panic!("{faults:?}"))
}

#[test]
fn the_shipped_file_is_the_defaults() {
    assert_eq!(good(include_str!("../../config.toml"), &[]), Config::default());
    assert_eq!(good("", &[]), Config::default());
}

#[test]
fn what_is_printed_reads_as_the_same() {
    let config =
        good("accounts.file = 'a\"b'\n[log]\nlevel = 'off'", &["listen=['line://[::]:0']", "limits.silent_most=3"]);
    let printed = to_toml(&config).unwrap();
    assert_eq!(good(&printed, &[]), config, "{printed}");
    assert_eq!(to_toml(&good(&printed, &[])).unwrap(), printed);
}

#[test]
fn values_arrive() {
    let config = good(
        "\u{feff}listen = ['line://10.0.0.1:1', 'line://[::1]:0', 'line://[::1]:0']\r\n[limits]\r\nconnections = 5_0\r\n\
         [accounts]\nregistration = 'closed'\nargon2.iterations = 1\n[log]\nfile = 'x/y'\nlevel = 'trace'\n",
        &[],
    );
    assert_eq!(config.listen.len(), 3);
    assert_eq!(config.limits.connections, 50);
    assert_eq!(config.accounts.rules.registration, limits::Registration::Closed);
    assert_eq!(config.accounts.rules.argon2, limits::Argon2Cost { iterations: 1, ..Default::default() });
    assert_eq!((config.log.level, config.log.file), (LevelFilter::Trace, PathBuf::from("x/y")));
}

#[test]
fn set_is_on_top_and_the_last_one_wins() {
    let text = "[accounts]\nargon2 = { memory_kib = 64, iterations = 7 }\n[log]\nlevel = 'warn'\nstats_s = 5";
    let config = good(
        text,
        &[
            "accounts.argon2.iterations=3",
            "log.stats_s = 1 # ",
            "log.stats_s=0",
            "log.level=\"debug\"",
            "login={failures=9}",
            "limits.owed_bytes=0x1000",
            "accounts.file='a = b'",
        ],
    );
    assert_eq!(config.accounts.rules.argon2, limits::Argon2Cost { memory_kib: 64, iterations: 3, parallelism: 1 });
    assert_eq!((config.log.level, config.log.stats_s), (LevelFilter::Debug, 0));
    assert_eq!((config.login.failures, config.login.deadline_s), (9, 60));
    assert_eq!(config.accounts.file, PathBuf::from("a = b"));
}

#[test]
fn small_values_are_legal() {
    let ones = [
        "accounts.password_min_bytes",
        "accounts.most",
        "accounts.sessions_per_account",
        "accounts.argon2.iterations",
        "accounts.argon2.parallelism",
        "accounts.queue",
        "login.deadline_s",
        "login.failures",
        "limits.connections",
        "limits.per_address",
        "limits.new_per_address",
        "limits.silent",
        "limits.silent_most",
        "limits.line_s",
        "limits.owed_bytes",
        "limits.owed_soft_bytes",
        "limits.owed_soft_s",
        "limits.owed_total_bytes",
        "limits.rate_burst",
        "limits.list_lines",
    ];
    for key in ones {
        good("", &[&format!("{key}=1")]);
        check_set(&format!("{key}=0"), &format!("--set {key}=0: must be at least 1, not 0"));
    }
    for key in ["login.failure_delay_ms", "limits.send_buffer_bytes", "limits.rate_lines_per_s", "log.stats_s"] {
        good("", &[&format!("{key}=0")]);
    }
    good("", &["accounts.argon2={memory_kib=8,iterations=1}", "limits.line_bytes=16", "limits.rate_bytes_per_s=0"]);
}

#[test]
fn ranges() {
    check("[limits]\nconnections = 0", "config.toml:2:15: limits.connections: must be at least 1, not 0");
    check("limits.connections = -1", "config.toml:1:22: limits.connections: must be at least 1, not -1");
    check("[limits]\n\n  line_bytes=15", "config.toml:3:14: limits.line_bytes: must be at least 16, not 15");
    check(
        "limits.line_bytes = 65537",
        "config.toml:1:21: limits.line_bytes: must be 16 to 32768, not 65537 (from an operation and a name to half of what is discarded of one line)",
    );
    check(
        "accounts = { password_min_bytes = 129 }",
        "config.toml:1:35: accounts.password_min_bytes: must be 1 to 128, not 129 (no password is longer)",
    );
    check(
        "login.failures = 99999999999999999999999999999999999999999999",
        "config.toml:1:18: login.failures: must be 1 to 1000000, not 99999999999999999999999999999999999999999999 (more is no limit)",
    );
    check("accounts.argon2.memory_kib = 7", "config.toml:1:30: accounts.argon2.memory_kib: must be at least 8, not 7");
    check("accounts.file = ''", "config.toml:1:17: accounts.file: must be the path of a file, not empty");
    check("log.file = 'log/'", "config.toml:1:12: log.file: must be the path of a file, not \"log/\"");
}

#[test]
fn wrong_types() {
    check("limits = 5", "config.toml:1:10: limits: must be a table, not an integer");
    check("[[limits]]", "config.toml:1:1: limits: must be a table, not an array");
    check(
        "[limits]\nconnections = \"5\"",
        "config.toml:2:15: limits.connections: must be a whole number from 1 to 1000000, not a string",
    );
    check(
        "limits.line_s = 1.5",
        "config.toml:1:17: limits.line_s: must be a whole number from 1 to 31536000, not a float",
    );
    check("login.penalties = 1", "config.toml:1:19: login.penalties: must be true or false, not an integer");
    check(
        "accounts.registration = 'shut'",
        "config.toml:1:25: accounts.registration: must be one of \"open\", \"closed\", not \"shut\"",
    );
    check(
        "log.level = 3",
        "config.toml:1:13: log.level: must be one of \"off\", \"error\", \"warn\", \"info\", \"debug\", \"trace\", not an integer",
    );
    check(
        "accounts.file = true",
        "config.toml:1:17: accounts.file: must be the path of a file, in quotes, not a boolean",
    );
}

#[test]
fn endpoints() {
    check(
        "listen = 'line://127.0.0.1:5015'",
        "config.toml:1:10: listen: must be an array, such as [\"line://127.0.0.1:5015\"], not a string",
    );
    check(
        "listen = []",
        "config.toml:1:10: listen: must name at least one endpoint, such as [\"line://127.0.0.1:5015\"]",
    );
    check(
        "listen = [\n  'line://127.0.0.1:5015',\n  'rooms://127.0.0.1:5016',\n]",
        "config.toml:3:3: listen: the room door needs a UDP port: write rooms://ADDRESS:PORT?udp=PORT",
    );
    check(
        "listen = ['line://[::1]:5015', 'line://[::1]:5015']",
        "config.toml:1:32: listen: line://[::1]:5015 is given twice; give it once",
    );
    check(
        "listen = [5015]",
        "config.toml:1:11: listen: must contain strings, such as \"line://127.0.0.1:5015\", not an integer",
    );
    check(
        "datagrams = 'localhost:5015'",
        "config.toml:1:13: datagrams: the address must be an IP address, IPv6 in brackets, such as 0.0.0.0 or [::], not \"localhost\": that is 127.0.0.1, and [::1]",
    );
    check("datagrams = '5015'", "config.toml:1:13: datagrams: \"5015\" is not ADDRESS:PORT; write 127.0.0.1:5015");
    check(
        "datagrams = '[fe80::1]:1'",
        "config.toml:1:13: datagrams: fe80::1 is a link-local address: it needs its network interface, such as [fe80::1%eth0]:1",
    );
    let config = good("listen = ['line://[fe80::1%lo]:1']\ndatagrams = '[fe80::1%lo]:2'", &[]);
    assert_eq!(good(&to_toml(&config).unwrap(), &[]), config);
}

#[test]
fn two_listeners_of_ours_on_one_port() {
    check(
        "listen = ['line://127.0.0.1:1', 'rooms://127.0.0.1:1?udp=2']",
        "config.toml:1:33: listen: line://127.0.0.1:1 and rooms://127.0.0.1:1?udp=2 want the same port; give one of \
         them another",
    );
    check(
        "listen = ['line://127.0.0.1:1', 'line://0.0.0.0:1']",
        "config.toml:1:33: listen: line://127.0.0.1:1 and line://0.0.0.0:1 want the same port; give one of them another",
    );
    check(
        "listen = ['rooms://0.0.0.0:1?udp=3', 'rooms://127.0.0.1:2?udp=3']",
        "config.toml:1:38: listen: rooms://0.0.0.0:1?udp=3 and rooms://127.0.0.1:2?udp=3 want the same UDP port at \
         different addresses; give one of them another",
    );
    check(
        "datagrams = '0.0.0.0:3'\nlisten = ['rooms://127.0.0.1:2?udp=3']",
        "config.toml:1:13: datagrams: 0.0.0.0:3 and rooms://127.0.0.1:2?udp=3 want the same UDP port at different \
         addresses; name one address, or two ports",
    );
    good("datagrams = '127.0.0.1:3'\nlisten = ['rooms://127.0.0.1:2?udp=3', 'rooms://127.0.0.1:4?udp=3']", &[]);
    good("datagrams = '127.0.0.1:1'\nlisten = ['line://0.0.0.0:1', 'line://[::]:1']", &[]);
}

#[test]
fn the_irc_door() {
    let config = good(
        "listen = ['irc://127.0.0.1:6667', 'irc+tls://0.0.0.0:6697?guests=yes']\nirc.motd = 'motd.txt'",
        &["irc.name=\"irc.example.org\"", "irc.network='Example'", "irc.names=7"],
    );
    let irc = &config.irc;
    assert_eq!((irc.name.as_str(), irc.network.as_str(), irc.names), ("irc.example.org", "Example", 7));
    assert_eq!(irc.motd, PathBuf::from("motd.txt"));
    assert_eq!(good(&to_toml(&config).unwrap(), &[]), config);

    check(
        "[irc]\nname = 'chatd'",
        "config.toml:2:8: irc.name: must hold a dot, which tells a server from a user, such as \"chat.example\", not \
         \"chatd\"",
    );
    check("irc.name = 5", "config.toml:1:12: irc.name: must be a name with a dot, in quotes, not an integer");
    check(
        "irc.network = 'a net'",
        "config.toml:1:15: irc.network: must be one word, 1 to 32 letters, digits, '-', '_' and '.', not \"a net\"",
    );
    check("irc.network = []", "config.toml:1:15: irc.network: must be one word, in quotes, not an array");
    check("irc.motd = 'motd/'", "config.toml:1:12: irc.motd: must be the path of a file, not \"motd/\"");
    check_set("irc.names=0", "--set irc.names=0: must be at least 1, not 0");
    check("[irc]\nnetwrk = 'x'", "config.toml:2:1: irc.netwrk: unknown key; did you mean irc.network?");
    check(
        "[irc]\ntopic = 'x'",
        "config.toml:2:1: irc.topic: unknown key; under irc there are name, network, motd, names",
    );
}

#[test]
fn guests_of_irc_are_spelled_in_one_way() {
    let expected = |at: u32, one: &str, other: &str| {
        format!(
            "config.toml:1:{at}: listen: {one} and {other} would spell guests in two ways: with guests=bare they have no \
             mark anywhere; give it to all IRC listeners or to none"
        )
    };
    let (bare, yes, no) = ("irc://127.0.0.1:1?guests=bare", "irc://127.0.0.1:2?guests=yes", "irc://127.0.0.1:3");
    check(&format!("listen = ['{bare}', '{yes}']"), &expected(44, bare, yes));
    check(&format!("listen = ['{no}', '{bare}']"), &expected(32, no, bare));
    good(&format!("listen = ['{yes}', '{no}']"), &[]);
    good(&format!("listen = ['{bare}', 'irc+unix:a?guests=bare', 'line://127.0.0.1:4?guests=yes']"), &[]);
}

#[test]
fn words_in_any_case() {
    let config = good("log.level = 'INFO'\naccounts.registration = 'Closed'", &["log.level='Debug'"]);
    assert_eq!(
        (config.log.level, config.accounts.rules.registration),
        (LevelFilter::Debug, limits::Registration::Closed)
    );
    check_set("login.penalties=True", "--set login.penalties=True: the value is not TOML; write true");
}

#[test]
fn paths_that_a_shell_would_expand() {
    for path in ["~/accounts", "~bob/accounts", "~", "$HOME/accounts", "${STATE}/x"] {
        check(
            &format!("accounts.file = '{path}'"),
            &format!("config.toml:1:17: accounts.file: {path:?} would need a shell to expand it; write the whole path"),
        );
    }
    for path in ["accounts~", "a/~b", "~accounts", "a$b"] {
        assert_eq!(good(&format!("accounts.file = '{path}'"), &[]).accounts.file, PathBuf::from(path));
    }
}

#[test]
fn a_byte_order_mark_is_no_column() {
    check("\u{feff}lim = 1", &digested("lim = 1", &[]).unwrap_err()[0]);
}

#[test]
fn unknown_keys() {
    check(
        "[limits]\nconections = 1",
        "config.toml:2:1: limits.conections: unknown key; did you mean limits.connections?",
    );
    check("connections = 1", "config.toml:1:1: connections: unknown key; did you mean limits.connections?");
    check("[login]\nline_s = 1", "config.toml:2:1: login.line_s: unknown key; did you mean limits.line_s?");
    check(
        "'limits.connections' = 1",
        "config.toml:1:1: \"limits.connections\": unknown key; did you mean limits.connections?",
    );
    check("[log]\ncolour = 1", "config.toml:2:1: log.colour: unknown key; under log there are level, file, stats_s");
    check(
        "[nets]\nx = 1",
        "config.toml:1:2: nets: unknown key; at the top there are listen, datagrams, accounts, login, limits, rooms, web, irc, history, tls, operator, log",
    );
    check_set("limits.conections=5", "--set limits.conections=5: unknown key; did you mean limits.connections?");
    check_set("login={failurs=5}", "--set login={failurs=5}: login.failurs: unknown key; did you mean login.failures?");
}

#[test]
fn not_toml() {
    check("listen = [", "config.toml:1:11: not TOML: unclosed array, expected `]`");
    check("[limits]\nline_s = 1\nline_s = 2\n", "config.toml:3:1: not TOML: duplicate key");
    check_set(
        "log.level=debug",
        "--set log.level=debug: the value is not TOML; a string needs quotes: --set 'log.level=\"debug\"'",
    );
    check_set(
        "accounts.file=/var/lib/chatd/accounts",
        "--set accounts.file=/var/lib/chatd/accounts: the value is not TOML; a string needs quotes: \
         --set 'accounts.file=\"/var/lib/chatd/accounts\"'",
    );
    check_set(
        "listen=line://[::1]:5015",
        "--set listen=line://[::1]:5015: the value is not TOML; a string needs quotes: \
         --set 'listen=[\"line://[::1]:5015\"]'",
    );
    check_set(
        "log.level=",
        "--set log.level=: the value is missing; it must be KEY=VALUE, such as limits.connections=50000",
    );
    check_set(
        "#limits.line_s=1",
        "--set #limits.line_s=1: sets nothing; it must be KEY=VALUE, such as limits.connections=50000",
    );
    let faults = digested("", &["lim its=1"]).unwrap_err();
    assert!(faults[0].starts_with("--set lim its=1: not TOML: the key must be a dotted path"), "{faults:?}");
    let faults = digested("", &["listen=['a\"]"]).unwrap_err();
    assert!(faults[0].starts_with("--set listen=['a\"]: the value is not TOML: "), "{faults:?}");
}

#[test]
fn keys_agree() {
    check_set(
        "accounts.argon2={memory_kib=15,parallelism=2}",
        "--set accounts.argon2={memory_kib=15,parallelism=2}: accounts.argon2.memory_kib: must be at least 8 times \
         accounts.argon2.parallelism, which makes 16, not 15",
    );
    check(
        "[accounts.argon2]\niterations = 5000",
        "config.toml:2:14: accounts.argon2.iterations: must be at most 3449 with the accounts.argon2.memory_kib that is \
         set, not 5000",
    );
    check(
        "[limits]\nowed_bytes = 100\nowed_soft_bytes = 101",
        "config.toml:3:19: limits.owed_soft_bytes: must be at most limits.owed_bytes, which is 100, not 101",
    );
    check_set(
        "limits.silent=2000",
        "--set limits.silent=2000: must be at most limits.silent_most, which is 1024, not 2000",
    );
    let config = good("limits.silent = 256", &["limits.owed_bytes=10", "limits.silent_most=9"]);
    assert_eq!((config.limits.owed_soft_bytes, config.limits.silent), (10, 9));
}

#[test]
fn all_faults_are_told_in_their_order_up_to_a_bound() {
    let faults = digested("z = 1\na = 1\n", &["log.stats_s=-1"]).unwrap_err();
    assert_eq!(faults.len(), 3);
    assert!(faults[0].starts_with("config.toml:1:1: z: "), "{faults:?}");
    assert!(faults[1].starts_with("config.toml:2:1: a: "), "{faults:?}");
    let many: String = (0..15).map(|i| format!("wrong{i} = 1\n")).collect();
    let faults = digested(&many, &[]).unwrap_err();
    assert_eq!((faults.len(), faults[10].as_str()), (11, "and 5 more; fix these first"));
}

fn args(config: &Path, set: &[&str]) -> Place {
    Place { config: Some(config.to_owned()), set: set.iter().map(|text| (*text).to_owned()).collect() }
}

#[test]
fn files() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("c.toml");
    let fault = |path: &Path| load(&args(path, &[])).unwrap_err().into_lines().join("\n");
    assert!(fault(&path).contains("c.toml: cannot be read as configuration: No such file"), "{}", fault(&path));
    assert!(fault(folder.path()).ends_with("it is a folder; name the file in it"), "{}", fault(folder.path()));
    assert!(fault(Path::new("/dev/zero")).contains("it is longer than 1048576 bytes"));
    fs::write(&path, b"# \xc3\xa9\n# \xff").unwrap();
    assert!(fault(&path).ends_with("c.toml:2:3: this byte is not UTF-8; save the file as UTF-8"), "{}", fault(&path));
    fs::write(&path, "[log]\nfile = 'l/og'\n").unwrap();
    let loaded = load(&args(&path, &["log.stats_s=7"])).unwrap();
    assert_eq!(loaded.config.log.stats_s, 7);
    assert_eq!(loaded.log_file(), Some(folder.path().join("l/og")));
    assert_eq!(loaded.accounts_file(), folder.path().join("accounts"));
    fs::write(&path, "[log]\nfile = ''\nstats_s = 1").unwrap();
    let again = reload(&args(&path, &["log.stats_s=7"]), &loaded.origin).unwrap();
    assert_eq!((again.log_file(), again.config.log.stats_s), (None, 7));
    fs::remove_file(&path).unwrap();
    assert!(reload(&args(&path, &[]), &loaded.origin).is_err());
    assert!(fault(Path::new("~/c.toml")).ends_with("write --config ~/FILE"));
    assert!(fault(Path::new("-")).ends_with("write --config /dev/stdin"));
}

#[test]
fn a_reload_reads_regular_files_alone_and_never_waits() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("c.toml");
    rustix::fs::mknodat(rustix::fs::CWD, &path, rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
    let fault =
        |path: &Path| reload(&args(path, &[]), &Origin::File(path.to_owned())).unwrap_err().into_lines().join("\n");
    assert!(fault(&path).contains("it is a pipe, and only a regular file is read"), "{}", fault(&path));
    assert!(fault(Path::new("/dev/null")).contains("it is a character device"));
    assert!(fault(folder.path()).contains("it is a folder; name the file in it"));
}

#[test]
fn paths_without_a_file_are_from_the_working_directory() {
    let loaded = Loaded { config: Config::default(), origin: Origin::Defaults };
    assert_eq!(loaded.accounts_file(), PathBuf::from("accounts"));
    for file in ["config.toml", "/dev/stdin", "/dev/fd/63", "/proc/self/fd/0"] {
        let loaded = Loaded { origin: Origin::File(PathBuf::from(file)), ..loaded.clone() };
        assert_eq!(loaded.accounts_file(), PathBuf::from("accounts"), "{file}");
    }
}

#[test]
fn arguments() {
    let parse = |words: &[&str]| Args::try_parse_from(std::iter::once("chatd").chain(words.iter().copied()));
    let args = parse(&["--config", "x", "--set", "a=1", "--set", "b=2", "--check"]).unwrap();
    assert_eq!((args.place.config, args.place.set.len(), args.check), (Some(PathBuf::from("x")), 2, true));
    for wrong in [
        &["--set", "a"][..],
        &["--set", "=1"],
        &["x"],
        &["--port", "1"],
        &["x.toml", "--config", "y"],
        &["x.toml", "y"],
        &["x.toml", "y.toml"],
    ] {
        assert_eq!(parse(wrong).unwrap_err().exit_code(), 2, "{wrong:?}");
    }
    assert_eq!(parse(&["--help"]).unwrap_err().exit_code(), 0);
    let mistyped = parse(&["acounts", "list"]).unwrap_err().to_string();
    assert!(mistyped.contains("'acounts'") && mistyped.contains("it is neither a command"), "{mistyped}");
}

#[track_caller]
fn check_args(args: &[&str], config: Option<&str>, set: &[&str]) {
    let parsed = Args::try_parse_from([&["chatd"], args].concat()).unwrap().gathered();
    assert_eq!(parsed.place.config.as_deref(), config.map(Path::new), "{args:?}");
    assert_eq!(parsed.place.set, set, "{args:?}");
    assert!(matches!(parsed.command, Some(Command::Accounts { .. })), "{args:?}");
}

#[test]
fn the_configuration_is_named_before_the_command_or_behind_it() {
    check_args(&["accounts", "list"], None, &[]);
    check_args(&["x.toml", "accounts", "list"], Some("x.toml"), &[]);
    check_args(&["--config", "x", "--set", "a=1", "accounts", "list"], Some("x"), &["a=1"]);
    check_args(&["accounts", "--config", "x", "list", "--set", "a=1"], Some("x"), &["a=1"]);
    check_args(&["accounts", "add", "--set=a=1", "alice", "--config=x"], Some("x"), &["a=1"]);
    check_args(&["--set", "a=1", "accounts", "list", "--set", "b=2"], None, &["a=1", "b=2"]);
    check_args(&["--set", "a=1", "accounts", "--set", "b=2", "list", "--set", "c=3"], None, &["a=1", "b=2", "c=3"]);
}
