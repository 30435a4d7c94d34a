//! Scenarios by chance. A number of a seed is one scenario, the same on every machine, and each is a text that can
//! be run as a file.

use std::fmt::{self, Display, Write};

use md5::{Digest, Md5};
use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};

/// Names that are easily taken for each other, and some that are easily split in the wrong place.
const NAMES: [&str; 8] = ["a", "b", "x", "y", "my_file.jpg", "a;b", "a b", "é1"];
const SIZES: [u64; 12] = [0, 1, 2, 3, 10, 20, 33, 64, 100, 300, 1_024, 4_000];
const TEXTS: [&str; 6] = ["x", "hello", "LIST_FILES\n", "ERROR storage no\n", "12\n", "one\r\ntwo\n"];
/// Seconds: some are as long as a deadline, or as long as a client waits before it connects again.
const TIMES: [&str; 9] = ["0.001", "0.003", "0.05", "0.5", "1", "1.002", "2", "5", "10"];
const DEADLINES: [&str; 4] = ["1", "2", "5", "30"];
/// What is put into a stream: some of it is taken for something else there.
const INSERTS: [&str; 10] =
    ["\n", "x", "Please. ", "ERROR storage no\n", "LIST_FILES\n", "UPLOAD\n", "0", ";", "\r", "12\n"];

