//! Scenarios that nobody wrote: drawn by chance, run, and made small where one shows something.
//!
//! [`draft`] is a scenario as a value; [`swarm`] draws such values and says what a run of one shows; [`shrink`] makes one
//! smaller for as long as it still shows it, and writes it down as a file for `scenarios/`.

pub mod draft;
pub mod shrink;
pub mod swarm;
