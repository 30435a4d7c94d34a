//! How programs say how it went, in an audit file.

use super::text::path;
use super::{Given, inside, text_in, word_of};
use crate::spec::{Audit, Leftover, Pattern, Signal};
use notation::error::Mistake;
use notation::piece::Piece;
use notation::reader::Reader;
use notation::suggest;

const SIGNALS: &str = "a signal is Exit(0), Exit([1, 2]), Line(\"PATTERN\") or File(\"PATH\")";

/// `Line("PATTERN")`.
pub(super) fn pattern(reader: &mut Reader, piece: Piece<'_>, form: &str) -> Option<Pattern> {
    if word_of(piece) != "Line" {
        let message = suggest::unknown("word", word_of(piece), ["Line"]);
        reader.mistakes.add(|| Mistake::at(&piece.place(), message).help(form.to_owned()));
        return None;
    }
    let text = text_in(reader, piece, "Line(\"PATTERN\")")?;
    match Pattern::new(&text) {
        Ok(pattern) if pattern.is_match("") => {
            let message = "this matches every line, also an empty one";
            reader.mistakes.add(|| Mistake::at(&piece.place(), message));
            None
        }
        Ok(pattern) => Some(pattern),
        Err(error) => {
            let why = error.to_string();
            let why = why.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
            let help = "see https://docs.rs/regex/latest/regex/#syntax".to_owned();
            let message = format!("this is no regular expression: {why}");
            reader.mistakes.add(|| Mistake::at(&piece.place(), message).help(help));
            None
        }
    }
}

/// How a program says something.
pub(super) fn parse(reader: &mut Reader, piece: Piece<'_>) -> Option<Signal> {
    match word_of(piece) {
        "Line" => pattern(reader, piece, SIGNALS).map(Signal::Line),
        "File" => {
            let inner = inside(piece);
            if inner.is_none() {
                reader.mistakes.add(|| Mistake::at(&piece.place(), "this is written File(\"PATH\")"));
            }
            path(reader, inner?, "`File`").map(Signal::File)
        }
        "Exit" => exit(reader, piece).map(Signal::Exit),
        other => {
            let message = suggest::unknown("signal", other, ["Exit", "Line", "File"]);
            reader.mistakes.add(|| Mistake::at(&piece.place(), message).help(SIGNALS.to_owned()));
            None
        }
    }
}

fn exit(reader: &mut Reader, piece: Piece<'_>) -> Option<Vec<i32>> {
    let inner = inside(piece);
    let one = inner.and_then(|inner| inner.parse::<i32>().ok()).map(|code| vec![code]);
    let codes = one.or_else(|| inner.and_then(|inner| inner.parse::<Vec<i32>>().ok()));
    let is_code = |code: &i32| (0..=i32::from(u8::MAX)).contains(code);
    let codes = codes.filter(|codes| !codes.is_empty() && codes.iter().all(is_code));
    if codes.is_none() {
        reader.mistakes.add(|| {
            Mistake::at(&piece.place(), "this is written Exit(0) or Exit([1, 2]), with codes from 0 to 255")
        });
    }
    codes
}

/// One thing cannot say both, and what is asked for has to be possible.
pub(super) fn check(reader: &mut Reader, given: &Given<'_>, audit: &Audit) {
    let is_line = |signal: &Signal| matches!(signal, Signal::Line(_));
    if let (Some(piece), false) =
        (given.get("nth"), is_line(&audit.success) || audit.fail.as_ref().is_some_and(is_line))
    {
        let message = "`nth` is for lines, and neither `success` nor `fail` is a Line";
        reader.mistakes.add(|| Mistake::at(&piece.place(), message));
    }
    if let (Some(piece), None) = (given.get("leaves_no"), &audit.fail)
        && audit.leaves_no == [Leftover::Rejected]
    {
        let message = "without `fail` no file is ever rejected";
        let help = "say how the client says that the check failed, fail: Line(\"...\"); or forbid `Wrong`"
            .to_owned();
        reader.mistakes.add(|| Mistake::at(&piece.place(), message).help(help));
    }
    if let (Signal::Line(success), Some(Signal::Line(fail)), Some(piece)) =
        (&audit.success, &audit.fail, given.get("fail"))
        && success.as_str() == fail.as_str()
    {
        let message = "the same line says `success` as well as `fail`";
        reader.mistakes.add(|| Mistake::at(&piece.place(), message));
    }
    let (Signal::Exit(success), Some(Signal::Exit(fail))) = (&audit.success, &audit.fail) else { return };
    if let (Some(code), Some(piece)) =
        (success.iter().find(|code| fail.contains(code)), given.get("fail").or(given.get("success")))
    {
        let message = format!("exit code {code} says `success` as well as `fail`");
        reader.mistakes.add(|| Mistake::at(&piece.place(), message));
    }
}
