//! Whether each fault struck where its record says, held against the bytes and the messages of that very run. It
//! knows nothing of how faults are placed: it asks what the sender had sent there, and what the reader was shown.

use std::ops::Range;

use faults::{Effect, FaultRecord, Layer, Region};
use notation::Located;
use sim::scenario::{ClientStep, Scenario, ServerStep, Step};
use transfer::record::{Action, Event, Kind, Message};

use super::evidence;
use super::tap::{Tape, Tapped, Wire};

/// What struck elsewhere, in words.
pub(super) fn check(scenario: &Scenario, run: &Tape, records: &[FaultRecord]) -> Vec<String> {
    let client = &run.clients[0];
    let Some(session) = client.wires.first().and_then(|wire| run.session(wire)) else { return Vec::new() };
    let mut wrong = Vec::new();
    for to_server in [true, false] {
        let (sender, reader) = if to_server { (client, session) } else { (session, client) };
        let Some((sent, shown)) = sender.wires.first().zip(reader.wires.first()) else { continue };
        let again = |event: &Event| matches!(event.action, Action::Retried(_));
        let direction = Direction {
            scenario,
            messages: messages(evidence::first_connection(sender)),
            sent,
            to_server,
            tried_again: evidence::first_connection(client).iter().any(again),
        };
        let mut places = vec![Vec::new()];
        let struck: Vec<&FaultRecord> =
            records.iter().filter(|record| is_of(record, scenario, to_server)).collect();
        for (record, number) in
            records.iter().zip(1..).filter(|(record, _)| is_of(record, scenario, to_server))
        {
            let before = struck.iter().copied().take_while(|other| !std::ptr::eq(*other, record));
            match direction.find(record, first_changed(record, before)) {
                Ok(found) => places = with_each(&places, record, &found, &sent.sent),
                Err(why) => wrong.push(format!("fault {number}, {}: {why}", record.fault)),
            }
        }
        if wrong.is_empty() {
            let held: Vec<Option<String>> = places
                .iter_mut()
                .map(|edits| hold(edits, &sent.sent, &shown.shown, records.len() == 1))
                .collect();
            wrong.extend(if held.contains(&None) { None } else { held.into_iter().flatten().next() });
        }
    }
    wrong.extend(records.iter().zip(1..).filter_map(|(record, number)| {
        let why = on_disk(record, session)?;
        Some(format!("fault {number}, {}: {why}", record.fault))
    }));
    wrong
}

/// Each of these lists of changes with each place of one more.
fn with_each(lists: &[Vec<Edit>], record: &FaultRecord, places: &[usize], sent: &[u8]) -> Vec<Vec<Edit>> {
    let with = |list: &Vec<Edit>, at: usize| {
        let mut list = list.clone();
        list.push(Edit::of(record, at, sent));
        list
    };
    lists.iter().flat_map(|list| places.iter().map(move |at| with(list, *at))).collect()
}

/// Whether a fault that fired is one of this direction of the first connection.
fn is_of(record: &FaultRecord, scenario: &Scenario, to_server: bool) -> bool {
    let is_everywhere = matches!(record.fault.effect, Effect::Latency { .. });
    if !record.fired || is_everywhere || record.fault.effect.layer() == Layer::Disk {
        return false;
    }
    to_server
        == match record.fault.region {
            Region::ToServer | Region::Upload => true,
            Region::ToClient | Region::Download => false,
            Region::Step(step) => matches!(scenario.steps[step - 1].value, Step::Client(_)),
        }
}

/// How many of the bytes that a fault took came to it as they were sent: from then on, one before it had changed them.
fn first_changed<'a>(record: &FaultRecord, before: impl Iterator<Item = &'a FaultRecord>) -> usize {
    let Some(own) = record.struck else { return usize::MAX };
    let taken = |other: &FaultRecord| {
        let start = other.struck?;
        let end = start + window(&other.fault.effect, other.offset?);
        (start.max(own) < end).then(|| usize::try_from(start.saturating_sub(own)).unwrap_or(usize::MAX))
    };
    before.filter_map(taken).min().unwrap_or(usize::MAX)
}

