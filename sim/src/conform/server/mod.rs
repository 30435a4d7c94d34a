//! Servers under test: the harness is the client. The expectations that all cases share are here, the cases
//! in the files beside this one.

mod attacks;
mod framing;
mod host;
mod lists;
mod refusals;
mod transfers;
mod uploads;

use std::cell::{Cell, RefCell};
use std::io;
use std::net::{SocketAddr, TcpStream};
use std::rc::Rc;
use std::sync::LazyLock;
use std::time::Duration;

use protocol::wire::{NO_FILES, parse_error};
use protocol::{Entry, ErrorCode};

use super::{
    Bench, Came, Case, CaseInfo, Check, Command, Difference, File, Finding, Gone, OUTLIVES, Options, QUIET,
    Report, Side, Stop, TIMEOUT, Wire, broken, broken_payload, noise, run,
};
use host::Host;

/// How many bytes of a file tell that what comes is it once more.
const LIKE: usize = 16;

static CASES: LazyLock<Vec<Case<Desk>>> = LazyLock::new(|| {
    let parts =
        [lists::CASES, transfers::CASES, uploads::CASES, refusals::CASES, framing::CASES, attacks::CASES];
    let mut cases = parts.concat();
    cases.sort_by_key(|case| case.info.level);
    cases
});

/// Every case for servers, by level.
#[must_use]
pub fn cases() -> Vec<CaseInfo> {
    CASES.iter().map(|case| case.info.clone()).collect()
}

/// How long a server has to come to its end after the first case and those that it failed, if it is one that ends.
const SETTLE: Duration = Duration::from_millis(200);
/// The same after any other case.
const SETTLE_SHORT: Duration = Duration::from_millis(15);

/// Plays the cases that `options` asks for against the server at the first of `addresses` that answers.
#[must_use]
pub fn test(addresses: &[SocketAddr], options: &Options) -> Report {
    report(Desk::new(addresses, None, options), options)
}

/// The same against a server that `command` starts, anew for each case.
#[must_use]
pub fn test_command(command: &Command, options: &Options) -> Report {
    report(Desk::new(&[], Some(command), options), options)
}

fn report(mut desk: Desk, options: &Options) -> Report {
    Report { side: Side::Server, results: run(&CASES, options, &mut desk) }
}

/// Where the cases are played.
struct Desk {
    /// Where the server may be; alone once it has answered.
    addresses: RefCell<Vec<SocketAddr>>,
    command: Option<Command>,
    /// The server of this case, if it is started here, or why there is none.
    host: Option<Result<Host, String>>,
    limit: Duration,
    seed: u64,
    /// How many files were made, so that each is another.
    files: u64,
    /// How many connections the server took in all.
    connections: Cell<u64>,
    /// Whether it took one in this case.
    reached: Cell<bool>,
    /// Whether it said anything in this case.
    heard: Rc<Cell<bool>>,
    warning: Rc<RefCell<Option<Finding>>>,
}

impl Bench for Desk {
    fn begin(&mut self) {
        self.warning.replace(None);
        self.reached.set(false);
        self.heard.set(false);
        if let Some(command) = &self.command {
            // The one before is ended first.
            self.host = None;
            let host = Host::start(command);
            self.addresses.replace(host.iter().map(|host| host.address).collect());
            self.host = Some(host);
        }
    }

    fn warning(&mut self) -> Option<Finding> {
        self.warning.take()
    }

    /// Asked only of a server that has said nothing in this case, for the question is a connection.
    fn gone(&mut self) -> Option<Gone> {
        let count = self.connections.get();
        if self.command.is_some() || self.heard.get() || count == 0 {
            return None;
        }
        let error = self.dial().err().filter(|error| error.kind() == io::ErrorKind::ConnectionRefused)?;
        let connections = if count == 1 { "1 connection".into() } else { format!("{count} connections") };
        let charge = Finding {
            rule: OUTLIVES,
            title: Some("After this case the server did not serve any more".into()),
            expected: "the next connection served as this one".into(),
            came: format!("{error}, after {connections}"),
            hints: vec!["--server-command starts a server anew for each case".into()],
            ..Finding::default()
        };
        Some(Gone {
            charge: (!self.reached.get()).then_some(charge),
            why: format!(
                "the server seems to have ended after {connections}; it has to serve the next (R{OUTLIVES})"
            ),
        })
    }

