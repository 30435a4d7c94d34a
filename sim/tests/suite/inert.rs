//! A fault that does nothing proves nothing: without its injection, a run with it is inconclusive, never green.
//! Otherwise a harness whose faults have silently stopped working would pass everything.

use faults::{Layer, Verdict};
use notation::fault_names;
use sim::run::{Inconclusive, RunOptions, RunOutcome};
use sim::scenario::{Scenario, TransportKind};

use super::{basic_but, run_with};

/// One fault of each kind, on the 22 steps.
const FAULTS: [&str; 26] = [
    "Flip(in: Upload, at: 1_000, bit: 3)",
    "Xor(in: Upload, at: 21, hex: \"04\")",
    "Drop(in: Upload, at: 1_000, bytes: 100)",
    "Truncate(in: Download, at: 5_000)",
    "Insert(in: Upload, at: 10, text: \"extra\")",
    "Duplicate(in: Download, at: 0, bytes: 100)",
    "Reorder(in: Upload, at: 1_000, bytes: 100, with: 5_000)",
    "Overwrite(in: Step(13), at: 0, text: \"x\")",
    "Stall(in: Download, at: Last)",
    "Delay(in: Upload, at: 7, lasts: 5)",
    "Throttle(in: Upload, at: 100_000, rate: 10_000)",
    "Slice(in: Upload, at: 100_000, bytes: 100)",
    "Coalesce(in: Upload, at: 0, lasts: 0.05)",
    "Reset(in: Upload, at: 50_000)",
    "HalfClose(in: ToClient, at: 10)",
    "Latency(min: 0.001, max: 0.1)",
    "Partition(in: Upload, at: 50_000, lasts: 5)",
    "Hold(in: Upload, at: 50_000, lasts: 5)",
    "Crash(in: Upload, at: 50_000, lasts: 5)",
    "NoSpace(at: 50_000)",
    "WriteError(at: Last)",
    "ShortWrite(at: 1_000, bytes: 10)",
    "CrashBeforeSync()",
    "CrashBeforeRename()",
    "CrashAfterRename()",
    "Rot(at: 1_000, bit: 7)",
];

/// A run of the 22 steps with these faults, those with the name `inert` not injected.
fn run(scenario: &Scenario, inert: Option<&'static str>) -> RunOutcome {
    let network = scenario.faults.iter().any(|fault| fault.value.effect.layer() == Layer::Network);
    let lane = if network { TransportKind::Turmoil } else { TransportKind::Memory };
    run_with(lane, scenario, &RunOptions { inert, ..RunOptions::default() })
}

#[test]
fn every_kind_of_fault_is_covered() {
    let covered = FAULTS.map(|fault| fault.split('(').next().unwrap());
    assert_eq!(covered.to_vec(), fault_names().collect::<Vec<_>>());
}

#[test]
fn a_run_whose_fault_does_nothing_is_inconclusive() {
    for fault in FAULTS {
        let scenario = basic_but(&format!("faults: [{fault}]"));
        let struck = run(&scenario, None);
        assert_eq!(struck.inconclusive, None, "{fault}");
        assert!(struck.judgements.iter().all(|it| it.verdict != Verdict::Inconclusive), "{fault}");

        let name = scenario.faults[0].value.effect.name();
        let missed = run(&scenario, Some(name));
        assert_eq!(missed.inconclusive, Some(Inconclusive::NotFired(1)), "{fault}");
        assert!(!missed.judgements.is_empty(), "{fault}: no transfer was judged");
        assert!(missed.judgements.iter().all(|it| it.verdict == Verdict::Inconclusive), "{fault}");
    }
}

#[test]
fn one_dead_fault_of_several_is_enough() {
    for fault in FAULTS {
        // The first reaches its reader before anything can go wrong.
        let scenario = basic_but(&format!("faults: [Slice(in: Step(4), at: 0, bytes: 1), {fault}]"));
        let name = scenario.faults[1].value.effect.name();
        if name != "Slice" {
            assert_eq!(run(&scenario, Some(name)).inconclusive, Some(Inconclusive::NotFired(2)), "{fault}");
        }
    }
}
