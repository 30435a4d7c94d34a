//! What each of several clients does, and stage two for it.

use std::fmt;

use protocol::{FileId, FileName};
use ron::value::RawValue;
use serde::Deserialize;

use super::names;
use notation::error::Mistake;
use notation::piece::Piece;
use notation::place::Located;
use notation::reader::Reader;
use notation::syntax;

/// How many clients a scenario can have.
pub const MAX_CLIENTS: usize = 64;

/// How many commands a client can have.
pub const MAX_COMMANDS: usize = 1_000;

/// What a client does, in short.
///
/// Displayed as it is written in a scenario file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ScenarioCommand {
    /// `ListFiles`: asks which files there are.
    ListFiles,
    /// `Upload("a.txt")`, or `UploadAs("v2", "a.txt")` under another name.
    Upload {
        /// The file of the scenario whose bytes are sent.
        file: FileName,
        /// The name that the server is told.
        name: FileName,
    },
    /// `Download("a.txt")`: downloads the one file of the listing that is meant,
    /// as `sim get` does: by its name, which need not be that of a file of the
    /// scenario, by its id, or by the beginning of its id.
    Download {
        /// What is asked for.
        name: FileName,
    },
    /// `DownloadId("d41d…")`: downloads by id without looking at the listing.
    DownloadId {
        /// The id, listed or not.
        id: FileId,
    },
    /// `Disconnect`: closes the connection.
    Disconnect,
}

impl fmt::Display for ScenarioCommand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ListFiles => f.write_str("ListFiles"),
            Self::Upload { file, name } if file == name => write!(f, "Upload({file:?})"),
            Self::Upload { file, name } => write!(f, "UploadAs({file:?}, {name:?})"),
            Self::Download { name } => write!(f, "Download({name:?})"),
            Self::DownloadId { id } => write!(f, "DownloadId(\"{id}\")"),
            Self::Disconnect => f.write_str("Disconnect"),
        }
    }
}

/// The mirror of [`ScenarioCommand`], so that what stands in it has a place of its own.
#[derive(Deserialize)]
#[serde(rename = "command")]
enum RawCommand<'a> {
    ListFiles,
    #[serde(borrow)]
    Upload(&'a RawValue),
    UploadAs(&'a RawValue, &'a RawValue),
    Download(&'a RawValue),
    DownloadId(&'a RawValue),
    Disconnect,
}

/// The value of the field `clients`.
pub(super) fn parse_clients(
    reader: &mut Reader,
    piece: Piece<'_>,
) -> Option<Vec<Vec<Located<ScenarioCommand>>>> {
    let clients = reader.at_most(MAX_CLIENTS, piece, "`clients`", parse_client)?;
    if clients.is_empty() {
        reader.mistakes.add(|| Mistake::at(&piece.place(), "`clients` has at least one client"));
    }
    Some(clients.into_iter().map(|client| client.value).collect())
}

fn parse_client(reader: &mut Reader, piece: Piece<'_>) -> Option<Vec<Located<ScenarioCommand>>> {
    let commands = reader.at_most(MAX_COMMANDS, piece, "the commands of a client", parse)?;
    if commands.is_empty() {
        reader.mistakes.add(|| Mistake::at(&piece.place(), "a client has at least one command"));
    }
    Some(commands)
}

fn parse(reader: &mut Reader, piece: Piece<'_>) -> Option<ScenarioCommand> {
    let forms = "a command is ListFiles, Upload(\"FILE\"), UploadAs(\"FILE\", \"NAME\"), Download(\"NAME\"), \
                 DownloadId(\"ID\") or Disconnect";
    let raw = match piece.parse() {
        Ok(raw) => raw,
        Err(error) => {
            reader.mistakes.add(|| syntax::explain_item(piece, &error, "command", forms));
            return None;
        }
    };
    Some(match raw {
        RawCommand::ListFiles => ScenarioCommand::ListFiles,
        RawCommand::Upload(file) => {
            let file = names::mention(reader, piece.inner(file))?;
            ScenarioCommand::Upload { name: file.clone(), file }
        }
        RawCommand::UploadAs(file, name) => {
            let (file, name) =
                (names::mention(reader, piece.inner(file)), names::name(reader, piece.inner(name)));
            ScenarioCommand::Upload { file: file?, name: name? }
        }
        RawCommand::Download(name) => {
            ScenarioCommand::Download { name: names::name(reader, piece.inner(name))? }
        }
        RawCommand::DownloadId(id) => ScenarioCommand::DownloadId { id: parse_id(reader, piece.inner(id))? },
        RawCommand::Disconnect => ScenarioCommand::Disconnect,
    })
}

fn parse_id(reader: &mut Reader, piece: Piece<'_>) -> Option<FileId> {
    let text: String = reader.value(piece, "an id", "text in double quotes")?;
    let id = FileId::parse(&text);
    if id.is_none() {
        let message = "an id has 32 hexadecimal digits, in lower case";
        reader.mistakes.add(|| Mistake::at(&piece.place(), message));
    }
    id
}
