//! What a run did, as one number: two runs with the same went the same way through the programs, whatever bytes they moved.

use std::fmt::Write;

use crate::run::RunOutcome;
use crate::transcript::{Line, Side, event_name, failure_name, kind_name};
use faults::Direction;
use protocol::{Compared, Error};
use transfer::record::{Action, Failure, Kind, Message};

/// The number of what `outcome` tells: who did what in which order, and what came of it. It knows no name, size, offset,
/// byte or time, and not which fault struck. It is the same on every machine and in every version of Rust.
#[must_use]
pub fn signature(outcome: &RunOutcome) -> u64 {
    stable_hash(&story(outcome))
}

/// The FNV-1a hash of a text.
#[must_use]
pub fn stable_hash(text: &str) -> u64 {
    let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    text.bytes().fold(0xcbf2_9ce4_8422_2325, step)
}

/// The text of which the number is made.
fn story(outcome: &RunOutcome) -> String {
    let mut text = String::new();
    for lines in &outcome.conversations {
        text.push_str("client\n");
        lines.iter().for_each(|line| tell(line, &mut text));
    }
    for judgement in &outcome.judgements {
        let _ = writeln!(text, "{} {}", judgement.direction, judgement.verdict);
    }
    for (place, left) in [("server", &outcome.aftermath.server), ("clients", &outcome.aftermath.clients)] {
        left.iter().for_each(|left| {
            let _ = writeln!(text, "{place} {}", left.condition.word());
        });
    }
    text
}

fn tell(line: &Line, text: &mut String) {
    let side = match line.side {
        Side::Client => 'c',
        Side::Server => 's',
    };
    // Writing to a String cannot fail.
    let _ = match &line.action {
        Action::Struck { .. } => return,
        Action::Sent(message) | Action::Received(message) => {
            writeln!(text, "{side} {} {}", event_name(&line.action), message_word(message))
        }
        Action::Compared(direction, compared) => {
            let way = if *direction == Direction::Upload { "up" } else { "down" };
            let same = matches!(compared, Compared::Same(_));
            writeln!(text, "{side} compared {way} {same}")
        }
        Action::Failed(failure) => writeln!(text, "{side} failed {}", failure_word(failure)),
        action => writeln!(text, "{side} {}", event_name(action)),
    };
}

fn message_word(message: &Message) -> String {
    match message {
        Message::Payload { .. } => "payload".into(),
        Message::Text { kind: Kind::Refusal(code), .. } => format!("refusal {code}"),
        Message::Text { kind, .. } => kind_name(kind).into(),
    }
}

fn failure_word(failure: &Failure) -> String {
    match failure {
        Failure::Protocol(Error::Refused(code)) => format!("refused {code}"),
        other => failure_name(other).into(),
    }
}
