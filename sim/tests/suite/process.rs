//! Programs that are not ours: their output, their end, and that of all that they started.

#![cfg(unix)]

use std::path::Path;
use std::time::Duration;

use process::{
    EndKind, Launch, Line, MAX_OUTPUT, NotReady, Ready, ServerLaunch, ServerStartError, StartError, free_port,
};
use regex::Regex;

/// More than anything here takes.
const LONG: Duration = Duration::from_secs(30);
const SHORT: Duration = Duration::from_millis(300);

fn shell(script: &str, dir: &Path) -> Launch {
    let env = vec![("GREETING".into(), "hello".into())];
    Launch {
        program: "sh".into(),
        args: vec!["-c".into(), script.into()],
        dir: dir.into(),
        env,
        keep: Vec::new(),
    }
}

#[test]
fn output_exit_code_environment_and_directory_are_its_own() {
    let dir = tempfile::tempdir().unwrap();
    let script = "echo $GREETING; echo trouble >&2; echo made > file; exit 7";
    let ended = shell(script, dir.path()).spawn().unwrap().wait(LONG, SHORT).unwrap();
    assert_eq!(ended.how, EndKind::Exited(7));
    let line = |is_error, text: &str| Line { is_error, text: text.into() };
    assert!(ended.lines.contains(&line(false, "hello")) && ended.lines.contains(&line(true, "trouble")));
    assert!(dir.path().join("file").exists());
}

#[test]
fn a_program_that_is_killed_is_told_from_one_that_hangs() {
    let dir = tempfile::tempdir().unwrap();
    let killed = shell("kill -9 $$", dir.path()).spawn().unwrap().wait(LONG, SHORT).unwrap();
    assert_eq!(killed.how, EndKind::Signalled(9));
    let hung = shell("trap '' TERM; while :; do sleep 1; done", dir.path()).spawn().unwrap();
    assert_eq!(hung.wait(SHORT, SHORT).unwrap().how, EndKind::Hung);
}

/// Whether there is a process with this id, other than as an entry of the system's list.
#[cfg(target_os = "linux")]
fn is_alive(pid: &str) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{pid}/stat"));
    status.is_ok_and(|status| !status.rsplit_once(") ").unwrap().1.starts_with(['Z', 'X']))
}

#[test]
#[cfg(target_os = "linux")]
fn nothing_that_it_started_is_left_behind() {
    let dir = tempfile::tempdir().unwrap();
    // One that ends and leaves another behind; one that is ended; and one that is dropped.
    let leaver = shell("sleep 600 & echo $!", dir.path()).spawn().unwrap().wait(LONG, SHORT).unwrap();
    let hung = shell("sleep 600 & echo $!; wait", dir.path()).spawn().unwrap();
    let dropped = shell("sleep 600 & echo $!; wait", dir.path()).spawn().unwrap();
    let child_of_dropped = dropped.wait_for_line(LONG, |_| true).unwrap().text;
    assert!(is_alive(&child_of_dropped));
    drop(dropped);
    hung.wait_for_line(LONG, |_| true).unwrap();
    let hung = hung.wait(SHORT, SHORT).unwrap();
    for pid in [&leaver.lines[0].text, &hung.lines[0].text, &child_of_dropped] {
        // The signal is on its way; the process takes it when it is next scheduled.
        let gone = (0..1000).any(|_| {
            std::thread::yield_now();
            !is_alive(pid) || {
                std::thread::sleep(Duration::from_millis(1));
                false
            }
        });
        assert!(gone, "{pid} is left");
    }
}

#[test]
fn output_without_end_is_cut_and_does_not_stop_the_program() {
    let dir = tempfile::tempdir().unwrap();
    let script = "head -c 2000000 /dev/zero | tr '\\0' x; echo; head -c 1000000 /dev/zero | tr '\\0' '\\n'";
    let ended = shell(script, dir.path()).spawn().unwrap().wait(LONG, SHORT).unwrap();
    assert_eq!(ended.how, EndKind::Exited(0));
    let kept: usize = ended.lines.iter().map(|line| line.text.len()).sum();
    assert!(kept <= MAX_OUTPUT && kept > MAX_OUTPUT / 2, "{kept}");
}

#[test]
fn a_program_that_is_not_there_is_an_error() {
    let launch = Launch { program: "no-such-program".into(), ..shell("", Path::new(".")) };
    assert!(matches!(launch.spawn(), Err(StartError::Unknown(name)) if name == "no-such-program"));
    let launch = Launch { program: "./no-such-program".into(), ..shell("", Path::new(".")) };
    assert!(matches!(launch.spawn(), Err(StartError::Refused { .. })));
}

/// A server that goes into the background and then takes its time before it listens, with nothing of it on the outputs of
/// its parent.
fn slow_daemon(port: u16) -> String {
    let listen =
        format!("sleep 0.3; exec {} serve --dir store --listen 127.0.0.1:{port}", env!("CARGO_BIN_EXE_sim"));
    format!("setsid sh -c '{listen}' > /dev/null 2>&1 & exit 0")
}

#[test]
#[cfg(target_os = "linux")]
fn a_server_in_the_background_is_waited_for_after_the_end_of_its_parent() {
    let dir = tempfile::tempdir().unwrap();
    let port = free_port().unwrap();
    let mut daemon = shell(&slow_daemon(port), dir.path()).spawn().unwrap();
    while daemon.poll().unwrap().is_none() {
        std::thread::yield_now();
    }
    daemon.wait_ready(&Ready::Port, port).unwrap();
    assert_eq!(daemon.wait(SHORT, SHORT).unwrap().how, EndKind::Exited(0));
}

#[test]
#[cfg(target_os = "linux")]
fn a_server_that_has_ended_and_left_nobody_is_not_waited_for() {
    let dir = tempfile::tempdir().unwrap();
    for (script, code) in [("exit 0", 0), ("sleep 600 & exit 3", 3)] {
        let mut server = shell(script, dir.path()).spawn().unwrap();
        let ready = server.wait_ready(&Ready::Port, free_port().unwrap());
        assert_eq!(ready, Err(NotReady::Ended(EndKind::Exited(code))));
    }
}

/// A server that says that it listens, at the start with this number, and ends at all others. It notes its ports.
fn starts_at(dir: &Path, start: usize, port: Option<u16>) -> (Vec<u16>, Result<usize, ServerStartError<()>>) {
    let listener = ServerLaunch { ready: Ready::Line(Regex::new("^ready$").unwrap()), port, grace: SHORT };
    let mut ports = Vec::new();
    let started = listener.start(|port| {
        ports.push(port);
        let script = if ports.len() == start { "echo ready; exec sleep 600" } else { "echo no; exit 1" };
        Ok((shell(script, dir), ports.len()))
    });
    (ports, started.map(|started| started.made))
}

#[test]
fn a_server_that_ends_at_once_is_started_on_another_port() {
    let dir = tempfile::tempdir().unwrap();
    let (mut ports, started) = starts_at(dir.path(), 3, None);
    assert_eq!((ports.len(), started.unwrap()), (3, 3));
    ports.sort_unstable();
    ports.dedup();
    assert_eq!(ports.len(), 3, "a port that was lost is not tried again");
    // Not for ever, and not if it can have no other port.
    for (port, starts) in [(None, 4), (Some(1), 1)] {
        let (ports, started) = starts_at(dir.path(), 5, port);
        assert_eq!(ports.len(), starts);
        let Err(ServerStartError::NotReady { why, lines }) = started else { panic!("it is not ready") };
        assert_eq!((why, process::last_line(&lines)), (NotReady::Ended(EndKind::Exited(1)), Some("no")));
    }
}
