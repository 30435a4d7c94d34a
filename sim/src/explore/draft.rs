//! A scenario as a value that can be drawn, made smaller and written down.
//!
//! ```
//! use std::path::Path;
//! use sim::explore::draft::Draft;
//! use sim::scenario::Scenario;
//!
//! let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios/stream/upload_flip.ron");
//! let draft = Draft::of(&Scenario::load(&path)?)?;
//! assert_eq!(draft.faults[0].to_string(), "Flip(in: Upload, at: 1_000, bit: 3)");
//! assert_eq!(Draft::of(&draft.scenario()?)?, draft);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::fmt;
use std::path::{Path, absolute};
use std::time::Duration;

use faults::{Effect, Fault, Layer, Region, grouped};
use notation::ScenarioError;
use protocol::FileName;

use crate::scenario::{
    ClientStep, DEFAULT_DEADLINE, Expect, Scenario, ScenarioCommand, ServerStep, Source, Step, StepClaim,
    TransportKind,
};

/// How often a delay is looked for in a deadline.
const FEW: u128 = 4;
/// A file up to this size goes in one piece on every lane.
const ONE_PIECE: u64 = 4_096;

/// A scenario that can be written down: displayed as the text of a scenario file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// What it shows, in a sentence.
    pub about: String,
    /// What carries the bytes, if the file says so.
    pub transport: Option<TransportKind>,
    /// The source of everything pseudo-random in the run.
    pub seed: u64,
    /// How long the run may take.
    pub deadline: Duration,
    /// How often a client tries a transfer again.
    pub retries: u32,
    /// The files, in the order in which they are written.
    pub files: Vec<(FileName, Source)>,
    /// What each client does.
    pub clients: Vec<Vec<ScenarioCommand>>,
    /// Whether what the only client does is written as the steps of both sides.
    pub by_steps: bool,
    /// What goes wrong.
    pub faults: Vec<Fault>,
    /// What is expected to come of it.
    pub expect: Vec<Expect>,
}

/// Why a scenario is no draft: a fault names one of its steps, and these are not those that its client's commands have as
/// a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnusualSteps;

impl fmt::Display for UnusualSteps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "a fault names a step, and the steps are not those that uploads, downloads and listings have as a rule",
        )
    }
}

impl std::error::Error for UnusualSteps {}

impl Default for Draft {
    fn default() -> Self {
        Self {
            about: "By chance.".into(),
            transport: None,
            seed: 1,
            deadline: DEFAULT_DEADLINE,
            retries: 0,
            files: Vec::new(),
            clients: Vec::new(),
            by_steps: false,
            faults: Vec::new(),
            expect: Vec::new(),
        }
    }
}

impl Draft {
    /// The draft of a scenario.
    ///
    /// # Errors
    /// [`UnusualSteps`] if it cannot be written down otherwise than it is.
    pub fn of(scenario: &Scenario) -> Result<Self, UnusualSteps> {
        let values = |client: &Vec<notation::Located<ScenarioCommand>>| {
            client.iter().map(|command| command.value.clone()).collect()
        };
        let steps: Vec<Step> = scenario.steps.iter().map(|step| step.value.clone()).collect();
        let mut draft = Self {
            about: scenario.about.clone(),
            transport: Some(scenario.transport),
            seed: scenario.seed,
            deadline: scenario.deadline,
            retries: scenario.retries,
            files: scenario.files.iter().map(|(name, it)| (name.clone(), placed(&it.value))).collect(),
            clients: scenario.clients.iter().map(values).collect(),
            by_steps: !steps.is_empty(),
            faults: scenario.faults.iter().map(|fault| fault.value.clone()).collect(),
            expect: scenario.expect.iter().map(|expect| expect.value.clone()).collect(),
        };
        if draft.by_steps {
            draft.clients = vec![steps.iter().filter_map(command_of).collect()];
            draft.by_steps = draft.steps() == steps;
            if !draft.by_steps && draft.names_a_step() {
                return Err(UnusualSteps);
            }
        }
        Ok(draft)
    }

    /// The scenario of this draft, as if its text stood in a file.
    ///
    /// # Errors
    /// Every mistake that is in the text.
    pub fn scenario(&self) -> Result<Scenario, ScenarioError> {
        Scenario::parse(&self.to_string(), Path::new("drawn.ron"))
    }

