//! Known mistakes of real programs, built into our own on purpose: a harness that does not convict these could
//! not be trusted with others. Each is a small variation of client or server; without one, both are correct.
//!
//! Only the feature `flaws` gives a way to make one: without it, every program is correct.

#[cfg(feature = "flaws")]
use std::{fmt, str::FromStr};

/// One mistake.
#[cfg_attr(not(feature = "flaws"), expect(dead_code, unreachable_pub, reason = "nobody can make them"))]
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Flaw {
    /// Both sides hash nothing at all.
    HashOfNothing,
    /// Both sides make a new hash object for each chunk.
    HashPerChunk,
    /// Both sides leave out the last, incomplete chunk.
    LastChunkNotHashed,
    /// Both sides compare only how long the file is.
    LengthOnly,
    /// The client compares only the first characters of the hashes.
    PrefixCompared,
    /// The client compares the hash that the server sent with itself.
    HashWithItself,
    /// The client says success whatever happens.
    AlwaysSuccess,
    /// The client says success when nothing comes any more.
    SuccessOnTimeout,
    /// The client does not discard an upload whose comparison failed.
    NotDiscarded,
    /// The client gives a download its name before it is compared.
    NamedBeforeCompared,
    /// The server hashes what it received and never looks at what was written.
    HashBeforeWrite,
    /// The server lists a file before it is complete.
    StoredIncomplete,
    /// The client takes the first of several files that can be meant.
    TakesFirst,
}

/// How a program goes about its work: correctly, or with a mistake.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Conduct {
    flaw: Option<Flaw>,
}

impl Conduct {
    /// Whether it makes this mistake.
    pub(crate) fn has(self, flaw: Flaw) -> bool {
        self.flaw() == Some(flaw)
    }

    /// The mistake that it makes. Without the feature it is known to the compiler that there is none.
    pub(crate) const fn flaw(self) -> Option<Flaw> {
        if cfg!(feature = "flaws") { self.flaw } else { None }
    }
}

#[cfg(feature = "flaws")]
impl From<Option<Flaw>> for Conduct {
    fn from(flaw: Option<Flaw>) -> Self {
        Self { flaw }
    }
}

/// How many bytes a careless program hashes at a time.
pub(super) const CARELESS_CHUNK: usize = 1024;
/// How many hex digits a careless program compares.
pub(super) const CARELESS_PREFIX: usize = 4;

#[cfg(feature = "flaws")]
impl Flaw {
    /// Every mistake.
    pub const ALL: [Self; 13] = [
        Self::HashOfNothing,
        Self::HashPerChunk,
        Self::LastChunkNotHashed,
        Self::LengthOnly,
        Self::PrefixCompared,
        Self::HashWithItself,
        Self::AlwaysSuccess,
        Self::SuccessOnTimeout,
        Self::NotDiscarded,
        Self::NamedBeforeCompared,
        Self::HashBeforeWrite,
        Self::StoredIncomplete,
        Self::TakesFirst,
    ];

    /// What the program does wrong, in a few words.
    #[must_use]
    pub fn describe(self) -> &'static str {
        match self {
            Self::HashOfNothing => "hashes nothing at all",
            Self::HashPerChunk => "makes a new hash object for each chunk",
            Self::LastChunkNotHashed => "does not hash the last chunk",
            Self::LengthOnly => "compares only the length",
            Self::PrefixCompared => "compares only the first characters of the hash",
            Self::HashWithItself => "compares the server's hash with itself",
            Self::AlwaysSuccess => "always says success",
            Self::SuccessOnTimeout => "says success when nothing comes",
            Self::NotDiscarded => "does not discard a failed upload",
            Self::NamedBeforeCompared => "names a download before it is compared",
            Self::HashBeforeWrite => "hashes before it writes and never looks again",
            Self::StoredIncomplete => "lists a file before it is complete",
            Self::TakesFirst => "takes the first of several files that can be meant",
        }
    }

    /// Its name, as the command line has it.
    const fn name(self) -> &'static str {
        match self {
            Self::HashOfNothing => "HashOfNothing",
            Self::HashPerChunk => "HashPerChunk",
            Self::LastChunkNotHashed => "LastChunkNotHashed",
            Self::LengthOnly => "LengthOnly",
            Self::PrefixCompared => "PrefixCompared",
            Self::HashWithItself => "HashWithItself",
            Self::AlwaysSuccess => "AlwaysSuccess",
            Self::SuccessOnTimeout => "SuccessOnTimeout",
            Self::NotDiscarded => "NotDiscarded",
            Self::NamedBeforeCompared => "NamedBeforeCompared",
            Self::HashBeforeWrite => "HashBeforeWrite",
            Self::StoredIncomplete => "StoredIncomplete",
            Self::TakesFirst => "TakesFirst",
        }
    }
}

#[cfg(feature = "flaws")]
impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A word that names no mistake.
#[cfg(feature = "flaws")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownFlaw;

#[cfg(feature = "flaws")]
impl fmt::Display for UnknownFlaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the mutants are {}", Flaw::ALL.map(Flaw::name).join(", "))
    }
}

#[cfg(feature = "flaws")]
impl std::error::Error for UnknownFlaw {}

#[cfg(feature = "flaws")]
impl FromStr for Flaw {
    type Err = UnknownFlaw;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|flaw| flaw.name().eq_ignore_ascii_case(text)).ok_or(UnknownFlaw)
    }
}
