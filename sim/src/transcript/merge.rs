//! Puts the events of two sides into one order. Clocks cannot do it: they differ from transport to transport.
//! Cause and effect can: nothing is received before it is sent, and each side's own order is kept.

use std::collections::VecDeque;

use protocol::{Error, Violation};

use super::{Line, Side};
use transfer::record::{Action, Event, Failure, Kind, Message};

/// Merges what the server, the client and the client's sessions on the server recorded, one connection after the
/// other: `sessions` has one for each connection of the client, empty if the server never took it. A control message that arrived as it was sent is one line; one that arrived otherwise is two. What arrives
/// of a payload is a line of its own: the specification makes it a step.
#[must_use]
pub fn merge(server: &[Event], client: &[Event], sessions: &[Vec<Event>]) -> Vec<Line> {
    let mut lines = Vec::with_capacity(client.len() * 2);
    let mut sessions = sessions.iter();
    // That the server listens comes before its first session; what else happened to it alone, when all were over.
    let (mut listens, alone) = server.split_at(server.len().min(1));
    for client in by_connection(client) {
        let session = sessions.next().map(Vec::as_slice).unwrap_or_default();
        merge_connection(std::mem::take(&mut listens).iter().chain(session), client, &mut lines);
    }
    merge_connection(alone.iter(), &[], &mut lines);
    lines
}

/// The client's events, up to its second connection, from there up to its third and so on.
fn by_connection(events: &[Event]) -> Vec<&[Event]> {
    let connects = events.iter().enumerate().filter(|(_, event)| event.action == Action::Connected);
    let (mut parts, mut rest, mut from) = (Vec::new(), events, 0);
    for (at, _) in connects.skip(1) {
        let (part, after) = rest.split_at(at - from);
        parts.push(part);
        (rest, from) = (after, at);
    }
    parts.push(rest);
    parts
}

fn merge_connection<'a>(
    session: impl Iterator<Item = &'a Event>,
    client: &'a [Event],
    lines: &mut Vec<Line>,
) {
    let session: Vec<&Event> = session.collect();
    let (uploads, downloads) = (complete_uploads(client, &session), complete_downloads(client));
    let mut session = Half::new(Side::Server, settle(session.into_iter(), &downloads));
    let mut client = Half::new(Side::Client, settle(client.iter(), &uploads));
    while !(client.rest.is_empty() && session.rest.is_empty()) {
        let moved = session.run(&mut client, lines) | client.run(&mut session, lines);
        if !moved {
            let session_first = session.wait().goes_before(client.wait());
            let stuck = if session_first { &mut session } else { &mut client };
            stuck.step(None, lines);
        }
    }
}

/// For each upload whose payload the client began to send, whether it is certain that it sent all of it.
fn complete_uploads(client: &[Event], session: &[&Event]) -> Vec<bool> {
    let begins = |action: &Action| matches!(action, Action::Sending(_));
    // What the client cannot read as a hash it took for one: only then all payload was out.
    let unreadable = Action::Failed(Failure::Protocol(Error::Peer(Violation::BadId)));
    let answered = outcomes(client, begins, |action| is_text(action, &Kind::Hash) || *action == unreadable);
    let refused = outcomes(client, begins, is_refusal);
    let mut whole = outcomes(session.iter().copied(), is_ready, is_payload).into_iter();
    let certain = |(answered, refused)| {
        let whole = whole.next().unwrap_or(false);
        answered || (refused && whole)
    };
    answered.into_iter().zip(refused).map(certain).collect()
}

/// For each download of which the client saw the size, whether it received all of it.
fn complete_downloads(client: &[Event]) -> Vec<bool> {
    outcomes(client, |action| is_text(action, &Kind::Size), is_payload)
}

fn is_refusal(action: &Action) -> bool {
    matches!(action, Action::Received(Message::Text { kind: Kind::Refusal(_), .. }))
}

fn is_ready(action: &Action) -> bool {
    matches!(action, Action::Sent(Message::Text { kind: Kind::Ready, .. }))
}

fn is_payload(action: &Action) -> bool {
    matches!(action, Action::Received(Message::Payload { .. }))
}

fn is_text(action: &Action, expected: &Kind) -> bool {
    matches!(action, Action::Received(Message::Text { kind, .. }) if kind == expected)
}

/// For each event that begins something, whether one that completes it follows before it fails, is refused or
/// the next begins.
fn outcomes<'a>(
    events: impl IntoIterator<Item = &'a Event>,
    begins: impl Fn(&Action) -> bool,
    completes: impl Fn(&Action) -> bool,
) -> Vec<bool> {
    let mut outcomes = Vec::new();
    let mut open = false;
    for Event { action, .. } in events {
        if begins(action) {
            outcomes.push(false);
            open = true;
        } else if open && completes(action) {
            if let Some(last) = outcomes.last_mut() {
                *last = true;
            }
            open = false;
        } else if matches!(action, Action::Failed(_)) {
            open = false;
        }
    }
    outcomes
}

