//! Properties that hold for any bytes: no panic, no endless loop, the same outcome however the stream is cut,
//! and what is written is read back.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod util;

use proptest::collection::vec;
use proptest::prelude::*;
use protocol::wire::{self, MAX_SIZE};
use protocol::{
    Client, ClientEvent, ClientState, Entry, ErrorCode, FileId, FileName, Reply, Request, Server,
    ServerEvent, Transmit, UploadDetails,
};
use util::{CLIENT_STATES, SERVER_STATES, client_in, entry, name, sample_id, server_in};

/// No cut at all.
const WHOLE: &[usize] = &[usize::MAX];

/// What a machine did, payload joined over its slices.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Did {
    Said(String),
    Payload(Vec<u8>),
    Dropped(Vec<u8>),
}

fn push(log: &mut Vec<Did>, did: Did) {
    match (log.last_mut(), did) {
        (Some(Did::Payload(bytes)), Did::Payload(more)) | (Some(Did::Dropped(bytes)), Did::Dropped(more)) => {
            bytes.extend(more);
        }
        (_, did) => log.push(did),
    }
}

/// A machine with an application that always acts in the same way, so that only the input decides.
trait Party: Sized {
    /// Takes one thing off the input: how much, or `None`; or why the session ended.
    fn take(&mut self, input: &[u8], log: &mut Vec<Did>) -> Result<Option<usize>, String>;
    /// Acts until nothing is left to do but wait for input.
    fn act(&mut self, log: &mut Vec<Did>);
    fn end(self) -> String;
}

/// Runs a party over `bytes` cut at these lengths (over and over), then ends the stream.
fn run<P: Party>(mut party: P, bytes: &[u8], cuts: &[usize]) -> (Vec<Did>, usize, String) {
    let (mut log, mut at, mut seen) = (Vec::new(), 0, 0);
    party.act(&mut log);
    let mut cuts = cuts.iter().cycle();
    while seen < bytes.len() {
        seen = cuts.next().map_or(bytes.len(), |cut| seen.saturating_add(*cut).min(bytes.len()));
        loop {
            match party.take(&bytes[at..seen], &mut log) {
                Ok(None) => break,
                Ok(Some(used)) => {
                    assert!(used > 0 && used <= seen - at, "used {used} of {}", seen - at);
                    at += used;
                    party.act(&mut log);
                }
                Err(why) => {
                    party.act(&mut log);
                    return (log, at, why);
                }
            }
        }
    }
    (log, at, party.end())
}

/// A client that goes through all commands, over and over.
#[derive(Clone)]
struct Guest {
    client: Client,
    commands: u8,
    /// Whether payload goes out at once, or never.
    sends: bool,
}

impl Guest {
    fn command(&mut self) {
        if self.client.state() != ClientState::Idle {
            return;
        }
        self.commands = self.commands.wrapping_add(1);
        let done = match self.commands % 4 {
            0 => self.client.list_files(),
            1 => self.client.upload(name("a.txt"), u64::from(self.commands % 3)),
            2 => self.client.download(sample_id()),
            _ => self.client.discard(sample_id()),
        };
        done.unwrap();
    }
}

impl Party for Guest {
    fn take(&mut self, input: &[u8], log: &mut Vec<Did>) -> Result<Option<usize>, String> {
        let taken = self.client.handle_input(input).map_err(|error| error.to_string())?;
        Ok(taken.map(|(used, event)| {
            push(
                log,
                match event {
                    ClientEvent::Payload(bytes) => Did::Payload(bytes.to_vec()),
                    event => Did::Said(format!("{event:?}")),
                },
            );
            used
        }))
    }

    fn act(&mut self, log: &mut Vec<Did>) {
        if self.client.digest_due() {
            push(log, Did::Said(format!("{:?}", self.client.handle_digest(sample_id()))));
        }
        self.command();
        while let Some(transmit) = self.client.poll_transmit() {
            match transmit {
                Transmit::Payload { left } if self.sends => self.client.payload_sent(left).unwrap(),
                Transmit::Payload { .. } => break,
                Transmit::Line(line) => push(log, Did::Said(line.to_string())),
            }
        }
        if self.client.state() == ClientState::Idle {
            self.act(log);
        }
    }

