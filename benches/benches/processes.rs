//! The real programs as processes: `sim serve` with `put` and `get` against MD5 alone, the bare pipeline, and what
//! others use. All take turns in one run; see `versus.rs` for why.

use std::env;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use benches::bare::{Bare, md5};
use benches::processes::{OTHERS, Served, small_files};
use benches::table::{median, row, say, timed, verdict};
use benches::transfer::Workload;
use faults::Direction;
use process::is_installed;
use tempfile::TempDir;

/// The least ratio to the bare pipeline that an upload and a download shall reach.
const TARGET_RATIO: f64 = 0.95;
/// The most memory that each side shall have resident, in bytes.
const TARGET_MEMORY: u64 = 32 << 20;
/// In how many seconds the small files shall be stored.
const TARGET_SMALL: f64 = 2.0;
/// How many small files, and their size in bytes.
const SMALL: (u64, u64) = (1_000, 4_096);

/// How much is measured.
struct Scale {
    size: u64,
    rounds: usize,
    small: u64,
    others: bool,
}

impl Scale {
    /// All of it for `cargo bench`; the least if this is only to be seen working.
    fn from_arguments() -> Self {
        let has = |wanted: &str| env::args().any(|argument| argument == wanted);
        if has("--bench") && !has("--test") && !has("--quick") {
            let mebibytes = env::var("SIM_BENCH_MIB").ok().and_then(|text| text.parse().ok());
            let rounds = env::var("SIM_BENCH_ROUNDS").ok().and_then(|text| text.parse().ok());
            Self {
                size: mebibytes.unwrap_or(1_024_u64) << 20,
                rounds: rounds.unwrap_or(5),
                small: SMALL.0,
                others: true,
            }
        } else {
            say("\nOne short round: it shows that the benches work, not how fast anything is.");
            Self { size: 4 << 20, rounds: 1, small: 10, others: false }
        }
    }
}

fn main() -> io::Result<()> {
    let scale = Scale::from_arguments();
    let sim = build()?;
    let workload = Workload::new(scale.size)?;
    let place = TempDir::with_prefix("sim-bench-")?;
    let memory = transfers(&scale, &sim, &workload, place.path())?;
    for (side, bytes) in ["server", "put", "get"].into_iter().zip(memory) {
        // A few mebibytes fit any number.
        let mebibytes = f64::from(u32::try_from(bytes >> 10).unwrap_or(u32::MAX)) / 1024.0;
        let met = if bytes < TARGET_MEMORY { "met" } else { "missed" };
        say(&format!("  memory {side:<8} {mebibytes:>6.1} MiB resident at most   target 32: {met}"));
    }
    small(&scale, &sim, place.path())
}

/// The program as it is released: benchmarks link the library only.
fn build() -> io::Result<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(cargo)
        .args(["build", "--quiet", "--release", "-p", "sim"])
        .current_dir(&root)
        .status()?;
    if !status.success() {
        return Err(io::Error::other("the program cannot be built"));
    }
    let target = env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    Ok(target.join("release").join(format!("sim{}", env::consts::EXE_SUFFIX)))
}

/// Each way to move the file takes its turn. Returns the most memory of the server, `put` and `get`.
fn transfers(scale: &Scale, sim: &Path, workload: &Workload, place: &Path) -> io::Result<[u64; 3]> {
    let bare = Bare::new()?;
    let mut others = Vec::new();
    for other in OTHERS.iter().filter(|_| scale.others) {
        if other.needs.iter().all(is_installed) {
            others.push((other, Vec::new()));
        } else {
            say(&format!("{}: left out, it needs {}", other.name, other.needs.join(", ")));
        }
    }
    let (mut hashing, mut bares, mut ours) = (Vec::new(), [Vec::new(), Vec::new()], [Vec::new(), Vec::new()]);
    let mut memory = [0; 3];
    for _ in 0..scale.rounds {
        take(&mut hashing, || md5(workload.source()).map(drop))?;
        for (direction, times) in [Direction::Upload, Direction::Download].into_iter().zip(&mut bares) {
            let (sink, _place) = workload.sink(direction)?;
            take(times, || bare.run(workload.source(), sink, workload.name()))?;
        }
        let served = Served::start(sim, place)?;
        let put = take(&mut ours[0], || served.put(&[workload.source().to_owned()]))?;
        let get = take(&mut ours[1], || served.get("source"))?;
        for (most, bytes) in memory.iter_mut().zip([served.memory(), put, get]) {
            *most = (*most).max(bytes.unwrap_or_default());
        }
        drop(served);
        for (other, times) in &mut others {
            let directory = TempDir::new_in(place)?;
            take(times, || (other.run)(workload.source(), directory.path()))?;
        }
    }
    for (at, name) in ["put", "get"].into_iter().enumerate() {
        let base = median(&bares[at]);
        let (mebibytes, rounds) = (scale.size >> 20, scale.rounds);
        say(&format!(
            "\n{name} of {mebibytes} MiB: ratio to the bare pipeline; median (best) of {rounds} turns"
        ));
        row("md5 alone", &hashing, scale.size, base, None);
        row("bare pipeline", &bares[at], scale.size, base, None);
        row(&format!("sim {name}"), &ours[at], scale.size, base, Some(TARGET_RATIO));
        let to_md5 = median(&hashing).as_secs_f64() / median(&ours[at]).as_secs_f64();
        say(&format!("  sim {name} is {to_md5:.2} of MD5 alone"));
        for (other, times) in &others {
            row(other.name, times, scale.size, base, None);
        }
    }
    Ok(memory)
}

fn take<T>(times: &mut Vec<Duration>, work: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
    let (time, done) = timed(work);
    times.push(time);
    done
}

/// Many small files in one session.
fn small(scale: &Scale, sim: &Path, place: &Path) -> io::Result<()> {
    let directory = TempDir::new_in(place)?;
    let files = small_files(directory.path(), scale.small, SMALL.1)?;
    let mut times = Vec::new();
    for _ in 0..scale.rounds {
        let served = Served::start(sim, place)?;
        take(&mut times, || served.put(&files))?;
    }
    let seconds = median(&times).as_secs_f64();
    let verdict = verdict(TARGET_SMALL / seconds, 1.0, &format!("{TARGET_SMALL} s"));
    say(&format!(
        "\nput of {} files of {} bytes in one session: {seconds:.2} s{verdict}",
        scale.small, SMALL.1
    ));
    Ok(())
}
