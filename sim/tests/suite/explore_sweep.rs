//! Sweeps: every single fault, counted before it is walked; parts that are cut off, gone on with, and merged.

use std::path::Path;
use std::process::{Command, Output};

use sim::explore::class::Class;
use sim::explore::space::{Narrowing, Space};
use sim::explore::sweep::Sweep;
use sim::run::{ForkError, Plan};
use transfer::endpoint::Flaw;

use super::{parse, workspace};

fn sim(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_sim")).args(args).current_dir(workspace(".")).output().unwrap()
}

/// The report of this sweep of a small exchange, which has to end so.
fn report(args: &[&str], code: i32) -> String {
    let output = sim(&[&["sweep", "scenarios/basic.ron", "--size", "33"], args].concat());
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{args:?}: {errors}");
    String::from_utf8(output.stdout).unwrap()
}

const ONE: &str = r#"Scenario(about: "Swept.", files: {"a": Noise(1_200)},
    clients: [[Upload("a"), ListFiles, Download("a")]])"#;
/// What a program does with its second file may depend on its first.
const TWO: &str = r#"Scenario(about: "Swept.", files: {"a": Noise(70), "b": Noise(1_100)},
    clients: [[Upload("a"), Upload("b"), ListFiles, Download("b"), Download("a"), Download("a")]])"#;

fn sweep(text: &str, flaw: Option<Flaw>) -> Result<Sweep, ForkError> {
    Sweep::new(&Plan::new(&parse(text)).unwrap(), flaw, &Narrowing::default())
}

/// The number of the first of every so manieth run of which `class` is true. None, too, if a mutant cannot do it without
/// faults.
fn found(text: &str, flaw: Option<Flaw>, step: usize, class: impl Fn(Class) -> bool) -> Option<u64> {
    let mut sweep = match sweep(text, flaw) {
        Ok(sweep) => sweep,
        Err(ForkError::Inconclusive(_)) if flaw.is_some() => return None,
        Err(error) => panic!("{flaw:?}: {error}"),
    };
    (0..sweep.space().count()).step_by(step).find(|number| class(sweep.run(*number).class))
}

#[test]
fn a_space_has_every_fault_once() {
    let sweep = sweep(TWO, None).unwrap();
    let space: &Space = sweep.space();
    let faults: std::collections::BTreeSet<String> =
        (0..space.count()).map(|number| space.point(number).unwrap().fault.to_string()).collect();
    assert_eq!(faults.len() as u64, space.count(), "none comes twice");
    assert_eq!(space.point(space.count()), None);
    let bytes: u64 = space.messages().iter().map(|message| message.range.end - message.range.start).sum();
    assert_eq!(space.bytes(), bytes);
    // Eight flips of every byte of the streams, and eight bits of every byte of the disk that can rot.
    let of = |kind: &str| faults.iter().filter(|fault| fault.starts_with(kind)).count() as u64;
    assert_eq!(of("Flip(") + of("Rot("), 8 * bytes);
}

#[test]
fn the_correct_program_shows_nothing() {
    assert_eq!(found(ONE, None, 17, Class::is_finding), None);
    assert_eq!(found(TWO, None, 17, Class::is_finding), None);
    assert!(found(ONE, None, 1, |class| class == Class::Detected).is_some());
}

#[test]
fn mutants_are_found() {
    for flaw in
        [Flaw::HashOfNothing, Flaw::LengthOnly, Flaw::NotDiscarded, Flaw::StoredIncomplete, Flaw::Adler32]
    {
        assert!(found(ONE, Some(flaw), 29, Class::is_finding).is_some(), "{flaw}");
    }
}

/// Those that no single fault of these exchanges convicts: a file over a MiB, digests that are alike by a chance of one in
/// 65,536, a line that is gone, two names that are one. What convicts them is in docs/mutants.md.
const NOT_FOUND: [Flaw; 6] = [
    Flaw::FirstMibHashed,
    Flaw::PrefixCompared,
    Flaw::SuffixCompared,
    Flaw::SortedDigitsCompared,
    Flaw::LooselyCompared,
    Flaw::TakesFirst,
];

