//! The faults of an audit file.

use super::{Given, env, inside, or, word_of};
use crate::spec::{Audit, AuditServer, ExtraEnv, FaultItem};
use crate::trials::{DEFAULT_TRIALS, MAX_TRIALS};
use faults::{Direction, Fault, Layer, MAX_FAULTS, Region, grouped};
use notation::error::{Mistake, ScenarioError};
use notation::fault;
use notation::loose::parse_one;
use notation::piece::Piece;
use notation::place::Located;
use notation::reader::Reader;

impl Audit {
    /// Reads one item as it stands in the list `faults` of this audit: a fault, `Default`, `Together` or `Env`. `origin` is
    /// where it comes from, as `--fault`, and is named in place of a file.
    ///
    /// # Errors
    /// Every mistake that was found.
    pub fn parse_fault(&self, text: &str, origin: &str) -> Result<Located<FaultItem>, ScenarioError> {
        let item = parse_one(text, origin, Reader::default(), |reader, piece| {
            let value = wanted(reader, piece, Some(self.transfer))?;
            let item = Located { value, place: piece.place() };
            check_env(reader, &self.server, &item);
            Some(item)
        })?;
        Ok(item.value)
    }
}

/// The faults that an audit of this direction lists.
pub(super) fn parse(
    reader: &mut Reader,
    piece: Piece<'_>,
    transfer: Option<Direction>,
) -> Option<Vec<Located<FaultItem>>> {
    // None once it is said that they are too many.
    let mut room = Some(MAX_TRIALS);
    let trials = reader.list(piece, "`faults`", |reader, piece| {
        let count = if piece.text() == DEFAULT { DEFAULT_TRIALS } else { 1 };
        let left = room?;
        room = left.checked_sub(count);
        if room.is_none() {
            reader.mistakes.add(|| Mistake::at(&piece.place(), too_many()));
        }
        room.and_then(|_| wanted(reader, piece, transfer))
    })?;
    if trials.is_empty() {
        reader.mistakes.add(|| Mistake::at(&piece.place(), "an audit tries at least one fault"));
    }
    Some(trials)
}

fn too_many() -> String {
    let most = grouped(u64::try_from(MAX_TRIALS).unwrap_or(u64::MAX));
    format!(
        "an audit can try at most {most} faults, and `Default` is {DEFAULT_TRIALS} of them: here is one more"
    )
}

/// A server that the audit does not start has the environment that it has.
pub(super) fn check_env(reader: &mut Reader, server: &AuditServer, item: &Located<FaultItem>) {
    if let (AuditServer::At(_), FaultItem::Env(env)) = (server, &item.value)
        && !env.server.is_empty()
    {
        let message = "a server that runs already cannot be given an environment";
        reader.mistakes.add(|| Mistake::at(&item.place, message));
    }
}

/// How the default set is written.
const DEFAULT: &str = "Default";

fn wanted(reader: &mut Reader, piece: Piece<'_>, transfer: Option<Direction>) -> Option<FaultItem> {
    if piece.text() == DEFAULT {
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
