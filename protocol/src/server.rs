//! The server's state machine: one session with one client. It does not store files, compute hashes or know
//! of other sessions: it says what the client wants and sends what the application decides.

use crate::error::{Ended, Error, Misuse, Violation, WireAnswer};
use crate::state::{ServerInput as Input, ServerState as State};
use crate::wire::{self, Entry, ErrorCode, Reply, Request, UploadDetails};
use crate::{FileId, FileName, Transmit};

/// What came in from the client. Payload is borrowed from the input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ServerEvent<'a> {
    /// `LIST_FILES`: answer with [`Server::list_entry`] and [`Server::list_end`].
    ListRequested,
    /// `UPLOAD`: the prompt for the details is on its way.
    UploadAnnounced,
    /// The details: answer with [`Server::accept_upload`] or [`Server::refuse`].
    UploadRequested {
        /// The name to list the file under.
        name: FileName,
        /// Its size in bytes.
        size: u64,
    },
    /// The next bytes of the upload. After the last of them [`Server::digest_due`].
    Payload(&'a [u8]),
    /// Bytes of an upload that was refused: to be dropped.
    Dropped(&'a [u8]),
    /// `DOWNLOAD`: the prompt for the id is on its way.
    DownloadAnnounced,
    /// The id: answer with [`Server::accept_download`] or [`Server::refuse`].
    DownloadRequested(FileId),
    /// `DISCARD`: answer with [`Server::accept_discard`] or [`Server::refuse`].
    DiscardRequested(FileId),
    /// A line that was refused for its form; the refusal is on its way.
    Rejected(Violation),
}

/// A server's side of one session.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Server {
    state: State,
    outbox: Option<Reply>,
    /// Payload bytes still to be sent or received.
    left: u64,
    /// The input ends in the middle of a line.
    mid_line: bool,
}

impl Default for Server {
    fn default() -> Self {
        Self::new()
    }
}

// Getters.
impl Server {
    /// A session with a client that has just connected.
    #[must_use]
    pub const fn new() -> Self {
        Self { state: State::Idle, outbox: None, left: 0, mid_line: false }
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

    /// Whether [`Server::handle_digest`] (or [`Server::refuse`]) has to be called now.
    #[must_use]
    pub const fn digest_due(&self) -> bool {
        matches!(self.state, State::Storing)
    }
}

// Commands.
impl Server {
    /// Sends one line of the listing.
    ///
    /// # Errors
    /// [`Misuse::NotNow`] unless a listing is due, [`Misuse::PollFirst`] while the last line waits.
    pub fn list_entry(&mut self, entry: Entry) -> Result<(), Misuse> {
        self.reply(Input::Entry, Reply::Entry(entry))
    }

    /// Ends the listing. Without a single entry it sends the line that says so first; it then wants to be
    /// called again, which `false` tells.
    ///
    /// # Errors
    /// [`Misuse::NotNow`] unless a listing is due, [`Misuse::PollFirst`] while the last line waits.
    pub fn list_end(&mut self) -> Result<bool, Misuse> {
        if self.state == State::Listing {
            self.reply(Input::NoFiles, Reply::NoFiles)?;
            return Ok(false);
        }
        self.reply(Input::ListEnd, Reply::ListEnd)?;
        Ok(true)
    }

    /// Lets the upload begin.
    ///
    /// # Errors
    /// [`Misuse::NotNow`] unless an upload awaits its decision.
    pub fn accept_upload(&mut self) -> Result<(), Misuse> {
        if self.state != State::DecidingUpload {
            return Err(Misuse::NotNow);
        }
        self.reply(Input::Accept, Reply::Ready)?;
        if self.left == 0 { self.go(Input::FileReceived) } else { Ok(()) }
    }

    /// Announces the download of a file of `size` bytes. The payload is due when `poll_transmit` asks for it.
    ///
    /// # Errors
    /// [`Misuse::NotNow`] unless a download awaits its decision.
    pub fn accept_download(&mut self, size: u64) -> Result<(), Misuse> {
        if self.state != State::DecidingDownload {
            return Err(Misuse::NotNow);
        }
        self.reply(Input::Accept, Reply::Size(size))?;
        self.left = size;
        if size == 0 { self.go(Input::FileSent) } else { Ok(()) }
    }

