//! Where faults strike: the same place for the same seed whatever else goes wrong, an error where there is none,
//! and no proof from one that came too late.

use std::process::{Command, Output};

use faults::{At, Effect, Fault, Flow, NoSuchPlace, PhaseMap, Region, Verdict};
use proptest::prelude::*;
use sim::run::{Inconclusive, Plan, RunOptions, Site, run, transport};
use sim::scenario::TransportKind;
use sim::verdict::Condition;

use super::{LANES, basic_but, run_on};

const LANE: TransportKind = TransportKind::Memory;

/// A run whose upload and download have `length` bytes, with a little before and behind.
fn map(length: u64) -> PhaseMap {
    PhaseMap {
        to_server: length + 50,
        to_client: length + 70,
        upload: Some(20..20 + length),
        download: Some(30..30 + length),
        steps: [(13, (Flow::ToClient, 0..33))].into(),
    }
}

fn random(region: Region, effect: Effect) -> Fault {
    Fault { effect, region, at: At::Random }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_random_place_holds_the_whole_fault(
        length in 1u64..300, bytes in 1u64..300, apart in 0u64..50, seed: u64, index in 0usize..100,
    ) {
        let with = bytes + apart;
        for effect in [Effect::Flip { bit: 0 }, Effect::Drop { bytes }, Effect::Truncate, Effect::Reorder { bytes, with }] {
            let needed = match effect {
                Effect::Drop { bytes } => bytes,
                Effect::Reorder { .. } => with + bytes,
                _ => 1,
            };
            let place = map(length).place(&random(Region::Upload, effect.clone()), seed, index);
            if needed > length {
                prop_assert_eq!(place, Err(NoSuchPlace::TooShort { region: Region::Upload, length, needed }));
                continue;
            }
            let strike = place.unwrap();
            prop_assert_eq!((strike.flow, strike.at), (Flow::ToServer, 20 + strike.offset));
            match effect {
                Effect::Reorder { .. } => {
                    prop_assert_eq!(strike.offset + strike.distance, with, "the other range stands where it is written");
                    prop_assert!(strike.distance >= bytes, "the ranges do not overlap");
                }
                _ => prop_assert!(strike.offset + needed <= length),
            }
        }
    }
}

#[test]
fn random_places_are_everywhere_and_each_fault_has_its_own() {
    let place = |seed, index, region| {
        map(10).place(&random(region, Effect::Flip { bit: 0 }), seed, index).unwrap().offset
    };
    let offsets = |index, region| (0..200).map(|seed| place(seed, index, region)).collect::<Vec<u64>>();
    let first = offsets(0, Region::Upload);
    for offset in 0..10 {
        assert!(first.contains(&offset), "{offset} never comes");
    }
    assert_eq!(first, offsets(0, Region::Upload), "the same seed");
    assert_ne!(first, offsets(1, Region::Upload), "another fault of the same run");
    assert_ne!(first, offsets(0, Region::Download), "the same fault in the other direction");
}

#[test]
fn a_fault_that_is_added_does_not_move_the_others() {
    const RANDOM: &str = "Flip(in: Upload, at: Random, bit: 0), Drop(in: Download, at: Random, bytes: 10)";
    let offsets = |faults: &str| {
        let outcome = run_on(LANE, &basic_but(&format!("faults: [{faults}]")));
        outcome.faults.iter().map(|record| record.offset).collect::<Vec<_>>()
    };
    let alone = offsets(RANDOM);
    let more = offsets(&format!(
        "{RANDOM}, Xor(in: Upload, at: Random, hex: \"ff\"), Slice(in: ToClient, at: 0, bytes: 1_000)"
    ));
    assert_eq!(more[..2], alone);
}

#[test]
fn the_last_place_is_the_last_at_which_the_fault_fits() {
    let last =
        |effect| map(100).place(&Fault { effect, region: Region::Download, at: At::Last }, 1, 0).unwrap();
    assert_eq!(last(Effect::Flip { bit: 0 }).at, 30 + 99);
    assert_eq!(last(Effect::Drop { bytes: 10 }).at, 30 + 90);
    assert_eq!(last(Effect::Insert { bytes: b"more".into() }).at, 30 + 99, "before the last byte");
}

