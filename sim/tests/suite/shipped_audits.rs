//! The audits that ship, each held against what is known to be found. Those of the programs that are written for this
//! purpose are tried with a few faults; all of them with all, and the page of findings, in the one that is `#[ignore]`d.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output};

use audit::{Audit, Need};
use serde_json::Value;

use super::workspace;

const SOUND: i32 = 0;
const SILENT: i32 = 1;
const NOT_INSTALLED: i32 = 5;

/// Every audit, and the exit code that is right: 1 where it is a fact that wrong files are accepted.
const CASES: [(&str, i32); 20] = [
    ("rsync", SOUND),
    ("rsync_download", SOUND),
    ("curl_http", SILENT),
    ("nc", SILENT),
    ("nc_md5sum", SOUND),
    ("ftp_upload", SILENT),
    ("ftp_download", SILENT),
    ("sftp_upload", SOUND),
    ("scp_download", SOUND),
    ("student/correct_upload", SOUND),
    ("student/correct_download", SOUND),
    ("student/hashes_nothing_upload", SILENT),
    ("student/hashes_nothing_download", SILENT),
    ("student/compares_lengths_upload", SILENT),
    ("student/compares_lengths_download", SILENT),
    ("student/fixed_port", SILENT),
    ("own_upload", SOUND),
    ("own_download", SOUND),
    ("own_download_by_id", SOUND),
    ("own_download_by_beginning", SOUND),
];

/// Set, the page is rewritten, of the programs that Debian has:
/// `UPDATE_DOCS=1 cargo test -p sim --test suite shipped_audits -- --ignored`.
const UPDATE: &str = "UPDATE_DOCS";
/// Where those are.
const DEBIAN: &str = "/usr/bin:/bin:/usr/sbin:/sbin";

/// What an audit printed, and how it ended.
struct AuditResult {
    code: i32,
    trials: Vec<Value>,
    judgement: Vec<String>,
    errors: String,
}

