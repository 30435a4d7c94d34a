//! No text makes the reader of scenario files panic, and a step or a fault that is
//! displayed can be read back.

use std::path::Path;
use std::time::Duration;

use faults::{At, Effect, Fault, Region};
use notation::Place;
use proptest::prelude::*;
use proptest::sample::Index;
use protocol::FileName;
use sim::scenario::{ClientStep, Scenario, ServerStep, Step};

const BASIC: &str = include_str!("../../scenarios/basic.ron");

const FAULTY: &str = r#"Scenario(
    about: "Everything goes wrong.",
    steps: [Server(Listen), Client(Start)],
    faults: [
        Flip(in: Upload, at: 1_000, bit: 3),
        Xor(in: Upload, at: 21, hex: "04"),
        Drop(in: Upload, at: Random, bytes: 100),
        Insert(in: ToServer, at: 10, text: "extra"),
        Reorder(in: Upload, at: 1_000, bytes: 100, with: 5_000),
        Overwrite(in: Step(2), at: 0, text: "Hash: \"ö\"\n"),
        Stall(in: ToClient, at: Last),
        Throttle(in: Download, at: 0, rate: 10_000),
        Coalesce(in: Upload, at: 0, lasts: 0.05),
        Latency(min: 0.001, max: 0.1),
        Crash(in: Upload, at: 50_000, lasts: 5),
        NoSpace(at: 50_000),
        ShortWrite(at: 1_000, bytes: 10),
        CrashBeforeSync(),
    ],
    expect: [Upload(Recovered), Download(Aborted), Lists(["a", "b"])],
    retries: 2,
)"#;

const CLIENTS: &str = r#"Scenario(
    about: "Two clients at once.",
    files: { "a.txt": Noise(1), "v2": Noise(2) },
    clients: [
        [Upload("a.txt"), ListFiles, Download("a.txt"), Disconnect],
        [UploadAs("v2", "a.txt"), DownloadId("d41d8cd98f00b204e9800998ecf8427e")],
    ],
    faults: [Rot(at: 0, bit: 7)],
)"#;

