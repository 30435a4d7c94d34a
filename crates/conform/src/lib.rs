//! Conformance: programs in any language held against PROTOCOL.md, rule by rule. Each case is a short script of
//! exact bytes to send and of what may come back; it names the rules it tests and the cases without which it
//! could not tell anything. [`test_server`] plays the client over raw sockets, [`test_client`] the server.
//!
//! A case accepts all that the rules leave free, and nothing else. One that could not be played is *not
//! reached*, which is never a pass. Of [`protocol`], only the codec is used here, not the state machines, and none
//! of our endpoints: a judge that shared a mistake with the judged would not see it.
//!
//! ```no_run
//! let server = "127.0.0.1:9999".parse()?;
//! let report = conform::test_server(&[server], &conform::ConformOptions::default());
//! assert_eq!(report.conclusion(), conform::Conclusion::Passed);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

/// A table of cases: level, name, the rules that it tests, the cases that it needs, what the program has to do,
/// and the script.
macro_rules! cases {
    ($bench:ty: $(
        $level:literal $name:literal [$($rule:literal)*] after [$($need:literal)*] $about:literal => $script:expr;
    )*) => {
        pub(super) const CASES: &[crate::Case<$bench>] = &[$(crate::Case {
            info: crate::CaseInfo {
                name: $name,
                level: $level,
                rules: &[$($rule),*],
                about: $about,
                needs: &[$($need),*],
            },
            script: $script,
        }),*];
    };
}

mod client;
mod content;
mod finding;
mod obstacle;
mod rules;
mod runner;
mod server;
mod wire;

use std::time::Duration;

pub use client::{
    ClientCommands, ClientJob, ClientProgram, Goal, ProgramCommand, ProgramCommandError,
    cases as client_cases, test as test_client,
};
use content::id_of;
pub use finding::{Difference, Finding};
use finding::{broken, broken_payload};
use obstacle::Obstacle;
pub use rules::{rule_text, rules, step_text};
use runner::{Bench, EndedProgram, run};
pub use server::{cases as server_cases, test as test_server, test_command as test_server_command};
pub use wire::DialogueEntry;
use wire::{ActualInput, Wire};

/// What each level is about, from the first on.
pub const LEVELS: [&str; 8] = [
    "connects and lists",
    "uploads",
    "downloads",
    "verifies and discards",
    "refuses, and takes refusals",
    "frames its messages",
    "keeps the limits",
    "survives hostile peers",
];

/// How long the program under test has for each answer unless told otherwise.
pub const TIMEOUT: Duration = Duration::from_secs(5);
/// The rule by which a server goes on to the next connection: its listing is the same for all of them.
const OUTLIVES: u8 = 15;
/// The seed of a run unless told otherwise.
pub const SEED: u64 = 1;
/// How long it is listened for what must not come.
const QUIET: Duration = Duration::from_millis(100);

/// What a case is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaseInfo {
    /// Its name, in kebab-case.
    pub name: &'static str,
    /// Its level, from 1 to 8.
    pub level: u8,
    /// The rules that it tests.
    pub rules: &'static [u8],
    /// What the program has to do, in one sentence.
    pub about: &'static str,
    /// The cases that have to pass before it.
    pub needs: &'static [&'static str],
}

/// What is to be run, and how patiently.
#[derive(Clone, Debug)]
pub struct ConformOptions {
    /// How long the program has for each answer. [`TIMEOUT`] if `None`.
    pub timeout: Option<Duration>,
    /// Up to which level. All if `None`.
    pub level: Option<u8>,
    /// Only the cases with these names, and whatever they need. All if empty.
    pub cases: Vec<String>,
    /// Makes the names and contents of the files that are sent: two runs with one seed send the same. [`SEED`] unless
    /// told otherwise.
    pub seed: u64,
}

impl Default for ConformOptions {
    fn default() -> Self {
        Self { timeout: None, level: None, cases: Vec::new(), seed: SEED }
    }
}

/// What came of a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CaseOutcome {
    /// The program did as the rules say.
    Pass,
    /// It did what it MUST, but not what it SHOULD.
    Warning(Box<Finding>),
    /// It broke a rule.
    Fail(Box<Finding>),
    /// The case could not be played.
    NotReached {
        /// Why.
        why: String,
        /// Whether the rules leave the program free not to let the case come about.
        free: bool,
    },
    /// Nobody asked for it: the program was given without the command that it takes.
    LeftOut {
        /// Which.
        why: String,
    },
    /// This machine failed, not the program, and again when the case was repeated: it says nothing.
    Lost {
        /// How.
        why: String,
    },
}

/// What came of a case, in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CaseOutcomeKind {
    /// [`CaseOutcome::Pass`].
    Pass,
    /// [`CaseOutcome::Warning`].
    Warning,
    /// [`CaseOutcome::Fail`].
    Fail,
    /// [`CaseOutcome::NotReached`].
    NotReached,
    /// [`CaseOutcome::LeftOut`].
    LeftOut,
    /// [`CaseOutcome::Lost`].
    Lost,
}

impl CaseOutcomeKind {
    /// Every kind, in the order in which a report counts them.
    pub const ALL: [Self; 6] =
        [Self::Pass, Self::Warning, Self::Fail, Self::NotReached, Self::LeftOut, Self::Lost];
}

