//! Mistakes in the form of a scenario file: brackets, quotes, commas, fields and
//! types, with the diagnostic each gets, word for word.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::path::Path;

use insta::assert_snapshot;
use sim::scenario::Scenario;

const BASIC: &str = include_str!("../../scenarios/basic.ron");

/// What is said about a whole file.
fn diagnose(text: &str) -> String {
    Scenario::parse(text, Path::new("test.ron")).unwrap_err().render(false)
}

/// What is said about the basic scenario with one change.
fn diagnose_basic(from: &str, to: &str) -> String {
    assert!(BASIC.contains(from));
    diagnose(&BASIC.replace(from, to))
}

#[test]
fn nothing_is_there() {
    assert_snapshot!(diagnose(""), @r#"
    error: the file is empty
     --> test.ron:1:1
      |
    1 |
      | ^
      |
      = help: a scenario is written Scenario(about: "...", steps: [...])
    "#);
    assert_snapshot!(diagnose("// later\r\n"), @r#"
    error: the file is empty
     --> test.ron:2:1
      |
    2 |
      | ^
      |
      = help: a scenario is written Scenario(about: "...", steps: [...])
    "#);
}

#[test]
fn what_must_be_there_is_not() {
    assert_snapshot!(diagnose("// A comment.\nScenario()"), @r#"
    error: this scenario has no `about`
     --> test.ron:2:1
      |
    2 | Scenario()
      | ^^^^^^^^
      |
      = help: add about: "what this scenario shows"

    error: this scenario has no `steps`
     --> test.ron:2:1
      |
    2 | Scenario()
      | ^^^^^^^^
      |
      = help: add steps: [Server(Listen), ...], or base: "basic.ron"
    "#);
    assert_snapshot!(diagnose("Scenario(about: \" \", steps: [])"), @r#"
    error: `about` says nothing
     --> test.ron:1:17
      |
    1 | Scenario(about: " ", steps: [])
      |                 ^^^

    error: a scenario has at least one step
     --> test.ron:1:29
      |
    1 | Scenario(about: " ", steps: [])
      |                             ^^
    "#);
}

#[test]
fn something_else_is_there() {
    assert_snapshot!(diagnose("[1, 2]"), @r#"
    error: expected `Scenario(`
     --> test.ron:1:1
      |
    1 | [1, 2]
      | ^
      |
      = help: a scenario is written Scenario(about: "...", steps: [...])
    "#);
    assert_snapshot!(diagnose("Scenary(about: \"x\")"), @r#"
    error: unknown file type "Scenary", did you mean "Scenario"?
     --> test.ron:1:1
      |
    1 | Scenary(about: "x")
      | ^^^^^^^
      |
      = help: a scenario is written Scenario(about: "...", steps: [...])
    "#);
    assert_snapshot!(diagnose("#![enable(unwrap_newtypes)]\nScenario(about: \"x\")"), @r"
    error: extensions of RON are not part of a scenario file
     --> test.ron:1:1
      |
    1 | #![enable(unwrap_newtypes)]
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = help: remove the `#![enable(...)]`
    ");
    assert_snapshot!(diagnose("Scenario(about: \"x\", steps: [Server(Listen)]) more"), @r#"
    error: nothing may follow here
     --> test.ron:1:47
      |
    1 | Scenario(about: "x", steps: [Server(Listen)]) more
      |                                               ^
    "#);
}

#[test]
fn values_of_the_wrong_type() {
    let text = r#"Scenario(
    about: ["x"],
    transport: "tcp",
    seed: 1.5,
    deadline: Long,
    base: 'b',
    files: [],
    steps: { "a": "b" },
)"#;
    assert_snapshot!(diagnose(text), @r#"
    error: `about` must be text in double quotes, not a list
     --> test.ron:2:12
      |
    2 |     about: ["x"],
      |            ^^^^^

    error: `transport` must be Memory, Turmoil or Tcp, not the text "tcp"
     --> test.ron:3:16
      |
    3 |     transport: "tcp",
      |                ^^^^^

    error: `seed` must be a whole number from 0 on, not the number 1.5
     --> test.ron:4:11
      |
    4 |     seed: 1.5,
      |           ^^^

    error: `deadline` must be a number of seconds, not `Long`
     --> test.ron:5:15
      |
    5 |     deadline: Long,
      |               ^^^^

    error: `base` must be the path of a scenario in double quotes, not the character 'b'
     --> test.ron:6:11
      |
    6 |     base: 'b',
      |           ^^^

    error: `files` must be a map, as in { "my_file.jpg": Noise(1_000) }, not a list
     --> test.ron:7:12
      |
    7 |     files: [],
      |            ^^

    error: `steps` must be a list in `[` and `]`, not a map
     --> test.ron:8:12
      |
    8 |     steps: { "a": "b" },
      |            ^^^^^^^^^^^^
    "#);
}

#[test]
fn an_unclosed_bracket() {
    assert_snapshot!(diagnose_basic("    ],\n)", ")"), @r"
    error: this `[` is never closed
      --> test.ron:20:12
       |
    20 |     steps: [
       |            ^
       |
       = help: a `]` is missing before line 53, column 1
    ");
    assert_snapshot!(diagnose_basic("Client(Details),", "Client(Details,"), @r"
    error: this `(` is never closed
      --> test.ron:33:15
       |
    33 |         Client(Details,                  //  8  > my_file.jpg;123456
       |               ^
       |
       = help: a `)` is missing before line 53, column 5
    ");
    assert_snapshot!(diagnose("Scenario(about: \"(\", /* ( */ steps: [Server(Listen)] // )"), @r#"
    error: this `(` is never closed
     --> test.ron:1:9
      |
    1 | Scenario(about: "(", /* ( */ steps: [Server(Listen)] // )
      |         ^
      |
      = help: a `)` is missing before line 1, column 58
    "#);
}

#[test]
fn an_unclosed_quote() {
    assert_snapshot!(diagnose_basic("Upload(\"my_file.jpg\")", "Upload(\"my_file.jpg)"), @r#"
    error: this text runs on over several lines
      --> test.ron:31:23
       |
    31 |         Client(Upload("my_file.jpg)),    //  6  > UPLOAD
       |                       ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
       |
       = help: is its closing quote missing?
    "#);
    assert_snapshot!(diagnose("Scenario(about: \"x)"), @r#"
    error: this text has no closing quote
     --> test.ron:1:17
      |
    1 | Scenario(about: "x)
      |                 ^
    "#);
}

#[test]
fn a_missing_comma() {
    assert_snapshot!(diagnose_basic("Client(Details),", "Client(Details)"), @r"
    error: expected a comma before this
      --> test.ron:34:9
       |
    34 |         Server(Ready),                    //  9  < Ready to receive the file
       |         ^
    ");
}

#[test]
fn a_missing_colon() {
    assert_snapshot!(diagnose("Scenario(about \"x\")"), @r#"
    error: expected `:`
     --> test.ron:1:16
      |
    1 | Scenario(about "x")
      |                ^
    "#);
}

#[test]
fn a_line_too_long_to_show() {
    let text = format!("Scenario(about: \"{}\", steps: [Server(Lisen)])", "é".repeat(100_000));
    assert_snapshot!(diagnose(&text), @r#"
    error: unknown step "Lisen", did you mean "Listen"?
    --> test.ron:1:100036
     = help: it is written Server(Listen)
    "#);
}

#[test]
fn brackets_without_end() {
    let first_line = |text: &str| diagnose(text).lines().next().unwrap_or_default().to_owned();
    let many = |text: &str| first_line(&text.repeat(100_000));
    assert_snapshot!(many("["), @"error: expected `Scenario(`");
    assert_snapshot!(many("("), @"error: expected a name");
    assert_snapshot!(many("/*"), @"error: a comment that begins with `/*` is never closed");
    let inside = |text: &str| first_line(&format!("Scenario(steps: {}", text.repeat(100_000)));
    assert_snapshot!(inside("["), @"error: brackets are nested too deep");
    assert_snapshot!(inside("Client("), @"error: brackets are nested too deep");
    assert_snapshot!(inside("{"), @"error: brackets are nested too deep");
    assert_snapshot!(inside("Some("), @"error: brackets are nested too deep");
}
