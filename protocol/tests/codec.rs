//! Every message, well-formed and malformed: each case is run whole, byte by byte, and with bytes after it;
//! first through the functions of `wire`, then through the machines.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod util;

use protocol::wire::{self, MAX_ENTRIES, MAX_LINE, MAX_SIZE};
use protocol::{
    Client, ClientEvent, ClientState, Entry, Error, ErrorCode, FileId, FileName, NameError, Reply, Request,
    Server, ServerEvent, ServerState, UploadDetails, Violation,
};
use util::{client_in, details, entry, md5, name, server_in};

const ID: &str = "5d41402abc4b2a76b9719d911017c592";

fn id() -> FileId {
    FileId::parse(ID).unwrap()
}

/// Splits the first line off in all three ways, and says what all of them found.
fn split(bytes: &[u8]) -> Result<Option<(String, usize)>, Violation> {
    let own = |split: Result<Option<(&str, usize)>, Violation>| {
        split.map(|line| line.map(|(l, n)| (l.to_owned(), n)))
    };
    let whole = own(wire::split_line(bytes));
    let bytewise =
        (0..=bytes.len()).map(|end| own(wire::split_line(&bytes[..end]))).find(|found| *found != Ok(None));
    assert_eq!(bytewise.unwrap_or(Ok(None)), whole, "byte by byte");
    if whole != Ok(None) {
        assert_eq!(own(wire::split_line(&[bytes, b"more\n\xff"].concat())), whole, "with bytes after it");
    }
    whole
}

#[test]
fn lines() {
    let long = |count: usize| vec![b'x'; count];
    let line = |text: &str, used| Ok(Some((text.to_owned(), used)));
    assert_eq!(split(b""), Ok(None));
    assert_eq!(split(b"abc"), Ok(None));
    assert_eq!(split(b"\n"), line("", 1));
    assert_eq!(split(b"\r\n"), line("", 2));
    assert_eq!(split(b"abc\n"), line("abc", 4));
    assert_eq!(split(b"abc\r\n"), line("abc", 5));
    assert_eq!(split(b"abc\r\r\n"), line("abc\r", 6));
    assert_eq!(split(b"a\rb\n"), line("a\rb", 4));
    assert_eq!(split("Grüße\n".as_bytes()), line("Grüße", 8));
    assert_eq!(split(b"a\xff\n"), Err(Violation::NotUtf8));
    assert_eq!(split(b"\xc3\n"), Err(Violation::NotUtf8));
    assert_eq!(split(&long(MAX_LINE - 1)), Ok(None));
    assert_eq!(split(&long(MAX_LINE)), Err(Violation::LineTooLong));
    let full = [long(MAX_LINE - 1), b"\n".to_vec()].concat();
    assert_eq!(split(&full), line(&"x".repeat(MAX_LINE - 1), MAX_LINE));
    let full = [long(MAX_LINE - 2), b"\r\n".to_vec()].concat();
    assert_eq!(split(&full), line(&"x".repeat(MAX_LINE - 2), MAX_LINE));
    assert_eq!(split(&[long(MAX_LINE), b"\n".to_vec()].concat()), Err(Violation::LineTooLong));
}

const GOOD_SIZES: [(&str, u64); 4] = [("0", 0), ("7", 7), ("1000", 1000), ("9223372036854775807", MAX_SIZE)];
const BAD_SIZES: [&str; 14] = [
    "",
    "00",
    "007",
    "+7",
    "-0",
    "-7",
    " 7",
    "7 ",
    "7.0",
    "0x7",
    "1_000",
    "٧",
    "9223372036854775808",
    "99999999999999999999",
];

const BAD_IDS: [&str; 7] = [
    "",
    "5d41402abc4b2a76b9719d911017c59",
    "5d41402abc4b2a76b9719d911017c5922",
    "5D41402ABC4B2A76B9719D911017C592",
    "5d41402abc4b2a76b9719d911017c59g",
    "5d41402abc4b2a76b9719d911017c59 ",
    "5d41402abc4b2a76b9719d911017c5é",
];

