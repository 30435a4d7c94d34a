//! A thin face of the library: every capability is reachable without it.

mod args;
mod audit;
mod cleanup;
mod client;
mod conform;
mod explore;
mod mutants;
mod print;
mod progress;
mod proxy;
mod record;
mod run;
mod scrub;
mod serve;
mod signals;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use notation::ScenarioError;
use sim::report::{self, Lines};
use sim::scenario::Scenario;

use args::{Args, Command, Format};

/// How a command ended, from best to worst: of several files, the worst counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Exit {
    /// All expectations were met.
    Met,
    /// Nothing is proved: a fault did not strike, or the control run failed.
    Inconclusive,
    /// The peer could not be reached, or refused; the proxy could not listen, or not reach its target.
    NoPeer,
    /// Programs that are to be audited are not installed.
    NotInstalled,
    /// An expectation was not met, or a transfer did not pass its check.
    NotMet,
    /// Bad usage, a bad scenario file, or a file here that cannot be read or written.
    Usage,
    /// Ctrl-C.
    Interrupted,
}

/// What a shell reports of a program that Ctrl-C ended.
const INTERRUPTED: u8 = 130;

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        ExitCode::from(match exit {
            Exit::Met => 0,
            Exit::NotMet => 1,
            Exit::Usage => 2,
            Exit::Inconclusive => 3,
            Exit::NoPeer => 4,
            Exit::NotInstalled => 5,
            Exit::Interrupted => INTERRUPTED,
        })
    }
}

pub(crate) fn main() -> ExitCode {
    // Of the errors here, only a broken pipe is common: the reader has seen enough.
    let args = Args::parse();
    args.color.apply();
    let exit = match &args.command {
        Some(Command::Check { files, format }) => check(files, *format),
        Some(Command::Mutants { scenarios, format }) => mutants::mutants(scenarios, *format),
        Some(Command::Sweep(args)) => explore::sweep::sweep(args),
        Some(Command::Swarm(args)) => explore::swarm::swarm(args),
        Some(Command::Merge(args)) => explore::sweep::merge(args),
        Some(Command::Serve(args)) => serve::serve(args),
        Some(Command::Ls(args)) => client::ls(args),
        Some(Command::Put(args)) => client::put(args),
        Some(Command::Get(args)) => client::get(args),
        Some(Command::Session(args)) => client::session(args),
        Some(Command::Scrub { dir, json, quiet }) => scrub::run(dir, *json, *quiet),
        Some(Command::Proxy(options)) => proxy::proxy(options),
        Some(Command::Audit(args)) => audit::audit(args),
        #[cfg(target_os = "linux")]
        Some(Command::Inside { side, port, socket, command }) => {
            return audit::inside(*side, *port, socket, command);
        }
        Some(Command::Conform(args)) => conform::conform(args),
        Some(Command::Shrink(args)) => explore::shrink::run(args),
        None => run::run_files(&args),
    };
    exit.into()
}

/// Reads the scenarios and does no more. Silence would leave a person in doubt, so it says what it found.
fn check(files: &[PathBuf], format: Format) -> Exit {
    let (lines, mut exit) = (json_lines(format), Exit::Met);
    for path in files {
        match (Scenario::load(path), &lines) {
            (Ok(scenario), Some(lines)) => print::say(&report::check::json(&scenario, lines)),
            (Ok(scenario), None) => {
                print::say(&format!("{}: ok, {}\n", path.display(), extent(&scenario)));
            }
            (Err(error), _) => exit = exit.max(complain_in(&error, lines.as_ref())),
        }
    }
    exit
}

/// Prints what is wrong with a scenario file.
fn complain(error: &ScenarioError) -> Exit {
    print::warn(&error.render(true));
    Exit::Usage
}

/// What writes the JSON lines, if it is they that are wanted.
fn json_lines(format: Format) -> Option<Lines> {
    (format == Format::Json).then(Lines::default)
}

/// The same, and for programs if there are `lines`.
fn complain_in(error: &ScenarioError, lines: Option<&Lines>) -> Exit {
    if let Some(lines) = lines {
        print::say(&report::check::mistakes_json(error, lines));
    }
    complain(error)
}

/// Says that a command cannot be carried out, and for programs if there are `lines`.
fn fail_in(message: &str, lines: Option<&Lines>) -> Exit {
    if let Some(lines) = lines {
        print::say(&report::check::error_json("failed", message, lines));
    }
    run::fail(message)
}

/// How much a scenario says.
fn extent(scenario: &Scenario) -> String {
    let count = |count: usize, what: &str| match count {
        0 => None,
        1 => Some(format!("1 {what}")),
        _ => Some(format!("{count} {what}s")),
    };
    let counts = [
        count(scenario.steps.len(), "step"),
        count(scenario.clients.len(), "client"),
        count(scenario.files.len(), "file"),
        count(scenario.faults.len(), "fault"),
        count(scenario.expect.len(), "expectation"),
    ];
    counts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}
