//! From a hundred chosen points to the whole space: a [`sweep`] walks every single fault of an exchange. It says how much of
//! the [`space`] was walked, and what each run came to ([`class`]).

pub mod class;
pub mod part;
pub mod pool;
pub mod space;
pub mod sweep;
