//! The built program, used as a person would.

use std::process::{Command, Output};

use super::workspace;

/// The program as a shell starts it, though cargo started this test.
fn sim(args: &[&str]) -> Output {
    let mut sim = Command::new(env!("CARGO_BIN_EXE_sim"));
    sim.env_remove("CARGO").args(args).current_dir(workspace(".")).output().unwrap()
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// A scenario file in a directory of its own.
fn scenario(text: &str) -> (tempfile::TempDir, String) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("test.ron");
    std::fs::write(&path, text).unwrap();
    let path = path.to_str().unwrap().to_owned();
    (dir, path)
}

#[test]
fn the_main_command_prints_22_steps_and_two_verdicts() {
    let output = sim(&["scenarios/basic.ron"]);
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    let text = out(&output);
    for step in 1..=22 {
        assert!(
            text.lines().any(|line| line.starts_with(&format!("{step:>3}  "))),
            "no step {step}:\n{text}"
        );
    }
    assert!(text.contains("upload    my_file.jpg  Intact"));
    assert!(text.contains("download  my_file.jpg  Intact"));
    assert!(!text.contains('\u{1b}'), "no colours where no terminal listens");
}

#[test]
fn every_lane_prints_the_same() {
    let texts =
        ["memory", "turmoil", "tcp"].map(|lane| out(&sim(&["scenarios/basic.ron", "--transport", lane])));
    assert!(texts[0].contains("Intact"));
    assert_eq!(texts[0], texts[1]);
    assert_eq!(texts[0], texts[2]);
}

#[test]
fn a_wrong_step_exits_1_names_it_and_says_how_to_replay() {
    let (_dir, path) = scenario(
        r#"Scenario(about: "Expects too much.", files: {"a": Noise(1)}, steps: [
            Server(Listen), Client(Start), Client(Connect), Client(ListFiles), Server(Files(["a"])), Client(Disconnect),
        ])"#,
    );
    let output = sim(&[&path]);
    assert_eq!(output.status.code(), Some(1));
    let text = out(&output);
    assert!(text.contains("step 5: expected Server(Files([\"a\"]))"), "{text}");
    assert!(
        text.contains(&format!("replay: {} {path} --transport turmoil --seed ", env!("CARGO_BIN_EXE_sim"))),
        "{text}"
    );
}

#[cfg(unix)]
#[test]
fn the_replay_names_the_program_as_it_was_started() {
    use std::os::unix::process::CommandExt;

    let (_dir, path) =
        scenario(r#"Scenario(about: "No file.", clients: [[ListFiles]], expect: [Lists(["a"])])"#);
    let replay = |typed: &str, package: Option<&str>| {
        let mut sim = Command::new(env!("CARGO_BIN_EXE_sim"));
        sim.env_remove("CARGO");
        if let Some(package) = package {
            sim.envs([("CARGO", "cargo"), ("CARGO_PKG_NAME", package)]);
        }
        let output = sim.arg0(typed).arg(&path).output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{}", err(&output));
        let text = out(&output);
        let line = text.lines().find_map(|line| line.strip_prefix("replay: ")).unwrap();
        line.split_once(&format!(" {path}")).unwrap().0.to_owned()
    };
    assert_eq!(replay("../bin/sim", None), "../bin/sim");
    assert_eq!(replay("my tools/sim", None), "'my tools/sim'");
    assert_eq!(replay("", None), "sim");
    assert_eq!(replay("target/debug/sim", Some("sim")), "cargo run -p sim --");
    assert_eq!(
        replay("../bin/sim", Some("xtask")),
        "../bin/sim",
        "cargo ran another program, and that this one"
    );
}

#[test]
fn a_bad_file_exits_2_and_shows_the_place() {
    let (_dir, path) = scenario("Scenario(about: \"x\", steps: [\n  Client(Uplaod(\"a\")),\n])");
    for args in [vec![path.as_str()], vec!["check", path.as_str()]] {
        let output = sim(&args);
        assert_eq!(output.status.code(), Some(2));
        let text = err(&output);
        assert!(text.contains("did you mean \"Upload\"?") && text.contains(":2:"), "{text}");
    }
}

#[test]
fn check_looks_at_every_file_and_runs_none() {
    let (_dir, path) = scenario("");
    let output = sim(&["check", "scenarios/basic.ron", &path]);
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(out(&output), "scenarios/basic.ron: ok, 22 steps, 1 file\n");
}

#[test]
fn bad_usage_exits_2() {
    for args in [&["--transport", "pigeon", "scenarios/basic.ron"][..], &["nowhere.ron"], &[]] {
        assert_eq!(sim(args).status.code(), Some(2), "{args:?}");
    }
}

#[test]
fn keep_leaves_both_files_and_refuses_a_full_directory() {
    let dir = tempfile::tempdir().unwrap();
    let keep = dir.path().join("out");
    let args = ["scenarios/basic.ron", "--keep", keep.to_str().unwrap()];
    let first = sim(&args);
    assert_eq!(first.status.code(), Some(0), "{}", err(&first));
    let downloaded = std::fs::read(keep.join("client/my_file.jpg")).unwrap();
    assert_eq!(downloaded.len(), 123_456);
    let id = std::fs::read_dir(keep.join("server")).unwrap().map(|entry| entry.unwrap().path());
    let stored = id.map(|path| path.join("my_file.jpg")).find(|path| path.exists()).unwrap();
    assert_eq!(std::fs::read(stored).unwrap(), downloaded);

    let again = sim(&args);
    assert_eq!(again.status.code(), Some(2));
    assert!(err(&again).contains("not empty"), "{}", err(&again));
}

#[test]
fn a_real_file_takes_the_place_of_the_scenarios() {
    let dir = tempfile::tempdir().unwrap();
    let photo = dir.path().join("photo of me.jpg");
    std::fs::write(&photo, b"not really a photo").unwrap();
    let output = sim(&["scenarios/basic.ron", "--file", photo.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    assert!(out(&output).contains("client → server  photo of me.jpg;18"));

    let missing = sim(&["scenarios/basic.ron", "--file", "nowhere.jpg"]);
    assert_eq!(missing.status.code(), Some(2));
    assert!(err(&missing).contains("nowhere.jpg"), "{}", err(&missing));
}

#[test]
fn json_has_one_object_per_line() {
    let output = sim(&["scenarios/basic.ron", "--format", "json"]);
    let text = out(&output);
    let objects: Vec<serde_json::Value> =
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of = |kind: &str| objects.iter().filter(|object| object["type"] == kind).count();
    assert_eq!((of("scenario"), of("verdict"), of("deviation")), (1, 2, 0));
    let steps: std::collections::BTreeSet<_> =
        objects.iter().filter_map(|object| object["step"].as_u64()).collect();
    assert_eq!(steps.into_iter().collect::<Vec<_>>(), (1..=22).collect::<Vec<_>>());
}

#[test]
fn colours_can_be_forced_and_forbidden() {
    let coloured = |args: &[&str], no_color: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sim"));
        command.arg("scenarios/basic.ron").args(args).current_dir(workspace(".")).env("NO_COLOR", no_color);
        out(&command.output().unwrap()).contains('\u{1b}')
    };
    assert!(coloured(&["--color", "always"], ""));
    assert!(!coloured(&["--color", "never"], ""));
    assert!(!coloured(&[], "1"));
}
