//! What is expected of a server in every exchange, on one connection after the other.

use std::cell::RefCell;
use std::rc::Rc;

use protocol::wire::{MAX_LINE, parse_error};
use protocol::{ErrorCode, FileId};

use super::dial::Dialer;
use super::{ActualInput, Check, File, Finding, Obstacle, QUIET, Stop, broken, broken_payload};
use crate::Wire;

/// How many bytes of a file tell that what comes is it once more.
const LIKE: usize = 16;
/// Why a server stays away from a case.
const CLOSES: &str = "the server closes between commands, as it may (R26), and this is about one session";

/// Exchanges with the server, over one connection unless it closes between them.
pub(super) struct Conversation {
    pub(super) wire: Wire,
    dialer: Rc<Dialer>,
    /// What the names of all files of this case have in them.
    pub(super) own: String,
    /// Whether all exchanges have to go over one connection.
    one_session: bool,
    /// The command that was sent last, until a line has come.
    command: Option<Vec<u8>>,
    /// Whether a whole exchange lies behind and nothing of another has come: the server may close now.
    pub(super) between: bool,
    /// Whether it has uploaded a file: a listing is step 16 then, and not step 5.
    pub(super) stored: bool,
    /// What it downloaded last, until the next line has come.
    downloaded: Option<Vec<u8>>,
    warning: Rc<RefCell<Option<Finding>>>,
}

impl Conversation {
    pub(super) fn new(
        wire: Wire,
        dialer: &Rc<Dialer>,
        own: String,
        warning: &Rc<RefCell<Option<Finding>>>,
    ) -> Self {
        Self {
            wire,
            dialer: Rc::clone(dialer),
            own,
            one_session: false,
            command: None,
            between: false,
            stored: false,
            downloaded: None,
            warning: Rc::clone(warning),
        }
    }

    pub(super) fn in_one_session(self) -> Self {
        Self { one_session: true, ..self }
    }

    pub(super) fn send(&mut self, text: impl AsRef<[u8]>) {
        self.wire.send(text.as_ref());
    }

    /// Begins an exchange: if it turns out that the server has closed since the last, as it may, over a new connection.
    pub(super) fn command(&mut self, text: impl AsRef<[u8]>) {
        self.command = Some(text.as_ref().to_vec());
        self.send(text);
    }

    /// The next line, whatever it says.
    pub(super) fn any_line(&mut self, rule: u8, step: Option<u8>, expected: &str) -> Check<String> {
        let line = match self.wire.line() {
            Ok(line) => line,
            Err(ActualInput::End(bytes) | ActualInput::Reset(bytes)) if self.between && bytes.is_empty() => {
                return self.line_elsewhere(rule, step, expected);
            }
            Err(came) => {
                let misplaced = self.misplaced(came.bytes());
                return Err(misplaced.unwrap_or_else(|| self.no_line(rule, step, expected, &came)));
            }
        };
        self.command = None;
        self.between = false;
        if let Some(stop) = self.misplaced(&line) {
            return Err(stop);
        }
        self.downloaded = None;
        let text = line.strip_suffix(b"\n").unwrap_or(&line);
        let plain = text.strip_suffix(b"\r").unwrap_or(text);
        if plain != text {
            self.warn(1, step, "a line that ends in LF alone", &ActualInput::Bytes(line.clone()));
        }
        let bad = |_| broken(&self.wire, 2, step, "a line of UTF-8", &ActualInput::Bytes(line.clone()));
        str::from_utf8(plain).map(str::to_owned).map_err(bad)
    }

    /// The server has closed between commands: its reply to the last may come over a new connection.
    fn line_elsewhere(&mut self, rule: u8, step: Option<u8>, expected: &str) -> Check<String> {
        let Some(command) = self.command.take().filter(|_| !self.one_session) else {
            return Err(Stop::Free(CLOSES.into()));
        };
        self.wire = self.dialer.wire()?.going_on_from(&self.wire);
        (self.between, self.downloaded) = (false, None);
        self.send(command);
        self.any_line(rule, step, expected)
    }

