//! File names in scenario files.

use notation::Located;
use notation::piece::Piece;
use notation::reader::Reader;
use protocol::FileName;

/// Parses a file name.
pub(super) fn name(reader: &mut Reader, piece: Piece<'_>) -> Option<FileName> {
    reader.checked(piece, "a file name", FileName::parse)
}

/// Parses a file name that has to be declared under `files`.
pub(super) fn mention(reader: &mut Reader, piece: Piece<'_>) -> Option<FileName> {
    let name = name(reader, piece)?;
    reader.mentions.push(Located { value: name.to_string(), place: piece.place() });
    Some(name)
}