/// How far the sending of a payload had come when the transfer broke off is chance: it depends on the buffers on
/// the way. So a payload is one event, where it began: all of it if it arrived, and else only its beginning.
fn settle<'a>(events: impl Iterator<Item = &'a Event>, complete: &[bool]) -> Vec<&'a Event> {
    let is_sent_payload = |event: &&Event| matches!(event.action, Action::Sent(Message::Payload { .. }));
    let (sent, others): (Vec<_>, Vec<_>) = events.partition(is_sent_payload);
    let mut sent = sent.into_iter();
    let mut complete = complete.iter();
    let settle_one = |event: &'a Event| match event.action {
        Action::Sending(_) if complete.next() == Some(&true) => sent.next().unwrap_or(event),
        _ => event,
    };
    others.into_iter().map(settle_one).collect()
}

/// One side's events that are still to be placed, and what it has sent that the other has not received.
struct Half<'a> {
    side: Side,
    rest: VecDeque<&'a Event>,
    /// The causes of the other side's effects, oldest first.
    sent: VecDeque<&'a Action>,
}

/// What a side waits for. When both wait, something was lost or damaged on the way, and the lesser goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Wait {
    /// A fault, for what it strikes.
    Struck,
    /// An effect, for its cause.
    Effect,
    /// A refusal, for the client to be ready for it: it may break into a payload.
    Refusal,
    /// The end of a machine or a session, for everything else: the other side may have caused it.
    Crashed,
    Failed,
    /// That a machine is up again, for those whom it turned away while it was not.
    Restarted,
    /// Nothing.
    None,
}

impl Wait {
    /// Whether the server goes on before the client, when neither could.
    fn goes_before(self, client: Self) -> bool {
        match self {
            // A client that has given up does not hear it.
            Self::Refusal => client != Self::Failed,
            _ => self < client,
        }
    }
}

impl<'a> Half<'a> {
    fn new(side: Side, events: impl IntoIterator<Item = &'a Event>) -> Self {
        Self { side, rest: events.into_iter().collect(), sent: VecDeque::new() }
    }

    /// Places events until one has to wait for `other`. Says whether it placed any.
    fn run(&mut self, other: &mut Self, lines: &mut Vec<Line>) -> bool {
        let before = self.rest.len();
        while let Some(event) = self.rest.front() {
            match wait_of(&event.action) {
                Wait::None => self.step(None, lines),
                Wait::Struck if !other.sent.is_empty() => self.step(None, lines),
                Wait::Restarted if !other.will_be_turned_away() => self.step(None, lines),
                Wait::Effect => match other.take_cause(&event.action) {
                    Some(cause) => self.step(Some(cause), lines),
                    None => break,
                },
                _ => break,
            }
        }
        self.rest.len() < before
    }

    /// Whether it still finds nobody to connect to.
    fn will_be_turned_away(&self) -> bool {
        self.rest.iter().any(|event| event.action == Action::Failed(Failure::NotConnected))
    }

    /// What this side waits for.
    fn wait(&self) -> Wait {
        self.rest.front().map_or(Wait::None, |event| wait_of(&event.action))
    }

    /// Takes the cause of `effect`, and drops what was sent before it and never arrived.
    fn take_cause(&mut self, effect: &Action) -> Option<&'a Action> {
        let at = self.sent.iter().position(|cause| is_cause_of(cause, effect))?;
        self.sent.drain(..at);
        self.sent.pop_front()
    }

    /// Places one event.
    fn step(&mut self, cause: Option<&Action>, lines: &mut Vec<Line>) {
        let Some(Event { at, action, stream, file, .. }) = self.rest.pop_front() else { return };
        if is_cause(action) {
            self.sent.push_back(action);
        }
        if is_shown(action, cause) {
            let (action, stream, file) = (action.clone(), stream.clone(), file.clone());
            lines.push(Line { step: None, at: *at, side: self.side, action, stream, file });
        }
    }
}

fn wait_of(action: &Action) -> Wait {
    match action {
        Action::Struck { .. } => Wait::Struck,
        Action::Accepted | Action::Received(_) | Action::PeerLeft => Wait::Effect,
        Action::Sent(Message::Text { kind: Kind::Refusal(_), .. }) => Wait::Refusal,
        Action::Crashed => Wait::Crashed,
        Action::Restarted => Wait::Restarted,
        Action::Failed(_) => Wait::Failed,
        _ => Wait::None,
    }
}

/// Whether it lets the other side go on.
fn is_cause(action: &Action) -> bool {
    matches!(action, Action::Connected | Action::Sending(_) | Action::Sent(_) | Action::Disconnected)
}

fn is_cause_of(cause: &Action, effect: &Action) -> bool {
    match effect {
        Action::Accepted => *cause == Action::Connected,
        Action::PeerLeft => *cause == Action::Disconnected,
        Action::Received(Message::Text { .. }) => matches!(cause, Action::Sent(Message::Text { .. })),
        _ => matches!(cause, Action::Sending(_) | Action::Sent(Message::Payload { .. })),
    }
}

fn is_shown(action: &Action, cause: Option<&Action>) -> bool {
    match (action, cause) {
        (Action::Accepted | Action::PeerLeft, _) => false,
        (
            Action::Received(Message::Text { text: received, .. }),
            Some(Action::Sent(Message::Text { text: sent, .. })),
        ) => received != sent,
        _ => true,
    }
}