    fn settle(&mut self, long: bool) {
        if self.command.is_none() {
            std::thread::sleep(if long { SETTLE } else { SETTLE_SHORT });
        }
    }

    fn hints(&mut self) -> Vec<String> {
        match &mut self.host {
            Some(Ok(host)) => host.hints(),
            _ => Vec::new(),
        }
    }
}

impl Desk {
    fn new(addresses: &[SocketAddr], command: Option<&Command>, options: &Options) -> Self {
        Self {
            addresses: RefCell::new(addresses.to_vec()),
            command: command.cloned(),
            host: None,
            limit: options.timeout.unwrap_or(TIMEOUT),
            seed: options.seed,
            files: 0,
            connections: Cell::new(0),
            reached: Cell::new(false),
            heard: Rc::default(),
            warning: Rc::default(),
        }
    }

    fn connect(&self) -> Check<Talk> {
        if let Some(Err(why)) = &self.host {
            return Err(Stop::NotReached(why.clone()));
        }
        let stream = self.dial().map_err(|error| self.unreachable(&error))?;
        let wire = Wire::new(stream, self.limit).map_err(|error| self.unreachable(&error))?;
        self.reached.set(true);
        self.connections.set(self.connections.get() + 1);
        let wire = wire.telling(&self.heard);
        Ok(Talk { wire, between: false, stored: false, downloaded: None, warning: Rc::clone(&self.warning) })
    }

    /// A connection to the first address that takes one; the others are forgotten then.
    fn dial(&self) -> io::Result<TcpStream> {
        let addresses = self.addresses.borrow().clone();
        let mut result = Err(io::ErrorKind::AddrNotAvailable.into());
        for address in addresses {
            result = TcpStream::connect_timeout(&address, self.limit);
            if result.is_ok() {
                self.addresses.replace(vec![address]);
                break;
            }
        }
        result
    }

    /// A server that takes no connection cannot be tested; one that no longer does after what a case did to it
    /// has failed that case.
    fn unreachable(&self, error: &io::Error) -> Stop {
        if !self.reached.get() {
            let addresses: Vec<String> = self.addresses.borrow().iter().map(ToString::to_string).collect();
            return Stop::NotReached(format!("no connection to {}: {error}", addresses.join(", ")));
        }
        Stop::Fail(Box::new(Finding {
            rule: 27,
            step: Some(3),
            expected: "another connection, as before".into(),
            came: error.to_string(),
            ..Finding::default()
        }))
    }

    /// A file of `len` bytes that no other case and no other run has.
    fn file(&mut self, len: usize) -> File {
        self.named("", ".bin", len)
    }

    /// The same with something before and behind its name.
    fn named(&mut self, before: &str, behind: &str, len: usize) -> File {
        self.files += 1;
        let seed = self.seed.wrapping_mul(1 << 20).wrapping_add(self.files);
        File {
            name: format!("{before}{:08x}-{}{behind}", self.seed & 0xffff_ffff, self.files),
            bytes: noise(seed, len),
        }
    }

    /// A file with this content, its name new.
    fn with_content(&mut self, bytes: &[u8]) -> File {
        File { bytes: bytes.to_vec(), ..self.file(0) }
    }

    /// New connections are served, whatever happened; also a moment later, for it may take the server a moment.
    fn still_serves(&self) -> Check {
        self.connect()?.list()?;
        std::thread::sleep(QUIET);
        self.connect()?.list().map(drop)
    }

    /// The same, and `file` is not listed.
    fn never_lists(&self, rule: u8, file: &File) -> Check {
        self.connect()?.lists_not(rule, file)?;
        std::thread::sleep(QUIET);
        self.connect()?.lists_not(rule, file)
    }
}

/// One connection to the server.
struct Talk {
    wire: Wire,
    /// Whether a whole exchange lies behind and nothing of another has come: the server may close now.
    between: bool,
    /// Whether it has uploaded a file: a listing is step 16 then, and not step 5.
    stored: bool,
    /// What it downloaded last, until the next line has come.
    downloaded: Option<Vec<u8>>,
    warning: Rc<RefCell<Option<Finding>>>,
}

