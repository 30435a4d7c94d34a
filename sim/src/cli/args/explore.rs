//! What can be said where scenarios are explored.

use std::path::PathBuf;

use clap::Args as ClapArgs;
use transfer::endpoint::Flaw;

/// What is to be made smaller, and for which program.
#[derive(Debug, ClapArgs)]
pub(in crate::cli) struct ShrinkArgs {
    /// The scenario
    #[arg(value_name = "FILE")]
    pub(in crate::cli) file: PathBuf,

    /// Build this mistake into the programs (see `sim mutants`): the scenario has to show it, and the correct programs not
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) mutant: Option<Flaw>,

    /// Write the smallest scenario to this file instead of printing it
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) out: Option<PathBuf>,
}
