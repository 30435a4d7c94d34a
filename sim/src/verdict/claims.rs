//! What a client said of each of its transfers, read off its events.

use std::fmt;

use protocol::{Compared, Error, FileId, FileName};

use crate::record::{Action, Direction, Event, Failure, Kind, Message};

/// What the client said of one transfer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claim {
    /// Success, with the file's id.
    Success(FileId),
    /// Fail: the digests differ.
    Fail,
    /// The transfer came to no comparison.
    Error(Failure),
}

impl fmt::Display for Claim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Success(_) => f.write_str("Success"),
            Self::Fail => f.write_str("Fail"),
            Self::Error(Failure::Protocol(Error::Refused(code))) => write!(f, "refused ({code})"),
            Self::Error(_) => f.write_str("error"),
        }
    }
}

/// A transfer and what was said of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claimed {
    /// Which way the file went.
    pub direction: Direction,
    /// Its name.
    pub file: FileName,
    /// What the client said.
    pub claim: Claim,
}

/// Every transfer that the client began, in order. One that it never spoke of again was broken off.
#[must_use]
pub fn claims(events: &[Event]) -> Vec<Claimed> {
    let mut claims = Vec::new();
    let mut open = None;
    for event in events {
        if let Some((direction, file)) = beginning(&event.action) {
            close(&mut open, Claim::Error(Failure::Broken), &mut claims);
            open = Some((direction, file));
        } else if let Some(claim) = claim_in(&event.action) {
            close(&mut open, claim, &mut claims);
        }
    }
    close(&mut open, Claim::Error(Failure::Broken), &mut claims);
    claims
}

fn close(open: &mut Option<(Direction, FileName)>, claim: Claim, claims: &mut Vec<Claimed>) {
    if let Some((direction, file)) = open.take() {
        claims.push(Claimed { direction, file, claim });
    }
}

fn beginning(action: &Action) -> Option<(Direction, FileName)> {
    match action {
        Action::Sent(Message::Text { kind: Kind::Upload(Some(file)), .. }) => {
            Some((Direction::Upload, file.clone()))
        }
        Action::Sent(Message::Text { kind: Kind::Download(Some(file)), .. }) => {
            Some((Direction::Download, file.clone()))
        }
        _ => None,
    }
}

fn claim_in(action: &Action) -> Option<Claim> {
    match action {
        Action::Compared(_, Compared::Same(id)) => Some(Claim::Success(*id)),
        Action::Compared(_, Compared::Different { .. }) => Some(Claim::Fail),
        Action::Failed(failure) => Some(Claim::Error(failure.clone())),
        Action::Received(Message::Text { kind: Kind::Refusal(code), .. }) => {
            Some(Claim::Error(Failure::Protocol(Error::Refused(*code))))
        }
        _ => None,
    }
}