impl CaseOutcome {
    /// Which kind it is.
    #[must_use]
    pub const fn kind(&self) -> CaseOutcomeKind {
        match self {
            Self::Pass => CaseOutcomeKind::Pass,
            Self::Warning(_) => CaseOutcomeKind::Warning,
            Self::Fail(_) => CaseOutcomeKind::Fail,
            Self::NotReached { .. } => CaseOutcomeKind::NotReached,
            Self::LeftOut { .. } => CaseOutcomeKind::LeftOut,
            Self::Lost { .. } => CaseOutcomeKind::Lost,
        }
    }

    /// Whether it leaves open whether the program keeps the rules.
    fn is_open(&self) -> bool {
        matches!(self, Self::NotReached { free: false, .. } | Self::Lost { .. })
    }
}

/// One case and what came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaseResult {
    /// The case.
    pub case: CaseInfo,
    /// What came of it.
    pub outcome: CaseOutcome,
}

/// What is under test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// A server.
    Server,
    /// A client.
    Client,
}

/// What came of a whole run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// What was under test.
    pub side: Side,
    /// The seed from which names and contents followed.
    pub seed: u64,
    /// Which series of them was sent: 0, or the next if a server had files of earlier runs with this seed.
    pub round: u32,
    /// The cases, by level.
    pub results: Vec<CaseResult>,
}

/// What a report comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Conclusion {
    /// Every case that was asked for passed, but for those that the rules let the program stay away from.
    Passed,
    /// A rule was broken.
    Failed,
    /// No rule was broken as far as was seen, but that was not far enough.
    Inconclusive,
}

impl Report {
    /// What it comes to.
    #[must_use]
    pub fn conclusion(&self) -> Conclusion {
        let any = |is: fn(&CaseOutcome) -> bool| self.results.iter().any(|result| is(&result.outcome));
        let good = |outcome: &CaseOutcome| matches!(outcome, CaseOutcome::Pass | CaseOutcome::Warning(_));
        if any(|outcome| matches!(outcome, CaseOutcome::Fail(_))) {
            Conclusion::Failed
        } else if any(CaseOutcome::is_open) || !any(good) {
            Conclusion::Inconclusive
        } else {
            Conclusion::Passed
        }
    }

    /// The highest level up to which every case was played and passed, but for those that the rules let the program
    /// stay away from; 0 if there is none. `None` if a part of the cases cannot tell.
    #[must_use]
    pub fn level(&self) -> Option<u8> {
        let held = |outcome: &CaseOutcome| {
            matches!(
                outcome,
                CaseOutcome::Pass | CaseOutcome::Warning(_) | CaseOutcome::NotReached { free: true, .. }
            )
        };
        let all = self.all_cases();
        let of = |case: &CaseInfo| self.results.iter().find(|result| result.case.name == case.name);
        let worst = all.iter().find(|case| !of(case).is_some_and(|result| held(&result.outcome)));
        let is_lost = |case: &CaseInfo| {
            of(case).is_some_and(|result| matches!(result.outcome, CaseOutcome::Lost { .. }))
        };
        let cannot_tell =
            |case: &CaseInfo| (self.is_partial() || is_lost(case)) && self.is_untold(case.level);
        match worst.map_or(all.iter().map(|case| case.level).max(), |case| Some(case.level - 1)) {
            Some(0) if worst.is_some_and(cannot_tell) => None,
            level => level,
        }
    }

    /// Whether only a part of all cases was asked for.
    #[must_use]
    pub fn is_partial(&self) -> bool {
        let left_out = |result: &CaseResult| matches!(result.outcome, CaseOutcome::LeftOut { .. });
        self.results.len() < self.all_cases().len() || self.results.iter().any(left_out)
    }

    /// Every case that there is for such a program.
    #[must_use]
    pub fn all_cases(&self) -> Vec<CaseInfo> {
        match self.side {
            Side::Server => server_cases(),
            Side::Client => client_cases(),
        }
    }

    /// Whether nothing of a level failed, so that it is open how the rest of it would have gone.
    fn is_untold(&self, level: u8) -> bool {
        let of_level = self.results.iter().filter(|result| result.case.level == level);
        !of_level.map(|result| &result.outcome).any(|outcome| {
            matches!(outcome, CaseOutcome::Fail(_) | CaseOutcome::NotReached { free: false, .. })
        })
    }
}

/// Why a case ended early.
enum Stop {
    Fail(Box<Finding>),
    NotReached(Obstacle),
    /// The same, and the program is free to be like that.
    Free(String),
    /// There is no command for it.
    LeftOut(String),
    /// The server has no connection to spare for the moment.
    Busy,
    /// The machine failed, not the program: there is a chance that it goes well the next time.
    Lost(String),
}

type Check<T = ()> = Result<T, Stop>;

/// A case with its script.
struct Case<B: 'static> {
    info: CaseInfo,
    script: fn(&mut B) -> Check,
}

// Derived, it would want benches that can be cloned.
impl<B> Clone for Case<B> {
    fn clone(&self) -> Self {
        Self { info: self.info.clone(), script: self.script }
    }
}

/// A file that is sent back and forth.
#[derive(Clone, Debug)]
struct File {
    name: String,
    bytes: Vec<u8>,
}

impl File {
    fn id(&self) -> String {
        id_of(&self.bytes)
    }

    fn details(&self) -> String {
        format!("{};{}", self.name, self.bytes.len())
    }

    fn entry(&self) -> String {
        format!("{};{}", self.id(), self.details())
    }
}