    /// Something came in place of a line: none at all, or one without its end.
    fn no_line(&self, rule: u8, step: Option<u8>, expected: &str, came: &ActualInput) -> Stop {
        match came {
            ActualInput::Nothing(_, bytes) if !bytes.is_empty() => titled(
                "It sends a line without the LF at its end",
                broken(&self.wire, 1, step, expected, came),
            ),
            ActualInput::Bytes(_) => broken(&self.wire, 2, step, expected, came),
            _ => broken(&self.wire, rule, step, expected, came),
        }
    }

    /// What stands where a line is due behind a download may be more of the file.
    pub(super) fn misplaced(&self, bytes: &[u8]) -> Option<Stop> {
        let file = self.downloaded.as_ref()?;
        let again = !file.is_empty()
            && bytes.len() >= file.len().min(LIKE)
            && bytes.starts_with(&file[..file.len().min(LIKE)]);
        let is_line = str::from_utf8(bytes).is_ok_and(|text| text.len() < MAX_LINE);
        if !again && (bytes.is_empty() || is_line) {
            return None;
        }
        let size = faults::text::bytes_text(file.len() as u64);
        let came = ActualInput::Bytes(bytes.to_vec());
        let more = if again { "the file once more: " } else { "" };
        let expected = format!("{size}, as the size line said, and then a line");
        let stop = broken(&self.wire, 3, 20, expected, &came);
        Some(changed(titled("It sends more than the size line of a download says", stop), |finding| {
            finding.came = format!("{size}, and behind them {more}{came}");
        }))
    }

    /// The next line, which has to be no refusal; for a want of room or the like the server may refuse anything.
    pub(super) fn line(&mut self, rule: u8, step: u8, expected: &str) -> Check<String> {
        let text = self.any_line(rule, Some(step), expected)?;
        match parse_error(&text).map(|(code, _)| code) {
            None => Ok(text),
            Some(ErrorCode::Busy) => Err(Stop::Busy),
            Some(code) if is_excuse(code) => Err(Stop::NotReached(Obstacle::Refused(code, text))),
            Some(_) => Err(self.wrong(rule, Some(step), expected, &text)),
        }
    }

    pub(super) fn wrong(&self, rule: u8, step: Option<u8>, expected: &str, text: &str) -> Stop {
        broken(&self.wire, rule, step, expected, &ActualInput::Bytes(text.as_bytes().to_vec()))
    }

    /// Notes what the server should have done; the first such thing is reported.
    pub(super) fn warn(&self, rule: u8, step: Option<u8>, expected: &str, came: &ActualInput) {
        if let Stop::Fail(finding) = broken(&self.wire, rule, step, expected, came) {
            self.warning.borrow_mut().get_or_insert(*finding);
        }
    }

    /// A prompt, in whatever words.
    pub(super) fn go_ahead(&mut self, step: u8) -> Check {
        self.line(5, step, "a go-ahead: a line that does not begin with \"ERROR \"").map(drop)
    }

    /// Exactly this line.
    pub(super) fn exactly(&mut self, rule: u8, step: u8, text: &str) -> Check {
        let expected = format!("\"{text}\\n\"");
        let came = self.line(rule, step, &expected)?;
        if came == text { Ok(()) } else { Err(self.wrong(rule, Some(step), &expected, &came)) }
    }

    /// A refusal with this code.
    pub(super) fn refusal(&mut self, rule: u8, code: ErrorCode) -> Check {
        let expected = format!("\"ERROR {code}\", alone or with a text after a blank");
        let text = self.any_line(rule, None, &expected)?;
        match parse_error(&text) {
            Some((ErrorCode::Busy, _)) => Err(Stop::Busy),
            Some((ErrorCode::Timeout, _)) => Err(Stop::NotReached(Obstacle::GaveUp(text))),
            Some(_) if words(&text) == Some(code.as_str()) => Ok(()),
            _ => Err(self.wrong(rule, None, &expected, &text)),
        }
    }

    /// A command that cannot be taken, and its refusal, after which the session goes on (R22).
    pub(super) fn refused(&mut self, line: impl AsRef<[u8]>, rule: u8, code: ErrorCode) -> Check {
        self.send(line);
        self.refusal(rule, code)
    }

