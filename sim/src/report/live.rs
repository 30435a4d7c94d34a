//! What came of a client's errands.

use std::fmt::Write;
use std::net::SocketAddr;
use std::path::Path;

use anstyle::{AnsiColor, Style};
use protocol::{Entry, FileId};
use serde::Serialize;
use serde_json::json;

use super::lines::Lines;
use super::problem::Problem;
use crate::session::SessionReport;
use crate::transcript::{JsonLine, render};
use faults::text::{bytes_text, visible};
use transfer::live::{TransferReport, Trouble};
use transfer::record::Failure;
use transfer::record::TransferOutcome;

const GOOD: Style = AnsiColor::Green.on_default().bold();
const BAD: Style = AnsiColor::Red.on_default().bold();

/// A listing as a table: id, size, name.
#[must_use]
pub fn listing(entries: &[Entry]) -> String {
    if entries.is_empty() {
        return format!("{}\n", protocol::wire::NO_FILES);
    }
    // Made twice rather than kept: there may be a million.
    let width = entries.iter().map(|entry| bytes_text(entry.size).len()).max().unwrap_or_default();
    let mut text = String::new();
    for entry in entries {
        let size = bytes_text(entry.size);
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{}  {size:>width$}  {}", entry.id, visible(entry.name.as_str()));
    }
    text
}

/// A listing as JSON lines.
#[must_use]
pub fn listing_json(entries: &[Entry]) -> String {
    #[derive(Serialize)]
    #[serde(tag = "type", rename = "file")]
    struct File<'a> {
        id: String,
        name: &'a str,
        bytes: u64,
    }
    let (lines, mut text) = (Lines::default(), String::new());
    for entry in entries {
        let (id, name) = (entry.id.to_string(), entry.name.as_str());
        text += &lines.line(&File { id, name, bytes: entry.size });
    }
    text
}

/// What came of a transfer, as a line: of JSON with `lines`, else for people. `path` is where a download stands.
#[must_use]
pub fn transferred(done: &TransferReport, path: Option<&Path>, lines: Option<&Lines>) -> String {
    match lines {
        Some(lines) => transferred_json(done, path, lines),
        None => transferred_text(done, path),
    }
}

fn transferred_text(done: &TransferReport, path: Option<&Path>) -> String {
    let name = visible(done.name.as_str());
    let retries = match done.retries {
        0 => String::new(),
        1 => ", after 1 retry".into(),
        count => format!(", after {count} retries"),
    };
    match &done.outcome {
        TransferOutcome::Success { id } => {
            let size = bytes_text(done.bytes);
            let place =
                path.map_or(String::new(), |path| format!(" -> {}", visible(&path.to_string_lossy())));
            format!("{GOOD}Success{GOOD:#}  {name}  {id}  {size}{retries}{place}\n")
        }
        outcome => format!("{BAD}Fail{BAD:#}     {name}  {}{retries}\n", reason(outcome)),
    }
}

/// Why a transfer is no success.
fn reason(outcome: &TransferOutcome) -> String {
    match outcome {
        TransferOutcome::Success { .. } => String::new(),
        TransferOutcome::Fail { own, peer } => format!("the MD5 here is {own}, there {peer}"),
        TransferOutcome::Refused { code, text } if text.is_empty() => format!("refused: {code}"),
        TransferOutcome::Refused { code, text } => format!("refused: {} ({code})", visible(text)),
        TransferOutcome::Broken(Failure::Storage(error)) => format!("the file here: {error}"),
        TransferOutcome::Broken(failure) => format!("broken off: {failure}"),
    }
}

fn transferred_json(done: &TransferReport, path: Option<&Path>, lines: &Lines) -> String {
    #[derive(Serialize)]
    #[serde(tag = "type", rename = "transfer")]
    struct Record<'a> {
        transfer: String,
        name: &'a str,
        bytes: u64,
        retries: u32,
        result: &'static str,
        #[serde(skip_serializing_if = "Option::is_none")]
        id: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        peer_id: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        code: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        message: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        path: Option<String>,
    }
    let id = |id: &FileId| Some(id.to_string());
    let (result, own, peer, code) = match &done.outcome {
        TransferOutcome::Success { id: own } => ("success", id(own), None, None),
        TransferOutcome::Fail { own, peer } => ("fail", id(own), id(peer), None),
        TransferOutcome::Refused { code, .. } => ("refused", None, None, Some(code.to_string())),
        TransferOutcome::Broken(_) => ("broken", None, None, None),
    };
    let is_success = matches!(done.outcome, TransferOutcome::Success { .. });
    lines.line(&Record {
        transfer: done.direction.to_string(),
        name: done.name.as_str(),
        bytes: done.bytes,
        retries: done.retries,
        result,
        id: own,
        peer_id: peer,
        code,
        message: (!is_success).then(|| reason(&done.outcome)),
        path: path.filter(|_| is_success).map(|path| path.to_string_lossy().into_owned()),
    })
}

/// What kept an errand from being done, as a JSON line.
#[must_use]
pub fn trouble_json(trouble: &Trouble, lines: &Lines) -> String {
    let kind = match trouble {
        Trouble::Unreachable { .. } => "unreachable",
        Trouble::Refused { .. } => "refused",
        Trouble::Broken(_) => "broken",
        Trouble::NotListed(_) => "not-listed",
        Trouble::Ambiguous(..) => "ambiguous",
        Trouble::Here(_) => "file",
        Trouble::Interrupted => "interrupted",
    };
    lines.line(&json!({ "type": "error", "error": kind, "message": trouble.to_string() }))
}

/// An event of a session.
#[derive(Serialize)]
#[serde(tag = "type", rename = "event")]
struct Event {
    #[serde(flatten)]
    event: JsonLine,
}

/// The 22 steps as they went, and what came of them: as JSON with `lines`, else for people.
#[must_use]
pub fn session(report: &SessionReport, lines: Option<&Lines>) -> String {
    if let Some(lines) = lines {
        let event = |line| lines.line(&Event { event: JsonLine::new(line, false) });
        let mut text: String = report.lines.iter().map(event).collect();
        text.extend(report.deviation.iter().map(|deviation| lines.line(&Problem::from(deviation))));
        let result = if report.is_good() { "success" } else { "fail" };
        return text + &lines.line(&json!({ "type": "session", "result": result }));
    }
    let mut text = render(&report.lines, false);
    text.push('\n');
    if let Some(deviation) = &report.deviation {
        text += &format!("{deviation}\n");
    }
    let style = if report.is_good() { GOOD } else { BAD };
    text + &format!("{style}{}{style:#}\n", result(report))
}

fn result(report: &SessionReport) -> &'static str {
    if report.is_good() { "Success" } else { "Fail" }
}

/// That a server listens, as a line of JSON.
#[must_use]
pub fn listening_json(address: SocketAddr) -> String {
    Lines::default().line(&json!({ "type": "listening", "listening": address.to_string() }))
}
