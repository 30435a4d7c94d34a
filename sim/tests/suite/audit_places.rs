//! Whether the faults of an audit strike what they are meant to, with programs that do not send the same in every run.

use serde_json::Value;

use super::audit::{AuditDir, out, verdicts};

/// It stores what comes between the first line and the second, which has a padding and ends with the MD5; and compares, if
/// it is told to.
const SERVER: &str = r#"
import hashlib, socket, sys
port, size, checks = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3] == "checks"
peer = socket.create_server(("127.0.0.1", port)).accept()[0]
sent = peer.makefile("rb").read()
rest = sent.partition(b"\n")[2]
file = rest[:size] if checks else rest[:-33].rpartition(b"\n")[0]
open("payload.bin", "wb").write(file)
is_right = hashlib.md5(file).hexdigest().encode() == sent[-33:-1]
peer.sendall(b"Success\n" if is_right or not checks else b"Fail\n")
"#;

/// What it sends before and behind the file depends on how often it was run.
const CLIENT: &str = r#"
import hashlib, os, socket, sys
host, port, file, runs, before, behind = sys.argv[1:7]
open(runs, "a").write(".")
run = os.path.getsize(runs)
file = open(file, "rb").read()
peer = socket.create_connection((host, int(port)))
digest = hashlib.md5(file).hexdigest().encode()
peer.sendall(b"x" * eval(before) + b"\n" + file + b"\n" + b"y" * eval(behind) + digest + b"\n")
peer.shutdown(socket.SHUT_WR)
print(peer.makefile().read(), end="")
"#;

/// An audit of the two.
fn paddings(before: &str, behind: &str, checks: &str, more: &str) -> AuditDir {
    let desk = AuditDir::new(&format!(
        r#"Audit(
            about: "Lengths that change.", transfer: Upload, size: 2_500,
            server: Program(run: "python3 {{here}}/server.py {{port}} 2500 {checks}"),
            client: Program(run: "python3 {{here}}/client.py {{host}} {{port}} {{file}} {{here}}/runs '{before}' '{behind}'"),
            received: "{{server}}/{{name}}", success: Line("^Success"), fail: Line("^Fail"), check: Md5, {more}
        )"#
    ));
    for (name, text) in [("server.py", SERVER), ("client.py", CLIENT)] {
        std::fs::write(desk.path().join(name), text).unwrap();
    }
    desk
}

fn places(row: &Value) -> &str {
    row["places"][0].as_str().unwrap()
}

#[test]
#[ignore = "needs python3: .ci/run does it where that is"]
fn needs_python_several_faults_in_one_run_strike_the_bytes_of_the_file_that_they_name() {
    let faults = r#"faults: [Together([
        Insert(in: Upload, at: 1_000, text: "0123456789"), Flip(in: Upload, at: 2_000, bit: 0),
        Drop(in: Upload, at: 100, bytes: 7), Reorder(in: Upload, at: 50, bytes: 4, with: 1_500),
    ])],"#;
    let desk = paddings("0", "0", "stores", faults);
    let keep = desk.path().join("kept");
    let output = desk.run(&["--format", "json", "--keep", keep.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1), "{}", out(&output));
    let run = keep.join("01-insert-and-flip-and-drop-and-reorder");
    let mut sent = std::fs::read(run.join("client/payload.bin")).unwrap();
    let stored = std::fs::read(run.join("server/payload.bin")).unwrap();
    sent[2_000] ^= 1;
    (0..4).for_each(|index| sent.swap(50 + index, 1_500 + index));
    let expected = [&sent[..100], &sent[107..1_000], b"0123456789", &sent[1_000..]].concat();
    assert!(stored == expected, "another byte was struck");
}

#[test]
#[ignore = "needs python3: .ci/run does it where that is"]
fn needs_python_a_fault_that_missed_is_placed_anew_by_the_run_in_which_it_did() {
    // Both runs without faults send no padding; from the third on there is one.
    let desk = paddings("50 if run > 2 else 0", "0", "stores", "");
    let (lines, code) = desk.json(&["flip-middle"]);
    assert_eq!((verdicts(&lines), code), (vec![("flip-middle", "silent")], 1), "{lines:?}");
    assert_eq!(places(&lines[0]), "Flip(in: ToServer, at: 1_300, bit: 3), offset 1,249 of the file");
    assert_eq!(lines[0]["file"]["first_difference"], 1_249);
    // It may have been for once, so the same place is tried again before another.
    assert_eq!(std::fs::read(desk.path().join("runs")).unwrap().len(), 5);
}

