//! An audit in words: for people with [`text`], for CI with [`junit`] and [`markdown`], for programs with [`json`];
//! and the [`list`] of what it would try.

mod json;
mod junit;
mod markdown;
mod text;

use audit::{CheckFinding, Conclusion, PayloadPlace, Report, Row, Trial};
use faults::text::{bytes_text, visible};
use faults::{Direction, Verdict};

pub use json::json;
pub use junit::junit;
pub use markdown::markdown;
pub use text::{list, text};

/// Makes the command that runs only one trial.
pub type Replay<'a> = dyn Fn(&Trial) -> String + 'a;

/// How many names are listed.
const MAX_NAMES: usize = 12;

/// What the audit comes to, in plain words: a sentence or a few, each a line of its own.
#[must_use]
pub fn judgement(report: &Report) -> Vec<String> {
    if let Some(control) = &report.control {
        let why = sentence(&control.why.to_string());
        return vec![if control.why.is_accepted() {
            capitalised(&why)
        } else {
            format!("Inconclusive: {why}")
        }];
    }
    let nothing_yet = report.is_interrupted() && report.rows.is_empty();
    let mut lines = if nothing_yet {
        Vec::new()
    } else {
        report.check().map(|found| check(report, found)).into_iter().collect()
    };
    if report.is_interrupted() {
        lines.insert(0, format!("Interrupted after {} of {} faults.", report.rows.len(), report.planned));
    }
    let forbidden = names(report, |row| row.is_forbidden(&report.audit));
    if !forbidden.is_empty() {
        let line = format!(
            "Though it did not say Success, it left a wrong file that may not stay: {}.",
            listed(&forbidden)
        );
        // What convicts comes first.
        let index = usize::from(report.is_interrupted() || report.conclusion() == Conclusion::Silent);
        lines.insert(index, line);
    }
    let limits: Vec<String> = report.rows.iter().filter_map(|row| limit(report, row)).collect();
    if !limits.is_empty() {
        let words = match report.conclusion() {
            Conclusion::Silent => "Not counted, because it is a known limit of such a check",
            _ => "A known limit of such a check, and no mistake of the program",
        };
        lines.push(format!("{words}: {}.", limits.join("; ")));
    }
    lines.extend(remarks(report));
    lines
}

/// What else is to be said of rows that do not speak of the check.
fn remarks(report: &Report) -> Vec<String> {
    let remarks = [
        (Verdict::Hung, "The client had not ended at the deadline"),
        (Verdict::Crashed, "The client died"),
        (Verdict::FalseAlarm, "The client said Fail of a file that is right"),
        (Verdict::Inconclusive, "Nothing is concluded"),
    ];
    let mut lines = Vec::new();
    for (verdict, words) in remarks {
        let names = names(report, |row| row.verdict == verdict);
        if !names.is_empty() {
            lines.push(format!("{words}: {}.", listed(&names)));
        }
    }
    let left = names(report, |row| row.is_left_behind() && !row.is_forbidden(&report.audit));
    if !left.is_empty() {
        lines.push(format!(
            "After a failure that was told, the wrong file stayed where it was: {}.",
            listed(&left)
        ));
    }
    lines
}

fn limit(report: &Report, row: &Row) -> Option<String> {
    let rung = row.trial.rung.filter(|_| row.is_known_limit(report.audit.check))?;
    Some(format!("{} was accepted, and {}", row.trial.name, rung.why()))
}

/// What is to be said of the check itself, in words.
fn check(report: &Report, found: CheckFinding) -> String {
    match found {
        CheckFinding::Unproved => {
            let why = report.open_why().map_or_else(|| "no fault was tried".into(), ToString::to_string);
            format!("Inconclusive: {}", sentence(&why))
        }
        CheckFinding::Untried => "No fault here changes the file: nothing is said of the check.".into(),
        CheckFinding::Holds { corrupted } => {
            format!("None of {} was reported as Success{}.", files(report, corrupted), but(report))
        }
        CheckFinding::WordBeforeCheck { accepted, corrupted } => format!(
            "{accepted} of {} {} reported as Success, and then as Fail: the word comes before the check.",
            files(report, corrupted),
            were(accepted)
        ),
        CheckFinding::CannotFail { accepted, corrupted, .. } if accepted == corrupted => {
            let of = files(report, corrupted);
            format!("{accepted} of {of} were reported as Success: this check cannot fail.")
        }
        CheckFinding::CannotFail { accepted, corrupted, judged } => format!(
            "{accepted} of {} were reported as Success, and all {judged} of those that came to their end: this check \
             cannot fail.",
            files(report, corrupted),
        ),
        CheckFinding::Accepts { accepted, corrupted, noticed } => {
            let noticed = match (noticed, corrupted - accepted - noticed) {
                (0, _) => String::new(),
                (1, 0) => " It noticed 1 other.".into(),
                (noticed, 0) => format!(" It noticed {noticed} others."),
                (noticed, rest) => {
                    format!(" It noticed {noticed}; {rest} ended with an error or not in time.")
                }
            };
            let silent = listed(&names(report, |row| row.accepts(report.audit.check)));
            let of = files(report, corrupted);
            format!("{accepted} of {of} {} reported as Success: {silent}.{noticed}", were(accepted))
        }
    }
}

