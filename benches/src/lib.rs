//! What the benchmarks measure, shared by all of them: the 22 steps over and over ([`runs`]), the transfer of
//! a large file ([`transfer`]), what such a transfer would cost without a protocol ([`bare`]), and a stream through
//! the proxy or a bare splice ([`relay`]).
//!
//! Nothing here measures time; the benches do.

pub mod bare;
pub mod relay;
pub mod runs;
pub mod transfer;
