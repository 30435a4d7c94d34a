//! Scenario files as files: what a right one means, what a base gives, and
//! what is said about files that are no scenarios at all. The mistakes inside a
//! file are in `scenario_mistakes.rs`.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::ValueEnum;
use insta::assert_snapshot;
use protocol::FileName;
use sim::scenario::{ClientStep, MAX_BASES, Scenario, ServerStep, Source, Step, StepClaim, TransportKind};
use tempfile::TempDir;

const BASIC: &str = include_str!("../../scenarios/basic.ron");

fn name(text: &str) -> FileName {
    FileName::parse(text).unwrap()
}

fn basic() -> Scenario {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios/basic.ron");
    Scenario::load(&path).unwrap_or_else(|error| panic!("{}", error.render(false)))
}

/// A folder of scenario files.
struct Folder(TempDir);

impl Folder {
    fn new(files: &[(&str, &str)]) -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        for (file, text) in files {
            fs::create_dir_all(folder.path(file).parent().unwrap()).unwrap();
            fs::write(folder.path(file), text).unwrap();
        }
        folder
    }

    fn path(&self, file: &str) -> PathBuf {
        self.0.path().join(file)
    }

    fn load(&self, file: &str) -> Scenario {
        Scenario::load(&self.path(file)).unwrap_or_else(|error| panic!("{}", error.render(false)))
    }

    /// What is said about `file`, the folder written as DIR.
    fn diagnose(&self, file: &str) -> String {
        let rendered = Scenario::load(&self.path(file)).unwrap_err().render(false);
        rendered.replace(&self.0.path().display().to_string(), "DIR")
    }
}

#[test]
fn the_basic_scenario_has_the_22_steps() {
    let scenario = basic();
    assert_eq!(scenario.steps.len(), 22);
    assert_eq!(scenario.steps[5].value, Step::Client(ClientStep::Upload(name("my_file.jpg"))));
    assert_eq!(scenario.steps[13].value, Step::Client(ClientStep::Compare(StepClaim::Success)));
    assert_eq!(scenario.steps[15].value, Step::Server(ServerStep::Files(vec![name("my_file.jpg")])));
    assert_eq!(scenario.files[&name("my_file.jpg")].value, Source::Noise(123_456));
    assert_eq!((scenario.seed, scenario.transport), (1, TransportKind::Turmoil));
    assert_eq!(scenario.deadline, Duration::from_secs(30));
}

#[test]
fn every_step_knows_its_text() {
    let scenario = basic();
    for step in &scenario.steps {
        assert_eq!(step.place.text(), step.value.to_string());
    }
    let line = BASIC.lines().position(|line| line.contains("Client(SendId)")).unwrap() + 1;
    let place = &scenario.steps[18].place;
    assert_eq!((place.line(), place.column()), (line, 9));
}

#[test]
fn every_step_of_the_basic_scenario_is_numbered_beside_it() {
    for (index, step) in basic().steps.iter().enumerate() {
        let line = BASIC.lines().nth(step.place.line() - 1).unwrap();
        let comment = line.split_once("// ").unwrap().1.trim_start();
        assert!(comment.starts_with(&format!("{}  ", index + 1)), "{line}");
    }
}

#[test]
fn all_fields_can_be_given() {
    let text = r#"Scenario(
        about: "x", transport: Tcp, seed: 18_446_744_073_709_551_615, deadline: 0.5,
        files: {
            "a": Text("höhö"), "b": Hex("d1 31\n DD"), "c": Noise(0), "d": SameAs("a"), "e": SameAs("d"),
        },
        steps: [Client(Upload("e")), /* in between */ Client(Compare(Fail)) // at the end
        ],
    )"#;
    let scenario = Scenario::parse(text, Path::new("all.ron")).unwrap();
    assert_eq!((scenario.transport, scenario.seed), (TransportKind::Tcp, u64::MAX));
    assert_eq!(scenario.deadline, Duration::from_millis(500));
    let sources: Vec<&Source> = scenario.files.values().map(|file| &file.value).collect();
    assert_eq!(sources[0], &Source::Text("höhö".into()));
    assert_eq!(sources[1], &Source::Hex(vec![0xd1, 0x31, 0xdd]));
    assert_eq!(sources[4], &Source::SameAs(name("d")));
    assert_eq!(scenario.steps[1].place.text(), "Client(Compare(Fail))");
}

