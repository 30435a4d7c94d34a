//! The transition tables: snapshotted whole, every state reachable, and the machines held against them.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod util;

use std::collections::BTreeSet;
use std::fmt::Debug;

use protocol::state::{CLIENT, ClientInput, SERVER, ServerInput};
use protocol::{Client, ClientState, ErrorCode, Misuse, Reply, Server, ServerState};
use util::{CLIENT_STATES, SERVER_STATES, client_in, entry, md5, name, sample_id, server_in};

/// Every state with every input: where it leads, or that it is not allowed.
fn render<S: Copy + Debug, I: Copy + Debug>(
    states: &[S],
    inputs: &[I],
    after: fn(S, I) -> Option<S>,
) -> String {
    let mut lines = Vec::new();
    for &state in states {
        lines.push(format!("{state:?}"));
        let mut closed = Vec::new();
        for &input in inputs {
            match after(state, input) {
                Some(next) => lines.push(format!("    {:<14} -> {next:?}", format!("{input:?}"))),
                None => closed.push(format!("{input:?}")),
            }
        }
        lines.push(format!("    not allowed: {}\n", closed.join(", ")));
    }
    lines.join("\n")
}

fn assert_snapshot(name: &str, table: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../../snapshots");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, table));
}

fn client_inputs() -> Vec<ClientInput> {
    let inputs: BTreeSet<_> = CLIENT.iter().map(|row| row.1).chain([ClientInput::Close]).collect();
    inputs.into_iter().collect()
}

fn server_inputs() -> Vec<ServerInput> {
    let inputs: BTreeSet<_> = SERVER.iter().map(|row| row.1).chain([ServerInput::Close]).collect();
    inputs.into_iter().collect()
}

#[test]
fn client_table() {
    assert_snapshot("client_table", &render(&CLIENT_STATES, &client_inputs(), ClientState::after));
}

#[test]
fn server_table() {
    assert_snapshot("server_table", &render(&SERVER_STATES, &server_inputs(), ServerState::after));
}

/// What can be reached from `start` over the rows.
fn reachable<S: Copy + Ord, I>(start: S, table: &[(S, I, S)]) -> BTreeSet<S> {
    let mut seen = BTreeSet::from([start]);
    loop {
        let before = seen.len();
        let next: Vec<S> = table.iter().filter(|row| seen.contains(&row.0)).map(|row| row.2).collect();
        seen.extend(next);
        if seen.len() == before {
            return seen;
        }
    }
}

#[test]
fn every_state_is_reachable_and_leads_back() {
    let mut client = reachable(ClientState::Idle, CLIENT);
    client.insert(ClientState::Closed);
    assert_eq!(client, BTreeSet::from(CLIENT_STATES));
    let mut server = reachable(ServerState::Idle, SERVER);
    server.insert(ServerState::Closed);
    assert_eq!(server, BTreeSet::from(SERVER_STATES));
    for row in CLIENT {
        assert!(reachable(row.2, CLIENT).contains(&ClientState::Idle), "{row:?}");
    }
    for row in SERVER {
        assert!(reachable(row.2, SERVER).contains(&ServerState::Idle), "{row:?}");
    }
}

#[test]
fn no_row_stands_twice() {
    let client: BTreeSet<_> = CLIENT.iter().map(|row| (row.0, row.1)).collect();
    let server: BTreeSet<_> = SERVER.iter().map(|row| (row.0, row.1)).collect();
    assert_eq!((client.len(), server.len()), (CLIENT.len(), SERVER.len()));
}

/// What became of an input.
#[derive(Debug, PartialEq, Eq)]
enum Outcome<S> {
    /// It was taken, and led here.
    To(S),
    /// A command that is not allowed now. Nothing changed.
    Misuse,
    /// A line that may not come now. The session is over.
    Violation,
    /// The machine left the line with the caller: it has to act first.
    Left,
}

fn of_command<M: Clone + PartialEq + Debug, S>(
    machine: &M,
    command: impl FnOnce(&mut M) -> Result<S, Misuse>,
) -> Outcome<S> {
    let mut tried = machine.clone();
    match command(&mut tried) {
        Ok(state) => Outcome::To(state),
        Err(Misuse::NotNow) => {
            assert_eq!(&tried, machine, "a misuse changes nothing");
            Outcome::Misuse
        }
        Err(other) => panic!("{other}"),
    }
}

