//! The client's side: works through a list of commands, one after the other, and compares every digest.

mod careless;
mod fork;

use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use protocol::wire::MAX_LINE;
use protocol::{
    ClientEvent, ClientState, Compared, Ended, Entry, Error, FileId, FileName, Request, Transmit,
};

use super::careless::Earlier;
use super::flaw::Conduct;
use super::{
    ClientCommand, ClientConfig, Deadline, Endpoint, FileQuery, HashThreads, Hasher, QueryError, Script,
    SentBytes, text_of,
};
use crate::record::{Action, Failure, Kind, Message, Progress, Recorder};
use crate::storage::{Folder, Incoming};
use faults::{Buffer, ConnectionId, Content, Direction, End, Machine, Reader};

/// How long a client waits before it connects again.
const RECONNECT: Duration = Duration::from_secs(1);

/// The client's side of one connection.
pub struct Client {
    core: protocol::Client,
    script: Box<dyn Script>,
    folder: Folder,
    record: Recorder,
    deadline: Deadline,
    waits: bool,
    hash_threads: HashThreads,
    conduct: Conduct,
    earlier: Earlier,
    progress: Option<Arc<Progress>>,
    sent: SentBytes,
    /// The last complete listing.
    listed: Vec<Entry>,
    /// The listing that is coming in.
    listing: Listing,
    transfer: Option<Transfer>,
    /// An upload that failed its comparison and is to be discarded.
    discard: Option<FileId>,
    retry: Retry,
}

/// What a client knows of trying again.
#[derive(Clone, Default)]
struct Retry {
    /// How often it still may.
    left: u32,
    /// How often it has tried again, for the command under way.
    count: u32,
    /// The command under way.
    command: Option<ClientCommand>,
    /// Whether that command is to be done again.
    due: bool,
    /// Whether that needs a new connection.
    reconnect: bool,
}

#[derive(Clone, Default)]
struct Listing {
    entries: Vec<Entry>,
    /// The lines, if they are to be recorded.
    text: String,
}

enum Transfer {
    Upload { name: FileName, content: Content, hasher: Hasher, own: Option<FileId>, peer: Option<FileId> },
    Download { name: FileName, id: FileId, incoming: Box<dyn Incoming>, hasher: Hasher },
}

impl Client {
    /// A client that has started and is about to connect.
    #[must_use]
    pub fn new(config: ClientConfig) -> Self {
        config.record.record(Duration::ZERO, Action::Started);
        Self {
            core: protocol::Client::new(),
            script: config.script,
            folder: config.folder,
            record: config.record,
            deadline: Deadline::new(config.deadline, config.pace),
            waits: config.waits,
            hash_threads: config.hash_threads,
            conduct: config.conduct,
            earlier: Earlier::default(),
            progress: config.progress,
            sent: SentBytes::default(),
            listed: Vec::new(),
            listing: Listing::default(),
            transfer: None,
            discard: None,
            retry: Retry { left: config.retries, ..Retry::default() },
        }
    }

    /// Begins what comes next, if the last exchange is over. Says whether anything happened.
    fn begin_next(&mut self, now: Duration) -> bool {
        if self.core.state() != ClientState::Idle {
            return false;
        }
        self.transfer = None;
        if let Some(id) = self.discard.take() {
            self.check(now, |core| core.discard(id));
            return true;
        }
        if self.retry.due {
            self.retry.due = false;
            self.retry.count += 1;
            self.record.record(now, Action::Retried(self.retry.count));
        } else {
            self.retry.count = 0;
            self.retry.command = self.script.next(&self.listed);
        }
        match self.retry.command.clone().unwrap_or(ClientCommand::Disconnect) {
            ClientCommand::ListFiles => self.check(now, protocol::Client::list_files),
            ClientCommand::Upload { name, content } => self.begin_upload(now, name, content),
            ClientCommand::Download { name } => self.begin_listed(now, name),
            ClientCommand::DownloadId { id, name } => self.begin_download(now, id, name, 0),
            ClientCommand::Disconnect => {
                self.core.close();
                self.deadline.close(now);
                self.record.record(now, Action::Disconnected);
            }
        }
        true
    }

    fn begin_upload(&mut self, now: Duration, name: FileName, content: Content) {
        let size = content.len();
        self.announce(Direction::Upload, size);
        let hasher = self.hasher(&name);
        self.transfer = Some(Transfer::Upload { name: name.clone(), content, hasher, own: None, peer: None });
        self.check(now, |core| core.upload(name, size));
    }

