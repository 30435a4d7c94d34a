//! Where the messages of a run are, told to its faults while it runs. A control run shows which message each phase is: the
//! payload that belongs to the client's second command, the server's answer to its third. In a run with faults that same
//! message is looked for, of the first attempt at that command, wherever it then stands in its stream. If it does not come,
//! the phase does not, and its fault does not strike.

use std::mem::discriminant;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use faults::{Flow, PhaseMap, Phases, Region};
use transfer::record::{Action, Event, Kind, Message, Observer};
use transfer::storage::Arming;

/// What a message is within the exchange that a command begins.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(std::mem::Discriminant<Kind>),
    Payload,
}

/// Which message of a run: of the first attempt at this command, counted from 0, in this direction.
#[derive(Clone, Debug, PartialEq, Eq)]
struct MessageKey {
    flow: Flow,
    command: usize,
    part: Part,
}

/// A message that went out, and where.
#[derive(Clone, Debug)]
struct SentMessage {
    key: MessageKey,
    range: Range<u64>,
}

/// A phase: from the beginning of one message to the end of another, or of the same.
#[derive(Clone, Debug)]
struct Phase {
    region: Region,
    first: MessageKey,
    last: MessageKey,
}

/// Which messages the phases are, as a control run showed it.
#[derive(Clone, Debug, Default)]
pub(super) struct Guide {
    phases: Vec<Phase>,
    /// The command that makes the first upload.
    upload: Option<usize>,
}

impl Guide {
    /// Finds the messages of the phases in `map` among those that the control run sent.
    fn new(sent: &[SentMessage], map: &PhaseMap) -> Self {
        let regions = [Region::Upload, Region::Download].into_iter();
        let regions = regions.chain(map.steps.keys().map(|step| Region::Step(*step)));
        let phase = |region: Region| {
            let (flow, range) = map.region(region)?;
            let is_there = |sent: &&SentMessage| sent.key.flow == flow;
            let mut there = sent.iter().filter(is_there);
            let first = there.find(|sent| sent.range.start == range.start && sent.range.end <= range.end)?;
            let last = std::iter::once(first).chain(there).find(|sent| sent.range.end == range.end)?;
            Some(Phase { region, first: first.key.clone(), last: last.key.clone() })
        };
        let phases: Vec<Phase> = regions.filter_map(phase).collect();
        let upload = phases.iter().find(|phase| phase.region == Region::Upload);
        let upload = upload.map(|phase| phase.first.command);
        Self { phases, upload }
    }
}

/// Follows the first client and the session of its first connection. Clones share what they saw.
#[derive(Clone, Default)]
pub(super) struct Course {
    guide: Guide,
    phases: Phases,
    arming: Arming,
    seen: Arc<Mutex<CourseState>>,
}

#[derive(Debug, Default)]
struct CourseState {
    /// The commands that the client has sent on its first connection, the first of them first.
    asked: Vec<SentCommand>,
    /// How many commands the client's script has given.
    commands: usize,
    /// Whether the next command is the last one again.
    again: bool,
    /// How often the client connected.
    connections: usize,
    /// How many commands the server has read.
    read: usize,
    /// Whether the server waits for the second line of a command.
    awaits: bool,
    /// Whether it could not read the last of them: then nobody can say whose answer its refusal is.
    unreadable: bool,
    /// Whether the server has read a command that the client did not send there.
    lost: bool,
    sent: Vec<SentMessage>,
}

/// A command that the client sent.
#[derive(Clone, Debug)]
struct SentCommand {
    kind: std::mem::Discriminant<Kind>,
    command: usize,
    is_first_attempt: bool,
}

impl Course {
    /// Follows a run with faults, which find their phases in `phases`; those of the disk are armed for the first upload.
    pub(super) fn guided(guide: Guide, phases: Phases, arming: Arming) -> Self {
        Self { guide, phases, arming, seen: Arc::default() }
    }

    /// What a control run that was followed to its end showed. `map` is where its phases are.
    pub(super) fn guide(&self, map: &PhaseMap) -> Guide {
        Guide::new(&self.seen().sent, map)
    }

    /// What is to be shown the client's events.
    pub(super) fn client(&self) -> Arc<dyn Observer> {
        Arc::new(ClientSide(self.clone()))
    }

    /// What is to be shown the events of the session on its first connection.
    pub(super) fn session(&self) -> Arc<dyn Observer> {
        Arc::new(SessionSide(self.clone()))
    }

    /// A message begins that the first attempt at `command` sends, if it is known of which that is.
    fn begins(&self, flow: Flow, command: Option<usize>, part: Part, start: u64, end: Option<u64>) {
        if let Some(command) = command {
            let key = MessageKey { flow, command, part };
            for phase in &self.guide.phases {
                if phase.first == key {
                    self.phases.begin(phase.region, start, end.filter(|_| phase.last == key));
                }
                if let (Some(end), true) = (end, phase.last == key) {
                    self.phases.end(phase.region, end);
                }
            }
        }
        self.phases.tell(flow, end.unwrap_or(start));
    }

