//! The client's state machine. It does not read files, compute hashes or retry: it says what may be sent and
//! what came.

use crate::error::{Ended, Error, Misuse, Violation};
use crate::state::{ClientInput as Input, ClientState as State};
use crate::wire::{self, Entry, ErrorCode, MAX_ENTRIES, MAX_LISTING, Reply, Request, UploadDetails};
use crate::{Compared, FileId, FileName, Transmit};

/// What came in from the server. Text and payload are borrowed from the input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClientEvent<'a> {
    /// One file of the listing.
    Entry(Entry),
    /// The server has no files.
    NoFiles,
    /// The listing is complete.
    ListEnd,
    /// The server prompts or agrees, in its own words.
    GoAhead(&'a str),
    /// The server's MD5 of the upload. Our own is due: [`Client::handle_digest`].
    Hash(FileId),
    /// The size of the download in bytes.
    Size(u64),
    /// The next bytes of the download.
    Payload(&'a [u8]),
    /// The server refuses, with a code and in its own words. The session goes on, unless the code
    /// [ends it](ErrorCode::ends_session).
    Refused(ErrorCode, &'a str),
}

/// A client's side of one session.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Client {
    state: State,
    outbox: Option<Request>,
    /// The upload that was announced, until its go-ahead.
    upload: Option<UploadDetails>,
    /// The id of the download, or the server's hash of the upload: what our own digest is compared with.
    theirs: Option<FileId>,
    /// Payload bytes still to be sent or received.
    left: u64,
    /// What the listing that is coming in has so far: its entries, and their bytes with line ends.
    entries: u32,
    entry_bytes: u64,
    /// The input ends in the middle of a line.
    mid_line: bool,
    /// The server's stream ended while our digest was due.
    ended: bool,
}

impl Default for Client {
    fn default() -> Self {
        Self::new()
    }
}

// Getters.
impl Client {
    /// A client that has just connected.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            state: State::Idle,
            outbox: None,
            upload: None,
            theirs: None,
            left: 0,
            entries: 0,
            entry_bytes: 0,
            mid_line: false,
            ended: false,
        }
    }

    /// Where the session stands.
    #[must_use]
    pub const fn state(&self) -> State {
        self.state
    }

    /// Payload bytes still to be sent or received in the current transfer.
    #[must_use]
    pub const fn payload_left(&self) -> u64 {
        self.left
    }

    /// Whether [`Client::handle_digest`] has to be called now.
    #[must_use]
    pub const fn digest_due(&self) -> bool {
        matches!(self.state, State::ComparingUpload | State::ComparingDownload)
    }

    const fn is_sending(&self) -> bool {
        matches!(self.state, State::SendingFile | State::SendingRefused)
    }
}

// Commands.
impl Client {
    /// Asks for the listing.
    ///
    /// # Errors
    /// [`Misuse`] unless the client is idle; the same holds for every command.
    pub fn list_files(&mut self) -> Result<(), Misuse> {
        self.command(Input::ListFiles, Request::ListFiles)
    }

    /// Announces an upload of `size` bytes. The payload is due when `poll_transmit` asks for it.
    ///
    /// # Errors
    /// [`Misuse`] unless the client is idle.
    pub fn upload(&mut self, name: FileName, size: u64) -> Result<(), Misuse> {
        self.command(Input::Upload, Request::Upload)?;
        self.upload = Some(UploadDetails { name, size });
        Ok(())
    }

    /// Asks for the file with this id.
    ///
    /// # Errors
    /// [`Misuse`] unless the client is idle.
    pub fn download(&mut self, id: FileId) -> Result<(), Misuse> {
        self.command(Input::Download, Request::Download)?;
        self.theirs = Some(id);
        Ok(())
    }

    /// Asks the server to forget an upload of this session.
    ///
    /// # Errors
    /// [`Misuse`] unless the client is idle.
    pub fn discard(&mut self, id: FileId) -> Result<(), Misuse> {
        self.command(Input::Discard, Request::Discard(id))
    }

    /// Reports that `count` payload bytes went out.
    ///
    /// # Errors
    /// [`Misuse`] if no payload is due, or less than `count`.
    pub fn payload_sent(&mut self, count: u64) -> Result<(), Misuse> {
        if !self.is_sending() {
            return Err(Misuse::NotNow);
        }
        self.left = self.left.checked_sub(count).ok_or(Misuse::TooMuchPayload)?;
        if self.left == 0 {
            self.go(Input::FileSent).map_err(|_| Misuse::NotNow)?;
        }
        Ok(())
    }

