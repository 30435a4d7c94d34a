//! Clients that keep a server waiting, or leave it in the midst.

use std::time::Duration;

use tokio::time::Instant;

use super::fake::Fake;
use super::program::Serve;
use super::raw::Raw;
use super::wire::list;
use super::{arriving, md5, noise, sim};

/// The deadline of the servers here, in seconds.
const TIMEOUT: &str = "1";
/// What comes well after that deadline, and well before any other.
const LATE: Duration = Duration::from_secs(10);

/// Sends `byte` again and again, with a pause that is a wait for an answer, until there is one.
fn trickle(raw: &mut Raw, byte: u8) -> Vec<u8> {
    let began = Instant::now();
    while began.elapsed() < LATE {
        // An error means that the server has left: what it said before is still there to be read.
        let _ = raw.send([byte]);
        if let Some(answer) = raw.at_once().unwrap() {
            assert!(began.elapsed() >= Duration::from_millis(900), "cut off before its time");
            return answer;
        }
    }
    panic!("it may go on for ever");
}

fn timed_out(answer: &[u8]) {
    assert_eq!(String::from_utf8_lossy(answer), "ERROR timeout nothing came for too long\n");
}

#[test]
fn a_trickle_does_not_keep_a_session_alive() {
    let dir = tempfile::tempdir().unwrap();
    let serve = Serve::start(dir.path(), &["--timeout", TIMEOUT]);
    let mut payload = Raw::connect(&serve.address);
    payload.announce("slow", 1_000_000).unwrap();
    timed_out(&trickle(&mut payload, b'x'));
    timed_out(&trickle(&mut Raw::connect(&serve.address), b'L'));
    let mut silent = Raw::connect(&serve.address);
    timed_out(format!("{}\n", silent.line().unwrap()).as_bytes());
    silent.expect_end();
    assert_eq!(arriving(dir.path()), [""; 0]);
    drop((payload, silent));
    serve.stop();
}

/// Sends `byte` again and again until the client has left.
fn trickle_to_the_end(mut client: Raw, byte: u8) {
    let began = Instant::now();
    while began.elapsed() < LATE {
        // An error, be it of the writing or of the reading, means that it has left.
        let gone = client.send([byte]).is_err() || matches!(client.at_once(), Ok(Some(_)) | Err(_));
        if gone {
            return;
        }
    }
    panic!("the client waits for ever");
}

#[test]
fn a_server_that_trickles_is_given_up() {
    const ID: &str = "5d41402abc4b2a76b9719d911017c592";
    const SIZE: usize = 1_000_000;
    let out = tempfile::tempdir().unwrap();
    let to = out.path().to_str().unwrap();
    let in_a_listing = |mut client: Raw| {
        client.expect("LIST_FILES\n");
        trickle_to_the_end(client, b'5');
    };
    let at_a_prompt = |mut client: Raw| {
        list(&mut client, ID, "a", SIZE);
        client.expect("DOWNLOAD\n");
        trickle_to_the_end(client, b'o');
    };
    let in_a_file = |mut client: Raw| {
        list(&mut client, ID, "a", SIZE);
        client.expect("DOWNLOAD\n");
        client.send("ok\n").unwrap();
        client.expect(format!("{ID}\n"));
        client.send(format!("{SIZE}\n")).unwrap();
        trickle_to_the_end(client, b'x');
    };
    let get: &[&str] = &["get", "a", "-o", to];
    for (fake, args) in [
        (Fake::once(in_a_listing), &["ls"][..]),
        (Fake::once(at_a_prompt), get),
        (Fake::once(in_a_file), get),
    ] {
        let all = [args[0], &fake.address, "--timeout", TIMEOUT].into_iter().chain(args[1..].iter().copied());
        let ended = sim(&all.collect::<Vec<_>>());
        fake.join();
        assert_eq!(ended.code, Some(4), "{args:?}: {ended:?}");
        assert!((ended.out + &ended.err).contains("deadline"), "{args:?}");
    }
    assert_eq!(super::names_in(out.path()), [""; 0]);
}

#[test]
fn one_that_reads_nothing_costs_little_and_ends() {
    const SIZE: usize = 100_000_000;
    /// In KiB; far less than the file.
    const MEMORY: u64 = 60 * 1024;
    let (dir, here) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let path = here.path().join("large");
    let content = noise(1, SIZE);
    let id = md5(&content).to_string();
    std::fs::write(&path, &content).unwrap();
    let mut serve = Serve::start(dir.path(), &["--timeout", TIMEOUT]);
    assert_eq!(sim(&["put", &serve.address, path.to_str().unwrap()]).code, Some(0));

    let mut lazy: Vec<Raw> = (0..8).map(|_| Raw::connect(&serve.address)).collect();
    for raw in &mut lazy {
        raw.ask("DOWNLOAD").unwrap();
        assert_eq!(raw.ask(&id).unwrap(), SIZE.to_string());
    }
    let mut other = Raw::connect(&serve.address);
    assert_eq!(other.put("small", b"hello").unwrap(), md5(b"hello").to_string());
    for _ in &lazy {
        let line = serve.logged("session broke off");
        assert!(line.contains("deadline") || line.contains("nothing"), "{line}");
    }
    for raw in &mut lazy {
        // What it gets is cut off, by an end or by a reset, and never filled up with a word (R20).
        let came = raw.rest().unwrap_or_default();
        assert!(came.len() < SIZE && content.starts_with(&came));
    }
    if let Some(peak) = serve.peak_memory() {
        assert!(peak < MEMORY, "{peak} KiB");
    }
    drop(other);
    serve.stop();
}

#[test]
fn one_that_vanishes_leaves_nothing_behind() {
    let dir = tempfile::tempdir().unwrap();
    let mut serve = Serve::start(dir.path(), &[]);
    for ends in [Raw::reset, |raw: Raw| raw.finish(), drop] {
        let mut raw = Raw::connect(&serve.address);
        raw.announce("gone", 3_000_000).unwrap();
        raw.send(noise(1, 1_000_000)).unwrap();
        ends(raw);
        serve.logged("session broke off");
        assert_eq!(arriving(dir.path()), [""; 0]);
    }
    // In the midst of a line, and of a download.
    let mut raw = Raw::connect(&serve.address);
    raw.send("LIST_FI").unwrap();
    raw.finish();
    serve.logged("session broke off");
    let content = noise(2, 30_000_000);
    let id = Raw::connect(&serve.address).put("here", &content).unwrap();
    for ends in [Raw::reset, |raw: Raw| raw.finish()] {
        let mut raw = Raw::connect(&serve.address);
        raw.ask("DOWNLOAD").unwrap();
        raw.ask(&id).unwrap();
        ends(raw);
        let line = serve.logged("session broke off");
        assert!(line.contains("uploads=0 downloads=0"), "{line}");
    }

    let mut raw = Raw::connect(&serve.address);
    assert_eq!(raw.list().unwrap().len(), 1);
    assert!(raw.get(&id).unwrap().unwrap() == content);
    drop(raw);
    serve.stop();
}
