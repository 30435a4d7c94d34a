//! Stage two for what all fields have in common: values of a type, lists of
//! items, file names. A mistake is noted and reading goes on.

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::time::Duration;

use ron::error::{Error, SpannedError};
use ron::value::RawValue;
use serde::de::Deserialize;

use super::error::{Mistake, Mistakes};
use super::piece::Piece;
use super::place::Located;
use super::suggest;
use faults::grouped;

/// The longest time that a file can ask for.
pub const MAX_DEADLINE: Duration = Duration::from_secs(24 * 60 * 60);

/// The shortest time that is any time at all.
pub const SHORTEST: Duration = Duration::from_nanos(1);

/// What one reading has found so far.
#[derive(Default)]
pub struct Reader {
    /// Every mistake so far.
    pub mistakes: Mistakes,
    /// Every file name that a step or a command mentions, where it stands.
    pub mentions: Vec<Located<String>>,
    /// Whether this is for a live stream, where nobody knows of an upload: advice then speaks of none.
    pub is_live: bool,
    /// The number of every step that a fault names, where it stands.
    pub steps_named: Vec<Located<usize>>,
}

impl Reader {
    /// Parses a value that is one word, number or text. `what` is its role and
    /// `wanted` what it has to be, as in "`seed` must be a whole number".
    pub fn value<'a, T: Deserialize<'a>>(&mut self, piece: Piece<'a>, what: &str, wanted: &str) -> Option<T> {
        let value = piece.parse().ok();
        if value.is_none() {
            let message = || format!("{what} must be {wanted}, not {}", piece.kind());
            self.mistakes.add(|| Mistake::at(&piece.place(), message()));
        }
        value
    }

    /// Parses a value that begins with one of several words. `kind` is what
    /// these words are, as in "unknown transport".
    pub fn word<'a, T: Deserialize<'a>>(
        &mut self,
        piece: Piece<'a>,
        kind: &str,
        what: &str,
        wanted: &str,
    ) -> Option<T> {
        let error = match piece.parse() {
            Ok(value) => return Some(value),
            Err(error) => error,
        };
        if let SpannedError { code: Error::NoSuchEnumVariant { expected, found, .. }, .. } = &error {
            let message = || suggest::unknown(kind, found, *expected);
            self.mistakes.add(|| Mistake::at(&piece.place_of_error(&error), message()));
            return None;
        }
        self.value(piece, what, wanted)
    }

    /// Parses a whole number in `range`.
    pub fn whole(&mut self, piece: Piece<'_>, what: &str, range: RangeInclusive<u64>) -> Option<u64> {
        let number = piece.parse().ok().filter(|number| range.contains(number));
        if number.is_none() {
            let (least, most) = (grouped(*range.start()), grouped(*range.end()));
            let most = if *range.end() == u64::MAX { "on".to_owned() } else { format!("to {most}") };
            let message =
                || format!("{what} must be a whole number from {least} {most}, not {}", piece.kind());
            self.mistakes.add(|| Mistake::at(&piece.place(), message()));
        }
        number
    }

    /// Parses a time in seconds, whole or not, from `least` to [`MAX_DEADLINE`].
    pub fn seconds(&mut self, piece: Piece<'_>, what: &str, least: Duration) -> Option<Duration> {
        let time = match piece.parse() {
            Ok(whole) => Some(Duration::from_secs(whole)),
            Err(_) => Duration::try_from_secs_f64(self.value(piece, what, "a number of seconds")?).ok(),
        };
        let time = time.filter(|time| (least..=MAX_DEADLINE).contains(time));
        if time.is_none() {
            let least = if least.is_zero() { "at least 0" } else { "more than 0" };
            let message = format!("{what} must be {least} and at most {} seconds", MAX_DEADLINE.as_secs());
            self.mistakes.add(|| Mistake::at(&piece.place(), message));
        }
        time
    }

    /// Parses a list, each item on its own: all mistakes are found, and every
    /// item knows its place. `None` if there was a mistake in any.
    pub fn list<'a, T>(
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

    /// Parses a list as [`list`](Self::list) does, of at most `most` items.
    pub fn at_most<'a, T>(
        &mut self,
        most: usize,
        piece: Piece<'a>,
        what: &str,
        mut parse: impl FnMut(&mut Self, Piece<'a>) -> Option<T>,
    ) -> Option<Vec<Located<T>>> {
        let mut count = 0;
        self.list(piece, what, |reader, item| {
            count += 1;
            if count == most + 1 {
                let message = || format!("{what} can have at most {most} items, and here is one more");
                reader.mistakes.add(|| Mistake::at(&item.place(), message()));
            }
            if count > most { None } else { parse(reader, item) }
        })
    }

    /// Parses text in double quotes that has to pass `check`. `what` is its role, as in "a file name".
    pub fn checked<T, E: Display>(
        &mut self,
        piece: Piece<'_>,
        what: &str,
        check: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        let text: String = self.value(piece, what, "text in double quotes")?;
        match check(&text) {
            Ok(value) => Some(value),
            Err(error) => {
                self.mistakes.add(|| Mistake::at(&piece.place(), error.to_string()));
                None
            }
        }
    }

    /// Parses pairs of hexadecimal digits; white space may stand anywhere. `what` is their role, as in "`Hex` needs".
    pub fn hex(&mut self, piece: Piece<'_>, what: &str) -> Option<Vec<u8>> {
        let text: String = self.value(piece, what, "text in double quotes")?;
        let mut digits = Vec::new();
        for (at, c) in text.char_indices().filter(|&(_, c)| !c.is_ascii_whitespace()) {
            let Some(digit) = c.to_digit(16) else {
                self.mistakes.add(|| bad_digit(piece, &text, at, c));
                return None;
            };
            digits.push(digit);
        }
        if digits.len() % 2 == 1 {
            let message = format!("{what} needs two digits for each byte, and these are {}", digits.len());
            self.mistakes.add(|| Mistake::at(&piece.place(), message));
            return None;
        }
        digits.chunks_exact(2).map(|pair| u8::try_from(pair[0] * 16 + pair[1]).ok()).collect()
    }
}

fn bad_digit(piece: Piece<'_>, text: &str, at: usize, c: char) -> Mistake {
    // Without escapes the text stands in the file as it is, one quote further.
    let plain = piece.text().get(1..).is_some_and(|rest| rest.starts_with(text));
    let place = if plain { piece.place_of(1 + at..1 + at + c.len_utf8()) } else { piece.place() };
    Mistake::at(&place, format!("{c:?} is not a hexadecimal digit"))
}
