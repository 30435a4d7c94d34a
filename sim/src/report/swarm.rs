//! What came of a swarm, for people.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use anstyle::{AnsiColor, Style};

use super::sweep::{number, ratio};
use crate::explore::swarm::{Class, Examined, KnownLimit};

const GOOD: Style = AnsiColor::Green.on_default();
const BAD: Style = AnsiColor::Red.on_default().bold();

/// What the runs of a swarm came to.
#[derive(Clone, Debug)]
pub struct Tally {
    /// The seed of the swarm.
    pub seed: u64,
    /// How many runs were carried out.
    pub runs: u64,
    classes: BTreeMap<Class, u64>,
    limits: BTreeMap<KnownLimit, u64>,
    behaviours: BTreeSet<u64>,
    /// The number of the run that showed the last new behaviour.
    last_new: Option<u64>,
    findings: u64,
}

/// A finding that was made small and written down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The number of the run.
    pub number: u64,
    /// What it shows, as a sentence.
    pub finding: String,
    /// The file with the smallest scenario that shows it.
    pub path: String,
    /// The command that runs that.
    pub replay: String,
}

impl Tally {
    /// Nothing yet.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self {
            seed,
            runs: 0,
            classes: BTreeMap::new(),
            limits: BTreeMap::new(),
            behaviours: BTreeSet::new(),
            last_new: None,
            findings: 0,
        }
    }

    /// Takes what the run with this number came to.
    pub fn add(&mut self, number: u64, examined: &Examined) {
        *self.classes.entry(examined.class).or_default() += 1;
        for limit in &examined.limits {
            *self.limits.entry(*limit).or_default() += 1;
        }
        self.findings += examined.findings.len() as u64;
        if examined.class == Class::Proved && self.behaviours.insert(examined.signature) {
            self.last_new = Some(number);
        }
    }

    /// How many runs came to this.
    #[must_use]
    pub fn count(&self, class: Class) -> u64 {
        self.classes.get(&class).copied().unwrap_or(0)
    }

    /// For how many runs up to this one no behaviour was new.
    #[must_use]
    pub fn quiet_for(&self, number: u64) -> u64 {
        number - self.last_new.unwrap_or(0).min(number)
    }
}

/// The report, styled with ANSI escapes. `planned` is how many runs there were to be.
#[must_use]
pub fn text(tally: &Tally, found: &[Found], planned: u64) -> String {
    let mut text = format!("seed {}: {} scenarios by chance\n\n", tally.seed, number(tally.runs));
    for (class, count) in &tally.classes {
        let _ = writeln!(text, "{:>12}  {class}", number(*count));
    }
    let _ = write!(text, "\n{} behaviours", number(tally.behaviours.len() as u64));
    match tally.last_new {
        Some(last) => {
            let _ = writeln!(text, "; the last new one came with run {}", number(last));
        }
        None => text.push('\n'),
    }
    for (limit, count) in &tally.limits {
        let _ =
            writeln!(text, "{} times a limit of the specification (docs/ladder.md): {limit}", number(*count));
    }
    for it in found {
        let _ = writeln!(text, "\n{BAD}run {}{BAD:#}  {}", it.number, it.finding);
        let _ = writeln!(text, "  made small in {}\n  replay: {}", it.path, it.replay);
    }
    let proved = tally.count(Class::Proved);
    let share = 100.0 * ratio(proved, tally.runs);
    let end = match (tally.findings, proved) {
        (0, 0) => "nothing is proved".to_owned(),
        (0, _) => format!("{GOOD}nothing was found{GOOD:#}"),
        (findings, _) => format!("{BAD}{} findings{BAD:#}", number(findings)),
    };
    let partial = if tally.runs < planned {
        format!(" of {} that were asked for", number(planned))
    } else {
        String::new()
    };
    let _ = writeln!(
        text,
        "\n{} runs{partial}, in {} ({share:.0} %) of which every fault struck what it was to strike: {end}.",
        number(tally.runs),
        number(proved)
    );
    text
}
