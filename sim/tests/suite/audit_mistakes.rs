//! Mistakes in audit files: each is shown where it stands, with what to write instead.

use std::collections::BTreeSet;
use std::path::Path;

use audit::{Audit, DEFAULT_TRIALS, MAX_TRIALS};
use notation::ScenarioError;

/// A sound audit with `old` replaced by `new`.
fn with(old: &str, new: &str) -> Result<Audit, ScenarioError> {
    let sound = r#"Audit(
    about: "Sound.",
    transfer: Upload,
    server: Program(run: "serve {port}", ready: Line("^listening")),
    client: Program(run: "put {host} {port} {file}", env: { "A": "{name}" }),
    received: "{server}/{name}",
    success: Line("^Success"),
    fail: Exit([1, 2]),
    faults: [Default, Flip(in: Upload, at: 0, bit: 1)],
)"#;
    assert!(sound.contains(old), "{old}");
    Audit::parse(&sound.replace(old, new), Path::new("audit.ron"))
}

#[test]
fn a_sound_audit_has_none() {
    let audit = with("Sound.", "Sound indeed.").unwrap();
    assert_eq!(audit.about, "Sound indeed.");
    assert_eq!(audit.trials(None).last().unwrap().what(), "Flip(in: Upload, at: 0, bit: 1)");
}

/// What of a sound audit is written otherwise, and how; the place that is then underlined; and what is said of it.
const MISTAKES: [(&str, &str, &str, &str); 30] = [
    ("transfer: Upload", "transfer: Uplaod", "Uplaod", "did you mean \"Upload\"?"),
    ("received:", "recieved:", "recieved", "did you mean \"received\"?"),
    ("{file}", "{flie}", "flie", "unknown placeholder \"flie\", did you mean \"file\"?"),
    ("serve {port}", "serve 'x {port}", "\"serve 'x {port}\"", "never closed"),
    ("Program(run: \"serve", "Program(rnu: \"serve", "rnu", "did you mean \"run\"?"),
    (
        "Line(\"^Success\")",
        "Line(\"(Success\")",
        "Line(\"(Success\")",
        "no regular expression: unclosed group",
    ),
    ("Line(\"^Success\")", "Lime(\"^S\")", "Lime(\"^S\")", "did you mean \"Line\"?"),
    ("Exit([1, 2])", "Exit(256)", "Exit(256)", "codes from 0 to 255"),
    (
        "success: Line(\"^Success\")",
        "success: Exit([0, 2])",
        "Exit([1, 2])",
        "exit code 2 says `success` as well",
    ),
    ("Exit([1, 2])", "Exit([])", "Exit([])", "Exit(0) or Exit([1, 2])"),
    ("serve {port}", "serve 9999", "Program(run", "not told on which port to listen"),
    ("{host} {port}", "{host} 9999", "Program(run", "not told on which port the proxy listens"),
    ("in: Upload", "in: Download", "Flip(in: Download, at: 0, bit: 1)", "this audit is of an upload"),
    ("Flip(in: Upload, at: 0, bit: 1)", "NoSpace(at: 0)", "NoSpace(at: 0)", "over the wire"),
    ("about: \"Sound.\"", "about: \"Sound.\", size: 5", "5", "from 1_024 to"),
    ("about: \"Sound.\"", "about: \"Sound.\", isolate: true", "true", "`isolate` needs `port`"),
    (
        "about: \"Sound.\"",
        "about: \"Sound.\", leaves_no: [Rejetced]",
        "Rejetced",
        "did you mean \"Rejected\"?",
    ),
    ("Flip(in: Upload, at: 0, bit: 1)", "Env()", "Env()", "changes nothing in the environment"),
    ("Flip(in: Upload, at: 0, bit: 1)", "Env(sever: {})", "sever", "did you mean \"server\"?"),
    ("\"{server}/{name}\"", "\"\"", "\"\"", "the path of a file"),
    ("\"{server}/{name}\"", "\"{received}\"", "\"{received}\"", "cannot be said by"),
    (
        "\"{server}/{name}\"",
        "\"{server}/a/../../../{name}\"",
        "\"{server}/a/../../../{name}\"",
        "`received` leads out of the directories of the run",
    ),
    (
        "about: \"Sound.\"",
        "about: \"Sound.\", sent: \"../../{name}\"",
        "\"../../{name}\"",
        "one elsewhere is absolute, or begins with {here}",
    ),
    ("Line(\"^Success\")", "File(\"{client}/../../done\")", "\"{client}/../../done\"", "`File` leads out"),
    ("Line(\"^Success\")", "Line(\"x*\")", "Line(\"x*\")", "matches every line"),
    ("fail: Exit([1, 2])", "fail: Line(\"^Success\")", "Line(\"^Success\")", "the same line says"),
    ("fail: Exit([1, 2])", "leaves_no: [Rejected]", "[Rejected]", "no file is ever rejected"),
    ("success: Line(\"^Success\")", "nth: 2", "2", "`nth` is for lines"),
    ("about: \"Sound.\",", "", "Audit", "no `about`"),
    ("received: \"{server}/{name}\",", "", "Audit", "no `received`"),
];

