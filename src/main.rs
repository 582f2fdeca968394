//! The binary: turns the command line into a running node, and its end into an exit status.
//!
//! Nothing is decided here that a test could want to see: options are `cli`, the loop is `driver`.

mod closed;

use std::io::{self, IsTerminal, Write};
use std::net::{Ipv6Addr, SocketAddr};
use std::process::ExitCode;

use papo::cli::irc::IrcOptions;
use papo::cli::secret::Refused;
use papo::cli::{self, Cli, Confirm, Moment, Options, STATUS_USAGE, Stop, Task};
use papo::driver::{
    self, DoctorConfig, DriverConfig, Joins, STATUS_FAILED, ScanConfig, Selection, StartError,
    StoreConfig, TraceConfig,
};
use papo::lock::Secret;
use papo::store::{self, Search};
use papo::ui::{Mode, Notices, Replay, UiConfig, Wanted};

/// How much of the history a terminal shows on joining.
const REPLAY_INTERACTIVE: usize = 20;

fn main() -> ExitCode {
    driver::outlive_file_limits();
    if std::env::args_os()
        .nth(1)
        .is_some_and(|first| first == store::HELPER)
    {
        let is_done = store::run_helper();
        return ExitCode::from(if is_done { 0 } else { STATUS_FAILED });
    }
    // A process that another papo started to look a name up: no user types that.
    if let Some(answer) = driver::look_up(std::env::args_os()) {
        return print(answer.as_bytes());
    }
    match cli::completing::answer() {
        Ok(false) => {}
        Ok(true) => return ExitCode::SUCCESS,
        Err(line) => return fail(STATUS_USAGE, &line),
    }
    let cli = match Cli::read(std::env::args_os()) {
        Ok(cli) => cli,
        Err(Stop::Shown(text)) => return print(text.as_bytes()),
        Err(Stop::Wrong(line)) => return fail(STATUS_USAGE, &line),
        Err(Stop::Failed(line)) => return fail(STATUS_FAILED, &line),
    };
    carry_out(cli)
}

/// What the command line asks for.
fn carry_out(cli: Cli) -> ExitCode {
    let options = match cli.action {
        // They may be in several rooms.
        None | Some(Task::Chat | Task::Listen { .. }) => {
            return run(cli.action.unwrap_or(Task::Chat), cli.options);
        }
        Some(_) => cli.options.in_room(cli.options.first_room()),
    };
    match cli.action {
        Some(Task::Completions { shell }) => match cli::completing::script(shell) {
            Ok(script) => print(&script),
            Err(line) => fail(STATUS_FAILED, &line),
        },
        Some(Task::Man) => print(cli::manual::page(&Cli::parser()).as_bytes()),
        Some(Task::History {
            since,
            until,
            last,
            from,
            grep,
        }) => {
            let search = Search {
                since_ms: since.map(Moment::ms),
                until_ms: until.map(Moment::ms),
                from,
                words: grep,
            };
            print_history(&options, &search, last)
        }
        Some(Task::Keygen { file }) => match cli::keygen::make(file.as_deref()) {
            Ok(line) => print(line.as_bytes()),
            Err(line) => fail(STATUS_FAILED, &line),
        },
        Some(Task::Rekey) => rekey(&options),
        Some(Task::Demo(asked)) => match cli::demo::give(&asked, options.trace.as_deref()) {
            Ok((text, None)) => print(text.as_bytes()),
            Ok((text, Some(failed))) => {
                print(text.as_bytes());
                fail(1, &failed)
            }
            Err(line) => fail(STATUS_FAILED, &line),
        },
        Some(Task::Trace(asked)) => match cli::trace::draw(&asked) {
            Ok((text, is_kept)) => match (print(text.as_bytes()), is_kept) {
                (shown, true) => shown,
                (_, false) => ExitCode::from(1),
            },
            Err(line) => fail(STATUS_FAILED, &line),
        },
        Some(Task::Scan) => scan(&options),
        Some(Task::Doctor) => doctor(&options),
        Some(Task::Irc(irc)) => run_irc(&irc, &options),
        action => run(action.unwrap_or(Task::Chat), cli.options),
    }
}

