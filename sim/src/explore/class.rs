//! What a run with a fault came to, in one word, from the worst to the best.

use std::fmt;

use faults::{Claim, Effect, Verdict};
use serde::{Deserialize, Serialize};

use crate::run::{RunOutcome, UnmetExpectation};
use crate::transcript::{Line, Side};
use crate::verdict::{Judgement, LeftoverFile};
use transfer::record::{Action, Kind, Message};

/// What a run came to. The order is from the worst to the best; of several, the worst counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Class {
    /// The harness or a program panicked.
    Panicked,
    /// The run did not come to an end.
    Endless,
    /// A damaged file was accepted as a good one.
    Silent,
    /// A damaged file was left where it is used.
    LeftBehind,
    /// The check failed, although the file is right.
    FalseAlarm,
    /// The transfer ended with an error.
    Aborted,
    /// The damage was told.
    Detected,
    /// Another attempt brought the right file.
    Recovered,
    /// All files arrived as they were sent.
    Intact,
    /// Nothing is proved: the fault did not fire, or did not reach its reader.
    Unproved,
}

impl Class {
    /// All of them, from the worst to the best.
    pub const ALL: [Self; 10] = [
        Self::Panicked,
        Self::Endless,
        Self::Silent,
        Self::LeftBehind,
        Self::FalseAlarm,
        Self::Aborted,
        Self::Detected,
        Self::Recovered,
        Self::Intact,
        Self::Unproved,
    ];

    /// What `outcome` came to.
    #[must_use]
    pub fn of(outcome: &RunOutcome) -> Self {
        if outcome.inconclusive.is_some() {
            return Self::Unproved;
        }
        let left = outcome.unmet.iter().any(|unmet| is_left(unmet, outcome)).then_some(Self::LeftBehind);
        let judged = outcome.judgements.iter().map(|judgement| Self::of_verdict(judgement.verdict));
        judged.chain(left).min().unwrap_or(Self::Intact)
    }

    const fn of_verdict(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Silent => Self::Silent,
            Verdict::FalseAlarm => Self::FalseAlarm,
            Verdict::Aborted | Verdict::Hung | Verdict::Crashed => Self::Aborted,
            Verdict::Detected => Self::Detected,
            Verdict::Recovered => Self::Recovered,
            Verdict::Intact => Self::Intact,
            Verdict::Inconclusive => Self::Unproved,
        }
    }

    /// Whether it is one that a correct program does not show.
    #[must_use]
    pub const fn is_finding(self) -> bool {
        matches!(self, Self::Panicked | Self::Endless | Self::Silent | Self::LeftBehind)
    }

    /// A letter for it, so that a map can be read without colours.
    #[must_use]
    pub const fn letter(self) -> char {
        match self {
            Self::Panicked => 'P',
            Self::Endless => 'E',
            Self::Silent => 'S',
            Self::LeftBehind => 'L',
            Self::FalseAlarm => 'f',
            Self::Aborted => 'a',
            Self::Detected => 'd',
            Self::Recovered => 'r',
            Self::Intact => '.',
            Self::Unproved => '?',
        }
    }

    /// The class with this letter.
    #[must_use]
    pub fn from_letter(letter: char) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.letter() == letter)
    }

    /// What it means, in a few words.
    #[must_use]
    pub const fn describe(self) -> &'static str {
        match self {
            Self::Panicked => "a panic",
            Self::Endless => "came to no end",
            Self::Silent => "damage accepted silently",
            Self::LeftBehind => "damage left where it is used",
            Self::FalseAlarm => "a right file rejected",
            Self::Aborted => "ended with an error",
            Self::Detected => "damage detected",
            Self::Recovered => "right at another attempt",
            Self::Intact => "no harm: the files are right",
            Self::Unproved => "nothing proved",
        }
    }
}

/// Whether damage was left where it is used, and a correct program would not have left it.
fn is_left(unmet: &UnmetExpectation, outcome: &RunOutcome) -> bool {
    match unmet {
        UnmetExpectation::StaysListed(left) => !is_excused(left, outcome),
        UnmetExpectation::KeptByClient(_) => true,
        _ => false,
    }
}

/// Whether no program could have done better about a damaged file that stays listed: it was saved in good faith, somebody
/// was told that it is wrong, and asked in vain to have it discarded, or had lost the connection. What rots on a disk at rest is nobody's mistake either, if whoever reads it is told.
fn is_excused(left: &LeftoverFile, outcome: &RunOutcome) -> bool {
    let rots = outcome.faults.iter().any(|record| matches!(record.fault.effect, Effect::Rot { .. }));
    let is_told = |judgement: &Judgement| matches!(judgement.outcome.claim(), Claim::Fail | Claim::Error);
    let lines = || outcome.conversations.iter().flatten();
    let was_saved =
        lines().any(|line| matches!(&line.action, Action::Saved(entry) if entry.name == left.name));
    let tried = |line: &Line| match &line.action {
        Action::Failed(_) => line.side == Side::Client,
        Action::Sent(Message::Text { kind, .. }) => *kind == Kind::Discard,
        _ => false,
    };
    outcome.judgements.iter().any(is_told) && (rots || (was_saved && lines().any(tried)))
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Panicked => "Panicked",
            Self::Endless => "Endless",
            Self::Silent => "Silent",
            Self::LeftBehind => "LeftBehind",
            Self::FalseAlarm => "FalseAlarm",
            Self::Aborted => "Aborted",
            Self::Detected => "Detected",
            Self::Recovered => "Recovered",
            Self::Intact => "Intact",
            Self::Unproved => "Unproved",
        })
    }
}
