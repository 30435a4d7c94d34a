//! `sim audit` turned on our own programs, correct and with known mistakes, and on shell scripts around them.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;
use transfer::endpoint::Flaw;

/// A place for one audit: its file, and where its directories are made.
pub(super) struct AuditDir {
    path: PathBuf,
    _dir: TempDir,
}

impl AuditDir {
    pub(super) fn new(audit: &str) -> Self {
        Self::named("desk", audit)
    }

    /// In a directory of this name.
    pub(super) fn named(name: &str, audit: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(name);
        std::fs::create_dir_all(path.join("tmp")).unwrap();
        std::fs::write(path.join("audit.ron"), audit).unwrap();
        Self { path, _dir: dir }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// What is left of the directories of the runs.
    pub(super) fn left(&self) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(self.path.join("tmp")).unwrap();
        entries.map(|entry| entry.unwrap().path()).collect()
    }

    pub(super) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sim"));
        command.arg("audit").arg(self.path.join("audit.ron")).args(args);
        command.env("TMPDIR", self.path.join("tmp"));
        command
    }

    pub(super) fn run(&self, args: &[&str]) -> Output {
        let output = self.command(args).output().unwrap();
        assert_eq!(self.left(), Vec::<PathBuf>::new(), "directories are left behind");
        output
    }

    /// The lines of the report, the conclusion last, and the exit code.
    pub(super) fn json(&self, only: &[&str]) -> (Vec<Value>, i32) {
        let only: Vec<&str> = only.iter().flat_map(|name| ["--only", *name]).collect();
        let output = self.run(&[&only[..], &["--format", "json", "--quiet", "--jobs", "2"]].concat());
        let lines = out(&output);
        let lines = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        (lines, output.status.code().unwrap())
    }
}

pub(super) fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap() + &String::from_utf8(output.stderr.clone()).unwrap()
}

pub(super) fn verdicts(lines: &[Value]) -> Vec<(&str, &str)> {
    let rows = lines.iter().filter(|line| line["type"] == "trial");
    rows.map(|row| (row["name"].as_str().unwrap(), row["verdict"].as_str().unwrap())).collect()
}

/// An upload with `client` between programs of ours.
pub(super) fn upload(client: &str, more: &str) -> AuditDir {
    AuditDir::new(&upload_text(client, more))
}

pub(super) fn upload_text(client: &str, more: &str) -> String {
    format!(
        r##"Audit(
            about: "For a test.",
            transfer: Upload,
            size: 2_500,
            server: Own,
            client: Program(run: r#"{client}"#),
            check: Md5,
            {more}
        )"##
    )
}

const TELLING: [&str; 9] = [
    "flip-middle",
    "words-swapped",
    "prefix-kept",
    "md5-collision",
    "file-and-hash",
    "drop-last",
    "truncate-middle",
    "reset-first",
    "slice",
];

#[test]
fn our_own_programs_accept_nothing_but_the_known_limits() {
    for transfer in ["Upload", "Download"] {
        let desk = AuditDir::new(&format!(
            r#"Audit(about: "Ours.", transfer: {transfer}, size: 2_500, deadline: 2, server: Own, client: Own)"#
        ));
        let (lines, code) = desk.json(&TELLING);
        let expected =
            ["detected", "detected", "detected", "silent", "silent", "aborted", "aborted", "aborted"];
        let expected: Vec<_> = TELLING.into_iter().zip(expected.into_iter().chain(["intact"])).collect();
        assert_eq!(verdicts(&lines), expected, "{transfer}");
        let limits: Vec<_> = lines.iter().filter(|line| line["known_limit"] == true).collect();
        assert_eq!(limits.len(), 2, "{transfer}");
        let last = lines.last().unwrap();
        assert_eq!((last["conclusion"].as_str(), code), (Some("sound"), 0), "{transfer}");
        assert_eq!(last["payload"]["found"], true, "{transfer}");
    }
}