fn client_line(client: &Client, line: &str) -> Outcome<ClientState> {
    let mut client = client.clone();
    match client.handle_input(line.as_bytes()) {
        Ok(Some(_)) => Outcome::To(client.state()),
        Ok(None) => Outcome::Left,
        Err(_) => {
            assert_eq!(client.state(), ClientState::Closed);
            Outcome::Violation
        }
    }
}

fn try_client(client: &Client, input: ClientInput) -> Outcome<ClientState> {
    use ClientInput as I;
    let command = |run: fn(&mut Client) -> Result<(), Misuse>| {
        of_command(client, |client| run(client).map(|()| client.state()))
    };
    match input {
        I::ListFiles => command(Client::list_files),
        I::Upload => command(|client| client.upload(name("b.txt"), 7)),
        I::Download => command(|client| client.download(md5(b"x"))),
        I::Discard => command(|client| client.discard(md5(b"x"))),
        I::Entry => client_line(client, &format!("{}\n", entry("b.txt", b"x"))),
        I::NoFiles => client_line(client, &format!("{}\n", Reply::NoFiles)),
        I::ListEnd => client_line(client, "\n"),
        I::GoAhead => client_line(client, "Yes?\n"),
        I::Hash => client_line(client, &format!("{}\n", md5(b"x"))),
        I::Size => client_line(client, "7\n"),
        I::Error => client_line(client, "ERROR storage\n"),
        I::FileSent => command(|client| client.payload_sent(client.payload_left())),
        I::FileReceived => client_line(client, "hello"),
        I::DigestSame => command(|client| client.handle_digest(sample_id()).map(drop)),
        I::DigestDiffers => command(|client| client.handle_digest(md5(b"x")).map(drop)),
        I::Close => command(|client| {
            client.close();
            Ok(())
        }),
    }
}

/// What the table says becomes of an input.
fn client_due(state: ClientState, input: ClientInput) -> Outcome<ClientState> {
    use ClientInput as I;
    use ClientState as S;
    let commands =
        [I::ListFiles, I::Upload, I::Download, I::Discard, I::FileSent, I::DigestSame, I::DigestDiffers];
    // At a prompt every line but an error is a go-ahead.
    let prompt = state.after(I::GoAhead).is_some() && !commands.contains(&input) && input != I::Close;
    let read_as = match input {
        // Five bytes without LF are not a line yet.
        I::FileReceived if state != S::ReceivingFile => return Outcome::Left,
        _ if state == S::ReceivingFile && !commands.contains(&input) && input != I::Close => {
            return payload_due(input);
        }
        I::Error => I::Error,
        _ if prompt => I::GoAhead,
        other => other,
    };
    match state.after(read_as) {
        Some(next) => Outcome::To(next),
        None if commands.contains(&input) => Outcome::Misuse,
        None if state == S::Closed || state.after(I::DigestSame).is_some() => Outcome::Left,
        // While it sends it looks for a refusal only, and for one.
        None if state.after(I::FileSent).is_some() => Outcome::Left,
        None => Outcome::Violation,
    }
}

/// In a payload nothing is looked at: it ends after five bytes, whatever they are.
fn payload_due(input: ClientInput) -> Outcome<ClientState> {
    let short = matches!(input, ClientInput::ListEnd | ClientInput::Size);
    Outcome::To(if short { ClientState::ReceivingFile } else { ClientState::ComparingDownload })
}

#[test]
fn the_client_follows_the_table() {
    for state in CLIENT_STATES {
        for input in client_inputs() {
            assert_eq!(
                try_client(&client_in(state), input),
                client_due(state, input),
                "{state:?}, {input:?}"
            );
        }
    }
}

fn server_line(server: &Server, line: &str) -> Outcome<ServerState> {
    let mut server = server.clone();
    match server.handle_input(line.as_bytes()) {
        Ok(Some(_)) => Outcome::To(server.state()),
        Ok(None) => Outcome::Left,
        Err(_) => Outcome::Violation,
    }
}

