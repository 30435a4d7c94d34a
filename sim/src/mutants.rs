//! The control on the harness itself: programs with known mistakes run through scenarios, and each has to be
//! convicted by at least one, while the correct program is convicted by none. It adds no judgement of its own:
//! what a [`run`](crate::run) says of a mutant is all that counts, exactly as for a program under test.
//!
//! A mutant is *convicted* by a scenario where an expectation is not met, or a step without faults goes
//! otherwise: the runs that exit with 1. One whose control run fails, or that no fault reached, is not: the
//! harness then says that nothing is proved, and a control that took this for a conviction would pass with a
//! harness that only ever finds programs it cannot test. Such findings are counted on their own.

use std::collections::BTreeSet;
use std::fmt;
use std::panic::resume_unwind;
use std::path::PathBuf;
use std::thread::{self, available_parallelism};

use crate::run::{
    Inconclusive, Plan, RunError, RunOptions, RunOutcome, Site, UnmetExpectation, run, transport,
};
use crate::scenario::{Expect, Scenario, TransportKind};
use crate::transcript::Deviation;
use faults::Verdict;
use transfer::endpoint::Flaw;

/// How many threads share the work at most: each keeps buffers and a simulated network.
const MAX_THREADS: usize = 8;

/// One thing that a program did otherwise than it should. Displayed as a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Charge {
    /// A run without faults did not go as the steps say.
    Deviation(Deviation),
    /// An expectation was not met.
    Unmet(UnmetExpectation),
}

impl Charge {
    /// Whether it is that a damaged file was taken for a good one, or left as one.
    fn is_grave(&self) -> bool {
        matches!(self, Self::Unmet(unmet) if unmet.is_grave())
    }

    /// Whether no harm to the transfer was expected.
    fn expects_intact(&self) -> bool {
        let Self::Unmet(UnmetExpectation::Otherwise { expected, .. }) = self else { return false };
        matches!(expected, Expect::Upload(Verdict::Intact) | Expect::Download(Verdict::Intact))
    }
}

impl fmt::Display for Charge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Deviation(deviation) => deviation.fmt(f),
            Self::Unmet(unmet) => unmet.fmt(f),
        }
    }
}

/// What one scenario says of one program.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Finding {
    /// All went as expected.
    AsExpected,
    /// Something did not: at least one charge.
    Convicted(Vec<Charge>),
    /// Nothing is proved.
    Inconclusive(Inconclusive),
}

impl Finding {
    /// What `outcome` says.
    #[must_use]
    pub fn of(outcome: RunOutcome) -> Self {
        let deviation = outcome.deviation.into_iter().map(Charge::Deviation);
        let charges: Vec<Charge> = deviation.chain(outcome.unmet.into_iter().map(Charge::Unmet)).collect();
        match outcome.inconclusive {
            Some(why) => Self::Inconclusive(why),
            None if charges.is_empty() => Self::AsExpected,
            None => Self::Convicted(charges),
        }
    }

    /// Whether it convicts.
    #[must_use]
    pub fn convicts(&self) -> bool {
        matches!(self, Self::Convicted(_))
    }
}

/// A program, and what every scenario says of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Its mistake; the correct program has none.
    pub flaw: Option<Flaw>,
    /// One for each scenario of the matrix, in the same order.
    pub findings: Vec<Finding>,
}

impl Row {
    /// The scenarios that convict it, by their position in the matrix.
    pub fn convictions(&self) -> impl Iterator<Item = usize> {
        self.findings.iter().enumerate().filter(|(_, finding)| finding.convicts()).map(|(index, _)| index)
    }

    /// How many scenarios prove nothing about it.
    #[must_use]
    pub fn inconclusive(&self) -> usize {
        self.findings.iter().filter(|finding| matches!(finding, Finding::Inconclusive(_))).count()
    }

    /// Whether it is as it must be: a mistake was found, or the correct program passed everywhere.
    #[must_use]
    pub fn holds(&self) -> bool {
        match self.flaw {
            Some(_) => self.convictions().next().is_some(),
            None => self.findings.iter().all(|finding| *finding == Finding::AsExpected),
        }
    }
}

