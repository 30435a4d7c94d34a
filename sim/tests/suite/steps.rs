//! The run is held against the steps: what happens otherwise, too early or not at all is named.

use sim::scenario::Scenario;
use sim::transcript::{Cause, Deviation};

use super::{LANES, basic_but, run_on};

/// The 22 steps with some replaced, as the text of a scenario's field.
fn steps_with(change: impl Fn(&mut Vec<String>)) -> Scenario {
    let basic = basic_but("");
    let mut steps: Vec<String> = basic.steps.iter().map(|step| step.value.to_string()).collect();
    change(&mut steps);
    basic_but(&format!("steps: [{}]", steps.join(", ")))
}

/// The deviation, which has to be the same on every lane.
fn deviation_of(scenario: &Scenario) -> Option<Deviation> {
    let deviations =
        LANES.map(|lane| run_on(lane, scenario).deviation.map(|deviation| deviation.to_string()));
    assert!(deviations.iter().all(|deviation| *deviation == deviations[0]), "{deviations:?}");
    run_on(LANES[0], scenario).deviation
}

#[test]
fn the_22_steps_as_they_are_have_no_deviation() {
    assert_eq!(deviation_of(&basic_but("")), None);
}

#[test]
fn a_step_that_goes_otherwise_is_named() {
    let wrong = steps_with(|steps| steps[13] = "Client(Compare(Fail))".into());
    let deviation = deviation_of(&wrong).unwrap();
    assert_eq!((deviation.step, deviation.cause), (14, Cause::Otherwise));
    insta::assert_snapshot!(deviation, @"step 14: expected Client(Compare(Fail)), but something else came: client: Success: its own MD5 is the same as the server's");
}

#[test]
fn a_step_that_comes_too_early_is_named_with_its_own_number() {
    let swapped = steps_with(|steps| steps.swap(11, 12));
    let deviation = deviation_of(&swapped).unwrap();
    assert_eq!((deviation.step, deviation.cause), (12, Cause::TooEarly(13)));
    insta::assert_snapshot!(deviation.to_string().split(" under ").next().unwrap(), @"step 12: expected Server(SendHash), but step 13 came too early: server: saved my_file.jpg");
}

#[test]
fn a_step_that_does_not_come_is_named() {
    let missing = steps_with(|steps| steps.push("Server(SendHash)".into()));
    let deviation = deviation_of(&missing).unwrap();
    assert_eq!((deviation.step, deviation.cause, &deviation.came), (23, Cause::NotAtAll, &None));
}

#[test]
fn a_step_too_many_is_named() {
    let short = steps_with(|steps| steps.truncate(21));
    let deviation = deviation_of(&short).unwrap();
    assert_eq!((deviation.step, deviation.expected, deviation.cause), (22, None, Cause::TooMuch));
}

#[test]
fn what_follows_a_deviation_keeps_the_numbers_of_its_steps() {
    let wrong = steps_with(|steps| steps[6] = "Server(AskId)".into());
    let outcome = run_on(LANES[0], &wrong);
    assert_eq!(outcome.deviation.unwrap().step, 7);
    assert_eq!(outcome.conversations[0].last().unwrap().step, Some(22));
}
