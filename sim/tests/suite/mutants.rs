//! The control on the harness: every program with a known mistake is convicted, for that mistake, and the correct
//! program never is.

use std::path::Path;
use std::process::Command;

use sim::mutants::{Finding, Matrix};
use transfer::endpoint::{Flaw, Hasher};

use super::{in_snapshots, load, parse, workspace};

const FILE: &str = r#"files: {"a": Noise(5_000)}, "#;
const CLIENT: &str = r#"clients: [[Upload("a"), ListFiles, Download("a")]]"#;
const FLIP: &str = "faults: [Flip(in: Upload, at: 100, bit: 3)], expect: [Upload(Detected)]";
const ADLER_KEPT: &str = r#"files: {"a": Text("Pay Ann 131 crowns.")}, faults: [Overwrite(in: Upload, at: 8, text: "212")],
    expect: [Upload(Detected)]"#;
const SILENT_DOWNLOAD: &str = "expected Download(Detected), but it was Silent";
const SILENT_UPLOAD: &str = "expected Upload(Detected), but it was Silent";

const FALSE_ALARM: &str = "expected Upload(Intact), but it was FalseAlarm";
const KEPT: &str =
    "expected Lists([]), but afterwards the server lists a (DAMAGED); the client has a (DAMAGED)";

/// For each mistake, what has to find it, the fields of a scenario or one of the collection; and how.
#[rustfmt::skip] // A table: one line for each.
const CASES: [(Flaw, &str, &str); 34] = [
    (Flaw::HashOfNothing, FLIP, SILENT_UPLOAD),
    (Flaw::HashOfName, FLIP, SILENT_UPLOAD),
    (Flaw::HashOfLastFile, "stream/upload_first_of_two.ron", FALSE_ALARM),
    (Flaw::HashPerChunk, FLIP, SILENT_UPLOAD),
    (Flaw::LastChunkNotHashed, "faults: [Flip(in: Upload, at: Last, bit: 0)], expect: [Upload(Detected)]", SILENT_UPLOAD),
    (Flaw::FirstMibHashed, r#"files: {"a": Noise(1_100_000)}, faults: [Flip(in: Upload, at: Last, bit: 0)], expect: [Upload(Detected)]"#, SILENT_UPLOAD),
    (Flaw::EveryOtherBlockHashed, "faults: [Flip(in: Upload, at: 1_100, bit: 3)], expect: [Upload(Detected)]", SILENT_UPLOAD),
    (Flaw::HashOfText, r#"files: {"a": Hex("fffefd")}, faults: [Flip(in: Upload, at: 0, bit: 1)], expect: [Upload(Detected)]"#, SILENT_UPLOAD),
    (Flaw::LengthOnly, FLIP, SILENT_UPLOAD),
    (Flaw::SumOfBytes, "faults: [Reorder(in: Upload, at: 100, bytes: 2, with: 200)], expect: [Upload(Detected)]", SILENT_UPLOAD),
    (Flaw::XorOfBytes, r#"faults: [Xor(in: Upload, at: 100, hex: "0808")], expect: [Upload(Detected)]"#, SILENT_UPLOAD),
    (Flaw::Fletcher16, ADLER_KEPT, SILENT_UPLOAD),
    (Flaw::Adler32, ADLER_KEPT, SILENT_UPLOAD),
    (Flaw::Crc16, r#"faults: [Xor(in: Upload, at: 100, hex: "034001")], expect: [Upload(Detected)]"#, SILENT_UPLOAD),
    (Flaw::Crc32, r#"faults: [Xor(in: Upload, at: 100, hex: "410671db01")], expect: [Upload(Detected)]"#, SILENT_UPLOAD),
    (Flaw::PrefixCompared, "ladder/prefix_collision.ron", SILENT_UPLOAD),
    (Flaw::SuffixCompared, "ladder/suffix_collision.ron", SILENT_UPLOAD),
    (Flaw::SortedDigitsCompared, "ladder/digits_reordered.ron", SILENT_UPLOAD),
    (Flaw::LooselyCompared, r#"faults: [Flip(in: Upload, at: 100, bit: 3), Drop(in: ToClient, at: 61, bytes: 32)], expect: [Upload(Aborted), Lists(["a"])]"#, "expected Upload(Aborted), but it was Silent"),
    (Flaw::HashWithItself, FLIP, SILENT_UPLOAD),
    (Flaw::PeerBelieved, "faults: [Flip(in: Download, at: 100, bit: 3)], expect: [Download(Detected)]", SILENT_DOWNLOAD),
    (Flaw::LeftoverHashed, "stream/download_again.ron", SILENT_DOWNLOAD),
    (Flaw::OnlyFirstCompared, "faults: [Flip(in: Download, at: 100, bit: 3)], expect: [Download(Detected)]", SILENT_DOWNLOAD),
    (Flaw::DifferenceIgnored, FLIP, SILENT_UPLOAD),
    (Flaw::WarningOnly, "faults: [Flip(in: Upload, at: 100, bit: 3)], expect: [Upload(Detected), Lists([])]", KEPT),
    (Flaw::AlwaysSuccess, FLIP, SILENT_UPLOAD),
    (Flaw::SuccessOnTimeout, "faults: [Stall(in: Upload, at: 100)], expect: [Upload(Aborted)]", "expected Upload(Aborted), but it was Silent"),
    (Flaw::MissingDigestPasses, "faults: [Truncate(in: Upload, at: 100)], expect: [Upload(Aborted)]", "expected Upload(Aborted), but it was Silent"),
    (Flaw::EarlyEndAccepted, "faults: [Truncate(in: Download, at: 100)], expect: [Download(Aborted)]", "expected Download(Aborted), but it was Silent"),
    (Flaw::NotDiscarded, "faults: [Flip(in: Upload, at: 100, bit: 3)], expect: [Upload(Detected), Lists([])]", KEPT),
    (Flaw::NamedBeforeCompared, "faults: [Flip(in: Download, at: 100, bit: 3)], expect: [Download(Detected)]", "nobody expected that the client keeps a (DAMAGED) under its final name"),
    (Flaw::HashBeforeWrite, "faults: [ShortWrite(at: 100, bytes: 10)], expect: [Upload(Aborted)]", "expected Upload(Aborted), but it was Silent"),
    (Flaw::StoredIncomplete, "faults: [Truncate(in: Upload, at: 100)], expect: [Upload(Aborted)]", "nobody expected that the server goes on listing a (DAMAGED)"),
    (Flaw::TakesFirst, "stream/download_listing_same_name.ron", "nobody expected the download of y to be Silent"),
];

/// The text of the scenario that has to find a mistake.
fn text_of(fields: &str) -> String {
    if fields.ends_with(".ron") {
        return std::fs::read_to_string(workspace("scenarios").join(fields)).unwrap();
    }
    let file = if fields.starts_with("files:") { "" } else { FILE };
    format!(r#"Scenario(about: "For a mutant.", {file}{CLIENT}, {fields})"#)
}

#[test]
fn every_mutant_is_convicted_for_its_own_mistake() {
    let flaws: Vec<_> = CASES.iter().map(|(flaw, ..)| *flaw).collect();
    assert_eq!(flaws, Flaw::ALL, "every mistake has its case");
    for (flaw, fields, charge) in CASES {
        let matrix = Matrix::run(&[parse(&text_of(fields))]).unwrap();
        let found = |flaw| &matrix.rows.iter().find(|row| row.flaw == flaw).unwrap().findings[0];
        assert_eq!(*found(None), Finding::AsExpected, "the correct program, where {flaw} is looked for");
        match found(Some(flaw)) {
            Finding::Convicted(charges) => {
                assert!(charges.iter().any(|it| it.to_string() == *charge), "{flaw}: {charges:?}");
            }
            other => panic!("{flaw}: {other:?}"),
        }
    }
}

#[test]
fn a_program_that_fails_without_faults_is_not_convicted() {
    // To a server that hashes nothing, the second file is the first: it refuses in the control run already.
    let scenario = parse(
        r#"Scenario(about: "Two files.", files: {"a": Text("1"), "b": Text("2")}, clients: [[Upload("a"), Upload("b")]],
            faults: [Flip(in: Upload, at: 0, bit: 0)], expect: [Upload(Detected), Upload(Intact)])"#,
    );
    let matrix = Matrix::run(&[scenario]).unwrap();
    let row = matrix.rows.iter().find(|row| row.flaw == Some(Flaw::HashOfNothing)).unwrap();
    assert!(matches!(row.findings[0], Finding::Inconclusive(_)), "{:?}", row.findings);
    assert_eq!((row.inconclusive(), row.convictions().count(), row.holds()), (1, 0, false));
    assert!(!matrix.holds());
}

#[test]
fn a_correct_program_that_cannot_be_tried_does_not_pass() {
    let never = parse(&format!(
        r#"Scenario(about: "The fault never comes.", {FILE}{CLIENT},
            faults: [Reset(in: Upload, at: 9), Flip(in: Download, at: 0, bit: 0)])"#
    ));
    let matrix = Matrix::run(&[never]).unwrap();
    assert!(matches!(matrix.rows[0].findings[0], Finding::Inconclusive(_)) && !matrix.rows[0].holds());
    assert!(!Matrix::run(&[]).unwrap().holds(), "no scenario finds anything");
}

/// What a program with this mistake takes for the digest of a file that comes in pieces of this length.
fn digest(flaw: Flaw, bytes: &[u8], piece: usize) -> String {
    let mut hasher = Hasher::with(Some(flaw).into(), "name");
    bytes.chunks(piece).for_each(|piece| hasher.update(piece));
    hasher.finish().to_string()
}

#[test]
fn what_a_careless_program_hashes_does_not_depend_on_the_pieces() {
    let mut noise = vec![0; 5_000];
    faults::Content::Noise { seed: 1, len: 5_000 }.read_at(0, &mut noise).unwrap();
    // Characters of one to four bytes, and the beginnings of some.
    let texts = ["aé€😀".as_bytes(), b"\xe2\x82", b"\xf0\x9f\x98x\xff\xe2\x82\xac", &noise];
    for bytes in texts {
        for flaw in Flaw::ALL {
            let whole = digest(flaw, bytes, bytes.len());
            for piece in [1, 2, 3, 1_000, 1_024, 4_096] {
                assert_eq!(digest(flaw, bytes, piece), whole, "{flaw} in pieces of {piece}");
            }
        }
        let text = String::from_utf8_lossy(bytes);
        assert_eq!(digest(Flaw::HashOfText, bytes, 2), digest(Flaw::TakesFirst, text.as_bytes(), 2));
    }
}

#[test]
fn checksums_are_what_others_compute() {
    let cases: [(Flaw, &[u8], u32); 8] = [
        (Flaw::SumOfBytes, b"\x01\xff\x02", 0x102),
        (Flaw::XorOfBytes, b"\x01\xff\x02", 0xfc),
        (Flaw::Fletcher16, b"abcde", 0xc8f0),
        (Flaw::Fletcher16, b"abcdefgh", 0x0627),
        (Flaw::Adler32, b"Wikipedia", 0x11e6_0398),
        // The check values of the catalogue of CRCs.
        (Flaw::Crc16, b"123456789", 0xbb3d),
        (Flaw::Crc32, b"123456789", 0xcbf4_3926),
        (Flaw::Crc32, b"", 0),
    ];
    for (flaw, bytes, sum) in cases {
        assert_eq!(digest(flaw, bytes, 2), format!("{sum:032x}"), "{flaw}");
    }
}

/// `sim mutants` on these files or folders.
fn sim_mutants(paths: &[&Path], format: &str) -> (Option<i32>, String) {
    let mut sim = Command::new(env!("CARGO_BIN_EXE_sim"));
    let output = sim.env_remove("CARGO").args(["mutants", "--format", format]).args(paths).output().unwrap();
    (output.status.code(), String::from_utf8(output.stdout).unwrap())
}

#[test]
fn the_command_line_takes_folders_and_exits_0_if_all_are_convicted() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("scenarios/some");
    std::fs::create_dir_all(&folder).unwrap();
    for (flaw, fields, _) in CASES {
        std::fs::write(folder.join(format!("{flaw}.ron")), text_of(fields)).unwrap();
    }
    let (code, text) = sim_mutants(&[dir.path()], "text");
    assert_eq!(code, Some(0), "{text}");
    assert!(
        text.ends_with("\nall 34 mutants are convicted; the correct program passes everywhere\n"),
        "{text}"
    );
    assert!(text.contains("some/PrefixCompared.ron: expected Upload(Detected), but it was Silent"), "{text}");

    // The line that repeats a run says how it is started here, and that run is the one that convicts.
    let again: Vec<_> = text.lines().filter_map(|line| line.trim_start().strip_prefix("again: ")).collect();
    assert_eq!(again.len(), Flaw::ALL.len(), "{text}");
    let last = shlex::split(again[again.len() - 1]).unwrap();
    let output = Command::new(&last[0]).args(&last[1..]).output().unwrap();
    let shown = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1), "{shown}");
    assert!(shown.contains("nobody expected the download of y to be Silent"), "{shown}");

    let one = folder.join("SuccessOnTimeout.ron");
    let (code, text) = sim_mutants(&[&one], "text");
    assert_eq!(code, Some(1));
    let conclusion = text.lines().last().unwrap();
    assert!(conclusion.starts_with("NOT convicted: HashOfNothing, HashOfName"), "{text}");
    assert!(!conclusion.contains("SuccessOnTimeout"), "{text}");
}

#[test]
fn json_has_every_mutant_and_the_whole() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("stall.ron");
    let (flaw, fields, charge) =
        CASES.into_iter().find(|(flaw, ..)| *flaw == Flaw::SuccessOnTimeout).unwrap();
    std::fs::write(&file, text_of(fields)).unwrap();
    let (_, text) = sim_mutants(&[&file], "json");
    let objects: Vec<serde_json::Value> =
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(objects.len(), 1 + Flaw::ALL.len() + 1);
    let convicted = objects.iter().find(|object| object["mutant"] == flaw.to_string()).unwrap();
    assert_eq!((&convicted["type"], &convicted["holds"]), (&"mutant".into(), &true.into()));
    let finding = &convicted["findings"][0];
    assert_eq!((&finding["finding"], &finding["why"][0]["message"]), (&"convicted".into(), &charge.into()));
    let replay = finding["replay"].as_str().unwrap();
    assert!(replay.ends_with(&format!("{} --transport memory --mutant {flaw}", file.display())), "{replay}");
    let matrix = objects.last().unwrap();
    assert_eq!((&matrix["type"], &matrix["holds"]), (&"matrix".into(), &false.into()));
}

#[test]
fn a_scenario_runs_with_a_mistake_and_says_how_to_replay_it() {
    let mut sim = Command::new(env!("CARGO_BIN_EXE_sim"));
    let output = sim
        .args(["scenarios/ladder/prefix_collision.ron", "--mutant", "PrefixCompared"])
        .current_dir(workspace("."))
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains(" --seed 0 --mutant PrefixCompared\n"), "{text}");
}

