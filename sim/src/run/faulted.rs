//! A run with faults: the control run before it, the places of the faults, and the proof that they struck.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use super::course::{Course, Guide};
use super::exchange::FaultedConnection;
use super::{Conditions, Exchange, Inconclusive, Plan, RunOptions, Site, exchange, proof};
use crate::transcript::{Line, Side, check};
use crate::transport::{LATENCY, Transport};
use faults::{
    Chain, Effect, Fault, FaultEntry, FaultRecord, Flow, Injector, Layer, Ledger, NoSuchPlace, PhaseMap,
    PhasePlace, Phases, Region, Strike, Verdict, Wires, overlapping,
};
use transfer::record::{Action, Message};
use transfer::storage::{Arming, DiskFault, FaultyStore};

/// A control run that failed, and why.
pub(super) type Failed = Box<(Exchange, String)>;

/// What a control run has shown.
pub(super) struct Control {
    /// Where everything was.
    pub(super) map: PhaseMap,
    /// Which messages the phases are.
    guide: Guide,
    /// What happened to the first client.
    pub(super) lines: Vec<Line>,
}

/// Runs `plan` without its faults. It has to go by the steps, and every transfer has to arrive; then it shows
/// where everything is.
pub(super) fn control(
    plan: &Plan,
    transport: &mut dyn Transport,
    options: &RunOptions,
) -> io::Result<Result<Control, Failed>> {
    let site = Site::for_plan(plan)?;
    let quiet = RunOptions { progress: None, ..options.clone() };
    let course = Course::default();
    let faulted = Some(FaultedConnection { course: course.clone(), store: site.store() });
    let conditions = Conditions { faulted, ..Conditions::clean(&site) };
    let control = exchange(plan, transport, &site, conditions, &quiet)?;
    Ok(shown(plan, control, &course))
}

/// What the control run has shown that `course` followed, if it succeeded.
pub(super) fn shown(plan: &Plan, mut control: Exchange, course: &Course) -> Result<Control, Failed> {
    let mut deviation = None;
    if !plan.steps().is_empty() {
        deviation = check(plan.steps(), &mut control.conversations[0]);
    }
    let broken = control.judgements.iter().find(|judgement| judgement.verdict != Verdict::Intact);
    let doubt = control.doubt.clone();
    let why = doubt.or(deviation.map(|it| it.to_string())).or(broken.map(ToString::to_string));
    if let Some(why) = why {
        return Err(Box::new((control, why)));
    }
    let lines = control.conversations.swap_remove(0);
    let map = map_of(&lines);
    Ok(Control { guide: course.guide(&map), map, lines })
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

/// Runs `plan` with its faults at these places, or where the same places are in this run.
pub(super) fn run(
    plan: &Plan,
    transport: &mut dyn Transport,
    site: &Site,
    options: &RunOptions,
    control: Control,
    places: &[Strike],
) -> io::Result<(Exchange, Vec<FaultRecord>, Option<Inconclusive>)> {
    let ledger = Ledger::default();
    let (phases, arming) = (Phases::default(), Arming::default());
    let mut chains = Chains::new(plan.seed(), phases.clone());
    for (index, (fault, strike)) in plan.faults().iter().zip(places).enumerate() {
        let entry = ledger.enter(fault.value.clone(), Some(strike.offset));
        if options.inert != Some(fault.value.effect.name()) {
            chains.add(index, entry, &fault.value, *strike);
        }
    }
    let course = Course::guided(control.guide, phases, arming.clone());
    let exchange = exchange(plan, transport, site, chains.build(site, course, &arming), options)?;
    let (records, why) = prove(&exchange, &ledger, &control.map, &control.lines, places);
    Ok((exchange, records, why))
}

/// What each fault did in `exchange`, and what is missing of the proof that all did what they are there for.
pub(super) fn prove(
    exchange: &Exchange,
    ledger: &Ledger,
    map: &PhaseMap,
    control: &[Line],
    places: &[Strike],
) -> (Vec<FaultRecord>, Option<Inconclusive>) {
    let mut records = ledger.records();
    for (record, strike) in records.iter_mut().zip(places) {
        let seen = if strike.flow == Flow::ToServer { exchange.seen.0 } else { exchange.seen.1 };
        if record.fault.effect.layer() == Layer::Stream {
            record.reached = record.reaches_at.is_some_and(|bytes| seen >= bytes);
        }
    }
    let why = proof::missing(&records, places, map, control, &exchange.conversations[0]);
    let why = why.or_else(|| proof::undone(&records, places, exchange.as_sent, &exchange.judgements));
    (records, why)
}

/// The faults of a run, sorted by where they are put.
struct Chains {
    seed: u64,
    phases: Phases,
    to_server: Vec<Injector>,
    to_client: Vec<Injector>,
    disk: Vec<DiskFault>,
    latency: (Duration, Duration),
}

impl Chains {
    fn new(seed: u64, phases: Phases) -> Self {
        let latency = (LATENCY, LATENCY);
        Self { seed, phases, to_server: Vec::new(), to_client: Vec::new(), disk: Vec::new(), latency }
    }

    fn add(&mut self, index: usize, entry: FaultEntry, fault: &Fault, strike: Strike) {
        if let Effect::Latency { min, max } = fault.effect {
            self.latency = (min, max);
            // Every message meets it.
            entry.fired(&[], &[]);
            entry.reached();
            return;
        }
        match fault.effect.layer() {
            Layer::Disk => self.disk.push((entry, strike.offset)),
            Layer::Stream | Layer::Network => {
                let injector = self.injector(index, entry, fault, strike);
                match strike.flow {
                    Flow::ToServer => self.to_server.push(injector),
                    Flow::ToClient => self.to_client.push(injector),
                }
            }
        }
    }

    /// An offset of a whole stream is the same in every run. A phase is looked for in the very run.
    fn injector(&self, index: usize, entry: FaultEntry, fault: &Fault, strike: Strike) -> Injector {
        if matches!(fault.region, Region::ToServer | Region::ToClient) {
            return Injector::new(entry, strike.at, strike.distance);
        }
        let (phases, fault, seed) = (self.phases.clone(), fault.clone(), self.seed);
        Injector::seeking(entry, PhasePlace { phases, fault, flow: strike.flow, seed, index })
    }

    fn build(self, site: &Site, course: Course, arming: &Arming) -> Conditions {
        let (mut store, mut faulted) = (site.store(), site.store());
        if !self.disk.is_empty() {
            let faulty = FaultyStore::new(store, self.disk);
            (store, faulted) = (Arc::new(faulty.unarmed()), Arc::new(faulty.armed_by(arming.clone())));
        }
        let wires = Wires::new(Chain::new(self.to_server), Chain::new(self.to_client));
        let faulted = Some(FaultedConnection { course, store: faulted });
        Conditions { store, wires, latency: self.latency, faulted }
    }
}