    fn begin_listed(&mut self, now: Duration, name: FileName) {
        match FileQuery::parse(name.as_str()).find_as(&self.listed, self.conduct) {
            Ok(entry) => self.begin_download(now, entry.id, name, entry.size),
            Err(QueryError::NotListed) => self.record.record(now, Action::Unlisted(name)),
            Err(QueryError::Ambiguous(entries)) => self.record.record(now, Action::Ambiguous(name, entries)),
        }
    }

    fn begin_download(&mut self, now: Duration, id: FileId, name: FileName, size: u64) {
        match self.folder.create() {
            Ok(incoming) => {
                self.announce(Direction::Download, size);
                let hasher = self.hasher(&name);
                self.transfer = Some(Transfer::Download { name, id, incoming, hasher });
                self.check(now, |core| core.download(id));
            }
            Err(error) => self.fail(now, Failure::Storage(error)),
        }
    }

    fn hasher(&self, name: &FileName) -> Hasher {
        Hasher::with(self.conduct, name.as_str()).on(&self.hash_threads)
    }

    fn announce(&self, direction: Direction, total: u64) {
        if let Some(progress) = &self.progress {
            progress.begin(direction, total);
        }
    }

    fn advance(&self, count: usize) {
        if let Some(progress) = &self.progress {
            progress.advance(count as u64);
        }
    }

    fn take(&mut self, now: Duration, event: ClientEvent<'_>, line: &[u8]) {
        match event {
            ClientEvent::Payload(bytes) => return self.store_payload(now, bytes),
            ClientEvent::Entry(entry) => self.listing.entries.push(entry),
            ClientEvent::NoFiles => {}
            ClientEvent::ListEnd => return self.finish_listing(now),
            ClientEvent::GoAhead(_) => self.received(now, Kind::GoAhead, line),
            ClientEvent::Hash(hash) => {
                self.received(now, Kind::Hash, line);
                if let Some(Transfer::Upload { peer, .. }) = &mut self.transfer {
                    *peer = Some(hash);
                }
            }
            ClientEvent::Size(_) => self.received(now, Kind::Size, line),
            ClientEvent::Refused(code, _) => self.received(now, Kind::Refusal(code), line),
        }
        let lists = matches!(self.core.state(), ClientState::InListing | ClientState::AfterNoFiles);
        if lists && self.record.keeps() {
            if !self.listing.text.is_empty() {
                self.listing.text.push('\n');
            }
            self.listing.text.push_str(&text_of(line));
        }
        if self.core.state() == ClientState::AwaitHash {
            self.finish_empty_upload(now);
        }
    }

    fn received(&self, now: Duration, kind: Kind, line: &[u8]) {
        self.record.record(now, Action::Received(Message::Text { kind, text: text_of(line) }));
    }

    fn finish_listing(&mut self, now: Duration) {
        let Listing { entries, text } = std::mem::take(&mut self.listing);
        let recorded = if self.record.keeps() { &entries[..] } else { &[] };
        let kind = Kind::Listing(recorded.iter().map(|entry| entry.name.clone()).collect());
        self.record.record(now, Action::Received(Message::Text { kind, text }));
        self.listed = entries;
    }

    fn store_payload(&mut self, now: Duration, bytes: &[u8]) {
        self.advance(bytes.len());
        let Some(Transfer::Download { incoming, hasher, .. }) = &mut self.transfer else { return };
        hasher.update(bytes);
        if let Err(error) = incoming.write(bytes) {
            self.fail(now, Failure::Storage(error));
        }
    }

    fn send_payload(&mut self, now: Duration, left: u64, out: &mut Buffer) {
        let Some(Transfer::Upload { content, hasher, .. }) = &mut self.transfer else { return };
        if hasher.bytes() == 0 {
            self.record.record_sending(now, self.sent.coming(left));
        }
        let count = match hasher.pass_on(content, left, out) {
            Ok(count) => count,
            Err(error) => return self.fail(now, Failure::Storage(error)),
        };
        self.sent.count(count);
        self.advance(count);
        self.check(now, |core| core.payload_sent(count as u64));
        if left == count as u64 {
            self.finish_sending(now);
        }
    }

