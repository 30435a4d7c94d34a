//! Printing. Everything goes through `anstream`, which drops colours where they are not wanted.

use std::env;
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

/// How cargo starts this program.
const CARGO_RUN: [&str; 5] = ["cargo", "run", "-p", env!("CARGO_PKG_NAME"), "--"];

/// A command of this program, fit to be pasted into the shell where it was started.
pub(super) fn command(words: &[String]) -> String {
    let started = started_as();
    let words: Vec<&str> = started.iter().chain(words).map(String::as_str).collect();
    shlex::try_join(words.iter().copied()).unwrap_or_else(|_| words.join(" "))
}

/// How this program was started: by cargo, or by the name that was typed.
fn started_as() -> Vec<String> {
    if by_cargo() {
        return CARGO_RUN.map(String::from).into();
    }
    let typed = env::args_os().next().map(|name| name.to_string_lossy().into_owned());
    vec![typed.filter(|name| !name.is_empty()).unwrap_or_else(|| env!("CARGO_PKG_NAME").into())]
}

/// Whether `cargo run` started this program. Cargo passes on its own path and the package that it runs. The second
/// counts too: a program of another package that cargo runs may have started this one, by its name.
fn by_cargo() -> bool {
    env::var_os("CARGO").is_some()
        && env::var_os("CARGO_PKG_NAME").is_some_and(|name| name == env!("CARGO_PKG_NAME"))
}

/// Prints to standard error. If that fails there is nobody left to tell.
pub(super) fn warn(text: &str) {
    let _ = anstream::stderr().write_all(format!("{}\n", text.trim_end()).as_bytes());
}
