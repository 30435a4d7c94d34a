//! Every mistake a person can make about a fault, with the diagnostic it gets,
//! word for word. Those in numbers are in `scenario_fault_numbers.rs`. What is right is in `scenario_faults.rs`.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::path::Path;

use faults::MAX_FAULTS;
use insta::assert_snapshot;
use notation::ScenarioError;
use sim::scenario::Scenario;

/// Two steps and some faults.
fn faults(list: &str) -> Result<Scenario, ScenarioError> {
    let start = "Scenario(\n    about: \"x\",\n    steps: [Server(Listen), Client(Start)],\n    faults: ";
    Scenario::parse(&format!("{start}{list},\n)"), Path::new("test.ron"))
}

fn list(items: &[&str]) -> String {
    format!("[\n        {},\n    ]", items.join(",\n        "))
}

/// What is said about some faults.
fn diagnose(items: &[&str]) -> String {
    faults(&list(items)).unwrap_err().render(false)
}

#[test]
fn unknown_faults() {
    assert_snapshot!(diagnose(&["Filp(in: Upload, at: 1_000, bit: 3)", "Trunc", "Explode(3)", "7"]), @r#"
    error: unknown fault "Filp", did you mean "Flip"?
     --> test.ron:5:9
      |
    5 |         Filp(in: Upload, at: 1_000, bit: 3),
      |         ^^^^
      |
      = help: it is written Flip(in: Upload, at: 1_000, bit: 3)

    error: unknown fault "Trunc": there is Flip, Xor, Drop, Truncate, Insert, Duplicate, Reorder, Overwrite, Stall, Delay, Throttle, Slice, Coalesce, Reset, HalfClose, Latency, Partition, Hold, Crash, NoSpace, WriteError, ShortWrite, CrashBeforeSync, CrashBeforeRename, CrashAfterRename, Rot
     --> test.ron:6:9
      |
    6 |         Trunc,
      |         ^^^^^

    error: unknown fault "Explode": there is Flip, Xor, Drop, Truncate, Insert, Duplicate, Reorder, Overwrite, Stall, Delay, Throttle, Slice, Coalesce, Reset, HalfClose, Latency, Partition, Hold, Crash, NoSpace, WriteError, ShortWrite, CrashBeforeSync, CrashBeforeRename, CrashAfterRename, Rot
     --> test.ron:7:9
      |
    7 |         Explode(3),
      |         ^^^^^^^

    error: a fault cannot be the number 7
     --> test.ron:8:9
      |
    8 |         7,
      |         ^
      |
      = help: a fault is written as in Flip(in: Upload, at: 1_000, bit: 3)
    "#);
}

#[test]
fn faults_in_another_form() {
    assert_snapshot!(diagnose(&["Stall", "Flip(Upload, 1_000, 3)", "Flip()", "(in: Upload)", "\"Stall\""]), @r#"
    error: expected `(`
     --> test.ron:5:14
      |
    5 |         Stall,
      |              ^
      |
      = help: it is written Stall(in: Upload, at: 1_000)

    error: expected `:`
     --> test.ron:6:20
      |
    6 |         Flip(Upload, 1_000, 3),
      |                    ^
      |
      = help: it is written Flip(in: Upload, at: 1_000, bit: 3)

    error: this `Flip` has no `in`, no `at`, no `bit`
     --> test.ron:7:9
      |
    7 |         Flip(),
      |         ^^^^
      |
      = help: it is written Flip(in: Upload, at: 1_000, bit: 3)

    error: a fault cannot be something in brackets
     --> test.ron:8:9
      |
    8 |         (in: Upload),
      |         ^^^^^^^^^^^^
      |
      = help: a fault is written as in Flip(in: Upload, at: 1_000, bit: 3)

    error: a fault cannot be the text "Stall"
     --> test.ron:9:9
      |
    9 |         "Stall",
      |         ^^^^^^^
      |
      = help: a fault is written as in Flip(in: Upload, at: 1_000, bit: 3)
    "#);
}

#[test]
fn unknown_fields() {
    assert_snapshot!(diagnose(&["Flip(in: Upload, at: 0, bitt: 3)", "Stall(in: Upload, at: 0, for: 3)"]), @r#"
    error: unknown field "bitt", did you mean "bit"?
     --> test.ron:5:33
      |
    5 |         Flip(in: Upload, at: 0, bitt: 3),
      |                                 ^^^^
      |
      = help: it is written Flip(in: Upload, at: 1_000, bit: 3)

    error: unknown field "for": there is in, at
     --> test.ron:6:34
      |
    6 |         Stall(in: Upload, at: 0, for: 3),
      |                                  ^^^
      |
      = help: it is written Stall(in: Upload, at: 1_000)
    "#);
}

#[test]
fn missing_fields() {
    assert_snapshot!(diagnose(&["Flip(in: Upload, at: 1_000)", "Xor(at: 1)", "Latency()"]), @r#"
    error: this `Flip` has no `bit`
     --> test.ron:5:9
      |
    5 |         Flip(in: Upload, at: 1_000),
      |         ^^^^
      |
      = help: it is written Flip(in: Upload, at: 1_000, bit: 3)

    error: this `Xor` has no `in`, no `hex` or `text`
     --> test.ron:6:9
      |
    6 |         Xor(at: 1),
      |         ^^^
      |
      = help: it is written Xor(in: Upload, at: 1_000, text: "...")

    error: this `Latency` has no `min`, no `max`
     --> test.ron:7:9
      |
    7 |         Latency(),
      |         ^^^^^^^
      |
      = help: it is written Latency(min: 0.001, max: 0.1)
    "#);
}

#[test]
fn a_field_given_twice() {
    assert_snapshot!(diagnose(&["Flip(in: Upload, at: 0, bit: 1, bit: 2)"]), @r"
    error: the field `bit` is given twice
     --> test.ron:5:41
      |
    5 |         Flip(in: Upload, at: 0, bit: 1, bit: 2),
      |                                         ^^^
    ");
}

#[test]
fn faults_whose_place_is_fixed() {
    let items =
        ["NoSpace(in: Upload, at: 50_000)", "CrashBeforeSync(at: 1)", "Latency(in: Upload, min: 0, max: 1)"];
    assert_snapshot!(diagnose(&items), @r"
    error: `NoSpace` takes no `in`: its place is fixed
     --> test.ron:5:17
      |
    5 |         NoSpace(in: Upload, at: 50_000),
      |                 ^^
      |
      = help: it is written NoSpace(at: 1_000)

    error: `CrashBeforeSync` takes no `at`: its place is fixed
     --> test.ron:6:25
      |
    6 |         CrashBeforeSync(at: 1),
      |                         ^^
      |
      = help: it is written CrashBeforeSync()

    error: `Latency` takes no `in`: its place is fixed
     --> test.ron:7:17
      |
    7 |         Latency(in: Upload, min: 0, max: 1),
      |                 ^^
      |
      = help: it is written Latency(min: 0.001, max: 0.1)
    ");
}

#[test]
fn unknown_regions() {
    let items = [
        "Stall(in: Uplod, at: 0)",
        "Stall(in: 5, at: 0)",
        "Stall(in: Step, at: 0)",
        "Stall(in: Step(\"x\"), at: 0)",
    ];
    assert_snapshot!(diagnose(&items), @r#"
    error: unknown region "Uplod", did you mean "Upload"?
     --> test.ron:5:19
      |
    5 |         Stall(in: Uplod, at: 0),
      |                   ^^^^^

    error: `in` must be ToServer, ToClient, Upload, Download or Step(NUMBER), not the number 5
     --> test.ron:6:19
      |
    6 |         Stall(in: 5, at: 0),
      |                   ^

    error: `in` must be ToServer, ToClient, Upload, Download or Step(NUMBER), not `Step`
     --> test.ron:7:19
      |
    7 |         Stall(in: Step, at: 0),
      |                   ^^^^

    error: the number of a step must be a whole number from 1 on, not the text "x"
     --> test.ron:8:24
      |
    8 |         Stall(in: Step("x"), at: 0),
      |                        ^^^
    "#);
}

#[test]
fn steps_that_are_not_there() {
    assert_snapshot!(diagnose(&["Stall(in: Step(0), at: 0)", "Stall(in: Step(3), at: 0)"]), @r"
    error: the number of a step must be a whole number from 1 on, not the number 0
     --> test.ron:5:24
      |
    5 |         Stall(in: Step(0), at: 0),
      |                        ^

    error: there is no step 3: this scenario has 2
     --> test.ron:6:24
      |
    6 |         Stall(in: Step(3), at: 0),
      |                        ^
    ");
}

#[test]
fn several_mistakes_in_one_fault() {
    assert_snapshot!(diagnose(&["Flip(in: Uplod, at: \"x\", bit: 9)"]), @r#"
    error: unknown region "Uplod", did you mean "Upload"?
     --> test.ron:5:18
      |
    5 |         Flip(in: Uplod, at: "x", bit: 9),
      |                  ^^^^^

    error: `at` must be an offset in bytes, Percent(NUMBER), Last or Random, not the text "x"
     --> test.ron:5:29
      |
    5 |         Flip(in: Uplod, at: "x", bit: 9),
      |                             ^^^

    error: `bit` must be a whole number from 0 to 7, not the number 9
     --> test.ron:5:39
      |
    5 |         Flip(in: Uplod, at: "x", bit: 9),
      |                                       ^
    "#);
}

#[test]
fn faults_that_are_no_list() {
    assert_snapshot!(faults("Flip(in: Upload, at: 0, bit: 1)").unwrap_err().render(false), @r"
    error: `faults` must be a list in `[` and `]`, not `Flip(in: Upload, at: 0, bit: 1)`
     --> test.ron:4:13
      |
    4 |     faults: Flip(in: Upload, at: 0, bit: 1),
      |             ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
    ");
}

#[test]
fn too_many_faults() {
    let items = vec!["Stall(in: Upload, at: 0)"; MAX_FAULTS + 2];
    assert!(faults(&list(&items[2..])).is_ok());
    assert_snapshot!(diagnose(&items), @r"
    error: `faults` can have at most 16 items, and here is one more
      --> test.ron:21:9
       |
    21 |         Stall(in: Upload, at: 0),
       |         ^^^^^^^^^^^^^^^^^^^^^^^^
    ");
}
