//! The report for programs: one object per line, a trial each, then the conclusion. docs/json.md describes it.

use serde_json::{Value, json};

use super::super::lines::Lines;
use super::super::words::verdict_word;
use super::{Replay, judgement};
use audit::{
    CheckFinding, ClientClaim, Conclusion, Note, OutputLine, PayloadPlace, Report, Row, Speaker, Trouble, Why,
};
use faults::Truth;

/// The report as JSON lines.
#[must_use]
pub fn json(report: &Report, replay: &Replay<'_>) -> String {
    let rows = report.rows.iter().map(|row| trial(report, row, replay));
    Lines::all(rows.chain([last(report)]))
}

fn trial(report: &Report, row: &Row, replay: &Replay<'_>) -> Value {
    let (claim, exit_code, signal) = match &row.claim {
        None => (None, None, None),
        Some(ClientClaim::Success) => (Some("success"), None, None),
        Some(ClientClaim::Fail) => (Some("fail"), None, None),
        Some(ClientClaim::Error(code)) => (Some("error"), Some(code), None),
        Some(ClientClaim::Nothing) => (Some("nothing"), None, None),
        Some(ClientClaim::Died(signal)) => (Some("died"), None, Some(signal)),
    };
    json!({
        "type": "trial",
        "number": row.trial.number,
        "name": row.trial.name,
        "fault": row.trial.what(),
        "places": row.places,
        "verdict": verdict_word(row.verdict),
        "known_limit": row.is_known_limit(report.audit.check),
        "left_behind": row.is_left_behind(),
        "forbidden": row.is_forbidden(&report.audit),
        "claim": claim,
        "exit_code": exit_code,
        "signal": signal,
        "file": truth(row),
        "reason": row.why.as_ref().map(reason),
        "why": row.why.as_ref().map(ToString::to_string),
        "notes": row.notes.iter().map(note).collect::<Vec<_>>(),
        "output": output(&row.output),
        "took_ms": u64::try_from(row.took.as_millis()).unwrap_or(u64::MAX),
        "replay": replay(&row.trial),
    })
}

fn truth(row: &Row) -> Value {
    match (&row.claim, row.truth) {
        (None, _) => Value::Null,
        (_, Truth::Same) => json!({ "state": "same" }),
        (_, Truth::Nothing) => json!({ "state": "missing" }),
        (_, Truth::Unreadable) => json!({ "state": "unreadable" }),
        (_, Truth::Different { first, arrived }) => {
            json!({ "state": "different", "first_difference": first, "size": arrived })
        }
    }
}

/// Why nothing is concluded, in a word.
fn reason(why: &Why) -> &'static str {
    match why {
        Why::NotFired { .. } => "not-fired",
        Why::NotReached { .. } => "not-reached",
        Why::Missed(_) => "missed",
        Why::Stale => "stale",
        Why::EnvironmentHarmless => "environment-harmless",
        Why::PlaceUnknown => "place-unknown",
        Why::NotInFile => "not-in-file",
        Why::NoPlace(_) => "no-place",
        Why::NoFile { .. } => "no-file",
        Why::AcceptedUnharmed(_) => "accepted-unharmed",
        Why::OtherFile { .. } => "other-file",
        Why::Unreachable { .. } => "unreachable",
        Why::ControlFailed(_) => "control-failed",
        Why::NotConfirmed(_) => "not-confirmed",
        Why::JustBefore(why) => reason(why),
        Why::PassedBy => "passed-by",
        Why::Unreadable(_) => "unreadable",
        Why::NoRun(_) => "no-run",
        _ => "other",
    }
}

fn note(note: &Note) -> Value {
    let word = match note {
        Note::ThenFailed => "then-failed",
        Note::NoOutput => "no-output",
        Note::NotEnded => "not-ended",
        Note::EndedWith(_) => "ended-with",
        Note::ServerDied(_) => "server-died",
        Note::MoreFiles(_) => "more-files",
        Note::SilentAfter(_) => "silent-after",
        Note::OtherwiseAfter(..) => "otherwise-after",
        _ => "other",
    };
    json!({ "note": word, "message": note.to_string() })
}

fn output(lines: &[OutputLine]) -> Vec<Value> {
    let from = |speaker| match speaker {
        Speaker::Client => "client",
        Speaker::Server => "server",
        Speaker::Harness => "harness",
    };
    lines.iter().map(|line| json!({ "from": from(line.from), "text": line.text })).collect()
}

/// What is said of the check itself.
fn check(found: CheckFinding) -> Value {
    match found {
        CheckFinding::Unproved => json!({ "finding": "unproved" }),
        CheckFinding::Untried => json!({ "finding": "untried" }),
        CheckFinding::Holds { corrupted } => {
            json!({ "finding": "holds", "accepted": 0, "corrupted": corrupted })
        }
        CheckFinding::WordBeforeCheck { accepted, corrupted } => {
            json!({ "finding": "word-before-check", "accepted": accepted, "corrupted": corrupted })
        }
        CheckFinding::CannotFail { accepted, corrupted, judged } => json!({
            "finding": "cannot-fail", "accepted": accepted, "corrupted": corrupted, "judged": judged,
        }),
        CheckFinding::Accepts { accepted, corrupted, noticed } => json!({
            "finding": "accepts", "accepted": accepted, "corrupted": corrupted, "noticed": noticed,
        }),
    }
}

fn control(trouble: &Trouble) -> Value {
    json!({
        "reason": reason(&trouble.why),
        "why": trouble.why.to_string(),
        "output": output(&trouble.output),
    })
}

fn last(report: &Report) -> Value {
    let conclusion = match report.conclusion() {
        Conclusion::Sound => "sound",
        Conclusion::Silent => "silent",
        Conclusion::LeftBehind => "left-behind",
        Conclusion::Inconclusive => "inconclusive",
    };
    let payload = report.spread.as_ref().map(|spread| match spread {
        PayloadPlace::Found { pieces, connection } => {
            json!({ "found": true, "pieces": pieces, "connection": connection })
        }
        PayloadPlace::Hidden { connection, bytes } => {
            json!({ "found": false, "stream_bytes": bytes, "connection": connection })
        }
    });
    json!({
        "type": "conclusion",
        "audit": report.audit.path.display().to_string(),
        "about": report.audit.about,
        "conclusion": conclusion,
        "check": report.check().map(check),
        "control": report.control.as_ref().map(control),
        "judgement": judgement(report),
        "seed": report.seed,
        "size": report.audit.size,
        "payload": payload,
        "planned": report.planned,
        "interrupted": report.is_interrupted(),
        "claims": report.claims,
    })
}
