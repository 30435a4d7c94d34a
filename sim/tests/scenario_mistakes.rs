//! Every mistake a person can make about steps and files, once, with the
//! diagnostic it gets, word for word. Those of form are in
//! `scenario_syntax.rs`.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::path::Path;

use insta::assert_snapshot;
use notation::MAX_MISTAKES;
use sim::scenario::Scenario;

const BASIC: &str = include_str!("../../scenarios/basic.ron");

/// What is said about a whole file.
fn diagnose(text: &str) -> String {
    Scenario::parse(text, Path::new("test.ron")).unwrap_err().render(false)
}

/// What is said about one step.
fn diagnose_step(step: &str) -> String {
    diagnose(&format!("Scenario(\n    about: \"x\",\n    steps: [\n        {step},\n    ],\n)"))
}

/// What is said about the files.
fn diagnose_files(files: &[&str]) -> String {
    let files = files.join(",\n        ");
    let start = "Scenario(\n    about: \"x\",\n    files: {\n        ";
    diagnose(&format!("{start}{files}\n    }},\n    steps: [Server(Listen)],\n)"))
}

/// What is said about the basic scenario with one change.
fn diagnose_basic(from: &str, to: &str) -> String {
    assert!(BASIC.contains(from));
    diagnose(&BASIC.replace(from, to))
}

// ---------------------------------------------------------------- steps

