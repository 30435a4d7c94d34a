//! Printing. Everything goes through `anstream`, which drops colours where they are not wanted.

use std::io::{ErrorKind, Write};
use std::process::exit;

/// The exit code if standard output cannot be written: what was asked for is not there.
pub(super) const CANNOT_PRINT: i32 = 2;

/// Prints to standard output. A reader that has seen enough and gone away is no reason to fail; a full disk is:
/// a report that is not there must not look like a good one.
pub(super) fn say(text: &str) {
    let mut out = anstream::stdout();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            warn(&format!("error: standard output cannot be written: {error}"));
            exit(CANNOT_PRINT);
        }
        _ => {}
    }
}

/// A command of this program, fit to be pasted into a shell.
pub(super) fn command(words: &[String]) -> String {
    let words: Vec<&str> =
        ["cargo", "run", "-p", "sim", "--"].into_iter().chain(words.iter().map(String::as_str)).collect();
    shlex::try_join(words.iter().copied()).unwrap_or_else(|_| words.join(" "))
}

/// Prints to standard error. If that fails there is nobody left to tell.
pub(super) fn warn(text: &str) {
    let _ = anstream::stderr().write_all(format!("{}\n", text.trim_end()).as_bytes());
}
