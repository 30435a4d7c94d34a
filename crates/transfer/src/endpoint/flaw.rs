//! Known mistakes of real programs, built into our own on purpose: a harness that does not convict these could
//! not be trusted with others. Each is a small variation of client or server; without one, both are correct.
//!
//! Only the feature `flaws` gives a way to make one: without it, every program is correct.

#[cfg(feature = "flaws")]
use std::{fmt, str::FromStr};

/// Makes the enum of the mistakes from a table: of each its name, and what the program does wrong, in a few words.
macro_rules! flaws {
    ($($(#[$doc:meta])+ $name:ident: $words:literal,)+) => {
        /// One mistake.
        #[cfg_attr(not(feature = "flaws"), expect(dead_code, unreachable_pub, reason = "nobody can make them"))]
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Flaw {
            $($(#[$doc])+ $name,)+
        }

        #[cfg(feature = "flaws")]
        impl Flaw {
            /// Every mistake.
            pub const ALL: [Self; [$(stringify!($name)),+].len()] = [$(Self::$name),+];

            /// What the program does wrong, in a few words.
            #[must_use]
            pub fn describe(self) -> &'static str {
                match self {
                    $(Self::$name => $words,)+
                }
            }

            /// Its name, as the command line has it.
            const fn name(self) -> &'static str {
                match self {
                    $(Self::$name => stringify!($name),)+
                }
            }
        }
    };
}

flaws! {
    /// Both sides hash nothing at all.
    HashOfNothing: "hashes nothing at all",
    /// Both sides hash the name of the file.
    HashOfName: "hashes the name of the file, not its bytes",
    /// Both sides tell the hash of the file before this one: for the first of a session, that of nothing.
    HashOfLastFile: "tells the hash of the file before this one",
    /// Both sides make a new hash object for each chunk.
    HashPerChunk: "makes a new hash object for each chunk",
    /// Both sides leave out the last, incomplete chunk.
    LastChunkNotHashed: "does not hash the last chunk",
    /// Both sides hash the first MiB only.
    FirstMibHashed: "hashes only the first MiB",
    /// Both sides hash every other block only.
    EveryOtherBlockHashed: "hashes only every other block",
    /// Both sides hash the file as text: what is not UTF-8 becomes the replacement character.
    HashOfText: "hashes the file as text, in which all that is not UTF-8 is the same",
    /// Both sides compare only how long the file is.
    LengthOnly: "compares only the length",
    /// Both sides add the bytes up.
    SumOfBytes: "takes the sum of the bytes for a digest",
    /// Both sides combine the bytes by exclusive or.
    XorOfBytes: "takes the exclusive or of the bytes for a digest",
    /// Both sides compute Fletcher-16.
    Fletcher16: "takes Fletcher-16 for a digest",
    /// Both sides compute Adler-32.
    Adler32: "takes Adler-32 for a digest",
    /// Both sides compute CRC-16.
    Crc16: "takes CRC-16 for a digest",
    /// Both sides compute CRC-32.
    Crc32: "takes CRC-32 for a digest",
    /// The client compares only the first characters of the hashes.
    PrefixCompared: "compares only the first characters of the hash",
    /// The client compares only the last characters of the hashes.
    SuffixCompared: "compares only the last characters of the hash",
    /// The client compares which digits the hashes have, in any order.
    SortedDigitsCompared: "compares the digits of the hash in any order",
    /// The client compares without case, and only as far as the shorter hash goes.
    LooselyCompared: "compares without case and as far as the shorter hash goes: an empty one passes",
    /// The client compares the hash that the server sent with itself.
    HashWithItself: "compares the server's hash with itself",
    /// The client holds what the server says against what it said before: the hash of an upload against
    /// itself, the size of a download against the listing.
    PeerBelieved: "holds what the server says against its own words: a hash against itself, a size against the listing",
    /// The client hashes the file that stands under the name of a download already, if one does.
    LeftoverHashed: "hashes the file that stands under the name already, not the one that came",
    /// The client compares only the first file of a session.
    OnlyFirstCompared: "compares only the first file of a session",
    /// The client sees the difference, drops the file, and says success.
    DifferenceIgnored: "sees the difference, drops the file and says success",
    /// The client sees the difference, keeps the file, and says success.
    WarningOnly: "only warns of a difference: it keeps the file and says success",
    /// The client says success whatever happens.
    AlwaysSuccess: "always says success",
    /// The client says success when nothing comes any more.
    SuccessOnTimeout: "says success when nothing comes",
    /// The client says success when the server leaves without a hash, or what it sends is none.
    MissingDigestPasses: "says success when there is no hash to compare with",
    /// The client takes the end of the stream for the end of a download.
    EarlyEndAccepted: "takes the end of the stream for the end of the file",
    /// The client does not discard an upload whose comparison failed.
    NotDiscarded: "does not discard a failed upload",
    /// The client gives a download its name before it is compared.
    NamedBeforeCompared: "names a download before it is compared",
    /// The server hashes what it received and never looks at what was written.
    HashBeforeWrite: "hashes before it writes and never looks again",
    /// The server lists a file before it is complete.
    StoredIncomplete: "lists a file before it is complete",
    /// The client takes the first of several files that can be meant.
    TakesFirst: "takes the first of several files that can be meant",
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

/// How many hex digits a careless program compares.
pub(super) const CARELESS_DIGITS: usize = 4;

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
