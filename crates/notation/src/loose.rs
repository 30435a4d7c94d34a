//! Faults that stand in no scenario: one in an option of the command line, or a list in a file of its own.

use std::path::Path;
use std::sync::Arc;

use super::error::{Mistake, ScenarioError};
use super::piece::Piece;
use super::place::{Located, SourceFile};
use super::reader::Reader;
use super::{fault, read, syntax};
use faults::{Fault, MAX_FAULTS};

/// Reads the one fault in `text`, for a live stream. `origin` is where it comes from, as `--fault`, and is named in place of
/// a file.
///
/// # Errors
/// Every mistake that was found.
pub fn parse_fault(text: &str, origin: &str) -> Result<Located<Fault>, ScenarioError> {
    let reader = Reader { is_live: true, ..Reader::default() };
    parse_one(text, origin, reader, fault::parse)
}

/// Reads the one fault in `text` as one of a scenario. Whether that has the step which it may name is for later.
///
/// # Errors
/// Every mistake that was found.
pub fn parse_scenario_fault(text: &str, origin: &str) -> Result<Located<Fault>, ScenarioError> {
    parse_one(text, origin, Reader::default(), fault::parse)
}

/// Reads the one value in `text`, which `parse` takes for a fault or something of the kind.
///
/// # Errors
/// Every mistake that was found.
pub fn parse_one<T>(
    text: &str,
    origin: &str,
    mut reader: Reader,
    parse: impl FnOnce(&mut Reader, Piece<'_>) -> Option<T>,
) -> Result<Located<T>, ScenarioError> {
    let file = SourceFile::new(Path::new(origin), text.to_owned());
    let piece = syntax::value(&file, &fault::shape(reader.is_live))?;
    if piece.text().starts_with('[') {
        let elsewhere = if reader.is_live { "; a list goes into a file of its own" } else { "" };
        let help = format!("give {origin} once for each fault{elsewhere}");
        return Err(Mistake::at(&piece.place(), "this is a list: one fault is expected").help(help).into());
    }
    let value = parse(&mut reader, piece);
    let place = piece.place();
    finish(reader, &file, value.map(|value| Located { value, place }))
}

/// Reads the list of faults in the file at `path`, at most [`MAX_FAULTS`] of them, written as in a scenario.
///
/// # Errors
/// Every mistake that was found: in reading the file, in its form, or in what it says.
pub fn load_faults(path: &Path) -> Result<Vec<Located<Fault>>, ScenarioError> {
    let text = read::text(path).map_err(|problem| problem.mistake(path))?;
    let file = SourceFile::new(path, text);
    let piece = syntax::value(&file, "a list of faults is written [Flip(in: ToServer, at: 1_000, bit: 3)]")?;
    let mut reader = Reader { is_live: true, ..Reader::default() };
    let faults = reader.at_most(MAX_FAULTS, piece, "the list of faults", fault::parse);
    finish(reader, &file, faults)
}

/// The value that was read from `file`, or all mistakes of it.
///
/// # Errors
/// If there was any mistake.
pub fn finish<T>(mut reader: Reader, file: &Arc<SourceFile>, value: Option<T>) -> Result<T, ScenarioError> {
    reader.mistakes.sort_from(0, file.path());
    reader.mistakes.into_result()?;
    // Without a mistake there is a value; this line is for the type only.
    value.ok_or_else(|| Mistake::of_file(file.path(), "cannot be read").into())
}
