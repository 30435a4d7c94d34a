//! Holds `PROTOCOL.md` against the code: its sessions byte for byte, its diagrams, its tables.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod util;

use std::path::Path;

use protocol::wire::{DISCARDABLE, MAX_ENTRIES, MAX_LINE, MAX_LISTING, MAX_SIZE};
use protocol::{
    Client, ClientEvent, ClientState, Compared, Error, ErrorCode, FileId, MAX_NAME, PAGE, Transmit,
    UploadDetails, state,
};
use util::host::Host;
use util::md5;

/// One line of a session block.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Item {
    /// What the client sends, and what of it reaches the server.
    Client(Vec<u8>, Vec<u8>),
    Server(Vec<u8>),
    ClientCloses,
}

/// The text of every block with this info string.
fn blocks(info: &str) -> Vec<String> {
    let fence = format!("```{info}\n");
    let parts = PAGE.split(&fence).skip(1);
    parts.map(|rest| rest.split("```").next().unwrap().to_owned()).collect()
}

fn parse(block: &str) -> Vec<Item> {
    let mut items: Vec<Item> = Vec::new();
    for line in block.lines().filter(|line| !line.starts_with('#')) {
        let bytes = line.get(3..).unwrap_or_default().replace('⏎', "\n").into_bytes();
        match (line.get(..3), items.last_mut()) {
            _ if line == "C closes" => items.push(Item::ClientCloses),
            (Some("C: "), _) => items.push(Item::Client(bytes.clone(), bytes)),
            (Some("S: "), _) => items.push(Item::Server(bytes)),
            (Some("~: "), Some(Item::Client(_, arrived))) => *arrived = bytes,
            _ => panic!("not in the notation of the page: {line}"),
        }
    }
    items
}

fn show(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).replace('\n', "⏎")
}

/// Plays the client of the page, `slice` bytes at a time, against the server. What the server says between
/// two messages of the client must be what the page says there.
fn hold_against_server(items: &[Item], slice: usize) {
    let mut host = Host::new();
    (host.max_size, host.room) = (1000, 64);
    let (mut input, mut said, mut due) = (Vec::new(), Vec::new(), Vec::new());
    for item in items {
        match item {
            Item::Server(bytes) => due.extend(bytes),
            Item::Client(_, arrived) => {
                assert_eq!(show(&said), show(&due), "before `{}`", show(arrived));
                for part in arrived.chunks(slice) {
                    input.extend(part);
                    said.extend(host.feed(&mut input));
                }
                assert!(input.is_empty(), "left over: {}", show(&input));
            }
            Item::ClientCloses => assert_eq!(host.server.handle_end(), Ok(())),
        }
    }
    assert_eq!(show(&said), show(&due));
    assert_eq!((host.error, host.server.state()), (None, state::ServerState::Closed));
}

/// The client of the page: its commands and files are read off the page's own lines.
struct Guest<'a> {
    client: Client,
    rest: &'a [Item],
    hashed: Vec<u8>,
    results: Vec<Compared>,
}

