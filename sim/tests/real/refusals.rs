//! Clients whose server lies, refuses, or goes away: what they say of it, and what they leave behind.

use std::fs;
use std::io::ErrorKind;
use std::net::TcpListener;

use nix::sys::signal::Signal;

use super::fake::Fake;
use super::program::Program;
use super::raw::Raw;
use super::wire::{file, give, list, take_upload};
use super::{md5, names_in, noise, sim};

const HELLO: &str = "5d41402abc4b2a76b9719d911017c592";
const WRONG: &str = "ffffffffffffffffffffffffffffffff";

/// A wrong hash for the upload of "hello", and what the client does about it.
fn lie_about_upload(client: &mut Raw) {
    take_upload(client, "a", b"hello", Some(WRONG));
    client.expect(format!("DISCARD {WRONG}\n"));
    client.send("Discarded\n").unwrap();
}

#[test]
fn a_wrong_hash_is_a_fail_and_is_discarded() {
    let (_dir, path) = file("a", b"hello");
    let fake = Fake::once(|mut client| {
        lie_about_upload(&mut client);
        client.expect_end();
    });
    let ended = sim(&["put", &fake.address, &path]);
    fake.join();
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.out.starts_with("Fail     a") && ended.out.contains(WRONG), "{ended:?}");
}

#[test]
fn a_wrong_hash_of_one_bit_is_a_fail() {
    let (_dir, path) = file("a", b"hello");
    let almost = HELLO.replace("c592", "c593");
    let fake = Fake::once(move |mut client| {
        take_upload(&mut client, "a", b"hello", Some(&almost));
        client.expect("DISCARD ");
    });
    let ended = sim(&["put", &fake.address, &path, "--quiet"]);
    fake.join();
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.out.starts_with("Fail"), "not even a quiet one keeps that to itself: {ended:?}");
}

#[test]
fn a_damaged_download_is_a_fail_and_leaves_nothing() {
    let out = tempfile::tempdir().unwrap();
    let to = out.path().to_str().unwrap();
    for (content, code) in [(&b"hellp"[..], 1), (b"hell", 1), (b"", 1), (b"hello\n", 1), (b"hello", 0)] {
        let fake = Fake::once(move |mut client| {
            list(&mut client, HELLO, "a", 5);
            give(&mut client, HELLO, content);
            client.expect_end();
        });
        let ended = sim(&["get", &fake.address, "a", "-o", to]);
        fake.join();
        assert_eq!(ended.code, Some(code), "{ended:?}");
        let left: &[&str] = if code == 0 { &["a"] } else { &[] };
        assert_eq!(names_in(out.path()), left, "{ended:?}");
    }
}

#[test]
fn a_damaged_download_does_not_replace_a_good_one() {
    let (dir, path) = file("a", b"mine");
    let fake = Fake::once(|mut client| {
        list(&mut client, HELLO, "a", 5);
        give(&mut client, HELLO, b"hellp");
        client.expect_end();
    });
    let ended = sim(&["get", &fake.address, "a", "-o", &path, "--force"]);
    fake.join();
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert_eq!((fs::read(&path).unwrap(), names_in(dir.path())), (b"mine".to_vec(), vec!["a".to_owned()]));
}

#[test]
fn session_fails_by_a_wrong_hash_and_by_a_damaged_download() {
    let (_dir, path) = file("a", b"hello");
    let upload = Fake::once(|mut client| {
        client.expect("LIST_FILES\n");
        client.send("No files available at the moment\n\n").unwrap();
        lie_about_upload(&mut client);
    });
    let ended = sim(&["session", &upload.address, &path]);
    upload.join();
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.out.contains("Fail: its own MD5") && ended.out.ends_with("Fail\n"), "{ended:?}");

    let download = Fake::once(|mut client| {
        client.expect("LIST_FILES\n");
        client.send("No files available at the moment\n\n").unwrap();
        take_upload(&mut client, "a", b"hello", None);
        list(&mut client, HELLO, "a", 5);
        give(&mut client, HELLO, b"hellp");
        client.expect_end();
    });
    let ended = sim(&["session", &download.address, &path]);
    download.join();
    assert_eq!(ended.code, Some(1), "{ended:?}");
}