/// A message, and where it was in the sender's stream; a payload has no kind.
type Placed = (Option<Kind>, Range<u64>);

/// What a side sent on its first connection. Of a payload that did not go out whole, its place is known all the same.
fn messages(events: &[Event]) -> Vec<Placed> {
    let mut messages: Vec<Placed> = Vec::new();
    for event in events {
        let end = messages.last().map_or(0, |(_, range)| range.end);
        match (&event.action, &event.stream) {
            (Action::Sending(size), _) => messages.push((None, end..end + size)),
            (Action::Sent(Message::Payload { .. }), Some(range)) => {
                messages.pop();
                messages.push((None, range.clone()));
            }
            (Action::Sent(Message::Text { kind, .. }), Some(range)) => {
                messages.push((Some(kind.clone()), range.clone()));
            }
            _ => {}
        }
    }
    messages
}

struct Direction<'a> {
    scenario: &'a Scenario,
    messages: Vec<Placed>,
    sent: &'a Wire,
    to_server: bool,
    /// Whether the client tried something again on this connection.
    tried_again: bool,
}

impl Direction<'_> {
    /// The offsets in the stream at which a fault can have struck, if its record is true.
    /// Of what it took, only the first `unchanged` bytes have to be as they were sent.
    fn find(&self, record: &FaultRecord, unchanged: usize) -> Result<Vec<usize>, String> {
        let old = &record.old[..record.old.len().min(unchanged)];
        let offset = record.offset.ok_or("it has fired, but has no place")?;
        let phases = self.phases(record.fault.region);
        let (mut found, mut why) = (Vec::new(), String::new());
        why += "it has fired, but the run has no such phase";
        for phase in phases {
            let at = phase.start + offset;
            let needs = window(&record.fault.effect, offset).max(1);
            let from = usize::try_from(at).unwrap_or(usize::MAX);
            let sent = self.sent.sent.get(from..).unwrap_or_default();
            if at + needs > phase.end {
                why = format!(
                    "offset {offset} with {needs} bytes is not in the phase, which is {phase:?} of the stream"
                );
            } else if !sent.starts_with(old) {
                let really = &sent[..sent.len().min(old.len())];
                why = format!("at {at} of the stream it took {old:?}, but there {really:?} was sent");
            } else if record.struck != Some(at) {
                why = format!("it is said to have struck at {:?} of the stream, not at {at}", record.struck);
            } else {
                found.push(from);
            }
        }
        if found.is_empty() { Err(why) } else { Ok(found) }
    }

    /// Where a region was in this run. A step is the n-th message of its kind. Where something was tried again, or not all
    /// of that kind came because an exchange broke off, that cannot be counted: it is one of them.
    fn phases(&self, region: Region) -> Vec<Range<u64>> {
        let payloads =
            || self.messages.iter().filter(|(kind, _)| kind.is_none()).map(|(_, range)| range.clone());
        match region {
            Region::ToServer | Region::ToClient => std::iter::once(0..self.sent.sent.len() as u64).collect(),
            // With several clients it hangs on who is faster which download comes about, and is the first.
            Region::Upload | Region::Download if self.scenario.clients.len() > 1 => payloads().collect(),
            Region::Upload | Region::Download => payloads().take(1).collect(),
            Region::Step(step) => {
                let wanted = &self.scenario.steps[step - 1].value;
                let is_it = |kind: &Option<Kind>| is_sent_by(wanted, kind.as_ref());
                let mut found: Vec<Range<u64>> = self
                    .messages
                    .iter()
                    .filter(|(kind, _)| is_it(kind))
                    .map(|(_, range)| range.clone())
                    .collect();
                let of_kind = |steps: &[Located<Step>]| {
                    steps.iter().filter(|other| same_kind(&other.value, wanted)).count()
                };
                if !self.tried_again && found.len() >= of_kind(&self.scenario.steps) {
                    let nth = of_kind(&self.scenario.steps[..step - 1]);
                    found = found.into_iter().skip(nth).take(1).collect();
                }
                if *wanted == Step::Server(ServerStep::SendFile) { self.with_sizes(found) } else { found }
            }
        }
    }

    /// The server's step of sending a file is its size and its bytes.
    fn with_sizes(&self, sizes: Vec<Range<u64>>) -> Vec<Range<u64>> {
        assert!(!self.to_server, "it is the server's");
        let payload_at = |start: u64| {
            let at_start = |(kind, range): &&Placed| kind.is_none() && range.start == start;
            self.messages.iter().find(at_start).map_or(start, |(_, range)| range.end)
        };
        sizes.into_iter().map(|size| size.start..payload_at(size.end)).collect()
    }
}

