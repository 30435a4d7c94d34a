//! The table of the proxy: how much of the speed of a bare splice of two sockets it reaches, and what it adds to
//! the time of one byte there and back. All take turns, and each turn is held against the splice's of its round.

use std::env;
use std::io;
use std::time::{Duration, Instant};

use benches::relay::{Between, Rally, Way};

/// The least ratio to the splice that the proxy without a fault shall reach.
const TARGET_RATIO: f64 = 0.8;

/// The most that the proxy shall add to one byte there and back, which passes it twice.
const TARGET_ADDED: Duration = Duration::from_micros(100);

/// How much is measured.
struct Scale {
    size: u64,
    rounds: usize,
    /// How often the byte goes there and back in one turn.
    rallies: usize,
}

impl Scale {
    /// All of it for `cargo bench`; the least if this is only to be seen working.
    fn from_arguments() -> Self {
        let has = |wanted: &str| env::args().any(|argument| argument == wanted);
        if has("--bench") && !has("--test") && !has("--quick") {
            Self { size: 256 << 20, rounds: 11, rallies: 2_000 }
        } else {
            say("\nOne short round: it shows that the benches work, not how fast anything is.");
            Self { size: 4 << 20, rounds: 1, rallies: 10 }
        }
    }
}

fn main() -> io::Result<()> {
    let scale = Scale::from_arguments();
    throughput(&scale)?;
    latency(&scale)
}

fn throughput(scale: &Scale) -> io::Result<()> {
    let ways = Between::ALL.map(Way::new);
    let mut times = Between::ALL.map(|_| Vec::new());
    for round in 0..scale.rounds {
        // Every one comes first and last as often as the others.
        for turn in 0..ways.len() {
            let index = (round + turn) % ways.len();
            let way = ways[index].as_ref().map_err(|error| io::Error::from(error.kind()))?;
            let (time, sent) = timed(|| way.send(scale.size));
            sent?;
            times[index].push(time);
        }
    }
    say(&format!("\n{} MiB one way: median (best) of {} turns", scale.size >> 20, scale.rounds));
    let splice = &times[1];
    for (between, times) in Between::ALL.into_iter().zip(&times) {
        // Mebibytes: a whole number of them, and not more than 32 bits can count.
        let mebibytes = f64::from(u32::try_from(scale.size >> 20).unwrap_or(u32::MAX));
        let rate = |time: Duration| mebibytes / time.as_secs_f64();
        let best = times.iter().min().copied().unwrap_or_default();
        let mut ratios: Vec<f64> =
            times.iter().zip(splice).map(|(own, bare)| bare.as_secs_f64() / own.as_secs_f64()).collect();
        ratios.sort_by(f64::total_cmp);
        let ratio = ratios[ratios.len() / 2];
        let target = (between == Between::Proxy).then(|| verdict(ratio >= TARGET_RATIO, "0.80"));
        say(&format!(
            "  {:<10} {ratio:>5.2} {:>7.0} MiB/s ({:.0}){}",
            name(between),
            rate(median(times)),
            rate(best),
            target.unwrap_or_default()
        ));
    }
    Ok(())
}

fn latency(scale: &Scale) -> io::Result<()> {
    const WAYS: [Between; 4] = [Between::Direct, Between::Splice, Between::Proxy, Between::Idle];
    let ways: Vec<Way> = WAYS.into_iter().map(Way::new).collect::<io::Result<_>>()?;
    let mut rallies: Vec<Rally> = ways.iter().map(Way::rally).collect::<io::Result<_>>()?;
    let mut times = WAYS.map(|_| Vec::new());
    for _ in 0..scale.rounds {
        for (rally, times) in rallies.iter_mut().zip(&mut times) {
            for _ in 0..scale.rallies {
                let (time, there_and_back) = timed(|| rally.once());
                there_and_back?;
                times.push(time);
            }
        }
    }
    say(&format!("\nOne byte there and back: median of {}", scale.rounds * scale.rallies));
    let direct = median(&times[0]);
    for (between, times) in WAYS.into_iter().zip(&times) {
        let (median, added) = (median(times), median(times).saturating_sub(direct));
        let target = (between == Between::Proxy).then(|| verdict(added < TARGET_ADDED, "100 µs"));
        say(&format!(
            "  {:<10} {:>7.1} µs, added {:>6.1} µs{}",
            name(between),
            micros(median),
            micros(added),
            target.unwrap_or_default()
        ));
    }
    Ok(())
}

fn name(between: Between) -> String {
    format!("{between:?}").to_lowercase()
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

fn verdict(met: bool, target: &str) -> String {
    format!("   target {target}: {}", if met { "met" } else { "missed" })
}

fn median(times: &[Duration]) -> Duration {
    let mut times = times.to_vec();
    times.sort();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

#[expect(clippy::disallowed_methods, reason = "a benchmark measures the machine's time")]
fn timed<T>(work: impl FnOnce() -> T) -> (Duration, T) {
    let start = Instant::now();
    let done = work();
    (start.elapsed(), done)
}

#[expect(clippy::print_stdout, reason = "the table is for the terminal")]
fn say(line: &str) {
    println!("{line}");
}
