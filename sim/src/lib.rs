//! Runs file transfers and holds what the programs *claim* against what *really happened* to the bytes.
//!
//! The way through is one straight line, and each module is one station of it that depends only on earlier
//! ones: [`scenario`] reads what shall happen; [`storage`] holds the bytes; [`endpoint`] has the two programs
//! (the state machines of [`protocol`] joined to files and hashing), which [`record`] what they do;
//! [`fault`] has what goes wrong between them; [`transport`] carries their bytes; [`transcript`] puts the records into one order and checks them against
//! the steps; [`verdict`] judges the files; [`run`] is the line itself,
//! [`mutants`] the control on it, and [`report`] says how it went. [`live`] has the same two programs for real,
//! [`scrub`] looks for rot in a server's store, and [`proxy`] puts the faults between other people's programs.
//! [`conform`] holds those against the protocol's rules, and [`process`] runs them.
//!
//! This crate reads no clock of its own, draws no random number that the scenario's seed does not decide, and
//! prints nothing: the binary does.
//!
//! ```
//! use sim::run::{Options, Plan, Site, run, transport};
//! use sim::scenario::{Scenario, TransportKind};
//! use sim::verdict::Verdict;
//!
//! let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios/basic.ron");
//! let plan = Plan::new(&Scenario::load(&path)?)?;
//! let mut memory = transport(TransportKind::Memory, &plan)?;
//! let outcome = run(&plan, &mut *memory, &Site::in_memory(), &Options::default())?;
//! assert_eq!(outcome.deviation, None);
//! assert!(outcome.judgements.iter().all(|judgement| judgement.verdict == Verdict::Intact));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod audit;
mod backlog;
mod collision;
pub mod conform;
pub mod endpoint;
pub mod fault;
pub mod live;
pub mod mutants;
pub mod process;
pub mod proxy;
pub mod record;
pub mod report;
pub mod run;
pub mod scenario;
pub mod scrub;
pub mod storage;
mod text;
pub mod transcript;
pub mod transport;
pub mod verdict;