/// Every program against every scenario.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Matrix {
    /// The files of the scenarios.
    pub scenarios: Vec<PathBuf>,
    /// The lane that each of them was run on.
    pub lanes: Vec<TransportKind>,
    /// The kinds of fault in each of them, in the order of the alphabet: none, one, or several at once.
    pub kinds: Vec<Vec<&'static str>>,
    /// The correct program first, then every mutant.
    pub rows: Vec<Row>,
}

impl Matrix {
    /// Runs every program through every one of `scenarios`: in memory, or on the simulated network where the
    /// faults need that.
    ///
    /// # Errors
    /// If a scenario cannot be run at all.
    pub fn run(scenarios: &[Scenario]) -> Result<Self, RunError> {
        let (lanes, columns): (Vec<_>, Vec<_>) = in_parallel(scenarios)?.into_iter().unzip();
        let row = |(index, flaw): (usize, _)| Row {
            flaw,
            findings: columns.iter().map(|it| it[index].clone()).collect(),
        };
        Ok(Self {
            scenarios: scenarios.iter().map(|scenario| scenario.path.clone()).collect(),
            lanes,
            kinds: scenarios.iter().map(kinds).collect(),
            rows: programs().enumerate().map(row).collect(),
        })
    }

    /// Whether every mutant is convicted and the correct program is not. Without scenarios it is not so.
    #[must_use]
    pub fn holds(&self) -> bool {
        !self.rows.is_empty() && self.rows.iter().all(Row::holds)
    }

    /// What tells most of what is charged against `row`, with the position of the scenario: that a damaged file was
    /// taken for a good one before anything else, if possible where a damage was expected, and of several such the one of the
    /// scenario that convicts the fewest others, because that one speaks of this mistake.
    #[must_use]
    pub fn most_telling<'a>(&self, row: &'a Row) -> Option<(usize, &'a Charge)> {
        let charges = row.convictions().flat_map(|index| {
            let Finding::Convicted(charges) = &row.findings[index] else { return Vec::new() };
            charges.iter().map(|charge| (index, charge)).collect()
        });
        charges.min_by_key(|(index, charge)| {
            (!charge.is_grave(), charge.expects_intact(), self.convicted_by(*index))
        })
    }

    /// How many programs the scenario at this position convicts.
    fn convicted_by(&self, scenario: usize) -> usize {
        self.rows.iter().filter(|row| row.findings[scenario].convicts()).count()
    }
}

/// The correct program, and every mutant.
fn programs() -> impl Iterator<Item = Option<Flaw>> {
    std::iter::once(None).chain(Flaw::ALL.map(Some))
}

fn kinds(scenario: &Scenario) -> Vec<&'static str> {
    let kinds: BTreeSet<_> = scenario.faults.iter().map(|fault| fault.value.effect.name()).collect();
    kinds.into_iter().collect()
}

/// What one scenario says of every program, and on which lane.
type Column = (TransportKind, Vec<Finding>);

/// What each scenario says of every program. Runs share nothing, so that who carries them out makes no difference.
fn in_parallel(scenarios: &[Scenario]) -> Result<Vec<Column>, RunError> {
    let threads = available_parallelism().map_or(1, usize::from).min(scenarios.len()).clamp(1, MAX_THREADS);
    let share = |first| scenarios.iter().skip(first).step_by(threads).map(findings).collect();
    let shares = thread::scope(|scope| {
        let share = &share;
        let running: Vec<_> = (0..threads).map(|first| scope.spawn(move || share(first))).collect();
        running.into_iter().map(|thread| thread.join().unwrap_or_else(|panic| resume_unwind(panic))).collect()
    });
    let shares: Result<Vec<Vec<_>>, RunError> = Vec::into_iter(shares).collect();
    let mut shares: Vec<_> = shares?.into_iter().map(Vec::into_iter).collect();
    Ok((0..scenarios.len()).filter_map(|index| shares[index % threads].next()).collect())
}

/// What one scenario says of every program.
fn findings(scenario: &Scenario) -> Result<Column, RunError> {
    let plan = Plan::new(scenario)?;
    let lane = if plan.needs_network() { TransportKind::Turmoil } else { TransportKind::Memory };
    let mut transport = transport(lane, &plan)?;
    let mut find = |flaw| {
        let options = RunOptions { flaw, ..RunOptions::default() };
        run(&plan, &mut *transport, Site::for_plan(&plan)?, &options).map(Finding::of)
    };
    Ok((lane, programs().map(&mut find).collect::<Result<_, _>>()?))
}
