//! Every decision of the fault layer against a plain reference that knows the whole stream at once: what comes
//! out never depends on how the input was cut, faults compose, and what is passed by as clear is never touched.

use std::sync::LazyLock;
use std::time::Duration;

use faults::{At, Chain, Disturbance, Effect, Fault, FaultEntry, Injector, Ledger, Piece, Region};
use proptest::collection::vec;
use proptest::prelude::*;

/// A fault of a stream: what it does, at which offset, and for a reordering how far its two ranges are apart.
type Given = (Effect, u64, u64);

/// What comes out of a chain, byte by byte.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Seen {
    /// And the stream offset at which it was sent, if it was.
    Byte(u8, Option<u64>),
    Event(Piece),
}

fn chain_of(faults: &[Given]) -> Chain {
    let ledger = Ledger::default();
    let injector = |(effect, at, distance): &Given| {
        let fault = Fault { effect: effect.clone(), region: Region::ToServer, at: At::Offset(*at) };
        Injector::new(ledger.enter(fault, None), *at, *distance)
    };
    Chain::new(faults.iter().map(injector).collect())
}

/// An entry with this number that stands for all with it: those of two chains are never the same.
fn entry(number: usize) -> FaultEntry {
    static ENTRIES: LazyLock<Vec<FaultEntry>> = LazyLock::new(|| {
        let (ledger, effect) = (Ledger::default(), Effect::Reset);
        let fault = Fault { effect, region: Region::ToServer, at: At::Last };
        (0..16).map(|_| ledger.enter(fault.clone(), None)).collect()
    });
    ENTRIES[number].clone()
}

/// The piece with such entries.
fn comparable(piece: Piece) -> Piece {
    match piece {
        Piece::Reaches(fault) => Piece::Reaches(entry(fault.number())),
        Piece::Fired { fault, at, offset, old, new } => {
            Piece::Fired { fault: entry(fault.number()), at, offset, old, new }
        }
        other => other,
    }
}

fn ends(seen: &Seen) -> bool {
    matches!(seen, Seen::Event(Piece::End | Piece::Cut | Piece::Reset | Piece::Stall))
}

/// What a reader gets: nothing after the first end, but whom that end has reached.
fn up_to_end(mut stream: Vec<Seen>) -> Vec<Seen> {
    if let Some(end) = stream.iter().position(ends) {
        let reaches = matches!(stream.get(end + 1), Some(Seen::Event(Piece::Reaches(_))));
        stream.truncate(end + 1 + usize::from(reaches));
    }
    stream
}

/// `pieces` byte by byte. A lasting fault reaches the reader again and again; only that it fired is kept here.
fn seen(pieces: Vec<Piece>, faults: &[Given]) -> Vec<Seen> {
    let lasts = |fault: &FaultEntry| matches!(faults[fault.number()].0, Effect::Slice { .. });
    let mut seen = Vec::new();
    for piece in pieces {
        match piece {
            Piece::Bytes { bytes, source, .. } => seen.extend(bytes_from(&bytes, source)),
            Piece::Reaches(fault) if lasts(&fault) => {}
            event => seen.push(Seen::Event(comparable(event))),
        }
    }
    up_to_end(seen)
}

/// `bytes`, the first of which was sent at `source`.
fn bytes_from(bytes: &[u8], source: Option<u64>) -> Vec<Seen> {
    (0..).zip(bytes).map(|(index, byte)| Seen::Byte(*byte, source.map(|source| source + index))).collect()
}

/// What the reference makes of `stream`.
fn reference(faults: &[Given], stream: &[u8]) -> Vec<Seen> {
    let whole = bytes_from(stream, Some(0));
    (0..).zip(faults).fold(whole, |stream, (index, fault)| strike(index, fault, up_to_end(stream)))
}

