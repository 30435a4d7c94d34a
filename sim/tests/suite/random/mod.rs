//! Scenarios by chance, held against an oracle that shares nothing with the verdict: a few hundred from fixed seeds in
//! every `cargo test`, and as many as are wanted from new ones.
//!
//! A failure prints the scenario, made as small as it gets, as a file that can be run, and one line that repeats it.

#![allow(clippy::print_stdout, reason = "whoever runs the ignored tests wants to see what was tried")]

mod evidence;
mod oracle;
mod places;
mod tap;

use std::collections::BTreeMap;
use std::fmt::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use faults::{Layer, Verdict};
use md5::{Digest, Md5};
use sim::explore::draft::Draft;
use sim::explore::shrink::shrink;
use sim::explore::swarm::Swarm;
use sim::run::{Inconclusive, Plan, RunError, RunOptions, RunOutcome, Site, run, transport};
use sim::scenario::{Scenario, TransportKind};
use transfer::record::{Action, Failure};
use transfer::storage::Store;

use super::text_of;
use oracle::{Listed, Oracle, Wrong};
use tap::Tap;

/// The seed of the scenarios that every test run repeats, and how many of them.
const SEED: u64 = 7;
const COUNT: u64 = 400;
/// One of so many runs over real sockets, too.
const ONE_IN_TCP: u64 = 8;
/// How many of each kind of finding are shown in full, unless `RANDOM_SHOWN` says otherwise.
const SHOWN: u64 = 4;
/// How many run at the same time. More than there are cores: on tcp a wait is waited out.
const AT_ONCE: usize = 4;
/// What takes longer in virtual time is not tried in real time.
const PATIENCE: Duration = Duration::from_millis(1_500);

/// What can be found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    /// The harness panicked, or a run failed for a reason of its own.
    Broken,
    /// A damaged file was accepted outside of what the ladder names.
    Silent,
    /// A correct program is accused.
    Accused,
    /// A verdict is not what happened.
    Verdict,
    /// What is left in the end is not what was acknowledged.
    Left,
    /// A fault struck elsewhere than its record says.
    Elsewhere,
    /// A record says what did not happen.
    Evidence,
    /// A session is told as another client's.
    Owner,
    /// The lanes tell different stories.
    Lanes,
}

type Finding = (Kind, String);

/// One run on one lane.
struct Run {
    outcome: RunOutcome,
    text: String,
    findings: Vec<Finding>,
}

/// What came of the scenarios.
#[derive(Clone, Default)]
struct Tally {
    /// How many there were of each sort, in words.
    counts: BTreeMap<String, usize>,
    /// Number, draft and findings of those that show something.
    found: Vec<(u64, Draft, Vec<Finding>)>,
}

impl Tally {
    fn count(&mut self, what: impl Into<String>) {
        *self.counts.entry(what.into()).or_default() += 1;
    }
}

/// Scenario `number` of `seed`, with faults of every kind.
fn draw(seed: u64, number: u64) -> Draft {
    Swarm::default().with_network().draw(seed, number)
}

fn parse(draft: &Draft) -> Result<Scenario, String> {
    draft.scenario().map_err(|error| error.render(false))
}

/// The MD5 as it is written, computed here.
fn md5_hex(bytes: &[u8]) -> String {
    Md5::digest(bytes).iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// Runs a scenario and asks the oracle. `None` if a fault has no place in it, or the lane cannot express it.
fn run_one(lane: TransportKind, scenario: &Scenario) -> Result<Option<Run>, String> {
    let plan = Plan::new(scenario).map_err(|error| error.to_string())?;
    let mut tap = match transport(lane, &plan) {
        Ok(lane) => Tap::on(lane),
        Err(RunError::CannotExpress(_)) => return Ok(None),
        Err(error) => return Err(error.to_string()),
    };
    let site = Site::for_plan(&plan).map_err(|error| error.to_string())?;
    let store = site.store();
    let outcome = match run(&plan, &mut tap, site, &RunOptions::default()) {
        Ok(outcome) => outcome,
        Err(RunError::Scenario(_)) => return Ok(None),
        Err(error) => return Err(error.to_string()),
    };
    let text = text_of(scenario, &outcome);
    let mut findings = Vec::new();
    if !matches!(outcome.inconclusive, Some(Inconclusive::ControlFailed(_))) {
        findings = judge(scenario, &plan, &tap, &*store, &outcome);
    }
    Ok(Some(Run { outcome, text, findings }))
}

fn judge(
    scenario: &Scenario,
    plan: &Plan,
    tap: &Tap,
    store: &dyn Store,
    outcome: &RunOutcome,
) -> Vec<Finding> {
    let tape = tap.tapes.last().unwrap();
    let listing = store.list().unwrap();
    let with_bytes = |entry: &protocol::Entry| {
        (entry.clone(), store.open(entry.id).map_or(Vec::new(), |content| oracle::bytes_of(&content)))
    };
    let listed: Vec<Listed> = listing.iter().map(with_bytes).collect();
    let mut findings: Vec<Finding> = Vec::new();
    findings.extend(evidence::check(tape).into_iter().map(|what| (Kind::Evidence, what)));
    findings.extend(evidence::owners(tape, outcome).into_iter().map(|what| (Kind::Owner, what)));
    findings.extend(
        places::check(scenario, tape, &outcome.faults).into_iter().map(|what| (Kind::Elsewhere, what)),
    );
    findings.extend(Oracle::new(plan, tape, outcome, &listed).check().into_iter().map(|wrong| match wrong {
        Wrong::Verdict(what) => (Kind::Verdict, what),
        Wrong::Silent(what) => (Kind::Silent, what),
        Wrong::Left(what) => (Kind::Left, what),
        Wrong::Accused(what) => (Kind::Accused, what),
    }));
    findings
}

/// What a scenario shows on every lane that can express it; and what it was like, in words.
fn examine(draft: &Draft, on_tcp: bool) -> (Vec<Finding>, Vec<String>) {
    match catch_unwind(AssertUnwindSafe(|| examine_all(draft, on_tcp))) {
        Ok(examined) => examined,
        Err(panic) => {
            let why = panic.downcast_ref::<String>().cloned();
            let why = why.or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string));
            (vec![(Kind::Broken, format!("panicked: {}", why.unwrap_or_default()))], Vec::new())
        }
    }
}

