//! A small client with one mistake at will, written from PROTOCOL.md with nothing of ours. It runs in a thread
//! and says how it went in the lines that a program would print.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::time::Instant;

use conform::{ClientJob, ClientProgram, Goal};
use md5::{Digest, Md5};
use process::{EndKind, Line, ProgramEnd};

/// How often a client that waits looks whether it is to end.
const TICK: Duration = Duration::from_millis(20);
/// The mistakes of who reads or writes a file as text, or not all of it.
const MEBIBYTE: usize = 1 << 20;

/// A client that can do what `goals` says.
pub(super) struct Client {
    pub(super) bug: &'static str,
    pub(super) goals: Vec<Goal>,
}

impl ClientProgram for Client {
    fn can(&self, goal: Goal) -> bool {
        self.goals.contains(&goal)
    }

    fn writes_out(&self, goal: Goal) -> bool {
        goal == Goal::Get
    }

    fn run(&self, job: &ClientJob, stop: &AtomicBool) -> io::Result<ProgramEnd> {
        if self.bug == "asks-first" {
            let text = "Exception: EOFError".into();
            return Ok(ProgramEnd { how: EndKind::Exited(1), lines: vec![Line { is_error: true, text }] });
        }
        if self.bug == "never-connects" {
            return Ok(ProgramEnd { how: EndKind::Exited(1), lines: Vec::new() });
        }
        let mut run = Run::new(self.bug, job, stop)?;
        let went_well = match job.goal {
            Goal::Whole => run.steps(job),
            Goal::Put => run.put(job),
            Goal::Get => run.get(job),
            Goal::List => run.list().map(drop),
        };
        let mut lines = run.lines;
        // One that is ended says nothing more.
        let is_ended = stop.load(Ordering::Relaxed);
        if let Err(why) = &went_well
            && !is_ended
        {
            lines.push(if ["always-success", "says-success-in-silence"].contains(&self.bug) {
                "Success".into()
            } else {
                format!("Fail: {why}")
            });
        }
        if self.bug == "believes-and-says-nothing" || self.bug == "hangs-and-says-nothing" {
            lines.clear();
        }
        if self.bug == "waits-for-success" {
            lines.insert(0, "Waiting for success...".into());
        }
        let hangs = (self.bug == "hangs-and-says-nothing")
            || (self.bug == "hangs")
            || is_ended
            || (self.bug == "hangs-on-trouble" && went_well.is_err());
        let how = if hangs {
            EndKind::Hung
        } else {
            EndKind::Exited(i32::from(went_well.is_err() || self.bug == "exits-with-1"))
        };
        let lines = lines.into_iter().map(|text| Line { is_error: false, text }).collect();
        Ok(ProgramEnd { how, lines })
    }
}

struct Run<'a> {
    bug: &'static str,
    /// Set when it is to end.
    stop: &'a AtomicBool,
    patience: Duration,
    stream: TcpStream,
    inbox: Vec<u8>,
    lines: Vec<String>,
    listed_size: usize,
}

type Went<T> = Result<T, String>;

