//! `sim conform`: correct programs pass every case, and for every case there is a program that fails it.

mod charges;
mod client;
mod findings;
mod luck;
mod programs;
mod server;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use conform::{
    CaseInfo, CaseOutcome, Conclusion, ConformOptions, Goal, Report, client_cases, rule_text, server_cases,
    test_client, test_server,
};

use client::Client;
use server::Server;

const SINGLE: [Goal; 3] = [Goal::Put, Goal::Get, Goal::List];

/// Enough for a loaded machine where nothing has to run out, and little where it has to.
fn options(seconds: f64, cases: &[&str]) -> ConformOptions {
    let cases = cases.iter().map(|name| (*name).to_owned()).collect();
    ConformOptions {
        timeout: Some(Duration::from_secs_f64(seconds)),
        cases,
        seed: 7,
        ..ConformOptions::default()
    }
}

fn assert_passes(report: &Report) {
    let bad: Vec<_> = report.results.iter().filter(|result| result.outcome != CaseOutcome::Pass).collect();
    let open = |outcome: &CaseOutcome| matches!(outcome, CaseOutcome::NotReached { free: true, .. });
    assert!(bad.iter().all(|result| open(&result.outcome)), "{bad:#?}");
    assert_eq!(report.conclusion(), Conclusion::Passed);
    assert_eq!(report.level(), Some(8));
}

#[test]
fn a_correct_server_passes_every_case() {
    let server = Server::start("");
    let report = test_server(&[server.address], &options(2.0, &[]));
    assert_passes(&report);
    assert!(report.results.len() >= 40);
}

#[test]
fn a_correct_client_passes_every_case() {
    for goals in [vec![Goal::Whole], SINGLE.to_vec()] {
        let report = test_client(Arc::new(Client { bug: "", goals }), &options(2.0, &[]));
        assert_passes(&report);
        assert!(report.results.len() >= 15);
    }
}

#[test]
fn names_are_unique_needs_come_first_and_every_rule_has_a_case() {
    for cases in [server_cases(), client_cases()] {
        let mut seen = BTreeSet::new();
        for case in &cases {
            assert!(
                case.needs.iter().all(|need| seen.contains(need)),
                "{} comes before what it needs",
                case.name
            );
            assert!(seen.insert(case.name), "{} is there twice", case.name);
            assert!(case.rules.iter().all(|rule| !rule_text(*rule).is_empty()), "{}", case.name);
        }
    }
    let rules: BTreeSet<u8> =
        server_cases().iter().chain(&client_cases()).flat_map(|case| case.rules.to_vec()).collect();
    assert_eq!(rules, conform::rules().keys().copied().collect());
}