fn examine_all(draft: &Draft, on_tcp: bool) -> (Vec<Finding>, Vec<String>) {
    let mut scenario = match parse(draft) {
        Ok(scenario) => scenario,
        Err(why) => return (vec![(Kind::Broken, why)], Vec::new()),
    };
    let (mut findings, mut words, mut first) = (Vec::new(), Vec::new(), None::<(TransportKind, Run)>);
    for lane in [TransportKind::Memory, TransportKind::Turmoil, TransportKind::Tcp] {
        if lane == TransportKind::Tcp {
            let Some((_, run)) = &first else { break };
            if !on_tcp || !is_quick(&run.outcome) {
                break;
            }
            // A loaded machine may take a while.
            scenario.deadline = Duration::from_secs(30);
        }
        let run = match run_one(lane, &scenario) {
            Ok(Some(run)) => run,
            Ok(None) => continue,
            Err(why) => {
                findings.push((Kind::Broken, format!("on {lane}: {why}")));
                continue;
            }
        };
        words.push(format!("ran on {lane}"));
        findings.extend(run.findings.iter().map(|(kind, what)| (*kind, format!("on {lane}: {what}"))));
        match &first {
            Some((_, before)) if before.text == run.text => {}
            Some(_) if draft.is_a_race() => words.push("the lanes part: a race of clients".into()),
            Some(_) if draft.may_tie() => words.push("the lanes part: perhaps a tie".into()),
            Some((other, before)) => {
                let (other, lane) =
                    (format!("on {other}:\n{}", before.text), format!("on {lane}:\n{}", run.text));
                findings.push((Kind::Lanes, format!("{other}{lane}")));
            }
            None => {
                words.extend(describe(&run.outcome));
                first = Some((lane, run));
            }
        }
    }
    if first.is_none() {
        words.push("no place for a fault".into());
    }
    (findings, words)
}

/// Whether a run of virtual time can be repeated in real time.
fn is_quick(outcome: &RunOutcome) -> bool {
    let deadline = |action: &Action| matches!(action, Action::Failed(Failure::Deadline));
    outcome.trace.iter().flatten().all(|event| event.at < PATIENCE && !deadline(&event.action))
}

/// What a run was like, for the counts: nothing is shown by runs that prove nothing.
fn describe(outcome: &RunOutcome) -> Vec<String> {
    let mut words = vec![match &outcome.inconclusive {
        None => "proved".to_owned(),
        Some(Inconclusive::ControlFailed(_)) => "inconclusive: the control run failed".into(),
        Some(Inconclusive::NotFired(_)) => "inconclusive: not fired".into(),
        Some(_) => "inconclusive: not reached".into(),
    }];
    words.extend(outcome.judgements.iter().map(|it| format!("verdict {}", it.verdict)));
    let layer = |layer| match layer {
        Layer::Stream => "stream",
        Layer::Network => "network",
        Layer::Disk => "disk",
    };
    let fired = outcome.faults.iter().filter(|record| record.fired);
    words.extend(fired.map(|record| format!("fault of the {}", layer(record.fault.effect.layer()))));
    words.push(format!("{} clients", outcome.conversations.len()));
    words
}