    /// Ends the session. Nothing more is sent.
    pub fn close(&mut self) {
        *self = Self { state: State::Closed, ..Self::new() };
    }

    fn command(&mut self, input: Input, request: Request) -> Result<(), Misuse> {
        let next = self.state.after(input).ok_or(Misuse::NotNow)?;
        self.outbox = Some(request);
        self.state = next;
        Ok(())
    }
}

// What happened.
impl Client {
    /// Takes the next line or the next payload bytes off `input`: how many bytes were used, and what they
    /// say. `None` if a whole line is not there yet, or if this side has to act first: a line waits in
    /// `poll_transmit`, payload is to be sent and the line is no refusal, or a digest is due. What was not used
    /// stays with the caller.
    ///
    /// # Errors
    /// [`Error::Peer`] if the server broke the protocol: the session is over.
    pub fn handle_input<'a>(&mut self, input: &'a [u8]) -> Result<Option<(usize, ClientEvent<'a>)>, Error> {
        if self.outbox.is_some() || self.digest_due() || self.state == State::Closed || input.is_empty() {
            return Ok(None);
        }
        if self.state == State::ReceivingFile {
            return self.take_payload(input).map(Some).map_err(Error::from);
        }
        match self.take_line(input) {
            Ok(taken) => Ok(taken),
            Err(violation) => {
                self.close();
                Err(violation.into())
            }
        }
    }

    /// The server's stream ended. Hand in the input before it first, until [`Client::handle_input`] says `None`.
    ///
    /// # Errors
    /// [`Error::Ended`] unless that was in order: between commands, or when only our own digest is still
    /// due. That one can then still be handed in; it is compared, and the session is over.
    pub fn handle_end(&mut self) -> Result<(), Error> {
        let ended = match self.state {
            State::ComparingUpload | State::ComparingDownload => {
                self.ended = true;
                return Ok(());
            }
            State::Idle if self.mid_line => Some(Ended::AwaitingLine),
            State::Idle | State::Closed => None,
            State::SendingFile | State::SendingRefused => Some(Ended::WhileSending),
            State::ReceivingFile => Some(Ended::InPayload { missing: self.left }),
            _ => Some(Ended::AwaitingLine),
        };
        self.close();
        ended.map_or(Ok(()), |ended| Err(ended.into()))
    }

    /// Takes the digest of what this side sent or received, and compares. This is the only way to success.
    ///
    /// # Errors
    /// [`Misuse::NotNow`] unless [`Client::digest_due`].
    pub fn handle_digest(&mut self, own: FileId) -> Result<Compared, Misuse> {
        if !self.digest_due() {
            return Err(Misuse::NotNow);
        }
        let peer = self.theirs.take().ok_or(Misuse::NotNow)?;
        let (input, compared) = if own == peer {
            (Input::DigestSame, Compared::Same(own))
        } else {
            (Input::DigestDiffers, Compared::Different { own, peer })
        };
        self.go(input).map_err(|_| Misuse::NotNow)?;
        if self.ended {
            self.close();
        }
        Ok(compared)
    }

    fn take_payload<'a>(&mut self, input: &'a [u8]) -> Result<(usize, ClientEvent<'a>), Violation> {
        let count = usize::try_from(self.left).unwrap_or(usize::MAX).min(input.len());
        self.left -= count as u64;
        if self.left == 0 {
            self.go(Input::FileReceived)?;
        }
        Ok((count, ClientEvent::Payload(&input[..count])))
    }

    fn take_line<'a>(&mut self, input: &'a [u8]) -> Result<Option<(usize, ClientEvent<'a>)>, Violation> {
        let whole = match wire::split_line(input) {
            // It cannot be read as a refusal, so it waits like any other line that comes too early.
            Err(_) if self.is_sending() => return Ok(None),
            whole => whole?,
        };
        self.mid_line = whole.is_none();
        let Some((line, used)) = whole else { return Ok(None) };
        let event = match wire::parse_error(line) {
            // These may come at any time, also between commands.
            Some((code, text)) if code.ends_session() => {
                self.close();
                ClientEvent::Refused(code, text)
            }
            // One refusal is all that an upload gets: a second one waits like what comes too early.
            Some(_) if self.state == State::SendingRefused => return Ok(None),
            Some((code, text)) => {
                self.go(Input::Error)?;
                ClientEvent::Refused(code, text)
            }
            // The server ran ahead of us. What it says waits until all payload is out: how far the sending has
            // come when it is read is chance, and must decide nothing.
            None if self.is_sending() => return Ok(None),
            None => self.take_reply(line)?,
        };
        Ok(Some((used, event)))
    }

    /// Reads a line that is no refusal as what is due in this state.
    fn take_reply<'a>(&mut self, line: &'a str) -> Result<ClientEvent<'a>, Violation> {
        match self.state {
            State::AwaitListing | State::InListing | State::AfterNoFiles => self.take_listing(line),
            State::AwaitHash => {
                let hash = Reply::parse_hash(line)?;
                self.go(Input::Hash)?;
                self.theirs = Some(hash);
                Ok(ClientEvent::Hash(hash))
            }
            State::AwaitSize => {
                let size = Reply::parse_size(line)?;
                self.go(Input::Size)?;
                self.left = size;
                if size == 0 {
                    self.go(Input::FileReceived)?;
                }
                Ok(ClientEvent::Size(size))
            }
            _ => {
                self.go(Input::GoAhead)?;
                self.follow_go_ahead()?;
                Ok(ClientEvent::GoAhead(line))
            }
        }
    }

    fn take_listing<'a>(&mut self, line: &str) -> Result<ClientEvent<'a>, Violation> {
        if line.is_empty() {
            self.go(Input::ListEnd)?;
            return Ok(ClientEvent::ListEnd);
        }
        if line == wire::NO_FILES {
            self.go(Input::NoFiles)?;
            return Ok(ClientEvent::NoFiles);
        }
        let entry = Entry::parse(line)?;
        self.go(Input::Entry)?;
        self.entries += 1;
        self.entry_bytes += line.len() as u64 + 1;
        let is_too_long = self.entries > MAX_ENTRIES || self.entry_bytes > MAX_LISTING;
        if is_too_long { Err(Violation::ListTooLong) } else { Ok(ClientEvent::Entry(entry)) }
    }

    /// What a go-ahead sets off, in the state that it led to.
    fn follow_go_ahead(&mut self) -> Result<(), Violation> {
        match self.state {
            State::AwaitReady => self.outbox = self.upload.clone().map(Request::Details),
            State::AwaitSize => self.outbox = self.theirs.map(Request::Id),
            State::SendingFile => {
                self.left = self.upload.take().map_or(0, |details| details.size);
                if self.left == 0 {
                    self.go(Input::FileSent)?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Follows the table. A line for which it has no row came where none may come. Between commands nothing
    /// of the last one is kept, so that equal situations are equal values.
    fn go(&mut self, input: Input) -> Result<(), Violation> {
        self.state = self.state.after(input).ok_or(Violation::UnexpectedLine)?;
        if self.state == State::Idle {
            *self = Self { mid_line: self.mid_line, ended: self.ended, ..Self::new() };
        }
        Ok(())
    }
}

// Polling.
impl Client {
    /// What to send next: first the waiting line, then payload.
    pub fn poll_transmit(&mut self) -> Option<Transmit<Request>> {
        if let Some(request) = self.outbox.take() {
            return Some(Transmit::Line(request));
        }
        self.is_sending().then_some(Transmit::Payload { left: self.left })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{MAX_ENTRY, MAX_SIZE};
    use crate::{FileName, MAX_NAME};

    /// To hand in all that comes before would take a test longer than it is worth.
    #[test]
    fn a_listing_of_long_names_has_an_end() {
        let name = FileName::parse(&"n".repeat(MAX_NAME)).expect("a name");
        let longest = Entry { name, id: FileId::from_bytes([1; 16]), size: MAX_SIZE };
        let line = format!("{longest}\n");
        assert_eq!(line.len(), MAX_ENTRY);
        let client_after = |entry_bytes: u64| {
            let mut client = Client::new();
            client.list_files().expect("it is idle");
            client.poll_transmit();
            client.entry_bytes = entry_bytes;
            client
        };
        let last = MAX_LISTING - MAX_ENTRY as u64;
        client_after(last).handle_input(line.as_bytes()).expect("it fits").expect("an entry");
        let mut client = client_after(last + 1);
        assert_eq!(client.handle_input(line.as_bytes()), Err(Violation::ListTooLong.into()));
        assert_eq!(client.state(), State::Closed);
    }
}
