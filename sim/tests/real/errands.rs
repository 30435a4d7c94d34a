//! `ls`, `put`, `get` and `session` as a person uses them, against a server of ours.

use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use serde_json::Value;

use super::fake::Fake;
use super::program::{Ended, Program, Serve, command};
use super::raw::Raw;
use super::wire::{file, take_upload};
use super::{md5, names_in, noise, sim};

/// A server with an empty directory, and a directory for its client.
struct Pair {
    serve: Serve,
    here: tempfile::TempDir,
    _store: tempfile::TempDir,
}

impl Pair {
    fn new() -> Self {
        let (here, store) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        Self { serve: Serve::start(store.path(), &[]), here, _store: store }
    }

    /// Puts a file beside the client.
    fn write(&self, name: &str, content: &[u8]) {
        fs::write(self.here.path().join(name), content).unwrap();
    }

    fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.here.path().join(name)).unwrap()
    }

    /// Uploads without the client's help, and returns the id.
    fn hold(&self, name: &str, content: &[u8]) -> String {
        Raw::connect(&self.serve.address).put(name, content).unwrap()
    }

    /// Runs a command beside the files.
    fn run(&self, what: &str, more: &[&str]) -> Ended {
        let args: Vec<&str> = [what, &self.serve.address].into_iter().chain(more.iter().copied()).collect();
        Program::sim_in(self.here.path(), &args).end()
    }

    /// Runs a command that has to end with this exit code.
    fn exits(&self, code: i32, what: &str, more: &[&str]) -> Ended {
        let ended = self.run(what, more);
        assert_eq!(ended.code, Some(code), "{what} {more:?}: {ended:?}");
        ended
    }
}

#[test]
fn what_was_put_is_listed_and_can_be_got() {
    let pair = Pair::new();
    let files = [("empty", 0), ("one", 1), ("some", 70_000), ("many", 3_000_000)];
    let files = files.map(|(name, size)| (name, noise(size as u64, size)));
    files.iter().for_each(|(name, content)| pair.write(name, content));
    let put = pair.exits(0, "put", &["empty", "one", "some", "many"]);
    for ((name, content), line) in files.iter().zip(put.out.lines()) {
        let id = md5(content).to_string();
        assert!(line.starts_with(&format!("Success  {name}  {id}  ")), "{line}");
    }
    let listed = pair.exits(0, "ls", &[]).out;
    assert_eq!(listed.lines().count(), files.len(), "{listed}");
    for (name, content) in &files {
        let id = md5(content).to_string();
        for (wanted, to) in [(*name, "by name"), (&*id, "by id"), (&id[..12], "by prefix")] {
            let got = pair.exits(0, "get", &[wanted, "-o", to, "--force"]);
            assert!(got.out.contains(&format!("Success  {name}  {id}")), "{}", got.out);
            assert!(pair.read(to) == *content, "{name} {to}");
        }
    }
}

#[test]
fn get_goes_where_it_is_told_and_replaces_nothing_unasked() {
    let pair = Pair::new();
    pair.hold("a", b"hello");
    pair.exits(0, "get", &["a"]);
    assert_eq!(pair.read("a"), b"hello");
    pair.write("a", b"mine");
    let refused = pair.exits(2, "get", &["a"]);
    assert!(refused.err.contains("--force"), "{refused:?}");
    assert_eq!(pair.read("a"), b"mine");
    pair.exits(0, "get", &["a", "--force"]);
    assert_eq!(pair.read("a"), b"hello");

    fs::create_dir(pair.here.path().join("dir")).unwrap();
    pair.exits(0, "get", &["a", "-o", "dir"]);
    pair.exits(0, "get", &["a", "-o", "dir/other"]);
    assert_eq!((pair.read("dir/a"), pair.read("dir/other")), (b"hello".to_vec(), b"hello".to_vec()));
    pair.exits(2, "get", &["a", "-o", "missing/other"]);
    pair.exits(2, "get", &["a", "-o", "dir/other"]);
    assert_eq!(names_in(pair.here.path()), ["a", "dir"]);
    assert_eq!(names_in(&pair.here.path().join("dir")), ["a", "other"]);
}