/// Each line: the mistake, and the cases that it fails.
const SERVERS: &[(&str, &[&str])] = &[
    ("greets", &["connect"]),
    ("no-list-end", &["list"]),
    ("no-list-with-a-blank", &["list-with-a-blank"]),
    ("no-list-file", &["list-file"]),
    ("lists-once", &["list-again"]),
    ("more-after-list", &["list-ends"]),
    ("every-second-listing", &["list-for-the-next"]),
    ("never-closes", &["leave", "leave-at-once"]),
    ("hashes-the-name", &["upload"]),
    ("lists-nothing", &["upload-listed"]),
    ("per-session", &["upload-outlives"]),
    ("hash-too-early", &["upload-waits"]),
    ("hashes-few", &["upload-several"]),
    ("lists-twice", &["upload-again"]),
    ("one-name-per-content", &["one-content-two-names"]),
    ("one-content-per-name", &["one-name-two-contents"]),
    ("strips-zeros", &["hash-with-zeros"]),
    ("drops-zeros", &["hash-with-zeros"]),
    ("counts-hashes", &["hash-of-digits"]),
    ("empty-is-bad-size", &["upload-empty"]),
    ("strips-lf", &["upload-one-byte", "cr-in-payload"]),
    ("crlf-to-lf", &["upload-lines"]),
    ("ends-at-nul", &["upload-every-byte"]),
    ("looks-at-payload", &["upload-like-commands"]),
    ("hashes-64k", &["upload-large"]),
    ("does-not-drain", &["upload-larger"]),
    ("splits-first", &["name-with-semicolons"]),
    ("trims-names", &["name-with-blanks"]),
    ("ascii-names", &["name-in-utf-8"]),
    ("no-dots", &["name-with-dots"]),
    ("no-error-names", &["name-like-a-command"]),
    ("no-shell-names", &["name-for-a-shell"]),
    ("short-names", &["name-of-255-bytes"]),
    ("no-size", &["download"]),
    ("per-session-downloads", &["download-outlives"]),
    ("no-size-of-nothing", &["download-empty"]),
    ("seven-bits", &["download-every-byte"]),
    ("64k-downloads", &["download-large"]),
    ("looks-up-without-zeros", &["download-with-zeros"]),
    ("looks-up-numbers", &["download-of-digits"]),
    ("no-command-files", &["download-like-commands"]),
    ("downloads-twice", &["download-again"]),
    ("more-after-download", &["download-ends"]),
    ("unlists-downloads", &["list-after-download"]),
    ("no-close-after-download", &["leave-after-download"]),
    ("hash-by-start", &["hash-of-one-bit"]),
    ("misses-whole-chunks", &["hash-of-pieces"]),
    ("hash-by-name", &["hash-under-one-name"]),
    ("discards-nothing", &["discard"]),
    ("only-unlists", &["discard-unlists-everywhere"]),
    ("discards-twice", &["discard-twice"]),
    ("discards-unknown", &["discard-unknown"]),
    ("discards-of-others", &["discard-not-yours"]),
    ("discards-what-was", &["discard-keeps-what-was"]),
    ("discards-the-first", &["discard-the-latest"]),
    ("discards-by-name", &["discard-one-of-two"]),
    ("bans", &["upload-after-discard"]),
    ("unknown-is-other", &["unknown-command"]),
    ("sulks", &["session-goes-on"]),
    ("any-case", &["lowercase-command"]),
    ("trims-commands", &["a-blank-too-many"]),
    ("empty-lists", &["empty-command"]),
    ("discard-alone-is-bad-id", &["discard-alone"]),
    ("discards-bad-ids", &["discard-bad-id"]),
    ("remembers", &["nothing-remains"]),
    ("details-are-bad-name", &["bad-details"]),
    ("size=+7", &["size-with-a-sign"]),
    ("size=00", &["size-with-a-zero"]),
    ("size=7 ", &["size-with-a-blank"]),
    ("size=0x10", &["size-no-number"]),
    ("size=٣", &["size-in-other-digits"]),
    ("size=9223372036854775808", &["size-too-large"]),
    ("name=..", &["name-that-climbs"]),
    ("name=a\\b", &["name-with-a-slash"]),
    ("name=", &["name-of-nothing"]),
    ("name=a\u{85}b", &["name-with-a-control"]),
    ("long-names", &["name-of-256-bytes"]),
    ("name-first", &["size-before-name"]),
    ("any-case-of-ids", &["id-in-uppercase"]),
    ("bad-id-not-found", &["bad-id"]),
    ("not-found-is-other", &["not-found"]),
    ("finds-by-name", &["id-of-a-name"]),
    ("takes-collisions", &["collision"]),
    ("refuses-in-payload", &["discarded-meanwhile"]),
    ("line-per-read", &["half-a-line", "byte-by-byte"]),
    ("payload-per-read", &["in-pieces"]),
    ("cr-stays", &["cr-lf"]),
    ("drops-every-cr", &["only-one-cr"]),
    ("drops-early-input", &["two-in-one-segment", "upload-in-one-segment"]),
    ("line-of-1000", &["line-of-1024"]),
    ("no-line-limit", &["line-of-1025", "line-without-end"]),
    ("limit-at-lf-only", &["line-of-1024-not-ended"]),
    ("lossy", &["line-not-utf-8"]),
    ("nearly-utf-8", &["line-nearly-utf-8"]),
    ("no-details-limit", &["details-too-long"]),
    ("lossy-id", &["id-not-utf-8"]),
    ("size-of-32-bits", &["size-of-63-bits"]),
    ("keeps-half", &["vanish-in-upload", "vanish-before-last-byte", "vanish-before-payload"]),
    ("end-ends-line", &["vanish-in-a-line", "vanish-in-details"]),
    ("dies-at-prompt", &["vanish-at-prompt"]),
    ("dies-on-error", &["vanish-in-download", "vanish-unread"]),
    ("dies-of-many", &["many-come-and-go"]),
    ("dies-of-garbage", &["garbage"]),
    ("http", &["another-protocol"]),
    ("dies-of-size", &["huge-size-announced"]),
    ("impatient", &["trickle"]),
    ("many-strikes", &["refused-many-times"]),
    ("lists-early", &["hidden-until-whole"]),
    ("hello-after-silence", &["silent-client"]),
];

/// The cases that only a client can fail that goes through the 22 steps.
const WHOLE: [&str; 3] = ["all-22-steps", "timed-out-between", "empty-listing"];

