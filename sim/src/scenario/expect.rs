//! What a scenario expects of its run, and stage two for it.

use std::fmt;

use protocol::FileName;
use ron::value::RawValue;
use serde::Deserialize;

use super::names;
use faults::Verdict;
use notation::piece::Piece;
use notation::reader::Reader;
use notation::syntax;

/// What is expected of the run.
///
/// Displayed as it is written in a scenario file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expect {
    /// `Upload(Detected)`: the verdict on an upload. The first of these speaks
    /// of the first upload of the run, the second of the second.
    Upload(Verdict),
    /// `Download(Aborted)`: likewise for downloads.
    Download(Verdict),
    /// `Lists(["my_file.jpg"])`: the store lists exactly these names
    /// afterwards. Sorted here, whatever the order in the file; a name stands as
    /// often as it is listed. They need not be files of the scenario, because a
    /// fault can change a name.
    Lists(Vec<FileName>),
}

impl fmt::Display for Expect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A file name's debug form is also how RON writes it.
        write!(f, "{self:?}")
    }
}

/// The mirror of [`Expect`], so that what stands in it has a place of its own.
#[derive(Deserialize)]
#[serde(rename = "expectation")]
enum RawExpect<'a> {
    #[serde(borrow)]
    Upload(&'a RawValue),
    Download(&'a RawValue),
    Lists(&'a RawValue),
}

/// One item of the field `expect`.
pub(super) fn parse(reader: &mut Reader, piece: Piece<'_>) -> Option<Expect> {
    let forms = "an expectation is written Upload(VERDICT), Download(VERDICT) or Lists([\"NAME\"]), as in Upload(Detected)";
    let raw = match piece.parse() {
        Ok(raw) => raw,
        Err(error) => {
            reader.mistakes.add(|| syntax::explain_item(piece, &error, "expectation", forms));
            return None;
        }
    };
    match raw {
        RawExpect::Upload(raw) => verdict(reader, piece.inner(raw)).map(Expect::Upload),
        RawExpect::Download(raw) => verdict(reader, piece.inner(raw)).map(Expect::Download),
        RawExpect::Lists(raw) => {
            let names = reader.list(piece.inner(raw), "the names of `Lists`", names::name)?;
            let mut names: Vec<FileName> = names.into_iter().map(|name| name.value).collect();
            names.sort();
            Some(Expect::Lists(names))
        }
    }
}

fn verdict(reader: &mut Reader, piece: Piece<'_>) -> Option<Verdict> {
    let word: VerdictWord = reader.word(piece, "verdict", "a verdict", "a word such as Detected")?;
    Some(word.0)
}

/// A verdict as it is written in a scenario file.
#[derive(Deserialize)]
#[serde(transparent)]
struct VerdictWord(#[serde(with = "VerdictMirror")] Verdict);

/// The mirror of [`Verdict`], which knows no file format.
#[derive(Deserialize)]
#[serde(rename = "verdict", remote = "Verdict")]
enum VerdictMirror {
    Intact,
    Detected,
    Recovered,
    Aborted,
    FalseAlarm,
    Silent,
    Hung,
    Crashed,
    Inconclusive,
}
