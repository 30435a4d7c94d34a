//! Any bytes, cut in any way, to a server and to a client: no panic, and the cuts change nothing.

#![no_main]

/// How many of the first bytes say how the rest is cut.
const CUTS: usize = 4;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let (cuts, bytes) = bytes.split_at(bytes.len().min(CUTS));
    bodies::cut_sessions(bytes, cuts);
});
