//! Runs in which the lanes once told different stories: a closed end whose last word was still to come, a client
//! that left with bytes on the way, a lasting fault cut short in its first piece.

use sim::run::Inconclusive;

use super::{basic_but, run_on, text_of};
use sim::scenario::TransportKind::{Memory, Turmoil};

#[test]
fn memory_and_the_simulated_network_tell_the_same() {
    for fields in [
        "retries: 1, deadline: 2, faults: [Stall(in: Upload, at: 1_000)]",
        "retries: 1, deadline: 2,
         faults: [Reorder(in: Upload, at: 1_000, bytes: 1, with: 1_001), Reset(in: Upload, at: 50_000)]",
        "faults: [Insert(in: ToServer, at: 0, hex: \"a4\")]",
        "retries: 2, faults: [Xor(in: Step(8), at: 0, hex: \"ec\"), CrashAfterRename()]",
        "deadline: 30, faults: [Delay(in: Upload, at: 123_450, lasts: 10), Drop(in: Upload, at: Last, bytes: 12)]",
        "deadline: 1, seed: 985, files: {\"my_file.jpg\": Noise(75)},
         faults: [NoSpace(at: Random), Throttle(in: Upload, at: Percent(64), rate: 10)]",
        "faults: [Coalesce(in: Download, at: 89_531, lasts: 0.05), Truncate(in: Download, at: Last)]",
    ] {
        let scenario = basic_but(fields);
        let [memory, turmoil] = [Memory, Turmoil].map(|lane| text_of(&scenario, &run_on(lane, &scenario)));
        assert!(memory == turmoil, "{fields}\non memory:\n{memory}\non turmoil:\n{turmoil}");
    }
}

#[test]
fn a_fault_that_changes_nothing_proves_nothing() {
    let file = r#"files: {"my_file.jpg": Text("aaaaaaaaaaaa")}, expect: [Upload(Intact)]"#;
    for fault in
        [r#"Overwrite(in: Upload, at: 3, text: "a")"#, "Reorder(in: Upload, at: 1, bytes: 2, with: 5)"]
    {
        let scenario = basic_but(&format!("{file}, faults: [{fault}]"));
        assert_eq!(run_on(Memory, &scenario).inconclusive, Some(Inconclusive::NotReached(1)), "{fault}");
    }
}

#[test]
fn faults_that_undo_each_other_prove_nothing() {
    let letters = r#"files: {"my_file.jpg": Text("abcdefghijklmnop")}"#;
    let same = r#"files: {"my_file.jpg": Text("aaaaaaaaaaaaaaaaa")}"#;
    for fields in [
        format!(
            r#"{letters}, faults: [Drop(in: Upload, at: 5, bytes: 1), Insert(in: Upload, at: 6, text: "f")]"#
        ),
        format!(
            r#"{letters}, faults: [Insert(in: Upload, at: 5, text: "x"), Drop(in: Upload, at: 5, bytes: 1),
            Overwrite(in: Upload, at: 6, text: "g")]"#
        ),
        format!(
            "{same}, faults: [Drop(in: Upload, at: 5, bytes: 1), Duplicate(in: Upload, at: 8, bytes: 1)]"
        ),
        "faults: [Rot(at: 5, bit: 3), Flip(in: Download, at: 5, bit: 3)]".into(),
    ] {
        let scenario = basic_but(&fields);
        for lane in [Memory, Turmoil] {
            let outcome = run_on(lane, &scenario);
            assert!(outcome.inconclusive.is_some(), "{fields}\n{}", text_of(&scenario, &outcome));
        }
    }
}