#[test]
fn each_mistake_is_shown_where_it_stands() {
    for (old, new, place, message) in MISTAKES {
        let error = with(old, new).unwrap_err();
        let mistake = &error.mistakes()[0];
        assert!(error.render(false).contains(message), "{new}: {}", error.render(false));
        let text = mistake.place().unwrap().text();
        assert!(text.starts_with(place), "{new}: {text:?} is underlined");
    }
}

#[test]
fn where_to_listen_and_to_connect_can_be_told_by_the_environment() {
    with("serve {port}", "sh -c 'serve $PORT'").unwrap();
    with("put {host} {port} {file}", "sh -c 'put $HOST ${PORT} $FILE'").unwrap();
    with("{server}/{name}", "{server}/../client/{name}").unwrap();
}

#[test]
fn a_server_that_runs_already_gets_no_environment() {
    let text = r#"Audit(about: "x", transfer: Upload, server: At("localhost:1"), client: Own, received: "/x",
        faults: [Default, Env(server: { "A": "b" })])"#;
    let error = Audit::parse(text, Path::new("audit.ron")).unwrap_err();
    let mistake = &error.mistakes()[0];
    assert!(error.render(false).contains("cannot be given an environment"), "{}", error.render(false));
    assert_eq!(mistake.place().unwrap().text(), r#"Env(server: { "A": "b" })"#);
}

/// An audit that lists these faults.
fn listing(faults: &str) -> Result<Audit, ScenarioError> {
    with("[Default, Flip(in: Upload, at: 0, bit: 1)]", &format!("[{faults}]"))
}

#[test]
fn an_audit_may_try_thousands_of_faults() {
    let audit = listing(&"Stall(in: Upload, at: 0),".repeat(30_000)).unwrap();
    let trials = audit.trials(None);
    let names: BTreeSet<&str> = trials.iter().map(|trial| trial.name.as_str()).collect();
    assert_eq!((trials.len(), names.len()), (30_000, 30_000), "each has a name of its own");
    assert_eq!((trials[0].name.as_str(), trials[29_999].name.as_str()), ("stall", "stall-30000"));
}

#[test]
fn an_audit_does_not_try_more_than_fits_into_memory() {
    assert_eq!(listing("Default").unwrap().trials(None).len(), DEFAULT_TRIALS);
    let sets = MAX_TRIALS / DEFAULT_TRIALS;
    let full = "Default,".repeat(sets) + &"Reset(in: Upload, at: 0),".repeat(MAX_TRIALS % DEFAULT_TRIALS);
    assert_eq!(listing(&full).unwrap().trials(None).len(), MAX_TRIALS);
    let error = listing(&format!("{full} Stall(in: Upload, at: 0), Stall(in: Upload, at: 0)")).unwrap_err();
    assert_eq!(error.mistakes().len(), 1, "{}", error.render(false));
    let mistake = &error.mistakes()[0];
    assert_eq!(mistake.place().unwrap().text(), "Stall(in: Upload, at: 0)");
    assert_eq!(
        mistake.message(),
        "an audit can try at most 65_536 faults, and `Default` is 34 of them: here is one more"
    );
}

#[test]
fn all_mistakes_are_found_at_once() {
    let error = with("about: \"Sound.\"", "abuot: 1, seed: -1, deadline: 0").unwrap_err();
    assert_eq!(error.mistakes().len(), 3, "{}", error.render(false));
}

#[test]
fn what_is_no_audit_is_said_to_be_none() {
    for text in ["", "Scenario(about: \"x\")", "[1]", "Audit(", "Audit"] {
        let error = Audit::parse(text, Path::new("audit.ron")).unwrap_err();
        assert!(!error.mistakes().is_empty(), "{text:?}");
    }
}
