//! The outcome for programs: one JSON object per line, described in `docs/json.md`.

use serde::Serialize;

use super::View;
use super::lines::{Lines, hex};
use super::problem::{LeftRecord, Problem};
use super::words::{claim_words, truth_word, verdict_word};
use crate::run::RunOutcome;
use crate::scenario::Scenario;
use crate::transcript::JsonLine;
use crate::verdict::Judgement;
use faults::{ATTEMPT, FaultRecord, Truth};

/// One line.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
enum Record<'a> {
    Scenario {
        file: String,
        about: &'a str,
    },
    Event {
        #[serde(skip_serializing_if = "Option::is_none")]
        client: Option<usize>,
        #[serde(flatten)]
        event: JsonLine,
    },
    Verdict(VerdictRecord),
    Fault {
        number: usize,
        fault: String,
        offset: Option<u64>,
        attempt: u32,
        struck: Option<u64>,
        fired: bool,
        reached: bool,
        old: String,
        new: String,
    },
    Aftermath {
        server: Vec<LeftRecord>,
        clients: Vec<LeftRecord>,
    },
    Replay {
        command: &'a str,
    },
    #[serde(untagged)]
    Problem(Problem),
}

#[derive(Serialize)]
struct VerdictRecord {
    transfer: String,
    file: String,
    bytes: u64,
    verdict: &'static str,
    claim: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'static str>,
    truth: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    first_difference: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    arrived: Option<u64>,
}

/// The outcome for programs: one JSON object per line, described in `docs/json.md`.
#[must_use]
pub fn json(scenario: &Scenario, outcome: &RunOutcome, view: &View) -> String {
    let mut records =
        vec![Record::Scenario { file: scenario.path.display().to_string(), about: &scenario.about }];
    for (index, lines) in outcome.conversations.iter().enumerate() {
        let client = (outcome.conversations.len() > 1).then_some(index + 1);
        records.extend(
            lines.iter().map(|line| Record::Event { client, event: JsonLine::new(line, view.times) }),
        );
    }
    records.extend(outcome.judgements.iter().map(|judgement| Record::Verdict(verdict(judgement))));
    records.extend(outcome.faults.iter().zip(1..).map(|(record, number)| fault(record, number)));
    records.push(Record::Aftermath {
        server: outcome.aftermath.server.iter().map(LeftRecord::from).collect(),
        clients: outcome.aftermath.clients.iter().map(LeftRecord::from).collect(),
    });
    let problems = records.len();
    let deviation = outcome.deviation.iter().map(Problem::from);
    let inconclusive = outcome.inconclusive.iter().map(Problem::from);
    let unmet = outcome.unmet.iter().map(Problem::from);
    records.extend(deviation.chain(inconclusive).chain(unmet).map(Record::Problem));
    if records.len() > problems {
        records.push(Record::Replay { command: &view.replay });
    }
    Lines::all(records)
}

fn fault(record: &FaultRecord, number: usize) -> Record<'static> {
    Record::Fault {
        number,
        fault: record.fault.to_string(),
        offset: record.offset,
        attempt: ATTEMPT,
        struck: record.struck,
        fired: record.fired,
        reached: record.reached,
        old: hex(&record.old),
        new: hex(&record.new),
    }
}

fn verdict(judgement: &Judgement) -> VerdictRecord {
    let (first_difference, arrived) = match judgement.truth {
        Truth::Different { first, arrived } => (Some(first), Some(arrived)),
        Truth::Same | Truth::Nothing | Truth::Unreadable => (None, None),
    };
    let (claim, code) = claim_words(&judgement.outcome);
    VerdictRecord {
        transfer: judgement.direction.to_string(),
        file: judgement.file.to_string(),
        bytes: judgement.size,
        verdict: verdict_word(judgement.verdict),
        claim,
        code,
        truth: truth_word(judgement.truth),
        first_difference,
        arrived,
    }
}
