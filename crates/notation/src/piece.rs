//! Stage one of reading: RON splits a file into pieces, each of which knows
//! where it stands. Stage two, in the sibling modules, parses every piece on
//! its own, so that one mistake does not hide the next.
//!
//! RON hands out raw values as slices of the text it was given; where a piece
//! stands is therefore the distance between two addresses.

use std::fmt;
use std::marker::PhantomData;
use std::ops::Range;
use std::sync::Arc;

use ron::error::{Position, SpannedError};
use ron::value::RawValue;
use serde::de::{Deserialize, Deserializer, EnumAccess, MapAccess, VariantAccess, Visitor};

use super::place::{Place, SourceFile};

/// A slice of a scenario file that holds one RON value, without the white
/// space and the comments around it.
#[derive(Clone, Copy)]
pub struct Piece<'a> {
    file: &'a Arc<SourceFile>,
    text: &'a str,
}

impl<'a> Piece<'a> {
    /// The file as one piece.
    pub fn whole(file: &'a Arc<SourceFile>) -> Self {
        Self { file, text: file.text() }
    }

    /// A value inside this piece.
    pub fn inner(self, raw: &'a RawValue) -> Self {
        self.slice(raw.trim().get_ron())
    }

    /// `text`, which is borrowed from the same file.
    pub const fn slice(self, text: &'a str) -> Self {
        Self { file: self.file, text }
    }

    /// It as it stands in the file.
    pub const fn text(self) -> &'a str {
        self.text
    }

    /// Where it stands.
    pub fn place(self) -> Place {
        self.place_of(0..self.text.len())
    }

    /// The place of a range of this piece.
    pub fn place_of(self, range: Range<usize>) -> Place {
        let start = self.text.as_ptr().addr() - self.file.text().as_ptr().addr();
        Place::new(self.file, start + range.start..start + range.end)
    }

    /// Where `error` points to. RON tells what it had just read and where it
    /// stood; which of the two is wrong depends on the error.
    pub fn place_of_error(self, error: &SpannedError) -> Place {
        let start = offset(self.text, error.span.start);
        let end = offset(self.text, error.span.end);
        let range = if blames_what_was_read(error) { start..end } else { end..self.next_char(end) };
        self.place_of(range)
    }

    fn next_char(self, at: usize) -> usize {
        at + self.text[at..].chars().next().map_or(0, char::len_utf8)
    }

    /// Parses this piece alone.
    pub fn parse<T: Deserialize<'a>>(self) -> Result<T, SpannedError> {
        ron::from_str(self.text)
    }

    /// What stands here, in plain words.
    pub fn kind(self) -> String {
        let shown = super::suggest::shortened(self.text);
        match self.text.chars().next() {
            None => "nothing".to_owned(),
            Some('"') => format!("the text {shown}"),
            Some('0'..='9' | '+' | '-' | '.') => format!("the number {shown}"),
            Some('[') => "a list".to_owned(),
            Some('{') => "a map".to_owned(),
            Some('(') => "something in brackets".to_owned(),
            Some('\'') => format!("the character {shown}"),
            Some(_) => format!("`{shown}`"),
        }
    }
}

const fn blames_what_was_read(error: &SpannedError) -> bool {
    use ron::Error::{
        DuplicateStructField, ExpectedDifferentStructName, ExpectedStringEnd, NoSuchEnumVariant,
        NoSuchStructField,
    };
    matches!(
        error.code,
        NoSuchEnumVariant { .. }
            | NoSuchStructField { .. }
            | DuplicateStructField { .. }
            | ExpectedDifferentStructName { .. }
            | ExpectedStringEnd
    )
}

/// The byte offset of a line and column, both from 1, the column in characters.
fn offset(text: &str, position: Position) -> usize {
    let mut lines = text.split_inclusive('\n');
    let before: usize = lines.by_ref().take(position.line.saturating_sub(1)).map(str::len).sum();
    let line = lines.next().unwrap_or("");
    let column = line.char_indices().nth(position.col.saturating_sub(1)).map_or(line.len(), |(at, _)| at);
    before + column
}

/// The fields of a `Scenario(...)` in the order they stand there, known and
/// unknown, once or twice: judging them is stage two's business.
pub struct Fields<'a>(pub Vec<(&'a str, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Fields<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_struct("Scenario", &[], Pairs::new("a scenario")).map(Self)
    }
}

/// The entries of a RON map, in order and with repeated keys, which a map type
/// would swallow.
pub struct Entries<'a>(pub Vec<(&'a RawValue, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Entries<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Pairs::new("a map")).map(Self)
    }
}

/// A word with fields, such as `Flip(in: Upload, bit: 3)`, both known and unknown.
pub struct Item<'a> {
    /// Its first word.
    pub word: &'a str,
    /// The fields in its parentheses.
    pub fields: Fields<'a>,
}

impl<'de: 'a, 'a> Deserialize<'de> for Item<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_enum("", &[], ItemVisitor)
    }
}

struct ItemVisitor;

impl<'de> Visitor<'de> for ItemVisitor {
    type Value = Item<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a word with fields")
    }

    fn visit_enum<A: EnumAccess<'de>>(self, item: A) -> Result<Self::Value, A::Error> {
        let (Word(word), body) = item.variant()?;
        let fields = Fields(body.struct_variant(&[], Pairs::new("fields"))?);
        Ok(Item { word, fields })
    }
}

/// An identifier, which `&str` alone would take for a text in quotes.
struct Word<'a>(&'a str);

impl<'de: 'a, 'a> Deserialize<'de> for Word<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_identifier(WordVisitor)
    }
}

struct WordVisitor;

impl<'de> Visitor<'de> for WordVisitor {
    type Value = Word<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a word")
    }

    fn visit_borrowed_str<E>(self, word: &'de str) -> Result<Self::Value, E> {
        Ok(Word(word))
    }
}

struct Pairs<K, V> {
    expecting: &'static str,
    types: PhantomData<(K, V)>,
}

impl<K, V> Pairs<K, V> {
    const fn new(expecting: &'static str) -> Self {
        Self { expecting, types: PhantomData }
    }
}

impl<'de, K: Deserialize<'de>, V: Deserialize<'de>> Visitor<'de> for Pairs<K, V> {
    type Value = Vec<(K, V)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.expecting)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut pairs = Vec::new();
        while let Some(pair) = map.next_entry()? {
            pairs.push(pair);
        }
        Ok(pairs)
    }
}
