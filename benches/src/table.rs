//! What the tables of the benchmarks have in common: rows with a ratio, medians, and the clock.

use std::time::{Duration, Instant};

/// Prints a row: the ratio of the median to `bare`, the rate at which `size` bytes were moved, and whether the
/// target for the ratio is met.
pub fn row(name: &str, times: &[Duration], size: u64, bare: Duration, target: Option<f64>) {
    // Mebibytes: a file that is measured has a whole number of them, and not more than 32 bits can count.
    let mebibytes = f64::from(u32::try_from(size >> 20).unwrap_or(u32::MAX));
    let rate = |time: Duration| mebibytes / time.as_secs_f64();
    let (median, best) = (median(times), times.iter().min().copied().unwrap_or_default());
    let ratio = bare.as_secs_f64() / median.as_secs_f64();
    let target = target.map(|target| verdict(ratio, target, &format!("{target:.2}"))).unwrap_or_default();
    say(&format!("  {name:<14} {ratio:>5.2} {:>7.0} MiB/s ({:.0}){target}", rate(median), rate(best)));
}

/// Whether a target is met.
#[must_use]
pub fn verdict(reached: f64, target: f64, text: &str) -> String {
    let verdict = if reached >= target { "met" } else { "missed" };
    format!("   target {text}: {verdict}")
}

/// The median, or no time at all of none.
#[must_use]
pub fn median(times: &[Duration]) -> Duration {
    let mut times = times.to_vec();
    times.sort();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

/// How long `work` took, and what it returned.
#[expect(clippy::disallowed_methods, reason = "a benchmark measures the machine's time")]
pub fn timed<T>(work: impl FnOnce() -> T) -> (Duration, T) {
    let start = Instant::now();
    let done = work();
    (start.elapsed(), done)
}

/// Prints a line.
#[expect(clippy::print_stdout, reason = "the table is for the terminal")]
pub fn say(line: &str) {
    println!("{line}");
}