impl Talk {
    fn send(&mut self, text: impl AsRef<[u8]>) {
        self.wire.send(text.as_ref());
    }

    /// The next line, whatever it says.
    fn any_line(&mut self, rule: u8, step: Option<u8>, expected: &str) -> Check<String> {
        let line = match self.wire.line() {
            Ok(line) => line,
            Err(Came::End(bytes) | Came::Reset(bytes)) if self.between && bytes.is_empty() => {
                let why =
                    "the server closes between commands, as R26 lets it, but the 22 steps are one session";
                return Err(Stop::NotReached(why.into()));
            }
            Err(came) => {
                return Err(self
                    .misplaced(came.bytes())
                    .unwrap_or_else(|| broken(&self.wire, rule, step, expected, &came)));
            }
        };
        self.between = false;
        if let Some(stop) = self.misplaced(&line) {
            return Err(stop);
        }
        self.downloaded = None;
        let text = line.strip_suffix(b"\n").unwrap_or(&line);
        let plain = text.strip_suffix(b"\r").unwrap_or(text);
        if plain != text {
            self.warn(1, step, "a line that ends in LF alone", &Came::Bytes(line.clone()));
        }
        let bad = |_| broken(&self.wire, 2, step, "a line of UTF-8", &Came::Bytes(line.clone()));
        str::from_utf8(plain).map(str::to_owned).map_err(bad)
    }

    /// What stands where a line is due behind a download may be more of the file.
    fn misplaced(&self, bytes: &[u8]) -> Option<Stop> {
        let file = self.downloaded.as_ref()?;
        let again = !file.is_empty()
            && bytes.len() >= file.len().min(LIKE)
            && bytes.starts_with(&file[..file.len().min(LIKE)]);
        let is_line = str::from_utf8(bytes).is_ok_and(|text| text.len() < protocol::wire::MAX_LINE);
        if !again && (bytes.is_empty() || is_line) {
            return None;
        }
        let size = crate::text::bytes_text(file.len() as u64);
        let came = Came::Bytes(bytes.to_vec());
        let more = if again { "the file once more: " } else { "" };
        let stop =
            broken(&self.wire, 3, 20, format!("{size}, as the size line said, and then a line"), &came);
        let Stop::Fail(finding) = stop else { return None };
        Some(Stop::Fail(Box::new(Finding {
            title: Some("It sends more than the size line of a download says".into()),
            came: format!("{size}, and behind them {more}{came}"),
            ..*finding
        })))
    }

    /// The next line, which has to be no refusal; for a want of room or the like the server may refuse anything.
    fn line(&mut self, rule: u8, step: u8, expected: &str) -> Check<String> {
        let text = self.any_line(rule, Some(step), expected)?;
        match parse_error(&text).map(|(code, _)| code) {
            None => Ok(text),
            Some(ErrorCode::Busy) => Err(Stop::Busy),
            Some(code) if is_excuse(code) => Err(Stop::NotReached(format!("the server refused it: {text}"))),
            Some(_) => Err(self.wrong(rule, Some(step), expected, &text)),
        }
    }

    fn wrong(&self, rule: u8, step: Option<u8>, expected: &str, text: &str) -> Stop {
        broken(&self.wire, rule, step, expected, &Came::Bytes(text.as_bytes().to_vec()))
    }

    /// Notes what the server should have done; the first such thing is reported.
    fn warn(&self, rule: u8, step: Option<u8>, expected: &str, came: &Came) {
        if let Stop::Fail(finding) = broken(&self.wire, rule, step, expected, came) {
            self.warning.borrow_mut().get_or_insert(*finding);
        }
    }

    /// A prompt, in whatever words.
    fn go_ahead(&mut self, step: u8) -> Check {
        self.line(5, step, "a go-ahead: a line that does not begin with \"ERROR \"").map(drop)
    }

    /// Exactly this line.
    fn exactly(&mut self, rule: u8, step: u8, text: &str) -> Check {
        let expected = format!("\"{text}\\n\"");
        let came = self.line(rule, step, &expected)?;
        if came == text { Ok(()) } else { Err(self.wrong(rule, Some(step), &expected, &came)) }
    }

