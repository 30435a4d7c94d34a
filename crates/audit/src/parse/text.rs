//! Text of an audit file that becomes a command line, a path, or a value in an environment.

use ron::value::RawValue;

use crate::sent::leads_out;
use crate::spec::{MAX_BEFORE, MAX_ENV};
use notation::error::Mistake;
use notation::piece::{Entries, Piece};
use notation::reader::Reader;
use notation::suggest;
use process::{Placeholder, Template, TemplateError};

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
    let text = text(reader, piece, what)?;
    parsed(reader, piece, &text, Template::parse(&text, &Placeholder::ALL))
}

fn text(reader: &mut Reader, piece: Piece<'_>, what: &str) -> Option<String> {
    let text: String = reader.value(piece, what, "text in double quotes")?;
    if text.contains('\0') {
        reader.mistakes.add(|| Mistake::at(&piece.place(), "no program can be given a NUL"));
        return None;
    }
    Some(text)
}

/// A template, if it is right.
fn parsed(
    reader: &mut Reader,
    piece: Piece<'_>,
    text: &str,
    template: Result<Template, TemplateError>,
) -> Option<Template> {
    let (place, message) = match template {
        Ok(template) => return Some(template),
        Err(TemplateError::Unknown { name, at, known }) => {
            // Without escapes the text stands in the file as it is, one quote further.
            let plain = piece.text().get(1..).is_some_and(|rest| rest.starts_with(text));
            let place = if plain { piece.place_of(1 + at..1 + at + name.len()) } else { piece.place() };
            (place, suggest::unknown("placeholder", &name, known.iter().map(|it| it.name())))
        }
        Err(error) => (piece.place(), error.to_string()),
    };
    reader.mistakes.add(|| Mistake::at(&place, message));
    None
}

/// The path of a file, which cannot say where it is by itself.
pub(super) fn path_of_file(reader: &mut Reader, piece: Piece<'_>, what: &str) -> Option<Template> {
    let path = path(reader, piece, what)?;
    let message = match path.text() {
        text if text.is_empty() || text.ends_with('/') => format!("{what} is the path of a file"),
        _ if path.has(Placeholder::File) || path.has(Placeholder::Received) => {
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
    if !leads_out(&path) {
        return Some(path);
    }
    let message = format!("{what} leads out of the directories of the run, by `..`");
    let help =
        "a path in them begins with {server} or {client}; one elsewhere is absolute, or begins with {here}";
    reader.mistakes.add(|| Mistake::at(&piece.place(), message).help(help.to_owned()));
    None
}

pub(super) fn command(reader: &mut Reader, piece: Piece<'_>, what: &str) -> Option<Template> {
    let text = text(reader, piece, what)?;
    parsed(reader, piece, &text, Template::parse_command(&text, &Placeholder::ALL))
}
