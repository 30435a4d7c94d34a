//! Faults that are added to those of a scenario.

use super::Scenario;
use super::draft::no_step;
use faults::{Fault, MAX_FAULTS, Region};
use notation::error::{Mistake, Mistakes};
use notation::{Located, ScenarioError};

impl Scenario {
    /// Puts `faults` behind its own. What it expects stays as it is.
    ///
    /// # Errors
    /// If these are more than it can have, or name a step that it does not have. Nothing is added then.
    pub fn add_faults(&mut self, faults: &[Located<Fault>]) -> Result<(), ScenarioError> {
        let (mut mistakes, count) = (Mistakes::default(), self.steps.len());
        for fault in faults {
            if let Region::Step(step) = fault.value.region
                && step > count
            {
                mistakes.add(|| no_step(&fault.place, step, count));
            }
        }
        if let Some(fault) = faults.get(MAX_FAULTS.saturating_sub(self.faults.len())) {
            let message = format!(
                "a scenario can have at most {MAX_FAULTS} faults, its own included, and here is one more"
            );
            mistakes.add(|| Mistake::at(&fault.place, message));
        }
        mistakes.into_result()?;
        self.faults.extend_from_slice(faults);
        Ok(())
    }
}
