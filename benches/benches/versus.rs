//! The table at the end of `cargo bench`: each lane against the bare pipeline, and against its targets.
//!
//! A machine drifts: two measurements that are minutes apart differ by more than the lanes do. So the bare
//! pipeline and the lanes take turns here, and the ratio is that of their medians over the same rounds.

use std::env;
use std::io;
use std::time::Duration;

use benches::bare::{Bare, md5};
use benches::runs::Basic;
use benches::table::{median, row, say, timed, verdict};
use benches::transfer::{Faults, Workload, size, transport};
use faults::Direction;
use sim::scenario::TransportKind;

/// The least ratio to the bare pipeline that transfers over tcp shall reach.
const TARGET_RATIO: f64 = 0.90;

/// The least ratio of a transfer through the idle fault layer to one without it.
const TARGET_IDLE: f64 = 0.95;

/// How much is measured.
struct Scale {
    /// The size of the file.
    size: u64,
    /// How often each lane takes its turn.
    rounds: usize,
    /// How long one turn of runs takes.
    turn: Duration,
}

impl Scale {
    /// All of it for `cargo bench`; the least if this is only to be seen working.
    fn from_arguments() -> Self {
        let has = |wanted: &str| env::args().any(|argument| argument == wanted);
        if has("--bench") && !has("--test") && !has("--quick") {
            Self { size: size(), rounds: 11, turn: Duration::from_millis(300) }
        } else {
            say("\nOne short round: it shows that the benches work, not how fast anything is.");
            Self { size: 4 << 20, rounds: 1, turn: Duration::from_millis(10) }
        }
    }
}

fn main() -> io::Result<()> {
    let scale = Scale::from_arguments();
    transfers(&scale)?;
    fault_layer(&scale)?;
    runs(&scale);
    Ok(())
}

fn transfers(scale: &Scale) -> io::Result<()> {
    let workload = Workload::new(scale.size)?;
    let mut hashing = Vec::new();
    for _ in 0..scale.rounds {
        let (time, digest) = timed(|| md5(workload.source()));
        digest?;
        hashing.push(time);
    }
    for direction in [Direction::Upload, Direction::Download] {
        let table = take_turns(scale.rounds, &workload, direction)?;
        let bare = median(&table[0].1);
        say(&format!("\n{direction:?} of {} MiB: median (best) of {} turns", scale.size >> 20, scale.rounds));
        row("md5 alone", &hashing, scale.size, bare, None);
        for (name, times) in &table {
            row(name, times, scale.size, bare, (name == "tcp").then_some(TARGET_RATIO));
        }
    }
    Ok(())
}

/// The times of the bare pipeline and of every lane, which take turns.
fn take_turns(
    rounds: usize,
    workload: &Workload,
    direction: Direction,
) -> io::Result<Vec<(String, Vec<Duration>)>> {
    let bare = Bare::new()?;
    let mut table = vec![("bare pipeline".to_owned(), Vec::new())];
    let mut lanes = Vec::new();
    for kind in TransportKind::ALL {
        table.push((kind.to_string(), Vec::new()));
        lanes.push(transport(kind)?);
    }
    for _ in 0..rounds {
        let (sink, _place) = workload.sink(direction)?;
        let (time, done) = timed(|| bare.run(workload.source(), sink, workload.name()));
        done?;
        table[0].1.push(time);
        for (lane, (_, times)) in lanes.iter_mut().zip(&mut table[1..]) {
            let transfer = workload.prepare(direction)?;
            let (time, done) = timed(|| transfer.run(&mut **lane));
            done?;
            times.push(time);
        }
    }
    Ok(table)
}

/// The fault layer against none, taking turns.
fn fault_layer(scale: &Scale) -> io::Result<()> {
    const LAYERS: [Faults; 3] = [Faults::None, Faults::Idle, Faults::OneFlip];
    let workload = Workload::new(scale.size)?;
    for kind in [TransportKind::Memory, TransportKind::Tcp] {
        let mut lane = transport(kind)?;
        let mut times = LAYERS.map(|_| Vec::new());
        for _ in 0..scale.rounds {
            for (faults, times) in LAYERS.into_iter().zip(&mut times) {
                let transfer = workload.prepare_with(Direction::Upload, faults)?;
                let (time, done) = timed(|| transfer.run(&mut *lane));
                done?;
                times.push(time);
            }
        }
        say(&format!("\nThe fault layer, upload of {} MiB over {kind}: ratio to none", scale.size >> 20));
        let without = median(&times[0]);
        for (faults, times) in LAYERS.into_iter().zip(&times) {
            let target = (faults == Faults::Idle).then_some(TARGET_IDLE);
            row(&format!("{faults:?}").to_lowercase(), times, scale.size, without, target);
        }
    }
    Ok(())
}

fn runs(scale: &Scale) {
    say("\nRuns of the 22 steps per second, 1 KiB file: median (best)");
    for kind in TransportKind::ALL {
        let mut basic = Basic::new(kind).expect("the scenario can be run");
        let mut rates: Vec<f64> =
            (0..scale.rounds).map(|_| runs_per_second(&mut basic, scale.turn)).collect();
        rates.sort_by(f64::total_cmp);
        let (median, best) = (rates[rates.len() / 2], rates[rates.len() - 1]);
        let target = match kind {
            TransportKind::Memory => 50_000,
            TransportKind::Turmoil => 10_000,
            TransportKind::Tcp => 5_000,
        };
        let verdict = verdict(median, f64::from(target), &target.to_string());
        say(&format!("  {:<14} {median:>7.0} ({best:.0}){verdict}", kind.to_string()));
    }
}

fn runs_per_second(basic: &mut Basic, turn: Duration) -> f64 {
    let (mut count, mut taken) = (0, Duration::ZERO);
    while taken < turn {
        taken += timed(|| (0..10).for_each(|_| basic.run())).0;
        count += 10;
    }
    f64::from(count) / taken.as_secs_f64()
}
