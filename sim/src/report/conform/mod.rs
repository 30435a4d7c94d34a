//! A conformance report: for people with [`text`], for programs with [`json`] and [`junit`]; and the [`list`] of
//! the cases.

mod json;
mod junit;
mod text;

use crate::conform::{Conclusion, Finding, LEVELS, Outcome, Report, Side, rule_text, step_text};

pub use json::json;
pub use junit::junit;
pub use text::{list, text};

/// One word for what came of a case.
fn word(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Pass => "pass",
        Outcome::Warning(_) => "warning",
        Outcome::Fail(_) => "fail",
        Outcome::NotReached { .. } => "not reached",
    }
}

/// What was broken, with the rule's own words.
fn charge(finding: &Finding) -> String {
    let step = finding.step.map(|step| format!(" Step {step}: {}.", step_text(step))).unwrap_or_default();
    format!("R{}: {}{step}", finding.rule, rule_text(finding.rule))
}

fn side(side: Side) -> &'static str {
    match side {
        Side::Server => "server",
        Side::Client => "client",
    }
}

/// The report in one plain sentence or two.
#[must_use]
pub fn summary(report: &Report) -> String {
    let count = |wanted: &str| report.results.iter().filter(|result| word(&result.outcome) == wanted).count();
    let counts: Vec<String> = [("pass", "passed"), ("warning", "passed with a warning"), ("fail", "failed")]
        .into_iter()
        .chain([("not reached", "not reached")])
        .map(|(word, words)| (count(word), words))
        .filter(|(count, _)| *count > 0)
        .map(|(count, words)| format!("{count} {words}"))
        .collect();
    let counts = format!("Of {} cases, {}.", report.results.len(), counts.join(", "));
    let first = |wanted: &str| report.results.iter().find(|result| word(&result.outcome) == wanted);
    match report.conclusion() {
        Conclusion::Passed => format!("{counts} Passed: the {} keeps the rules.", side(report.side)),
        Conclusion::Failed => {
            let level = format!("Level {} of {} passed", report.level(), LEVELS.len());
            let name = first("fail").map_or("", |result| result.case.name);
            format!("{counts} {level}; first failure: {name}.")
        }
        Conclusion::Inconclusive => {
            let open = |result: &&crate::conform::CaseResult| {
                matches!(result.outcome, Outcome::NotReached { free: false, .. })
            };
            let why = match report
                .results
                .iter()
                .find(open)
                .or_else(|| first("not reached"))
                .map(|result| &result.outcome)
            {
                // What others say, a refusal for one, has a full stop of its own.
                Some(Outcome::NotReached { why, .. }) => format!(": {}", why.trim_end_matches('.')),
                _ => String::new(),
            };
            format!("{counts} Nothing is proved{why}.")
        }
    }
}
