//! What has to come out of a run, worked out apart from the harness's own verdicts: from what the endpoints recorded,
//! the MD5s of what was sent and received, and the bytes that the store holds in the end.

use std::collections::{BTreeMap, BTreeSet};

use faults::{Content, Direction, Effect, Verdict};
use protocol::{Compared, Entry, FileId, FileName};
use sim::run::{Plan, RunOutcome};
use sim::verdict::Condition;
use transfer::endpoint::ClientCommand;
use transfer::record::{Action, Event, Kind, Message};

use super::md5_hex;
use super::tap::Tape;

/// A file that the server lists in the end, and its bytes.
pub(super) type Listed = (Entry, Vec<u8>);

/// What the oracle found wrong.
pub(super) enum Wrong {
    /// A verdict is not what happened.
    Verdict(String),
    /// A damaged file was accepted, and no listing was changed on the way.
    Silent(String),
    /// What is left in the end is not what was acknowledged.
    Left(String),
    /// A correct program is accused.
    Accused(String),
}

/// Everything that the oracle knows.
pub(super) struct Oracle<'a> {
    plan: &'a Plan,
    tape: &'a Tape,
    outcome: &'a RunOutcome,
    listed: &'a [Listed],
}

/// One transfer of a client, with what was said in the end.
struct Transfer {
    client: usize,
    direction: Direction,
    file: FileName,
    retried: bool,
    /// Nothing for an error.
    compared: Option<Compared>,
    open: bool,
}

impl<'a> Oracle<'a> {
    pub(super) fn new(plan: &'a Plan, tape: &'a Tape, outcome: &'a RunOutcome, listed: &'a [Listed]) -> Self {
        Self { plan, tape, outcome, listed }
    }

    pub(super) fn check(&self) -> Vec<Wrong> {
        let mut wrong = Vec::new();
        let transfers: Vec<Transfer> =
            (0..self.tape.clients.len()).flat_map(|it| self.transfers(it)).collect();
        if self.outcome.inconclusive.is_none() {
            self.verdicts(&transfers, &mut wrong);
        }
        self.received_twice(&transfers, &mut wrong);
        self.left(&mut wrong);
        self.conditions(&transfers, &mut wrong);
        self.told_and_listed(&mut wrong);
        wrong
    }

    /// What a client began, in order, and what it said of each in the end.
    fn transfers(&self, client: usize) -> Vec<Transfer> {
        let mut transfers: Vec<Transfer> = Vec::new();
        let mut again = false;
        for event in &self.tape.clients[client].events {
            let begun = match &event.action {
                Action::Retried(_) => {
                    again = true;
                    continue;
                }
                Action::Sent(Message::Text { kind, .. }) => match kind {
                    Kind::Upload(Some(file)) => Some((Direction::Upload, file)),
                    Kind::Download(Some(file)) => Some((Direction::Download, file)),
                    Kind::ListFiles => {
                        again = false;
                        None
                    }
                    _ => None,
                },
                Action::Unlisted(_) => {
                    again = false;
                    None
                }
                _ => None,
            };
            match (begun, transfers.last_mut()) {
                (Some(_), Some(last)) if std::mem::take(&mut again) => {
                    (last.retried, last.open, last.compared) = (true, true, None);
                }
                (Some((direction, file)), _) => {
                    again = false;
                    let file = file.clone();
                    transfers.push(Transfer {
                        client,
                        direction,
                        file,
                        retried: false,
                        compared: None,
                        open: true,
                    });
                }
                (None, Some(last)) if last.open => last.end(&event.action),
                _ => {}
            }
        }
        transfers
    }

    fn verdicts(&self, transfers: &[Transfer], wrong: &mut Vec<Wrong>) {
        let told: Vec<(Direction, &FileName)> =
            self.outcome.judgements.iter().map(|it| (it.direction, &it.file)).collect();
        let happened: Vec<(Direction, &FileName)> =
            transfers.iter().map(|it| (it.direction, &it.file)).collect();
        if told != happened {
            wrong.push(Wrong::Verdict(format!("{told:?} are judged, but {happened:?} happened")));
            return;
        }
        for (transfer, judgement) in transfers.iter().zip(&self.outcome.judgements) {
            let allowed = self.allowed(transfer, transfers);
            let text = || {
                let Transfer { client, direction, file, .. } = transfer;
                format!(
                    "client {}, {direction} of {file}: told {}, right is {allowed:?}",
                    client + 1,
                    judgement.verdict
                )
            };
            if allowed.contains(&Verdict::Silent) && !self.listing_was_changed(transfer.client) {
                wrong.push(Wrong::Silent(text()));
            }
            if !allowed.contains(&judgement.verdict) {
                let accuses = matches!(judgement.verdict, Verdict::Silent | Verdict::FalseAlarm);
                wrong.push(if accuses { Wrong::Accused(text()) } else { Wrong::Verdict(text()) });
            }
        }
    }

