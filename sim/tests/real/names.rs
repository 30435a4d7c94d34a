//! Names that want to be somewhere else, or more than a name: they stay in the store, in their line of the log, and off
//! the terminal.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use serde_json::Value;

use super::fake::Fake;
use super::program::{Serve, command};
use super::raw::Raw;
use super::{arriving, md5, names_in, sim};

const BAD_NAME: &str =
    "ERROR bad-name a name has 1 to 255 bytes, no slash, no control character, and is not . or ..";

/// Legal, if strange.
const STRANGE: &[&str] = &[
    "...",
    " ",
    "-rf",
    "~",
    "$(reboot)",
    ".incoming",
    ".lock",
    "a\u{202e}gpj.exe",
    "e\u{301}",
    "..\u{2215}..\u{2215}passwd",
    "..\u{ff0f}passwd",
    "CON",
    "a;b;7",
    "%2e%2e%2f",
    "d41d8cd98f00b204e9800998ecf8427e",
];

#[test]
fn names_that_lead_elsewhere_are_refused() {
    let outside = tempfile::tempdir().unwrap();
    let dir = outside.path().join("store");
    let serve = Serve::start(&dir, &[]);
    let mut raw = Raw::connect(&serve.address);
    let absolute = outside.path().join("x").to_str().unwrap().to_owned();
    let long = "x".repeat(300);
    let bad = ["", ".", "..", "../x", "a/../../x", "/x", "..\\x", "\0", "x\0y", "\u{1b}[2J", "\r", "\u{85}"];
    for name in bad.into_iter().chain([&*absolute, &*long]) {
        assert_eq!(raw.announce(name, 5).unwrap(), BAD_NAME, "{name:?}");
    }
    assert_eq!(raw.list().unwrap(), []);
    drop(raw);
    serve.stop();
    assert_eq!(names_in(outside.path()), ["store"]);
}

#[test]
fn strange_names_stay_in_the_store_and_come_back() {
    let outside = tempfile::tempdir().unwrap();
    let dir = outside.path().join("store");
    let serve = Serve::start(&dir, &[]);
    let mut raw = Raw::connect(&serve.address);
    let longest = "x".repeat(255);
    let mut names: Vec<&str> = STRANGE.iter().copied().chain([&*longest]).collect();
    for name in &names {
        assert_eq!(raw.put(name, name.as_bytes()).unwrap(), md5(name.as_bytes()).to_string(), "{name:?}");
    }
    drop(raw);
    serve.stop();
    // They are as they were after a restart, too.
    let serve = Serve::start(&dir, &[]);
    let mut raw = Raw::connect(&serve.address);
    let listed = raw.list().unwrap();
    for entry in &listed {
        let content = raw.get(&entry.id.to_string()).unwrap().unwrap();
        assert_eq!(content, entry.name.as_str().as_bytes());
    }
    names.sort_unstable();
    assert_eq!(listed.iter().map(|entry| entry.name.as_str()).collect::<Vec<_>>(), names);
    drop(raw);
    serve.stop();
    assert_eq!(names_in(outside.path()), ["store"]);
    assert_eq!(arriving(&dir), [""; 0]);
}

#[test]
fn what_is_arriving_is_not_listed() {
    let dir = tempfile::tempdir().unwrap();
    let serve = Serve::start(dir.path(), &[]);
    let mut arriving_now = Raw::connect(&serve.address);
    arriving_now.announce("half", 10).unwrap();
    arriving_now.send("01234").unwrap();
    assert_eq!(Raw::connect(&serve.address).list().unwrap(), []);
    assert_eq!(arriving(dir.path()).len(), 1);
    drop(arriving_now);
    serve.stop();
}

/// A store, and beside it a secret and a directory that looks like one with a file in it.
fn with_links() -> (tempfile::TempDir, std::path::PathBuf, [String; 3]) {
    let outside = tempfile::tempdir().unwrap();
    let store = outside.path().join("store");
    let secret = b"secret";
    fs::write(outside.path().join("secret"), secret).unwrap();
    fs::create_dir(outside.path().join("elsewhere")).unwrap();
    fs::write(outside.path().join("elsewhere/file"), b"elsewhere").unwrap();
    let [to_file, to_directory, empty] =
        [&secret[..], b"elsewhere", b"not there yet"].map(|bytes| md5(bytes).to_string());
    fs::create_dir_all(store.join(&to_file)).unwrap();
    symlink(outside.path().join("secret"), store.join(&to_file).join("link")).unwrap();
    symlink(outside.path().join("elsewhere"), store.join(&to_directory)).unwrap();
    symlink(outside.path().join("elsewhere"), store.join(&empty)).unwrap();
    (outside, store, [to_file, to_directory, empty])
}

