//! Scenario files: what a run is, as a RON file that a person reads and writes.
//!
//! [`Scenario::load`] reads one, together with the files it is based on, and
//! checks everything that can be checked without running it. Every value keeps
//! its [`Place`](notation::Place), so that a mistake, or a step that later goes otherwise than
//! written, can be shown at its line. Nothing here runs anything.
//!
//! A file is read in two stages. RON splits it into pieces that know where they
//! stand; then every piece is parsed on its own, so that all mistakes of a file
//! are reported at once. To add a list field, add its name to `FIELDS`, its
//! `Vec<Located<T>>` to [`Scenario`], and a line to `Draft::fill`.
//!
//! ```
//! use std::path::Path;
//! use sim::scenario::Scenario;
//!
//! let text = r#"Scenario(
//!     about: "A client that only comes and goes.",
//!     steps: [Server(Listen), Client(Start), Client(Connect), Client(Disconnect)],
//! )"#;
//! let scenario = Scenario::parse(text, Path::new("hello.ron")).unwrap();
//! assert_eq!(scenario.steps[2].value.to_string(), "Client(Connect)");
//! assert_eq!(scenario.steps[2].place.line(), 3);
//! ```

mod added;
mod base;
mod command;
mod draft;
mod expect;
mod names;
mod replace;
mod source;
mod step;
mod steps;
mod transport;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use faults::Fault;
use notation::{Located, ScenarioError, read};
use protocol::FileName;

pub use base::MAX_BASES;
pub use command::{MAX_CLIENTS, MAX_COMMANDS, ScenarioCommand};
pub use draft::{DEFAULT_DEADLINE, MAX_RETRIES};
pub use expect::Expect;
pub use replace::ReplaceError;
pub use source::{MAX_NOISE_BYTES, Source};
pub use step::{ClientStep, ServerStep, Step, StepClaim};
pub use transport::{TransportKind, UnknownTransport};

/// What a run is: the files, the steps, how they are carried, what goes wrong
/// on the way and what is expected to come of it.
///
/// In a scenario that was loaded or parsed, every file that a step names or a
/// command uploads is one of [`files`](Self::files), every step that a fault
/// names is one of [`steps`](Self::steps), and there are either steps or clients.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scenario {
    /// The file it was read from.
    pub path: PathBuf,
    /// What it shows, in a sentence.
    pub about: String,
    /// What carries the bytes, unless the command line says otherwise.
    pub transport: TransportKind,
    /// The source of everything pseudo-random in the run.
    pub seed: u64,
    /// How long the run may take, in the time of its transport. More than zero
    /// and at most [`MAX_DEADLINE`](notation::MAX_DEADLINE).
    pub deadline: Duration,
    /// The files of the exchange, by name.
    pub files: BTreeMap<FileName, Located<Source>>,
    /// What happens, in order. Empty if there are [`clients`](Self::clients).
    pub steps: Vec<Located<Step>>,
    /// What each client does, all of them at once. Empty if there is one client
    /// that does what [`steps`](Self::steps) says.
    pub clients: Vec<Vec<Located<ScenarioCommand>>>,
    /// What goes wrong; each fault is done to what the ones before it leave.
    pub faults: Vec<Located<Fault>>,
    /// What is expected to come of it.
    pub expect: Vec<Located<Expect>>,
    /// How often a client tries a transfer again. At most [`MAX_RETRIES`].
    pub retries: u32,
}

impl Scenario {
    /// Reads the scenario at `path` and the files it is based on.
    ///
    /// # Errors
    /// Every mistake that was found: in reading a file, in its form, or in what
    /// it says.
    pub fn load(path: &Path) -> Result<Self, ScenarioError> {
        let text = read::scenario(path).map_err(|problem| problem.mistake(path))?;
        draft::scenario(path, text)
    }

    /// Reads a scenario from `text`, as if it stood in the file `path`. That
    /// file need not exist; its folder is where bases and `Path` sources are
    /// looked up.
    ///
    /// # Errors
    /// As [`load`](Self::load).
    pub fn parse(text: &str, path: &Path) -> Result<Self, ScenarioError> {
        let size = read::check_size(text.len() as u64);
        size.map_err(|problem| problem.in_scenario().mistake(path))?;
        draft::scenario(path, text.to_owned())
    }
}
