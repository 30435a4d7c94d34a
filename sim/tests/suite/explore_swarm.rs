//! Scenarios by chance as the library draws them, what it says of a run, and how it makes one smaller.

use std::path::Path;
use std::process::Command;

use faults::{At, Effect, Fault, Region, Verdict};
use notation::fault_names;
use sim::explore::draft::Draft;
use sim::explore::shrink::{Shown, shows_like, shrink, to_scenario_file, what_shows};
use sim::explore::swarm::{
    Class, Examined, FaultKind, Finding, KnownLimit, Swarm, draw, examine, examine_with, lane_run, signature,
};
use sim::run::{Plan, RunOptions, Site, run};
use sim::scenario::{Scenario, ScenarioCommand, Source, TransportKind};
use transfer::endpoint::Flaw;

use super::{load, workspace};

const SEED: u64 = 1;
const MEMORY: [TransportKind; 1] = [TransportKind::Memory];
const FOUND: [Flaw; 5] = [
    Flaw::AlwaysSuccess,
    Flaw::HashWithItself,
    Flaw::LengthOnly,
    Flaw::NamedBeforeCompared,
    Flaw::HashBeforeWrite,
];
/// Within so many runs each of them is found.
const MOST: u64 = 200;

/// The first drawn scenario that shows something of a program with this mistake.
fn first_found(flaw: Flaw) -> (Draft, Finding) {
    let found = |number| {
        let draft = draw(SEED, number);
        let finding = examine(&draft, Some(flaw), &MEMORY).findings.into_iter().next()?;
        Some((draft, finding))
    };
    (0..MOST).find_map(found).unwrap_or_else(|| panic!("nothing found of {flaw} in {MOST} runs"))
}

fn reduced(draft: Draft, flaw: Flaw, finding: &Finding) -> Draft {
    shrink(draft, |draft| shows_like(draft, Some(flaw), &MEMORY, finding))
}

/// The draft of a scenario of the workspace.
fn draft_of(path: &str) -> Draft {
    Draft::of(&load(&workspace("scenarios").join(path))).unwrap()
}

/// One client that lists, uploads `a`, lists and downloads it, with this fault.
fn small(size: u64, fault: Fault) -> Draft {
    let name = |text| protocol::FileName::parse(text).unwrap();
    let upload = ScenarioCommand::Upload { file: name("a"), name: name("a") };
    let download = ScenarioCommand::Download { name: name("a") };
    Draft {
        files: vec![(name("a"), Source::Noise(size))],
        clients: vec![vec![upload, ScenarioCommand::ListFiles, download]],
        faults: vec![fault],
        ..Draft::default()
    }
}

const FLIP: Fault = Fault { effect: Effect::Flip { bit: 3 }, region: Region::Upload, at: At::Offset(0) };

