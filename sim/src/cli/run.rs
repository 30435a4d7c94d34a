//! Runs the scenarios that were named and says how they went.

use std::path::Path;
use std::sync::Arc;

use faults::Fault;
use faults::text::visible;
use notation::{Located, ScenarioError, parse_scenario_fault};
use sim::report::{self, Lines, Row, View};
use sim::run::{Plan, RunError, RunOptions, RunOutcome, Site, run, transport};
use sim::scenario::Scenario;
use transfer::record::Progress;

use super::args::{Args, Format};
use super::{Exit, cleanup, complain_in, fail_in, json_lines, print, progress};

/// The option that adds a fault. Mistakes in its text are shown in its place.
const FAULT: &str = "--fault";

/// Runs every scenario of `args`, one after the other. All are read before the first is run.
pub(super) fn run_files(args: &Args) -> Exit {
    let lines = json_lines(args.format);
    let lines = lines.as_ref();
    let faults = read_faults(args, lines);
    let mut exit = faults.as_ref().err().copied().unwrap_or(Exit::Met);
    let faults = faults.unwrap_or_default();
    let read: Vec<_> = args.scenarios.iter().map(|path| read(args, path, &faults, lines)).collect();
    let mut scenarios = Vec::new();
    for scenario in read {
        match scenario {
            Ok(scenario) => scenarios.push(scenario),
            Err(worse) => exit = exit.max(worse),
        }
    }
    if exit != Exit::Met {
        return exit;
    }
    let mut rows = Vec::new();
    for scenario in &scenarios {
        let (how, row) = run_one(args, scenario, scenarios.len() > 1, lines);
        exit = exit.max(how);
        rows.push(row);
    }
    if rows.len() > 1 && args.format == Format::Text {
        print::say(&format!("\n{}", report::table(&rows)));
    }
    exit
}

/// The faults of the command line; or the complaints about all that cannot be read.
fn read_faults(args: &Args, lines: Option<&Lines>) -> Result<Vec<Located<Fault>>, Exit> {
    let (mut faults, mut exit) = (Vec::new(), None);
    for text in &args.fault {
        match parse_scenario_fault(text, FAULT) {
            Ok(fault) => faults.push(fault),
            Err(error) => exit = Some(complain_in(&error, lines)),
        }
    }
    exit.map_or(Ok(faults), Err)
}

fn read(
    args: &Args,
    path: &Path,
    faults: &[Located<Fault>],
    lines: Option<&Lines>,
) -> Result<Scenario, Exit> {
    let mut scenario = Scenario::load(path).map_err(|error| complain_in(&error, lines))?;
    scenario.seed = args.seed.unwrap_or(scenario.seed);
    scenario.transport = args.transport.unwrap_or(scenario.transport);
    if let Some(bytes) = args.size
        && !scenario.resize_noise(bytes)
    {
        return Err(fail_in(&format!("--size {bytes}: {} has no file of noise", path.display()), lines));
    }
    if let Some(file) = &args.file {
        let replaced = scenario.replace_file(file);
        replaced.map_err(|error| fail_in(&format!("--file {}: {error}", file.display()), lines))?;
    }
    let added = scenario.add_faults(faults);
    added.map_err(|error| complain_in(&error.about(path), lines))?;
    Ok(scenario)
}

fn run_one(args: &Args, scenario: &Scenario, of_several: bool, lines: Option<&Lines>) -> (Exit, Row) {
    match carry_out(args, scenario, of_several) {
        Ok(outcome) => {
            show(args, scenario, &outcome, of_several);
            (judge(&outcome), Row::new(scenario, &outcome))
        }
        Err(RunError::Scenario(error)) => {
            (complain_in(&name_scenario(error, scenario), lines), Row::failed(scenario))
        }
        Err(error) => {
            let message = format!("{}: {error}", scenario.path.display());
            (fail_in(&message, lines), Row::failed(scenario))
        }
    }
}

/// A mistake in the command line does not show of which scenario it is one.
fn name_scenario(error: ScenarioError, scenario: &Scenario) -> ScenarioError {
    let is_of_option = error.mistakes().iter().any(|mistake| mistake.path() == Path::new(FAULT));
    if is_of_option { error.about(&scenario.path) } else { error }
}

fn carry_out(args: &Args, scenario: &Scenario, of_several: bool) -> Result<RunOutcome, RunError> {
    let plan = Plan::new(scenario)?;
    let mut transport = transport(scenario.transport, &plan)?;
    let site = match &args.keep {
        Some(dir) if of_several => Site::on_disk(&dir.join(scenario.path.file_stem().unwrap_or_default()))?,
        Some(dir) => Site::on_disk(dir)?,
        None => Site::for_plan(&plan)?,
    };
    let _guard = cleanup::on_signal(site.temporary());
    let progress = Arc::new(Progress::default());
    let _bar = progress::watch(Arc::clone(&progress), false);
    let options = RunOptions { flaw: args.mutant, progress: Some(progress), ..RunOptions::default() };
    run(&plan, &mut *transport, site, &options)
}

fn show(args: &Args, scenario: &Scenario, outcome: &RunOutcome, of_several: bool) {
    let view = View { times: args.times, replay: replay(args, scenario) };
    match args.format {
        Format::Json => print::say(&report::json(scenario, outcome, &view)),
        // Of several, the table at the end is what counts; a run that went wrong is shown whole.
        Format::Text if of_several && judge(outcome) == Exit::Met => {}
        Format::Text => {
            print::say(&report::text(scenario, outcome, &view));
            print::say(if of_several { "\n" } else { "" });
        }
    }
}

fn judge(outcome: &RunOutcome) -> Exit {
    if outcome.inconclusive.is_some() {
        Exit::Inconclusive
    } else if outcome.deviation.is_some() || !outcome.unmet.is_empty() {
        Exit::NotMet
    } else {
        Exit::Met
    }
}

/// The command that does the same again, fit to be pasted into a shell.
fn replay(args: &Args, scenario: &Scenario) -> String {
    let mut words = vec![path_word(&scenario.path)];
    words.extend(["--transport".into(), scenario.transport.to_string()]);
    words.extend(["--seed".into(), scenario.seed.to_string()]);
    if let Some(file) = &args.file {
        words.extend(["--file".into(), path_word(file)]);
    }
    if let Some(bytes) = args.size {
        words.extend(["--size".into(), bytes.to_string()]);
    }
    for fault in &args.fault {
        words.extend([FAULT.into(), fault.clone()]);
    }
    if let Some(mutant) = args.mutant {
        words.extend(["--mutant".into(), mutant.to_string()]);
    }
    print::command(&words)
}

fn path_word(path: &Path) -> String {
    path.display().to_string()
}

pub(super) fn fail(message: &str) -> Exit {
    // It may quote what stands on a disk, or came from a peer.
    let lines: Vec<String> = message.lines().map(visible).collect();
    print::warn(&format!("error: {}", lines.join("\n")));
    Exit::Usage
}