    /// A refusal with this code.
    fn refusal(&mut self, rule: u8, code: ErrorCode) -> Check {
        let expected = format!("\"ERROR {code}\", alone or with a text after a blank");
        let text = self.any_line(rule, None, &expected)?;
        match parse_error(&text) {
            Some((ErrorCode::Busy, _)) => Err(Stop::Busy),
            Some((ErrorCode::Timeout, _)) => Err(Stop::NotReached(format!("the server gave up: {text}"))),
            Some(_) if words(&text) == Some(code.as_str()) => Ok(()),
            _ => Err(self.wrong(rule, None, &expected, &text)),
        }
    }

    /// A command that cannot be taken, and its refusal, after which the session goes on (R22).
    fn refused(&mut self, line: impl AsRef<[u8]>, rule: u8, code: ErrorCode) -> Check {
        self.send(line);
        self.refusal(rule, code)
    }

    /// Details that cannot be taken.
    fn details_refused(&mut self, details: &str, rule: u8, code: ErrorCode) -> Check {
        self.send("UPLOAD\n");
        self.go_ahead(7)?;
        self.refused(format!("{details}\n"), rule, code)
    }

    /// An id that cannot be taken, or that no file has.
    fn id_refused(&mut self, id: &str, rule: u8, code: ErrorCode) -> Check {
        self.send("DOWNLOAD\n");
        self.go_ahead(18)?;
        self.refused(format!("{id}\n"), rule, code)
    }

    fn list(&mut self) -> Check<Vec<Entry>> {
        self.list_by("LIST_FILES\n")
    }

    /// Asks for the listing with `command` and reads it.
    fn list_by(&mut self, command: &str) -> Check<Vec<Entry>> {
        self.send(command);
        self.listing()
    }

    /// A listing: the entries, or the words for none; then the empty line.
    fn listing(&mut self) -> Check<Vec<Entry>> {
        let (rule, step) = (5, if self.stored { 16 } else { 5 });
        let mut expected = format!("\"id;name;size\\n\" for a file, or \"{NO_FILES}\\n\"");
        let mut entries: Vec<Entry> = Vec::new();
        loop {
            let text = self.line(rule, step, &expected)?;
            if text == NO_FILES && entries.is_empty() {
                self.exactly(rule, step, "")?;
                break;
            }
            if text.is_empty() && !entries.is_empty() {
                break;
            }
            let Ok(entry) = Entry::parse(&text) else {
                return Err(self.wrong(rule, Some(step), &expected, &text));
            };
            if entries.len() >= protocol::wire::MAX_ENTRIES as usize {
                return Err(Stop::NotReached("the listing has more than 1000000 files".into()));
            }
            entries.push(entry);
            expected = "\"id;name;size\\n\" for another file, or the empty line that ends the listing".into();
        }
        self.between = true;
        Ok(entries)
    }

    /// Looked at where it is the point, and not in every listing: one pair there twice is one mistake.
    fn lists_no_pair_twice(&mut self) -> Check {
        let mut entries = self.list()?;
        entries.sort();
        let twice =
            entries.windows(2).find(|pair| (&pair[0].name, pair[0].id) == (&pair[1].name, pair[1].id));
        match twice {
            Some(pair) => Err(self.wrong(15, Some(16), "no name and id listed twice", &pair[1].to_string())),
            None => Ok(()),
        }
    }

    /// Begins an upload, up to where the payload is due.
    fn begin_put(&mut self, name: &str, size: usize) -> Check {
        self.send("UPLOAD\n");
        self.go_ahead(7)?;
        self.send(format!("{name};{size}\n"));
        self.go_ahead(9)
    }

    /// The hash of an upload.
    fn hash(&mut self, file: &File) -> Check {
        self.exactly(17, 13, &file.id())?;
        (self.between, self.stored) = (true, true);
        Ok(())
    }

    fn put(&mut self, file: &File) -> Check {
        self.begin_put(&file.name, file.bytes.len())?;
        if !file.bytes.is_empty() {
            self.send(&file.bytes);
        }
        self.hash(file)
    }