    /// Confirms that the upload was forgotten.
    ///
    /// # Errors
    /// [`Misuse::NotNow`] unless a discard awaits its decision.
    pub fn accept_discard(&mut self) -> Result<(), Misuse> {
        if self.state != State::DecidingDiscard {
            return Err(Misuse::NotNow);
        }
        self.reply(Input::Accept, Reply::Discarded)
    }

    /// Refuses what the client asked for, also in the middle of an upload (the rest of its payload is then
    /// read and dropped). The session goes on; a code that [ends it](ErrorCode::ends_session) belongs to
    /// [`Server::close`].
    ///
    /// # Errors
    /// [`Misuse::NotNow`] if nothing is there to be refused, [`Misuse::PollFirst`] while the last line waits.
    pub fn refuse(&mut self, code: ErrorCode) -> Result<(), Misuse> {
        self.reply(Input::Refuse, Reply::Error(code))
    }

    /// Reports that `count` payload bytes went out.
    ///
    /// # Errors
    /// [`Misuse`] if no payload is due, or less than `count`, or while the size line waits.
    pub fn payload_sent(&mut self, count: u64) -> Result<(), Misuse> {
        if self.state != State::SendingFile {
            return Err(Misuse::NotNow);
        }
        if self.outbox.is_some() {
            return Err(Misuse::PollFirst);
        }
        self.left = self.left.checked_sub(count).ok_or(Misuse::TooMuchPayload)?;
        if self.left == 0 { self.go(Input::FileSent) } else { Ok(()) }
    }

    /// Ends the session, with a last word if there is one. In the middle of a download there is none: the
    /// client would take it for bytes of the file.
    pub fn close(&mut self, last_word: Option<ErrorCode>) {
        let in_payload = self.state == State::SendingFile && self.outbox.is_none();
        let last_word = last_word.filter(|_| !in_payload);
        *self = Self { state: State::Closed, outbox: last_word.map(Reply::Error), ..Self::new() };
    }

    /// Follows the table and sends a line, or does neither.
    fn reply(&mut self, input: Input, reply: Reply) -> Result<(), Misuse> {
        let next = self.state.after(input).ok_or(Misuse::NotNow)?;
        if self.outbox.is_some() {
            return Err(Misuse::PollFirst);
        }
        self.outbox = Some(reply);
        self.enter(next);
        Ok(())
    }

    /// Follows the table.
    fn go(&mut self, input: Input) -> Result<(), Misuse> {
        self.enter(self.state.after(input).ok_or(Misuse::NotNow)?);
        Ok(())
    }

    /// Between commands nothing of the last one is kept, so that equal situations are equal values.
    fn enter(&mut self, next: State) {
        self.state = next;
        if next == State::Idle {
            self.left = 0;
        }
    }
}

// What happened.
impl Server {
    /// Takes the next line or the next payload bytes off `input`: how many bytes were used, and what they
    /// say. `None` if a whole line is not there yet, or if this side has to act first: a line waits in
    /// `poll_transmit`, or the application owes a decision, a digest or payload. What was not used stays
    /// with the caller.
    ///
    /// # Errors
    /// [`Error::Peer`] if the framing is broken: the session is over once `poll_transmit` is drained.
    pub fn handle_input<'a>(&mut self, input: &'a [u8]) -> Result<Option<(usize, ServerEvent<'a>)>, Error> {
        if self.outbox.is_some() || input.is_empty() {
            return Ok(None);
        }
        match self.state {
            State::ReceivingFile | State::Draining => Ok(Some(self.take_payload(input))),
            State::Idle | State::AwaitDetails | State::AwaitId => self.take_line(input),
            _ => Ok(None),
        }
    }

    /// The client's stream ended. Hand in the input before it first, until [`Server::handle_input`] says `None`.
    ///
    /// # Errors
    /// [`Error::Ended`] unless that was in order: between commands.
    pub fn handle_end(&mut self) -> Result<(), Error> {
        let ended = match self.state {
            State::Closed => return Ok(()),
            State::Idle if self.mid_line => Some(Ended::AwaitingLine),
            State::Idle => None,
            State::SendingFile => Some(Ended::WhileSending),
            State::ReceivingFile | State::Draining => Some(Ended::InPayload { missing: self.left }),
            _ => Some(Ended::AwaitingLine),
        };
        self.close(None);
        ended.map_or(Ok(()), |ended| Err(ended.into()))
    }

