//! A server that is told to stop: nobody new comes in, idle sessions end, transfers finish, and none stays half there.

use std::net::TcpStream;

use nix::sys::signal::Signal;

use super::program::Serve;
use super::raw::Raw;
use super::{arriving, md5, noise};

/// A session that has been served, and has nothing under way.
fn idle(address: &str) -> Raw {
    let mut raw = Raw::connect(address);
    raw.list().unwrap();
    raw
}

/// An upload of which half has been sent and the rest is returned.
fn half_an_upload(address: &str, content: &[u8]) -> Raw {
    let mut raw = Raw::connect(address);
    raw.announce("half", content.len()).unwrap();
    raw.send(&content[..content.len() / 2]).unwrap();
    raw
}

fn names(dir: &std::path::Path) -> Vec<String> {
    let serve = Serve::start(dir, &[]);
    let listed = Raw::connect(&serve.address).list().unwrap();
    serve.stop();
    listed.iter().map(|entry| entry.name.to_string()).collect()
}

fn transfers_finish_after(signal: Signal) {
    let dir = tempfile::tempdir().unwrap();
    let serve = Serve::start(dir.path(), &["--grace", "600", "--timeout", "600"]);
    let large = noise(1, 20_000_000);
    let mut idle = idle(&serve.address);
    idle.put("large", &large).unwrap();
    let content = noise(2, 1_000_000);
    let mut up = half_an_upload(&serve.address, &content);
    let mut down = Raw::connect(&serve.address);
    down.ask("DOWNLOAD").unwrap();
    let id = md5(&large).to_string();
    assert_eq!(down.ask(&id).unwrap(), large.len().to_string());

    serve.signal(signal);
    idle.expect_end();
    assert!(TcpStream::connect(&serve.address).is_err(), "nobody new comes in");

    up.send(&content[content.len() / 2..]).unwrap();
    assert_eq!(up.line().unwrap(), md5(&content).to_string());
    up.expect_end();
    assert!(down.exactly(large.len()).unwrap() == large);
    down.expect_end();
    let ended = serve.end();
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    assert!(ended.err.contains("dropped=0"), "{}", ended.err);
    assert_eq!(names(dir.path()), ["half", "large"]);
}

#[test]
fn after_sigterm_transfers_finish_and_nobody_new_comes_in() {
    transfers_finish_after(Signal::SIGTERM);
}

#[test]
fn after_sigint_transfers_finish_and_nobody_new_comes_in() {
    transfers_finish_after(Signal::SIGINT);
}

#[test]
fn an_upload_that_does_not_finish_in_time_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let serve = Serve::start(dir.path(), &["--grace", "0.3", "--timeout", "600"]);
    let mut up = half_an_upload(&serve.address, &noise(1, 1_000_000));
    assert_eq!(arriving(dir.path()).len(), 1, "it is on its way");
    serve.signal(Signal::SIGTERM);
    let ended = serve.end();
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    assert!(ended.err.contains("dropped=1"), "{}", ended.err);
    assert_eq!(arriving(dir.path()), [""; 0]);
    assert!(up.line().is_err(), "its client is not left waiting");
    assert_eq!(names(dir.path()), [""; 0]);
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let serve = Serve::start(dir.path(), &["--grace", "600", "--timeout", "600"]);
    let mut idle = idle(&serve.address);
    let _up = half_an_upload(&serve.address, &noise(1, 1_000_000));
    serve.signal(Signal::SIGTERM);
    idle.expect_end();
    serve.signal(Signal::SIGINT);
    assert_eq!(serve.end().code, Some(130));
    assert_eq!(names(dir.path()), [""; 0]);
    assert_eq!(arriving(dir.path()), [""; 0], "the next server sweeps up");
}

#[test]
fn a_server_that_nobody_uses_stops_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let serve = Serve::start(dir.path(), &["--grace", "600"]);
    serve.signal(Signal::SIGHUP);
    assert_eq!(serve.end().code, Some(0));
}