    /// The verdicts that are right. More than one only where a line of the protocol was changed, too.
    fn allowed(&self, transfer: &Transfer, all: &[Transfer]) -> Vec<Verdict> {
        let good = if transfer.retried { Verdict::Recovered } else { Verdict::Intact };
        let of = |is_good: bool, good: Verdict, bad: Verdict| vec![if is_good { good } else { bad }];
        match (transfer.direction, transfer.compared) {
            (_, None) => vec![Verdict::Aborted],
            (Direction::Upload, Some(Compared::Same(id))) => {
                let was_sent = self.sent_as(&transfer.file).contains(&id.to_string());
                of(was_sent && self.arrived(id) > 0, good, Verdict::Silent)
            }
            (Direction::Upload, Some(Compared::Different { own, peer })) => {
                match (self.arrived(own), self.arrived(peer)) {
                    (_, 1..) if self.tape.sessions.len() == 1 => vec![Verdict::Detected],
                    (0, _) => vec![Verdict::Detected],
                    _ => self.arrived_for_a_failure(own, all),
                }
            }
            (Direction::Download, Some(Compared::Same(id))) => {
                of(self.may_stand_for(id, &transfer.file), good, Verdict::Silent)
            }
            (Direction::Download, Some(Compared::Different { own, peer })) => {
                let is_file =
                    self.may_stand_for(own, &transfer.file) && !self.may_stand_for(peer, &transfer.file);
                if is_file { vec![Verdict::Detected, Verdict::FalseAlarm] } else { vec![Verdict::Detected] }
            }
        }
    }

    /// The content with this MD5 was sent and it arrived, but perhaps for another upload than one whose comparison failed.
    fn arrived_for_a_failure(&self, own: FileId, all: &[Transfer]) -> Vec<Verdict> {
        let sent = || all.iter().filter(|it| it.direction == Direction::Upload);
        let good = sent().filter(|it| it.compared == Some(Compared::Same(own))).count();
        let failed = sent()
            .filter(|it| matches!(it.compared, Some(Compared::Different { own: sent, .. }) if sent == own));
        let (failed, retried) = (failed.count(), sent().any(|it| it.retried));
        match self.arrived(own).saturating_sub(good) {
            0 => vec![Verdict::Detected],
            // What an earlier attempt or another client brought is not this upload's.
            left if left >= failed && !retried && self.tape.clients.len() == 1 => vec![Verdict::FalseAlarm],
            _ => vec![Verdict::Detected, Verdict::FalseAlarm],
        }
    }

    /// The MD5s of what some client sends under this name.
    fn sent_as(&self, name: &FileName) -> Vec<String> {
        let digest = |command: &ClientCommand| match command {
            ClientCommand::Upload { name: sent, content } if sent == name => {
                Some(md5_hex(&bytes_of(content)))
            }
            _ => None,
        };
        self.plan.clients().iter().flatten().filter_map(digest).collect()
    }

    /// Whether who asks for `name` asks for the content with this MD5: what was sent under that name or saved under it,
    /// or what the name, an id, says.
    fn may_stand_for(&self, id: FileId, name: &FileName) -> bool {
        let saved = |events: &[Event]| {
            let is_it = |event: &Event| matches!(&event.action, Action::Saved(entry) if entry.id == id && entry.name == *name);
            events.iter().any(is_it) || self.saved_unsaid(events, name, id)
        };
        self.sent_as(name).contains(&id.to_string())
            || name.as_str() == id.to_string()
            || self.sessions().any(saved)
    }

