//! A scenario made ready to run: its files opened or generated, its steps turned into the client's commands.

use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

use protocol::FileName;

use crate::endpoint::Command;
use crate::scenario::{ClientStep, Located, Scenario, Source, Step};
use crate::storage::Content;

/// Noise up to this size is generated once and kept; larger noise is generated as it is read.
const MAX_KEPT_NOISE: u64 = 1024 * 1024;
/// Runs with more bytes than this keep their files on disk, and hash both ends at the same time.
const LARGE: u64 = 16 * 1024 * 1024;

/// A scenario that is ready to run, any number of times.
#[derive(Clone, Debug)]
pub struct Plan {
    seed: u64,
    deadline: Duration,
    files: BTreeMap<FileName, Content>,
    steps: Vec<Located<Step>>,
}

impl Plan {
    /// Opens or generates the files of `scenario`.
    ///
    /// # Errors
    /// If a file cannot be opened; the message names it.
    pub fn new(scenario: &Scenario) -> io::Result<Self> {
        let mut files = BTreeMap::new();
        for name in scenario.files.keys() {
            files.insert(name.clone(), open(scenario, name)?);
        }
        let (seed, deadline) = (scenario.seed, scenario.deadline);
        Ok(Self { seed, deadline, files, steps: scenario.steps.clone() })
    }

    /// The seed of everything that is left to chance.
    #[must_use]
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// How long each side waits for the other.
    #[must_use]
    pub fn deadline(&self) -> Duration {
        self.deadline
    }

    /// What is expected to happen.
    #[must_use]
    pub fn steps(&self) -> &[Located<Step>] {
        &self.steps
    }

    /// The content that the scenario gives to `name`.
    #[must_use]
    pub fn content(&self, name: &FileName) -> Option<Content> {
        self.files.get(name).cloned()
    }

    /// Whether its files are so large that they belong on disk.
    #[must_use]
    pub fn is_large(&self) -> bool {
        self.files.values().map(Content::len).fold(0, u64::saturating_add) > LARGE
    }

    /// What the client does: its own steps, without those that follow from them.
    #[must_use]
    pub fn commands(&self) -> Vec<Command> {
        self.steps.iter().filter_map(|step| self.command(&step.value)).collect()
    }

    fn command(&self, step: &Step) -> Option<Command> {
        let Step::Client(step) = step else { return None };
        Some(match step {
            ClientStep::ListFiles => Command::ListFiles,
            ClientStep::Upload(name) => Command::Upload { name: name.clone(), content: self.content(name)? },
            ClientStep::Download(name) => Command::Download { name: name.clone() },
            ClientStep::Disconnect => Command::Disconnect,
            _ => return None,
        })
    }
}

fn open(scenario: &Scenario, name: &FileName) -> io::Result<Content> {
    let mut name = name;
    // The scenario has been checked: following `SameAs` ends.
    while let Some(Source::SameAs(other)) = scenario.files.get(name).map(|source| &source.value) {
        name = other;
    }
    match scenario.files.get(name).map(|source| &source.value) {
        Some(Source::Text(text)) => Ok(Content::Memory(text.as_bytes().into())),
        Some(Source::Hex(bytes)) => Ok(Content::Memory(bytes.as_slice().into())),
        Some(Source::Noise(len)) => noise(scenario.seed, name, *len),
        Some(Source::Path(path)) => Content::open(path)
            .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", path.display()))),
        Some(Source::SameAs(_)) | None => Err(io::Error::other(format!("no content for {name}"))),
    }
}

fn noise(seed: u64, name: &FileName, len: u64) -> io::Result<Content> {
    let noise = Content::Noise { seed: seed ^ fnv1a(name.as_str().as_bytes()), len };
    if len > MAX_KEPT_NOISE {
        return Ok(noise);
    }
    let mut bytes = vec![0; usize::try_from(len).unwrap_or_default()];
    noise.read_at(0, &mut bytes)?;
    Ok(Content::Memory(bytes.into()))
}

/// The FNV-1a hash: gives every file of a scenario noise of its own, the same on every machine.
fn fnv1a(bytes: &[u8]) -> u64 {
    let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, step)
}