fn bad_names() -> Vec<(String, NameError)> {
    let cases = [
        ("", NameError::Empty),
        (".", NameError::Dots),
        ("..", NameError::Dots),
        ("../a", NameError::Separator),
        ("/etc", NameError::Separator),
        ("a\\b", NameError::Separator),
        ("a\0", NameError::Control),
        ("a\tb", NameError::Control),
        ("a\r", NameError::Control),
        ("a\x7f", NameError::Control),
        ("a\u{80}", NameError::Control),
        ("a\u{9f}", NameError::Control),
    ];
    let mut all: Vec<_> = cases.map(|(text, error)| (text.to_owned(), error)).to_vec();
    all.push(("x".repeat(256), NameError::TooLong));
    all.push((format!("{}é", "x".repeat(254)), NameError::TooLong));
    all
}

fn good_names() -> Vec<String> {
    let cases = ["a", "...", ".a", "a b", " ", "a;b", ";", ";7", "Grüße.txt", "\u{a0}", "📷.jpg", "ERROR x"];
    let mut all = cases.map(str::to_owned).to_vec();
    all.extend(["x".repeat(255), format!("{}é", "x".repeat(253))]);
    all
}

#[test]
fn sizes() {
    for (text, size) in GOOD_SIZES {
        assert_eq!(Reply::parse_size(text), Ok(size));
        assert_eq!(Reply::Size(size).to_string(), text);
        assert_eq!(UploadDetails::parse(&format!("a;{text}")), Ok(details("a", size)));
    }
    for text in BAD_SIZES {
        assert_eq!(Reply::parse_size(text), Err(Violation::BadSize), "{text:?}");
        assert_eq!(UploadDetails::parse(&format!("a;{text}")), Err(Violation::BadSize), "{text:?}");
        assert_eq!(Entry::parse(&format!("{ID};a;{text}")), Err(Violation::BadEntry), "{text:?}");
    }
}

#[test]
fn ids() {
    assert_eq!((Reply::parse_hash(ID), id().to_string()), (Ok(md5(b"hello")), ID.to_owned()));
    assert_eq!(FileId::from_bytes(*id().as_bytes()), id());
    for text in BAD_IDS {
        assert_eq!(Reply::parse_hash(text), Err(Violation::BadId), "{text:?}");
        assert_eq!(Request::parse_command(&format!("DISCARD {text}")), Err(Violation::BadId), "{text:?}");
        assert_eq!(Entry::parse(&format!("{text};a;7")), Err(Violation::BadEntry), "{text:?}");
    }
}

#[test]
fn every_other_case_of_a_digit_is_refused() {
    for at in 0..ID.len() {
        let upper: String = ID
            .char_indices()
            .map(|(index, digit)| if index == at { digit.to_ascii_uppercase() } else { digit })
            .collect();
        assert_eq!(FileId::parse(&upper).is_some(), upper == ID, "{upper}");
    }
}

#[test]
fn names() {
    for text in good_names() {
        assert_eq!(FileName::parse(&text).unwrap().as_str(), text);
        assert_eq!(UploadDetails::parse(&format!("{text};7")), Ok(details(&text, 7)));
        let expected = Entry { name: name(&text), id: id(), size: 7 };
        assert_eq!(Entry::parse(&format!("{ID};{text};7")), Ok(expected));
    }
    for (text, error) in bad_names() {
        assert_eq!(FileName::parse(&text), Err(error), "{text:?}");
        assert_eq!(UploadDetails::parse(&format!("{text};7")), Err(Violation::BadName(error)), "{text:?}");
        assert_eq!(Entry::parse(&format!("{ID};{text};7")), Err(Violation::BadEntry), "{text:?}");
    }
}

#[test]
fn details_and_entries_need_their_parts() {
    assert_eq!(UploadDetails::parse(""), Err(Violation::BadDetails));
    assert_eq!(UploadDetails::parse("a.txt"), Err(Violation::BadDetails));
    assert_eq!(UploadDetails::parse("a.txt,7"), Err(Violation::BadDetails));
    assert_eq!(UploadDetails::parse(";"), Err(Violation::BadSize));
    for line in ["", ";", ";;", ID, &format!("{ID};"), &format!("{ID};7"), &format!("{ID};;7"), "a;b;7"] {
        assert_eq!(Entry::parse(line), Err(Violation::BadEntry), "{line:?}");
    }
}