/// The same for clients.
const CLIENTS: &[(&str, &[&str])] = &[
    ("lists-wrongly", &["connect"]),
    ("does-not-wait", &["waits-for-replies"]),
    ("splits-wrongly", &["list", "download-among-many"]),
    ("hangs", &["leave"]),
    ("uploads-garbage", &["upload"]),
    ("sends-empty-as-lf", &["upload-empty"]),
    ("uploads-64k", &["upload-large"]),
    ("uploads-a-mebibyte", &["upload-larger"]),
    ("uploads-text", &["upload-lines"]),
    ("uploads-utf-8", &["upload-every-byte"]),
    ("obeys-files", &["upload-like-commands", "download-like-commands"]),
    ("strips-zeros", &["upload-with-zeros"]),
    ("counts-hashes", &["upload-of-digits"]),
    ("downloads-a-mebibyte", &["download-larger"]),
    ("downloads-text", &["download-lines"]),
    ("downloads-utf-8", &["download-every-byte"]),
    ("asks-without-zeros", &["download-with-zeros"]),
    ("asks-for-numbers", &["download-of-digits"]),
    ("compares-sorted", &["hash-in-other-order"]),
    ("compares-c-strings", &["hash-behind-zeros", "damaged-behind-zeros"]),
    ("compares-numbers", &["hash-equal-as-number"]),
    ("compares-a-mebibyte", &["damaged-larger"]),
    ("always-fail", &["upload", "download"]),
    ("no-empty-downloads", &["download-empty"]),
    ("downloads-64k", &["download-large"]),
    ("believes-the-listing", &["download-by-size-line"]),
    ("skips-a-listing", &["all-22-steps"]),
    (
        "compares-nothing",
        &["wrong-hash", "damaged-download", "damaged-last-byte", "swapped-bytes", "short-download"],
    ),
    ("hashes-nothing", &["hash-of-nothing"]),
    ("compares-nothing", &["hash-of-one-bit"]),
    ("compares-the-start", &["hash-with-other-end"]),
    ("compares-the-end", &["hash-with-other-start"]),
    ("discards-its-own", &["discard"]),
    ("compares-lengths", &["damaged-download"]),
    ("compares-starts", &["damaged-last-byte"]),
    ("compares-sums", &["swapped-bytes"]),
    ("compares-what-came", &["short-download"]),
    ("writes-anything", &["damaged-download"]),
    ("asks-in-uppercase", &["download"]),
    (
        "always-success",
        &["upload-refused", "details-refused", "refused-for-the-hash", "download-refused", "id-refused"],
    ),
    (
        "always-success",
        &["busy", "timed-out-in-upload", "vanish-at-once", "vanish-at-prompt", "vanish-in-upload"],
    ),
    ("always-success", &["vanish-before-hash", "vanish-in-hash", "vanish-before-size", "prompt-not-utf-8"]),
    (
        "always-success",
        &["vanish-in-download", "vanish-before-last-byte", "early-refusal", "garbage-for-a-reply"],
    ),
    ("stops-on-refusal", &["early-refusal"]),
    ("hangs-on-trouble", &["listing-refused", "listing-refused-midway", "vanish-in-listing"]),
    ("knows-some-refusals", &["unknown-code", "odd-code", "no-code"]),
    ("error-without-blank", &["error-without-blank"]),
    ("success-after-timeout", &["timed-out-between"]),
    ("a-line-per-read", &["byte-by-byte-upload", "byte-by-byte-download"]),
    ("keeps-cr", &["cr-lf-upload", "cr-lf-download"]),
    ("knows-the-words", &["other-words-upload", "other-words-download"]),
    ("no-empty-prompt", &["empty-prompt-upload", "empty-prompt-download"]),
    ("stops-on-any-line", &["early-hash"]),
    ("no-limit", &["prompt-too-long"]),
    ("lossy", &["prompt-not-utf-8"]),
    ("takes-any-hash", &["hash-in-uppercase", "hash-too-short"]),
    (
        "takes-any-listing",
        &["empty-listing", "entry-in-uppercase", "entry-that-climbs", "entry-size-with-a-zero"],
    ),
    ("takes-any-listing", &["entry-of-nonsense"]),
    ("takes-any-size", &["size-of-nonsense", "size-with-a-sign", "size-too-large"]),
    ("takes-half", &["vanish-in-download", "vanish-before-last-byte"]),
    ("says-success-in-silence", &["silent-server"]),
];

