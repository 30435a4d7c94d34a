//! A small server application around the state machine: it keeps files in memory, has limits, and refuses
//! where a test tells it to.

use protocol::{Entry, Error, ErrorCode, FileId, FileName, Server, ServerEvent, Transmit};

use super::md5;

/// Where the application is told to refuse, beside what its limits make it refuse.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Moment {
    Listing,
    /// After the first entry.
    MidListing,
    Details,
    /// Once this many payload bytes are in.
    Payload(usize),
    Storing,
    Id,
    Discard,
}

#[derive(Clone, Debug)]
pub(crate) struct Host {
    pub(crate) server: Server,
    /// Name, id and size; content; whether this session uploaded it.
    pub(crate) files: Vec<(Entry, Vec<u8>, bool)>,
    pub(crate) refuse: Option<(Moment, ErrorCode)>,
    pub(crate) max_size: u64,
    pub(crate) room: usize,
    /// Payload that came after a refusal.
    pub(crate) dropped: usize,
    pub(crate) error: Option<Error>,
    name: Option<FileName>,
    incoming: Vec<u8>,
    outgoing: Vec<u8>,
    out: Vec<u8>,
}

impl Host {
    pub(crate) fn new() -> Self {
        Self {
            server: Server::new(),
            files: Vec::new(),
            refuse: None,
            max_size: u64::MAX,
            room: usize::MAX,
            dropped: 0,
            error: None,
            name: None,
            incoming: Vec::new(),
            outgoing: Vec::new(),
            out: Vec::new(),
        }
    }

    pub(crate) fn refusing(moment: Moment, code: ErrorCode) -> Self {
        Self { refuse: Some((moment, code)), ..Self::new() }
    }

    /// A file of another session.
    pub(crate) fn hold(&mut self, name: &str, content: &[u8]) {
        self.files.push((super::entry(name, content), content.to_vec(), false));
    }

    pub(crate) fn listing(&self) -> Vec<String> {
        self.files.iter().map(|(entry, _, _)| entry.to_string()).collect()
    }

    /// Takes what it can off `input` and says what goes out.
    pub(crate) fn feed(&mut self, input: &mut Vec<u8>) -> Vec<u8> {
        self.flush();
        loop {
            match self.server.handle_input(input) {
                Ok(None) => break,
                Ok(Some((used, event))) => {
                    assert!(used > 0, "no progress");
                    Self::answer(self, &event);
                    input.drain(..used);
                }
                Err(error) => {
                    self.error = Some(error);
                    self.flush();
                    break;
                }
            }
            self.flush();
        }
        std::mem::take(&mut self.out)
    }

    fn flush(&mut self) {
        while let Some(transmit) = self.server.poll_transmit() {
            match transmit {
                Transmit::Line(line) => self.out.extend(format!("{line}\n").bytes()),
                Transmit::Payload { left } => {
                    assert_eq!(left, self.outgoing.len() as u64);
                    // In two parts, so that the counting is seen.
                    let count = self.outgoing.len().div_ceil(2);
                    self.out.extend(self.outgoing.drain(..count));
                    self.server.payload_sent(count as u64).unwrap();
                }
            }
        }
    }

    fn refuses(&mut self, moment: Moment) -> bool {
        let Some((_, code)) = self.refuse.take_if(|(when, _)| *when == moment) else { return false };
        self.server.refuse(code).unwrap();
        true
    }

    fn answer(&mut self, event: &ServerEvent<'_>) {
        match event {
            ServerEvent::ListRequested => self.list(),
            ServerEvent::UploadRequested { name, size } => self.consider(name, *size),
            ServerEvent::Payload(bytes) => self.receive(bytes),
            ServerEvent::Dropped(bytes) => self.dropped += bytes.len(),
            ServerEvent::DownloadRequested(id) => self.send(*id),
            ServerEvent::DiscardRequested(id) => self.discard(*id),
            ServerEvent::UploadAnnounced | ServerEvent::DownloadAnnounced | ServerEvent::Rejected(_) => {}
        }
    }

    fn list(&mut self) {
        if self.refuses(Moment::Listing) {
            return;
        }
        for (entry, _, _) in self.files.clone() {
            self.server.list_entry(entry).unwrap();
            self.flush();
            if self.refuses(Moment::MidListing) {
                return;
            }
        }
        while !self.server.list_end().unwrap() {
            self.flush();
        }
    }

    fn consider(&mut self, name: &FileName, size: u64) {
        if self.refuses(Moment::Details) {
            return;
        }
        if size > self.max_size {
            return self.server.refuse(ErrorCode::TooLarge).unwrap();
        }
        self.incoming.clear();
        self.name = Some(name.clone());
        self.server.accept_upload().unwrap();
        self.flush();
        if size == 0 {
            self.store();
        }
    }

    fn receive(&mut self, bytes: &[u8]) {
        self.incoming.extend(bytes);
        if let Some((Moment::Payload(count), code)) = self.refuse
            && self.incoming.len() >= count
        {
            self.refuse = None;
            return self.server.refuse(code).unwrap();
        }
        if self.incoming.len() > self.room {
            return self.server.refuse(ErrorCode::NoSpace).unwrap();
        }
        if self.server.digest_due() {
            self.store();
        }
    }

    fn store(&mut self) {
        if self.refuses(Moment::Storing) {
            return;
        }
        let content = std::mem::take(&mut self.incoming);
        let id = md5(&content);
        let entry = Entry { name: self.name.take().unwrap(), id, size: content.len() as u64 };
        self.files.push((entry, content, true));
        self.server.handle_digest(id).unwrap();
    }

    fn send(&mut self, id: FileId) {
        if self.refuses(Moment::Id) {
            return;
        }
        match self.files.iter().find(|(entry, _, _)| entry.id == id) {
            None => self.server.refuse(ErrorCode::NotFound).unwrap(),
            Some((entry, content, _)) => {
                self.outgoing.clone_from(content);
                self.server.accept_download(entry.size).unwrap();
            }
        }
    }

    fn discard(&mut self, id: FileId) {
        if self.refuses(Moment::Discard) {
            return;
        }
        match self.files.iter().rposition(|(entry, _, own)| entry.id == id && *own) {
            Some(index) => {
                self.files.remove(index);
                self.server.accept_discard().unwrap();
            }
            None if self.files.iter().any(|(entry, _, _)| entry.id == id) => {
                self.server.refuse(ErrorCode::NotYours).unwrap();
            }
            None => self.server.refuse(ErrorCode::NotFound).unwrap(),
        }
    }
}