    /// All payload of the upload is out: our own digest of it is known.
    fn finish_sending(&mut self, now: Duration) {
        let Some(Transfer::Upload { hasher, own, .. }) = &mut self.transfer else { return };
        let (bytes, hasher) = (hasher.bytes(), std::mem::take(hasher));
        let digest = self.earlier.finish(self.conduct, Direction::Upload, hasher);
        *own = Some(digest);
        self.record.record_sent(now, Message::Payload { bytes, digest }, self.sent.message());
    }

    /// An empty file has no last byte to be sent: its go-ahead is all there is.
    fn finish_empty_upload(&mut self, now: Duration) {
        if matches!(&self.transfer, Some(Transfer::Upload { own: None, .. })) {
            self.record.record_sending(now, self.sent.coming(0));
            self.finish_sending(now);
        }
    }

    /// Both digests of a transfer are there.
    fn compare(&mut self, now: Duration) {
        match self.transfer.take() {
            Some(Transfer::Upload { own: Some(own), peer: Some(peer), .. }) => {
                self.finish_upload(now, own, peer);
            }
            Some(Transfer::Download { name, id, incoming, hasher }) => {
                self.finish_download(now, &name, id, incoming, hasher);
            }
            _ => {}
        }
    }

    fn finish_upload(&mut self, now: Duration, own: FileId, peer: FileId) {
        let Some(compared) = self.judge(now, own, peer) else { return };
        if let Compared::Different { peer, .. } = compared {
            self.discard = (!self.keeps_damaged(Direction::Upload)).then_some(peer);
        }
        self.conclude(now, Direction::Upload, compared);
    }

    fn finish_download(
        &mut self,
        now: Duration,
        name: &FileName,
        id: FileId,
        incoming: Box<dyn Incoming>,
        hasher: Hasher,
    ) {
        let bytes = hasher.bytes();
        let own = self.digest_of_download(name, id, hasher);
        let file = incoming.content();
        self.record.record_file(now, Action::Received(Message::Payload { bytes, digest: own }), &file);
        if let Err(error) = file {
            return self.fail(now, Failure::Storage(error));
        }
        let Some(compared) = self.judge(now, own, id) else { return };
        let same = matches!(compared, Compared::Same(_));
        // Only a verified file gets its name, and only a file that has its name is a success.
        if (same || self.keeps_damaged(Direction::Download))
            && let Err(error) = incoming.commit(name, id)
        {
            return self.fail(now, Failure::Storage(error));
        }
        self.conclude(now, Direction::Download, compared);
    }

    /// Tells what came of a comparison.
    fn conclude(&mut self, now: Duration, direction: Direction, compared: Compared) {
        let told = self.told(compared);
        if matches!(told, Compared::Different { .. }) {
            self.try_again();
        }
        self.record.record(now, Action::Compared(direction, told));
    }

    /// Compares through the core, which knows no other way to success. A careless client lies to it.
    fn judge(&mut self, now: Duration, own: FileId, peer: FileId) -> Option<Compared> {
        let lies = self.lies(own, peer);
        match self.core.handle_digest(if lies { peer } else { own }) {
            Ok(compared) => Some(compared),
            Err(misuse) => {
                self.fail(now, Failure::Protocol(misuse.into()));
                None
            }
        }
    }

    /// The peer has moved: so many bytes of what can be long, or a message, which always counts.
    fn put_off(&mut self, now: Duration, bytes: usize) {
        if !self.is_closed() {
            self.deadline.extend_by(now, bytes);
        }
    }

    /// The command under way is done again, if that is allowed once more.
    fn try_again(&mut self) -> bool {
        self.retry.due = self.retry.left > 0;
        self.retry.left = self.retry.left.saturating_sub(1);
        self.retry.due
    }

    /// Runs a command of the core. Its misuse would be a mistake of this file: it ends the session.
    fn check(
        &mut self,
        now: Duration,
        command: impl FnOnce(&mut protocol::Client) -> Result<(), protocol::Misuse>,
    ) {
        if let Err(misuse) = command(&mut self.core) {
            self.fail(now, Failure::Protocol(Error::Caller(misuse)));
        }
    }

    fn fail(&mut self, now: Duration, failure: Failure) {
        self.fail_at(now, failure, &[]);
    }

    /// The same, over what begins with these bytes.
    fn fail_at(&mut self, now: Duration, failure: Failure, unread: &[u8]) {
        let gives_up = failure == Failure::Deadline && !self.waits;
        match self.transfer.take() {
            Some(transfer) if self.takes_for_success(&transfer, &failure, unread) => {
                self.claim_success(now, transfer);
            }
            _ => {
                let is_ours = matches!(failure, Failure::Storage(_) | Failure::Protocol(Error::Caller(_)));
                self.record.record(now, Action::Failed(failure));
                self.retry.reconnect = !is_ours && self.retry.command.is_some() && self.try_again();
            }
        }
        self.core.close();
        self.deadline.close(now);
        if gives_up {
            self.deadline.pass(now);
        }
    }

