//! The report for programs: one object per line, a case each, then the conclusion.

use serde_json::{Value, json};

use super::{side, summary, word};
use conform::{CaseResult, Conclusion, Difference, Finding, LEVELS, Outcome, Report, rule_text};

/// The report as JSON lines. `replay` makes the command that runs only the case with a name.
#[must_use]
pub fn json(report: &Report, replay: &dyn Fn(&str) -> String) -> String {
    let conclusion = match report.conclusion() {
        Conclusion::Passed => "passed",
        Conclusion::Failed => "failed",
        Conclusion::Inconclusive => "inconclusive",
    };
    let last = json!({
        "type": "conclusion",
        "side": side(report.side),
        "conclusion": conclusion,
        "partial": report.is_partial(),
        "seed": report.seed,
        "round": report.round,
        "level": report.level(),
        "levels": LEVELS.len(),
        "summary": summary(report),
    });
    let cases = report.results.iter().map(|result| case(result, replay));
    cases.chain([last]).map(|value| format!("{value}\n")).collect()
}

fn case(result: &CaseResult, replay: &dyn Fn(&str) -> String) -> Value {
    let mut value = json!({
        "type": "case",
        "name": result.case.name,
        "level": result.case.level,
        "rules": result.case.rules,
        "about": result.case.about,
        "outcome": word(&result.outcome),
        "replay": replay(result.case.name),
    });
    match &result.outcome {
        Outcome::Pass => {}
        Outcome::Warning(found) | Outcome::Fail(found) => value["finding"] = finding(found),
        Outcome::NotReached { why, free } => {
            value["why"] = json!(why);
            value["free"] = json!(free);
        }
        Outcome::LeftOut { why } | Outcome::Lost { why } => value["why"] = json!(why),
    }
    value
}

fn finding(finding: &Finding) -> Value {
    let said = |said: &conform::Said| json!({ "from": if said.ours { "harness" } else { "program" }, "text": said.text });
    json!({
        "rule": finding.rule,
        "rule_text": rule_text(finding.rule),
        "step": finding.step,
        "title": finding.title,
        "expected": finding.expected,
        "came": finding.came,
        "difference": finding.difference.as_ref().map(difference),
        "hints": finding.hints,
        "dialogue": finding.dialogue.iter().map(said).collect::<Vec<_>>(),
    })
}

fn difference(difference: &Difference) -> Value {
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let excerpt = &difference.excerpt;
    json!({
        "first": difference.first,
        "from": excerpt.offset,
        "expected": hex(&excerpt.sent),
        "came": hex(&excerpt.arrived),
    })
}
