//! What the benchmarks measure, shared by all of them: the 22 steps over and over ([`runs`]), the transfer of
//! a large file ([`transfer`]), what such a transfer would cost without a protocol ([`bare`]), and a stream through
//! the proxy or a bare splice ([`relay`]).
//!
//! [`processes`] runs the built program and what others use for the same; [`table`] has what the tables share.

pub mod bare;
pub mod processes;
pub mod relay;
pub mod runs;
pub mod table;
pub mod transfer;
