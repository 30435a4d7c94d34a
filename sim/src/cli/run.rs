//! Runs the scenarios that were named and says how they went.

use std::io;
use std::path::Path;
use std::sync::Arc;

use sim::record::Progress;
use sim::report;
use sim::run::{Outcome, Plan, Site, run, transport};
use sim::scenario::Scenario;

use super::args::{Args, Format};
use super::{Exit, complain, print, progress};

/// Runs every scenario of `args`, one after the other.
pub(super) fn run_files(args: &Args) -> Exit {
    let mut exit = Exit::Met;
    for (index, path) in args.scenarios.iter().enumerate() {
        if index > 0 && args.format == Format::Text {
            print::say("\n");
        }
        exit = exit.max(run_file(args, path));
    }
    exit
}

fn run_file(args: &Args, path: &Path) -> Exit {
    let mut scenario = match Scenario::load(path) {
        Ok(scenario) => scenario,
        Err(error) => return complain(&error),
    };
    scenario.seed = args.seed.unwrap_or(scenario.seed);
    scenario.transport = args.transport.unwrap_or(scenario.transport);
    if let Some(file) = &args.file
        && let Err(error) = scenario.replace_file(file)
    {
        return fail(&format!("--file {}: {error}", file.display()));
    }
    match carry_out(args, &scenario) {
        Ok(outcome) => show(args, &scenario, &outcome),
        Err(error) => fail(&format!("{}: {error}", path.display())),
    }
}

fn carry_out(args: &Args, scenario: &Scenario) -> io::Result<Outcome> {
    let plan = Plan::new(scenario)?;
    let site = match &args.keep {
        Some(dir) => Site::on_disk(dir)?,
        None => Site::for_plan(&plan)?,
    };
    let progress = Arc::new(Progress::default());
    let _bar = progress::watch(Arc::clone(&progress));
    run(&plan, &mut *transport(scenario.transport, &plan)?, &site, Some(progress))
}

fn show(args: &Args, scenario: &Scenario, outcome: &Outcome) -> Exit {
    print::say(&match args.format {
        Format::Text => report::text(scenario, outcome, args.times),
        Format::Json => report::json(scenario, outcome, args.times),
    });
    let Some(deviation) = &outcome.deviation else { return Exit::Met };
    if args.format == Format::Text {
        print::warn(&format!("{deviation}\nreplay: {}", replay(args, scenario)));
    }
    Exit::NotMet
}

/// The command that does the same again.
fn replay(args: &Args, scenario: &Scenario) -> String {
    let file = args.file.as_ref().map(|file| format!(" --file {}", file.display()));
    format!(
        "cargo run -p sim -- {} --transport {} --seed {}{}",
        scenario.path.display(),
        scenario.transport,
        scenario.seed,
        file.unwrap_or_default()
    )
}

fn fail(message: &str) -> Exit {
    print::warn(&format!("error: {message}"));
    Exit::Usage
}