/// Whether a message is what this step sends.
fn is_sent_by(step: &Step, kind: Option<&Kind>) -> bool {
    let Some(kind) = kind else { return *step == Step::Client(ClientStep::SendFile) };
    match step {
        Step::Client(ClientStep::ListFiles) => *kind == Kind::ListFiles,
        Step::Client(ClientStep::Upload(name)) => *kind == Kind::Upload(Some(name.clone())),
        Step::Client(ClientStep::Details) => *kind == Kind::Details,
        Step::Client(ClientStep::Download(name)) => *kind == Kind::Download(Some(name.clone())),
        Step::Client(ClientStep::SendId) => *kind == Kind::Id,
        Step::Server(ServerStep::NoFiles | ServerStep::Files(_)) => matches!(kind, Kind::Listing(_)),
        Step::Server(ServerStep::AskDetails) => *kind == Kind::AskDetails,
        Step::Server(ServerStep::Ready) => *kind == Kind::Ready,
        Step::Server(ServerStep::SendHash) => *kind == Kind::Hash,
        Step::Server(ServerStep::AskId) => *kind == Kind::AskId,
        Step::Server(ServerStep::SendFile) => *kind == Kind::Size,
        _ => false,
    }
}

/// Whether two steps send the same kind of message.
fn same_kind(one: &Step, other: &Step) -> bool {
    let listing = |step: &Step| matches!(step, Step::Server(ServerStep::NoFiles | ServerStep::Files(_)));
    one == other || (listing(one) && listing(other))
}

/// How many bytes a fault at `offset` of its region takes.
fn window(effect: &Effect, offset: u64) -> u64 {
    match effect {
        Effect::Flip { .. } => 1,
        Effect::Xor { mask: bytes } | Effect::Overwrite { bytes } => bytes.len() as u64,
        Effect::Drop { bytes } | Effect::Duplicate { bytes } => *bytes,
        Effect::Reorder { bytes, with } => (with + bytes).saturating_sub(offset),
        _ => 0,
    }
}

/// What a fault made of the stream.
#[derive(Clone)]
struct Edit {
    effect: Effect,
    /// What it took.
    range: Range<usize>,
    new: Vec<u8>,
    /// How much the reader had been given when the change had reached it.
    reaches_at: Option<u64>,
}

impl Edit {
    fn of(record: &FaultRecord, at: usize, sent: &[u8]) -> Self {
        let effect = record.fault.effect.clone();
        let taken = usize::try_from(window(&effect, record.offset.unwrap_or(0))).unwrap_or(0);
        let range = at..at + taken;
        let old = sent.get(range.clone()).unwrap_or_default();
        let new = match &effect {
            Effect::Flip { bit } => vec![old[0] ^ (1 << bit)],
            Effect::Xor { mask } => old.iter().zip(mask).map(|(byte, mask)| byte ^ mask).collect(),
            Effect::Insert { bytes } | Effect::Overwrite { bytes } => bytes.clone(),
            Effect::Duplicate { .. } => [old, old].concat(),
            Effect::Reorder { bytes, .. } => {
                let count = usize::try_from(*bytes).unwrap_or(0);
                let (first, rest) = old.split_at(count);
                let (between, second) = rest.split_at(rest.len() - count);
                [second, between, first].concat()
            }
            _ => Vec::new(),
        };
        Self { effect, range, new, reaches_at: record.reaches_at }
    }

    fn changes(&self) -> bool {
        !self.range.is_empty() || !self.new.is_empty()
    }

