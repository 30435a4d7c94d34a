//! Nothing is left behind by an audit: no process, no directory, also after Ctrl-C and after programs that do not
//! want to end.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::audit::{AuditDir, upload};

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
fn stubborn() -> AuditDir {
    AuditDir::new(
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
    assert_eq!(lines[0]["verdict"], "detected", "{lines:?}");
    assert_eq!(code, 0);
    assert_eq!(processes(desk.path()), Vec::<String>::new());
}

#[test]
fn an_interruption_ends_everything_and_removes_the_directories() {
    for (signal, jobs) in [("-INT", "1"), ("-TERM", "4")] {
        let desk = stubborn();
        let path = desk.path().join("audit.ron");
        fs::write(&path, fs::read_to_string(&path).unwrap().replace("DEADLINE", "1000")).unwrap();
        let mut command = desk.command(&["--quiet", "--jobs", jobs]);
        let mut audit = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        wait_until("the transfer", || desk.path().join("begun").exists());
        assert!(processes(desk.path()).len() >= 3, "the programs run");
        interrupt(&audit, signal);
        assert_eq!(audit.wait().unwrap().code(), Some(130), "{signal}");
        assert_eq!(processes(desk.path()), Vec::<String>::new(), "{signal}");
        assert!(desk.left().is_empty(), "{:?}", desk.left());
    }
}

fn interrupt(audit: &Child, signal: &str) {
    assert!(Command::new("kill").args([signal, &audit.id().to_string()]).status().unwrap().success());
}

#[test]
fn an_interruption_asks_first_and_what_was_found_by_then_is_reported() {
    // The third faulted run waits for the interruption, and says that it was asked to end.
    let client = r#"sh -c "echo >> {here}/runs; [ $(wc -l < {here}/runs) -lt 7 ] || { trap 'touch {here}/asked; exit' TERM; touch {here}/begun; while :; do sleep 0.05; done; }; {sim} put {host}:{port} {file}""#;
    let desk = upload(client, "fail: Exit(1), deadline: 1000,");
    let mut command = desk.command(&["--format", "json", "--quiet"]);
    let audit = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    wait_until("the third run", || desk.path().join("begun").exists());
    interrupt(&audit, "-INT");
    let output = audit.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));
    assert!(desk.path().join("asked").exists());
    let lines: Vec<Value> = String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let last = lines.last().unwrap();
    assert_eq!(
        (lines.len(), &last["interrupted"], &last["conclusion"]),
        (3, &true.into(), &"inconclusive".into())
    );
    assert!(last["judgement"][0].as_str().unwrap().starts_with("Interrupted after 2 of "), "{last}");
    assert!(desk.left().is_empty(), "{:?}", desk.left());
}

#[test]
#[cfg(target_os = "linux")]
fn a_program_that_left_its_group_is_found() {
    let client =
        r#"sh -c "setsid sh -c 'while :; do sleep 1000; done; : {here}' & {sim} put {host}:{port} {file}""#;
    let desk = upload(client, "fail: Exit(1),");
    assert_eq!(desk.json(&["flip-middle"]).1, 0);
    assert_eq!(processes(desk.path()), Vec::<String>::new());
}

#[test]
#[cfg(target_os = "linux")]
fn a_server_that_goes_into_the_background_can_be_audited() {
    let desk = AuditDir::new(
        r#"Audit(
            about: "A daemon.", transfer: Upload, size: 2_500, deadline: 3, client: Own,
            server: Program(run: "sh -c 'setsid {sim} serve --dir {server}/store --listen {host}:{port} > {server}/log 2>&1 & exit 0'"),
            received: "{server}/store/*/{name}",
        )"#,
    );
    let (lines, code) = desk.json(&["flip-middle"]);
    assert_eq!((&lines[0]["verdict"], code), (&"detected".into(), 0), "{lines:?}");
    assert_eq!(processes(desk.path()), Vec::<String>::new());
}

#[test]
#[cfg(target_os = "linux")]
#[ignore = "needs a network of its own: .ci/run does it where that is allowed"]
fn needs_isolation_a_server_in_a_network_of_its_own_can_go_into_the_background() {
    let desk = AuditDir::new(
        r#"Audit(
            about: "A daemon.", transfer: Upload, size: 2_500, deadline: 3, port: 9999, isolate: true,
            server: Program(run: "sh -c 'setsid {sim} serve --dir {server}/store --listen 127.0.0.1:9999 > {server}/log 2>&1 & exit 0'"),
            client: Program(run: "{sim} put 127.0.0.1:9999 {file}"),
            received: "{server}/store/*/{name}", fail: Exit(1),
        )"#,
    );
    let (lines, code) = desk.json(&["flip-middle"]);
    assert_eq!((&lines[0]["verdict"], code), (&"detected".into(), 0), "{lines:?}");
    assert_eq!(processes(desk.path()), Vec::<String>::new());
}

