//! A small server with one mistake at will, written from PROTOCOL.md with nothing of ours: on threads, and with
//! the stream read by hand.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Duration;

use md5::{Digest, Md5};
use tokio::time::Instant;

mod files;

type Stored = (String, String, Vec<u8>);

/// A server that listens until it is dropped, or dies of its mistake.
pub(super) struct Server {
    pub(super) address: SocketAddr,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    bug: &'static str,
    dead: AtomicBool,
    files: Mutex<Vec<Stored>>,
    discarded: Condvar,
    listings: AtomicUsize,
    empty_sessions: AtomicUsize,
    banned: Mutex<Vec<String>>,
    hidden: Mutex<Vec<Stored>>,
    kept: Mutex<Vec<TcpStream>>,
}

impl Server {
    /// Starts one with this mistake; `""` is none.
    pub(super) fn start(bug: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared { bug, ..Shared::default() });
        let for_thread = Arc::clone(&shared);
        thread::spawn(move || {
            loop {
                let (connection, _) = listener.accept().unwrap();
                if for_thread.dead.load(Ordering::SeqCst) {
                    // Before the connection: who waits for its end knows that nobody listens any more.
                    drop(listener);
                    return;
                }
                let shared = Arc::clone(&for_thread);
                thread::spawn(move || Session::new(connection, shared).serve());
            }
        });
        Self { address, shared }
    }
}

impl Server {
    /// The names and contents that it keeps, in no order that matters.
    pub(super) fn kept(&self) -> Vec<(String, Vec<u8>)> {
        let files = self.shared.files.lock().unwrap();
        let mut kept: Vec<_> = files.iter().map(|file| (file.1.clone(), file.2.clone())).collect();
        kept.sort();
        kept
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shared.die(self.address);
    }
}

impl Shared {
    /// Stops listening; the connection is for the thread that waits for one.
    fn die(&self, address: SocketAddr) {
        self.dead.store(true, Ordering::SeqCst);
        if let Ok(mut stream) = TcpStream::connect(address) {
            let _ = stream.read(&mut [0]);
        }
    }
}

