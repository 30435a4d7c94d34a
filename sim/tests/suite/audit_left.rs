//! Nothing is left behind by an audit: no process, no directory, also after Ctrl-C and after programs that do not
//! want to end.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::audit::{Desk, upload};

/// How long a thing may take that happens at once.
const PATIENCE: Duration = Duration::from_secs(20);

/// The command lines of all processes that mention `path`.
fn processes(path: &Path) -> Vec<String> {
    let path = path.to_str().unwrap();
    let all = fs::read_dir("/proc").unwrap().filter_map(Result::ok);
    let lines = all.filter_map(|entry| fs::read_to_string(entry.path().join("cmdline")).ok());
    lines.filter(|line| line.contains(path)).map(|line| line.replace('\0', " ")).collect()
}

#[allow(clippy::disallowed_methods, reason = "other processes keep to the machine's clock")]
fn wait_until(what: &str, is_so: impl Fn() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < PATIENCE, "{what} does not happen");
        std::thread::yield_now();
    }
}

/// The server ignores SIGTERM, and has started another process; the client never ends.
fn stubborn() -> Desk {
    Desk::new(
        r#"Audit(
            about: "Programs that do not want to end.", transfer: Upload, size: 2_500, deadline: DEADLINE,
            server: Program(
                run: "sh -c 'trap : TERM; : {here}; {sim} serve --dir {server}/store --listen {host}:{port} & while :; do sleep 1000; done'",
                ready: Line("^listening"),
            ),
            client: Program(run: "sh -c 'trap : TERM; {sim} put {host}:{port} {file}; : > {here}/begun; while :; do sleep 1000; done; : {here}'"),
            received: "{server}/store/*/{name}", success: Line("^Success"), fail: Line("^Fail"),
        )"#,
    )
}

#[test]
fn programs_that_ignore_sigterm_are_ended_with_all_that_they_started() {
    let desk = stubborn();
    let path = desk.path().join("audit.ron");
    fs::write(&path, fs::read_to_string(&path).unwrap().replace("DEADLINE", "0.5")).unwrap();
    let (lines, code) = desk.json(&["flip-middle"]);
    assert_eq!(lines[0]["verdict"], "Detected", "{lines:?}");
    assert_eq!(code, 0);
    assert_eq!(processes(desk.path()), Vec::<String>::new());
}

#[test]
fn an_interruption_ends_everything_and_removes_the_directories() {
    for signal in ["-INT", "-TERM"] {
        let desk = stubborn();
        let path = desk.path().join("audit.ron");
        fs::write(&path, fs::read_to_string(&path).unwrap().replace("DEADLINE", "1000")).unwrap();
        let mut command = desk.command(&["--quiet"]);
        let mut audit = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        wait_until("the transfer", || desk.path().join("begun").exists());
        assert!(processes(desk.path()).len() >= 3, "the programs run");
        assert!(Command::new("kill").args([signal, &audit.id().to_string()]).status().unwrap().success());
        assert_eq!(audit.wait().unwrap().code(), Some(130), "{signal}");
        wait_until("the end of all processes", || processes(desk.path()).is_empty());
        assert!(desk.left().is_empty(), "{:?}", desk.left());
    }
}

#[test]
fn no_port_stays_taken() {
    let desk = upload("{sim} put {host}:{port} {file}", "fail: Exit(1),");
    let (lines, _) = desk.json(&["delay"]);
    let said = lines[0]["output"].as_array().unwrap().iter().filter_map(|line| line.as_str());
    let said = said.filter_map(|line| line.split("listening on ").nth(1)).next_back();
    let address: std::net::SocketAddr = said.unwrap().parse().unwrap();
    std::net::TcpListener::bind(address).unwrap();
    assert_eq!(processes(desk.path()), Vec::<String>::new());
}
