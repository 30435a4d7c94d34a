//! The server that a client under test meets, on one connection. It holds every byte of the client against the rules.

use std::time::Duration;

use protocol::wire::NO_FILES;
use protocol::{FileId, FileName, Request, UploadDetails};

use super::behaviour::{ExchangePoint, ServerAction, ServerBehaviour};
use super::observations::{Kind, Observations, Part};
use crate::{ActualInput, Check, File, Finding, QUIET, Stop, Wire, broken, broken_payload};

/// How many commands a client may send on one connection.
const MAX_COMMANDS: usize = 200;
/// What a client may say between exchanges.
const COMMANDS: &str = "LIST_FILES, UPLOAD, DOWNLOAD, or DISCARD and an id; or the end of the connection";
/// What is wrong with a line that does not end.
const NO_LF: &str = "It sends a line without the LF at its end";

/// Whether the exchange goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flow {
    On,
    /// The exchange is over, the session is not.
    Refused,
    /// The connection is over.
    Over,
}

/// One connection of the client.
pub(super) struct ServerSession<'a> {
    pub(super) wire: Wire,
    pub(super) behaviour: &'a ServerBehaviour,
    pub(super) store: &'a mut Vec<(String, File)>,
    pub(super) seen: &'a mut Observations,
    /// What the client was given to upload.
    pub(super) file: &'a File,
    /// Whether the last exchange was refused.
    pub(super) refused: bool,
    /// How long it is waited for a command behind a download.
    pub(super) patience: Duration,
}