#[test]
fn a_link_is_not_written_through() {
    let pair = Pair::new();
    pair.hold("a", b"hello");
    pair.write("precious", b"mine");
    std::os::unix::fs::symlink("precious", pair.here.path().join("a")).unwrap();
    pair.exits(2, "get", &["a"]);
    pair.exits(2, "get", &["a", "--force"]);
    assert_eq!((pair.read("precious"), pair.read("a")), (b"mine".to_vec(), b"mine".to_vec()));
}

#[test]
fn only_a_regular_file_is_replaced() {
    let pair = Pair::new();
    pair.hold("a", b"hello");
    nix::unistd::mkfifo(&pair.here.path().join("pipe"), nix::sys::stat::Mode::S_IRUSR).unwrap();
    let ended = pair.exits(2, "get", &["a", "-o", "pipe", "--force"]);
    assert!(ended.err.contains("pipe is not a regular file"), "{ended:?}");
    for (target, why) in
        [("-", "name one"), ("nowhere/", "not a directory"), ("nowhere/x", "not a directory")]
    {
        let ended = pair.exits(2, "get", &["a", "-o", target]);
        assert!(ended.err.contains(why), "{target}: {ended:?}");
    }
}

#[test]
fn get_takes_no_file_for_another() {
    let pair = Pair::new();
    let contents: Vec<Vec<u8>> = (0..3).map(|number| vec![number]).collect();
    let ids: Vec<String> = contents.iter().map(|content| pair.hold("same name", content)).collect();
    let ended = pair.exits(2, "get", &["same name"]);
    assert!(ids.iter().all(|id| ended.err.contains(&**id)) && ended.err.contains("ask by id"), "{ended:?}");
    pair.exits(0, "get", &[&ids[1]]);
    assert_eq!(pair.read("same name"), contents[1]);
    pair.exits(0, "get", &[&ids[1].to_uppercase(), "--force"]);
    for wanted in ["same", "", "same name ", &"f".repeat(32)] {
        let ended = pair.exits(4, "get", &[wanted, "-o", "x"]);
        assert!(ended.err.contains("no file"), "{wanted}: {ended:?}");
    }
    // Two names for one content are no matter.
    let id = pair.hold("b", b"twice");
    pair.hold("c", b"twice");
    pair.exits(0, "get", &[&id, "-o", "twice"]);
    assert_eq!(names_in(pair.here.path()), ["same name", "twice"]);
}

#[test]
fn a_whole_id_is_never_a_name() {
    let pair = Pair::new();
    let id = md5(b"good").to_string();
    let evil = pair.hold(&id, b"evil");
    let ended = pair.exits(4, "get", &[&id, "-o", "x"]);
    assert!(ended.err.contains("no file with the id") && ended.err.contains("never a name"), "{ended:?}");
    pair.hold("good", b"good");
    pair.exits(0, "get", &[&id, "-o", "x"]);
    assert_eq!(pair.read("x"), b"good");
    // Whoever wants what is called so says its id.
    pair.exits(0, "get", &[&evil]);
    assert_eq!((pair.read(&id), names_in(pair.here.path())), (b"evil".to_vec(), vec![id, "x".into()]));
}

#[test]
fn the_beginning_of_an_id_has_eight_digits_and_no_name() {
    let pair = Pair::new();
    let id = pair.hold("o26", b"hello");
    for wanted in [&id[..1], &id[..7]] {
        let ended = pair.exits(4, "get", &[wanted, "-o", "x"]);
        assert!(ended.err.contains("8 digits at least"), "{wanted}: {ended:?}");
    }
    pair.exits(0, "get", &[&id[..8], "-o", "x"]);
    assert_eq!(pair.read("x"), b"hello");
    // A name that is also the beginning of another's id means neither; each can be had by its own id.
    let other = pair.hold(&id[..8], b"other");
    let ended = pair.exits(2, "get", &[&id[..8], "-o", "y"]);
    assert!(ended.err.contains(&format!("{id}  o26")), "{ended:?}");
    assert!(ended.err.contains(&format!("{other}  {}", &id[..8])), "{ended:?}");
    pair.exits(0, "get", &[&other, "-o", "y"]);
    assert_eq!(
        (pair.read("y"), names_in(pair.here.path())),
        (b"other".to_vec(), vec!["x".into(), "y".into()])
    );
}

