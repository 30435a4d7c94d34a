//! A lane with a tap on every endpoint: the bytes that went in and out of it, and a copy of what it recorded. It
//! changes nothing and knows nothing of the verdict.

use std::io;
use std::sync::{Arc, Mutex};
use std::task::Waker;
use std::time::Duration;

use faults::{Buffer, ConnectionId, End, Machine, Reader};
use sim::transport::{Job, Transport};
use transfer::endpoint::{Endpoint, Service};
use transfer::record::{Action, Event, Recorder};

/// What one end of one connection sent and was shown.
#[derive(Clone, Debug, Default)]
pub(super) struct Wire {
    pub(super) id: Option<ConnectionId>,
    pub(super) sent: Vec<u8>,
    /// What came out of the faults for it.
    pub(super) shown: Vec<u8>,
    taken: usize,
}

/// One endpoint: everything that it recorded, and its connections.
#[derive(Clone, Debug, Default)]
pub(super) struct Tapped {
    pub(super) events: Vec<Event>,
    pub(super) wires: Vec<Wire>,
}

/// What the taps of one exchange gave.
#[derive(Clone, Debug, Default)]
pub(super) struct Tape {
    pub(super) clients: Vec<Tapped>,
    /// In the order in which they were accepted.
    pub(super) sessions: Vec<Tapped>,
}

impl Tape {
    /// The session at the other end of this connection.
    pub(super) fn session(&self, wire: &Wire) -> Option<&Tapped> {
        self.sessions.iter().find(|session| session.wires.iter().any(|it| it.id == wire.id))
    }
}

/// A lane with taps.
pub(super) struct Tap {
    inner: Box<dyn Transport>,
    /// One for each exchange: the last is the run that counts.
    pub(super) tapes: Vec<Tape>,
}

impl Tap {
    pub(super) fn on(inner: Box<dyn Transport>) -> Self {
        Self { inner, tapes: Vec::new() }
    }
}

type Wires = Arc<Mutex<Vec<Wire>>>;

impl Transport for Tap {
    fn run(&mut self, mut job: Job) -> io::Result<()> {
        let service = Arc::new(TappedService { inner: Arc::clone(&job.service), taps: Mutex::default() });
        let mut clients = Vec::new();
        job.clients = job.clients.into_iter().map(|client| tapped(client, &mut clients, None)).collect();
        job.service = service.clone();
        let result = self.inner.run(job);
        let sessions = std::mem::take(&mut *service.taps.lock().unwrap());
        let read = |taps: Vec<(Recorder, Wires)>| taps.iter().map(read).collect();
        self.tapes.push(Tape { clients: read(clients), sessions: read(sessions) });
        result
    }
}

/// Puts a tap on an endpoint, and what it will give into `taps`. A session is connected from the beginning.
fn tapped(
    inner: Box<dyn Endpoint>,
    taps: &mut Vec<(Recorder, Wires)>,
    id: Option<ConnectionId>,
) -> Box<dyn Endpoint> {
    let wires = Wires::default();
    if id.is_some() {
        wires.lock().unwrap().push(Wire { id, ..Wire::default() });
    }
    taps.push((inner.record().clone(), Arc::clone(&wires)));
    Box::new(TappedEndpoint { inner, wires })
}

/// Copies what was recorded: there is no other way than to take it out and put it back.
fn read((record, wires): &(Recorder, Wires)) -> Tapped {
    let events = record.take();
    for event in events.clone() {
        match (event.action, event.stream, event.file, event.connection) {
            (Action::Sent(message), Some(stream), ..) => record.record_sent(event.at, message, stream),
            (Action::Sending(_), Some(stream), ..) => record.record_sending(event.at, stream),
            (action, _, Some(file), _) => record.record_file(event.at, action, &file),
            (action, .., Some(connection)) => record.record_connection(event.at, action, connection),
            (action, ..) => record.record(event.at, action),
        }
    }
    Tapped { events, wires: wires.lock().unwrap().clone() }
}

struct TappedService {
    inner: Arc<dyn Service>,
    taps: Mutex<Vec<(Recorder, Wires)>>,
}

impl Service for TappedService {
    fn handle_listening(&self, now: Duration) {
        self.inner.handle_listening(now);
    }

    fn accept(&self, now: Duration, connection: ConnectionId) -> Box<dyn Endpoint> {
        let session = self.inner.accept(now, connection);
        tapped(session, &mut self.taps.lock().unwrap(), Some(connection))
    }

    fn handle_crash(&self, now: Duration) {
        self.inner.handle_crash(now);
    }
}

struct TappedEndpoint {
    inner: Box<dyn Endpoint>,
    wires: Wires,
}

impl TappedEndpoint {
    fn on_wire(&self, what: impl FnOnce(&mut Wire)) {
        if let Some(wire) = self.wires.lock().unwrap().last_mut() {
            what(wire);
        }
    }
}

impl Endpoint for TappedEndpoint {
    fn record(&self) -> &Recorder {
        self.inner.record()
    }
}

impl Machine for TappedEndpoint {
    fn handle_connected(&mut self, now: Duration, connection: ConnectionId) {
        self.wires.lock().unwrap().push(Wire { id: Some(connection), ..Wire::default() });
        self.inner.handle_connected(now, connection);
    }

    fn handle_input(&mut self, now: Duration, input: &[u8]) -> usize {
        let used = self.inner.handle_input(now, input);
        self.on_wire(|wire| {
            let known = wire.shown.len() - wire.taken;
            wire.shown.extend_from_slice(input.get(known..).unwrap_or_default());
            wire.taken += used;
        });
        used
    }

    fn handle_end(&mut self, now: Duration, end: End) {
        self.inner.handle_end(now, end);
    }

    fn handle_timeout(&mut self, now: Duration) {
        self.inner.handle_timeout(now);
    }

    fn poll_transmit(&mut self, now: Duration, out: &mut Buffer) {
        let before = out.filled().len();
        self.inner.poll_transmit(now, out);
        self.on_wire(|wire| wire.sent.extend_from_slice(&out.filled()[before..]));
    }

    fn poll_timeout(&self) -> Option<Duration> {
        self.inner.poll_timeout()
    }

    fn is_closed(&self) -> bool {
        self.inner.is_closed()
    }

    fn handle_shutdown(&mut self, now: Duration) {
        self.inner.handle_shutdown(now);
    }

    fn poll_machine(&mut self, now: Duration, waker: Option<&Waker>) {
        self.inner.poll_machine(now, waker);
    }

    fn reconnect(&mut self) -> Option<Duration> {
        self.inner.reconnect()
    }

    fn reader(&self) -> Arc<dyn Reader> {
        self.inner.reader()
    }
}
