//! A client and a server, driven against each other to completion: every exchange, a refusal in every place
//! where one may come, and the end of the stream in every state.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod util;

use protocol::{
    Client, ClientEvent, ClientState, Compared, Ended, Error, ErrorCode, FileId, Misuse, Reply, Server,
    ServerState, Transmit, Violation,
};
use util::host::{Host, Moment};
use util::{CLIENT_STATES, SERVER_STATES, client_in, entry, md5, name, server_in};

/// More steps than any test needs: what has not come to rest by then never will.
const MAX_STEPS: usize = 100_000;
const TEXT: &[u8] = b"The quick brown fox jumps over the lazy dog.";

/// Both machines, and the bytes that are between them.
struct Pair {
    client: Client,
    host: Host,
    to_server: Vec<u8>,
    to_client: Vec<u8>,
    /// How many payload bytes the client sends, and how many bytes the wire carries, in one step.
    slice: usize,
    /// The client's file: sent from, or received into.
    file: Vec<u8>,
    sent: usize,
    log: Vec<String>,
    compared: Option<Compared>,
}

impl Pair {
    fn new(host: Host, slice: usize) -> Self {
        Self {
            client: Client::new(),
            host,
            to_server: Vec::new(),
            to_client: Vec::new(),
            slice,
            file: Vec::new(),
            sent: 0,
            log: Vec::new(),
            compared: None,
        }
    }

    /// Lets each party do one thing. Says whether anything moved.
    fn step(&mut self) -> bool {
        let sent = self.transmit();
        let count = self.to_server.len().min(self.slice);
        // The slice may end in the middle of a line: what the server leaves goes back in front.
        let mut input: Vec<u8> = self.to_server.drain(..count).collect();
        while !input.is_empty() {
            let before = input.len();
            self.to_client.extend(self.host.feed(&mut input));
            if input.len() == before {
                let Some(next) = (!self.to_server.is_empty()).then(|| self.to_server.remove(0)) else {
                    break;
                };
                input.push(next);
            }
        }
        let left = input.len();
        self.to_server.splice(0..0, input);
        let received = self.receive();
        sent || count > left || received
    }

    /// Lets both sides go on until nothing moves, and returns what the client was told.
    fn drive(&mut self) -> Vec<String> {
        let steps = (0..MAX_STEPS).take_while(|_| self.step()).count();
        assert!(steps < MAX_STEPS, "the session does not come to rest");
        std::mem::take(&mut self.log)
    }

    fn transmit(&mut self) -> bool {
        match self.client.poll_transmit() {
            None => return false,
            Some(Transmit::Line(line)) => self.to_server.extend(format!("{line}\n").bytes()),
            Some(Transmit::Payload { left }) => {
                assert_eq!(left, (self.file.len() - self.sent) as u64);
                let part = &self.file[self.sent..][..self.slice.min(self.file.len() - self.sent)];
                self.to_server.extend(part);
                self.sent += part.len();
                self.client.payload_sent(part.len() as u64).unwrap();
            }
        }
        true
    }

    fn receive(&mut self) -> bool {
        let input: Vec<u8> = self.to_client.clone();
        let window = &input[..input.len().min(self.slice.max(protocol::wire::MAX_LINE))];
        let Some((used, event)) = self.client.handle_input(window).unwrap() else { return false };
        match event {
            ClientEvent::Payload(bytes) => self.file.extend(bytes),
            ClientEvent::Refused(code, _) => self.log.push(format!("refused: {code}")),
            ClientEvent::Entry(entry) => self.log.push(entry.to_string()),
            event => self.log.push(format!("{event:?}")),
        }
        self.to_client.drain(..used);
        if self.client.digest_due() {
            self.compared = Some(self.client.handle_digest(md5(&self.file)).unwrap());
        }
        true
    }

    fn list(&mut self) -> Vec<String> {
        self.client.list_files().unwrap();
        self.drive()
    }

    fn upload(&mut self, as_name: &str, content: &[u8]) -> Vec<String> {
        self.client.upload(name(as_name), content.len() as u64).unwrap();
        (self.file, self.sent, self.compared) = (content.to_vec(), 0, None);
        self.drive()
    }

    fn download(&mut self, id: FileId) -> Vec<String> {
        self.client.download(id).unwrap();
        (self.file, self.compared) = (Vec::new(), None);
        self.drive()
    }

    fn discard(&mut self, id: FileId) -> Vec<String> {
        self.client.discard(id).unwrap();
        self.drive()
    }

