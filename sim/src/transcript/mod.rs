//! The story of a run: the events of both sides in one order that is the same on every transport, checked
//! against the steps of the scenario, and printed as text or JSON. It reports; it does not judge the files.

mod check;
mod json;
mod merge;
mod one_side;
mod text;

use std::ops::Range;
use std::time::Duration;

use transfer::record::{Action, Evidence};

pub use check::{Cause, Deviation, check};
pub use json::JsonLine;
pub(crate) use json::{event_name, failure_name, kind_name};
pub use merge::merge;
pub use one_side::seen_by_client;
pub use text::{describe, render};

/// Who did or saw it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    /// The client.
    Client,
    /// The server.
    Server,
}

/// One line of the transcript.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The number of the scenario's step that this is, from 1. `None` if it is part of no step.
    pub step: Option<usize>,
    /// When, by the transport's clock. Differs between transports.
    pub at: Duration,
    /// Who.
    pub side: Side,
    /// What.
    pub action: Action,
    /// For a message that was sent: its offsets in the stream of this side.
    pub stream: Option<Range<u64>>,
    /// For a file that was received or saved: its bytes at that moment.
    pub file: Option<Evidence>,
}
