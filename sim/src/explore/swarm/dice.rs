//! What is left to chance in a scenario.

use std::time::Duration;

use faults::{At, Content, Effect, Fault, Layer, Region};
use protocol::FileName;
use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};
use transfer::endpoint::md5_of;

use crate::explore::draft::Draft;
use crate::scenario::{ClientStep, ScenarioCommand, ServerStep, Source, Step};

/// Names that are easily taken for each other, and some that are easily split in the wrong place.
const NAMES: [&str; 8] = ["a", "b", "x", "y", "my_file.jpg", "a;b", "a b", "é1"];
const SIZES: [u64; 12] = [0, 1, 2, 3, 10, 20, 33, 64, 100, 300, 1_024, 4_000];
const TEXTS: [&str; 6] = ["x", "hello", "LIST_FILES\n", "ERROR storage no\n", "12\n", "one\r\ntwo\n"];
/// In milliseconds: some are as long as a deadline, or as long as a client waits before it connects again.
const TIMES: [u64; 9] = [1, 3, 50, 500, 1_000, 1_002, 2_000, 5_000, 10_000];
/// In seconds.
const DEADLINES: [u64; 4] = [1, 2, 5, 30];
/// What is put into a stream: some of it is taken for something else there.
const INSERTS: [&str; 10] =
    ["\n", "x", "Please. ", "ERROR storage no\n", "LIST_FILES\n", "UPLOAD\n", "0", ";", "\r", "12\n"];
/// What turns a size, an id or a digest into another one.
const DIGITS: [&str; 7] = ["0", "1", "9", "a", "f", "00", "7e"];
/// More portions than this of one file take longer than they show.
const MOST_PORTIONS: u64 = 2_000;
/// A file that takes no time to speak of at any rate.
const SMALL: u64 = 4_096;
/// About as long as what is not payload is in one direction of a session.
const CONTROL: u64 = 120;
/// About as long as the message of a step is.
const MESSAGE: u64 = 20;

/// What can be drawn.
#[derive(Clone, Debug, Default)]
pub struct Swarm {
    base: Option<Draft>,
    with_network: bool,
}

/// Scenario `number` of `seed`, with nothing given and without faults of the network.
#[must_use]
pub fn draw(seed: u64, number: u64) -> Draft {
    Swarm::default().draw(seed, number)
}

impl Swarm {
    /// The files and the clients of `base` are kept; the faults, the retries and the seed are drawn.
    #[must_use]
    pub fn based_on(base: Draft) -> Self {
        Self { base: Some(base), with_network: false }
    }

    /// With faults of the network, which only the simulated one can express.
    #[must_use]
    pub fn with_network(self) -> Self {
        Self { with_network: true, ..self }
    }

    /// Scenario `number` of `seed`.
    #[must_use]
    pub fn draw(&self, seed: u64, number: u64) -> Draft {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(number);
        let mut dice = Dice(rng);
        let mut draft = match &self.base {
            Some(base) => Draft { faults: Vec::new(), expect: Vec::new(), ..base.clone() },
            None => dice.course(),
        };
        draft.seed = dice.below(1_000) as u64;
        draft.retries = dice.pick(&[0, 0, 1, 1, 2, 3]);
        let kinds = dice.kinds(self.with_network);
        let count = dice.pick(&[1, 1, 1, 1, 2, 2, 2, 3, 4, 5]);
        draft.faults = (0..count).map(|_| dice.fault(&draft, &kinds)).collect();
        draft
    }
}

/// A kind of fault: an [`Effect`] without its numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "they are those of `Effect`")]
pub enum FaultKind {
    Flip,
    Xor,
    Drop,
    Truncate,
    Insert,
    Duplicate,
    Reorder,
    Overwrite,
    Stall,
    Delay,
    Throttle,
    Slice,
    Coalesce,
    Reset,
    HalfClose,
    Latency,
    Partition,
    Hold,
    Crash,
    NoSpace,
    WriteError,
    ShortWrite,
    CrashBeforeSync,
    CrashBeforeRename,
    CrashAfterRename,
    Rot,
}

impl FaultKind {
    /// Every kind, in the order of the documentation.
    pub const ALL: [Self; 26] = [
        Self::Flip,
        Self::Xor,
        Self::Drop,
        Self::Truncate,
        Self::Insert,
        Self::Duplicate,
        Self::Reorder,
        Self::Overwrite,
        Self::Stall,
        Self::Delay,
        Self::Throttle,
        Self::Slice,
        Self::Coalesce,
        Self::Reset,
        Self::HalfClose,
        Self::Latency,
        Self::Partition,
        Self::Hold,
        Self::Crash,
        Self::NoSpace,
        Self::WriteError,
        Self::ShortWrite,
        Self::CrashBeforeSync,
        Self::CrashBeforeRename,
        Self::CrashAfterRename,
        Self::Rot,
    ];

