//! Puts the events of two sides into one order. Clocks cannot do it: they differ from transport to transport.
//! Cause and effect can: nothing is received before it is sent, and each side's own order is kept.

use std::collections::VecDeque;

use super::{Line, Side};
use crate::record::{Action, Event, Message};

/// Merges what the server, the client and the client's session on the server recorded. A control message that
/// arrived as it was sent is one line; one that arrived otherwise is two. What arrives of a payload is a line
/// of its own: the specification makes it a step.
#[must_use]
pub fn merge(server: &[Event], client: &[Event], session: &[Event]) -> Vec<Line> {
    let mut client = Half::new(Side::Client, client);
    let mut session = Half::new(Side::Server, server.iter().chain(session));
    let mut lines = Vec::with_capacity(client.rest.len() + session.rest.len());
    loop {
        let before = client.rest.len() + session.rest.len();
        session.run(&mut client, &mut lines);
        client.run(&mut session, &mut lines);
        let after = client.rest.len() + session.rest.len();
        if after == 0 {
            return lines;
        }
        if after == before {
            // Each waits for what the other never sent: something was damaged on the way.
            let stuck = if client.rest.is_empty() { &mut session } else { &mut client };
            stuck.step(None, &mut lines);
        }
    }
}

/// One side's events that are still to be placed, and what it has sent that the other has not received.
struct Half<'a> {
    side: Side,
    rest: VecDeque<&'a Event>,
    /// The causes of the other side's effects, oldest first.
    sent: VecDeque<&'a Action>,
}

impl<'a> Half<'a> {
    fn new(side: Side, events: impl IntoIterator<Item = &'a Event>) -> Self {
        Self { side, rest: events.into_iter().collect(), sent: VecDeque::new() }
    }

    /// Places events until one has to wait for `other`.
    fn run(&mut self, other: &mut Self, lines: &mut Vec<Line>) {
        while let Some(event) = self.rest.front() {
            if !is_effect(&event.action) {
                self.step(None, lines);
            } else if let Some(cause) = other.sent.pop_front() {
                self.step(Some(cause), lines);
            } else {
                return;
            }
        }
    }

    /// Places one event.
    fn step(&mut self, cause: Option<&Action>, lines: &mut Vec<Line>) {
        let Some(Event { at, action }) = self.rest.pop_front() else { return };
        if is_cause(action) {
            self.sent.push_back(action);
        }
        if is_shown(action, cause) {
            lines.push(Line { step: None, at: *at, side: self.side, action: action.clone() });
        }
    }
}

/// Whether it lets the other side go on.
fn is_cause(action: &Action) -> bool {
    matches!(action, Action::Connected | Action::Sent(_) | Action::Disconnected)
}

/// Whether it needs something of the other side before it.
fn is_effect(action: &Action) -> bool {
    matches!(action, Action::Accepted | Action::Received(_) | Action::PeerLeft)
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
