//! A thin face of the library: every capability is reachable without it.

mod args;
mod print;
mod progress;

mod run;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use sim::scenario::{Scenario, ScenarioError};

use args::{Args, Command};

/// How a command ended, from best to worst: of several files, the worst counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Exit {
    /// All expectations were met.
    Met,
    /// An expectation was not met.
    NotMet,
    /// Bad usage or a bad scenario file.
    Usage,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        ExitCode::from(match exit {
            Exit::Met => 0,
            Exit::NotMet => 1,
            Exit::Usage => 2,
        })
    }
}

pub(crate) fn main() -> ExitCode {
    // Of the errors here, only a broken pipe is common: the reader has seen enough.
    let args = Args::parse();
    args.color.apply();
    let exit = match &args.command {
        Some(Command::Check { files }) => check(files),
        None => run::run_files(&args),
    };
    exit.into()
}

/// Reads the scenarios and does no more. Silence would leave a person in doubt, so it says what it found.
fn check(files: &[PathBuf]) -> Exit {
    let mut exit = Exit::Met;
    for path in files {
        match Scenario::load(path) {
            Ok(scenario) => {
                let (steps, files) = (scenario.steps.len(), scenario.files.len());
                print::say(&format!("{}: ok, {steps} steps, {files} files\n", path.display()));
            }
            Err(error) => exit = exit.max(complain(&error)),
        }
    }
    exit
}

/// Prints what is wrong with a scenario file.
fn complain(error: &ScenarioError) -> Exit {
    print::warn(&error.render(true));
    Exit::Usage
}
