//! One seed, one trace: byte for byte, times included, in one process and across processes.

use std::process::Command;

use sim::scenario::TransportKind;

use super::{basic_but, run_on, workspace};

const RUNS: usize = 100;
const PROCESSES: usize = 5;

#[test]
fn a_hundred_runs_in_one_process_leave_the_same_trace() {
    let scenario = basic_but("");
    for lane in [TransportKind::Memory, TransportKind::Turmoil] {
        let first = run_on(lane, &scenario);
        assert!(first.trace.iter().all(|events| !events.is_empty()), "a trace of nothing proves nothing");
        for _ in 1..RUNS {
            assert_eq!(run_on(lane, &scenario).trace, first.trace, "on {lane}");
        }
    }
}

#[test]
fn every_process_prints_the_same_times() {
    for lane in ["memory", "turmoil"] {
        let print = || {
            let mut sim = Command::new(env!("CARGO_BIN_EXE_sim"));
            sim.arg(workspace("scenarios/basic.ron")).args([
                "--transport",
                lane,
                "--format",
                "json",
                "--times",
            ]);
            sim.output().unwrap().stdout
        };
        let first = print();
        assert!(String::from_utf8_lossy(&first).contains("time_ns"));
        for _ in 1..PROCESSES {
            assert_eq!(print(), first, "on {lane}");
        }
    }
}

#[test]
fn another_seed_gives_another_file() {
    let (one, other) = (basic_but("seed: 1"), basic_but("seed: 2"));
    assert_ne!(run_on(TransportKind::Memory, &one).trace, run_on(TransportKind::Memory, &other).trace);
}
