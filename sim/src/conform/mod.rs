//! Conformance: programs in any language held against PROTOCOL.md, rule by rule. Each case is a short script of
//! exact bytes to send and of what may come back; it names the rules it tests and the cases without which it
//! could not tell anything. [`test_server`] plays the client over raw sockets, [`test_client`] the server.
//!
//! A case accepts all that the rules leave free, and nothing else. One that could not be played is *not
//! reached*, which is never a pass. Of [`protocol`], only the codec is used here, not the state machines, and none
//! of our endpoints: a judge that shared a mistake with the judged would not see it.

/// A table of cases: level, name, the rules that it tests, the cases that it needs, what the program has to do,
/// and the script.
macro_rules! cases {
    ($bench:ty: $(
        $level:literal $name:literal [$($rule:literal)*] after [$($need:literal)*] $about:literal => $script:expr;
    )*) => {
        pub(super) const CASES: &[crate::conform::Case<$bench>] = &[$(crate::conform::Case {
            info: crate::conform::CaseInfo {
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
mod finding;
mod rules;
mod server;
mod wire;

use std::collections::BTreeMap;
use std::time::Duration;

pub use client::{
    Command, Goal, Job, Program, TemplateError, Templates, cases as client_cases, test as test_client,
};
pub use finding::{Difference, Finding};
use finding::{broken, broken_payload};
pub use rules::{rule_text, rules, step_text};
pub use server::{cases as server_cases, test as test_server, test_command as test_server_command};
pub use wire::Said;
use wire::{Came, Wire};

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
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// How long the program has for each answer. [`TIMEOUT`] if `None`.
    pub timeout: Option<Duration>,
    /// Up to which level. All if `None`.
    pub level: Option<u8>,
    /// Only the cases with these names, and whatever they need. All if empty.
    pub cases: Vec<String>,
    /// Makes the names and contents of the files that are sent: two runs with one seed send the same. A server
    /// that keeps its files from run to run wants another each time.
    pub seed: u64,
}

/// What came of a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
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
}

/// One case and what came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaseResult {
    /// The case.
    pub case: CaseInfo,
    /// What came of it.
    pub outcome: Outcome,
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
        let any = |is: fn(&Outcome) -> bool| self.results.iter().any(|result| is(&result.outcome));
        let good = |outcome: &Outcome| matches!(outcome, Outcome::Pass | Outcome::Warning(_));
        if any(|outcome| matches!(outcome, Outcome::Fail(_))) {
            Conclusion::Failed
        } else if any(|outcome| matches!(outcome, Outcome::NotReached { free: false, .. })) || !any(good) {
            Conclusion::Inconclusive
        } else {
            Conclusion::Passed
        }
    }

    /// The highest level up to which every case was played and passed, but for those that the rules let the program
    /// stay away from; 0 if there is none. `None` if a part of the cases cannot tell.
    #[must_use]
    pub fn level(&self) -> Option<u8> {
        let held = |outcome: &Outcome| {
            matches!(outcome, Outcome::Pass | Outcome::Warning(_) | Outcome::NotReached { free: true, .. })
        };
        let all = self.all_cases();
        let of = |case: &CaseInfo| self.results.iter().find(|result| result.case.name == case.name);
        let worst = all.iter().find(|case| !of(case).is_some_and(|result| held(&result.outcome)));
        match worst.map_or(all.iter().map(|case| case.level).max(), |case| Some(case.level - 1)) {
            Some(0) if self.is_partial() && worst.is_some_and(|case| self.is_untold(case.level)) => None,
            level => level,
        }
    }

    /// Whether only a part of all cases was asked for.
    #[must_use]
    pub fn is_partial(&self) -> bool {
        let left_out = |result: &CaseResult| matches!(result.outcome, Outcome::LeftOut { .. });
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
        !of_level
            .map(|result| &result.outcome)
            .any(|outcome| matches!(outcome, Outcome::Fail(_) | Outcome::NotReached { free: false, .. }))
    }
}

/// Why a case ended early.
enum Stop {
    Fail(Box<Finding>),
    NotReached(String),
    /// The same, and the program is free to be like that.
    Free(String),
    /// There is no command for it.
    LeftOut(String),
    /// The server has no connection to spare for the moment.
    Busy,
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

/// What a case is played on.
trait Bench {
    /// Before each case.
    fn begin(&mut self);

    /// What the program should have done in this case and did not; taken out.
    fn warning(&mut self) -> Option<Finding>;

    /// After a case that did not pass: whether the program is still there. `None` if so, or if it is started anew.
    fn gone(&mut self) -> Option<Gone> {
        None
    }

    /// After each case, `long` after the first and those that did not pass: lets the program come to its end, if
    /// that is what it does, so that the next case is not charged with it.
    fn settle(&mut self, _long: bool) {}

    /// After a case that failed: what else may help.
    fn hints(&mut self) -> Vec<String> {
        Vec::new()
    }
}

/// A program that takes no connection any more.
struct Gone {
    /// What the case before is charged with if the program was gone when this case began.
    charge: Option<Finding>,
    /// Why nothing more can be played.
    why: String,
}

/// Runs those of `cases` that `options` asks for, in their order.
fn run<B: Bench>(cases: &'static [Case<B>], options: &Options, bench: &mut B) -> Vec<CaseResult> {
    let wanted = |case: &Case<B>| {
        let named = options.cases.is_empty() || options.cases.iter().any(|name| name == case.info.name);
        named && options.level.is_none_or(|level| case.info.level <= level)
    };
    let mut needed = Vec::new();
    for case in cases.iter().filter(|case| wanted(case)) {
        add_with_needs(cases, case.info.name, &mut needed);
    }
    let mut played = Played::default();
    for case in cases.iter().filter(|case| needed.contains(&case.info.name)) {
        played.add(case, bench);
    }
    let of = |case: &Case<B>| {
        let outcome = played.outcomes.remove(case.info.name);
        outcome.map(|outcome| CaseResult { case: case.info.clone(), outcome })
    };
    cases.iter().filter(|case| wanted(case)).filter_map(of).collect()
}

/// What came of the cases so far.
#[derive(Default)]
struct Played {
    outcomes: BTreeMap<&'static str, Outcome>,
    /// The last that was really played.
    last: Option<&'static str>,
    /// Why no more can be.
    gone: Option<String>,
}

impl Played {
    fn add<B: Bench>(&mut self, case: &Case<B>, bench: &mut B) {
        let outcome = match self.hindrance(&case.info) {
            Some(outcome) => outcome,
            None => self.play(case, bench),
        };
        self.outcomes.insert(case.info.name, outcome);
    }

    /// Why a case is not played at all.
    fn hindrance(&self, case: &CaseInfo) -> Option<Outcome> {
        if let Some(why) = &self.gone {
            return Some(Outcome::NotReached { why: why.clone(), free: false });
        }
        let need = case.needs.iter().find(|need| !good(self.outcomes.get(*need)))?;
        Some(match self.outcomes.get(need) {
            Some(Outcome::LeftOut { why }) => Outcome::LeftOut { why: why.clone() },
            outcome => {
                let free = matches!(outcome, Some(Outcome::NotReached { free: true, .. }));
                Outcome::NotReached { why: format!("it needs {need}, which did not pass"), free }
            }
        })
    }

    fn play<B: Bench>(&mut self, case: &Case<B>, bench: &mut B) -> Outcome {
        let outcome = play(case, bench);
        let passed = good(Some(&outcome));
        if !passed && let Some(gone) = bench.gone() {
            self.gone = Some(gone.why.clone());
            if let Some(charge) = gone.charge {
                self.charge(charge);
                return Outcome::NotReached { why: gone.why, free: false };
            }
            return ended_here(outcome, self.last);
        }
        bench.settle(!passed || self.last.is_none());
        self.last = Some(case.info.name);
        outcome
    }

    /// The last case is to blame, unless it has failed anyway.
    fn charge(&mut self, finding: Finding) {
        if let Some(outcome) = self.last.and_then(|last| self.outcomes.get_mut(last))
            && good(Some(outcome))
        {
            *outcome = Outcome::Fail(Box::new(finding));
        }
    }
}

/// The program was there when the case began and is not any more.
fn ended_here(outcome: Outcome, last: Option<&str>) -> Outcome {
    let Outcome::Fail(mut finding) = outcome else { return outcome };
    if finding.rule == 5 {
        finding.rule = OUTLIVES;
    }
    finding.title.get_or_insert_with(|| "The server ended in this case".into());
    // A server can take longer to end than it was waited for.
    finding.hints.extend(
        last.map(|last| format!("nothing came: it may have begun to end in the case before, {last}")),
    );
    Outcome::Fail(finding)
}

fn good(outcome: Option<&Outcome>) -> bool {
    matches!(outcome, Some(Outcome::Pass | Outcome::Warning(_)))
}

/// Every case in the table needs only earlier ones, which a test makes sure of: this comes to an end.
fn add_with_needs<B>(cases: &'static [Case<B>], name: &'static str, needed: &mut Vec<&'static str>) {
    if needed.contains(&name) {
        return;
    }
    needed.push(name);
    let needs = cases.iter().find(|case| case.info.name == name).map_or(&[][..], |case| case.info.needs);
    needs.iter().for_each(|need| add_with_needs(cases, need, needed));
}

/// How often a case is tried on a server that has no connection to spare for it.
const MAX_BUSY: u32 = 20;

fn play<B: Bench>(case: &Case<B>, bench: &mut B) -> Outcome {
    for _ in 0..MAX_BUSY {
        bench.begin();
        return match ((case.script)(bench), bench.warning()) {
            (Ok(()), None) => Outcome::Pass,
            (Ok(()), Some(finding)) => Outcome::Warning(Box::new(finding)),
            (Err(Stop::Fail(finding)), _) => {
                let mut finding = sharpened(&case.info, finding.with_hints());
                finding.hints.extend(bench.hints());
                Outcome::Fail(Box::new(finding))
            }
            (Err(Stop::NotReached(why)), _) => Outcome::NotReached { why, free: false },
            (Err(Stop::Free(why)), _) => Outcome::NotReached { why, free: true },
            (Err(Stop::LeftOut(why)), _) => Outcome::LeftOut { why },
            (Err(Stop::Busy), _) => {
                // It may not have seen yet that the last connection has ended.
                std::thread::sleep(QUIET);
                continue;
            }
        };
    }
    Outcome::NotReached { why: "the server is busy".into(), free: false }
}

/// That a side says something else than it should is against R5 at the least: the rule that the case is about
/// tells more.
fn sharpened(case: &CaseInfo, finding: Finding) -> Finding {
    match case.rules.first() {
        Some(rule) if finding.rule == 5 && !case.rules.contains(&5) => Finding { rule: *rule, ..finding },
        _ => finding,
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

/// The MD5 of these bytes as it stands on the wire.
fn id_of(bytes: &[u8]) -> String {
    let mut hasher = crate::endpoint::Hasher::default();
    hasher.update(bytes);
    hasher.finish().to_string()
}

/// Bytes that no other seed gives.
fn noise(seed: u64, len: usize) -> Vec<u8> {
    let mut bytes = vec![0; len];
    let content = crate::storage::Content::Noise { seed, len: len as u64 };
    // Noise is computed: it cannot fail to be read.
    let _ = content.read_at(0, &mut bytes);
    bytes
}