#[test]
fn commands() {
    for line in ["LIST_FILES", "LIST FILES", "LIST FILE"] {
        assert_eq!(Request::parse_command(line), Ok(Request::ListFiles));
    }
    let all = [Request::ListFiles, Request::Upload, Request::Download, Request::Discard(id())];
    for request in all {
        assert_eq!(Request::parse_command(&request.to_string()), Ok(request));
    }
    let unknown =
        ["", " ", "list_files", "LIST_FILE", "LIST_FILES ", " UPLOAD", "UPLOADS", "DISCARD", "a.txt;7", ID];
    for line in unknown {
        assert_eq!(Request::parse_command(line), Err(Violation::UnknownCommand), "{line:?}");
    }
}

#[test]
fn refusals() {
    for code in ErrorCode::ALL {
        let line = Reply::Error(*code).to_string();
        assert_eq!(wire::parse_error(&line), Some((*code, code.text())));
        assert!(line.len() < MAX_LINE);
    }
    assert_eq!(wire::parse_error("ERROR storage"), Some((ErrorCode::Storage, "")));
    assert_eq!(wire::parse_error("ERROR "), Some((ErrorCode::Other, "")));
    assert_eq!(
        wire::parse_error("ERROR teapot short and stout"),
        Some((ErrorCode::Other, "short and stout"))
    );
    for line in ["ERROR", "error storage", " ERROR storage", "ERRORS", ""] {
        assert_eq!(wire::parse_error(line), None, "{line:?}");
    }
}

/// What `handle_input` said, the event as text.
type Found = Result<Option<(usize, String)>, Error>;

/// Hands the bytes to a client in this state in all three ways; says what all of them found.
fn client_reads(state: ClientState, bytes: &[u8]) -> (Found, ClientState) {
    let run = |slices: &mut dyn Iterator<Item = &[u8]>| {
        let mut client = client_in(state);
        let mut found = Ok(None);
        for input in slices {
            found = client
                .handle_input(input)
                .map(|event| event.map(|(used, event)| (used, format!("{event:?}"))));
            if found != Ok(None) {
                break;
            }
        }
        (found, client.state())
    };
    let whole = run(&mut [bytes].into_iter());
    assert_eq!(run(&mut (1..=bytes.len()).map(|end| &bytes[..end])), whole, "byte by byte");
    let longer = [bytes, b"\xffmore"].concat();
    assert_eq!(run(&mut [&longer[..]].into_iter()), whole, "with bytes after it");
    whole
}

/// The same for a server. Its answer is compared too.
fn server_reads(state: ServerState, bytes: &[u8]) -> (Found, Vec<String>) {
    let run = |slices: &mut dyn Iterator<Item = &[u8]>| {
        let mut server = server_in(state);
        let mut found = Ok(None);
        for input in slices {
            found = server
                .handle_input(input)
                .map(|event| event.map(|(used, event)| (used, format!("{event:?}"))));
            if found != Ok(None) {
                break;
            }
        }
        let answer = util::lines_of_server(&mut server).iter().map(Reply::to_string).collect();
        (found, answer)
    };
    let whole = run(&mut [bytes].into_iter());
    assert_eq!(run(&mut (1..=bytes.len()).map(|end| &bytes[..end])), whole, "byte by byte");
    let longer = [bytes, b"\xffmore"].concat();
    assert_eq!(run(&mut [&longer[..]].into_iter()), whole, "with bytes after it");
    whole
}

fn assert_client(state: ClientState, line: &str, event: &ClientEvent<'_>, next: ClientState) {
    for end in ["\n", "\r\n"] {
        let bytes = format!("{line}{end}");
        let found = client_reads(state, bytes.as_bytes());
        assert_eq!(found, (Ok(Some((bytes.len(), format!("{event:?}")))), next), "{state:?} {line:?}");
    }
}