    /// The session of the only client, step by step. Empty if it is not written so.
    #[must_use]
    pub fn steps(&self) -> Vec<Step> {
        self.numbered().into_iter().map(|(_, step)| step).collect()
    }

    /// The steps, each with the position of the command that it belongs to.
    fn numbered(&self) -> Vec<(Option<usize>, Step)> {
        let Some(commands) = self.clients.first().filter(|_| self.by_steps) else { return Vec::new() };
        let opening =
            [Step::Server(ServerStep::Listen), client(ClientStep::Start), client(ClientStep::Connect)];
        let mut steps: Vec<_> = opening.into_iter().map(|step| (None, step)).collect();
        let mut listed = Vec::new();
        for (position, command) in commands.iter().enumerate() {
            let own = steps_of(command, &mut listed);
            steps.extend(own.into_iter().map(|step| (Some(position), step)));
        }
        steps.push((None, client(ClientStep::Disconnect)));
        steps
    }

    /// The same with only those commands of client `index` at these positions, in this order. A fault in the message of a
    /// step stays with the message, if that is left.
    #[must_use]
    pub fn with_commands(&self, index: usize, kept: &[usize]) -> Self {
        let mut draft = self.clone();
        draft.clients[index] = kept.iter().map(|at| self.clients[index][*at].clone()).collect();
        let (before, after) = (self.numbered(), draft.numbered());
        for fault in &mut draft.faults {
            let Region::Step(number) = fault.region else { continue };
            let Some((Some(command), _)) = before.get(number.wrapping_sub(1)) else { continue };
            let first = before.iter().position(|(other, _)| *other == Some(*command)).unwrap_or(0);
            let now = kept.iter().position(|at| at == command);
            let start = after.iter().position(|(other, _)| other.is_some() && *other == now);
            fault.region = Region::Step(start.map_or(number, |start| start + number - first));
        }
        draft
    }

    /// The numbers of the steps that send something.
    #[must_use]
    pub fn speaking_steps(&self) -> Vec<usize> {
        self.steps().iter().zip(1..).filter(|(step, _)| speaks(step)).map(|(_, number)| number).collect()
    }

    /// Whether a fault is in the message of a step.
    #[must_use]
    pub fn names_a_step(&self) -> bool {
        self.faults.iter().any(|fault| matches!(fault.region, Region::Step(_)))
    }

    /// How long a file of this name is; a name that no file has is none's.
    #[must_use]
    pub fn size_of(&self, name: &FileName) -> u64 {
        let mut name = name;
        // Of a ring, which cannot be read, nothing is asked for ever.
        for _ in 0..=self.files.len() {
            match self.files.iter().find(|(file, _)| file == name).map(|(_, source)| source) {
                Some(Source::SameAs(other)) => name = other,
                Some(Source::Noise(size)) => return *size,
                Some(Source::Text(text)) => return text.len() as u64,
                Some(Source::Hex(bytes)) => return bytes.len() as u64,
                Some(Source::Path(path)) => return path.metadata().map_or(0, |it| it.len()),
                None => return 0,
            }
        }
        0
    }

    /// Whether what one client sees or gets hangs on how fast another is: it looks at what the other may have uploaded, or
    /// a fault of the server's disk or machine strikes whoever comes first, or all.
    #[must_use]
    pub fn is_a_race(&self) -> bool {
        let is_upload = |command: &ScenarioCommand| matches!(command, ScenarioCommand::Upload { .. });
        let uploads = |client: &[ScenarioCommand]| client.iter().any(is_upload);
        let looks = |client: &[ScenarioCommand]| !client.iter().all(is_upload);
        let others = |at: usize| self.clients.iter().enumerate().filter(move |(other, _)| *other != at);
        let depends = |(at, client): (usize, &Vec<ScenarioCommand>)| {
            looks(client) && others(at).any(|(_, other)| uploads(other))
        };
        let strikes_machine = |fault: &Fault| {
            fault.effect.layer() == Layer::Disk || matches!(fault.effect, Effect::Crash { .. })
        };
        let strikes_all = self.faults.iter().any(strikes_machine);
        self.clients.len() > 1 && (strikes_all || self.clients.iter().enumerate().any(depends))
    }

