//! Whether each fault did what it is there for: it fired, it reached the reader, and the byte that it struck lies in the
//! phase that is meant. The last is read off the transcripts of both runs, not off what told the faults where to strike.

use std::mem::discriminant;

use super::Inconclusive;
use crate::transcript::{Line, Side};
use crate::verdict::Judgement;
use faults::{
    Direction, Effect, Fault, FaultRecord, Flow, Layer, PhaseMap, Region, Strike, Verdict, overlapping,
};
use transfer::record::{Action, Kind, Message};

/// The first thing that is missing, if anything is. `control` and `lines` are what happened to the first client without
/// faults and with them, `places` and `map` where the faults were to strike by the former.
pub(super) fn missing(
    records: &[FaultRecord],
    places: &[Strike],
    map: &PhaseMap,
    control: &[Line],
    lines: &[Line],
) -> Option<Inconclusive> {
    let undone = |(record, number): (&FaultRecord, usize)| match record {
        FaultRecord { fired: false, .. } => Some(Inconclusive::NotFired(number)),
        FaultRecord { reached: false, .. } => Some(Inconclusive::NotReached(number)),
        _ => None,
    };
    let undone = records.iter().zip(1..).find_map(undone);
    let misplaced = || {
        let is_elsewhere = |(record, strike): (&FaultRecord, &Strike)| {
            !lies_in_phase(record, strike.flow, map, control, lines)
        };
        records.iter().zip(places).position(is_elsewhere).map(|index| Inconclusive::Misplaced(index + 1))
    };
    undone.or_else(misplaced).or_else(|| cancelling(records, places))
}

/// Two faults that change a byte in common: together they may change nothing.
fn cancelling(records: &[FaultRecord], places: &[Strike]) -> Option<Inconclusive> {
    let faults: Vec<&Fault> = records.iter().map(|record| &record.fault).collect();
    let struck = |(record, strike): (&FaultRecord, &Strike)| Strike {
        at: record.struck.unwrap_or(strike.at),
        ..*strike
    };
    let strikes: Vec<Strike> = records.iter().zip(places).map(struck).collect();
    overlapping(&faults, &strikes).map(|(_, later)| Inconclusive::Misplaced(later + 1))
}

/// A fault whose change was right again in the end. `as_sent` says whether the server and the client were given exactly what
/// the other had sent; the first judgements are those of the client that was struck.
pub(super) fn undone(
    records: &[FaultRecord],
    places: &[Strike],
    as_sent: (bool, bool),
    judgements: &[Judgement],
) -> Option<Inconclusive> {
    let is_undone = |(record, strike): (&FaultRecord, &Strike)| {
        let in_stream = record.fault.effect.layer() == Layer::Stream && record.fault.changes_bytes();
        let same = if strike.flow == Flow::ToServer { as_sent.0 } else { as_sent.1 };
        in_stream && (same || is_right_again(&record.fault, judgements))
    };
    let index = records.iter().zip(places).position(is_undone)?;
    Some(Inconclusive::Undone(index + 1))
}

/// Whether a file came right at the first try though a fault had changed bytes of it: on a disk, they were changed, too.
fn is_right_again(fault: &Fault, judgements: &[Judgement]) -> bool {
    let direction = match fault.region {
        Region::Upload => Direction::Upload,
        Region::Download => Direction::Download,
        Region::ToServer | Region::ToClient | Region::Step(_) => return false,
    };
    let replaces = matches!(
        fault.effect,
        Effect::Flip { .. } | Effect::Xor { .. } | Effect::Overwrite { .. } | Effect::Reorder { .. }
    );
    let first = judgements.iter().find(|judgement| judgement.direction == direction);
    replaces && first.is_some_and(|judgement| judgement.verdict == Verdict::Intact)
}

/// Whether the byte that a fault struck is of the same message as in the control run, and as far from its beginning.
fn lies_in_phase(record: &FaultRecord, flow: Flow, map: &PhaseMap, control: &[Line], lines: &[Line]) -> bool {
    let FaultRecord { fault, struck, offset, .. } = record;
    let is_everywhere = matches!(fault.region, Region::ToServer | Region::ToClient)
        || fault.effect.layer() == Layer::Disk
        || fault.effect.is_everywhere();
    if is_everywhere {
        return true;
    }
    let side = if flow == Flow::ToServer { Side::Client } else { Side::Server };
    let (Some((_, meant)), Some(struck), Some(offset)) = (map.region(fault.region), struck, offset) else {
        return false;
    };
    // A step may have two messages: the offset counts from the beginning of the first.
    let Some(first) = message_at(control, side, meant.start) else { return false };
    let begins = struck.checked_sub(*offset).and_then(|start| message_at(lines, side, start));
    begins.is_some_and(|(found, start)| found == first.0 && start + offset == *struck)
}

/// Which message it is: of which command, counted from 0, of which attempt, and what.
#[derive(PartialEq, Eq)]
struct Which {
    command: usize,
    attempt: usize,
    kind: Option<std::mem::Discriminant<Kind>>,
}