fn strike(fault: usize, (effect, at, distance): &Given, mut stream: Vec<Seen>) -> Vec<Seen> {
    let window = taken(effect, *distance) as u64;
    let offset = *at;
    // A place is a byte that was sent. What takes none acts before the next one that is still there.
    let place = |wanted: u64| stream.iter().position(|it| source(it).is_some_and(|source| source >= wanted));
    let Some(first) = place(*at) else { return stream };
    let is_there = |wanted: u64| stream.iter().any(|it| source(it) == Some(wanted));
    let needed = |wanted: &u64| match effect {
        Effect::Reorder { bytes, .. } => *wanted < at + bytes || *wanted >= at + distance,
        _ => true,
    };
    if let Some(gone) = (*at..at + window).filter(needed).find(|wanted| !is_there(*wanted)) {
        if gone > *at {
            // It waits for bytes that do not come, and what happens between them waits with it.
            let end = place(gone).or(stream.iter().position(ends)).unwrap_or(stream.len());
            stream[first..end].sort_by_key(|it| byte(it).is_none());
        }
        return stream;
    }
    let behind = if window == 0 { first } else { place(at + window - 1).unwrap() + 1 };
    let (held, between): (Vec<Seen>, Vec<Seen>) =
        stream[first..behind].iter().cloned().partition(|it| byte(it).is_some());
    let old: Vec<u8> = held.iter().filter(|it| source(it).is_some()).filter_map(byte).collect();
    let (told, changed) = replacement(effect, &old, held);
    let mut out = stream[..first].to_vec();
    let changes_nothing = told.as_ref() == Some(&old);
    out.push(Seen::Event(Piece::Fired {
        fault: entry(fault),
        at: offset,
        offset: None,
        old,
        new: told.unwrap_or_default(),
    }));
    out.extend(changed);
    // The same bytes again are no change that could reach anybody.
    if !changes_nothing {
        out.extend(events(effect, Piece::Reaches(entry(fault))).into_iter().map(Seen::Event));
    }
    out.extend(between);
    out.extend_from_slice(&stream[behind..]);
    out
}

/// What happens when it has fired, and when that reaches the reader.
fn events(effect: &Effect, reaches: Piece) -> Vec<Piece> {
    match effect {
        Effect::Stall => vec![reaches, Piece::Stall],
        Effect::Delay { lasts } => vec![reaches, Piece::Wait(*lasts)],
        Effect::Truncate => vec![Piece::Cut, reaches],
        Effect::HalfClose => vec![Piece::End, reaches],
        Effect::Reset => vec![Piece::Reset, reaches],
        // What was on the way shares the fate of what comes after.
        Effect::Partition { lasts } => {
            vec![Piece::Signal(Disturbance::Partition, *lasts), reaches, Piece::Stall]
        }
        Effect::Slice { .. } => vec![],
        _ => vec![reaches],
    }
}

fn byte(seen: &Seen) -> Option<u8> {
    if let Seen::Byte(byte, _) = seen { Some(*byte) } else { None }
}

fn source(seen: &Seen) -> Option<u64> {
    if let Seen::Byte(_, source) = seen { *source } else { None }
}

/// How many bytes it takes out of the stream.
fn taken(effect: &Effect, distance: u64) -> usize {
    let taken = match effect {
        Effect::Flip { .. } => 1,
        Effect::Xor { mask: bytes } | Effect::Overwrite { bytes } => bytes.len() as u64,
        Effect::Drop { bytes } | Effect::Duplicate { bytes } => *bytes,
        Effect::Reorder { bytes, .. } => distance + bytes,
        _ => 0,
    };
    usize::try_from(taken).unwrap()
}

/// What it is said to put in the place of `old`, if it changes bytes; and what becomes of the bytes that were held back,
/// among which are those that other faults have added.
fn replacement(effect: &Effect, old: &[u8], mut held: Vec<Seen>) -> (Option<Vec<u8>>, Vec<Seen>) {
    let mut new = old.to_vec();
    match effect {
        Effect::Flip { bit } => new[0] ^= 1 << bit,
        Effect::Xor { mask } => (0..new.len()).for_each(|at| new[at] ^= mask[at]),
        Effect::Overwrite { bytes } => new.clone_from(bytes),
        Effect::Reorder { bytes, .. } => {
            let count = usize::try_from(*bytes).unwrap();
            (0..count).for_each(|at| new.swap(at, old.len() - count + at));
        }
        Effect::Drop { .. } => {
            held.retain(|it| source(it).is_none());
            return (Some(Vec::new()), held);
        }
        Effect::Insert { bytes } => return (Some(bytes.clone()), bytes_from(bytes, None)),
        Effect::Duplicate { .. } => {
            held.extend(bytes_from(old, None));
            return (Some(old.repeat(2)), held);
        }
        _ => return (None, held),
    }
    let mut rest = new.iter();
    for it in &mut held {
        if let Seen::Byte(byte, Some(_)) = it {
            *byte = *rest.next().unwrap();
        }
    }
    (Some(new), held)
}