impl AuditResult {
    fn new(output: &Output) -> Self {
        let text = std::str::from_utf8(&output.stdout).unwrap();
        let mut trials: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let last = trials.pop().unwrap_or_default();
        let lines = last["judgement"].as_array().into_iter().flatten();
        Self {
            code: output.status.code().unwrap(),
            trials,
            judgement: lines.map(|line| line.as_str().unwrap().to_owned()).collect(),
            errors: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// The verdict on the fault with this name; that a silent acceptance is a known limit is said.
    fn verdict(&self, name: &str) -> String {
        let trial = self.trials.iter().find(|trial| trial["name"] == name).unwrap();
        verdict(trial)
    }

    fn shown(&self) -> String {
        format!("{:#?}\n{}{:#?}", self.judgement, self.errors, self.trials)
    }
}

fn verdict(trial: &Value) -> String {
    let verdict = trial["verdict"].as_str().unwrap().to_owned();
    if trial["known_limit"] == true { "limit".to_owned() } else { verdict }
}

fn sim_audit(file: &Path, only: &[&str]) -> AuditResult {
    let mut sim = Command::new(env!("CARGO_BIN_EXE_sim"));
    sim.args(["audit", "--format", "json", "--quiet", "--jobs", "8"]).arg(file);
    sim.args(only.iter().flat_map(|name| ["--only", name]));
    if std::env::var_os(UPDATE).is_some() {
        sim.env("PATH", DEBIAN);
    }
    AuditResult::new(&sim.current_dir(workspace(".")).output().unwrap())
}

/// Runs one that ships.
fn shipped(name: &str, only: &[&str]) -> AuditResult {
    sim_audit(&Path::new("audits").join(format!("{name}.ron")), only)
}

/// Says something past the test harness, which would keep to itself what is printed otherwise.
fn say_aloud(line: &str) {
    std::io::stderr().write_all(format!("{}\n", line.trim_end()).as_bytes()).unwrap();
}

/// Whether programs can be given a network of their own here; not every system lets users do that.
fn can_isolate() -> bool {
    #[cfg(target_os = "linux")]
    return audit::isolate::check().is_ok();
    #[cfg(not(target_os = "linux"))]
    return false;
}

#[test]
fn every_audit_is_held_against_what_it_finds() {
    let folders = ["audits", "audits/student"].map(|folder| std::fs::read_dir(workspace(folder)).unwrap());
    let files = folders.into_iter().flatten().map(|entry| entry.unwrap().path());
    let audits = files.filter(|path| path.extension().is_some_and(|extension| extension == "ron"));
    let mut count = 0;
    for path in audits {
        count += 1;
        let name = path.with_extension("");
        assert!(
            CASES.iter().any(|(case, _)| name.ends_with(format!("audits/{case}"))),
            "{path:?} is no case"
        );
        if let Err(error) = Audit::load(&path) {
            panic!("{}", error.render(false));
        }
    }
    assert_eq!(count, CASES.len());
}

#[test]
#[ignore = "needs python3: .ci/run does it where that is"]
fn needs_python_the_correct_program_is_accused_of_nothing() {
    for name in ["student/correct_upload", "student/correct_download"] {
        let result = shipped(name, &["flip-middle", "insert-middle", "md5-collision", "slice"]);
        assert_eq!(result.code, SOUND, "{name}: {}", result.shown());
        assert_eq!(result.verdict("flip-middle"), "detected", "{name}");
        assert_eq!(result.verdict("md5-collision"), "limit", "{name}");
        assert_eq!(result.verdict("slice"), "intact", "{name}");
    }
}

#[test]
fn our_client_takes_no_other_file_for_the_one_that_is_asked_for() {
    // What one flipped bit of the listing comes to, by name, by id, and by the beginning of the id.
    let cases = [
        ("own_download", &["aborted", "aborted", "aborted"][..]),
        ("own_download_by_id", &["intact", "intact", "aborted", "intact"]),
        ("own_download_by_beginning", &["intact", "intact", "aborted", "intact"]),
    ];
    let faults = ["flip", "flip-2", "flip-3", "flip-4"];
    for (name, expected) in cases {
        let result = shipped(name, &faults[..expected.len()]);
        assert_eq!(result.code, SOUND, "{name}: {}", result.shown());
        let verdicts: Vec<String> = result.trials.iter().map(verdict).collect();
        assert_eq!(verdicts, expected, "{name}: {}", result.shown());
    }
}

#[test]
#[ignore = "needs python3: .ci/run does it where that is"]
fn needs_python_programs_that_do_not_hash_are_convicted() {
    let programs = ["hashes_nothing", "compares_lengths"];
    let names =
        programs.iter().flat_map(|it| [format!("student/{it}_upload"), format!("student/{it}_download")]);
    for name in names {
        let result = shipped(&name, &["flip-middle", "words-swapped", "slice"]);
        assert_eq!(result.code, SILENT, "{name}: {}", result.shown());
        for fault in ["flip-middle", "words-swapped"] {
            assert_eq!(result.verdict(fault), "silent", "{name}");
        }
        assert_eq!(result.verdict("slice"), "intact", "{name}");
        assert!(result.judgement[0].contains(" were reported as Success"), "{name}: {}", result.judgement[0]);
    }
}

#[test]
fn a_program_that_is_not_installed_is_named_with_its_package() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("audit.ron");
    let text = r#"Audit(
        about: "Of what is not there.",
        needs: { "sh": "dash", "no-such-program": "no-such-package" },
        transfer: Upload,
        server: Own,
        client: Program(run: "no-such-program {host} {port} {file}"),
    )"#;
    std::fs::write(&file, text).unwrap();
    let result = sim_audit(&file, &[]);
    assert_eq!(result.code, NOT_INSTALLED, "{}", result.shown());
    let expected =
        "`no-such-program` is not installed; on Debian and Ubuntu: apt-get install no-such-package";
    assert!(result.errors.contains(expected), "{}", result.errors);
    assert!(!result.errors.contains("`sh`"), "{}", result.errors);
}

/// A server that tells its client a second port, at which it then hands out the file, and the client.
const TOLD: [&str; 2] = [
    "import socket, sys\n\
     first, second = (socket.create_server(('127.0.0.1', int(port))) for port in sys.argv[1:3])\n\
     asking = first.accept()[0]\n\
     asking.sendall(sys.argv[2].encode() + b'\\n')\n\
     asked = second.accept()[0]\n\
     asked.sendall(open(sys.argv[3], 'rb').read())\n\
     asked.close()\n",
    "import socket, sys\n\
     asking = socket.create_connection(sys.argv[1:3])\n\
     asked = socket.create_connection((sys.argv[1], int(asking.makefile().readline())))\n\
     open(sys.argv[3], 'wb').write(asked.makefile('rb').read())\n",
];

#[test]
#[ignore = "needs python3: .ci/run does it where that is"]
fn needs_python_a_port_that_the_server_tells_the_client_is_not_past_the_proxy() {
    let dir = tempfile::tempdir().unwrap();
    for (name, text) in ["server.py", "client.py"].into_iter().zip(TOLD) {
        std::fs::write(dir.path().join(name), text).unwrap();
    }
    let file = dir.path().join("audit.ron");
    let text = r#"Audit(
        about: "A second port.",
        needs: { "python3": "python3" },
        transfer: Download,
        data_port: true,
        server: Program(run: "python3 {here}/server.py {port} {data} {file}"),
        client: Program(run: "python3 {here}/client.py {host} {port} {received}"),
        received: "{client}/{name}",
    )"#;
    std::fs::write(&file, text).unwrap();
    let result = sim_audit(&file, &["flip-middle"]);
    assert_eq!(result.verdict("flip-middle"), "silent", "{}", result.shown());
    let places = &result.trials[0]["places"][0];
    assert_eq!(places, "Flip(in: ToClient, at: 49_999, bit: 3) on connection 2, offset 49,999 of the file");
}

