//! Events for programs: one JSON object per line, described in `docs/proxy.md`.

use serde::Serialize;

use faults::Flow;
use faults::proxy::{Carried, Event, What};

/// One line.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
enum Record {
    Opened { client: String, target: String, listener: usize },
    Refused { client: String, error: String },
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
pub fn json(event: &Event) -> String {
    let record = match &event.what {
        What::Opened { client, target, listener } => {
            Record::Opened { client: client.to_string(), target: target.to_string(), listener: listener + 1 }
        }
        What::Refused { client, error } => {
            Record::Refused { client: client.to_string(), error: error.to_string() }
        }
        What::Fired { number, fault, flow, offset, old, new } => Record::Fired {
            number: number + 1,
            fault: fault.to_string(),
            flow: flow_name(*flow),
            offset: *offset,
            old: hex(old),
            new: hex(new),
        },
        What::Delivered { number, flow, bytes } => {
            Record::Delivered { number: number + 1, flow: flow_name(*flow), bytes: *bytes }
        }
        What::Closed { how, to_server, to_client } => {
            Record::Closed { how: how.name(), to_server: count(*to_server), to_client: count(*to_client) }
        }
    };
    let time_ns = u64::try_from(event.at.as_nanos()).unwrap_or(u64::MAX);
    let line = Line { time_ns, connection: event.connection, record };
    // An object of strings and numbers always serialises.
    serde_json::to_string(&line).unwrap_or_default() + "\n"
}

const fn count(Carried { sent, delivered }: Carried) -> Count {
    Count { sent, delivered }
}

const fn flow_name(flow: Flow) -> &'static str {
    match flow {
        Flow::ToServer => "to-server",
        Flow::ToClient => "to-client",
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