    /// Whether nothing behind its place gets through.
    fn ends(&self) -> bool {
        matches!(
            self.effect,
            Effect::Truncate
                | Effect::HalfClose
                | Effect::Reset
                | Effect::Stall
                | Effect::Partition { .. }
                | Effect::Crash { .. }
        )
    }
}

/// Holds what the reader was shown against what was sent and these changes: nothing else may have changed.
fn hold(edits: &mut [Edit], sent: &[u8], shown: &[u8], is_alone: bool) -> Option<String> {
    edits.sort_by_key(|edit| (edit.range.start, edit.range.end));
    let entangled = edits.windows(2).any(|pair| {
        pair[1].range.start < pair[0].range.end
            || (pair[1].range.start == pair[0].range.start && pair[0].changes())
    });
    if entangled {
        // What comes of changes within changes is told by what each of them took.
        return None;
    }
    let (mut expected, mut from) = (Vec::new(), 0);
    for edit in edits.iter() {
        expected.extend_from_slice(&sent[from..edit.range.start]);
        let before = expected.len();
        expected.extend_from_slice(&edit.new);
        from = edit.range.end;
        if let Some(why) = wrong_reach(edit, before, expected.len(), is_alone) {
            return Some(why);
        }
        if edit.ends() {
            // Changes at this very place are behind the end, and have struck what nobody is shown any more.
            from = sent.len();
            break;
        }
    }
    expected.extend_from_slice(&sent[from..]);
    let same = expected.iter().zip(shown).take_while(|(expected, shown)| expected == shown).count();
    (same < shown.len()).then(|| {
        format!(
            "the reader was shown other bytes from {same} on than the recorded faults make of what was sent"
        )
    })
}

/// Says what is wrong with the place at which a change is said to have reached its reader.
fn wrong_reach(edit: &Edit, before: usize, after: usize, is_alone: bool) -> Option<String> {
    let at = usize::try_from(edit.reaches_at?).unwrap_or(usize::MAX);
    let right = match edit.effect {
        Effect::Slice { bytes } if is_alone => {
            before < at && at <= before.saturating_add(usize::try_from(bytes).unwrap_or(usize::MAX))
        }
        // Another fault may hold back, change or take away the first of what these work on. They have reached the reader
        // later then, never earlier.
        Effect::Slice { .. } | Effect::Throttle { .. } | Effect::Coalesce { .. } | Effect::Delay { .. }
            if !is_alone =>
        {
            before <= at
        }
        // Another one may hold the change itself back: one that waits for more than comes, or that swaps what is around it.
        _ if !is_alone => after <= at,
        _ => at == after,
    };
    let name = edit.effect.name();
    (!right).then(|| {
        format!("{name}: it is said to reach the reader at {at}, but belongs to {before} to {after}")
    })
}

/// Says what is wrong with the record of a fault of the disk: it belongs to the first upload of the first connection.
fn on_disk(record: &FaultRecord, session: &Tapped) -> Option<String> {
    if !record.fired || record.fault.effect.layer() != Layer::Disk {
        return None;
    }
    let wire = session.wires.first()?;
    let arrived = match evidence::payloads(session) {
        Ok(payloads) => payloads.first().map(|range| &wire.shown[range.clone()]),
        // That is a finding of its own.
        Err(_) => return None,
    };
    let Some(arrived) = arrived else {
        return Some("it has fired, but no upload came on the first connection".into());
    };
    let offset = usize::try_from(record.offset.unwrap_or(0)).unwrap_or(usize::MAX);
    let there = arrived.get(offset..).unwrap_or_default();
    let right = match record.fault.effect {
        // Another one may have lost the first of its bytes already.
        Effect::ShortWrite { .. } => {
            let mut rest = there.iter();
            !record.old.is_empty() && record.old.iter().all(|byte| rest.any(|other| other == byte))
        }
        Effect::Rot { .. } => !record.old.is_empty() && there.starts_with(&record.old),
        Effect::NoSpace | Effect::WriteError => !there.is_empty(),
        _ => session.events.iter().any(|event| event.action == Action::Crashed),
    };
    (!right).then(|| "it has fired, but not in the first upload of the first connection".to_owned())
}