    /// Whether a session saved this and its machine went down before it could say so.
    fn saved_unsaid(&self, events: &[Event], name: &FileName, id: FileId) -> bool {
        let mut details = "";
        let mut came = false;
        for event in events {
            match &event.action {
                Action::Received(Message::Text { kind: Kind::Details, text }) => details = text,
                Action::Received(Message::Payload { digest, .. }) => came = *digest == id,
                Action::Crashed if came => {
                    let is_named = details.rsplit_once(';').is_some_and(|(named, _)| named == name.as_str());
                    // A name of content that another upload has brought needs no rename: it may stand already.
                    let is_shared = self.arrived(id) > 1;
                    return is_named
                        && self.fired(|effect| match effect {
                            Effect::CrashAfterRename => true,
                            Effect::CrashBeforeRename => is_shared,
                            _ => false,
                        });
                }
                _ => came = false,
            }
        }
        false
    }

    /// How many uploads with this MD5 came in whole.
    fn arrived(&self, id: FileId) -> usize {
        let is_it = |event: &&Event| matches!(event.action, Action::Received(Message::Payload { digest, .. }) if digest == id);
        self.sessions().map(|events| events.iter().filter(is_it).count()).sum()
    }

    fn sessions(&self) -> impl Iterator<Item = &[Event]> {
        self.tape.sessions.iter().map(|session| &session.events[..])
    }

    /// Whether a client was shown a listing that no session sent.
    fn listing_was_changed(&self, client: usize) -> bool {
        let sent: Vec<&str> =
            self.sessions().flatten().filter_map(|event| listing(&event.action, true)).collect();
        let mut seen =
            self.tape.clients[client].events.iter().filter_map(|event| listing(&event.action, false));
        seen.any(|text| !sent.contains(&text))
    }

    /// Whether some session said this when it had discarded a file.
    fn was_discarded(&self, line: &str) -> bool {
        let is_it = |event: &Event| matches!(&event.action, Action::Sent(Message::Text { kind: Kind::Discarded, text }) if text == line);
        self.sessions().flatten().any(is_it)
    }

    /// No upload can have been successful more often than its bytes came in.
    fn received_twice(&self, transfers: &[Transfer], wrong: &mut Vec<Wrong>) {
        let mut claimed: BTreeMap<String, (FileId, usize)> = BTreeMap::new();
        for transfer in transfers.iter().filter(|it| it.direction == Direction::Upload) {
            if let Some(Compared::Same(id)) = transfer.compared {
                claimed.entry(id.to_string()).or_insert((id, 0)).1 += 1;
            }
        }
        for (id, claims) in claimed.into_values() {
            let arrived = self.arrived(id);
            if arrived < claims {
                wrong.push(Wrong::Silent(format!(
                    "{claims} uploads of {id} are said to be good, {arrived} arrived"
                )));
            }
        }
    }

    /// What is listed is what was saved and not forgotten, byte for byte.
    fn left(&self, wrong: &mut Vec<Wrong>) {
        let mut saved: BTreeSet<(String, String)> = BTreeSet::new();
        for events in self.sessions() {
            for entry in standing(events) {
                saved.insert((entry.name.to_string(), entry.id.to_string()));
            }
        }
        for (entry, bytes) in self.listed {
            let key = (entry.name.to_string(), entry.id.to_string());
            if md5_hex(bytes) != key.1 || entry.size != bytes.len() as u64 {
                wrong.push(Wrong::Left(format!("{key:?} is listed, but has the MD5 {}", md5_hex(bytes))));
            }
            let unsaid = || self.sessions().any(|events| self.saved_unsaid(events, &entry.name, entry.id));
            if !saved.remove(&key) && !unsaid() {
                wrong.push(Wrong::Left(format!("{key:?} is listed, but nobody saved it")));
            }
        }
        wrong.extend(
            saved.into_iter().map(|key| Wrong::Left(format!("{key:?} was saved, but is not listed"))),
        );
    }

    fn fired(&self, is_it: impl Fn(&Effect) -> bool) -> bool {
        self.outcome.faults.iter().any(|record| record.fired && is_it(&record.fault.effect))
    }

