//! What a scrub found, for people and for programs.

use std::fmt::Write;

use serde::Serialize;

use super::lines::Lines;
use faults::text::{bytes_text, number_text, visible};
use transfer::scrub::{RottenFile, ScrubReport, UnreadableFile};

/// What was found, for people. If `quiet`, only what is wrong with files.
#[must_use]
pub fn text(report: &ScrubReport, quiet: bool) -> String {
    let mut text = String::new();
    for RottenFile { name, expected, found, moved } in &report.rotten {
        let fate = match moved {
            Ok(path) => format!("moved to {}", visible(&path.display().to_string())),
            Err(error) => format!("IT COULD NOT BE MOVED and is still listed ({})", error.code().text()),
        };
        let _ = writeln!(text, "ROTTEN      {name}  its id is {expected}, but its MD5 is {found}: {fate}");
    }
    for UnreadableFile { name, id, why } in &report.unreadable {
        let _ = writeln!(text, "UNREADABLE  {name}  with the id {id}: {why}");
    }
    if !quiet {
        surroundings(report, &mut text);
    }
    text
}

fn surroundings(report: &ScrubReport, text: &mut String) {
    let opening = &report.opening;
    for path in &opening.stray_paths {
        let path = visible(&path.display().to_string());
        let _ = writeln!(text, "stray       {path}  is no file of the store: left alone, and not listed");
    }
    let more = opening.strays - opening.stray_paths.len();
    if more > 0 {
        let _ = writeln!(text, "stray       and {} more", number_text(more as u64));
    }
    if opening.leftovers > 0 {
        let count = number_text(opening.leftovers as u64);
        let _ = writeln!(text, "leftovers   of uploads that never ended: {count} removed");
    }
    let _ = writeln!(
        text,
        "{} of {} good, {} rotten, {} unreadable; {} hashed",
        number_text(report.good),
        number_text(report.files),
        report.rotten.len(),
        report.unreadable.len(),
        bytes_text(report.bytes),
    );
}

/// One line.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
enum Record {
    Rotten {
        name: String,
        id: String,
        md5: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        moved_to: Option<String>,
    },
    Unreadable {
        name: String,
        id: String,
        why: String,
    },
    Stray {
        path: String,
    },
    Scrub {
        files: u64,
        bytes: u64,
        good: u64,
        rotten: usize,
        unreadable: usize,
        strays: usize,
        leftovers: usize,
    },
}

/// What was found, for programs: one JSON object per line, described in `docs/json.md`. If `quiet`, only what is
/// wrong with files.
#[must_use]
pub fn json(report: &ScrubReport, quiet: bool) -> String {
    let rotten = report.rotten.iter().map(|it| Record::Rotten {
        name: it.name.to_string(),
        id: it.expected.to_string(),
        md5: it.found.to_string(),
        moved_to: it.moved.as_ref().ok().map(|path| path.display().to_string()),
    });
    let unreadable = report.unreadable.iter().map(|it| Record::Unreadable {
        name: it.name.to_string(),
        id: it.id.to_string(),
        why: it.why.clone(),
    });
    let strays =
        report.opening.stray_paths.iter().map(|path| Record::Stray { path: path.display().to_string() });
    let all = Record::Scrub {
        files: report.files,
        bytes: report.bytes,
        good: report.good,
        rotten: report.rotten.len(),
        unreadable: report.unreadable.len(),
        strays: report.opening.strays,
        leftovers: report.opening.leftovers,
    };
    let others = strays.chain([all]).filter(|_| !quiet);
    Lines::all(rotten.chain(unreadable).chain(others))
}
