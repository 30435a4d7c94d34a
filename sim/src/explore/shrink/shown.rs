//! What a scenario shows that is worth a smaller one.

use std::fmt;
use std::mem::discriminant;

use transfer::endpoint::Flaw;

use super::shows_like;
use crate::explore::draft::Draft;
use crate::explore::swarm::{Finding, examine, lane_run};
use crate::run::{Plan, RunOutcome, UnmetExpectation};
use crate::scenario::TransportKind;
use crate::transcript::Deviation;

/// What a scenario shows of a program. Displayed as a sentence without its end.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Shown {
    /// Something that must never be.
    Finding(Finding),
    /// An expectation of the scenario is not met.
    Unmet(UnmetExpectation),
    /// A run without faults does not go as the steps say.
    Deviation(Deviation),
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Finding(finding) => finding.fmt(f),
            Self::Unmet(unmet) => unmet.fmt(f),
            Self::Deviation(deviation) => deviation.fmt(f),
        }
    }
}

/// What `draft` shows of the program with this mistake, or of the correct one: a finding before an expectation.
#[must_use]
pub fn what_shows(draft: &Draft, flaw: Option<Flaw>, lanes: &[TransportKind]) -> Option<Shown> {
    if let Some(finding) = examine(draft, flaw, lanes).findings.into_iter().next() {
        return Some(Shown::Finding(finding));
    }
    let outcome = outcome_of(draft, flaw, lanes)?;
    let unmet = outcome.unmet.into_iter().next().map(Shown::Unmet);
    unmet.or(outcome.deviation.map(Shown::Deviation))
}

impl Shown {
    /// Whether `draft` shows the like, and if `flaw` is to blame for it, the correct program does not.
    #[must_use]
    pub fn is_shown_by(&self, draft: &Draft, flaw: Option<Flaw>, lanes: &[TransportKind]) -> bool {
        if let Self::Finding(finding) = self {
            return shows_like(draft, flaw, lanes, finding);
        }
        self.is_in(draft, flaw, lanes)
            && flaw.is_none_or(|_| {
                outcome_of(draft, None, lanes).is_some_and(|it| it.inconclusive.is_none())
                    && what_shows(draft, None, lanes).is_none()
            })
    }

    /// Whether a run of `draft` has the like.
    fn is_in(&self, draft: &Draft, flaw: Option<Flaw>, lanes: &[TransportKind]) -> bool {
        let Some(outcome) = outcome_of(draft, flaw, lanes) else { return false };
        match self {
            Self::Finding(_) => false,
            Self::Unmet(unmet) => outcome.unmet.iter().any(|it| is_like(it, unmet)),
            Self::Deviation(_) => outcome.deviation.is_some(),
        }
    }
}

/// Whether both are of one kind; where verdicts are spoken of, these are the same.
fn is_like(one: &UnmetExpectation, other: &UnmetExpectation) -> bool {
    use UnmetExpectation::{Otherwise, Unexpected};
    match (one, other) {
        (Otherwise { .. }, Otherwise { .. }) => one == other,
        (
            Unexpected { direction, verdict, .. },
            Unexpected { direction: their_direction, verdict: their_verdict, .. },
        ) => (direction, verdict) == (their_direction, their_verdict),
        _ => discriminant(one) == discriminant(other),
    }
}

/// What comes of it on the first of these lanes that can express it.
fn outcome_of(draft: &Draft, flaw: Option<Flaw>, lanes: &[TransportKind]) -> Option<RunOutcome> {
    let plan = Plan::new(&draft.scenario().ok()?).ok()?;
    let can_express = |lane: &&TransportKind| **lane == TransportKind::Turmoil || !plan.needs_network();
    lane_run(&plan, *lanes.iter().find(can_express)?, flaw).ok()
}