/// Set, the page is rewritten: `UPDATE_DOCS=1 cargo test -p sim --test suite mutants`.
const UPDATE: &str = "UPDATE_DOCS";

#[test]
fn every_mutant_is_convicted_by_the_collection_and_the_correct_program_by_none() {
    let files = notation::scenario_files(&workspace("scenarios")).unwrap();
    let matrix = Matrix::run(&files.iter().map(|file| load(file)).collect::<Vec<_>>()).unwrap();
    let text = anstream::adapter::strip_str(&sim::report::mutants::text(&matrix, &|_, _, _| String::new()))
        .to_string();
    assert!(matrix.holds(), "{text}");
    in_snapshots(|| insta::assert_snapshot!("mutants", text));

    let path = workspace("docs/mutants.md");
    let page = std::fs::read_to_string(&path).unwrap();
    let (head, rest) = page.split_once("```text\n").unwrap();
    let (_, tail) = rest.split_once("```\n").unwrap();
    let current = format!("{head}```text\n{text}```\n{tail}");
    if std::env::var_os(UPDATE).is_some() {
        std::fs::write(&path, &current).unwrap();
    } else {
        assert_eq!(
            page, current,
            "docs/mutants.md is out of date: {UPDATE}=1 cargo test -p sim --test suite mutants"
        );
    }
}
