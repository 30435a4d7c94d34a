//! Which file is meant: by a name, an id, or the beginning of one; and that the verdict on a download is held against
//! the file that was asked for, whatever came under its name.

use faults::{Content, Verdict};
use protocol::{Entry, FileId, FileName};
use sim::run::{RunOptions, RunOutcome};
use sim::scenario::{Scenario, TransportKind};
use sim::verdict::Condition;
use transfer::endpoint::{FileQuery, Flaw, QueryError, md5_of};

use super::{LANES, load, parse, run_on, run_with, text_of, workspace};

const LANE: TransportKind = TransportKind::Memory;
/// MD5 of `X`, and of `Y`.
const IDS: [&str; 2] = ["02129bb861061d1a052c592e2dc6b383", "57cec4137b614c87cb4e24a3d003a3e0"];

fn entry(id: &str, name: &str) -> Entry {
    Entry { name: FileName::parse(name).unwrap(), id: FileId::parse(id).unwrap(), size: 1 }
}

/// The names of what is found: one if it is clear, several if it is not.
fn found(listed: &[Entry], wanted: &str) -> Vec<String> {
    match FileQuery::parse(wanted).find(listed) {
        Ok(entry) => vec![entry.name.to_string()],
        Err(QueryError::NotListed) => Vec::new(),
        Err(QueryError::Ambiguous(entries)) => entries.iter().map(|entry| entry.name.to_string()).collect(),
    }
}

#[test]
fn the_ids_of_these_tests_are_what_they_are() {
    let ids = [&b"X"[..], b"Y"].map(|bytes| md5_of(&Content::Memory(bytes.into())).unwrap().to_string());
    assert_eq!(ids, IDS);
}

#[test]
fn a_whole_id_is_never_a_name() {
    let listed = [entry(IDS[0], "x"), entry(IDS[1], IDS[0])];
    assert_eq!(found(&listed, IDS[0]), ["x"]);
    assert_eq!(found(&listed, &IDS[0].to_uppercase()), ["x"], "people may write it so");
    assert_eq!(found(&listed[1..], IDS[0]), [""; 0], "a file that is called so is not meant");
    assert_eq!(found(&listed[1..], IDS[1]), [IDS[0]]);
}

#[test]
fn a_beginning_has_eight_digits_at_least() {
    let listed = [entry(IDS[0], "x"), entry(IDS[1], "y")];
    for digits in 1..IDS[0].len() {
        let expected = if digits < 8 { vec![] } else { vec!["x"] };
        assert_eq!(found(&listed, &IDS[0][..digits]), expected, "{digits}");
    }
    assert_eq!(found(&listed, &format!("{}g", &IDS[0][..8])), [""; 0]);
    assert_eq!(found(&listed, &format!("{}0", IDS[0])), [""; 0]);
    assert_eq!(found(&listed, ""), [""; 0]);
}

#[test]
fn what_can_be_a_name_and_a_beginning_is_neither() {
    let digits = &IDS[0][..8];
    let listed = [entry(IDS[1], digits), entry(IDS[0], "x")];
    assert_eq!(found(&listed, digits), [digits, "x"], "both are shown");
    // With fewer digits, or more than an id has, it is only a name.
    assert_eq!(found(&[entry(IDS[1], "02"), entry(IDS[0], "x")], "02"), ["02"]);
    // One content is no matter, and then it has the name that was asked for.
    assert_eq!(found(&[entry(IDS[0], "0"), entry(IDS[0], digits)], digits), [digits]);
}

#[test]
fn two_files_of_one_name_are_ambiguous_and_two_names_of_one_file_are_not() {
    let listed = [entry(IDS[0], "a"), entry(IDS[1], "a"), entry(IDS[1], "b")];
    assert_eq!(found(&listed, "a"), ["a", "a"]);
    assert_eq!(found(&listed, "b"), ["b"]);
    assert_eq!(found(&listed, IDS[1]), ["a"]);
    assert_eq!(found(&listed, &IDS[1][..9]), ["a"]);
}

/// Two files whose names differ in one bit. The second is asked for, as `wanted`, with this fault.
fn two_files(wanted: &str, fault: &str) -> Scenario {
    parse(&format!(
        r#"Scenario(about: "For a test.", files: {{"x": Text("X"), "y": Text("Y")}},
            clients: [[Upload("x"), Upload("y"), ListFiles, Download({wanted:?})]], faults: [{fault}])"#
    ))
}

fn verdicts(outcome: &RunOutcome) -> Vec<Verdict> {
    outcome.judgements.iter().map(|judgement| judgement.verdict).collect()
}

/// Where the listing begins, behind the prompts and the hashes of two uploads, and how long it is.
const LISTING: u64 = 188;
const LENGTH: u64 = 75;

