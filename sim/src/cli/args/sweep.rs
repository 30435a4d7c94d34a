//! The arguments of `sim sweep` and `sim merge`.

use std::path::PathBuf;

use clap::Args;
use sim::explore::pool::Shard;

use super::Format;
use super::explore::ManyRuns;

pub(super) const SWEEP_HELP: &str = "\
A sweep runs the scenario's exchange, without its own faults, once for every single fault: every kind of fault with its \
smallest parameters, at every byte of every message, and on the server's disk. Runs whose fault did not reach its \
reader are counted apart.

Exit codes: 0 none was accepted silently, 1 something was found, 2 bad usage or a bad file, 3 nothing is proved,
130 it was interrupted with nothing found

Examples:
  sim sweep scenarios/basic.ron                         every fault at every byte
  sim sweep scenarios/basic.ron --mutant LengthOnly     the same for a program with a known mistake
  sim sweep scenarios/basic.ron --count                 only say how many there are
  sim sweep scenarios/basic.ron --kinds Flip,Drop --steps 10
  sim sweep scenarios/basic.ron --shard 3/16 --out part-3.jsonl";

pub(super) const MERGE_HELP: &str = "\
Exit codes: as those of the sweep. Parts that do not belong together are refused.

Examples:
  sim merge part-*.jsonl";

#[derive(Debug, Args)]
pub(in crate::cli) struct SweepArgs {
    /// The scenario whose exchange is swept; its own faults and expectations are left out
    #[arg(value_name = "SCENARIO")]
    pub(in crate::cli) scenario: PathBuf,

    /// Give every file of noise this many bytes; 0 leaves each its own size
    #[arg(long, value_name = "BYTES", default_value_t = 1024)]
    pub(in crate::cli) size: u64,

    /// Only say how many faults there are
    #[arg(long)]
    pub(in crate::cli) count: bool,

    /// Only these kinds of faults
    #[arg(long, value_name = "KIND", value_delimiter = ',')]
    pub(in crate::cli) kinds: Vec<String>,

    /// Only the messages of these steps of the scenario
    #[arg(long, value_name = "STEP", value_delimiter = ',')]
    pub(in crate::cli) steps: Vec<usize>,

    /// Only what is there: to-server, to-client, disk
    #[arg(long = "in", value_name = "PLACE", value_delimiter = ',')]
    pub(in crate::cli) places: Vec<String>,

    /// Walk only this share, say 3/16; `auto` takes it from Slurm's array, or, with `SIM_SHARDS` set, from a Kubernetes indexed
    /// job or GNU parallel
    #[arg(long, value_name = "NUMBER/OF", value_parser = shard)]
    pub(in crate::cli) shard: Option<Shard>,

    /// Write what each run came to here, as JSON lines: a part, for `sim merge`
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) out: Option<PathBuf>,

    /// Go on where the part in `--out` ends
    #[arg(long, requires = "out")]
    pub(in crate::cli) resume: bool,

    /// How to print
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(in crate::cli) format: Format,

    #[command(flatten)]
    pub(in crate::cli) many: ManyRuns,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct MergeArgs {
    /// The parts of one sweep
    #[arg(value_name = "PART", required = true)]
    pub(in crate::cli) parts: Vec<PathBuf>,
}

/// The variables in which schedulers say which share a process has: its number, the first number or where that stands, and
/// how many there are. Kubernetes and GNU parallel do not say the last: whoever starts the jobs does.
const SCHEDULERS: [(&str, Option<&str>, &str, u64); 3] = [
    ("SLURM_ARRAY_TASK_ID", Some("SLURM_ARRAY_TASK_MIN"), "SLURM_ARRAY_TASK_COUNT", 0),
    ("JOB_COMPLETION_INDEX", None, "SIM_SHARDS", 0),
    ("PARALLEL_SEQ", None, "SIM_SHARDS", 1),
];

fn shard(text: &str) -> Result<Shard, String> {
    if text != "auto" {
        return text.parse().map_err(|error: sim::explore::pool::NoShard| error.to_string());
    }
    shard_from(|name| std::env::var(name).ok())
}

/// The share that a scheduler has given, by its variables.
pub(in crate::cli) fn shard_from(variable: impl Fn(&str) -> Option<String>) -> Result<Shard, String> {
    let number = |name: &str| -> Result<u64, String> {
        let text = variable(name).ok_or_else(|| format!("{name} is not set"))?;
        text.parse().map_err(|_| format!("{name}={text} is no number"))
    };
    for (index, least, count, first) in SCHEDULERS {
        if variable(index).is_none() {
            continue;
        }
        let first = least.map_or(Ok(first), number)?;
        let (index, of) = (number(index)?, number(count)?);
        let number = index.checked_sub(first).map(|nth| nth + 1);
        return number
            .filter(|number| (1..=of).contains(number))
            .map(|number| Shard { number, of })
            .ok_or_else(|| format!("share {index} of {of} is none"));
    }
    let names: Vec<&str> = SCHEDULERS.iter().map(|(name, ..)| *name).collect();
    Err(format!("none of {} is set: give NUMBER/OF", names.join(", ")))
}