fn were(count: usize) -> &'static str {
    if count == 1 { "was" } else { "were" }
}

/// A sentence that ends as it should, whatever it ends with.
fn sentence(text: &str) -> String {
    if text.ends_with(['.', '?', '!']) { text.to_owned() } else { format!("{text}.") }
}

fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// Which line of the client counts, if several could and it is not said.
fn several(report: &Report) -> Option<String> {
    if report.claims.len() < 2 || report.audit.nth.is_some() {
        return None;
    }
    let lines =
        report.claims.iter().map(|line| format!("{:?}", visible(line))).collect::<Vec<_>>().join(", ");
    Some(format!(
        "Several lines of the client match: {lines}. The first counts; if another is the verdict on this transfer, say \
         which with `nth`."
    ))
}

/// So many corrupted files.
fn files(report: &Report, count: usize) -> String {
    let what = match report.audit.transfer {
        Direction::Upload => "upload",
        Direction::Download => "download",
    };
    format!("{count} corrupted {what}{}", if count == 1 { "" } else { "s" })
}

fn but(report: &Report) -> &'static str {
    let has_limit = report.rows.iter().any(|row| row.is_known_limit(report.audit.check));
    if has_limit { ", but for what no such check can notice" } else { "" }
}

fn names(report: &Report, is_it: impl Fn(&Row) -> bool) -> Vec<&str> {
    report.rows.iter().filter(|row| is_it(row)).map(|row| row.trial.name.as_str()).collect()
}

/// `a, b and 3 more`.
fn listed(names: &[&str]) -> String {
    let shown = names[..names.len().min(MAX_NAMES)].join(", ");
    match names.len().saturating_sub(MAX_NAMES) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

/// How often there was which verdict: `Silent 12, Hung 3`.
fn counts(report: &Report) -> String {
    let counts = VERDICTS.map(|verdict| (verdict, report.count(verdict)));
    let some = counts.into_iter().filter(|(_, count)| *count > 0);
    some.map(|(verdict, count)| format!("{verdict} {count}")).collect::<Vec<_>>().join(", ")
}

/// From worst to best.
const VERDICTS: [Verdict; 9] = [
    Verdict::Silent,
    Verdict::Crashed,
    Verdict::Hung,
    Verdict::FalseAlarm,
    Verdict::Aborted,
    Verdict::Detected,
    Verdict::Recovered,
    Verdict::Intact,
    Verdict::Inconclusive,
];

/// Where the payload is, in a sentence.
fn spread(spread: &PayloadPlace) -> String {
    match spread {
        PayloadPlace::Found { pieces: 1, .. } => "The file was found in the stream as it is.".into(),
        PayloadPlace::Found { pieces, .. } => {
            format!("The file was found in the stream, in {pieces} pieces.")
        }
        PayloadPlace::Hidden { bytes, .. } => format!(
            "The file was not found in the stream (compressed, encrypted, encoded?): faults are placed by share of its {}.",
            bytes_text(*bytes)
        ),
    }
}

/// What became of the file, in a few words; of a run that proves nothing, why.
fn outcome(row: &Row) -> String {
    let truth = match &row.why {
        Some(why) => why.to_string(),
        None => row.truth.to_string(),
    };
    let notes = row.notes.iter().map(ToString::to_string);
    std::iter::once(truth).chain(notes).collect::<Vec<_>>().join("; ")
}

fn said(row: &Row) -> String {
    row.claim.as_ref().map_or_else(|| "-".into(), |said| visible(&said.to_string()))
}

/// The verdict in one word, with whether it is a known limit.
fn verdict(report: &Report, row: &Row) -> String {
    if row.is_known_limit(report.audit.check) {
        format!("{} (limit)", row.verdict)
    } else if row.is_forbidden(&report.audit) {
        format!("{} (left behind)", row.verdict)
    } else {
        row.verdict.to_string()
    }
}