    /// Details that cannot be taken.
    pub(super) fn details_refused(&mut self, details: &str, rule: u8, code: ErrorCode) -> Check {
        self.command("UPLOAD\n");
        self.go_ahead(7)?;
        self.refused(format!("{details}\n"), rule, code)
    }

    /// An id that cannot be taken, or that no file has.
    pub(super) fn id_refused(&mut self, id: &str, rule: u8, code: ErrorCode) -> Check {
        self.ask_for(id)?;
        self.refusal(rule, code)
    }

    /// Begins an upload, up to where its details are sent.
    pub(super) fn announce(&mut self, details: &str) -> Check {
        self.command("UPLOAD\n");
        self.go_ahead(7)?;
        self.send(format!("{details}\n"));
        Ok(())
    }

    /// Begins a download, up to where its id is sent.
    pub(super) fn ask_for(&mut self, id: &str) -> Check {
        self.command("DOWNLOAD\n");
        self.go_ahead(18)?;
        self.send(format!("{id}\n"));
        Ok(())
    }

    /// Begins an upload, up to where the payload is due.
    pub(super) fn begin_put(&mut self, name: &str, size: usize) -> Check {
        self.announce(&format!("{name};{size}"))?;
        self.go_ahead(9)
    }

    /// The hash of an upload.
    pub(super) fn hash(&mut self, file: &File) -> Check {
        let (id, step) = (file.id(), Some(13));
        let expected = format!("\"{id}\\n\"");
        let came = self.line(17, 13, &expected)?;
        if came != id {
            let is_hex = !came.is_empty() && came.bytes().all(|byte| byte.is_ascii_hexdigit());
            let is_none = is_hex && FileId::parse(&came).is_none();
            let stop = self.wrong(if is_none { 11 } else { 17 }, step, &expected, &came);
            return Err(changed(stop, |finding| {
                if is_none && came.len() < id.len() {
                    finding.hints.push("each byte is two digits: zeros are digits, too".into());
                }
            }));
        }
        (self.between, self.stored) = (true, true);
        Ok(())
    }

    /// An upload without which the case could not begin. That it goes wrong is another matter than the case's.
    pub(super) fn prepare(&mut self, file: &File) -> Check {
        let title = "The upload goes wrong that this case begins with";
        self.put(file).map_err(|stop| titled(title, stop))
    }

    pub(super) fn put(&mut self, file: &File) -> Check {
        self.begin_put(&file.name, file.bytes.len())?;
        if !file.bytes.is_empty() {
            self.send(&file.bytes);
        }
        self.hash(file)
    }

    pub(super) fn get(&mut self, file: &File) -> Check {
        self.ask_for(&file.id())?;
        self.payload(file)
    }

    /// The size line of a download and exactly the bytes of `file`.
    pub(super) fn payload(&mut self, file: &File) -> Check {
        self.size_line(file)?;
        let came = self.wire.payload(file.bytes.len());
        let bytes = came.map_err(|came| broken_payload(&self.wire, 20, &file.bytes, 0, &came))?;
        if bytes != file.bytes {
            return Err(broken_payload(&self.wire, 20, &file.bytes, 0, &ActualInput::Bytes(bytes)));
        }
        (self.between, self.downloaded) = (true, Some(bytes));
        Ok(())
    }

    /// The size line of a download.
    pub(super) fn size_line(&mut self, file: &File) -> Check {
        let size = file.bytes.len().to_string();
        let expected = format!("\"{size}\\n\"");
        let came = self.line(3, 20, &expected)?;
        if came == size {
            return Ok(());
        }
        // The same number, written as none may be.
        let is_number = came.trim().trim_start_matches(['+', '0']) == size.trim_start_matches('0');
        let rule = if is_number && !came.trim().is_empty() { 10 } else { 3 };
        Err(self.wrong(rule, Some(20), &expected, &came))
    }

    /// Withdraws what has this id.
    pub(super) fn discard(&mut self, id: &str) -> Check {
        self.send(format!("DISCARD {id}\n"));
        self.line(21, 14, "a go-ahead: a line that does not begin with \"ERROR \"")?;
        self.between = true;
        Ok(())
    }