    fn end(mut self) -> String {
        let end = self.client.handle_end();
        format!("{end:?}, {:?}", self.client)
    }
}

/// A server that grants everything up to a size.
#[derive(Clone)]
struct Host(Server);

impl Host {
    fn answer(&mut self, event: &ServerEvent<'_>) {
        let server = &mut self.0;
        match event {
            ServerEvent::UploadRequested { size, .. } if *size > 9 => {
                server.refuse(ErrorCode::TooLarge).unwrap();
            }
            ServerEvent::UploadRequested { .. } => server.accept_upload().unwrap(),
            ServerEvent::DownloadRequested(_) => server.accept_download(3).unwrap(),
            ServerEvent::DiscardRequested(_) => server.accept_discard().unwrap(),
            ServerEvent::ListRequested => server.list_entry(entry("a", b"a")).unwrap(),
            _ => {}
        }
    }
}

impl Party for Host {
    fn take(&mut self, input: &[u8], log: &mut Vec<Did>) -> Result<Option<usize>, String> {
        let Some((used, event)) = self.0.handle_input(input).map_err(|error| error.to_string())? else {
            return Ok(None);
        };
        self.answer(&event);
        push(
            log,
            match event {
                ServerEvent::Payload(bytes) => Did::Payload(bytes.to_vec()),
                ServerEvent::Dropped(bytes) => Did::Dropped(bytes.to_vec()),
                event => Did::Said(format!("{event:?}")),
            },
        );
        Ok(Some(used))
    }

    fn act(&mut self, log: &mut Vec<Did>) {
        loop {
            while let Some(transmit) = self.0.poll_transmit() {
                match transmit {
                    Transmit::Payload { left } => self.0.payload_sent(left).unwrap(),
                    Transmit::Line(line) => push(log, Did::Said(line.to_string())),
                }
            }
            let more = if self.0.digest_due() {
                self.0.handle_digest(sample_id()).is_ok()
            } else {
                self.0.list_end().is_ok()
            };
            if !more {
                return;
            }
        }
    }

    fn end(mut self) -> String {
        let end = self.0.handle_end();
        format!("{end:?}, {:?}", self.0)
    }
}

fn file_name() -> impl Strategy<Value = FileName> {
    let hostile = prop_oneof![
        Just(";".to_owned()),
        Just("..".to_owned()),
        Just("ERROR ".to_owned()),
        r"[^/\\\p{Cc}]{1,3}"
    ];
    vec(hostile, 1..80).prop_filter_map("a good name", |parts| FileName::parse(&parts.concat()).ok())
}

fn file_id() -> impl Strategy<Value = FileId> {
    any::<[u8; 16]>().prop_map(FileId::from_bytes)
}

fn size() -> impl Strategy<Value = u64> {
    prop_oneof![0..12_u64, Just(MAX_SIZE), 0..=MAX_SIZE]
}

fn file_entry() -> impl Strategy<Value = Entry> {
    (file_name(), file_id(), size()).prop_map(|(name, id, size)| Entry { name, id, size })
}

