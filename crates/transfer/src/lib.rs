//! The two programs of the specification: a server that keeps files, and a client that transfers them, verified with
//! MD5. An [`Endpoint`](endpoint::Endpoint) is one side of one connection without I/O of its own: the state machines of
//! [`protocol`] joined to files and hashing, moved by whatever carries its bytes. [`driver`] moves it over any
//! `AsyncRead + AsyncWrite`; [`live`] is the same two programs for real, over TCP. [`storage`] is where the bytes live,
//! and [`scrub`] looks there for rot. What each side does it tells a [`Recorder`](record::Recorder).
//!
//! It judges nothing. Faults come from outside: as [`Wires`](faults::Wires) around a connection, and as a
//! [`FaultyStore`](storage::FaultyStore) around a store.
//!
//! ```
//! use std::sync::Arc;
//! use std::time::Duration;
//!
//! use faults::lockstep::Lockstep;
//! use faults::{Content, Machine, Wires};
//! use protocol::FileName;
//! use transfer::endpoint::{Client, ClientCommand, ClientConfig, ServerConfig, Service, Sessions};
//! use transfer::storage::{Folder, MemoryStore, Store};
//!
//! let (store, deadline) = (Arc::new(MemoryStore::default()), Duration::from_secs(30));
//! let server = Sessions::new(ServerConfig::new(store.clone(), deadline));
//! let content = Content::Memory(b"hello"[..].into());
//! let upload = ClientCommand::Upload { name: FileName::parse("hello.txt")?, content };
//! let client = Client::new(ClientConfig::new(vec![upload], Folder::in_memory(), deadline));
//! let accept = |now, connection| -> Box<dyn Machine> { server.accept(now, connection) };
//! Lockstep::default().run(vec![Box::new(client)], accept, &Wires::default())?;
//! assert_eq!(store.list().map(|files| files.len()), Ok(1));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod driver;
pub mod endpoint;
pub mod live;
mod real;
pub mod record;
pub mod scrub;
pub mod storage;

pub use real::{Link, run_over_tcp, serve_tcp};
