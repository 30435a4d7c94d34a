//! Every line of JSON that a command writes, held against `docs/json.schema.json`.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use jsonschema::Validator;
use serde_json::Value;

use super::workspace;

/// Which lines there have to be, so that no command is left out because it wrote nothing.
const KINDS: [&str; 32] = [
    "aftermath",
    "case",
    "check",
    "closed",
    "conclusion",
    "delivered",
    "deviation",
    "error",
    "event",
    "fault",
    "file",
    "finding",
    "fired",
    "inconclusive",
    "listening",
    "matrix",
    "mutant",
    "opened",
    "refused",
    "replay",
    "rotten",
    "runs",
    "scenario",
    "scrub",
    "session",
    "stopped",
    "stray",
    "sweep",
    "transfer",
    "trial",
    "unmet",
    "verdict",
];

/// A run of which an expectation is not met; of which a fault does not fire; and one that goes otherwise.
const SCENARIOS: [(&str, &str); 5] = [
    (
        "unmet",
        r#"base: "BASIC", faults: [Flip(in: Upload, at: 0, bit: 0)], expect: [Upload(Intact), Download(Intact), Lists([])]"#,
    ),
    ("never", r#"base: "BASIC", faults: [Reset(in: Upload, at: 9), Flip(in: Download, at: 0, bit: 0)]"#),
    (
        "silent",
        r#"base: "BASIC", faults: [Reset(in: Step(13), at: 0), Flip(in: Upload, at: 5, bit: 0)], expect: [Upload(Aborted)]"#,
    ),
    (
        "refused",
        r#"files: {"a": Text("x")}, clients: [[Upload("a")], [Upload("a")]], faults: [NoSpace(at: 0)]"#,
    ),
    (
        "otherwise",
        r#"files: {"a": Noise(1)}, steps: [Server(Listen), Client(Start), Client(Connect), Client(ListFiles),
        Server(Files(["a"])), Client(Disconnect)]"#,
    ),
];

fn validator() -> Validator {
    let text = std::fs::read_to_string(workspace("docs/json.schema.json")).unwrap();
    let schema: Value = serde_json::from_str(&text).unwrap();
    assert!(jsonschema::meta::is_valid(&schema), "the schema is none");
    jsonschema::validator_for(&schema).unwrap()
}

/// The lines of all outputs so far.
struct Seen {
    validator: Validator,
    lines: Vec<Value>,
}

impl Seen {
    /// Holds an output against the schema. Of several scenarios, each has a first line of its own.
    fn add(&mut self, what: &str, text: &str) {
        let lines =
            text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("{what}: {line}")));
        let lines: Vec<Value> = lines.collect();
        for (index, line) in lines.iter().enumerate() {
            assert!(self.validator.is_valid(line), "{what}: no line of docs/json.schema.json: {line:#}");
            let begins = index == 0 || line["type"] == "scenario";
            assert_eq!(
                line["schema"] == 1,
                begins,
                "{what}: the first line, and no other, says the schema: {line}"
            );
        }
        self.lines.extend(lines);
    }

    /// Runs `sim` with `args`, which has to exit with `code`.
    fn run(&mut self, args: &[&str], code: i32) {
        let output = sim(args).output().unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        let text = String::from_utf8(output.stdout).unwrap();
        assert_eq!(output.status.code(), Some(code), "{args:?}: {text}{errors}");
        self.add(&args.join(" "), &text);
    }
}

fn sim(args: &[&str]) -> Command {
    let mut sim = Command::new(env!("CARGO_BIN_EXE_sim"));
    sim.args(args).current_dir(workspace("."));
    sim
}

/// A program that runs until it is dropped, and its first line.
struct Background {
    child: Child,
    first: String,
    /// Its end of the pipe: without a reader it could not go on.
    _rest: BufReader<ChildStdout>,
}