#[test]
fn a_second_port_needs_a_server_that_is_told() {
    let text = r#"Audit(
        about: "A second port.",
        transfer: Download,
        data_port: true,
        server: Own,
        client: Program(run: "client {port}"),
        received: "{client}/{name}",
    )"#;
    let error = Audit::parse(text, Path::new("audit.ron")).unwrap_err().render(false);
    assert!(error.contains("say {data} in its `run`"), "{error}");
}

/// Those of other people are there if they are installed.
#[test]
#[ignore = "it runs all audits with all faults, which takes minutes"]
fn all_audits_find_what_is_known() {
    let (mut page, mut skipped) = (Page::default(), Vec::new());
    for (name, expected) in CASES {
        if name == "student/fixed_port" && !can_isolate() {
            skipped.push(name);
            continue;
        }
        let result = shipped(name, &[]);
        if result.code == NOT_INSTALLED {
            say_aloud(&result.errors);
            skipped.push(name);
            continue;
        }
        assert_eq!(result.code, expected, "audits/{name}.ron: {}", result.shown());
        page.add(name, &result);
    }
    if !skipped.is_empty() {
        say_aloud(&format!("SKIPPED {} of {} audits: {}", skipped.len(), CASES.len(), skipped.join(", ")));
    }
    if std::env::var_os(UPDATE).is_some() {
        page.write();
    }
}

/// The findings, for docs/audits.md.
#[derive(Default)]
struct Page {
    table: String,
    judgements: String,
    packages: BTreeMap<String, String>,
}

/// Which verdicts have a column, in its order.
const COLUMNS: [&str; 8] =
    ["Silent", "limit", "Detected", "Recovered", "Aborted", "Hung", "Intact", "Inconclusive"];

impl Page {
    fn add(&mut self, name: &str, result: &AuditResult) {
        let path = format!("audits/{name}.ron");
        let audit = Audit::load(&workspace(&path)).unwrap();
        let counts = COLUMNS.map(|column| {
            result.trials.iter().filter(|trial| verdict(trial) == column.to_lowercase()).count()
        });
        // Whoever has a verdict without a column shall not be left out in silence.
        assert_eq!(counts.iter().sum::<usize>(), result.trials.len(), "{name} needs another column");
        let counts = counts.map(|count| count.to_string()).join(" | ");
        let total = result.trials.len();
        writeln!(self.table, "| [{name}](../{path}) | {} | {total} | {counts} |", audit.about).unwrap();
        writeln!(self.judgements, "- **{name}**: {}", result.judgement.join(" ")).unwrap();
        self.packages.extend(audit.needs.into_iter().map(|Need { package, .. }| {
            let version = package_version(&package);
            (package, version)
        }));
    }

    fn write(&self) {
        let path = workspace("docs/audits.md");
        let page = std::fs::read_to_string(&path).unwrap();
        let (head, rest) = page.split_once("<!-- findings -->\n").unwrap();
        let (_, tail) = rest.split_once("<!-- end of findings -->\n").unwrap();
        let packages: Vec<String> =
            self.packages.iter().map(|(package, version)| format!("{package} {version}")).collect();
        let day = said(Command::new("date").args(["--utc", "+%F"]));
        let system =
            said(Command::new("sh").args(["-c", ". /etc/os-release; echo \"$PRETTY_NAME\"; uname -m"]));
        let cores = std::thread::available_parallelism().unwrap();
        let found = format!(
            "Measured on {day}, {}, {cores} cores, debug build. Packages: {}.\n\n\
             | audit | what | faults | {} |\n|---|---|{}\n{}\n{}",
            system.replace('\n', ", "),
            packages.join(", "),
            COLUMNS.join(" | "),
            "--:|".repeat(1 + COLUMNS.len()),
            self.table,
            self.judgements,
        );
        let page = format!("{head}<!-- findings -->\n{found}<!-- end of findings -->\n{tail}");
        std::fs::write(&path, page).unwrap();
    }
}

fn package_version(package: &str) -> String {
    said(Command::new("dpkg-query").args(["--show", "--showformat", "${Version}", package]))
}

/// What a command put out, without the end of its last line.
fn said(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
}
