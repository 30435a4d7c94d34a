//! A scenario made ready to run: its files opened or generated, its steps turned into the clients' commands.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use protocol::{Entry, FileId, FileName};

use crate::scenario::{ClientStep, Expect, Scenario, ScenarioCommand, Source, Step};
use crate::verdict::Sources;
use faults::{Content, Effect, Fault, Layer};
use notation::Located;
use transfer::endpoint::{ClientCommand, FileQuery, md5_of};

/// Noise up to this size is generated once and kept; larger noise is generated as it is read.
const MAX_KEPT_NOISE: u64 = 4 * 1024 * 1024;
/// Runs with more bytes than this keep their files on disk, and hash both ends at the same time.
pub(super) const LARGE: u64 = 16 * 1024 * 1024;

/// A scenario that is ready to run, any number of times. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Plan {
    exchange: Arc<PlannedExchange>,
    faults: Arc<[Located<Fault>]>,
    expect: Arc<[Located<Expect>]>,
}

/// What is to happen without faults.
#[derive(Debug)]
struct PlannedExchange {
    seed: u64,
    deadline: Duration,
    retries: u32,
    files: BTreeMap<FileName, Content>,
    steps: Vec<Located<Step>>,
    clients: Vec<Vec<ClientCommand>>,
    /// The digests of the files in memory, once one was asked for: many runs of one plan ask for the same.
    digests: OnceLock<Vec<(Arc<[u8]>, FileId)>>,
}

impl PlannedExchange {
    fn digest_of(&self, content: &Content) -> Option<FileId> {
        let Content::Memory(bytes) = content else { return md5_of(content).ok() };
        let digests = self.digests.get_or_init(|| {
            let digest = |content: &Content| match content {
                Content::Memory(bytes) => md5_of(content).ok().map(|id| (Arc::clone(bytes), id)),
                Content::Noise { .. } | Content::File { .. } => None,
            };
            self.files.values().filter_map(digest).collect()
        });
        let known = digests.iter().find(|(known, _)| known == bytes).map(|(_, id)| *id);
        known.or_else(|| md5_of(content).ok())
    }
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
        let clients = if scenario.clients.is_empty() {
            vec![scenario.steps.iter().filter_map(|step| of_step(&files, &step.value)).collect()]
        } else {
            let client = |list: &Vec<Located<ScenarioCommand>>| {
                list.iter().map(|it| of_short(&files, &it.value)).collect()
            };
            scenario.clients.iter().map(client).collect()
        };
        let exchange = PlannedExchange {
            seed: scenario.seed,
            deadline: scenario.deadline,
            retries: scenario.retries,
            files,
            steps: scenario.steps.clone(),
            clients,
            digests: OnceLock::new(),
        };
        let (faults, expect) = (scenario.faults.as_slice().into(), scenario.expect.as_slice().into());
        Ok(Self { exchange: Arc::new(exchange), faults, expect })
    }

    /// The same exchange with these faults in place of its own, of which nothing is expected.
    #[must_use]
    pub fn with_faults(&self, faults: impl Into<Arc<[Located<Fault>]>>) -> Self {
        Self { exchange: Arc::clone(&self.exchange), faults: faults.into(), expect: [].into() }
    }

    /// The seed of everything that is left to chance.
    #[must_use]
    pub fn seed(&self) -> u64 {
        self.exchange.seed
    }

    /// How long a client waits for the server.
    #[must_use]
    pub fn deadline(&self) -> Duration {
        self.exchange.deadline
    }

    /// How often a client tries again.
    #[must_use]
    pub fn retries(&self) -> u32 {
        self.exchange.retries
    }

    /// What is expected to happen without faults. Empty if the scenario does not say it step by step.
    #[must_use]
    pub fn steps(&self) -> &[Located<Step>] {
        &self.exchange.steps
    }

    /// What each client does.
    #[must_use]
    pub fn clients(&self) -> &[Vec<ClientCommand>] {
        &self.exchange.clients
    }

    /// What goes wrong.
    #[must_use]
    pub fn faults(&self) -> &[Located<Fault>] {
        &self.faults
    }

    /// What is expected of the run.
    #[must_use]
    pub fn expect(&self) -> &[Located<Expect>] {
        &self.expect
    }

    /// Whether its files are so large that they belong on disk.
    #[must_use]
    pub fn is_large(&self) -> bool {
        self.exchange.files.values().map(Content::len).fold(0, u64::saturating_add) > LARGE
    }

    /// Whether only a simulated network can express its faults.
    #[must_use]
    pub fn needs_network(&self) -> bool {
        self.faults.iter().any(|fault| fault.value.effect.layer() == Layer::Network)
    }

    /// Whether one of its faults strikes the server's disk, or takes its machine down.
    #[must_use]
    pub fn needs_disk(&self) -> bool {
        let strikes =
            |effect: &Effect| effect.layer() == Layer::Disk || matches!(effect, Effect::Crash { .. });
        self.faults.iter().any(|fault| strikes(&fault.value.effect))
    }

    /// The files that client `index` is to carry. `stored` is what the server saved, under which name and id.
    #[must_use]
    pub fn sources(&self, index: usize, stored: Vec<(Entry, Content)>) -> impl Sources {
        let uploads = self.clients()[index].iter().filter_map(upload_of);
        let uploads = uploads.map(|(name, content)| (name.clone(), content.clone()));
        PlanSources { plan: self.clone(), uploads: uploads.collect(), stored }
    }

    /// Every content that some client uploads under `name`.
    #[must_use]
    pub fn uploaded_as(&self, name: &FileName) -> Vec<Content> {
        let uploads = self.clients().iter().flatten().filter_map(upload_of);
        uploads.filter(|(uploaded, _)| *uploaded == name).map(|(_, content)| content.clone()).collect()
    }

    /// Every content that a client can mean that asks for `wanted`, as far as some client uploads it. By which digits a
    /// content is known is computed here; whatever came of it is compared byte by byte all the same.
    #[must_use]
    pub fn wanted(&self, wanted: &FileName) -> Vec<Content> {
        let query = FileQuery::parse(wanted.as_str());
        let is_meant = |(name, content): &(&FileName, &Content)| {
            query.is_name(name)
                || query.has_digits() && self.exchange.digest_of(content).is_some_and(|id| query.is_id(id))
        };
        let uploads = self.clients().iter().flatten().filter_map(upload_of);
        uploads.filter(is_meant).map(|(_, content)| content.clone()).collect()
    }

    /// Every content that some client uploads.
    #[must_use]
    pub fn uploads(&self) -> Vec<Content> {
        let uploads = self.clients().iter().flatten().filter_map(upload_of);
        uploads.map(|(_, content)| content.clone()).collect()
    }

    /// The names under which the clients put their downloads: what they ask for.
    #[must_use]
    pub fn downloads(&self) -> Vec<FileName> {
        let name_of = |command: &ClientCommand| match command {
            ClientCommand::Download { name } | ClientCommand::DownloadId { name, .. } => Some(name.clone()),
            _ => None,
        };
        let mut names: Vec<_> = self.clients().iter().flatten().filter_map(name_of).collect();
        names.sort();
        names.dedup();
        names
    }
}

