//! One exchange on a transport: the endpoints are made, the transport carries them to their end, and what they
//! recorded is put in order.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use protocol::{Entry, UploadDetails};

use super::course::Course;
use super::owners::{OwnedSessions, owned};
use super::{Plan, RunOptions, Site};
use crate::transcript::{Line, merge};
use crate::transport::{Job, LATENCY, Transport};
use crate::verdict::{Judgement, claims, judge};
use faults::{Content, Flow, Wires};
use transfer::endpoint::{Client, ClientConfig, Endpoint, FirstSession, ServerConfig, Sessions};
use transfer::record::{Action, Event, Kind, Message, Recorder};
use transfer::storage::{Folder, Store};

/// A server waits longer than its clients, so that of a stall it is always the client that gives up first.
const SERVER_PATIENCE: u32 = 2;

/// What is between the endpoints of an exchange.
pub(super) struct Conditions {
    pub(super) store: Arc<dyn Store>,
    pub(super) wires: Wires,
    pub(super) latency: (Duration, Duration),
    /// Follows the connection that faults strike.
    pub(super) faulted: Option<FaultedConnection>,
}

/// Who follows the connection that faults strike, and the store that its session sees.
pub(super) struct FaultedConnection {
    pub(super) course: Course,
    pub(super) store: Arc<dyn Store>,
}

impl Conditions {
    /// Nothing goes wrong.
    pub(super) fn clean(site: &Site) -> Self {
        Self { store: site.store(), wires: Wires::default(), latency: (LATENCY, LATENCY), faulted: None }
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
    /// Why it is not known of some session whose it is. Then nothing is proved.
    pub(super) doubt: Option<String>,
    /// How many bytes of the connection with the faults each end has seen: the server, the client.
    pub(super) seen: (u64, u64),
    /// Whether each of them was given exactly what the other had sent.
    pub(super) as_sent: (bool, bool),
    pub(super) folders: Vec<Folder>,
    /// The store as the server had it, with the faults of its disk.
    pub(super) store: Arc<dyn Store>,
}

/// What is left when the transport is done.
pub(super) struct ExchangeEnd {
    pub(super) wires: Wires,
    pub(super) folders: Vec<Folder>,
    pub(super) store: Arc<dyn Store>,
}

/// Carries out `plan` under these conditions.
pub(super) fn exchange(
    plan: &Plan,
    transport: &mut dyn Transport,
    site: &Site,
    conditions: Conditions,
    options: &RunOptions,
) -> io::Result<Exchange> {
    let store = conditions.store;
    let faulted = conditions.faulted.as_ref();
    let config = ServerConfig {
        first: faulted.map(|FaultedConnection { course, store }| FirstSession {
            store: Arc::clone(store),
            observer: course.session(),
        }),
        ..server(plan, &store, options)
    };
    let service = Arc::new(Sessions::new(config));
    let mut records: Vec<Recorder> = plan.clients().iter().map(|_| Recorder::default()).collect();
    if let (Some(faulted), Some(first)) = (faulted, records.first_mut()) {
        *first = Recorder::watched(faulted.course.client());
    }
    let folders = site.folders(records.len())?;
    let client = |index| -> Box<dyn Endpoint> { Box::new(client(plan, index, &records, &folders, options)) };
    let clients = (0..records.len()).map(client);
    transport.run(Job {
        seed: plan.seed(),
        service: service.clone(),
        clients: clients.collect(),
        wires: conditions.wires.clone(),
        latency: conditions.latency,
    })?;
    collect(plan, &service, &records, ExchangeEnd { wires: conditions.wires, folders, store })
}

/// What the server of a run is.
pub(super) fn server(plan: &Plan, store: &Arc<dyn Store>, options: &RunOptions) -> ServerConfig {
    let config = ServerConfig::new(Arc::clone(store), plan.deadline() * SERVER_PATIENCE);
    ServerConfig { conduct: options.flaw.into(), ..config }
}

/// The client with this index.
pub(super) fn client(
    plan: &Plan,
    index: usize,
    records: &[Recorder],
    folders: &[Folder],
    options: &RunOptions,
) -> Client {
    Client::new(ClientConfig {
        retries: plan.retries(),
        conduct: options.flaw.into(),
        record: records[index].clone(),
        progress: options.progress.clone(),
        ..ClientConfig::new(plan.clients()[index].clone(), folders[index].clone(), plan.deadline())
    })
}

/// Puts together what each client and its sessions recorded, and judges it.
pub(super) fn collect(
    plan: &Plan,
    service: &Sessions,
    records: &[Recorder],
    end: ExchangeEnd,
) -> io::Result<Exchange> {
    let clients: Vec<Vec<Event>> = records.iter().map(Recorder::take).collect();
    let sessions = service.sessions().iter().map(Recorder::take).collect();
    let OwnedSessions { sessions, doubt } = owned(&clients, sessions);
    let stored: Vec<_> = sessions.iter().flatten().flat_map(|session| stored_in(session)).collect();
    let listening = service.record().take();
    let mut exchange = Exchange {
        conversations: Vec::new(),
        judgements: Vec::new(),
        trace: Vec::new(),
        doubt,
        seen: (end.wires.seen(Flow::ToServer), end.wires.seen(Flow::ToClient)),
        as_sent: (end.wires.is_as_sent(Flow::ToServer), end.wires.is_as_sent(Flow::ToClient)),
        folders: end.folders,
        store: end.store,
    };
    for (index, (client, sessions)) in clients.into_iter().zip(sessions).enumerate() {
        // The server is the same for all: that it listens is told once.
        let server = if index == 0 { &listening[..] } else { &[] };
        let lines = merge(server, &client, &sessions);
        exchange.judgements.extend(judge(claims(&lines), &mut plan.sources(index, stored.clone()))?);
        exchange.trace.extend([client, sessions.into_iter().flatten().collect()]);
        exchange.conversations.push(lines);
    }
    exchange.trace.push(listening);
    Ok(exchange)
}

/// What a session saved, and the bytes that had been received for it. Whose machine went down when a file had come
/// may have saved it and not come to say so.
fn stored_in(session: &[Event]) -> Vec<(Entry, Content)> {
    let (mut stored, mut details, mut came) = (Vec::new(), None, None);
    for event in session {
        match (&event.action, &event.file) {
            (Action::Received(Message::Text { kind: Kind::Details, text }), _) => {
                details = UploadDetails::parse(text).ok();
            }
            (Action::Received(Message::Payload { digest, .. }), Some(Ok(file))) => {
                let entry =
                    details.take().map(|UploadDetails { name, size }| Entry { id: *digest, name, size });
                came = entry.map(|entry| (entry, file.clone()));
            }
            (Action::Saved(entry), Some(Ok(file))) => {
                came = None;
                stored.push((entry.clone(), file.clone()));
            }
            (Action::Crashed, _) => stored.extend(came.take()),
            _ => {}
        }
    }
    stored
}