fn try_server(server: &Server, input: ServerInput) -> Outcome<ServerState> {
    use ServerInput as I;
    let command = |run: fn(&mut Server) -> Result<(), Misuse>| {
        of_command(server, |server| run(server).map(|()| server.state()))
    };
    match input {
        I::ListFiles => server_line(server, "LIST_FILES\n"),
        I::Upload => server_line(server, "UPLOAD\n"),
        I::Download => server_line(server, "DOWNLOAD\n"),
        I::Discard => server_line(server, &format!("DISCARD {}\n", md5(b"x"))),
        I::Details => server_line(server, "b.txt;7\n"),
        I::Id => server_line(server, &format!("{}\n", md5(b"x"))),
        I::BadLine => server_line(server, "what?\n"),
        I::Entry => command(|server| server.list_entry(entry("b.txt", b"x"))),
        I::NoFiles | I::ListEnd => command(|server| server.list_end().map(drop)),
        I::Accept => command(accept),
        I::Refuse => command(|server| server.refuse(ErrorCode::Storage)),
        I::FileReceived => server_line(server, "hello"),
        I::Digest => command(|server| server.handle_digest(md5(b"x"))),
        I::FileSent => command(|server| server.payload_sent(server.payload_left())),
        I::Close => command(|server| {
            server.close(None);
            Ok(())
        }),
    }
}

type Command = fn(&mut Server) -> Result<(), Misuse>;

/// Tries all three, of which one is right at most.
fn accept(server: &mut Server) -> Result<(), Misuse> {
    let tries: [Command; 3] =
        [Server::accept_upload, |server| server.accept_download(7), Server::accept_discard];
    let before = server.clone();
    let worked: Vec<Server> = tries
        .iter()
        .filter_map(|accept| {
            let mut server = before.clone();
            accept(&mut server).is_ok().then_some(server)
        })
        .collect();
    assert!(worked.len() <= 1, "{:?}", before.state());
    *server = worked.into_iter().next().ok_or(Misuse::NotNow)?;
    Ok(())
}

/// What the table says becomes of an input.
fn server_due(state: ServerState, input: ServerInput) -> Outcome<ServerState> {
    use ServerInput as I;
    let lines = [I::ListFiles, I::Upload, I::Download, I::Discard, I::Details, I::Id, I::BadLine];
    let in_payload = state.after(I::FileReceived).is_some();
    let found = state.after(input).or_else(|| match input {
        // Whatever does not fit is a bad line, where lines are read; payload is not looked at.
        _ if lines.contains(&input) && in_payload => state.after(I::FileReceived),
        _ if lines.contains(&input) => state.after(I::BadLine),
        // Both are `list_end`.
        I::NoFiles => state.after(I::ListEnd),
        I::ListEnd => state.after(I::NoFiles),
        _ => None,
    });
    match found {
        Some(next) => Outcome::To(next),
        None if lines.contains(&input) || input == I::FileReceived => Outcome::Left,
        None => Outcome::Misuse,
    }
}

#[test]
fn the_server_follows_the_table() {
    for state in SERVER_STATES {
        for input in server_inputs() {
            assert_eq!(
                try_server(&server_in(state), input),
                server_due(state, input),
                "{state:?}, {input:?}"
            );
        }
    }
}

#[test]
fn a_waiting_line_has_to_be_taken_first() {
    let mut server = server_in(ServerState::Listing);
    server.list_entry(entry("a.txt", b"a")).unwrap();
    let before = server.clone();
    assert_eq!(server.list_entry(entry("b.txt", b"b")), Err(Misuse::PollFirst));
    assert_eq!(server.list_end(), Err(Misuse::PollFirst));
    assert_eq!(server.refuse(ErrorCode::Storage), Err(Misuse::PollFirst));
    assert_eq!(server.handle_input(b"LIST_FILES\n"), Ok(None));
    assert_eq!(server, before);
    let mut server = server_in(ServerState::DecidingUpload);
    server.accept_upload().unwrap();
    assert_eq!(server.handle_input(b"hello"), Ok(None));
    assert_eq!(server.refuse(ErrorCode::NoSpace), Err(Misuse::PollFirst));
}
