//! The server's side of one session: the protocol core joined to a [`Store`](crate::storage::Store).

mod fork;

use std::collections::VecDeque;
use std::io::{ErrorKind, Write};
use std::sync::Arc;
use std::task::Waker;
use std::time::Duration;

use protocol::wire::{DISCARDABLE, MAX_LINE};
use protocol::{Ended, Entry, Error, ErrorCode, FileId, FileName, Reply, ServerEvent, ServerState, Transmit};

use super::careless::Earlier;
use super::flaw::Flaw;
use super::host::HostProcess;
use super::{Deadline, Endpoint, Hasher, SentBytes, ServerConfig};
use crate::record::{Action, Evidence, Failure, Kind, Message, Recorder};
use crate::storage::{CommitResult, Incoming, StoreError};
use faults::{Buffer, ConnectionId, Content, Direction, End, Machine, Reader};

/// One session of the server.
pub struct Server {
    core: protocol::Server,
    config: ServerConfig,
    record: Recorder,
    deadline: Deadline,
    /// What it runs on, if that can go down.
    machine: Option<HostProcess>,
    /// The session is to end as soon as it may.
    leaving: bool,
    /// When and why the session failed, until the last word about it is out.
    failure: Option<(Duration, Failure)>,
    sent: SentBytes,
    /// The listing that is going out.
    listing: Option<Listing>,
    upload: Option<Upload>,
    download: Option<Download>,
    /// What this session has uploaded and may discard, oldest first.
    uploaded: VecDeque<(FileId, FileName)>,
    earlier: Earlier,
}

/// A snapshot of the store, how many of its entries are on their way, and what has gone out.
#[derive(Clone)]
struct Listing {
    entries: Arc<[Entry]>,
    next: usize,
    listed: Listed,
}

#[derive(Clone, Default)]
struct Listed {
    names: Vec<FileName>,
    text: String,
}

struct Upload {
    name: FileName,
    incoming: Box<dyn Incoming>,
    hasher: Hasher,
}

struct Download {
    content: Content,
    hasher: Hasher,
}

impl Server {
    /// A session that records in `record`.
    #[must_use]
    pub fn new(config: ServerConfig, record: Recorder) -> Self {
        Self {
            core: protocol::Server::new(),
            deadline: Deadline::new(config.deadline, config.pace),
            config,
            record,
            machine: None,
            leaving: false,
            failure: None,
            sent: SentBytes::default(),
            listing: None,
            upload: None,
            download: None,
            uploaded: VecDeque::new(),
            earlier: Earlier::default(),
        }
    }

    /// The same on a machine that can go down.
    pub(super) fn on(mut self, machine: HostProcess) -> Self {
        self.machine = Some(machine);
        self
    }

    /// Ends the session before it has begun, with a last word if there is one.
    pub fn turn_away(&mut self, now: Duration, last_word: Option<ErrorCode>) {
        self.core.close(last_word);
        self.deadline.close(now);
    }

    fn take(&mut self, now: Duration, event: ServerEvent<'_>, line: &[u8]) {
        match event {
            ServerEvent::Payload(bytes) => self.store_payload(now, bytes),
            ServerEvent::Dropped(_) => {}
            event => {
                self.record_line(now, &event, line);
                self.decide(now, event);
            }
        }
    }

    fn record_line(&self, now: Duration, event: &ServerEvent<'_>, line: &[u8]) {
        let kind = match event {
            ServerEvent::ListRequested => Kind::ListFiles,
            ServerEvent::UploadAnnounced => Kind::Upload(None),
            ServerEvent::UploadRequested { .. } => Kind::Details,
            ServerEvent::DownloadAnnounced => Kind::Download(None),
            ServerEvent::DownloadRequested(_) => Kind::Id,
            ServerEvent::DiscardRequested(_) => Kind::Discard,
            _ => Kind::Rejected,
        };
        let text = String::from_utf8_lossy(line).trim_end_matches(['\r', '\n']).to_owned();
        self.record.record(now, Action::Received(Message::Text { kind, text }));
    }

    fn decide(&mut self, now: Duration, event: ServerEvent<'_>) {
        let decision = match event {
            ServerEvent::ListRequested => self.begin_listing(),
            ServerEvent::UploadRequested { name, size } => self.begin_upload(now, name, size),
            ServerEvent::DownloadRequested(id) => self.begin_download(id),
            ServerEvent::DiscardRequested(id) => self.discard(now, id),
            _ => Ok(()),
        };
        if let Err(error) = decision {
            self.refuse(now, error.code());
        }
    }