    /// Whether two things may come to the same moment, where the lanes may part: a fault ends a connection, and another may
    /// mislead an end of it; or, where a file goes in several pieces, a fault delays it by about as long as somebody waits, or
    /// two are of the disk and meet the same piece or not; or delays add up to the deadline.
    #[must_use]
    pub fn may_tie(&self) -> bool {
        let ends = self.faults.len() > 1 && self.faults.iter().any(|fault| fault.effect.ends_stream());
        let largest = self.files.iter().map(|(name, _)| self.size_of(name)).max().unwrap_or(0);
        let delays = |fault: &Fault| delay_of(&fault.effect, largest) >= self.deadline / 2;
        // What is gathered or held again and again may add up to the deadline, to the moment.
        let adds_up = |fault: &Fault| {
            let (lasts, deadline) = (delay_of(&fault.effect, 0).as_millis(), self.deadline.as_millis());
            lasts > 0 && deadline.is_multiple_of(lasts) && deadline / lasts <= FEW
        };
        let of_disk = self.faults.iter().filter(|fault| fault.effect.layer() == Layer::Disk).count();
        // How many pieces there are differs from lane to lane, and each is gathered anew.
        let gathers = |fault: &Fault| matches!(fault.effect, Effect::Coalesce { .. });
        let waits = |fault: &Fault| delays(fault) || gathers(fault);
        let many_pieces = largest > ONE_PIECE && (of_disk > 1 || self.faults.iter().any(waits));
        ends || many_pieces || (self.faults.len() > 1 && self.faults.iter().any(adds_up))
    }
}

/// How long a fault holds a file of this size back, if it does, for all that it was sent.
fn delay_of(effect: &Effect, size: u64) -> Duration {
    match effect {
        Effect::Delay { lasts }
        | Effect::Coalesce { lasts }
        | Effect::Hold { lasts }
        | Effect::Partition { lasts } => *lasts,
        Effect::Throttle { rate } => Duration::from_millis(size.saturating_mul(1_000) / (*rate).max(1)),
        Effect::Flip { .. }
        | Effect::Xor { .. }
        | Effect::Drop { .. }
        | Effect::Truncate
        | Effect::Insert { .. }
        | Effect::Duplicate { .. }
        | Effect::Reorder { .. }
        | Effect::Overwrite { .. }
        | Effect::Stall
        | Effect::Slice { .. }
        | Effect::Reset
        | Effect::HalfClose
        | Effect::Latency { .. }
        | Effect::Crash { .. }
        | Effect::NoSpace
        | Effect::WriteError
        | Effect::ShortWrite { .. }
        | Effect::CrashBeforeSync
        | Effect::CrashBeforeRename
        | Effect::CrashAfterRename
        | Effect::Rot { .. } => Duration::ZERO,
    }
}

/// A path means the same wherever the draft is written.
fn placed(source: &Source) -> Source {
    match source {
        Source::Path(path) => Source::Path(absolute(path).unwrap_or_else(|_| path.clone())),
        other => other.clone(),
    }
}

const fn client(step: ClientStep) -> Step {
    Step::Client(step)
}

/// What the client is told to do at this step, unless that follows from another one.
fn command_of(step: &Step) -> Option<ScenarioCommand> {
    match step {
        Step::Client(ClientStep::ListFiles) => Some(ScenarioCommand::ListFiles),
        Step::Client(ClientStep::Upload(file)) => {
            Some(ScenarioCommand::Upload { file: file.clone(), name: file.clone() })
        }
        Step::Client(ClientStep::Download(name)) => Some(ScenarioCommand::Download { name: name.clone() }),
        Step::Client(_) | Step::Server(_) => None,
    }
}

