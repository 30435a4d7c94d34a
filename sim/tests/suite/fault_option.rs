//! `--fault`: faults that no file says, added to scenarios and tried by audits.

use std::process::{Command, Output};

use insta::assert_snapshot;
use notation::parse_scenario_fault;
use serde_json::Value;

use super::audit::{AuditDir, out, upload, verdicts};
use super::{basic_but, parse, workspace};

const FLIP: &str = "Flip(in: Upload, at: 5, bit: 0)";

fn sim(args: &[&str]) -> Output {
    let mut sim = Command::new(env!("CARGO_BIN_EXE_sim"));
    sim.env_remove("CARGO").args(args).current_dir(workspace(".")).output().unwrap()
}

/// Standard output of a run that has to exit with `code`.
fn text(args: &[&str], code: i32) -> String {
    let output = sim(args);
    assert_eq!(output.status.code(), Some(code), "{args:?}: {}", out(&output));
    String::from_utf8(output.stdout).unwrap()
}

/// What is said of a mistake; nothing is run.
fn refused(args: &[&str]) -> String {
    let output = sim(args);
    assert_eq!(output.status.code(), Some(2), "{args:?}: {}", out(&output));
    assert_eq!(output.stdout, b"", "{args:?}");
    String::from_utf8(output.stderr).unwrap()
}

/// The arguments of a command of this program.
fn words(command: &str) -> Vec<String> {
    let words = shlex::split(command).unwrap();
    // Started by cargo, it says so: all behind `--` is its own.
    let start = words.iter().position(|word| word == "--").unwrap_or(0);
    assert!(start > 0 || words[0] == env!("CARGO_BIN_EXE_sim"), "{command}");
    words[start + 1..].to_vec()
}

#[test]
fn a_fault_needs_no_file_and_convicts_a_mutant() {
    let correct = text(&["scenarios/basic.ron", "--fault", FLIP], 0);
    assert!(correct.contains("upload    my_file.jpg  Detected"), "{correct}");
    assert!(correct.contains(&format!("fault 1   {FLIP}: it fired and reached the reader")), "{correct}");

    let wrong = text(&["scenarios/basic.ron", "--fault", FLIP, "--mutant", "HashOfNothing"], 1);
    assert!(wrong.contains("nobody expected the upload of my_file.jpg to be Silent"), "{wrong}");
    let replay = wrong.lines().find_map(|line| line.strip_prefix("replay: ")).unwrap();
    assert!(replay.ends_with(&format!(" --fault '{FLIP}' --mutant HashOfNothing")), "{replay}");
    let again = words(replay);
    assert_eq!(text(&again.iter().map(String::as_str).collect::<Vec<_>>(), 1), wrong);
}

#[test]
fn faults_of_every_place_can_be_given() {
    for fault in [
        "Delay(in: ToServer, at: 0, lasts: 0.1)",
        "Flip(in: ToClient, at: Last, bit: 7)",
        "Flip(in: Upload, at: Percent(50), bit: 0)",
        "Drop(in: Download, at: Random, bytes: 10)",
        "Flip(in: Step(13), at: 0, bit: 0)",
        "NoSpace(at: 50_000)",
        "Latency(min: 0.001, max: 0.1)",
    ] {
        let text = text(&["scenarios/basic.ron", "--fault", fault], 0);
        assert!(text.contains(&format!("fault 1   {fault}: it fired and reached the reader")), "{text}");
    }
}

#[test]
fn faults_are_added_behind_those_of_each_file() {
    let (more, another) = ("Flip(in: Upload, at: 7, bit: 1)", "Flip(in: Upload, at: 9, bit: 1)");
    let files = ["scenarios/stream/upload_flip.ron", "scenarios/basic.ron"];
    let lines = text(&[&files[..], &["--fault", more, "--fault", another, "--format", "json"]].concat(), 0);
    let lines = lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let mut runs: Vec<Vec<String>> = Vec::new();
    for line in lines {
        match line["type"].as_str().unwrap() {
            "scenario" => runs.push(Vec::new()),
            "fault" if line["fired"] == true => {
                runs.last_mut().unwrap().push(line["fault"].as_str().unwrap().to_owned());
            }
            _ => {}
        }
    }
    assert_eq!(runs, [vec!["Flip(in: Upload, at: 1_000, bit: 3)", more, another], vec![more, another]]);
}

#[test]
fn what_a_scenario_expects_stays_expected() {
    let file = "scenarios/stream/upload_flip.ron";
    let text = text(&[file, "--fault", "Truncate(in: Upload, at: 2_000)"], 1);
    assert!(text.contains("upload    my_file.jpg  Aborted"), "{text}");
    assert!(text.contains("replay: "), "{text}");
}

