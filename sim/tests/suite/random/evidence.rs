//! Whether the records are true: every message that a side says it received is looked up in the bytes that it was
//! shown, and every session in the bytes of the client that it is said to belong to.

use std::ops::Range;

use sim::run::RunOutcome;
use transfer::record::{Action, Event, Kind, Message};

use super::md5_hex;
use super::tap::{Tape, Tapped, Wire};

/// What is recorded and did not happen so, in words.
pub(super) fn check(tape: &Tape) -> Vec<String> {
    let clients = tape.clients.iter().enumerate().flat_map(|(index, client)| {
        let connections = connections(&client.events).into_iter().zip(&client.wires);
        connections
            .filter_map(move |(events, wire)| Some((index, "client", Reader::read(events, wire).err()?)))
    });
    let sessions = tape.sessions.iter().enumerate().flat_map(|(index, session)| {
        let wire = session.wires.first();
        wire.and_then(|wire| Some((index, "session", Reader::read(&session.events, wire).err()?)))
    });
    clients.chain(sessions).map(|(index, side, why)| format!("{side} {}: {why}", index + 1)).collect()
}

/// Where the payloads of the uploads were in what a session was shown, whole or not.
pub(super) fn payloads(session: &Tapped) -> Result<Vec<Range<usize>>, String> {
    session.wires.first().map_or(Ok(Vec::new()), |wire| Reader::read(&session.events, wire))
}

/// The events of a client's first connection, or of a session.
pub(super) fn first_connection(side: &Tapped) -> &[Event] {
    connections(&side.events)[0]
}

/// A client's events, connection by connection: what comes before the first belongs to it.
pub(super) fn connections(events: &[Event]) -> Vec<&[Event]> {
    let starts = events.iter().enumerate().filter(|(_, event)| event.action == Action::Connected);
    let mut bounds: Vec<usize> = starts.map(|(at, _)| at).collect();
    if let Some(first) = bounds.first_mut() {
        *first = 0;
    } else {
        bounds.push(0);
    }
    bounds.push(events.len());
    bounds.windows(2).map(|pair| &events[pair[0]..pair[1]]).collect()
}

/// Goes through the events of one side of one connection, and through the bytes that it was shown.
struct Reader<'a> {
    shown: &'a [u8],
    at: usize,
    /// The size of an upload that was announced, and then of one that may come.
    announced: Option<usize>,
    due: Option<usize>,
    payloads: Vec<Range<usize>>,
}

impl<'a> Reader<'a> {
    /// Gives the ranges of the payloads of uploads.
    fn read(events: &[Event], wire: &'a Wire) -> Result<Vec<Range<usize>>, String> {
        let mut reader = Self { shown: &wire.shown, at: 0, announced: None, due: None, payloads: Vec::new() };
        for event in events {
            match &event.action {
                Action::Received(message) => reader.received(message)?,
                Action::Sent(Message::Text { kind, .. }) => reader.sent(kind),
                Action::Failed(_) => break,
                _ => {}
            }
        }
        reader.skip_payload();
        Ok(reader.payloads)
    }

    fn received(&mut self, message: &Message) -> Result<(), String> {
        match message {
            Message::Payload { bytes, digest } => self.payload(*bytes, &digest.to_string()),
            Message::Text { kind: Kind::Listing(_), text } => {
                for line in text.lines().chain([""]) {
                    self.line(line)?;
                }
                Ok(())
            }
            // It may break into a listing, of which nothing is recorded then.
            Message::Text { kind: Kind::Refusal(_), text } => {
                while self.line(text).is_err() {
                    if !self.shown[self.at..].contains(&b'\n') {
                        return Err(format!("it was never shown {text:?}"));
                    }
                    self.at += self.next().len();
                }
                Ok(())
            }
            Message::Text { kind, text } => {
                self.line(text)?;
                let size = || text.rsplit(';').next().and_then(|size| size.trim().parse().ok());
                self.announced = if *kind == Kind::Details { size() } else { None };
                Ok(())
            }
        }
    }

    fn sent(&mut self, kind: &Kind) {
        match kind {
            Kind::Ready => self.due = self.announced.take(),
            Kind::Refusal(_) => self.skip_payload(),
            _ => {}
        }
    }

    /// The rest of an upload that was refused, or of one that never came whole.
    fn skip_payload(&mut self) {
        if let Some(size) = self.due.take() {
            let end = self.at.saturating_add(size).min(self.shown.len());
            self.payloads.push(self.at..end);
            self.at = end;
        }
    }

    /// What comes next, up to the end of its line.
    fn next(&self) -> &'a [u8] {
        let rest = &self.shown[self.at..];
        let end = rest.iter().position(|byte| *byte == b'\n').map_or(rest.len(), |end| end + 1);
        &rest[..end]
    }

    fn line(&mut self, text: &str) -> Result<(), String> {
        let line = self.next();
        let read = String::from_utf8_lossy(line);
        if read.trim_end_matches(['\r', '\n']) != text || !line.ends_with(b"\n") {
            return Err(format!("at {} it says that it received {text:?}, but was shown {read:?}", self.at));
        }
        self.at += line.len();
        Ok(())
    }

    fn payload(&mut self, bytes: u64, digest: &str) -> Result<(), String> {
        let end = self.at + usize::try_from(bytes).unwrap_or(usize::MAX);
        let really = self.shown.get(self.at..end).map(md5_hex);
        if really.as_deref() != Some(digest) {
            return Err(format!(
                "at {} it says that it received {bytes} bytes with {digest}, not {really:?}",
                self.at
            ));
        }
        // A client's is no upload.
        if self.due.take().is_some() {
            self.payloads.push(self.at..end);
        }
        self.at = end;
        Ok(())
    }
}

/// Sessions that are told as another client's, in words. `outcome` has two lists for each client: what it recorded,
/// and what its sessions did.
pub(super) fn owners(tape: &Tape, outcome: &RunOutcome) -> Vec<String> {
    let mut wrong = Vec::new();
    for (index, (client, told)) in tape.clients.iter().zip(outcome.trace.chunks(2)).enumerate() {
        let sessions: Vec<(&Wire, &Tapped)> =
            client.wires.iter().filter_map(|wire| Some((wire, tape.session(wire)?))).collect();
        let events: Vec<Event> = sessions.iter().flat_map(|(_, session)| session.events.clone()).collect();
        if told[0] != client.events || told[1] != events {
            wrong
                .push(format!("client {}: what is told is not what it and its sessions recorded", index + 1));
        }
        // Faults change what the first connection carries.
        for (nth, (wire, session)) in sessions.into_iter().enumerate().skip(usize::from(index == 0)) {
            if !fits(wire, &session.wires[0]) {
                wrong.push(format!("client {}: its session {} carries another's bytes", index + 1, nth + 1));
            }
        }
    }
    let told: usize = outcome.trace.iter().map(Vec::len).sum();
    let recorded: usize = tape.clients.iter().chain(&tape.sessions).map(|side| side.events.len()).sum();
    if told < recorded {
        wrong.push(format!("{recorded} events were recorded, {told} are told"));
    }
    wrong
}

/// Whether these can be the two ends of one connection that carries everything as it was sent.
fn fits(client: &Wire, session: &Wire) -> bool {
    client.sent.starts_with(&session.shown) && session.sent.starts_with(&client.shown)
}
