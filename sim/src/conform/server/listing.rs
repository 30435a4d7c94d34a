//! What is expected of a listing.

use protocol::wire::{MAX_ENTRIES, NO_FILES};
use protocol::{Entry, FileId, FileName};

use super::{CASES, Check, Difference, File, Finding, Stop, Talk};
use crate::conform::wire::escaped;

/// The rule that a listing ends with the empty line.
const LIST_END: u8 = 34;
/// The rule that the empty line alone is none.
const OMISSION: u8 = 14;

impl Talk {
    pub(super) fn list(&mut self) -> Check<Vec<Entry>> {
        self.list_by("LIST_FILES\n")
    }

    /// Asks for the listing with `command` and reads it.
    pub(super) fn list_by(&mut self, command: &str) -> Check<Vec<Entry>> {
        self.command(command);
        self.listing()
    }

    /// A listing: the entries, or the words for none; then the empty line.
    pub(super) fn listing(&mut self) -> Check<Vec<Entry>> {
        let (mut rule, step) = (5, if self.stored { 16 } else { 5 });
        let mut expected = format!("\"id;name;size\\n\" for a file, or \"{NO_FILES}\\n\"");
        let mut entries: Vec<Entry> = Vec::new();
        loop {
            let text = self.line(rule, step, &expected)?;
            if text == NO_FILES && entries.is_empty() {
                self.exactly(LIST_END, step, "")?;
                break;
            }
            if text.is_empty() && !entries.is_empty() {
                break;
            }
            let Ok(entry) = Entry::parse(&text) else {
                if self.is_of_another_case(&text) {
                    rule = LIST_END;
                    continue;
                }
                let rule = if text.is_empty() { OMISSION } else { entry_rule(&text).unwrap_or(rule) };
                return Err(self.wrong(rule, Some(step), &expected, &text));
            };
            if entries.len() >= MAX_ENTRIES as usize {
                return Err(Stop::NotReached("the listing has more than 1000000 files".into()));
            }
            entries.push(entry);
            rule = LIST_END;
            expected = "\"id;name;size\\n\" for another file, or the empty line that ends the listing".into();
        }
        self.between = true;
        Ok(entries)
    }

    /// Looked at where it is the point, and not in every listing: one pair there twice is one mistake.
    pub(super) fn lists_no_pair_twice(&mut self) -> Check {
        let mut entries = self.list()?;
        entries.sort();
        let twice =
            entries.windows(2).find(|pair| (&pair[0].name, pair[0].id) == (&pair[1].name, pair[1].id));
        match twice {
            Some(pair) => Err(self.wrong(15, Some(16), "no name and id listed twice", &pair[1].to_string())),
            None => Ok(()),
        }
    }

    /// `file` is listed, once.
    pub(super) fn lists(&mut self, rule: u8, file: &File) -> Check {
        let listed = self.list()?;
        self.has(rule, &listed, file)
    }

    pub(super) fn has(&self, rule: u8, listed: &[Entry], file: &File) -> Check {
        if listed.iter().any(|entry| entry.to_string() == file.entry()) {
            return Ok(());
        }
        let like = |entry: &&Entry| entry.name.as_str() == file.name || entry.id.to_string() == file.id();
        let found = listed.iter().find(like);
        let came = match found {
            Some(entry) => format!("{entry}\n"),
            None => "(a listing without it)".into(),
        };
        let expected = format!("a listing with {}", escaped(file.entry().as_bytes()));
        match self.wrong(rule, Some(16), &expected, &came) {
            Stop::Fail(finding) => {
                let difference = found.and_then(|entry| {
                    Difference::of(file.entry().as_bytes(), entry.to_string().as_bytes(), 0)
                });
                Err(Stop::Fail(Box::new(Finding { difference, ..*finding })))
            }
            stop => Err(stop),
        }
    }

    /// `file` is not listed under its name.
    pub(super) fn lists_not(&mut self, rule: u8, file: &File) -> Check {
        let listed = self.list()?;
        match listed.iter().find(|entry| entry.name.as_str() == file.name) {
            Some(entry) => Err(self.wrong(rule, Some(16), "a listing without this file", &entry.to_string())),
            None => Ok(()),
        }
    }
}

impl Talk {
    /// Whether a line that is like an entry is of a file that another case has sent: what is wrong with it was charged there.
    fn is_of_another_case(&self, text: &str) -> bool {
        let is_of = |case: &str| {
            let mark = format!("-{case}-");
            let mut places = text.match_indices(&mark).map(|(at, _)| &text[at + mark.len()..]);
            places.any(|rest| rest.starts_with(|next: char| next.is_ascii_digit()))
        };
        let is_known = || CASES.iter().any(|case| is_of(case.info.name));
        entry_rule(text).is_some() && !is_of(self.case) && is_known()
    }
}

/// The rule that a line breaks which is like an entry; `None` if it is not like one.
fn entry_rule(text: &str) -> Option<u8> {
    let (id, rest) = text.split_once(';')?;
    let (name, _) = rest.rsplit_once(';')?;
    Some(match (FileId::parse(id), FileName::parse(name)) {
        (None, _) => 11,
        (_, Err(_)) => 9,
        _ => 10,
    })
}