#[test]
fn a_slip_of_the_keyboard() {
    assert_snapshot!(diagnose_step("Client(Uplaod(\"a\"))"), @r#"
    error: unknown step "Uplaod", did you mean "Upload"?
     --> test.ron:4:16
      |
    4 |         Client(Uplaod("a")),
      |                ^^^^^^
      |
      = help: it is written Client(Upload("NAME"))
    "#);
}

#[test]
fn a_step_nobody_has() {
    assert_snapshot!(diagnose_step("Server(Frobnicate)"), @r#"
    error: unknown step "Frobnicate"
     --> test.ron:4:16
      |
    4 |         Server(Frobnicate),
      |                ^^^^^^^^^^
      |
      = help: the steps of the server are Listen, NoFiles, AskDetails, Ready, ReceiveFile, SaveFile, SendHash, Files, AskId, SendFile
    "#);
}

#[test]
fn a_step_of_the_other_side() {
    assert_snapshot!(diagnose_step("Client(AskDetails)"), @r#"
    error: unknown step "AskDetails", did you mean "Server(AskDetails)"?
     --> test.ron:4:16
      |
    4 |         Client(AskDetails),
      |                ^^^^^^^^^^
    "#);
}

#[test]
fn a_step_without_a_side() {
    assert_snapshot!(diagnose_step("Upload(\"a\")"), @r#"
    error: unknown step "Upload", did you mean "Client(Upload(...))"?
     --> test.ron:4:9
      |
    4 |         Upload("a"),
      |         ^^^^^^
    "#);
}

#[test]
fn a_step_without_its_file() {
    assert_snapshot!(diagnose_step("Client(Upload)"), @r#"
    error: expected `(`
     --> test.ron:4:22
      |
    4 |         Client(Upload),
      |                      ^
      |
      = help: this step is written Client(Upload("NAME"))
    "#);
}

#[test]
fn a_step_with_too_much() {
    assert_snapshot!(diagnose_step("Server(ReceiveFile(Success))"), @r"
    error: expected `)`
     --> test.ron:4:27
      |
    4 |         Server(ReceiveFile(Success)),
      |                           ^
      |
      = help: this step is written Server(ReceiveFile)
    ");
}

#[test]
fn a_step_that_is_a_number() {
    assert_snapshot!(diagnose_step("7"), @r"
    error: a step cannot be the number 7
     --> test.ron:4:9
      |
    4 |         7,
      |         ^
      |
      = help: a step is written Client(...) or Server(...)
    ");
}

#[test]
fn an_unknown_claim() {
    assert_snapshot!(diagnose_step("Client(Compare(Succes))"), @r#"
    error: unknown claim "Succes", did you mean "Success"?
     --> test.ron:4:24
      |
    4 |         Client(Compare(Succes)),
      |                        ^^^^^^
    "#);
}

#[test]
fn a_file_name_that_is_a_number() {
    assert_snapshot!(diagnose_step("Client(Upload(5))"), @r"
    error: a file name must be text in double quotes, not the number 5
     --> test.ron:4:23
      |
    4 |         Client(Upload(5)),
      |                       ^
    ");
}

#[test]
fn a_bad_file_name() {
    assert_snapshot!(diagnose_step("Client(Download(\"../etc/passwd\"))"), @r#"
    error: a file name cannot hold `/` or `\`
     --> test.ron:4:25
      |
    4 |         Client(Download("../etc/passwd")),
      |                         ^^^^^^^^^^^^^^^
    "#);
}

#[test]
fn a_listing_without_files() {
    assert_snapshot!(diagnose_step("Server(Files([]))"), @r"
    error: this listing names no file
     --> test.ron:4:22
      |
    4 |         Server(Files([])),
      |                      ^^
      |
      = help: a listing without files is written Server(NoFiles)
    ");
}

#[test]
fn a_file_that_is_not_declared() {
    assert_snapshot!(diagnose_basic("Download(\"my_file.jpg\")", "Download(\"my_flie.jpg\")"), @r#"
    error: `files` declares no "my_flie.jpg", did you mean "my_file.jpg"?
      --> test.ron:46:25
       |
    46 |         Client(Download("my_flie.jpg")),  // 17  > DOWNLOAD
       |                         ^^^^^^^^^^^^^
       |
       = help: a file is declared as in files: { "my_flie.jpg": Noise(1_000) }
    "#);
}

/// Mistakes of many kinds.
const FULL_OF_MISTAKES: &str = r#"Scenario(
    about: "x",
    sead: 1,
    steps: [
        Client(Conect),
        Server(Files(["a", 7])),
        Sever(Listen),
    ],
    transport: Udp,
    deadline: 0,
    seed: -1,
    seed: 2,
)"#;

#[test]
fn several_mistakes_at_once_in_reading_order() {
    assert_snapshot!(diagnose(FULL_OF_MISTAKES), @r#"
    error: unknown field "sead", did you mean "seed"?
     --> test.ron:3:5
      |
    3 |     sead: 1,
      |     ^^^^

    error: unknown step "Conect", did you mean "Connect"?
     --> test.ron:5:16
      |
    5 |         Client(Conect),
      |                ^^^^^^
      |
      = help: it is written Client(Connect)

    error: `files` declares no "a"
     --> test.ron:6:23
      |
    6 |         Server(Files(["a", 7])),
      |                       ^^^
      |
      = help: a file is declared as in files: { "a": Noise(1_000) }

    error: a file name must be text in double quotes, not the number 7
     --> test.ron:6:28
      |
    6 |         Server(Files(["a", 7])),
      |                            ^

    error: unknown step "Sever", did you mean "Server"?
     --> test.ron:7:9
      |
    7 |         Sever(Listen),
      |         ^^^^^

    error: unknown transport "Udp": there is Memory, Turmoil, Tcp
     --> test.ron:9:16
      |
    9 |     transport: Udp,
      |                ^^^

    error: `deadline` must be more than 0 and at most 86400 seconds
      --> test.ron:10:15
       |
    10 |     deadline: 0,
       |               ^

    error: the field `seed` is given twice
      --> test.ron:12:5
       |
    12 |     seed: 2,
       |     ^^^^
    "#);
}

#[test]
fn thousands_of_mistakes_are_counted() {
    let text = format!("Scenario(about: \"x\", steps: [{}])", "A,".repeat(100_000));
    let error = Scenario::parse(&text, Path::new("test.ron")).unwrap_err();
    assert_eq!(error.mistakes().len(), MAX_MISTAKES);
    assert!(error.render(false).ends_with("and 99980 more like these"));
    assert_snapshot!(error, @r#"test.ron:1:30: unknown step "A" (and 99999 more)"#);
}

// ---------------------------------------------------------------- files

#[test]
fn an_unknown_source() {
    assert_snapshot!(diagnose_files(&["\"a\": Noize(5)"]), @r#"
    error: unknown source "Noize", did you mean "Noise"?
     --> test.ron:4:14
      |
    4 |         "a": Noize(5)
      |              ^^^^^
      |
      = help: a source is Text("..."), Hex("..."), Noise(SIZE), Path("FILE") or SameAs("NAME")
    "#);
}

#[test]
fn sources_of_the_wrong_type() {
    assert_snapshot!(diagnose_files(&["\"a\": Noise(-1)", "\"b\": 5", "\"c\": Noise(2_000_000_000_000)"]), @r#"
    error: the size of `Noise` must be a whole number of bytes, not the number -1
     --> test.ron:4:20
      |
    4 |         "a": Noise(-1),
      |                    ^^

    error: a source cannot be the number 5
     --> test.ron:5:14
      |
    5 |         "b": 5,
      |              ^
      |
      = help: a source is Text("..."), Hex("..."), Noise(SIZE), Path("FILE") or SameAs("NAME")

    error: `Noise` makes at most 1099511627776 bytes
     --> test.ron:6:20
      |
    6 |         "c": Noise(2_000_000_000_000)
      |                    ^^^^^^^^^^^^^^^^^
    "#);
}

#[test]
fn bad_hexadecimal_digits() {
    let files = ["\"a\": Hex(\"d1 3g\")", "\"b\": Hex(\"d1 3\")", "\"c\": Hex(\"\\u{e9}\")"];
    assert_snapshot!(diagnose_files(&files), @r#"
    error: 'g' is not a hexadecimal digit
     --> test.ron:4:23
      |
    4 |         "a": Hex("d1 3g"),
      |                       ^

    error: `Hex` needs two digits for each byte, and these are 3
     --> test.ron:5:18
      |
    5 |         "b": Hex("d1 3"),
      |                  ^^^^^^

    error: 'é' is not a hexadecimal digit
     --> test.ron:6:18
      |
    6 |         "c": Hex("\u{e9}")
      |                  ^^^^^^^^
    "#);
}

#[test]
fn links_that_lead_nowhere() {
    let files =
        ["\"a\": SameAs(\"b\")", "\"b\": SameAs(\"c\")", "\"c\": SameAs(\"b\")", "\"ab\": SameAs(\"abc\")"];
    assert_snapshot!(diagnose_files(&files), @r#"
    error: these files go round in a ring and none has bytes of its own: "b" -> "c" -> "b"
     --> test.ron:5:14
      |
    5 |         "b": SameAs("c"),
      |              ^^^^^^^^^^^

    error: `files` declares no "abc", did you mean "ab"?
     --> test.ron:7:22
      |
    7 |         "ab": SameAs("abc")
      |                      ^^^^^
      |
      = help: a file is declared as in files: { "abc": Noise(1_000) }
    "#);
}

#[test]
fn names_that_are_bad_or_taken() {
    let files = ["\"a\": Noise(1)", "\"a\": Noise(2)", "\"..\": Noise(3)", "c: Noise(4)"];
    assert_snapshot!(diagnose_files(&files), @r#"
    error: "a" is declared twice
     --> test.ron:5:9
      |
    5 |         "a": Noise(2),
      |         ^^^

    error: `.` and `..` name directories, not files
     --> test.ron:6:9
      |
    6 |         "..": Noise(3),
      |         ^^^^

    error: a file name must be text in double quotes, not `c`
     --> test.ron:7:9
      |
    7 |         c: Noise(4)
      |         ^
    "#);
}