/// The message of `side` on the first connection that begins at this offset of its stream, and where it begins.
fn message_at(lines: &[Line], side: Side, offset: u64) -> Option<(Which, u64)> {
    let (mut commands, mut attempt, mut again) = (0_usize, 0, false);
    let second = lines.iter().enumerate().filter(|(_, line)| line.action == Action::Connected).nth(1);
    for line in &lines[..second.map_or(lines.len(), |(at, _)| at)] {
        match &line.action {
            Action::Retried(_) if line.side == Side::Client => again = true,
            Action::Sent(Message::Text { kind, .. }) if line.side == Side::Client && is_command(kind) => {
                (commands, attempt) = if again { (commands, attempt + 1) } else { (commands + 1, 0) };
                again = false;
            }
            Action::Unlisted(_) | Action::Ambiguous(..) if !std::mem::take(&mut again) => commands += 1,
            _ => {}
        }
        let kind = match &line.action {
            Action::Sent(Message::Text { kind, .. }) => Some(discriminant(kind)),
            Action::Sent(Message::Payload { .. }) | Action::Sending(_) => None,
            _ => continue,
        };
        let starts = line.stream.as_ref().filter(|range| range.start == offset && !range.is_empty());
        if let (true, Some(range)) = (line.side == side, starts) {
            return Some((Which { command: commands, attempt, kind }, range.start));
        }
    }
    None
}

/// Whether a line is a command of the client's script. A discard follows from the one before it.
fn is_command(kind: &Kind) -> bool {
    matches!(kind, Kind::ListFiles | Kind::Upload(_) | Kind::Download(_))
}

#[cfg(test)]
mod tests {
    use std::ops::Range;
    use std::time::Duration;

    use super::*;
    use faults::Ledger;
    use faults::{At, Effect};

    fn sent(side: Side, message: Message, stream: Range<u64>) -> Line {
        let at = Duration::ZERO;
        Line { step: None, at, side, action: Action::Sent(message), stream: Some(stream), file: None }
    }

    fn text(side: Side, kind: Kind, stream: Range<u64>) -> Line {
        sent(side, Message::Text { kind, text: String::new() }, stream)
    }

    fn payload(stream: Range<u64>) -> Line {
        let bytes = stream.end - stream.start;
        sent(Side::Client, Message::Payload { bytes, digest: protocol::FileId::from_bytes([0; 16]) }, stream)
    }

    /// A client that lists and uploads; the payload is at this offset of its stream.
    fn lines(start: u64) -> Vec<Line> {
        let upload = text(Side::Client, Kind::Upload(None), 11..18);
        let details = text(Side::Client, Kind::Details, 18..start);
        vec![text(Side::Client, Kind::ListFiles, 0..11), upload, details, payload(start..start + 100)]
    }

    fn flip(at: u64) -> Fault {
        Fault { effect: Effect::Flip { bit: 0 }, region: Region::Upload, at: At::Offset(at) }
    }

    /// What is missing of flips that struck at these offsets of the stream and, as they say, of the upload, in a run with
    /// these lines. In the control run the upload was at 30.
    fn missing_of(struck: &[(u64, u64)], run: &[Line]) -> Option<Inconclusive> {
        let map = PhaseMap { to_server: 130, upload: Some(30..130), ..PhaseMap::default() };
        let faults: Vec<Fault> = struck.iter().map(|(_, offset)| flip(*offset)).collect();
        let ledger = Ledger::default();
        for (fault, (at, offset)) in faults.iter().zip(struck) {
            let entry = ledger.enter(fault.clone(), None);
            entry.fired(&[0], &[1]);
            entry.struck(*at, Some(*offset));
            entry.reached();
        }
        let places: Vec<Strike> =
            faults.iter().enumerate().map(|(index, fault)| map.place(fault, 1, index).unwrap()).collect();
        missing(&ledger.records(), &places, &map, &lines(30), run)
    }

    #[test]
    fn a_byte_of_the_phase_is_proof_wherever_the_phase_is() {
        assert_eq!(missing_of(&[(35, 5)], &lines(30)), None);
        assert_eq!(missing_of(&[(45, 5)], &lines(40)), None);
    }

    #[test]
    fn a_byte_of_another_phase_is_none() {
        let misplaced = Some(Inconclusive::Misplaced(1));
        assert_eq!(missing_of(&[(35, 5)], &lines(40)), misplaced, "where it was in the control run");
        assert_eq!(missing_of(&[(36, 5)], &lines(30)), misplaced, "one byte behind");
        let mut again = lines(30);
        again.insert(1, Line { action: Action::Retried(1), ..text(Side::Client, Kind::ListFiles, 0..0) });
        assert_eq!(missing_of(&[(35, 5)], &again), misplaced, "another attempt");
        let mut other = lines(30);
        other.remove(0);
        assert_eq!(missing_of(&[(35, 5)], &other), misplaced, "another command");
    }

    #[test]
    fn two_that_struck_one_byte_are_none() {
        assert_eq!(missing_of(&[(35, 5), (36, 6)], &lines(30)), None);
        assert_eq!(missing_of(&[(35, 5), (35, 5)], &lines(30)), Some(Inconclusive::Misplaced(2)));
    }
}
