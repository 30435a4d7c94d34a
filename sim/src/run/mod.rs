//! The straight line: a scenario is planned once, then run on a transport as often as wanted. What comes out
//! is the transcript, the first deviation from the steps, and the verdict of each transfer.

mod plan;
mod site;

use std::io;
use std::sync::Arc;

use crate::endpoint::{Client, ClientConfig, Sessions};
use crate::record::{Event, Progress, Recorder};
use crate::scenario::TransportKind;
use crate::transcript::{Deviation, Line, check, merge};
use crate::transport::{Job, Memory, Tcp, Transport, Turmoil};
use crate::verdict::{Judgement, judge};

pub use plan::Plan;
pub use site::Site;

/// What a run brought to light.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// What happened, in the order that is the same on every transport.
    pub lines: Vec<Line>,
    /// The first place where it did not go as the scenario says.
    pub deviation: Option<Deviation>,
    /// Every transfer, judged.
    pub judgements: Vec<Judgement>,
    /// Everything that was recorded, times included: the server, then the client, then the session.
    pub trace: Vec<Vec<Event>>,
}

/// Makes the transport of this kind, fit for the files of `plan`.
///
/// # Errors
/// If a socket or a thread cannot be made.
pub fn transport(kind: TransportKind, plan: &Plan) -> io::Result<Box<dyn Transport>> {
    Ok(match kind {
        TransportKind::Memory => Box::new(Memory::default()),
        TransportKind::Turmoil => Box::new(Turmoil),
        TransportKind::Tcp if plan.is_large() => Box::new(Tcp::with_threads()?),
        TransportKind::Tcp => Box::new(Tcp::new()?),
    })
}

/// Runs `plan` once.
///
/// # Errors
/// If the transport failed, or the files of the run could not be read or written. What goes wrong inside the
/// run is part of the outcome.
pub fn run(
    plan: &Plan,
    transport: &mut dyn Transport,
    site: &Site,
    progress: Option<Arc<Progress>>,
) -> io::Result<Outcome> {
    let record = Recorder::default();
    let service = Arc::new(Sessions::new(site.store(), plan.deadline()));
    let client = Client::new(ClientConfig {
        commands: plan.commands(),
        folder: site.folder(),
        deadline: plan.deadline(),
        record: record.clone(),
        progress,
    });
    let job = Job { seed: plan.seed(), service: service.clone(), clients: vec![Box::new(client)] };
    transport.run(job)?;

    let session = service.sessions().first().map(Recorder::take).unwrap_or_default();
    let trace = vec![service.record().take(), record.take(), session];
    let mut lines = merge(&trace[0], &trace[1], &trace[2]);
    let deviation = check(plan.steps(), &mut lines);
    let judgements = judge(&trace[1], |name| plan.content(name), &*site.store(), &site.folder())?;
    Ok(Outcome { lines, deviation, judgements, trace })
}
