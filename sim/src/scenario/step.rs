//! The steps of an exchange: what each side does, in the order it happens.

use std::fmt;

use protocol::FileName;
use serde::Deserialize;

/// One side of the exchange doing one thing.
///
/// Displayed exactly as it is written in a scenario file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// The client acts.
    Client(ClientStep),
    /// The server acts.
    Server(ServerStep),
}

/// What the client does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClientStep {
    /// Starts.
    Start,
    /// Connects to the server.
    Connect,
    /// Asks which files there are.
    ListFiles,
    /// Asks to upload this file of the scenario.
    Upload(FileName),
    /// Sends the name and the size of the file.
    Details,
    /// Sends the bytes of the file.
    SendFile,
    /// Compares the server's digest with its own, and says what came of it.
    Compare(StepClaim),
    /// Asks to download the file listed under this name.
    Download(FileName),
    /// Sends the id of the file, taken from the listing.
    SendId,
    /// Receives the bytes, digests them and says whether they are right.
    ReceiveFile(StepClaim),
    /// Closes the connection.
    Disconnect,
}

/// What the server does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ServerStep {
    /// Waits for a client.
    Listen,
    /// Says that there are no files.
    NoFiles,
    /// Asks for the name and the size of the file.
    AskDetails,
    /// Says that it is ready for the bytes.
    Ready,
    /// Receives the bytes and digests them.
    ReceiveFile,
    /// Writes the file to its store.
    SaveFile,
    /// Sends the digest it computed.
    SendHash,
    /// Lists these files.
    Files(Vec<FileName>),
    /// Asks for the id of a file.
    AskId,
    /// Sends the bytes of the file.
    SendFile,
}

/// What a side says about the integrity of a file. Whether it is true is for
/// the harness to find out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename = "claim")]
pub enum StepClaim {
    /// The file arrived as it was sent.
    Success,
    /// It did not.
    Fail,
}

impl fmt::Display for StepClaim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Success => "Success",
            Self::Fail => "Fail",
        })
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Client(step) => write!(f, "Client({step})"),
            Self::Server(step) => write!(f, "Server({step})"),
        }
    }
}

// A file name has no control characters, so that its debug form, in quotes and
// escaped, is also how RON writes it. Without names and lists, so is a step's.

impl fmt::Display for ClientStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}

impl fmt::Display for ServerStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}
