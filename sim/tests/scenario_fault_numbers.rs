//! Every mistake in the numbers and bytes of a fault, with the diagnostic it gets, word for word. The other mistakes are in
//! `scenario_fault_mistakes.rs`.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::path::Path;

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
fn numbers_out_of_range() {
    let items = [
        "Flip(in: Upload, at: 0, bit: 8)",
        "Rot(at: 0, bit: -1)",
        "Drop(in: Upload, at: 0, bytes: 0)",
        "Drop(in: Upload, at: 0, bytes: 16_777_217)",
        "Slice(in: Upload, at: 0, bytes: 0)",
        "ShortWrite(at: 0, bytes: 0)",
        "Throttle(in: Upload, at: 0, rate: 0)",
    ];
    assert_snapshot!(diagnose(&items), @r"
    error: `bit` must be a whole number from 0 to 7, not the number 8
     --> test.ron:5:38
      |
    5 |         Flip(in: Upload, at: 0, bit: 8),
      |                                      ^

    error: `bit` must be a whole number from 0 to 7, not the number -1
     --> test.ron:6:25
      |
    6 |         Rot(at: 0, bit: -1),
      |                         ^^

    error: `bytes` must be a whole number from 1 to 16_777_216, not the number 0
     --> test.ron:7:40
      |
    7 |         Drop(in: Upload, at: 0, bytes: 0),
      |                                        ^

    error: `bytes` must be a whole number from 1 to 16_777_216, not the number 16_777_217
     --> test.ron:8:40
      |
    8 |         Drop(in: Upload, at: 0, bytes: 16_777_217),
      |                                        ^^^^^^^^^^

    error: `bytes` must be a whole number from 1 on, not the number 0
     --> test.ron:9:41
      |
    9 |         Slice(in: Upload, at: 0, bytes: 0),
      |                                         ^

    error: `bytes` must be a whole number from 1 on, not the number 0
      --> test.ron:10:34
       |
    10 |         ShortWrite(at: 0, bytes: 0),
       |                                  ^

    error: `rate` must be a whole number from 1 on, not the number 0
      --> test.ron:11:43
       |
    11 |         Throttle(in: Upload, at: 0, rate: 0),
       |                                           ^
    ");
}

#[test]
fn times_out_of_range() {
    let items = [
        "Delay(in: Upload, at: 0, lasts: 0)",
        "Hold(in: Upload, at: 0, lasts: 1e300)",
        "Crash(in: Upload, at: 0, lasts: \"5\")",
        "Latency(min: -1, max: 0)",
        "Latency(min: 0.2, max: 0.1)",
    ];
    assert_snapshot!(diagnose(&items), @r#"
    error: `lasts` must be more than 0 and at most 86400 seconds
     --> test.ron:5:41
      |
    5 |         Delay(in: Upload, at: 0, lasts: 0),
      |                                         ^

    error: `lasts` must be more than 0 and at most 86400 seconds
     --> test.ron:6:40
      |
    6 |         Hold(in: Upload, at: 0, lasts: 1e300),
      |                                        ^^^^^

    error: `lasts` must be a number of seconds, not the text "5"
     --> test.ron:7:41
      |
    7 |         Crash(in: Upload, at: 0, lasts: "5"),
      |                                         ^^^

    error: `min` must be at least 0 and at most 86400 seconds
     --> test.ron:8:22
      |
    8 |         Latency(min: -1, max: 0),
      |                      ^^

    error: `max` must be more than 0 and at most 86400 seconds
     --> test.ron:8:31
      |
    8 |         Latency(min: -1, max: 0),
      |                               ^

    error: `min` is more than `max`
     --> test.ron:9:22
      |
    9 |         Latency(min: 0.2, max: 0.1),
      |                      ^^^
    "#);
}

#[test]
fn bytes_that_are_none() {
    let items = [
        "Insert(in: Upload, at: 0, text: \"\")",
        "Overwrite(in: Upload, at: 0, hex: \" \")",
        "Insert(in: Upload, at: 0, hex: \"00\", text: \"a\")",
        "Insert(in: Upload, at: 0, hex: \"0g\")",
        "Xor(in: Upload, at: 0, hex: \"000\")",
        "Xor(in: Upload, at: 0, hex: \"0000\")",
        "Insert(in: Upload, at: 0, text: 5)",
    ];
    assert_snapshot!(diagnose(&items), @r#"
    error: there must be at least one byte
     --> test.ron:5:41
      |
    5 |         Insert(in: Upload, at: 0, text: ""),
      |                                         ^^

    error: there must be at least one byte
     --> test.ron:6:43
      |
    6 |         Overwrite(in: Upload, at: 0, hex: " "),
      |                                           ^^^

    error: the bytes are given by `hex` or by `text`, not by both
     --> test.ron:7:52
      |
    7 |         Insert(in: Upload, at: 0, hex: "00", text: "a"),
      |                                                    ^^^

    error: 'g' is not a hexadecimal digit
     --> test.ron:8:42
      |
    8 |         Insert(in: Upload, at: 0, hex: "0g"),
      |                                          ^

    error: `hex` needs two digits for each byte, and these are 3
     --> test.ron:9:37
      |
    9 |         Xor(in: Upload, at: 0, hex: "000"),
      |                                     ^^^^^

    error: a mask of zeros changes nothing
      --> test.ron:10:37
       |
    10 |         Xor(in: Upload, at: 0, hex: "0000"),
       |                                     ^^^^^^

    error: `text` must be text in double quotes, not the number 5
      --> test.ron:11:41
       |
    11 |         Insert(in: Upload, at: 0, text: 5),
       |                                         ^
    "#);
}

#[test]
fn ranges_that_cannot_change_places() {
    let items = [
        "Reorder(in: Upload, at: 1_000, bytes: 100, with: 1_099)",
        "Reorder(in: Upload, at: Random, bytes: 100, with: 99)",
        "Reorder(in: Upload, at: Last, bytes: 100, with: 1_000)",
        "Reorder(in: Upload, at: 0, bytes: 1, with: 16_777_216)",
        "Reorder(in: Upload, at: 18_446_744_073_709_551_615, bytes: 1, with: 18_446_744_073_709_551_615)",
    ];
    assert_snapshot!(diagnose(&items), @r"
    error: these bytes overlap those at `at`
     --> test.ron:5:58
      |
    5 |         Reorder(in: Upload, at: 1_000, bytes: 100, with: 1_099),
      |                                                          ^^^^^
      |
      = help: here `with` is at least 1_100

    error: these bytes overlap those at `at`
     --> test.ron:6:59
      |
    6 |         Reorder(in: Upload, at: Random, bytes: 100, with: 99),
      |                                                           ^^
      |
      = help: here `with` is at least 100

    error: no bytes come after the last with which it could change places
     --> test.ron:7:33
      |
    7 |         Reorder(in: Upload, at: Last, bytes: 100, with: 1_000),
      |                                 ^^^^

    error: the bytes that change places must lie within 16_777_216 bytes
     --> test.ron:8:52
      |
    8 |         Reorder(in: Upload, at: 0, bytes: 1, with: 16_777_216),
      |                                                    ^^^^^^^^^^

    error: these bytes overlap those at `at`
     --> test.ron:9:77
      |
    9 |         Reorder(in: Upload, at: 18_446_744_073_709_551_615, bytes: 1, with: 18_446_744_073_709_551_615),
      |                                                                             ^^^^^^^^^^^^^^^^^^^^^^^^^^
    ");
}

#[test]
fn shares_that_are_none() {
    assert_snapshot!(diagnose(&["Stall(in: Upload, at: Percent(101))", "Stall(in: Upload, at: Percent)"]), @r#"
    error: a percentage must be a whole number from 0 to 100, not the number 101
     --> test.ron:5:39
      |
    5 |         Stall(in: Upload, at: Percent(101)),
      |                                       ^^^

    error: `at` must be an offset in bytes, Percent(NUMBER), Last or Random, not `Percent`
     --> test.ron:6:31
      |
    6 |         Stall(in: Upload, at: Percent),
      |                               ^^^^^^^
    "#);
}

#[test]
fn places_that_are_none() {
    assert_snapshot!(diagnose(&["Stall(in: Upload, at: Lats)", "Stall(in: Upload, at: -1)"]), @r#"
    error: unknown place "Lats", did you mean "Last"?
     --> test.ron:5:31
      |
    5 |         Stall(in: Upload, at: Lats),
      |                               ^^^^

    error: `at` must be an offset in bytes, Percent(NUMBER), Last or Random, not the number -1
     --> test.ron:6:31
      |
    6 |         Stall(in: Upload, at: -1),
      |                               ^^
    "#);
}