#[test]
#[ignore = "a minute: .ci/run does it"]
fn sweeps_find_every_mutant_but_those_that_are_named() {
    let missed = |flaw: &Flaw| {
        let found = |text| found(text, Some(*flaw), 1, Class::is_finding).is_some();
        !found(ONE) && !found(TWO)
    };
    assert_eq!(Flaw::ALL.into_iter().filter(missed).collect::<Vec<_>>(), NOT_FOUND);
}

#[test]
fn what_is_counted_is_walked_and_the_sentence_says_so() {
    let count = report(&["--count"], 0);
    let text = report(&[], 0);
    let number: u64 = count.trim().parse().unwrap();
    let grouped = format!("{},{:03}", number / 1_000, number % 1_000);
    let sentence =
        format!("{grouped} single faults, all there are of these kinds and their smallest parameters");
    assert!(text.contains(&sentence) && text.contains("none was accepted silently"), "{text}");
    let convicted = report(&["--mutant", "LengthOnly", "--kinds", "Flip", "--steps", "10"], 1);
    assert!(convicted.contains("264 single faults, all there are of what was asked for"), "{convicted}");
    let replay = convicted.lines().find_map(|line| line.trim().strip_prefix("replay: ")).unwrap();
    let words = shlex::split(replay).unwrap();
    let from = words.iter().position(|word| word == "scenarios/basic.ron").unwrap();
    let again = sim(&words[from..].iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(again.status.code(), Some(1), "{replay}");
}

/// Writes a part, and returns its path.
fn part(dir: &Path, name: &str, args: &[&str]) -> String {
    let path = dir.join(name).to_str().unwrap().to_owned();
    report(&[args, &["--out", &path]].concat(), 1);
    path
}

const MUTANT: [&str; 4] = ["--mutant", "LengthOnly", "--in", "to-server"];

#[test]
fn parts_make_the_whole_byte_for_byte() {
    let dir = tempfile::tempdir().unwrap();
    let whole = report(&MUTANT, 1);
    let shares = ["1/3", "2/3", "3/3"];
    let parts = shares.map(|share| {
        part(dir.path(), &share.replace('/', "-"), &[&MUTANT[..], &["--shard", share]].concat())
    });
    let merged = |parts: &[&str]| {
        let output = sim(&[&["merge"], parts].concat());
        (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap())
    };
    let [first, second, third] = [&parts[0][..], &parts[1], &parts[2]];
    // The parts were written in any order, and are named in any.
    assert_eq!(merged(&[third, first, second]).0, whole);
    let (partial, _) = merged(&[first, third]);
    assert!(partial.contains("Partial: of share 2/3 not all was walked."), "{partial}");
    assert!(merged(&[first, second, first]).1.contains("share 1/3 came before"));
    let other =
        part(dir.path(), "other", &["--mutant", "HashOfNothing", "--in", "to-server", "--shard", "2/3"]);
    assert!(merged(&[first, &other]).1.contains("its mutant is another"));
    let torn = dir.path().join("torn");
    std::fs::write(&torn, "{\"type\":\"runs\",\"first\":0,\"classes\":\"S\"}\n").unwrap();
    assert!(merged(&[torn.to_str().unwrap()]).1.contains("is no header of a sweep"));
}

#[test]
fn a_part_that_was_cut_off_anywhere_is_gone_on_with() {
    let dir = tempfile::tempdir().unwrap();
    let path = part(dir.path(), "part", &MUTANT);
    let (whole, text) = (std::fs::read_to_string(&path).unwrap(), report(&MUTANT, 1));
    let lines = whole.lines().count();
    assert!(lines > 4, "{lines} lines");
    let header = whole.lines().next().unwrap().len();
    for cut in [
        0,
        header / 2,
        header + 1,
        header + 40,
        whole.len() / 3,
        whole.len() / 2,
        whole.len() - 1,
        whole.len(),
    ] {
        std::fs::write(&path, &whole[..cut]).unwrap();
        let again = report(&[&MUTANT[..], &["--out", &path, "--resume"]].concat(), 1);
        assert_eq!(again, text, "cut at {cut}");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), whole, "cut at {cut}");
    }
    let output = sim(&["sweep", "scenarios/basic.ron", "--size", "34", "--out", &path, "--resume"]);
    assert!(String::from_utf8_lossy(&output.stderr).contains("of another sweep"));
    let output = sim(&["sweep", "scenarios/basic.ron", "--out", &path]);
    assert!(String::from_utf8_lossy(&output.stderr).contains("it is there already"));
}

