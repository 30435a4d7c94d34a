//! Where faults strike in a proxy: on which connection, in which direction, at which offset. A live stream has no
//! phases, and its length is known only from a recording.

use crate::place::strike;
use crate::{At, Fault, Flow, Lengths, NoPlace, NoSuchPlace, Region, Strike, overlapping};

/// Which of the accepted connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Connections {
    /// The one with this number, from 1, over all listeners.
    Nth(u64),
    /// Each.
    All,
}

impl Connections {
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
pub struct PlacedFault {
    /// On which connection. Each that is meant meets the fault once.
    pub connection: Connections,
    /// What goes wrong.
    pub fault: Fault,
    /// At which offset, of which direction. It counts in what the sender sends, whatever other faults do to that.
    pub strike: Strike,
}

/// Places `faults` on the connections with which they come. `lengths` is how long a connection's streams are, if
/// that is known: without it only [`At::Offset`] is a place. `seed` decides what is left to chance.
///
/// # Errors
/// The number, from 0, of the first fault that has no place, and why.
pub fn place(
    faults: &[(Connections, Fault)],
    lengths: Option<Lengths>,
    seed: u64,
) -> Result<Vec<PlacedFault>, (usize, NoPlace)> {
    let mut placed: Vec<PlacedFault> = Vec::new();
    for (index, (connection, fault)) in faults.iter().enumerate() {
        let strike = strike(fault, lengths, seed, index).map_err(|why| (index, why))?;
        let this = PlacedFault { connection: *connection, fault: fault.clone(), strike };
        if let Some(other) = placed.iter().position(|other| clashes(other, &this)) {
            return Err((index, NoPlace::NoSuchPlace(NoSuchPlace::Overlaps(other + 1))));
        }
        placed.push(this);
    }
    Ok(placed)
}

/// The numbers, from 0, of the first two faults that meet in the same bytes: the earlier, then the later.
pub fn clash(placed: &[PlacedFault]) -> Option<(usize, usize)> {
    (0..placed.len()).find_map(|later| {
        let clashes = |earlier: &usize| clashes(&placed[*earlier], &placed[later]);
        (0..later).find(clashes).map(|earlier| (earlier, later))
    })
}

fn clashes(one: &PlacedFault, other: &PlacedFault) -> bool {
    one.connection.meets(other.connection)
        && overlapping(&[&one.fault, &other.fault], &[one.strike, other.strike]).is_some()
}

impl PlacedFault {
    /// The fault `fault` at `offset` of a direction, whatever its own region and place say. `None` if it is not
    /// one of a stream.
    #[must_use]
    pub fn new(connection: Connections, flow: Flow, offset: u64, fault: Fault) -> Option<Self> {
        let region = if flow == Flow::ToServer { Region::ToServer } else { Region::ToClient };
        let fault = Fault { region, at: At::Offset(offset), ..fault };
        let strike = strike(&fault, None, 0, 0).ok()?;
        Some(Self { connection, fault, strike })
    }
}