#[test]
fn the_client_reads_every_reply() {
    use ClientEvent as E;
    use ClientState as S;
    let file = entry("a;b.txt", b"hello");
    assert_client(S::AwaitListing, &file.to_string(), &E::Entry(file.clone()), S::InListing);
    assert_client(S::InListing, &file.to_string(), &E::Entry(file), S::InListing);
    assert_client(S::AwaitListing, "No files available at the moment", &E::NoFiles, S::AfterNoFiles);
    assert_client(S::InListing, "", &E::ListEnd, S::Idle);
    assert_client(S::AfterNoFiles, "", &E::ListEnd, S::Idle);
    for words in ["", "Yes?", "ERROR", "error x", ID, "7", "No files available at the moment"] {
        assert_client(S::AwaitDetailsPrompt, words, &E::GoAhead(words), S::AwaitReady);
        assert_client(S::AwaitReady, words, &E::GoAhead(words), S::SendingFile);
        assert_client(S::AwaitIdPrompt, words, &E::GoAhead(words), S::AwaitSize);
        assert_client(S::AwaitDiscarded, words, &E::GoAhead(words), S::Idle);
    }
    assert_client(S::AwaitHash, ID, &E::Hash(id()), S::ComparingUpload);
    assert_client(S::AwaitSize, "7", &E::Size(7), S::ReceivingFile);
    assert_client(S::AwaitSize, "0", &E::Size(0), S::ComparingDownload);
    let refused = E::Refused(ErrorCode::NoSpace, "full up");
    assert_client(S::SendingFile, "ERROR no-space full up", &refused, S::SendingRefused);
    assert_client(S::AwaitHash, "ERROR no-space full up", &refused, S::Idle);
    assert_client(S::InListing, "ERROR no-space full up", &refused, S::Idle);
}

#[test]
fn the_client_closes_on_every_malformed_reply() {
    use ClientState as S;
    let long = "x".repeat(MAX_LINE);
    let uppercase = format!("{}\n", ID.to_uppercase());
    let cases: [(S, &[u8], Violation); 13] = [
        (S::Idle, b"hello\n", Violation::UnexpectedLine),
        (S::Idle, b"\n", Violation::UnexpectedLine),
        (S::Idle, b"ERROR storage\n", Violation::UnexpectedLine),
        (S::AwaitListing, b"\n", Violation::UnexpectedLine),
        (S::AwaitListing, b"No files\n", Violation::BadEntry),
        (S::InListing, b"No files available at the moment\n", Violation::UnexpectedLine),
        (S::AfterNoFiles, b"ERROR storage\n", Violation::UnexpectedLine),
        (S::AfterNoFiles, b"5d41402abc4b2a76b9719d911017c592;a;7\n", Violation::UnexpectedLine),
        (S::AwaitHash, uppercase.as_bytes(), Violation::BadId),
        (S::AwaitSize, b"007\n", Violation::BadSize),
        (S::AwaitSize, b"9223372036854775808\n", Violation::BadSize),
        (S::AwaitReady, b"\xff\n", Violation::NotUtf8),
        (S::AwaitReady, long.as_bytes(), Violation::LineTooLong),
    ];
    for (state, bytes, violation) in cases {
        let found = client_reads(state, bytes);
        assert_eq!(found, (Err(Error::Peer(violation)), S::Closed), "{state:?} {}", bytes.escape_ascii());
    }
}

#[test]
fn while_it_sends_the_client_reads_refusals_only() {
    use ClientState as S;
    for state in [S::SendingFile, S::SendingRefused] {
        for line in [ID, "", "7", "Ready"] {
            let bytes = format!("{line}\n");
            assert_eq!(client_reads(state, bytes.as_bytes()), (Ok(None), state), "{state:?} {line:?}");
        }
        // What cannot be read cannot be read as a refusal.
        for bytes in [&b"\xff\n"[..], &[b'x'; MAX_LINE]] {
            assert_eq!(client_reads(state, bytes), (Ok(None), state), "{state:?}");
        }
    }
    let again = client_reads(S::SendingRefused, b"ERROR storage\n");
    assert_eq!(again, (Ok(None), S::SendingRefused), "an upload is refused once");
    let mut client = client_in(S::SendingFile);
    let hash = format!("{ID}\n");
    assert_eq!(client.handle_input(hash.as_bytes()), Ok(None));
    client.payload_sent(client.payload_left()).unwrap();
    assert_eq!(client.handle_input(hash.as_bytes()), Ok(Some((hash.len(), ClientEvent::Hash(id())))));
}

