//! The names of the transports a scenario can ask for. The transports
//! themselves are elsewhere.

use std::fmt;
use std::str::FromStr;

use serde::Deserialize;

use notation::suggest;

/// What carries the bytes between the two sides.
///
/// In a scenario file it is written `Memory`, `Turmoil` or `Tcp`; on the
/// command line and in reports in lower case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
#[serde(rename = "transport")]
pub enum TransportKind {
    /// Both sides in lockstep, without a runtime, in virtual time.
    Memory,
    /// A simulated network, in virtual time.
    #[default]
    Turmoil,
    /// Real sockets on loopback, in real time.
    Tcp,
}

impl TransportKind {
    /// Every transport.
    pub const ALL: [Self; 3] = [Self::Memory, Self::Turmoil, Self::Tcp];

    const fn name(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Turmoil => "turmoil",
            Self::Tcp => "tcp",
        }
    }
}

impl fmt::Display for TransportKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A word that names no transport.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownTransport(String);

impl fmt::Display for UnknownTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&suggest::unknown("transport", &self.0, TransportKind::ALL.map(TransportKind::name)))
    }
}

impl std::error::Error for UnknownTransport {}

impl FromStr for TransportKind {
    type Err = UnknownTransport;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.into_iter().find(|kind| kind.name() == text);
        found.ok_or_else(|| UnknownTransport(text.to_owned()))
    }
}
