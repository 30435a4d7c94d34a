//! What somebody asks for, and which file of a listing that is. One piece of code for every client: where two files can
//! be meant it takes none of them. It knows what the listing says and nothing of whether that is true.

use std::fmt;

use protocol::{Entry, FileId, FileName};

use super::flaw::{Conduct, Flaw};

/// How many hex digits the beginning of an id has at least. With fewer, many a name would be one, and so would what a
/// flipped bit makes of a name.
pub const MIN_BEGINNING: usize = 8;
/// How many hex digits a whole id has.
const WHOLE: usize = 32;

/// What somebody asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileQuery {
    /// The file with this id, whatever it is called. 32 hex digits are an id and nothing else: what comes can be held
    /// against it.
    Id(FileId),
    /// The file with this name.
    Name(String),
    /// The file with this name, or the one whose id begins so: at least [`MIN_BEGINNING`] hex digits, but no whole id.
    NameOrBeginning(String),
}

/// Why a query names no file of a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum QueryError {
    /// There is none.
    NotListed,
    /// There are several contents: each of these can be meant.
    Ambiguous(Vec<Entry>),
}

impl FileQuery {
    /// Reads what somebody wrote. People may write the digits of an id as they like, though the protocol may not.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let is_hex = text.bytes().all(|byte| byte.is_ascii_hexdigit());
        if let (true, Some(id)) = (text.len() == WHOLE, FileId::parse(&text.to_ascii_lowercase())) {
            return Self::Id(id);
        }
        match text.len() {
            MIN_BEGINNING..WHOLE if is_hex => Self::NameOrBeginning(text.to_owned()),
            _ => Self::Name(text.to_owned()),
        }
    }

    /// Whether a file can be meant by the digits of its id.
    #[must_use]
    pub fn has_digits(&self) -> bool {
        !matches!(self, Self::Name(_))
    }

    /// Whether the file with this id is meant by its digits.
    #[must_use]
    pub fn is_id(&self, id: FileId) -> bool {
        match self {
            Self::Id(wanted) => *wanted == id,
            Self::Name(_) => false,
            Self::NameOrBeginning(digits) => id.to_string().starts_with(&digits.to_ascii_lowercase()),
        }
    }

    /// Whether a file is meant by this name of it.
    #[must_use]
    pub fn is_name(&self, name: &FileName) -> bool {
        match self {
            Self::Id(_) => false,
            Self::Name(wanted) | Self::NameOrBeginning(wanted) => name.as_str() == wanted,
        }
    }

    /// The file of `listed` that is meant. Several names of one content are no matter.
    ///
    /// # Errors
    /// If there is none, or each of several can be meant.
    pub fn find<'a>(&self, listed: &'a [Entry]) -> Result<&'a Entry, QueryError> {
        self.find_as(listed, Conduct::default())
    }

    /// The same. A careless client takes the first of several contents.
    pub(crate) fn find_as<'a>(&self, listed: &'a [Entry], conduct: Conduct) -> Result<&'a Entry, QueryError> {
        let named = |entry: &&Entry| self.is_name(&entry.name);
        let found: Vec<&Entry> = listed.iter().filter(|entry| named(entry) || self.is_id(entry.id)).collect();
        let first =
            found.iter().copied().find(named).or(found.first().copied()).ok_or(QueryError::NotListed)?;
        if found.iter().all(|entry| entry.id == first.id) || conduct.has(Flaw::TakesFirst) {
            return Ok(first);
        }
        Err(QueryError::Ambiguous(found.into_iter().cloned().collect()))
    }
}

impl fmt::Display for FileQuery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(id) => id.fmt(f),
            Self::Name(text) | Self::NameOrBeginning(text) => f.pad(text),
        }
    }
}
