//! What a program says of its transfers: the word Success or Fail in its output, or its exit code.

use crate::wire::escaped;
use process::{EndKind, ProgramEnd};

/// What was said of a transfer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Claim {
    /// The file went through.
    Success,
    /// It did not.
    Fail,
}

/// The claim of transfer `index` of a program that makes several: the word in its output that belongs to it, or
/// else how the program ended.
pub(super) fn of(ended: &ProgramEnd, index: usize) -> Claim {
    let exit = if ended.how == EndKind::Exited(0) { Claim::Success } else { Claim::Fail };
    line_of(ended, index).map_or(exit, |(claim, _)| claim)
}

/// Whether it says how transfer `index` went.
pub(super) fn is_said(ended: &ProgramEnd, index: usize) -> bool {
    line_of(ended, index).is_some()
}

/// The claim of transfer `index`, with what it was taken from.
pub(super) fn text(ended: &ProgramEnd, index: usize) -> String {
    let word = |claim| if claim == Claim::Success { "Success" } else { "Fail" };
    let none = "no line with Success or Fail";
    match (line_of(ended, index), ended.how) {
        (Some((claim, line)), _) => format!("{}, in its line {}", word(claim), escaped(line.as_bytes())),
        (None, EndKind::Exited(0)) => format!("{none}; exit code 0 counts as success"),
        (None, EndKind::Exited(code)) => format!("{none}; exit code {code} counts as failure"),
        (None, EndKind::Signalled(signal)) => format!("{none}; its end by signal {signal} counts as failure"),
        (None, EndKind::Hung) => format!("{none}; that it did not end counts as failure"),
    }
}

fn line_of(ended: &ProgramEnd, index: usize) -> Option<(Claim, &str)> {
    let mut claims = ended.lines.iter().filter_map(|line| Some((in_line(&line.text)?, line.text.as_str())));
    claims.nth(index)
}

/// The first word of a line that is a claim, whatever its case. `Successful` is none: much goes successfully before
/// the digests are compared.
fn in_line(line: &str) -> Option<Claim> {
    line.split(|c: char| !c.is_alphanumeric()).find_map(|word| match word.to_ascii_lowercase().as_str() {
        "success" => Some(Claim::Success),
        "fail" | "failed" | "failure" => Some(Claim::Fail),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use process::Line;

    fn ended(how: EndKind, lines: &[&str]) -> ProgramEnd {
        let line = |text: &&str| Line { is_error: false, text: (*text).to_owned() };
        ProgramEnd { how, lines: lines.iter().map(line).collect() }
    }

    #[test]
    fn words_count_before_the_exit_code_and_each_transfer_has_its_own() {
        let both =
            ended(EndKind::Exited(0), &["connected successfully", "14. SUCCESS: the same", "download: Fail"]);
        assert_eq!((of(&both, 0), of(&both, 1)), (Claim::Success, Claim::Fail));
        assert_eq!(of(&both, 2), Claim::Success, "no third word: the exit code");
        assert_eq!(of(&ended(EndKind::Exited(1), &["unsuccessful"]), 0), Claim::Fail);
        let quoted = "SUCCESS: the same";
        assert!(text(&both, 0).starts_with("Success, in its line") && text(&both, 0).contains(quoted));
        assert_eq!(text(&both, 2), "no line with Success or Fail; exit code 0 counts as success");
        assert_eq!(of(&ended(EndKind::Signalled(9), &[]), 0), Claim::Fail);
    }
}
