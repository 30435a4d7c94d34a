//! What a client is sent for: the listing, some uploads, one download.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use protocol::{Entry, FileName};

use super::outcome::TransferReport;
use super::peer::{Peer, Trouble};
use crate::endpoint::{ClientCommand, Conduct, FileQuery, QueryError, Script};
use crate::record::Failure;
use crate::storage::Folder;
use faults::Content;

/// Something that the client's session finds out and the errand waits for.
type SharedResult<T> = Arc<Mutex<Option<T>>>;

fn put<T>(found: &SharedResult<T>, value: T) {
    *found.lock().unwrap_or_else(PoisonError::into_inner) = Some(value);
}

fn take<T>(found: &SharedResult<T>) -> Option<T> {
    found.lock().unwrap_or_else(PoisonError::into_inner).take()
}

impl Peer {
    /// The listing.
    ///
    /// # Errors
    /// If the server cannot be reached, refuses, or leaves.
    pub fn list(&self) -> Result<Vec<Entry>, Trouble> {
        let listing = SharedResult::default();
        let script = ListScript { asked: false, listing: Arc::clone(&listing) };
        self.run(Box::new(script), Folder::in_memory(), Box::new(|_| {}))?;
        Ok(take(&listing).unwrap_or_default())
    }

    /// Uploads `files` in one session, and tells `each` of them when it is over. After one that was refused or whose
    /// digests differ the session goes on. A file is asked for only when its turn comes.
    ///
    /// # Errors
    /// If the server cannot be reached, or leaves between two files. Files of which nothing was told were not
    /// sent.
    pub fn put(
        &self,
        files: impl Iterator<Item = (FileName, Content)> + Send + 'static,
        each: impl FnMut(TransferReport) + Send + 'static,
    ) -> Result<(), Trouble> {
        self.run(Box::new(UploadScript(files)), Folder::in_memory(), Box::new(each))
    }

    /// Downloads the file that is [`wanted`](FileQuery) into `folder`. It has its name there only once it is verified: against
    /// the id that was asked for; a name, or the rest of an id, is what the listing says. Returns what came of it, and
    /// its path if the folder is on disk.
    ///
    /// # Errors
    /// If there is no such file or more than one, the folder has one of its name already and may not replace it,
    /// or the server cannot be reached.
    pub fn get(
        &self,
        wanted: &FileQuery,
        folder: &Folder,
    ) -> Result<(TransferReport, Option<PathBuf>), Trouble> {
        let (trouble, result) = (SharedResult::default(), SharedResult::default());
        let script = DownloadScript {
            wanted: wanted.clone(),
            conduct: self.conduct(),
            folder: folder.clone(),
            step: DownloadStep::Ask,
            trouble: Arc::clone(&trouble),
        };
        let told = Arc::clone(&result);
        let ended = self.run(Box::new(script), folder.clone(), Box::new(move |done| put(&told, done)));
        if let Some(trouble) = take(&trouble) {
            // Of a listing that was refused it is not known what would have been in it.
            return Err(ended.err().unwrap_or(trouble));
        }
        match take(&result) {
            Some(transferred) => {
                let path = folder.path(&transferred.name);
                Ok((transferred, path))
            }
            None => Err(ended.err().unwrap_or(Trouble::Broken(Failure::Broken))),
        }
    }
}

/// Asks for the listing and keeps it.
struct ListScript {
    asked: bool,
    listing: SharedResult<Vec<Entry>>,
}

impl Script for ListScript {
    fn next(&mut self, listed: &[Entry]) -> Option<ClientCommand> {
        if !self.asked {
            self.asked = true;
            return Some(ClientCommand::ListFiles);
        }
        put(&self.listing, listed.to_vec());
        None
    }
}

/// Uploads one file after the other.
struct UploadScript<I>(I);

impl<I: Iterator<Item = (FileName, Content)> + Send> Script for UploadScript<I> {
    fn next(&mut self, _listed: &[Entry]) -> Option<ClientCommand> {
        self.0.next().map(|(name, content)| ClientCommand::Upload { name, content })
    }
}

/// Asks for the listing, and then for the one file.
struct DownloadScript {
    wanted: FileQuery,
    conduct: Conduct,
    folder: Folder,
    step: DownloadStep,
    trouble: SharedResult<Trouble>,
}

/// What comes next.
#[derive(Clone, Copy, PartialEq, Eq)]
enum DownloadStep {
    Ask,
    Choose,
    Leave,
}

impl Script for DownloadScript {
    fn next(&mut self, listed: &[Entry]) -> Option<ClientCommand> {
        match self.step {
            DownloadStep::Ask => {
                self.step = DownloadStep::Choose;
                Some(ClientCommand::ListFiles)
            }
            DownloadStep::Choose => {
                self.step = DownloadStep::Leave;
                let Entry { id, name, .. } = match self.choose(listed) {
                    Ok(entry) => entry.clone(),
                    Err(trouble) => {
                        put(&self.trouble, trouble);
                        return None;
                    }
                };
                Some(ClientCommand::DownloadId { id, name })
            }
            DownloadStep::Leave => None,
        }
    }
}

impl DownloadScript {
    fn choose<'a>(&self, listed: &'a [Entry]) -> Result<&'a Entry, Trouble> {
        let entry = self.wanted.find_as(listed, self.conduct).map_err(|why| match why {
            QueryError::NotListed => Trouble::NotListed(self.wanted.clone()),
            QueryError::Ambiguous(entries) => Trouble::Ambiguous(self.wanted.clone(), entries),
        })?;
        self.folder.check_free(&entry.name).map_err(Trouble::Here)?;
        Ok(entry)
    }
}
