//! Runs the known-bad programs through scenarios and prints the matrix.

use std::path::{Path, PathBuf};

use notation::scenario_files;
use sim::mutants::Matrix;
use sim::report::{self, Lines};
use sim::scenario::{Scenario, TransportKind};
use transfer::endpoint::Flaw;

use super::args::Format;
use super::{Exit, complain_in, fail_in, json_lines, print};

/// Prints the matrix of every program against the scenarios in `paths`, which are files and folders.
pub(super) fn mutants(paths: &[PathBuf], format: Format) -> Exit {
    let lines = json_lines(format);
    let lines = lines.as_ref();
    let matrix = match load(paths, lines).and_then(|scenarios| run(&scenarios, lines)) {
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
fn load(paths: &[PathBuf], lines: Option<&Lines>) -> Result<Vec<Scenario>, Exit> {
    let (mut scenarios, mut exit) = (Vec::new(), Exit::Met);
    for path in paths {
        let files = scenario_files(path);
        let files = files.map_err(|error| fail_in(&format!("{}: {error}", path.display()), lines))?;
        if files.is_empty() {
            exit = fail_in(&format!("{}: no scenario is in this folder", path.display()), lines);
        }
        for file in files {
            match Scenario::load(&file) {
                Ok(scenario) => scenarios.push(scenario),
                Err(error) => exit = complain_in(&error, lines),
            }
        }
    }
    if exit == Exit::Met { Ok(scenarios) } else { Err(exit) }
}

fn run(scenarios: &[Scenario], lines: Option<&Lines>) -> Result<Matrix, Exit> {
    Matrix::run(scenarios).map_err(|error| match error {
        sim::run::RunError::Scenario(error) => complain_in(&error, lines),
        error => fail_in(&error.to_string(), lines),
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