fn md5(bytes: &[u8]) -> String {
    Md5::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

struct Session {
    stream: TcpStream,
    inbox: Vec<u8>,
    shared: Arc<Shared>,
    uploaded: Vec<(String, String, bool)>,
    mine: Vec<String>,
    refusals: usize,
    downloads: usize,
    listed: usize,
    commands: usize,
    awaits_details: bool,
}

/// Why a session ends: `None` when the peer left between commands.
type Ends<T> = Result<T, Option<io::Error>>;

impl Session {
    fn new(stream: TcpStream, shared: Arc<Shared>) -> Self {
        let (inbox, uploaded, mine) = (Vec::new(), Vec::new(), Vec::new());
        let counts = (0, 0, 0, 0);
        Self {
            stream,
            inbox,
            shared,
            uploaded,
            mine,
            refusals: counts.0,
            downloads: counts.1,
            listed: counts.2,
            commands: counts.3,
            awaits_details: false,
        }
    }

    fn bug(&self, name: &str) -> bool {
        self.shared.bug == name
    }

    fn die(&self) {
        self.shared.die(self.stream.local_addr().unwrap());
    }

    fn serve(mut self) {
        if self.bug("closes-at-once") {
            return;
        }
        if self.bug("greets") {
            self.stream.write_all(b"Welcome\n").unwrap_or_default();
        }
        if let Err(Some(_)) = self.run()
            && self.bug("dies-on-error")
        {
            self.die();
        }
        if self.bug("serves-one") {
            self.die();
        }
        if self.commands == 0
            && self.shared.empty_sessions.fetch_add(1, Ordering::SeqCst) > 20
            && self.bug("dies-of-many")
        {
            self.die();
        }
        let never = self.bug("never-closes") || (self.bug("no-close-after-download") && self.downloads > 0);
        if never {
            self.shared.kept.lock().unwrap().push(self.stream.try_clone().unwrap());
        }
    }

    fn run(&mut self) -> Ends<()> {
        loop {
            if self.bug("hello-after-silence") {
                self.stream.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
            }
            let Some(line) = self.line("command")? else { return Err(None) };
            self.commands += 1;
            self.shared.empty_sessions.store(0, Ordering::SeqCst);
            if self.bug("drops-early-input") {
                self.inbox.clear();
            }
            self.command(&line)?;
            let is_over = match self.shared.bug {
                "closes-after-each" => self.refusals == 0,
                "closes-after-downloads" => line == "DOWNLOAD" && self.refusals == 0,
                _ => false,
            };
            if is_over {
                return Err(None);
            }
        }
    }

    fn command(&mut self, line: &str) -> Ends<()> {
        let mut line = line.to_owned();
        if self.bug("any-case") {
            line = line.to_uppercase();
        }
        if self.bug("trims-commands") {
            line = line.trim().to_owned();
        }
        if std::mem::take(&mut self.awaits_details) {
            return self.details(&line);
        }
        match line.as_str() {
            "LIST FILES" if self.bug("dies-of-a-blank") => {
                self.die();
                Err(None)
            }
            "LIST FILES" if self.bug("no-list-with-a-blank") => self.refuse("unknown-command"),
            "LIST FILE" if self.bug("no-list-file") => self.refuse("unknown-command"),
            "" if self.bug("empty-lists") => self.list(),
            "LIST_FILES" | "LIST FILES" | "LIST FILE" => self.list(),
            "UPLOAD" => {
                self.say(if self.bug("no-lf") { "details?" } else { "details?\n" })?;
                match self.line("details")? {
                    Some(line) => self.details(&line),
                    None => self.gone_at_prompt(),
                }
            }
            "DOWNLOAD" => {
                self.say("id?\n")?;
                match self.line("id")? {
                    Some(line) => self.download(&line),
                    None => self.gone_at_prompt(),
                }
            }
            "DISCARD" if self.bug("discard-alone-is-bad-id") => self.refuse("bad-id"),
            _ if line.starts_with("GET ") && self.bug("http") => self.say("HTTP/1.1 400 Bad Request\r\n"),
            _ => match line.strip_prefix("DISCARD ") {
                Some(id) => self.discard(id),
                None => self.refuse(if self.bug("unknown-is-other") { "other" } else { "unknown-command" }),
            },
        }
    }

    fn gone_at_prompt(&mut self) -> Ends<()> {
        if self.bug("dies-at-prompt") {
            self.die();
        }
        Err(None)
    }

    fn say(&mut self, text: impl AsRef<[u8]>) -> Ends<()> {
        self.stream.write_all(text.as_ref()).map_err(Some)
    }

    fn refuse(&mut self, code: &str) -> Ends<()> {
        self.refusals += 1;
        if self.bug("many-strikes") && self.refusals > 20 {
            return Err(None);
        }
        self.say(format!("ERROR {code} no\n"))
    }

    /// The next line; `None` at the end of the stream.
    fn line(&mut self, what: &str) -> Ends<Option<String>> {
        loop {
            let unlimited = self.bug("no-line-limit") || (what == "details" && self.bug("no-details-limit"));
            let limit = if self.bug("line-of-1000") { 1000 } else { 1024 };
            if let Some(end) = self.inbox.iter().position(|byte| *byte == b'\n') {
                if end >= limit && !unlimited {
                    return self.bad_line();
                }
                let mut line: Vec<u8> = self.inbox.drain(..=end).collect();
                line.pop();
                return self.text(line, what);
            }
            if self.inbox.len() >= limit && !unlimited && !self.bug("limit-at-lf-only") {
                return self.bad_line();
            }
            if self.bug("line-per-read") && !self.inbox.is_empty() {
                let line = std::mem::take(&mut self.inbox);
                return self.text(line, what);
            }
            if self.read()? == 0 {
                if self.bug("end-ends-line") && !self.inbox.is_empty() {
                    let line = std::mem::take(&mut self.inbox);
                    return self.text(line, what);
                }
                return Ok(None);
            }
        }
    }

    fn text(&mut self, mut line: Vec<u8>, what: &str) -> Ends<Option<String>> {
        let drop_cr = |line: &mut Vec<u8>| line.last() == Some(&b'\r') && line.pop().is_some();
        if !self.bug("cr-stays") && drop_cr(&mut line) && self.bug("drops-every-cr") {
            while drop_cr(&mut line) {}
        }
        let lossy = self.bug("lossy") || (what == "id" && self.bug("lossy-id"));
        let nearly = self.bug("nearly-utf-8") && line.starts_with(b"\xed\xa0");
        match String::from_utf8(line) {
            Ok(line) => Ok(Some(line)),
            Err(error) if lossy || nearly => Ok(Some(String::from_utf8_lossy(error.as_bytes()).into())),
            Err(_) => self.bad_line(),
        }
    }

    fn bad_line<T>(&mut self) -> Ends<T> {
        if self.bug("dies-of-garbage") {
            self.die();
        }
        self.say("ERROR bad-line\n")?;
        let _ = self.stream.shutdown(Shutdown::Write);
        let _ = self.stream.set_read_timeout(Some(Duration::from_millis(300)));
        while matches!(self.stream.read(&mut [0; 4096]), Ok(1..)) {}
        Err(None)
    }

    fn read(&mut self) -> Ends<usize> {
        let mut chunk = vec![0; 65536];
        match self.stream.read(&mut chunk) {
            Ok(count) => {
                self.inbox.extend_from_slice(&chunk[..count]);
                Ok(count)
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock && self.bug("hello-after-silence") => {
                self.say("hello?\n")?;
                self.read()
            }
            Err(error) => Err(Some(error)),
        }
    }

    fn list(&mut self) -> Ends<()> {
        self.listed += 1;
        let count = self.shared.listings.fetch_add(1, Ordering::SeqCst) + 1;
        let sulks = (self.bug("lists-once") && self.listed > 1)
            || (self.bug("every-second-listing") && count.is_multiple_of(2))
            || (self.bug("sulks") && self.refusals > 0);
        if sulks {
            return self.refuse("unknown-command");
        }
        let mut text = String::new();
        for (id, name, bytes) in self.shared.files.lock().unwrap().iter() {
            if !self.bug("per-session") || self.mine.contains(id) {
                text += &format!("{id};{name};{}\n", bytes.len());
            }
        }
        if text.is_empty() {
            text += "No files available at the moment\n";
        }
        text += match self.shared.bug {
            "no-list-end" => "END\n",
            "no-empty-line" => "",
            _ => "\n",
        };
        if self.bug("more-after-list") {
            text += "\n";
        }
        self.say(text)
    }

    fn takes_size(&self, size: &str) -> Option<u64> {
        if self.shared.bug.strip_prefix("size=") == Some(size) {
            return Some(7);
        }
        let plain = size == "0" || !size.starts_with('0');
        let digits = !size.is_empty() && size.bytes().all(|byte| byte.is_ascii_digit());
        let limit = if self.bug("size-of-32-bits") { 1 << 32 } else { i64::MAX as u64 };
        let size = size.parse().ok().filter(|size| plain && digits && *size <= limit)?;
        (size != 0 || !self.bug("empty-is-bad-size")).then_some(size)
    }

    fn takes_name(&self, name: &str) -> bool {
        if self.shared.bug.strip_prefix("name=") == Some(name) {
            return true;
        }
        let too_strict = (self.bug("ascii-names") && !name.is_ascii())
            || (self.bug("no-dots") && name.contains(".."))
            || (self.bug("no-error-names") && name.starts_with("ERROR"))
            || (self.bug("no-shell-names") && name.contains('*'))
            || (self.bug("short-names") && name.len() > 100);
        let long = if self.bug("long-names") { 2000 } else { 255 };
        let bad = |c: char| c.is_control() || c == '/' || c == '\\';
        !too_strict && (1..=long).contains(&name.len()) && !name.contains(bad) && name != "." && name != ".."
    }

    fn details(&mut self, line: &str) -> Ends<()> {
        let splits_first = self.bug("splits-first") || self.bug("splits-first-and-guesses");
        let split = if splits_first { line.split_once(';') } else { line.rsplit_once(';') };
        let Some((name, size)) = split else {
            self.awaits_details = self.bug("remembers") && line == "no size";
            return self.refuse(if self.bug("details-are-bad-name") { "bad-name" } else { "bad-details" });
        };
        if self.bug("name-first") && !self.takes_name(name) {
            return self.refuse("bad-name");
        }
        // As C does it: what is no digit ends the number, and no digit is zero.
        let guess = size.split(|c: char| !c.is_ascii_digit()).next().unwrap().parse().unwrap_or(0);
        let guess = self.bug("splits-first-and-guesses").then_some(guess);
        let Some(size) = guess.or_else(|| self.takes_size(size)) else { return self.refuse("bad-size") };
        if self.bug("takes-little") && size > 100_000 {
            return self.refuse("too-large");
        }
        if !self.takes_name(name) {
            return self.refuse("bad-name");
        }
        let name = if self.bug("trims-names") { name.trim() } else { name }.to_owned();
        if self.bug("dies-of-size") && size > 1 << 40 {
            self.die();
            return Err(None);
        }
        if self.bug("lists-early") {
            self.shared.files.lock().unwrap().push((md5(b""), name.clone(), Vec::new()));
        }
        self.say("go\n")?;
        self.receive(&name, usize::try_from(size).unwrap())
    }

    fn receive(&mut self, name: &str, size: usize) -> Ends<()> {
        let bug = self.shared.bug;
        if bug == "does-not-drain" && size > 1 << 20 {
            return self.refuse("no-space");
        }
        let start = Instant::now();
        let due = if bug == "hash-too-early" && size == 1003 { size - 1 } else { size };
        while self.inbox.len() < due {
            if self.read()? == 0 {
                if bug == "keeps-half" {
                    let bytes = std::mem::take(&mut self.inbox);
                    self.shared.files.lock().unwrap().push((md5(&bytes), name.into(), bytes));
                }
                return Err(None);
            }
            if bug == "impatient" && start.elapsed() > Duration::from_millis(400) {
                return Err(None);
            }
            if bug == "payload-per-read" {
                break;
            }
        }
        let count = due.min(self.inbox.len());
        let bytes = self.inbox.drain(..count).collect();
        self.store(name, bytes)
    }
}
