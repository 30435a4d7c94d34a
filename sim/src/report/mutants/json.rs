//! The matrix for programs: one JSON object per line, described in `docs/json.md`.

use serde::Serialize;

use super::super::lines::Lines;
use super::super::problem::Problem;
use super::{Replay, again, mistake_of, name_of, short};
use crate::mutants::{Finding, Matrix, Row};

/// One line.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
enum Record {
    Mutant { mutant: String, mistake: &'static str, holds: bool, findings: Vec<FindingRecord> },
    Matrix { scenarios: Vec<String>, holds: bool },
}

/// A scenario that did not go as expected.
#[derive(Serialize)]
struct FindingRecord {
    scenario: String,
    finding: &'static str,
    why: Vec<Problem>,
    replay: String,
}

/// The matrix for programs: one JSON object per line, described in `docs/json.md`. `replay` makes the command that
/// repeats a single run.
#[must_use]
pub fn json(matrix: &Matrix, replay: &Replay<'_>) -> String {
    let mutants = matrix.rows.iter().map(|row| Record::Mutant {
        mutant: name_of(row),
        mistake: mistake_of(row),
        holds: row.holds(),
        findings: findings(matrix, row, replay),
    });
    let scenarios = matrix.scenarios.iter().map(|path| short(path)).collect();
    let all = mutants.chain([Record::Matrix { scenarios, holds: matrix.holds() }]);
    Lines::all(all)
}

fn findings(matrix: &Matrix, row: &Row, replay: &Replay<'_>) -> Vec<FindingRecord> {
    let record = |(index, found): (usize, &Finding)| {
        let (finding, why) = match found {
            Finding::AsExpected => return None,
            Finding::Convicted(charges) => ("convicted", charges.iter().map(Problem::from).collect()),
            Finding::Inconclusive(why) => ("inconclusive", vec![why.into()]),
        };
        let scenario = short(&matrix.scenarios[index]);
        Some(FindingRecord { scenario, finding, why, replay: again(matrix, row, index, replay) })
    };
    row.findings.iter().enumerate().filter_map(record).collect()
}
