//! What is one step smaller than a draft.

use std::time::Duration;

use faults::{At, Effect, Fault, Layer, Region};

use crate::explore::draft::Draft;
use crate::scenario::{DEFAULT_DEADLINE, ScenarioCommand, Source};

/// The shortest time that is tried.
const SHORT: Duration = Duration::from_millis(1);

/// Every draft with one number less, one place nearer to an edge, or one thing said more simply. Each is less in an order
/// that has an end.
pub(super) fn than(draft: &Draft) -> Vec<Draft> {
    let mut drafts = Vec::new();
    let mut with = |change: &dyn Fn(&mut Draft)| {
        let mut smaller = draft.clone();
        change(&mut smaller);
        drafts.push(smaller);
    };
    for retries in less(draft.retries.into(), 0) {
        with(&|draft| draft.retries = u32::try_from(retries).unwrap_or(0));
    }
    for (at, (_, source)) in draft.files.iter().enumerate() {
        for source in sources(source) {
            with(&|draft| draft.files[at].1 = source.clone());
        }
    }
    for (client, commands) in draft.clients.iter().enumerate() {
        for (at, command) in commands.iter().enumerate() {
            if let ScenarioCommand::Upload { file, name } = command
                && file != name
            {
                with(&|draft| {
                    let (file, name) = (file.clone(), file.clone());
                    draft.clients[client][at] = ScenarioCommand::Upload { file, name };
                });
            }
        }
    }
    for (at, fault) in draft.faults.iter().enumerate() {
        for fault in faults(fault) {
            with(&|draft| draft.faults[at] = fault.clone());
        }
    }
    if draft.by_steps && !draft.names_a_step() {
        with(&|draft| draft.by_steps = false);
    }
    if draft.deadline != DEFAULT_DEADLINE {
        with(&|draft| draft.deadline = DEFAULT_DEADLINE);
    }
    if draft.seed > 1 {
        with(&|draft| draft.seed = 1);
    }
    drafts
}

/// What is less than `number` and at least `least`: the least itself, the half, and one less.
fn less(number: u64, least: u64) -> Vec<u64> {
    let mut less = vec![least, number / 2, number.saturating_sub(1)];
    less.retain(|it| *it >= least && *it < number);
    less.dedup();
    less
}

fn sources(source: &Source) -> Vec<Source> {
    match source {
        Source::Noise(size) => less(*size, 0).into_iter().map(Source::Noise).collect(),
        Source::Text(text) => {
            let half = text.char_indices().nth(text.chars().count() / 2).map_or(0, |(at, _)| at);
            let shorter = [String::new(), text[..half].to_owned(), text[half..].to_owned()];
            shorter.into_iter().filter(|it| it.len() < text.len()).map(Source::Text).collect()
        }
        Source::Hex(bytes) => {
            let halves = [&bytes[..bytes.len() / 2], &bytes[bytes.len() / 2..]];
            halves.into_iter().filter(|it| it.len() < bytes.len()).map(|it| Source::Hex(it.into())).collect()
        }
        // Its bytes are what it is there for.
        Source::Path(_) | Source::SameAs(_) => Vec::new(),
    }
}

/// The same fault with a smaller effect, or nearer to an edge.
fn faults(fault: &Fault) -> Vec<Fault> {
    let effects = effects(&fault.effect).into_iter().map(|effect| Fault { effect, ..fault.clone() });
    let mut faults: Vec<Fault> = effects.collect();
    if fault.effect.is_everywhere() || is_moment(&fault.effect) {
        return faults;
    }
    faults.extend(places(fault.at, &fault.effect).into_iter().map(|at| Fault { at, ..fault.clone() }));
    if fault.effect.layer() != Layer::Disk && matches!(fault.region, Region::ToServer) {
        faults.push(Fault { region: Region::Upload, at: At::Offset(0), effect: fault.effect.clone() });
    }
    if matches!(fault.region, Region::ToClient) {
        faults.push(Fault { region: Region::Download, at: At::Offset(0), effect: fault.effect.clone() });
    }
    faults
}

const fn is_moment(effect: &Effect) -> bool {
    matches!(effect, Effect::CrashBeforeSync | Effect::CrashBeforeRename | Effect::CrashAfterRename)
}

