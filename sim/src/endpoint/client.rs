//! The client's side: works through a list of commands, one after the other, and compares every digest.

use std::collections::VecDeque;
use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use protocol::wire::MAX_LINE;
use protocol::{
    ClientEvent, ClientState, Compared, Entry, Error, ErrorCode, FileId, FileName, Request, Transmit,
};

use super::{Buffer, Deadline, End, Endpoint, Hasher};
use crate::record::{Action, Direction, Failure, Kind, Message, Progress, Recorder};
use crate::storage::{Content, Folder, Incoming};

/// What a client is told to do.
#[derive(Clone, Debug)]
pub enum Command {
    /// Ask for the listing.
    ListFiles,
    /// Send `content` under `name`.
    Upload {
        /// The name on the server.
        name: FileName,
        /// The bytes.
        content: Content,
    },
    /// Fetch the file with this name, by its id from the last listing.
    Download {
        /// The name on the server, and in the folder.
        name: FileName,
    },
    /// End the session.
    Disconnect,
}

/// What a [`Client`] needs.
#[derive(Clone, Debug)]
pub struct ClientConfig {
    /// What it does, in this order. Without a `Disconnect` it disconnects at the end.
    pub commands: Vec<Command>,
    /// Where downloads go.
    pub folder: Folder,
    /// It gives up when nothing has moved for so long.
    pub deadline: Duration,
    /// Where it records what it does and sees.
    pub record: Recorder,
    /// Counters for a progress bar.
    pub progress: Option<Arc<Progress>>,
}

/// The client's side of one connection.
pub struct Client {
    core: protocol::Client,
    commands: VecDeque<Command>,
    folder: Folder,
    record: Recorder,
    deadline: Deadline,
    progress: Option<Arc<Progress>>,
    /// The last complete listing.
    listed: Vec<Entry>,
    /// The listing that is coming in.
    listing: Listing,
    transfer: Option<Transfer>,
    /// An upload that failed its comparison and is to be discarded.
    discard: Option<FileId>,
}

#[derive(Default)]
struct Listing {
    entries: Vec<Entry>,
    text: String,
}

enum Transfer {
    Upload { content: Content, hasher: Hasher, own: Option<FileId> },
    Download { name: FileName, id: FileId, incoming: Box<dyn Incoming>, hasher: Hasher },
}

