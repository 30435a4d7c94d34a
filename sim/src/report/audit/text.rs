//! The report for people: a table, behind it the evidence, and what it comes to in words.

use anstyle::{AnsiColor, Style};

use super::{Replay, counts, judgement, outcome, said, several, spread, verdict};
use audit::{Conclusion, Report, Row, Trial};
use faults::Verdict;

const GOOD: Style = AnsiColor::Green.on_default();
const BAD: Style = AnsiColor::Red.on_default().bold();
const DOUBTFUL: Style = AnsiColor::Yellow.on_default();
/// Of how many runs the evidence is shown.
const MAX_SHOWN: usize = 3;

/// The report for people, styled with ANSI escapes: print it through `anstream`.
#[must_use]
pub fn text(report: &Report, replay: &Replay<'_>) -> String {
    let mut text = format!("{}: {}\n", report.audit.path.display(), report.audit.about);
    if let Some(found) = &report.spread {
        text.push_str(&format!("{} Seed {}.\n", spread(found), report.seed));
        if let Some(line) = several(report) {
            text.push_str(&format!("{line}\n"));
        }
        text.push('\n');
    }
    text.push_str(&table(report));
    if !report.rows.is_empty() {
        text.push_str(&format!("\n{}\n", counts(report)));
    }
    if let Some(row) = report.rows.first() {
        text.push_str(&format!(
            "One row again, by its name or number: {}\n",
            replay(&Trial { name: "NAME".into(), ..row.trial.clone() })
        ));
    }
    let convicting = report.rows.iter().filter(|row| row.convicts(&report.audit));
    convicting.take(MAX_SHOWN).for_each(|row| text.push_str(&evidence(row, replay)));
    let troubled = |row: &&Row| matches!(row.verdict, Verdict::Hung | Verdict::Crashed);
    let unproved = |row: &&Row| row.verdict == Verdict::Inconclusive && !row.output.is_empty();
    for row in report.rows.iter().find(troubled).into_iter().chain(report.rows.iter().find(unproved)) {
        text.push_str(&evidence(row, replay));
    }
    if let Some(control) = &report.control {
        control.output.iter().for_each(|line| text.push_str(&format!("    {line}\n")));
    }
    let style = match report.conclusion() {
        Conclusion::Sound => GOOD,
        Conclusion::Silent | Conclusion::LeftBehind => BAD,
        Conclusion::Inconclusive => DOUBTFUL,
    };
    text.push('\n');
    for (index, line) in judgement(report).iter().enumerate() {
        let style = if index == 0 { style } else { Style::new() };
        text.push_str(&format!("{style}{line}{style:#}\n"));
    }
    text
}

fn table(report: &Report) -> String {
    if report.rows.is_empty() {
        return String::new();
    }
    let mut lines: Vec<[String; 5]> =
        vec![["#", "fault", "verdict", "the client said", "the file"].map(String::from)];
    for row in &report.rows {
        let number = row.trial.number.to_string();
        lines.push([number, row.trial.name.clone(), verdict(report, row), said(row), outcome(row)]);
    }
    let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0);
    let widths = [0, 1, 2, 3].map(width);
    let mut text = String::new();
    for (index, [number, fault, verdict, said, file]) in lines.iter().enumerate() {
        let style = index.checked_sub(1).map_or(Style::new(), |index| style(report, &report.rows[index]));
        let verdict = format!("{style}{verdict:<width$}{style:#}", width = widths[2]);
        let [a, b, _, d] = widths;
        text.push_str(&format!("{number:>a$}  {fault:<b$}  {verdict}  {said:<d$}  {file}\n"));
    }
    text
}

fn style(report: &Report, row: &Row) -> Style {
    match row.verdict {
        _ if row.convicts(&report.audit) => BAD,
        Verdict::Silent | Verdict::Hung | Verdict::Crashed | Verdict::FalseAlarm | Verdict::Inconclusive => {
            DOUBTFUL
        }
        Verdict::Intact | Verdict::Detected | Verdict::Recovered | Verdict::Aborted => GOOD,
    }
}

/// What was done, what was seen, and how to see it again.
fn evidence(row: &Row, replay: &Replay<'_>) -> String {
    let mut text = format!("\n{} {}: {}\n", row.trial.number, row.trial.name, row.verdict);
    if row.places.is_empty() {
        text.push_str(&format!("    {}\n", row.trial.what()));
    }
    row.places.iter().for_each(|place| text.push_str(&format!("    {place}\n")));
    if let Some(excerpt) = &row.excerpt {
        text.push_str(&format!("{excerpt}\n"));
    }
    row.output.iter().for_each(|line| text.push_str(&format!("    {line}\n")));
    text + &format!("    again: {}\n", replay(&row.trial))
}

/// What an audit would try, one line each.
#[must_use]
pub fn list(trials: &[Trial]) -> String {
    let width = trials.iter().map(|trial| trial.name.chars().count()).max().unwrap_or(0);
    let digits = trials.iter().map(|trial| trial.number.to_string().len()).max().unwrap_or(0).max(3);
    let line =
        |trial: &Trial| format!("{:>digits$}  {:<width$}  {}\n", trial.number, trial.name, trial.what());
    trials.iter().map(line).collect()
}
