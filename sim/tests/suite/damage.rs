//! A damaged file that is left where somebody would use it is an expectation that was not met, whatever the
//! client said of it.

use sim::run::{RunOptions, RunOutcome};
use sim::scenario::{Scenario, TransportKind};
use sim::verdict::Condition;
use transfer::endpoint::Flaw;

use super::{basic_but, parse, run_on, run_with};

const LANE: TransportKind = TransportKind::Memory;

/// What was not met, as a person reads it.
fn unmet(outcome: &RunOutcome) -> Vec<String> {
    outcome.unmet.iter().map(ToString::to_string).collect()
}

fn run_flawed(scenario: &Scenario, flaw: Flaw) -> RunOutcome {
    run_with(LANE, scenario, &RunOptions { flaw: Some(flaw), ..RunOptions::default() })
}

#[test]
fn a_damaged_download_under_its_final_name_is_never_expected() {
    let scenario = basic_but(
        "faults: [Flip(in: Download, at: 5, bit: 0)], expect: [Upload(Intact), Download(Detected)]",
    );
    assert_eq!(unmet(&run_on(LANE, &scenario)), [""; 0]);
    assert_eq!(
        unmet(&run_flawed(&scenario, Flaw::NamedBeforeCompared)),
        ["nobody expected that the client keeps my_file.jpg (DAMAGED) under its final name"]
    );
}

#[test]
fn a_damaged_upload_that_stays_listed_is_not_expected() {
    let scenario = parse(
        r#"Scenario(about: "One upload.", files: {"a.txt": Text("all is well")}, clients: [[Upload("a.txt")]],
            faults: [Flip(in: Upload, at: Last, bit: 0)], expect: [Upload(Detected)])"#,
    );
    assert_eq!(unmet(&run_on(LANE, &scenario)), [""; 0]);
    assert_eq!(
        unmet(&run_flawed(&scenario, Flaw::NotDiscarded)),
        ["nobody expected that the server goes on listing a.txt (DAMAGED)"]
    );
}

#[test]
fn a_listing_that_is_expected_settles_what_could_not_be_discarded() {
    let fault = "faults: [Flip(in: Upload, at: 5, bit: 0), Reset(in: Step(13), at: 0)]";
    let silent = basic_but(&format!("{fault}, expect: [Upload(Aborted)]"));
    assert_eq!(
        unmet(&run_on(LANE, &silent)),
        ["nobody expected that the server goes on listing my_file.jpg (DAMAGED)"]
    );
    let told = basic_but(&format!(r#"{fault}, expect: [Upload(Aborted), Lists(["my_file.jpg"])]"#));
    assert_eq!(unmet(&run_on(LANE, &told)), [""; 0]);
}

#[test]
fn a_silent_acceptance_is_said_once() {
    let collision = basic_but("faults: [Flip(in: Download, at: 5, bit: 0)], expect: [Download(Silent)]");
    assert_eq!(unmet(&run_flawed(&collision, Flaw::AlwaysSuccess)), [""; 0], "what stays follows from it");
    assert_eq!(unmet(&run_on(LANE, &collision)), ["expected Download(Silent), but it was Detected"]);
}

#[test]
fn a_good_download_by_id_is_good() {
    let scenario = parse(
        r#"Scenario(about: "By id.", files: {"a.txt": Text("a"), "b.txt": Text("b")}, clients: [
            [Upload("a.txt"), Upload("b.txt"), DownloadId("0cc175b9c0f1b6a831c399e269772661")],
        ])"#,
    );
    let outcome = run_on(LANE, &scenario);
    let conditions: Vec<_> = outcome.aftermath.clients.iter().map(|left| left.condition).collect();
    assert_eq!((conditions, outcome.unmet), (vec![Condition::Good], vec![]));
}

#[test]
fn a_download_that_never_begins_is_not_met_in_silence() {
    let scenario = |clients: &str| {
        parse(&format!(
            r#"Scenario(about: "A download.", files: {{"a.txt": Text("all is well")}}, clients: [[{clients}]])"#
        ))
    };
    let unlisted = run_on(LANE, &scenario(r#"Upload("a.txt"), Download("a.txt")"#));
    assert_eq!(
        unmet(&unlisted),
        ["client 1 could not download a.txt: before, it has to ask for the listing (`ListFiles`)"]
    );
    let listed = run_on(LANE, &scenario(r#"Upload("a.txt"), ListFiles, Download("a.txt")"#));
    assert_eq!(unmet(&listed), [""; 0]);
}
