//! The outcome of a run in words: for people with [`text`] and, of several runs, [`table`]; for programs with
//! [`json`]. The [`mutants`] are a table of their own, and so are what a [`scrub`] found and what came of a client's
//! errands ([`live`]), a [`conform`]ance run, and an [`audit`]. It prints nothing and decides nothing.

pub mod audit;
pub mod check;
pub mod conform;
mod json;
mod lines;
pub mod live;
pub mod mutants;
mod problem;
pub mod proxy;
pub mod scrub;
pub mod swarm;
pub mod sweep;
mod table;
mod text;
mod words;
mod xml;

pub use json::json;
pub use lines::{Lines, SCHEMA};
pub use table::{Row, table};
pub use text::text;

/// What of a run is shown.
#[derive(Clone, Debug, Default)]
pub struct View {
    /// The time of each event.
    pub times: bool,
    /// The command that does the same again; shown where something went wrong.
    pub replay: String,
}
