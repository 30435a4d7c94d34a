//! What an audit says.

use std::fmt;
use std::num::NonZero;
use std::path::PathBuf;
use std::time::Duration;

use faults::{Direction, Fault};
use notation::Located;
use process::{Ready, Template};

/// The smallest payload, in bytes: it begins with the block of the MD5 collision, and every fault of the default set
/// has to fit behind.
pub const MIN_SIZE: u64 = 1024;
/// The largest payload, in bytes: it is kept in memory, and so is what a run carries.
pub const MAX_SIZE: u64 = 64 << 20;
/// How large the payload is unless the audit says otherwise, in bytes.
pub const DEFAULT_SIZE: u64 = 100_000;
/// How long a transfer may take unless the audit says otherwise.
pub const DEFAULT_DEADLINE: Duration = Duration::from_secs(10);
/// How many commands can be run before a transfer.
pub const MAX_BEFORE: usize = 16;
/// How many variables an environment can be given.
pub const MAX_ENV: usize = 64;
/// How many programs an audit can say that it needs.
pub const MAX_NEEDS: usize = 16;

/// How other people's programs transfer a file, and how they say that it went well.
#[derive(Clone, Debug)]
pub struct Audit {
    /// The file it was read from.
    pub path: PathBuf,
    /// What is audited, in a sentence.
    pub about: String,
    /// What has to be installed for it.
    pub needs: Vec<Need>,
    /// Which way the payload goes.
    pub transfer: Direction,
    /// The size of the payload, in bytes.
    pub size: u64,
    /// The name of the file that is transferred.
    pub name: String,
    /// The source of the payload and of places that are left to chance.
    pub seed: u64,
    /// How long the client may take. More than zero.
    pub deadline: Duration,
    /// The server.
    pub server: AuditServer,
    /// The client; `None` is ours.
    pub client: Option<AuditProgram>,
    /// What is run once the server is ready, past the proxy.
    pub before: Vec<Template>,
    /// Where the harness puts the file that is to be sent.
    pub sent: Template,
    /// Where it looks for the file that was received; may have `*`.
    pub received: Template,
    /// How success is said.
    pub success: Signal,
    /// How it is said that the check failed. Whatever is neither is an error.
    pub fail: Option<Signal>,
    /// Of the lines that say one of the two, which counts, from 1; the first unless it is said.
    pub nth: Option<NonZero<usize>>,
    /// What the check is, as far as its known limits go.
    pub check: Check,
    /// What may not stay where the file is received when the transfer did not succeed.
    pub leaves_no: Vec<Leftover>,
    /// The port on which the server listens, if it cannot be told another.
    pub port: Option<u16>,
    /// Whether there is a second port, `{data}`, that the server itself tells the client, as in FTP's passive mode. It
    /// has the same number on both sides of the proxy.
    pub data_port: bool,
    /// Whether client and server get a network of their own each.
    pub isolate: bool,
    /// The faults; the default set if there is none.
    pub faults: Vec<Located<FaultItem>>,
}

/// A program that has to be installed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Need {
    /// Its name, or its path.
    pub program: String,
    /// The package of Debian that has it.
    pub package: String,
}

/// The server of an audit.
#[derive(Clone, Debug)]
pub enum AuditServer {
    /// A program that is started for every run.
    Program(AuditProgram),
    /// Ours, `sim serve`.
    Own,
    /// One that runs already, `HOST:PORT`.
    At(String),
}

/// A program and how it is run.
#[derive(Clone, Debug)]
pub struct AuditProgram {
    /// Its command line.
    pub run: Template,
    /// What is added to its environment.
    pub env: Vec<(String, Template)>,
    /// When it is ready; only a server is waited for.
    pub ready: Ready,
}

/// How a program says something.
#[derive(Clone, Debug)]
pub enum Signal {
    /// By ending with one of these exit codes.
    Exit(Vec<i32>),
    /// By a line on one of its outputs.
    Line(Pattern),
    /// By making this file.
    File(Template),
}

/// A regular expression that was found sound.
pub type Pattern = regex::Regex;

/// What a check is. It decides which silent acceptances are its known limit, and no mistake of the program.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Check {
    /// A CRC-32: blind to whoever wants to get around it.
    Crc32,
    /// MD5, of which collisions are known.
    Md5,
    /// A digest without known collisions. Like the two before, it travels beside the file and can be rewritten
    /// with it.
    #[default]
    Digest,
    /// A signature or a keyed digest, which cannot.
    Keyed,
}

/// A wrong file that stays where it was received though the program did not say Success.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leftover {
    /// One of which the program itself said that the check failed.
    Rejected,
    /// One that is shorter than the file that was sent, whatever the program said.
    Incomplete,
    /// Any.
    Wrong,
}

/// An item of the list of faults.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FaultItem {
    /// The default set.
    Default,
    /// These, in one run.
    Faults(Vec<Fault>),
    /// None of the harness: the programs are started with more in their environment, and make it themselves.
    Env(ExtraEnv),
}

/// What is added to the environments of the programs in one run only: the name and the value of each variable.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExtraEnv {
    /// To the server's.
    pub server: Vec<(String, Template)>,
    /// To the client's.
    pub client: Vec<(String, Template)>,
}

impl ExtraEnv {
    /// Whether nothing is added.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.server.is_empty() && self.client.is_empty()
    }
}

impl fmt::Display for ExtraEnv {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let map = |variables: &[(String, Template)]| {
            let entries = variables.iter().map(|(name, value)| format!("{name:?}: {:?}", value.text()));
            entries.collect::<Vec<_>>().join(", ")
        };
        let sides = [("server", &self.server), ("client", &self.client)];
        let given = sides.into_iter().filter(|(_, variables)| !variables.is_empty());
        let given = given.map(|(side, variables)| format!("{side}: {{ {} }}", map(variables)));
        write!(f, "Env({})", given.collect::<Vec<_>>().join(", "))
    }
}