/// Any fault of a stream but those that only slow it down, with an offset in or a little behind it.
fn any_fault() -> impl Strategy<Value = Given> {
    let bytes = || vec(any::<u8>(), 1..6);
    let count = 1u64..12;
    let lasts = Duration::from_secs(1);
    let effect = prop_oneof![
        (0u8..8).prop_map(|bit| Effect::Flip { bit }),
        bytes().prop_map(|mask| Effect::Xor { mask }),
        count.clone().prop_map(|bytes| Effect::Drop { bytes }),
        bytes().prop_map(|bytes| Effect::Insert { bytes }),
        count.clone().prop_map(|bytes| Effect::Duplicate { bytes }),
        count.prop_map(|bytes| Effect::Reorder { bytes, with: 0 }),
        bytes().prop_map(|bytes| Effect::Overwrite { bytes }),
        (1u64..4).prop_map(|bytes| Effect::Slice { bytes }),
        Just(Effect::Truncate),
        Just(Effect::Stall),
        Just(Effect::Delay { lasts }),
        Just(Effect::Reset),
        Just(Effect::HalfClose),
        Just(Effect::Partition { lasts }),
    ];
    (effect, 0u64..70, 0u64..10).prop_map(|(effect, at, apart)| {
        let distance = if let Effect::Reorder { bytes, .. } = effect { bytes + apart } else { 0 };
        (effect, at, distance)
    })
}

fn any_stream() -> impl Strategy<Value = Vec<u8>> {
    vec(any::<u8>(), 0..80)
}

/// Pieces of these sizes, the last size again and again.
fn cut<'a>(stream: &'a [u8], sizes: &[usize]) -> Vec<&'a [u8]> {
    let (mut rest, mut parts, mut sizes) = (stream, Vec::new(), sizes.iter().cycle());
    while !rest.is_empty() {
        let (part, after) = rest.split_at(sizes.next().map_or(1, |size| (*size).clamp(1, rest.len())));
        parts.push(part);
        rest = after;
    }
    parts
}