#[test]
fn a_session_fetches_the_very_file_that_it_sent() {
    // The server lists another file of the same name in its place, and would give it out.
    let [sent, other] = [&b"sent"[..], b"othr"].map(|bytes| md5(bytes).to_string());
    let (wanted, (_dir, path)) = (sent.clone(), file("a", b"sent"));
    let fake = Fake::once(move |mut client| {
        client.expect("LIST_FILES\n");
        client.send("No files available at the moment\n\n").unwrap();
        client.expect("UPLOAD\n");
        client.send("details\n").unwrap();
        client.expect("a;4\n");
        client.send("ready\n").unwrap();
        client.expect("sent");
        client.send(format!("{sent}\n")).unwrap();
        client.expect("LIST_FILES\n");
        client.send(format!("{other};a;4\n\n")).unwrap();
        client.expect("DOWNLOAD\n");
        client.send("id\n").unwrap();
        client.expect(format!("{wanted}\n"));
        client.send("ERROR not-found\n").unwrap();
        client.rest().unwrap();
    });
    let ended = sim(&["session", &fake.address, &path]);
    fake.join();
    assert!(ended.code == Some(1) && ended.out.ends_with("Fail\n"), "{ended:?}");
    assert!(ended.out.contains("step 16: expected"), "it does not list what was sent: {ended:?}");
}

#[test]
fn of_a_listing_that_is_refused_nothing_is_said() {
    let fake = Fake::once(|mut client| {
        client.expect("LIST_FILES\n");
        client.send("ERROR storage broken\n").unwrap();
        client.rest().unwrap();
    });
    let ended = sim(&["get", &fake.address, "a"]);
    fake.join();
    assert_eq!(ended.code, Some(4), "{ended:?}");
    assert!(ended.err.contains("the server refused: broken (storage)"), "{ended:?}");
}

#[test]
fn put_says_what_it_cannot_send() {
    let pair = Pair::new();
    pair.write("a", b"hello");
    pair.write("back\\slash", b"hello");
    fs::create_dir(pair.here.path().join("dir")).unwrap();
    for (files, why) in [
        (&["dir"][..], "is a directory"),
        (&["a", "missing"], "missing"),
        (&["back\\slash"], "--name"),
        (&["a", "--name", "x/y"], "--name"),
        (&["a", "a", "--name", "b"], "--name"),
        (&[], "FILE"),
    ] {
        let ended = pair.exits(2, "put", files);
        assert!(ended.err.contains(why), "{files:?}: {ended:?}");
    }
    assert!(pair.exits(0, "ls", &[]).out.starts_with("No files available"), "nothing was sent");
    pair.exits(0, "put", &["back\\slash", "--name", "slash"]);
    assert!(pair.exits(0, "ls", &[]).out.ends_with("  slash\n"));
}