#[test]
#[ignore = "needs python3: .ci/run does it where that is"]
fn needs_python_a_fault_that_misses_every_time_proves_nothing_and_says_what_it_struck() {
    let desk = paddings("7 * run", "0", "stores", "");
    let (lines, code) = desk.json(&["flip-middle"]);
    assert_eq!((verdicts(&lines), code), (vec![("flip-middle", "inconclusive")], 3), "{lines:?}");
    let why = lines[0]["why"].as_str().unwrap();
    assert!(why.ends_with("it struck offset 1,242 of the file, and not offset 1,249 of the file"), "{why}");
    assert!(places(&lines[0]).ends_with(", meant for offset 1,249 of the file"), "{lines:?}");
    // Before the file there is none of it.
    let (lines, _) = desk.json(&["flip-first"]);
    let why = lines[0]["why"].as_str().unwrap();
    assert!(why.ends_with("something other than offset 0 of the file, and it is not known what"), "{why}");
}

#[test]
#[ignore = "needs python3: .ci/run does it where that is"]
fn needs_python_a_success_that_nothing_explains_leaves_no_audit_sound() {
    // In the four runs of its row the first fault misses, and a wrong file is taken for good.
    let desk = paddings("7 * run if run < 7 else 7", "0", "checks", "");
    let client = CLIENT.replace("print(", "print(\"Success\" if run < 7 else ");
    std::fs::write(desk.path().join("client.py"), client).unwrap();
    let only = ["--only", "flip-middle", "--only", "flip-last", "--format", "json", "--jobs", "1"];
    let output = desk.run(&only);
    let said = out(&output);
    let lines: Vec<Value> = said.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    assert_eq!(verdicts(&lines), [("flip-middle", "inconclusive"), ("flip-last", "detected")], "{said}");
    assert_eq!(output.status.code(), Some(3), "{said}");
}

#[test]
#[ignore = "needs python3: .ci/run does it where that is"]
fn needs_python_a_digest_that_stands_elsewhere_in_a_run_is_rewritten_there() {
    // The file stays where it is, and only its digest moves: whoever strikes beside it makes a file that is noticed.
    let desk = paddings("0", "50 if run > 2 else 0", "checks", "");
    let (lines, code) = desk.json(&["flip-middle", "file-and-hash"]);
    let expected = vec![("flip-middle", "detected"), ("file-and-hash", "silent")];
    assert_eq!((verdicts(&lines), code), (expected, 0), "{lines:?}");
    assert_eq!(lines[1]["known_limit"], true);
}

#[test]
#[ignore = "needs python3: .ci/run does it where that is"]
fn needs_python_where_the_file_cannot_be_seen_a_change_that_did_no_harm_is_no_pass() {
    // The file travels as text, and most of what is sent is thrown away.
    let desk = paddings("0", "0", "stores", "");
    let client =
        CLIENT.replace("+ file +", "+ __import__(\"base64\").b64encode(file) + b\"\\n\" + b\"z\" * 9_000 +");
    let server = SERVER.replace(
        "open(\"payload.bin\"",
        "import base64; file = base64.b64decode(rest.split()[0])\nopen(\"payload.bin\"",
    );
    std::fs::write(desk.path().join("client.py"), client).unwrap();
    std::fs::write(desk.path().join("server.py"), server).unwrap();
    let (lines, code) = desk.json(&["flip-middle", "slice"]);
    let expected = vec![("flip-middle", "inconclusive"), ("slice", "intact")];
    assert_eq!((verdicts(&lines), code), (expected, 3), "{lines:?}");
    assert!(
        lines[0]["why"].as_str().unwrap().contains("where in it the fault struck is not known"),
        "{lines:?}"
    );
}
