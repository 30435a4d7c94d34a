//! Runs file transfers and holds what the programs *claim* against what *really happened* to the bytes.
//!
//! The way through is one straight line, and each module is one station of it that depends only on earlier
//! ones: [`scenario`] reads what shall happen; [`transport`] carries the bytes of the two programs ([`transfer`]), between
//! which there are [`faults`]; [`transcript`] puts what they recorded into one order and checks it against the steps;
//! [`verdict`] judges the files; [`run`] is the line itself, [`mutants`] the control on it, [`explore`] finds runs that
//! nobody thought of, and [`report`] says how it went, also of [`audit`] and [`conform`]. [`session`] goes through the 22 steps with a server that runs elsewhere.
//!
//! This crate reads no clock of its own, draws no random number that a seed does not decide, and
//! prints nothing: the binary does.
//!
//! ```
//! use sim::run::{Plan, RunOptions, Site, run, transport};
//! use sim::scenario::{Scenario, TransportKind};
//! use faults::Verdict;
//!
//! let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios/basic.ron");
//! let plan = Plan::new(&Scenario::load(&path)?)?;
//! let mut memory = transport(TransportKind::Memory, &plan)?;
//! let outcome = run(&plan, &mut *memory, Site::in_memory(), &RunOptions::default())?;
//! assert_eq!(outcome.deviation, None);
//! assert!(outcome.judgements.iter().all(|judgement| judgement.verdict == Verdict::Intact));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod explore;
pub mod mutants;
pub mod report;
pub mod run;
pub mod scenario;
pub mod session;
pub mod transcript;
pub mod transport;
pub mod verdict;
