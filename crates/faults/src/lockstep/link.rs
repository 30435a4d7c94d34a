//! What is on its way in one direction, and the faults that it passes.

use std::time::Duration;

use crate::{Buffer, End, Gate, Machine, Next};

/// One direction of a connection.
pub(super) struct Link {
    outbox: Buffer,
    inbox: Buffer,
    gate: Option<Gate>,
    /// Whether the sender put anything out, the last time it was asked.
    pub(super) sent: bool,
    /// How much of what it has put out has come to the other end.
    arrived: usize,
    /// How many bytes of the stream are past the point where faults strike.
    pub(super) carried: usize,
    /// When the gate lets more through.
    pub(super) wake: Option<Duration>,
    /// Whether the gate knows that the sender has ended.
    finished: bool,
    /// Whether the receiver knows that nothing more will come.
    pub(super) ended: bool,
}

impl Link {
    /// A direction of which nothing was sent yet.
    pub(super) fn new(outbox: Buffer, inbox: Buffer, gate: Option<Gate>) -> Self {
        let (sent, arrived, carried, wake, finished, ended) = (false, 0, 0, None, false, false);
        Self { outbox, inbox, gate, sent, arrived, carried, wake, finished, ended }
    }

    /// The same as it is now, in these buffers, with this gate from here on.
    pub(super) fn fork(&self, (mut outbox, mut inbox): (Buffer, Buffer), gate: Option<Gate>) -> Self {
        outbox.copy_from(&self.outbox);
        inbox.copy_from(&self.inbox);
        Self { outbox, inbox, gate, ..*self }
    }

    /// Takes from the sender what it has. Says whether that was anything.
    pub(super) fn send(&mut self, now: Duration, sender: &mut (dyn Machine + '_)) -> bool {
        let before = self.outbox.filled().len();
        sender.poll_transmit(now, &mut self.outbox);
        if self.ended {
            self.outbox.consume(self.outbox.filled().len());
        }
        self.sent = self.outbox.filled().len() > before;
        self.arrived = before.min(self.outbox.filled().len());
        self.sent
    }

    /// The sender is gone: what it has put out before goes on without it.
    pub(super) fn send_nothing(&mut self) -> bool {
        self.sent = false;
        self.arrived = self.outbox.filled().len();
        false
    }

    /// Looks at what stands next, after what has been delivered at this time.
    /// Says whether the gate took anything in: then the sender has space for more.
    pub(super) fn begin_wait(&mut self, now: Duration) -> bool {
        self.wake = None;
        let Some(gate) = self.gate.as_mut().filter(|gate| gate.clear() == 0) else { return false };
        let mut next = gate.next(now, &mut []);
        let feeds = next == Next::Hungry && self.arrived > 0;
        if feeds {
            gate.push(&self.outbox.filled()[..self.arrived]);
            self.outbox.consume(self.arrived);
            next = gate.next(now, &mut []);
        }
        if let Next::Wait(until) = next {
            self.wake = Some(until);
        }
        feeds
    }

    /// Hands to the receiver what it takes. Says whether anything moved, and whether the connection is to end.
    pub(super) fn deliver(
        &mut self,
        now: Duration,
        sender_closed: bool,
        mut receiver: Option<&mut (dyn Machine + '_)>,
        receiver_talks: bool,
    ) -> (bool, Option<End>) {
        if receiver.as_deref().is_none_or(Machine::is_closed) {
            // Nobody reads any more whom a fault could strike.
            (self.gate, self.wake) = (None, None);
        }
        let (carried, end) = self.carry(now, sender_closed);
        let used = self.offer(now, receiver.as_deref_mut());
        match end {
            Continuation::Both(end) => (true, Some(end)),
            Continuation::End if used == 0 && !self.ended && !receiver_talks => {
                self.ended = true;
                if let Some(receiver) = receiver {
                    receiver.handle_end(now, End::Finished);
                }
                (true, None)
            }
            Continuation::On | Continuation::End => (carried || used > 0, None),
        }
    }

    /// Offers to the receiver what has arrived. Says how much it took.
    fn offer(&mut self, now: Duration, receiver: Option<&mut (dyn Machine + '_)>) -> usize {
        let Some(receiver) = receiver.filter(|receiver| !receiver.is_closed()) else {
            self.inbox.consume(self.inbox.filled().len());
            return 0;
        };
        if self.inbox.is_empty() {
            return 0;
        }
        let used = receiver.handle_input(now, self.inbox.filled());
        self.inbox.consume(used);
        if let Some(gate) = &mut self.gate {
            // It was shown all that was there.
            gate.confirm();
        }
        used
    }

    /// Moves bytes from the sender's end to the receiver's, without copying them if it can.
    fn carry(&mut self, now: Duration, sender_closed: bool) -> (bool, Continuation) {
        let clear = self.gate.as_ref().map_or(usize::MAX, Gate::clear);
        let count = clear.min(self.outbox.filled().len());
        if count > 0 {
            return (self.carry_past(count), Continuation::On);
        }
        let over = if sender_closed && self.outbox.is_empty() { Continuation::End } else { Continuation::On };
        match &self.gate {
            // No fault, or none that is still to come.
            None => (false, over),
            Some(_) if clear == usize::MAX => (false, over),
            Some(_) => self.carry_through(now, sender_closed),
        }
    }

    /// No fault is near.
    fn carry_past(&mut self, count: usize) -> bool {
        let moved = if self.inbox.is_empty() && count == self.outbox.filled().len() {
            std::mem::swap(&mut self.inbox, &mut self.outbox);
            count
        } else {
            let taken = self.inbox.push(&self.outbox.filled()[..count]);
            self.outbox.consume(taken);
            taken
        };
        self.carried += moved;
        if let Some(gate) = &mut self.gate {
            gate.pass(moved);
        }
        moved > 0
    }

    /// A fault is near: everything goes through the gate.
    fn carry_through(&mut self, now: Duration, sender_closed: bool) -> (bool, Continuation) {
        let Some(gate) = &mut self.gate else { return (false, Continuation::On) };
        self.wake = None;
        // What the gate has taken in has moved too: the sender has space for more.
        let mut fed = false;
        loop {
            match gate.next(now, self.inbox.spare()) {
                Next::Delivered(count) => {
                    self.inbox.fill(count);
                    return (count > 0, Continuation::On);
                }
                Next::Hungry if !self.outbox.is_empty() => {
                    gate.push(self.outbox.filled());
                    self.outbox.consume(self.outbox.filled().len());
                    fed = true;
                }
                Next::Hungry if sender_closed && !self.finished => {
                    self.finished = true;
                    gate.finish();
                }
                Next::Wait(until) => {
                    self.wake = Some(until);
                    return (fed, Continuation::On);
                }
                Next::Hungry | Next::Never => return (fed, Continuation::On),
                Next::End => return (fed, Continuation::End),
                Next::Cut => return (true, Continuation::Both(End::Finished)),
                Next::Reset => return (true, Continuation::Both(End::Broken)),
            }
        }
    }

    /// Its buffers, emptied for the next connection.
    pub(super) fn recycle(&mut self) -> (Buffer, Buffer) {
        let (mut outbox, mut inbox) = (self.outbox.take(), self.inbox.take());
        outbox.reset();
        inbox.reset();
        (outbox, inbox)
    }
}

/// What comes after the bytes of a direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Continuation {
    /// More, perhaps.
    On,
    /// The end of this direction.
    End,
    /// The end of both.
    Both(End),
}
