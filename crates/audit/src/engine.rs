//! The runs of an audit: a control run that shows where the payload is; then one for each trial, each after a control
//! run of its own.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::hash::md5;
use super::judge::{ClientClaim, control_trouble, judge};
use super::outcome::{Report, Row, Trouble};
use super::payload::payload;
use super::places::ControlRun;
use super::remove::remove;
use super::sent::is_absolute;
use super::spec::{Audit, AuditServer, ExtraEnv};
use super::strike::{Placement, Target, TargetedFault};
use super::transfer::{TransferRun, TransferSetup};
use super::trials::Trial;
use super::why::{Note, OutputLine, Speaker, Why};
use faults::proxy::{Connections, PlacedFault, Recording};
use faults::text::number_text;
use faults::{Content, Truth, Verdict};
use process::is_closed;

/// The most runs at a time.
pub const MAX_JOBS: usize = 64;

/// In how many attempts of a client that tries again a fault strikes.
const ATTEMPTS: usize = 5;
/// How often a trial is tried if the faults strike elsewhere than they should.
const TRIES: usize = 4;
/// How often of these at the places of the control run.
const FAITHFUL: usize = 2;

/// How an audit is run.
#[derive(Clone, Debug)]
pub struct AuditOptions {
    /// In place of the audit's own seed.
    pub seed: Option<u64>,
    /// Where the directories of the runs are made; it has to be there.
    pub root: PathBuf,
    /// Whether they stay.
    pub keep: bool,
    /// How many runs at a time, at most [`MAX_JOBS`]. Where the port is fixed it is one.
    pub jobs: usize,
    /// The program `sim`, for whatever of the pair is ours.
    pub sim: PathBuf,
}

/// What an audit is at.
#[derive(Clone, Copy, Debug)]
pub enum AuditEvent<'a> {
    /// The first control run; those that go before each trial are part of it.
    Control,
    /// A trial begins.
    Trial {
        /// How many began before it, plus one.
        number: usize,
        /// How many there are.
        of: usize,
        /// Which.
        trial: &'a Trial,
    },
    /// A trial is over.
    Done(&'a Row),
}