    const fn is_of_network(self) -> bool {
        matches!(self, Self::Latency | Self::Partition | Self::Hold | Self::Crash)
    }

    const fn changes_bytes(self) -> bool {
        use FaultKind::{Drop, Duplicate, Flip, Insert, Overwrite, Reorder, Xor};
        matches!(self, Flip | Xor | Drop | Insert | Duplicate | Reorder | Overwrite)
    }
}

struct Dice(ChaCha8Rng);

impl Dice {
    /// Nothing is below zero: then it is zero, too.
    fn below(&mut self, most: usize) -> usize {
        self.0.random_range(0..most.max(1))
    }

    fn below_u64(&mut self, most: u64) -> u64 {
        self.0.random_range(0..most.max(1))
    }

    fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())].clone()
    }

    fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    fn time(&mut self, from: &[u64]) -> Duration {
        Duration::from_millis(self.pick(from))
    }

    /// The files and what the clients do with them.
    fn course(&mut self) -> Draft {
        let files = self.files();
        let by_steps = self.chance(40);
        let count = if by_steps { 1 } else { self.pick(&[1, 1, 2, 2, 3]) };
        let clients = (0..count).map(|_| self.session(&files, by_steps)).collect();
        let deadline = Duration::from_secs(self.pick(&DEADLINES));
        Draft { deadline, files, clients, by_steps, ..Draft::default() }
    }

    fn files(&mut self) -> Vec<(FileName, Source)> {
        let mut names = names();
        let mut files: Vec<(FileName, Source)> = Vec::new();
        for _ in 0..self.pick(&[1, 1, 2, 3]) {
            let at = self.below(names.len());
            let name = names.swap_remove(at);
            let source = match self.below(10) {
                0 => Source::Text(self.pick(&TEXTS).into()),
                1 | 2 if !files.is_empty() => Source::SameAs(files[0].0.clone()),
                _ => Source::Noise(self.size()),
            };
            files.push((name, source));
        }
        files
    }

    /// Mostly small ones; many at and beside a power of two, where buffers and chunks end.
    fn size(&mut self) -> u64 {
        match self.below(20) {
            0..=8 => self.pick(&SIZES),
            9..=15 => self.near_power(0..13),
            16..=18 => self.near_power(13..17),
            _ => self.pick(&[(1 << 17) - 1, 1 << 17, (1 << 17) + 1, 1 << 18, 123_456, 300_000]),
        }
    }

    /// A power of two with one of these exponents, or a neighbour.
    fn near_power(&mut self, exponents: std::ops::Range<usize>) -> u64 {
        let exponent = exponents.start + self.below(exponents.len());
        (1 << exponent) - 1 + self.below_u64(3)
    }

    /// A session that begins with an upload, as a rule; what it downloads it has mostly uploaded and listed before.
    fn session(&mut self, files: &[(FileName, Source)], by_steps: bool) -> Vec<ScenarioCommand> {
        let (mut done, mut uploaded) = (Vec::new(), Vec::new());
        for round in 0..self.pick(&[1, 1, 2, 2, 3]) {
            match self.below(10) {
                0..=6 => self.upload(files, by_steps, &mut uploaded, &mut done),
                _ if round == 0 && self.chance(70) => self.upload(files, by_steps, &mut uploaded, &mut done),
                7 => done.push(ScenarioCommand::ListFiles),
                8 if !done.is_empty() => self.again(by_steps, &mut uploaded, &mut done),
                _ if by_steps => {}
                _ => done.extend(self.foreign(files)),
            }
            if !uploaded.is_empty() && self.chance(55) {
                let name = self.pick(&uploaded);
                done.extend([ScenarioCommand::ListFiles, ScenarioCommand::Download { name }]);
            }
        }
        if done.is_empty() {
            done.push(ScenarioCommand::ListFiles);
        }
        done
    }

    fn upload(
        &mut self,
        files: &[(FileName, Source)],
        by_steps: bool,
        uploaded: &mut Vec<FileName>,
        done: &mut Vec<ScenarioCommand>,
    ) {
        let (file, _) = self.pick(files);
        let name = if !by_steps && self.chance(15) { self.pick(&names()) } else { file.clone() };
        uploaded.push(name.clone());
        done.push(ScenarioCommand::Upload { file, name });
    }

    /// An upload once more: under the same name, or the same content under another.
    fn again(&mut self, by_steps: bool, uploaded: &mut Vec<FileName>, done: &mut Vec<ScenarioCommand>) {
        let is_upload = |it: &&ScenarioCommand| matches!(it, ScenarioCommand::Upload { .. });
        let before: Vec<ScenarioCommand> = done.iter().filter(is_upload).cloned().collect();
        if before.is_empty() {
            return done.push(ScenarioCommand::ListFiles);
        }
        let mut command = self.pick(&before);
        if let ScenarioCommand::Upload { name, .. } = &mut command {
            if !by_steps && self.chance(50) {
                *name = self.pick(&names());
            }
            uploaded.push(name.clone());
        }
        done.push(command);
    }

    /// Asks for what another may have uploaded, by its name or by its id.
    fn foreign(&mut self, files: &[(FileName, Source)]) -> Vec<ScenarioCommand> {
        let text = |(_, source): &(FileName, Source)| match source {
            Source::Text(text) => md5_of(&Content::Memory(text.as_bytes().into())).ok(),
            Source::Hex(_) | Source::Noise(_) | Source::Path(_) | Source::SameAs(_) => None,
        };
        match files.iter().find_map(text) {
            Some(id) if self.chance(50) => vec![ScenarioCommand::DownloadId { id }],
            _ => {
                let (name, _) = self.pick(files);
                vec![ScenarioCommand::ListFiles, ScenarioCommand::Download { name }]
            }
        }
    }

    /// The kinds that can occur in this run: each with a chance of one in three, and at least one. Those that change bytes
    /// count more often: only they can be taken for good.
    fn kinds(&mut self, with_network: bool) -> Vec<FaultKind> {
        let possible: Vec<FaultKind> =
            FaultKind::ALL.into_iter().filter(|kind| with_network || !kind.is_of_network()).collect();
        let mut kinds: Vec<FaultKind> = possible.iter().copied().filter(|_| self.chance(33)).collect();
        if kinds.is_empty() {
            kinds.push(self.pick(&possible));
        }
        let change = |kind: &FaultKind| kind.changes_bytes();
        let again: Vec<FaultKind> = kinds.iter().copied().filter(change).collect();
        kinds.extend(again.repeat(2));
        kinds
    }

    fn fault(&mut self, draft: &Draft, kinds: &[FaultKind]) -> Fault {
        let kind = self.pick(kinds);
        let region = self.region(draft);
        let length = length_of(draft, region);
        let effect = self.effect(kind, length);
        if effect.layer() == Layer::Disk {
            let is_moment = matches!(
                effect,
                Effect::CrashBeforeSync | Effect::CrashBeforeRename | Effect::CrashAfterRename
            );
            let at = if is_moment { At::Offset(0) } else { self.at(length_of(draft, Region::Upload)) };
            return Fault { effect, region: Region::Upload, at };
        }
        if effect.is_everywhere() {
            return Fault { effect, region: Region::ToServer, at: At::Offset(0) };
        }
        let at = if let Effect::Reorder { bytes, with } = effect {
            // What changes places needs room behind it.
            At::Offset(self.below_u64(with - bytes + 1))
        } else {
            self.at(length)
        };
        Fault { effect, region, at }
    }

    /// A fault of this kind for a region of about this length.
    fn effect(&mut self, kind: FaultKind, length: u64) -> Effect {
        match kind {
            FaultKind::Flip => Effect::Flip { bit: self.bit() },
            FaultKind::Xor => Effect::Xor { mask: self.bytes() },
            FaultKind::Drop => Effect::Drop { bytes: self.length() },
            FaultKind::Truncate => Effect::Truncate,
            FaultKind::Insert if self.chance(50) => Effect::Insert { bytes: self.pick(&INSERTS).into() },
            FaultKind::Insert => Effect::Insert { bytes: self.bytes() },
            FaultKind::Duplicate => Effect::Duplicate { bytes: self.length() },
            FaultKind::Reorder => {
                let bytes = self.length();
                let with = bytes + self.below_u64(length.max(20));
                Effect::Reorder { bytes, with }
            }
            FaultKind::Overwrite if self.chance(50) => Effect::Overwrite { bytes: self.pick(&DIGITS).into() },
            FaultKind::Overwrite => Effect::Overwrite { bytes: self.bytes() },
            FaultKind::Stall => Effect::Stall,
            FaultKind::Delay => Effect::Delay { lasts: self.time(&TIMES) },
            FaultKind::Throttle => {
                let rate = self.pick(&[10, 100, 1_000, 100_000]);
                // A large file takes no longer than a second: while somebody waits, all the time has to be simulated.
                Effect::Throttle { rate: if length > SMALL { rate.max(length) } else { rate } }
            }
            FaultKind::Slice => {
                let bytes = self.pick(&[1, 2, 7, 100]);
                Effect::Slice { bytes: bytes.max(length / MOST_PORTIONS) }
            }
            FaultKind::Coalesce => Effect::Coalesce { lasts: self.time(&TIMES[..5]) },
            FaultKind::Reset => Effect::Reset,
            FaultKind::HalfClose => Effect::HalfClose,
            FaultKind::Latency => Effect::Latency { min: self.time(&[0, 1]), max: self.time(&[5, 100]) },
            FaultKind::Partition => Effect::Partition { lasts: self.time(&TIMES) },
            FaultKind::Hold => Effect::Hold { lasts: self.time(&TIMES) },
            FaultKind::Crash => Effect::Crash { lasts: self.time(&TIMES) },
            FaultKind::NoSpace => Effect::NoSpace,
            FaultKind::WriteError => Effect::WriteError,
            FaultKind::ShortWrite => Effect::ShortWrite { bytes: self.length() },
            FaultKind::CrashBeforeSync => Effect::CrashBeforeSync,
            FaultKind::CrashBeforeRename => Effect::CrashBeforeRename,
            FaultKind::CrashAfterRename => Effect::CrashAfterRename,
            FaultKind::Rot => Effect::Rot { bit: self.bit() },
        }
    }

    fn bit(&mut self) -> u8 {
        self.pick(&[0, 1, 2, 3, 4, 5, 6, 7])
    }

    /// One to four bytes, not all of them zero.
    fn bytes(&mut self) -> Vec<u8> {
        let mut bytes: Vec<u8> = (0..self.below(4)).map(|_| self.0.random_range(0..=255)).collect();
        bytes.push(self.0.random_range(1..=255));
        bytes
    }

    fn length(&mut self) -> u64 {
        1 + self.below_u64(12)
    }

    fn region(&mut self, draft: &Draft) -> Region {
        let steps = draft.speaking_steps();
        let is_download = |it: &ScenarioCommand| {
            matches!(it, ScenarioCommand::Download { .. } | ScenarioCommand::DownloadId { .. })
        };
        let downloads = draft.clients.first().is_some_and(|client| client.iter().any(is_download));
        match self.below(10) {
            0..=2 => Region::Upload,
            3 | 4 if downloads => Region::Download,
            5 if !steps.is_empty() => Region::Step(self.pick(&steps)),
            6 | 7 if !steps.is_empty() => {
                // What is compared and looked up is in few of the messages.
                let tells = |number: &usize| is_telling(draft.steps().get(number.wrapping_sub(1)));
                let telling: Vec<usize> = steps.iter().copied().filter(tells).collect();
                Region::Step(self.pick(if telling.is_empty() { &steps } else { &telling }))
            }
            8 => Region::ToServer,
            9 => Region::ToClient,
            _ => self.pick(&[Region::Upload, Region::ToServer, Region::ToClient]),
        }
    }

    /// A place in a region of about this length: every other one at an edge, or beside a power of two.
    fn at(&mut self, length: u64) -> At {
        match self.below(16) {
            0..=2 => At::Offset(0),
            3 | 4 => At::Last,
            5 | 6 => At::Percent(self.pick(&[0, 1, 25, 50, 75, 99, 100])),
            7 | 8 => At::Random,
            9..=11 => {
                let powers = usize::try_from(length.max(1).ilog2()).unwrap_or(0) + 1;
                At::Offset(self.near_power(0..powers).min(length.saturating_sub(1)))
            }
            12 | 13 => At::Offset(self.below_u64(length.min(12))),
            _ => At::Offset(self.below_u64(length)),
        }
    }
}