fn push_all(faults: &[Given], parts: &[&[u8]]) -> Vec<Piece> {
    let mut chain = chain_of(faults);
    let mut pieces: Vec<Piece> = parts.iter().flat_map(|part| chain.push(part)).collect();
    pieces.extend(chain.finish());
    pieces
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn one_fault_does_what_the_reference_does(
        fault in any_fault(), stream in any_stream(), sizes in vec(1usize..20, 1..5),
    ) {
        let faults = [fault];
        prop_assert_eq!(seen(push_all(&faults, &cut(&stream, &sizes)), &faults), up_to_end(reference(&faults, &stream)));
    }

    #[test]
    fn stacked_faults_compose(
        faults in vec(any_fault(), 0..5), stream in any_stream(), sizes in vec(1usize..20, 1..5),
    ) {
        let expected = up_to_end(reference(&faults, &stream));
        prop_assert_eq!(seen(push_all(&faults, &[&stream]), &faults), expected.clone(), "whole");
        prop_assert_eq!(seen(push_all(&faults, &cut(&stream, &[1])), &faults), expected.clone(), "byte by byte");
        prop_assert_eq!(seen(push_all(&faults, &cut(&stream, &sizes)), &faults), expected, "cut at random");
    }

    #[test]
    fn what_is_clear_is_never_touched(
        faults in vec(any_fault(), 0..4), stream in any_stream(), sizes in vec(1usize..20, 1..5),
    ) {
        let mut chain = chain_of(&faults);
        let (mut pieces, mut sent) = (Vec::new(), 0);
        for part in cut(&stream, &sizes) {
            let clear = usize::try_from(chain.clear()).unwrap_or(usize::MAX).min(part.len());
            let (past, through) = part.split_at(clear);
            if !past.is_empty() {
                pieces.push(Piece::Bytes { bytes: past.to_vec(), most: usize::MAX, source: Some(sent) });
                chain.pass(clear as u64);
            }
            if !through.is_empty() {
                pieces.extend(chain.push(through));
            }
            sent += part.len() as u64;
        }
        pieces.extend(chain.finish());
        prop_assert_eq!(seen(pieces, &faults), up_to_end(reference(&faults, &stream)));
    }

    #[test]
    fn a_fault_whose_place_does_not_come_never_fires(
        fault in any_fault(), stream in any_stream(), sizes in vec(1usize..20, 1..5),
    ) {
        let (effect, _, distance) = fault;
        // Of what it needs, the stream ends one byte before.
        let needed = taken(&effect, distance).max(1) as u64;
        prop_assume!(stream.len() as u64 + 1 >= needed);
        let faults = [(effect, stream.len() as u64 + 1 - needed, distance)];
        let pieces = push_all(&faults, &cut(&stream, &sizes));
        prop_assert_eq!(seen(pieces, &faults), bytes_from(&stream, Some(0)));
    }

    #[test]
    fn what_slows_down_changes_no_byte(
        at in 0u64..70, stream in any_stream(), sizes in vec(1usize..20, 1..5), rate in 1u64..1_000,
    ) {
        let lasts = Duration::from_millis(rate);
        for effect in [Effect::Throttle { rate }, Effect::Coalesce { lasts }, Effect::Slice { bytes: rate }] {
            let pieces = push_all(&[(effect, at, 0)], &cut(&stream, &sizes));
            let bytes: Vec<u8> = pieces.iter().flat_map(bytes_of).copied().collect();
            prop_assert_eq!(&bytes, &stream);
            let reached = pieces.iter().any(|piece| matches!(piece, Piece::Reaches(_)));
            prop_assert_eq!(reached, at < stream.len() as u64, "it reaches the reader with the first byte");
        }
    }

    #[test]
    fn a_throttled_stream_takes_as_long_as_its_bytes(
        stream in any_stream(), sizes in vec(1usize..20, 1..5), rate in 1u64..1_000,
    ) {
        let pieces = push_all(&[(Effect::Throttle { rate }, 0, 0)], &cut(&stream, &sizes));
        let waits: Vec<Duration> =
            pieces.iter().filter_map(|piece| if let Piece::Wait(wait) = piece { Some(*wait) } else { None }).collect();
        let total: Duration = waits.iter().sum();
        let exact = Duration::from_nanos(stream.len() as u64 * 1_000_000_000 / rate);
        // Every wait is rounded down to a nanosecond.
        prop_assert!(total <= exact && exact - total <= Duration::from_nanos(waits.len() as u64), "{total:?} {exact:?}");
    }
}

fn bytes_of(piece: &Piece) -> &[u8] {
    if let Piece::Bytes { bytes, .. } = piece { bytes } else { &[] }
}

#[test]
fn a_chain_without_faults_or_with_past_ones_lets_all_pass() {
    assert_eq!(Chain::default().clear(), u64::MAX);
    let mut chain = chain_of(&[(Effect::Flip { bit: 0 }, 5, 0), (Effect::Drop { bytes: 2 }, 3, 0)]);
    assert_eq!(chain.clear(), 3);
    chain.pass(3);
    assert_eq!(chain.clear(), 0);
    chain.push(b"abc");
    assert_eq!(chain.clear(), u64::MAX);
    assert_eq!(
        chain.push(b"rest"),
        [Piece::Bytes { bytes: b"rest".to_vec(), most: usize::MAX, source: Some(6) }]
    );
}

#[test]
fn slices_stay_small_behind_other_faults() {
    let faults = [(Effect::Slice { bytes: 2 }, 3, 0), (Effect::Flip { bit: 0 }, 5, 0)];
    for piece in push_all(&faults, &[b"0123456789"]) {
        if let Piece::Bytes { bytes, most, .. } = piece {
            let first = bytes[0];
            assert_eq!(most, if first < b'3' { usize::MAX } else { 2 }, "{bytes:?}");
        }
    }
}
