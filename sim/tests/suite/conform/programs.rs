//! Whole programs: our endpoints, `sim conform` itself, and the ones in `audits/student/`.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::thread;
use std::time::Duration;

use protocol::{Compared, FileId, FileName};
use sim::conform::{Conclusion, Goal, Job, Program, test_client, test_server};
use sim::endpoint::{self, Buffer, ClientConfig, Endpoint, ServerConfig, Service, Sessions};
use sim::process::{Ended, How, Launch, Line};
use sim::record::{Action, Recorder};
use sim::storage::{Content, Folder, MemoryStore};
use tokio::time::Instant;

use super::{assert_passes, options};
use crate::workspace;

/// How often a silent connection looks at its deadline.
const TICK: Duration = Duration::from_millis(20);
const DEADLINE: Duration = Duration::from_secs(20);

/// Moves one of our endpoints over a socket, with nothing but blocking calls.
fn drive(mut stream: TcpStream, endpoint: &mut dyn Endpoint, start: Instant) {
    stream.set_read_timeout(Some(TICK)).unwrap();
    stream.set_nodelay(true).unwrap();
    let (mut inbox, mut outbox) = (Vec::new(), Buffer::default());
    loop {
        endpoint.poll_transmit(start.elapsed(), &mut outbox);
        if !outbox.is_empty() {
            // That the peer is gone shows when it is read from.
            let _ = stream.write_all(outbox.filled());
            outbox.consume(outbox.filled().len());
            continue;
        }
        if endpoint.is_closed() {
            break;
        }
        let used = endpoint.handle_input(start.elapsed(), &inbox);
        inbox.drain(..used);
        if used > 0 {
            continue;
        }
        let mut chunk = [0; 16384];
        match stream.read(&mut chunk) {
            Ok(0) => endpoint.handle_end(start.elapsed(), endpoint::End::Finished),
            Ok(count) => inbox.extend_from_slice(&chunk[..count]),
            Err(error)
                if matches!(error.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut) =>
            {
                if endpoint.poll_timeout().is_some_and(|time| time <= start.elapsed()) {
                    endpoint.handle_timeout(start.elapsed());
                }
            }
            Err(_) => endpoint.handle_end(start.elapsed(), endpoint::End::Broken),
        }
    }
    let _ = stream.shutdown(Shutdown::Write);
    // Unread input would reset the connection, and with it the last word.
    while matches!(stream.read(&mut [0; 16384]), Ok(1..)) {}
}

fn our_server() -> SocketAddr {
    let config = ServerConfig { store: Arc::new(MemoryStore::default()), deadline: DEADLINE, flaw: None };
    let sessions = Arc::new(Sessions::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let start = Instant::now();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut session = sessions.accept(start.elapsed());
            thread::spawn(move || drive(stream.unwrap(), &mut *session, start));
        }
    });
    address
}

struct OurClient;

impl Program for OurClient {
    fn can(&self, goal: Goal) -> bool {
        goal != Goal::Whole
    }

    fn writes_out(&self, goal: Goal) -> bool {
        goal == Goal::Get
    }

    fn run(&self, job: &Job, _: &AtomicBool) -> std::io::Result<Ended> {
        let (folder, record, start) = (Folder::in_memory(), Recorder::default(), Instant::now());
        let name = FileName::parse(&job.name).unwrap();
        let command = match job.goal {
            Goal::Put => endpoint::Command::Upload { name: name.clone(), content: Content::open(&job.file)? },
            Goal::Get => {
                endpoint::Command::DownloadId { id: FileId::parse(&job.id).unwrap(), name: name.clone() }
            }
            _ => endpoint::Command::ListFiles,
        };
        let commands = match job.goal {
            // So that its listings are tested as well.
            Goal::Get => vec![endpoint::Command::ListFiles, command],
            _ => vec![command],
        };
        let mut client = endpoint::Client::new(ClientConfig {
            commands,
            folder: folder.clone(),
            deadline: DEADLINE,
            retries: 0,
            flaw: None,
            record: record.clone(),
            progress: None,
        });
        client.handle_connected(start.elapsed());
        drive(TcpStream::connect(job.address)?, &mut client, start);
        if let Some(content) = folder.get(&name)? {
            let mut bytes = vec![0; usize::try_from(content.len()).unwrap()];
            content.read_at(0, &mut bytes)?;
            std::fs::write(&job.out, bytes)?;
        }
        let actions = record.take().into_iter().map(|event| event.action);
        let same = |action: &Action| matches!(action, Action::Compared(_, Compared::Same(_)));
        let bad = |action: &Action| matches!(action, Action::Failed(_));
        let actions: Vec<_> = actions.collect();
        let good = if job.goal == Goal::List { !actions.iter().any(bad) } else { actions.iter().any(same) };
        let text = if good { "Success" } else { "Fail" }.into();
        Ok(Ended { how: How::Exited(i32::from(!good)), lines: vec![Line { is_error: false, text }] })
    }
}