    /// Takes the digest of the upload, once it is stored, and sends it to the client as the file's id.
    ///
    /// # Errors
    /// [`Misuse::NotNow`] unless [`Server::digest_due`], [`Misuse::PollFirst`] while the go-ahead waits.
    pub fn handle_digest(&mut self, own: FileId) -> Result<(), Misuse> {
        self.reply(Input::Digest, Reply::Hash(own))
    }

    fn take_payload<'a>(&mut self, input: &'a [u8]) -> (usize, ServerEvent<'a>) {
        let count = usize::try_from(self.left).unwrap_or(usize::MAX).min(input.len());
        let bytes = &input[..count];
        let dropped = self.state == State::Draining;
        self.left -= count as u64;
        if self.left == 0 {
            self.enter(self.state.after(Input::FileReceived).unwrap_or(State::Closed));
        }
        (count, if dropped { ServerEvent::Dropped(bytes) } else { ServerEvent::Payload(bytes) })
    }

    fn take_line<'a>(&mut self, input: &'a [u8]) -> Result<Option<(usize, ServerEvent<'a>)>, Error> {
        let split = wire::split_line(input);
        self.mid_line = split == Ok(None);
        match split {
            Ok(None) => Ok(None),
            Ok(Some((line, used))) => {
                let event = self.read_line(line).or_else(|violation| self.reject(violation))?;
                Ok(Some((used, event)))
            }
            Err(violation) => self.reject(violation).map(|event| Some((0, event))),
        }
    }

    /// Reads a line as what is due in this state.
    fn read_line<'a>(&mut self, line: &str) -> Result<ServerEvent<'a>, Violation> {
        match self.state {
            State::AwaitDetails => {
                let UploadDetails { name, size } = UploadDetails::parse(line)?;
                self.left = size;
                self.follow(Input::Details, None, ServerEvent::UploadRequested { name, size })
            }
            State::AwaitId => {
                let id = FileId::parse(line).ok_or(Violation::BadId)?;
                self.follow(Input::Id, None, ServerEvent::DownloadRequested(id))
            }
            _ => self.read_command(line),
        }
    }

    fn read_command<'a>(&mut self, line: &str) -> Result<ServerEvent<'a>, Violation> {
        match Request::parse_command(line)? {
            Request::ListFiles => self.follow(Input::ListFiles, None, ServerEvent::ListRequested),
            Request::Upload => {
                self.follow(Input::Upload, Some(Reply::AskDetails), ServerEvent::UploadAnnounced)
            }
            Request::Download => {
                self.follow(Input::Download, Some(Reply::AskId), ServerEvent::DownloadAnnounced)
            }
            Request::Discard(id) => self.follow(Input::Discard, None, ServerEvent::DiscardRequested(id)),
            Request::Details(_) | Request::Id(_) => Err(Violation::UnknownCommand),
        }
    }

    fn follow<'a>(
        &mut self,
        input: Input,
        reply: Option<Reply>,
        event: ServerEvent<'a>,
    ) -> Result<ServerEvent<'a>, Violation> {
        self.enter(self.state.after(input).ok_or(Violation::UnexpectedLine)?);
        self.outbox = reply;
        Ok(event)
    }

    /// Answers a line that breaks a rule as [`Error::wire_answer`] says.
    fn reject<'a>(&mut self, violation: Violation) -> Result<ServerEvent<'a>, Error> {
        let error = Error::Peer(violation);
        match error.wire_answer() {
            WireAnswer::Refuse(code) => {
                self.enter(self.state.after(Input::BadLine).unwrap_or(State::Closed));
                self.outbox = Some(Reply::Error(code));
                return Ok(ServerEvent::Rejected(violation));
            }
            WireAnswer::Close(code) => self.close(Some(code)),
            WireAnswer::Hangup => self.close(None),
        }
        Err(error)
    }
}

// Polling.
impl Server {
    /// What to send next: first the waiting line, then payload.
    pub fn poll_transmit(&mut self) -> Option<Transmit<Reply>> {
        if let Some(reply) = self.outbox.take() {
            return Some(Transmit::Line(reply));
        }
        (self.state == State::SendingFile).then_some(Transmit::Payload { left: self.left })
    }
}
