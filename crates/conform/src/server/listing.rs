//! What is expected of a listing.

use protocol::wire::{MAX_ENTRIES, NO_FILES};
use protocol::{Entry, FileId, FileName};

use super::{Check, Conversation, Difference, File, Finding, Stop, is_sent};
use crate::wire::escaped;

/// The rule that a listing ends with the empty line.
const LIST_END: u8 = 34;
/// The rule that the empty line alone is none.
const OMISSION: u8 = 14;

impl Conversation {
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
        let (mut entries, mut count): (Vec<Entry>, _) = (Vec::new(), 0);
        loop {
            let text = self.line(rule, step, &expected)?;
            if text == NO_FILES && count == 0 {
                self.exactly(LIST_END, step, "")?;
                break;
            }
            if text.is_empty() && count > 0 {
                break;
            }
            match Entry::parse(&text) {
                Ok(entry) => entries.push(entry),
                Err(_) if self.is_charged_elsewhere(&text) => {}
                Err(_) => {
                    let rule = if text.is_empty() { OMISSION } else { entry_rule(&text).unwrap_or(rule) };
                    return Err(self.wrong(rule, Some(step), &expected, &text));
                }
            }
            (rule, count) = (LIST_END, count + 1);
            if count > MAX_ENTRIES {
                return Err(Stop::NotReached(
                    format!("the listing has more than {MAX_ENTRIES} files").into(),
                ));
            }
            expected = "\"id;name;size\\n\" for another file, or the empty line that ends the listing".into();
        }
        self.between = true;
        Ok(entries)
    }

    /// Whether this is a bad entry of a file that another case has sent: that was charged with it.
    fn is_charged_elsewhere(&self, text: &str) -> bool {
        let name = text.split_once(';').and_then(|(_, rest)| rest.rsplit_once(';')).map(|(name, _)| name);
        name.is_some_and(|name| is_sent(name) && !name.contains(&self.own))
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
