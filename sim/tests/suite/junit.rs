//! `JUnit` reports: XML that every parser takes, whatever the programs under test say.

use audit::{Audit, OutputLine, Speaker, Trouble, Why};
use conform::{CaseOutcome, CaseResult, Report, Side, server_cases};
use sim::report;

use super::workspace;

/// What a program may say, and XML 1.0 may not.
const HOSTILE: &str = "\u{fffe}\u{ffff}\0\u{1}\u{b}\u{1f}<&\"'>]]>\u{1b}[31m";

/// Whether XML 1.0 allows this character (its production 2).
fn is_allowed(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}

fn check(xml: &str) {
    let bad: Vec<char> = xml.chars().filter(|c| !is_allowed(*c)).collect();
    assert!(bad.is_empty(), "{bad:?} in {xml}");
    assert!(xml.contains("\\u{fffe}\\u{ffff}"), "{xml}");
}

#[test]
fn a_conformance_report_is_xml_whatever_a_program_says() {
    let outcome = CaseOutcome::NotReached { why: HOSTILE.into(), free: false };
    let results = vec![CaseResult { case: server_cases()[0].clone(), outcome }];
    let conformance = Report { side: Side::Server, seed: 1, round: 0, results };
    check(&report::conform::junit(&conformance, &|name| name.into()).unwrap());
}

#[test]
fn an_audit_report_is_xml_whatever_a_program_says() {
    let audit = Audit::load(&workspace("audits/own_upload.ron")).unwrap();
    let control = Some(Trouble {
        why: Why::NoRun(HOSTILE.into()),
        output: vec![OutputLine { from: Speaker::Client, text: HOSTILE.into() }],
    });
    let (claims, rows) = (Vec::new(), Vec::new());
    let audited = audit::Report { audit, seed: 0, control, spread: None, claims, planned: 1, rows };
    check(&report::audit::junit(&audited, &|_| String::new()).unwrap());
}

#[test]
fn what_a_server_says_with_a_full_stop_ends_the_sentence_once() {
    let outcome =
        CaseOutcome::NotReached { why: "it said: ERROR storage the disk is full.".into(), free: false };
    let results = vec![CaseResult { case: server_cases()[0].clone(), outcome }];
    let summary = report::conform::summary(&Report { side: Side::Server, seed: 1, round: 0, results });
    assert!(summary.ends_with("the disk is full."), "{summary}");
}
