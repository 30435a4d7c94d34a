//! Text of an audit file with placeholders.

use std::collections::BTreeMap;
use std::ffi::OsString;

use super::shell;

/// What can stand in braces.
pub const PLACEHOLDERS: [&str; 12] = [
    "host",
    "port",
    "data",
    "file",
    "name",
    "id",
    "beginning",
    "received",
    "server",
    "client",
    "here",
    "sim",
];

/// Values for placeholders.
pub(super) type Values = BTreeMap<&'static str, String>;

/// Text with placeholders such as `{port}`. Braces around anything but one lower-case word stand for themselves.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Template(String);

impl Template {
    /// The text as it is; whether its placeholders are known is [`unknown`]'s business.
    pub(super) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// As it is written.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.0
    }

    /// Whether it has the placeholder `name`.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.0.contains(&format!("{{{name}}}"))
    }

    /// With its placeholders replaced.
    pub(super) fn fill(&self, values: &Values) -> String {
        fill(&self.0, values)
    }

    /// As a command line, split as a shell would before the placeholders are replaced: a path with a space stays one
    /// word. Empty if a quotation mark is left open, which reading an audit refuses. In the script of a shell they are
    /// replaced so that they stay values; of the variables `taken` the programs have others than ours.
    ///
    /// # Errors
    /// Which cannot be.
    pub(super) fn words(&self, values: &Values, taken: &[&str]) -> Result<Vec<OsString>, String> {
        let words = shlex::split(&self.0).unwrap_or_default();
        let script = shell::script(&words);
        let fill = |(index, word): (usize, &String)| match script == Some(index) {
            true => shell::fill(word, values, taken).map(OsString::from),
            false => Ok(fill(word, values).into()),
        };
        words.iter().enumerate().map(fill).collect()
    }
}

fn fill(text: &str, values: &Values) -> String {
    let mut filled = String::new();
    let mut rest = text;
    while let Some((before, name, after)) = next(rest) {
        filled.push_str(before);
        match values.get(name) {
            Some(value) => filled.push_str(value),
            None => filled.push_str(&format!("{{{name}}}")),
        }
        rest = after;
    }
    filled + rest
}

/// The first word in braces, with what is before and behind it.
pub(super) fn next(text: &str) -> Option<(&str, &str, &str)> {
    let mut from = 0;
    while let Some(open) = text[from..].find('{').map(|at| from + at) {
        let end = text[open + 1..].find(|c: char| !c.is_ascii_lowercase()).map(|at| open + 1 + at);
        match end {
            Some(end) if end > open + 1 && text[end..].starts_with('}') => {
                return Some((&text[..open], &text[open + 1..end], &text[end + 1..]));
            }
            _ => from = open + 1,
        }
    }
    None
}

/// The first placeholder that there is none of, and where it stands in `text`.
pub(super) fn unknown(text: &str) -> Option<(usize, &str)> {
    let mut at = 0;
    let mut rest = text;
    while let Some((before, name, after)) = next(rest) {
        if !PLACEHOLDERS.contains(&name) {
            return Some((at + before.len() + 1, name));
        }
        at += before.len() + name.len() + 2;
        rest = after;
    }
    None
}