/// A path that has nothing in it.
fn is_gone(path: &Path) -> bool {
    fs::symlink_metadata(path).is_err()
}

#[test]
fn directories_that_were_made_for_the_file_to_be_sent_are_taken_away() {
    let desk = upload(
        "{sim} put {host}:{port} {file}",
        r#"fail: Exit(1), sent: "{here}/made/for/it.bin", received: "{server}/store/*/it.bin","#,
    );
    // One path is for one run at a time, however many may run.
    let (lines, code) = desk.json(&["flip-first", "flip-middle", "flip-last", "delay"]);
    let verdicts: Vec<_> = lines.iter().filter_map(|line| line["verdict"].as_str()).collect();
    assert_eq!((verdicts, code), (vec!["detected", "detected", "detected", "intact"], 0), "{lines:?}");
    assert!(is_gone(&desk.path().join("made")));
    // What was there stays, and so does what is not ours.
    fs::create_dir_all(desk.path().join("made")).unwrap();
    assert_eq!(desk.json(&["delay"]).1, 0);
    assert!(desk.path().join("made").is_dir() && is_gone(&desk.path().join("made/for")));
    fs::create_dir_all(desk.path().join("made/for/it.bin")).unwrap();
    assert_eq!(desk.json(&["delay"]).1, 3);
    assert!(desk.path().join("made/for/it.bin").is_dir());
}

#[test]
fn a_run_that_does_not_come_about_leaves_no_directories_either() {
    let desk = upload("no-such-program {port}", r#"sent: "{here}/made/for/it.bin","#);
    assert_eq!(desk.json(&["delay"]).1, 3);
    assert!(is_gone(&desk.path().join("made")));
}

/// All that lies in a directory.
fn all(dir: &Path) -> Vec<String> {
    let entries = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    let below = |path: std::path::PathBuf| {
        let inside = if path.is_dir() { all(&path) } else { Vec::new() };
        [vec![path.file_name().unwrap().to_string_lossy().into_owned()], inside].concat()
    };
    entries.flat_map(below).collect()
}

#[test]
fn the_name_of_a_directory_is_no_part_of_a_script() {
    let scripts = [
        r#"ls {here} > seen && test -f {here}/audit.ron && cp {file} \"{client}/copy\" && {sim} put {host}:{port} \"$(echo {file})\""#,
        r#"test -f \"$HERE/audit.ron\" && cp \"$FILE\" \"$CLIENT/copy\" && \"$SIM\" put $HOST:$PORT \"$FILE\""#,
        r#"sh -c 'cp \"$FILE\" \"$CLIENT/copy\"' && {sim} put {host}:{port} {file}"#,
    ];
    for script in scripts {
        let text = super::audit::upload_text(&format!("sh -c \"{script}\""), "fail: Exit(1),");
        let desk = AuditDir::named("d ir;touch X", &text);
        let keep = desk.path().join("kept");
        let args = ["--only", "flip-middle", "--format", "json", "--keep", keep.to_str().unwrap()];
        let output = super::audit::out(&desk.run(&args));
        assert!(output.contains(r#""verdict":"detected""#), "{script}: {output}");
        let left = all(desk.path());
        assert!(left.contains(&"copy".into()) && !left.contains(&"X".into()), "{script}: {left:?}");
    }
}

#[test]
fn a_name_that_would_become_text_of_a_script_is_refused() {
    for script in ["sh -c 'ls {here}'; {sim} put {host}:{port} {file}", "eval \\\"ls {here}\\\"; : {port}"] {
        let text = super::audit::upload_text(&format!("sh -c \"{script}\""), "");
        let desk = AuditDir::named("d ir;touch X", &text);
        let keep = desk.path().join("kept");
        let args = ["--only", "delay", "--keep", keep.to_str().unwrap()];
        let output = desk.run(&args);
        let said = super::audit::out(&output);
        assert!(said.contains("say \"$HERE\" there"), "{said}");
        assert_eq!(output.status.code(), Some(3));
        assert!(!all(desk.path()).contains(&"X".into()));
    }
}

#[test]
fn no_port_stays_taken() {
    let desk = upload("{sim} put {host}:{port} {file}", "fail: Exit(1),");
    let (lines, _) = desk.json(&["delay"]);
    let said = lines[0]["output"].as_array().unwrap().iter().filter_map(|line| line["text"].as_str());
    let said = said.filter_map(|line| line.split("listening on ").nth(1)).next_back();
    let address: std::net::SocketAddr = said.unwrap().parse().unwrap();
    std::net::TcpListener::bind(address).unwrap();
    assert_eq!(processes(desk.path()), Vec::<String>::new());
}
