//! How the server behaves that a client under test meets: correct, but for what a case wants otherwise.

use std::time::Duration;

use crate::id_of;

/// Where in the exchanges something is to happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ExchangePoint {
    /// Before the first command.
    Greeting,
    Listing,
    /// In place of what ends a listing of at least one file.
    ListEnd,
    AskDetails,
    Ready,
    /// When half of an upload has come.
    Payload,
    Hash,
    /// After the hash, between commands.
    AfterHash,
    AskId,
    Size,
    /// In place of the second half of a download.
    HalfDownload,
    /// In place of the last byte of a download.
    LastByte,
    /// After a download, between commands.
    AfterFile,
}

/// What happens there.
#[derive(Clone, Copy, Debug)]
pub(super) enum ServerAction {
    /// A refusal, after which the session goes on.
    Refuse(&'static str),
    /// Against this rule: the client must close.
    Violate(u8, &'static [u8]),
    /// What would be sent is against this rule: the client must close.
    ViolateWithThat(u8),
    /// This, and the server closes.
    Cut(&'static [u8]),
    /// The hash comes in the midst of the payload.
    EarlyHash,
    /// Nothing, for as long as is waited for anything.
    Silence,
}

/// How the server of a case behaves.
#[derive(Clone, Copy)]
pub(super) struct ServerBehaviour {
    pub(super) ask_details: &'static str,
    pub(super) ready: &'static str,
    pub(super) ask_id: &'static str,
    pub(super) discarded: &'static str,
    /// How its lines end.
    pub(super) eol: &'static str,
    /// Whether its messages come byte by byte.
    pub(super) byte_by_byte: bool,
    /// How long it listens, before each reply, for what must not come yet.
    pub(super) patience: Duration,
    /// What it says to be the hash of an upload.
    pub(super) hash: fn(&[u8]) -> String,
    /// What it says to be the size of a download.
    pub(super) size: fn(usize) -> usize,
    /// What it sends of a download.
    pub(super) payload: fn(Vec<u8>) -> Vec<u8>,
    /// Whether the payload of a download comes a moment after its size line.
    pub(super) apart: bool,
    /// Whether files with odd names lie beside the one that matters.
    pub(super) company: bool,
    /// The lines of a listing that is not empty.
    pub(super) listing: fn(Vec<String>) -> Vec<String>,
    pub(super) act: Option<(ExchangePoint, ServerAction)>,
    /// Whether what the client SHOULD do is looked at.
    pub(super) strict: bool,
}

impl Default for ServerBehaviour {
    fn default() -> Self {
        Self {
            ask_details: "Please send the file name and size",
            ready: "Ready to receive the file",
            ask_id: "Please send a file ID",
            discarded: "Discarded",
            eol: "\n",
            byte_by_byte: false,
            patience: Duration::ZERO,
            hash: id_of,
            size: |size| size,
            payload: |bytes| bytes,
            apart: false,
            company: false,
            listing: |lines| lines,
            act: None,
            strict: false,
        }
    }
}
