//! The faults of an audit file.

use super::{Given, env, inside, or, word_of};
use crate::spec::{ExtraEnv, FaultItem};
use crate::trials::MAX_TRIALS;
use faults::{Direction, Fault, Layer, MAX_FAULTS, Region};
use notation::ScenarioError;
use notation::error::Mistake;
use notation::fault;
use notation::piece::Piece;
use notation::place::Located;
use notation::reader::Reader;

/// The faults that an audit of this direction lists.
pub(super) fn parse(
    reader: &mut Reader,
    piece: Piece<'_>,
    transfer: Option<Direction>,
) -> Option<Vec<Located<FaultItem>>> {
    let trials =
        reader.at_most(MAX_TRIALS, piece, "`faults`", |reader, piece| wanted(reader, piece, transfer))?;
    if trials.is_empty() {
        reader.mistakes.add(|| Mistake::at(&piece.place(), "an audit tries at least one fault"));
    }
    Some(trials)
}

/// Reads one item of `faults` of an audit of this direction. `origin` is where it comes from, as `--fault`.
pub(crate) fn parse_one(
    text: &str,
    origin: &str,
    transfer: Direction,
) -> Result<Located<FaultItem>, ScenarioError> {
    notation::parse_fault_with(text, origin, |reader, piece| wanted(reader, piece, Some(transfer)))
}

fn wanted(reader: &mut Reader, piece: Piece<'_>, transfer: Option<Direction>) -> Option<FaultItem> {
    if piece.text() == "Default" {
        return Some(FaultItem::Default);
    }
    if word_of(piece) == "Env" {
        return extra_env(reader, piece).map(FaultItem::Env);
    }
    if word_of(piece) != "Together" {
        return fault(reader, piece, transfer).map(|fault| FaultItem::Faults(vec![fault]));
    }
    let inner = inside(piece);
    if inner.is_none() {
        reader.mistakes.add(|| Mistake::at(&piece.place(), "this is written Together([FAULT, FAULT])"));
    }
    let faults =
        reader.at_most(MAX_FAULTS, inner?, "`Together`", |reader, piece| fault(reader, piece, transfer))?;
    if faults.is_empty() {
        reader.mistakes.add(|| Mistake::at(&piece.place(), "there is no fault in this"));
    }
    Some(FaultItem::Faults(faults.into_iter().map(|fault| fault.value).collect()))
}

const EXTRA_ENV: &str =
    "this is written Env(server: { \"NAME\": \"VALUE\" }, client: { \"NAME\": \"VALUE\" })";

fn extra_env(reader: &mut Reader, piece: Piece<'_>) -> Option<ExtraEnv> {
    let given = Given::new(reader, piece, "Env", &["server", "client"], EXTRA_ENV)?;
    let found = ExtraEnv {
        server: or(&given, "server", Vec::new(), |piece| env(reader, piece)),
        client: or(&given, "client", Vec::new(), |piece| env(reader, piece)),
    };
    if found.is_empty() && given.meant.is_empty() {
        let message = "this changes nothing in the environment of either program";
        reader.mistakes.add(|| Mistake::at(&piece.place(), message).help(EXTRA_ENV.to_owned()));
    }
    Some(found)
}

fn fault(reader: &mut Reader, piece: Piece<'_>, transfer: Option<Direction>) -> Option<Fault> {
    let fault = fault::parse(reader, piece)?;
    let (message, help) = match (fault.effect.layer(), fault.region, transfer) {
        (Layer::Disk | Layer::Network, ..) => (
            "an audit reaches only what goes over the wire",
            "`Delay`, `Stall` and `Reset` do the like to a stream",
        ),
        (_, Region::Step(_), _) => (
            "an audit does not know the steps of a protocol",
            "here `in` is Upload, Download, ToServer or ToClient",
        ),
        (_, Region::Upload, Some(Direction::Download)) => {
            ("this audit is of a download", "here `in` is Download, ToServer or ToClient")
        }
        (_, Region::Download, Some(Direction::Upload)) => {
            ("this audit is of an upload", "here `in` is Upload, ToServer or ToClient")
        }
        _ => return Some(fault),
    };
    reader.mistakes.add(|| Mistake::at(&piece.place(), message).help(help.to_owned()));
    None
}
