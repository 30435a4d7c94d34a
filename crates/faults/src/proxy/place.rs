//! Where faults strike in a proxy: on which connection, in which direction, at which offset. A live stream has no
//! phases, and its length is known only from a recording.

use std::fmt;

use crate::{At, Fault, Layer, Region};
use crate::{Flow, NoSuchPlace, PhaseMap, Strike, overlapping};

/// Which of the accepted connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// The one with this number, from 1, over all listeners.
    Nth(u64),
    /// Each.
    All,
}

impl Which {
    /// Whether the connection with this number is meant.
    #[must_use]
    pub fn is(self, connection: u64) -> bool {
        match self {
            Self::Nth(number) => number == connection,
            Self::All => true,
        }
    }

    const fn meets(self, other: Self) -> bool {
        match (self, other) {
            (Self::Nth(one), Self::Nth(other)) => one == other,
            _ => true,
        }
    }
}

/// A fault, and where it strikes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placed {
    /// On which connection. Each that is meant meets the fault once.
    pub connection: Which,
    /// What goes wrong.
    pub fault: Fault,
    /// At which offset, of which direction. It counts in what the sender sends, whatever other faults do to that.
    pub strike: Strike,
}

/// How many bytes a connection carries, as a recording had it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lengths {
    /// How many the client sends.
    pub to_server: u64,
    /// How many the server sends.
    pub to_client: u64,
}

/// Why a fault has no place in a proxy.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NoPlace {
    /// It is not done to a stream.
    NotOfStream(Layer),
    /// A stream has no such part.
    NoPhase(Region),
    /// Its place depends on the length of the stream, which is not known.
    NoLength(At),
    /// The recorded stream has no such place, or another fault has it.
    NoSuchPlace(NoSuchPlace),
}

impl fmt::Display for NoPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotOfStream(Layer::Disk) => {
                f.write_str("this fault is one of the server's disk, which a proxy does not reach")
            }
            Self::NotOfStream(_) => {
                f.write_str("this fault is one of a simulated network; a proxy has only those of a stream")
            }
            Self::NoPhase(region) => {
                write!(f, "a proxy does not know where `{region}` is: that takes a scenario or an audit")
            }
            Self::NoLength(at) => {
                write!(f, "a proxy does not know how long a stream will be, so `{at}` is no place in it")
            }
            Self::NoSuchPlace(why) => why.fmt(f),
        }
    }
}

impl NoPlace {
    /// What to write instead, where that can be said.
    #[must_use]
    pub fn suggestion(&self) -> Option<&'static str> {
        match self {
            Self::NotOfStream(_) => Some("`Delay`, `Throttle`, `Stall` and `Reset` do the like to a stream"),
            Self::NoPhase(_) => Some("here `in` is ToServer or ToClient"),
            Self::NoLength(_) => Some("here `at` is an offset in bytes"),
            Self::NoSuchPlace(_) => None,
        }
    }
}

/// Places `faults` on the connections with which they come. `lengths` is how long a connection's streams are, if
/// that is known: without it only [`At::Offset`] is a place. `seed` decides what is left to chance.
///
/// # Errors
/// The number, from 0, of the first fault that has no place, and why.
pub fn place(
    faults: &[(Which, Fault)],
    lengths: Option<Lengths>,
    seed: u64,
) -> Result<Vec<Placed>, (usize, NoPlace)> {
    let mut placed: Vec<Placed> = Vec::new();
    for (index, (connection, fault)) in faults.iter().enumerate() {
        let strike = strike(fault, lengths, seed, index).map_err(|why| (index, why))?;
        let this = Placed { connection: *connection, fault: fault.clone(), strike };
        if let Some(other) = placed.iter().position(|other| clashes(other, &this)) {
            return Err((index, NoPlace::NoSuchPlace(NoSuchPlace::Overlaps(other + 1))));
        }
        placed.push(this);
    }
    Ok(placed)
}

fn strike(fault: &Fault, lengths: Option<Lengths>, seed: u64, index: usize) -> Result<Strike, NoPlace> {
    if fault.effect.layer() != Layer::Stream {
        return Err(NoPlace::NotOfStream(fault.effect.layer()));
    }
    if !matches!(fault.region, Region::ToServer | Region::ToClient) {
        return Err(NoPlace::NoPhase(fault.region));
    }
    if lengths.is_none() && !matches!(fault.at, At::Offset(_)) {
        return Err(NoPlace::NoLength(fault.at));
    }
    let Lengths { to_server, to_client } =
        lengths.unwrap_or(Lengths { to_server: u64::MAX, to_client: u64::MAX });
    let map = PhaseMap { to_server, to_client, ..PhaseMap::default() };
    map.place(fault, seed, index).map_err(NoPlace::NoSuchPlace)
}

/// The numbers, from 0, of the first two faults that meet in the same bytes: the earlier, then the later.
pub fn clash(placed: &[Placed]) -> Option<(usize, usize)> {
    (0..placed.len()).find_map(|later| {
        let clashes = |earlier: &usize| clashes(&placed[*earlier], &placed[later]);
        (0..later).find(clashes).map(|earlier| (earlier, later))
    })
}

fn clashes(one: &Placed, other: &Placed) -> bool {
    one.connection.meets(other.connection)
        && overlapping(&[&one.fault, &other.fault], &[one.strike, other.strike]).is_some()
}

impl Placed {
    /// The fault `fault` at `offset` of a direction, whatever its own region and place say. `None` if it is not
    /// one of a stream.
    #[must_use]
    pub fn new(connection: Which, flow: Flow, offset: u64, fault: Fault) -> Option<Self> {
        let region = if flow == Flow::ToServer { Region::ToServer } else { Region::ToClient };
        let fault = Fault { region, at: At::Offset(offset), ..fault };
        let strike = strike(&fault, None, 0, 0).ok()?;
        Some(Self { connection, fault, strike })
    }
}