#[test]
fn no_single_bit_of_a_listing_makes_a_wrong_file_a_success() {
    let (mut cases, mut aborted) = (0, 0);
    for wanted in ["y", IDS[1], &IDS[1][..8]] {
        assert_eq!(run_on(LANE, &two_files(wanted, "")).judgements.len(), 3, "{wanted}");
        for at in LISTING..LISTING + LENGTH {
            for bit in 0..8 {
                let scenario = two_files(wanted, &format!("Flip(in: ToClient, at: {at}, bit: {bit})"));
                let outcome = run_on(LANE, &scenario);
                let is_safe = verdicts(&outcome)
                    .iter()
                    .all(|verdict| matches!(verdict, Verdict::Intact | Verdict::Aborted));
                assert!(is_safe && outcome.inconclusive.is_none(), "{}", text_of(&scenario, &outcome));
                cases += 1;
                aborted += usize::from(verdicts(&outcome).get(2) != Some(&Verdict::Intact));
            }
        }
    }
    assert_eq!(cases, 3 * 8 * usize::try_from(LENGTH).unwrap());
    assert!(aborted > 300, "most flips are seen: {aborted}");
}

#[test]
fn the_mistake_of_taking_the_first_is_convicted_and_the_correct_client_is_not() {
    let scenario = load(&workspace("scenarios/stream/download_listing_same_name.ron"));
    for lane in LANES {
        assert_eq!(verdicts(&run_on(lane, &scenario)), [Verdict::Intact; 2], "{lane}");
        let options = RunOptions { flaw: Some(Flaw::TakesFirst), ..RunOptions::default() };
        let flawed = run_with(lane, &scenario, &options);
        assert_eq!(verdicts(&flawed)[2], Verdict::Silent, "{lane}");
    }
}

#[test]
fn a_download_by_id_is_held_against_that_id_whatever_is_called_so() {
    // What stands under the id as a name is another file; the client puts the right one under it.
    let scenario = parse(&format!(
        r#"Scenario(about: "For a test.", files: {{"x": Text("X"), "evil": Text("evil")}},
            clients: [[Upload("x"), UploadAs("evil", {id:?}), ListFiles, DownloadId({id:?}), Download({id:?})]])"#,
        id = IDS[0]
    ));
    let outcome = run_on(LANE, &scenario);
    assert_eq!(verdicts(&outcome), [Verdict::Intact; 4], "{}", text_of(&scenario, &outcome));
    let conditions: Vec<_> = outcome.aftermath.clients.iter().map(|left| left.condition).collect();
    assert_eq!(conditions, [Condition::Good]);
}

#[test]
fn of_two_contents_with_one_id_that_which_the_server_has_is_the_right_one() {
    // The first client comes too late with its own, is refused, and then asks for the one that is there.
    let scenario = parse(
        r#"Scenario(about: "For a test.", base: "ladder/4_md5_collision_refused.ron", clients: [
            [ListFiles, ListFiles, ListFiles, ListFiles, Upload("one.bin"), DownloadId("cee9a457e790cf20d4bdaa6d69f01e41")],
            [Upload("other.bin")],
        ], expect: [])"#,
    );
    let outcome = run_on(LANE, &scenario);
    let expected = [Verdict::Aborted, Verdict::Intact, Verdict::Intact];
    assert_eq!(verdicts(&outcome), expected, "{}", text_of(&scenario, &outcome));
}

#[test]
fn a_file_that_nobody_sent_under_its_name_is_not_the_one_that_was_asked_for() {
    // `z` is not there. One bit, and the listing says that it is: what came is another file.
    let with = |fault: &str| {
        parse(&format!(
            r#"Scenario(about: "For a test.", files: {{"x": Text("X")}},
                clients: [[Upload("x"), ListFiles, Download("z"), Upload("x")]], faults: [{fault}])"#
        ))
    };
    assert_eq!(verdicts(&run_on(LANE, &with(""))), [Verdict::Intact; 2], "it is not asked for");
    let outcome = run_on(LANE, &with("Flip(in: ToClient, at: 127, bit: 1)"));
    assert_eq!(verdicts(&outcome), [Verdict::Intact, Verdict::Silent, Verdict::Intact]);
}

#[test]
fn asked_by_id_the_swap_of_two_names_does_no_harm() {
    let text = std::fs::read_to_string(workspace("scenarios/ladder/6_names_swapped.ron")).unwrap();
    let silent = parse(&text);
    assert_eq!(verdicts(&run_on(LANE, &silent))[2], Verdict::Silent);
    let id = md5_of(&Content::Memory(b"Pay Ann 10 crowns."[..].into())).unwrap().to_string();
    for wanted in [&*id, &id[..8]] {
        let by_id = parse(&text.replace("Download(\"ann.txt\")", &format!("Download({wanted:?})")));
        assert_eq!(verdicts(&run_on(LANE, &by_id)), [Verdict::Intact; 3], "{wanted}");
    }
}