    fn begin_listing(&mut self) -> Result<(), StoreError> {
        self.listing =
            Some(Listing { entries: self.config.store.list()?, next: 0, listed: Listed::default() });
        Ok(())
    }

    fn begin_upload(&mut self, now: Duration, name: FileName, size: u64) -> Result<(), StoreError> {
        let incoming = self.config.store.create(size)?;
        let hasher = self.config.hasher(name.as_str());
        self.upload = Some(Upload { name, incoming, hasher });
        self.check(now, protocol::Server::accept_upload);
        Ok(())
    }

    fn begin_download(&mut self, id: FileId) -> Result<(), StoreError> {
        let content = self.config.store.open(id)?;
        let size = content.len();
        // Under which of its names somebody asks for it, nobody says here.
        self.download = Some(Download { content, hasher: self.config.hasher("") });
        self.core.accept_download(size).map_err(|_| StoreError::NotFound)
    }

    fn discard(&mut self, now: Duration, id: FileId) -> Result<(), StoreError> {
        let Some(latest) = self.uploaded.iter().rposition(|mine| mine.0 == id) else {
            self.config.store.open(id)?;
            self.refuse(now, ErrorCode::NotYours);
            return Ok(());
        };
        if let Some((_, name)) = self.uploaded.remove(latest) {
            self.config.store.discard(id, &name)?;
        }
        self.record.record(now, Action::Forgot(id));
        self.check(now, protocol::Server::accept_discard);
        Ok(())
    }

    fn store_payload(&mut self, now: Duration, bytes: &[u8]) {
        let Some(upload) = &mut self.upload else { return };
        upload.hasher.update(bytes);
        if let Err(error) = upload.incoming.write(bytes) {
            self.upload = None;
            self.refuse(now, error.code());
        }
    }

    /// Everything has arrived: saves the file and tells its hash, or says why not.
    fn finish_upload(&mut self, now: Duration) {
        let Some(Upload { name, incoming, hasher }) = self.upload.take() else { return };
        let bytes = hasher.bytes();
        let digest = self.earlier.finish(self.config.conduct, Direction::Upload, hasher);
        let file = incoming.content();
        self.record.record_file(now, Action::Received(Message::Payload { bytes, digest }), &file);
        match self.save(incoming, &file, &name, digest, bytes) {
            Ok(_) => {
                self.remember(digest, &name);
                self.record.record_file(now, Action::Saved(Entry { name, id: digest, size: bytes }), &file);
                self.check(now, |core| core.handle_digest(digest));
            }
            Err(StoreError::Crashed) => {
                // It takes all other sessions with it.
                if let Some(machine) = &self.machine {
                    machine.fall(now);
                }
                self.go_down(now, now);
            }
            Err(error) => self.refuse(now, error.code()),
        }
    }

    /// The oldest is forgotten for it, if need be: a session goes on for as long as its client likes.
    fn remember(&mut self, id: FileId, name: &FileName) {
        if self.uploaded.len() == DISCARDABLE {
            self.uploaded.pop_front();
        }
        self.uploaded.push_back((id, name.clone()));
    }

    fn save(
        &self,
        incoming: Box<dyn Incoming>,
        file: &Evidence,
        name: &FileName,
        digest: FileId,
        bytes: u64,
    ) -> Result<CommitResult, StoreError> {
        let len = file.as_ref().map_err(|error| *error)?.len();
        // A disk that took less than it was given and did not say so.
        let short = len != bytes && !self.config.conduct.has(Flaw::HashBeforeWrite);
        if short { Err(StoreError::Io(ErrorKind::WriteZero)) } else { incoming.commit(name, digest) }
    }

    /// The machine went down at this time: nothing of the session is left, and nobody who could say so.
    fn go_down(&mut self, now: Duration, fell: Duration) {
        self.record.record(fell, Action::Crashed);
        (self.listing, self.upload, self.download) = (None, None, None);
        self.core.close(None);
        self.deadline.close(now);
    }

    fn refuse(&mut self, now: Duration, code: ErrorCode) {
        self.check(now, |core| core.refuse(code));
    }

