//! What RON's parser says about a file it cannot split into pieces, in plain
//! words and at the place where the mistake was made.

use std::sync::Arc;

use ron::error::{Error, SpannedError};
use ron::value::RawValue;

use super::brackets::{self, Unclosed};
use super::error::Mistake;
use super::piece::{Fields, Piece};
use super::place::SourceFile;
use super::suggest;

/// How a scenario is written.
const SCENARIO: &str = "a scenario is written Scenario(about: \"...\", steps: [...])";

/// Stage one: the fields of the scenario in `file`.
pub fn fields(file: &Arc<SourceFile>) -> Result<Fields<'_>, Mistake> {
    let whole = Piece::whole(file);
    refuse_extensions(whole, SCENARIO)?;
    whole.parse().map_err(|error| explain(whole, &error, SCENARIO))
}

/// Stage one for a file with one value, which is written as `shape` says: that value without the comments
/// around it, once all of the file can be read as RON.
pub fn value<'a>(file: &'a Arc<SourceFile>, shape: &str) -> Result<Piece<'a>, Mistake> {
    let whole = Piece::whole(file);
    if whole.text().trim().is_empty() {
        return Err(Mistake::at(&whole.place(), "there is nothing here").help(shape.to_owned()));
    }
    refuse_extensions(whole, shape)?;
    let raw: &RawValue = whole.parse().map_err(|error| explain(whole, &error, shape))?;
    Ok(whole.inner(raw))
}

/// Extensions change what the text means and some make parsing slow in the
/// depth of the nesting, so they are refused before anything is read.
fn refuse_extensions(whole: Piece<'_>, shape: &str) -> Result<(), Mistake> {
    let ron = ron::Deserializer::from_str(whole.text()).map_err(|error| explain(whole, &error, shape))?;
    if ron.extensions().is_empty() {
        return Ok(());
    }
    let message = "extensions of RON are not part of a scenario file";
    Err(Mistake::at(&whole.place(), message).help("remove the `#![enable(...)]`".to_owned()))
}

/// Why `piece` is not an item of some `kind`. `forms` says how one is written.
pub fn explain_item(piece: Piece<'_>, error: &SpannedError, kind: &str, forms: &str) -> Mistake {
    let place = piece.place_of_error(error);
    let mistake = match &error.code {
        Error::NoSuchEnumVariant { expected, found, .. } => {
            Mistake::at(&place, suggest::unknown(kind, found, *expected))
        }
        _ if !piece.text().starts_with(char::is_alphabetic) => {
            Mistake::at(&piece.place(), format!("{} cannot be {}", with_article(kind), piece.kind()))
        }
        code => Mistake::at(&place, plain_words(code)),
    };
    mistake.help(forms.to_owned())
}

fn with_article(noun: &str) -> String {
    let article = if noun.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
    format!("{article} {noun}")
}

fn explain(whole: Piece<'_>, error: &SpannedError, shape: &str) -> Mistake {
    let place = whole.place_of_error(error);
    let text = whole.text();
    if matches!(RawValue::from_ron(text), Err(SpannedError { code: Error::Eof, .. })) && is_start(&error.code)
    {
        return Mistake::at(&place, "the file is empty").help(shape.to_owned());
    }
    if let Some(start) = brackets::runaway_text(text, place.start()) {
        return Mistake::at(&whole.place_of(start..place.start()), "this text runs on over several lines")
            .help("is its closing quote missing?".to_owned());
    }
    match unclosed(text, &error.code).filter(|bracket| bracket.open < place.start().max(1)) {
        Some(bracket) => explain_bracket(whole, &bracket),
        None => Mistake::at(&place, plain_words(&error.code))
            .help(is_start(&error.code).then(|| shape.to_owned())),
    }
}

/// Whether the parser missed the very beginning of a scenario.
const fn is_start(code: &Error) -> bool {
    matches!(code, Error::ExpectedNamedStructLike(_) | Error::ExpectedDifferentStructName { .. })
}

/// An open bracket explains the error unless the error is one of those that
/// would confuse the search for it, or that no bracket can cause.
fn unclosed(text: &str, code: &Error) -> Option<Unclosed> {
    let unrelated = matches!(
        code,
        Error::ExpectedStringEnd
            | Error::UnclosedBlockComment
            | Error::InvalidEscape(_)
            | Error::ExceededRecursionLimit
            | Error::ExpectedDifferentStructName { .. }
    );
    if unrelated { None } else { brackets::unclosed(text) }
}

fn explain_bracket(whole: Piece<'_>, bracket: &Unclosed) -> Mistake {
    let open = &whole.text()[bracket.open..=bracket.open];
    let missed = whole.place_of(bracket.missed..bracket.missed);
    let help = format!(
        "a `{}` is missing before line {}, column {}",
        bracket.wanted,
        missed.line(),
        missed.column()
    );
    Mistake::at(&whole.place_of(bracket.open..bracket.open + 1), format!("this `{open}` is never closed"))
        .help(help)
}

/// RON's own wording speaks of structs and enums, which a scenario has none of.
pub fn plain_words(code: &Error) -> String {
    match code {
        Error::Eof => "the file ends in the middle".to_owned(),
        Error::ExpectedComma => "expected a comma before this".to_owned(),
        Error::ExpectedArray => "expected a list, which begins with `[`".to_owned(),
        Error::ExpectedArrayEnd => "expected `]`".to_owned(),
        Error::ExpectedMap => "expected a map, which begins with `{`".to_owned(),
        Error::ExpectedMapColon => "expected `:`".to_owned(),
        Error::ExpectedMapEnd => "expected `}`".to_owned(),
        Error::ExpectedStructLike => "expected `(`".to_owned(),
        Error::ExpectedNamedStructLike(name) => format!("expected `{name}(`"),
        Error::ExpectedStructLikeEnd => "expected `)`".to_owned(),
        Error::ExpectedString => "expected text in double quotes".to_owned(),
        Error::ExpectedStringEnd => "this text has no closing quote".to_owned(),
        Error::ExpectedDifferentLength { .. } => "something is missing before this".to_owned(),
        Error::ExpectedIdentifier => "expected a name".to_owned(),
        Error::UnclosedBlockComment => "a comment that begins with `/*` is never closed".to_owned(),
        Error::UnexpectedChar(c) => format!("did not expect {c:?} here"),
        Error::TrailingCharacters => "nothing may follow here".to_owned(),
        Error::ExceededRecursionLimit => "brackets are nested too deep".to_owned(),
        Error::ExpectedDifferentStructName { expected, found } => {
            suggest::unknown("file type", found, [*expected])
        }
        Error::SuggestRawIdentifier(word) => format!("{} is not a name", suggest::quoted(word)),
        other => format!("this is not valid RON: {}", suggest::shortened(&other.to_string())),
    }
}
