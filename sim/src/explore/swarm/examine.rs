//! One scenario is run, and what it shows is named.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use faults::Verdict;
use transfer::endpoint::Flaw;

use super::bounded::BoundedMemory;
use super::{Finding, KnownLimit, left, signature, stable_hash};
use crate::explore::draft::Draft;
use crate::report::{View, text};
use crate::run::{Inconclusive, Plan, RunError, RunOptions, RunOutcome, Site, run, transport};
use crate::scenario::{Scenario, TransportKind};
use crate::transport::Transport;
use crate::verdict::claims;

/// One of so many runs that show nothing is run again, to see whether it goes the same way.
pub const ONE_IN_AGAIN: u64 = 64;

/// Whether a run proves anything: only one of the first sort is a pass if it shows nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Class {
    /// Every fault struck what it was to strike.
    Proved,
    /// A fault has no place in this run.
    NoPlace,
    /// None of the lanes can express the faults.
    NoLane,
    /// The run without faults did not succeed.
    ControlFailed,
    /// A fault did not fire, or did not reach its reader where it was to.
    NotReached,
    /// Nothing is proved for another reason: faults undid each other, or something could not be told.
    Unproved,
    /// There was no run, or no end of it: the findings say why.
    Broken,
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Proved => "every fault struck what it was to strike",
            Self::NoPlace => "a fault has no place in this run",
            Self::NoLane => "no lane can express the faults",
            Self::ControlFailed => "the run without faults did not succeed",
            Self::NotReached => "a fault did not reach its reader where it was to",
            Self::Unproved => "faults undid each other, or something could not be told",
            Self::Broken => "there was no run, or no end of it",
        })
    }
}

/// What came of a scenario.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Examined {
    /// Whether it proves anything.
    pub class: Class,
    /// The number of the way that it went. Zero if there was no run.
    pub signature: u64,
    /// What it shows that must not be. A run that proves nothing shows nothing but that it broke or cannot be repeated.
    pub findings: Vec<Finding>,
    /// The limits of the specification that it shows.
    pub limits: Vec<KnownLimit>,
}

impl Examined {
    fn none(class: Class) -> Self {
        Self { class, signature: 0, findings: Vec::new(), limits: Vec::new() }
    }

    fn broken(finding: Finding) -> Self {
        Self { findings: vec![finding], ..Self::none(Class::Broken) }
    }
}

/// Why a run has no outcome.
#[derive(Debug)]
#[non_exhaustive]
pub enum NoOutcome {
    /// It could not be carried out.
    Error(RunError),
    /// It was given up, because it came to no end.
    Endless,
}

impl fmt::Display for NoOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Error(error) => error.fmt(f),
            Self::Endless => f.write_str("it does not come to an end"),
        }
    }
}

impl std::error::Error for NoOutcome {}

/// Runs `draft` on the first of `lanes` that can express it and says what it shows; then on the others, which have to tell
/// the same. What it expects of itself does not count. A panic is a finding, and does not go any further.
#[must_use]
pub fn examine(draft: &Draft, flaw: Option<Flaw>, lanes: &[TransportKind]) -> Examined {
    examine_with(draft, lanes, |plan, lane| lane_run(plan, lane, flaw))
}

/// The same, with runs by `run`.
#[must_use]
pub fn examine_with(
    draft: &Draft,
    lanes: &[TransportKind],
    run: impl FnMut(&Plan, TransportKind) -> Result<RunOutcome, NoOutcome>,
) -> Examined {
    let draft = Draft { expect: Vec::new(), ..draft.clone() };
    catch_unwind(AssertUnwindSafe(|| examine_all(&draft, lanes, run)))
        .unwrap_or_else(|panic| Examined::broken(Finding::Panicked(said(&*panic))))
}

/// Runs `plan` once on a fresh place.
///
/// # Errors
/// [`NoOutcome`] if there is none.
pub fn lane_run(plan: &Plan, lane: TransportKind, flaw: Option<Flaw>) -> Result<RunOutcome, NoOutcome> {
    let options = RunOptions { flaw, ..RunOptions::default() };
    let carry_out = |lane: &mut dyn Transport| {
        let site = Site::for_plan(plan).map_err(RunError::Io)?;
        run(plan, lane, site, &options)
    };
    if lane == TransportKind::Memory && !plan.needs_network() {
        let mut memory = BoundedMemory::default();
        let outcome = carry_out(&mut memory);
        return if memory.gave_up { Err(NoOutcome::Endless) } else { outcome.map_err(NoOutcome::Error) };
    }
    transport(lane, plan).and_then(|mut lane| carry_out(&mut *lane)).map_err(NoOutcome::Error)
}

