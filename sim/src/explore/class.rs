//! What a run with a fault came to, in one word, from the worst to the best.

use std::fmt;

use faults::Verdict;
use serde::{Deserialize, Serialize};

use super::swarm::{Finding, shown};
use crate::run::{Plan, RunOutcome};

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
    /// Something went wrong that the specification itself does not cover: docs/ladder.md names these limits.
    KnownLimit,
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
    pub const ALL: [Self; 11] = [
        Self::Panicked,
        Self::Endless,
        Self::Silent,
        Self::LeftBehind,
        Self::KnownLimit,
        Self::FalseAlarm,
        Self::Aborted,
        Self::Detected,
        Self::Recovered,
        Self::Intact,
        Self::Unproved,
    ];

    /// What the `outcome` of `plan` came to, and what it shows that must not be.
    #[must_use]
    pub fn of(plan: &Plan, outcome: &RunOutcome) -> (Self, Vec<Finding>) {
        if outcome.inconclusive.is_some() {
            return (Self::Unproved, Vec::new());
        }
        let (findings, limits) = shown(plan, outcome);
        let judged = outcome.judgements.iter().map(|judgement| Self::of_verdict(judgement.verdict));
        let found = findings.iter().map(Self::of_finding);
        let known = limits.iter().map(|_| Self::KnownLimit);
        let class = judged.chain(found).chain(known).min().unwrap_or(Self::Intact);
        (class, findings)
    }

    const fn of_finding(finding: &Finding) -> Self {
        match finding {
            Finding::Silent { .. } => Self::Silent,
            Finding::StaysListed(_) | Finding::KeptByClient(_) | Finding::Misnamed(_) => Self::LeftBehind,
            Finding::Panicked(_) => Self::Panicked,
            Finding::Endless | Finding::Failed(_) | Finding::Unrepeatable | Finding::LanesPart { .. } => {
                Self::Endless
            }
        }
    }

    const fn of_verdict(verdict: Verdict) -> Self {
        match verdict {
            // Whether it is a finding or a known limit, the findings say.
            Verdict::Silent => Self::KnownLimit,
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
            Self::KnownLimit => 'k',
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
            Self::KnownLimit => "a limit of the specification",
            Self::FalseAlarm => "a right file rejected",
            Self::Aborted => "ended with an error",
            Self::Detected => "damage detected",
            Self::Recovered => "right at another attempt",
            Self::Intact => "no harm: the files are right",
            Self::Unproved => "nothing proved",
        }
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Panicked => "Panicked",
            Self::Endless => "Endless",
            Self::Silent => "Silent",
            Self::LeftBehind => "LeftBehind",
            Self::KnownLimit => "KnownLimit",
            Self::FalseAlarm => "FalseAlarm",
            Self::Aborted => "Aborted",
            Self::Detected => "Detected",
            Self::Recovered => "Recovered",
            Self::Intact => "Intact",
            Self::Unproved => "Unproved",
        })
    }
}