/// First the first byte, then the last, then one nearer to the first.
fn places(at: At, effect: &Effect) -> Vec<At> {
    let has_no_last = matches!(effect, Effect::Reorder { .. });
    let mut places = match at {
        At::Offset(0) => Vec::new(),
        At::Offset(offset) => {
            let nearer = less(offset, 0).into_iter().map(At::Offset);
            nearer
                .take(1)
                .chain([At::Last])
                .chain(less(offset, 0).into_iter().skip(1).map(At::Offset))
                .collect()
        }
        At::Last => vec![At::Offset(0)],
        At::Percent(_) | At::Random => vec![At::Offset(0), At::Last],
    };
    places.retain(|place| !(has_no_last && *place == At::Last));
    places
}

/// The same effect with one number less.
fn effects(effect: &Effect) -> Vec<Effect> {
    let count = |number: u64, with: fn(u64) -> Effect| less(number, 1).into_iter().map(with).collect();
    let time = |lasts: Duration, with: fn(Duration) -> Effect| {
        let shorter = [SHORT, lasts / 2].into_iter().filter(|it| *it >= SHORT && *it < lasts);
        shorter.map(with).collect()
    };
    match effect {
        Effect::Flip { bit } => {
            less((*bit).into(), 0).into_iter().map(|bit| Effect::Flip { bit: byte(bit) }).collect()
        }
        Effect::Rot { bit } => {
            less((*bit).into(), 0).into_iter().map(|bit| Effect::Rot { bit: byte(bit) }).collect()
        }
        Effect::Xor { mask } => masks(mask).into_iter().map(|mask| Effect::Xor { mask }).collect(),
        Effect::Drop { bytes } => count(*bytes, |bytes| Effect::Drop { bytes }),
        Effect::Insert { bytes } => {
            shorter(bytes).into_iter().map(|bytes| Effect::Insert { bytes }).collect()
        }
        Effect::Duplicate { bytes } => count(*bytes, |bytes| Effect::Duplicate { bytes }),
        Effect::Reorder { bytes, with } => {
            let fewer = less(*bytes, 1).into_iter().map(|bytes| Effect::Reorder { bytes, with: *with });
            let nearer = less(*with, *bytes).into_iter().map(|with| Effect::Reorder { bytes: *bytes, with });
            fewer.chain(nearer).collect()
        }
        Effect::Overwrite { bytes } => {
            shorter(bytes).into_iter().map(|bytes| Effect::Overwrite { bytes }).collect()
        }
        Effect::Delay { lasts } => time(*lasts, |lasts| Effect::Delay { lasts }),
        Effect::Coalesce { lasts } => time(*lasts, |lasts| Effect::Coalesce { lasts }),
        Effect::Partition { lasts } => time(*lasts, |lasts| Effect::Partition { lasts }),
        Effect::Hold { lasts } => time(*lasts, |lasts| Effect::Hold { lasts }),
        Effect::Crash { lasts } => time(*lasts, |lasts| Effect::Crash { lasts }),
        Effect::ShortWrite { bytes } => count(*bytes, |bytes| Effect::ShortWrite { bytes }),
        // A smaller rate or portion is no smaller fault; the others have no numbers.
        Effect::Throttle { .. }
        | Effect::Slice { .. }
        | Effect::Latency { .. }
        | Effect::Truncate
        | Effect::Stall
        | Effect::Reset
        | Effect::HalfClose
        | Effect::NoSpace
        | Effect::WriteError
        | Effect::CrashBeforeSync
        | Effect::CrashBeforeRename
        | Effect::CrashAfterRename => Vec::new(),
    }
}

fn byte(number: u64) -> u8 {
    u8::try_from(number).unwrap_or(0)
}

/// Both halves, if there are such.
fn shorter(bytes: &[u8]) -> Vec<Vec<u8>> {
    let (first, second) = bytes.split_at(bytes.len() / 2);
    [first, second]
        .into_iter()
        .filter(|it| !it.is_empty() && it.len() < bytes.len())
        .map(Into::into)
        .collect()
}

/// Both halves of a mask that change anything; of one byte, the single bit of it that is least.
fn masks(mask: &[u8]) -> Vec<Vec<u8>> {
    match mask {
        [one] if !one.is_power_of_two() => vec![vec![one & one.wrapping_neg()]],
        mask => shorter(mask).into_iter().filter(|it| it.iter().any(|byte| *byte != 0)).collect(),
    }
}
