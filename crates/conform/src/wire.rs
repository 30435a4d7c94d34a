//! One raw connection to the program under test: sends exact bytes, reads lines and payload with a deadline,
//! and keeps the last of what was said. It judges nothing and corrects nothing: what a hostile peer would
//! send, it sends.

use std::cell::Cell;
use std::collections::VecDeque;
use std::fmt;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::rc::Rc;
use std::time::Duration;

use protocol::wire::MAX_LINE;
use std::time::Instant;

/// How many messages a report shows at most.
const MAX_DIALOGUE: usize = 8;
/// How many bytes of a message a report shows at most.
const MAX_SHOWN: usize = 160;
/// How many bytes of a message that is no text are shown at its start, and at its end.
const SHOWN_OF_BINARY: [usize; 2] = [16, 4];
/// How many times the time for an answer a whole payload may take, however steadily it trickles.
const MAX_WAITS: u32 = 10;
/// How much is read at once, in bytes.
const CHUNK: usize = 64 * 1024;
/// How much is read and thrown away before a close is waited for in vain, in bytes.
const MAX_DRAINED: usize = 16 * 1024 * 1024;

/// One message of a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DialogueEntry {
    /// Whether the harness sent it.
    pub ours: bool,
    /// The message, escaped and shortened.
    pub text: String,
}

/// What came in place of what was awaited.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ActualInput {
    /// These bytes.
    Bytes(Vec<u8>),
    /// The end of the stream, after these bytes.
    End(Vec<u8>),
    /// The connection was reset, after these bytes.
    Reset(Vec<u8>),
    /// Nothing more within this time, after these bytes.
    Nothing(Duration, Vec<u8>),
}

impl fmt::Display for ActualInput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let after = |bytes: &[u8]| match bytes {
            [] => String::new(),
            bytes => format!("{}, then ", escaped(bytes)),
        };
        match self {
            Self::Bytes(bytes) => f.write_str(&escaped(bytes)),
            other => write!(f, "{}{}", after(other.bytes()), other.behind().unwrap_or_default()),
        }
    }
}

impl ActualInput {
    /// The bytes that came.
    pub(super) fn bytes(&self) -> &[u8] {
        match self {
            Self::Bytes(bytes) | Self::End(bytes) | Self::Reset(bytes) | Self::Nothing(_, bytes) => bytes,
        }
    }

    /// What came behind them, in words.
    pub(super) fn behind(&self) -> Option<String> {
        match self {
            Self::Bytes(_) => None,
            Self::End(_) => Some("the end of the connection".into()),
            Self::Reset(_) => Some("a reset of the connection".into()),
            Self::Nothing(time, _) => Some(format!("nothing for {} s", time.as_secs_f64())),
        }
    }
}

/// Whether more than a quarter of it is no text.
fn is_binary(bytes: &[u8]) -> bool {
    let odd = |byte: &u8| byte.is_ascii_control() && !matches!(byte, b'\n' | b'\r' | b'\t');
    let count =
        |chunk: std::str::Utf8Chunk<'_>| chunk.invalid().len() + chunk.valid().bytes().filter(odd).count();
    bytes.utf8_chunks().map(count).sum::<usize>() * 4 > bytes.len()
}

/// How many bytes are shown of these, at their start and at their end, if they are too many to show them all.
fn cut(bytes: &[u8]) -> Option<[usize; 2]> {
    let [start, end] = if is_binary(bytes) { SHOWN_OF_BINARY } else { [MAX_SHOWN / 2, MAX_SHOWN / 8] };
    let all = if is_binary(bytes) { start + end } else { MAX_SHOWN };
    (bytes.len() > all).then_some([start, end])
}

/// Whether [`escaped`] shows all of it.
pub(super) fn is_short(bytes: &[u8]) -> bool {
    cut(bytes).is_none()
}

