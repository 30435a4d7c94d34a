//! An audit in words: for people with [`text`], for CI with [`junit`] and [`markdown`], for programs with [`json`];
//! and the [`list`] of what it would try.

mod json;
mod junit;
mod markdown;
mod text;

use audit::{Conclusion, Report, Row, Spread, Trial};
use faults::text::{bytes_text, visible};
use faults::{Direction, Truth};
use faults::{Harm, Verdict};

pub use json::json;
pub use junit::junit;
pub use markdown::markdown;
pub use text::{list, text};

/// Makes the command that runs only one trial.
pub type Replay<'a> = dyn Fn(&Trial) -> String + 'a;

/// How many verdicts it takes to say that a check cannot fail.
const ENOUGH: usize = 4;
/// How many names are listed.
const MAX_NAMES: usize = 12;

/// What the audit comes to, in plain words: a sentence or a few, each a line of its own.
#[must_use]
pub fn judgement(report: &Report) -> Vec<String> {
    if let Some(control) = &report.control {
        let why = sentence(&control.why);
        return vec![if control.accepted { capitalised(&why) } else { format!("Inconclusive: {why}") }];
    }
    let nothing_yet = report.is_interrupted() && report.rows.is_empty();
    let mut lines = if nothing_yet { Vec::new() } else { vec![check(report)] };
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
    let remarks = [
        (Verdict::Hung, "The client had not ended at the deadline"),
        (Verdict::Crashed, "The client died"),
        (Verdict::FalseAlarm, "The client said Fail of a file that is right"),
        (Verdict::Inconclusive, "Nothing is concluded"),
    ];
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

/// What is to be said of the check itself: of all files that were corrupted, but for the known limits, how many were
/// taken for good.
fn check(report: &Report) -> String {
    let what = match report.audit.transfer {
        Direction::Upload => "upload",
        Direction::Download => "download",
    };
    let is_limit = |row: &Row| row.is_known_limit(report.audit.check);
    // What the programs were made to do to themselves may have been no more than to refuse.
    let is_corrupted = |row: &Row| row.trial.env.is_empty() || matches!(row.truth, Truth::Different { .. });
    let tells = |row: &&Row| {
        (row.is_telling() && is_corrupted(row) || row.accepts(report.audit.check)) && !is_limit(row)
    };
    let telling: Vec<&Row> = report.rows.iter().filter(tells).collect();
    let silent = names(report, |row| row.accepts(report.audit.check));
    let judged: Vec<&&Row> = telling.iter().filter(|row| had_its_say(row)).collect();
    // Who asked for the file again had noticed the one before.
    let has_noticed = judged.iter().any(|row| row.verdict != Verdict::Silent || row.attempts > 1);
    let is_late = report.rows.iter().filter(|row| row.accepts(report.audit.check)).all(|row| row.then_failed);
    let (count, of) = (silent.len(), corrupted(telling.len(), what));
    match (count, report.conclusion()) {
        (_, Conclusion::Inconclusive) if !report.is_interrupted() => inconclusive(report),
        (0, _) if telling.is_empty() => {
            "No fault here changes the file: nothing is said of the check.".into()
        }
        (0, _) => format!("None of {of} was reported as Success{}.", but(report)),
        (_, _) if is_late => format!(
            "{count} of {of} {} reported as Success, and then as Fail: the word comes before the check.",
            if count == 1 { "was" } else { "were" }
        ),
        (_, _) if !has_noticed && judged.len() >= ENOUGH && count == telling.len() => {
            format!("{count} of {of} were reported as Success: this check cannot fail.")
        }
        (_, _) if !has_noticed && judged.len() >= ENOUGH => format!(
            "{count} of {of} were reported as Success, and all {} of those that came to their end: this check cannot \
             fail.",
            judged.len()
        ),
        (_, _) => {
            let verb = if count == 1 { "was" } else { "were" };
            let is_noticed = |row: &&&Row| matches!(row.verdict, Verdict::Detected | Verdict::Recovered);
            let noticed = telling.iter().filter(is_noticed).count();
            let noticed = match (noticed, telling.len() - count - noticed) {
                (0, _) => String::new(),
                (1, 0) => " It noticed 1 other.".into(),
                (noticed, 0) => format!(" It noticed {noticed} others."),
                (noticed, rest) => {
                    format!(" It noticed {noticed}; {rest} ended with an error or not in time.")
                }
            };
            format!("{count} of {of} {verb} reported as Success: {}.{noticed}", listed(&silent))
        }
    }
}

/// Whether the check had its say: the file came to its end, changed, and the client gave a verdict on it, or asked for
/// it again.
fn had_its_say(row: &Row) -> bool {
    let ends = row.trial.faults.iter().any(|fault| fault.effect.harm() == Harm::Shortens);
    let is_verdict =
        matches!(row.verdict, Verdict::Silent | Verdict::Detected | Verdict::FalseAlarm | Verdict::Recovered);
    row.is_telling() && is_verdict && !ends
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

fn corrupted(count: usize, what: &str) -> String {
    if count == 1 { format!("1 corrupted {what}") } else { format!("{count} corrupted {what}s") }
}

fn but(report: &Report) -> &'static str {
    let has_limit = report.rows.iter().any(|row| row.is_known_limit(report.audit.check));
    if has_limit { ", but for what no such check can notice" } else { "" }
}

fn inconclusive(report: &Report) -> String {
    // What keeps the rest from counting comes first.
    let open = report.rows.iter().filter(|row| row.open);
    let why = open.chain(&report.rows).find_map(|row| row.why.as_deref());
    format!("Inconclusive: {}", sentence(why.unwrap_or("no fault was tried")))
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
fn spread(spread: &Spread) -> String {
    match spread {
        Spread::Found { pieces: 1, .. } => "The file was found in the stream as it is.".into(),
        Spread::Found { pieces, .. } => format!("The file was found in the stream, in {pieces} pieces."),
        Spread::Hidden { bytes, .. } => format!(
            "The file was not found in the stream (compressed, encrypted, encoded?): faults are placed by share of its {}.",
            bytes_text(*bytes)
        ),
    }
}

/// What became of the file, in a few words; of a run that proves nothing, why.
fn outcome(row: &Row) -> String {
    let truth = match (&row.why, &row.said) {
        (Some(why), _) => why.clone(),
        (None, _) => row.truth.to_string(),
    };
    let notes = row.notes.iter().map(String::as_str);
    std::iter::once(truth.as_str()).chain(notes).collect::<Vec<_>>().join("; ")
}

fn said(row: &Row) -> String {
    row.said.as_ref().map_or_else(|| "-".into(), |said| visible(&said.to_string()))
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
