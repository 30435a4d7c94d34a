//! What a report says is what happened: the right case is charged, with the right rule, and both sides of a
//! difference are shown where they part.

use std::sync::Arc;

use conform::{CaseOutcome, Conclusion, Finding, Goal, Report, test_client, test_server};
use sim::report::conform::{json, summary, text};

use super::{Client, SINGLE, Server, options};

fn server(bug: &'static str, cases: &[&str]) -> Report {
    let server = Server::start(bug);
    test_server(&[server.address], &options(1.0, cases))
}

fn client(bug: &'static str, goals: &[Goal], cases: &[&str]) -> Report {
    test_client(Arc::new(Client { bug, goals: goals.to_vec() }), &options(1.0, cases))
}

fn outcome<'a>(report: &'a Report, case: &str) -> &'a CaseOutcome {
    &report.results.iter().find(|result| result.case.name == case).unwrap().outcome
}

fn finding<'a>(report: &'a Report, case: &str) -> &'a Finding {
    match outcome(report, case) {
        CaseOutcome::Fail(finding) => finding,
        other => panic!("{case} shall fail: {other:#?}"),
    }
}

fn why<'a>(report: &'a Report, case: &str) -> &'a str {
    match outcome(report, case) {
        CaseOutcome::NotReached { why, .. } | CaseOutcome::LeftOut { why } => why,
        other => panic!("{case} shall not be reached: {other:#?}"),
    }
}

fn page(report: &Report) -> String {
    text(report, &|name| format!("again {name}"))
}

#[test]
fn long_contents_are_shown_where_they_part() {
    let report = server("damages-the-middle", &["download-outlives"]);
    assert!(why(&report, "download-outlives").contains("needs download"));
    let report = server("damages-the-middle", &["download"]);
    let found = finding(&report, "download");
    let difference = found.difference.as_ref().unwrap();
    assert_eq!((difference.first, difference.excerpt.offset), (500, 496));
    assert_eq!(difference.excerpt.sent[4] ^ difference.excerpt.arrived[4], 1);
    assert_ne!(found.expected, found.came);
    assert!(found.came.contains("offset 500"), "{found:#?}");
    assert!(page(&report).contains(&format!("[{:02x}]", difference.excerpt.arrived[4])));
    let lines = json(&report, &|_| String::new());
    let case: serde_json::Value = serde_json::from_str(lines.lines().next().unwrap()).unwrap();
    assert_eq!(case["finding"]["difference"]["first"], 500);

    let report = client("writes-other-bytes", &SINGLE, &["download"]);
    let found = finding(&report, "download");
    assert_eq!((found.rule, found.difference.as_ref().unwrap().first), (3, 0));
    let report = client("uploads-64k", &SINGLE, &["upload-large"]);
    let found = finding(&report, "upload-large");
    assert_eq!(found.difference.as_ref().unwrap().first, 65536, "{found:#?}");
}

#[test]
fn a_part_of_the_cases_proves_no_more_than_that_part() {
    let report = server("", &["upload"]);
    assert_eq!((report.conclusion(), report.level()), (Conclusion::Passed, None));
    assert!(report.is_partial() && !summary(&report).contains("keeps the rules"), "{}", summary(&report));
    assert!(summary(&report).contains("Of the 1 case asked for, of "), "{}", summary(&report));
    let last = json(&report, &|_| String::new());
    let last: serde_json::Value = serde_json::from_str(last.lines().last().unwrap()).unwrap();
    assert_eq!((&last["partial"], &last["level"]), (&true.into(), &serde_json::Value::Null));

    let options = conform::ConformOptions { level: Some(2), ..options(1.0, &[]) };
    let good = Server::start("");
    assert_eq!(test_server(&[good.address], &options).level(), Some(2));
    let bad = Server::start("no-list-file");
    assert_eq!(test_server(&[bad.address], &options).level(), Some(0));
}

#[test]
fn an_exit_code_decides_nothing_where_a_word_was_said_or_the_exchange_shows_it() {
    let report = client("exits-with-1", &[Goal::Whole], &[]);
    assert_eq!(report.conclusion(), Conclusion::Passed, "{}", page(&report));
    let report = client("splits-wrongly", &[Goal::Whole], &["list"]);
    let found = finding(&report, "list");
    assert_eq!((found.rule, found.step), (8, Some(5)));
}

#[test]
fn who_takes_a_read_for_a_message_is_told_so() {
    let report = client("one-message-per-read", &[Goal::Whole], &[]);
    assert!(super::failed(&report).contains(&"download"), "{}", page(&report));
    assert_eq!(*outcome(&report, "list"), CaseOutcome::Pass);
    let found = finding(&report, "download");
    assert_eq!((found.rule, found.step), (4, Some(20)), "{found:#?}");
}

