//! What the benchmarks measure, shared by all of them: the 22 steps over and over ([`runs`]), the transfer of
//! a large file ([`transfer`]), and what such a transfer would cost without a protocol ([`bare`]).
//!
//! Nothing here measures time; the benches do.

pub mod bare;
pub mod runs;
pub mod transfer;
