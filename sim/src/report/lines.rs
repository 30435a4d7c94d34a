//! Lines of JSON: what every command that writes for programs has in common, described in `docs/json.md`.

use std::sync::atomic::{AtomicBool, Ordering};

use serde::Serialize;

/// The version of what `docs/json.md` describes. It changes when a field changes its meaning or goes.
pub const SCHEMA: u32 = 1;

/// What writes one output: the first of its lines says the version of the schema. It can be shared by threads.
#[derive(Debug, Default)]
pub struct Lines {
    has_begun: AtomicBool,
}

/// A record with the version before it, if it is the first.
#[derive(Serialize)]
struct Stamped<'a, T> {
    #[serde(skip_serializing_if = "Option::is_none")]
    schema: Option<u32>,
    #[serde(flatten)]
    record: &'a T,
}

impl Lines {
    /// The next line, with its newline. `record` is an object with a `type`.
    pub fn line(&self, record: &impl Serialize) -> String {
        let is_first = !self.has_begun.swap(true, Ordering::Relaxed);
        let stamped = Stamped { schema: is_first.then_some(SCHEMA), record };
        // These are plain records: there is nothing in them that JSON cannot say.
        serde_json::to_string(&stamped).unwrap_or_default() + "\n"
    }

    /// All of an output.
    pub(super) fn all<T: Serialize>(records: impl IntoIterator<Item = T>) -> String {
        let lines = Self::default();
        records.into_iter().map(|record| lines.line(&record)).collect()
    }
}

/// Bytes as hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