    /// The peer has moved: so much payload, or a message, which always counts.
    fn put_off(&mut self, now: Duration, bytes: usize) {
        if !self.is_closed() {
            self.deadline.extend_by(now, bytes);
        }
    }

    /// Runs a command of the core. Its misuse would be a mistake of this file: it ends the session.
    fn check(
        &mut self,
        now: Duration,
        command: impl FnOnce(&mut protocol::Server) -> Result<(), protocol::Misuse>,
    ) {
        if let Err(misuse) = command(&mut self.core) {
            self.fail(now, Failure::Protocol(Error::Caller(misuse)), None);
        }
    }

    fn fail(&mut self, now: Duration, failure: Failure, last_word: Option<ErrorCode>) {
        self.failure = Some((now, failure));
        self.download = None;
        if let Some(Upload { name, incoming, hasher }) = self.upload.take()
            && self.config.conduct.has(Flaw::StoredIncomplete)
        {
            // The mistake is the point; whether the store took it is of no interest.
            let _ = incoming.commit(&name, hasher.finish());
        }
        if self.core.state() != ServerState::Closed {
            self.core.close(last_word);
        }
        self.deadline.close(now);
    }

    fn send_line(&mut self, now: Duration, reply: &Reply, out: &mut Buffer) {
        let text = reply.to_string();
        // The caller made sure that there is space for a line.
        let _ = writeln!(out, "{text}");
        self.sent.count(text.len() + 1);
        let starts_listing = matches!(&self.listing, Some(Listing { next: 1, .. }));
        if starts_listing && matches!(reply, Reply::Entry(_) | Reply::NoFiles | Reply::ListEnd) {
            self.record.begins(&Kind::Listing(Vec::new()), self.sent.start);
        }
        let kind = match reply {
            Reply::Entry(_) | Reply::NoFiles | Reply::ListEnd => {
                return self.record_listing(now, reply, &text);
            }
            Reply::AskDetails => Kind::AskDetails,
            Reply::Ready => Kind::Ready,
            Reply::Hash(_) => Kind::Hash,
            Reply::AskId => Kind::AskId,
            Reply::Size(_) => Kind::Size,
            Reply::Discarded => Kind::Discarded,
            Reply::Error(code) => Kind::Refusal(*code),
        };
        self.record.record_sent(now, Message::Text { kind, text }, self.sent.message());
        if *reply == Reply::Size(0) {
            self.record.record_sending(now, self.sent.coming(0));
            self.finish_download(now);
        }
    }

    /// A listing is recorded whole, when its empty line goes out.
    fn record_listing(&mut self, now: Duration, reply: &Reply, text: &str) {
        let Some(Listing { listed, .. }) = &mut self.listing else { return };
        if *reply != Reply::ListEnd && self.record.keeps() {
            if !listed.text.is_empty() {
                listed.text.push('\n');
            }
            listed.text.push_str(text);
        }
        match reply {
            Reply::Entry(entry) if self.record.keeps() => listed.names.push(entry.name.clone()),
            Reply::ListEnd => {
                let Listed { names, text } = std::mem::take(listed);
                self.listing = None;
                let kind = Kind::Listing(names);
                self.record.record_sent(now, Message::Text { kind, text }, self.sent.message());
            }
            _ => {}
        }
    }

    fn send_payload(&mut self, now: Duration, left: u64, out: &mut Buffer) {
        let Some(download) = &mut self.download else { return };
        if download.hasher.bytes() == 0 {
            self.record.record_sending(now, self.sent.coming(left));
        }
        let count = match download.hasher.pass_on(&download.content, left, out) {
            Ok(count) => count,
            // The size was announced, so nothing but the end of the connection can tell of the trouble.
            Err(error) => return self.fail(now, Failure::Storage(error), None),
        };
        self.sent.count(count);
        self.check(now, |core| core.payload_sent(count as u64));
        if left == count as u64 {
            self.finish_download(now);
        }
    }

    fn finish_download(&mut self, now: Duration) {
        let Some(Download { hasher, .. }) = self.download.take() else { return };
        let (bytes, digest) = (hasher.bytes(), hasher.finish());
        self.record.record_sent(now, Message::Payload { bytes, digest }, self.sent.message());
    }