/// One thing that goes wrong while writing.
#[derive(Clone, Debug)]
enum Slip {
    Delete(Index, usize),
    Duplicate(Index, usize),
    Flip(Index, u8),
    Insert(Index, &'static str),
}

impl Slip {
    fn apply(&self, text: &mut Vec<u8>) {
        match self {
            Self::Delete(at, length) => {
                let range = range(at, *length, text);
                text.drain(range);
            }
            Self::Duplicate(at, length) => {
                let range = range(at, *length, text);
                let copy = text[range.clone()].to_vec();
                text.splice(range.start..range.start, copy);
            }
            Self::Flip(at, bits) => {
                let at = at.index(text.len());
                text[at] ^= bits;
            }
            Self::Insert(at, what) => {
                let at = at.index(text.len());
                text.splice(at..at, what.bytes());
            }
        }
    }
}

/// At least one byte stays outside, so that the next slip has a place.
fn range(at: &Index, length: usize, text: &[u8]) -> std::ops::Range<usize> {
    let start = at.index(text.len());
    start..(start + length).min(text.len() - usize::from(start == 0))
}

fn slip() -> impl Strategy<Value = Slip> {
    let tokens = prop::sample::select(vec![
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        "\"",
        "'",
        ",",
        ":",
        "/*",
        "*/",
        "//",
        "\\",
        "r#\"",
        "r#",
        "b\"",
        "#![",
        "é",
        "\u{feff}",
        "\0",
        "Some(",
        "-",
        "1e999",
        "0x",
        "..",
        "Client(",
        "base: \"x\",",
        "18446744073709551616",
        "Step(9)",
        "in: ",
    ]);
    prop_oneof![
        (any::<Index>(), 1..40_usize).prop_map(|(at, length)| Slip::Delete(at, length)),
        (any::<Index>(), 1..200_usize).prop_map(|(at, length)| Slip::Duplicate(at, length)),
        (any::<Index>(), any::<u8>()).prop_map(|(at, bits)| Slip::Flip(at, bits)),
        (any::<Index>(), tokens).prop_map(|(at, what)| Slip::Insert(at, what)),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let name = "\\PC{1,20}".prop_filter_map("a bad name", |text| FileName::parse(&text).ok());
    let names = prop::collection::vec(name.clone(), 1..4);
    prop_oneof![
        name.prop_map(|name| Step::Client(ClientStep::Upload(name))),
        names.prop_map(|names| Step::Server(ServerStep::Files(names))),
    ]
}

fn names(step: &Step) -> Vec<FileName> {
    match step {
        Step::Client(ClientStep::Upload(name)) => vec![name.clone()],
        Step::Server(ServerStep::Files(names)) => names.clone(),
        _ => Vec::new(),
    }
}

fn at() -> impl Strategy<Value = At> {
    prop_oneof![
        Just(At::Last),
        Just(At::Random),
        (0u8..=100).prop_map(At::Percent),
        any::<u64>().prop_map(At::Offset)
    ]
}

fn effect() -> impl Strategy<Value = Effect> {
    let bytes = prop_oneof![
        prop::collection::vec(any::<u8>(), 1..20),
        "(\\PC|[\n\r\t\\\\\"]){1,20}".prop_map(String::into_bytes)
    ];
    let lasts = (0..86_400_u64, 1..1_000_000_000_u32).prop_map(|(secs, nanos)| Duration::new(secs, nanos));
    prop_oneof![
        bytes.prop_map(|bytes| Effect::Insert { bytes }),
        (1..=u64::MAX).prop_map(|rate| Effect::Throttle { rate }),
        lasts.prop_map(|lasts| Effect::Delay { lasts }),
        (1..=1_000_u64, 1_000..=2_000_u64)
            .prop_map(|(bytes, with)| Effect::ShortWrite { bytes: bytes * with }),
    ]
}

fn quick() -> ProptestConfig {
    ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(quick())]

    #[test]
    fn a_damaged_file_is_read_or_refused_in_words(
        whole in prop::sample::select(vec![BASIC, FAULTY, CLIENTS]),
        slips in prop::collection::vec(slip(), 0..4),
    ) {
        let mut bytes = whole.as_bytes().to_vec();
        slips.iter().for_each(|slip| slip.apply(&mut bytes));
        let text = String::from_utf8_lossy(&bytes);
        prop_assert!(!slips.is_empty() || Scenario::parse(&text, Path::new("whole.ron")).is_ok());
        if let Err(error) = Scenario::parse(&text, Path::new("mutated.ron")) {
            prop_assert!(!error.mistakes().is_empty());
            prop_assert!(error.render(false).starts_with("error: "));
            prop_assert_eq!(error.to_string().lines().count(), 1);
            for mistake in error.mistakes() {
                let line = mistake.place().map_or(0, Place::line);
                prop_assert!((1..=text.split('\n').count()).contains(&line));
            }
        }
    }

    #[test]
    fn a_step_is_displayed_as_it_is_written(step in step()) {
        let mut names = names(&step);
        names.sort();
        names.dedup();
        let files: String = names.iter().map(|name| format!("{name:?}: Noise(1),")).collect();
        let text = format!("Scenario(about: \"x\", files: {{ {files} }}, steps: [{step}])");
        let scenario = Scenario::parse(&text, Path::new("x.ron"))
            .map_err(|error| TestCaseError::fail(error.render(false)))?;
        prop_assert_eq!(&scenario.steps[0].value, &step);
    }

    #[test]
    fn a_fault_is_displayed_as_it_is_written(effect in effect(), at in at()) {
        let disk = matches!(effect, Effect::ShortWrite { .. });
        let fault = Fault { effect, region: if disk { Region::Upload } else { Region::ToClient }, at };
        let text = format!("Scenario(about: \"x\", steps: [Server(Listen)], faults: [{fault}])");
        let scenario = Scenario::parse(&text, Path::new("x.ron"))
            .map_err(|error| TestCaseError::fail(error.render(false)))?;
        prop_assert_eq!(&scenario.faults[0].value, &fault);
    }
}