/// Prints what the store has; 1 if it has nothing that fits.
fn print_history(options: &Options, search: &Search, last: Option<usize>) -> ExitCode {
    start_log(options);
    let out = closed::Stdout::lock();
    let printed = cli::history::print(options, search, last, out, say);
    driver::flush_log();
    match printed {
        Ok(true) => ExitCode::SUCCESS,
        // As grep ends that finds nothing, and as silent.
        Ok(false) => ExitCode::from(1),
        Err(line) => fail(STATUS_FAILED, &options.blame(&line)),
    }
}

fn run(action: Task, options: Options) -> ExitCode {
    start_log(&options);
    let mut rooms: Vec<DriverConfig> = Vec::new();
    for name in &options.room {
        let mut room = match room_config(&action, &options, name) {
            Ok(room) => room,
            Err(refused) => return fail(refused.status, &options.blame(&refused.line)),
        };
        // What concerns them all is said once.
        let is_said = |line: &String| rooms.iter().any(|room| room.warnings.contains(line));
        room.warnings.retain(|line| !is_said(line));
        room.stdout_closed &= rooms.is_empty();
        rooms.push(room);
    }
    let given = options.clone();
    let joins = Joins::new(move |name, secret| {
        let name = cli::rooms::name(name)?;
        options.check_shared()?;
        let with_secret = secret.map(|file| options.with_secret(&name, file));
        let options = with_secret.as_ref().unwrap_or(&options);
        let config = room_config(&action, options, &name).map_err(|refused| refused.line);
        config.map(|config| DriverConfig {
            stdout_closed: false,
            ..config
        })
    });
    end(&given, Ok(driver::run(&rooms, joins)))
}

/// What the command line says of one of the rooms.
fn room_config(action: &Task, options: &Options, room: &str) -> Result<DriverConfig, Refused> {
    let own = options.in_room(room);
    let (secret, mut warnings) = secret(&own)?;
    let store = own.store.as_deref();
    warnings.extend(store.and_then(cli::secret::store_warning));
    warnings.extend(options.says_open(room));
    driver_config(action.clone(), &own, (secret, warnings)).map_err(|line| {
        let status = STATUS_FAILED;
        Refused { status, line }
    })
}

/// Is an IRC server until it is told to end.
fn run_irc(irc: &IrcOptions, options: &Options) -> ExitCode {
    start_log(options);
    let room = options.room_given.then(|| options.first_room().to_owned());
    let times = (options.heartbeat, options.failure_timeout);
    let (config, warnings) = match cli::irc::config(irc, room, times) {
        Ok(read) => read,
        Err(refused) => return fail(refused.status, &refused.line),
    };
    let shared = driver_config(Task::Irc(irc.clone()), options, (None, warnings));
    end(
        options,
        shared.map(|shared| driver::run_irc(shared, config)),
    )
}

/// What came of it, as a status; `Err` is one line of why it was not begun.
fn end(options: &Options, ended: Result<Result<u8, StartError>, String>) -> ExitCode {
    match ended {
        Ok(Ok(status)) => ExitCode::from(status),
        Ok(Err(e)) => fail(STATUS_FAILED, &options.blame(&e.to_string())),
        Err(line) => fail(STATUS_FAILED, &options.blame(&line)),
    }
}

fn driver_config(
    action: Task,
    options: &Options,
    (secret, mut warnings): (Option<Secret>, Vec<String>),
) -> Result<DriverConfig, String> {
    let identity = options.identity.as_deref();
    let (person, warning) = cli::identity::resolve(identity, options.anonymous)?;
    warnings.extend(warning);
    // Sending a line prints nothing, and goes without.
    let prints = options.json || !matches!(action, Task::Send { .. });
    Ok(DriverConfig {
        group: options.group,
        multicast: !options.no_multicast,
        interfaces: interfaces(options),
        listen: options
            .listen
            .unwrap_or(SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0))),
        peers: cli::peers::named(&options.peer),
        room: options.first_room().to_owned(),
        nick: options.nick(),
        heartbeat: options.heartbeat,
        failure_timeout: options.failure_timeout,
        history_max: options.history,
        wants_history: !matches!(action, Task::Send { .. }),
        person,
        secret,
        warnings,
        store: (options.store.as_ref()).map(|path| StoreConfig {
            path: path.clone(),
            strict: options.store_strict,
            max: options.store_max,
        }),
        trace: TraceConfig {
            path: options.trace.clone(),
            max: options.trace_max,
            texts: options.trace_text,
        },
        cuts: driver::cuts_of_lesson(),
        color: options.color.is_wanted(),
        exec: match &action {
            Task::Listen { exec, .. } => exec.clone(),
            _ => Vec::new(),
        },
        stdout_closed: prints && closed::was_stdout(),
        ui: ui_config(action, options),
    })
}

