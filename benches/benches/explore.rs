//! How many runs of a sweep a second one core makes: forked off a control run, from the start on the memory lane, and on
//! turmoil; and what several threads make of it.

use std::num::NonZero;
use std::thread::available_parallelism;

use benches::table::{say, timed};
use faults::Layer;
use notation::{Located, Place, SourceFile};
use sim::explore::pool::walk;
use sim::explore::space::Narrowing;
use sim::explore::sweep::Sweep;
use sim::run::{Plan, RunOptions, Site, run, transport};
use sim::scenario::{Scenario, Source, TransportKind};

/// The size of the file.
const FILE: u64 = 1024;
/// How often everything is measured; the median counts.
const TURNS: usize = 5;

fn plan() -> Plan {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios/basic.ron");
    let mut scenario = Scenario::load(&path).expect("the scenario can be read");
    scenario.files.values_mut().for_each(|source| source.value = Source::Noise(FILE));
    Plan::new(&scenario).expect("noise can be made")
}

fn sweep() -> Sweep {
    Sweep::new(&plan(), None, &Narrowing::default()).expect("the control run succeeds")
}

/// The numbers of `count` faults of a stream, spread over all of them.
fn sample(sweep: &Sweep, count: u64) -> Vec<u64> {
    let space = sweep.space();
    let all = (0..count).map(|at| at * space.count() / count);
    all.filter(|at| space.point(*at).is_some_and(|it| it.fault.effect.layer() == Layer::Stream)).collect()
}

/// Runs a second of `numbers` runs.
fn rate(numbers: &[u64], mut run: impl FnMut(u64)) -> f64 {
    let (time, ()) = timed(|| numbers.iter().for_each(|number| run(*number)));
    numbers.len() as f64 / time.as_secs_f64()
}

/// The same faults, each from the start.
fn from_the_start(kind: TransportKind, numbers: &[u64], sweep: &Sweep) -> f64 {
    let plan = plan();
    let source = SourceFile::new("a fault".as_ref(), String::new());
    let mut lane = transport(kind, &plan).expect("the lane can be made");
    rate(numbers, |number| {
        let value = sweep.space().point(number).expect("it is in the space").fault;
        let plan = plan.with_faults([Located { value, place: Place::new(&source, 0..0) }]);
        run(&plan, &mut *lane, Site::in_memory(), &RunOptions::default()).expect("the lane carries it");
    })
}

fn threads(jobs: usize) -> f64 {
    let count = sweep().space().count() / 4;
    let jobs = NonZero::new(jobs).expect("at least one");
    let make = || {
        let mut sweep = sweep();
        Ok::<_, std::convert::Infallible>(move |number| sweep.run(number).class)
    };
    let (time, _) = timed(|| walk(jobs, 0..count, &|| false, make, |_, _| {}));
    count as f64 / time.as_secs_f64()
}

fn median(mut turn: impl FnMut() -> f64) -> f64 {
    let mut all: Vec<f64> = (0..TURNS).map(|_| turn()).collect();
    all.sort_by(f64::total_cmp);
    all[TURNS / 2]
}

fn main() {
    if std::env::args().any(|arg| arg == "--test") {
        sweep().run(0);
        return;
    }
    let mut forked = sweep();
    let (many, some, few) = (sample(&forked, 40_000), sample(&forked, 8_000), sample(&forked, 1_000));
    let forks = median(|| rate(&many, |number| drop(forked.run(number))));
    let memory = median(|| from_the_start(TransportKind::Memory, &some, &forked));
    let turmoil = median(|| from_the_start(TransportKind::Turmoil, &few, &forked));
    say(&format!(
        "| sweep of 22 steps, {FILE} bytes, one core | runs/s | forks are so many times as fast | target |"
    ));
    say("|---|---|---|---|");
    let verdict = |ratio: f64, target: f64| if ratio >= target { "met" } else { "missed" };
    say(&format!("| forked off the control run | {forks:.0} | | 200,000: {} |", verdict(forks, 200_000.0)));
    say(&format!(
        "| memory, from the start | {memory:.0} | {:.1} | 4: {} |",
        forks / memory,
        verdict(forks / memory, 4.0)
    ));
    say(&format!(
        "| turmoil, from the start | {turmoil:.0} | {:.1} | 20: {} |",
        forks / turmoil,
        verdict(forks / turmoil, 20.0)
    ));
    let (one, cores) = (median(|| threads(1)), available_parallelism().map_or(1, NonZero::get));
    let all = median(|| threads(cores));
    say(&format!(
        "\nWith {cores} threads: {:.2} times the runs of one (with the faults of the disk among them).",
        all / one
    ));
}
