//! What a program said last, and how it ended, in words.

use std::fmt;

use super::{EndKind, Line};

impl EndKind {
    /// How `who` ended, as a sentence.
    #[must_use]
    pub fn of(self, who: &str) -> String {
        match self {
            Self::Exited(code) => format!("{who} ended with exit code {code}"),
            Self::Signalled(signal) => format!("signal {signal} ended {who}"),
            Self::Hung => format!("{who} did not end"),
        }
    }
}

impl fmt::Display for EndKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exited(code) => write!(f, "exit code {code}"),
            Self::Signalled(_) | Self::Hung => f.write_str(&self.of("it")),
        }
    }
}

/// The last lines that say anything, `most` at most, in their order. They may hold anything: whoever prints them escapes
/// them.
#[must_use]
pub fn last_lines(lines: &[Line], most: usize) -> Vec<&str> {
    let said = lines.iter().rev().map(|line| line.text.as_str()).filter(|text| !text.trim().is_empty());
    let mut last: Vec<&str> = said.take(most).collect();
    last.reverse();
    last
}

/// The last line that says anything.
#[must_use]
pub fn last_line(lines: &[Line]) -> Option<&str> {
    last_lines(lines, 1).pop()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_words_are_lines_that_say_something() {
        let line = |text: &str| Line { is_error: false, text: text.into() };
        let lines: Vec<Line> = ["a", "b", " ", "c", "", "\t"].map(line).into();
        assert_eq!(last_lines(&lines, 2), ["b", "c"]);
        assert_eq!((last_line(&lines), last_line(&lines[4..])), (Some("c"), None));
    }

    #[test]
    fn an_end_is_a_sentence() {
        let ends = [EndKind::Exited(3), EndKind::Signalled(9), EndKind::Hung].map(|how| how.of("the server"));
        let expected =
            ["the server ended with exit code 3", "signal 9 ended the server", "the server did not end"];
        assert_eq!(ends, expected);
    }
}
