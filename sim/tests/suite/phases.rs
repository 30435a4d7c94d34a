//! A place is the n-th byte of its phase in the very run, whatever other faults did before; or it does not come, and the run
//! proves nothing.

use faults::{Truth, Verdict};
use sim::run::{Inconclusive, RunOutcome};
use sim::scenario::{Scenario, TransportKind};
use sim::transcript::Side;
use transfer::record::{Action, Message};

use super::{LANES, basic_but, run_on};

fn with_faults(faults: &str) -> Scenario {
    basic_but(&format!("retries: 1, faults: [{faults}]"))
}

/// Where the first payload of `side` begins in its stream, as the transcript has it.
fn payload_start(outcome: &RunOutcome, side: Side) -> u64 {
    let is_payload =
        |action: &Action| matches!(action, Action::Sent(Message::Payload { .. }) | Action::Sending(_));
    let mut lines =
        outcome.conversations[0].iter().filter(|line| line.side == side && is_payload(&line.action));
    lines.next().unwrap().stream.clone().unwrap().start
}

/// The offset of the first difference of the transfer with this number.
fn first_difference(outcome: &RunOutcome, transfer: usize) -> Option<u64> {
    match outcome.judgements[transfer].truth {
        Truth::Different { first, .. } => Some(first),
        _ => None,
    }
}

#[test]
fn what_an_earlier_fault_adds_to_the_course_moves_no_place() {
    // The upload fails, is discarded and is tried again: the download begins much later in the stream.
    let scenario = with_faults("Flip(in: Upload, at: 0, bit: 0), Flip(in: Download, at: 5, bit: 0)");
    for lane in LANES {
        let outcome = run_on(lane, &scenario);
        assert_eq!(outcome.inconclusive, None, "{lane}");
        assert_eq!(outcome.judgements[0].verdict, Verdict::Recovered, "{lane}");
        assert_eq!(outcome.judgements[1].verdict, Verdict::Detected, "{lane}");
        assert_eq!(first_difference(&outcome, 1), Some(5), "{lane}");
        assert_eq!(outcome.faults[1].struck, Some(payload_start(&outcome, Side::Server) + 5), "{lane}");
    }
}

#[test]
fn what_an_earlier_fault_adds_to_the_stream_moves_no_place() {
    for (earlier, later, offset) in [
        (r#"Insert(in: Step(7), at: 0, text: "Please. ")"#, "Flip(in: Download, at: 0, bit: 0)", 0),
        ("Drop(in: Step(18), at: 0, bytes: 3)", "Flip(in: Download, at: 20, bit: 0)", 20),
        ("Duplicate(in: Step(7), at: 0, bytes: 3)", "Flip(in: Download, at: Last, bit: 0)", 123_455),
        ("Drop(in: Step(9), at: 0, bytes: 2)", "Xor(in: Download, at: 100, hex: \"ff00ff\")", 100),
    ] {
        for lane in LANES {
            let outcome = run_on(lane, &basic_but(&format!("faults: [{earlier}, {later}]")));
            assert_eq!(outcome.inconclusive, None, "{earlier} {later} {lane}");
            assert_eq!(first_difference(&outcome, 1), Some(offset), "{earlier} {later} {lane}");
        }
    }
}

#[test]
fn a_place_counts_the_bytes_that_were_sent() {
    // Twelve bytes are missing before it: the byte that was the 100th is struck, which arrives as the 88th.
    let scenario = with_faults(
        "Drop(in: Upload, at: 0, bytes: 12), Insert(in: Upload, at: 50, text: \"twelve bytes\"), Flip(in: Upload, at: 100, bit: 0)",
    );
    let outcome = run_on(TransportKind::Memory, &scenario);
    assert_eq!(outcome.faults[2].struck, Some(payload_start(&outcome, Side::Client) + 100));
    let record = &outcome.faults[2];
    assert_eq!(record.new[0] ^ record.old[0], 1);
    assert_eq!(outcome.judgements[0].verdict, Verdict::Recovered);
}

#[test]
fn a_phase_that_does_not_come_is_not_struck_elsewhere() {
    for faults in [
        // The server refuses the upload.
        r#"Overwrite(in: Step(6), at: 0, text: "X"), Flip(in: Upload, at: 0, bit: 0)"#,
        // The first attempt ends before its payload; the second one is another.
        "Truncate(in: Step(8), at: 0), Flip(in: Upload, at: 0, bit: 0)",
        "Truncate(in: Step(8), at: 0), Flip(in: Step(13), at: 0, bit: 0)",
        // The disk's faults are of the first attempt, too.
        "Truncate(in: Step(8), at: 0), NoSpace(at: 0)",
        "Reset(in: Step(8), at: 0), CrashBeforeSync()",
    ] {
        for lane in LANES {
            let outcome = run_on(lane, &with_faults(faults));
            assert_eq!(outcome.inconclusive, Some(Inconclusive::NotFired(2)), "{faults} {lane}");
        }
    }
}

#[test]
fn a_listing_that_is_shorter_than_in_the_control_run_is_not_overrun() {
    // The upload fails and nothing is listed: the place is behind the listing's end, in the next message.
    let scenario =
        basic_but(r"faults: [Flip(in: Upload, at: 0, bit: 0), Flip(in: Step(16), at: 40, bit: 0)]");
    for lane in LANES {
        let outcome = run_on(lane, &scenario);
        assert_eq!(outcome.inconclusive, Some(Inconclusive::NotFired(2)), "{lane}");
    }
}

#[test]
fn a_last_byte_is_the_last_of_this_run() {
    let scenario =
        basic_but(r"faults: [Flip(in: Upload, at: 0, bit: 0), Flip(in: Step(16), at: Last, bit: 0)]");
    for lane in LANES {
        let outcome = run_on(lane, &scenario);
        assert!(outcome.faults[1].fired, "{lane}");
        // `No files available at the moment`, its LF, and the LF of the empty line.
        assert_eq!(outcome.faults[1].offset, Some(33), "{lane}");
        assert_eq!(outcome.faults[1].old, b"\n", "{lane}");
    }
}