#[test]
fn a_share_goes_from_the_first_place_to_the_last() {
    let place = |length, percent, effect| {
        let fault = Fault { effect, region: Region::Upload, at: At::Percent(percent) };
        map(length).place(&fault, 1, 0).unwrap().offset
    };
    let flip = Effect::Flip { bit: 0 };
    let shares = [0, 1, 50, 99, 100].map(|percent| place(1_001, percent, flip.clone()));
    assert_eq!(shares, [0, 10, 500, 990, 1_000]);
    assert_eq!(place(1, 100, flip), 0);
    assert_eq!(place(100, 100, Effect::Drop { bytes: 10 }), 90, "the last at which it fits");
    assert_eq!(place(100, 50, Effect::Reorder { bytes: 10, with: 50 }), 20, "before the other range");
    assert_eq!(place(u64::MAX / 2, 100, Effect::Stall), u64::MAX / 2 - 1, "nothing overflows");
}

#[test]
fn a_step_that_sends_nothing_has_no_place() {
    let fault = Fault { effect: Effect::Stall, region: Region::Step(3), at: At::Offset(0) };
    assert_eq!(map(1).place(&fault, 1, 0), Err(NoSuchPlace::NoRegion(Region::Step(3))));
    let without = PhaseMap { download: None, ..map(1) };
    let fault = random(Region::Download, Effect::Stall);
    assert_eq!(without.place(&fault, 1, 0), Err(NoSuchPlace::NoRegion(Region::Download)));
}

/// The built program on a scenario with these faults, the first of them in line 5, column 9.
fn sim(faults: &str) -> Output {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("test.ron");
    let text = format!(
        "Scenario(\n    about: \"For a test.\",\n    files: {{ \"a\": Noise(1_000) }},\n    faults: [\n        {faults}\n    ],\n    \
         clients: [[Upload(\"a\"), ListFiles, Download(\"a\")]],\n)"
    );
    std::fs::write(&path, text).unwrap();
    let mut sim = Command::new(env!("CARGO_BIN_EXE_sim"));
    sim.arg(path).args(["--transport", "memory"]);
    sim.output().unwrap()
}

#[test]
fn a_fault_without_a_place_exits_2_and_is_shown() {
    for (fault, why) in [
        (
            "Flip(in: Upload, at: 1_000, bit: 0)",
            "the upload has 1,000 bytes in this run, but the fault needs 1,001",
        ),
        (
            "Drop(in: Download, at: 995, bytes: 6)",
            "the download has 1,000 bytes in this run, but the fault needs 1,001",
        ),
        ("Reorder(in: Upload, at: 0, bytes: 501, with: 501)", "the fault needs 1,002"),
        ("ShortWrite(at: 1_000, bytes: 1)", "the fault needs 1,001"),
    ] {
        let output = sim(fault);
        let text = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{fault}: {text}");
        assert!(text.contains("this fault has no place") && text.contains(why), "{text}");
        assert!(text.contains("test.ron:5:9"), "{text}");
    }
}

#[test]
fn a_fault_that_comes_after_the_reader_has_left_proves_nothing() {
    for first in
        ["Reset(in: Upload, at: 500)", "Truncate(in: Download, at: 500)", "Stall(in: ToServer, at: 10)"]
    {
        let output = sim(&format!("{first}, Flip(in: Download, at: 600, bit: 0)"));
        let text = String::from_utf8(output.stdout).unwrap();
        assert_eq!(output.status.code(), Some(3), "{first}: {text}");
        assert!(
            text.contains("inconclusive: fault 2 did not fire") && text.contains("Inconclusive:"),
            "{text}"
        );
    }
}

