//! Tells of the faults of one direction: when each fired, and when what it did was handed to the reader.

use std::sync::Arc;

use super::EventKind;
use super::hub::{Hub, Records};
use crate::Effect;
use crate::{FaultEntry, FaultRecord, Flow};

/// The faults of one direction of one connection of which not everything is told yet.
pub(super) struct Watch {
    hub: Arc<Hub>,
    connection: u64,
    flow: Flow,
    /// The number of each in the proxy, its record, and whether it was told that it fired.
    open: Vec<(usize, FaultEntry, bool)>,
    stalled: bool,
}

impl Watch {
    /// `None` if this direction has no fault: then there is nothing to look at.
    pub(super) fn new(hub: &Arc<Hub>, connection: u64, flow: Flow, records: &Records) -> Option<Self> {
        let of_flow = records.iter().filter(|(_, of, _)| *of == flow);
        let open: Vec<_> = of_flow.map(|(number, _, entry)| (*number, entry.clone(), false)).collect();
        let hub = Arc::clone(hub);
        (!open.is_empty()).then_some(Self { hub, connection, flow, open, stalled: false })
    }

    /// Whether nothing passes any more.
    pub(super) fn is_stalled(&self) -> bool {
        self.stalled
    }

    /// Whether there is nothing left to tell.
    pub(super) fn is_done(&self) -> bool {
        self.open.is_empty() && !self.stalled
    }

    /// Tells what is new. `delivered` is how many bytes the reader took, `ended` whether it was told of the end:
    /// a fault that ends the stream is handed over only with that.
    pub(super) fn look(&mut self, delivered: u64, ended: bool) {
        let mut open = Vec::new();
        for (number, entry, mut told) in std::mem::take(&mut self.open) {
            let record = entry.record();
            if record.fired && !told {
                told = true;
                self.stalled |= record.fault.effect == Effect::Stall;
                self.tell_fired(number, &record);
            }
            let ends = record.fault.effect.ends_stream();
            if record.reaches_at.is_some_and(|bytes| delivered >= bytes) && (ended || !ends) {
                let what = EventKind::Delivered { number, flow: self.flow, bytes: delivered };
                self.hub.tell(self.connection, what);
            } else {
                open.push((number, entry, told));
            }
        }
        self.open = open;
    }

    fn tell_fired(&self, number: usize, record: &FaultRecord) {
        let FaultRecord { fault, offset, old, new, .. } = record.clone();
        let (flow, offset) = (self.flow, offset.unwrap_or_default());
        self.hub.tell(self.connection, EventKind::Fired { number, fault, flow, offset, old, new });
    }
}
