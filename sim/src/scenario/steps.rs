//! Stage two for steps: from one piece of a file to one [`Step`].

use protocol::FileName;
use ron::error::{Error, SpannedError};
use ron::value::RawValue;
use serde::Deserialize;

use super::names;
use super::step::{ClientStep, ServerStep, Step, StepClaim};
use notation::error::Mistake;
use notation::piece::Piece;
use notation::reader::Reader;
use notation::{suggest, syntax};

/// How each step is written: what a mistake is compared with, and shown as.
const FORMS: [&str; 21] = [
    "Client(Start)",
    "Client(Connect)",
    "Client(ListFiles)",
    "Client(Upload(\"NAME\"))",
    "Client(Details)",
    "Client(SendFile)",
    "Client(Compare(Success))",
    "Client(Download(\"NAME\"))",
    "Client(SendId)",
    "Client(ReceiveFile(Success))",
    "Client(Disconnect)",
    "Server(Listen)",
    "Server(NoFiles)",
    "Server(AskDetails)",
    "Server(Ready)",
    "Server(ReceiveFile)",
    "Server(SaveFile)",
    "Server(SendHash)",
    "Server(Files([\"NAME\"]))",
    "Server(AskId)",
    "Server(SendFile)",
];

// The mirrors of the public types, with names still unparsed, so that a bad
// name has a place of its own.

#[derive(Deserialize)]
#[serde(rename = "step")]
enum RawStep<'a> {
    #[serde(borrow)]
    Client(RawClientStep<'a>),
    Server(RawServerStep<'a>),
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename = "Client")]
enum RawClientStep<'a> {
    Start,
    Connect,
    ListFiles,
    #[serde(borrow)]
    Upload(&'a RawValue),
    Details,
    SendFile,
    Compare(StepClaim),
    Download(&'a RawValue),
    SendId,
    ReceiveFile(StepClaim),
    Disconnect,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename = "Server")]
enum RawServerStep<'a> {
    Listen,
    NoFiles,
    AskDetails,
    Ready,
    ReceiveFile,
    SaveFile,
    SendHash,
    #[serde(borrow)]
    Files(&'a RawValue),
    AskId,
    SendFile,
}

/// The step in `piece`, or a mistake in `reader`. The file names it mentions
/// are noted there too.
pub(super) fn parse(reader: &mut Reader, piece: Piece<'_>) -> Option<Step> {
    match piece.parse() {
        Ok(RawStep::Client(raw)) => client(reader, piece, raw).map(Step::Client),
        Ok(RawStep::Server(raw)) => server(reader, piece, raw).map(Step::Server),
        Err(error) => {
            reader.mistakes.add(|| explain(piece, &error));
            None
        }
    }
}

fn client(reader: &mut Reader, piece: Piece<'_>, raw: RawClientStep<'_>) -> Option<ClientStep> {
    Some(match raw {
        RawClientStep::Start => ClientStep::Start,
        RawClientStep::Connect => ClientStep::Connect,
        RawClientStep::ListFiles => ClientStep::ListFiles,
        RawClientStep::Upload(name) => ClientStep::Upload(names::mention(reader, piece.inner(name))?),
        RawClientStep::Details => ClientStep::Details,
        RawClientStep::SendFile => ClientStep::SendFile,
        RawClientStep::Compare(claim) => ClientStep::Compare(claim),
        RawClientStep::Download(name) => ClientStep::Download(names::mention(reader, piece.inner(name))?),
        RawClientStep::SendId => ClientStep::SendId,
        RawClientStep::ReceiveFile(claim) => ClientStep::ReceiveFile(claim),
        RawClientStep::Disconnect => ClientStep::Disconnect,
    })
}

fn server(reader: &mut Reader, piece: Piece<'_>, raw: RawServerStep<'_>) -> Option<ServerStep> {
    Some(match raw {
        RawServerStep::Listen => ServerStep::Listen,
        RawServerStep::NoFiles => ServerStep::NoFiles,
        RawServerStep::AskDetails => ServerStep::AskDetails,
        RawServerStep::Ready => ServerStep::Ready,
        RawServerStep::ReceiveFile => ServerStep::ReceiveFile,
        RawServerStep::SaveFile => ServerStep::SaveFile,
        RawServerStep::SendHash => ServerStep::SendHash,
        RawServerStep::Files(list) => ServerStep::Files(listing(reader, piece.inner(list))?),
        RawServerStep::AskId => ServerStep::AskId,
        RawServerStep::SendFile => ServerStep::SendFile,
    })
}

