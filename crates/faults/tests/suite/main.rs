//! The fault layer by itself.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on shall fail there")]

mod decisions;
mod stream;
