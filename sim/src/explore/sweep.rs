//! Every single fault of an exchange, one run for each: those of a stream forked off one control run, those of the disk from
//! the start.

use std::panic::{AssertUnwindSafe, catch_unwind};

use faults::{Fault, Layer};
use notation::{Located, Place, SourceFile};
use transfer::endpoint::Flaw;

use super::class::Class;
use super::space::{Narrowing, Point, Space, messages};
use super::swarm::{said, stable_hash};
use crate::run::{ForkError, Forks, Plan, RunError, RunOptions, RunOutcome, Site, run, transport};
use crate::scenario::TransportKind;
use crate::transcript::Line;
use crate::transport::Transport;

/// What a single run of a sweep came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// In one word.
    pub class: Class,
    /// In words, if it is one that a correct program does not show.
    pub finding: Option<String>,
}

/// Carries out single runs of a sweep. Each thread has one of its own.
pub struct Sweep {
    plan: Plan,
    forks: Forks,
    options: RunOptions,
    lane: Box<dyn Transport>,
    space: Space,
}

impl Sweep {
    /// A sweep of what `plan` does without its faults, by programs with this mistake, if any.
    ///
    /// # Errors
    /// If the control run fails, or the files are too large.
    pub fn new(plan: &Plan, flaw: Option<Flaw>, narrowing: &Narrowing) -> Result<Self, ForkError> {
        let options = RunOptions { flaw, ..RunOptions::default() };
        let plan = plan.with_faults([]);
        let forks = Forks::new(&plan, &options)?;
        let lane = transport(TransportKind::Memory, &plan)?;
        let space = Space::new(messages(forks.lines()), narrowing);
        Ok(Self { plan, forks, options, lane, space })
    }

    /// A hash of what happens without faults, and of what decides what happens with them.
    #[must_use]
    pub fn fingerprint(&self) -> u64 {
        let (deadline, retries) = (self.plan.deadline(), self.plan.retries());
        let happened =
            |line: &Line| format!("{:?} {:?} {:?} {:?}", line.at, line.side, line.action, line.stream);
        let lines: Vec<String> = self.forks.lines().iter().map(happened).collect();
        stable_hash(&format!("{deadline:?} {retries} {:?} {}", self.plan.clients().len(), lines.join("\n")))
    }

    /// All that it can walk.
    #[must_use]
    pub fn space(&self) -> &Space {
        &self.space
    }

    /// Carries out the run with this number. One that panics is told as such, and others can be carried out after it.
    ///
    /// # Panics
    /// If there is no such run.
    pub fn run(&mut self, number: u64) -> Run {
        let point = self.space.point(number).expect("the number is below the count");
        // What a panic leaves behind is not used again: a fork is a copy, and a site is used up.
        match catch_unwind(AssertUnwindSafe(|| self.outcome(&point))) {
            Ok(Ok(outcome)) => Run::of(&self.plan, &outcome),
            Ok(Err(error)) => Run { class: Class::Endless, finding: Some(error.to_string()) },
            Err(panic) => Run { class: Class::Panicked, finding: Some(said(&*panic)) },
        }
    }

    fn outcome(&mut self, point: &Point) -> Result<RunOutcome, ForkError> {
        match point.fault.effect.layer() {
            Layer::Stream => self.forks.run(&point.fault),
            Layer::Disk | Layer::Network => Ok(self.run_whole(&point.fault)?),
        }
    }

    fn run_whole(&mut self, fault: &Fault) -> Result<RunOutcome, RunError> {
        let source = SourceFile::new("a fault".as_ref(), String::new());
        let fault = Located { value: fault.clone(), place: Place::new(&source, 0..0) };
        let plan = self.plan.with_faults([fault]);
        run(&plan, &mut *self.lane, Site::for_plan(&plan)?, &self.options)
    }
}

impl Run {
    /// What the `outcome` of `plan` came to.
    #[must_use]
    pub fn of(plan: &Plan, outcome: &RunOutcome) -> Self {
        let (class, findings) = Class::of(plan, outcome);
        let told = || findings.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
        Self { class, finding: class.is_finding().then(told) }
    }
}
