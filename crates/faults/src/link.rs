//! One connection with faults, for a test that has both of its ends.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::place::strike;
use crate::{
    Chain, Fault, FaultRecord, Faulty, Flow, Injector, Ledger, NoPlace, NoSuchPlace, Strike, Wires,
    overlapping,
};

/// The time since a link was made, by the clock of tokio: one that is paused, or simulated, is followed.
pub type Clock = Box<dyn Fn() -> Duration + Send + Sync>;

/// One connection with faults. Each of its two ends is [wrapped](Self::wrap) on its own; what is read there passes the
/// faults. Clones are the same link.
/// There is an example at the [top](crate).
#[derive(Clone, Debug)]
pub struct FaultyLink {
    wires: Wires,
    ledger: Ledger,
    start: Instant,
}

impl FaultyLink {
    /// A connection with these faults: those of a stream, each at an offset of [`Fault::at`].
    ///
    /// # Errors
    /// Why one of them has no place; with another that changes the same bytes it has none, either.
    pub fn new(faults: impl IntoIterator<Item = Fault>) -> Result<Self, NoPlace> {
        let ledger = Ledger::default();
        let (mut up, mut down) = (Vec::new(), Vec::new());
        let mut placed: Vec<(Fault, Strike)> = Vec::new();
        for fault in faults {
            let strike = strike(&fault, None, 0, placed.len())?;
            placed.push((fault.clone(), strike));
            let chain = if strike.flow == Flow::ToServer { &mut up } else { &mut down };
            chain.push(Injector::new(ledger.enter(fault, Some(strike.offset)), strike.at, strike.distance));
        }
        let (faults, strikes): (Vec<&Fault>, Vec<Strike>) =
            placed.iter().map(|(fault, at)| (fault, *at)).unzip();
        if let Some((earlier, _)) = overlapping(&faults, &strikes) {
            return Err(NoPlace::NoSuchPlace(NoSuchPlace::Overlaps(earlier + 1)));
        }
        let wires = Wires::new(Chain::new(up), Chain::new(down));
        Ok(Self { wires, ledger, start: Instant::now() })
    }

    /// An end of the connection: whoever reads `stream` reads what goes in the direction `flow`. The first such end of
    /// each direction meets the faults; those of later connections are clean, so that a retry can succeed.
    #[must_use]
    pub fn wrap<S>(&self, stream: S, flow: Flow) -> Faulty<S, Clock> {
        let start = self.start;
        let clock: Clock = Box::new(move || start.elapsed());
        self.wires.wrap(stream, flow, None, Arc::new(()), clock).confirming()
    }

    /// What its two ends share.
    #[must_use]
    pub fn wires(&self) -> &Wires {
        &self.wires
    }

    /// What each fault did so far, in the order in which they were given.
    #[must_use]
    pub fn records(&self) -> Vec<FaultRecord> {
        self.ledger.records()
    }

    /// Whether every fault has reached its reader, and those that change bytes have not undone each other. If not, a test
    /// that passed has shown nothing.
    #[must_use]
    pub fn all_reached(&self) -> bool {
        let records = self.records();
        let of =
            |record: &FaultRecord, flow| record.fault.changes_bytes() && record.fault.flow() == Some(flow);
        let undone = |flow| records.iter().any(|record| of(record, flow)) && self.wires.is_as_sent(flow);
        records.iter().all(|record| record.reached) && !undone(Flow::ToServer) && !undone(Flow::ToClient)
    }
}
