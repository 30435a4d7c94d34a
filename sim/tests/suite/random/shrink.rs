//! Makes a scenario that shows something smaller, as long as it still shows it.

use super::generator::{Bytes, Draft};

/// How many smaller ones are tried at most.
const MOST: usize = 300;

/// The smallest scenario that was found for which `shows` holds.
pub(super) fn shrink(draft: Draft, shows: impl Fn(&Draft) -> bool) -> Draft {
    let (mut best, mut tried) = (draft, 0);
    'smaller: loop {
        for candidate in smaller(&best) {
            tried += 1;
            if tried > MOST {
                return best;
            }
            if shows(&candidate) {
                best = candidate;
                continue 'smaller;
            }
        }
        return best;
    }
}

/// Every scenario that lacks one thing.
fn smaller(draft: &Draft) -> Vec<Draft> {
    fn cut<T>(list: &mut Vec<T>, at: usize) {
        list.remove(at);
    }
    let mut candidates = Vec::new();
    let mut without = |change: &dyn Fn(&mut Draft)| {
        let mut candidate = draft.clone();
        change(&mut candidate);
        candidates.push(candidate);
    };
    for at in 0..draft.clients.len() {
        if draft.clients.len() > 1 {
            without(&|draft| cut(&mut draft.clients, at));
        }
    }
    for at in 0..draft.faults.len() {
        without(&|draft| cut(&mut draft.faults, at));
    }
    for client in 0..draft.clients.len() {
        for at in 0..draft.clients[client].len() {
            if draft.clients[client].len() > 1 {
                without(&|draft| cut(&mut draft.clients[client], at));
            }
        }
    }
    if draft.retries > 0 {
        without(&|draft| draft.retries -= 1);
    }
    for at in 0..draft.files.len() {
        if draft.files.len() > 1 {
            without(&|draft| cut(&mut draft.files, at));
        }
        if let Bytes::Noise(size @ 1..) = draft.files[at].1 {
            for less in [0, 1, 10, size / 2].into_iter().filter(|less| *less < size) {
                without(&|draft| draft.files[at].1 = Bytes::Noise(less));
            }
        }
    }
    if draft.by_steps {
        without(&|draft| draft.by_steps = false);
    }
    candidates
}
