//! The outcome for programs: one JSON object per line, described in `docs/transcript.md`.

use serde::Serialize;

use super::View;
use crate::run::Outcome;
use crate::scenario::Scenario;
use crate::transcript::JsonLine;
use crate::verdict::{Judgement, Left};
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
        server: Vec<String>,
        clients: Vec<String>,
    },
    Deviation {
        step: usize,
        #[serde(skip_serializing_if = "Option::is_none")]
        expected: Option<String>,
        message: String,
    },
    Inconclusive {
        message: String,
    },
    Unmet {
        message: String,
    },
    Replay {
        command: &'a str,
    },
}

#[derive(Serialize)]
struct VerdictRecord {
    transfer: String,
    file: String,
    bytes: u64,
    verdict: String,
    claim: String,
    truth: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    first_difference: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    arrived: Option<u64>,
}

/// The outcome for programs: one JSON object per line, described in `docs/transcript.md`.
#[must_use]
pub fn json(scenario: &Scenario, outcome: &Outcome, view: &View) -> String {
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
        server: outcome.aftermath.server.iter().map(Left::to_string).collect(),
        clients: outcome.aftermath.clients.iter().map(Left::to_string).collect(),
    });
    let problems = records.len();
    if let Some(deviation) = &outcome.deviation {
        let expected = deviation.expected.as_ref().map(ToString::to_string);
        records.push(Record::Deviation { step: deviation.step, expected, message: deviation.to_string() });
    }
    records.extend(outcome.inconclusive.iter().map(|why| Record::Inconclusive { message: why.to_string() }));
    records.extend(outcome.unmet.iter().map(|unmet| Record::Unmet { message: unmet.to_string() }));
    if records.len() > problems {
        records.push(Record::Replay { command: &view.replay });
    }
    // Objects of strings and numbers always serialise.
    records.iter().map(|record| serde_json::to_string(record).unwrap_or_default() + "\n").collect()
}

fn fault(record: &FaultRecord, number: usize) -> Record<'static> {
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect();
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
    let (truth, first_difference, arrived) = match judgement.truth {
        Truth::Same => ("same", None, None),
        Truth::Different { first, arrived } => ("different", Some(first), Some(arrived)),
        Truth::Nothing => ("nothing", None, None),
        Truth::Unreadable => ("unreadable", None, None),
    };
    VerdictRecord {
        transfer: judgement.direction.to_string(),
        file: judgement.file.to_string(),
        bytes: judgement.size,
        verdict: judgement.verdict.to_string(),
        claim: judgement.claim.to_string().to_lowercase(),
        truth,
        first_difference,
        arrived,
    }
}