#[test]
fn our_server_passes_every_case() {
    assert_passes(&test_server(&[our_server()], &options(2.0, &[])));
}

#[test]
fn our_client_passes_every_case() {
    assert_passes(&test_client(Arc::new(OurClient), &options(2.0, &[])));
}

fn sim(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_sim"))
        .arg("conform")
        .args(args)
        .current_dir(workspace("."))
        .output()
        .unwrap()
}

fn out(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn the_command_line_says_how_it_went_in_every_format() {
    let address = our_server().to_string();
    let passed = sim(&["--server", &address, "--level", "1"]);
    assert_eq!(passed.status.code(), Some(0), "{}", out(&passed));
    assert!(out(&passed).contains("Passed: the server keeps the rules."), "{}", out(&passed));

    let server = super::Server::start("splits-first");
    let address = server.address.to_string();
    let args = ["--server", &address, "--case", "name-with-semicolons"];
    let failed = sim(&args);
    let text = out(&failed);
    assert_eq!(failed.status.code(), Some(1), "{text}");
    assert!(text.contains("R8") && text.contains("Details are split at their last `;`"), "{text}");
    assert!(text.contains("expected") && text.contains("but came  \"ERROR bad-size no\""), "{text}");
    let replay = format!("cargo run -p sim -- conform --server {address} --case name-with-semicolons");
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
    let list = out(&sim(&["--list"]));
    assert!(list.contains("upload-listed") && list.contains("all-22-steps"), "{list}");
}

/// Whether there is a Python to run; says so if not.
#[expect(clippy::print_stderr, reason = "a test that is left out says so")]
fn has_python() -> bool {
    let found = Command::new("python3").arg("--version").output().is_ok_and(|output| output.status.success());
    if !found {
        eprintln!("left out: there is no python3 here");
    }
    found
}

fn student(which: &str) -> PathBuf {
    workspace("audits/student").join(which)
}

/// The server of a student, on a free port; it ends with what is returned.
fn student_server(which: &str, dir: &Path) -> (sim::process::Running, String) {
    let script = std::path::absolute(student(which).join("server.py")).unwrap();
    let args = [script.as_os_str(), "127.0.0.1".as_ref(), "0".as_ref()].map(Into::into).into();
    let launch = Launch { program: "python3".into(), args, dir: dir.into(), env: Vec::new() };
    let running = launch.spawn().unwrap();
    let line = running.wait_for_line(Duration::from_secs(20), |line| line.text.starts_with("listening"));
    let port = line.unwrap().text.rsplit_once(':').unwrap().1.to_owned();
    (running, format!("127.0.0.1:{port}"))
}

fn client_of(which: &str) -> String {
    format!("python3 {} {{host}} {{port}} {{file}}", student(which).join("client.py").display())
}

#[test]
fn a_students_correct_server_passes() {
    if !has_python() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let (_running, address) = student_server("correct", dir.path());
    let address: SocketAddr = address.parse().unwrap();
    assert_passes(&test_server(&[address], &options(3.0, &[])));
    // Its files are still there: another run has others.
    let again =
        test_server(&[address], &sim::conform::Options { seed: 8, level: Some(4), ..options(5.0, &[]) });
    assert_eq!(again.conclusion(), Conclusion::Passed);
}

#[test]
fn a_students_correct_client_passes_as_far_as_it_verifies() {
    student_passes(&["--level", "4"]);
}

#[test]
#[ignore = "starts Python for every case, which takes half a minute"]
fn a_students_correct_client_passes() {
    student_passes(&[]);
}

fn student_passes(args: &[&str]) {
    if !has_python() {
        return;
    }
    let output = sim(&[&["--client", &client_of("correct")][..], args].concat());
    assert_eq!(output.status.code(), Some(0), "{}", out(&output));
}

#[test]
fn students_who_check_nothing_are_found_out() {
    if !has_python() {
        return;
    }
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
    assert!(out(&lengths).contains("Of 3 cases, 3 failed."), "{}", out(&lengths));

    let dir = tempfile::tempdir().unwrap();
    let (_running, address) = student_server("hashes_nothing", dir.path());
    let server = sim(&["--server", &address, "--case", "upload"]);
    assert_eq!(server.status.code(), Some(1));
    assert!(out(&server).contains("d41d8cd98f00b204e9800998ecf8427e"), "{}", out(&server));
}
