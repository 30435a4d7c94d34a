//! Programs that are not ours: their output, their end, and that of all that they started.

#![cfg(unix)]

use std::path::Path;
use std::time::Duration;

use sim::process::{How, Launch, Line, MAX_OUTPUT};

/// More than anything here takes.
const LONG: Duration = Duration::from_secs(30);
const SHORT: Duration = Duration::from_millis(300);

fn shell(script: &str, dir: &Path) -> Launch {
    let env = vec![("GREETING".into(), "hello".into())];
    Launch { program: "sh".into(), args: vec!["-c".into(), script.into()], dir: dir.into(), env, keep: Vec::new() }
}

#[test]
fn output_exit_code_environment_and_directory_are_its_own() {
    let dir = tempfile::tempdir().unwrap();
    let script = "echo $GREETING; echo trouble >&2; echo made > file; exit 7";
    let ended = shell(script, dir.path()).spawn().unwrap().wait(LONG, SHORT).unwrap();
    assert_eq!(ended.how, How::Exited(7));
    let line = |is_error, text: &str| Line { is_error, text: text.into() };
    assert!(ended.lines.contains(&line(false, "hello")) && ended.lines.contains(&line(true, "trouble")));
    assert!(dir.path().join("file").exists());
}

#[test]
fn a_program_that_is_killed_is_told_from_one_that_hangs() {
    let dir = tempfile::tempdir().unwrap();
    let killed = shell("kill -9 $$", dir.path()).spawn().unwrap().wait(LONG, SHORT).unwrap();
    assert_eq!(killed.how, How::Signalled(9));
    let hung = shell("trap '' TERM; while :; do sleep 1; done", dir.path()).spawn().unwrap();
    assert_eq!(hung.wait(SHORT, SHORT).unwrap().how, How::Hung);
}

/// Whether there is a process with this id, other than as an entry of the system's list.
fn is_alive(pid: &str) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{pid}/stat"));
    status.is_ok_and(|status| !status.rsplit_once(") ").unwrap().1.starts_with(['Z', 'X']))
}

#[test]
fn nothing_that_it_started_is_left_behind() {
    if !Path::new("/proc/self/stat").exists() {
        return;
    }
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
    assert_eq!(ended.how, How::Exited(0));
    let kept: usize = ended.lines.iter().map(|line| line.text.len()).sum();
    assert!(kept <= MAX_OUTPUT && kept > MAX_OUTPUT / 2, "{kept}");
}

#[test]
fn a_program_that_is_not_there_is_an_error() {
    let launch = Launch { program: "no-such-program".into(), ..shell("", Path::new(".")) };
    assert!(launch.spawn().is_err());
}
