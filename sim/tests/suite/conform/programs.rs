//! Whole programs: our endpoints, `sim conform` itself, and the ones in `audits/student/`.

use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use conform::{Conclusion, test_server};
use process::Launch;
use transfer::live::{LiveServer, ServerSettings};
use transfer::storage::MemoryStore;

use super::{assert_passes, options};
use crate::workspace;

/// Our server, in this process; it ends with it.
fn our_server() -> SocketAddr {
    let store = Arc::new(MemoryStore::default());
    let server = LiveServer::bind("127.0.0.1:0", store, ServerSettings::default()).unwrap();
    let address = server.local_addr().unwrap();
    thread::spawn(move || server.run(std::future::pending()));
    address
}

#[test]
fn our_server_passes_every_case() {
    assert_passes(&test_server(&[our_server()], &options(2.0, &[])));
}

/// `sim` with these arguments, as a command for `sim conform`.
pub(super) fn our(args: &str) -> String {
    format!("{} {args}", env!("CARGO_BIN_EXE_sim"))
}

#[test]
fn our_put_get_and_ls_pass_every_case() {
    let put = our("put {host}:{port} {file} --timeout 4");
    let get = our("get {host}:{port} {id} -o {out} --timeout 4");
    let list = our("ls {host}:{port} --timeout 4");
    let output = sim(&["--put", &put, "--get", &get, "--ls", &list]);
    assert_eq!(output.status.code(), Some(0), "{}", out(&output));
}

#[test]
#[cfg(unix)]
fn what_a_command_names_is_found_from_where_it_was_given() {
    let dir = tempfile::tempdir().unwrap();
    let put = format!("[ \"$1\" = put ] && exec {}\n", our("put \"$2:$3\" \"$4\" --timeout 4"));
    std::fs::write(dir.path().join("client.sh"), &put).unwrap();
    // A file that is called like the client's command, and like the shell, is nobody's business.
    std::fs::write(dir.path().join("put"), "").unwrap();
    std::fs::write(dir.path().join("sh"), "").unwrap();
    let script = "sh -c 'exec sh \"$HERE/client.sh\" put $HOST $PORT \"$FILE\"'";
    for command in [
        "sh client.sh put {host} {port} {file}",
        "sh ./client.sh put {host} {port} {file}",
        "sh {cwd}/client.sh put {host} {port} {file}",
        script,
    ] {
        let mut sim = Command::new(env!("CARGO_BIN_EXE_sim"));
        let sim = sim.args(["conform", "--put", command, "--case", "upload"]).current_dir(dir.path());
        let output = sim.output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{command}: {}", out(&output));
    }
}

#[test]
fn our_session_passes_every_case() {
    let output = sim(&["--client", &our("session {host}:{port} {file} --timeout 4")]);
    assert_eq!(output.status.code(), Some(0), "{}", out(&output));
}

pub(super) fn sim(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_sim"))
        .arg("conform")
        .args(args)
        .env_remove("CARGO") // It is started as a shell does.
        .current_dir(workspace("."))
        .output()
        .unwrap()
}

