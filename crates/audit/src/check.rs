//! What an audit comes to for the check itself: of all files that were corrupted, but for the known limits, how many
//! were taken for good.

use super::outcome::{Conclusion, Report, Row};
use super::why::Why;
use faults::{Harm, Truth, Verdict};

/// How many verdicts it takes to say that a check cannot fail.
const ENOUGH: usize = 4;

/// What is to be said of the check itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CheckFinding {
    /// Nothing: no run proves anything.
    Unproved,
    /// Nothing: no fault changed the file.
    Untried,
    /// None of the corrupted files was taken for good.
    Holds {
        /// How many there were.
        corrupted: usize,
    },
    /// Wherever a corrupted file was taken for good, Fail came after Success.
    WordBeforeCheck {
        /// How many were taken for good.
        accepted: usize,
        /// How many there were.
        corrupted: usize,
    },
    /// Every corrupted file on which the check had its say was taken for good, and these were enough.
    CannotFail {
        /// How many were taken for good.
        accepted: usize,
        /// How many there were.
        corrupted: usize,
        /// Of how many of these the check had its say.
        judged: usize,
    },
    /// Some were taken for good.
    Accepts {
        /// How many.
        accepted: usize,
        /// How many there were.
        corrupted: usize,
        /// How many were noticed.
        noticed: usize,
    },
}

impl Report {
    /// What is to be said of the check itself; `None` if the first control run failed.
    #[must_use]
    pub fn check(&self) -> Option<CheckFinding> {
        if self.control.is_some() {
            return None;
        }
        if self.conclusion() == Conclusion::Inconclusive && !self.is_interrupted() {
            return Some(CheckFinding::Unproved);
        }
        let telling: Vec<&Row> = self.rows.iter().filter(|row| self.tells(row)).collect();
        let accepted: Vec<&Row> = self.rows.iter().filter(|row| row.accepts(self.audit.check)).collect();
        let judged: Vec<&&Row> = telling.iter().filter(|row| had_its_say(row)).collect();
        // Who asked for the file again had noticed the one before.
        let has_noticed = judged.iter().any(|row| row.verdict != Verdict::Silent || row.attempts > 1);
        let is_late = accepted.iter().all(|row| row.then_failed);
        let is_noticed = |row: &&&Row| matches!(row.verdict, Verdict::Detected | Verdict::Recovered);
        let noticed = telling.iter().filter(is_noticed).count();
        let (accepted, corrupted, judged) = (accepted.len(), telling.len(), judged.len());
        Some(match accepted {
            0 if corrupted == 0 => CheckFinding::Untried,
            0 => CheckFinding::Holds { corrupted },
            _ if is_late => CheckFinding::WordBeforeCheck { accepted, corrupted },
            _ if !has_noticed && judged >= ENOUGH => CheckFinding::CannotFail { accepted, corrupted, judged },
            _ => CheckFinding::Accepts { accepted, corrupted, noticed },
        })
    }

    /// What keeps the audit from a conclusion, if anything does: first what leaves open whether a wrong file was taken
    /// for good.
    #[must_use]
    pub fn open_why(&self) -> Option<&Why> {
        let open = self.rows.iter().filter(|row| row.open);
        open.chain(&self.rows).find_map(|row| row.why.as_ref())
    }

    /// Whether a row says something of the check, and what it says is no known limit.
    fn tells(&self, row: &Row) -> bool {
        let check = self.audit.check;
        // What the programs were made to do to themselves may have been no more than to refuse.
        let is_corrupted = row.trial.env.is_empty() || matches!(row.truth, Truth::Different { .. });
        (row.is_telling() && is_corrupted || row.accepts(check)) && !row.is_known_limit(check)
    }
}

/// Whether the check had its say: the file came to its end, changed, and the client gave a verdict on it, or asked for
/// it again.
fn had_its_say(row: &Row) -> bool {
    let ends = row.trial.faults.iter().any(|fault| fault.effect.harm() == Harm::Shortens);
    let is_verdict =
        matches!(row.verdict, Verdict::Silent | Verdict::Detected | Verdict::FalseAlarm | Verdict::Recovered);
    row.is_telling() && is_verdict && !ends
}
