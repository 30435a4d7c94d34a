//! Every scenario file, found by itself: its expectations met, the same transcript on every lane that can express
//! it, and the one in `snapshots/`. There is no exception for tcp: what timing decides is in no transcript.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use faults::Verdict;
use sim::run::{Plan, RunOutcome};
use sim::scenario::{Expect, Scenario, TransportKind};

use super::{LANES, in_snapshots, load, run_on, text_of, workspace};

/// Snapshots of other tests than these.
const OTHERS: [&str; 3] = ["client_table", "mutants", "server_table"];

/// Every `.ron` file in `scenarios/`, in order.
pub(crate) fn scenario_files() -> Vec<PathBuf> {
    let files = notation::scenario_files(&workspace("scenarios")).unwrap();
    assert!(!files.is_empty(), "no scenario was found");
    files
}

/// `stream/flip.ron` is snapshotted as `stream__flip`.
fn snapshot_name(path: &Path) -> String {
    let name = path.strip_prefix(workspace("scenarios")).unwrap().with_extension("");
    name.components().map(|part| part.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("__")
}

/// How many scenarios run at the same time. More than there are cores: on tcp a stall is waited out.
const AT_ONCE: usize = 8;

/// Does `work` for every scenario file, several at a time. What comes of it is in the order of the files.
fn for_each<T: Send>(work: impl Fn(&Path, &Scenario) -> T + Sync) -> Vec<(PathBuf, T)> {
    let files = scenario_files();
    let (next, done) = (AtomicUsize::new(0), Mutex::new(BTreeMap::new()));
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some(path) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let scenario = load(path);
                    let result = work(path, &scenario);
                    done.lock().unwrap().insert(path.clone(), result);
                }
            });
        }
    });
    done.into_inner().unwrap().into_iter().collect()
}

/// The lanes that can express `scenario`: the network's faults need a simulated one.
fn lanes_of(scenario: &Scenario) -> Vec<TransportKind> {
    let needs_network = Plan::new(scenario).unwrap().needs_network();
    LANES.into_iter().filter(|lane| !needs_network || *lane == TransportKind::Turmoil).collect()
}

/// Everything that has to hold for a scenario of the collection, wherever it runs.
fn assert_proved(name: &str, scenario: &Scenario, outcome: &RunOutcome, text: &str) {
    let expected = scenario.expect.iter().filter(|expect| !matches!(expect.value, Expect::Lists(_))).count();
    if name.contains("__") {
        assert_eq!(expected, outcome.judgements.len(), "{name} expects something of each transfer\n{text}");
        assert!(expected < scenario.expect.len(), "{name} expects something of the listing");
    }
    assert_eq!(outcome.inconclusive, None, "{name} proves nothing\n{text}");
    assert_eq!(outcome.deviation, None, "{name} leaves its steps\n{text}");
    assert!(outcome.unmet.is_empty(), "{name} does not meet its expectations\n{text}");
    let silent = outcome.judgements.iter().any(|judgement| judgement.verdict == Verdict::Silent);
    assert!(!silent || name.starts_with("ladder__"), "{name} accepts a damaged file\n{text}");
}

/// Tells, if the test fails while this is there, which command repeats the one run: the panic names only what differs.
struct Replay(String);

impl Replay {
    fn new(path: &Path, lane: TransportKind) -> Self {
        // From the root, because cargo finds the workspace from everywhere in it, but a relative path is not found.
        let path = path.canonicalize().unwrap();
        let lane = lane.to_string();
        let words = ["cargo", "run", "-p", "sim", "--", path.to_str().unwrap(), "--transport", &lane];
        Self(shlex::try_join(words).unwrap())
    }
}

impl Drop for Replay {
    #[expect(clippy::print_stderr, reason = "it is for the person who reads why a test failed")]
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("replay: {}", self.0);
        }
    }
}

#[test]
fn every_scenario_gives_its_snapshot_on_every_lane() {
    let runs = for_each(|path, scenario| {
        let run = |lane| {
            let _replay = Replay::new(path, lane);
            let outcome = run_on(lane, scenario);
            let text = text_of(scenario, &outcome);
            assert_proved(&format!("{} on {lane}", snapshot_name(path)), scenario, &outcome, &text);
            (lane, text)
        };
        lanes_of(scenario).into_iter().map(run).collect::<Vec<_>>()
    });
    for (path, texts) in runs {
        let name = snapshot_name(&path);
        let (first, others) = texts.split_first().unwrap();
        for (lane, text) in others {
            let _replay = Replay::new(&path, *lane);
            assert!(
                *text == first.1,
                "{name} goes otherwise on {lane}:\n{text}\nthan on {}:\n{}",
                first.0,
                first.1
            );
        }
        let _replay = Replay::new(&path, first.0);
        in_snapshots(|| insta::assert_snapshot!(name, first.1));
    }
}

#[test]
fn the_replay_of_a_scenario_runs_that_scenario() {
    let replay = Replay::new(&workspace("scenarios/basic.ron"), TransportKind::Memory);
    let words = shlex::split(&replay.0).unwrap();
    let (cargo, args) = words.split_at(5);
    assert_eq!(cargo, ["cargo", "run", "-p", "sim", "--"]);
    let elsewhere = tempfile::tempdir().unwrap();
    let mut sim = std::process::Command::new(env!("CARGO_BIN_EXE_sim"));
    let output = sim.args(args).current_dir(&elsewhere).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.contains("my_file.jpg  Intact"), "{text}");
}

#[test]
fn every_scenario_leaves_the_same_trace_again() {
    for_each(|path, scenario| {
        for lane in lanes_of(scenario).into_iter().filter(|lane| *lane != TransportKind::Tcp) {
            let _replay = Replay::new(path, lane);
            let traces = [(); 2].map(|()| run_on(lane, scenario).trace);
            assert!(traces[0].iter().any(|events| !events.is_empty()), "a trace of nothing proves nothing");
            assert_eq!(traces[0], traces[1], "{} on {lane}", path.display());
        }
    });
}

#[test]
fn no_snapshot_is_left_without_its_scenario() {
    let mut expected: BTreeSet<_> = scenario_files().iter().map(|path| snapshot_name(path)).collect();
    expected.extend(OTHERS.map(String::from));
    for entry in std::fs::read_dir(workspace("snapshots")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let stem = name.strip_suffix(".snap").unwrap_or(&name);
        assert!(expected.contains(stem), "snapshots/{name} belongs to no scenario: remove it");
    }
}
