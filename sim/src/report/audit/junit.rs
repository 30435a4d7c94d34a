//! The report as `JUnit` XML, which every CI system shows. What was silently accepted is a failure; what proves nothing
//! is skipped, unless nothing at all is proved: then it is an error, for a skip would pass.

use quick_junit::{NonSuccessKind, SerializeError, TestCase, TestCaseStatus, TestSuite};

use super::super::xml;
use super::{Replay, judgement, outcome, said};
use audit::{Conclusion, Report, Row};
use faults::Verdict;

/// The report as XML.
///
/// # Errors
/// If it cannot be written, which only a mistake here could cause.
pub fn junit(report: &Report, replay: &Replay<'_>) -> Result<String, SerializeError> {
    let name = report.audit.path.display().to_string();
    let mut suite = TestSuite::new(&name);
    let proves = report.conclusion() != Conclusion::Inconclusive;
    suite.add_test_cases(report.rows.iter().map(|row| case(report, row, replay, proves)));
    if let Some(control) = &report.control {
        let kind = if control.why.is_accepted() { NonSuccessKind::Failure } else { NonSuccessKind::Error };
        let mut status = TestCaseStatus::non_success(kind);
        let output: Vec<String> = control.output.iter().map(ToString::to_string).collect();
        status.set_message(control.why.to_string()).set_description(output.join("\n"));
        suite.add_test_case(TestCase::new("control", status));
    }
    suite.set_system_out(judgement(report).join("\n"));
    let mut page = quick_junit::Report::new("sim audit");
    page.add_test_suite(suite);
    xml::page(&page)
}

fn case(report: &Report, row: &Row, replay: &Replay<'_>, proves: bool) -> TestCase {
    let kind = match row.verdict {
        _ if row.convicts(&report.audit) => Some(NonSuccessKind::Failure),
        Verdict::Inconclusive if !proves => Some(NonSuccessKind::Error),
        _ => None,
    };
    let mut status = match (kind, row.verdict) {
        (Some(kind), _) => TestCaseStatus::non_success(kind),
        (None, Verdict::Inconclusive) => TestCaseStatus::skipped(),
        (None, _) => TestCaseStatus::success(),
    };
    let words = format!("{}: the client said {}; {}", row.verdict, said(row), outcome(row));
    if !matches!(status, TestCaseStatus::Success { .. }) {
        status.set_message(words.clone());
        let output = row.output.iter().map(|line| format!("{line}\n"));
        let lines = row.places.iter().map(|line| format!("{line}\n")).chain(output);
        status.set_description(format!("{}again: {}", lines.collect::<String>(), replay(&row.trial)));
    }
    let mut case = TestCase::new(&row.trial.name, status);
    case.set_time(row.took).set_system_out(format!("{words}\nagain: {}", replay(&row.trial)));
    case
}
