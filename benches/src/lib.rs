//! What the benchmarks measure, shared by all of them: the 22 steps over and over ([`runs`]), the transfer of
//! a large file ([`transfer`]), and what such a transfer would cost without a protocol ([`bare`]).
//!
//! [`processes`] runs the built program and what others use for the same; [`table`] has what the tables share.

pub mod bare;
pub mod processes;
pub mod runs;
pub mod table;
pub mod transfer;