#[test]
fn a_byte_order_mark_and_windows_line_endings_change_nothing() {
    let plain = Scenario::parse(BASIC, Path::new("x.ron")).unwrap();
    let windows = format!("\u{feff}{}", BASIC.replace('\n', "\r\n"));
    let windows = Scenario::parse(&windows, Path::new("x.ron")).unwrap();
    for (a, b) in plain.steps.iter().zip(&windows.steps) {
        assert_eq!((&a.value, a.place.to_string()), (&b.value, b.place.to_string()));
    }
    let folder = Folder::new(&[("x.ron", "\u{feff}Scenario(about: 7,\r\n    seed: 'x')\r\n")]);
    assert_snapshot!(folder.diagnose("x.ron"), @r#"
    error: this scenario has no `steps`
     --> DIR/x.ron:1:1
      |
    1 | Scenario(about: 7,
      | ^^^^^^^^
      |
      = help: add steps: [Server(Listen), ...], or base: "basic.ron"

    error: `about` must be text in double quotes, not the number 7
     --> DIR/x.ron:1:17
      |
    1 | Scenario(about: 7,
      |                 ^

    error: `seed` must be a whole number from 0 on, not the character 'x'
     --> DIR/x.ron:2:11
      |
    2 |     seed: 'x')
      |           ^^^
    "#);
}

#[test]
fn transports_have_names() {
    assert_eq!(TransportKind::ALL.map(|kind| kind.to_string()), ["memory", "turmoil", "tcp"]);
    for kind in TransportKind::ALL {
        assert_eq!(kind.to_string().parse(), Ok(kind));
        // The command line knows them by the same names.
        assert_eq!(TransportKind::from_str(&kind.to_string(), false), Ok(kind));
    }
    let wrong = "turmiol".parse::<TransportKind>().unwrap_err();
    assert_snapshot!(wrong, @r#"unknown transport "turmiol", did you mean "turmoil"?"#);
}

#[test]
fn paths_stand_beside_the_scenario() {
    let text = r#"Scenario(about: "x", files: { "a": Path("photo.jpg") }, steps: [Client(Upload("a"))])"#;
    let folder = Folder::new(&[("x.ron", text), ("photo.jpg", "bytes")]);
    let scenario = folder.load("x.ron");
    assert_eq!(scenario.files[&name("a")].value, Source::Path(folder.path("photo.jpg")));
}

#[test]
fn paths_that_are_no_files() {
    let text = r#"Scenario(
    about: "x",
    files: {
        "a": Path("phote.jpg"),
        "b": Path("."),
    },
    steps: [Server(Listen)],
)"#;
    let folder = Folder::new(&[("x.ron", text), ("photo.jpg", "bytes")]);
    assert_snapshot!(folder.diagnose("x.ron"), @r#"
    error: the file "phote.jpg" does not exist
     --> DIR/x.ron:4:19
      |
    4 |         "a": Path("phote.jpg"),
      |                   ^^^^^^^^^^^
      |
      = help: there is a "photo.jpg" in the same folder

    error: the file "." is a directory
     --> DIR/x.ron:5:19
      |
    5 |         "b": Path("."),
      |                   ^^^
    "#);
}

// ---------------------------------------------------------------- bases

#[test]
fn a_base_gives_what_is_not_said() {
    let folder = Folder::new(&[
        ("heir.ron", r#"Scenario(base: "sub/base.ron", about: "heir", seed: 7)"#),
        ("sub/base.ron", r#"Scenario(base: "../root.ron", about: "base", files: { "a": Path("a.bin") })"#),
        ("sub/a.bin", "bytes"),
        (
            "root.ron",
            r#"Scenario(about: "root", seed: 1, transport: Memory, deadline: 5,
            files: { "a": Noise(1) }, steps: [Client(Upload("a"))])"#,
        ),
    ]);
    let scenario = folder.load("heir.ron");
    assert_eq!((scenario.about.as_str(), scenario.seed), ("heir", 7));
    assert_eq!((scenario.transport, scenario.deadline), (TransportKind::Memory, Duration::from_secs(5)));
    assert_eq!(scenario.path, folder.path("heir.ron"));
    // A path in the base is looked up in the base's folder.
    assert_eq!(scenario.files[&name("a")].value, Source::Path(folder.path("sub/a.bin")));
    assert_eq!(scenario.steps[0].place.path(), folder.path("sub/../root.ron"));
}

#[test]
fn about_is_not_inherited() {
    let folder = Folder::new(&[("heir.ron", "Scenario(base: \"basic.ron\")"), ("basic.ron", BASIC)]);
    assert_snapshot!(folder.diagnose("heir.ron"), @r#"
    error: this scenario has no `about`
     --> DIR/heir.ron:1:1
      |
    1 | Scenario(base: "basic.ron")
      | ^^^^^^^^
      |
      = help: add about: "what this scenario shows"
    "#);
}

#[test]
fn a_missing_base() {
    let heir = "Scenario(about: \"x\", base: \"basci.ron\", steps: [Client(Upload(\"a\"))])";
    let folder = Folder::new(&[("heir.ron", heir), ("basic.ron", "")]);
    assert_snapshot!(folder.diagnose("heir.ron"), @r#"
    error: the base "basci.ron" does not exist
     --> DIR/heir.ron:1:28
      |
    1 | Scenario(about: "x", base: "basci.ron", steps: [Client(Upload("a"))])
      |                            ^^^^^^^^^^^
      |
      = help: there is a "basic.ron" in the same folder
    "#);
}

#[test]
fn a_base_that_is_no_text() {
    let folder = Folder::new(&[("heir.ron", "Scenario(about: \"x\", base: \"photo.jpg\")")]);
    fs::write(folder.path("photo.jpg"), b"\xff\xd8\xff").unwrap();
    assert_snapshot!(folder.diagnose("heir.ron"), @r#"
    error: the base "photo.jpg" is not text: its byte 0 (0xFF) is not UTF-8
     --> DIR/heir.ron:1:28
      |
    1 | Scenario(about: "x", base: "photo.jpg")
      |                            ^^^^^^^^^^^
    "#);
}

#[test]
fn a_base_of_itself() {
    let folder = Folder::new(&[("x.ron", "Scenario(about: \"x\", base: \"./x.ron\")")]);
    assert_snapshot!(folder.diagnose("x.ron"), @r#"
    error: these scenarios build on each other in a ring: DIR/x.ron -> DIR/x.ron
     --> DIR/x.ron:1:28
      |
    1 | Scenario(about: "x", base: "./x.ron")
      |                            ^^^^^^^^^
    "#);
}

#[test]
fn a_ring_of_bases() {
    let folder = Folder::new(&[
        ("a.ron", "Scenario(about: \"x\", base: \"b.ron\")"),
        ("b.ron", "Scenario(about: \"x\", base: \"c.ron\")"),
        ("c.ron", "Scenario(about: \"x\", base: \"b.ron\")"),
    ]);
    assert_snapshot!(folder.diagnose("a.ron"), @r#"
    error: these scenarios build on each other in a ring: DIR/b.ron -> DIR/c.ron -> DIR/b.ron
     --> DIR/c.ron:1:28
      |
    1 | Scenario(about: "x", base: "b.ron")
      |                            ^^^^^^^
    "#);
}

#[test]
fn bases_upon_bases() {
    let last = MAX_BASES + 1;
    let root = "Scenario(about: \"x\", steps: [Server(Listen)])";
    let folder = Folder::new(&[(&format!("{last}.ron"), root)]);
    for i in 0..last {
        let text = format!("Scenario(about: \"x\", base: \"{}.ron\")", i + 1);
        fs::write(folder.path(&format!("{i}.ron")), text).unwrap();
    }
    folder.load("1.ron");
    assert_snapshot!(folder.diagnose("0.ron"), @r#"
    error: at most 8 scenarios can build on each other
     --> DIR/8.ron:1:28
      |
    1 | Scenario(about: "x", base: "9.ron")
      |                            ^^^^^^^
    "#);
}

#[test]
fn mistakes_in_base_and_heir_are_shown_together() {
    let folder = Folder::new(&[
        ("heir.ron", "Scenario(about: \"x\", base: \"base.ron\", seed: \"y\")"),
        ("base.ron", "Scenario(about: \"x\", steps: [Server(Lisen)])"),
    ]);
    assert_snapshot!(folder.diagnose("heir.ron"), @r#"
    error: unknown step "Lisen", did you mean "Listen"?
     --> DIR/base.ron:1:37
      |
    1 | Scenario(about: "x", steps: [Server(Lisen)])
      |                                     ^^^^^
      |
      = help: it is written Server(Listen)

    error: `seed` must be a whole number from 0 on, not the text "y"
     --> DIR/heir.ron:1:46
      |
    1 | Scenario(about: "x", base: "base.ron", seed: "y")
      |                                              ^^^
    "#);
}

#[test]
fn inherited_steps_name_files_that_are_gone() {
    let folder = Folder::new(&[
        ("heir.ron", "Scenario(about: \"x\", base: \"base.ron\", files: { \"b\": Noise(1) })"),
        ("base.ron", "Scenario(about: \"x\", files: { \"a\": Noise(1) }, steps: [Client(Upload(\"a\"))])"),
    ]);
    assert_snapshot!(folder.diagnose("heir.ron"), @r#"
    error: `files` declares no "a"
     --> DIR/base.ron:1:70
      |
    1 | Scenario(about: "x", files: { "a": Noise(1) }, steps: [Client(Upload("a"))])
      |                                                                      ^^^
      |
      = help: a file is declared as in files: { "a": Noise(1_000) }
      = note: DIR/heir.ron takes its steps from here, but has `files` of its own
    "#);
}

#[test]
fn own_steps_may_name_inherited_files_and_no_others() {
    let folder = Folder::new(&[
        ("good.ron", "Scenario(about: \"x\", base: \"basic.ron\", steps: [Client(Upload(\"my_file.jpg\"))])"),
        ("bad.ron", "Scenario(about: \"x\", base: \"basic.ron\", steps: [Client(Upload(\"my_file.jpeg\"))])"),
        ("basic.ron", BASIC),
    ]);
    folder.load("good.ron");
    assert_snapshot!(folder.diagnose("bad.ron"), @r#"
    error: `files` declares no "my_file.jpeg", did you mean "my_file.jpg"?
     --> DIR/bad.ron:1:63
      |
    1 | Scenario(about: "x", base: "basic.ron", steps: [Client(Upload("my_file.jpeg"))])
      |                                                               ^^^^^^^^^^^^^^
      |
      = help: a file is declared as in files: { "my_file.jpeg": Noise(1_000) }
    "#);
}

// ---------------------------------------------------------------- files that are no scenarios

#[test]
fn bytes_that_are_no_text() {
    let folder = Folder::new(&[]);
    fs::write(folder.path("x.ron"), b"Scenario(\xff)").unwrap();
    assert_snapshot!(folder.diagnose("x.ron"), @r"
    error: the file is not text: its byte 9 (0xFF) is not UTF-8
    --> DIR/x.ron
    ");
}

#[test]
fn a_hundred_megabytes() {
    let folder = Folder::new(&[]);
    // A hole of this size takes no room on the disk.
    fs::File::create(folder.path("x.ron")).unwrap().set_len(100 << 20).unwrap();
    assert_snapshot!(folder.diagnose("x.ron"), @r#"
    error: the file has 104857600 bytes, and at most 1048576 are read
    --> DIR/x.ron
     = help: large content goes beside the scenario, as Path("FILE"), or is made up, as Noise(SIZE)
    "#);
    let text = " ".repeat((1 << 20) + 1);
    assert_snapshot!(Scenario::parse(&text, Path::new("test.ron")).unwrap_err(), @"test.ron: the file has 1048577 bytes, and at most 1048576 are read");
}

#[test]
fn a_directory() {
    let folder = Folder::new(&[("x.ron/file", "")]);
    assert_snapshot!(folder.diagnose("x.ron"), @r"
    error: the file is a directory
    --> DIR/x.ron
    ");
}

#[cfg(unix)]
#[test]
fn a_device_without_end() {
    assert_snapshot!(Scenario::load(Path::new("/dev/zero")).unwrap_err(), @"/dev/zero: the file is not a regular file");
}

#[cfg(unix)]
#[test]
fn a_pipe_nobody_writes_to() {
    let folder = Folder::new(&[]);
    let made = std::process::Command::new("mkfifo").arg(folder.path("x.ron")).status();
    // Not every system has the command; where it has, reading must not wait.
    if made.is_ok_and(|status| status.success()) {
        assert_snapshot!(folder.diagnose("x.ron"), @r"
        error: the file is not a regular file
        --> DIR/x.ron
        ");
    }
}

#[test]
fn a_file_that_does_not_exist() {
    let folder = Folder::new(&[("basic.ron", ""), ("other.ron", "")]);
    assert_snapshot!(folder.diagnose("bsaic.ron"), @r#"
    error: the file does not exist
    --> DIR/bsaic.ron
     = help: there is a "basic.ron" in the same folder
    "#);
    assert_snapshot!(folder.diagnose("no/such/folder.ron"), @r"
    error: the file does not exist
    --> DIR/no/such/folder.ron
    ");
}

#[test]
fn colours_are_added_only_when_asked_for() {
    let error = Scenario::parse("", Path::new("test.ron")).unwrap_err();
    assert!(!error.render(false).contains('\u{1b}'));
    assert!(error.render(true).contains('\u{1b}'));
}