    /// Both sides are between commands, and a full exchange works.
    fn assert_usable(&mut self) {
        assert_eq!((self.client.clone(), self.host.server.clone()), (Client::new(), Server::new()));
        assert!(self.to_client.is_empty() && self.to_server.is_empty());
        self.host.refuse = None;
        self.upload("after.txt", b"after");
        assert_eq!(self.compared, Some(Compared::Same(md5(b"after"))));
    }
}

const SLICES: [usize; 4] = [1, 3, 16, usize::MAX];

#[test]
fn the_whole_session() {
    for slice in SLICES {
        let mut pair = Pair::new(Host::new(), slice);
        let id = md5(TEXT);
        assert_eq!(pair.list(), ["NoFiles", "ListEnd"]);
        let prompts =
            [r#"GoAhead("Please send the file name and size")"#, r#"GoAhead("Ready to receive the file")"#];
        assert_eq!(pair.upload("fox.txt", TEXT), [prompts[0], prompts[1], &format!("Hash({id})")]);
        assert_eq!(pair.compared, Some(Compared::Same(id)));
        assert_eq!(pair.list(), [format!("{id};fox.txt;44"), "ListEnd".into()]);
        assert_eq!(pair.download(id), [r#"GoAhead("Please send a file ID")"#, "Size(44)"]);
        assert_eq!((pair.compared, &*pair.file), (Some(Compared::Same(id)), TEXT));
        assert_eq!(pair.discard(id), [r#"GoAhead("Discarded")"#]);
        assert_eq!(pair.list(), ["NoFiles", "ListEnd"]);
        pair.assert_usable();
        assert_eq!(pair.host.server.handle_end(), Ok(()));
    }
}

#[test]
fn a_listing_of_many() {
    let mut host = Host::new();
    (0..200).for_each(|n| host.hold(&format!("n;{n}"), b"x"));
    let mut pair = Pair::new(host, 16);
    let mut expected = pair.host.listing();
    expected.push("ListEnd".into());
    assert_eq!(pair.list(), expected);
    pair.assert_usable();
}

#[test]
fn an_empty_file_has_no_payload() {
    for slice in SLICES {
        let mut pair = Pair::new(Host::new(), slice);
        pair.upload("empty", b"");
        assert_eq!(pair.compared, Some(Compared::Same(md5(b""))));
        pair.download(md5(b""));
        assert_eq!(pair.compared, Some(Compared::Same(md5(b""))));
        pair.assert_usable();
    }
}

/// Where the server refuses, and what makes the client go there.
#[test]
fn a_refusal_leaves_the_session_usable() {
    type Exchange = fn(&mut Pair) -> Vec<String>;
    let upload: Exchange = |pair| pair.upload("fox.txt", TEXT);
    let download: Exchange = |pair| pair.download(md5(b"held"));
    let cases: [(Moment, Exchange); 9] = [
        (Moment::Listing, Pair::list),
        (Moment::MidListing, Pair::list),
        (Moment::Details, upload),
        (Moment::Payload(1), upload),
        (Moment::Payload(43), upload),
        (Moment::Payload(44), upload),
        (Moment::Storing, upload),
        (Moment::Id, download),
        (Moment::Discard, |pair| pair.discard(md5(b"held"))),
    ];
    for (moment, exchange) in cases {
        for slice in SLICES {
            let mut host = Host::refusing(moment, ErrorCode::Storage);
            host.hold("held", b"held");
            let mut pair = Pair::new(host, slice);
            let log = exchange(&mut pair);
            assert_eq!(log.last().unwrap(), "refused: storage", "{moment:?}");
            assert_eq!((pair.compared, pair.host.files.len()), (None, 1), "{moment:?}");
            pair.assert_usable();
        }
    }
}

#[test]
fn after_a_refusal_in_mid_payload_the_rest_is_dropped() {
    let mut pair = Pair::new(Host::refusing(Moment::Payload(8), ErrorCode::NoSpace), 4);
    let log = pair.upload("fox.txt", TEXT);
    assert_eq!(log.last().unwrap(), "refused: no-space");
    assert_eq!(pair.sent, TEXT.len(), "the client owes the rest");
    assert_eq!(pair.host.dropped, TEXT.len() - 8);
    pair.assert_usable();
}

#[test]
fn a_client_that_was_refused_may_close_instead() {
    let mut client = client_in(ClientState::SendingRefused);
    client.close();
    assert_eq!(client.poll_transmit(), None);
    assert_eq!(server_in(ServerState::Draining).handle_end(), Err(Ended::InPayload { missing: 5 }.into()));
}

#[test]
fn discard_takes_only_uploads_of_this_session() {
    let mut host = Host::new();
    host.hold("theirs", TEXT);
    let mut pair = Pair::new(host, 16);
    assert_eq!(pair.discard(md5(TEXT)), ["refused: not-yours"]);
    assert_eq!(pair.discard(md5(b"nothing")), ["refused: not-found"]);
    pair.upload("ours", TEXT);
    assert_eq!(pair.discard(md5(TEXT)), [r#"GoAhead("Discarded")"#]);
    assert_eq!(pair.host.listing(), [entry("theirs", TEXT).to_string()]);
    pair.assert_usable();
}

#[test]
fn damage_is_seen_on_both_ways() {
    let mut pair = Pair::new(Host::new(), usize::MAX);
    pair.client.upload(name("fox.txt"), 44).unwrap();
    pair.file = TEXT.to_vec();
    for _ in 0..4 {
        pair.transmit();
        if pair.client.state() == ClientState::AwaitHash {
            pair.to_server[7] ^= 1;
        }
        pair.to_client.extend(pair.host.feed(&mut pair.to_server));
        pair.receive();
    }
    let Some(Compared::Different { own, peer }) = pair.compared else { panic!("{:?}", pair.compared) };
    assert_eq!((own, pair.host.files[0].0.id), (md5(TEXT), peer));
    // On the way back: the server's copy is damaged under its id.
    pair.host.files[0].1[7] ^= 1;
    pair.download(peer);
    assert!(matches!(pair.compared, Some(Compared::Different { peer: id, .. }) if id == peer));
    pair.discard(peer);
    assert!(pair.host.listing().is_empty());
    pair.assert_usable();
}

#[test]
fn an_error_that_ends_the_session_is_heard_between_commands() {
    for code in ErrorCode::ALL {
        let line = format!("ERROR {code} words\n");
        let mut client = Client::new();
        let heard = client.handle_input(line.as_bytes());
        if code.ends_session() {
            assert_eq!(heard, Ok(Some((line.len(), ClientEvent::Refused(*code, "words")))));
        } else {
            assert_eq!(heard, Err(Violation::UnexpectedLine.into()));
        }
        assert_eq!(client.state(), ClientState::Closed);
    }
}

#[test]
fn an_error_that_ends_the_session_closes_the_client() {
    for state in CLIENT_STATES {
        let mut client = client_in(state);
        match client.handle_input(b"ERROR timeout\n").unwrap() {
            Some((14, ClientEvent::Refused(ErrorCode::Timeout, ""))) => {
                assert_eq!(
                    (client.state(), client.poll_transmit()),
                    (ClientState::Closed, None),
                    "{state:?}"
                );
            }
            Some((5, ClientEvent::Payload(b"ERROR"))) => assert_eq!(state, ClientState::ReceivingFile),
            None => assert!(client_in(state).digest_due() || state == ClientState::Closed, "{state:?}"),
            other => panic!("{state:?}: {other:?}"),
        }
    }
}

#[test]
fn the_client_hears_the_end_of_the_stream() {
    use ClientState as S;
    for state in CLIENT_STATES {
        let mut client = client_in(state);
        let expected = match state {
            S::Idle | S::Closed | S::ComparingUpload | S::ComparingDownload => Ok(()),
            S::SendingFile | S::SendingRefused => Err(Ended::WhileSending.into()),
            S::ReceivingFile => Err(Error::Ended(Ended::InPayload { missing: 5 })),
            _ => Err(Error::Ended(Ended::AwaitingLine)),
        };
        assert_eq!(client.handle_end(), expected, "{state:?}");
        if matches!(state, S::ComparingUpload | S::ComparingDownload) {
            assert_eq!(client.handle_digest(md5(b"hello")), Ok(Compared::Same(md5(b"hello"))), "{state:?}");
        }
        assert_eq!((client.state(), client.poll_transmit()), (S::Closed, None), "{state:?}");
        assert_eq!(client.handle_end(), Ok(()));
    }
}

#[test]
fn the_server_hears_the_end_of_the_stream() {
    use ServerState as S;
    for state in SERVER_STATES {
        let mut server = server_in(state);
        let expected = match state {
            S::Idle | S::Closed => Ok(()),
            S::SendingFile => Err(Error::Ended(Ended::WhileSending)),
            S::ReceivingFile | S::Draining => Err(Error::Ended(Ended::InPayload { missing: 5 })),
            _ => Err(Error::Ended(Ended::AwaitingLine)),
        };
        assert_eq!(server.handle_end(), expected, "{state:?}");
        assert_eq!((server.state(), server.poll_transmit()), (S::Closed, None), "{state:?}");
        assert_eq!(server.handle_digest(md5(b"hello")), Err(Misuse::NotNow), "{state:?}");
    }
}

#[test]
fn an_end_within_a_line_is_early() {
    let early = Err(Error::Ended(Ended::AwaitingLine));
    let (mut client, mut server) = (Client::new(), Server::new());
    assert_eq!((client.handle_input(b"ERR"), server.handle_input(b"LIST_FI")), (Ok(None), Ok(None)));
    assert_eq!((client.clone().handle_end(), server.clone().handle_end()), (early, early));
    // Once the line is whole, all is in order again.
    server.handle_input(b"LIST_FILE\n").unwrap().unwrap();
    util::lines_of_server(&mut server);
    assert_eq!(server.handle_end(), Ok(()));
}

#[test]
fn a_download_that_breaks_has_no_last_word() {
    let mut server = server_in(ServerState::SendingFile);
    server.payload_sent(2).unwrap();
    server.close(Some(ErrorCode::Storage));
    assert_eq!((server.state(), server.poll_transmit()), (ServerState::Closed, None));
    // While the size line has not gone out, there still is one.
    let mut server = server_in(ServerState::DecidingDownload);
    server.accept_download(5).unwrap();
    assert_eq!(server.payload_sent(5), Err(Misuse::PollFirst));
    server.close(Some(ErrorCode::Storage));
    assert_eq!(util::lines_of_server(&mut server).len(), 1);
}

#[test]
fn input_that_came_early_waits_for_its_turn() {
    let all = b"UPLOAD\na.txt;5\nhelloLIST_FILES\nDOWNLOAD\n5d41402abc4b2a76b9719d911017c592\nLIST_FILES\n";
    let mut host = Host::new();
    let said = host.feed(&mut all.to_vec());
    let hash = "5d41402abc4b2a76b9719d911017c592";
    let expected = format!(
        "Please send the file name and size\nReady to receive the file\n{hash}\n{hash};a.txt;5\n\n\
         Please send a file ID\n5\nhello{hash};a.txt;5\n\n"
    );
    assert_eq!(String::from_utf8(said).unwrap(), expected);
}

#[test]
fn a_file_of_no_bytes_is_never_polled_for() {
    let mut server = server_in(ServerState::DecidingDownload);
    server.accept_download(0).unwrap();
    assert_eq!(
        (server.poll_transmit(), server.poll_transmit()),
        (Some(Transmit::Line(Reply::Size(0))), None)
    );
    assert_eq!(server.state(), ServerState::Idle);
    let mut client = Client::new();
    client.upload(name("empty"), 0).unwrap();
    for _ in 0..2 {
        util::lines_of_client(&mut client);
        client.handle_input(b"Yes?\n").unwrap().unwrap();
    }
    assert_eq!((client.poll_transmit(), client.state()), (None, ClientState::AwaitHash));
}

#[test]
fn the_client_reads_no_answer_before_its_line_is_out() {
    let mut client = Client::new();
    client.list_files().unwrap();
    assert_eq!(client.handle_input(b"No files available at the moment\n"), Ok(None));
    util::lines_of_client(&mut client);
    assert!(client.handle_input(b"No files available at the moment\n").unwrap().is_some());
}

#[test]
fn payload_is_counted() {
    let mut client = client_in(ClientState::SendingFile);
    assert_eq!(client.payload_sent(6), Err(Misuse::TooMuchPayload));
    assert_eq!((client.payload_sent(0), client.payload_sent(4), client.payload_left()), (Ok(()), Ok(()), 1));
    assert_eq!((client.payload_sent(1), client.state()), (Ok(()), ClientState::AwaitHash));
    let mut server = server_in(ServerState::SendingFile);
    assert_eq!(server.payload_sent(6), Err(Misuse::TooMuchPayload));
    assert_eq!((server.payload_sent(4), server.payload_left()), (Ok(()), 1));
    assert_eq!((server.payload_sent(1), server.state()), (Ok(()), ServerState::Idle));
    let mut client = client_in(ClientState::ReceivingFile);
    assert_eq!(client.handle_input(b"hel"), Ok(Some((3, ClientEvent::Payload(b"hel")))));
    assert_eq!(client.handle_input(b"loERROR x\n"), Ok(Some((2, ClientEvent::Payload(b"lo")))));
    assert_eq!((client.digest_due(), client.handle_input(b"ERROR x\n")), (true, Ok(None)));
}
