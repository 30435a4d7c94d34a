//! From a hundred chosen points to the whole space.
//!
//! A [`sweep`] walks every single fault of an exchange: the [`space`] is counted before it is walked, what each run came to is
//! a [`class`], and a [`part`] holds a share of it. A [`swarm`] draws whole scenarios by chance, each of them a [`draft`]; what
//! one shows, [`shrink`] makes as small as it gets. The [`pool`] carries out numbered runs on several threads.

pub mod class;
pub mod draft;
pub mod part;
pub mod pool;
pub mod shrink;
pub mod space;
pub mod swarm;
pub mod sweep;
