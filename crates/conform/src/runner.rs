//! Plays cases one after the other, and says of each what came of it: which cases are not reached because of others,
//! which are tried again, and what a case may charge the program with.

use std::collections::BTreeMap;

use super::{Case, CaseInfo, CaseOutcome, CaseResult, ConformOptions, Finding, OUTLIVES, QUIET, Stop};

/// How often a case is tried on a server that has no connection to spare for it.
const MAX_BUSY: u32 = 20;
/// How often a case that was lost to the machine is repeated.
const MAX_REPEATS: u32 = 2;
/// After so many lost cases in a row no more are played.
const MAX_LOST: u32 = 3;
/// What goes wrong in an exchange that a case only makes use of: that something else comes than should, other bytes,
/// another hash, or something behind a refusal.
const OF_EVERY_EXCHANGE: [u8; 4] = [3, 5, 17, 22];

/// What a case is played on.
pub(super) trait Bench {
    /// Before each case, and each time that it is tried again.
    fn begin(&mut self, case: &CaseInfo);

    /// What the program should have done in this case and did not; taken out.
    fn warning(&mut self) -> Option<Finding>;

    /// After a case that did not pass: whether the program is still there. `None` if so, or if it is started anew.
    fn ended_program(&mut self) -> Option<EndedProgram> {
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
pub(super) struct EndedProgram {
    /// What the case before is charged with if the program was gone when this case began.
    pub(super) charge: Option<Finding>,
    /// Why nothing more can be played.
    pub(super) why: String,
}

/// Runs those of `cases` that `options` asks for, in their order.
pub(super) fn run<B: Bench>(
    cases: &'static [Case<B>],
    options: &ConformOptions,
    bench: &mut B,
) -> Vec<CaseResult> {
    let wanted = |case: &Case<B>| {
        let named = options.cases.is_empty() || options.cases.iter().any(|name| name == case.info.name);
        named && options.level.is_none_or(|level| case.info.level <= level)
    };
    let mut needed = Vec::new();
    for case in cases.iter().filter(|case| wanted(case)) {
        add_with_needs(cases, case.info.name, &mut needed);
    }
    let mut played = RunState::default();
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
struct RunState {
    outcomes: BTreeMap<&'static str, CaseOutcome>,
    /// The last that was really played.
    last: Option<&'static str>,
    /// How many in a row were lost to the machine.
    lost: u32,
    /// Why no more can be.
    gone: Option<String>,
}

impl RunState {
    fn add<B: Bench>(&mut self, case: &Case<B>, bench: &mut B) {
        let outcome = match self.hindrance(&case.info) {
            Some(outcome) => outcome,
            None => self.play(case, bench),
        };
        self.outcomes.insert(case.info.name, outcome);
    }

    /// Why a case is not played at all.
    fn hindrance(&self, case: &CaseInfo) -> Option<CaseOutcome> {
        if let Some(why) = &self.gone {
            return Some(CaseOutcome::NotReached { why: why.clone(), free: false });
        }
        // A lost case says nothing of the program, so that it keeps none from being played.
        let holds_back = |outcome: Option<&CaseOutcome>| {
            !good(outcome) && !matches!(outcome, Some(CaseOutcome::Lost { .. }))
        };
        let need = case.needs.iter().find(|need| holds_back(self.outcomes.get(*need)))?;
        Some(match self.outcomes.get(need) {
            Some(CaseOutcome::LeftOut { why }) => CaseOutcome::LeftOut { why: why.clone() },
            outcome => {
                let free = matches!(outcome, Some(CaseOutcome::NotReached { free: true, .. }));
                CaseOutcome::NotReached { why: format!("it needs {need}, which did not pass"), free }
            }
        })
    }

    fn play<B: Bench>(&mut self, case: &Case<B>, bench: &mut B) -> CaseOutcome {
        let outcome = play(case, bench);
        if let CaseOutcome::Lost { why } = &outcome {
            self.lost += 1;
            self.gone = (self.lost == MAX_LOST)
                .then(|| format!("{MAX_LOST} cases in a row were lost to the machine: {why}"));
            return outcome;
        }
        self.lost = 0;
        let passed = good(Some(&outcome));
        if !passed && let Some(gone) = bench.ended_program() {
            self.gone = Some(gone.why.clone());
            if let Some(charge) = gone.charge {
                self.charge(charge);
                return CaseOutcome::NotReached { why: gone.why, free: false };
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
            *outcome = CaseOutcome::Fail(Box::new(finding));
        }
    }
}

/// The program was there when the case began and is not any more.
fn ended_here(outcome: CaseOutcome, last: Option<&str>) -> CaseOutcome {
    let CaseOutcome::Fail(mut finding) = outcome else { return outcome };
    if finding.rule == 5 {
        finding.rule = OUTLIVES;
    }
    finding.title.get_or_insert_with(|| "The server ended in this case".into());
    // A server can take longer to end than it was waited for.
    finding.hints.extend(
        last.map(|last| format!("nothing came: it may have begun to end in the case before, {last}")),
    );
    CaseOutcome::Fail(finding)
}

fn good(outcome: Option<&CaseOutcome>) -> bool {
    matches!(outcome, Some(CaseOutcome::Pass | CaseOutcome::Warning(_)))
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

fn play<B: Bench>(case: &Case<B>, bench: &mut B) -> CaseOutcome {
    let (mut busy, mut lost) = (0, 0);
    loop {
        bench.begin(&case.info);
        match ((case.script)(bench), bench.warning()) {
            (Ok(()), None) => return CaseOutcome::Pass,
            (Ok(()), Some(finding)) => return CaseOutcome::Warning(Box::new(finding)),
            (Err(Stop::Busy), _) if busy < MAX_BUSY => {
                busy += 1;
                // It may not have seen yet that the last connection has ended.
                std::thread::sleep(QUIET);
            }
            (Err(Stop::Lost(_)), _) if lost < MAX_REPEATS => lost += 1,
            (Err(stop), _) => return ended(&case.info, stop, bench),
        }
    }
}

fn ended<B: Bench>(case: &CaseInfo, stop: Stop, bench: &mut B) -> CaseOutcome {
    match stop {
        Stop::Fail(finding) => {
            let mut finding = sharpened(case, finding.with_hints());
            finding.hints.extend(bench.hints());
            CaseOutcome::Fail(Box::new(finding))
        }
        Stop::NotReached(why) => CaseOutcome::NotReached { why: why.to_string(), free: false },
        Stop::Free(why) => CaseOutcome::NotReached { why, free: true },
        Stop::Busy => CaseOutcome::NotReached { why: "the server is busy".into(), free: false },
        Stop::LeftOut(why) => CaseOutcome::LeftOut { why },
        Stop::Lost(why) => CaseOutcome::Lost { why },
    }
}

/// What goes wrong in an exchange of a case is the doing of what the case is about: the same without it went well
/// before, in the cases that this one needs. But what has a title of its own is another matter.
fn sharpened(case: &CaseInfo, finding: Finding) -> Finding {
    let is_its_own = finding.title.is_some()
        || case.rules.contains(&finding.rule)
        || !OF_EVERY_EXCHANGE.contains(&finding.rule);
    match case.rules.first() {
        Some(rule) if !is_its_own => Finding { rule: *rule, ..finding },
        _ => finding,
    }
}
