//! Text of an audit file that becomes a command line, a path, or a value in an environment.

use ron::value::RawValue;

use crate::spec::{MAX_BEFORE, MAX_ENV};
use crate::template::{PLACEHOLDERS, Template, unknown};
use notation::error::Mistake;
use notation::piece::{Entries, Piece};
use notation::reader::Reader;
use notation::suggest;

pub(super) fn env(reader: &mut Reader, piece: Piece<'_>) -> Option<Vec<(String, Template)>> {
    let wanted = "a map, as in { \"NAME\": \"VALUE\" }";
    let Entries(entries) = reader.value(piece, "`env`", wanted)?;
    if entries.len() > MAX_ENV {
        reader.mistakes.add(|| Mistake::at(&piece.place(), format!("`env` has at most {MAX_ENV} variables")));
    }
    let entry = |(name, value): (&RawValue, &RawValue)| {
        let name = variable(reader, piece.inner(name));
        let value = template(reader, piece.inner(value), "a value of `env`");
        Some((name?, value?))
    };
    let entries: Vec<_> = entries.into_iter().map(entry).collect();
    entries.into_iter().collect()
}

fn variable(reader: &mut Reader, piece: Piece<'_>) -> Option<String> {
    let name: String = reader.value(piece, "a name in `env`", "text in double quotes")?;
    if name.is_empty() || name.contains(['=', '\0']) {
        reader.mistakes.add(|| Mistake::at(&piece.place(), "this cannot be the name of a variable"));
        return None;
    }
    Some(name)
}

pub(super) fn before(reader: &mut Reader, piece: Piece<'_>) -> Option<Vec<Template>> {
    let commands = reader.at_most(MAX_BEFORE, piece, "`before`", |reader, piece| {
        command(reader, piece, "a command of `before`")
    })?;
    Some(commands.into_iter().map(|command| command.value).collect())
}

/// Text with placeholders that there are.
pub(super) fn template(reader: &mut Reader, piece: Piece<'_>, what: &str) -> Option<Template> {
    let text: String = reader.value(piece, what, "text in double quotes")?;
    if text.contains('\0') {
        reader.mistakes.add(|| Mistake::at(&piece.place(), "no program can be given a NUL"));
        return None;
    }
    let Some((at, name)) = unknown(&text) else { return Some(Template::new(text)) };
    // Without escapes the text stands in the file as it is, one quote further.
    let plain = piece.text().get(1..).is_some_and(|rest| rest.starts_with(&text));
    let place = if plain { piece.place_of(1 + at..1 + at + name.len()) } else { piece.place() };
    let message = suggest::unknown("placeholder", name, PLACEHOLDERS);
    reader.mistakes.add(|| Mistake::at(&place, message));
    None
}

/// The path of a file, which cannot say where it is by itself.
pub(super) fn path_of_file(reader: &mut Reader, piece: Piece<'_>, what: &str) -> Option<Template> {
    let path = path(reader, piece, what)?;
    let message = match path.text() {
        text if text.is_empty() || text.ends_with('/') => format!("{what} is the path of a file"),
        _ if path.has("file") || path.has("received") => {
            format!("{what} cannot be said by {{file}} or {{received}}, which come from it")
        }
        _ => return Some(path),
    };
    reader.mistakes.add(|| Mistake::at(&piece.place(), message));
    None
}

/// A path that is absolute, or does not leave the directories of the run: there nothing is cleared away.
pub(super) fn path(reader: &mut Reader, piece: Piece<'_>, what: &str) -> Option<Template> {
    let path = template(reader, piece, what)?;
    if !path.leads_out() {
        return Some(path);
    }
    let message = format!("{what} leads out of the directories of the run, by `..`");
    let help =
        "a path in them begins with {server} or {client}; one elsewhere is absolute, or begins with {here}";
    reader.mistakes.add(|| Mistake::at(&piece.place(), message).help(help.to_owned()));
    None
}

pub(super) fn command(reader: &mut Reader, piece: Piece<'_>, what: &str) -> Option<Template> {
    let command = template(reader, piece, what)?;
    let message = match shlex::split(command.text()) {
        None => "a quotation mark in this command is never closed",
        Some(words) if words.is_empty() => "this command is empty",
        Some(_) => return Some(command),
    };
    reader.mistakes.add(|| Mistake::at(&piece.place(), message));
    None
}
