//! The straight line: a scenario is planned once, then run on a transport as often as wanted. A run with faults
//! begins with a control run without them, which must succeed and shows where the faults strike. What comes out
//! is the transcript, the first deviation from the steps, and the verdict of each transfer.

mod course;
mod damage;
mod exchange;
mod faulted;
mod forks;
mod owners;
mod plan;
mod proof;
mod site;
mod unmet;

use std::fmt;
use std::io;
use std::sync::Arc;

use protocol::FileName;

use crate::scenario::{Expect, TransportKind};
use crate::transcript::{Deviation, Line, check};
use crate::transport::{Memory, Tcp, Transport, Turmoil};
use crate::verdict::{Aftermath, Judgement};
use faults::{FaultRecord, NoSuchPlace, Verdict};
use notation::{Located, Mistake, ScenarioError};
use transfer::endpoint::Flaw;
use transfer::record::{Action, Event, Kind, Message, Progress};

use exchange::{Conditions, Exchange, exchange};
pub use forks::{ForkError, Forks};
pub use plan::Plan;
pub use site::Site;
pub use unmet::UnmetExpectation;

/// What a run brought to light.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RunOutcome {
    /// What happened to each client, in the order that is the same on every transport.
    pub conversations: Vec<Vec<Line>>,
    /// The first place where a run without faults did not go as the scenario's steps say.
    pub deviation: Option<Deviation>,
    /// Every transfer, judged.
    pub judgements: Vec<Judgement>,
    /// What each fault did.
    pub faults: Vec<FaultRecord>,
    /// What was left behind.
    pub aftermath: Aftermath,
    /// Why nothing is proved, if nothing is.
    pub inconclusive: Option<Inconclusive>,
    /// The expectations that were not met.
    pub unmet: Vec<UnmetExpectation>,
    /// Everything that was recorded, times included.
    pub trace: Vec<Vec<Event>>,
}

/// Why a run proves nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Inconclusive {
    /// The run without faults did not succeed.
    ControlFailed(String),
    /// A fault did not fire; its number from 1.
    NotFired(usize),
    /// A fault fired, but its change did not reach the reader; its number from 1.
    NotReached(usize),
    /// What a fault struck is not of the phase that is meant, as far as the transcript tells; its number from 1.
    Misplaced(usize),
    /// The bytes that faults changed were right again in the end; the number, from 1, of one of them.
    Undone(usize),
    /// It is not known of some session of the server whose it was, and why.
    Unowned(String),
    /// What arrived of a file could not be read; its name.
    Unreadable(FileName),
}

impl fmt::Display for Inconclusive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ControlFailed(why) => write!(f, "the control run, without faults, failed: {why}"),
            Self::NotFired(fault) => write!(f, "fault {fault} did not fire"),
            Self::NotReached(fault) => write!(f, "fault {fault} did not reach the reader"),
            Self::Misplaced(fault) => {
                write!(f, "it cannot be told that fault {fault} struck the place that is meant")
            }
            Self::Undone(fault) => {
                write!(f, "what fault {fault} changed was right again in the end: another fault undid it")
            }
            Self::Unowned(why) => write!(f, "it is not known whose every session was: {why}"),
            Self::Unreadable(file) => write!(f, "what arrived of {file} could not be read"),
        }
    }
}

/// How to run.
#[derive(Clone, Debug, Default)]
pub struct RunOptions {
    /// The mistake that the programs make, if any.
    pub flaw: Option<Flaw>,
    /// Faults with this name are not injected: the harness has to notice that.
    pub inert: Option<&'static str>,
    /// Counters for a progress bar.
    pub progress: Option<Arc<Progress>>,
}

/// Why a run could not be carried out.
#[derive(Debug)]
#[non_exhaustive]
pub enum RunError {
    /// The scenario asks for what its own run does not have.
    Scenario(ScenarioError),
    /// The transport failed, or files could not be read or written.
    Io(io::Error),
    /// The transport cannot express the scenario's faults.
    CannotExpress(TransportKind),
}

impl fmt::Display for RunError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Scenario(error) => error.fmt(f),
            Self::Io(error) => error.fmt(f),
            Self::CannotExpress(kind) => {
                write!(f, "faults of the network need the simulated one: {kind} cannot express them")
            }
        }
    }
}

impl std::error::Error for RunError {}

impl From<io::Error> for RunError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// Makes the transport of this kind, fit for the files and the faults of `plan`.
///
/// # Errors
/// If it cannot express the faults, or a socket or a thread cannot be made.
pub fn transport(kind: TransportKind, plan: &Plan) -> Result<Box<dyn Transport>, RunError> {
    if plan.needs_network() && kind != TransportKind::Turmoil {
        return Err(RunError::CannotExpress(kind));
    }
    Ok(match kind {
        TransportKind::Memory => Box::new(Memory::default()),
        TransportKind::Turmoil => Box::new(Turmoil),
        TransportKind::Tcp if plan.is_large() => Box::new(Tcp::with_threads()?),
        TransportKind::Tcp => Box::new(Tcp::new()?),
    })
}

