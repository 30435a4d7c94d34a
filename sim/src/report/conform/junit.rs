//! The report as `JUnit` XML, which every CI system shows: a suite per level. What was not reached is skipped,
//! unless it leaves the whole unproved: then it is an error, for a skip would pass.

use quick_junit::{NonSuccessKind, SerializeError, TestCase, TestCaseStatus, TestSuite};

use super::super::xml;
use super::{charge, notes, side};
use conform::{CaseOutcome, CaseResult, Finding, LEVELS, Report};

/// The report as XML. `replay` makes the command that runs only the case with a name.
///
/// # Errors
/// If it cannot be written, which only a mistake here could cause.
pub fn junit(report: &Report, replay: &dyn Fn(&str) -> String) -> Result<String, SerializeError> {
    let mut page = quick_junit::Report::new(format!("sim conform --{}", side(report.side)));
    for (index, about) in LEVELS.iter().enumerate() {
        let mut suite = TestSuite::new(format!("level {}: {about}", index + 1));
        for result in report.results.iter().filter(|result| usize::from(result.case.level) == index + 1) {
            suite.add_test_case(case(result, replay));
        }
        suite.add_property(("seed", &*report.seed.to_string()));
        suite.add_property(("round", &*report.round.to_string()));
        if suite.tests > 0 {
            page.add_test_suite(suite);
        }
    }
    xml::page(&page)
}

fn case(result: &CaseResult, replay: &dyn Fn(&str) -> String) -> TestCase {
    let text = |finding: &Finding| {
        let dialogue = finding
            .dialogue
            .iter()
            .map(|said| format!("{} {}\n", if said.ours { "sent    " } else { "came    " }, said.text));
        let (charge, again) = (charge(finding), replay(result.case.name));
        let mut beside = format!("expected {}\nbut came {}\n", finding.expected, finding.came);
        notes(finding).iter().for_each(|(word, note)| beside.push_str(&format!("{word:8} {note}\n")));
        format!("{charge}\n{}{beside}again    {again}\n", dialogue.collect::<String>())
    };
    let mut warned = None;
    let status = match &result.outcome {
        CaseOutcome::Pass => TestCaseStatus::success(),
        CaseOutcome::Warning(finding) => {
            warned = Some(format!("warning: {}", text(finding)));
            TestCaseStatus::success()
        }
        CaseOutcome::Fail(finding) => {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
            status.set_message(format!("expected {}, but came {}", finding.expected, finding.came));
            status.set_description(text(finding));
            status
        }
        CaseOutcome::NotReached { why, free } => {
            let error = TestCaseStatus::non_success(NonSuccessKind::Error);
            let mut status = if *free { TestCaseStatus::skipped() } else { error };
            status.set_message(format!("not reached: {why}"));
            status
        }
        CaseOutcome::Lost { why } => {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
            status.set_message(format!("lost, also when repeated: {why}"));
            status
        }
        CaseOutcome::LeftOut { why } => {
            let mut status = TestCaseStatus::skipped();
            status.set_message(why.clone());
            status
        }
    };
    let mut case = TestCase::new(result.case.name, status);
    if let Some(warning) = warned {
        case.set_system_out(warning);
    }
    case
}
