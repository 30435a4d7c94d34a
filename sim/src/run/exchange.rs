//! One exchange on a transport: the endpoints are made, the transport carries them to their end, and what they
//! recorded is put in order.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use protocol::Entry;

use super::course::Course;
use super::{Options, Plan, Site};
use crate::endpoint::{Client, ClientConfig, Endpoint, FirstSession, ServerConfig, Sessions};
use crate::fault::Wires;
use crate::record::{Action, Event, Message, Recorder};
use crate::storage::{Content, Folder, Store};
use crate::transcript::{Line, merge};
use crate::transport::{Job, LATENCY, Transport};
use crate::verdict::{Judgement, claims, judge};

/// A server waits longer than its clients, so that of a stall it is always the client that gives up first.
const SERVER_PATIENCE: u32 = 2;

/// What is between the endpoints of an exchange.
pub(super) struct Conditions {
    pub(super) store: Arc<dyn Store>,
    pub(super) wires: Wires,
    pub(super) latency: (Duration, Duration),
    /// Follows the connection that faults strike.
    pub(super) struck: Option<Struck>,
}

/// Who follows the connection that faults strike, and the store that its session sees.
pub(super) struct Struck {
    pub(super) course: Course,
    pub(super) store: Arc<dyn Store>,
}

impl Conditions {
    /// Nothing goes wrong.
    pub(super) fn clean(site: &Site) -> Self {
        Self { store: site.store(), wires: Wires::default(), latency: (LATENCY, LATENCY), struck: None }
    }
}

/// What came of an exchange.
pub(super) struct Exchange {
    /// Of each client, what happened.
    pub(super) conversations: Vec<Vec<Line>>,
    /// Every transfer of every client, judged on its own.
    pub(super) judgements: Vec<Judgement>,
    /// Everything that was recorded.
    pub(super) trace: Vec<Vec<Event>>,
    /// How many bytes of the first connection each end has seen: the server, the first client.
    pub(super) seen: (u64, u64),
    pub(super) folders: Vec<Folder>,
    /// The store as the server had it, with the faults of its disk.
    pub(super) store: Arc<dyn Store>,
}

/// Carries out `plan` under these conditions.
pub(super) fn exchange(
    plan: &Plan,
    transport: &mut dyn Transport,
    site: &Site,
    conditions: Conditions,
    options: &Options,
) -> io::Result<Exchange> {
    let store = conditions.store;
    let struck = conditions.struck.as_ref();
    let server = ServerConfig {
        flaw: options.flaw,
        first: struck.map(|Struck { course, store }| FirstSession {
            store: Arc::clone(store),
            observer: course.session(),
        }),
        ..ServerConfig::new(Arc::clone(&store), plan.deadline() * SERVER_PATIENCE)
    };
    let service = Arc::new(Sessions::new(server));
    let mut records: Vec<Recorder> = plan.clients().iter().map(|_| Recorder::default()).collect();
    if let (Some(struck), Some(first)) = (struck, records.first_mut()) {
        *first = Recorder::watched(struck.course.client());
    }
    let folders = site.folders(records.len())?;
    let clients = (0..records.len()).map(|index| client(plan, index, &records, &folders, options));
    transport.run(Job {
        seed: plan.seed(),
        service: service.clone(),
        clients: clients.collect(),
        wires: conditions.wires,
        latency: conditions.latency,
    })?;
    collect(plan, &service, &records, folders, store)
}

fn client(
    plan: &Plan,
    index: usize,
    records: &[Recorder],
    folders: &[Folder],
    options: &Options,
) -> Box<dyn Endpoint> {
    Box::new(Client::new(ClientConfig {
        retries: plan.retries(),
        flaw: options.flaw,
        record: records[index].clone(),
        progress: options.progress.clone(),
        ..ClientConfig::new(plan.clients()[index].clone(), folders[index].clone(), plan.deadline())
    }))
}

/// Gives each client its sessions: the n-th connection is the n-th client's, and of those after them, which
/// only a retry makes, all are the first client's.
fn collect(
    plan: &Plan,
    service: &Sessions,
    records: &[Recorder],
    folders: Vec<Folder>,
    store: Arc<dyn Store>,
) -> io::Result<Exchange> {
    let sessions = service.sessions();
    let seen = (sessions.first().map_or(0, Recorder::seen), records.first().map_or(0, Recorder::seen));
    let mut exchange = Exchange {
        conversations: Vec::new(),
        judgements: Vec::new(),
        trace: Vec::new(),
        seen,
        folders,
        store,
    };
    let listening = service.record().take();
    let (mut claimed, mut stored) = (Vec::new(), Vec::new());
    for (index, record) in records.iter().enumerate() {
        let retries = if index == 0 { sessions.get(records.len()..).unwrap_or_default() } else { &[] };
        let own: Vec<&Recorder> = sessions.get(index).into_iter().chain(retries).collect();
        let sessions: Vec<Vec<Event>> = own.iter().map(|session| session.take()).collect();
        let received: Vec<Content> = own.iter().flat_map(|session| session.take_received()).collect();
        let client = record.take();
        let events = sessions.concat();
        stored.extend(stored_in(&events, &received));
        // The server is the same for all: that it listens is told once.
        let server = if index == 0 { &listening[..] } else { &[] };
        let lines = merge(server, &client, &sessions);
        claimed.push(claims(&lines, received, record.take_received()));
        exchange.trace.extend([client, events]);
        exchange.conversations.push(lines);
    }
    exchange.trace.push(listening);
    for (index, claimed) in claimed.into_iter().enumerate() {
        exchange.judgements.extend(judge(claimed, &mut plan.sources(index, stored.clone()))?);
    }
    Ok(exchange)
}

/// What sessions with these events saved, and the bytes that they had received for it.
fn stored_in(events: &[Event], received: &[Content]) -> Vec<(Entry, Content)> {
    let mut received = received.iter();
    let mut latest = None;
    let stored = events.iter().filter_map(|event| match &event.action {
        Action::Received(Message::Payload { .. }) => {
            latest = received.next();
            None
        }
        Action::Saved(entry) => latest.take().map(|content| (entry.clone(), content.clone())),
        _ => None,
    });
    stored.collect()
}