/// Runs `plan` once, on fresh files at `site`, which is used up: what lies there after a run would appear in the listing
/// of a second one, and pass for what that one received.
///
/// # Errors
/// If the transport failed, files could not be read or written, or a fault has no place in the run. What goes
/// wrong inside the run is part of the outcome.
#[expect(clippy::needless_pass_by_value, reason = "a place is used up by its run")]
pub fn run(
    plan: &Plan,
    transport: &mut dyn Transport,
    site: Site,
    options: &RunOptions,
) -> Result<RunOutcome, RunError> {
    if plan.faults().is_empty() {
        let clean = exchange(plan, transport, &site, Conditions::clean(&site), options)?;
        return conclude(plan, clean, Vec::new(), None);
    }
    let control = match faulted::control(plan, transport, options)? {
        Ok(control) => control,
        Err(failed) => {
            let (failed, why) = *failed;
            return conclude(plan, failed, Vec::new(), Some(Inconclusive::ControlFailed(why)));
        }
    };
    let places = faulted::places(plan, &control.map).map_err(|(index, why)| no_place(plan, index, &why))?;
    let (faulted, records, inconclusive) = faulted::run(plan, transport, &site, options, control, &places)?;
    conclude(plan, faulted, records, inconclusive)
}

fn no_place(plan: &Plan, index: usize, why: &NoSuchPlace) -> RunError {
    let place = &plan.faults()[index].place;
    RunError::Scenario(ScenarioError::from(Mistake::at(place, format!("this fault has no place: {why}"))))
}

fn conclude(
    plan: &Plan,
    exchange: Exchange,
    faults: Vec<FaultRecord>,
    inconclusive: Option<Inconclusive>,
) -> Result<RunOutcome, RunError> {
    let Exchange { mut conversations, mut judgements, trace, folders, store, doubt, .. } = exchange;
    let inconclusive = inconclusive.or(doubt.map(Inconclusive::Unowned)).or_else(|| unreadable(&judgements));
    let mut deviation = match &mut conversations[..] {
        [lines] if !plan.steps().is_empty() => check(plan.steps(), lines),
        _ => None,
    };
    if !plan.faults().is_empty() && !matches!(inconclusive, Some(Inconclusive::ControlFailed(_))) {
        // What goes otherwise is the point; the steps only number the lines.
        deviation = None;
    }
    if inconclusive.is_some() {
        judgements.iter_mut().for_each(|judgement| judgement.verdict = Verdict::Inconclusive);
    }
    let all = plan.uploads();
    let downloads: Vec<_> = plan.downloads().into_iter().map(|name| (plan.wanted(&name), name)).collect();
    let aftermath = Aftermath::find(&*store, &folders, &downloads, |name| plan.uploaded_as(name), &all)?;
    let mut unmet = Vec::new();
    if inconclusive.is_none() {
        unmet = unmet_expectations(plan, &judgements, &aftermath);
        unmet.extend(never_begun(plan, &conversations));
    }
    Ok(RunOutcome { conversations, deviation, judgements, faults, aftermath, inconclusive, unmet, trace })
}

/// The downloads of a run without faults that could not come about, because their client had not asked for any listing.
fn never_begun(plan: &Plan, conversations: &[Vec<Line>]) -> Vec<UnmetExpectation> {
    let mut unmet = Vec::new();
    for (lines, client) in conversations.iter().zip(1..).filter(|_| plan.faults().is_empty()) {
        for line in lines {
            match &line.action {
                Action::Sent(Message::Text { kind: Kind::ListFiles, .. }) => break,
                Action::Unlisted(file) => {
                    unmet.push(UnmetExpectation::NeverBegun { client, file: file.clone() });
                }
                _ => {}
            }
        }
    }
    unmet
}

/// A transfer of which the harness cannot tell how it ended.
fn unreadable(judgements: &[Judgement]) -> Option<Inconclusive> {
    let doubtful = judgements.iter().find(|it| it.verdict == Verdict::Inconclusive)?;
    Some(Inconclusive::Unreadable(doubtful.file.clone()))
}

/// What was expected and did not come, and what came and was not expected: always a silent acceptance, and damage
/// that stays where it is used; and any other bad end, if the scenario says what it expects.
fn unmet_expectations(plan: &Plan, judgements: &[Judgement], aftermath: &Aftermath) -> Vec<UnmetExpectation> {
    let mut left: Vec<&Judgement> = judgements.iter().collect();
    let mut unmet: Vec<UnmetExpectation> =
        plan.expect().iter().filter_map(|expect| unmet_one(expect, &mut left, aftermath)).collect();
    for judgement in left {
        let Judgement { direction, file, verdict, .. } = judgement;
        let unexpected = match verdict {
            Verdict::Silent => true,
            Verdict::Intact | Verdict::Recovered => false,
            // Who says what is expected says all of it; who only injects faults wants to see what comes.
            _ => !plan.expect().is_empty() || plan.faults().is_empty(),
        };
        if unexpected {
            let (direction, file, verdict) = (*direction, file.clone(), *verdict);
            unmet.push(UnmetExpectation::Unexpected { direction, file, verdict });
        }
    }
    unmet.extend(damage::unexpected(plan, judgements, aftermath));
    unmet
}

/// Takes the judgement that `expect` speaks of out of `left`, and says what is wrong with it.
fn unmet_one(
    expect: &Located<Expect>,
    left: &mut Vec<&Judgement>,
    aftermath: &Aftermath,
) -> Option<UnmetExpectation> {
    use faults::Direction::{Download, Upload};
    let expected = expect.value.clone();
    let (direction, verdict) = match &expect.value {
        Expect::Upload(verdict) => (Upload, verdict),
        Expect::Download(verdict) => (Download, verdict),
        Expect::Lists(names) => {
            let listed: Vec<_> = aftermath.server.iter().map(|left| left.name.clone()).collect();
            return (listed != *names)
                .then(|| UnmetExpectation::Listing { expected, came: aftermath.clone() });
        }
    };
    let Some(at) = left.iter().position(|judgement| judgement.direction == direction) else {
        return Some(UnmetExpectation::NoTransfer { expected, direction });
    };
    let came = left.remove(at).verdict;
    (came != *verdict).then_some(UnmetExpectation::Otherwise { expected, came })
}