#[test]
fn mistakes_in_the_text_are_shown_once_and_nothing_is_run() {
    let two = ["scenarios/basic.ron", "scenarios/stream/upload_flip.ron", "--fault"];
    let refused = |fault: &str| refused(&[&two[..], &[fault]].concat());
    assert_snapshot!(refused("Flip(in: Uplaod, at: 1)"), @r#"
    error: this `Flip` has no `bit`
     --> --fault:1:1
      |
    1 | Flip(in: Uplaod, at: 1)
      | ^^^^
      |
      = help: it is written Flip(in: Upload, at: 1_000, bit: 3)

    error: unknown region "Uplaod", did you mean "Upload"?
     --> --fault:1:10
      |
    1 | Flip(in: Uplaod, at: 1)
      |          ^^^^^^
    "#);
    assert_snapshot!(refused("Flop(in: Upload, at: 1, bit: 0)"), @r#"
    error: unknown fault "Flop", did you mean "Flip"?
     --> --fault:1:1
      |
    1 | Flop(in: Upload, at: 1, bit: 0)
      | ^^^^
      |
      = help: it is written Flip(in: Upload, at: 1_000, bit: 3)
    "#);
    assert_snapshot!(refused("[Flip(in: Upload, at: 1, bit: 0)]"), @r"
    error: this is a list: one fault is expected
     --> --fault:1:1
      |
    1 | [Flip(in: Upload, at: 1, bit: 0)]
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = help: give --fault once for each fault
    ");
    assert_snapshot!(refused(""), @r"
    error: there is nothing here
     --> --fault:1:1
      |
    1 |
      | ^
      |
      = help: a fault is written as in Flip(in: Upload, at: 1_000, bit: 3)
    ");
}

#[test]
fn a_fault_that_a_scenario_has_no_place_for_is_told_with_its_name() {
    let basic = |more: &[&str]| refused(&[&["scenarios/basic.ron"], more].concat());
    assert_snapshot!(basic(&["--fault", "Flip(in: Step(99), at: 0, bit: 0)"]), @r"
    error: scenarios/basic.ron: there is no step 99: this scenario has 22
     --> --fault:1:1
      |
    1 | Flip(in: Step(99), at: 0, bit: 0)
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
    ");
    assert_snapshot!(basic(&["--fault", "Flip(in: Upload, at: 123_456, bit: 0)"]), @r"
    error: scenarios/basic.ron: this fault has no place: the upload has 123,456 bytes in this run, but the fault needs 123,457
     --> --fault:1:1
      |
    1 | Flip(in: Upload, at: 123_456, bit: 0)
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
    ");
    assert_snapshot!(basic(&["--fault", "Latency(min: 0, max: 1)", "--transport", "memory"]), @"error: scenarios/basic.ron: faults of the network need the simulated one: memory cannot express them");
    let clients = ["scenarios/clients/same_name.ron", "--fault", "Flip(in: Step(1), at: 0, bit: 0)"];
    assert_snapshot!(refused(&clients), @r"
    error: scenarios/clients/same_name.ron: there is no step 1: this scenario has `clients`
     --> --fault:1:1
      |
    1 | Flip(in: Step(1), at: 0, bit: 0)
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
    ");
    assert_snapshot!(refused(&["scenarios/stream/upload_flip.ron", "--fault", "Flip(in: Upload, at: 1_000, bit: 3)"]), @r"
    error: scenarios/stream/upload_flip.ron: this fault has no place: fault 1 changes the same bytes, and together they might change nothing
     --> --fault:1:1
      |
    1 | Flip(in: Upload, at: 1_000, bit: 3)
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
    ");
}

#[test]
fn a_scenario_takes_no_more_faults_than_one_file_can_have() {
    let fault = |at: usize| parse_scenario_fault(&format!("Flip(in: Upload, at: {at}, bit: 0)"), "--fault");
    let faults: Vec<_> = (0..16).map(|at| fault(at).unwrap()).collect();
    let mut none = basic_but("");
    none.add_faults(&faults).unwrap();
    assert_eq!(none.faults, faults);

    let mut one = basic_but("faults: [Stall(in: Upload, at: 0)]");
    let error = one.add_faults(&faults).unwrap_err();
    assert_snapshot!(error.render(false), @r"
    error: a scenario can have at most 16 faults, its own included, and here is one more
     --> --fault:1:1
      |
    1 | Flip(in: Upload, at: 15, bit: 0)
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
    ");
    assert_eq!(one.faults.len(), 1, "nothing is added");
    one.add_faults(&faults[1..]).unwrap();

    let mut short = parse(r#"Scenario(about: "No step.", clients: [[ListFiles]])"#);
    let step = parse_scenario_fault("Stall(in: Step(1), at: 0)", "--fault").unwrap();
    assert_eq!(short.add_faults(&[step]).unwrap_err().mistakes().len(), 1);
}

/// A pair of programs of ours, of which the client has a mistake.
fn careless() -> AuditDir {
    upload(
        "{sim} put {host}:{port} {file} --mutant HashWithItself",
        "fail: Exit(1), faults: [Stall(in: Upload, at: 0)],",
    )
}

fn lines(desk: &AuditDir, args: &[&str]) -> (Vec<Value>, i32) {
    let output = desk.run(&[args, &["--format", "json", "--quiet"]].concat());
    let lines = String::from_utf8(output.stdout).unwrap();
    (lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect(), output.status.code().unwrap())
}

#[test]
fn an_audit_tries_only_what_is_given() {
    let desk = careless();
    let faults = [
        "--fault",
        "Flip(in: Upload, at: Random, bit: 0)",
        "--fault",
        "Flip(in: Upload, at: Random, bit: 1)",
    ];
    let both = "Together([Flip(in: Upload, at: 0, bit: 1), Slice(in: Upload, at: 9, bytes: 1)])";
    let (rows, code) = lines(&desk, &[&faults[..], &["--fault", both]].concat());
    assert_eq!(verdicts(&rows), [("flip", "silent"), ("flip-2", "silent"), ("flip-and-slice", "silent")]);
    assert_eq!(code, 1);
    // A place that is left to chance is the same again.
    let replay = words(rows[1]["replay"].as_str().unwrap());
    assert_eq!(replay[2..6], faults.map(str::to_owned));
    assert_eq!(replay[8..], ["--only", "flip-2", "--seed", "1"].map(str::to_owned));
    let (again, code) = lines(&desk, &replay[2..].iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!((verdicts(&again), code), (vec![("flip-2", "silent")], 1));
    assert_eq!(again[0]["places"], rows[1]["places"]);
}

#[test]
fn the_default_set_can_be_given_like_a_fault() {
    let listed = out(&careless().run(&["--list", "--fault", "Default", "--fault", FLIP]));
    assert!(listed.contains("  1  flip-first        Flip(in: Upload, at: Percent(0), bit: 3)\n"), "{listed}");
    assert!(listed.ends_with(&format!(" 35  flip              {FLIP}\n")), "{listed}");
}

#[test]
fn mistakes_in_faults_for_an_audit() {
    let desk = careless();
    let refused = |faults: &[&str]| {
        let faults: Vec<&str> = faults.iter().flat_map(|fault| ["--fault", *fault]).collect();
        let output = desk.run(&faults);
        assert_eq!(output.status.code(), Some(2));
        assert_eq!(output.stdout, b"");
        String::from_utf8(output.stderr).unwrap()
    };
    assert_snapshot!(refused(&["Flip(in: Download, at: 1, bit: 0)", "NoSpace(at: 5)"]), @r"
    error: this audit is of an upload
     --> --fault:1:1
      |
    1 | Flip(in: Download, at: 1, bit: 0)
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = help: here `in` is Upload, ToServer or ToClient
    error: an audit reaches only what goes over the wire
     --> --fault:1:1
      |
    1 | NoSpace(at: 5)
      | ^^^^^^^^^^^^^^
      |
      = help: `Delay`, `Stall` and `Reset` do the like to a stream
    ");
    assert_snapshot!(refused(&["Flip(in: Step(3), at: 1, bit: 0)"]), @r"
    error: an audit does not know the steps of a protocol
     --> --fault:1:1
      |
    1 | Flip(in: Step(3), at: 1, bit: 0)
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = help: here `in` is Upload, Download, ToServer or ToClient
    ");
    assert_snapshot!(refused(&[r#"[Default]"#]), @r"
    error: this is a list: one fault is expected
     --> --fault:1:1
      |
    1 | [Default]
      | ^^^^^^^^^
      |
      = help: give --fault once for each fault
    ");
}

#[test]
fn a_server_that_runs_already_gets_no_environment_from_the_command_line() {
    let desk = AuditDir::new(
        r#"Audit(about: "x", transfer: Upload, server: At("localhost:1"), client: Own, received: "/x")"#,
    );
    let output = desk.run(&["--fault", r#"Env(server: { "A": "b" })"#]);
    assert_eq!(output.status.code(), Some(2));
    assert!(out(&output).contains("cannot be given an environment"), "{}", out(&output));
}

#[test]
fn directories_sort_as_the_runs_come() {
    let fault = "Delay(in: Upload, at: 0, lasts: 0.001),".repeat(100);
    let desk = upload("{sim} put {host}:{port} {file}", &format!("fail: Exit(1), faults: [{fault}],"));
    let kept = |only: &[&str], name: &str| {
        let keep = desk.path().join(name);
        let keep = ["--quiet", "--keep", keep.to_str().unwrap()];
        assert_eq!(desk.run(&[only, &keep].concat()).status.code(), Some(0));
        let entries = std::fs::read_dir(desk.path().join(name)).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.retain(|name| !name.ends_with("control"));
        names.sort();
        names
    };
    assert_eq!(kept(&["--only", "9"], "one"), ["09-delay-9"]);
    assert_eq!(kept(&["--only", "9", "--only", "100"], "two"), ["009-delay-9", "100-delay-100"]);
}