fn examine_all(
    draft: &Draft,
    lanes: &[TransportKind],
    mut run: impl FnMut(&Plan, TransportKind) -> Result<RunOutcome, NoOutcome>,
) -> Examined {
    let failed = |why: String| Examined::broken(Finding::Failed(why));
    let scenario = match draft.scenario() {
        Ok(scenario) => scenario,
        Err(error) => return failed(error.render(false)),
    };
    let plan = match Plan::new(&scenario) {
        Ok(plan) => plan,
        Err(error) => return failed(error.to_string()),
    };
    let can_express = |lane: &&TransportKind| **lane == TransportKind::Turmoil || !plan.needs_network();
    let mut lanes = lanes.iter().filter(can_express);
    let Some(lane) = lanes.next() else { return Examined::none(Class::NoLane) };
    let outcome = match run(&plan, *lane) {
        Ok(outcome) => outcome,
        Err(NoOutcome::Endless) => return Examined::broken(Finding::Endless),
        Err(NoOutcome::Error(RunError::Scenario(_))) => return Examined::none(Class::NoPlace),
        Err(NoOutcome::Error(error)) => return failed(error.to_string()),
    };
    let mut examined = judge(&plan, &outcome);
    let is_of_share = stable_hash(&draft.to_string()).is_multiple_of(ONE_IN_AGAIN);
    if (is_of_share || !examined.findings.is_empty()) && !is_repeated(run(&plan, *lane), &outcome) {
        examined.findings.push(Finding::Unrepeatable);
    }
    if !draft.is_a_race() && !draft.may_tie() {
        for other in lanes {
            let told = story(&scenario, &outcome);
            if run(&plan, *other).map_or(true, |outcome| story(&scenario, &outcome) != told) {
                examined.findings.push(Finding::LanesPart { lane: *lane, other: *other });
            }
        }
    }
    examined
}

fn is_repeated(again: Result<RunOutcome, NoOutcome>, outcome: &RunOutcome) -> bool {
    again.is_ok_and(|again| again == *outcome)
}

/// All that is the same on every lane.
fn story(scenario: &Scenario, outcome: &RunOutcome) -> String {
    text(scenario, outcome, &View::default())
}

/// What an outcome shows by itself.
fn judge(plan: &Plan, outcome: &RunOutcome) -> Examined {
    let class = class(outcome.inconclusive.as_ref());
    let mut examined = Examined { signature: signature(outcome), ..Examined::none(class) };
    if class != Class::Proved {
        return examined;
    }
    (examined.findings, examined.limits) = shown(plan, outcome);
    examined
}

/// What an outcome that proves something shows that must not be, and the limits of the specification that it shows.
pub(in crate::explore) fn shown(plan: &Plan, outcome: &RunOutcome) -> (Vec<Finding>, Vec<KnownLimit>) {
    let (mut findings, mut limits) = left::findings(outcome);
    let mut judgements = outcome.judgements.iter();
    for (lines, client) in outcome.conversations.iter().zip(1..) {
        // Every claim of a client has a judgement, in the same order.
        for (claimed, judgement) in claims(lines).iter().zip(&mut judgements) {
            if judgement.verdict != Verdict::Silent {
                continue;
            }
            match super::limits::of_silent(plan, outcome, lines, claimed) {
                Some(limit) => limits.push(limit),
                None => findings.push(Finding::Silent {
                    client,
                    direction: judgement.direction,
                    file: judgement.file.clone(),
                }),
            }
        }
    }
    (findings, limits)
}

const fn class(inconclusive: Option<&Inconclusive>) -> Class {
    match inconclusive {
        None => Class::Proved,
        Some(Inconclusive::ControlFailed(_)) => Class::ControlFailed,
        Some(Inconclusive::NotFired(_) | Inconclusive::NotReached(_) | Inconclusive::Misplaced(_)) => {
            Class::NotReached
        }
        Some(Inconclusive::Undone(_) | Inconclusive::Unowned(_) | Inconclusive::Unreadable(_)) => {
            Class::Unproved
        }
    }
}

/// What somebody said who panicked.
pub(in crate::explore) fn said(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or(panic.downcast_ref::<&str>().copied()).unwrap_or("a panic without a word").to_owned()
}
