//! The outcome for people.

use std::fmt::Write;

use anstyle::{AnsiColor, Style};

use super::View;
use crate::run::RunOutcome;
use crate::scenario::Scenario;
use crate::transcript::render;
use faults::text::visible;
use faults::{FaultRecord, Verdict};

const BAD: Style = AnsiColor::Red.on_default().bold();

/// The outcome for people, styled with ANSI escapes: print it through `anstream`, which strips them where they
/// are not wanted.
#[must_use]
pub fn text(scenario: &Scenario, outcome: &RunOutcome, view: &View) -> String {
    let name = scenario.path.file_name().unwrap_or(scenario.path.as_os_str()).to_string_lossy();
    let mut text = format!("{}: {}\n", visible(&name), visible(&scenario.about));
    for (index, lines) in outcome.conversations.iter().enumerate() {
        if outcome.conversations.len() > 1 {
            let _ = write!(text, "\nclient {}:", index + 1);
        }
        let _ = write!(text, "\n{}", render(lines, view.times));
    }
    text.push('\n');
    verdicts(outcome, &mut text);
    for (record, number) in outcome.faults.iter().zip(1..) {
        let _ = writeln!(text, "fault {number}   {}", fault_text(record));
    }
    if !outcome.faults.is_empty() || outcome.conversations.len() > 1 {
        let _ = writeln!(text, "{}", outcome.aftermath);
    }
    problems(outcome, view, &mut text);
    text
}

fn verdicts(outcome: &RunOutcome, text: &mut String) {
    for judgement in &outcome.judgements {
        let style = style_of(judgement.verdict);
        let _ = writeln!(text, "{style}{judgement}{style:#}");
        if let Some(excerpt) = &judgement.excerpt {
            let _ = writeln!(text, "{excerpt}");
        }
    }
    if outcome.judgements.is_empty() {
        text.push_str("no transfer was begun\n");
    }
}

fn style_of(verdict: Verdict) -> Style {
    match verdict {
        Verdict::Intact | Verdict::Recovered => AnsiColor::Green.on_default(),
        Verdict::Silent | Verdict::FalseAlarm | Verdict::Hung | Verdict::Crashed => BAD,
        Verdict::Detected | Verdict::Aborted | Verdict::Inconclusive => AnsiColor::Yellow.on_default(),
    }
}

fn fault_text(record: &FaultRecord) -> String {
    let struck = match (record.fired, record.reached) {
        (true, true) => "it fired and reached the reader",
        (true, false) if !record.old.is_empty() && record.old == record.new => {
            "it changed nothing: these bytes were there already"
        }
        (true, false) if record.reaches_at.is_some() => {
            "it fired, but not all that it changed reached the reader"
        }
        (true, false) => "it fired, but did not reach the reader",
        (false, _) => "it did not fire",
    };
    format!("{}: {struck}", record.fault)
}

/// What went wrong, each thing on a line, and how to see it again.
fn problems(outcome: &RunOutcome, view: &View, text: &mut String) {
    let deviation = outcome.deviation.as_ref().map(ToString::to_string);
    let inconclusive = outcome.inconclusive.as_ref().map(|why| format!("inconclusive: {why}"));
    let problems: Vec<String> = deviation
        .into_iter()
        .chain(inconclusive)
        .chain(outcome.unmet.iter().map(ToString::to_string))
        .collect();
    for problem in &problems {
        let _ = writeln!(text, "{BAD}{problem}{BAD:#}");
    }
    if !problems.is_empty() && !view.replay.is_empty() {
        let _ = writeln!(text, "replay: {}", view.replay);
    }
}
