//! What came of an audit.

use std::io;
use std::time::Duration;

use super::judge::ClientClaim;
use super::places::PayloadPlace;
use super::spec::{Audit, Check, Leftover};
use super::trials::Trial;
use super::why::{Note, OutputLine, Why};
use faults::{Excerpt, Truth, Verdict};
use process::{StartError, TemplateError};

/// One trial and what came of it.
#[derive(Clone, Debug)]
pub struct Row {
    /// The trial.
    pub trial: Trial,
    /// Where its faults struck, in words; empty if they had no place.
    pub places: Vec<String>,
    /// The verdict.
    pub verdict: Verdict,
    /// Why nothing is concluded, if it is not.
    pub why: Option<Why>,
    /// What the client said, if it was run.
    pub claim: Option<ClientClaim>,
    /// What became of the file.
    pub truth: Truth,
    /// The bytes around the first difference.
    pub excerpt: Option<Excerpt>,
    /// Whether the client said Fail after it had said Success.
    pub then_failed: bool,
    /// Whether nothing is concluded and Success was said all the same, of a file that is wrong, or that an earlier run's
    /// hides: no audit with such a row is sound.
    pub open: bool,
    /// How many attempts of the client were struck. If it is more than one, it had noticed those before and tried again.
    pub attempts: usize,
    /// What else was seen: a program that hung after its verdict, a server that died.
    pub notes: Vec<Note>,
    /// The last lines of both programs.
    pub output: Vec<OutputLine>,
    /// How long the client ran.
    pub took: Duration,
}

impl Row {
    /// Whether it counts against the program: a wrong file was taken for good, and that is no known limit of the check;
    /// or one stayed that may not.
    #[must_use]
    pub fn convicts(&self, audit: &Audit) -> bool {
        self.accepts(audit.check) || self.is_forbidden(audit)
    }

    /// Whether a wrong file was taken for good, and that is no known limit of the check.
    #[must_use]
    pub fn accepts(&self, check: Check) -> bool {
        self.verdict == Verdict::Silent && !self.is_known_limit(check)
    }

    /// Whether a wrong file was taken for good as it has to be with such a check.
    #[must_use]
    pub fn is_known_limit(&self, check: Check) -> bool {
        self.verdict == Verdict::Silent && self.trial.rung.is_some_and(|rung| rung.is_limit_of(check))
    }

    /// Whether a wrong file stayed where it was received, though the program said that the transfer failed.
    #[must_use]
    pub fn is_left_behind(&self) -> bool {
        let was_told = matches!(self.verdict, Verdict::Detected | Verdict::Aborted);
        was_told && matches!(self.truth, Truth::Different { .. })
    }

    /// Whether a wrong file stayed that may not, as [`Audit::leaves_no`] has it.
    #[must_use]
    pub fn is_forbidden(&self, audit: &Audit) -> bool {
        let failed =
            matches!(self.verdict, Verdict::Detected | Verdict::Aborted | Verdict::Hung | Verdict::Crashed);
        let Truth::Different { arrived, .. } = self.truth else { return false };
        let is_it = |leftover: &Leftover| match leftover {
            Leftover::Rejected => self.verdict == Verdict::Detected,
            Leftover::Incomplete => arrived < audit.size,
            Leftover::Wrong => true,
        };
        failed && audit.leaves_no.iter().any(is_it)
    }

    /// Whether it says something on how the program takes a file that is not what was sent.
    #[must_use]
    pub fn is_telling(&self) -> bool {
        self.trial.changes_bytes() && self.verdict != Verdict::Inconclusive
    }
}

/// What an audit comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Conclusion {
    /// Nothing was silently accepted, and nothing stayed that may not.
    Sound,
    /// A wrong file was silently accepted.
    Silent,
    /// None was, but one stayed that may not.
    LeftBehind,
    /// Nothing can be said.
    Inconclusive,
}

/// Why a run could not be had, or proves nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// Why.
    pub why: Why,
    /// The last lines of the programs.
    pub output: Vec<OutputLine>,
}

impl<W: Into<Why>> From<W> for Trouble {
    fn from(why: W) -> Self {
        Self { why: why.into(), output: Vec::new() }
    }
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Self {
        error.to_string().into()
    }
}

impl From<StartError> for Trouble {
    fn from(error: StartError) -> Self {
        error.to_string().into()
    }
}

impl From<TemplateError> for Trouble {
    fn from(error: TemplateError) -> Self {
        error.to_string().into()
    }
}

/// All that came of an audit.
#[derive(Clone, Debug)]
pub struct Report {
    /// What was audited.
    pub audit: Audit,
    /// The seed with which it was.
    pub seed: u64,
    /// What was wrong with the first control run; then there are no rows.
    pub control: Option<Trouble>,
    /// Where the payload was found in the control run.
    pub spread: Option<PayloadPlace>,
    /// The lines with which the client said Success or Fail in the first control run, the first few.
    pub claims: Vec<String>,
    /// How many trials there were to be.
    pub planned: usize,
    /// What each trial came to, in their order. There are fewer than were planned if an interruption came.
    pub rows: Vec<Row>,
}

impl Report {
    /// What it comes to.
    #[must_use]
    pub fn conclusion(&self) -> Conclusion {
        let accepted = self.control.as_ref().is_some_and(|control| control.why.is_accepted());
        if accepted || self.rows.iter().any(|row| row.accepts(self.audit.check)) {
            return Conclusion::Silent;
        }
        if self.rows.iter().any(|row| row.is_forbidden(&self.audit)) {
            return Conclusion::LeftBehind;
        }
        if self.is_interrupted() || self.rows.iter().any(|row| row.open) {
            return Conclusion::Inconclusive;
        }
        let tells = |row: &Row| match row.trial.changes_bytes() {
            true => row.is_telling(),
            false => row.verdict != Verdict::Inconclusive && !self.tries_changes(),
        };
        if self.rows.iter().any(tells) { Conclusion::Sound } else { Conclusion::Inconclusive }
    }

    /// Whether it was interrupted before all trials were over.
    #[must_use]
    pub fn is_interrupted(&self) -> bool {
        self.control.is_none() && self.rows.len() < self.planned
    }

    /// Whether any trial changes bytes: where all but those tell something, nothing is known of the check.
    fn tries_changes(&self) -> bool {
        self.rows.iter().any(|row| row.trial.changes_bytes())
    }

    /// How many rows have this verdict.
    #[must_use]
    pub fn count(&self, verdict: Verdict) -> usize {
        self.rows.iter().filter(|row| row.verdict == verdict).count()
    }
}
