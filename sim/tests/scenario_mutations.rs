//! No text makes the reader of scenario files panic, and a step that is
//! displayed can be read back.

use std::path::Path;

use proptest::prelude::*;
use proptest::sample::Index;
use protocol::FileName;
use sim::scenario::{ClientStep, Place, Scenario, ServerStep, Step};

const BASIC: &str = include_str!("../../scenarios/basic.ron");

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

fn quick() -> ProptestConfig {
    ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(quick())]

    #[test]
    fn a_damaged_file_is_read_or_refused_in_words(slips in prop::collection::vec(slip(), 1..4)) {
        let mut bytes = BASIC.as_bytes().to_vec();
        slips.iter().for_each(|slip| slip.apply(&mut bytes));
        let text = String::from_utf8_lossy(&bytes);
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
}
