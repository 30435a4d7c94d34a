//! What can be said on the command line.

use std::path::PathBuf;
use std::time::Duration;

use bytesize::ByteSize;
use clap::{Args as ClapArgs, Parser, Subcommand, ValueEnum};
use sim::scenario::TransportKind;
use transfer::endpoint::Flaw;

/// The longest deadline that can be asked for: a day.
const MAX_SECONDS: f64 = 86_400.0;

const EXAMPLES: &str = "\
Exit codes:
  0  every expectation was met
  1  an expectation was not met; a transfer failed its check
  2  bad usage, a bad scenario file, or a file here that cannot be read or written
  3  nothing is proved: a fault did not strike, or the run without faults failed
  4  the peer could not be reached, or refused (ls, put, get, session); the proxy could not listen, or not
     reach its target

Examples:
  sim scenarios/basic.ron                      the 22 steps, on the simulated network
  sim scenarios/basic.ron --transport tcp      the same over real sockets
  sim scenarios/basic.ron --file photo.jpg --keep out
                                               with a real file; look at the result in out/
  sim check scenarios/*.ron                    only look for mistakes in the files
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

    /// Carry other programs' TCP connections, with faults; the record is described in docs/proxy.md
    Proxy(super::proxy::Options),

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

#[derive(Debug, ClapArgs)]
pub(super) struct ServeArgs {
    /// Where the files are; made if it is not there
    #[arg(long, value_name = "DIR")]
    pub(super) dir: PathBuf,

    /// Where to listen; port 0 takes a free one
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:9999", value_parser = address)]
    pub(super) listen: String,

    /// How many connections to serve at once; more are told `busy`
    #[arg(long, value_name = "N", default_value_t = 2_000, value_parser = clap::value_parser!(u32).range(1..))]
    pub(super) max_connections: u32,

    /// The largest file to take, such as 500MB or 4GiB [default: no limit]
    #[arg(long, value_name = "SIZE", value_parser = size)]
    pub(super) max_file_size: Option<u64>,

    /// How much all files together may take, such as 100GiB [default: no limit]
    #[arg(long, value_name = "SIZE", value_parser = size)]
    pub(super) quota: Option<u64>,

    /// End a session when nothing comes for so many seconds
    #[arg(long, value_name = "SECONDS", default_value = "30", value_parser = seconds)]
    pub(super) timeout: Duration,

    /// How many large files to hash on a thread of their own at once [default: as many as there are cores, less one]
    #[arg(long, value_name = "N")]
    pub(super) hash_threads: Option<u16>,

    /// How many seconds transfers have to finish after SIGINT or SIGTERM
    #[arg(long, value_name = "SECONDS", default_value = "10", value_parser = seconds)]
    pub(super) grace: Duration,

    /// Make this mistake (see `sim mutants`)
    #[arg(long, value_name = "NAME", hide = true)]
    pub(super) mutant: Option<Flaw>,

    /// Let the disk do this to the first upload, as in a scenario: for audits of the mutants
    #[arg(long, value_name = "FAULT", hide = true)]
    pub(super) disk_fault: Option<String>,

    /// Log errors only
    #[arg(long)]
    pub(super) quiet: bool,

    /// Print and log as JSON, one object per line
    #[arg(long)]
    pub(super) json: bool,
}

/// What all commands of a client have in common.
#[derive(Debug, ClapArgs)]
pub(super) struct ClientArgs {
    /// The server
    #[arg(value_name = "HOST:PORT", value_parser = peer)]
    pub(super) server: String,

    /// Give up when nothing comes for so many seconds
    #[arg(long, value_name = "SECONDS", default_value = "30", value_parser = seconds)]
    pub(super) timeout: Duration,

    /// Try again so often after a failed check or a broken connection
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(super) retries: u32,

    /// How many large files to hash on a thread of their own at once [default: as many as there are cores, less one]
    #[arg(long, value_name = "N")]
    pub(super) hash_threads: Option<u16>,

    /// Make this mistake (see `sim mutants`)
    #[arg(long, value_name = "NAME", hide = true)]
    pub(super) mutant: Option<Flaw>,

    /// Print nothing but errors
    #[arg(long)]
    pub(super) quiet: bool,

    /// Print JSON, one object per line, described in docs/json.md
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, ClapArgs)]
pub(super) struct LsArgs {
    #[command(flatten)]
    pub(super) client: ClientArgs,
}

#[derive(Debug, ClapArgs)]
pub(super) struct PutArgs {
    #[command(flatten)]
    pub(super) client: ClientArgs,

    /// The files to upload
    #[arg(value_name = "FILE", required = true)]
    pub(super) files: Vec<PathBuf>,

    /// The name on the server, for a single file [default: its own]
    #[arg(long, value_name = "NAME")]
    pub(super) name: Option<String>,
}

#[derive(Debug, ClapArgs)]
pub(super) struct GetArgs {
    #[command(flatten)]
    pub(super) client: ClientArgs,

    /// The file's id, 8 digits of its beginning or more, or its name
    ///
    /// 32 hex digits are an id and nothing else. What can be a name and the beginning of an id, or the name of several
    /// files, is refused, and the files are shown.
    #[arg(value_name = "ID|NAME")]
    pub(super) wanted: String,

    /// Where to put it: a path, or a directory [default: here, under its name]
    #[arg(short, long, value_name = "FILE")]
    pub(super) output: Option<PathBuf>,

    /// Replace a file that is there already
    #[arg(long)]
    pub(super) force: bool,
}

#[derive(Debug, ClapArgs)]
pub(super) struct SessionArgs {
    #[command(flatten)]
    pub(super) client: ClientArgs,

    /// The file to send [default: 123,456 bytes of noise]
    #[arg(value_name = "FILE")]
    pub(super) file: Option<PathBuf>,
}

/// Checks the form of an address; whether anybody is there shows when it is used.
pub(super) fn address(text: &str) -> Result<String, String> {
    let form = "expected HOST:PORT, such as 127.0.0.1:9999 or [::1]:9999";
    match text.rsplit_once(':') {
        Some(("", _)) | None => Err(form.into()),
        Some((host, _)) if host.contains(':') && !host.starts_with('[') => Err(form.into()),
        Some((_, port)) if port.parse::<u16>().is_err() => {
            Err(format!("`{port}` is no port, which is a number from 0 to 65535"))
        }
        Some(_) => Ok(text.to_owned()),
    }
}

/// The same for the address of somebody who is to be reached.
pub(super) fn peer(text: &str) -> Result<String, String> {
    let address = address(text)?;
    match address.rsplit_once(':').and_then(|(_, port)| port.parse::<u16>().ok()) {
        Some(0) => Err("port 0 is nobody's: expected a port from 1 to 65535".into()),
        _ => Ok(address),
    }
}

fn seconds(text: &str) -> Result<Duration, String> {
    let number = text.parse::<f64>().ok().filter(|number| *number > 0.0 && *number <= MAX_SECONDS);
    let expected = || format!("expected a number of seconds, more than 0 and at most {MAX_SECONDS}");
    number.map(Duration::from_secs_f64).ok_or_else(expected)
}

fn size(text: &str) -> Result<u64, String> {
    let parsed = text.parse::<ByteSize>().map_err(|_| "expected a size, such as 4096, 500MB or 4GiB")?;
    Ok(parsed.as_u64())
}

const AUDIT_HELP: &str = "\
The file says how a server is started, how a client transfers one file, and how it says success; docs/audit.md
describes it. The transfer is repeated once for each fault.

Exit codes:
  0  no wrong file was taken for good, but for known limits of the check
  1  a wrong file was taken for good
  2  bad usage, or a bad audit file
  3  nothing is concluded: the transfer does not succeed without faults, or none of them reached its reader
  5  a program that the audit needs is not installed";

/// What is to be audited, and how.
#[derive(Debug, ClapArgs)]
pub(super) struct AuditArgs {
    /// The audit file
    #[arg(value_name = "FILE")]
    pub(super) file: PathBuf,

    /// Only the fault with this name or number; can be given several times
    #[arg(long, value_name = "FAULT")]
    pub(super) only: Vec<String>,

    /// Seed of the file that is sent and of everything left to chance [default: what the audit says]
    #[arg(long)]
    pub(super) seed: Option<u64>,

    /// Print the faults, and run nothing
    #[arg(long)]
    pub(super) list: bool,

    /// Leave the working directories of all runs in this directory, which has to be new or empty
    #[arg(long, value_name = "DIR")]
    pub(super) keep: Option<PathBuf>,

    /// How many runs at a time; where a port is fixed it is one
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=64))]
    pub(super) jobs: u8,

    /// How to print
    #[arg(long, value_enum, default_value_t = AuditFormat::Text)]
    pub(super) format: AuditFormat,

    /// Say nothing of what is under way
    #[arg(long)]
    pub(super) quiet: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum AuditFormat {
    /// For people
    Text,
    /// For programs: one JSON object per line, described in docs/json.md
    Json,
    /// `JUnit` XML, for CI
    Junit,
    /// Markdown, for the summary of a CI run
    Markdown,
}

const CONFORM_HELP: &str = "\
In a command, {host} and {port} say where the harness listens, {file} is the file to upload, {id} and {name} the
file to download, {out} where to put it, {cwd} the directory where sim was started. A client says how a transfer
went by the word Success or Fail in its output, or else by its exit code. Programs get no input. See docs/conform.md.

Examples:
  sim conform --server localhost:9999
  sim conform --server-command 'python3 server.py {host} {port} {dir}'
  sim conform --client 'python3 client.py {host} {port} {file}'
  sim conform --put './client put {host} {port} {file}' --get './client get {host} {port} {id} {out}'

Exit codes:
  0  every case that was asked for passed, but for those that the rules let the program stay away from
  1  a rule was broken
  2  bad usage
  3  it stays open: the program could not be reached or started, or cases could not be played or were lost";

/// What is to be tested, and how.
#[derive(Debug, ClapArgs)]
pub(super) struct ConformArgs {
    /// Test the server that listens here
    #[arg(long, value_name = "HOST:PORT", value_parser = peer)]
    #[arg(conflicts_with_all = ["client", "put", "get", "ls"])]
    pub(super) server: Option<String>,

    /// Test the server that this command starts, anew for each case, on {host} {port} in the empty directory {dir}
    #[arg(long, value_name = "COMMAND", conflicts_with_all = ["server", "client", "put", "get", "ls"])]
    pub(super) server_command: Option<String>,

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

    /// Makes the names and contents of the files: the same seed sends the same bytes
    #[arg(long, value_name = "N", default_value_t = conform::SEED)]
    pub(super) seed: u64,

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
    /// Whether a server is to be tested.
    pub(super) fn has_server(&self) -> bool {
        self.server.is_some() || self.server_command.is_some()
    }

    /// Whether a client is to be tested.
    pub(super) fn has_client(&self) -> bool {
        [&self.client, &self.put, &self.get, &self.ls].into_iter().any(Option::is_some)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum ConformFormat {
    /// For people
    Text,
    /// For programs: one JSON object per line, described in docs/json.md
    Json,
    /// `JUnit` XML, for CI
    Junit,
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