/// Each mistake, and what shows it: of the transfer, the fault, and what the audit demands or sets up for it.
const MUTANTS: [(Flaw, &str, &str, &str); 40] = [
    (Flaw::HashOfNothing, UP, "flip-middle", ""),
    (Flaw::HashOfNothing, DOWN, "flip-middle", ""),
    (Flaw::HashPerChunk, UP, "flip-first", ""),
    (Flaw::HashPerChunk, DOWN, "flip-first", ""),
    (Flaw::LastChunkNotHashed, UP, "flip-last", ""),
    (Flaw::LastChunkNotHashed, DOWN, "flip-last", ""),
    (Flaw::LengthOnly, UP, "words-swapped", ""),
    (Flaw::LengthOnly, DOWN, "words-swapped", ""),
    (Flaw::PrefixCompared, UP, "prefix-kept", ""),
    (Flaw::PrefixCompared, DOWN, "prefix-kept", ""),
    (Flaw::HashWithItself, UP, "crc-kept", ""),
    (Flaw::HashWithItself, DOWN, "crc-kept", ""),
    (Flaw::AlwaysSuccess, UP, "truncate-middle", ""),
    (Flaw::AlwaysSuccess, DOWN, "truncate-middle", ""),
    (Flaw::SuccessOnTimeout, UP, "drop-last", ""),
    (Flaw::SuccessOnTimeout, DOWN, "drop-last", ""),
    (Flaw::NotDiscarded, UP, "flip-middle", "leaves_no: [Rejected],"),
    (Flaw::NamedBeforeCompared, DOWN, "flip-middle", "leaves_no: [Wrong],"),
    (Flaw::StoredIncomplete, UP, "truncate-middle", "leaves_no: [Incomplete],"),
    (Flaw::HashBeforeWrite, UP, "env", LOST_WRITE),
    (Flaw::TakesFirst, DOWN, "flip", ONE_NAME),
    (Flaw::HashOfName, UP, "flip-middle", ""),
    (Flaw::HashOfLastFile, UP, "flip-middle", ""),
    (Flaw::FirstMibHashed, UP, "flip-last", "size: 1_100_000,"),
    (Flaw::EveryOtherBlockHashed, UP, "flip-middle", ""),
    (Flaw::HashOfText, UP, "flip", NO_TEXT),
    (Flaw::SumOfBytes, UP, "words-swapped", ""),
    (Flaw::XorOfBytes, UP, "words-swapped", ""),
    (Flaw::Fletcher16, UP, "overwrite", ADLER_KEPT),
    (Flaw::Adler32, UP, "overwrite", ADLER_KEPT),
    (Flaw::Crc16, UP, "xor", CRC_16_KEPT),
    (Flaw::Crc32, UP, "crc-kept", ""),
    (Flaw::SuffixCompared, UP, "flip-and-overwrite", SUFFIX_KEPT),
    (Flaw::SortedDigitsCompared, UP, "flip-and-overwrite", DIGITS_KEPT),
    (Flaw::LooselyCompared, UP, "flip-and-drop", NO_DIGITS),
    (Flaw::PeerBelieved, DOWN, "flip-middle", ""),
    (Flaw::DifferenceIgnored, UP, "flip-middle", ""),
    (Flaw::WarningOnly, UP, "flip-middle", ""),
    (Flaw::MissingDigestPasses, UP, "truncate-middle", ""),
    (Flaw::EarlyEndAccepted, DOWN, "truncate-middle", ""),
];

/// An audit makes one transfer, in directories of its own: these show with the second of a session, or of a name.
const NEED_TWO_FILES: [Flaw; 2] = [Flaw::LeftoverHashed, Flaw::OnlyFirstCompared];

pub(super) const UP: &str = "Upload";
const DOWN: &str = "Download";
/// A disk that takes less than it was given and does not say so, in the runs with faults.
const LOST_WRITE: &str =
    r#"faults: [Env(server: { "DISK": "--disk-fault ShortWrite(at:1_000,bytes:10)" })],"#;
/// Another file on the server, listed first, and one bit that gives it the name of the one that is asked for.
const ONE_NAME: &str = r#"before: ["{sim} put {host}:{port} {file}", "{sim} put {host}:{port} {here}/audit.ron --name Payload.bin"],
    faults: [Flip(in: ToClient, at: 33, bit: 5)],"#;