#[test]
fn a_change_that_the_reader_does_not_take_proves_nothing() {
    // The client cannot read the size and leaves, and the bytes behind it come in vain.
    let scenario = basic_but(
        r#"faults: [Overwrite(in: Step(20), at: 0, text: "?"), Flip(in: Download, at: 5, bit: 0)],
           expect: [Download(Aborted)]"#,
    );
    for lane in LANES {
        let outcome = run_on(lane, &scenario);
        let second = &outcome.faults[1];
        assert!(!second.reached, "{lane}: {second:?}");
        assert!(
            !second.fired || lane != LANE,
            "in memory it is sure that the client has left before: {second:?}"
        );
        let why = if second.fired { Inconclusive::NotReached(2) } else { Inconclusive::NotFired(2) };
        assert_eq!(outcome.inconclusive, Some(why), "{lane}");
        assert!(outcome.judgements.iter().all(|judgement| judgement.verdict == Verdict::Inconclusive));
    }
}

/// What interrupts a download, in the middle and at its ends.
fn interruptions() -> Vec<String> {
    let kinds = [
        "Truncate(in: Download, at: ",
        "Reset(in: Download, at: ",
        "HalfClose(in: Download, at: ",
        "Stall(in: Download, at: ",
    ];
    let places = ["0", "1", "50_000", "Last"];
    kinds.iter().flat_map(|kind| places.map(|place| format!("{kind}{place})"))).collect()
}

#[test]
fn a_half_received_download_never_has_its_final_name() {
    for fault in interruptions() {
        let gives_up = run_on(LANE, &basic_but(&format!("faults: [{fault}]")));
        assert_eq!(gives_up.judgements[1].verdict, Verdict::Aborted, "{fault}");
        assert_eq!(gives_up.aftermath.clients, [], "{fault}");

        let tries_again = run_on(LANE, &basic_but(&format!("retries: 1, faults: [{fault}]")));
        assert_eq!(tries_again.judgements[1].verdict, Verdict::Recovered, "{fault}");
        let conditions: Vec<_> = tries_again.aftermath.clients.iter().map(|left| left.condition).collect();
        assert_eq!(conditions, [Condition::Good], "{fault}");
    }
}

#[test]
fn nor_does_anything_of_it_stay_on_disk() {
    for fault in interruptions() {
        for (retries, expected) in [(0, &[][..]), (1, &["my_file.jpg"])] {
            let plan = Plan::new(&basic_but(&format!("retries: {retries}, faults: [{fault}]"))).unwrap();
            let dir = tempfile::tempdir().unwrap();
            let site = Site::on_disk(dir.path()).unwrap();
            let mut memory = transport(LANE, &plan).unwrap();
            run(&plan, &mut *memory, site, &RunOptions::default()).unwrap();
            let names = std::fs::read_dir(dir.path().join("client")).unwrap();
            let names: Vec<_> =
                names.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
            assert_eq!(names, expected, "{fault}, {retries} retries");
        }
    }
}

#[test]
fn faults_that_could_cancel_out_have_no_place() {
    for (faults, overlap) in [
        ("Flip(in: Upload, at: 7, bit: 1), Flip(in: Upload, at: 7, bit: 1)", true),
        ("Flip(in: Upload, at: 7, bit: 1), Drop(in: Upload, at: 0, bytes: 8)", true),
        ("Flip(in: Upload, at: 7, bit: 1), Drop(in: Upload, at: 0, bytes: 7)", false),
        ("Reorder(in: Upload, at: 0, bytes: 2, with: 9), Flip(in: Upload, at: 10, bit: 0)", true),
        ("Reorder(in: Upload, at: 0, bytes: 2, with: 9), Flip(in: Upload, at: 5, bit: 0)", false),
        ("Drop(in: Upload, at: 0, bytes: 7), Insert(in: Upload, at: 3, text: \"x\")", false),
        ("Flip(in: Upload, at: 7, bit: 1), Flip(in: Download, at: 7, bit: 1)", false),
        ("Rot(at: 7, bit: 1), Rot(at: 7, bit: 1)", true),
        ("Rot(at: 7, bit: 1), Rot(at: 8, bit: 1)", false),
    ] {
        let plan = Plan::new(&basic_but(&format!("faults: [{faults}]"))).unwrap();
        let mut memory = transport(LANE, &plan).unwrap();
        let outcome = run(&plan, &mut *memory, Site::in_memory(), &RunOptions::default());
        let refusal = outcome.err().map(|error| error.to_string()).unwrap_or_default();
        assert_eq!(refusal.contains("fault 1 changes the same bytes"), overlap, "{faults}: {refusal}");
    }
}
