//! What a client did, as the server saw it that it met.

use crate::Finding;

/// What the client did.
#[derive(Default)]
pub(super) struct Observations {
    pub(super) connected: bool,
    /// The first words of its commands.
    pub(super) commands: Vec<&'static str>,
    /// Which exchange it is at, or was at last.
    pub(super) part: Part,
    /// Whether the case's act came about.
    pub(super) struck: bool,
    /// Uploads that came whole, and the hash that each was given.
    pub(super) uploads: Vec<String>,
    /// The ids that it asked for.
    pub(super) downloads: Vec<String>,
    /// What the last of these files holds.
    pub(super) wanted: Vec<u8>,
    /// The ids that it withdrew.
    pub(super) discards: Vec<String>,
    /// Whether it left a server that said nothing.
    pub(super) gave_up: bool,
    pub(super) warning: Option<Finding>,
    /// Of which kind what went wrong is, if something does.
    pub(super) kind: Kind,
    /// What went wrong, and ended it all.
    pub(super) trouble: Option<Trouble>,
}

/// An exchange, with all that comes before the next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Part {
    /// Up to the first command.
    #[default]
    Start,
    List,
    /// The withdrawal of an upload belongs to it.
    Upload,
    Download,
}

/// In which way something went wrong.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Kind {
    /// The client said something before it was its turn.
    Early,
    /// It said nothing more where it had to go on or to close.
    Silent,
    #[default]
    Other,
}

/// Something that went wrong.
#[derive(Clone, Debug)]
pub(super) struct Trouble {
    pub(super) part: Part,
    pub(super) kind: Kind,
    pub(super) finding: Finding,
}

impl Observations {
    /// Whether the client came to such an exchange.
    pub(super) fn came_to(&self, part: Part) -> bool {
        let command = match part {
            Part::Start => return true,
            Part::List => "LIST_FILES",
            Part::Upload => "UPLOAD",
            Part::Download => "DOWNLOAD",
        };
        self.commands.contains(&command)
    }

    /// Whether it went on after an upload as one does that found the hashes equal.
    pub(super) fn went_on(&self) -> bool {
        let behind = self.commands.iter().rposition(|command| *command == "UPLOAD");
        self.discards.is_empty() && behind.is_some_and(|at| at + 1 < self.commands.len())
    }
}
