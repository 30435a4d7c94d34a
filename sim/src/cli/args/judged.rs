//! What can be said where other people's programs are judged: by an audit, or against the protocol's rules.

use std::path::PathBuf;

use clap::{Args as ClapArgs, ValueEnum};

use super::live::peer;

/// The time for an answer in a conformance run unless told otherwise, in seconds.
pub(in crate::cli) const CONFORM_TIMEOUT: &str = "5";

pub(super) const AUDIT_HELP: &str = "\
The file says how a server is started, how a client transfers one file, and how it says success; docs/audit.md
describes it. The transfer is repeated once for each fault.

Exit codes:
  0  no wrong file was taken for good, but for known limits of the check
  1  a wrong file was taken for good, or left where `leaves_no` says that none may be
  2  bad usage, or a bad audit file
  3  nothing is concluded: the transfer does not succeed without faults, or none of them reached its reader
  5  a program that the audit needs is not installed
  130  it was interrupted

Examples:
  sim audit audits/own_upload.ron
  sim audit audits/own_upload.ron --fault 'Flip(in: Upload, at: 1_000, bit: 3)'
  sim audit audits/own_upload.ron --fault Default --fault 'Together([Drop(in: Upload, at: 0, bytes: 9), Reset(in: Upload, at: Last)])'";

/// What is to be audited, and how.
#[derive(Debug, ClapArgs)]
pub(in crate::cli) struct AuditArgs {
    /// The audit file
    #[arg(value_name = "FILE")]
    pub(in crate::cli) file: PathBuf,

    /// Only the fault with this name or number; can be given several times
    #[arg(long, value_name = "FAULT")]
    pub(in crate::cli) only: Vec<String>,

    /// Try this in place of what the audit tries, written as an item of its `faults`; can be given several times. `Default`
    /// is the set that it would try unless told otherwise
    #[arg(long, value_name = "FAULT")]
    pub(in crate::cli) fault: Vec<String>,

    /// Seed of the file that is sent and of everything left to chance [default: what the audit says]
    #[arg(long)]
    pub(in crate::cli) seed: Option<u64>,

    /// Print the faults, and run nothing
    #[arg(long)]
    pub(in crate::cli) list: bool,

    /// Leave the working directories of all runs in this directory, which has to be new or empty
    #[arg(long, value_name = "DIR")]
    pub(in crate::cli) keep: Option<PathBuf>,

    /// How many runs at a time; where a port is fixed it is one
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=64))]
    pub(in crate::cli) jobs: u8,

    /// How to print
    #[arg(long, value_enum, default_value_t = AuditFormat::Text)]
    pub(in crate::cli) format: AuditFormat,

    /// Say nothing of what is under way
    #[arg(long)]
    pub(in crate::cli) quiet: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum AuditFormat {
    /// For people
    Text,
    /// For programs: one JSON object per line, described in docs/json.md
    Json,
    /// `JUnit` XML, for CI
    Junit,
    /// Markdown, for the summary of a CI run
    Markdown,
}

pub(super) const CONFORM_HELP: &str = "\
In a command, {host} and {port} say where the harness listens, {file} is the file to upload, {id} and {name} the
file to download, {received} where to put it, {here} the directory where sim was started. A client says how a transfer
went by the word Success or Fail in its output, or else by its exit code. Programs get no input. See docs/conform.md.

Examples:
  sim conform --server localhost:9999
  sim conform --server-command 'python3 server.py {host} {port} {server}'
  sim conform --client 'python3 client.py {host} {port} {file}'
  sim conform --put './client put {host} {port} {file}' --get './client get {host} {port} {id} {received}'

Exit codes:
  0  every case that was asked for passed, but for those that the rules let the program stay away from
  1  a rule was broken
  2  bad usage
  3  it stays open: the program could not be reached or started, or cases could not be played or were lost";

/// What is to be tested, and how.
#[derive(Debug, ClapArgs)]
pub(in crate::cli) struct ConformArgs {
    /// Test the server that listens here
    #[arg(long, value_name = "HOST:PORT", value_parser = peer)]
    #[arg(conflicts_with_all = ["client", "put", "get", "ls"])]
    pub(in crate::cli) server: Option<String>,

    /// Test the server that this command starts, anew for each case, on {host} {port} in the empty directory {server}
    #[arg(long, value_name = "COMMAND", conflicts_with_all = ["server", "client", "put", "get", "ls"])]
    pub(in crate::cli) server_command: Option<String>,

    /// Test the client that this command runs through the 22 steps with {file}
    #[arg(long, value_name = "COMMAND")]
    pub(in crate::cli) client: Option<String>,

    /// Test the client with which this command uploads {file}
    #[arg(long, value_name = "COMMAND")]
    pub(in crate::cli) put: Option<String>,

    /// ... with which this command downloads {id} to {received}
    #[arg(long, value_name = "COMMAND")]
    pub(in crate::cli) get: Option<String>,

    /// ... with which this command asks for the listing
    #[arg(long, value_name = "COMMAND")]
    pub(in crate::cli) ls: Option<String>,

    /// Only the levels up to this one
    #[arg(long, value_name = "N")]
    pub(in crate::cli) level: Option<u8>,

    /// Only this case; can be given several times
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) case: Vec<String>,

    /// Makes the names and contents of the files: the same seed sends the same bytes
    #[arg(long, value_name = "N", default_value_t = conform::SEED)]
    pub(in crate::cli) seed: u64,

    /// How long the program has for each answer
    #[arg(long, value_name = "SECONDS", default_value = CONFORM_TIMEOUT)]
    pub(in crate::cli) timeout: f64,

    /// How to print
    #[arg(long, value_enum, default_value_t = ConformFormat::Text)]
    pub(in crate::cli) format: ConformFormat,

    /// Print the cases with their rules, and run none
    #[arg(long)]
    pub(in crate::cli) list: bool,
}

impl ConformArgs {
    /// Whether a server is to be tested.
    pub(in crate::cli) fn has_server(&self) -> bool {
        self.server.is_some() || self.server_command.is_some()
    }

    /// Whether a client is to be tested.
    pub(in crate::cli) fn has_client(&self) -> bool {
        [&self.client, &self.put, &self.get, &self.ls].into_iter().any(Option::is_some)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum ConformFormat {
    /// For people
    Text,
    /// For programs: one JSON object per line, described in docs/json.md
    Json,
    /// `JUnit` XML, for CI
    Junit,
}
