//! A scenario that shows something, made smaller for as long as it still shows it, and written down.
//!
//! Lists are made smaller by delta debugging (Zeller and Hildebrandt, *Simplifying and Isolating Failure-Inducing Input*,
//! IEEE TSE 2002): the faults, the clients, their commands, the files and the expectations. Then numbers are halved, and
//! places moved to an edge. That is repeated until nothing can be left out or made smaller.

mod shown;
mod smaller;
mod written;

use std::collections::BTreeSet;

use protocol::FileName;
use transfer::endpoint::Flaw;

use super::draft::Draft;
use super::swarm::{Class, Finding, examine};
use crate::scenario::{ScenarioCommand, Source, TransportKind};

pub use shown::{Shown, what_shows};
pub use written::to_scenario_file;

/// How many smaller ones are tried at most.
pub const MOST_TRIALS: usize = 1_000;

/// The smallest draft that was found for which `shows` holds; `draft` itself, if it does not hold for any smaller one.
pub fn shrink(draft: Draft, shows: impl FnMut(&Draft) -> bool) -> Draft {
    let mut trials = Trials { shows, left: MOST_TRIALS, failed: BTreeSet::new() };
    let mut best = draft;
    loop {
        let before = best.clone();
        best = lists(best, &mut trials);
        best = one_by_one(best, &mut trials);
        if best == before {
            return best;
        }
    }
}

/// Whether `draft` shows a finding like this one of a program with this mistake, and of the correct one nothing: where that
/// proves nothing either, the mistake is not to blame.
#[must_use]
pub fn shows_like(draft: &Draft, flaw: Option<Flaw>, lanes: &[TransportKind], finding: &Finding) -> bool {
    let is_like = |draft, flaw| examine(draft, flaw, lanes).findings.iter().any(|it| it.is_like(finding));
    if !is_like(draft, flaw) {
        return false;
    }
    flaw.is_none() || {
        let correct = examine(draft, None, lanes);
        correct.class == Class::Proved && correct.findings.is_empty()
    }
}

/// Asks whether a draft shows it, each once, and not for ever.
struct Trials<F> {
    shows: F,
    left: usize,
    failed: BTreeSet<String>,
}

impl<F: FnMut(&Draft) -> bool> Trials<F> {
    fn shows(&mut self, draft: &Draft) -> bool {
        let text = draft.to_string();
        if self.left == 0 || self.failed.contains(&text) {
            return false;
        }
        self.left -= 1;
        let shows = (self.shows)(draft);
        if !shows {
            self.failed.insert(text);
        }
        shows
    }
}

/// Leaves out what can be left out.
fn lists<F: FnMut(&Draft) -> bool>(mut best: Draft, trials: &mut Trials<F>) -> Draft {
    let kept = ddmin(best.faults.len(), 0, |kept| trials.shows(&with_faults(&best, kept)));
    best = with_faults(&best, &kept);
    let kept = ddmin(best.clients.len(), 1, |kept| trials.shows(&with_clients(&best, kept)));
    best = with_clients(&best, &kept);
    for index in 0..best.clients.len() {
        let count = best.clients[index].len();
        let kept = ddmin(count, 1, |kept| trials.shows(&best.with_commands(index, kept)));
        best = best.with_commands(index, &kept);
    }
    let kept = ddmin(best.expect.len(), 0, |kept| trials.shows(&with_expect(&best, kept)));
    best = with_expect(&best, &kept);
    let unused = without_unused(&best);
    if unused != best && trials.shows(&unused) { unused } else { best }
}

fn chosen<T: Clone>(from: &[T], kept: &[usize]) -> Vec<T> {
    kept.iter().map(|at| from[*at].clone()).collect()
}

fn with_faults(draft: &Draft, kept: &[usize]) -> Draft {
    Draft { faults: chosen(&draft.faults, kept), ..draft.clone() }
}

fn with_clients(draft: &Draft, kept: &[usize]) -> Draft {
    Draft { clients: chosen(&draft.clients, kept), ..draft.clone() }
}

fn with_expect(draft: &Draft, kept: &[usize]) -> Draft {
    Draft { expect: chosen(&draft.expect, kept), ..draft.clone() }
}

/// Only the files that are uploaded, or whose bytes one of these has.
fn without_unused(draft: &Draft) -> Draft {
    let mut used: BTreeSet<&FileName> = BTreeSet::new();
    for command in draft.clients.iter().flatten() {
        if let ScenarioCommand::Upload { file, .. } = command {
            let mut next = Some(file);
            while let Some(name) = next.filter(|name| used.insert(*name)) {
                next = draft.files.iter().find(|(file, _)| file == name).and_then(|(_, it)| same_as(it));
            }
        }
    }
    let files = draft.files.iter().filter(|(name, _)| used.contains(name)).cloned().collect();
    Draft { files, ..draft.clone() }
}

const fn same_as(source: &Source) -> Option<&FileName> {
    if let Source::SameAs(other) = source { Some(other) } else { None }
}

/// Takes each smaller one that shows it, until none does.
fn one_by_one<F: FnMut(&Draft) -> bool>(mut best: Draft, trials: &mut Trials<F>) -> Draft {
    while let Some(better) = smaller::than(&best).into_iter().find(|it| trials.shows(it)) {
        best = better;
    }
    best
}

/// The positions, out of `count`, of a list that still fails `test` when any one of them is left out; at least `least` are
/// kept. The algorithm `ddmin`: parts of the list are tried alone, then everything but one part, then smaller parts.
fn ddmin(count: usize, least: usize, mut test: impl FnMut(&[usize]) -> bool) -> Vec<usize> {
    let mut kept: Vec<usize> = (0..count).collect();
    if least == 0 && count > 0 && test(&[]) {
        return Vec::new();
    }
    let mut parts = 2;
    while kept.len() > least.max(1) {
        let size = kept.len().div_ceil(parts);
        let alone = kept.chunks(size).find(|part| test(part)).map(<[usize]>::to_vec);
        let smaller = alone.map(|part| (part, 2)).or_else(|| {
            let without = |part: &[usize]| kept.iter().copied().filter(|at| !part.contains(at)).collect();
            let rest =
                kept.chunks(size).map(without).find(|rest: &Vec<usize>| !rest.is_empty() && test(rest));
            rest.map(|rest| (rest, (parts - 1).max(2)))
        });
        match smaller {
            Some((rest, next)) => (kept, parts) = (rest, next),
            None if size == 1 => break,
            None => parts = (parts * 2).min(kept.len()),
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ddmin_keeps_exactly_what_is_needed() {
        let needs =
            |needed: &'static [usize]| move |kept: &[usize]| needed.iter().all(|it| kept.contains(it));
        assert_eq!(ddmin(16, 0, needs(&[3, 11])), [3, 11]);
        assert_eq!(ddmin(16, 0, needs(&[0, 7, 15])), [0, 7, 15]);
        assert_eq!(ddmin(1, 1, needs(&[])), [0]);
        assert_eq!(ddmin(5, 1, needs(&[])).len(), 1);
        assert_eq!(ddmin(5, 0, needs(&[])), [0; 0]);
        assert_eq!(ddmin(0, 0, needs(&[])), [0; 0]);
    }
}
