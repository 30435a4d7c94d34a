//! Many at once: a thousand that say nothing, dozens that transfer, and more than are wanted.

use std::net::TcpStream;
use std::thread;

use nix::sys::signal::Signal;

use super::program::Serve;
use super::raw::Raw;
use super::{PATIENCE, md5, noise, sim};

const IDLE: usize = 1_000;
const BUSY: u64 = 64;
const SIZE: usize = 1024 * 1024;
/// The most memory that the server may take for all of them, in KiB.
const MEMORY: u64 = 150 * 1024;

/// Uploads a file of its own and downloads it again.
fn up_and_down(address: &str, number: u64) {
    let content = noise(number, SIZE);
    let mut raw = Raw::connect(address);
    let id = raw.put(&format!("file {number}"), &content).unwrap();
    assert_eq!(id, md5(&content).to_string());
    assert!(raw.get(&id).unwrap().unwrap() == content, "file {number} is damaged");
    raw.finish();
    raw.expect_end();
}

#[test]
fn a_thousand_idle_and_64_that_transfer_are_served_in_little_memory() {
    rlimit::increase_nofile_limit(4 * IDLE as u64).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let serve = Serve::start(dir.path(), &["--quiet"]);
    let mut idle: Vec<Raw> = (0..IDLE).map(|_| Raw::connect(&serve.address)).collect();
    assert!(idle[IDLE - 1].list().unwrap().is_empty(), "the last of them is served");
    thread::scope(|scope| {
        let address = &serve.address;
        for number in 0..BUSY {
            scope.spawn(move || up_and_down(address, number));
        }
        let ended = sim(&["ls", address]);
        assert_eq!(ended.code, Some(0), "in the midst of it: {ended:?}");
    });
    assert_eq!(idle[0].list().unwrap().len() as u64, BUSY, "the first of them is still served");
    if let Some(peak) = serve.peak_memory() {
        assert!(peak < MEMORY, "{peak} KiB");
    }
    drop(idle);
    serve.stop();
}

/// How many connections the system lets wait at a listener at most.
fn longest_queue() -> Option<usize> {
    std::fs::read_to_string("/proc/sys/net/core/somaxconn").ok()?.trim().parse().ok()
}

#[test]
#[ignore = "needs a long queue at a listener: .ci/run does it where that is"]
fn needs_queue_all_of_a_crowd_get_in_line_at_once() {
    const CROWD: usize = 1_500;
    assert!(longest_queue().is_some_and(|longest| longest >= CROWD), "no queue here is long enough");
    rlimit::increase_nofile_limit(2 * CROWD as u64).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let serve = Serve::start(dir.path(), &["--quiet"]);
    // As long as it does not run, nobody leaves the line: who finds no place in it waits for ever.
    serve.signal(Signal::SIGSTOP);
    let address = serve.address.parse().unwrap();
    let join = |number: usize| {
        TcpStream::connect_timeout(&address, PATIENCE).unwrap_or_else(|error| panic!("{number}: {error}"))
    };
    let crowd: Vec<TcpStream> = (0..CROWD).map(join).collect();
    serve.signal(Signal::SIGCONT);
    for stream in crowd {
        assert!(Raw::over(stream).list().unwrap().is_empty());
    }
    serve.stop();
}

#[test]
fn one_too_many_is_told_busy_and_served_when_another_has_left() {
    let dir = tempfile::tempdir().unwrap();
    let serve = Serve::start(dir.path(), &["--max-connections", "2"]);
    let mut two: Vec<Raw> = (0..2).map(|_| Raw::connect(&serve.address)).collect();
    two.iter_mut().for_each(|raw| assert!(raw.list().unwrap().is_empty()));

    let mut third = Raw::connect(&serve.address);
    assert_eq!(third.line().unwrap(), "ERROR busy too many connections, try again later");
    third.expect_end();
    third.finish();
    let ended = sim(&["ls", &serve.address]);
    assert_eq!(ended.code, Some(4), "{ended:?}");
    assert!(ended.err.contains("busy"), "{ended:?}");

    let left = two.pop().unwrap();
    left.finish();
    { left }.expect_end();
    let ended = retry_while_busy(&serve.address);
    assert_eq!(ended, Some(0));
    assert!(two[0].list().unwrap().is_empty(), "the one that stayed never noticed");
    drop((two, third));
    serve.stop();
}

/// The server ends a session a moment after its client has seen the end of it.
fn retry_while_busy(address: &str) -> Option<i32> {
    const TRIES: usize = 50;
    (0..TRIES).map(|_| sim(&["ls", address]).code).find(|code| *code != Some(4)).flatten()
}

#[test]
fn far_too_many_harm_nobody() {
    let dir = tempfile::tempdir().unwrap();
    let serve = Serve::start(dir.path(), &["--max-connections", "1", "--quiet"]);
    let mut first = Raw::connect(&serve.address);
    first.list().unwrap();
    // More than are told so: the rest find themselves closed.
    let crowd: Vec<TcpStream> = (0..200).map(|_| TcpStream::connect(&serve.address).unwrap()).collect();
    for stream in crowd {
        let said = Raw::over(stream).rest().unwrap_or_default();
        assert!(said.is_empty() || said.starts_with(b"ERROR busy"), "{}", String::from_utf8_lossy(&said));
    }
    let content = noise(1, 100_000);
    assert_eq!(first.put("a", &content).unwrap(), md5(&content).to_string());
    drop(first);
    serve.stop();
}