/// The steps that a command has as a rule. `listed` is what the server lists, sorted.
fn steps_of(command: &ScenarioCommand, listed: &mut Vec<FileName>) -> Vec<Step> {
    use ServerStep::{AskDetails, AskId, NoFiles, Ready, SaveFile, SendHash};
    match command {
        ScenarioCommand::Upload { file, .. } => {
            listed.push(file.clone());
            listed.sort_unstable();
            listed.dedup();
            vec![
                client(ClientStep::Upload(file.clone())),
                Step::Server(AskDetails),
                client(ClientStep::Details),
                Step::Server(Ready),
                client(ClientStep::SendFile),
                Step::Server(ServerStep::ReceiveFile),
                Step::Server(SaveFile),
                Step::Server(SendHash),
                client(ClientStep::Compare(StepClaim::Success)),
            ]
        }
        ScenarioCommand::Download { name } => vec![
            client(ClientStep::Download(name.clone())),
            Step::Server(AskId),
            client(ClientStep::SendId),
            Step::Server(ServerStep::SendFile),
            client(ClientStep::ReceiveFile(StepClaim::Success)),
        ],
        ScenarioCommand::ListFiles => {
            let answer = if listed.is_empty() { NoFiles } else { ServerStep::Files(listed.clone()) };
            vec![client(ClientStep::ListFiles), Step::Server(answer)]
        }
        // Steps have no word for the one, and end with the other.
        ScenarioCommand::DownloadId { .. } | ScenarioCommand::Disconnect => Vec::new(),
    }
}

/// Whether bytes go over the wire at this step.
const fn speaks(step: &Step) -> bool {
    match step {
        Step::Client(step) => match step {
            ClientStep::ListFiles
            | ClientStep::Upload(_)
            | ClientStep::Details
            | ClientStep::SendFile
            | ClientStep::Download(_)
            | ClientStep::SendId => true,
            ClientStep::Start
            | ClientStep::Connect
            | ClientStep::Compare(_)
            | ClientStep::ReceiveFile(_)
            | ClientStep::Disconnect => false,
        },
        Step::Server(step) => match step {
            ServerStep::NoFiles
            | ServerStep::AskDetails
            | ServerStep::Ready
            | ServerStep::SendHash
            | ServerStep::Files(_)
            | ServerStep::AskId
            | ServerStep::SendFile => true,
            ServerStep::Listen | ServerStep::ReceiveFile | ServerStep::SaveFile => false,
        },
    }
}

/// As a scenario file.
impl fmt::Display for Draft {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let default = Self::default();
        writeln!(f, "Scenario(\n    about: {:?},", self.about)?;
        if let Some(transport) = self.transport {
            writeln!(f, "    transport: {transport:?},")?;
        }
        writeln!(f, "    seed: {},", self.seed)?;
        if self.deadline != default.deadline {
            writeln!(f, "    deadline: {},", self.deadline.as_secs_f64())?;
        }
        if self.retries != default.retries {
            writeln!(f, "    retries: {},", self.retries)?;
        }
        let files: Vec<String> =
            self.files.iter().map(|(name, source)| format!("{name:?}: {}", source_text(source))).collect();
        writeln!(f, "    files: {{ {} }},", files.join(", "))?;
        if self.by_steps {
            lines(f, "steps", &self.steps())?;
        } else {
            let client = |commands: &Vec<ScenarioCommand>| {
                let commands: Vec<String> = commands.iter().map(ToString::to_string).collect();
                format!("[{}]", commands.join(", "))
            };
            lines(f, "clients", &self.clients.iter().map(client).collect::<Vec<_>>())?;
        }
        lines(f, "faults", &self.faults)?;
        lines(f, "expect", &self.expect)?;
        f.write_str(")\n")
    }
}

/// A field whose value is a list, an item a line. One without items is left out.
fn lines(f: &mut fmt::Formatter<'_>, field: &str, items: &[impl fmt::Display]) -> fmt::Result {
    if items.is_empty() {
        return Ok(());
    }
    writeln!(f, "    {field}: [")?;
    items.iter().try_for_each(|item| writeln!(f, "        {item},"))?;
    f.write_str("    ],\n")
}

/// As it is written in a scenario file.
fn source_text(source: &Source) -> String {
    match source {
        Source::Text(text) => format!("Text({text:?})"),
        Source::Hex(bytes) => {
            let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            format!("Hex(\"{digits}\")")
        }
        Source::Noise(size) => format!("Noise({})", grouped(*size)),
        Source::Path(path) => format!("Path({:?})", path.display().to_string()),
        Source::SameAs(name) => format!("SameAs({name:?})"),
    }
}
