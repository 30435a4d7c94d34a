//! Makes a scenario smaller for as long as it shows the same.

use std::fs;

use faults::text::visible;
use sim::explore::draft::Draft;
use sim::explore::shrink::{Shown, shrink, to_scenario_file, what_shows};
use sim::explore::swarm::examine;
use sim::scenario::{Scenario, TransportKind};
use transfer::endpoint::Flaw;

use crate::cli::args::ShrinkArgs;
use crate::cli::run::fail;
use crate::cli::{Exit, complain, print};

/// Faults of the network need the simulated one; all else is run in memory.
const LANES: [TransportKind; 2] = [TransportKind::Memory, TransportKind::Turmoil];

/// Prints the smallest scenario that shows what the one in `args` shows, as a file.
pub(in crate::cli) fn run(args: &ShrinkArgs) -> Exit {
    let scenario = match Scenario::load(&args.file) {
        Ok(scenario) => scenario,
        Err(error) => return complain(&error),
    };
    let path = args.file.display();
    let draft = match Draft::of(&scenario) {
        Ok(draft) => draft,
        Err(error) => return fail(&format!("{path}: {error}")),
    };
    let lanes = lanes(&draft);
    let Some(shown) = what_shows(&draft, args.mutant, lanes) else {
        return fail(&format!("{path}: {}", nothing(&draft, args.mutant, lanes)));
    };
    if !shown.is_shown_by(&draft, args.mutant, lanes) {
        return fail(&format!("{path}: the mistake is not to blame, {}", correct(&shown)));
    }
    let small = shrink(draft, |draft| shown.is_shown_by(draft, args.mutant, lanes));
    let shown = what_shows(&small, args.mutant, lanes).unwrap_or(shown);
    let text = to_scenario_file(&small, &shown);
    match &args.out {
        None => print::say(&text),
        Some(out) if out.exists() => return fail(&format!("{}: it is there already", out.display())),
        Some(out) => match fs::write(out, text) {
            Ok(()) => print::say(&format!("{}: {}\n", out.display(), visible(&shown.to_string()))),
            Err(error) => return fail(&format!("{}: {error}", out.display())),
        },
    }
    Exit::Met
}

/// The one lane on which it is run: others would have to tell the same, which is not asked here.
fn lanes(draft: &Draft) -> &'static [TransportKind] {
    let is_of_network = |fault: &faults::Fault| fault.effect.layer() == faults::Layer::Network;
    let at = usize::from(draft.faults.iter().any(is_of_network));
    &LANES[at..=at]
}

/// Why there is nothing to make smaller, in words.
fn nothing(draft: &Draft, flaw: Option<Flaw>, lanes: &[TransportKind]) -> String {
    let examined = examine(draft, flaw, lanes);
    let limits: Vec<String> = examined.limits.iter().map(ToString::to_string).collect();
    let known = match &limits[..] {
        [] => String::new(),
        limits => format!("; what comes of it is a known limit of the specification: {}", limits.join(", ")),
    };
    format!("this scenario shows nothing that could be made smaller: {}{known}", examined.class)
}

fn correct(shown: &Shown) -> String {
    format!("because with the correct programs the same comes of it, or nothing is proved: {shown}")
}
