//! Stage two for what all fields have in common: values of a type, lists of
//! items, file names. A mistake is noted and reading goes on.

use protocol::FileName;
use ron::value::RawValue;
use serde::de::Deserialize;

use super::error::{Mistake, Mistakes};
use super::piece::Piece;
use super::place::Located;

/// What one reading has found so far.
#[derive(Default)]
pub(super) struct Reader {
    pub(super) mistakes: Mistakes,
    /// Every file name that a step mentions, where it stands.
    pub(super) mentions: Vec<Located<FileName>>,
}

impl Reader {
    /// Parses a value that is one word, number or text. `what` is its role and
    /// `wanted` what it has to be, as in "`seed` must be a whole number".
    pub(super) fn value<'a, T: Deserialize<'a>>(
        &mut self,
        piece: Piece<'a>,
        what: &str,
        wanted: &str,
    ) -> Option<T> {
        let value = piece.parse().ok();
        if value.is_none() {
            let message = || format!("{what} must be {wanted}, not {}", piece.kind());
            self.mistakes.add(|| Mistake::at(&piece.place(), message()));
        }
        value
    }

    /// Parses a list, each item on its own: all mistakes are found, and every
    /// item knows its place. `None` if there was a mistake in any.
    pub(super) fn list<'a, T>(
        &mut self,
        piece: Piece<'a>,
        what: &str,
        mut parse: impl FnMut(&mut Self, Piece<'a>) -> Option<T>,
    ) -> Option<Vec<Located<T>>> {
        let items: Vec<&'a RawValue> = self.value(piece, what, "a list in `[` and `]`")?;
        let parsed: Vec<Option<Located<T>>> = items
            .into_iter()
            .map(|item| {
                let item = piece.inner(item);
                parse(self, item).map(|value| Located { value, place: item.place() })
            })
            .collect();
        parsed.into_iter().collect()
    }

    /// Parses a file name.
    pub(super) fn name(&mut self, piece: Piece<'_>) -> Option<FileName> {
        let text: String = self.value(piece, "a file name", "text in double quotes")?;
        match FileName::parse(&text) {
            Ok(name) => Some(name),
            Err(error) => {
                self.mistakes.add(|| Mistake::at(&piece.place(), error.to_string()));
                None
            }
        }
    }

    /// Parses a file name that has to be declared under `files`.
    pub(super) fn mention(&mut self, piece: Piece<'_>) -> Option<FileName> {
        let name = self.name(piece)?;
        self.mentions.push(Located { value: name.clone(), place: piece.place() });
        Some(name)
    }
}