    /// Nothing comes before the first command. Whatever closes then cannot be tested.
    pub(super) fn says_nothing(&mut self) -> Check {
        match self.wire.anything_within(QUIET) {
            Some(ActualInput::End(bytes) | ActualInput::Reset(bytes)) if bytes.is_empty() => {
                Err(Stop::NotReached("the server closes the connection before the first command".into()))
            }
            Some(ActualInput::Bytes(bytes)) if is_busy(&bytes) => Err(Stop::Busy),
            Some(came) => Err(broken(&self.wire, 5, Some(3), "nothing before the first command", &came)),
            None => Ok(()),
        }
    }

    /// Nothing comes, for a moment; but the server may close between commands (R26).
    pub(super) fn quiet(&mut self, rule: u8, step: Option<u8>, expected: &str) -> Check {
        match self.wire.anything_within(QUIET) {
            None => Ok(()),
            Some(ActualInput::Bytes(bytes)) if is_busy(&bytes) => Err(Stop::Busy),
            Some(ActualInput::End(bytes) | ActualInput::Reset(bytes)) if self.between && bytes.is_empty() => {
                Ok(())
            }
            Some(came) => Err(broken(&self.wire, rule, step, expected, &came)),
        }
    }

    /// Ends the sending side between commands: the server closes.
    pub(super) fn leave(mut self) -> Check {
        self.wire.finish();
        match self.wire.end() {
            Ok(()) => Ok(()),
            Err(ActualInput::Reset(bytes)) if bytes.is_empty() => Ok(()),
            Err(ActualInput::Bytes(bytes)) if is_busy(&bytes) => Err(Stop::Busy),
            Err(came) => Err(broken(&self.wire, 26, 22, "the end of the connection", &came)),
        }
    }

    /// The server refuses with `bad-line` and closes. A reset that swallows the refusal is only noted (R25).
    pub(super) fn bad_line(&mut self) -> Check {
        let expected =
            "\"ERROR bad-line\", alone or with a text after a blank, and the end of the connection";
        match self.wire.line() {
            Ok(line) if refusal_code(&line) == Some("bad-line".into()) => {}
            Ok(line) if is_busy(&line) => return Err(Stop::Busy),
            Ok(line) => return Err(broken(&self.wire, 2, None, expected, &ActualInput::Bytes(line))),
            Err(came @ ActualInput::Reset(_)) => {
                self.warn(25, None, expected, &came);
                return Ok(());
            }
            Err(came) => return Err(broken(&self.wire, 2, None, expected, &came)),
        }
        match self.wire.end() {
            Ok(()) | Err(ActualInput::Reset(_)) => Ok(()),
            Err(came) => {
                Err(broken(&self.wire, 25, None, "the end of the connection after ERROR bad-line", &came))
            }
        }
    }
}

fn titled(title: &str, stop: Stop) -> Stop {
    changed(stop, |finding| {
        finding.title.get_or_insert_with(|| title.into());
    })
}

/// The same stop, but something in its finding, if it has one.
fn changed(stop: Stop, change: impl FnOnce(&mut Finding)) -> Stop {
    match stop {
        Stop::Fail(mut finding) => {
            change(&mut finding);
            Stop::Fail(finding)
        }
        stop => stop,
    }
}

fn is_busy(line: &[u8]) -> bool {
    line.starts_with(b"ERROR busy")
}

/// The code of a line that is a refusal.
pub(super) fn refusal_code(line: &[u8]) -> Option<String> {
    let text = str::from_utf8(line).ok()?.trim_end_matches(['\n', '\r']);
    words(text).map(str::to_owned)
}

/// The word behind `ERROR `.
fn words(text: &str) -> Option<&str> {
    text.strip_prefix("ERROR ").map(|rest| rest.split(' ').next().unwrap_or(rest))
}

/// A code with which a server may refuse what is in order: it takes less, or its disk does.
fn is_excuse(code: ErrorCode) -> bool {
    use ErrorCode::{NoSpace, Other, Storage, Timeout, TooLarge};
    matches!(code, NoSpace | Other | Storage | Timeout | TooLarge)
}
