//! The report as Markdown, for the summary of a CI run.

use super::{Replay, counts, judgement, outcome, said, spread, verdict};
use audit::{Conclusion, Report};

/// The report as Markdown.
#[must_use]
pub fn markdown(report: &Report, replay: &Replay<'_>) -> String {
    let sign = match report.conclusion() {
        Conclusion::Sound => "✅",
        Conclusion::Silent | Conclusion::LeftBehind => "❌",
        Conclusion::Inconclusive => "❔",
    };
    let path = report.audit.path.display().to_string();
    let mut text = format!("### {sign} {}\n\n{}\n", cell(&path), cell(&report.audit.about));
    judgement(report).iter().for_each(|line| text.push_str(&format!("\n**{}**\n", cell(line))));
    if let Some(found) = &report.spread {
        text.push_str(&format!("\n{} {}.\n", spread(found), counts(report)));
    }
    if !report.rows.is_empty() {
        text.push_str(
            "\n| # | fault | verdict | the client said | the file | again |\n|---|---|---|---|---|---|\n",
        );
    }
    for row in &report.rows {
        let cells = [row.trial.name.clone(), verdict(report, row), said(row), outcome(row)];
        let [fault, verdict, said, file] = cells.map(|text| cell(&text));
        let again = replay(&row.trial).replace('|', "\\|");
        text.push_str(&format!(
            "| {} | {fault} | {verdict} | {said} | {file} | `{again}` |\n",
            row.trial.number
        ));
    }
    text
}

/// Text that may hold anything, so that it is text and nothing else.
fn cell(text: &str) -> String {
    let mut cell = String::new();
    for c in text.chars() {
        match c {
            '\n' | '\r' => cell.push(' '),
            '<' => cell.push_str("&lt;"),
            '|' | '`' | '*' | '_' | '[' | ']' | '\\' | '#' | '~' => cell.extend(['\\', c]),
            c => cell.push(c),
        }
    }
    cell
}
