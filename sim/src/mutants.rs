//! The control on the harness itself: programs with known mistakes run through scenarios, and each has to be
//! convicted by at least one, while the correct program is convicted by none. It adds no judgement of its own:
//! what a [`run`](crate::run) says of a mutant is all that counts, exactly as for a program under test.
//!
//! A mutant is *convicted* by a scenario where an expectation is not met, or a step without faults goes
//! otherwise: the runs that exit with 1. One whose control run fails, or that no fault reached, is not: the
//! harness then says that nothing is proved, and a control that took this for a conviction would pass with a
//! harness that only ever finds programs it cannot test. Such findings are counted on their own.

use std::path::PathBuf;

use crate::endpoint::Flaw;
use crate::run::{Inconclusive, Options, Outcome, Plan, RunError, Site, run, transport};
use crate::scenario::{Scenario, TransportKind};

/// What one scenario says of one program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// All went as expected.
    AsExpected,
    /// Something did not: each thing in words, at least one.
    Convicted(Vec<String>),
    /// Nothing is proved.
    Inconclusive(Inconclusive),
}

impl Finding {
    /// What `outcome` says.
    #[must_use]
    pub fn of(outcome: Outcome) -> Self {
        let mut charges: Vec<String> = outcome.deviation.iter().map(ToString::to_string).collect();
        charges.extend(outcome.unmet);
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
pub struct Matrix {
    /// The files of the scenarios.
    pub scenarios: Vec<PathBuf>,
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
        let programs = std::iter::once(None).chain(Flaw::ALL.map(Some));
        let mut rows: Vec<Row> = programs.map(|flaw| Row { flaw, findings: Vec::new() }).collect();
        for scenario in scenarios {
            let plan = Plan::new(scenario)?;
            let lane = if plan.needs_network() { TransportKind::Turmoil } else { TransportKind::Memory };
            let mut transport = transport(lane, &plan)?;
            for row in &mut rows {
                let options = Options { flaw: row.flaw, ..Options::default() };
                let outcome = run(&plan, &mut *transport, &Site::for_plan(&plan)?, &options)?;
                row.findings.push(Finding::of(outcome));
            }
        }
        Ok(Self { scenarios: scenarios.iter().map(|scenario| scenario.path.clone()).collect(), rows })
    }

    /// Whether every mutant is convicted and the correct program is not. Without scenarios it is not so.
    #[must_use]
    pub fn holds(&self) -> bool {
        !self.rows.is_empty() && self.rows.iter().all(Row::holds)
    }

    /// The most telling of the scenarios that convict `row`, by its position: the one that convicts the fewest
    /// others, the first of several.
    #[must_use]
    pub fn most_telling(&self, row: &Row) -> Option<usize> {
        row.convictions().min_by_key(|scenario| self.convicted_by(*scenario))
    }

    /// How many programs the scenario at this position convicts.
    fn convicted_by(&self, scenario: usize) -> usize {
        self.rows.iter().filter(|row| row.findings[scenario].convicts()).count()
    }
}
