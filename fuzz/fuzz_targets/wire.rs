//! Any bytes as lines of every kind: no panic, and what can be read is written back as the same.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| bodies::read_as_lines(bytes));
