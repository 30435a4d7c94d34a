//! Faults, expectations and retries: what each form means, and the mistakes in them, word for word. Those in faults are
//! in `scenario_fault_mistakes.rs` and `scenario_fault_numbers.rs`, several clients in `scenario_clients.rs`.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::fs;
use std::path::Path;
use std::time::Duration;

use faults::{At, Effect, Fault, Layer, MAX_WINDOW, Region, Verdict};
use insta::assert_snapshot;
use notation::Located;
use protocol::FileName;
use sim::scenario::{Expect, MAX_RETRIES, Scenario};

/// Two steps and what else is given.
fn scenario(fields: &str) -> Result<Scenario, String> {
    let text = format!(
        "Scenario(\n    about: \"x\",\n    steps: [Server(Listen), Client(Start)],\n    {fields},\n)"
    );
    Scenario::parse(&text, Path::new("test.ron")).map_err(|error| error.render(false))
}

fn fault(text: &str) -> Fault {
    let faults = scenario(&format!("faults: [{text}]")).unwrap_or_else(|error| panic!("{error}")).faults;
    assert_eq!(faults[0].place.text(), text);
    faults[0].value.clone()
}

fn expect(text: &str) -> Vec<Expect> {
    let scenario = scenario(&format!("expect: {text}")).unwrap_or_else(|error| panic!("{error}"));
    scenario.expect.into_iter().map(|expect| expect.value).collect()
}

