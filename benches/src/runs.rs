//! The 22 steps of `scenarios/basic.ron` with a small file, as a user runs them: planned once, then carried,
//! checked against the steps and judged, over and over.

use std::error::Error;
use std::path::Path;

use faults::Verdict;
use sim::run::{Plan, RunOptions, Site, run, transport};
use sim::scenario::{Scenario, Source, TransportKind};
use sim::transport::Transport;

/// The size of the file.
pub const FILE: u64 = 1024;

/// The 22 steps on one lane. The transport is made once, as the file is; everything else is made anew for
/// each run.
pub struct Basic {
    plan: Plan,
    transport: Box<dyn Transport>,
}

impl Basic {
    /// The 22 steps on the lane `kind`.
    ///
    /// # Errors
    /// If the scenario cannot be read or the transport cannot be made.
    pub fn new(kind: TransportKind) -> Result<Self, Box<dyn Error>> {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios/basic.ron");
        let mut scenario = Scenario::load(&path)?;
        for source in scenario.files.values_mut() {
            source.value = Source::Noise(FILE);
        }
        let plan = Plan::new(&scenario)?;
        let transport = transport(kind, &plan)?;
        Ok(Self { plan, transport })
    }

    /// Runs them once.
    ///
    /// # Panics
    /// If the run failed or did not go as the scenario says.
    pub fn run(&mut self) {
        let outcome = run(&self.plan, &mut *self.transport, Site::in_memory(), &RunOptions::default())
            .expect("the lane carries the run");
        assert_eq!(outcome.deviation, None);
        assert!(outcome.judgements.iter().all(|judgement| judgement.verdict == Verdict::Intact));
    }
}