/// The room's keys, if it is locked, and what the user is to be told of the secret.
fn secret(options: &Options) -> Result<(Option<Secret>, Vec<String>), Refused> {
    match cli::secret::given(options.secret_file.as_deref())? {
        Some(given) => Ok((Some(given.derive(options.first_room())?), given.warnings)),
        None => Ok((None, Vec::new())),
    }
}

fn interfaces(options: &Options) -> Selection {
    match options.interface.as_slice() {
        [] => Selection::All,
        names => Selection::Named(names.to_vec()),
    }
}

/// The secret, if there is one; what there is to be said of it is said.
fn secret_said(options: &Options) -> Result<Option<Secret>, Refused> {
    let (secret, warnings) = secret(options)?;
    warnings.iter().for_each(|line| say(line));
    Ok(secret)
}

/// Moves a store to another secret.
fn rekey(options: &Options) -> ExitCode {
    start_log(options);
    let moved = cli::rekey::rekey(options);
    driver::flush_log();
    match moved {
        Ok((line, warnings)) => {
            warnings.iter().for_each(|line| say(line));
            print(line.as_bytes())
        }
        Err(refused) => fail(refused.status, &options.blame(&refused.line)),
    }
}

/// Examines the network; 1 if one could not chat.
fn doctor(options: &Options) -> ExitCode {
    start_log(options);
    let secret = match secret_said(options) {
        Ok(secret) => secret,
        Err(refused) => return fail(refused.status, &options.blame(&refused.line)),
    };
    let examined = driver::examine(&DoctorConfig {
        group: options.group,
        multicast: !options.no_multicast,
        interfaces: interfaces(options),
        listen: options.listen,
        peers: cli::peers::named(&options.peer),
        room: options.first_room().to_owned(),
        secret,
        secret_file: options.secret_file.clone(),
        heartbeat: options.heartbeat,
    });
    driver::flush_log();
    match examined {
        Err(e) => fail(STATUS_FAILED, &options.blame(&e.to_string())),
        Ok(examined) => {
            let told = match options.json {
                true => print(&examined.json),
                false => print(examined.text.as_bytes()),
            };
            match examined.works {
                true => told,
                false => ExitCode::from(1),
            }
        }
    }
}

/// Lists the rooms; 1 if there is none.
fn scan(options: &Options) -> ExitCode {
    start_log(options);
    let secret = match secret_said(options) {
        Ok(secret) => secret,
        Err(refused) => return fail(refused.status, &options.blame(&refused.line)),
    };
    let config = ScanConfig {
        group: options.group,
        interfaces: interfaces(options),
        heartbeat: options.heartbeat,
        locked: secret.map(|secret| (options.first_room().to_owned(), secret)),
        only: options.room_typed.then(|| options.first_room().to_owned()),
    };
    let heard = match driver::scan(&config) {
        Ok(heard) => heard,
        Err(e) => return fail(STATUS_FAILED, &options.blame(&e.to_string())),
    };
    driver::flush_log();
    for report in &heard.reports {
        say(report);
    }
    if heard.rooms.is_empty() {
        let line = match &config.only {
            Some(_) => "--room: nobody is heard in it; papo scan without --room lists the rooms",
            None => "no room heard; is anybody there, and is it the same --group?",
        };
        return fail(1, line);
    }
    let mut out = Vec::new();
    if options.json {
        heard.rooms.write_json(&mut out, heard.wall_ms);
    } else {
        heard.rooms.write_text(&mut out);
    }
    print(&out)
}

