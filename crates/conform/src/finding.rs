//! What a case charges a program with, and the evidence. Two contents that are too long to be shown are shown where
//! they part.

use super::wire::{ActualInput, DialogueEntry, Wire, escaped, is_short};
use super::{Stop, id_of};
use faults::Excerpt;
use faults::text::{bytes_text, number_text};

/// A broken rule, with the evidence.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Finding {
    /// The number of the rule.
    pub rule: u8,
    /// The step of the specification's 22 to which it belongs.
    pub step: Option<u8>,
    /// What went wrong, if that is something else than what the case is about.
    pub title: Option<String>,
    /// What was expected: bytes in quotes, or words.
    pub expected: String,
    /// What came in its place.
    pub came: String,
    /// Whether what was awaited did not come in its time.
    pub silent: bool,
    /// Where both part, if they are contents.
    pub difference: Option<Difference>,
    /// The last of what was said on the connection.
    pub dialogue: Vec<DialogueEntry>,
    /// What may have led to it.
    pub hints: Vec<String>,
}

/// Where two contents part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The offset of the first byte that differs, or that only one of them has.
    pub first: u64,
    /// The bytes around it: as `sent` the expected, as `arrived` what came.
    pub excerpt: Excerpt,
}

impl Finding {
    /// With what can be told from what came alone.
    pub(super) fn with_hints(mut self) -> Self {
        let nothing = id_of(b"");
        if self.came.contains(&nothing) && !self.expected.contains(&nothing) {
            let hint =
                format!("{nothing} is the MD5 of no bytes at all: was the file read to its end already?");
            self.hints.push(hint);
        }
        self
    }
}

impl Difference {
    /// Of two contents of which `came` begins `base` bytes into both.
    pub(super) fn of(expected: &[u8], came: &[u8], base: u64) -> Option<Self> {
        let (first, mut excerpt) = Excerpt::of_bytes(expected, came)?;
        excerpt.offset += base;
        Some(Self { first: first + base, excerpt })
    }
}

/// A rule was broken on `wire`.
pub(super) fn broken(
    wire: &Wire,
    rule: u8,
    step: impl Into<Option<u8>>,
    expected: impl Into<String>,
    came: &ActualInput,
) -> Stop {
    Stop::Fail(Box::new(Finding {
        rule,
        step: step.into(),
        expected: expected.into(),
        came: came.to_string(),
        silent: matches!(came, ActualInput::Nothing(..)),
        dialogue: wire.dialogue(),
        ..Finding::default()
    }))
}

/// In place of the payload `expected`, which begins `base` bytes into the file, something else came.
pub(super) fn broken_payload(
    wire: &Wire,
    step: u8,
    expected: &[u8],
    base: usize,
    came: &ActualInput,
) -> Stop {
    let difference = Difference::of(expected, came.bytes(), base as u64);
    let silent = matches!(came, ActualInput::Nothing(..));
    let (expected, came) = contents(expected, came, difference.as_ref());
    Stop::Fail(Box::new(Finding {
        rule: 3,
        step: Some(step),
        expected,
        came,
        silent,
        difference,
        dialogue: wire.dialogue(),
        ..Finding::default()
    }))
}

/// Both in words that are never the same.
pub(super) fn contents(
    expected: &[u8],
    came: &ActualInput,
    difference: Option<&Difference>,
) -> (String, String) {
    let bytes = came.bytes();
    if is_short(expected) && is_short(bytes) {
        return (escaped(expected), came.to_string());
    }
    let count = bytes_text(bytes.len() as u64);
    let count = match difference {
        Some(_) if expected.starts_with(bytes) => format!("only the first {count}"),
        Some(_) if bytes.starts_with(expected) => format!("these and more: {count}"),
        Some(found) => format!("{count}; the first that differs is at offset {}", number_text(found.first)),
        None => count,
    };
    let behind = came.behind().map(|behind| format!(", then {behind}")).unwrap_or_default();
    (format!("{} of the file", bytes_text(expected.len() as u64)), format!("{count}{behind}"))
}
