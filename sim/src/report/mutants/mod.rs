//! The matrix of the mutants in words: for people with [`text`], for programs with [`json`], for the
//! documentation with [`page`].

mod json;
mod page;
mod text;

use std::path::Path;

pub use json::json;
pub use page::page;
pub use text::text;

use crate::mutants::{Matrix, Row};
use crate::scenario::TransportKind;
use transfer::endpoint::Flaw;

/// The folder that scenarios are in, and whose name says nothing about them.
const ROOT: &str = "scenarios";
/// Stands for the folder of scenarios that are in none.
const NO_FOLDER: &str = "(top)";
/// What the program without a mistake is called.
const CORRECT: &str = "none";

/// Makes the command that runs this scenario on this lane with this mistake; empty if there is none.
pub type Replay<'a> = dyn Fn(&Path, TransportKind, Option<Flaw>) -> String + 'a;

/// The command that repeats the run of `row` with the scenario at this position.
fn again(matrix: &Matrix, row: &Row, scenario: usize, replay: &Replay<'_>) -> String {
    replay(&matrix.scenarios[scenario], matrix.lanes[scenario], row.flaw)
}

fn name_of(row: &Row) -> String {
    row.flaw.map_or(CORRECT.into(), |flaw| flaw.to_string())
}

fn mistake_of(row: &Row) -> &'static str {
    row.flaw.map_or("the correct program", Flaw::describe)
}

/// The path of a scenario from [`ROOT`] on, the same on every machine: `stream/flip.ron`.
fn short(path: &Path) -> String {
    let names: Vec<_> = path.components().map(|part| part.as_os_str().to_string_lossy()).collect();
    let first = names.iter().rposition(|name| name == ROOT).map_or(0, |root| root + 1);
    names[first..].join("/")
}

/// The folder of a scenario below [`ROOT`].
fn folder(path: &Path) -> String {
    let short = short(path);
    short.rsplit_once('/').map_or(NO_FOLDER, |(folder, _)| folder).to_owned()
}

/// The most telling charge against `row`: the scenario, and what it found wrong.
fn example(matrix: &Matrix, row: &Row) -> Option<(String, String)> {
    let (scenario, charge) = matrix.most_telling(row)?;
    Some((short(&matrix.scenarios[scenario]), charge.to_string()))
}

/// What it all comes to, in a sentence.
fn conclusion(matrix: &Matrix) -> String {
    let names = |wanted: fn(&Row) -> bool| {
        matrix.rows.iter().filter(|row| wanted(row)).map(name_of).collect::<Vec<_>>().join(", ")
    };
    let mutants = matrix.rows.iter().filter(|row| row.flaw.is_some()).count();
    let correct = match matrix.rows.iter().find(|row| row.flaw.is_none()) {
        Some(row) if row.convictions().next().is_some() => "the correct program is convicted",
        Some(row) if !row.holds() => "the correct program could not be tried everywhere",
        _ => "the correct program passes everywhere",
    };
    match names(|row| row.flaw.is_some() && !row.holds()) {
        missed if missed.is_empty() => format!("all {mutants} mutants are convicted; {correct}"),
        missed => format!("NOT convicted: {missed}; {correct}"),
    }
}
