//! The harness tested as a whole. One binary, so that it links once.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on shall fail there")]

mod agreement;
mod audit;
#[cfg(target_os = "linux")]
mod audit_evidence;
mod audit_left;
mod audit_mistakes;
#[cfg(target_os = "linux")]
mod audit_places;
mod cli;
mod conform;
mod damage;
mod determinism;
mod duplex;
mod evidence;
mod explore_swarm;
mod explore_sweep;
mod fault_option;
mod forks;
mod house;
mod inert;
mod json;
mod junit;
mod ladder;
mod mutants;
mod phases;
mod places;
mod process;
mod proxy;
mod proxy_cli;
mod proxy_locate;
mod proxy_places;
mod random;
mod scenarios;
mod scrub;
mod shipped_audits;
mod steps;
mod store_crash;
mod swarm_cli;
mod wishes;

use std::path::{Path, PathBuf};

use sim::report::View;
use sim::run::{Plan, RunOptions, RunOutcome, Site, run, transport};
use sim::scenario::{Scenario, TransportKind};

/// Every lane.
const LANES: [TransportKind; 3] = [TransportKind::Memory, TransportKind::Turmoil, TransportKind::Tcp];

/// A path in the workspace.
fn workspace(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}

/// The scenario in this text, as if it stood beside `basic.ron`.
fn parse(text: &str) -> Scenario {
    let path = workspace("scenarios/inline.ron");
    Scenario::parse(text, &path).unwrap_or_else(|error| panic!("{}", error.render(false)))
}

/// `basic.ron` with what the text says otherwise.
fn basic_but(text: &str) -> Scenario {
    parse(&format!(r#"Scenario(about: "For a test.", base: "basic.ron", {text})"#))
}

fn run_on(kind: TransportKind, scenario: &Scenario) -> RunOutcome {
    run_with(kind, scenario, &RunOptions::default())
}

fn run_with(kind: TransportKind, scenario: &Scenario, options: &RunOptions) -> RunOutcome {
    let plan = Plan::new(scenario).unwrap();
    let mut transport = transport(kind, &plan).unwrap();
    run(&plan, &mut *transport, Site::for_plan(&plan).unwrap(), options).unwrap()
}

/// The report as a person reads it, without colours.
fn text_of(scenario: &Scenario, outcome: &RunOutcome) -> String {
    anstream::adapter::strip_str(&sim::report::text(scenario, outcome, &View::default())).to_string()
}

/// The scenario in this file.
fn load(path: &Path) -> Scenario {
    Scenario::load(path).unwrap_or_else(|error| panic!("{}", error.render(false)))
}

/// Asserts a snapshot that lies in `snapshots/`, under its own name.
fn in_snapshots(assert: impl FnOnce()) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(workspace("snapshots"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(assert);
}
