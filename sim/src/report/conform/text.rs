//! The report for people: per level a table, behind it what was broken, and the sum of it in words.

use std::fmt::Write;

use anstyle::{AnsiColor, Style};

use super::{notes, seed_text, summary, word};
use conform::{
    CaseInfo, CaseOutcome, CaseOutcomeKind, CaseResult, Conclusion, Finding, LEVELS, Report, rule_text,
    step_text,
};

const GOOD: Style = AnsiColor::Green.on_default();
const BAD: Style = AnsiColor::Red.on_default().bold();
const DOUBTFUL: Style = AnsiColor::Yellow.on_default();
/// How wide the text beside a word may be.
const WIDTH: usize = 96;

/// The report for people, styled with ANSI escapes: print it through `anstream`. `replay` makes the command that
/// runs only the case with a name.
#[must_use]
pub fn text(report: &Report, replay: &dyn Fn(&str) -> String) -> String {
    let mut text = String::new();
    let width = widths(report.results.iter().map(|result| &result.case));
    for (index, about) in LEVELS.iter().enumerate() {
        let of_level = |result: &&CaseResult| usize::from(result.case.level) == index + 1;
        let results: Vec<_> = report.results.iter().filter(of_level).collect();
        if results.is_empty() {
            continue;
        }
        let count = |kind| results.iter().filter(|result| result.outcome.kind() == kind).count();
        let passed = count(CaseOutcomeKind::Pass) + count(CaseOutcomeKind::Warning);
        let asked = results.len() - count(CaseOutcomeKind::LeftOut);
        let _ = writeln!(text, "Level {}: {about} ({passed} of {asked})", index + 1);
        results.iter().for_each(|result| row(result, width, &mut text));
        text.push('\n');
    }
    let mut findings = String::new();
    report.results.iter().for_each(|result| evidence(result, replay, &mut findings));
    let style = match report.conclusion() {
        Conclusion::Passed => GOOD,
        Conclusion::Failed => BAD,
        Conclusion::Inconclusive => DOUBTFUL,
    };
    format!("{text}{findings}{}\n{style}{}{style:#}\n", seed_text(report), summary(report))
}

/// Every case with its rules, by level.
#[must_use]
pub fn list(cases: &[CaseInfo]) -> String {
    let (mut text, [width, rules]) = (String::new(), widths(cases));
    for (index, about) in LEVELS.iter().enumerate() {
        let _ = writeln!(text, "Level {}: {about}", index + 1);
        for case in cases.iter().filter(|case| usize::from(case.level) == index + 1) {
            let _ = writeln!(text, "  {:width$}  {:rules$}  {}", case.name, rules_text(case), case.about);
        }
        text.push('\n');
    }
    text + &format!("{} cases\n", cases.len())
}

/// How wide the columns of names and of rules have to be.
fn widths<'a>(cases: impl IntoIterator<Item = &'a CaseInfo>) -> [usize; 2] {
    let wider = |[name, rules]: [usize; 2], case: &CaseInfo| {
        [name.max(case.name.len()), rules.max(rules_text(case).len())]
    };
    cases.into_iter().fold([0; 2], wider)
}

fn rules_text(case: &CaseInfo) -> String {
    case.rules.iter().map(|rule| format!("R{rule}")).collect::<Vec<_>>().join(" ")
}

fn row(result: &CaseResult, [width, rules]: [usize; 2], text: &mut String) {
    let style = match &result.outcome {
        CaseOutcome::Pass => GOOD,
        CaseOutcome::Fail(_) => BAD,
        _ => DOUBTFUL,
    };
    let beside = match &result.outcome {
        CaseOutcome::NotReached { why, .. } | CaseOutcome::LeftOut { why } | CaseOutcome::Lost { why } => why,
        outcome => title(result.case.about, outcome),
    };
    let word = format!("{style}{:11}{style:#}", word(&result.outcome));
    let _ = writeln!(
        text,
        "  {:width$}  {word}  {:rules$}  {beside}",
        result.case.name,
        rules_text(&result.case)
    );
}

/// What went wrong in a case, in its own words if it has some.
fn title<'a>(about: &'a str, outcome: &'a CaseOutcome) -> &'a str {
    match outcome {
        CaseOutcome::Fail(finding) | CaseOutcome::Warning(finding) => {
            finding.title.as_deref().unwrap_or(about)
        }
        _ => about,
    }
}

fn evidence(result: &CaseResult, replay: &dyn Fn(&str) -> String, text: &mut String) {
    let (style, word, finding) = match &result.outcome {
        CaseOutcome::Fail(finding) => (BAD, "fail", finding),
        CaseOutcome::Warning(finding) => (DOUBTFUL, "warning", finding),
        _ => return,
    };
    let _ = writeln!(
        text,
        "{style}{word}{style:#}  {}: {}",
        result.case.name,
        title(result.case.about, &result.outcome)
    );
    proof(finding, text);
    paragraph(&format!("R{}", finding.rule), rule_text(finding.rule), text);
    if let Some(step) = finding.step {
        paragraph(&format!("step {step}"), step_text(step), text);
    }
    let _ = writeln!(text, "  {:9} {}\n", "again", replay(result.case.name));
}

/// What was said, and the expected beside what came.
fn proof(finding: &Finding, text: &mut String) {
    for said in &finding.dialogue {
        let _ = writeln!(text, "  {:9} {}", if said.ours { "sent" } else { "came" }, said.text);
    }
    let _ = writeln!(text, "  {:9} {}", "expected", finding.expected);
    let _ = writeln!(text, "  {:9} {}", "but came", finding.came);
    for (word, note) in notes(finding) {
        let _ = writeln!(text, "  {word:9} {note}");
    }
}

/// A text behind a word, in lines of a bearable length.
fn paragraph(word: &str, words: &str, text: &mut String) {
    let (mut line, mut head) = (String::new(), word);
    for word in words.split(' ') {
        if !line.is_empty() && line.chars().count() + word.chars().count() >= WIDTH {
            let _ = writeln!(text, "  {head:9} {line}");
            (line, head) = (String::new(), "");
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    let _ = writeln!(text, "  {head:9} {line}");
}
