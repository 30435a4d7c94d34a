//! Audit: does *their* integrity check really check? The harness turned on other people's programs, unmodified, in
//! any language.
//!
//! An [`Audit`] is read from a RON file: how to start a server, how to run one transfer with a client, where the
//! sent and the received file are, and how the program says success or failure. [`Audit::trials`] are the faults
//! to try. [`run`] has a control run without faults, finds the payload in what it recorded, and repeats the
//! transfer once for each fault, through a [`proxy`](faults::proxy) that makes it. The truth is the received file held
//! against the sent one, byte by byte; the claim is the program's; [`Row::verdict`] is what follows from both.
//!
//! It knows no protocol, trusts no program, and prints nothing.
//!
//! ```no_run
//! let file = audit::Audit::load("audits/own_upload.ron".as_ref())?;
//! let root = std::env::temp_dir();
//! let options = audit::AuditOptions { seed: None, root, keep: false, jobs: 2, sim: "sim".into() };
//! let report = audit::run(&file, &file.trials(None), &options, &|_step| {})?;
//! println!("{:?}", report.conclusion());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod check;
mod claim;
mod engine;
mod hash;
#[cfg(target_os = "linux")]
pub mod isolate;
mod judge;
mod outcome;
mod parse;
mod payload;
mod places;
mod programs;
mod received;
mod remove;
mod route;
mod sent;
mod spec;
mod strike;
mod transfer;
mod trials;
mod why;

pub use check::CheckFinding;
pub use engine::{AuditEvent, AuditOptions, MAX_JOBS, run};
pub use judge::ClientClaim;
pub use outcome::{Conclusion, Report, Row, Trouble};
pub use places::PayloadPlace;
pub use spec::{
    Audit, AuditProgram, AuditServer, Check, DEFAULT_DEADLINE, DEFAULT_SIZE, ExtraEnv, FaultItem, Leftover,
    MAX_BEFORE, MAX_ENV, MAX_NEEDS, MAX_SIZE, MIN_SIZE, Need, Pattern, Signal,
};
pub use trials::{DEFAULT_TRIALS, MAX_TRIALS, Rung, Trial, UnknownTrial};
pub use why::{Miss, Note, OutputLine, Speaker, Why};
