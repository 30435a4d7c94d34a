//! What can be said on the command line.

use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};
use sim::endpoint::Flaw;
use sim::scenario::TransportKind;

const EXAMPLES: &str = "\
Exit codes:
  0  every expectation was met
  1  an expectation was not met
  2  bad usage, or a bad scenario file
  3  nothing is proved: a fault did not strike, or the run without faults failed
  4  the proxy could not listen, or not reach its target

Examples:
  sim scenarios/basic.ron                      the 22 steps, on the simulated network
  sim scenarios/basic.ron --transport tcp      the same over real sockets
  sim scenarios/basic.ron --file photo.jpg --keep out
                                               with a real file; look at the result in out/
  sim check scenarios/*.ron                    only look for mistakes in the files
  sim mutants                                  run programs with known mistakes, which must all be found
  sim proxy --listen 127.0.0.1:7000 --to 127.0.0.1:9999 --fault 'Flip(in: ToServer, at: 1_000, bit: 3)'
                                               the same faults for programs of your own";

/// Runs file transfers and holds what the programs claim against what really happened to the bytes.
#[derive(Debug, Parser)]
#[command(version, after_help = EXAMPLES, args_conflicts_with_subcommands = true, arg_required_else_help = true)]
pub(super) struct Args {
    #[command(subcommand)]
    pub(super) command: Option<Command>,

    /// Scenario files to run, one after the other
    #[arg(value_name = "SCENARIO", required = true)]
    pub(super) scenarios: Vec<PathBuf>,

    /// What carries the bytes [default: what the scenario says, or turmoil]
    #[arg(long, value_enum)]
    pub(super) transport: Option<TransportKind>,

    /// Seed of everything left to chance [default: what the scenario says]
    #[arg(long)]
    pub(super) seed: Option<u64>,

    /// Transfer this file in place of the scenario's (which must have exactly one)
    #[arg(long, value_name = "PATH")]
    pub(super) file: Option<PathBuf>,

    /// Leave what the server stored and the client downloaded in this directory, which has to be new or empty
    #[arg(long, value_name = "DIR")]
    pub(super) keep: Option<PathBuf>,

    /// How to print
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(super) format: Format,

    /// Build this mistake into the programs (see `sim mutants`)
    #[arg(long, value_name = "NAME")]
    pub(super) mutant: Option<Flaw>,

    /// Add the time of each event, by the transport's clock
    #[arg(long)]
    pub(super) times: bool,

    /// Whether to use colours
    #[arg(long, value_enum, value_name = "WHEN", default_value_t = Color::Auto, global = true)]
    pub(super) color: Color,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Look for mistakes in scenario files without running them
    Check {
        /// The files to look at
        #[arg(value_name = "SCENARIO", required = true)]
        files: Vec<PathBuf>,
    },

    /// Run programs with known mistakes: each has to be convicted by a scenario, the correct one by none
    Mutants {
        /// The scenario files, or folders of them
        #[arg(value_name = "SCENARIO", default_value = "scenarios")]
        scenarios: Vec<PathBuf>,

        /// How to print
        #[arg(long, value_enum, default_value_t = Format::Text)]
        format: Format,
    },

    /// Carry other programs' TCP connections, with faults; the record is described in docs/proxy.md
    Proxy(super::proxy::Options),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// For people
    Text,
    /// For programs: one JSON object per line, described in docs/transcript.md
    Json,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Color {
    /// On a terminal, unless `NO_COLOR` is set
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

impl Color {
    /// Makes it hold for everything that is printed.
    pub(super) fn apply(self) {
        match self {
            Self::Auto => {}
            Self::Always => anstream::ColorChoice::AlwaysAnsi.write_global(),
            Self::Never => anstream::ColorChoice::Never.write_global(),
        }
    }
}