/// Bytes in quotes: UTF-8 as it is, control characters and what is no text escaped, the middle of much left out.
pub(crate) fn escaped(bytes: &[u8]) -> String {
    let show = |bytes: &[u8]| -> String {
        let mut text = String::new();
        for chunk in bytes.utf8_chunks() {
            chunk.valid().chars().for_each(|c| match c {
                '"' => text.push_str("\\\""),
                '\u{7f}'..='\u{9f}' => text.extend(c.escape_unicode()),
                c if c.is_control() || c == '\\' => text.extend(c.escape_default()),
                c => text.push(c),
            });
            chunk.invalid().iter().for_each(|byte| text.push_str(&format!("\\x{byte:02x}")));
        }
        text
    };
    let Some([start, end]) = cut(bytes) else {
        return format!("\"{}\"", show(bytes));
    };
    let (head, tail) = (&bytes[..start], &bytes[bytes.len() - end..]);
    format!("\"{}…{}\" ({} bytes)", show(head), show(tail), bytes.len())
}

/// A raw connection.
pub(crate) struct Wire {
    stream: TcpStream,
    inbox: Vec<u8>,
    limit: Duration,
    dialogue: VecDeque<DialogueEntry>,
    /// Set when anything comes.
    heard: Rc<Cell<bool>>,
}

impl Wire {
    /// Around `stream`, on which every wait ends after `limit`.
    ///
    /// # Errors
    /// If the socket takes no deadline.
    pub(crate) fn new(stream: TcpStream, limit: Duration) -> io::Result<Self> {
        stream.set_nonblocking(false)?;
        stream.set_nodelay(true)?;
        stream.set_write_timeout(Some(limit))?;
        Ok(Self { stream, inbox: Vec::new(), limit, dialogue: VecDeque::new(), heard: Rc::default() })
    }

    /// The same, and sets `heard` when anything comes.
    pub(crate) fn telling(self, heard: &Rc<Cell<bool>>) -> Self {
        Self { heard: Rc::clone(heard), ..self }
    }

    /// The same, and what was said on another connection before belongs to its dialogue.
    pub(crate) fn going_on_from(mut self, before: &Self) -> Self {
        self.dialogue = before.dialogue.clone();
        self.say(false, "(the end of the connection; what follows is another)".into());
        self
    }

    /// The last of what was said, oldest first.
    pub(crate) fn dialogue(&self) -> Vec<DialogueEntry> {
        self.dialogue.iter().cloned().collect()
    }

    fn say(&mut self, ours: bool, text: String) {
        if self.dialogue.len() == MAX_DIALOGUE {
            // The last that we sent stays, however much came since.
            let last_of_ours = self.dialogue.iter().rposition(|said| said.ours);
            self.dialogue.remove(usize::from(last_of_ours == Some(0) && !ours));
        }
        self.dialogue.push_back(DialogueEntry { ours, text });
    }

    /// Sends `bytes`. That the peer does not take them shows in what it says, or does not say, next.
    pub(crate) fn send(&mut self, bytes: &[u8]) {
        self.say(true, escaped(bytes));
        let _ = self.stream.write_all(bytes);
    }

    /// Sends `bytes` in pieces of `size` bytes, with `pause` between them, and not all of them at once in any case.
    pub(crate) fn send_in_pieces(&mut self, bytes: &[u8], size: usize, pause: Duration) {
        self.say(true, format!("{}, in pieces of {size}", escaped(bytes)));
        for piece in bytes.chunks(size) {
            if self.stream.write_all(piece).is_err() {
                return;
            }
            std::thread::sleep(pause);
        }
    }

    /// Ends the sending side.
    pub(crate) fn finish(&mut self) {
        self.say(true, "(closes its sending side)".into());
        let _ = self.stream.shutdown(Shutdown::Write);
    }

    /// Ends both sides. With unread input the system then resets the connection.
    pub(crate) fn close(self) {
        drop(self);
    }

    /// Bytes that have come and that nobody has asked for yet.
    pub(crate) fn waiting(&self) -> &[u8] {
        &self.inbox
    }