#[test]
fn put_of_what_is_no_file_ends() {
    let pair = Pair::new();
    pair.write("a", b"hello");
    let fifo = pair.here.path().join("fifo");
    nix::unistd::mkfifo(&fifo, nix::sys::stat::Mode::S_IRWXU).unwrap();
    let odd = Path::new(std::ffi::OsStr::from_bytes(b"\xff"));
    fs::write(pair.here.path().join(odd), b"hello").unwrap();
    let mut odd_put = command();
    odd_put.current_dir(pair.here.path()).args(["put", &pair.serve.address]).arg(odd);
    assert_eq!(Program::start(&mut odd_put).end().code, Some(2));
    // It is looked at before anything is sent, wherever it stands.
    pair.write("empty", b"");
    for files in [&["fifo", "a"][..], &["a", "empty", "fifo"], &["a", "missing", "empty", "fifo"]] {
        let ended = pair.exits(2, "put", files);
        assert!(ended.err.contains("fifo: not a regular file"), "{ended:?}");
        assert_eq!(ended.err.contains("missing"), files.contains(&"missing"), "it says all: {ended:?}");
        assert_eq!(ended.out, "", "nothing is sent");
    }
    assert!(pair.exits(0, "ls", &[]).out.starts_with("No files available"), "nothing was sent");
}

/// What a file has become is seen when its turn comes, too.
#[test]
fn put_goes_on_after_a_file_that_has_gone_meanwhile() {
    let (dir, first) = file("first", b"hello");
    let [second, third] = ["second", "third"].map(|name| dir.path().join(name));
    fs::write(&second, b"gone").unwrap();
    fs::write(&third, b"third").unwrap();
    let goes = second.clone();
    let fake = Fake::once(move |mut client| {
        client.expect("UPLOAD\n");
        fs::remove_file(goes).unwrap();
        client.send("ok\n").unwrap();
        client.expect("first;5\n");
        client.send("ok\n").unwrap();
        client.expect("hello");
        client.send(format!("{}\n", md5(b"hello"))).unwrap();
        take_upload(&mut client, "third", b"third", None);
        client.expect_end();
    });
    let ended = sim(&["put", &fake.address, &first, second.to_str().unwrap(), third.to_str().unwrap()]);
    fake.join();
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert!(ended.err.contains("second: ") && ended.out.contains("Success  third"), "{ended:?}");
}

/// More than what the system keeps of a connection: its client is not through with it.
const LARGE: usize = 30_000_000;

/// Uploads a file with this command while `change` changes it, and says what came of it.
fn upload_while(what: &'static str, change: impl FnOnce(&fs::File) + Send + 'static) -> Ended {
    let (_dir, path) = file("a", &noise(1, LARGE));
    let open = fs::File::options().read(true).write(true).open(&path).unwrap();
    // However coarse the clock of the file system is.
    open.set_modified(std::time::SystemTime::UNIX_EPOCH).unwrap();
    let fake = Fake::once(move |mut client| {
        if what == "session" {
            client.expect("LIST_FILES\n");
            client.send("No files available at the moment\n\n").unwrap();
        }
        client.expect("UPLOAD\n");
        client.send("ok\n").unwrap();
        client.expect(format!("a;{LARGE}\n"));
        client.send("ok\n").unwrap();
        client.expect(&noise(1, 100)[..]);
        change(&open);
        let rest = client.rest().unwrap().len();
        assert!(rest < LARGE - 100, "all of it came: a server would have it for good");
    });
    let ended = sim(&[what, &fake.address, &path]);
    fake.join();
    ended
}

#[test]
fn put_says_that_a_file_changed_while_it_was_read() {
    use std::os::unix::fs::FileExt;
    for change in [
        |file: &fs::File| file.write_all_at(b"x", 0).unwrap(),
        |file: &fs::File| file.write_all_at(b"x", LARGE as u64 - 1).unwrap(),
        |file: &fs::File| file.write_all_at(b"more", LARGE as u64).unwrap(),
        |file: &fs::File| file.set_len(LARGE as u64 / 2).unwrap(),
    ] {
        let ended = upload_while("put", change);
        assert_eq!(ended.code, Some(2), "{ended:?}");
        assert!(ended.out.starts_with("Fail     a  the file here: it "), "{ended:?}");
    }
    let rewrite = |file: &fs::File| file.write_all_at(b"x", 0).unwrap();
    let ended = upload_while("put", rewrite);
    assert!(ended.out.contains("it changed while it was read"), "{ended:?}");
    let ended = upload_while("session", rewrite);
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert!(ended.err.contains("the file here: it changed while it was read"), "{ended:?}");
}

