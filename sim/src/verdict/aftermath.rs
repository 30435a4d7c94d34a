//! What a run leaves behind: whether a damaged file stays listed, or stands where a client would use it.

use std::fmt;
use std::io;

use protocol::FileName;

use faults::Content;
use faults::text::visible;
use transfer::storage::{Folder, Store, StoreError};

/// How a file that was left behind is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    /// It is what was sent under this name.
    Good,
    /// It is what was sent, but under another name.
    Misnamed,
    /// It is not.
    Damaged,
    /// It cannot be read.
    Unreadable,
}

impl Condition {
    /// How reports call it.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Misnamed => "good, but not under its name",
            Self::Damaged => "DAMAGED",
            Self::Unreadable => "UNREADABLE",
        }
    }
}

/// A file that was left behind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftoverFile {
    /// Its name.
    pub name: FileName,
    /// How it is.
    pub condition: Condition,
}

/// What a run leaves behind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Aftermath {
    /// What the server lists, in the order of the listing.
    pub server: Vec<LeftoverFile>,
    /// What the clients have under its final name.
    pub clients: Vec<LeftoverFile>,
}

impl Aftermath {
    /// Looks at everything that the store lists, and at what the folders of the clients have of `downloads`, each with
    /// every content that was meant by it. `originals` gives every content that was sent under a name, and `all` every
    /// content that was sent.
    ///
    /// # Errors
    /// If the store or a folder cannot be read at all.
    pub fn find(
        store: &dyn Store,
        folders: &[Folder],
        downloads: &[(Vec<Content>, FileName)],
        originals: impl Fn(&FileName) -> Vec<Content>,
        all: &[Content],
    ) -> io::Result<Self> {
        let mut aftermath = Self::default();
        let unreadable = |error: StoreError| io::Error::other(format!("the store cannot be read: {error:?}"));
        for entry in store.list().map_err(unreadable)?.iter() {
            let condition = match store.open(entry.id) {
                Ok(content) => condition(&content, &originals(&entry.name), all),
                Err(_) => Condition::Unreadable,
            };
            aftermath.server.push(LeftoverFile { name: entry.name.clone(), condition });
        }
        for folder in folders {
            for (wanted, name) in downloads {
                let Some(content) = folder.get(name)? else { continue };
                let condition = condition(&content, wanted, all);
                aftermath.clients.push(LeftoverFile { name: name.clone(), condition });
            }
        }
        Ok(aftermath)
    }
}

fn condition(content: &Content, originals: &[Content], all: &[Content]) -> Condition {
    match is_among(content, originals) {
        Ok(true) => Condition::Good,
        Ok(false) if is_among(content, all).unwrap_or(false) => Condition::Misnamed,
        Ok(false) => Condition::Damaged,
        Err(_) => Condition::Unreadable,
    }
}

fn is_among(content: &Content, originals: &[Content]) -> io::Result<bool> {
    for original in originals {
        if original.first_difference(content)?.is_none() {
            return Ok(true);
        }
    }
    Ok(false)
}

impl fmt::Display for LeftoverFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", visible(self.name.as_str()), self.condition.word())
    }
}

impl fmt::Display for Aftermath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |left: &[LeftoverFile]| match left {
            [] => "nothing".to_owned(),
            left => left.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
        };
        write!(
            f,
            "afterwards the server lists {}; the client has {}",
            list(&self.server),
            list(&self.clients)
        )
    }
}
