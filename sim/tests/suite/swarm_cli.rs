//! `sim swarm` as a command: what it prints, writes and exits with.

use std::path::Path;
use std::process::Command;

use super::workspace;

/// What the command prints, and how it ends.
fn swarm(dir: &Path, args: &[&str]) -> (String, i32) {
    let mut sim = Command::new(env!("CARGO_BIN_EXE_sim"));
    sim.args(["swarm", "--seed", "1"]).args(args).args(["--out", dir.to_str().unwrap()]);
    let output = sim.current_dir(workspace(".")).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap();
    (text, output.status.code().unwrap())
}

#[test]
fn the_correct_program_shows_nothing_and_the_share_that_counts_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let (text, code) = swarm(dir.path(), &["--runs", "300"]);
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("300 runs, in ") && text.contains("nothing was found."), "{text}");
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0, "nothing is written");
    // The number of threads makes no difference.
    assert_eq!(swarm(dir.path(), &["--runs", "300", "--jobs", "1"]).0, text);
}

#[test]
fn what_a_mutant_shows_is_made_small_and_can_be_run_again() {
    let dir = tempfile::tempdir().unwrap();
    let (text, code) = swarm(dir.path(), &["--runs", "60", "--mutant", "AlwaysSuccess"]);
    assert_eq!(code, 1, "{text}");
    let replay = text.lines().find_map(|line| line.trim().strip_prefix("replay: ")).unwrap();
    let words = shlex::split(replay).unwrap();
    let file = words.iter().position(|word| word.ends_with(".ron")).unwrap();
    let run = |args: &[String]| {
        let mut sim = Command::new(env!("CARGO_BIN_EXE_sim"));
        sim.args(args).current_dir(workspace(".")).output().unwrap().status.code()
    };
    assert_eq!(run(&words[file..]), Some(1), "the mutant");
    assert_eq!(run(&words[file..=file]), Some(0), "the correct program: {replay}");
}

#[test]
fn it_stops_when_nothing_new_comes_and_a_single_run_can_be_looked_at() {
    let dir = tempfile::tempdir().unwrap();
    let narrow = ["scenarios/basic.ron", "--runs", "1_000_000", "--until-quiet", "1", "--jobs", "1"];
    let (text, code) = swarm(dir.path(), &narrow);
    assert!(code == 0 || code == 3, "{text}");
    assert!(text.contains("of 1,000,000 that were asked for"), "{text}");
    let (text, code) = swarm(dir.path(), &["--only", "7"]);
    assert_eq!(code, 0);
    assert!(text.starts_with("Scenario("), "{text}");
}