/// Examines `count` scenarios of `seed`, several at a time.
fn examine_many(seed: u64, count: u64, one_in_tcp: u64) -> Tally {
    let (next, tally) = (AtomicU64::new(0), Mutex::new(Tally::default()));
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= count {
                        return;
                    }
                    let draft = draw(seed, number);
                    let (findings, words) = examine(&draft, number % one_in_tcp == 0);
                    let mut tally = tally.lock().unwrap();
                    words.into_iter().for_each(|word| tally.count(word));
                    for kind in kinds(&findings) {
                        tally.count(format!("FOUND {kind:?}"));
                    }
                    if !findings.is_empty() {
                        tally.found.push((number, draft, findings));
                    }
                }
            });
        }
    });
    let mut tally = tally.into_inner().unwrap();
    tally.found.sort_by_key(|(number, ..)| *number);
    tally
}

/// The kinds of these findings, each once.
fn kinds(findings: &[Finding]) -> Vec<Kind> {
    let mut kinds: Vec<Kind> = findings.iter().map(|(kind, _)| *kind).collect();
    kinds.sort_unstable();
    kinds.dedup();
    kinds
}

/// Everything that was found, each scenario made as small as it gets.
fn report(seed: u64, tally: &Tally) -> String {
    let mut text = String::new();
    for (what, count) in &tally.counts {
        let _ = writeln!(text, "{count:>8}  {what}");
    }
    let most = from_environment("RANDOM_SHOWN").unwrap_or(SHOWN);
    let mut shown: BTreeMap<(Vec<Kind>, bool), u64> = BTreeMap::new();
    for (number, draft, findings) in &tally.found {
        let kinds = kinds(findings);
        let before = shown.entry((kinds.clone(), draft.clients.len() > 1)).or_default();
        *before += 1;
        if *before > most {
            continue;
        }
        let small = shrink(draft.clone(), |draft| {
            examine(draft, false).0.iter().any(|(kind, _)| kinds.contains(kind))
        });
        let shown = examine(&small, false).0;
        let shown = if shown.is_empty() { findings } else { &shown };
        let _ = writeln!(text, "\n== scenario {number} of seed {seed}: {kinds:?}\n{small}");
        for (kind, what) in shown {
            let _ = writeln!(text, "{kind:?}: {what}");
        }
        let _ = writeln!(text, "repeat: RANDOM_SEED={seed} RANDOM_NUMBER={number} {AGAIN}");
    }
    text
}

const AGAIN: &str = "cargo test -p sim --test suite random::again -- --ignored --nocapture";

fn assert_nothing_found(seed: u64, tally: &Tally) {
    assert!(
        tally.found.is_empty(),
        "{} scenarios show something\n{}",
        tally.found.len(),
        report(seed, tally)
    );
}

/// A number from the environment.
fn from_environment(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name}={text} is not a number")))
}

#[test]
fn a_few_hundred_scenarios_by_chance_hold_before_the_oracle() {
    let tally = examine_many(SEED, COUNT, ONE_IN_TCP);
    assert_nothing_found(SEED, &tally);
    // Runs that prove nothing show nothing: most of them have to count.
    let count = |what: &str| tally.counts.get(what).copied().unwrap_or(0);
    assert!(count("proved") >= 150, "{}", report(SEED, &tally));
    for verdict in
        [Verdict::Intact, Verdict::Detected, Verdict::Recovered, Verdict::Aborted, Verdict::FalseAlarm]
    {
        assert!(count(&format!("verdict {verdict}")) > 0, "none was {verdict}\n{}", report(SEED, &tally));
    }
}

/// `RANDOM_COUNT` says how many, `RANDOM_SEED` of which seed: a new one each time, if it does not.
#[test]
#[ignore = "minutes: .ci/run does a share of it"]
fn many_new_scenarios_by_chance_hold_before_the_oracle() {
    let seed = from_environment("RANDOM_SEED").unwrap_or_else(new_seed);
    let count = from_environment("RANDOM_COUNT").unwrap_or(20_000);
    let tally = examine_many(seed, count, 50);
    println!(
        "{count} scenarios of seed {seed}\n{}",
        report(seed, &Tally { found: Vec::new(), ..tally.clone() })
    );
    assert_nothing_found(seed, &tally);
}

/// `RANDOM_SEED` and `RANDOM_NUMBER` say which.
#[test]
#[ignore = "repeats one scenario"]
fn again() {
    let seed = from_environment("RANDOM_SEED").unwrap_or(SEED);
    let draft = draw(seed, from_environment("RANDOM_NUMBER").unwrap_or(0));
    println!("{draft}");
    let (findings, words) = examine(&draft, true);
    for (kind, what) in &findings {
        println!("{kind:?}: {what}");
    }
    assert!(findings.is_empty(), "it shows {:?}; {words:?}", kinds(&findings));
}

/// A number that no run before had: where the process and its stack are.
fn new_seed() -> u64 {
    use std::hash::{BuildHasher, RandomState};
    RandomState::new().hash_one(0_u8) % 1_000_000_000
}
