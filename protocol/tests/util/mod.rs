//! What the tests share: digests, samples, and both machines in any state that one asks for.

#![allow(dead_code, reason = "each test file uses its own part")]

pub(crate) mod host;

use md5::{Digest, Md5};
use protocol::{
    Client, ClientState, Entry, FileId, FileName, Reply, Request, Server, ServerState, Transmit,
    UploadDetails,
};

/// The id of this content: its MD5.
pub(crate) fn md5(content: &[u8]) -> FileId {
    FileId::from_bytes(Md5::digest(content).into())
}

pub(crate) fn name(text: &str) -> FileName {
    FileName::parse(text).unwrap()
}

pub(crate) fn details(text: &str, size: u64) -> UploadDetails {
    UploadDetails { name: name(text), size }
}

pub(crate) fn entry(text: &str, content: &[u8]) -> Entry {
    Entry { name: name(text), id: md5(content), size: content.len() as u64 }
}

/// Size of the file in every machine that [`client_in`] and [`server_in`] put into a state.
pub(crate) const SIZE: u64 = 5;
/// Its id; the content is never seen.
pub(crate) fn sample_id() -> FileId {
    md5(b"hello")
}

pub(crate) const CLIENT_STATES: [ClientState; 16] = {
    use ClientState as S;
    [
        S::Idle,
        S::AwaitListing,
        S::InListing,
        S::AfterNoFiles,
        S::AwaitDetailsPrompt,
        S::AwaitReady,
        S::SendingFile,
        S::SendingRefused,
        S::AwaitHash,
        S::ComparingUpload,
        S::AwaitIdPrompt,
        S::AwaitSize,
        S::ReceivingFile,
        S::ComparingDownload,
        S::AwaitDiscarded,
        S::Closed,
    ]
};

pub(crate) const SERVER_STATES: [ServerState; 14] = {
    use ServerState as S;
    [
        S::Idle,
        S::Listing,
        S::InListing,
        S::AfterNoFiles,
        S::AwaitDetails,
        S::DecidingUpload,
        S::ReceivingFile,
        S::Storing,
        S::Draining,
        S::AwaitId,
        S::DecidingDownload,
        S::SendingFile,
        S::DecidingDiscard,
        S::Closed,
    ]
};

/// The lines (and payload) from the server that lead a client through an exchange to `state`.
fn way_to(state: ClientState) -> (fn(&mut Client), Vec<String>) {
    use ClientState as S;
    let list: fn(&mut Client) = |client| client.list_files().unwrap();
    let upload: fn(&mut Client) = |client| client.upload(name("a.txt"), SIZE).unwrap();
    let download: fn(&mut Client) = |client| client.download(sample_id()).unwrap();
    let discard: fn(&mut Client) = |client| client.discard(sample_id()).unwrap();
    let lines = |lines: &[&str]| lines.iter().map(|line| format!("{line}\n")).collect::<Vec<_>>();
    let hash = sample_id().to_string();
    match state {
        S::Idle => (|_| {}, vec![]),
        S::AwaitListing => (list, vec![]),
        S::InListing => (list, lines(&[&entry("a.txt", b"hello").to_string()])),
        S::AfterNoFiles => (list, lines(&[&Reply::NoFiles.to_string()])),
        S::AwaitDetailsPrompt => (upload, vec![]),
        S::AwaitReady => (upload, lines(&["name?"])),
        S::SendingFile => (upload, lines(&["name?", "ready"])),
        S::SendingRefused => (upload, lines(&["name?", "ready", "ERROR storage"])),
        S::AwaitHash => (upload, [lines(&["name?", "ready"]), vec![String::new()]].concat()),
        S::ComparingUpload => (upload, [way_to(S::AwaitHash).1, lines(&[&hash])].concat()),
        S::AwaitIdPrompt => (download, vec![]),
        S::AwaitSize => (download, lines(&["id?"])),
        S::ReceivingFile => (download, lines(&["id?", "5"])),
        S::ComparingDownload => (download, [lines(&["id?", "5"]), vec!["hello".into()]].concat()),
        S::AwaitDiscarded => (discard, vec![]),
        S::Closed => (Client::close, vec![]),
    }
}

/// A client in this state, nothing waiting in `poll_transmit` but payload. An empty text in its way stands
/// for the payload going out.
pub(crate) fn client_in(state: ClientState) -> Client {
    let mut client = Client::new();
    let (command, way) = way_to(state);
    command(&mut client);
    for input in way {
        lines_of_client(&mut client);
        if input.is_empty() {
            client.payload_sent(SIZE).unwrap();
        } else {
            client.handle_input(input.as_bytes()).unwrap().unwrap();
        }
    }
    lines_of_client(&mut client);
    assert_eq!(client.state(), state);
    client
}

/// Takes the lines that wait.
pub(crate) fn lines_of_client(client: &mut Client) -> Vec<Request> {
    let mut lines = Vec::new();
    while let Some(Transmit::Line(line)) = client.poll_transmit() {
        lines.push(line);
    }
    lines
}

/// Takes the lines that wait.
pub(crate) fn lines_of_server(server: &mut Server) -> Vec<Reply> {
    let mut lines = Vec::new();
    while let Some(Transmit::Line(line)) = server.poll_transmit() {
        lines.push(line);
    }
    lines
}

/// Hands in the lines and polls after each.
fn feed(server: &mut Server, lines: &[&str]) {
    for line in lines {
        server.handle_input(line.as_bytes()).unwrap().unwrap();
        lines_of_server(server);
    }
}

/// A server in this state, nothing waiting in `poll_transmit` but payload.
pub(crate) fn server_in(state: ServerState) -> Server {
    use ServerState as S;
    let mut server = Server::new();
    let id = format!("{}\n", sample_id());
    match state {
        S::Idle => {}
        S::Listing | S::InListing | S::AfterNoFiles => feed(&mut server, &["LIST_FILES\n"]),
        S::AwaitDetails => feed(&mut server, &["UPLOAD\n"]),
        S::DecidingUpload | S::ReceivingFile | S::Storing | S::Draining => {
            feed(&mut server, &["UPLOAD\n", "a.txt;5\n"]);
        }
        S::AwaitId => feed(&mut server, &["DOWNLOAD\n"]),
        S::DecidingDownload | S::SendingFile => feed(&mut server, &["DOWNLOAD\n", &id]),
        S::DecidingDiscard => feed(&mut server, &[&format!("DISCARD {id}")]),
        S::Closed => server.close(None),
    }
    decide(&mut server, state);
    lines_of_server(&mut server);
    assert_eq!(server.state(), state);
    server
}

/// The application's part of the way to `state`.
fn decide(server: &mut Server, state: ServerState) {
    use ServerState as S;
    match state {
        S::InListing => server.list_entry(entry("a.txt", b"hello")).unwrap(),
        S::AfterNoFiles => assert_eq!(server.list_end(), Ok(false)),
        S::ReceivingFile | S::Storing | S::Draining => server.accept_upload().unwrap(),
        S::SendingFile => server.accept_download(SIZE).unwrap(),
        _ => return,
    }
    lines_of_server(server);
    match state {
        S::Storing => assert!(server.handle_input(b"hello").unwrap().is_some()),
        S::Draining => server.refuse(protocol::ErrorCode::NoSpace).unwrap(),
        _ => {}
    }
}
