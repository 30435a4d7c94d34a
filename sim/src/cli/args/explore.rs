//! What can be said where scenarios are explored.

use std::path::PathBuf;

use clap::Args as ClapArgs;
use sim::scenario::TransportKind;
use transfer::endpoint::Flaw;

/// What is asked of many runs.
#[derive(Debug, ClapArgs)]
pub(in crate::cli) struct ManyRuns {
    /// How many runs are carried out at once [default: the number of cores]
    #[arg(short, long)]
    pub(in crate::cli) jobs: Option<std::num::NonZero<usize>>,

    /// Stop after this time: 60s, 5m, 1h
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub(in crate::cli) budget: Option<std::time::Duration>,

    /// Build this mistake into the programs (see `sim mutants`)
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) mutant: Option<Flaw>,

    /// No progress bar
    #[arg(short, long)]
    pub(in crate::cli) quiet: bool,
}

/// What is to be made smaller, and for which program.
#[derive(Debug, ClapArgs)]
pub(in crate::cli) struct ShrinkArgs {
    /// The scenario
    #[arg(value_name = "FILE")]
    pub(in crate::cli) file: PathBuf,

    /// Build this mistake into the programs (see `sim mutants`): the scenario has to show it, and the correct programs not
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) mutant: Option<Flaw>,

    /// Write the smallest scenario to this file instead of printing it
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) out: Option<PathBuf>,
}

pub(super) const SWARM_HELP: &str = "\
Each run is a function of the seed and its number, so that any can be repeated alone: `--only NUMBER`. What is found is made as \
small as it gets and written to the folder of `--out`, ready for scenarios/.

Exit codes: 0 nothing was found, 1 something was, 2 bad usage or a bad file, 3 nothing is proved,
130 it was interrupted with nothing found

Examples:
  sim swarm --runs 100000                          scenarios of all sorts, from a new seed
  sim swarm scenarios/basic.ron --budget 60s       the exchange of this scenario, other faults
  sim swarm --mutant LengthOnly --runs 5000        a program with a known mistake
  sim swarm --seed 7 --only 1234                   print the scenario that run 1234 of seed 7 is";

#[derive(Debug, ClapArgs)]
pub(in crate::cli) struct SwarmArgs {
    /// Keep the files and the clients of this scenario, and draw only faults, retries and the seed
    #[arg(value_name = "SCENARIO")]
    pub(in crate::cli) scenario: Option<PathBuf>,

    /// How many runs
    #[arg(long, value_name = "COUNT", default_value = "10000", value_parser = count)]
    pub(in crate::cli) runs: u64,

    /// Seed of the swarm [default: a new one, which is printed]
    #[arg(long)]
    pub(in crate::cli) seed: Option<u64>,

    /// Print the scenario that the run with this number is, and carry out nothing
    #[arg(long, value_name = "NUMBER")]
    pub(in crate::cli) only: Option<u64>,

    /// On which lanes; on several, each has to tell the same. Faults of the network need turmoil
    #[arg(long, value_enum, value_delimiter = ',', default_value = "memory")]
    pub(in crate::cli) lanes: Vec<TransportKind>,

    /// Stop when so many runs have shown no new behaviour
    #[arg(long, value_name = "COUNT", value_parser = count)]
    pub(in crate::cli) until_quiet: Option<u64>,

    /// The folder for what is found
    #[arg(long, value_name = "DIR", default_value = "found")]
    pub(in crate::cli) out: PathBuf,

    #[command(flatten)]
    pub(in crate::cli) many: ManyRuns,
}

/// A number, with `_` between its digits wherever somebody likes.
fn count(text: &str) -> Result<u64, String> {
    text.replace('_', "").parse().map_err(|_| "a count is a number, say 1_000_000".to_owned())
}

fn duration(text: &str) -> Result<std::time::Duration, String> {
    let unit = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let factor = match &text[unit..] {
        "" | "s" => 1,
        "m" => 60,
        "h" => 3600,
        _ => return Err("a time is a number of seconds, or a number with s, m or h behind it".into()),
    };
    let number: u64 = text[..unit].parse().map_err(|_| "it does not begin with a number".to_owned())?;
    Ok(std::time::Duration::from_secs(number.saturating_mul(factor)))
}
