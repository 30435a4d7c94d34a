//! The outcome of a run in words: for people with [`text`], for programs with [`json`]. It prints nothing and
//! decides nothing.

use serde::Serialize;

use crate::record::Direction;
use crate::run::Outcome;
use crate::scenario::Scenario;
use crate::transcript::{JsonLine, render};
use crate::verdict::{Judgement, Truth, Verdict};

/// The outcome for people, styled with ANSI escapes: print it through `anstream`, which strips them where they
/// are not wanted. `times` adds the time of each event.
#[must_use]
pub fn text(scenario: &Scenario, outcome: &Outcome, times: bool) -> String {
    let name = scenario.path.file_name().unwrap_or(scenario.path.as_os_str()).to_string_lossy();
    let mut text = format!("{name}: {}\n\n{}\n", scenario.about, render(&outcome.lines, times));
    for judgement in &outcome.judgements {
        let style = style_of(judgement.verdict);
        text.push_str(&format!("{style}{judgement}{style:#}\n"));
    }
    if outcome.judgements.is_empty() {
        text.push_str("no transfer was begun\n");
    }
    text
}

fn style_of(verdict: Verdict) -> anstyle::Style {
    use anstyle::AnsiColor::{Green, Red};
    match verdict {
        Verdict::Intact => Green.on_default(),
        _ => Red.on_default().bold(),
    }
}

/// The outcome for programs: one JSON object per line, described in `docs/transcript.md`. `times` adds the time
/// of each event.
#[must_use]
pub fn json(scenario: &Scenario, outcome: &Outcome, times: bool) -> String {
    let mut text =
        json_line(&JsonRecord::Scenario { file: &scenario.path.to_string_lossy(), about: &scenario.about });
    for line in &outcome.lines {
        text.push_str(&json_line(&JsonRecord::Event(JsonLine::new(line, times))));
    }
    for judgement in &outcome.judgements {
        text.push_str(&json_line(&verdict_record(judgement)));
    }
    if let Some(deviation) = &outcome.deviation {
        let expected = deviation.expected.as_ref().map(ToString::to_string);
        let record = JsonRecord::Deviation { step: deviation.step, expected, message: deviation.to_string() };
        text.push_str(&json_line(&record));
    }
    text
}

/// What a line of `--format json` holds; `docs/transcript.md` is its documentation.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
enum JsonRecord<'a> {
    Scenario {
        file: &'a str,
        about: &'a str,
    },
    Event(JsonLine),
    Verdict {
        transfer: &'static str,
        file: String,
        bytes: u64,
        verdict: String,
        claim: String,
        truth: &'static str,
        #[serde(skip_serializing_if = "Option::is_none")]
        first_difference: Option<u64>,
        #[serde(skip_serializing_if = "Option::is_none")]
        arrived: Option<u64>,
    },
    Deviation {
        step: usize,
        #[serde(skip_serializing_if = "Option::is_none")]
        expected: Option<String>,
        message: String,
    },
}

fn verdict_record(judgement: &Judgement) -> JsonRecord<'static> {
    let (truth, first_difference, arrived) = match judgement.truth {
        Truth::Same => ("same", None, None),
        Truth::Different { first, arrived } => ("different", Some(first), Some(arrived)),
        Truth::Nothing => ("nothing", None, None),
    };
    JsonRecord::Verdict {
        transfer: match judgement.direction {
            Direction::Upload => "upload",
            Direction::Download => "download",
        },
        file: judgement.file.to_string(),
        bytes: judgement.size,
        verdict: judgement.verdict.to_string(),
        claim: judgement.claim.to_string().to_lowercase(),
        truth,
        first_difference,
        arrived,
    }
}

fn json_line(record: &JsonRecord<'_>) -> String {
    // A flat object of strings and numbers always serialises.
    serde_json::to_string(record).unwrap_or_default() + "\n"
}