/// An empty listing is another message on the wire, and so another step.
fn listing(reader: &mut Reader, piece: Piece<'_>) -> Option<Vec<FileName>> {
    let names = reader.list(piece, "the files of a listing", names::mention)?;
    if names.is_empty() {
        let help = "a listing without files is written Server(NoFiles)".to_owned();
        reader.mistakes.add(|| Mistake::at(&piece.place(), "this listing names no file").help(help));
        return None;
    }
    Some(names.into_iter().map(|name| name.value).collect())
}

fn explain(piece: Piece<'_>, error: &SpannedError) -> Mistake {
    let place = piece.place_of_error(error);
    match &error.code {
        Error::NoSuchEnumVariant { expected, found, outer } => {
            let (message, help) = unknown(outer.as_deref().unwrap_or("step"), found, expected);
            Mistake::at(&place, message).help(help)
        }
        _ if !piece.text().starts_with(char::is_alphabetic) => {
            Mistake::at(&piece.place(), format!("a step cannot be {}", piece.kind()))
                .help("a step is written Client(...) or Server(...)".to_owned())
        }
        code => {
            let help = form_of(piece.text()).map(|form| format!("this step is written {form}"));
            Mistake::at(&place, syntax::plain_words(code)).help(help)
        }
    }
}

/// The message and the help for a word that is not one of `expected` inside
/// `outer`, which is `step`, `Client`, `Server` or `claim`.
fn unknown(outer: &str, found: &str, expected: &[&'static str]) -> (String, Option<String>) {
    if outer == "claim" {
        return (suggest::unknown("claim", found, expected), None);
    }
    // A step of the other side, spelt right, beats a slip of the keyboard.
    let suggestion = form_named(found)
        .or_else(|| suggest::nearest(found, expected.iter().copied()).map(str::to_owned))
        .or_else(|| suggest::nearest(found, FORMS.map(|form| split(form).1)).and_then(form_named));
    let mut message = format!("unknown step {}", suggest::quoted(found));
    let help = match suggestion {
        Some(near) => {
            message += &format!(", did you mean \"{near}\"?");
            form_of(&format!("{outer}({near})")).map(|form| format!("it is written {form}"))
        }
        None if outer == "step" => Some("a step is written Client(...) or Server(...)".to_owned()),
        None => Some(format!("the steps of the {} are {}", outer.to_lowercase(), expected.join(", "))),
    };
    (message, help)
}

/// `("Client", "Upload")` of `Client(Upload("NAME"))`.
fn split(form: &str) -> (&str, &str) {
    let mut words = form.split(['(', ')']).map(str::trim);
    (words.next().unwrap_or(""), words.next().unwrap_or(""))
}

/// `Client(Upload(...))` for `Upload`.
fn form_named(name: &str) -> Option<String> {
    let form = FORMS.into_iter().find(|form| split(form).1 == name);
    form.map(|form| form.replace("\"NAME\"", "..."))
}

/// How the step that `text` seems to mean is written.
fn form_of(text: &str) -> Option<&'static str> {
    FORMS.into_iter().find(|form| split(form) == split(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variants(side: &str) -> &'static [&'static str] {
        let error = ron::from_str::<RawStep<'_>>(&format!("{side}(Nothing)")).err().map(|error| error.code);
        match error {
            Some(Error::NoSuchEnumVariant { expected, .. }) => expected,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn every_form_is_a_step_and_every_step_has_a_form() {
        for form in FORMS {
            assert!(ron::from_str::<RawStep<'_>>(form).is_ok(), "{form}");
        }
        for side in ["Client", "Server"] {
            let forms: Vec<&str> =
                FORMS.into_iter().filter(|form| split(form).0 == side).map(|form| split(form).1).collect();
            assert_eq!(forms, variants(side));
        }
    }
}
