//! The transcript of a session of which only the client's side was recorded: the server is somebody else's program.

use protocol::{Entry, FileId, FileName};

use super::{Line, Side};
use transfer::record::{Action, Event, Kind, Message};

/// What happened, as far as the client could see it: a message that it received was sent by the server; a server
/// that listens was there before it; and a server that tells the hash of an upload says that it has received and
/// saved it.
#[must_use]
pub fn seen_by_client(events: &[Event]) -> Vec<Line> {
    let mut view = View { lines: Vec::new(), upload: None, prompt: Kind::GoAhead };
    if let Some(first) = events.first() {
        view.add(first, Side::Server, Action::Listened);
    }
    for (index, event) in events.iter().enumerate() {
        match &event.action {
            // A payload is one line, where it began: all of it if all of it went out.
            Action::Sending(_) if is_followed_by_all(&events[index + 1..]) => {}
            Action::Received(Message::Text { kind, text }) => view.heard(event, kind, text),
            Action::Received(Message::Payload { .. }) => view.downloaded(event),
            action => view.did(event, action),
        }
    }
    view.lines
}

/// Whether the payload that begins before `events` went out whole.
fn is_followed_by_all(events: &[Event]) -> bool {
    let of_payload =
        |event: &&Event| matches!(event.action, Action::Sending(_) | Action::Sent(Message::Payload { .. }));
    events.iter().find(of_payload).is_some_and(|event| matches!(event.action, Action::Sent(_)))
}

struct View {
    lines: Vec<Line>,
    /// The upload under way: its name and how many bytes went out.
    upload: Option<(FileName, u64)>,
    /// What the server's next go-ahead is.
    prompt: Kind,
}

impl View {
    fn add(&mut self, event: &Event, side: Side, action: Action) {
        let (stream, file) = (event.stream.clone(), event.file.clone());
        self.lines.push(Line { step: None, at: event.at, side, action, stream, file });
    }

    fn did(&mut self, event: &Event, action: &Action) {
        match action {
            Action::Sent(Message::Text { kind, .. }) => {
                self.prompt = match kind {
                    Kind::Upload(_) => Kind::AskDetails,
                    Kind::Details => Kind::Ready,
                    Kind::Download(_) => Kind::AskId,
                    Kind::Discard => Kind::Discarded,
                    _ => Kind::GoAhead,
                };
                if let Kind::Upload(Some(name)) = kind {
                    self.upload = Some((name.clone(), 0));
                }
            }
            Action::Sent(Message::Payload { bytes, .. }) => {
                if let Some((_, sent)) = &mut self.upload {
                    *sent = *bytes;
                }
            }
            _ => {}
        }
        self.add(event, Side::Client, action.clone());
    }

    fn heard(&mut self, event: &Event, kind: &Kind, text: &str) {
        let kind = match kind {
            Kind::GoAhead => self.prompt.clone(),
            Kind::Hash => {
                self.stored(event, text);
                Kind::Hash
            }
            other => other.clone(),
        };
        self.add(event, Side::Server, Action::Sent(Message::Text { kind, text: text.to_owned() }));
    }

    /// The server's hash says what it has received and saved.
    fn stored(&mut self, event: &Event, hash: &str) {
        let (Some((name, size)), Some(id)) = (self.upload.take(), FileId::parse(hash)) else { return };
        self.add(event, Side::Server, Action::Received(Message::Payload { bytes: size, digest: id }));
        self.add(event, Side::Server, Action::Saved(Entry { name, id, size }));
    }

    fn downloaded(&mut self, event: &Event) {
        if let Action::Received(message) = &event.action {
            self.add(event, Side::Server, Action::Sent(message.clone()));
        }
        self.add(event, Side::Client, event.action.clone());
    }
}