#[test]
fn a_number_of_a_seed_is_one_scenario_and_another_number_another() {
    for number in 0..50 {
        assert_eq!(draw(SEED, number), draw(SEED, number));
        assert_ne!(draw(SEED, number), draw(SEED, number + 1));
        assert_ne!(draw(SEED, number), draw(SEED + 1, number));
    }
    // The same on every machine.
    insta::assert_snapshot!(draw(SEED, 7), @r#"
    Scenario(
        about: "By chance.",
        seed: 443,
        retries: 1,
        files: { "y": Noise(8) },
        clients: [
            [Upload("y"), UploadAs("y", "a b"), ListFiles, Download("a b")],
            [Upload("y")],
        ],
        faults: [
            Drop(in: ToServer, at: Random, bytes: 8),
            HalfClose(in: ToClient, at: 0),
            Coalesce(in: Upload, at: Last, lasts: 0.001),
            Drop(in: Download, at: 0, bytes: 12),
        ],
    )
    "#);
}

#[test]
fn every_drawn_draft_can_be_read_and_is_what_it_says() {
    let mut kinds = std::collections::BTreeSet::new();
    for number in 0..600 {
        let draft = Swarm::default().with_network().draw(SEED, number);
        let scenario = draft.scenario().unwrap_or_else(|error| panic!("{}", error.render(false)));
        let read: Vec<Fault> = scenario.faults.iter().map(|fault| fault.value.clone()).collect();
        assert_eq!(read, draft.faults, "{draft}");
        assert!((1..=5).contains(&read.len()) && (1..=3).contains(&draft.clients.len()), "{draft}");
        kinds.extend(read.iter().map(|fault| fault.effect.name()));
    }
    assert_eq!(kinds.len(), FaultKind::ALL.len(), "{kinds:?}");
    let named: Vec<String> = FaultKind::ALL.iter().map(|kind| format!("{kind:?}")).collect();
    assert_eq!(named, fault_names().collect::<Vec<_>>(), "a new fault is drawn, too");
    let networks = (0..600).flat_map(|number| draw(SEED, number).faults);
    assert_eq!(networks.filter(|fault| fault.effect.layer() == faults::Layer::Network).count(), 0);
}

#[test]
fn a_scenario_that_is_given_keeps_its_files_and_clients() {
    let base = draft_of("clients/one_is_damaged.ron");
    let swarm = Swarm::based_on(base.clone());
    let drawn: Vec<Draft> = (0..40).map(|number| swarm.draw(SEED, number)).collect();
    for draft in &drawn {
        assert_eq!((&draft.files, &draft.clients), (&base.files, &base.clients));
        assert!(draft.expect.is_empty() && draft.scenario().is_ok(), "{draft}");
    }
    assert!(drawn.iter().any(|draft| draft.faults != drawn[0].faults));
    assert!(drawn.iter().any(|draft| examine(draft, None, &MEMORY).class == Class::Proved));
}

#[test]
fn every_scenario_of_the_workspace_is_a_draft_that_says_the_same() {
    for path in glob::glob(workspace("scenarios/**/*.ron").to_str().unwrap()).unwrap() {
        let scenario = load(&path.unwrap());
        let draft = Draft::of(&scenario).unwrap();
        let again = draft.scenario().unwrap_or_else(|error| panic!("{}", error.render(false)));
        assert_eq!(Draft::of(&again).unwrap(), draft);
        assert_eq!(draft.by_steps, !scenario.steps.is_empty(), "{}", scenario.path.display());
    }
}

#[test]
fn the_correct_program_shows_nothing_and_most_runs_prove_it() {
    let examined: Vec<Examined> =
        (0..300).map(|number| examine(&draw(SEED, number), None, &MEMORY)).collect();
    for (it, number) in examined.iter().zip(0..) {
        assert!(it.findings.is_empty(), "{:?}\n{}", it.findings, draw(SEED, number));
    }
    // What turns over on the disk and is read was good when it came, and whoever reads it says so.
    let rots = examine(&small(10, Fault { effect: Effect::Rot { bit: 0 }, ..FLIP }), None, &MEMORY);
    assert_eq!((rots.class, rots.findings), (Class::Proved, Vec::new()));
    // Who was cut off by a crash knows that the file may be listed, damaged, beside another client's good one.
    let mut crash = small(10, FLIP);
    crash.faults.push(Fault { effect: Effect::CrashAfterRename, ..FLIP });
    crash.clients.push(crash.clients[0].clone());
    let crashed = examine(&crash, None, &MEMORY);
    assert_eq!((crashed.class, crashed.findings), (Class::Proved, Vec::new()));
    let count = |class| examined.iter().filter(|it| it.class == class).count();
    assert!(count(Class::Proved) >= 120, "{}", count(Class::Proved));
    assert!(count(Class::NoPlace) > 0 && count(Class::NotReached) > 0);
    let mut ways: Vec<u64> =
        examined.iter().filter(|it| it.class == Class::Proved).map(|it| it.signature).collect();
    ways.sort_unstable();
    ways.dedup();
    assert!(ways.len() >= 60, "{} ways", ways.len());
}

#[test]
fn the_lanes_tell_the_same() {
    let lanes = [TransportKind::Memory, TransportKind::Turmoil];
    let swarm = Swarm::default().with_network();
    let examined: Vec<Examined> =
        (0..40).map(|number| examine(&swarm.draw(SEED, number), None, &lanes)).collect();
    assert!(examined.iter().all(|it| it.findings.is_empty()), "{examined:?}");
    assert!(examined.iter().all(|it| it.class != Class::NoLane));
}

#[test]
fn the_swarm_finds_five_of_the_mutants_and_makes_their_scenarios_small() {
    for flaw in FOUND {
        let (draft, finding) = first_found(flaw);
        let small = reduced(draft, flaw, &finding);
        assert_eq!((small.faults.len(), small.clients.len(), small.retries), (1, 1, 0), "{flaw}\n{small}");
        let bytes: u64 = small.files.iter().map(|(name, _)| small.size_of(name)).sum();
        assert!(small.files.len() == 1 && bytes <= 64, "{flaw}\n{small}");

        let text = to_scenario_file(&small, &finding);
        let scenario = Scenario::parse(&text, Path::new("found.ron")).unwrap();
        assert_eq!(scenario.transport, TransportKind::Memory);
        let plan = Plan::new(&scenario).unwrap();
        let correct = lane_run(&plan, TransportKind::Memory, None).unwrap();
        assert!(correct.inconclusive.is_none() && correct.unmet.is_empty(), "{flaw}\n{text}");
        let wrong = lane_run(&plan, TransportKind::Memory, Some(flaw)).unwrap();
        assert!(wrong.inconclusive.is_none() && !wrong.unmet.is_empty(), "{flaw}\n{text}");
        let again = examine(&Draft::of(&scenario).unwrap(), Some(flaw), &MEMORY).findings;
        assert!(again.iter().any(|it| it.is_like(&finding)), "{flaw}\n{text}");
    }
}

#[test]
fn a_panic_inside_is_a_finding_and_the_rest_goes_on() {
    let broken = examine_with(&small(10, FLIP), &MEMORY, |_, _| panic!("for a test"));
    assert_eq!(broken.class, Class::Broken);
    assert_eq!(broken.findings, [Finding::Panicked("for a test".into())]);
    assert_eq!(examine(&small(10, FLIP), None, &MEMORY).class, Class::Proved);
}

#[test]
fn what_goes_otherwise_when_it_is_run_again_is_a_finding() {
    let (mut drafts, mut seen) = (0, 0);
    for size in 10..300 {
        let mut count = 0;
        let examined = examine_with(&small(size, FLIP), &MEMORY, |plan, lane| {
            count += 1;
            let mut outcome = lane_run(plan, lane, None)?;
            outcome.trace.truncate(2 - (count - 1));
            Ok(outcome)
        });
        drafts += 1;
        seen += usize::from(examined.findings == [Finding::Unrepeatable]);
    }
    // One in so many is run again.
    assert!((1..=drafts / 10).contains(&seen), "{seen} of {drafts}");
}

#[test]
fn lanes_that_part_are_a_finding() {
    let lanes = [TransportKind::Memory, TransportKind::Turmoil];
    let examined = examine_with(&small(10, FLIP), &lanes, |plan, lane| {
        let mut outcome = lane_run(plan, TransportKind::Memory, None)?;
        if lane == TransportKind::Turmoil {
            outcome.judgements.clear();
        }
        Ok(outcome)
    });
    let (lane, other) = (TransportKind::Memory, TransportKind::Turmoil);
    assert_eq!(examined.findings, [Finding::LanesPart { lane, other }]);
}

#[test]
fn what_the_specification_does_not_protect_is_a_limit_and_a_careless_program_is_not() {
    for (file, limits) in [
        ("ladder/4_md5_collision.ron", &[KnownLimit::DigestCollision, KnownLimit::DigestCollision][..]),
        ("ladder/4_md5_collision_download.ron", &[KnownLimit::DigestCollision]),
        ("ladder/5_file_and_hash.ron", &[KnownLimit::FileAndDigest]),
        ("ladder/5_download_and_id.ron", &[KnownLimit::FileAndDigest]),
        ("ladder/6_names_swapped.ron", &[KnownLimit::Listing]),
        ("stream/upload_name.ron", &[KnownLimit::NameOnTheWayUp]),
    ] {
        let examined = examine(&draft_of(file), None, &MEMORY);
        assert_eq!((examined.class, &examined.findings[..]), (Class::Proved, &[][..]), "{file}");
        assert_eq!(examined.limits, limits, "{file}");
    }
    // The same kind of fault, and a program that does not look.
    let prefix = examine(&draft_of("ladder/prefix_collision.ron"), Some(Flaw::PrefixCompared), &MEMORY);
    assert!(
        matches!(prefix.findings[..], [Finding::Silent { .. }]) && prefix.limits.is_empty(),
        "{prefix:?}"
    );
    let blind = examine(&draft_of("ladder/1_one_bit.ron"), Some(Flaw::AlwaysSuccess), &MEMORY);
    assert!(!blind.findings.is_empty() && blind.limits.is_empty(), "{blind:?}");
}

#[test]
fn a_signature_knows_the_way_and_not_the_bytes() {
    let of = |draft: &Draft, flaw| examine(draft, flaw, &MEMORY).signature;
    let flip_at = |at| small(100, Fault { at: At::Offset(at), ..FLIP });
    assert_eq!(of(&flip_at(1), None), of(&flip_at(50), None));
    assert_eq!(of(&small(100, FLIP), None), of(&small(2_000, FLIP), None));
    assert_ne!(of(&flip_at(1), None), of(&flip_at(1), Some(Flaw::AlwaysSuccess)));
    let download = small(100, Fault { region: Region::Download, ..FLIP });
    assert_ne!(of(&flip_at(1), None), of(&download, None));
    // The same in every process and version.
    let plan = Plan::new(&small(100, FLIP).scenario().unwrap()).unwrap();
    let mut lane = sim::run::transport(TransportKind::Memory, &plan).unwrap();
    let outcome = run(&plan, &mut *lane, Site::in_memory(), &RunOptions::default()).unwrap();
    insta::assert_snapshot!(format!("{:016x}", signature(&outcome)), @"4ffe5bab49401032");
}

#[test]
fn a_smaller_one_keeps_what_its_condition_asks_for() {
    // Two faults are needed, in one session of two, and the second stays in the message of its step.
    let mut draft = draft_of("stream/upload_flip.ron");
    let step =
        |number| Fault { effect: Effect::Drop { bytes: 8 }, region: Region::Step(number), at: At::Last };
    draft.faults = vec![FLIP, Fault { effect: Effect::Stall, ..FLIP }, step(16)];
    assert_eq!(draft.steps()[15].to_string(), r#"Server(Files(["my_file.jpg"]))"#);
    let small = shrink(draft, |draft| {
        let listing = |fault: &Fault| match fault.region {
            Region::Step(number) => {
                draft.steps().get(number - 1).is_some_and(|step| step.to_string().contains("Files(["))
            }
            _ => false,
        };
        draft.faults.contains(&FLIP) && draft.faults.iter().any(listing)
    });
    assert_eq!(small.clients[0].len(), 2, "{small}");
    let written: Vec<String> = small.faults.iter().map(ToString::to_string).collect();
    assert_eq!(
        written,
        ["Flip(in: Upload, at: 0, bit: 3)", "Drop(in: Step(14), at: 0, bytes: 1)"],
        "{small}"
    );
    assert!(small.expect.is_empty());
}

/// `sim shrink` with these words.
fn sim_shrink(words: &[&str]) -> (Option<i32>, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_sim")).arg("shrink").args(words).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[test]
fn the_command_prints_the_smallest_file_or_says_that_there_is_none() {
    let file = workspace("scenarios/stream/upload_flip_percent.ron").display().to_string();
    let (code, text, complaint) = sim_shrink(&[&file, "--mutant", "AlwaysSuccess"]);
    assert_eq!((code, complaint.as_str()), (Some(0), ""));
    let small = Scenario::parse(&text, Path::new("found.ron")).unwrap();
    assert_eq!((small.faults.len(), small.clients.len(), small.steps.len()), (1, 1, 0), "{text}");
    assert!(small.about.contains("takes the upload of my_file.jpg for good, and it is damaged"), "{text}");

    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("small.ron").display().to_string();
    assert_eq!(sim_shrink(&[&file, "--mutant", "AlwaysSuccess", "--out", &out]).0, Some(0));
    assert_eq!(std::fs::read_to_string(&out).unwrap(), text);
    let run =
        |words: &[&str]| Command::new(env!("CARGO_BIN_EXE_sim")).args(words).output().unwrap().status.code();
    assert_eq!((run(&[&out]), run(&[&out, "--mutant", "AlwaysSuccess"])), (Some(0), Some(1)));

    let (code, text, complaint) = sim_shrink(&[&file]);
    assert_eq!((code, text.as_str()), (Some(2), ""));
    assert!(complaint.contains("this scenario shows nothing that could be made smaller"), "{complaint}");
    let ladder = workspace("scenarios/ladder/6_names_swapped.ron").display().to_string();
    assert!(sim_shrink(&[&ladder]).2.contains("a known limit of the specification: a listing was changed"));
}

#[test]
fn an_expectation_that_is_not_met_is_made_smaller_and_then_met() {
    let mut draft = draft_of("stream/upload_flip.ron");
    draft.transport = Some(TransportKind::Memory);
    draft.expect[0] = sim::scenario::Expect::Upload(Verdict::Intact);
    let shown = what_shows(&draft, None, &MEMORY).unwrap();
    assert!(matches!(shown, Shown::Unmet(_)), "{shown}");
    let small = shrink(draft, |draft| shown.is_shown_by(draft, None, &MEMORY));
    assert_eq!((small.faults.len(), small.expect.len(), small.clients[0].len()), (1, 1, 1), "{small}");
    let written = Scenario::parse(&to_scenario_file(&small, &shown), Path::new("found.ron")).unwrap();
    let met = lane_run(&Plan::new(&written).unwrap(), TransportKind::Memory, None).unwrap();
    assert!(met.unmet.is_empty() && met.inconclusive.is_none(), "{:?}", met.unmet);
    assert_eq!(what_shows(&draft_of("stream/upload_flip.ron"), None, &MEMORY), None);
}
