//! A small scenario as a file for `scenarios/`, with what the correct program makes of it.

use std::fmt::{Display, Write};

use faults::{Direction, FaultRecord};

use crate::explore::draft::Draft;
use crate::explore::swarm::lane_run;
use crate::run::{Inconclusive, Plan, RunOutcome};
use crate::scenario::{Expect, TransportKind};

/// The text of a scenario file. It says in words what goes wrong and what came of it, which is `finding`, and expects what
/// the correct program does: that one meets it, and a program with a mistake that shows there does not.
///
/// Where the correct program proves nothing, or leaves what no expectation can allow, a comment says so.
#[must_use]
pub fn to_scenario_file(draft: &Draft, finding: &impl Display) -> String {
    let mut written = Draft { expect: Vec::new(), ..draft.clone() };
    let lane = match written.scenario().ok().and_then(|it| Plan::new(&it).ok()) {
        Some(plan) if plan.needs_network() => TransportKind::Turmoil,
        _ => TransportKind::Memory,
    };
    written.transport = Some(lane);
    let outcome = outcome_of(&written, lane);
    written.about = about(draft, outcome.as_ref().ok(), finding);
    let mut doubts = Vec::new();
    match outcome {
        Ok(RunOutcome { inconclusive: Some(why), .. }) => {
            doubts.push(format!("With the correct program, nothing is proved: {}.", one_line(&why)));
        }
        Ok(outcome) => {
            written.expect = expectations(&outcome);
            let unmet = outcome_of(&written, lane).map_or_else(|_| Vec::new(), |it| it.unmet);
            doubts.extend(unmet.iter().map(|it| format!("No expectation can allow it: {}.", one_line(it))));
        }
        Err(why) => doubts.push(format!("The correct program could not be run: {}.", one_line(&why))),
    }
    let comments = doubts.iter().fold(String::new(), |mut text, doubt| {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "// {doubt}");
        text
    });
    format!("{comments}{written}")
}

/// What the correct program does with it.
fn outcome_of(draft: &Draft, lane: TransportKind) -> Result<RunOutcome, String> {
    let scenario = draft.scenario().map_err(|error| error.render(false))?;
    let plan = Plan::new(&scenario).map_err(|error| error.to_string())?;
    lane_run(&plan, lane, None).map_err(|error| error.to_string())
}

/// All that an outcome is, as expectations.
fn expectations(outcome: &RunOutcome) -> Vec<Expect> {
    let verdicts = outcome.judgements.iter().map(|it| match it.direction {
        Direction::Upload => Expect::Upload(it.verdict),
        Direction::Download => Expect::Download(it.verdict),
    });
    let mut listed: Vec<_> = outcome.aftermath.server.iter().map(|left| left.name.clone()).collect();
    listed.sort();
    verdicts.chain([Expect::Lists(listed)]).collect()
}

/// What goes wrong and what came of it, in a sentence.
fn about(draft: &Draft, outcome: Option<&RunOutcome>, finding: &impl Display) -> String {
    let told = outcome.filter(|it| !matches!(it.inconclusive, Some(Inconclusive::ControlFailed(_))));
    let faults: Vec<String> = match told {
        Some(outcome) => outcome.faults.iter().map(FaultRecord::describe).collect(),
        None => draft.faults.iter().map(|fault| format!("is {fault}")).collect(),
    };
    let finding = one_line(finding);
    match &faults[..] {
        [] => format!("Found by chance: {finding}."),
        [one] => format!("Found by chance, where a fault {one}: {finding}."),
        [first, rest @ ..] => {
            format!(
                "Found by chance, where a fault {first}, and another {}: {finding}.",
                rest.join(", and another ")
            )
        }
    }
}

fn one_line(text: &impl Display) -> String {
    text.to_string().lines().map(str::trim).collect::<Vec<_>>().join(" ")
}