impl Client {
    /// A client that has started and is about to connect.
    #[must_use]
    pub fn new(config: ClientConfig) -> Self {
        config.record.record(Duration::ZERO, Action::Started);
        Self {
            core: protocol::Client::new(),
            commands: config.commands.into(),
            folder: config.folder,
            record: config.record,
            deadline: Deadline::new(config.deadline),
            progress: config.progress,
            listed: Vec::new(),
            listing: Listing::default(),
            transfer: None,
            discard: None,
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
        match self.commands.pop_front().unwrap_or(Command::Disconnect) {
            Command::ListFiles => self.check(now, protocol::Client::list_files),
            Command::Upload { name, content } => self.begin_upload(now, name, content),
            Command::Download { name } => self.begin_download(now, name),
            Command::Disconnect => {
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
        self.transfer = Some(Transfer::Upload { content, hasher: Hasher::default(), own: None });
        self.sent(now, Kind::Upload(Some(name.clone())), Request::Upload.to_string());
        self.check(now, |core| core.upload(name, size));
    }

    fn begin_download(&mut self, now: Duration, name: FileName) {
        let Some(entry) = self.listed.iter().find(|entry| entry.name == name).cloned() else {
            self.record.record(now, Action::Unlisted(name));
            return;
        };
        match self.folder.create() {
            Ok(incoming) => {
                self.announce(Direction::Download, entry.size);
                self.sent(now, Kind::Download(Some(name.clone())), Request::Download.to_string());
                let hasher = Hasher::default();
                self.transfer = Some(Transfer::Download { name, id: entry.id, incoming, hasher });
                self.check(now, |core| core.download(entry.id));
            }
            Err(error) => self.fail(now, Failure::Storage(error.code())),
        }
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
            ClientEvent::Hash(_) => self.received(now, Kind::Hash, line),
            ClientEvent::Size(_) => self.received(now, Kind::Size, line),
            ClientEvent::Refused(code, _) => self.received(now, Kind::Refusal(code), line),
        }
        if matches!(self.core.state(), ClientState::InListing | ClientState::AfterNoFiles) {
            if !self.listing.text.is_empty() {
                self.listing.text.push('\n');
            }
            self.listing.text.push_str(&text_of(line));
        }
        if self.core.state() == ClientState::AwaitHash {
            self.finish_empty_upload(now);
        }
    }

    fn sent(&self, now: Duration, kind: Kind, text: String) {
        self.record.record(now, Action::Sent(Message::Text { kind, text }));
    }

    fn received(&self, now: Duration, kind: Kind, line: &[u8]) {
        self.record.record(now, Action::Received(Message::Text { kind, text: text_of(line) }));
    }

    fn finish_listing(&mut self, now: Duration) {
        let Listing { entries, text } = std::mem::take(&mut self.listing);
        let kind = Kind::Listing(entries.iter().map(|entry| entry.name.clone()).collect());
        self.record.record(now, Action::Received(Message::Text { kind, text }));
        self.listed = entries;
    }

    fn store_payload(&mut self, now: Duration, bytes: &[u8]) {
        self.advance(bytes.len());
        let Some(Transfer::Download { incoming, hasher, .. }) = &mut self.transfer else { return };
        hasher.update(bytes);
        if let Err(error) = incoming.write(bytes) {
            self.fail(now, Failure::Storage(error.code()));
        }
    }

    fn send_payload(&mut self, now: Duration, left: u64, out: &mut Buffer) {
        let Some(Transfer::Upload { content, hasher, .. }) = &mut self.transfer else { return };
        let spare = out.spare();
        let most = usize::try_from(left).unwrap_or(usize::MAX).min(spare.len());
        let count = match content.read_at(hasher.bytes(), &mut spare[..most]) {
            Ok(0) | Err(_) => return self.fail(now, Failure::Storage(ErrorCode::Storage)),
            Ok(count) => count,
        };
        hasher.update(&spare[..count]);
        out.fill(count);
        self.advance(count);
        self.check(now, |core| core.payload_sent(count as u64));
        if left == count as u64 {
            self.finish_sending(now);
        }
    }

    /// All payload of the upload is out: our own digest of it is known.
    fn finish_sending(&mut self, now: Duration) {
        let Some(Transfer::Upload { hasher, own, .. }) = &mut self.transfer else { return };
        let (bytes, digest) = (hasher.bytes(), hasher.clone().finish());
        *own = Some(digest);
        self.record.record(now, Action::Sent(Message::Payload { bytes, digest }));
    }

    /// An empty file has no last byte to be sent: its go-ahead is all there is.
    fn finish_empty_upload(&mut self, now: Duration) {
        if matches!(&self.transfer, Some(Transfer::Upload { own: None, .. })) {
            self.finish_sending(now);
        }
    }

    /// Both digests of a transfer are there.
    fn compare(&mut self, now: Duration) {
        match self.transfer.take() {
            Some(Transfer::Upload { own: Some(own), .. }) => self.compare_upload(now, own),
            Some(Transfer::Download { name, id, incoming, hasher }) => {
                let (bytes, digest) = (hasher.bytes(), hasher.finish());
                self.record.record(now, Action::Received(Message::Payload { bytes, digest }));
                self.compare_download(now, &name, id, digest, incoming);
            }
            _ => {}
        }
    }

    fn compare_upload(&mut self, now: Duration, own: FileId) {
        let compared = match self.core.handle_digest(own) {
            Ok(compared) => compared,
            Err(misuse) => return self.fail(now, Failure::Protocol(misuse.into())),
        };
        if let Compared::Different { peer, .. } = compared {
            self.discard = Some(peer);
        }
        self.record.record(now, Action::Compared(Direction::Upload, compared));
    }

    fn compare_download(
        &mut self,
        now: Duration,
        name: &FileName,
        id: FileId,
        digest: FileId,
        incoming: Box<dyn Incoming>,
    ) {
        let compared = match self.core.handle_digest(digest) {
            Ok(compared) => compared,
            Err(misuse) => return self.fail(now, Failure::Protocol(misuse.into())),
        };
        // Only a verified file gets its name, and only a file that has its name is a success.
        if let Compared::Same(_) = compared
            && let Err(error) = incoming.commit(name, id)
        {
            return self.fail(now, Failure::Storage(error.code()));
        }
        self.record.record(now, Action::Compared(Direction::Download, compared));
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
        self.record.record(now, Action::Failed(failure));
        self.transfer = None;
        self.core.close();
        self.deadline.close(now);
    }

    fn send_line(&mut self, now: Duration, request: &Request, out: &mut Buffer) {
        let text = request.to_string();
        // The caller made sure that there is space for a line.
        let _ = writeln!(out, "{text}");
        let kind = match request {
            // Recorded when they began, where the file is known.
            Request::Upload | Request::Download => return,
            Request::ListFiles => Kind::ListFiles,
            Request::Discard(_) => Kind::Discard,
            Request::Details(_) => Kind::Details,
            Request::Id(_) => Kind::Id,
        };
        self.sent(now, kind, text);
    }
}

fn text_of(line: &[u8]) -> String {
    String::from_utf8_lossy(line).trim_end_matches(['\r', '\n']).to_owned()
}

impl Endpoint for Client {
    fn handle_connected(&mut self, now: Duration) {
        self.deadline.extend(now);
        self.record.record(now, Action::Connected);
    }

    fn handle_input(&mut self, now: Duration, input: &[u8]) -> usize {
        let mut used = 0;
        loop {
            match self.core.handle_input(&input[used..]) {
                Ok(Some((count, event))) => {
                    self.take(now, event, &input[used..used + count]);
                    used += count;
                }
                Ok(None) => break,
                Err(error) => {
                    self.fail(now, Failure::Protocol(error));
                    return input.len();
                }
            }
            if self.core.digest_due() {
                self.compare(now);
            }
        }
        if used > 0 && !self.is_closed() {
            self.deadline.extend(now);
        }
        used
    }

    fn handle_end(&mut self, now: Duration, end: End) {
        if self.is_closed() {
            return;
        }
        let failure = match (end, self.core.handle_end()) {
            (End::NotConnected, _) => Failure::NotConnected,
            (End::Finished, Err(error)) => Failure::Protocol(error),
            // A server that leaves between commands leaves the rest of ours undone.
            (End::Finished, Ok(())) => Failure::Protocol(protocol::Ended::AwaitingLine.into()),
            (End::Broken, _) => Failure::Broken,
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
            if !self.is_closed() {
                self.deadline.extend(now);
            }
        }
    }

    fn poll_timeout(&self) -> Option<Duration> {
        Some(self.deadline.expires)
    }

    fn is_closed(&self) -> bool {
        self.core.state() == ClientState::Closed
    }
}