/// A scenario that can be written down, and made smaller.
#[derive(Clone, Debug)]
pub(super) struct Draft {
    pub(super) seed: u64,
    pub(super) deadline: &'static str,
    pub(super) retries: u32,
    pub(super) files: Vec<(&'static str, Bytes)>,
    /// What each client does. One client's is written as steps if `by_steps`.
    pub(super) clients: Vec<Vec<Do>>,
    pub(super) by_steps: bool,
    pub(super) faults: Vec<String>,
}

/// Where a file has its bytes from.
#[derive(Clone, Copy, Debug)]
pub(super) enum Bytes {
    Noise(u64),
    Text(&'static str),
    SameAs(&'static str),
}

/// What a client does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Do {
    List,
    Upload(&'static str),
    /// A file, under another name.
    UploadAs(&'static str, &'static str),
    Download(&'static str),
    /// By the id that this text has.
    DownloadId(&'static str),
}

/// Scenario `number` of `seed`.
pub(super) fn draw(seed: u64, number: u64) -> Draft {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(number);
    Dice(rng).draft()
}

struct Dice(ChaCha8Rng);

impl Dice {
    fn below(&mut self, most: usize) -> usize {
        self.0.random_range(0..most)
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }

    fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    fn draft(&mut self) -> Draft {
        let files = self.files();
        let by_steps = self.chance(40);
        let count = if by_steps { 1 } else { self.pick(&[1, 1, 2, 2, 3]) };
        let names: Vec<&'static str> = files.iter().map(|(name, _)| *name).collect();
        let clients: Vec<_> = (0..count).map(|_| self.session(&files, &names, by_steps)).collect();
        let mut draft = Draft {
            seed: self.below(1_000) as u64,
            deadline: self.pick(&DEADLINES),
            retries: self.pick(&[0, 0, 1, 1, 2]),
            files,
            clients,
            by_steps,
            faults: Vec::new(),
        };
        let faults = self.pick(&[1, 1, 1, 2, 2, 3]);
        draft.faults = (0..faults).map(|_| self.fault(&draft)).collect();
        draft
    }

    fn files(&mut self) -> Vec<(&'static str, Bytes)> {
        let mut names = NAMES.to_vec();
        let count = self.pick(&[1, 1, 2, 3]);
        let mut files: Vec<(&'static str, Bytes)> = Vec::new();
        for _ in 0..count {
            let at = self.below(names.len());
            let name = names.swap_remove(at);
            let bytes = match self.below(10) {
                0 => Bytes::Text(self.pick(&TEXTS)),
                1 | 2 if !files.is_empty() => Bytes::SameAs(files[0].0),
                _ => Bytes::Noise(self.pick(&SIZES)),
            };
            files.push((name, bytes));
        }
        files
    }

    /// A session that begins with an upload, as a rule; what it downloads it has mostly uploaded and listed before.
    fn session(
        &mut self,
        files: &[(&'static str, Bytes)],
        names: &[&'static str],
        by_steps: bool,
    ) -> Vec<Do> {
        let mut done = Vec::new();
        let mut uploaded: Vec<&'static str> = Vec::new();
        for round in 0..self.pick(&[1, 1, 2, 2, 3]) {
            match self.below(10) {
                0..=6 => self.upload(names, by_steps, &mut uploaded, &mut done),
                _ if round == 0 && self.chance(70) => {
                    self.upload(names, by_steps, &mut uploaded, &mut done);
                }
                7 => done.push(Do::List),
                _ if by_steps => {}
                _ => done.extend(self.foreign(files, names)),
            }
            if !uploaded.is_empty() && self.chance(55) {
                let name = self.pick(&uploaded);
                done.extend([Do::List, Do::Download(name)]);
            }
        }
        if done.is_empty() {
            done.push(Do::List);
        }
        done
    }

    fn upload(
        &mut self,
        names: &[&'static str],
        by_steps: bool,
        uploaded: &mut Vec<&'static str>,
        done: &mut Vec<Do>,
    ) {
        let file = self.pick(names);
        if !by_steps && self.chance(15) {
            let name = self.pick(&NAMES);
            done.push(Do::UploadAs(file, name));
            uploaded.push(name);
        } else {
            done.push(Do::Upload(file));
            uploaded.push(file);
        }
    }

    /// Asks for what another may have uploaded, by its name or by its id.
    fn foreign(&mut self, files: &[(&'static str, Bytes)], names: &[&'static str]) -> Vec<Do> {
        let texts: Vec<&'static str> = files
            .iter()
            .filter_map(|(_, bytes)| if let Bytes::Text(text) = bytes { Some(*text) } else { None })
            .collect();
        match texts.first() {
            Some(text) if self.chance(50) => vec![Do::DownloadId(text)],
            _ => vec![Do::List, Do::Download(self.pick(names))],
        }
    }

    fn fault(&mut self, draft: &Draft) -> String {
        match self.below(100) {
            0..=17 => self.disk_fault(draft),
            18..=31 => self.network_fault(draft),
            32..=66 => self.change(draft),
            _ => self.course(draft),
        }
    }

    fn disk_fault(&mut self, draft: &Draft) -> String {
        let at = self.at(draft.typical(), true);
        match self.below(7) {
            0 => format!("NoSpace(at: {at})"),
            1 => format!("WriteError(at: {at})"),
            2 => format!("ShortWrite(at: {at}, bytes: {})", self.length()),
            3 => "CrashBeforeSync()".into(),
            4 => "CrashBeforeRename()".into(),
            5 => "CrashAfterRename()".into(),
            _ => format!("Rot(at: {at}, bit: {})", self.below(8)),
        }
    }

    fn network_fault(&mut self, draft: &Draft) -> String {
        let (place, lasts) = (self.place(draft, true), self.pick(&TIMES));
        match self.below(4) {
            0 => {
                format!("Latency(min: {}, max: {})", self.pick(&["0", "0.001"]), self.pick(&["0.005", "0.1"]))
            }
            1 => format!("Partition({place}, lasts: {lasts})"),
            2 => format!("Hold({place}, lasts: {lasts})"),
            _ => format!("Crash({place}, lasts: {lasts})"),
        }
    }

    /// A fault that changes the bytes of a stream.
    fn change(&mut self, draft: &Draft) -> String {
        let place = self.place(draft, true);
        match self.below(7) {
            0 | 1 => format!("Flip({place}, bit: {})", self.below(8)),
            2 => format!("Xor({place}, hex: \"{}\")", self.hex()),
            3 => format!("Drop({place}, bytes: {})", self.length()),
            4 => match self.chance(50) {
                true => format!("Insert({place}, text: {:?})", self.pick(&INSERTS)),
                false => format!("Insert({place}, hex: \"{}\")", self.hex()),
            },
            5 => format!("Duplicate({place}, bytes: {})", self.length()),
            _ if self.chance(50) => format!("Overwrite({place}, hex: \"{}\")", self.hex()),
            _ => {
                let (at, bytes, region) = (self.below(20), self.length(), self.region(draft));
                let with = at + bytes + self.below(20);
                format!("Reorder(in: {region}, at: {at}, bytes: {bytes}, with: {with})")
            }
        }
    }

    /// A fault that ends a stream, or delays it.
    fn course(&mut self, draft: &Draft) -> String {
        let place = self.place(draft, true);
        match self.below(8) {
            0 => format!("Truncate({place})"),
            1 => format!("Stall({place})"),
            2 => format!("Delay({place}, lasts: {})", self.pick(&TIMES)),
            3 => format!("Throttle({place}, rate: {})", self.pick(&[10, 100, 1_000, 100_000])),
            4 => format!("Slice({place}, bytes: {})", self.pick(&[1, 2, 7, 100])),
            5 => format!("Coalesce({place}, lasts: {})", self.pick(&TIMES[..5])),
            6 => format!("Reset({place})"),
            _ => format!("HalfClose({place})"),
        }
    }

    fn place(&mut self, draft: &Draft, may_be_last: bool) -> String {
        let region = self.region(draft);
        let length = if region.starts_with("Step") { 20 } else { draft.typical() };
        format!("in: {region}, at: {}", self.at(length, may_be_last))
    }

    fn region(&mut self, draft: &Draft) -> String {
        let steps = draft.speaking_steps();
        match self.below(10) {
            0..=2 => "Upload".into(),
            3 | 4 if draft.downloads() => "Download".into(),
            5..=7 if !steps.is_empty() => format!("Step({})", self.pick(&steps)),
            8 => "ToServer".into(),
            9 => "ToClient".into(),
            _ => self.pick(&["Upload", "ToServer", "ToClient"]).into(),
        }
    }

    fn at(&mut self, length: u64, may_be_last: bool) -> String {
        let length = usize::try_from(length).unwrap_or(1).max(1);
        match self.below(10) {
            0 => "0".into(),
            1 => format!("Percent({})", self.below(101)),
            2 if may_be_last => "Last".into(),
            3 | 4 => "Random".into(),
            5 | 6 => self.below(length.min(12)).to_string(),
            _ => self.below(length).to_string(),
        }
    }

    fn length(&mut self) -> usize {
        1 + self.below(12)
    }

    /// One to four bytes, not all of them zero.
    fn hex(&mut self) -> String {
        let bytes = 1 + self.below(4);
        let digits = (1..bytes).map(|_| format!("{:02x}", self.below(256))).collect::<String>();
        format!("{digits}{:02x}", 1 + self.below(255))
    }
}

impl Draft {
    /// About as long as the files are.
    fn typical(&self) -> u64 {
        let size = |bytes: &Bytes| match bytes {
            Bytes::Noise(size) => *size,
            Bytes::Text(text) => text.len() as u64,
            Bytes::SameAs(_) => 0,
        };
        self.files.iter().map(|(_, bytes)| size(bytes)).max().unwrap_or(0)
    }

    /// Whether what one client sees or gets hangs on how fast another is: it looks at what the other may have uploaded,
    /// or a fault of the server's disk or machine strikes whoever comes first, or all.
    pub(super) fn is_a_race(&self) -> bool {
        let uploads = |client: &[Do]| client.iter().any(|it| matches!(it, Do::Upload(_) | Do::UploadAs(..)));
        let looks = |client: &[Do]| client.iter().any(|it| !matches!(it, Do::Upload(_) | Do::UploadAs(..)));
        let others = |at: usize| self.clients.iter().enumerate().filter(move |(other, _)| *other != at);
        let depends =
            |(at, client): (usize, &Vec<Do>)| looks(client) && others(at).any(|(_, other)| uploads(other));
        let disk = ["NoSpace", "WriteError", "ShortWrite", "Rot", "Crash"];
        let strikes_disk = self.faults.iter().any(|fault| disk.iter().any(|kind| fault.starts_with(kind)));
        self.clients.len() > 1 && (strikes_disk || self.clients.iter().enumerate().any(depends))
    }

    /// Whether a fault ends a connection and another one may mislead an end of it: where both come to the same moment,
    /// the lanes may part.
    pub(super) fn may_tie(&self) -> bool {
        let ends = ["Truncate", "HalfClose", "Reset"];
        let ends = self.faults.iter().any(|fault| ends.iter().any(|kind| fault.starts_with(kind)));
        ends && self.faults.len() > 1
    }

    fn downloads(&self) -> bool {
        self.clients[0].iter().any(|it| matches!(it, Do::Download(_) | Do::DownloadId(_)))
    }

    /// The numbers of the steps that send something.
    fn speaking_steps(&self) -> Vec<usize> {
        let silent = ["Listen", "Start", "Connect", "ReceiveFile", "SaveFile", "Compare", "Disconnect"];
        let numbered = self.steps().into_iter().zip(1..);
        numbered.filter(|(step, _)| !silent.iter().any(|word| step.contains(word))).map(|(_, n)| n).collect()
    }

    /// The session of the only client, step by step.
    fn steps(&self) -> Vec<String> {
        if !self.by_steps {
            return Vec::new();
        }
        let mut steps = ["Server(Listen)", "Client(Start)", "Client(Connect)"].map(String::from).to_vec();
        let mut listed: Vec<&str> = Vec::new();
        for it in &self.clients[0] {
            match it {
                Do::Upload(file) => {
                    steps.push(format!("Client(Upload({file:?}))"));
                    let rest = "Server(AskDetails) Client(Details) Server(Ready) Client(SendFile) Server(ReceiveFile) \
                                Server(SaveFile) Server(SendHash) Client(Compare(Success))";
                    steps.extend(rest.split(' ').map(String::from));
                    listed.push(file);
                    listed.sort_unstable();
                    listed.dedup();
                }
                Do::Download(file) => {
                    steps.push(format!("Client(Download({file:?}))"));
                    let rest = "Server(AskId) Client(SendId) Server(SendFile) Client(ReceiveFile(Success))";
                    steps.extend(rest.split(' ').map(String::from));
                }
                _ if listed.is_empty() => {
                    steps.extend(["Client(ListFiles)", "Server(NoFiles)"].map(String::from));
                }
                _ => steps.extend(["Client(ListFiles)".into(), format!("Server(Files({listed:?}))")]),
            }
        }
        steps.push("Client(Disconnect)".into());
        steps
    }
}

/// As a scenario file.
impl Display for Draft {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "Scenario(\n    about: \"By chance.\",\n    seed: {},", self.seed)?;
        writeln!(f, "    deadline: {},\n    retries: {},", self.deadline, self.retries)?;
        let files: Vec<String> =
            self.files.iter().map(|(name, bytes)| format!("{name:?}: {bytes}")).collect();
        writeln!(f, "    files: {{ {} }},", files.join(", "))?;
        if self.by_steps {
            writeln!(f, "    steps: [\n        {},\n    ],", self.steps().join(",\n        "))?;
        } else {
            let client = |it: &Vec<Do>| it.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
            let clients: Vec<String> = self.clients.iter().map(|it| format!("[{}]", client(it))).collect();
            writeln!(f, "    clients: [\n        {},\n    ],", clients.join(",\n        "))?;
        }
        let faults: String = self.faults.iter().map(|fault| format!("        {fault},\n")).collect();
        writeln!(f, "    faults: [\n{faults}    ],\n)")
    }
}

impl Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Noise(size) => write!(f, "Noise({size})"),
            Self::Text(text) => write!(f, "Text({text:?})"),
            Self::SameAs(name) => write!(f, "SameAs({name:?})"),
        }
    }
}

impl Display for Do {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::List => f.write_str("ListFiles"),
            Self::Upload(file) => write!(f, "Upload({file:?})"),
            Self::UploadAs(file, name) => write!(f, "UploadAs({file:?}, {name:?})"),
            Self::Download(name) => write!(f, "Download({name:?})"),
            Self::DownloadId(text) => write!(f, "DownloadId(\"{}\")", md5_hex(text.as_bytes())),
        }
    }
}

/// The MD5 as it is written, computed here.
pub(super) fn md5_hex(bytes: &[u8]) -> String {
    let mut hex = String::new();
    for byte in Md5::digest(bytes) {
        let _ = write!(hex, "{byte:02x}");
    }
    hex
}