    fn send_line(&mut self, now: Duration, request: &Request, out: &mut Buffer) {
        let text = request.to_string();
        // The caller made sure that there is space for a line.
        let _ = writeln!(out, "{text}");
        self.sent.count(text.len() + 1);
        let kind = match request {
            Request::ListFiles => Kind::ListFiles,
            Request::Upload => Kind::Upload(self.file()),
            Request::Download => Kind::Download(self.file()),
            Request::Discard(_) => Kind::Discard,
            Request::Details(_) => Kind::Details,
            Request::Id(_) => Kind::Id,
        };
        self.record.record_sent(now, Message::Text { kind, text }, self.sent.message());
    }

    /// The name of the file that is being transferred.
    fn file(&self) -> Option<FileName> {
        match &self.transfer {
            Some(Transfer::Upload { name, .. } | Transfer::Download { name, .. }) => Some(name.clone()),
            None => None,
        }
    }
}

impl Endpoint for Client {
    fn record(&self) -> &Recorder {
        &self.record
    }
}

impl Machine for Client {
    fn handle_connected(&mut self, now: Duration, connection: ConnectionId) {
        self.deadline.extend(now);
        self.record.record_connection(now, Action::Connected, connection);
    }

    fn handle_input(&mut self, now: Duration, input: &[u8]) -> usize {
        let mut used = 0;
        // Between commands it speaks first. Whether a line that nobody asked for comes before its next command
        // or after it is chance, so that it is always read after it.
        while self.core.state() != ClientState::Idle {
            match self.core.handle_input(&input[used..]) {
                Ok(Some((count, event))) => {
                    let trickles = matches!(event, ClientEvent::Payload(_) | ClientEvent::Entry(_));
                    self.take(now, event, &input[used..used + count]);
                    self.put_off(now, if trickles { count } else { usize::MAX });
                    used += count;
                }
                Ok(None) => break,
                Err(error) => {
                    self.fail_at(now, Failure::Protocol(error), &input[used..]);
                    used = input.len();
                    break;
                }
            }
            if self.core.digest_due() {
                self.compare(now);
            }
        }
        self.record.saw(input.len(), used);
        used
    }

    fn handle_end(&mut self, now: Duration, end: End) {
        if self.is_closed() {
            return;
        }
        let failure = match (end, self.core.handle_end()) {
            (End::NotConnected, _) => Failure::NotConnected,
            (End::Broken, _) => Failure::Broken,
            (End::Finished, Err(Error::Ended(ended @ Ended::InPayload { .. }))) => {
                Failure::Protocol(ended.into())
            }
            // How far the sending had come is chance, and a server that leaves between commands leaves the rest
            // of ours undone: either way it owes a line.
            (End::Finished, _) => Failure::Protocol(Ended::AwaitingLine.into()),
        };
        self.fail(now, failure);
    }

    fn handle_timeout(&mut self, now: Duration) {
        if self.deadline.has_passed(now) && !self.is_closed() {
            self.fail(now, Failure::Deadline);
        }
    }

    fn poll_transmit(&mut self, now: Duration, out: &mut Buffer) {
        while out.space() >= MAX_LINE && !self.is_closed() {
            match self.core.poll_transmit() {
                Some(Transmit::Line(request)) => self.send_line(now, &request, out),
                Some(Transmit::Payload { left }) => self.send_payload(now, left, out),
                None if self.begin_next(now) => {}
                None => return,
            }
            self.put_off(now, usize::MAX);
        }
    }

    fn poll_timeout(&self) -> Option<Duration> {
        Some(self.deadline.expires)
    }

    fn is_closed(&self) -> bool {
        self.core.state() == ClientState::Closed
    }

    fn reconnect(&mut self) -> Option<Duration> {
        if !std::mem::take(&mut self.retry.reconnect) {
            return None;
        }
        self.record.seal();
        self.core = protocol::Client::new();
        (self.sent, self.discard, self.listing) = (SentBytes::default(), None, Listing::default());
        Some(RECONNECT)
    }

    fn reader(&self) -> Arc<dyn Reader> {
        self.record.reader()
    }
}
