//! Reads files in RON of which every value keeps its [`Place`]: all mistakes of a file are found at once, and each is
//! shown at its line, underlined, with what to write instead. Faults have their one parser here.
//!
//! A file is read in two stages. RON splits it into [`Piece`](piece::Piece)s that know where they stand; then every piece
//! is parsed on its own by a [`Reader`](reader::Reader). What a file is about is not known here: scenarios and audits
//! are read with it.
//!
//! ```
//! let fault = notation::parse_fault("Flip(in: ToServer, at: 1_000, bit: 3)", "--fault").unwrap();
//! assert_eq!(fault.value.to_string(), "Flip(in: ToServer, at: 1_000, bit: 3)");
//!
//! let error = notation::parse_fault("Flop(in: ToServer, at: 1_000, bit: 3)", "--fault").unwrap_err();
//! assert!(error.render(false).contains("did you mean \"Flip\""), "{}", error.render(false));
//! ```

mod brackets;
pub mod error;
pub mod fault;
pub mod loose;
pub mod piece;
pub mod place;
pub mod read;
pub mod reader;
pub mod suggest;
pub mod syntax;

pub use error::{MAX_MISTAKES, Mistake, ScenarioError};
pub use fault::fault_names;
pub use loose::{load_faults, parse_fault, parse_scenario_fault};
pub use place::{Located, Place, SourceFile};
pub use read::{MAX_SCENARIO_BYTES, scenario_files};
pub use reader::MAX_DEADLINE;
