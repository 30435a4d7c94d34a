//! What a program says of its transfers: the word Success or Fail in its output, or its exit code.

use crate::process::{Ended, How};

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
pub(super) fn of(ended: &Ended, index: usize) -> Claim {
    let said = ended.lines.iter().filter_map(|line| in_line(&line.text)).nth(index);
    said.unwrap_or(if ended.how == How::Exited(0) { Claim::Success } else { Claim::Fail })
}

/// The first word of a line that is a claim, whatever its case. `Successfully` is none: much goes successfully
/// before the digests are compared.
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
    use crate::process::Line;

    fn ended(how: How, lines: &[&str]) -> Ended {
        let line = |text: &&str| Line { is_error: false, text: (*text).to_owned() };
        Ended { how, lines: lines.iter().map(line).collect() }
    }

    #[test]
    fn words_count_before_the_exit_code_and_each_transfer_has_its_own() {
        let both =
            ended(How::Exited(0), &["connected successfully", "14. SUCCESS: the same", "download: Fail"]);
        assert_eq!((of(&both, 0), of(&both, 1)), (Claim::Success, Claim::Fail));
        assert_eq!(of(&both, 2), Claim::Success, "no third word: the exit code");
        assert_eq!(of(&ended(How::Exited(1), &["unsuccessful"]), 0), Claim::Fail);
        assert_eq!(of(&ended(How::Signalled(9), &[]), 0), Claim::Fail);
    }
}
