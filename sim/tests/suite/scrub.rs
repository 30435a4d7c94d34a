//! Rot is found, and nothing else is touched.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use faults::Content;
use protocol::{FileId, FileName};
use transfer::endpoint::md5_of;
use transfer::scrub::{ScrubError, scrub};
use transfer::storage::{DiskStore, OpenError, Store};

fn id_of(bytes: &[u8]) -> FileId {
    md5_of(&Content::Memory(bytes.into())).unwrap()
}

fn put(dir: &Path, name: &str, bytes: &[u8]) {
    let store = DiskStore::open(dir).unwrap();
    let mut incoming = store.create(bytes.len() as u64).unwrap();
    incoming.write(bytes).unwrap();
    incoming.commit(&FileName::parse(name).unwrap(), id_of(bytes)).unwrap();
}

/// Turns over a bit of a stored file.
fn rot(dir: &Path, name: &str, bytes: &[u8]) {
    let path = dir.join(id_of(bytes).to_string()).join(name);
    let mut rotten = bytes.to_vec();
    rotten[0] ^= 1;
    fs::write(path, rotten).unwrap();
}

fn sim(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_sim")).arg("scrub").args(args).output().unwrap()
}

#[test]
fn rotten_files_go_to_the_quarantine_and_overwrite_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    put(dir, "good", b"good bytes");
    put(dir, "bad", b"first bytes");
    fs::write(dir.join(".incoming/3"), b"half").unwrap();
    fs::write(dir.join("notes.txt"), b"mine").unwrap();
    let quarantine = dir.join(".quarantine");
    for (round, place) in ["", ".2"].iter().enumerate() {
        rot(dir, "bad", b"first bytes");
        let mut last = None;
        let report = scrub(dir, |progress| last = Some(progress)).unwrap();
        assert_eq!((report.files, report.good, report.bytes), (2, 1, 21));
        assert_eq!(last.map(|progress| (progress.done, progress.total)), Some((21, 21)));
        assert_eq!((report.opening.strays, report.opening.leftovers), (1, usize::from(round == 0)));
        let rotten = &report.rotten[0];
        assert_eq!((rotten.expected, rotten.found), (id_of(b"first bytes"), id_of(b"girst bytes")));
        let moved = quarantine.join(format!("{}{place}", rotten.expected)).join("bad");
        assert_eq!(rotten.moved, Ok(moved.clone()));
        assert_eq!(fs::read(moved).unwrap(), b"girst bytes");
        assert!(scrub(dir, |_| {}).unwrap().is_good(), "what is in quarantine is no file of the store");
        put(dir, "bad", b"first bytes");
    }
    let store = DiskStore::open(dir).unwrap();
    assert_eq!(store.list().unwrap().len(), 2);
    assert!(matches!(scrub(dir, |_| {}), Err(ScrubError::Open(OpenError::InUse(_)))));
}

#[test]
fn the_command_says_what_it_found() {
    let dir = tempfile::tempdir().unwrap();
    let store = dir.path().join("store");
    put(&store, "file", b"some bytes");
    let path = store.to_str().unwrap();
    let good = sim(&["--dir", path]);
    assert_eq!(good.status.code(), Some(0));
    let text = String::from_utf8(good.stdout).unwrap();
    assert_eq!(text, "1 of 1 good, 0 rotten, 0 unreadable; 10 bytes hashed\n");
    assert!(sim(&["--dir", path, "--quiet"]).stdout.is_empty());

    rot(&store, "file", b"some bytes");
    let bad = sim(&["--dir", path, "--json"]);
    assert_eq!(bad.status.code(), Some(1));
    let text = String::from_utf8(bad.stdout).unwrap();
    let objects: Vec<serde_json::Value> =
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((objects[0]["type"].as_str(), objects[0]["name"].as_str()), (Some("rotten"), Some("file")));
    assert_eq!((objects[1]["good"].as_u64(), objects[1]["rotten"].as_u64()), (Some(0), Some(1)));
}

#[test]
fn what_is_no_store_is_refused_and_left_as_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let missing = dir.path().join("missing");
    for (place, says) in [(dir.path(), "is not a store"), (&missing, "no such directory")] {
        let output = sim(&["--dir", place.to_str().unwrap()]);
        assert_eq!(output.status.code(), Some(2));
        let text = String::from_utf8(output.stderr).unwrap();
        assert!(text.contains(says), "{text}");
    }
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
    put(dir.path(), "file", b"bytes");
    let _server = DiskStore::open(dir.path()).unwrap();
    let output = sim(&["--dir", dir.path().to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8(output.stderr).unwrap().contains("in use"));
}
