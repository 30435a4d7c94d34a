//! What the fuzz targets do with their bytes. The project's own tests do the same with bytes of their choice, so that
//! nothing here goes stale while nobody fuzzes.

use std::fmt::{Debug, Display};
use std::sync::Arc;
use std::time::Duration;

use faults::{Buffer, ConnectionId, Content, End};
use protocol::wire::{self, MAX_LINE};
use protocol::{Entry, FileId, FileName, Reply, Request, UploadDetails};
use transfer::endpoint::{Client, ClientCommand, ClientConfig, Endpoint, Server, ServerConfig};
use transfer::record::Recorder;
use transfer::storage::{Folder, MemoryStore, Store};

/// Long enough: no time passes here.
const DEADLINE: Duration = Duration::from_secs(30);
/// How often an endpoint may move without having taken a byte. A listing that is asked for again and again is the
/// longest that it can say.
const MAX_ROUNDS: usize = 1_000_000;

/// Reads these bytes as every kind of line there is. What can be read is written back as something that reads as the
/// same.
///
/// # Panics
/// If it does not.
pub fn read_as_lines(bytes: &[u8]) {
    let mut rest = bytes;
    while let Ok(Some((text, used))) = wire::split_line(rest) {
        assert!(0 < used && used <= MAX_LINE && !text.contains('\n'));
        read_as_each(text);
        rest = &rest[used..];
    }
}

fn read_as_each(text: &str) {
    comes_back(text, |text| UploadDetails::parse(text).ok());
    comes_back(text, |text| Entry::parse(text).ok());
    comes_back(text, |text| Request::parse_command(text).ok());
    comes_back(text, |text| Reply::parse_hash(text).ok());
    comes_back(text, |text| Reply::parse_size(text).ok());
    comes_back(text, |text| FileName::parse(text).ok());
    comes_back(text, FileId::parse);
    if let Some((code, _)) = wire::parse_error(text) {
        let again = Reply::Error(code).to_string();
        assert_eq!(wire::parse_error(&again).map(|(code, _)| code), Some(code));
    }
}

fn comes_back<T: Display + Debug + PartialEq>(text: &str, parse: impl Fn(&str) -> Option<T>) {
    if let Some(value) = parse(text) {
        assert_eq!(parse(&value.to_string()), Some(value), "read from {text:?}");
    }
}

/// Sends `bytes` to a server and to a client, whole and cut as `cuts` says (over and over): what they answer, and what
/// they have at the end, must be the same.
///
/// # Panics
/// If it is not.
pub fn cut_sessions(bytes: &[u8], cuts: &[u8]) {
    assert_eq!(serve(bytes, &[]), serve(bytes, cuts), "the server, cut by {cuts:?}");
    let (whole, cut) = (visit(bytes, &[]), visit(bytes, cuts));
    // After a refusal that ends the session no payload is owed: how much of it is out by then is chance (R25).
    let may_stop_short = ends_session(bytes) && (whole.0.starts_with(&cut.0) || cut.0.starts_with(&whole.0));
    assert!(whole == cut || may_stop_short, "the client, cut by {cuts:?}: {whole:?} and {cut:?}");
}

fn ends_session(bytes: &[u8]) -> bool {
    let mut lines = bytes.split(|byte| *byte == b'\n').filter_map(|line| str::from_utf8(line).ok());
    lines.any(|line| {
        wire::parse_error(line.trim_end_matches('\r')).is_some_and(|(code, _)| code.ends_session())
    })
}

/// What a server answers to these bytes and then the end, and what it lists afterwards.
pub fn serve(bytes: &[u8], cuts: &[u8]) -> (Vec<u8>, Vec<Entry>) {
    let store = MemoryStore::default();
    let config = ServerConfig::new(Arc::new(store.clone()), DEADLINE);
    let mut server = Server::new(config, Recorder::default());
    let said = feed(&mut server, bytes, cuts);
    (said, store.list().map(|entries| entries.to_vec()).unwrap_or_default())
}

/// What a client says that is answered with these bytes and then the end, and whether it then has its download.
pub fn visit(bytes: &[u8], cuts: &[u8]) -> (Vec<u8>, bool) {
    let folder = Folder::in_memory();
    let name = FileName::from(FileId::from_bytes([0; 16]));
    let hello = FileId::from_bytes(*b"\x5d\x41\x40\x2a\xbc\x4b\x2a\x76\xb9\x71\x9d\x91\x10\x17\xc5\x92");
    let content = Content::Memory(Arc::from(*b"hello"));
    let commands = vec![
        ClientCommand::ListFiles,
        ClientCommand::Upload { name: name.clone(), content },
        ClientCommand::ListFiles,
        ClientCommand::DownloadId { id: hello, name: name.clone() },
    ];
    let mut client = Client::new(ClientConfig::new(commands, folder.clone(), DEADLINE));
    let said = feed(&mut client, bytes, cuts);
    (said, folder.get(&name).is_ok_and(|content| content.is_some()))
}

/// Connects, lets `bytes` come in pieces and then the end, and returns what went out.
fn feed(endpoint: &mut dyn Endpoint, bytes: &[u8], cuts: &[u8]) -> Vec<u8> {
    let (mut said, mut at, mut seen) = (Vec::new(), 0, 0);
    endpoint.handle_connected(Duration::ZERO, ConnectionId::Number(1));
    speak(endpoint, &mut said);
    let mut cuts = cuts.iter().cycle();
    while seen < bytes.len() {
        // A cut of nothing would not get on.
        let piece = cuts.next().map_or(bytes.len(), |cut| usize::from(*cut) + 1);
        seen = bytes.len().min(seen + piece);
        for round in 0.. {
            assert!(round < MAX_ROUNDS, "it never comes to an end");
            let used = if endpoint.is_closed() {
                seen - at
            } else {
                endpoint.handle_input(Duration::ZERO, &bytes[at..seen])
            };
            assert!(used <= seen - at);
            at += used;
            if !speak(endpoint, &mut said) && used == 0 || at == seen {
                break;
            }
        }
    }
    endpoint.handle_end(Duration::ZERO, End::Finished);
    speak(endpoint, &mut said);
    said
}

/// Lets it say what it has to say. Says whether that was anything.
fn speak(endpoint: &mut dyn Endpoint, said: &mut Vec<u8>) -> bool {
    let (mut out, before) = (Buffer::default(), said.len());
    loop {
        endpoint.poll_transmit(Duration::ZERO, &mut out);
        if out.is_empty() {
            return said.len() > before;
        }
        said.extend_from_slice(out.filled());
        out.consume(out.filled().len());
    }
}
