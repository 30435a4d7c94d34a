//! Every message of the protocol as a line: parsed and written here and nowhere else, with every limit named.
//! What may follow what is not decided here but in [`state`](crate::state).

use std::fmt;

use crate::error::Violation;
use crate::{FileId, FileName, MAX_NAME};

/// The longest control line in bytes, its LF (and CR) included.
pub const MAX_LINE: usize = 1024;
/// The largest file size in bytes: what fits a signed 64-bit number, so that every language can hold it.
pub const MAX_SIZE: u64 = i64::MAX as u64;
/// The longest listing, in files.
pub const MAX_ENTRIES: u32 = 1_000_000;
/// The longest listing, in bytes of its entries with their line ends: so many files with names of 90 bytes fit.
pub const MAX_LISTING: u64 = 128 * 1024 * 1024;
/// The longest entry of a listing in bytes, its LF included: an id, a name, a size, and what is between them.
pub const MAX_ENTRY: usize = 32 + 1 + MAX_NAME + 1 + 19 + 1;
/// How many of the latest uploads of a session can be discarded. A server need not remember any more of them.
pub const DISCARDABLE: usize = 1_000;
/// What a server with no files says in place of a listing. Fixed, so that a damaged listing is never taken for it.
pub const NO_FILES: &str = "No files available at the moment";
/// Every refusal begins with this; at a prompt, every other line is a go-ahead.
pub const ERROR_PREFIX: &str = "ERROR ";

/// Takes the first line off `input`: its text without LF or CR LF, and how many bytes it took.
/// `None` if no whole line is there yet.
///
/// # Errors
/// [`Violation::LineTooLong`] if there is no LF within [`MAX_LINE`] bytes, [`Violation::NotUtf8`].
pub fn split_line(input: &[u8]) -> Result<Option<(&str, usize)>, Violation> {
    let window = &input[..input.len().min(MAX_LINE)];
    let Some(end) = window.iter().position(|&byte| byte == b'\n') else {
        return if window.len() == MAX_LINE { Err(Violation::LineTooLong) } else { Ok(None) };
    };
    let line = window[..end].strip_suffix(b"\r").unwrap_or(&window[..end]);
    let text = str::from_utf8(line).map_err(|_| Violation::NotUtf8)?;
    Ok(Some((text, end + 1)))
}

/// A decimal number without sign, blanks or leading zeros, at most [`MAX_SIZE`].
fn parse_size(text: &str) -> Result<u64, Violation> {
    let plain = text == "0" || !text.starts_with('0');
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    match text.parse::<u64>() {
        Ok(size) if plain && digits && size <= MAX_SIZE => Ok(size),
        _ => Err(Violation::BadSize),
    }
}

/// What a client announces before an upload: the line `name;size`, split at its last `;`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct UploadDetails {
    /// The name under which the server shall list the file.
    pub name: FileName,
    /// Its size in bytes.
    pub size: u64,
}

impl UploadDetails {
    /// Reads the line `name;size`.
    ///
    /// # Errors
    /// Which part of the line is wrong.
    pub fn parse(line: &str) -> Result<Self, Violation> {
        let (name, size) = line.rsplit_once(';').ok_or(Violation::BadDetails)?;
        let size = parse_size(size)?;
        let name = FileName::parse(name).map_err(Violation::BadName)?;
        Ok(Self { name, size })
    }
}

impl fmt::Display for UploadDetails {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{};{}", self.name, self.size)
    }
}

/// One file of the listing: the line `id;name;size`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Entry {
    /// The name it was uploaded under. First, so that entries sort by name and then by id.
    pub name: FileName,
    /// The MD5 of its content.
    pub id: FileId,
    /// Its size in bytes.
    pub size: u64,
}

impl Entry {
    /// Reads the line `id;name;size`; the name may itself hold `;`.
    ///
    /// # Errors
    /// [`Violation::BadEntry`] whatever part is wrong: the listing as a whole is then useless.
    pub fn parse(line: &str) -> Result<Self, Violation> {
        let (id, details) = line.split_once(';').ok_or(Violation::BadEntry)?;
        let id = FileId::parse(id).ok_or(Violation::BadEntry)?;
        let UploadDetails { name, size } = UploadDetails::parse(details).map_err(|_| Violation::BadEntry)?;
        Ok(Self { name, id, size })
    }
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{};{};{}", self.id, self.name, self.size)
    }
}

/// A line from the client to the server. `Display` writes it, without its LF.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Request {
    /// `LIST_FILES`: asks for the listing.
    ListFiles,
    /// `UPLOAD`: announces an upload.
    Upload,
    /// `DOWNLOAD`: announces a download.
    Download,
    /// `DISCARD <id>`: asks to forget a file that this session uploaded.
    Discard(FileId),
    /// `name;size`, after the prompt of an upload.
    Details(UploadDetails),
    /// The id alone, after the prompt of a download.
    Id(FileId),
}

impl Request {
    /// Reads a command line. Details and ids are no commands: they are read where they are due.
    ///
    /// # Errors
    /// [`Violation::UnknownCommand`], or [`Violation::BadId`] for `DISCARD` with a malformed id.
    pub fn parse_command(line: &str) -> Result<Self, Violation> {
        match line {
            // The specification writes all three.
            "LIST_FILES" | "LIST FILES" | "LIST FILE" => Ok(Self::ListFiles),
            "UPLOAD" => Ok(Self::Upload),
            "DOWNLOAD" => Ok(Self::Download),
            _ => {
                let id = line.strip_prefix("DISCARD ").ok_or(Violation::UnknownCommand)?;
                FileId::parse(id).map(Self::Discard).ok_or(Violation::BadId)
            }
        }
    }
}

impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ListFiles => f.write_str("LIST_FILES"),
            Self::Upload => f.write_str("UPLOAD"),
            Self::Download => f.write_str("DOWNLOAD"),
            Self::Discard(id) => write!(f, "DISCARD {id}"),
            Self::Details(details) => details.fmt(f),
            Self::Id(id) => id.fmt(f),
        }
    }
}

/// A line from the server to the client. `Display` writes it, without its LF.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Reply {
    /// One line of the listing.
    Entry(Entry),
    /// The text that stands in place of an empty listing.
    NoFiles,
    /// The empty line that ends the listing.
    ListEnd,
    /// The prompt of an upload.
    AskDetails,
    /// The go-ahead for the payload of an upload.
    Ready,
    /// The server's MD5 of an upload: the file's id from now on.
    Hash(FileId),
    /// The prompt of a download.
    AskId,
    /// The size of the download, in bytes; the payload follows at once.
    Size(u64),
    /// The answer to `DISCARD`.
    Discarded,
    /// `ERROR <code> <text>`: a refusal.
    Error(ErrorCode),
}

impl Reply {
    /// Reads a hash line.
    ///
    /// # Errors
    /// [`Violation::BadId`].
    pub fn parse_hash(line: &str) -> Result<FileId, Violation> {
        FileId::parse(line).ok_or(Violation::BadId)
    }

    /// Reads the line that announces a download.
    ///
    /// # Errors
    /// [`Violation::BadSize`].
    pub fn parse_size(line: &str) -> Result<u64, Violation> {
        parse_size(line)
    }
}

impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Entry(entry) => entry.fmt(f),
            Self::NoFiles => f.write_str(NO_FILES),
            Self::ListEnd => Ok(()),
            Self::AskDetails => f.write_str("Please send the file name and size"),
            Self::Ready => f.write_str("Ready to receive the file"),
            Self::Hash(id) => id.fmt(f),
            Self::AskId => f.write_str("Please send a file ID"),
            Self::Size(size) => size.fmt(f),
            Self::Discarded => f.write_str("Discarded"),
            Self::Error(code) => write!(f, "{ERROR_PREFIX}{code} {}", code.text()),
        }
    }
}

/// A refusal as the client reads it: the code it stands for and the words beside it.
///
/// `None` if the line is not a refusal.
#[must_use]
pub fn parse_error(line: &str) -> Option<(ErrorCode, &str)> {
    let rest = line.strip_prefix(ERROR_PREFIX)?;
    let (code, text) = rest.split_once(' ').unwrap_or((rest, ""));
    Some((ErrorCode::parse(code), text))
}

macro_rules! error_codes {
    ($($(#[$doc:meta])* $variant:ident = $code:literal, $text:literal;)*) => {
        /// The code of a refusal.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum ErrorCode { $($(#[$doc])* $variant,)* }

        impl ErrorCode {
            /// Every code, in the order of `PROTOCOL.md`.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The code as it stands on the wire.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $code,)* }
            }

            /// The words that our server puts beside the code.
            #[must_use]
            pub fn text(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }

            /// Reads a code; one that this version does not know is [`ErrorCode::Other`].
            #[must_use]
            pub fn parse(code: &str) -> Self {
                match code { $($code => Self::$variant,)* _ => Self::Other }
            }
        }
    };
}

error_codes! {
    /// The command is not known.
    UnknownCommand = "unknown-command", "the commands are LIST_FILES, UPLOAD, DOWNLOAD and DISCARD";
    /// A line is too long or not UTF-8; the connection is closed.
    BadLine = "bad-line", "a line has at most 1024 bytes of UTF-8";
    /// The details are not `name;size`.
    BadDetails = "bad-details", "the details are name;size";
    /// The name breaks a rule.
    BadName = "bad-name", "a name has 1 to 255 bytes, no slash, no control character, and is not . or ..";
    /// The size is not a decimal number.
    BadSize = "bad-size", "the size is a decimal number of bytes";
    /// The id is not 32 lowercase hex digits.
    BadId = "bad-id", "an id is 32 lowercase hex digits";
    /// No file has this id.
    NotFound = "not-found", "no file has this id";
    /// The file was not uploaded in this session, or too many others have been since.
    NotYours = "not-yours", "only the latest uploads of this session can be discarded";
    /// The file is larger than the server takes.
    TooLarge = "too-large", "the file is larger than this server takes";
    /// The server's disk is full or its quota is used up.
    NoSpace = "no-space", "there is no space left for the file";
    /// The server already holds other content with this MD5.
    Collision = "collision", "other content with the same MD5 is stored already";
    /// The server's storage failed.
    Storage = "storage", "the storage failed";
    /// The server has all the connections it takes; the connection is closed.
    Busy = "busy", "too many connections, try again later";
    /// The peer was silent for too long; the connection is closed.
    Timeout = "timeout", "nothing came for too long";
    /// A code that this version does not know.
    Other = "other", "see the text";
}

impl ErrorCode {
    /// Whether the server closes the connection after this refusal. It may then come at any time, also
    /// between commands.
    #[must_use]
    pub fn ends_session(self) -> bool {
        matches!(self, Self::BadLine | Self::Busy | Self::Timeout)
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
