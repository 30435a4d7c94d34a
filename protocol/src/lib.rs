//! The file-transfer protocol (`LIST_FILES`, `UPLOAD`, `DOWNLOAD`, verified with MD5) as two state machines,
//! [`Client`] and [`Server`]: bytes in, events out.
//!
//! This crate does *not* do any I/O: it has no socket, runtime, clock, randomness or file system, computes no
//! hash, and keeps no payload and no receive buffer. The caller moves the bytes and hands in the digest. The
//! wire format is specified in `PROTOCOL.md`; [`wire`] implements it and [`state`] says what may follow what.
//!
//! Methods come in four kinds. *Getters* look. *Commands* ([`Client::upload`], [`Server::refuse`], …) say what
//! the application wants. `handle_*` takes what happened: input, the end of the stream, a digest.
//! `poll_transmit` says what to send next. After every command and every `handle_*`, poll until `None`;
//! until then `handle_input` leaves the input with the caller.
//!
//! ```
//! use protocol::{Client, Compared, FileId, FileName, Server, ServerEvent, Transmit};
//!
//! let (mut client, mut server) = (Client::new(), Server::new());
//! let id = FileId::from_bytes(*b"0123456789abcdef"); // stands for the MD5, computed outside
//! client.upload(FileName::parse("a.txt")?, 5)?;
//!
//! // Lines travel until the server knows what is coming.
//! while let Some(Transmit::Line(request)) = client.poll_transmit() {
//!     let line = format!("{request}\n");
//!     let (_, event) = server.handle_input(line.as_bytes())?.expect("a whole line");
//!     if matches!(event, ServerEvent::UploadRequested { size: 5, .. }) {
//!         break;
//!     }
//!     let Some(Transmit::Line(prompt)) = server.poll_transmit() else { panic!("a prompt is due") };
//!     client.handle_input(format!("{prompt}\n").as_bytes())?;
//! }
//! server.accept_upload()?;
//! let Some(Transmit::Line(ready)) = server.poll_transmit() else { panic!("the go-ahead is due") };
//! client.handle_input(format!("{ready}\n").as_bytes())?;
//!
//! // The payload: the core counts it, the caller moves it.
//! assert_eq!(client.poll_transmit(), Some(Transmit::Payload { left: 5 }));
//! client.payload_sent(5)?;
//! assert!(matches!(server.handle_input(b"hello")?, Some((5, ServerEvent::Payload(b"hello")))));
//!
//! // Both sides hashed what they saw. There is no other door to success.
//! server.handle_digest(id)?;
//! let Some(Transmit::Line(hash)) = server.poll_transmit() else { panic!("the hash is due") };
//! client.handle_input(format!("{hash}\n").as_bytes())?;
//! assert_eq!(client.handle_digest(id)?, Compared::Same(id));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod client;
mod error;
mod id;
mod name;
mod server;
pub mod state;
pub mod wire;

pub use client::{Client, ClientEvent};
pub use error::{Ended, Error, Misuse, Violation, WireAnswer};
pub use id::FileId;
pub use name::{FileName, MAX_NAME, NameError};
pub use server::{Server, ServerEvent};
pub use state::{ClientState, ServerState};
pub use wire::{Entry, ErrorCode, Reply, Request, UploadDetails};

/// The text of `PROTOCOL.md`, which specifies all of it: what quotes the rules takes them from here.
pub const PAGE: &str = include_str!("../PROTOCOL.md");

/// What a state machine wants sent next.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Transmit<L> {
    /// One control line: its `Display` text followed by LF.
    Line(L),
    /// Raw payload, `left` bytes of it at most. Say how many went out with `payload_sent`.
    Payload {
        /// How many bytes of the file are still to be sent.
        left: u64,
    },
}

/// What the comparison of two digests said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Compared {
    /// Both sides hashed to this id: the specification's "Success".
    Same(FileId),
    /// The digests differ: the specification's "Fail".
    Different {
        /// What this side computed.
        own: FileId,
        /// What the other side said.
        peer: FileId,
    },
}
