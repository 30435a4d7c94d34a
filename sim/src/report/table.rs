//! The summary of several runs: one row each.

use anstyle::{AnsiColor, Style};

use crate::run::RunOutcome;
use crate::scenario::Scenario;

/// One run of several.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    scenario: String,
    faults: String,
    verdicts: String,
    expected: String,
    held: bool,
}

impl Row {
    /// The row of a run.
    #[must_use]
    pub fn new(scenario: &Scenario, outcome: &RunOutcome) -> Self {
        let list = |items: Vec<String>| if items.is_empty() { "-".into() } else { items.join(", ") };
        let verdict = |judgement: &crate::verdict::Judgement| {
            let direction = judgement.direction.to_string();
            format!("{}{}({})", direction[..1].to_uppercase(), &direction[1..], judgement.verdict)
        };
        Self {
            scenario: scenario.path.display().to_string(),
            faults: list(scenario.faults.iter().map(|fault| fault.value.effect.name().to_owned()).collect()),
            verdicts: list(outcome.judgements.iter().map(verdict).collect()),
            expected: list(scenario.expect.iter().map(|expect| expect.value.to_string()).collect()),
            held: outcome.deviation.is_none() && outcome.inconclusive.is_none() && outcome.unmet.is_empty(),
        }
    }

    /// The row of a scenario that could not be run.
    #[must_use]
    pub fn failed(scenario: &Scenario) -> Self {
        let [faults, verdicts, expected] = ["-", "not run", "-"].map(String::from);
        Self { scenario: scenario.path.display().to_string(), faults, verdicts, expected, held: false }
    }

    fn cells(&self) -> [&str; 4] {
        [&self.scenario, &self.faults, &self.verdicts, &self.expected]
    }
}

/// The rows under their heads, styled with ANSI escapes.
#[must_use]
pub fn table(rows: &[Row]) -> String {
    let heads = ["scenario", "fault", "verdict", "expected"];
    let mut widths = heads.map(|head| head.chars().count());
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row.cells()) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let line = |cells: [&str; 4], last: &str| {
        let padded: Vec<String> =
            cells.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        format!("{}  {last}\n", padded.join("  "))
    };
    let mut text = line(heads, "");
    for row in rows {
        let (style, word) = if row.held { (GOOD, "as expected") } else { (BAD, "NOT as expected") };
        text.push_str(&line(row.cells(), &format!("{style}{word}{style:#}")));
    }
    let held = rows.iter().filter(|row| row.held).count();
    text + &format!("\n{held} of {} as expected\n", rows.len())
}

const GOOD: Style = AnsiColor::Green.on_default();
const BAD: Style = AnsiColor::Red.on_default().bold();
