//! What a careless client does otherwise than it should. Of a correct one every question here is answered with no.

use std::time::Duration;

use protocol::wire::split_line;
use protocol::{ClientState, Compared, Ended, Error, FileId, FileName};

use super::super::flaw::{CARELESS_DIGITS, Flaw};
use super::super::{Hasher, md5_of};
use super::{Client, Transfer};
use crate::record::{Action, Failure, Message};
use faults::Direction;

impl Client {
    /// What it takes for the digest of a download that has come whole. A correct client has it from the hasher.
    pub(super) fn digest_of_download(&mut self, name: &FileName, id: FileId, hasher: Hasher) -> FileId {
        let bytes = hasher.bytes();
        let own = self.earlier.finish(self.conduct, Direction::Download, hasher);
        match self.conduct.flaw() {
            Some(Flaw::PeerBelieved) => {
                let listed = self.listed.iter().find(|entry| entry.id == id);
                if listed.is_none_or(|entry| entry.size == bytes) { id } else { own }
            }
            Some(Flaw::LeftoverHashed) => {
                let leftover = self.folder.get(name).ok().flatten();
                leftover.and_then(|content| md5_of(&content).ok()).unwrap_or(own)
            }
            _ => own,
        }
    }

    /// Whether it hands the digest of the peer to the comparison in place of its own.
    pub(super) fn lies(&mut self, own: FileId, peer: FileId) -> bool {
        let Some(flaw) = self.conduct.flaw() else { return false };
        let (own, peer) = (own.to_string(), peer.to_string());
        match flaw {
            Flaw::AlwaysSuccess | Flaw::HashWithItself => true,
            Flaw::PeerBelieved => self.core.state() == ClientState::ComparingUpload,
            Flaw::OnlyFirstCompared => self.earlier.compares_again(),
            Flaw::PrefixCompared => own[..CARELESS_DIGITS] == peer[..CARELESS_DIGITS],
            Flaw::SuffixCompared => {
                own[own.len() - CARELESS_DIGITS..] == peer[peer.len() - CARELESS_DIGITS..]
            }
            Flaw::SortedDigitsCompared => sorted(&own) == sorted(&peer),
            _ => false,
        }
    }

    /// Whether it leaves a file where it is though the digests differ.
    pub(super) fn keeps_damaged(&self, direction: Direction) -> bool {
        match self.conduct.flaw() {
            Some(Flaw::WarningOnly) => true,
            Some(Flaw::NotDiscarded) => direction == Direction::Upload,
            Some(Flaw::NamedBeforeCompared) => direction == Direction::Download,
            _ => false,
        }
    }

    /// What it says of a comparison.
    pub(super) fn told(&self, compared: Compared) -> Compared {
        match (self.conduct.flaw(), compared) {
            (Some(Flaw::WarningOnly | Flaw::DifferenceIgnored), Compared::Different { own, .. }) => {
                Compared::Same(own)
            }
            _ => compared,
        }
    }

    /// Whether it takes a failure for a success. What it could not read begins with `unread`.
    pub(super) fn takes_for_success(&self, transfer: &Transfer, failure: &Failure, unread: &[u8]) -> bool {
        let Some(flaw) = self.conduct.flaw() else { return false };
        let awaits_hash = match transfer {
            Transfer::Upload { own: Some(own), peer: None, .. } => Some(own.to_string()),
            _ => None,
        };
        match flaw {
            Flaw::AlwaysSuccess => true,
            Flaw::SuccessOnTimeout => *failure == Failure::Deadline,
            Flaw::MissingDigestPasses => {
                awaits_hash.is_some()
                    && matches!(failure, Failure::Protocol(Error::Ended(_) | Error::Peer(_)))
            }
            Flaw::LooselyCompared => match (awaits_hash, split_line(unread)) {
                (Some(own), Ok(Some((line, _)))) => is_loosely(&own, line),
                _ => false,
            },
            Flaw::EarlyEndAccepted => {
                matches!(transfer, Transfer::Download { .. })
                    && matches!(failure, Failure::Protocol(Error::Ended(Ended::InPayload { .. })))
            }
            _ => false,
        }
    }

    /// What it says of a transfer that failed.
    pub(super) fn claim_success(&self, now: Duration, transfer: Transfer) {
        let (direction, id) = match transfer {
            Transfer::Upload { hasher, own, .. } => {
                (Direction::Upload, own.unwrap_or_else(|| hasher.finish()))
            }
            Transfer::Download { name, id, incoming, hasher } => {
                if self.conduct.has(Flaw::EarlyEndAccepted) {
                    let (bytes, digest) = (hasher.bytes(), hasher.finish());
                    let received = Action::Received(Message::Payload { bytes, digest });
                    self.record.record_file(now, received, &incoming.content());
                    // The mistake is the point; whether the folder took it is of no interest.
                    let _ = incoming.commit(&name, id);
                }
                (Direction::Download, id)
            }
        };
        self.record.record(now, Action::Compared(direction, Compared::Same(id)));
    }
}

/// The digits in their order.
fn sorted(digest: &str) -> Vec<u8> {
    let mut digits = digest.as_bytes().to_vec();
    digits.sort_unstable();
    digits
}

/// Whether a line is the digest as far as the shorter of both goes, in any case.
fn is_loosely(digest: &str, line: &str) -> bool {
    let length = digest.len().min(line.len());
    line.as_bytes()[..length].eq_ignore_ascii_case(&digest.as_bytes()[..length])
}
