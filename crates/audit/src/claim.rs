//! What the client said of the transfer: by a line, an exit code, or a file that appeared.

use std::path::{Path, PathBuf};

use super::judge::{ClientClaim, client_claim};
use super::spec::{Audit, Signal};
use super::why::Note;
use process::{EndKind, Placeholder, ProgramEnd, Values};

/// What was said, and by what.
pub(super) struct ObservedClaim {
    pub(super) claim: ClientClaim,
    /// What is to be remarked about how the client ended.
    pub(super) notes: Vec<Note>,
    /// The lines that say Success or Fail, the first few.
    pub(super) lines: Vec<String>,
    /// Whether Fail came after Success.
    pub(super) then_failed: bool,
}

/// How many lines are shown that say Success or Fail.
const MAX_SHOWN: usize = 4;

/// What the client said with `ended`.
pub(super) fn claim(audit: &Audit, values: &Values, ended: &ProgramEnd) -> ObservedClaim {
    let Audit { success, fail, nth, .. } = audit;
    let says = |signal: &Signal, text: &str| matches!(signal, Signal::Line(line) if line.is_match(text));
    let fails = |text: &str| fail.as_ref().is_some_and(|fail| says(fail, text));
    let is_claim = |text: &&str| says(success, text) || fails(text);
    let lines = || ended.lines.iter().map(|line| line.text.as_str()).filter(is_claim);
    let shown = lines().take(MAX_SHOWN).map(str::to_owned).collect();
    let before = nth.map_or(0, |nth| nth.get() - 1);
    if let Some(line) = lines().nth(before) {
        let is_fail = fails(line);
        let claim = client_claim(!is_fail, is_fail, ended.how);
        let mut notes = remarks(&claim, ended.how);
        // If it is said which line counts, the others are about something else.
        let then_failed = !is_fail && nth.is_none() && lines().skip(1).any(fails);
        if then_failed {
            notes.push(Note::ThenFailed);
        }
        return ObservedClaim { claim, notes, lines: shown, then_failed };
    }
    let gives = |signal: &Signal| match signal {
        Signal::Exit(codes) => matches!(ended.how, EndKind::Exited(code) if codes.contains(&code)),
        Signal::File(path) => resolved(&path.fill(values), values).exists(),
        Signal::Line(_) => false,
    };
    let claim = client_claim(gives(success), fail.as_ref().is_some_and(gives), ended.how);
    let mut notes = Vec::new();
    if claim == ClientClaim::Nothing && ended.lines.is_empty() {
        notes.push(Note::NoOutput);
    }
    ObservedClaim { claim, notes, lines: shown, then_failed: false }
}

fn remarks(claim: &ClientClaim, how: EndKind) -> Vec<Note> {
    match (claim, how) {
        (_, EndKind::Hung) => vec![Note::NotEnded],
        (ClientClaim::Success, EndKind::Exited(code @ 1..)) => vec![Note::EndedWith(code)],
        _ => Vec::new(),
    }
}

/// Where a file is whose appearance says something: a path that is not absolute is one in the client's directory.
fn resolved(path: &str, values: &Values) -> PathBuf {
    Path::new(&values[&Placeholder::Client]).join(path)
}

/// A file that is to say something by its appearance, and is there before the client starts.
pub(super) fn premature(audit: &Audit, values: &Values) -> Option<String> {
    let signals = std::iter::once(&audit.success).chain(&audit.fail);
    let files = signals.filter_map(|signal| match signal {
        Signal::File(path) => Some(resolved(&path.fill(values), values)),
        Signal::Exit(_) | Signal::Line(_) => None,
    });
    let there = files.into_iter().find(|path| path.exists())?;
    Some(format!(
        "{} is there before the client starts, so that it says nothing when it appears",
        there.display()
    ))
}
