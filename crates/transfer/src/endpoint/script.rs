//! What a client is told to do, one command after the other.

use std::vec::IntoIter;

use protocol::{Entry, FileId, FileName};

use faults::Content;

/// What a client is told to do.
#[derive(Clone, Debug)]
pub enum ClientCommand {
    /// Ask for the listing.
    ListFiles,
    /// Send `content` under `name`.
    Upload {
        /// The name on the server.
        name: FileName,
        /// The bytes.
        content: Content,
    },
    /// Fetch the one file of the last listing that is [meant](super::FileQuery) by this name, by its id there.
    Download {
        /// What is asked for, and the name in the folder.
        name: FileName,
    },
    /// Fetch the file with this id, listed or not, and call it `name`.
    DownloadId {
        /// The id.
        id: FileId,
        /// The name in the folder.
        name: FileName,
    },
    /// End the session.
    Disconnect,
}

/// Decides what a client does, one command after the other.
pub trait Script: Send {
    /// The next command, when `listed` is what the server listed last. At the end, and after a
    /// [`ClientCommand::Disconnect`], there is none.
    fn next(&mut self, listed: &[Entry]) -> Option<ClientCommand>;

    /// A copy that goes on from here, if there can be one.
    fn fork(&self) -> Option<Box<dyn Script>> {
        None
    }
}

/// The commands in their order, whatever is listed.
impl Script for IntoIter<ClientCommand> {
    fn next(&mut self, _listed: &[Entry]) -> Option<ClientCommand> {
        Iterator::next(self)
    }

    fn fork(&self) -> Option<Box<dyn Script>> {
        Some(Box::new(self.clone()))
    }
}
