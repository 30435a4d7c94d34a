//! What a server does not take: files beyond its limits, and files that its disk does not take. It says so, leaves
//! nothing behind, and goes on.

use std::process::Command;

use protocol::wire::DISCARDABLE;

use super::fake::Fake;
use super::program::{Program, Serve};
use super::raw::Raw;
use super::{arriving, md5, noise};

const NO_SPACE: &str = "ERROR no-space there is no space left for the file";
const SIM: &str = env!("CARGO_BIN_EXE_sim");

/// The session goes on after a refusal, and what was refused is nowhere.
fn goes_on(raw: &mut Raw, listed: &[&str]) {
    let small = b"small";
    let id = raw.put("small", small).unwrap();
    assert_eq!(id, md5(small).to_string());
    assert_eq!(raw.get(&id).unwrap().unwrap(), small);
    let names: Vec<String> = raw.list().unwrap().iter().map(|entry| entry.name.to_string()).collect();
    assert_eq!(names, listed);
}

#[test]
fn beyond_the_quota_is_no_space() {
    let dir = tempfile::tempdir().unwrap();
    let serve = Serve::start(dir.path(), &["--quota", "100KB"]);
    let mut raw = Raw::connect(&serve.address);
    let first = noise(1, 60_000);
    assert_eq!(raw.put("first", &first).unwrap(), md5(&first).to_string());
    assert_eq!(raw.put("second", &noise(2, 60_000)).unwrap(), NO_SPACE);
    assert_eq!(raw.announce("huge", 1_000_000_000).unwrap(), NO_SPACE);
    goes_on(&mut raw, &["first", "small"]);
    assert_eq!(arriving(dir.path()), [""; 0]);
    // Room that comes free can be used again.
    assert_eq!(raw.ask(&format!("DISCARD {}", md5(&first))).unwrap(), "Discarded");
    assert_eq!(raw.put("second", &noise(2, 60_000)).unwrap(), md5(&noise(2, 60_000)).to_string());
    drop(raw);
    // It counts what was there before, too.
    serve.stop();
    let serve = Serve::start(dir.path(), &["--quota", "100KB"]);
    assert_eq!(Raw::connect(&serve.address).put("third", &noise(3, 60_000)).unwrap(), NO_SPACE);
    serve.stop();
}

#[test]
fn beyond_the_largest_file_is_too_large() {
    let dir = tempfile::tempdir().unwrap();
    let serve = Serve::start(dir.path(), &["--max-file-size", "1000"]);
    let mut raw = Raw::connect(&serve.address);
    let reply = raw.announce("large", 1_001).unwrap();
    assert_eq!(reply, "ERROR too-large the file is larger than this server takes");
    let just = noise(1, 1_000);
    assert_eq!(raw.put("just", &just).unwrap(), md5(&just).to_string());
    goes_on(&mut raw, &["just", "small"]);
    drop(raw);
    serve.stop();
}

#[test]
fn a_session_can_discard_its_latest_uploads_and_is_told_of_the_older_ones() {
    let dir = tempfile::tempdir().unwrap();
    let serve = Serve::start(dir.path(), &["--quiet"]);
    let mut raw = Raw::connect(&serve.address);
    let (oldest, newer) = (md5(b"oldest").to_string(), md5(b"newer").to_string());
    assert_eq!(raw.put("oldest", b"oldest").unwrap(), oldest);
    for _ in 0..DISCARDABLE {
        assert_eq!(raw.put("newer", b"newer").unwrap(), newer);
    }
    let refused = "ERROR not-yours only the latest uploads of this session can be discarded";
    assert_eq!(raw.ask(&format!("DISCARD {oldest}")).unwrap(), refused);
    for _ in 0..DISCARDABLE {
        assert_eq!(raw.ask(&format!("DISCARD {newer}")).unwrap(), "Discarded");
    }
    let names: Vec<String> = raw.list().unwrap().iter().map(|entry| entry.name.to_string()).collect();
    assert_eq!(names, ["oldest"], "what cannot be discarded stays");
    drop(raw);
    serve.stop();
}

/// `sim` with these arguments in a shell that does `first`.
fn after(first: &str, args: &[&str]) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", &format!("{first} && exec \"$0\" \"$@\""), SIM]).args(args).env_remove("RUST_LOG");
    command
}

#[test]
#[ignore = "more than 128 MiB of lines: 20 seconds without optimisation"]
fn an_endless_listing_ends_and_costs_little() {
    // In KiB. A listing of any length that is allowed fits.
    const MEMORY: &str = "ulimit -v 300000";
    for name in ["n".repeat(255), "n".to_owned()] {
        let piece = format!("{};{name};5\n", md5(b"hello")).repeat(1_000);
        let fake = Fake::once(move |mut client| {
            client.expect("LIST_FILES\n");
            while client.send(&piece).is_ok() {}
        });
        let ended = Program::start(&mut after(MEMORY, &["ls", &fake.address])).end();
        fake.join();
        assert_eq!((ended.code, &*ended.out), (Some(4), ""), "{ended:?}");
        assert!(ended.err.contains("the listing is too long"), "{ended:?}");
    }
}

#[test]
fn a_disk_that_fails_in_the_midst_is_a_refusal() {
    let dir = tempfile::tempdir().unwrap();
    // A file of more blocks than this cannot be written. The signal that says so would end the server.
    let args = ["serve", "--listen", "127.0.0.1:0", "--dir", dir.path().to_str().unwrap()];
    let serve = Serve::by(&mut after("ulimit -f 1000", &args));
    let mut raw = Raw::connect(&serve.address);
    let reply = raw.put("large", &noise(1, 5_000_000)).unwrap();
    assert_eq!(reply, "ERROR storage the storage failed");
    goes_on(&mut raw, &["small"]);
    drop(raw);
    assert_eq!(arriving(dir.path()), [""; 0]);
    serve.stop();
}

/// A shell with mounts of its own.
fn unshared() -> Command {
    let mut command = Command::new("unshare");
    command.args(["--user", "--map-root-user", "--mount", "--", "sh"]);
    command
}

#[test]
#[ignore = "needs mounts of its own: .ci/run does it where that is allowed"]
fn needs_mounts_a_full_disk_is_no_space() {
    let dir = tempfile::tempdir().unwrap();
    let mut command = unshared();
    let script =
        "mount -t tmpfs -o size=1m tmpfs \"$1\" && exec \"$0\" serve --listen 127.0.0.1:0 --dir \"$1\"";
    let serve = Serve::by(command.args(["-c", script, SIM]).arg(dir.path()).env_remove("RUST_LOG"));
    let mut raw = Raw::connect(&serve.address);
    assert_eq!(raw.put("large", &noise(1, 5_000_000)).unwrap(), NO_SPACE);
    // What had been written of it has made room again.
    let fits = noise(2, 700_000);
    assert_eq!(raw.put("fits", &fits).unwrap(), md5(&fits).to_string());
    assert_eq!(raw.put("no more", &noise(3, 700_000)).unwrap(), NO_SPACE);
    goes_on(&mut raw, &["fits", "small"]);
    drop(raw);
    serve.stop();
}
