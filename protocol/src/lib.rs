//! The file-transfer protocol.
pub mod name;
pub use name::{FileName, NameError};