/// Runs `trials` and says what came of them. `told` is told of each as it happens, perhaps by several threads at a
/// time.
///
/// # Errors
/// If a directory cannot be made or removed. An interruption ([`end_all`](process::end_all)) is none: the report
/// has the rows of the trials that were over by then.
pub fn run(
    audit: &Audit,
    trials: &[Trial],
    options: &AuditOptions,
    told: &(dyn Fn(AuditEvent<'_>) + Sync),
) -> io::Result<Report> {
    let seed = options.seed.unwrap_or(audit.seed);
    let bytes = payload(seed, audit.size);
    let payload = Content::Memory(bytes.clone().into());
    let setup = TransferSetup { audit, payload, digest: md5(&bytes), sim: &options.sim };
    let mut report = Report {
        audit: audit.clone(),
        seed,
        control: None,
        spread: None,
        claims: Vec::new(),
        planned: trials.len(),
        rows: Vec::new(),
    };
    if let Err(why) = check_isolation(audit) {
        report.control = Some(why);
        return Ok(report);
    }
    told(AuditEvent::Control);
    let (control_run, connections, claims) = match control(&setup, options, bytes) {
        Ok(found) => found,
        Err(trouble) => {
            report.control = Some(trouble);
            return Ok(report);
        }
    };
    report.spread = Some(control_run.spread());
    report.claims = claims;
    let digits = digits(trials);
    let series = Series { setup: &setup, control_run: &control_run, connections, options, seed, digits };
    report.rows = series.run(trials, told);
    Ok(report)
}

#[cfg(target_os = "linux")]
fn check_isolation(audit: &Audit) -> Result<(), Trouble> {
    let allowed = if audit.isolate { super::isolate::check() } else { Ok(()) };
    allowed.map_err(|why| why.to_string().into())
}

#[cfg(not(target_os = "linux"))]
fn check_isolation(audit: &Audit) -> Result<(), Trouble> {
    let advice = "`isolate` needs the network namespaces of Linux: run the audit there, say in a container, or make \
                  the programs take another port";
    if audit.isolate { Err(advice.to_owned().into()) } else { Ok(()) }
}

/// A control run: a transfer without faults, which has to succeed.
fn unharmed(setup: &TransferSetup<'_>, options: &AuditOptions, dir: &str) -> Result<TransferRun, Trouble> {
    let ran = in_dir(options, dir, |dir| setup.transfer(dir, Vec::new(), &ExtraEnv::default()))?;
    match control_trouble(setup.audit, &ran) {
        Some(why) => {
            let excerpt = ran.excerpt.map(|excerpt| excerpt.to_string()).unwrap_or_default();
            let line = |text: &str| OutputLine { from: Speaker::Harness, text: text.to_owned() };
            Err(Trouble { why, output: excerpt.lines().map(line).chain(ran.output).collect() })
        }
        None => Ok(ran),
    }
}

/// What convicts without any fault has to come twice: a machine that stood still for a while is no mistake of the program.
fn confirmed(setup: &TransferSetup<'_>, options: &AuditOptions, first: Trouble) -> Trouble {
    match unharmed(setup, options, "control-2") {
        Err(again) if again.why.is_accepted() => again,
        _ => Trouble { why: Why::NotConfirmed(Box::new(first.why)), ..first },
    }
}

/// The first control run, which also shows where the payload is.
fn control(
    setup: &TransferSetup<'_>,
    options: &AuditOptions,
    payload: Vec<u8>,
) -> Result<(ControlRun, u64, Vec<String>), Trouble> {
    let ran = match unharmed(setup, options, "control") {
        Err(first) if first.why.is_accepted() => return Err(confirmed(setup, options, first)),
        ran => ran?,
    };
    let (connections, claims) = (ran.outcome.connections, ran.claims);
    let control_run = ControlRun::survey(payload, setup.audit.transfer, ran.outcome.recordings);
    let passed_by = || Trouble { why: Why::PassedBy, output: ran.output };
    Ok((control_run.ok_or_else(passed_by)?, connections, claims))
}

/// Does something in a directory of its own.
fn in_dir<T>(
    options: &AuditOptions,
    name: &str,
    inside: impl FnOnce(&Path) -> Result<T, Trouble>,
) -> Result<T, Trouble> {
    let dir = options.root.join(name);
    let done = inside(&dir);
    if !options.keep {
        remove(&dir).map_err(|error| format!("{} cannot be removed: {error}", dir.display()))?;
    }
    done
}

/// How many digits the numbers in the names of directories have, so that they sort as the runs come.
fn digits(trials: &[Trial]) -> usize {
    let highest = trials.iter().map(|trial| trial.number).max();
    highest.map_or(0, |number| number.to_string().len()).max(2)
}

/// The runs with faults.
struct Series<'a> {
    setup: &'a TransferSetup<'a>,
    control_run: &'a ControlRun,
    connections: u64,
    options: &'a AuditOptions,
    seed: u64,
    digits: usize,
}

impl Series<'_> {
    fn run(&self, trials: &[Trial], told: &(dyn Fn(AuditEvent<'_>) + Sync)) -> Vec<Row> {
        let (next, rows) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
        let work = || {
            loop {
                let index = next.fetch_add(1, Ordering::Relaxed);
                let Some(trial) = trials.get(index) else { break };
                told(AuditEvent::Trial { number: index + 1, of: trials.len(), trial });
                let row = self.row(trial);
                // What an interruption did to it is no doing of the fault.
                if is_closed() {
                    break;
                }
                told(AuditEvent::Done(&row));
                rows.lock().unwrap_or_else(PoisonError::into_inner).push((index, row));
            }
        };
        std::thread::scope(|scope| {
            (0..self.jobs()).for_each(|_| {
                scope.spawn(work);
            });
        });
        let mut rows = rows.into_inner().unwrap_or_else(PoisonError::into_inner);
        rows.sort_by_key(|(index, _)| *index);
        rows.into_iter().map(|(_, row)| row).collect()
    }

    /// On one port there is one server at a time, and at one path one file.
    fn jobs(&self) -> usize {
        let audit = self.setup.audit;
        let is_on_one_port =
            matches!(audit.server, AuditServer::At(_)) || (audit.port.is_some() && !audit.isolate);
        let is_shared = is_on_one_port || is_absolute(&audit.sent) || is_absolute(&audit.received);
        if is_shared { 1 } else { self.options.jobs.clamp(1, MAX_JOBS) }
    }

    fn row(&self, trial: &Trial) -> Row {
        let mut row = Row {
            trial: trial.clone(),
            places: Vec::new(),
            verdict: Verdict::Inconclusive,
            why: None,
            claim: None,
            truth: Truth::Nothing,
            excerpt: None,
            then_failed: false,
            open: false,
            attempts: 1,
            notes: Vec::new(),
            output: Vec::new(),
            took: Duration::ZERO,
        };
        match self.control_run.place(trial, self.seed) {
            Ok(placement) => self.fill(&mut row, placement),
            Err(why) => row.why = Some(Why::NoPlace(why)),
        }
        row
    }

    fn fill(&self, row: &mut Row, mut placement: Placement) {
        row.places = placement.faults.iter().map(|targeted| place_text(targeted, false)).collect();
        let dir = format!("{:0digits$}-{}", row.trial.number, row.trial.name, digits = self.digits);
        match self.strike(&dir, &row.trial.env, &mut placement) {
            Err(Trouble { why, output }) => {
                row.open = why.is_accepted();
                (row.why, row.output) = (Some(why), output);
            }
            Ok(ran) => {
                let recordings = self.enter(row, &placement, ran);
                if row.verdict == Verdict::Recovered {
                    self.strike_again(&dir, row, &placement, &recordings);
                }
            }
        }
    }

    /// What came of a run, into its row. Returns what it carried.
    fn enter(&self, row: &mut Row, placement: &Placement, ran: TransferRun) -> Vec<Recording> {
        let has_missed = self.control_run.missed(placement, &ran.outcome).is_some();
        row.places = placement.faults.iter().map(|targeted| place_text(targeted, has_missed)).collect();
        (row.verdict, row.why) = judge(&row.trial, self.control_run, placement, &ran, self.connections);
        let is_wrong = ran.stale || ran.truth != Truth::Same;
        row.open = row.verdict == Verdict::Inconclusive && ran.claim == ClientClaim::Success && is_wrong;
        row.then_failed = ran.then_failed;
        row.claim = Some(ran.claim);
        (row.truth, row.excerpt) = (ran.truth, ran.excerpt);
        (row.notes, row.output, row.took) = (ran.notes, ran.output, ran.took);
        ran.outcome.recordings
    }

    /// A client that tried again and had better luck has not shown what it does if it has none: some check only the
    /// first time, some say Success when they give up. So the next attempts are struck, too.
    fn strike_again(&self, dir: &str, row: &mut Row, placement: &Placement, recordings: &[Recording]) {
        let Some(mut placement) = self.control_run.once_more(placement, recordings) else { return };
        for attempt in 2..=ATTEMPTS {
            let dir = format!("{dir}-{attempt}");
            let mut again = row.clone();
            again.attempts = attempt;
            let recordings = match self.strike(&dir, &row.trial.env, &mut placement) {
                Ok(ran) => self.enter(&mut again, &placement, ran),
                Err(Trouble { why, .. }) => {
                    again.open = why.is_accepted();
                    (again.verdict, again.why) = (Verdict::Inconclusive, Some(why));
                    Vec::new()
                }
            };
            match again.verdict {
                Verdict::Silent => {
                    again.notes.push(Note::SilentAfter(attempt));
                    *row = again;
                    return;
                }
                // What proves nothing takes nothing back, unless a wrong file may have been taken for good.
                Verdict::Inconclusive => {
                    if again.open {
                        *row = again;
                    }
                    return;
                }
                Verdict::Recovered => {}
                verdict => {
                    row.notes.push(Note::OtherwiseAfter(attempt, verdict));
                    return;
                }
            }
            match self.control_run.once_more(&placement, &recordings) {
                Some(more) => placement = more,
                None => return,
            }
        }
    }

    /// A transfer with faults, after one without: what the programs cannot do any more is not the fault's doing. A
    /// program that does not send the same in every run, as rsync when the machine is busy, gets another chance. Where
    /// that is no help, the places are those of the run before, in which the faults missed, as far as that shows them.
    fn strike(&self, dir: &str, env: &ExtraEnv, placement: &mut Placement) -> Result<TransferRun, Trouble> {
        unharmed(self.setup, self.options, &format!("{dir}-control"))
            .map_err(|trouble| Trouble { why: Why::JustBefore(Box::new(trouble.why)), ..trouble })?;
        let mut tries = 1;
        loop {
            let ran = in_dir(self.options, dir, |dir| self.setup.transfer(dir, placement.placed(), env))?;
            if tries == TRIES || self.control_run.missed(placement, &ran.outcome).is_none() {
                return Ok(ran);
            }
            if tries >= FAITHFUL
                && let Some(corrected) = self.control_run.corrected(placement, &ran.outcome.recordings)
            {
                *placement = corrected;
            }
            tries += 1;
            if self.options.keep {
                remove(&self.options.root.join(dir))?;
            }
        }
    }
}

/// Where a fault strikes, or where it struck in place of that.
fn place_text(targeted: &TargetedFault, has_missed: bool) -> String {
    let PlacedFault { fault, connection, .. } = &targeted.placed;
    let connection = match connection {
        Connections::Nth(1) | Connections::All => String::new(),
        Connections::Nth(number) => format!(" on connection {number}"),
    };
    let of_file = match (&targeted.target, has_missed) {
        (Target::File(offset), false) => format!(", offset {} of the file", number_text(*offset)),
        (Target::File(offset), true) => format!(", meant for offset {} of the file", number_text(*offset)),
        (Target::Share, _) => ", not known where in the file".into(),
        (Target::Digest(_) | Target::Stream, _) => String::new(),
    };
    format!("{fault}{connection}{of_file}")
}
