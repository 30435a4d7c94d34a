//! Runs the known-bad programs through scenarios and prints the matrix.

use std::path::{Path, PathBuf};

use notation::scenario_files;
use sim::mutants::Matrix;
use sim::report;
use sim::scenario::{Scenario, TransportKind};
use transfer::endpoint::Flaw;

use super::args::Format;
use super::run::fail;
use super::{Exit, complain, print};

/// Prints the matrix of every program against the scenarios in `paths`, which are files and folders.
pub(super) fn mutants(paths: &[PathBuf], format: Format) -> Exit {
    let matrix = match load(paths).and_then(|scenarios| run(&scenarios)) {
        Ok(matrix) => matrix,
        Err(exit) => return exit,
    };
    print::say(&match format {
        Format::Text => report::mutants::text(&matrix, &replay),
        Format::Json => report::mutants::json(&matrix, &replay),
    });
    if matrix.holds() { Exit::Met } else { Exit::NotMet }
}

/// Every scenario of these files and folders; or the complaint about all that cannot be read.
fn load(paths: &[PathBuf]) -> Result<Vec<Scenario>, Exit> {
    let (mut scenarios, mut exit) = (Vec::new(), Exit::Met);
    for path in paths {
        let files = scenario_files(path).map_err(|error| fail(&format!("{}: {error}", path.display())))?;
        if files.is_empty() {
            exit = fail(&format!("{}: no scenario is in this folder", path.display()));
        }
        for file in files {
            match Scenario::load(&file) {
                Ok(scenario) => scenarios.push(scenario),
                Err(error) => exit = complain(&error),
            }
        }
    }
    if exit == Exit::Met { Ok(scenarios) } else { Err(exit) }
}

fn run(scenarios: &[Scenario]) -> Result<Matrix, Exit> {
    Matrix::run(scenarios).map_err(|error| match error {
        sim::run::RunError::Scenario(error) => complain(&error),
        error => fail(&error.to_string()),
    })
}

/// The command that repeats one run of the matrix, fit to be pasted into a shell.
fn replay(scenario: &Path, lane: TransportKind, flaw: Option<Flaw>) -> String {
    let mut words = vec![scenario.display().to_string(), "--transport".into(), lane.to_string()];
    if let Some(flaw) = flaw {
        words.extend(["--mutant".into(), flaw.to_string()]);
    }
    print::command(&words)
}
