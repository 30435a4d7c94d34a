//! Walks the single faults of an exchange, and makes one result of parts.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::Path;

use sim::explore::class::Class;
use sim::explore::part::{self, FindingRecord, Header, Part, Record, SweepResult, message_records, place_of};
use sim::explore::pool::walk;
use sim::explore::space::{Narrowing, Variant, variants};
use sim::explore::sweep::Sweep;
use sim::report::{self, Lines};
use sim::run::{ForkError, Plan, RunError};
use sim::scenario::Scenario;

use super::{Stop, bar, jobs, quiet_panics};
use crate::cli::args::{Format, MergeArgs, SweepArgs};
use crate::cli::{Exit, complain_in, fail_in, json_lines, print};

/// What a command cannot go on after: it is said already.
type Stopped = Exit;

pub(in crate::cli) fn sweep(args: &SweepArgs) -> Exit {
    carry_out(args).unwrap_or_else(|exit| exit)
}

fn carry_out(args: &SweepArgs) -> Result<Exit, Stopped> {
    let lines = json_lines(args.format);
    let narrowing = narrowing(args, lines.as_ref())?;
    let plan = plan(args, lines.as_ref())?;
    let first = Sweep::new(&plan, args.many.mutant, &narrowing)
        .map_err(|error| refused(args, &error, lines.as_ref()))?;
    let space = first.space().clone();
    if space.count() == 0 {
        return Err(fail_in(
            "nothing is left to walk: no such fault fits into this exchange",
            lines.as_ref(),
        ));
    }
    if args.count {
        print::say(&format!("{}\n", space.count()));
        return Ok(Exit::Met);
    }
    let header = header(args, &plan, &first);
    let mut out = Output::open(args, &header, lines)?;
    let stop = Stop::new(args.many.budget);
    let share = header.share();
    let bar = bar(share.share(header.total), args.many.quiet);
    bar.set_position(out.done);
    bar.reset_eta();
    let (mut rows, mut found) = (part::Lines::from(out.done), 0_u64);
    quiet_panics();
    let make = || {
        let mut sweep = Sweep::new(&plan, args.many.mutant, &narrowing)?;
        Ok(move |nth| sweep.run(share.run(nth)))
    };
    let range = out.done..share.share(header.total);
    let walked = walk(jobs(args.many.jobs), range, &|| stop.is_due(), make, |nth, run| {
        bar.inc(1);
        if run.class.is_finding() {
            found += 1;
            bar.set_message(format!("{found} found"));
        }
        out.write(&rows.add(share.run(nth), &space, &run));
    });
    bar.finish_and_clear();
    walked.map_err(|error| refused(args, &error, out.lines.as_ref()))?;
    out.write(&rows.finish());
    out.finish()?;
    let mut result = SweepResult::new(&header);
    result.add(&out.text).map_err(|error| fail_in(&error.to_string(), None))?;
    if args.format == Format::Text {
        print::say(&report::sweep::text(&result, &space, &|finding| replay(args, finding)));
    }
    Ok(judge(&result, stop.was_interrupted()))
}

pub(in crate::cli) fn merge(args: &MergeArgs) -> Exit {
    merge_parts(args).unwrap_or_else(|exit| exit)
}

fn merge_parts(args: &MergeArgs) -> Result<Exit, Stopped> {
    let mut result: Option<SweepResult> = None;
    for path in &args.parts {
        let named = |error: &dyn std::fmt::Display| fail_in(&format!("{}: {error}", path.display()), None);
        let text = fs::read_to_string(path).map_err(|error| named(&error))?;
        let header = Part::read(&text).map_err(|error| named(&error))?.header;
        let whole = result.get_or_insert_with(|| SweepResult::new(&header));
        whole.add(&text).map_err(|error| named(&error))?;
    }
    let Some(result) = result else { return Ok(Exit::Usage) };
    let Some(space) = result.header.space() else {
        return Err(fail_in("another version of this program made these parts", None));
    };
    let again = |finding: &FindingRecord| replay_of(&result.header, finding);
    print::say(&report::sweep::text(&result, &space, &again));
    let partial = if result.is_complete() { Exit::Met } else { Exit::Inconclusive };
    Ok(judge(&result, false).max(partial))
}

/// Something was found; or nothing was proved; or all is well.
fn judge(result: &SweepResult, interrupted: bool) -> Exit {
    let classes = || result.classes.iter().flatten();
    if classes().any(|class| class.is_finding()) {
        Exit::NotMet
    } else if interrupted {
        Exit::Interrupted
    } else if result.walked() > 0 && classes().all(|class| *class == Class::Unproved)
        || stopped_at_once(result)
    {
        Exit::Inconclusive
    } else {
        Exit::Met
    }
}

/// Whether not even the first run of a share that has some was carried out.
fn stopped_at_once(result: &SweepResult) -> bool {
    let total = result.header.total;
    result.walked() == 0 && result.shares.iter().any(|(shard, _)| shard.share(total) > 0)
}

fn refused(args: &SweepArgs, error: &ForkError, lines: Option<&Lines>) -> Exit {
    match error {
        ForkError::Run(RunError::Scenario(error)) => complain_in(error, lines),
        ForkError::Inconclusive(why) => {
            fail_in(&format!("{}: nothing can be proved: {why}", args.scenario.display()), lines);
            Exit::Inconclusive
        }
        error => fail_in(&format!("{}: {error}", args.scenario.display()), lines),
    }
}

