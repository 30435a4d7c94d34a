//! The report for programs: one object per line, a trial each, then the conclusion. docs/audit.md describes it.

use serde_json::{Value, json};

use super::{Replay, judgement};
use audit::{Conclusion, Report, Row, Spread};
use faults::Truth;

/// The report as JSON lines.
#[must_use]
pub fn json(report: &Report, replay: &Replay<'_>) -> String {
    let rows = report.rows.iter().map(|row| trial(report, row, replay));
    rows.chain([last(report)]).map(|value| format!("{value}\n")).collect()
}

fn trial(report: &Report, row: &Row, replay: &Replay<'_>) -> Value {
    json!({
        "type": "trial",
        "number": row.trial.number,
        "name": row.trial.name,
        "fault": row.trial.what(),
        "places": row.places,
        "verdict": row.verdict.to_string(),
        "known_limit": row.is_known_limit(report.audit.check),
        "left_behind": row.is_left_behind(),
        "forbidden": row.is_forbidden(&report.audit),
        "claim": row.said.as_ref().map(ToString::to_string),
        "file": truth(row),
        "why": row.why,
        "notes": row.notes,
        "output": row.output,
        "took_ms": u64::try_from(row.took.as_millis()).unwrap_or(u64::MAX),
        "replay": replay(&row.trial),
    })
}

fn truth(row: &Row) -> Value {
    match (&row.said, row.truth) {
        (None, _) => Value::Null,
        (_, Truth::Same) => json!({ "state": "same" }),
        (_, Truth::Nothing) => json!({ "state": "missing" }),
        (_, Truth::Unreadable) => json!({ "state": "unreadable" }),
        (_, Truth::Different { first, arrived }) => {
            json!({ "state": "different", "first_difference": first, "size": arrived })
        }
    }
}

fn last(report: &Report) -> Value {
    let conclusion = match report.conclusion() {
        Conclusion::Sound => "sound",
        Conclusion::Silent => "silent",
        Conclusion::LeftBehind => "left_behind",
        Conclusion::Inconclusive => "inconclusive",
    };
    let payload = report.spread.as_ref().map(|spread| match spread {
        Spread::Found { pieces, connection } => {
            json!({ "found": true, "pieces": pieces, "connection": connection })
        }
        Spread::Hidden { connection, bytes } => {
            json!({ "found": false, "stream_bytes": bytes, "connection": connection })
        }
    });
    json!({
        "type": "conclusion",
        "audit": report.audit.path.display().to_string(),
        "about": report.audit.about,
        "conclusion": conclusion,
        "judgement": judgement(report),
        "seed": report.seed,
        "size": report.audit.size,
        "payload": payload,
        "planned": report.planned,
        "interrupted": report.is_interrupted(),
        "claims": report.claims,
    })
}