    /// Reads once, until `deadline` at the latest. `None` if something came.
    fn read(&mut self, deadline: Instant) -> Option<ActualInput> {
        let before = self.inbox.len();
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() || self.stream.set_read_timeout(Some(left)).is_err() {
                return Some(ActualInput::Nothing(self.limit, self.inbox.clone()));
            }
            self.inbox.resize(before + CHUNK, 0);
            let result = self.stream.read(&mut self.inbox[before..]);
            self.inbox.truncate(before + *result.as_ref().unwrap_or(&0));
            return match result {
                Ok(0) => Some(ActualInput::End(self.inbox.clone())),
                Ok(_) => {
                    self.heard.set(true);
                    None
                }
                Err(error) => match error.kind() {
                    ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted => continue,
                    _ => Some(ActualInput::Reset(self.inbox.clone())),
                },
            };
        }
    }

    fn deadline(&self) -> Instant {
        Instant::now() + self.limit
    }

    /// The next line, with its line end; or what came in its place.
    pub(crate) fn line(&mut self) -> Result<Vec<u8>, ActualInput> {
        self.line_within(self.limit)
    }

    /// The same, and less patiently.
    pub(crate) fn line_within(&mut self, limit: Duration) -> Result<Vec<u8>, ActualInput> {
        let deadline = Instant::now() + limit;
        let mut looked_at = 0;
        loop {
            let found = self.inbox[looked_at..].iter().position(|byte| *byte == b'\n');
            if let Some(end) = found.map(|at| looked_at + at + 1).filter(|end| *end <= MAX_LINE) {
                return Ok(self.take(end));
            }
            if self.inbox.len() >= MAX_LINE {
                return Err(ActualInput::Bytes(self.take(self.inbox.len())));
            }
            looked_at = self.inbox.len();
            if let Some(came) = self.read(deadline) {
                return Err(self.note(came));
            }
        }
    }

    /// Exactly `count` bytes of payload; or what came in their place.
    pub(crate) fn payload(&mut self, count: usize) -> Result<Vec<u8>, ActualInput> {
        let latest = Instant::now() + self.limit * MAX_WAITS;
        while self.inbox.len() < count {
            if let Some(came) = self.read(self.deadline().min(latest)) {
                return Err(self.note(came));
            }
        }
        Ok(self.take(count))
    }

    /// The end of the stream; or what came in its place.
    pub(crate) fn end(&mut self) -> Result<(), ActualInput> {
        let deadline = self.deadline();
        if !self.inbox.is_empty() {
            let bytes = self.take(self.inbox.len());
            return Err(ActualInput::Bytes(bytes));
        }
        match self.read(deadline) {
            None => Err(ActualInput::Bytes(self.take(self.inbox.len()))),
            Some(ActualInput::End(_)) => Ok(()),
            Some(came) => Err(self.note(came)),
        }
    }

    /// The end of the stream, whatever comes before it, or a reset; or what came in its place.
    pub(crate) fn end_at_last(&mut self) -> Result<Vec<u8>, ActualInput> {
        let (deadline, mut dropped) = (self.deadline(), Vec::new());
        loop {
            dropped.append(&mut self.inbox);
            if dropped.len() > MAX_DRAINED {
                return Err(ActualInput::Bytes(dropped));
            }
            match self.read(deadline) {
                None => {}
                Some(ActualInput::Nothing(time, _)) => return Err(ActualInput::Nothing(time, dropped)),
                Some(_) => return Ok(dropped),
            }
        }
    }

    /// Whether anything comes, or the connection ends, within `time`.
    pub(crate) fn anything_within(&mut self, time: Duration) -> Option<ActualInput> {
        if !self.inbox.is_empty() {
            return Some(ActualInput::Bytes(self.inbox.clone()));
        }
        let deadline = Instant::now() + time;
        match self.read(deadline) {
            Some(ActualInput::Nothing(..)) => None,
            None => Some(ActualInput::Bytes(self.inbox.clone())),
            came => came,
        }
    }

    /// Waits until something has come, and leaves it there: closing then resets the connection.
    pub(crate) fn wait_for_input(&mut self) {
        let _ = self.stream.set_read_timeout(Some(self.limit));
        let _ = self.stream.peek(&mut [0]);
    }

    fn take(&mut self, count: usize) -> Vec<u8> {
        let rest = self.inbox.split_off(count);
        let taken = std::mem::replace(&mut self.inbox, rest);
        if count > 0 {
            self.say(false, escaped(&taken));
        }
        taken
    }

    fn note(&mut self, came: ActualInput) -> ActualInput {
        self.say(false, format!("({came})"));
        came
    }
}
