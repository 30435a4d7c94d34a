//! What a program is charged with: nothing that PROTOCOL.md allows, the rule that it broke, and in the case that was
//! made for it. What came before and worked counts.

use std::sync::Arc;

use conform::{CaseOutcome, Conclusion, ConformOptions, Finding, Goal, Report, test_client, test_server};

use super::{Client, SINGLE, Server, failed, options};

fn server(bug: &'static str, cases: &[&str]) -> Report {
    let server = Server::start(bug);
    test_server(&[server.address], &options(1.0, cases))
}

fn client(bug: &'static str, goals: &[Goal], cases: &[&str]) -> Report {
    test_client(Arc::new(Client { bug, goals: goals.to_vec() }), &options(1.0, cases))
}

/// A client that goes through the 22 steps, in all cases up to this level.
fn steps(bug: &'static str, level: u8) -> Report {
    let options = ConformOptions { level: Some(level), ..options(1.0, &[]) };
    test_client(Arc::new(Client { bug, goals: vec![Goal::Whole] }), &options)
}

/// The one case that fails, and with what.
fn charge(report: &Report) -> (&'static str, &Finding) {
    assert_eq!(failed(report).len(), 1, "{report:#?}");
    let charged = report.results.iter().find_map(|result| match &result.outcome {
        CaseOutcome::Fail(finding) => Some((result.case.name, &**finding)),
        _ => None,
    });
    charged.unwrap()
}

/// The cases from which the rules let the program stay away.
fn free(report: &Report) -> Vec<&'static str> {
    let free = |outcome: &CaseOutcome| matches!(outcome, CaseOutcome::NotReached { free: true, .. });
    report.results.iter().filter(|result| free(&result.outcome)).map(|result| result.case.name).collect()
}

#[test]
fn a_server_may_close_after_each_download() {
    let report = server("closes-after-downloads", &[]);
    assert_eq!((report.conclusion(), report.level()), (Conclusion::Passed, Some(8)), "{report:#?}");
    let about_a_session = ["download-again", "list-after-download", "discard-the-latest"];
    assert!(about_a_session.iter().all(|case| free(&report).contains(case)), "{:?}", free(&report));
    assert_eq!(free(&report).len(), 4, "and one that the server need not come to: {:?}", free(&report));
}

#[test]
fn a_server_may_close_after_each_exchange_and_is_tested_over_new_connections() {
    let report = server("closes-after-each", &[]);
    assert_eq!(report.conclusion(), Conclusion::Passed, "{report:#?}");
    let passed = |name: &str| {
        report.results.iter().any(|result| result.case.name == name && result.outcome == CaseOutcome::Pass)
    };
    for case in
        ["list-ends", "upload-listed", "upload-again", "download-ends", "one-content-two-names", "cr-lf"]
    {
        assert!(passed(case), "{case}: {report:#?}");
    }
    assert!(free(&report).len() < 25, "{:?}", free(&report));
}

#[test]
fn a_server_that_closes_at_once_is_not_charged_and_proves_nothing() {
    let report = server("closes-at-once", &[]);
    assert_eq!((report.conclusion(), failed(&report).len()), (Conclusion::Inconclusive, 0), "{report:#?}");
}

#[test]
fn a_server_may_take_less_than_others() {
    let report = server("takes-little", &[]);
    assert_eq!((report.conclusion(), report.level()), (Conclusion::Passed, Some(8)), "{report:#?}");
    assert!(free(&report).contains(&"download-large"), "{:?}", free(&report));
}

#[test]
fn a_server_is_charged_with_the_rule_that_it_broke() {
    for (bug, cases, case, rule) in [
        ("splits-first-and-guesses", &["name-with-semicolons"][..], "name-with-semicolons", 8),
        ("no-empty-line", &["list"], "list", 34),
        ("no-list-end", &["list"], "list", 34),
        ("strips-zeros", &["hash-with-zeros"], "hash-with-zeros", 11),
        ("drops-zeros", &["hash-with-zeros"], "hash-with-zeros", 11),
        ("no-lf", &["upload"], "upload", 1),
        ("pads-sizes", &["download"], "download", 10),
    ] {
        let report = server(bug, cases);
        let (charged, found) = charge(&report);
        assert_eq!((charged, found.rule), (case, rule), "{bug}: {found:#?}");
    }
}

#[test]
fn a_client_is_charged_with_the_rule_that_it_broke() {
    for (bug, case, rule) in [
        ("goes-on-after-refusals", "details-refused", 22),
        ("goes-on-after-refusals", "unknown-code", 23),
        ("no-lf", "upload", 1),
        ("no-semicolon", "upload", 8),
        ("one-too-few", "upload", 3),
        ("asks-without-zeros", "download-with-zeros", 11),
        ("strips-zeros", "upload-with-zeros", 30),
    ] {
        let report = client(bug, &SINGLE, &[case]);
        let (charged, found) = charge(&report);
        assert_eq!((charged, found.rule), (case, rule), "{bug}: {found:#?}");
    }
}

#[test]
fn payload_behind_a_refusal_is_no_line_that_is_not_utf_8() {
    let report = client("goes-on-after-refusals", &SINGLE, &["details-refused"]);
    let (_, found) = charge(&report);
    assert!(found.expected.starts_with("LIST_FILES, UPLOAD"), "{found:#?}");
}

#[test]
fn a_mistake_in_the_download_of_the_22_steps_is_charged_there_and_what_came_before_counts() {
    let mut titles = Vec::new();
    for bug in ["one-message-per-read", "one-message-per-event", "reads-until-end", "dies-in-download"] {
        let report = steps(bug, 8);
        let (charged, found) = charge(&report);
        assert_eq!((charged, report.level()), ("download", Some(2)), "{bug}: {report:#?}");
        titles.push((found.title.clone(), found.rule));
    }
    let reads = Some("It takes what one read returns for one message".to_owned());
    let waits = Some("It reads a download until the end of the connection".to_owned());
    assert_eq!(titles[..3], [(reads.clone(), 4), (reads, 4), (waits, 3)]);
    assert!(titles[..3].iter().all(|title| title.0 != titles[3].0), "{titles:?}");
}

#[test]
fn a_mistake_in_the_upload_of_the_22_steps_does_not_say_that_the_client_cannot_connect_or_list() {
    let report = steps("uploads-garbage", 8);
    assert_eq!((charge(&report).0, report.level()), ("upload", Some(1)), "{report:#?}");
}

#[test]
fn a_client_that_never_ends_is_charged_with_that_once() {
    let report = steps("hangs", 8);
    let (charged, found) = charge(&report);
    assert_eq!((charged, found.rule), ("leave", 26), "{report:#?}");
}

#[test]
fn a_client_that_does_not_wait_is_charged_with_that_alone() {
    let report = steps("does-not-wait", 8);
    assert_eq!(failed(&report), ["waits-for-replies"], "{report:#?}");
}