impl ServerSession<'_> {
    /// Serves the client until either side closes.
    pub(super) fn serve(&mut self) -> Check {
        self.seen.connected = true;
        if self.act(ExchangePoint::Greeting, b"")? != Flow::On {
            return Ok(());
        }
        for _ in 0..MAX_COMMANDS {
            let Some(command) = self.command()? else { return Ok(()) };
            let flow = match command {
                Request::Upload => self.upload(),
                Request::Download => self.download(),
                Request::Discard(id) => self.discard(&id.to_string()),
                _ => self.list(),
            }?;
            if flow == Flow::Over {
                return Ok(());
            }
            self.refused = flow == Flow::Refused;
        }
        Err(Stop::NotReached(format!("the client sent more than {MAX_COMMANDS} commands").into()))
    }

    /// The next command; `None` when the client closes.
    fn command(&mut self) -> Check<Option<Request>> {
        let step = match self.seen.commands.last() {
            None => 4,
            Some(&"LIST_FILES") if self.seen.uploads.is_empty() => 6,
            Some(&"LIST_FILES") => 17,
            Some(&"UPLOAD") => 15,
            Some(_) => 22,
        };
        let line = match self.seen.part {
            Part::Download => self.wire.line_within(self.patience),
            _ => self.wire.line(),
        };
        let line = match line {
            Ok(line) => line,
            Err(ActualInput::End(bytes) | ActualInput::Reset(bytes)) if bytes.is_empty() => return Ok(None),
            Err(came) => return Err(self.no_command(step, &came)),
        };
        // Taken for a go-ahead, a refusal is followed by what it refused, be it a line or payload.
        let no_command = |session: &Self, rule| {
            let rule = if session.refused { 22 } else { rule };
            broken(&session.wire, rule, step, COMMANDS, &ActualInput::Bytes(line.clone()))
        };
        let text = match self.text(&line, step) {
            Err(_) if self.refused => return Err(no_command(self, 22)),
            text => text?,
        };
        if self.behaviour.strict && matches!(&*text, "LIST FILES" | "LIST FILE") {
            self.warn(7, step, "\"LIST_FILES\\n\"", &line);
        }
        let command = Request::parse_command(&text).map_err(|_| no_command(self, 5))?;
        let (part, word) = match command {
            Request::Upload => (Part::Upload, "UPLOAD"),
            Request::Download => (Part::Download, "DOWNLOAD"),
            Request::Discard(_) => (Part::Upload, "DISCARD"),
            _ => (Part::List, "LIST_FILES"),
        };
        self.refused = false;
        self.seen.part = part;
        self.seen.commands.push(word);
        Ok(Some(command))
    }

    /// In place of a command something else came. It is a matter of the exchange before.
    fn no_command(&mut self, step: u8, came: &ActualInput) -> Stop {
        if matches!(came, ActualInput::Nothing(_, bytes) if bytes.is_empty()) {
            return self.silence(step, came);
        }
        let rule = if self.refused { 22 } else { 26 };
        self.no_line(rule, step, COMMANDS, came)
    }

    /// The client neither goes on nor closes.
    fn silence(&mut self, step: u8, came: &ActualInput) -> Stop {
        let (rule, title) = match self.seen.part {
            Part::Start => return broken(&self.wire, 5, step, COMMANDS, came),
            _ if self.refused => (22, "After a refusal it neither goes on nor closes"),
            Part::List => (34, "It waits for more behind the end of the listing"),
            Part::Upload => (26, "After the hash it neither goes on nor closes"),
            Part::Download => (3, "It waits for more than the size line of a download says"),
        };
        self.seen.kind = Kind::Silent;
        titled(title, broken(&self.wire, rule, step, COMMANDS, came))
    }

    /// Something came in place of a line: none at all, or one without its end.
    fn no_line(&self, rule: u8, step: u8, expected: &str, came: &ActualInput) -> Stop {
        match came {
            _ if self.refused => broken(&self.wire, rule, step, expected, came),
            ActualInput::Bytes(_) => broken(&self.wire, 2, step, expected, came),
            came if came.bytes().is_empty() => broken(&self.wire, rule, step, expected, came),
            came => titled(NO_LF, broken(&self.wire, 1, step, expected, came)),
        }
    }

    fn text(&mut self, line: &[u8], step: u8) -> Check<String> {
        let text = line.strip_suffix(b"\n").unwrap_or(line);
        let plain = text.strip_suffix(b"\r").unwrap_or(text);
        if self.behaviour.strict && plain != text {
            self.warn(1, step, "a line that ends in LF alone", line);
        }
        let bad = |_| broken(&self.wire, 1, step, "a line of UTF-8", &ActualInput::Bytes(line.to_vec()));
        str::from_utf8(plain).map(str::to_owned).map_err(bad)
    }

    fn warn(&mut self, rule: u8, step: u8, expected: &str, line: &[u8]) {
        if let Stop::Fail(finding) =
            broken(&self.wire, rule, step, expected, &ActualInput::Bytes(line.to_vec()))
        {
            self.seen.warning.get_or_insert(*finding);
        }
    }

    /// A line that the client owes now.
    fn due(&mut self, rule: u8, step: u8, expected: &str) -> Check<Option<(String, Vec<u8>)>> {
        match self.wire.line() {
            Ok(line) => Ok(Some((self.text(&line, step)?, line))),
            // A client may give up at any time; whether it may call that a success is judged by its claim.
            Err(ActualInput::End(bytes) | ActualInput::Reset(bytes)) if bytes.is_empty() => Ok(None),
            Err(came) => Err(self.no_line(rule, step, expected, &came)),
        }
    }

    fn list(&mut self) -> Check<Flow> {
        let entry = |(id, file): &(String, File)| format!("{id};{}", file.details());
        let mut lines: Vec<String> = self.store.iter().map(entry).collect();
        if lines.is_empty() {
            lines.push(NO_FILES.into());
        } else {
            lines = (self.behaviour.listing)(lines);
        }
        let has_files = !self.store.is_empty();
        let eol = self.behaviour.eol;
        let text: String = lines.iter().map(|line| format!("{line}{eol}")).collect();
        if !has_files
            && matches!(self.behaviour.act, Some((ExchangePoint::Listing, ServerAction::ViolateWithThat(_))))
        {
            self.say(format!("{text}{eol}").as_bytes());
            return Ok(Flow::On);
        }
        if !has_files || self.behaviour.act.is_none_or(|(point, _)| point != ExchangePoint::ListEnd) {
            return self.act(ExchangePoint::Listing, format!("{text}{eol}").as_bytes());
        }
        match self.act(ExchangePoint::Listing, text.as_bytes())? {
            Flow::On => self.act(ExchangePoint::ListEnd, eol.as_bytes()),
            flow => Ok(flow),
        }
    }

    fn upload(&mut self) -> Check<Flow> {
        match self.line(ExchangePoint::AskDetails, self.behaviour.ask_details)? {
            Flow::On => {}
            flow => return Ok(flow),
        }
        let expected = format!("\"name;{}\\n\", the name a valid one", self.file.bytes.len());
        let Some((text, line)) = self.due(5, 8, &expected)? else { return Ok(Flow::Over) };
        let details = match UploadDetails::parse(&text) {
            Ok(details) if details.size == self.file.bytes.len() as u64 => details,
            details => {
                let rule = if details.is_ok() { 3 } else { details_rule(&text) };
                return Err(broken(&self.wire, rule, 8, expected, &ActualInput::Bytes(line)));
            }
        };
        match self.line(ExchangePoint::Ready, self.behaviour.ready)? {
            Flow::On => {}
            flow => return Ok(flow),
        }
        match self.receive()? {
            Flow::On => {}
            flow => return Ok(flow),
        }
        self.answer_upload(&details)
    }

    /// The payload, which has to be the file.
    fn receive(&mut self) -> Check<Flow> {
        let (bytes, half) = (&self.file.bytes, self.file.bytes.len() / 2);
        let due = |wire: &mut Wire, due: &[u8], base| match wire.payload(due.len()) {
            Ok(came) if came == due => Ok(Some(())),
            Ok(came) => Err(broken_payload(wire, 10, due, base, &ActualInput::Bytes(came))),
            // It may close, but not say anything else before.
            Err(ActualInput::Reset(came) | ActualInput::End(came)) if due.starts_with(&came) => Ok(None),
            Err(came) => Err(broken_payload(wire, 10, due, base, &came)),
        };
        if due(&mut self.wire, &bytes[..half], 0)?.is_none() {
            return Ok(Flow::Over);
        }
        let flow = self.act_in_payload()?;
        if flow == Flow::Over {
            return Ok(flow);
        }
        match due(&mut self.wire, &bytes[half..], half) {
            Ok(Some(())) => Ok(flow),
            Ok(None) => Ok(Flow::Over),
            // It owes the rest, or has to close.
            Err(Stop::Fail(finding)) if flow == Flow::Refused => {
                Err(Stop::Fail(Box::new(Finding { rule: 19, ..*finding })))
            }
            Err(stop) => Err(stop),
        }
    }

    fn act_in_payload(&mut self) -> Check<Flow> {
        match self.behaviour.act {
            Some((ExchangePoint::Payload, ServerAction::EarlyHash)) => {
                self.seen.struck = true;
                let hash = (self.behaviour.hash)(&self.file.bytes);
                self.say(format!("{hash}\n").as_bytes());
                Ok(Flow::On)
            }
            Some((ExchangePoint::Payload, act)) => self.perform(act),
            _ => Ok(Flow::On),
        }
    }

    fn answer_upload(&mut self, details: &UploadDetails) -> Check<Flow> {
        let hash = (self.behaviour.hash)(&self.file.bytes);
        if self.behaviour.act.is_none_or(|(_, act)| !matches!(act, ServerAction::EarlyHash)) {
            match self.line(ExchangePoint::Hash, &hash)? {
                Flow::On => {}
                flow => return Ok(flow),
            }
        }
        let file = File { name: details.name.to_string(), bytes: self.file.bytes.clone() };
        // Among others, not behind them.
        self.store.insert(self.store.len() / 2, (hash.clone(), file));
        self.seen.uploads.push(hash);
        match self.behaviour.act {
            Some((ExchangePoint::AfterHash, act)) => self.perform(act),
            _ => Ok(Flow::On),
        }
    }

    fn download(&mut self) -> Check<Flow> {
        match self.line(ExchangePoint::AskId, self.behaviour.ask_id)? {
            Flow::On => {}
            flow => return Ok(flow),
        }
        let expected = "\"id\\n\", one of the listing";
        let Some((text, line)) = self.due(5, 19, expected)? else { return Ok(Flow::Over) };
        if FileId::parse(&text).is_none() {
            return Err(broken(&self.wire, 11, 19, expected, &ActualInput::Bytes(line)));
        }
        self.seen.downloads.push(text.clone());
        let Some((_, file)) = self.store.iter().find(|(id, _)| *id == text) else {
            self.say(b"ERROR not-found no file has this id\n");
            return Ok(Flow::Refused);
        };
        let bytes = file.bytes.clone();
        self.seen.wanted.clone_from(&bytes);
        let size = (self.behaviour.size)(bytes.len()).to_string();
        self.send_file(&size, &(self.behaviour.payload)(bytes))
    }

    /// Size and payload in one piece, so that a client has to take them apart.
    fn send_file(&mut self, size: &str, bytes: &[u8]) -> Check<Flow> {
        let mut message = format!("{size}{}", self.behaviour.eol).into_bytes();
        let keep = match self.behaviour.act {
            Some((ExchangePoint::HalfDownload, _)) => bytes.len() / 2,
            Some((ExchangePoint::LastByte, _)) => bytes.len().saturating_sub(1),
            _ => bytes.len(),
        };
        let mut payload = &bytes[..keep];
        if !self.behaviour.apart {
            message.extend_from_slice(std::mem::take(&mut payload));
        }
        match self.act(ExchangePoint::Size, &message)? {
            Flow::On => {}
            flow => return Ok(flow),
        }
        if !payload.is_empty() {
            std::thread::sleep(QUIET);
            self.say(payload);
        }
        match self.behaviour.act {
            Some((ExchangePoint::HalfDownload | ExchangePoint::LastByte | ExchangePoint::AfterFile, act)) => {
                self.perform(act)
            }
            _ => Ok(Flow::On),
        }
    }

    fn discard(&mut self, id: &str) -> Check<Flow> {
        self.seen.discards.push(id.to_owned());
        let Some(index) = self.store.iter().rposition(|(stored, _)| stored == id) else {
            self.say(b"ERROR not-found no file has this id\n");
            return Ok(Flow::Refused);
        };
        self.store.remove(index);
        self.say(format!("{}{}", self.behaviour.discarded, self.behaviour.eol).as_bytes());
        Ok(Flow::On)
    }

    fn line(&mut self, point: ExchangePoint, text: &str) -> Check<Flow> {
        self.act(point, format!("{text}{}", self.behaviour.eol).as_bytes())
    }

    /// Says `message`, or does what the case wants in its place.
    fn act(&mut self, point: ExchangePoint, message: &[u8]) -> Check<Flow> {
        self.too_early(point)?;
        match self.behaviour.act {
            Some((at, ServerAction::ViolateWithThat(rule))) if at == point => {
                self.say(message);
                self.perform(ServerAction::Violate(rule, b""))
            }
            Some((at, act)) if at == point => self.perform(act),
            _ => {
                self.say(message);
                Ok(Flow::On)
            }
        }
    }

    /// Nothing may have come before the reply.
    fn too_early(&mut self, point: ExchangePoint) -> Check {
        let came = match self.wire.waiting() {
            [] if self.behaviour.patience.is_zero() || point == ExchangePoint::Greeting => None,
            [] => self.wire.anything_within(self.behaviour.patience),
            bytes => Some(ActualInput::Bytes(bytes.to_vec())),
        };
        match came {
            Some(came @ ActualInput::Bytes(_)) => {
                let (rule, step) = match point {
                    ExchangePoint::AskDetails => (5, Some(8)),
                    ExchangePoint::Ready => (16, Some(10)),
                    ExchangePoint::Hash => (5, Some(15)),
                    ExchangePoint::AskId => (5, Some(19)),
                    _ => (5, None),
                };
                self.seen.kind = Kind::Early;
                Err(broken(&self.wire, rule, step, "nothing before the server's reply", &came))
            }
            _ => Ok(()),
        }
    }

    fn perform(&mut self, act: ServerAction) -> Check<Flow> {
        self.seen.struck = true;
        match act {
            ServerAction::Refuse(line) => {
                self.say(format!("{line}{}", self.behaviour.eol).as_bytes());
                Ok(Flow::Refused)
            }
            ServerAction::Cut(bytes) => {
                self.say(bytes);
                self.wire.finish();
                // What it still sends is of no interest, nor is how it takes leave.
                let _ = self.wire.end_at_last();
                Ok(Flow::Over)
            }
            ServerAction::Violate(rule, bytes) => {
                self.say(bytes);
                match self.wire.end() {
                    Ok(()) | Err(ActualInput::Reset(_)) => Ok(Flow::Over),
                    Err(came) => {
                        Err(broken(&self.wire, rule, None, "the client closes the connection", &came))
                    }
                }
            }
            ServerAction::Silence => match self.wire.end() {
                Ok(()) | Err(ActualInput::Reset(_)) => {
                    self.seen.gave_up = true;
                    Ok(Flow::Over)
                }
                Err(ActualInput::Nothing(..)) => Ok(Flow::Over),
                Err(came) => Err(broken(&self.wire, 5, None, "nothing before the server's reply", &came)),
            },
            ServerAction::EarlyHash | ServerAction::ViolateWithThat(_) => Ok(Flow::On),
        }
    }

    fn say(&mut self, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        if self.behaviour.byte_by_byte {
            self.wire.send_in_pieces(bytes, 1, Duration::from_micros(200));
        } else {
            self.wire.send(bytes);
        }
    }
}

/// The same with a title, so that it stays what it is in whatever case.
fn titled(title: &str, stop: Stop) -> Stop {
    match stop {
        Stop::Fail(finding) => Stop::Fail(Box::new(Finding { title: Some(title.into()), ..*finding })),
        stop => stop,
    }
}

/// The rule that these details break.
fn details_rule(text: &str) -> u8 {
    match text.rsplit_once(';') {
        None => 8,
        Some((name, _)) if FileName::parse(name).is_err() => 9,
        Some(_) => 10,
    }
}