fn name(text: &str) -> FileName {
    FileName::parse(text).unwrap()
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn values<T: Clone>(located: &[Located<T>]) -> Vec<T> {
    located.iter().map(|item| item.value.clone()).collect()
}

// ---------------------------------------------------------------- what is right

/// A kind of fault: how it is written, what it does, where.
type Form = (&'static str, Effect, Region, At);

/// Every kind of fault of a stream.
fn stream_forms() -> Vec<Form> {
    use At::{Last, Offset, Percent, Random};
    use Region::{Download, Step, ToClient, ToServer, Upload};
    let lasts = seconds(5);
    vec![
        ("Flip(in: Upload, at: 1_000, bit: 3)", Effect::Flip { bit: 3 }, Upload, Offset(1_000)),
        ("Xor(in: Upload, at: 21, hex: \"04\")", Effect::Xor { mask: vec![4] }, Upload, Offset(21)),
        ("Drop(in: Upload, at: Random, bytes: 100)", Effect::Drop { bytes: 100 }, Upload, Random),
        ("Truncate(in: Download, at: 5_000)", Effect::Truncate, Download, Offset(5_000)),
        (
            "Insert(in: Upload, at: 10, text: \"extra\")",
            Effect::Insert { bytes: b"extra".into() },
            Upload,
            Offset(10),
        ),
        (
            "Duplicate(in: ToClient, at: 0, bytes: 16_777_216)",
            Effect::Duplicate { bytes: MAX_WINDOW },
            ToClient,
            Offset(0),
        ),
        (
            "Reorder(in: Upload, at: 1_000, bytes: 100, with: 5_000)",
            Effect::Reorder { bytes: 100, with: 5_000 },
            Upload,
            Offset(1_000),
        ),
        (
            "Overwrite(in: Step(2), at: 0, text: \"Hash: \\\"ö\\\"\\n\")",
            Effect::Overwrite { bytes: "Hash: \"ö\"\n".into() },
            Step(2),
            Offset(0),
        ),
        ("Reset(in: Download, at: Percent(50))", Effect::Reset, Download, Percent(50)),
        ("Stall(in: ToServer, at: Last)", Effect::Stall, ToServer, Last),
        ("Delay(in: Upload, at: 7, lasts: 5)", Effect::Delay { lasts }, Upload, Offset(7)),
        ("Throttle(in: Upload, at: 0, rate: 10_000)", Effect::Throttle { rate: 10_000 }, Upload, Offset(0)),
        ("Slice(in: Upload, at: 0, bytes: 1)", Effect::Slice { bytes: 1 }, Upload, Offset(0)),
        (
            "Coalesce(in: Upload, at: 0, lasts: 0.05)",
            Effect::Coalesce { lasts: Duration::from_millis(50) },
            Upload,
            Offset(0),
        ),
        ("Reset(in: Upload, at: 50_000)", Effect::Reset, Upload, Offset(50_000)),
        ("HalfClose(in: ToClient, at: 10)", Effect::HalfClose, ToClient, Offset(10)),
    ]
}

/// The same for those of the network and the disk.
fn other_forms() -> Vec<Form> {
    use At::{Last, Offset};
    use Region::{ToServer, Upload};
    let lasts = seconds(5);
    vec![
        (
            "Latency(min: 0.001, max: 0.1)",
            Effect::Latency { min: Duration::from_millis(1), max: Duration::from_millis(100) },
            ToServer,
            Offset(0),
        ),
        ("Partition(in: Upload, at: 50_000, lasts: 5)", Effect::Partition { lasts }, Upload, Offset(50_000)),
        ("Hold(in: Upload, at: 50_000, lasts: 5)", Effect::Hold { lasts }, Upload, Offset(50_000)),
        ("Crash(in: Upload, at: 50_000, lasts: 5)", Effect::Crash { lasts }, Upload, Offset(50_000)),
        ("NoSpace(at: 50_000)", Effect::NoSpace, Upload, Offset(50_000)),
        ("WriteError(at: Last)", Effect::WriteError, Upload, Last),
        ("ShortWrite(at: 1_000, bytes: 10)", Effect::ShortWrite { bytes: 10 }, Upload, Offset(1_000)),
        ("CrashBeforeSync()", Effect::CrashBeforeSync, Upload, Offset(0)),
        ("CrashBeforeRename()", Effect::CrashBeforeRename, Upload, Offset(0)),
        ("CrashAfterRename()", Effect::CrashAfterRename, Upload, Offset(0)),
        ("Rot(at: 1_000, bit: 7)", Effect::Rot { bit: 7 }, Upload, Offset(1_000)),
    ]
}

/// Every kind of fault.
fn forms() -> Vec<Form> {
    [stream_forms(), other_forms()].concat()
}

#[test]
fn every_fault_is_displayed_as_it_is_written() {
    for (text, effect, region, at) in forms() {
        let expected = Fault { effect, region, at };
        assert_eq!(fault(text), expected);
        assert_eq!(expected.to_string(), text);
        assert!(text.starts_with(&format!("{}(", expected.effect.name())));
    }
}

#[test]
fn other_ways_to_write_the_same() {
    let same = |one: &str, other: &str| assert_eq!(fault(one), fault(other));
    same("Flip(bit: 0x3, at: 1000, /* here */ in: Upload,)", "Flip(in: Upload, at: 1_000, bit: 3)");
    same("Insert(in: Upload, at: 1, hex: \"61 62\")", "Insert(in: Upload, at: 1, text: \"ab\")");
    same("Delay(in: Upload, at: 1, lasts: 5.0)", "Delay(in: Upload, at: 1, lasts: 5)");
    same("Latency(min: 0, max: 1)", "Latency(min: 0.0, max: 1.0)");
}

#[test]
fn bytes_that_are_no_text_are_displayed_in_hexadecimal_digits() {
    let shown = |bytes: &str| fault(&format!("Insert(in: Upload, at: 0, {bytes})")).to_string();
    assert_snapshot!(shown("hex: \"00 FF\""), @r#"Insert(in: Upload, at: 0, hex: "00ff")"#);
    assert_snapshot!(shown("text: \"\\u{0}\""), @r#"Insert(in: Upload, at: 0, hex: "00")"#);
    assert_snapshot!(shown("hex: \"61\""), @r#"Insert(in: Upload, at: 0, text: "a")"#);
}

#[test]
fn ranges_may_touch_and_lie_a_window_apart() {
    fault("Reorder(in: Upload, at: 0, bytes: 100, with: 100)");
    fault("Reorder(in: Upload, at: Random, bytes: 100, with: 100)");
    fault("Reorder(in: Upload, at: 50, bytes: 100, with: 16_777_166)");
}

#[test]
fn kinds_of_faults() {
    let names = |wanted: fn(&Fault) -> bool| {
        let faults = forms().into_iter().map(|(_, effect, region, at)| Fault { effect, region, at });
        faults.filter(wanted).map(|fault| fault.effect.name()).collect::<Vec<&str>>().join(" ")
    };
    assert_snapshot!(names(Fault::changes_bytes), @"Flip Xor Drop Truncate Insert Duplicate Reorder Overwrite ShortWrite Rot");
    assert_snapshot!(names(|fault| fault.effect.layer() == Layer::Network), @"Latency Partition Hold Crash");
    assert_snapshot!(names(|fault| fault.effect.layer() == Layer::Disk), @"NoSpace WriteError ShortWrite CrashBeforeSync CrashBeforeRename CrashAfterRename Rot");
}

#[test]
fn expectations() {
    use Verdict::{Aborted, Crashed, Detected, FalseAlarm, Hung, Inconclusive, Intact, Recovered, Silent};
    for verdict in [Intact, Detected, Recovered, Aborted, FalseAlarm, Silent, Hung, Crashed, Inconclusive] {
        let expected = vec![Expect::Upload(verdict), Expect::Download(verdict)];
        assert_eq!(expect(&format!("[Upload({verdict}), Download({verdict})]")), expected);
        assert_eq!(expect(&format!("[{}, {}]", expected[0], expected[1])), expected);
    }
    let listed = expect("[Lists([\"b\", \"a\", \"b\"]), Lists([])]");
    assert_eq!(listed, [Expect::Lists(vec![name("a"), name("b"), name("b")]), Expect::Lists(vec![])]);
    assert_eq!(listed[0].to_string(), "Lists([\"a\", \"b\", \"b\"])");
    assert_eq!(expect("[]"), []);
}

#[test]
fn retries() {
    assert_eq!(scenario("seed: 1").unwrap().retries, 0);
    assert_eq!(scenario("retries: 2").unwrap().retries, 2);
    assert_eq!(scenario("retries: 100").unwrap().retries, MAX_RETRIES);
}

// ---------------------------------------------------------------- bases

/// What `heir.ron` gives beside a base with a fault in step 2.
fn heir(fields: &str) -> Result<Scenario, String> {
    let folder = tempfile::tempdir().unwrap();
    let base = "Scenario(about: \"x\", retries: 3, files: { \"a\": Noise(1) },
    steps: [Server(Listen), Client(Upload(\"a\"))],
    faults: [Stall(in: Step(2), at: 0)],
    expect: [Upload(Aborted)],
)";
    fs::write(folder.path().join("base.ron"), base).unwrap();
    let path = folder.path().join("heir.ron");
    fs::write(&path, format!("Scenario(about: \"x\", base: \"base.ron\", {fields})")).unwrap();
    Scenario::load(&path)
        .map_err(|error| error.render(false).replace(&folder.path().display().to_string(), "DIR"))
}

#[test]
fn what_a_base_gives() {
    let heir_of_all = heir("").unwrap();
    assert_eq!(heir_of_all.faults[0].value.to_string(), "Stall(in: Step(2), at: 0)");
    assert_eq!(values(&heir_of_all.expect), [Expect::Upload(Verdict::Aborted)]);
    assert_eq!((heir_of_all.retries, heir_of_all.steps.len()), (3, 2));
    let other = heir("faults: [], expect: [], retries: 0").unwrap();
    assert_eq!((other.faults.len(), other.expect.len(), other.retries), (0, 0, 0));
    let other = heir("faults: [Stall(in: Step(1), at: 0)]").unwrap();
    assert_eq!(other.faults[0].value.region, Region::Step(1));
}

#[test]
fn inherited_faults_name_steps_that_are_gone() {
    assert_snapshot!(heir("steps: [Server(Listen)]").unwrap_err(), @r"
    error: there is no step 2: this scenario has one
     --> DIR/base.ron:3:29
      |
    3 |     faults: [Stall(in: Step(2), at: 0)],
      |                             ^
      |
      = note: DIR/heir.ron takes its faults from here, but has `steps` of its own
    ");
    assert_snapshot!(heir("clients: [[Upload(\"a\")]]").unwrap_err(), @r"
    error: there is no step 2: this scenario has `clients`
     --> DIR/base.ron:3:29
      |
    3 |     faults: [Stall(in: Step(2), at: 0)],
      |                             ^
      |
      = note: DIR/heir.ron takes its faults from here, but has `clients` of its own
    ");
    assert_snapshot!(heir("faults: [Stall(in: Step(3), at: 0)]").unwrap_err(), @r#"
    error: there is no step 3: this scenario has 2
     --> DIR/heir.ron:1:64
      |
    1 | Scenario(about: "x", base: "base.ron", faults: [Stall(in: Step(3), at: 0)])
      |                                                                ^
    "#);
}

// ---------------------------------------------------------------- mistakes

#[test]
fn expectations_that_are_none() {
    let items = "[
        Upload(Detectd),
        Uplaod(Detected),
        Download(5),
        Download,
        Intact,
    ]";
    assert_snapshot!(scenario(&format!("expect: {items}")).unwrap_err(), @r#"
    error: unknown verdict "Detectd", did you mean "Detected"?
     --> test.ron:5:16
      |
    5 |         Upload(Detectd),
      |                ^^^^^^^

    error: unknown expectation "Uplaod", did you mean "Upload"?
     --> test.ron:6:9
      |
    6 |         Uplaod(Detected),
      |         ^^^^^^
      |
      = help: an expectation is written Upload(VERDICT), Download(VERDICT) or Lists(["NAME"]), as in Upload(Detected)

    error: a verdict must be a word such as Detected, not the number 5
     --> test.ron:7:18
      |
    7 |         Download(5),
      |                  ^

    error: expected `(`
     --> test.ron:8:17
      |
    8 |         Download,
      |                 ^
      |
      = help: an expectation is written Upload(VERDICT), Download(VERDICT) or Lists(["NAME"]), as in Upload(Detected)

    error: unknown expectation "Intact": there is Upload, Download, Lists
     --> test.ron:9:9
      |
    9 |         Intact,
      |         ^^^^^^
      |
      = help: an expectation is written Upload(VERDICT), Download(VERDICT) or Lists(["NAME"]), as in Upload(Detected)
    "#);
}

#[test]
fn expectations_with_other_values() {
    let items = "[
        \"x\",
        Lists([\"a\", \"..\"]),
        Lists(\"a\"),
    ]";
    assert_snapshot!(scenario(&format!("expect: {items}")).unwrap_err(), @r#"
    error: an expectation cannot be the text "x"
     --> test.ron:5:9
      |
    5 |         "x",
      |         ^^^
      |
      = help: an expectation is written Upload(VERDICT), Download(VERDICT) or Lists(["NAME"]), as in Upload(Detected)

    error: `.` and `..` name directories, not files
     --> test.ron:6:21
      |
    6 |         Lists(["a", ".."]),
      |                     ^^^^

    error: the names of `Lists` must be a list in `[` and `]`, not the text "a"
     --> test.ron:7:15
      |
    7 |         Lists("a"),
      |               ^^^
    "#);
}

#[test]
fn too_many_retries() {
    assert_snapshot!(scenario("retries: 101").unwrap_err(), @r"
    error: `retries` must be a whole number from 0 to 100, not the number 101
     --> test.ron:4:14
      |
    4 |     retries: 101,
      |              ^^^
    ");
    assert_snapshot!(scenario("retries: -1").unwrap_err(), @r"
    error: `retries` must be a whole number from 0 to 100, not the number -1
     --> test.ron:4:14
      |
    4 |     retries: -1,
      |              ^^
    ");
}