pub(super) fn out(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn the_command_line_says_how_it_went_in_every_format() {
    let address = our_server().to_string();
    let passed = sim(&["--server", &address, "--level", "1"]);
    assert_eq!(passed.status.code(), Some(0), "{}", out(&passed));
    assert!(
        out(&passed).contains("Level 1 of 8 passed. Of the cases asked for, the server passes all."),
        "{}",
        out(&passed)
    );

    let server = super::Server::start("splits-first");
    let address = server.address.to_string();
    let args = ["--server", &address, "--case", "name-with-semicolons"];
    let failed = sim(&args);
    let text = out(&failed);
    assert_eq!(failed.status.code(), Some(1), "{text}");
    assert!(text.contains("R8") && text.contains("Details are split at their last `;`"), "{text}");
    assert!(text.contains("expected") && text.contains("but came  \"ERROR bad-size no\""), "{text}");
    let replay = format!("{} --server {address} --seed 1 --case name-with-semicolons", our("conform"));
    assert!(text.contains(&replay), "{text}");

    let json = out(&sim(&[&args[..], &["--format", "json"]].concat()));
    let lines: Vec<serde_json::Value> =
        json.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((&lines[0]["outcome"], &lines[1]["conclusion"]), (&"fail".into(), &"failed".into()));
    let xml = out(&sim(&[&args[..], &["--format", "junit"]].concat()));
    assert!(xml.contains("<testcase name=\"name-with-semicolons\">") && xml.contains("<failure"), "{xml}");
}

#[test]
fn the_command_line_tells_bad_usage_from_nothing_proved() {
    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    assert_eq!(sim(&["--server", &gone]).status.code(), Some(3));
    assert_eq!(sim(&["--client", "no-such-program {port}", "--timeout", "0.5"]).status.code(), Some(3));
    for args in [
        &["--client", "client {port} {flie}"][..],
        &["--client", "client"],
        &["--client", "client '{port}"],
        &["--server", "nowhere"],
        &["--server", &gone, "--case", "uplaod"],
        &["--server", &gone, "--level", "9"],
        &["--server", &gone, "--timeout", "0"],
        &["--server", &gone, "--client", "client {port}"],
        &[],
    ] {
        let output = sim(args);
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert!(!output.stderr.is_empty());
    }
    for (args, says) in [
        (&[][..], "sim conform --client 'python3 client.py {host} {port} {file}'"),
        (&["--server", "127.0.0.1:0"], "'--server <HOST:PORT>': port 0 is nobody's"),
        (&["--server", "127.0.0.1:65536"], "`65536` is no port"),
        (&["--server", "nosuch.invalid:1"], "--server nosuch.invalid:1: "),
    ] {
        let output = sim(args);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code() == Some(2) && errors.contains(says), "{args:?}: {errors}");
    }
    let list = out(&sim(&["--list"]));
    assert!(list.contains("upload-listed") && list.contains("all-22-steps"), "{list}");
}

pub(super) fn student(which: &str) -> PathBuf {
    workspace("audits/student").join(which)
}

/// The server of a student whose programs are in a folder, on a free port; it ends with what is returned.
pub(super) fn student_server(folder: &Path, dir: &Path) -> (process::Running, String) {
    let script = std::path::absolute(folder.join("server.py")).unwrap();
    let args = [script.as_os_str(), "127.0.0.1".as_ref(), "0".as_ref()].map(Into::into).into();
    let launch =
        Launch { program: "python3".into(), args, dir: dir.into(), env: Vec::new(), keep: Vec::new() };
    let running = launch.spawn().unwrap();
    let line = running.wait_for_line(Duration::from_secs(20), |line| line.text.starts_with("listening"));
    let port = line.unwrap().text.rsplit_once(':').unwrap().1.to_owned();
    (running, format!("127.0.0.1:{port}"))
}

fn client_of(which: &str) -> String {
    format!("python3 {} {{host}} {{port}} {{file}}", student(which).join("client.py").display())
}

#[test]
#[ignore = "needs python3: .ci/run does it where that is"]
fn needs_python_a_students_correct_server_passes() {
    let dir = tempfile::tempdir().unwrap();
    let (_running, address) = student_server(&student("correct"), dir.path());
    let address: SocketAddr = address.parse().unwrap();
    assert_passes(&test_server(&[address], &options(3.0, &[])));
    // Its files are still there: another run has others.
    let again = test_server(&[address], &conform::ConformOptions { level: Some(4), ..options(5.0, &[]) });
    assert_eq!((again.round, again.conclusion()), (1, Conclusion::Passed));
}

#[test]
#[ignore = "needs python3: .ci/run does it where that is"]
fn needs_python_a_students_correct_client_passes_as_far_as_it_verifies() {
    student_passes(&["--level", "4"]);
}

#[test]
#[ignore = "needs python3: .ci/run does it where that is"]
fn needs_python_a_students_correct_client_passes() {
    student_passes(&[]);
}

fn student_passes(args: &[&str]) {
    let output = sim(&[&["--client", &client_of("correct")][..], args].concat());
    assert_eq!(output.status.code(), Some(0), "{}", out(&output));
}