/// Whether a name, an id or a digest is in the message of this step.
const fn is_telling(step: Option<&Step>) -> bool {
    matches!(
        step,
        Some(
            Step::Server(ServerStep::SendHash | ServerStep::Files(_))
                | Step::Client(ClientStep::Details | ClientStep::SendId)
        )
    )
}

/// The names that files can have.
fn names() -> Vec<FileName> {
    NAMES.iter().filter_map(|name| FileName::parse(name).ok()).collect()
}

/// About how long this region is in a run of `draft`.
fn length_of(draft: &Draft, region: Region) -> u64 {
    let Some(client) = draft.clients.first() else { return 0 };
    let up = client.iter().filter_map(|command| match command {
        ScenarioCommand::Upload { file, .. } => Some(draft.size_of(file)),
        _ => None,
    });
    let down = client.iter().filter_map(|command| match command {
        ScenarioCommand::Download { name } => Some(draft.size_of(name)),
        ScenarioCommand::DownloadId { .. } => Some(0),
        _ => None,
    });
    match region {
        Region::Upload => up.take(1).sum(),
        Region::Download => down.take(1).sum(),
        Region::ToServer => up.sum::<u64>() + CONTROL,
        Region::ToClient => down.sum::<u64>() + CONTROL,
        Region::Step(number) => match draft.steps().get(number.wrapping_sub(1)) {
            Some(Step::Client(ClientStep::SendFile)) => length_of(draft, Region::Upload),
            Some(Step::Server(ServerStep::SendFile)) => length_of(draft, Region::Download),
            _ => MESSAGE,
        },
    }
}
