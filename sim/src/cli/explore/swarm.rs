//! Runs scenarios by chance, and writes down the smallest that shows what was found.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::fs;
use std::hash::{BuildHasher, RandomState};

use faults::text::visible;
use sim::explore::draft::Draft;
use sim::explore::pool::walk;
use sim::explore::shrink::{Shown, shows_like, shrink, to_scenario_file};
use sim::explore::swarm::{Class, Examined, Finding, Swarm, examine};
use sim::report::swarm::{Found, Tally, text};
use sim::scenario::{Scenario, TransportKind};

use super::{Stop, bar, jobs, quiet_panics};
use crate::cli::args::SwarmArgs;
use crate::cli::run::fail;
use crate::cli::{Exit, complain, print};

/// How many findings of one kind are made small and written down: the next ones would tell nothing new.
const WRITTEN: usize = 3;

pub(in crate::cli) fn swarm(args: &SwarmArgs) -> Exit {
    carry_out(args).unwrap_or_else(|exit| exit)
}

fn carry_out(args: &SwarmArgs) -> Result<Exit, Exit> {
    let swarm = drawn_from(args)?;
    let seed = args.seed.unwrap_or_else(new_seed);
    if let Some(number) = args.only {
        print::say(&swarm.draw(seed, number).to_string());
        return Ok(Exit::Met);
    }
    // Found out before the runs, not behind them.
    fs::create_dir_all(&args.out).map_err(|error| fail(&format!("--out {}: {error}", args.out.display())))?;
    quiet_panics();
    let (stop, bar) = (Stop::new(args.many.budget), bar(args.runs, args.many.quiet));
    let mut tally = Tally::new(seed);
    let make = || {
        let swarm = &swarm;
        Ok::<_, Infallible>(move |number| examine(&swarm.draw(seed, number), args.many.mutant, &args.lanes))
    };
    let quiet = std::sync::atomic::AtomicBool::new(false);
    let is_over = || stop.is_due() || quiet.load(std::sync::atomic::Ordering::Relaxed);
    let mut shown: Vec<(u64, Finding)> = Vec::new();
    let Ok(runs) = walk(jobs(args.many.jobs), 0..args.runs, &is_over, make, |number, examined: Examined| {
        bar.inc(1);
        tally.add(number, &examined);
        shown.extend(examined.findings.into_iter().map(|finding| (number, finding)));
        if args.until_quiet.is_some_and(|runs| tally.quiet_for(number) >= runs) {
            quiet.store(true, std::sync::atomic::Ordering::Relaxed);
        }
        if !shown.is_empty() {
            bar.set_message(format!("{} found", shown.len()));
        }
    });
    bar.finish_and_clear();
    tally.runs = runs;
    let (found, written) = write_down(args, &swarm, seed, &shown);
    print::say(&text(&tally, &found, args.runs));
    written?;
    Ok(judge(&tally, !shown.is_empty(), stop.was_interrupted()))
}

fn judge(tally: &Tally, is_found: bool, interrupted: bool) -> Exit {
    if is_found {
        Exit::NotMet
    } else if interrupted {
        Exit::Interrupted
    } else if tally.count(Class::Proved) == 0 {
        Exit::Inconclusive
    } else {
        Exit::Met
    }
}

fn drawn_from(args: &SwarmArgs) -> Result<Swarm, Exit> {
    let mut swarm = Swarm::default();
    if let Some(path) = &args.scenario {
        let scenario = Scenario::load(path).map_err(|error| complain(&error))?;
        let base = Draft::of(&scenario).map_err(|error| fail(&format!("{}: {error}", path.display())))?;
        swarm = Swarm::based_on(base);
    }
    Ok(if args.lanes.contains(&TransportKind::Turmoil) { swarm.with_network() } else { swarm })
}

/// A number that no run before had.
fn new_seed() -> u64 {
    RandomState::new().hash_one(0_u8) % 1_000_000_000
}

/// Makes the first findings of each kind small, and writes them to the folder.
fn write_down(
    args: &SwarmArgs,
    swarm: &Swarm,
    seed: u64,
    shown: &[(u64, Finding)],
) -> (Vec<Found>, Result<(), Exit>) {
    let (mut found, mut written, mut saved) = (Vec::new(), BTreeSet::new(), Ok(()));
    for (at, (number, finding)) in shown.iter().enumerate() {
        let before = shown[..at].iter().filter(|(_, other)| other.is_like(finding)).count();
        if before >= WRITTEN || !written.insert(*number) {
            continue;
        }
        let draft = shrink(swarm.draw(seed, *number), |draft| {
            shows_like(draft, args.many.mutant, &args.lanes, finding)
        });
        let mutant = args.many.mutant.map_or(String::new(), |flaw| format!("-{flaw}"));
        let path = args.out.join(format!("{seed}-{number}{mutant}.ron"));
        let text = to_scenario_file(&draft, &Shown::Finding(finding.clone()));
        if let Err(error) = fs::write(&path, text) {
            saved = Err(fail(&format!("{}: {error}", path.display())));
        }
        let mut words = vec![path.display().to_string()];
        words.extend(args.many.mutant.iter().flat_map(|flaw| ["--mutant".to_owned(), flaw.to_string()]));
        found.push(Found {
            number: *number,
            finding: visible(&finding.to_string()),
            path: path.display().to_string(),
            replay: print::command(&words),
        });
    }
    (found, saved)
}
