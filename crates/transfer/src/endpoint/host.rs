//! The machine that a server runs on: when it goes down, every session on it ends.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::time::Duration;

/// A machine. Clones speak of the same one.
#[derive(Clone, Debug, Default)]
pub(super) struct Host(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    /// How often it went down. Asked with every move of every session, so that it takes no lock.
    falls: AtomicUsize,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// When it went down, each time.
    falls: Vec<Duration>,
    /// Who is to be woken when it does.
    wakers: Vec<Waker>,
}

impl Host {
    /// It goes down, and with it everything that runs on it.
    pub(super) fn fall(&self, now: Duration) {
        let mut state = self.state();
        state.falls.push(now);
        self.0.falls.store(state.falls.len(), Ordering::Release);
        state.wakers.drain(..).for_each(Waker::wake);
    }

    /// When it went down last.
    pub(super) fn last_fall(&self) -> Option<Duration> {
        self.state().falls.last().copied()
    }

    /// Something begins to run on it.
    pub(super) fn boot(&self) -> HostProcess {
        HostProcess { machine: self.clone(), falls_before: self.0.falls.load(Ordering::Acquire) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What runs on a machine until that goes down. It does not run on when the machine is up again.
#[derive(Debug)]
pub(super) struct HostProcess {
    machine: Host,
    falls_before: usize,
}

impl HostProcess {
    /// When the machine went down under it. `waker` is woken when it does.
    pub(super) fn fell(&self, waker: Option<&Waker>) -> Option<Duration> {
        if waker.is_none() && self.machine.0.falls.load(Ordering::Acquire) == self.falls_before {
            return None;
        }
        let mut state = self.machine.state();
        let fell = state.falls.get(self.falls_before).copied();
        if let (None, Some(waker)) = (fell, waker)
            && !state.wakers.iter().any(|other| other.will_wake(waker))
        {
            state.wakers.push(waker.clone());
        }
        fell
    }

    /// Takes the machine down.
    pub(super) fn fall(&self, now: Duration) {
        self.machine.fall(now);
    }
}