struct PlanSources {
    plan: Plan,
    uploads: Vec<(FileName, Content)>,
    stored: Vec<(Entry, Content)>,
}

impl PlanSources {
    /// Whether `content` is what `id` stands for. That only tells contents apart; the bytes are compared.
    fn is(&self, id: Option<FileId>, content: &Content) -> bool {
        id.is_some() && self.plan.exchange.digest_of(content) == id
    }
}

impl Sources for PlanSources {
    fn upload(&mut self, file: &FileName) -> Option<Content> {
        let at = self.uploads.iter().position(|(name, _)| name == file)?;
        Some(self.uploads.remove(at).1)
    }

    fn download(&mut self, file: &FileName, id: Option<FileId>) -> Option<Content> {
        let mut wanted = self.plan.wanted(file);
        if wanted.len() == 1 && self.plan.faults.is_empty() {
            return wanted.pop();
        }
        let query = FileQuery::parse(file.as_str());
        let saved = |(entry, content): &&(Entry, Content)| {
            let is_meant = query.is_name(&entry.name) || query.is_id(entry.id);
            is_meant && Some(entry.id) == id && self.is(id, content)
        };
        let saved: Vec<&Content> = self.stored.iter().filter(saved).map(|(_, content)| content).collect();
        let asked: Vec<&Content> = wanted.iter().filter(|content| self.is(id, content)).collect();
        match &asked[..] {
            // The upload went wrong, and the id is that of the damaged file: that is what was asked for.
            [] => saved.first().copied().cloned().or_else(|| wanted.pop().filter(|_| wanted.is_empty())),
            [one] => Some((*one).clone()),
            // Several contents with one MD5: the server keeps one of them.
            [first, ..] => {
                let is_saved = |it: &&&Content| saved.iter().any(|saved| is_same(saved, it));
                Some((*asked.iter().find(is_saved).unwrap_or(first)).clone())
            }
        }
    }
}

fn is_same(one: &Content, other: &Content) -> bool {
    one.first_difference(other).is_ok_and(|difference| difference.is_none())
}

/// What `command` uploads, and under which name.
fn upload_of(command: &ClientCommand) -> Option<(&FileName, &Content)> {
    match command {
        ClientCommand::Upload { name, content } => Some((name, content)),
        _ => None,
    }
}

/// What the client does at `step`, unless that follows from another step.
fn of_step(files: &BTreeMap<FileName, Content>, step: &Step) -> Option<ClientCommand> {
    let Step::Client(step) = step else { return None };
    Some(match step {
        ClientStep::ListFiles => ClientCommand::ListFiles,
        ClientStep::Upload(name) => {
            ClientCommand::Upload { name: name.clone(), content: content_of(files, name) }
        }
        ClientStep::Download(name) => ClientCommand::Download { name: name.clone() },
        ClientStep::Disconnect => ClientCommand::Disconnect,
        _ => return None,
    })
}

fn of_short(files: &BTreeMap<FileName, Content>, command: &ScenarioCommand) -> ClientCommand {
    match command {
        ScenarioCommand::ListFiles => ClientCommand::ListFiles,
        ScenarioCommand::Upload { file, name } => {
            ClientCommand::Upload { name: name.clone(), content: content_of(files, file) }
        }
        ScenarioCommand::Download { name } => ClientCommand::Download { name: name.clone() },
        ScenarioCommand::DownloadId { id } => {
            ClientCommand::DownloadId { id: *id, name: FileName::from(*id) }
        }
        ScenarioCommand::Disconnect => ClientCommand::Disconnect,
    }
}

/// The scenario has been checked: a file that is uploaded is declared.
fn content_of(files: &BTreeMap<FileName, Content>, name: &FileName) -> Content {
    files.get(name).cloned().unwrap_or_else(|| Content::Memory([].into()))
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