fn ui_config(action: Task, options: &Options) -> UiConfig {
    let in_terminal = io::stdin().is_terminal() && io::stdout().is_terminal();
    let has_prompt = in_terminal && cli::obeys_sequences(std::env::var_os("TERM").as_deref());
    let mode = match action {
        _ if options.json => Mode::Json,
        Task::Chat if has_prompt => Mode::Interactive,
        _ => Mode::Text,
    };
    let is_for_people = action == Task::Chat && in_terminal && !options.json;
    let replay_default = if is_for_people { REPLAY_INTERACTIVE } else { 0 };
    let reads_stdin = !matches!(action, Task::Listen { .. });
    let confirms_printed =
        matches!(action, Task::Listen { confirm, .. } if confirm == Confirm::Printed);
    let (wanted, timestamps, replay_all) = match &action {
        Task::Listen {
            pattern,
            since,
            count,
            timestamps,
            ..
        } => {
            // It was checked when the command line was read.
            let pattern = pattern.as_deref().and_then(|p| Wanted::pattern(p).ok());
            let wanted = Wanted::new(pattern, since.map(Moment::ms), *count);
            (wanted, *timestamps, since.is_some())
        }
        // What others say is no business of whoever only speaks: it would end up in a cron mail.
        Task::Send { .. } if mode == Mode::Text => (Wanted::nothing(), false, false),
        _ => (Wanted::default(), false, false),
    };
    let replay_default = match replay_all {
        true => Replay::All,
        false => Replay::Last(replay_default),
    };
    let runs = matches!(&action, Task::Listen { exec, .. } if !exec.is_empty());
    let lines = match action {
        Task::Send { text } if !text.is_empty() => Some(vec![text.join(" ")]),
        _ => None,
    };
    UiConfig {
        mode,
        replay: options.replay.unwrap_or(replay_default),
        commands: options.commands || is_for_people,
        reads_stdin: reads_stdin && lines.is_none(),
        lines,
        notices: notices(options, mode == Mode::Interactive),
        notify: options.notify.into(),
        stay: options.stay,
        wait_members: options.wait_members,
        timeout: options.timeout,
        history_max: options.history,
        wanted,
        runs,
        timestamps,
        confirms_printed,
    }
}

/// Who comes and goes is told to people who look at stderr, and to whoever asks for it; a script
/// finds there only what went wrong.
fn notices(options: &Options, has_prompt: bool) -> Notices {
    let is_seen = io::stderr().is_terminal() || has_prompt;
    match options.quiet {
        true => Notices::Never,
        false if log::log_enabled!(log::Level::Info) => Notices::All,
        false if is_seen => Notices::Brief,
        false => Notices::Never,
    }
}

/// The options decide what is logged; without them the environment, and without that warnings.
fn start_log(options: &Options) {
    let mut log = env_logger::Builder::new();
    log.filter_level(log::LevelFilter::Warn);
    match options.verbose {
        _ if options.quiet => log.filter_level(log::LevelFilter::Error),
        0 => log.parse_default_env(),
        1 => log.filter_level(log::LevelFilter::Info),
        _ => log.filter_level(log::LevelFilter::Debug),
    };
    let target = driver::log_target();
    // The loop writes to stderr; colours in a buffer would be there whatever stderr is.
    log.target(target)
        .write_style(env_logger::WriteStyle::Never);
    if io::stderr().is_terminal() && options.verbose < 2 {
        // People read a sentence; when and where it was written is for a file, and for -vv.
        log.format(|out, record| writeln!(out, "papo: {}", record.args()));
    }
    log.init();
}

/// Prints to stdout; a reader that went away is no mistake of ours.
fn print(bytes: &[u8]) -> ExitCode {
    let mut stdout = closed::Stdout::lock();
    match stdout.write_all(bytes).and_then(|()| stdout.flush()) {
        Err(e) if e.kind() != io::ErrorKind::BrokenPipe => fail(
            STATUS_FAILED,
            &format!("cannot write to stdout: {}", cli::reason(&e)),
        ),
        _ => ExitCode::SUCCESS,
    }
}

/// One line on stderr, and the status.
fn fail(status: u8, line: &str) -> ExitCode {
    say(line);
    ExitCode::from(status)
}

/// One line on stderr. Without a stderr the status has to do.
fn say(line: &str) {
    let _ = writeln!(io::stderr(), "papo: {line}");
}