impl<'a> Guest<'a> {
    /// What the client says next on the page.
    fn next_line(rest: &'a [Item]) -> &'a str {
        let next = rest.iter().find_map(|item| match item {
            Item::Client(sent, _) => Some(str::from_utf8(sent).unwrap().trim_end_matches('\n')),
            _ => None,
        });
        next.unwrap()
    }

    /// Gives the command that this line stands for.
    fn command(&mut self, line: &str) {
        let argument = Self::next_line;
        match line {
            "LIST_FILES" => self.client.list_files().unwrap(),
            "UPLOAD" => {
                let UploadDetails { name, size } = UploadDetails::parse(argument(self.rest)).unwrap();
                self.client.upload(name, size).unwrap();
            }
            "DOWNLOAD" => self.client.download(FileId::parse(argument(self.rest)).unwrap()).unwrap(),
            _ => {
                let id = line.strip_prefix("DISCARD ").expect("a command");
                self.client.discard(FileId::parse(id).unwrap()).unwrap();
            }
        }
        self.hashed.clear();
    }

    /// The client must send exactly this.
    fn sends(&mut self, bytes: &[u8]) {
        if self.client.state() == ClientState::Idle {
            self.command(show(bytes).trim_end_matches('⏎'));
        }
        match self.client.poll_transmit() {
            Some(Transmit::Line(line)) => assert_eq!(format!("{line}⏎"), show(bytes)),
            Some(Transmit::Payload { left }) => {
                assert!(bytes.len() as u64 <= left, "the page's payload is too long: {}", show(bytes));
                self.hashed.extend(bytes);
                self.client.payload_sent(bytes.len() as u64).unwrap();
            }
            None => panic!("the client does not send `{}`", show(bytes)),
        }
    }

    /// The client must take exactly this, piece by piece.
    fn takes(&mut self, bytes: &[u8], slice: usize) {
        let mut input: Vec<u8> = Vec::new();
        for part in bytes.chunks(slice) {
            input.extend(part);
            while let Some((used, event)) = self.client.handle_input(&input).unwrap() {
                if let ClientEvent::Payload(payload) = event {
                    self.hashed.extend(payload);
                }
                input.drain(..used);
                if self.client.digest_due() {
                    self.results.push(self.client.handle_digest(md5(&self.hashed)).unwrap());
                }
            }
        }
        assert!(input.is_empty(), "the client did not take `{}`", show(&input));
    }
}

/// Plays the server of the page against the client.
fn hold_against_client(items: &[Item], slice: usize) -> Vec<Compared> {
    let mut guest = Guest { client: Client::new(), rest: items, hashed: Vec::new(), results: Vec::new() };
    for (index, item) in items.iter().enumerate() {
        guest.rest = &items[index + 1..];
        match item {
            Item::Client(sent, _) => guest.sends(sent),
            Item::Server(bytes) => guest.takes(bytes, slice),
            Item::ClientCloses => {
                assert_eq!(guest.client.state(), ClientState::Idle, "the client closes between commands");
                guest.client.close();
            }
        }
    }
    assert_eq!(guest.client.state(), ClientState::Closed);
    guest.results
}

#[test]
fn sessions_hold_against_the_server() {
    let both = [blocks("session"), blocks("session server")].concat();
    assert_eq!(both.len(), 3);
    for block in both {
        for slice in [1, 7, usize::MAX] {
            hold_against_server(&parse(&block), slice);
        }
    }
}

#[test]
fn sessions_hold_against_the_client() {
    let same = |content: &[u8]| Compared::Same(md5(content));
    let results: Vec<_> = blocks("session")
        .iter()
        .map(|block| {
            let results = hold_against_client(&parse(block), usize::MAX);
            assert_eq!(results, hold_against_client(&parse(block), 1));
            results
        })
        .collect();
    let text = b"Hello, server!\nThis is the second line.";
    let own = md5(b"The quick brown fox jumps over the lazy dog.");
    let peer = md5(b"The quick brown fux jumps over the lazy dog.");
    assert_eq!(results[0], [same(text), same(text)]);
    assert_eq!(results[1], [Compared::Different { own, peer }, same(b""), same(b"")]);
}

#[test]
fn all_22_steps_are_there() {
    let block = &blocks("session")[0];
    let steps: Vec<usize> =
        block.lines().filter_map(|line| line.strip_prefix("# ")?.split_once('.')?.0.parse().ok()).collect();
    assert_eq!(steps, (1..=22).collect::<Vec<_>>());
}

#[test]
fn diagrams_are_the_tables() {
    const FENCE: &str = "```mermaid\n";
    let mut parts = PAGE.split(FENCE);
    let mut page = parts.next().unwrap().to_owned();
    let mut diagrams = [state::client_diagram(), state::server_diagram()].into_iter();
    for part in parts {
        let diagram = diagrams.next().expect("two diagrams on the page");
        page.extend([FENCE, &diagram, &part[part.find("```").unwrap()..]]);
    }
    assert_eq!(diagrams.next(), None, "two diagrams on the page");
    if std::env::var_os("UPDATE_PROTOCOL_MD").is_some() {
        std::fs::write(Path::new(env!("CARGO_MANIFEST_DIR")).join("PROTOCOL.md"), page).unwrap();
    } else {
        assert!(
            page == PAGE,
            "the diagrams are out of date: UPDATE_PROTOCOL_MD=1 cargo test -p protocol --test page"
        );
    }
}

/// The cells of every table row after this heading row.
fn rows(heading: &str) -> Vec<Vec<&'static str>> {
    let table = PAGE.split(heading).nth(1).expect("the table");
    let lines = table.lines().skip(2).take_while(|line| line.starts_with('|'));
    lines.map(|line| line.trim_matches('|').split('|').map(str::trim).collect()).collect()
}

#[test]
fn error_codes_are_those_of_the_code() {
    let page: Vec<_> = rows("| code | meaning | the session |")
        .iter()
        .map(|cells| (cells[0].trim_matches('`'), cells[2] == "ends"))
        .collect();
    let code: Vec<_> = ErrorCode::ALL.iter().map(|code| (code.as_str(), code.ends_session())).collect();
    assert_eq!(page, code);
    for code in ErrorCode::ALL {
        let closes = matches!(Error::Refused(*code).wire_answer(), protocol::WireAnswer::Close(_));
        assert_eq!(closes, code.ends_session(), "{code}");
    }
}

#[test]
fn limits_are_those_of_the_code() {
    let page: Vec<u64> = rows("| limit | value | beyond it |")
        .iter()
        .map(|cells| cells[1].split(' ').next().unwrap().parse().unwrap())
        .collect();
    let code =
        [MAX_LINE as u64, MAX_NAME as u64, MAX_SIZE, u64::from(MAX_ENTRIES), MAX_LISTING, DISCARDABLE as u64];
    assert_eq!(page, code);
}

/// A new rule stands where it belongs, but gets the next number: the others keep theirs.
#[test]
fn every_rule_has_a_number_of_its_own() {
    let mut rules: Vec<usize> = PAGE
        .lines()
        .filter_map(|line| line.strip_prefix("- **R")?.split_once("**")?.0.parse().ok())
        .collect();
    rules.sort_unstable();
    assert_eq!(rules, (1..=rules.len()).collect::<Vec<_>>());
}