/// What such programs SHOULD do and do not.
const WARNED: &[(&str, &str)] = &[
    ("lists-by-the-old-name", "plain-lines"),
    ("cr-lf", "plain-lines"),
    ("does-not-discard", "discard"),
    ("prints-prompts", "unprintable-prompt"),
];

fn failed(report: &Report) -> Vec<&str> {
    let is_fail = |outcome: &CaseOutcome| matches!(outcome, CaseOutcome::Fail(_));
    report.results.iter().filter(|result| is_fail(&result.outcome)).map(|result| result.case.name).collect()
}

/// Runs `check` for every line, some at a time: most of it is waiting. Says all that is not as it should be.
fn for_each_line(
    lines: &[(&'static str, &'static [&'static str])],
    check: fn(&'static str, &'static [&'static str]) -> Option<String>,
) {
    const AT_A_TIME: usize = 8;
    let complaints: Vec<String> = std::thread::scope(|scope| {
        let run = |some: Vec<(&'static str, &'static [&'static str])>| {
            scope.spawn(move || {
                some.into_iter().filter_map(|(bug, cases)| check(bug, cases)).collect::<Vec<_>>()
            })
        };
        let of = |first: usize| lines.iter().copied().skip(first).step_by(AT_A_TIME).collect();
        let threads: Vec<_> = (0..AT_A_TIME).map(|first| run(of(first))).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

/// What is wrong if `report` does not fail exactly these cases.
fn complaint(bug: &str, cases: &[&str], report: &Report) -> Option<String> {
    let (mut failed, mut expected) = (failed(report), cases.to_vec());
    failed.sort_unstable();
    expected.sort_unstable();
    (failed != expected).then(|| format!("{bug} shall fail {expected:?}: {report:?}"))
}

#[test]
fn every_server_case_is_failed_by_a_server() {
    for_each_line(SERVERS, |bug, cases| {
        cases.iter().find_map(|case| {
            let server = Server::start(bug);
            let report = test_server(&[server.address], &options(1.0, &[case]));
            complaint(bug, &[case], &report)
        })
    });
    assert_all_are_failed(&server_cases(), SERVERS);
}

#[test]
fn every_client_case_is_failed_by_a_client() {
    for_each_line(CLIENTS, |bug, cases| {
        let whole = cases.iter().any(|case| WHOLE.contains(case));
        let goals = if whole { vec![Goal::Whole] } else { SINGLE.to_vec() };
        complaint(bug, cases, &test_client(Arc::new(Client { bug, goals }), &options(1.0, cases)))
    });
    let warned: Vec<(&str, &[&str])> =
        WARNED.iter().map(|(bug, case)| (*bug, std::slice::from_ref(case))).collect();
    assert_all_are_failed(&client_cases(), &[CLIENTS, &warned].concat());
}

fn assert_all_are_failed(cases: &[CaseInfo], lines: &[(&str, &[&str])]) {
    let failed: BTreeSet<_> = lines.iter().flat_map(|(_, cases)| cases.iter().copied()).collect();
    assert_eq!(failed, cases.iter().map(|case| case.name).collect());
}

#[test]
fn what_a_client_should_do_is_a_warning_and_no_fail() {
    for (bug, case) in WARNED {
        let report = test_client(Arc::new(Client { bug, goals: SINGLE.to_vec() }), &options(1.0, &[case]));
        assert!(matches!(report.results[0].outcome, CaseOutcome::Warning(_)), "{bug}: {report:#?}");
        assert_eq!(report.conclusion(), Conclusion::Passed);
    }
}

#[test]
fn what_is_not_reached_is_no_pass() {
    let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let report = test_server(&[gone], &options(0.5, &[]));
    assert!(
        report.results.iter().all(|result| matches!(result.outcome, CaseOutcome::NotReached { .. })),
        "{report:#?}"
    );
    assert_eq!((report.conclusion(), report.level()), (Conclusion::Inconclusive, Some(0)));

    let client = Arc::new(Client { bug: "never-connects", goals: vec![Goal::Whole] });
    let report = test_client(client, &options(0.5, &[]));
    assert_eq!((report.conclusion(), report.level()), (Conclusion::Inconclusive, Some(0)));
}

#[test]
fn without_what_it_needs_a_case_is_not_reached() {
    let server = Server::start("no-list-end");
    let report = test_server(&[server.address], &options(0.5, &["upload", "discard"]));
    for result in &report.results {
        assert!(
            matches!(&result.outcome, CaseOutcome::NotReached { why, .. } if why.contains("which did not pass"))
        );
    }
    assert_eq!(report.results.len(), 2);
}