    /// The same of a message whose length is known now.
    fn sends(&self, flow: Flow, command: Option<usize>, part: Part, range: Range<u64>) {
        self.begins(flow, command, part.clone(), range.start, Some(range.end));
        if let Some(command) = command {
            self.seen().sent.push(SentMessage { key: MessageKey { flow, command, part }, range });
        }
    }

    fn seen(&self) -> MutexGuard<'_, CourseState> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl CourseState {
    /// The client sends the line that begins an exchange.
    fn ask(&mut self, kind: &Kind) {
        let again = std::mem::take(&mut self.again);
        // A discard belongs to the command before it.
        if !again && !matches!(kind, Kind::Discard) {
            self.commands += 1;
        }
        let is_first_attempt = !again && !matches!(kind, Kind::Discard);
        let command = self.commands.saturating_sub(1);
        self.asked.push(SentCommand { kind: discriminant(kind), command, is_first_attempt });
    }

    /// The client's script has given a command that it does not send.
    fn skip(&mut self) {
        if !std::mem::take(&mut self.again) {
            self.commands += 1;
        }
    }

    /// The command whose exchange is under way at the client, if this is the first attempt at it.
    fn client_command(&self) -> Option<usize> {
        let asked = self.asked.last().filter(|asked| self.connections == 1 && asked.is_first_attempt);
        asked.map(|asked| asked.command)
    }

    /// The same at the server.
    fn session_command(&self) -> Option<usize> {
        let asked = self.asked.get(self.read.checked_sub(1)?)?;
        (!self.lost && !self.unreadable && asked.is_first_attempt).then_some(asked.command)
    }

    /// The server has read a line. It is the client's as long as each of its commands is that which the client sent there.
    fn read(&mut self, kind: &Kind) {
        let goes_on = std::mem::take(&mut self.awaits);
        match kind {
            Kind::Details | Kind::Id => return,
            Kind::Rejected if goes_on => return,
            _ => {}
        }
        self.awaits = matches!(kind, Kind::Upload(_) | Kind::Download(_));
        self.unreadable = matches!(kind, Kind::Rejected);
        let asked = self.asked.get(self.read).map(|asked| asked.kind);
        self.lost |= asked.is_none_or(|asked| !self.unreadable && asked != discriminant(kind));
        self.read += 1;
    }
}

/// Whether a line begins an exchange.
fn is_command(kind: &Kind) -> bool {
    matches!(kind, Kind::ListFiles | Kind::Upload(_) | Kind::Download(_) | Kind::Discard)
}

/// What a message is, and where, if the event is that one goes out.
fn going_out(event: &Event) -> Option<(Part, Range<u64>)> {
    let part = match &event.action {
        Action::Sent(Message::Text { kind, .. }) => Part::Text(discriminant(kind)),
        // All of a payload is announced when it begins.
        Action::Sending(_) => Part::Payload,
        _ => return None,
    };
    Some((part, event.stream.clone()?))
}

struct ClientSide(Course);

impl Observer for ClientSide {
    fn observe(&self, event: &Event) {
        let mut seen = self.0.seen();
        match &event.action {
            Action::Connected => seen.connections += 1,
            Action::Retried(_) => seen.again = true,
            Action::Unlisted(_) | Action::Ambiguous(..) => seen.skip(),
            Action::Sent(Message::Text { kind, .. }) if is_command(kind) => seen.ask(kind),
            _ => {}
        }
        // Faults strike the first connection: what comes later is in another stream.
        if seen.connections > 1 {
            return;
        }
        let command = seen.client_command();
        drop(seen);
        if let Some((part, range)) = going_out(event) {
            self.0.sends(Flow::ToServer, command, part, range);
        }
    }
}

struct SessionSide(Course);

impl Observer for SessionSide {
    fn observe(&self, event: &Event) {
        let mut seen = self.0.seen();
        if let Action::Received(Message::Text { kind, .. }) = &event.action {
            seen.read(kind);
            let command = seen.session_command();
            let is_first_upload = command.is_some() && command == self.0.guide.upload;
            self.0.arming.set(is_first_upload && matches!(kind, Kind::Details));
            return;
        }
        let command = seen.session_command();
        drop(seen);
        if let Some((part, range)) = going_out(event) {
            self.0.sends(Flow::ToClient, command, part, range);
        }
    }

    fn begins(&self, kind: &Kind, offset: u64) {
        let command = self.0.seen().session_command();
        self.0.begins(Flow::ToClient, command, Part::Text(discriminant(kind)), offset, None);
    }
}