#[test]
fn a_quiet_client_prints_nothing_of_a_success() {
    let pair = Pair::new();
    pair.write("a", b"hello");
    for (what, args) in
        [("put", &["a"][..]), ("ls", &[]), ("get", &["a", "-o", "b"]), ("session", &["a"]), ("session", &[])]
    {
        let args: Vec<&str> = args.iter().copied().chain(["--quiet"]).collect();
        let ended = pair.exits(0, what, &args);
        assert_eq!((&*ended.out, &*ended.err), ("", ""), "{what}");
    }
    let loud = pair.exits(2, "get", &["a", "-o", "b", "--quiet"]);
    assert!(!loud.err.is_empty(), "but it does of a failure");
}

#[test]
fn json_is_an_object_on_each_line() {
    let pair = Pair::new();
    pair.write("a\"b", b"hello");
    let id = md5(b"hello").to_string();
    let run = |what: &str, args: &[&str]| -> Vec<Value> {
        let args: Vec<&str> = args.iter().copied().chain(["--json"]).collect();
        let out = pair.exits(0, what, &args).out;
        out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    assert_eq!(run("ls", &[]), [] as [Value; 0]);
    let put = &run("put", &["a\"b"])[0];
    assert_eq!((&put["result"], &put["id"], &put["bytes"]), (&"success".into(), &(*id).into(), &5.into()));
    let listed = &run("ls", &[])[0];
    assert_eq!(
        (&listed["type"], &listed["name"], &listed["id"]),
        (&"file".into(), &"a\"b".into(), &(*id).into())
    );
    let got = &run("get", &[&id, "-o", "c"])[0];
    assert_eq!((&got["transfer"], &got["path"]), (&"download".into(), &"c".into()));
    let session = run("session", &[]);
    assert_eq!(session.last().unwrap()["result"], "success");
    let steps: std::collections::BTreeSet<u64> =
        session.iter().filter_map(|line| line["step"].as_u64()).collect();
    assert!(steps.len() >= 18 && steps.contains(&14) && steps.contains(&22), "{steps:?}");
}

#[test]
fn session_goes_through_the_22_steps_as_often_as_one_likes() {
    let pair = Pair::new();
    for _ in 0..2 {
        let ended = pair.exits(0, "session", &[]);
        assert!(ended.out.ends_with("Success\n"), "{}", ended.out);
        for step in [3, 4, 10, 14, 21, 22] {
            assert!(ended.out.lines().any(|line| line.starts_with(&format!("{step:>3}  "))), "{}", ended.out);
        }
    }
    assert_eq!(names_in(pair.here.path()), [""; 0]);
    pair.exits(2, "session", &["missing"]);
}

#[test]
fn bad_usage_is_said_to_be_so() {
    let (_dir, path) = file("a", b"");
    for args in [
        &["ls"][..],
        &["ls", "localhost"],
        &["ls", "localhost:99999"],
        &["get", "localhost:1"],
        &["put", "localhost:1", &path, "--timeout", "0"],
        &["serve"],
        &["serve", "--dir", "/dev/null/x"],
        &["serve", "--dir", &path],
        &["serve", "--dir", "/tmp", "--quota", "much"],
        &["serve", "--dir", "/tmp", "--max-connections", "0"],
    ] {
        let ended = sim(args);
        assert_eq!(ended.code, Some(2), "{args:?}: {ended:?}");
        assert!(!ended.err.contains("panicked") && ended.err.len() > 20, "{args:?}: {ended:?}");
    }
}

#[test]
fn two_servers_cannot_have_one_port() {
    let (pair, dir) = (Pair::new(), tempfile::tempdir().unwrap());
    let ended = sim(&["serve", "--dir", dir.path().to_str().unwrap(), "--listen", &pair.serve.address]);
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert!(ended.err.contains(&pair.serve.address), "{ended:?}");
}
