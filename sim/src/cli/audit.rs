//! Audits other people's programs and prints how it went.

use std::path::{Path, PathBuf};
use std::sync::Mutex;

use audit::{Audit, AuditEvent, AuditOptions, Conclusion, Need, Report, Trial, run};
use process::is_closed;
use sim::report::Lines;
use sim::report::audit as report;
use sim::report::check::error_json;

use super::args::{AuditArgs, AuditFormat};
use super::run::fail;
use super::{Exit, complain_in, fail_in, print, signals};

/// Runs an audit.
pub(super) fn audit(args: &AuditArgs) -> Exit {
    let lines = (args.format == AuditFormat::Json).then(Lines::default);
    let lines = lines.as_ref();
    let audit = match load(args, lines) {
        Ok(audit) => audit,
        Err(exit) => return exit,
    };
    let trials = match audit.select(&args.only, args.seed) {
        Ok(trials) => trials,
        Err(error) => return fail_in(&format!("--only: {error}"), lines),
    };
    if args.list {
        print::say(&report::list(&trials));
        return Exit::Met;
    }
    let missing = audit.missing();
    if !missing.is_empty() {
        for message in missing.iter().map(|need| not_installed(need)) {
            if let Some(lines) = lines {
                print::say(&error_json("not-installed", &message, lines));
            }
            print::warn(&message);
        }
        return Exit::NotInstalled;
    }
    match carry_out(args, &audit, &trials) {
        // In the middle of the first control run there is nothing to show.
        Ok(outcome) if is_closed() && !outcome.is_interrupted() => Exit::Interrupted,
        Ok(outcome) if outcome.is_interrupted() => {
            show(args, &outcome);
            Exit::Interrupted
        }
        Ok(outcome) => show(args, &outcome),
        Err(message) => fail_in(&message, lines),
    }
}

/// The audit, with the faults of the command line, if there are any, in place of its own; or the complaints about all that
/// cannot be read.
fn load(args: &AuditArgs, lines: Option<&Lines>) -> Result<Audit, Exit> {
    let mut audit = Audit::load(&args.file).map_err(|error| complain_in(&error, lines))?;
    let (mut faults, mut exit) = (Vec::new(), None);
    for text in &args.fault {
        match audit.parse_fault(text, "--fault") {
            Ok(fault) => faults.push(fault),
            Err(error) => exit = Some(complain_in(&error, lines)),
        }
    }
    if !faults.is_empty() {
        audit.faults = faults;
    }
    exit.map_or(Ok(audit), Err)
}

fn not_installed(Need { program, package }: &Need) -> String {
    format!("`{program}` is not installed; on Debian and Ubuntu: apt-get install {package}")
}

fn carry_out(args: &AuditArgs, audit: &Audit, trials: &[Trial]) -> Result<Report, String> {
    let temporary = tempfile::Builder::new().prefix("sim-audit-").tempdir();
    let temporary = temporary.map_err(|error| format!("no directory can be made: {error}"))?;
    signals::end_programs();
    let root = match &args.keep {
        Some(dir) => empty(dir)?,
        None => temporary.path().to_owned(),
    };
    let options = AuditOptions {
        seed: args.seed,
        root,
        keep: args.keep.is_some(),
        jobs: args.jobs.into(),
        sim: std::env::current_exe()
            .map_err(|error| format!("this program does not find itself: {error}"))?,
    };
    let progress = Progress { quiet: args.quiet, lines: Mutex::new(()) };
    run(audit, trials, &options, &|step| progress.tell(step)).map_err(|error| error.to_string())
}

/// A directory that is new or empty: what stands there already is not touched.
fn empty(dir: &Path) -> Result<PathBuf, String> {
    let explain = |error: std::io::Error| format!("--keep {}: {error}", dir.display());
    std::fs::create_dir_all(dir).map_err(explain)?;
    if std::fs::read_dir(dir).map_err(explain)?.next().is_some() {
        return Err(format!("--keep {}: the directory is not empty", dir.display()));
    }
    std::path::absolute(dir).map_err(explain)
}

/// What is under way, on standard error.
struct Progress {
    quiet: bool,
    lines: Mutex<()>,
}

impl Progress {
    fn tell(&self, step: AuditEvent<'_>) {
        if self.quiet {
            return;
        }
        let _one_at_a_time = self.lines.lock();
        match step {
            AuditEvent::Control => print::warn("control run ..."),
            AuditEvent::Trial { number, of, trial } => {
                print::warn(&format!("{number}/{of} {} ...", trial.name));
            }
            AuditEvent::Done(row) => print::warn(&format!("    {}: {}", row.trial.name, row.verdict)),
        }
    }
}

fn show(args: &AuditArgs, outcome: &Report) -> Exit {
    let replay = |trial: &Trial| replay(args, outcome.seed, trial);
    print::say(&match args.format {
        AuditFormat::Text => report::text(outcome, &replay),
        AuditFormat::Json => report::json(outcome, &replay),
        AuditFormat::Markdown => report::markdown(outcome, &replay),
        AuditFormat::Junit => match report::junit(outcome, &replay) {
            Ok(text) => text,
            Err(error) => return fail(&format!("the report cannot be written: {error}")),
        },
    });
    match outcome.conclusion() {
        Conclusion::Sound => Exit::Met,
        Conclusion::Silent | Conclusion::LeftBehind => Exit::NotMet,
        Conclusion::Inconclusive => Exit::Inconclusive,
    }
}

/// The command that runs only this trial, fit to be pasted into a shell.
fn replay(args: &AuditArgs, seed: u64, trial: &Trial) -> String {
    let mut words: Vec<String> = vec!["audit".into()];
    words.push(args.file.display().to_string());
    // All of them: the names and the places left to chance depend on how many there are.
    words.extend(args.fault.iter().flat_map(|fault| ["--fault".into(), fault.clone()]));
    words.extend(["--only".into(), trial.name.clone()]);
    words.extend(["--seed".into(), seed.to_string()]);
    print::command(&words)
}

/// What a shell reports of a program that could not be started.
#[cfg(target_os = "linux")]
const CANNOT_START: u8 = 126;

/// Runs a program in a network of its own.
#[cfg(target_os = "linux")]
pub(super) fn inside(
    side: audit::isolate::Side,
    port: u16,
    socket: &Path,
    command: &[std::ffi::OsString],
) -> std::process::ExitCode {
    match audit::isolate::inside(side, port, socket, command) {
        Ok(code) => u8::try_from(code).unwrap_or(1).into(),
        Err(why) => {
            fail(&why.to_string());
            CANNOT_START.into()
        }
    }
}