#[test]
fn links_in_the_store_are_neither_listed_nor_followed() {
    let (outside, store, ids) = with_links();
    let serve = Serve::start(&store, &[]);
    let mut raw = Raw::connect(&serve.address);
    assert_eq!(raw.list().unwrap(), [], "nothing here was uploaded");
    for id in &ids {
        assert_eq!(raw.get(id).unwrap(), Err("ERROR not-found no file has this id".into()), "{id}");
    }
    // To write through them is no better.
    for (name, content) in [("link", &b"secret"[..]), ("file", b"elsewhere"), ("new", b"not there yet")] {
        let reply = raw.put(name, content).unwrap();
        assert!(reply.starts_with("ERROR ") || reply == md5(content).to_string(), "{reply}");
    }
    drop(raw);
    serve.stop();
    assert_eq!(fs::read(outside.path().join("secret")).unwrap(), b"secret");
    assert_eq!(names_in(&outside.path().join("elsewhere")), ["file"]);
}

#[test]
fn a_link_in_the_place_of_the_store_diverts_no_upload() {
    let outside = tempfile::tempdir().unwrap();
    let [store, moved, elsewhere] = ["store", "moved", "elsewhere"].map(|name| outside.path().join(name));
    fs::create_dir_all(elsewhere.join(".incoming")).unwrap();
    let serve = Serve::start(&store, &[]);
    let mut raw = Raw::connect(&serve.address);
    raw.announce("midst", 10).unwrap();
    raw.send("01234").unwrap();
    fs::rename(&store, &moved).unwrap();
    symlink(&elsewhere, &store).unwrap();
    raw.send("56789").unwrap();
    let midst = raw.line().unwrap();
    let after = raw.put("after", b"hello").unwrap();
    assert_eq!([&midst, &after], [&md5(b"0123456789").to_string(), &md5(b"hello").to_string()]);
    assert_eq!(raw.get(&after).unwrap().unwrap(), b"hello");
    drop(raw);
    serve.stop();
    assert_eq!((names_in(&elsewhere), arriving(&elsewhere)), (vec![".incoming".into()], vec![]));
    assert_eq!(fs::read(moved.join(midst).join("midst")).unwrap(), b"0123456789");
    assert_eq!(fs::read(moved.join(after).join("after")).unwrap(), b"hello");
}

#[test]
fn an_upload_of_another_session_cannot_be_discarded() {
    let dir = tempfile::tempdir().unwrap();
    let serve = Serve::start(dir.path(), &[]);
    let mut owner = Raw::connect(&serve.address);
    let id = owner.put("mine", b"hello").unwrap();
    let mut other = Raw::connect(&serve.address);
    let discard = format!("DISCARD {id}");
    let not_yours = "ERROR not-yours only the latest uploads of this session can be discarded";
    assert_eq!(other.ask(&discard).unwrap(), not_yours);
    // To upload it too adds nothing, and takes nothing away (R21).
    assert_eq!(other.put("mine", b"hello").unwrap(), id);
    assert_eq!(other.ask(&discard).unwrap(), "Discarded");
    assert_eq!(owner.list().unwrap().len(), 1);
    assert_eq!(owner.ask(&discard).unwrap(), "Discarded");
    assert_eq!(other.list().unwrap(), []);
    drop((owner, other));
    serve.stop();
}

/// Does all that makes a server write to its log, with names that would like to write there themselves.
fn provoke(address: &str) {
    let mut raw = Raw::connect(address);
    for name in ["\u{1b}[2J\u{1b}]0;owned\u{7}", "x\u{9b}31m", "x\r2026-01-01T00:00:00Z  INFO forged"] {
        assert_eq!(raw.announce(name, 1).unwrap(), BAD_NAME);
    }
    raw.ask("\u{1b}[31mINFO").unwrap();
    raw.ask("DISCARD \u{1b}c").unwrap();
    let id = raw.put("a\u{202e}\u{2028}b\"", b"hello").unwrap();
    raw.get(&id).unwrap().unwrap();
    raw.ask(&format!("DISCARD {id}")).unwrap();
    raw.finish();
    raw.expect_end();
}

fn log_of(dir: &Path, level: &str, more: &[&str]) -> String {
    let mut command = command();
    command.env("RUST_LOG", level).args(["serve", "--listen", "127.0.0.1:0", "--dir"]).arg(dir).args(more);
    let serve = Serve::by(&mut command);
    provoke(&serve.address);
    serve.stop().err
}

