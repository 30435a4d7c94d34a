//! A conformance report: for people with [`text`], for programs with [`json`] and [`junit`]; and the [`list`] of
//! the cases.

mod json;
mod junit;
mod text;

use conform::{
    CaseOutcome, CaseOutcomeKind, CaseResult, Conclusion, Finding, LEVELS, Report, Side, rule_text, step_text,
};
use faults::text::number_text;

pub use json::json;
pub use junit::junit;
pub use text::{list, text};

/// What came of a case, for people.
fn word(outcome: &CaseOutcome) -> &'static str {
    match outcome.kind() {
        CaseOutcomeKind::Pass => "pass",
        CaseOutcomeKind::Warning => "warning",
        CaseOutcomeKind::Fail => "fail",
        CaseOutcomeKind::NotReached => "not reached",
        CaseOutcomeKind::LeftOut => "left out",
        CaseOutcomeKind::Lost => "lost",
    }
}

/// How many cases came to this.
fn count(report: &Report, kind: CaseOutcomeKind) -> usize {
    report.results.iter().filter(|result| result.outcome.kind() == kind).count()
}

/// What was broken, with the rule's own words.
fn charge(finding: &Finding) -> String {
    let step = finding.step.map(|step| format!(" Step {step}: {}.", step_text(step))).unwrap_or_default();
    format!("R{}: {}{step}", finding.rule, rule_text(finding.rule))
}

/// What stands beside the expected and what came, each with a word before it.
fn notes(finding: &Finding) -> Vec<(&'static str, String)> {
    let mut notes = Vec::new();
    if let Some(difference) = &finding.difference {
        let [expected, came] = difference.excerpt.rows();
        notes.push(("offset", number_text(difference.excerpt.offset)));
        notes.extend([("", format!("expected {expected}")), ("", format!("came     {came}"))]);
    }
    notes.extend(finding.hints.iter().map(|hint| ("hint", hint.clone())));
    notes
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
    let counts = counts(report);
    let first = |wanted| report.results.iter().find(|result| result.outcome.kind() == wanted);
    let side = side(report.side);
    match report.conclusion() {
        Conclusion::Passed if report.is_partial() => {
            format!("{counts}{} Of the cases asked for, the {side} passes all.", reached(report))
        }
        Conclusion::Passed => format!("{counts} Passed: the {side} keeps the rules."),
        Conclusion::Failed => {
            let name = first(CaseOutcomeKind::Fail).map_or("", |result| result.case.name);
            format!("{counts}{} First failure: {name}.", reached(report))
        }
        Conclusion::Inconclusive if is_only_lost(report) => {
            format!("{counts}{} No rule was broken as far as was seen. {}", reached(report), lost(report))
        }
        Conclusion::Inconclusive => {
            let open =
                |result: &&CaseResult| matches!(result.outcome, CaseOutcome::NotReached { free: false, .. });
            let worst = report.results.iter().find(open).or_else(|| first(CaseOutcomeKind::NotReached));
            let why = match worst.or_else(|| first(CaseOutcomeKind::LeftOut)).map(|result| &result.outcome) {
                // What others say, a refusal for one, has a full stop of its own.
                Some(CaseOutcome::NotReached { why, .. } | CaseOutcome::LeftOut { why }) => {
                    format!(": {}", why.trim_end_matches('.'))
                }
                _ => String::new(),
            };
            format!("{counts} Nothing is proved{why}.")
        }
    }
}

/// Whether nothing stands against a pass but cases that this machine lost.
fn is_only_lost(report: &Report) -> bool {
    let mut rest = report.clone();
    rest.results.retain(|result| result.outcome.kind() != CaseOutcomeKind::Lost);
    rest.results.len() < report.results.len() && rest.conclusion() == Conclusion::Passed
}

/// Which cases were lost, and what to do.
fn lost(report: &Report) -> String {
    let mut names = Vec::new();
    let mut why = "";
    for result in &report.results {
        if let CaseOutcome::Lost { why: first } = &result.outcome {
            why = if names.is_empty() { first.trim_end_matches('.') } else { why };
            names.push(result.case.name);
        }
    }
    let (were, them) = if names.len() == 1 { ("was", "it") } else { ("were", "them") };
    format!("{} {were} lost, also when repeated: {why}. Run {them} again, with --case.", names.join(", "))
}

/// From what the files of a run followed.
fn seed_text(report: &Report) -> String {
    match report.round {
        0 => format!("seed {}", report.seed),
        round => {
            format!(
                "seed {}, round {round}: the server has files of earlier runs with this seed",
                report.seed
            )
        }
    }
}

/// How many cases came to what.
fn counts(report: &Report) -> String {
    let words = |kind| match kind {
        CaseOutcomeKind::Pass => "passed",
        CaseOutcomeKind::Warning => "passed with a warning",
        CaseOutcomeKind::Fail => "failed",
        CaseOutcomeKind::NotReached => "not reached",
        CaseOutcomeKind::LeftOut => "left out",
        CaseOutcomeKind::Lost => "lost",
    };
    let counts = CaseOutcomeKind::ALL.into_iter().map(|kind| (count(report, kind), words(kind)));
    let counts = counts.filter(|(count, _)| *count > 0);
    let counts: Vec<String> = counts.map(|(count, words)| format!("{count} {words}")).collect();
    let (asked, all) = (report.results.len(), report.all_cases().len());
    let asked = match asked {
        1 => format!("the 1 case asked for, of {all}"),
        asked if asked < all => format!("the {asked} cases asked for, of {all}"),
        _ => format!("{all} cases"),
    };
    format!("Of {asked}, {}.", counts.join(", "))
}

/// The level that was reached, if the cases can tell.
fn reached(report: &Report) -> String {
    report.level().map(|level| format!(" Level {level} of {} passed.", LEVELS.len())).unwrap_or_default()
}
