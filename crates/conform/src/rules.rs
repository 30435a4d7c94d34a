//! The rules of PROTOCOL.md, read from the page itself, which `protocol` carries, so that a report quotes what stands there.

use std::collections::BTreeMap;
use std::sync::OnceLock;

/// The text of every rule, by its number, each as one line.
pub fn rules() -> &'static BTreeMap<u8, String> {
    static RULES: OnceLock<BTreeMap<u8, String>> = OnceLock::new();
    RULES.get_or_init(|| protocol::PAGE.split("\n- **R").skip(1).filter_map(rule).collect())
}

/// A rule goes on until the next item, or an empty line.
fn rule(text: &str) -> Option<(u8, String)> {
    let (number, text) = text.split_once("** ")?;
    let lines = text.lines().take_while(|line| !line.is_empty() && !line.starts_with("- "));
    let text = lines.map(str::trim).collect::<Vec<_>>().join(" ");
    Some((number.parse().ok()?, text))
}

/// The text of rule `number`; empty if there is none.
#[must_use]
pub fn rule_text(number: u8) -> &'static str {
    rules().get(&number).map_or("", String::as_str)
}

/// What the specification calls its step `number`.
#[must_use]
pub fn step_text(number: u8) -> &'static str {
    const STEPS: [&str; 22] = [
        "start the server",
        "start the client",
        "the client connects",
        "the client sends LIST_FILES",
        "the server replies with the listing",
        "the client sends UPLOAD",
        "the server asks for the file name and size",
        "the client sends the file details",
        "the server is ready to receive",
        "the client sends the file",
        "the server receives the file and generates the MD5",
        "the server saves the file",
        "the server sends the MD5",
        "the client compares the MD5 with its own and says Success or Fail",
        "the client sends LIST_FILES again",
        "the server replies with the available files",
        "the client sends DOWNLOAD",
        "the server asks for a file id",
        "the client sends the file id",
        "the server sends the file",
        "the client receives the file and generates the MD5",
        "the client disconnects",
    ];
    usize::from(number).checked_sub(1).and_then(|index| STEPS.get(index)).copied().unwrap_or_default()
}
