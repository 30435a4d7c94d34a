//! What is said of scenario files that are only looked at, and of those that cannot be read.

use serde::Serialize;

use super::Lines;
use crate::scenario::Scenario;
use notation::{Mistake, Place, ScenarioError};

/// One line.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
enum Record {
    Check {
        file: String,
        result: &'static str,
        #[serde(flatten)]
        extent: Extent,
    },
    Error {
        error: &'static str,
        message: String,
        mistakes: Vec<MistakeRecord>,
    },
}

/// How much a scenario says.
#[derive(Serialize)]
struct Extent {
    steps: usize,
    clients: usize,
    files: usize,
    faults: usize,
    expectations: usize,
}

/// A mistake, and where it stands.
#[derive(Serialize)]
struct MistakeRecord {
    file: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    column: Option<usize>,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    help: Option<String>,
}

/// A scenario file without mistakes, as a line of JSON.
#[must_use]
pub fn json(scenario: &Scenario, lines: &Lines) -> String {
    let extent = Extent {
        steps: scenario.steps.len(),
        clients: scenario.clients.len(),
        files: scenario.files.len(),
        faults: scenario.faults.len(),
        expectations: scenario.expect.len(),
    };
    lines.line(&Record::Check { file: scenario.path.display().to_string(), result: "ok", extent })
}

/// The mistakes that keep a file from being read, as a line of JSON.
#[must_use]
pub fn mistakes_json(error: &ScenarioError, lines: &Lines) -> String {
    let mistakes = error.mistakes().iter().map(mistake).collect();
    lines.line(&Record::Error { error: "mistakes", message: error.to_string(), mistakes })
}

/// What kept a command from being carried out, as a line of JSON: a word for it, and the message.
#[must_use]
pub fn error_json(error: &'static str, message: &str, lines: &Lines) -> String {
    lines.line(&Record::Error { error, message: message.to_owned(), mistakes: Vec::new() })
}

fn mistake(mistake: &Mistake) -> MistakeRecord {
    MistakeRecord {
        file: mistake.path().display().to_string(),
        line: mistake.place().map(Place::line),
        column: mistake.place().map(Place::column),
        message: mistake.message().to_owned(),
        help: mistake.suggestion().map(str::to_owned),
    }
}