impl Background {
    fn start(args: &[&str]) -> Self {
        let mut child = sim(args).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let (mut rest, mut first) = (BufReader::new(child.stdout.take().unwrap()), String::new());
        rest.read_line(&mut first).unwrap();
        Self { child, first, _rest: rest }
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn scenarios(seen: &mut Seen, dir: &Path) {
    let basic = workspace("scenarios/basic.ron").canonicalize().unwrap();
    for ((name, fields), code) in SCENARIOS.iter().zip([1, 3, 1, 0, 1]) {
        let fields = fields.replace("BASIC", basic.to_str().unwrap());
        let path = dir.join(format!("{name}.ron"));
        std::fs::write(&path, format!(r#"Scenario(about: "For a test.", {fields})"#)).unwrap();
        seen.run(&[path.to_str().unwrap(), "--transport", "memory", "--format", "json", "--times"], code);
    }
    let bad = dir.join("bad.ron");
    std::fs::write(&bad, "Scenario(about: \"x\", steps: [Client(Uplaod(\"a\"))])").unwrap();
    let [bad, unmet] = [bad, dir.join("unmet.ron")].map(|path| path.to_str().unwrap().to_owned());
    seen.run(&[&bad, "--format", "json"], 2);
    seen.run(&["check", "scenarios/basic.ron", &bad, "--format", "json"], 2);
    seen.run(&["scenarios/basic.ron", &unmet, "--transport", "memory", "--format", "json"], 1);
    let fault = |text, code, seen: &mut Seen| {
        seen.run(&["scenarios/basic.ron", "--format", "json", "--fault", text], code);
    };
    fault("Flip(in: Upload, at: 5, bit: 0)", 0, seen);
    fault("Flip(in: Upload, at: 123_456, bit: 0)", 2, seen);
    fault("Flip(in: Step(99), at: 0, bit: 0)", 2, seen);
    fault("Flip(in: Uplaod, at: 5)", 2, seen);
    seen.run(&["mutants", &unmet, "--format", "json"], 1);
    seen.run(&["mutants", "nowhere", "--format", "json"], 2);
    let narrow = ["sweep", "scenarios/basic.ron", "--kinds", "Flip", "--steps", "10", "--format", "json"];
    let sweep = |more: &[&'static str]| [&narrow[..], more].concat();
    seen.run(&sweep(&["--size", "20"]), 0);
    seen.run(&sweep(&["--size", "20", "--mutant", "LengthOnly"]), 1);
    seen.run(&sweep(&["--in", "nowhere"]), 2);
}

fn store(seen: &mut Seen, dir: &Path) {
    let [store, file, got] =
        ["store", "a file", "got"].map(|name| dir.join(name).to_str().unwrap().to_owned());
    std::fs::write(&file, b"some bytes").unwrap();
    let server = Background::start(&[
        "serve",
        "--dir",
        &store,
        "--listen",
        "127.0.0.1:0",
        "--json",
        "--max-file-size",
        "1MB",
    ]);
    seen.add("serve", &server.first);
    let first: Value = serde_json::from_str(&server.first).unwrap();
    let address = first["listening"].as_str().unwrap();
    let large = dir.join("large");
    std::fs::write(&large, vec![0; 1 << 20]).unwrap();
    seen.run(&["put", address, &file, large.to_str().unwrap(), "--json"], 4);
    seen.run(&["ls", address, "--json"], 0);
    seen.run(&["get", address, "a file", "-o", &got, "--json"], 0);
    seen.run(&["get", address, "a file", "-o", &got, "--json"], 2);
    seen.run(&["get", address, "another", "--json"], 4);
    seen.run(&["session", address, "--json"], 0);
    seen.run(&["conform", "--server", address, "--level", "1", "--format", "json"], 0);
    let fault = "Flip(in: ToServer, at: 15, bit: 0)";
    proxied(seen, address, &["--fault", fault], |proxy| {
        let _ = sim(&["put", proxy, &file, "--name", "b"]).output().unwrap();
    });
    drop(server);
    seen.run(&["ls", address, "--json"], 4);
    std::fs::write(Path::new(&store).join("stray"), b"x").unwrap();
    rot(Path::new(&store));
    seen.run(&["scrub", "--dir", &store, "--json"], 1);
    seen.run(&["scrub", "--dir", "nowhere", "--json"], 2);
}

/// Changes the first file of a store.
fn rot(store: &Path) {
    let files = glob::glob(store.join("*/a file").to_str().unwrap()).unwrap();
    let file = files.filter_map(Result::ok).next().unwrap();
    std::fs::write(file, b"more bytes").unwrap();
}

/// A proxy in front of `target`, with one connection.
fn proxied(seen: &mut Seen, target: &str, more: &[&str], connect: impl FnOnce(&str)) {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let args = [&["proxy", "--listen", &port, "--to", target, "--once"], more].concat();
    let mut child = sim(&args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stderr.take().unwrap()).read_line(&mut line).unwrap();
    connect(line.trim().strip_prefix("listening on ").unwrap());
    let output = child.wait_with_output().unwrap();
    seen.add("proxy", &String::from_utf8(output.stdout).unwrap());
}

fn others(seen: &mut Seen, dir: &Path) {
    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    proxied(seen, &gone, &[], |proxy| drop(std::net::TcpStream::connect(proxy)));
    seen.run(&["conform", "--server", &gone, "--level", "1", "--format", "json"], 3);
    seen.run(&["conform", "--format", "json"], 2);
    let audit = ["audit", "audits/own_upload.ron", "--format", "json", "--quiet"];
    let only = ["--only", "flip-middle", "--only", "file-and-hash", "--only", "slice"];
    seen.run(&[&audit[..], &only].concat(), 0);
    seen.run(&[&audit[..], &["--fault", "Flip(in: Upload, at: 5, bit: 0)"]].concat(), 0);
    seen.run(&[&audit[..], &["--fault", "Flip(in: Step(1), at: 5, bit: 0)"]].concat(), 2);
    let failing = dir.join("audit.ron");
    let text = r#"Audit(about: "A client that ends.", transfer: Upload, server: Own, client: Program(run: "false {port} {file}"), success: Exit(0))"#;
    std::fs::write(&failing, text).unwrap();
    seen.run(&["audit", failing.to_str().unwrap(), "--format", "json", "--quiet"], 3);
    std::fs::write(&failing, "Audit(").unwrap();
    seen.run(&["audit", failing.to_str().unwrap(), "--format", "json"], 2);
}

#[test]
fn every_line_of_every_command_is_valid_by_the_schema() {
    let dir = tempfile::tempdir().unwrap();
    let mut seen = Seen { validator: validator(), lines: Vec::new() };
    scenarios(&mut seen, dir.path());
    store(&mut seen, dir.path());
    others(&mut seen, dir.path());
    for kind in KINDS {
        assert!(seen.lines.iter().any(|line| line["type"] == kind), "no command wrote a line {kind:?}");
    }
}

#[test]
fn what_is_left_behind_has_its_name_and_its_condition_apart() {
    let output = sim(&["scenarios/stream/upload_flip.ron", "--format", "json"]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains(r#""verdict":"detected""#), "{text}");
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("kept.ron");
    let basic = workspace("scenarios/basic.ron").canonicalize().unwrap();
    let (_, fields) = SCENARIOS[2];
    let fields = fields.replace("BASIC", basic.to_str().unwrap());
    std::fs::write(&path, format!(r#"Scenario(about: "x", {fields})"#)).unwrap();
    let output = sim(&[path.to_str().unwrap(), "--format", "json"]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of = |kind: &str| lines.iter().find(|line| line["type"] == kind).unwrap_or_else(|| panic!("{text}"));
    let left = serde_json::json!({ "file": "my_file.jpg", "condition": "damaged" });
    assert_eq!(of("aftermath")["server"], serde_json::json!([left]));
    let unmet = of("unmet");
    assert_eq!((&unmet["reason"], &unmet["condition"]), (&"stays-listed".into(), &"damaged".into()));
}

#[test]
fn the_schema_takes_no_line_that_is_not_described() {
    let validator = validator();
    let good = serde_json::json!({ "type": "replay", "command": "sim" });
    assert!(validator.is_valid(&good));
    for bad in [
        serde_json::json!({ "type": "replay" }),
        serde_json::json!({ "type": "replay", "command": "sim", "more": 1 }),
        serde_json::json!({ "type": "aftermath", "server": ["a (DAMAGED)"], "clients": [] }),
        serde_json::json!({ "type": "session", "result": "Success" }),
    ] {
        assert!(!validator.is_valid(&bad), "{bad}");
    }
}

/// Every key and every word of a closed set in `schema`.
fn words<'a>(schema: &'a Value, found: &mut Vec<&'a str>) {
    if let Some(keys) = schema["properties"].as_object() {
        found.extend(keys.keys().map(String::as_str));
    }
    found.extend(schema["enum"].as_array().into_iter().flatten().filter_map(Value::as_str));
    match schema {
        Value::Object(fields) => fields.values().for_each(|field| words(field, found)),
        Value::Array(items) => items.iter().for_each(|item| words(item, found)),
        _ => {}
    }
}

#[test]
fn the_pages_have_every_key_and_word_of_the_schema() {
    let read = |path: &str| std::fs::read_to_string(workspace(path)).unwrap();
    let pages = read("docs/json.md") + &read("docs/transcript.md");
    let schema: Value = serde_json::from_str(&read("docs/json.schema.json")).unwrap();
    let mut found = Vec::new();
    words(&schema, &mut found);
    assert!(found.len() > 200, "{}", found.len());
    let missing: Vec<&&str> = found.iter().filter(|word| !pages.contains(&format!("`{word}`"))).collect();
    assert!(missing.is_empty(), "{missing:?}");
}