/// The payload begins with 0e 30 65 56 15 59 9a a7. 9a and 9b are no UTF-8 there.
const NO_TEXT: &str = "faults: [Flip(in: Upload, at: 6, bit: 0)],";
/// One more, two less, one more: 0e 30 65.
const ADLER_KEPT: &str = r#"faults: [Overwrite(in: Upload, at: 0, hex: "0f2e66")],"#;
const CRC_16_KEPT: &str = r#"faults: [Xor(in: Upload, at: 0, hex: "034001")],"#;
/// The MD5 of the payload is 351b9e21c0619f7d564f3d668604a1f5. The server's hash is at offset 61, and gets what a careless client
/// looks at: the last four digits, or all of them in another order, or none.
const SUFFIX_KEPT: &str = r#"faults: [Together([Flip(in: Upload, at: 100, bit: 3), Overwrite(in: ToClient, at: 89, text: "a1f5")])],"#;
const DIGITS_KEPT: &str = r#"faults: [Together([Flip(in: Upload, at: 100, bit: 3), Overwrite(in: ToClient, at: 61, text: "00111123344555666667899abcddefff")])],"#;
const NO_DIGITS: &str =
    "faults: [Together([Flip(in: Upload, at: 100, bit: 3), Drop(in: ToClient, at: 61, bytes: 32)])],";

/// An audit of our programs with `mutant` as an option.
pub(super) fn mutated(mutant: &str, transfer: &str, more: &str) -> AuditDir {
    let (client, before, received) = match transfer {
        UP => ("put MUTANT {host}:{port} {file}", "", "{server}/store/*/{name}"),
        _ => (
            "get MUTANT {host}:{port} {name} -o {received}",
            "before: [\"{sim} put MUTANT {host}:{port} {file}\"],",
            "{client}/{name}",
        ),
    };
    let size = if more.contains("size:") { "" } else { "size: 2_500," };
    let before = if more.contains("before:") { "" } else { before };
    let text = format!(
        r#"Audit(
            about: "A mutant.", transfer: {transfer}, {size} deadline: 3,
            server: Program(run: "sh -c 'exec {{sim}} serve MUTANT --dir {{server}}/store --listen {{host}}:{{port}} $DISK'"),
            client: Program(run: "{{sim}} {client} --timeout 0.5"),
            {before} sent: "{{client}}/sent/{{name}}", received: "{received}", fail: Exit(1), check: Md5, {more}
        )"#
    );
    AuditDir::new(&text.replace("MUTANT", mutant))
}

#[test]
fn every_mutant_is_convicted_and_the_correct_program_is_not() {
    let is_tried = |flaw: &Flaw| MUTANTS.iter().any(|(it, ..)| it == flaw);
    assert!(Flaw::ALL.iter().all(|flaw| is_tried(flaw) != NEED_TWO_FILES.contains(flaw)), "none is left out");
    for half in MUTANTS.chunks(MUTANTS.len() / 2) {
        std::thread::scope(|scope| {
            for (flaw, transfer, fault, more) in half {
                scope.spawn(move || {
                    let (lines, code) = mutated(&format!("--mutant {flaw}"), transfer, more).json(&[fault]);
                    assert_eq!(code, 1, "{flaw}, {transfer}: {lines:?}");
                    assert_eq!(lines[0]["verdict"] == "silent", !more.starts_with("leaves_no"), "{lines:?}");
                });
            }
        });
    }
    for transfer in [UP, DOWN] {
        let faults = MUTANTS.iter().filter(|(.., it, _, more)| *it == transfer && !more.contains("faults:"));
        let faults: Vec<_> = faults.map(|(_, _, fault, _)| *fault).collect();
        let all = if transfer == UP { "leaves_no: [Rejected, Incomplete]," } else { "leaves_no: [Wrong]," };
        let (lines, code) = mutated("", transfer, all).json(&faults);
        assert!(lines.iter().all(|row| row["left_behind"] != true), "{lines:?}");
        assert_eq!((&lines.last().unwrap()["conclusion"], code), (&"sound".into(), 0), "{lines:?}");
    }
    std::thread::scope(|scope| {
        for (_, transfer, fault, more) in MUTANTS.iter().filter(|(.., more)| more.contains("faults:")) {
            scope.spawn(move || {
                let (lines, code) = mutated("", transfer, more).json(&[fault]);
                let breaks_off = [LOST_WRITE, ONE_NAME, NO_DIGITS].contains(more);
                let verdict = if breaks_off { "aborted" } else { "detected" };
                assert_eq!((verdicts(&lines), code), (vec![(*fault, verdict)], 0), "{lines:?}");
            });
        }
    });
}