/// Pieces of a stream: mostly messages of the protocol, so that a run gets far, with noise between them.
fn stream() -> impl Strategy<Value = Vec<u8>> {
    let fixed = [
        "LIST_FILES",
        "LIST FILE",
        "UPLOAD",
        "DOWNLOAD",
        "a.txt;0",
        "a.txt;5",
        "b;99",
        "Yes?",
        "",
        "0",
        "3",
        "5",
        wire::NO_FILES,
        "ERROR storage",
        "ERROR no-space full",
        "ERROR timeout",
        "ERROR ",
        "hello",
        "\r",
    ];
    let line = prop_oneof![
        6 => prop::sample::select(fixed.to_vec()).prop_map(str::to_owned),
        2 => Just(sample_id().to_string()),
        1 => file_id().prop_map(|id| format!("DISCARD {id}")),
        1 => file_entry().prop_map(|entry| entry.to_string()),
        1 => ".{0,20}",
    ];
    let piece = prop_oneof![
        12 => line.prop_map(|line| format!("{line}\n").into_bytes()),
        1 => vec(any::<u8>(), 0..40),
        1 => Just(vec![b'x'; wire::MAX_LINE]),
    ];
    vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

fn cuts() -> impl Strategy<Value = Vec<usize>> {
    prop_oneof![Just(vec![1]), vec(1..40_usize, 1..20)]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_client_does_not_see_where_the_stream_is_cut(
        state in prop::sample::select(CLIENT_STATES.to_vec()),
        (commands, sends) in any::<(u8, bool)>(),
        bytes in stream(),
        cuts in cuts(),
    ) {
        let guest = Guest { client: client_in(state), commands, sends };
        prop_assert_eq!(run(guest.clone(), &bytes, &cuts), run(guest, &bytes, WHOLE));
    }

    #[test]
    fn the_server_does_not_see_where_the_stream_is_cut(
        state in prop::sample::select(SERVER_STATES.to_vec()),
        bytes in stream(),
        cuts in cuts(),
    ) {
        let host = Host(server_in(state));
        prop_assert_eq!(run(host.clone(), &bytes, &cuts), run(host, &bytes, WHOLE));
    }

    #[test]
    fn no_bytes_make_the_parser_panic(bytes in vec(any::<u8>(), 0..1100), text in ".{0,60}") {
        if let Ok(Some((line, used))) = wire::split_line(&bytes) {
            prop_assert!(used > line.len() && used <= bytes.len());
        }
        let _ = (Request::parse_command(&text), UploadDetails::parse(&text), Entry::parse(&text));
        let _ = (FileId::parse(&text), FileName::parse(&text), wire::parse_error(&text));
        let _ = (Reply::parse_hash(&text), Reply::parse_size(&text), ErrorCode::parse(&text));
    }

    #[test]
    fn what_is_written_is_read_back(entry in file_entry()) {
        let Entry { name, id, size } = entry.clone();
        prop_assert_eq!(FileName::parse(name.as_ref()), Ok(name.clone()));
        prop_assert_eq!(FileId::parse(&id.to_string()), Some(id));
        prop_assert_eq!(Entry::parse(&entry.to_string()), Ok(entry));
        let details = UploadDetails { name, size };
        prop_assert_eq!(UploadDetails::parse(&details.to_string()), Ok(details));
        prop_assert_eq!(Reply::parse_hash(&Reply::Hash(id).to_string()), Ok(id));
        prop_assert_eq!(Reply::parse_size(&Reply::Size(size).to_string()), Ok(size));
        for request in [Request::ListFiles, Request::Upload, Request::Download, Request::Discard(id)] {
            prop_assert_eq!(Request::parse_command(&request.to_string()), Ok(request));
        }
    }

    #[test]
    fn what_is_read_is_written_back(text in "[0-9a-f;. ]{0,60}") {
        if let Ok(details) = UploadDetails::parse(&text) {
            prop_assert_eq!(details.to_string(), text.clone());
        }
        let line = format!("{};{text}", sample_id());
        if let Ok(entry) = Entry::parse(&line) {
            prop_assert_eq!(entry.to_string(), line);
        }
    }

    #[test]
    fn every_line_written_is_one_line(entry in file_entry(), tail in vec(any::<u8>(), 0..40)) {
        let replies = ErrorCode::ALL.iter().map(|code| Reply::Error(*code)).chain([
            Reply::Entry(entry.clone()), Reply::NoFiles, Reply::ListEnd, Reply::AskDetails, Reply::Ready,
            Reply::Hash(entry.id), Reply::AskId, Reply::Size(entry.size), Reply::Discarded,
        ]);
        for text in replies.map(|reply| reply.to_string()) {
            let bytes = [format!("{text}\n").as_bytes(), &tail].concat();
            prop_assert_eq!(wire::split_line(&bytes), Ok(Some((&*text, text.len() + 1))));
        }
    }
}

#[test]
fn every_error_code_is_read_back() {
    for code in ErrorCode::ALL {
        assert_eq!(ErrorCode::parse(code.as_str()), *code);
        assert_eq!(ErrorCode::parse(&code.as_str().to_uppercase()), ErrorCode::Other);
    }
}
