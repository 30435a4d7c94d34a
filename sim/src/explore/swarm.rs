//! Scenarios by chance, and what a run of one shows.
//!
//! A number of a seed is one scenario, the same on every machine. Which kinds of faults can occur in it is drawn first, and
//! the faults from these only: with all kinds in every run the common ones hide what the rare ones do (Groce et al.,
//! *Swarm Testing*, ISSTA 2012).
//!
//! ```
//! use sim::explore::swarm::{Class, draw, examine};
//! use sim::scenario::TransportKind;
//!
//! let examined = (0..20).map(|number| examine(&draw(1, number), None, &[TransportKind::Memory]));
//! let proved: Vec<_> = examined.filter(|it| it.class == Class::Proved).collect();
//! assert!(!proved.is_empty());
//! assert!(proved.iter().all(|it| it.findings.is_empty()));
//! ```

mod bounded;
mod dice;
mod examine;
mod finding;
mod left;
mod limits;
mod signature;

pub use dice::{FaultKind, Swarm, draw};
pub use examine::{Class, Examined, NoOutcome, ONE_IN_AGAIN, examine, examine_with, lane_run};
pub(super) use examine::{said, shown};
pub use finding::{Finding, KnownLimit};
pub use signature::{signature, stable_hash};