#[test]
#[ignore = "needs python3: .ci/run does it where that is"]
fn needs_python_students_who_check_nothing_are_found_out() {
    let nothing = sim(&["--client", &client_of("hashes_nothing"), "--case", "hash-of-nothing"]);
    assert!(
        out(&nothing).contains("no Success") || out(&nothing).contains("expected  Fail"),
        "{}",
        out(&nothing)
    );
    assert_eq!(nothing.status.code(), Some(1));
    let args = ["--case", "wrong-hash", "--case", "damaged-download", "--case", "swapped-bytes"];
    let lengths = sim(&[&["--client", &client_of("compares_lengths")][..], &args].concat());
    assert_eq!(lengths.status.code(), Some(1));
    assert!(out(&lengths).contains("Of the 3 cases asked for, of "), "{}", out(&lengths));
    assert!(out(&lengths).contains(", 3 failed. First failure: wrong-hash."), "{}", out(&lengths));

    let dir = tempfile::tempdir().unwrap();
    let (_running, address) = student_server(&student("hashes_nothing"), dir.path());
    let server = sim(&["--server", &address, "--case", "upload"]);
    assert_eq!(server.status.code(), Some(1));
    assert!(out(&server).contains("d41d8cd98f00b204e9800998ecf8427e"), "{}", out(&server));
}

#[test]
fn a_server_that_is_started_anew_for_each_case_passes() {
    let command = our("serve --dir {dir} --listen {host}:{port} --quiet");
    let output = sim(&["--server-command", &command, "--level", "2"]);
    assert_eq!(output.status.code(), Some(0), "{}", out(&output));
    assert!(out(&output).contains("Level 2 of 8 passed."), "{}", out(&output));
}

#[test]
fn a_server_that_cannot_be_started_is_not_charged_and_costs_no_time() {
    let output = sim(&["--server-command", &our("serve {port}")]);
    assert_eq!(output.status.code(), Some(3), "{}", out(&output));
    assert!(out(&output).contains("the server ended before it was ready"), "{}", out(&output));
    for command in ["server {file}", "server {host}"] {
        assert_eq!(sim(&["--server-command", command]).status.code(), Some(2));
    }
}

#[test]
#[ignore = "needs python3: .ci/run does it where that is"]
fn needs_python_the_server_of_a_student_that_serves_one_client_fails_where_there_is_a_second() {
    let dir = tempfile::tempdir().unwrap();
    let script = dir.path().join("once.py");
    let once = "import sys; sys.path.insert(0, sys.argv[3]); import socket, server\n\
        listener = socket.create_server((sys.argv[1], int(sys.argv[2])))\n\
        server.serve(listener.accept()[0], server.Store('files'))\n\
        print('one is enough')\n";
    std::fs::write(&script, once).unwrap();
    let correct = std::path::absolute(student("correct")).unwrap();
    let command = format!("python3 {} {{host}} {{port}} {}", script.display(), correct.display());
    let output = sim(&["--server-command", &command, "--level", "1"]);
    let text = out(&output);
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains("First failure: list-for-the-next."), "{text}");
    assert!(text.contains("hint      the server's last words: \"one is enough\""), "{text}");
}

/// What the script of docs/teaching.md says of these submissions, held against this student's task.
#[cfg(unix)]
fn grade(task: &str, names: &[&str]) -> String {
    let dir = tempfile::tempdir().unwrap();
    let audit = std::fs::read_to_string(workspace(&format!("audits/student/{task}_upload.ron"))).unwrap();
    let audit_file = dir.path().join("task.ron");
    std::fs::write(&audit_file, audit.replace(&format!("{{here}}/{task}/"), "{here}/")).unwrap();
    for name in names {
        std::fs::create_dir(dir.path().join(name)).unwrap();
        for file in ["server.py", "client.py"].into_iter().filter(|_| *name != "empty") {
            std::fs::copy(student(name).join(file), dir.path().join(name).join(file)).unwrap();
        }
    }
    let output = Command::new(workspace("audits/student/grade.sh"))
        .arg(&audit_file)
        .args(names.iter().map(|name| dir.path().join(name)))
        .env("SIM", env!("CARGO_BIN_EXE_sim"))
        .env("LEVEL", "3")
        .env("JOBS", "2")
        .output()
        .unwrap();
    out(&output)
}

#[cfg(unix)]
#[test]
#[ignore = "needs python3: .ci/run does it where that is"]
fn needs_python_the_script_for_a_class_marks_every_submission() {
    let good = grade("correct", &["correct"]);
    assert_eq!(good, "correct: server passed; client passed; audit passed\n");
    let bad = grade("hashes_nothing", &["hashes_nothing", "empty"]);
    let nothing = "open: see the report";
    let empty = format!("empty: server {nothing}; client {nothing}; audit {nothing}\n");
    assert_eq!(bad, format!("hashes_nothing: server FAILED; client FAILED; audit FAILED\n{empty}"));
}