#[test]
fn a_part_that_contradicts_itself_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = part(dir.path(), "part", &["--mutant", "LengthOnly", "--kinds", "Flip", "--steps", "10"]);
    let whole = std::fs::read_to_string(&path).unwrap();
    let total = "\"total\":264";
    for (from, to, why) in [
        ("\"shards\":1", "\"shards\":0", "there is no such share"),
        ("\"shard\":1", "\"shard\":2", "there is no such share"),
        ("\"shards\":1", "\"shards\":18446744073709551615", "there is no such share"),
        (total, "\"total\":1000000000000000000", "it has too many runs"),
        (total, "\"total\":263", "do not agree"),
        ("\"start\":0", "\"start\":18446744073709551615", "do not agree"),
        ("\"shards\":1", "\"shards\":2", "goes beyond the share"),
        ("\"classes\":\"S", "\"classes\":\"SS", "goes beyond the share"),
        ("\"classes\":\"S", "\"classes\":\"d", "tells of other findings"),
        ("\"run\":0,", "\"run\":1000000000000000000,", "tells of other findings"),
        ("\"version\":\"", "\"version\":\"9.", "may number the faults otherwise"),
    ] {
        assert!(whole.contains(from), "{from}");
        std::fs::write(&path, whole.replacen(from, to, 1)).unwrap();
        let output = sim(&["merge", &path]);
        let errors = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{from} -> {to}: {errors}");
        assert!(errors.contains(why), "{from} -> {to}: {errors}");
    }
}

#[test]
fn the_parts_of_a_scenario_that_was_changed_do_not_belong_together() {
    let dir = tempfile::tempdir().unwrap();
    let scenario = dir.path().join("scenario.ron").to_str().unwrap().to_owned();
    let sweep = |name: &str, share: &str| {
        let text = ONE.replace("a\"", &format!("{name}\""));
        std::fs::write(&scenario, text).unwrap();
        let out = dir.path().join(share.replace('/', "-")).to_str().unwrap().to_owned();
        let args = ["sweep", &scenario, "--size", "5", "--kinds", "Stall", "--shard", share, "--out", &out];
        assert_eq!(sim(&args).status.code(), Some(0));
        out
    };
    let parts = [sweep("a", "1/2"), sweep("b", "2/2")];
    let output = sim(&["merge", &parts[0], &parts[1]]);
    assert!(String::from_utf8_lossy(&output.stderr).contains("its exchange is another"));
}

#[test]
fn schedulers_say_which_share_it_is() {
    let count = |variables: &[(&str, &str)]| {
        let mut sim = Command::new(env!("CARGO_BIN_EXE_sim"));
        sim.args([
            "sweep",
            "scenarios/basic.ron",
            "--size",
            "5",
            "--kinds",
            "Stall",
            "--shard",
            "auto",
            "--format",
            "json",
        ]);
        let output = sim.current_dir(workspace(".")).envs(variables.iter().copied()).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let shard = |line: &str| {
            let header: serde_json::Value = serde_json::from_str(line).unwrap();
            (header["shard"].as_u64().unwrap(), header["shards"].as_u64().unwrap())
        };
        text.lines().next().map(shard).ok_or(String::from_utf8(output.stderr).unwrap())
    };
    let slurm =
        [("SLURM_ARRAY_TASK_ID", "7"), ("SLURM_ARRAY_TASK_MIN", "5"), ("SLURM_ARRAY_TASK_COUNT", "4")];
    assert_eq!(count(&slurm), Ok((3, 4)));
    assert_eq!(count(&[("JOB_COMPLETION_INDEX", "0"), ("SIM_SHARDS", "8")]), Ok((1, 8)));
    assert_eq!(count(&[("PARALLEL_SEQ", "8"), ("SIM_SHARDS", "8")]), Ok((8, 8)));
    assert!(
        count(&[("PARALLEL_SEQ", "9"), ("SIM_SHARDS", "8")]).unwrap_err().contains("share 9 of 8 is none")
    );
    assert!(count(&[("JOB_COMPLETION_INDEX", "0")]).unwrap_err().contains("SIM_SHARDS is not set"));
    assert!(count(&[]).unwrap_err().contains("give NUMBER/OF"));
}
