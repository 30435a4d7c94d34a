//! The transcript as JSON lines: one object per event, described in `docs/transcript.md`.

use serde::Serialize;

use super::{Line, Side, describe};
use faults::Direction;
use protocol::Compared;
use transfer::record::{Action, Failure, Kind, Message};

/// One event as a flat object. Fields that do not apply are left out.
#[derive(Debug, Serialize)]
pub struct JsonLine {
    #[serde(skip_serializing_if = "Option::is_none")]
    step: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    time_ns: Option<u128>,
    side: &'static str,
    event: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    md5: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    peer_md5: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    transfer: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    result: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fault: Option<usize>,
}

impl JsonLine {
    /// The object for `line`. `times` adds its time in nanoseconds.
    #[must_use]
    pub fn new(line: &Line, times: bool) -> Self {
        let side = match line.side {
            Side::Client => "client",
            Side::Server => "server",
        };
        let time_ns = times.then_some(line.at.as_nanos());
        let mut json =
            Self { step: line.step, time_ns, side, event: event_name(&line.action), ..Self::empty() };
        json.fill(&line.action);
        json
    }

    fn empty() -> Self {
        Self {
            step: None,
            time_ns: None,
            side: "",
            event: "",
            message: None,
            text: None,
            file: None,
            bytes: None,
            md5: None,
            peer_md5: None,
            transfer: None,
            result: None,
            error: None,
            retry: None,
            fault: None,
        }
    }

    fn fill(&mut self, action: &Action) {
        match action {
            Action::Sent(message) | Action::Received(message) => self.fill_message(message),
            Action::Saved(entry) => {
                self.file = Some(entry.name.to_string());
                self.bytes = Some(entry.size);
                self.md5 = Some(entry.id.to_string());
            }
            Action::Forgot(id) => self.md5 = Some(id.to_string()),
            Action::Compared(direction, compared) => self.fill_compared(*direction, *compared),
            Action::Unlisted(name) => self.file = Some(name.to_string()),
            Action::Ambiguous(name, _) => {
                self.file = Some(name.to_string());
                self.text = Some(describe(action));
            }
            Action::Failed(failure) => {
                self.error = Some(failure_name(failure));
                self.text = Some(describe(action));
            }
            Action::Listened
            | Action::Started
            | Action::Connected
            | Action::Accepted
            | Action::Disconnected
            | Action::PeerLeft
            | Action::Crashed
            | Action::Restarted => {}
            Action::Sending(bytes) => {
                self.message = Some("payload");
                self.bytes = Some(*bytes);
            }
            Action::Retried(count) => self.retry = Some(*count),
            Action::Struck { fault, text } => {
                self.fault = Some(fault + 1);
                self.text = Some(text.clone());
            }
        }
    }

    fn fill_message(&mut self, message: &Message) {
        match message {
            Message::Payload { bytes, digest } => {
                self.message = Some("payload");
                self.bytes = Some(*bytes);
                self.md5 = Some(digest.to_string());
            }
            Message::Text { kind, text } => {
                self.message = Some(kind_name(kind));
                self.text = Some(text.clone());
                if let Kind::Upload(Some(name)) | Kind::Download(Some(name)) = kind {
                    self.file = Some(name.to_string());
                }
            }
        }
    }

    fn fill_compared(&mut self, direction: Direction, compared: Compared) {
        self.transfer = Some(direction.to_string());
        let (result, own, peer) = match compared {
            Compared::Same(id) => ("success", id, id),
            Compared::Different { own, peer } => ("fail", own, peer),
        };
        self.result = Some(result);
        self.md5 = Some(own.to_string());
        self.peer_md5 = Some(peer.to_string());
    }
}

pub(crate) fn event_name(action: &Action) -> &'static str {
    match action {
        Action::Listened => "listened",
        Action::Started => "started",
        Action::Connected => "connected",
        Action::Accepted => "accepted",
        Action::Sent(_) => "sent",
        Action::Received(_) => "received",
        Action::Saved(_) => "saved",
        Action::Forgot(_) => "forgot",
        Action::Compared(..) => "compared",
        Action::Unlisted(_) => "unlisted",
        Action::Ambiguous(..) => "ambiguous",
        Action::Disconnected => "disconnected",
        Action::PeerLeft => "peer-left",
        Action::Failed(_) => "failed",
        Action::Sending(_) => "sending",
        Action::Retried(_) => "retried",
        Action::Crashed => "crashed",
        Action::Restarted => "restarted",
        Action::Struck { .. } => "struck",
    }
}

pub(crate) fn kind_name(kind: &Kind) -> &'static str {
    match kind {
        Kind::ListFiles => "list-files",
        Kind::Upload(_) => "upload",
        Kind::Download(_) => "download",
        Kind::Discard => "discard",
        Kind::Details => "details",
        Kind::Id => "id",
        Kind::Listing(_) => "listing",
        Kind::AskDetails => "ask-details",
        Kind::Ready => "ready",
        Kind::Hash => "hash",
        Kind::AskId => "ask-id",
        Kind::Size => "size",
        Kind::Discarded => "discarded",
        Kind::GoAhead => "go-ahead",
        Kind::Refusal(_) => "refusal",
        Kind::Rejected => "rejected",
    }
}

pub(crate) fn failure_name(failure: &Failure) -> &'static str {
    use protocol::Error;
    match failure {
        Failure::Protocol(Error::Peer(_)) => "peer-broke-protocol",
        Failure::Protocol(Error::Caller(_)) => "misuse",
        Failure::Protocol(Error::Refused(_)) => "refused",
        Failure::Protocol(Error::DigestDiffers { .. }) => "digest-differs",
        Failure::Protocol(Error::Ended(_)) => "ended-early",
        Failure::Deadline => "deadline",
        Failure::NotConnected => "not-connected",
        Failure::Broken => "broken",
        Failure::Storage(_) => "storage",
    }
}
