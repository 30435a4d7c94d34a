//! The stores and folders of the programs.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on shall fail there")]

mod disk_store;
mod storage;