    /// Supplies the next line of a listing, if one is under way. Says whether it did.
    fn next_of_listing(&mut self, now: Duration) -> bool {
        let Some(listing) = &mut self.listing else { return false };
        if self.core.state() == ServerState::Closed {
            return false;
        }
        let entry = listing.entries.get(listing.next).cloned();
        listing.next += 1;
        match entry {
            Some(entry) => self.check(now, |core| core.list_entry(entry)),
            None => self.check(now, |core| core.list_end().map(|_| ())),
        }
        true
    }
}

impl Drop for Server {
    /// Nobody asked for a last word any more: the peer was gone, or never read what was before it.
    fn drop(&mut self) {
        if let Some((at, failure)) = self.failure.take() {
            self.record.record(at, Action::Failed(failure));
        }
        // It may be gone before it could notice that its machine is.
        if !self.is_closed()
            && let Some(fell) = self.machine.as_ref().and_then(|machine| machine.fell(None))
        {
            self.record.record(fell, Action::Crashed);
        }
    }
}

impl Endpoint for Server {
    fn record(&self) -> &Recorder {
        &self.record
    }
}

impl Machine for Server {
    fn handle_connected(&mut self, now: Duration, connection: ConnectionId) {
        self.deadline.extend(now);
        self.record.record_connection(now, Action::Accepted, connection);
    }

    fn poll_machine(&mut self, now: Duration, waker: Option<&Waker>) {
        if !self.is_closed()
            && let Some(fell) = self.machine.as_ref().and_then(|machine| machine.fell(waker))
        {
            self.go_down(now, fell);
        }
    }

    fn handle_input(&mut self, now: Duration, input: &[u8]) -> usize {
        self.poll_machine(now, None);
        if self.is_closed() {
            return input.len();
        }
        let mut used = 0;
        loop {
            match self.core.handle_input(&input[used..]) {
                Ok(Some((count, event))) => {
                    let is_payload = matches!(event, ServerEvent::Payload(_) | ServerEvent::Dropped(_));
                    self.take(now, event, &input[used..used + count]);
                    self.put_off(now, if is_payload { count } else { usize::MAX });
                    used += count;
                }
                Ok(None) => break,
                Err(error) => {
                    self.fail(now, Failure::Protocol(error), None);
                    used = input.len();
                    break;
                }
            }
        }
        self.record.saw(input.len(), used);
        used
    }

    fn handle_end(&mut self, now: Duration, end: End) {
        if self.is_closed() {
            return;
        }
        match (self.core.handle_end(), end) {
            // Whether the last of a download was still on its way here is chance: a client may leave at any time.
            (Ok(()) | Err(Error::Ended(Ended::WhileSending)), End::Finished) => {
                self.deadline.close(now);
                self.record.record(now, Action::PeerLeft);
            }
            (Err(error), End::Finished) => self.fail(now, Failure::Protocol(error), None),
            _ => self.fail(now, Failure::Broken, None),
        }
    }

    fn handle_timeout(&mut self, now: Duration) {
        if self.deadline.has_passed(now) && !self.is_closed() {
            self.fail(now, Failure::Deadline, Some(ErrorCode::Timeout));
        }
    }

    fn handle_shutdown(&mut self, _now: Duration) {
        self.leaving = true;
    }

    fn poll_transmit(&mut self, now: Duration, out: &mut Buffer) {
        self.poll_machine(now, None);
        while out.space() >= MAX_LINE {
            match self.core.poll_transmit() {
                Some(Transmit::Line(reply)) => self.send_line(now, &reply, out),
                Some(Transmit::Payload { left }) => self.send_payload(now, left, out),
                None if self.core.digest_due() => self.finish_upload(now),
                None if self.next_of_listing(now) => {}
                None if self.leaving && self.core.state() == ServerState::Idle => {
                    self.core.close(None);
                    self.record.record(now, Action::Disconnected);
                    self.deadline.close(now);
                }
                None => break,
            }
            self.put_off(now, usize::MAX);
        }
        if let Some((_, failure)) = self.failure.take() {
            self.record.record(now, Action::Failed(failure));
        }
    }

    fn poll_timeout(&self) -> Option<Duration> {
        Some(self.deadline.expires)
    }

    fn is_closed(&self) -> bool {
        self.core.state() == ServerState::Closed
    }

    fn reader(&self) -> Arc<dyn Reader> {
        self.record.reader()
    }
}