fn narrowing(args: &SweepArgs, lines: Option<&Lines>) -> Result<Narrowing, Stopped> {
    let all = variants();
    let known: Vec<&str> = all.iter().map(Variant::kind).collect();
    if let Some(unknown) = args.kinds.iter().find(|kind| !known.contains(&kind.as_str())) {
        let mut names = known;
        names.dedup();
        return Err(fail_in(&format!("--kinds {unknown}: the kinds are {}", names.join(", ")), lines));
    }
    let place = |word: &String| {
        place_of(word).ok_or_else(|| {
            fail_in(&format!("--in {word}: the places are to-server, to-client and disk"), lines)
        })
    };
    let places = args.places.iter().map(place).collect::<Result<_, _>>()?;
    Ok(Narrowing { kinds: args.kinds.clone(), steps: args.steps.clone(), places })
}

fn plan(args: &SweepArgs, lines: Option<&Lines>) -> Result<Plan, Stopped> {
    let mut scenario = Scenario::load(&args.scenario).map_err(|error| complain_in(&error, lines))?;
    if args.size > 0 {
        scenario.resize_noise(args.size);
    }
    Plan::new(&scenario).map_err(|error| fail_in(&format!("{}: {error}", args.scenario.display()), lines))
}

fn header(args: &SweepArgs, plan: &Plan, sweep: &Sweep) -> Header {
    let space = sweep.space();
    let share = args.shard.unwrap_or_default();
    Header {
        version: env!("CARGO_PKG_VERSION").into(),
        scenario: args.scenario.display().to_string(),
        exchange: format!("{:016x}", sweep.fingerprint()),
        clients: plan.clients().len(),
        mutant: args.many.mutant.map(|flaw| flaw.to_string()),
        seed: plan.seed(),
        size: (args.size > 0).then_some(args.size),
        kinds: args.kinds.clone(),
        steps: args.steps.clone(),
        places: args.places.clone(),
        total: space.count(),
        shard: share.number,
        shards: share.of,
        messages: message_records(space),
    }
}

/// The command that repeats one run, fit to be pasted into a shell.
fn replay(args: &SweepArgs, finding: &FindingRecord) -> String {
    let size = (args.size > 0).then_some(args.size);
    let mutant = args.many.mutant.map(|flaw| flaw.to_string());
    words(&args.scenario.display().to_string(), size, mutant, finding)
}

fn replay_of(header: &Header, finding: &FindingRecord) -> String {
    words(&header.scenario, header.size, header.mutant.clone(), finding)
}

fn words(scenario: &str, size: Option<u64>, mutant: Option<String>, finding: &FindingRecord) -> String {
    let mut words = vec![scenario.to_owned(), "--transport".into(), "memory".into()];
    let size = size.map(|bytes| bytes.to_string());
    for (name, value) in [("--size", size), ("--fault", Some(finding.fault.clone())), ("--mutant", mutant)] {
        words.extend(value.into_iter().flat_map(|value| [name.to_owned(), value]));
    }
    print::command(&words)
}

/// Where the lines of the part go: kept for the report, and written to a file or to standard output.
struct Output {
    /// How many runs of the share stand there already.
    done: u64,
    text: String,
    stamp: Lines,
    file: Option<File>,
    /// What writes JSON to standard output, if that is wanted.
    lines: Option<Lines>,
    failed: Option<String>,
}

impl Output {
    fn open(args: &SweepArgs, header: &Header, lines: Option<Lines>) -> Result<Self, Stopped> {
        let mut output =
            Self { done: 0, text: String::new(), stamp: Lines::default(), file: None, lines, failed: None };
        let Some(path) = &args.out else {
            output.write(&[Record::Sweep(header.clone())]);
            return Ok(output);
        };
        let named = |error: &dyn std::fmt::Display| fail_in(&format!("{}: {error}", path.display()), None);
        if args.resume && path.exists() {
            output.resume(path, header).map_err(|error| named(&error))?;
            return Ok(output);
        }
        let file = OpenOptions::new().write(true).create_new(true).open(path);
        output.file = Some(file.map_err(|error| match error.kind() {
            std::io::ErrorKind::AlreadyExists => named(&"it is there already: `--resume` goes on with it"),
            _ => named(&error),
        })?);
        output.write(&[Record::Sweep(header.clone())]);
        Ok(output)
    }

    /// Goes on behind the last whole line of a part.
    fn resume(&mut self, path: &Path, header: &Header) -> Result<(), String> {
        let text = fs::read_to_string(path).map_err(|error| error.to_string())?;
        if !text.contains('\n') {
            // It was cut off in its header: nothing of it counts.
            self.file = Some(File::create(path).map_err(|error| error.to_string())?);
            self.write(&[Record::Sweep(header.clone())]);
            return Ok(());
        }
        let part = Part::read(&text).map_err(|error| error.to_string())?;
        if part.header != *header {
            return Err("it is the part of another sweep, or of another share".into());
        }
        let file = OpenOptions::new().append(true).open(path).map_err(|error| error.to_string())?;
        file.set_len(part.bytes as u64).map_err(|error| error.to_string())?;
        (self.done, self.file) = (part.runs, Some(file));
        self.text.push_str(&text[..part.bytes]);
        // The first line of the file says the version of the schema already.
        let _ = self.stamp.line(&());
        if self.lines.is_some() {
            print::say(&self.text);
        }
        Ok(())
    }

    fn write(&mut self, records: &[Record]) {
        for record in records {
            let line = self.stamp.line(record);
            if self.lines.is_some() {
                print::say(&line);
            }
            if let Some(file) = &mut self.file
                && self.failed.is_none()
            {
                self.failed = file.write_all(line.as_bytes()).err().map(|error| error.to_string());
            }
            self.text.push_str(&line);
        }
    }

    /// Whether all of it could be written.
    fn finish(&self) -> Result<(), Stopped> {
        match &self.failed {
            Some(error) => Err(fail_in(&format!("the part could not be written: {error}"), None)),
            None => Ok(()),
        }
    }
}