    /// What the harness says of what is left behind.
    fn conditions(&self, transfers: &[Transfer], wrong: &mut Vec<Wrong>) {
        let is_good = |name: &FileName, id: String| self.sent_as(name).contains(&id);
        let server: Vec<(String, bool)> = self
            .listed
            .iter()
            .map(|(entry, bytes)| (entry.name.to_string(), is_good(&entry.name, md5_hex(bytes))))
            .collect();
        let told =
            |left: &sim::verdict::LeftoverFile| (left.name.to_string(), left.condition == Condition::Good);
        let aftermath = &self.outcome.aftermath;
        let said: Vec<(String, bool)> = aftermath.server.iter().map(told).collect();
        // What has rotted on the disk is not as it was saved; that is seen by whoever reads it, and be it afterwards.
        let rots = self.outcome.faults.iter().any(|record| matches!(record.fault.effect, Effect::Rot { .. }));
        if said != server && !rots {
            wrong.push(Wrong::Accused(format!("left at the server: told {said:?}, but it is {server:?}")));
        }
        let mut clients: Vec<(usize, String, bool)> = Vec::new();
        for transfer in transfers.iter().filter(|it| it.direction == Direction::Download) {
            if let Some(Compared::Same(id)) = transfer.compared {
                let name = transfer.file.to_string();
                clients.retain(|(client, other, _)| (*client, other) != (transfer.client, &name));
                let good = is_good(&transfer.file, id.to_string()) || name == id.to_string();
                clients.push((transfer.client, name, good));
            }
        }
        clients.sort();
        let had: Vec<(String, bool)> = clients.into_iter().map(|(_, name, good)| (name, good)).collect();
        let said: Vec<(String, bool)> = aftermath.clients.iter().map(told).collect();
        if said != had {
            wrong.push(Wrong::Accused(format!("left at the clients: told {said:?}, but it is {had:?}")));
        }
    }

    /// Who was told that an upload is damaged, and could say so, has had it discarded.
    fn told_and_listed(&self, wrong: &mut Vec<Wrong>) {
        for (client, tapped) in self.tape.clients.iter().enumerate() {
            let mut damaged = None;
            for event in &tapped.events {
                match &event.action {
                    Action::Compared(Direction::Upload, Compared::Different { peer, .. }) => {
                        damaged = Some(*peer);
                    }
                    Action::Received(Message::Text { kind: Kind::GoAhead, text }) => {
                        // A refusal that was changed on the way, and the answer to something else, may look like consent.
                        if let Some(peer) = damaged.take()
                            && self.was_discarded(text)
                            && self.sessions().flat_map(standing).any(|entry| entry.id == peer)
                            && self.arrived(peer) == 1
                        {
                            let text = format!(
                                "client {}: {peer} stands, though it was discarded: {text}",
                                client + 1
                            );
                            wrong.push(Wrong::Left(text));
                        }
                    }
                    Action::Failed(_) | Action::Received(_) => damaged = None,
                    _ => {}
                }
            }
        }
    }
}

impl Transfer {
    /// The first thing that is said of it counts.
    fn end(&mut self, action: &Action) {
        match action {
            Action::Compared(_, compared) => (self.compared, self.open) = (Some(*compared), false),
            Action::Failed(_) | Action::Received(Message::Text { kind: Kind::Refusal(_), .. }) => {
                self.open = false;
            }
            _ => {}
        }
    }
}

/// The text of a listing that was sent, or received.
fn listing(action: &Action, is_sent: bool) -> Option<&str> {
    match action {
        Action::Sent(Message::Text { kind: Kind::Listing(_), text }) if is_sent => Some(text),
        Action::Received(Message::Text { kind: Kind::Listing(_), text }) if !is_sent => Some(text),
        _ => None,
    }
}

/// What a session saved and did not forget.
fn standing(events: &[Event]) -> Vec<Entry> {
    let mut saved: Vec<Entry> = Vec::new();
    for event in events {
        match &event.action {
            Action::Saved(entry) => saved.push(entry.clone()),
            Action::Forgot(id) => {
                if let Some(at) = saved.iter().rposition(|entry| entry.id == *id) {
                    saved.remove(at);
                }
            }
            _ => {}
        }
    }
    saved
}

/// The bytes of a content.
pub(super) fn bytes_of(content: &Content) -> Vec<u8> {
    let mut bytes = vec![0; usize::try_from(content.len()).unwrap()];
    let read = content.read_at(0, &mut bytes).unwrap();
    assert_eq!(read, bytes.len(), "a content is as long as it says");
    bytes
}
