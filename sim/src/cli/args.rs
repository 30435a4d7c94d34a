//! What can be said on the command line.

use std::path::PathBuf;

use clap::{Args as ClapArgs, Parser, Subcommand, ValueEnum};
use sim::endpoint::Flaw;
use sim::scenario::TransportKind;

const EXAMPLES: &str = "\
Exit codes:
  0  every expectation was met
  1  an expectation was not met
  2  bad usage, or a bad scenario file
  3  nothing is proved: a fault did not strike, or the run without faults failed

Examples:
  sim scenarios/basic.ron                      the 22 steps, on the simulated network
  sim scenarios/basic.ron --transport tcp      the same over real sockets
  sim scenarios/basic.ron --file photo.jpg --keep out
                                               with a real file; look at the result in out/
  sim check scenarios/*.ron                    only look for mistakes in the files
  sim mutants                                  run programs with known mistakes, which must all be found
  sim conform --server localhost:9999          hold a server in any language against the protocol's rules
  sim conform --client 'python3 client.py {host} {port} {file}'
                                               the same for a client";

/// The time for an answer in a conformance run unless told otherwise, in seconds.
pub(super) const CONFORM_TIMEOUT: &str = "5";

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

    /// Hold a program in any language against the rules of protocol/PROTOCOL.md, case by case
    #[command(after_help = CONFORM_HELP)]
    Conform(ConformArgs),
}

const CONFORM_HELP: &str = "\
In a command, {host} and {port} say where the harness listens, {file} is the file to upload, {id} and {name} the
file to download, {out} where to put it, {cwd} the directory where sim was started. A client says how a transfer
went by the word Success or Fail in its output, or else by its exit code. See docs/conform.md.

Exit codes:
  0  every case passed, but for those that the rules let the program stay away from
  1  a rule was broken
  2  bad usage
  3  nothing is proved: the program could not be reached or started, or cases could not be played";

/// What is to be tested, and how.
#[derive(Debug, ClapArgs)]
pub(super) struct ConformArgs {
    /// Test the server that listens here
    #[arg(long, value_name = "HOST:PORT", conflicts_with_all = ["client", "put", "get", "ls"])]
    #[arg(required_unless_present_any = ["client", "put", "get", "ls", "list"])]
    pub(super) server: Option<String>,

    /// Test the client that this command runs through the 22 steps with {file}
    #[arg(long, value_name = "COMMAND")]
    pub(super) client: Option<String>,

    /// Test the client with which this command uploads {file}
    #[arg(long, value_name = "COMMAND")]
    pub(super) put: Option<String>,

    /// ... with which this command downloads {id} to {out}
    #[arg(long, value_name = "COMMAND")]
    pub(super) get: Option<String>,

    /// ... with which this command asks for the listing
    #[arg(long, value_name = "COMMAND")]
    pub(super) ls: Option<String>,

    /// Only the levels up to this one
    #[arg(long, value_name = "N")]
    pub(super) level: Option<u8>,

    /// Only this case; can be given several times
    #[arg(long, value_name = "NAME")]
    pub(super) case: Vec<String>,

    /// How long the program has for each answer
    #[arg(long, value_name = "SECONDS", default_value = CONFORM_TIMEOUT)]
    pub(super) timeout: f64,

    /// How to print
    #[arg(long, value_enum, default_value_t = ConformFormat::Text)]
    pub(super) format: ConformFormat,

    /// Print the cases with their rules, and run none
    #[arg(long)]
    pub(super) list: bool,
}

impl ConformArgs {
    /// Whether a client is to be tested.
    pub(super) fn has_client(&self) -> bool {
        [&self.client, &self.put, &self.get, &self.ls].into_iter().any(Option::is_some)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum ConformFormat {
    /// For people
    Text,
    /// For programs: one JSON object per line, described in docs/conform.md
    Json,
    /// `JUnit` XML, for CI
    Junit,
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