#[test]
fn after_a_refusal_put_goes_on_with_the_rest() {
    let (dir, first) = file("a", b"hello");
    let more = ["b", "c"].map(|name| {
        let path = dir.path().join(name);
        fs::write(&path, noise(1, 200_000)).unwrap();
        path.to_str().unwrap().to_owned()
    });
    let fake = Fake::once(|mut client| {
        client.expect("UPLOAD\n");
        client.send("ok\n").unwrap();
        client.expect("a;5\n");
        client.send("ERROR no-space full\n").unwrap();
        // In the midst of the payload: the client still owes the rest (R19).
        client.expect("UPLOAD\n");
        client.send("ok\n").unwrap();
        client.expect("b;200000\n");
        client.send("ok\n").unwrap();
        client.expect(&noise(1, 200_000)[..50_000]);
        client.send("ERROR storage broken\n").unwrap();
        client.expect(&noise(1, 200_000)[50_000..]);
        take_upload(&mut client, "c", &noise(1, 200_000), None);
        client.expect_end();
    });
    let ended = sim(&["put", &fake.address, &first, &more[0], &more[1]]);
    fake.join();
    assert_eq!(ended.code, Some(4), "{ended:?}");
    let lines: Vec<&str> = ended.out.lines().collect();
    assert!(lines[0].starts_with("Fail     a  refused: full (no-space)"), "{ended:?}");
    assert!(lines[1].starts_with("Fail     b  refused: broken (storage)"), "{ended:?}");
    assert!(lines[2].starts_with("Success  c"), "{ended:?}");
}

/// Takes of a client's bytes as many as these, says `last`, and leaves.
fn leave_after(bytes: usize, last: &'static [u8]) -> Fake {
    Fake::once(move |mut client| {
        client.send(last).unwrap();
        client.exactly(bytes).unwrap();
    })
}

#[test]
fn a_server_that_leaves_in_the_midst_is_no_success() {
    let (dir, path) = file("a", &noise(1, 3_000_000));
    let out = dir.path().join("out");
    fs::create_dir(&out).unwrap();
    let out = out.to_str().unwrap();
    let listing = b"5d41402abc4b2a76b9719d911017c592;a;5\n\n";
    let (half_listing, half) = (&listing[..30], &listing[..37]);
    let download: &[u8] = b"5d41402abc4b2a76b9719d911017c592;a;5\n\nok\n5\nhel";
    for (fake, args) in [
        (leave_after(0, b""), &["ls"][..]),
        (leave_after(0, half_listing), &["ls"]),
        (leave_after(0, half), &["ls"]),
        (leave_after(0, b""), &["session"]),
        (leave_after(0, b""), &["put", &path]),
        (leave_after(7, b"ok\n"), &["put", &path]),
        (leave_after(1_000_000, b"ok\nok\n"), &["put", &path]),
        (leave_after(7 + 10 + 3_000_000, b"ok\nok\n"), &["put", &path]),
        (leave_after(0, b""), &["get", "a", "-o", out]),
        (leave_after(0, listing), &["get", "a", "-o", out]),
        (leave_after(11 + 9 + 33, download), &["get", "a", "-o", out]),
    ] {
        let all: Vec<&str> = [args[0], &fake.address].into_iter().chain(args[1..].iter().copied()).collect();
        let ended = sim(&all);
        fake.join();
        assert_eq!(ended.code, Some(4), "{args:?}: {ended:?}");
        assert!(!ended.out.contains("Success"), "{ended:?}");
        assert_eq!(names_in(out.as_ref()), [""; 0], "{args:?}");
    }
}

#[test]
fn a_silent_server_is_given_up() {
    let (_dir, path) = file("a", b"hello");
    for args in [&["ls"][..], &["put", &path], &["get", "a", "-o", "/nowhere"], &["session"]] {
        let fake = Fake::once(|mut client| {
            let _ = client.rest();
        });
        let all = [args[0], &fake.address, "--timeout", "0.3"];
        let ended = sim(&all.into_iter().chain(args[1..].iter().copied()).collect::<Vec<_>>());
        fake.join();
        assert_eq!(ended.code, Some(4), "{args:?}: {ended:?}");
    }
}