#[test]
fn what_is_left_behind_is_told_and_counts_only_if_the_audit_says_so() {
    for (more, forbidden) in [("", false), ("leaves_no: [Incomplete],", false), ("leaves_no: [Wrong],", true)]
    {
        let desk = mutated("--mutant NotDiscarded", UP, more);
        let (lines, code) = desk.json(&["flip-middle"]);
        assert_eq!(lines[0]["left_behind"], true, "{lines:?}");
        assert_eq!((&lines[0]["forbidden"], code), (&forbidden.into(), i32::from(forbidden)), "{more}");
        let text = out(&desk.run(&["--only", "flip-middle"]));
        let words = ["After a failure that was told", "it left a wrong file that may not stay: flip-middle."];
        assert!(text.contains(words[usize::from(forbidden)]), "{text}");
        assert_eq!(text.contains("Detected (left behind)"), forbidden, "{text}");
    }
}

#[test]
fn an_environment_that_makes_no_fault_proves_nothing() {
    let (lines, code) =
        mutated("", UP, r#"faults: [Env(server: { "A": "b" }, client: { "C": "{port}" })],"#).json(&[]);
    assert_eq!((verdicts(&lines), code), (vec![("env", "inconclusive")], 3));
    assert_eq!(lines[0]["fault"], r#"Env(server: { "A": "b" }, client: { "C": "{port}" })"#);
    assert!(lines[0]["why"].as_str().unwrap().contains("the environment made no fault"), "{lines:?}");
}

#[test]
fn each_run_with_a_fault_follows_one_without_that_has_to_succeed() {
    // It counts its runs; from the fourth on it does not work any more.
    let client = r#"sh -c "echo >> {here}/runs; [ $(wc -l < {here}/runs) -lt 4 ] || exit 9; {sim} put {host}:{port} {file}""#;
    let desk = upload(client, "fail: Exit(1),");
    let only = ["--only", "flip-first", "--only", "flip-middle", "--only", "flip-last"];
    let output = desk.run(&[&only[..], &["--format", "json", "--jobs", "1"]].concat());
    let lines: Vec<Value> = output
        .stdout
        .split(|byte| *byte == b'\n')
        .filter_map(|line| serde_json::from_slice(line).ok())
        .collect();
    let expected =
        [("flip-first", "detected"), ("flip-middle", "inconclusive"), ("flip-last", "inconclusive")];
    assert_eq!(verdicts(&lines), expected, "{lines:?}");
    assert!(
        lines[1]["why"]
            .as_str()
            .unwrap()
            .contains("just before, without any fault the transfer did not succeed")
    );
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn a_client_that_tries_again_recovers() {
    let desk = upload("{sim} put {host}:{port} {file} --retries 2", "fail: Exit(1),");
    let (lines, code) = desk.json(&["flip-middle", "reset-first"]);
    assert_eq!(verdicts(&lines), [("flip-middle", "recovered"), ("reset-first", "recovered")]);
    assert_eq!(code, 0);
}

#[test]
fn a_program_that_says_its_verdict_and_hangs_is_judged_by_its_word() {
    let desk = upload(
        r#"sh -c "{sim} put {host}:{port} {file}; sleep 1000""#,
        r#"deadline: 1, success: Line("^Success"), fail: Line("^Fail.*the MD5"),"#,
    );
    let (lines, code) = desk.json(&["flip-middle", "delay"]);
    assert_eq!(verdicts(&lines), [("flip-middle", "detected"), ("delay", "intact")]);
    assert_eq!(lines[0]["notes"][0]["message"], "the client did not end after its verdict");
    assert_eq!(code, 0);
}

#[test]
fn the_second_line_can_be_the_one_that_counts() {
    let desk = upload(
        r#"sh -c "echo Success of something else; {sim} put {host}:{port} {file}""#,
        r#"nth: 2, success: Line("^Success"), fail: Line("^Fail.*the MD5"),"#,
    );
    assert_eq!(verdicts(&desk.json(&["flip-middle"]).0), [("flip-middle", "detected")]);
}

#[test]
fn a_file_that_appears_can_be_the_sign_of_success() {
    let desk = upload(
        r#"sh -c "{sim} put {host}:{port} {file} && touch {client}/done""#,
        r#"success: File("{client}/done"), fail: Exit(1),"#,
    );
    let (lines, code) = desk.json(&["flip-middle", "delay"]);
    assert_eq!(verdicts(&lines), [("flip-middle", "detected"), ("delay", "intact")]);
    assert_eq!(code, 0);
}

#[test]
fn without_a_word_and_without_an_end_it_hung_and_died_of_a_signal_it_crashed() {
    let put = "{sim} put {host}:{port} {file} --quiet";
    let ends = [("sleep 1000", "hung"), ("kill -SEGV $$", "crashed"), ("exit 7", "aborted")];
    for (end, verdict) in ends {
        let client = format!(r#"sh -c "{put} || {end}""#);
        let desk = upload(&client.replace("$$", r"\$\$"), "deadline: 2,");
        let (lines, code) = desk.json(&["flip-middle"]);
        assert_eq!((verdicts(&lines), code), (vec![("flip-middle", verdict)], 0), "{end}");
    }
}

#[test]
fn a_file_that_cannot_be_seen_in_the_stream_is_struck_by_share() {
    // Armoured on its way, as encryption would do it.
    let client = r#"sh -c "base64 {file} > a && {sim} put {host}:{port} a; code=\$?; base64 -d {server}/store/*/a > {received}; exit \$code""#;
    let desk = upload(client, r#"received: "{client}/back", fail: Exit(1),"#);
    let (lines, code) = desk.json(&["flip-middle", "md5-collision", "truncate-middle"]);
    let expected =
        [("flip-middle", "detected"), ("md5-collision", "inconclusive"), ("truncate-middle", "aborted")];
    assert_eq!(verdicts(&lines), expected);
    assert_eq!(lines.last().unwrap()["payload"]["found"], false);
    assert_eq!(code, 0);
}

#[test]
fn a_transfer_that_fails_without_faults_proves_nothing() {
    let cases = [
        (upload("{sim} put --timeout x {host}:{port} {file}", ""), "did not succeed"),
        (upload("{sim} put {host}:{port} {file}", r#"received: "{server}/elsewhere","#), "no file came to"),
        (upload("no-such-program {port}", ""), "`no-such-program` cannot be started"),
        (
            upload(r#"sh -c "mkdir {server}/store/x; cp {file} {server}/store/x/; : {port}""#, ""),
            "through the proxy",
        ),
    ];
    for (desk, why) in cases {
        let (lines, code) = desk.json(&["flip-middle"]);
        let judgement = lines[0]["judgement"][0].as_str().unwrap();
        assert!(judgement.starts_with("Inconclusive: ") && judgement.contains(why), "{judgement}");
        assert_eq!((lines.len(), code), (1, 3), "{why}");
    }
}

#[test]
fn a_fault_that_does_not_reach_its_reader_proves_nothing() {
    // From the third time on, behind both control runs, it says success without having done anything.
    let client = r#"sh -c "echo >> {here}/runs; [ $(wc -l < {here}/runs) -lt 3 ] || exit 0; {sim} put {host}:{port} {file}""#;
    let desk = upload(client, r#"received: "{server}/store/*/{name}","#);
    let (lines, code) = desk.json(&["flip-middle"]);
    assert_eq!(verdicts(&lines), [("flip-middle", "inconclusive")]);
    assert!(lines[0]["why"].as_str().unwrap().contains("never fired"), "{}", lines[0]["why"]);
    assert_eq!(code, 3);
}

#[test]
fn faults_of_the_audit_are_tried_in_its_order() {
    let faults = "faults: [Together([Flip(in: Upload, at: 0, bit: 1), Flip(in: Upload, at: 9, bit: 1)]), \
                  Flip(in: ToServer, at: 0, bit: 0), Delay(in: ToClient, at: 0, lasts: 0.01)],";
    let desk = upload("{sim} put {host}:{port} {file} --timeout 1", &format!("fail: Exit(1), {faults}"));
    let (lines, _) = desk.json(&[]);
    assert_eq!(verdicts(&lines), [("flip-and-flip", "detected"), ("flip", "aborted"), ("delay", "intact")]);
    assert_eq!(lines[0]["places"].as_array().unwrap().len(), 2);
}

#[test]
fn reports_for_people_and_for_ci() {
    let desk = upload("{sim} put {host}:{port} {file} --mutant HashWithItself", "fail: Exit(1),");
    let only = ["--only", "flip-first", "--only", "delay"];
    let report = |format: &str| {
        let output = desk.run(&[&only[..], &["--format", format]].concat());
        assert_eq!(output.status.code(), Some(1));
        out(&output)
    };
    let text = report("text");
    assert!(text.contains("1 of 1 corrupted upload was reported as Success: flip-first."), "{text}");
    assert!(text.contains("--only flip-first --seed 1\n"), "{text}");
    assert!(text.contains("control run ...\n1/2 flip-first ...\n"), "{text}");
    let page = report("markdown");
    assert!(page.starts_with("### ❌ ") && page.contains("| 1 | flip-first | Silent | Success |"), "{page}");
    let xml = report("junit");
    assert!(xml.contains("<failure message=\"Silent: ") && xml.matches("<testcase").count() == 2, "{xml}");
}

#[test]
fn what_would_be_tried_can_be_listed_and_chosen() {
    let desk = upload("{sim} put {host}:{port} {file}", "");
    let listed = out(&desk.run(&["--list"]));
    assert!(listed.contains("  1  flip-first        Flip(in: Upload, at: Percent(0), bit: 3)\n"), "{listed}");
    let one = out(&desk.run(&["--list", "--only", "Truncate(in: Upload, at: Percent(50))"]));
    assert!(one.contains("truncate-middle") && one.lines().count() == 1, "{one}");
    let wrong = desk.run(&["--only", "flip-frist"]);
    assert_eq!(wrong.status.code(), Some(2));
    assert!(out(&wrong).contains("did you mean \"flip-first\"?"), "{}", out(&wrong));
}

#[test]
fn faults_of_the_command_line_are_tried_in_place_of_the_audits() {
    let desk = upload("{sim} put {host}:{port} {file}", "");
    let flip = "Flip(in: Upload, at: 7, bit: 0)";
    let listed = out(&desk.run(&["--list", "--fault", flip, "--fault", "Reset(in: ToClient, at: 1)"]));
    assert!(listed.contains(flip) && listed.lines().count() == 2, "{listed}");
    let ran = desk.run(&["--fault", flip, "--format", "markdown", "--quiet"]);
    assert_eq!(ran.status.code(), Some(0), "{}", out(&ran));
    let wrong = desk.run(&["--fault", "Flip(in: Step(3), at: 7, bit: 0)"]);
    assert_eq!(wrong.status.code(), Some(2));
    assert!(out(&wrong).contains("an audit does not know the steps of a protocol"), "{}", out(&wrong));
    // Nothing but time bounds how many there can be.
    let many: Vec<String> =
        (0..300).flat_map(|at| ["--fault".to_owned(), format!("Stall(in: Upload, at: {at})")]).collect();
    let args: Vec<&str> = ["--list"].into_iter().chain(many.iter().map(String::as_str)).collect();
    let listed = out(&desk.run(&args));
    assert!(listed.lines().count() == 300 && listed.contains("stall-300"), "{listed}");
}

#[test]
fn working_directories_can_be_kept_and_nothing_else_is_touched() {
    let desk = upload("{sim} put {host}:{port} {file}", "fail: Exit(1),");
    let keep = desk.path().join("kept");
    let args = ["--only", "delay", "--keep", keep.to_str().unwrap(), "--quiet"];
    assert_eq!(desk.run(&args).status.code(), Some(0));
    assert!(keep.join("control/client/payload.bin").is_file());
    assert!(keep.join("control/server/store").is_dir());
    let again = desk.run(&args);
    assert_eq!(again.status.code(), Some(2));
    assert!(out(&again).contains("the directory is not empty"));
}

#[test]
#[cfg(target_os = "linux")]
#[ignore = "needs a network of its own: .ci/run does it where that is allowed"]
fn needs_isolation_programs_with_one_port_written_into_both_are_told_apart() {
    let desk = AuditDir::new(
        r#"Audit(
            about: "A fixed port.", transfer: Upload, size: 2_500, port: 9999, isolate: true,
            server: Program(run: "{sim} serve --dir {server}/store --listen 127.0.0.1:9999"),
            client: Program(run: "{sim} put --mutant HashWithItself 127.0.0.1:9999 {file}"),
            before: ["{sim} ls 127.0.0.1:9999"],
            received: "{server}/store/*/{name}", fail: Exit(1),
        )"#,
    );
    let (lines, code) = desk.json(&["flip-middle", "truncate-middle", "delay"]);
    let expected = [("flip-middle", "silent"), ("truncate-middle", "aborted"), ("delay", "intact")];
    assert_eq!((verdicts(&lines), code), (expected.to_vec(), 1), "{lines:?}");
}