fn assert_server(state: ServerState, line: &str, event: &ServerEvent<'_>, answer: &[Reply]) {
    let answer: Vec<_> = answer.iter().map(Reply::to_string).collect();
    for end in ["\n", "\r\n"] {
        let bytes = format!("{line}{end}");
        let found = server_reads(state, bytes.as_bytes());
        assert_eq!(
            found,
            (Ok(Some((bytes.len(), format!("{event:?}")))), answer.clone()),
            "{state:?} {line:?}"
        );
    }
}

#[test]
fn the_server_reads_every_request() {
    use ServerEvent as E;
    use ServerState as S;
    for line in ["LIST_FILES", "LIST FILES", "LIST FILE"] {
        assert_server(S::Idle, line, &E::ListRequested, &[]);
    }
    assert_server(S::Idle, "UPLOAD", &E::UploadAnnounced, &[Reply::AskDetails]);
    assert_server(S::AwaitDetails, "a;b;7", &E::UploadRequested { name: name("a;b"), size: 7 }, &[]);
    assert_server(S::Idle, "DOWNLOAD", &E::DownloadAnnounced, &[Reply::AskId]);
    assert_server(S::AwaitId, ID, &E::DownloadRequested(id()), &[]);
    assert_server(S::Idle, &format!("DISCARD {ID}"), &E::DiscardRequested(id()), &[]);
}

#[test]
fn the_server_refuses_every_malformed_request() {
    use ServerState as S;
    let cases = [
        (S::Idle, "", Violation::UnknownCommand, ErrorCode::UnknownCommand),
        (S::Idle, "upload", Violation::UnknownCommand, ErrorCode::UnknownCommand),
        (S::Idle, ID, Violation::UnknownCommand, ErrorCode::UnknownCommand),
        (S::Idle, "DISCARD x", Violation::BadId, ErrorCode::BadId),
        (S::AwaitDetails, "UPLOAD", Violation::BadDetails, ErrorCode::BadDetails),
        (S::AwaitDetails, "a;x", Violation::BadSize, ErrorCode::BadSize),
        (S::AwaitDetails, "a/b;7", Violation::BadName(NameError::Separator), ErrorCode::BadName),
        (S::AwaitId, "LIST_FILES", Violation::BadId, ErrorCode::BadId),
    ];
    for (state, line, violation, code) in cases {
        assert_server(state, line, &ServerEvent::Rejected(violation), &[Reply::Error(code)]);
    }
}

#[test]
fn the_server_closes_on_broken_framing() {
    let long = [b'x'; MAX_LINE];
    let cases: [(&[u8], Violation); 2] =
        [(b"UP\xffLOAD\n", Violation::NotUtf8), (&long, Violation::LineTooLong)];
    for state in [ServerState::Idle, ServerState::AwaitDetails, ServerState::AwaitId] {
        for (bytes, violation) in cases {
            let (found, answer) = server_reads(state, bytes);
            assert_eq!(found, Err(Error::Peer(violation)));
            assert_eq!(answer, [Reply::Error(ErrorCode::BadLine).to_string()]);
        }
    }
    let mut server = Server::new();
    server.handle_input(b"\xff\n").unwrap_err();
    assert_eq!((server.state(), server.handle_input(b"UPLOAD\n")), (ServerState::Closed, Ok(None)));
}

#[test]
fn a_listing_has_an_end() {
    let mut client = Client::new();
    client.list_files().unwrap();
    util::lines_of_client(&mut client);
    let line = format!("{}\n", entry("a", b"a"));
    for _ in 0..MAX_ENTRIES {
        client.handle_input(line.as_bytes()).unwrap().unwrap();
    }
    assert_eq!(client.clone().handle_input(b"\n"), Ok(Some((1, ClientEvent::ListEnd))));
    assert_eq!(client.clone().handle_input(line.as_bytes()), Err(Violation::ListTooLong.into()));
    // Each listing counts for itself, also in one session.
    client.handle_input(b"\n").unwrap().unwrap();
    client.list_files().unwrap();
    util::lines_of_client(&mut client);
    client.handle_input(line.as_bytes()).unwrap().unwrap();
}