#[test]
fn the_network_cannot_write_to_the_log() {
    let dir = tempfile::tempdir().unwrap();
    let log = log_of(dir.path(), "", &[]);
    let lines: Vec<&str> = log.lines().collect();
    // Five refusals, an upload, a download, a discard, the session, and the end.
    assert_eq!(lines.len(), 10, "{log}");
    assert!(lines.iter().all(|line| line.starts_with("20") && line.contains('Z')), "{log}");
    let is_harmless = |c: char| !c.is_control() && !"\u{202e}\u{2028}".contains(c);
    assert!(lines.iter().all(|line| line.chars().all(is_harmless)), "{log:?}");
    assert!(log.contains("\\u{1b}[2J") && log.contains("\\u{202e}"), "what was tried can be read: {log}");
}

#[test]
fn the_log_is_as_loud_as_rust_log_says() {
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(log_of(dir.path(), "off", &[]), "");
    assert_eq!(log_of(dir.path(), "error", &[]), "");
    assert_eq!(log_of(dir.path(), "", &["--quiet"]), "");
    let usual = log_of(dir.path(), "info", &[]);
    assert!(!usual.contains("session begins"), "{usual}");
    let loud = log_of(dir.path(), "debug", &[]);
    assert!(loud.contains("session begins") && loud.contains("session over"), "{loud}");
}

#[test]
fn the_log_as_json_has_an_object_on_each_line() {
    let dir = tempfile::tempdir().unwrap();
    let mut command = command();
    command.args(["serve", "--json", "--listen", "127.0.0.1:0", "--dir"]).arg(dir.path());
    let mut program = super::Program::start(&mut command);
    let first: Value = serde_json::from_str(&program.line()).unwrap();
    provoke(first["listening"].as_str().unwrap());
    program.signal(nix::sys::signal::Signal::SIGTERM);
    let ended = program.end();
    let objects: Vec<Value> = ended.err.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(objects.len(), 10, "{}", ended.err);
    assert!(!ended.err.contains('\u{1b}'), "{:?}", ended.err);
}

#[test]
fn a_listing_cannot_write_to_the_terminal() {
    let name = "a\u{202e}gpj\u{200b}";
    let ids = [md5(b"1"), md5(b"2")];
    let list = move |client: &mut Raw| {
        client.expect("LIST_FILES\n");
        for id in ids {
            client.send(format!("{id};{name};5\n")).unwrap();
        }
        client.send("\n").unwrap();
    };
    let fake = Fake::start(move |door| (0..2).for_each(|_| list(&mut door.open())));
    let plain =
        |text: &str| text.chars().all(|c| c == '\n' || !(c.is_control() || "\u{202e}\u{200b}".contains(c)));
    let listed = sim(&["ls", &fake.address]);
    assert_eq!(listed.code, Some(0), "{listed:?}");
    assert!(listed.out.contains("a\\u{202e}gpj\\u{200b}") && plain(&listed.out), "{listed:?}");
    // Both are called so: it says which there are.
    let ambiguous = sim(&["get", &fake.address, name]);
    assert_eq!(ambiguous.code, Some(2), "{ambiguous:?}");
    assert!(
        ambiguous.err.contains(&ids[1].to_string()) && !ambiguous.err.contains('\u{202e}'),
        "{ambiguous:?}"
    );
    fake.join();
}

#[test]
fn what_a_server_says_cannot_write_to_the_terminal() {
    let (_dir, path) = super::wire::file("a", b"hello");
    for replies in [
        "\u{1b}]0;prompt\u{7}\nERROR no-space \u{1b}[2Jno\u{202e}\n",
        "ERROR \u{1b}[31m \u{1b}[32m\n",
        "ok\nok\n\u{1b}[2J\n",
    ] {
        let fake = Fake::once(move |mut client| {
            client.send(replies).unwrap();
            client.rest().unwrap();
        });
        let ended = sim(&["put", &fake.address, &path]);
        fake.join();
        assert_eq!(ended.code, Some(4), "{ended:?}");
        let text = ended.out + &ended.err;
        assert!(text.chars().all(|c| c == '\n' || !c.is_control()) && !text.contains('\u{202e}'), "{text:?}");
    }
    // And a listing with an escape in it is no listing.
    let fake = Fake::once(|mut client| {
        client.send(format!("{};\u{1b}[2J;5\n\n", md5(b"1"))).unwrap();
        client.rest().unwrap();
    });
    let ended = sim(&["ls", &fake.address]);
    fake.join();
    assert_eq!((ended.code, &*ended.out), (Some(4), ""), "{ended:?}");
    assert!(!ended.err.contains('\u{1b}'), "{ended:?}");
}
