//! What can be said on the command line.

mod explore;
mod judged;
mod live;
mod sweep;

use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};
use sim::scenario::TransportKind;
use transfer::endpoint::Flaw;

use explore::SWARM_HELP;
pub(super) use explore::{ShrinkArgs, SwarmArgs};
use judged::{AUDIT_HELP, CONFORM_HELP};
pub(super) use judged::{AuditArgs, AuditFormat, CONFORM_TIMEOUT, ConformArgs, ConformFormat};
pub(super) use live::{ClientArgs, GetArgs, LsArgs, PutArgs, ServeArgs, SessionArgs, address, peer};
use sweep::{MERGE_HELP, SWEEP_HELP};
pub(super) use sweep::{MergeArgs, SweepArgs};

const EXAMPLES: &str = "\
Exit codes:
  0  every expectation was met
  1  an expectation was not met; a transfer failed its check
  2  bad usage, a bad scenario file, or a file here that cannot be read or written
  3  nothing is proved: a fault did not strike, or the run without faults failed
  4  the peer could not be reached, or refused (ls, put, get, session); the proxy could not listen, or not
     reach its target
  5  a program that an audit needs is not installed
  130  it was interrupted

Examples:
  sim scenarios/basic.ron                      the 22 steps, on the simulated network
  sim scenarios/basic.ron --transport tcp      the same over real sockets
  sim scenarios/basic.ron --fault 'Flip(in: Upload, at: 5, bit: 0)'
                                               with one bit changed on its way
  sim scenarios/basic.ron --file photo.jpg --keep out
                                               with a real file; look at the result in out/
  sim check scenarios/*.ron                    only look for mistakes in the files
  sim sweep scenarios/basic.ron                every single fault at every byte: a number, a map, no gap
  sim swarm --runs 100000                      random schedules of faults; what is found is made as small as it gets
  sim mutants                                  run programs with known mistakes, which must all be found
  sim serve --dir store                        a server for real; then, in another terminal:
  sim put 127.0.0.1:9999 photo.jpg             and ls, get, session
  sim scrub --dir store                        look for rot in a server's store
  sim proxy --listen 127.0.0.1:7000 --to 127.0.0.1:9999 --fault 'Flip(in: ToServer, at: 1_000, bit: 3)'
                                               the same faults for programs of your own
  sim conform --server localhost:9999          hold a server in any language against the protocol's rules
  sim conform --client 'python3 client.py {host} {port} {file}'
                                               the same for a client
  sim audit audits/own_upload.ron              does a program's check really check? Other people's, unmodified";

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

    /// Give every file of noise this many bytes
    #[arg(long, value_name = "BYTES", conflicts_with = "file", value_parser = clap::value_parser!(u64).range(..=1 << 40))]
    pub(super) size: Option<u64>,

    /// Add this fault, written as in a scenario file, behind those of each scenario; can be given several times. What a
    /// scenario expects stays expected
    #[arg(long, value_name = "FAULT")]
    pub(super) fault: Vec<String>,

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

        /// How to print
        #[arg(long, value_enum, default_value_t = Format::Text)]
        format: Format,
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

    /// Try every single fault at every byte of a scenario's exchange: a number, a map, no gap
    #[command(after_help = SWEEP_HELP)]
    Sweep(SweepArgs),

    /// Run scenarios by chance: random schedules of several faults, clients, retries
    #[command(after_help = SWARM_HELP)]
    Swarm(SwarmArgs),

    /// Make one report of the parts of a sweep
    #[command(after_help = MERGE_HELP)]
    Merge(MergeArgs),

    /// Make a scenario that shows something as small as it gets: print it as a file for scenarios/
    ///
    /// Exit codes: 0 here it is, 2 the scenario cannot be read, or shows nothing
    Shrink(ShrinkArgs),

    /// Carry other programs' TCP connections, with faults; the record is described in docs/proxy.md
    Proxy(super::proxy::ProxyArgs),

    /// Serve the files of a directory, until SIGINT or SIGTERM
    Serve(ServeArgs),

    /// List the files of a server
    Ls(LsArgs),

    /// Upload files to a server, each verified by its MD5
    Put(PutArgs),

    /// Download a file from a server; it has its name only once it is verified
    Get(GetArgs),

    /// Go through the 22 steps of the specification with a running server
    Session(SessionArgs),

    /// Hold a program in any language against the rules of protocol/PROTOCOL.md, case by case
    #[command(after_help = CONFORM_HELP)]
    Conform(ConformArgs),

    /// Audit programs in any language: does their integrity check really check?
    #[command(after_help = AUDIT_HELP)]
    Audit(AuditArgs),

    /// What runs in the network of an isolated program before it does
    #[cfg(target_os = "linux")]
    #[command(hide = true)]
    Inside {
        /// client or server
        side: audit::isolate::Side,
        /// The port of the two
        port: u16,
        /// Where the harness is met
        socket: PathBuf,
        /// The program
        #[arg(last = true, required = true)]
        command: Vec<std::ffi::OsString>,
    },

    /// Look for rot in a server's store: files that are no longer what their id says go to its quarantine
    ///
    /// Exit codes: 0 all is good, 1 something is rotten or cannot be read, 2 there is no store or it is in use
    Scrub {
        /// The store; its server has to be stopped
        #[arg(long, value_name = "DIR")]
        dir: PathBuf,

        /// Print for programs: one JSON object per line, described in docs/json.md
        #[arg(long)]
        json: bool,

        /// Say only what is wrong with files
        #[arg(long)]
        quiet: bool,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// For people
    Text,
    /// For programs: one JSON object per line, described in docs/json.md
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
