//! The report for programs: one object per line, a case each, then the conclusion. docs/json.md describes it.

use serde_json::{Map, Value, json};

use super::super::lines::{Lines, hex};
use super::{count, side, summary};
use conform::{
    CaseOutcome, CaseOutcomeKind, CaseResult, Conclusion, Difference, Finding, LEVELS, Report, rule_text,
};

/// The report as JSON lines. `replay` makes the command that runs only the case with a name.
#[must_use]
pub fn json(report: &Report, replay: &dyn Fn(&str) -> String) -> String {
    let conclusion = match report.conclusion() {
        Conclusion::Passed => "passed",
        Conclusion::Failed => "failed",
        Conclusion::Inconclusive => "inconclusive",
    };
    let counts: Map<String, Value> =
        CaseOutcomeKind::ALL.into_iter().map(|kind| (key(kind), json!(count(report, kind)))).collect();
    let last = json!({
        "type": "conclusion",
        "side": side(report.side),
        "conclusion": conclusion,
        "partial": report.is_partial(),
        "seed": report.seed,
        "round": report.round,
        "level": report.level(),
        "levels": LEVELS.len(),
        "counts": counts,
        "summary": summary(report),
    });
    let cases = report.results.iter().map(|result| case(result, replay));
    Lines::all(cases.chain([last]))
}

/// What came of a case.
const fn outcome_word(kind: CaseOutcomeKind) -> &'static str {
    match kind {
        CaseOutcomeKind::Pass => "pass",
        CaseOutcomeKind::Warning => "warning",
        CaseOutcomeKind::Fail => "fail",
        CaseOutcomeKind::NotReached => "not-reached",
        CaseOutcomeKind::LeftOut => "left-out",
        CaseOutcomeKind::Lost => "lost",
    }
}

/// The same as a key.
fn key(kind: CaseOutcomeKind) -> String {
    outcome_word(kind).replace('-', "_")
}

fn case(result: &CaseResult, replay: &dyn Fn(&str) -> String) -> Value {
    let mut value = json!({
        "type": "case",
        "name": result.case.name,
        "level": result.case.level,
        "rules": result.case.rules,
        "about": result.case.about,
        "outcome": outcome_word(result.outcome.kind()),
        "replay": replay(result.case.name),
    });
    match &result.outcome {
        CaseOutcome::Pass => {}
        CaseOutcome::Warning(found) | CaseOutcome::Fail(found) => value["finding"] = finding(found),
        CaseOutcome::NotReached { why, free } => {
            value["why"] = json!(why);
            value["free"] = json!(free);
        }
        CaseOutcome::LeftOut { why } | CaseOutcome::Lost { why } => value["why"] = json!(why),
    }
    value
}

fn finding(finding: &Finding) -> Value {
    let said = |said: &conform::DialogueEntry| json!({ "from": if said.ours { "harness" } else { "program" }, "text": said.text });
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
    let excerpt = &difference.excerpt;
    json!({
        "first": difference.first,
        "from": excerpt.offset,
        "expected": hex(&excerpt.sent),
        "came": hex(&excerpt.arrived),
    })
}
