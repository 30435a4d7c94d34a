//! Scenarios that nobody wrote, or that are to become smaller.

pub(super) mod shrink;