#[test]
fn a_server_that_ends_after_a_case_is_charged_with_that_case() {
    let report = server("serves-one", &[]);
    let found = finding(&report, "connect");
    assert_eq!(found.rule, 15);
    assert!(found.came.contains("after 1 connection"), "{found:#?}");
    assert!(
        why(&report, "list").contains("to have ended after 1 connection; it has to serve the next (R15)")
    );
    assert_eq!(super::failed(&report), ["connect"]);

    let report = server("ends-after-upload", &[]);
    assert_eq!(super::failed(&report), ["upload"]);
    assert!(finding(&report, "upload").title.as_ref().unwrap().contains("did not serve any more"));
    assert!(why(&report, "upload-listed").contains("seems to have ended"));
}

#[test]
fn a_server_that_ends_in_a_case_is_charged_with_that_case_and_no_other() {
    let report = server("dies-of-a-blank", &[]);
    assert_eq!(super::failed(&report), ["list-with-a-blank"]);
    assert_eq!(finding(&report, "list-with-a-blank").title.as_deref(), Some("The server ended in this case"));
}

#[test]
fn a_payload_that_goes_on_is_no_prompt() {
    let report = server("sends-twice", &["one-content-two-names"]);
    let found = finding(&report, "one-content-two-names");
    assert_eq!((found.rule, found.step), (3, Some(20)), "{found:#?}");
    assert!(found.came.contains("1,005 bytes, and behind them the file once more"), "{found:#?}");
}

#[test]
fn a_verdict_is_quoted_with_what_it_was_taken_from() {
    let report = client("believes-and-says-nothing", &SINGLE, &["wrong-hash"]);
    let came = &finding(&report, "wrong-hash").came;
    assert!(came.contains("no line with Success or Fail; exit code 0 counts as success"), "{came}");
    let report = client("waits-for-success", &SINGLE, &["wrong-hash"]);
    let came = &finding(&report, "wrong-hash").came;
    assert!(came.contains("Success, in its line \"Waiting for success...\""), "{came}");
}

#[test]
fn what_there_is_no_command_for_is_left_out() {
    let report = client("", &[Goal::List], &[]);
    assert_eq!((report.conclusion(), report.level()), (Conclusion::Passed, Some(1)), "{}", page(&report));
    assert_eq!(why(&report, "upload"), "not asked for: there is no --put");
    assert_eq!(why(&report, "upload-empty"), "not asked for: there is no --put");
    assert!(summary(&report).contains(" left out."), "{}", summary(&report));
}

#[test]
fn who_hangs_after_the_verdict_is_not_taken_for_one_who_believes() {
    let report = client("hangs-on-trouble", &SINGLE, &["wrong-hash"]);
    let found = finding(&report, "wrong-hash");
    assert_eq!((found.rule, found.title.as_deref()), (26, Some("It does not end after its verdict")));
    assert!(!page(&report).contains("It does not say Success"), "{}", page(&report));

    let report = client("hangs-and-says-nothing", &SINGLE, &["leave"]);
    assert!(finding(&report, "leave").hints[0].contains("flushed"), "{report:#?}");
}

#[test]
fn who_waits_for_input_is_told_that_there_is_none() {
    for bug in ["asks-first", "never-connects"] {
        let report = client(bug, &[Goal::Whole], &["connect"]);
        assert!(why(&report, "connect").contains("programs get no input"), "{report:#?}");
    }
    let report = client("compares-nothing", &[Goal::Whole], &["wrong-hash"]);
    assert!(finding(&report, "wrong-hash").hints.is_empty());
}

#[test]
fn the_hash_of_nothing_is_named() {
    let report = server("hashes-nothing", &["upload"]);
    assert!(finding(&report, "upload").hints[0].contains("MD5 of no bytes at all"), "{report:#?}");
    assert!(finding(&server("hashes-the-name", &["upload"]), "upload").hints.is_empty());
}

#[test]
fn what_is_left_at_out_is_called_that_and_is_shortened() {
    let report = client("writes-anything", &SINGLE, &["damaged-download"]);
    let found = finding(&report, "damaged-download");
    assert_eq!((found.rule, found.title.as_deref()), (32, Some("It leaves the wrong bytes at {received}")));
    assert!(found.came.len() < 200, "{}", found.came);
}

#[test]
fn the_first_listing_of_a_session_is_step_5() {
    assert_eq!(
        finding(&server("no-list-with-a-blank", &["list-with-a-blank"]), "list-with-a-blank").step,
        Some(5)
    );
    assert_eq!(finding(&server("lists-nothing", &["upload-listed"]), "upload-listed").step, Some(16));
}
