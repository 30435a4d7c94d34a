//! Events for programs: one JSON object per line, described in `docs/json.md`.

use std::io::ErrorKind;

use serde::Serialize;

use super::lines::{Lines, hex};
use super::words::flow_word;
use faults::proxy::{Event, EventKind, PlacedFault, ProxyOutcome, Traffic};

/// One line.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
enum Record {
    Opened { client: String, target: String, listener: usize },
    Refused { client: String, error: &'static str, message: String },
    Fired { number: usize, fault: String, flow: &'static str, offset: u64, old: String, new: String },
    Delivered { number: usize, flow: &'static str, bytes: u64 },
    Closed { how: &'static str, to_server: Count, to_client: Count },
}

#[derive(Serialize)]
struct Count {
    sent: u64,
    delivered: u64,
}

#[derive(Serialize)]
struct Line {
    time_ns: u64,
    connection: u64,
    #[serde(flatten)]
    record: Record,
}

/// The event as one line of JSON, with its newline.
#[must_use]
pub fn json(event: &Event, lines: &Lines) -> String {
    let record = match &event.what {
        EventKind::Opened { client, target, listener } => {
            Record::Opened { client: client.to_string(), target: target.to_string(), listener: listener + 1 }
        }
        EventKind::Refused { client, error } => {
            let (client, message) = (client.to_string(), error.to_string());
            Record::Refused { client, error: error_word(*error), message }
        }
        EventKind::Fired { number, fault, flow, offset, old, new } => Record::Fired {
            number: number + 1,
            fault: fault.to_string(),
            flow: flow_word(*flow),
            offset: *offset,
            old: hex(old),
            new: hex(new),
        },
        EventKind::Delivered { number, flow, bytes } => {
            Record::Delivered { number: number + 1, flow: flow_word(*flow), bytes: *bytes }
        }
        EventKind::Closed { how, to_server, to_client } => {
            Record::Closed { how: how.name(), to_server: count(*to_server), to_client: count(*to_client) }
        }
    };
    let time_ns = u64::try_from(event.at.as_nanos()).unwrap_or(u64::MAX);
    let line = Line { time_ns, connection: event.connection, record };
    lines.line(&line)
}

/// The last lines of a record.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
enum Last {
    Fault { number: usize, fault: String, fired: u64, delivered: u64 },
    Stopped { connections: u64, refused: u64 },
}

/// How a record ends: a line for each fault, and one for the whole.
#[must_use]
pub fn last_json(placed: &[PlacedFault], outcome: &ProxyOutcome, lines: &Lines) -> Vec<String> {
    let faults = (1..).zip(placed).zip(&outcome.faults).map(|((number, placed), proof)| Last::Fault {
        number,
        fault: placed.fault.to_string(),
        fired: proof.fired,
        delivered: proof.delivered,
    });
    let stopped = Last::Stopped { connections: outcome.connections, refused: outcome.refused };
    faults.chain([stopped]).map(|line| lines.line(&line)).collect()
}

/// Why a target could not be reached, as far as somebody may decide by it.
const fn error_word(error: ErrorKind) -> &'static str {
    match error {
        ErrorKind::ConnectionRefused => "connection-refused",
        ErrorKind::ConnectionReset => "connection-reset",
        ErrorKind::ConnectionAborted => "connection-aborted",
        ErrorKind::HostUnreachable => "host-unreachable",
        ErrorKind::NetworkUnreachable => "network-unreachable",
        ErrorKind::TimedOut => "timed-out",
        _ => "other",
    }
}

const fn count(Traffic { sent, delivered }: Traffic) -> Count {
    Count { sent, delivered }
}