#[test]
fn nobody_there_is_said_to_be_so() {
    // A port that was free a moment ago.
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let (_dir, path) = file("a", b"hello");
    for args in
        [&["ls", &address][..], &["put", &address, &path], &["get", &address, "a"], &["session", &address]]
    {
        let ended = sim(args);
        assert_eq!(ended.code, Some(4), "{ended:?}");
        assert!(ended.err.contains("cannot reach") && ended.err.contains(&address), "{ended:?}");
    }
}

#[test]
fn an_interrupted_client_ends_with_130_and_leaves_nothing() {
    let (dir, path) = file("a", &noise(1, 100_000));
    for (signal, args) in [
        (Signal::SIGINT, &["get", "a"][..]),
        (Signal::SIGTERM, &["get", "a"]),
        (Signal::SIGINT, &["put", &path]),
        (Signal::SIGINT, &["ls"]),
    ] {
        let (reached, waits) = std::sync::mpsc::channel();
        let is_get = args[0] == "get";
        let fake = Fake::once(move |mut client| {
            if is_get {
                list(&mut client, HELLO, "a", 5);
                client.expect("DOWNLOAD\n");
                client.send("ok\n").unwrap();
                client.expect(format!("{HELLO}\n"));
                client.send("5\nhel").unwrap();
            } else {
                client.exactly(7).unwrap();
            }
            reached.send(()).unwrap();
            let end = client.rest();
            assert!(end.is_ok() || end.is_err_and(|error| error.kind() == ErrorKind::ConnectionReset));
        });
        let out = tempfile::tempdir().unwrap();
        let all: Vec<&str> = [args[0], &fake.address].into_iter().chain(args[1..].iter().copied()).collect();
        let program = Program::sim_in(out.path(), &all);
        waits.recv_timeout(super::PATIENCE).unwrap();
        program.signal(signal);
        let ended = program.end();
        fake.join();
        assert_eq!(ended.code, Some(130), "{args:?}: {ended:?}");
        assert_eq!(names_in(out.path()), [""; 0], "{args:?}");
    }
    assert_eq!(names_in(dir.path()), ["a"]);
}

#[test]
fn a_client_tries_again_as_often_as_it_may() {
    let (_dir, path) = file("a", b"hello");
    // A wrong hash, and then the right one, in the same session.
    let fake = Fake::once(|mut client| {
        lie_about_upload(&mut client);
        take_upload(&mut client, "a", b"hello", None);
        client.expect_end();
    });
    let ended = sim(&["put", &fake.address, &path, "--retries", "1"]);
    fake.join();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(ended.out.contains("after 1 retry"), "{ended:?}");
    // Always a wrong one: it does not go on for ever.
    let fake = Fake::once(|mut client| {
        (0..3).for_each(|_| lie_about_upload(&mut client));
        client.expect_end();
    });
    let ended = sim(&["put", &fake.address, &path, "--retries", "2"]);
    fake.join();
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.out.contains("after 2 retries"), "{ended:?}");
}

#[test]
fn a_client_connects_again_when_its_connection_breaks() {
    let out = tempfile::tempdir().unwrap();
    let fake = Fake::start(|door| {
        let mut client = door.open();
        list(&mut client, HELLO, "a", 5);
        client.expect("DOWNLOAD\n");
        client.send("ok\n").unwrap();
        client.expect(format!("{HELLO}\n"));
        client.send("5\nhel").unwrap();
        client.reset();
        let mut client = door.open();
        give(&mut client, HELLO, b"hello");
        client.expect_end();
    });
    let ended = sim(&["get", &fake.address, "a", "-o", out.path().to_str().unwrap(), "--retries", "1"]);
    fake.join();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(fs::read(out.path().join("a")).unwrap(), b"hello");
    assert_eq!(names_in(out.path()), ["a"]);
    assert_eq!(md5(b"hello").to_string(), HELLO);
}