    fn get(&mut self, file: &File) -> Check {
        self.send("DOWNLOAD\n");
        self.go_ahead(18)?;
        self.send(format!("{}\n", file.id()));
        self.payload(file)
    }

    /// The size line of a download and exactly the bytes of `file`.
    fn payload(&mut self, file: &File) -> Check {
        self.exactly(3, 20, &file.bytes.len().to_string())?;
        let came = self.wire.payload(file.bytes.len());
        let bytes = came.map_err(|came| broken_payload(&self.wire, 20, &file.bytes, 0, &came))?;
        if bytes != file.bytes {
            return Err(broken_payload(&self.wire, 20, &file.bytes, 0, &Came::Bytes(bytes)));
        }
        (self.between, self.downloaded) = (true, Some(bytes));
        Ok(())
    }

    /// Withdraws what has this id.
    fn discard(&mut self, id: &str) -> Check {
        self.send(format!("DISCARD {id}\n"));
        self.line(21, 14, "a go-ahead: a line that does not begin with \"ERROR \"")?;
        self.between = true;
        Ok(())
    }

    /// `file` is listed, once.
    fn lists(&mut self, rule: u8, file: &File) -> Check {
        let listed = self.list()?;
        self.has(rule, &listed, file)
    }

    fn has(&self, rule: u8, listed: &[Entry], file: &File) -> Check {
        if listed.iter().any(|entry| entry.to_string() == file.entry()) {
            return Ok(());
        }
        let like = |entry: &&Entry| entry.name.as_str() == file.name || entry.id.to_string() == file.id();
        let found = listed.iter().find(like);
        let came = match found {
            Some(entry) => format!("{entry}\n"),
            None => "(a listing without it)".into(),
        };
        let expected = format!("a listing with {}", super::wire::escaped(file.entry().as_bytes()));
        match self.wrong(rule, Some(16), &expected, &came) {
            Stop::Fail(finding) => {
                let difference = found.and_then(|entry| {
                    Difference::of(file.entry().as_bytes(), entry.to_string().as_bytes(), 0)
                });
                Err(Stop::Fail(Box::new(Finding { difference, ..*finding })))
            }
            stop => Err(stop),
        }
    }

    /// `file` is not listed under its name.
    fn lists_not(&mut self, rule: u8, file: &File) -> Check {
        let listed = self.list()?;
        match listed.iter().find(|entry| entry.name.as_str() == file.name) {
            Some(entry) => Err(self.wrong(rule, Some(16), "a listing without this file", &entry.to_string())),
            None => Ok(()),
        }
    }

    /// Nothing comes, for a moment.
    fn quiet(&mut self, rule: u8, step: Option<u8>, expected: &str) -> Check {
        match self.wire.anything_within(QUIET) {
            None => Ok(()),
            Some(Came::Bytes(bytes)) if bytes.starts_with(b"ERROR busy") => Err(Stop::Busy),
            Some(came) => Err(broken(&self.wire, rule, step, expected, &came)),
        }
    }

    /// Ends the sending side between commands: the server closes.
    fn leave(mut self) -> Check {
        self.wire.finish();
        self.wire.end().map_err(|came| broken(&self.wire, 26, 22, "the end of the connection", &came))
    }

    /// The server refuses with `bad-line` and closes. A reset that swallows the refusal is only noted (R25).
    fn bad_line(&mut self) -> Check {
        let expected =
            "\"ERROR bad-line\", alone or with a text after a blank, and the end of the connection";
        match self.wire.line() {
            Ok(line) if refusal_code(&line) == Some("bad-line".into()) => {}
            Ok(line) => return Err(broken(&self.wire, 2, None, expected, &Came::Bytes(line))),
            Err(came @ Came::Reset(_)) => {
                self.warn(25, None, expected, &came);
                return Ok(());
            }
            Err(came) => return Err(broken(&self.wire, 2, None, expected, &came)),
        }
        match self.wire.end() {
            Ok(()) | Err(Came::Reset(_)) => Ok(()),
            Err(came) => {
                Err(broken(&self.wire, 25, None, "the end of the connection after ERROR bad-line", &came))
            }
        }
    }
}

/// The code of a line that is a refusal.
fn refusal_code(line: &[u8]) -> Option<String> {
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
