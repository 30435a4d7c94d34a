//! Printing. Everything goes through `anstream`, which drops colours where they are not wanted.

use std::io::Write;

/// Prints to standard output. A reader that has gone away is no reason to fail.
pub(super) fn say(text: &str) {
    let _ = anstream::stdout().write_all(text.as_bytes());
}

/// Prints to standard error.
pub(super) fn warn(text: &str) {
    let _ = anstream::stderr().write_all(text.as_bytes());
    if !text.ends_with('\n') {
        let _ = anstream::stderr().write_all(b"\n");
    }
}