fn md5(bytes: &[u8]) -> String {
    Md5::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A file as it is written in text mode on some systems.
fn as_text(data: Vec<u8>) -> Vec<u8> {
    match String::from_utf8(data) {
        Ok(text) => text.replace("\r\n", "\n").into(),
        Err(error) => error.into_bytes(),
    }
}

fn lossy(data: &[u8]) -> Vec<u8> {
    String::from_utf8_lossy(data).into_owned().into()
}

/// The bytes of an id up to the first zero, as C compares strings.
fn c_string(id: &str) -> Vec<u8> {
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    id.as_bytes().chunks(2).map(byte).take_while(|byte| *byte != 0).collect()
}

fn sorted(id: &str) -> Vec<char> {
    let mut digits: Vec<char> = id.chars().collect();
    digits.sort_unstable();
    digits
}

fn is_id(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

fn size_of(text: &str) -> Option<usize> {
    let plain = text == "0" || !text.starts_with('0');
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse::<i64>().ok().filter(|_| plain && digits).and_then(|size| size.try_into().ok())
}

impl<'a> Run<'a> {
    fn new(bug: &'static str, job: &ClientJob, stop: &'a AtomicBool) -> io::Result<Self> {
        let stream = TcpStream::connect(job.address)?;
        stream.set_nodelay(true)?;
        let patience = if bug == "says-success-in-silence" { 300 } else { 20_000 };
        stream.set_read_timeout(Some(TICK))?;
        let (patience, inbox, lines) = (Duration::from_millis(patience), Vec::new(), Vec::new());
        Ok(Self { bug, stop, patience, stream, inbox, lines, listed_size: 0 })
    }

    fn bug(&self, name: &str) -> bool {
        self.bug == name
    }

    fn send(&mut self, bytes: impl AsRef<[u8]>) {
        let _ = self.stream.write_all(bytes.as_ref());
    }

    fn say(&mut self, line: &str) {
        let end = if self.bug("cr-lf") { "\r\n" } else { "\n" };
        self.send(format!("{line}{end}"));
    }

    fn read(&mut self) -> Went<()> {
        let mut chunk = vec![0; 65536];
        let deadline = Instant::now() + self.patience;
        let result = loop {
            match self.stream.read(&mut chunk) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock && Instant::now() < deadline => {
                    if self.stop.load(Ordering::Relaxed) {
                        return Err("it is ended".into());
                    }
                }
                result => break result,
            }
        };
        match result {
            Ok(1..) if self.bug("a-line-per-read") && !chunk.contains(&b'\n') => Err("no line".into()),
            Ok(0) => Err("the stream ends".into()),
            Ok(count) => {
                self.inbox.extend_from_slice(&chunk[..count]);
                Ok(())
            }
            Err(error) => Err(error.to_string()),
        }
    }

    /// The next line, be it a refusal.
    fn raw_line(&mut self) -> Went<String> {
        loop {
            if let Some(end) = self.inbox.iter().position(|byte| *byte == b'\n') {
                let mut line: Vec<u8> = self.inbox.drain(..=end).collect();
                line.pop();
                if line.last() == Some(&b'\r') && !self.bug("keeps-cr") {
                    line.pop();
                }
                return match String::from_utf8(line) {
                    Ok(line) if line.len() < 1024 || self.bug("no-limit") => Ok(line),
                    Err(error) if self.bug("lossy") => Ok(String::from_utf8_lossy(error.as_bytes()).into()),
                    _ => Err("a bad line".into()),
                };
            }
            if self.inbox.len() >= 1024 {
                if self.bug("no-limit") {
                    self.inbox.clear();
                    return Ok("long".into());
                }
                return Err("a long line".into());
            }
            if let Err(why) = self.read() {
                if self.bug("end-ends-line") {
                    return Ok(String::from_utf8_lossy(&std::mem::take(&mut self.inbox)).into());
                }
                return Err(why);
            }
        }
    }

    fn line(&mut self) -> Went<String> {
        let line = self.raw_line()?;
        let known = ["no-space", "too-large", "storage", "not-found", "busy", "timeout"];
        let code = line.strip_prefix("ERROR ").map(|rest| rest.split(' ').next().unwrap());
        let refused = match self.bug {
            "knows-no-refusals" => false,
            "knows-some-refusals" => code.is_some_and(|code| known.contains(&code)),
            "error-without-blank" => line.starts_with("ERROR"),
            _ => code.is_some(),
        };
        if refused { Err(format!("refused: {line:?}")) } else { Ok(line) }
    }

    fn prompt(&mut self, expected: &str) -> Went<()> {
        let text = self.line()?;
        if self.bug("prints-prompts") {
            self.lines.push(text.clone());
        }
        if self.bug("knows-the-words") && text != expected {
            return Err("strange words".into());
        }
        if self.bug("no-empty-prompt") && text.is_empty() {
            return Err("no words".into());
        }
        Ok(())
    }

    fn list(&mut self) -> Went<Vec<(String, String)>> {
        let command = match self.bug {
            "lists-wrongly" => "LIST",
            "lists-by-the-old-name" => "LIST FILES",
            _ => "LIST_FILES",
        };
        self.say(command);
        let mut entries = Vec::new();
        loop {
            let line = if self.bug("ignores-listing-refusals") { self.raw_line()? } else { self.line()? };
            let cuts = line.split_once(';').and_then(|(id, rest)| Some((id, rest.rsplit_once(';')?)));
            let cuts = if self.bug("splits-wrongly") {
                cuts.filter(|_| line.matches(';').count() == 2)
            } else {
                cuts
            };
            match (line.as_str(), cuts) {
                ("No files available at the moment", _) if entries.is_empty() => {
                    self.line()?;
                    return Ok(entries);
                }
                ("", _) if !entries.is_empty() || self.bug("takes-any-listing") => return Ok(entries),
                (_, Some((id, (name, size)))) => {
                    let good = is_id(id) && size_of(size).is_some() && !name.contains('/');
                    if !good && !self.bug("takes-any-listing") {
                        return Err("a bad entry".into());
                    }
                    self.listed_size = size_of(size).unwrap_or_default();
                    entries.push((id.to_owned(), name.to_owned()));
                }
                _ if self.bug("takes-any-listing") || line.starts_with("ERROR ") => {}
                _ => return Err("a bad entry".into()),
            }
        }
    }

    fn put(&mut self, job: &ClientJob) -> Went<()> {
        let mut data = std::fs::read(&job.file).unwrap();
        if self.bug("uploads-garbage") && !data.is_empty() {
            data[0] ^= 1;
        }
        if self.bug("uploads-64k") {
            data.iter_mut().skip(65536).for_each(|byte| *byte = 0);
        }
        match self.bug {
            "uploads-a-mebibyte" => data.iter_mut().skip(MEBIBYTE).for_each(|byte| *byte = 0),
            "uploads-text" => data = as_text(data),
            "uploads-utf-8" if data.starts_with(b"\0\r\n") => data = lossy(&data),
            "obeys-files" if data.starts_with(b"LIST_FILES") => return Err("of course".into()),
            _ => {}
        }
        let name = job.file.file_name().unwrap().to_str().unwrap();
        self.say("UPLOAD");
        let went = self.prompt("Please send the file name and size");
        if went.is_err() && !self.bug("goes-on-after-refusals") {
            return went;
        }
        match self.bug {
            "no-lf" => self.send(format!("{name};{}", data.len())),
            "no-semicolon" => self.say(&format!("{name} {}", data.len())),
            "one-too-few" => self.say(&format!("{name};{}", data.len() - 1)),
            _ => self.say(&format!("{name};{}", data.len())),
        }
        if self.bug("does-not-wait") {
            self.send(&data);
        }
        let went = self.prompt("Ready to receive the file");
        if went.is_err() && !self.bug("goes-on-after-refusals") {
            return went;
        }
        if self.bug("sends-empty-as-lf") && data.is_empty() {
            self.send("\n");
        }
        if !self.bug("does-not-wait") {
            self.send_payload(&data)?;
        }
        let hash = self.line()?;
        if !is_id(&hash) && !self.bug("takes-any-hash") {
            return Err("no hash".into());
        }
        self.compare_upload(&data, &hash)
    }

    fn send_payload(&mut self, data: &[u8]) -> Went<()> {
        let (head, rest) = data.split_at(data.len() / 2);
        self.send(head);
        if self.bug("stops-on-refusal") || self.bug("stops-on-any-line") {
            self.patience = Duration::from_millis(200);
            if let Ok(line) = self.raw_line() {
                // A mistake: neither the rest nor the end.
                self.say("LIST_FILES");
                let _ = self.raw_line();
                return Err(line);
            }
        }
        self.send(rest);
        Ok(())
    }

    fn compare_upload(&mut self, data: &[u8], hash: &str) -> Went<()> {
        let own = md5(data);
        let same = match self.bug {
            "compares-nothing" | "believes-and-says-nothing" => true,
            "hashes-nothing" => hash == own || hash == md5(b""),
            "compares-the-start" => own[..8] == hash[..8],
            "compares-the-end" => own[8..] == hash[8..],
            "always-fail" => false,
            "strips-zeros" => own.trim_start_matches('0') == hash,
            "counts-hashes" => own == hash && !own.bytes().all(|byte| byte.is_ascii_digit()),
            "compares-c-strings" => c_string(&own) == c_string(hash),
            "compares-sorted" => sorted(&own) == sorted(hash),
            "compares-numbers" => {
                own == hash
                    || own.parse::<f64>().ok() == hash.parse::<f64>().ok().filter(|_| own.starts_with("0e"))
            }
            "takes-any-hash" => !is_id(hash) || own == hash,
            _ => own == hash,
        };
        if same {
            self.lines.push("Success".into());
            return Ok(());
        }
        if self.bug("discards-its-own") {
            self.say(&format!("DISCARD {own}"));
            let _ = self.line();
        } else if !self.bug("does-not-discard") {
            self.say(&format!("DISCARD {hash}"));
            self.line()?;
        }
        Err("the hashes differ".into())
    }

    fn get(&mut self, job: &ClientJob) -> Went<()> {
        let entries = self.list()?;
        let Some((id, _)) = entries.iter().find(|entry| entry.0 == job.id && entry.1 == job.name) else {
            return Err("it is not listed".into());
        };
        self.download(&id.clone(), job)
    }

    fn download(&mut self, id: &str, job: &ClientJob) -> Went<()> {
        self.say("DOWNLOAD");
        self.prompt("Please send a file ID")?;
        self.say(&match self.bug {
            "asks-in-uppercase" => id.to_uppercase(),
            "asks-without-zeros" => id.trim_start_matches('0').to_owned(),
            "asks-for-numbers" if id.bytes().all(|byte| byte.is_ascii_digit()) => {
                format!("{:e}", id.parse::<f64>().unwrap())
            }
            _ => id.to_owned(),
        });
        if self.bug("dies-in-download") {
            return Err("Traceback: a mistake".into());
        }
        let text = self.line()?;
        let size = match size_of(&text) {
            None if self.bug("takes-any-size") => return self.claim(),
            None => return Err("no size".into()),
            Some(0) if self.bug("no-empty-downloads") => return Err("nothing to download".into()),
            Some(size) => size,
        };
        if self.bug("one-message-per-read") && !self.inbox.is_empty() {
            return Err("no size".into());
        }
        if self.bug("one-message-per-event") {
            self.inbox.clear();
        }
        let Some(data) = self.receive(size)? else { return self.claim() };
        self.compare_download(id, data, job)
    }

    /// The payload; `None` if what came of it is enough for this client.
    fn receive(&mut self, size: usize) -> Went<Option<Vec<u8>>> {
        let mut size = if self.bug("downloads-64k") { size.min(65536) } else { size };
        if self.bug("believes-the-listing") {
            size = self.listed_size;
        }
        if self.bug("reads-until-end") {
            while self.read().is_ok() {}
            if self.stop.load(Ordering::Relaxed) {
                return Err("it is ended".into());
            }
        }
        while self.inbox.len() < size {
            if self.read().is_err() {
                if self.bug("takes-half") {
                    return Ok(None);
                }
                return Err("the file ends early".into());
            }
        }
        let mut data: Vec<u8> = self.inbox.drain(..size).collect();
        match self.bug {
            "downloads-a-mebibyte" => data.iter_mut().skip(MEBIBYTE).for_each(|byte| *byte = 0),
            "downloads-text" => data = as_text(data),
            "downloads-utf-8" if data.starts_with(b"\0\r\n") => data = lossy(&data),
            "obeys-files" if data.starts_with(b"ERROR ") => return Err("refused".into()),
            _ => {}
        }
        Ok(Some(data))
    }

    fn compare_download(&mut self, id: &str, data: Vec<u8>, job: &ClientJob) -> Went<()> {
        let sum = |data: &[u8]| data.iter().map(|byte| u32::from(*byte)).sum::<u32>();
        let sent = std::fs::read(&job.file).unwrap();
        let good = match self.bug {
            "compares-nothing" => true,
            "compares-lengths" => data.len() == sent.len(),
            "compares-sums" => sum(&data) == sum(&sent),
            "compares-starts" => data[..100] == sent[..100] && data.len() == sent.len(),
            "compares-c-strings" => c_string(&md5(&data)) == c_string(id),
            "compares-a-mebibyte" => data[..data.len().min(MEBIBYTE)] == sent[..sent.len().min(MEBIBYTE)],
            "compares-what-came" => sent.starts_with(&data),
            _ => md5(&data) == id,
        };
        if good || self.bug("writes-anything") {
            let data = if self.bug("writes-other-bytes") { vec![b'!'; data.len()] } else { data };
            std::fs::write(&job.out, &data).unwrap();
        }
        if good { self.claim() } else { Err("the download is damaged".into()) }
    }

    fn claim(&mut self) -> Went<()> {
        if self.bug("always-fail") {
            return Err("of course".into());
        }
        self.lines.push("Success".into());
        Ok(())
    }

    fn steps(&mut self, job: &ClientJob) -> Went<()> {
        self.list()?;
        self.put(job)?;
        let id = md5(&std::fs::read(&job.file).unwrap());
        if !self.bug("skips-a-listing") {
            let entries = match self.list() {
                Err(_) if self.bug("success-after-timeout") => return self.claim(),
                entries => entries?,
            };
            if !entries.iter().any(|entry| entry.0 == id) {
                return Err("it is not listed".into());
            }
        }
        self.download(&id, job)
    }
}
