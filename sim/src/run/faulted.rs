//! A run with faults: the control run before it, the places of the faults, and the proof that they struck.

use std::io;
use std::sync::Arc;

use super::{Conditions, Exchange, Inconclusive, Options, Plan, Site, exchange};
use crate::fault::{
    Chain, DiskFault, FaultRecord, FaultyStore, Flow, Injector, Ledger, NoSuchPlace, PhaseMap, Strike, Wires,
    overlapping,
};
use crate::record::{Action, Message};
use crate::scenario::{Effect, Fault, Layer, Verdict};
use crate::transcript::{Line, Side, check};
use crate::transport::{LATENCY, Transport};

/// A control run that failed, and why.
pub(super) type Failed = (Exchange, String);

/// Runs `plan` without its faults. It has to go by the steps, and every transfer has to arrive; then it shows
/// where everything is.
pub(super) fn control(
    plan: &Plan,
    transport: &mut dyn Transport,
    options: &Options,
) -> io::Result<Result<PhaseMap, Failed>> {
    let site = Site::for_plan(plan)?;
    let quiet = Options { progress: None, ..options.clone() };
    let mut control = exchange(plan, transport, &site, Conditions::clean(&site), &quiet)?;
    let mut deviation = None;
    if !plan.steps().is_empty() {
        deviation = check(plan.steps(), &mut control.conversations[0]);
    }
    let broken = control.judgements.iter().find(|judgement| judgement.verdict != Verdict::Intact);
    let doubt = control.doubt.clone();
    let why = doubt.or(deviation.map(|it| it.to_string())).or(broken.map(ToString::to_string));
    Ok(match why {
        Some(why) => Err((control, why)),
        None => Ok(map_of(&control.conversations[0])),
    })
}

/// Where each phase of the first client's conversation was in the streams.
fn map_of(lines: &[Line]) -> PhaseMap {
    let mut map = PhaseMap::default();
    for line in lines {
        let (Action::Sent(message), Some(range)) = (&line.action, line.stream.clone()) else { continue };
        let (flow, total, payload) = match line.side {
            Side::Client => (Flow::ToServer, &mut map.to_server, &mut map.upload),
            Side::Server => (Flow::ToClient, &mut map.to_client, &mut map.download),
        };
        *total = range.end;
        if matches!(message, Message::Payload { .. }) {
            payload.get_or_insert(range.clone());
        }
        if let Some(step) = line.step {
            // A step with two messages, as the size and the bytes of a download, is both.
            map.steps.entry(step).and_modify(|(_, whole)| whole.end = range.end).or_insert((flow, range));
        }
    }
    map
}

/// Where each fault strikes; or the number, from 0, of one that has no place, or that shares its place with
/// another: each of two that undo each other would reach the reader, and the run would prove nothing.
pub(super) fn places(plan: &Plan, map: &PhaseMap) -> Result<Vec<Strike>, (usize, NoSuchPlace)> {
    let place = |(index, fault): (usize, _)| map.place(fault, plan.seed(), index).map_err(|why| (index, why));
    let faults: Vec<&Fault> = plan.faults().iter().map(|fault| &fault.value).collect();
    let strikes = faults.iter().copied().enumerate().map(place).collect::<Result<Vec<_>, _>>()?;
    match overlapping(&faults, &strikes) {
        Some((earlier, later)) => Err((later, NoSuchPlace::Overlaps(earlier + 1))),
        None => Ok(strikes),
    }
}

/// Runs `plan` with its faults at these places.
pub(super) fn run(
    plan: &Plan,
    transport: &mut dyn Transport,
    site: &Site,
    options: &Options,
    places: &[Strike],
) -> io::Result<(Exchange, Vec<FaultRecord>)> {
    let located =
        plan.faults().iter().zip(places).map(|(fault, strike)| (fault.value.clone(), Some(strike.offset)));
    let ledger = Ledger::new(located);
    let mut chains = Chains::default();
    for (index, (fault, strike)) in plan.faults().iter().zip(places).enumerate() {
        if options.inert != Some(fault.value.effect.name()) {
            chains.add(index, &fault.value.effect, *strike, &ledger);
        }
    }
    let latency = chains.latency;
    let (store, wires) = chains.build(site, &ledger);
    let exchange = exchange(plan, transport, site, Conditions { store, wires, latency }, options)?;
    let mut records = ledger.records();
    for (record, strike) in records.iter_mut().zip(places) {
        let seen = if strike.flow == Flow::ToServer { exchange.seen.0 } else { exchange.seen.1 };
        if record.fault.effect.layer() == Layer::Stream {
            record.reached = record.reaches_at.is_some_and(|bytes| seen >= bytes);
        }
    }
    Ok((exchange, records))
}

/// The faults of a run, sorted by where they are put.
struct Chains {
    to_server: Vec<Injector>,
    to_client: Vec<Injector>,
    disk: Vec<DiskFault>,
    latency: (std::time::Duration, std::time::Duration),
}

impl Default for Chains {
    fn default() -> Self {
        Self { to_server: Vec::new(), to_client: Vec::new(), disk: Vec::new(), latency: (LATENCY, LATENCY) }
    }
}

impl Chains {
    fn add(&mut self, index: usize, effect: &Effect, strike: Strike, ledger: &Ledger) {
        match (effect.layer(), effect) {
            (Layer::Disk, _) => self.disk.push((index, effect.clone(), strike.offset)),
            (_, Effect::Latency { min, max }) => {
                self.latency = (*min, *max);
                // Every message meets it.
                ledger.fired(index, &[], &[]);
                ledger.reached(index);
            }
            _ => {
                let injector = Injector::new(index, effect.clone(), strike.at, strike.distance);
                match strike.flow {
                    Flow::ToServer => self.to_server.push(injector),
                    Flow::ToClient => self.to_client.push(injector),
                }
            }
        }
    }

    fn build(self, site: &Site, ledger: &Ledger) -> (Arc<dyn crate::storage::Store>, Wires) {
        let mut store = site.store();
        if !self.disk.is_empty() {
            store = Arc::new(FaultyStore::new(store, self.disk, ledger.clone()));
        }
        (store, Wires::new(Chain::new(self.to_server), Chain::new(self.to_client), ledger.clone()))
    }
}

/// The first fault that did not do what it is there for.
pub(super) fn unproved(records: &[FaultRecord]) -> Option<Inconclusive> {
    records.iter().zip(1..).find_map(|(record, number)| match record {
        FaultRecord { fired: false, .. } => Some(Inconclusive::NotFired(number)),
        FaultRecord { reached: false, .. } => Some(Inconclusive::NotReached(number)),
        _ => None,
    })
}
