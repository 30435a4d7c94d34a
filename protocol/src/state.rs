//! The transition tables of both sides. No other file decides what may follow what; the diagrams in
//! `PROTOCOL.md` are generated from here by [`client_diagram`] and [`server_diagram`].
//!
//! A table row is *(state, input, next state)*. What is not in the table is not allowed. Inputs are commands
//! of the application, lines of the peer, the end of a payload, and digests. Nothing here reads or writes.

use std::fmt::{Debug, Write};

/// Where a client stands. The names say what it awaits or does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ClientState {
    /// Between commands.
    Idle,
    /// `LIST_FILES` is out, nothing has come yet.
    AwaitListing,
    /// At least one line of the listing has come.
    InListing,
    /// The line that stands for an empty listing has come; its empty line is due.
    AfterNoFiles,
    /// `UPLOAD` is out.
    AwaitDetailsPrompt,
    /// The details are out.
    AwaitReady,
    /// The payload of an upload is going out.
    SendingFile,
    /// The upload was refused in mid-payload; the rest is still owed.
    SendingRefused,
    /// All payload is out, the server's hash is due.
    AwaitHash,
    /// The server's hash is there, our own digest is due.
    ComparingUpload,
    /// `DOWNLOAD` is out.
    AwaitIdPrompt,
    /// The id is out.
    AwaitSize,
    /// The payload of a download is coming in.
    ReceivingFile,
    /// All payload is in, our own digest is due.
    ComparingDownload,
    /// `DISCARD` is out.
    AwaitDiscarded,
    /// The session is over.
    Closed,
}

/// What moves a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ClientInput {
    /// Command: list the files.
    ListFiles,
    /// Command: upload a file.
    Upload,
    /// Command: download a file.
    Download,
    /// Command: discard an upload.
    Discard,
    /// Line: one file of the listing.
    Entry,
    /// Line: there are no files.
    NoFiles,
    /// Line: empty, the listing ends.
    ListEnd,
    /// Line: anything but an error, at a prompt.
    GoAhead,
    /// Line: the server's hash.
    Hash,
    /// Line: the size of the download.
    Size,
    /// Line: `ERROR …`.
    Error,
    /// The last payload byte went out.
    FileSent,
    /// The last payload byte came in.
    FileReceived,
    /// Our digest is the same as the server's.
    DigestSame,
    /// Our digest differs from the server's.
    DigestDiffers,
    /// The session ends: our command, the peer's end of stream, or a broken rule.
    Close,
}

/// Where a server's session stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ServerState {
    /// Awaiting a command.
    Idle,
    /// The application supplies the listing, nothing of it is out yet.
    Listing,
    /// At least one line of the listing is out.
    InListing,
    /// The line that stands for an empty listing is out; its empty line is due.
    AfterNoFiles,
    /// The prompt for the details is out.
    AwaitDetails,
    /// The application decides on the upload.
    DecidingUpload,
    /// The payload of an upload is coming in.
    ReceivingFile,
    /// All payload is in; the application stores it and hands in the digest.
    Storing,
    /// The upload was refused in mid-payload; the rest is read and dropped.
    Draining,
    /// The prompt for the id is out.
    AwaitId,
    /// The application looks for the file.
    DecidingDownload,
    /// The payload of a download is going out.
    SendingFile,
    /// The application decides on the discard.
    DecidingDiscard,
    /// The session is over.
    Closed,
}

/// What moves a server's session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ServerInput {
    /// Line: `LIST_FILES`.
    ListFiles,
    /// Line: `UPLOAD`.
    Upload,
    /// Line: `DOWNLOAD`.
    Download,
    /// Line: `DISCARD <id>`.
    Discard,
    /// Line: well-formed details.
    Details,
    /// Line: a well-formed id.
    Id,
    /// Line: malformed, or an unknown command. It is refused.
    BadLine,
    /// Application: one file of the listing.
    Entry,
    /// Application: there are no files.
    NoFiles,
    /// Application: the listing is complete.
    ListEnd,
    /// Application: go ahead.
    Accept,
    /// Application: refused.
    Refuse,
    /// The last payload byte came in.
    FileReceived,
    /// Application: the file is stored, here is its digest.
    Digest,
    /// The last payload byte went out.
    FileSent,
    /// The session ends: the peer's end of stream, a framing violation, or the application's wish.
    Close,
}

/// Every transition of a client but [`ClientInput::Close`], which leads from any state to `Closed`.
pub const CLIENT: &[(ClientState, ClientInput, ClientState)] = {
    use ClientInput as I;
    use ClientState as S;
    &[
        (S::Idle, I::ListFiles, S::AwaitListing),
        (S::AwaitListing, I::NoFiles, S::AfterNoFiles),
        (S::AfterNoFiles, I::ListEnd, S::Idle),
        (S::AwaitListing, I::Entry, S::InListing),
        (S::InListing, I::Entry, S::InListing),
        (S::InListing, I::ListEnd, S::Idle),
        (S::AwaitListing, I::Error, S::Idle),
        (S::InListing, I::Error, S::Idle),
        //
        (S::Idle, I::Upload, S::AwaitDetailsPrompt),
        (S::AwaitDetailsPrompt, I::GoAhead, S::AwaitReady),
        (S::AwaitDetailsPrompt, I::Error, S::Idle),
        (S::AwaitReady, I::GoAhead, S::SendingFile),
        (S::AwaitReady, I::Error, S::Idle),
        (S::SendingFile, I::FileSent, S::AwaitHash),
        (S::SendingFile, I::Error, S::SendingRefused),
        (S::SendingRefused, I::FileSent, S::Idle),
        (S::AwaitHash, I::Hash, S::ComparingUpload),
        (S::AwaitHash, I::Error, S::Idle),
        (S::ComparingUpload, I::DigestSame, S::Idle),
        (S::ComparingUpload, I::DigestDiffers, S::Idle),
        //
        (S::Idle, I::Download, S::AwaitIdPrompt),
        (S::AwaitIdPrompt, I::GoAhead, S::AwaitSize),
        (S::AwaitIdPrompt, I::Error, S::Idle),
        (S::AwaitSize, I::Size, S::ReceivingFile),
        (S::AwaitSize, I::Error, S::Idle),
        (S::ReceivingFile, I::FileReceived, S::ComparingDownload),
        (S::ComparingDownload, I::DigestSame, S::Idle),
        (S::ComparingDownload, I::DigestDiffers, S::Idle),
        //
        (S::Idle, I::Discard, S::AwaitDiscarded),
        (S::AwaitDiscarded, I::GoAhead, S::Idle),
        (S::AwaitDiscarded, I::Error, S::Idle),
    ]
};

/// Every transition of a server's session but [`ServerInput::Close`], which leads from any state to `Closed`.
pub const SERVER: &[(ServerState, ServerInput, ServerState)] = {
    use ServerInput as I;
    use ServerState as S;
    &[
        (S::Idle, I::BadLine, S::Idle),
        (S::Idle, I::ListFiles, S::Listing),
        (S::Listing, I::NoFiles, S::AfterNoFiles),
        (S::AfterNoFiles, I::ListEnd, S::Idle),
        (S::Listing, I::Entry, S::InListing),
        (S::InListing, I::Entry, S::InListing),
        (S::InListing, I::ListEnd, S::Idle),
        (S::Listing, I::Refuse, S::Idle),
        (S::InListing, I::Refuse, S::Idle),
        //
        (S::Idle, I::Upload, S::AwaitDetails),
        (S::AwaitDetails, I::Details, S::DecidingUpload),
        (S::AwaitDetails, I::BadLine, S::Idle),
        (S::DecidingUpload, I::Accept, S::ReceivingFile),
        (S::DecidingUpload, I::Refuse, S::Idle),
        (S::ReceivingFile, I::FileReceived, S::Storing),
        (S::ReceivingFile, I::Refuse, S::Draining),
        (S::Draining, I::FileReceived, S::Idle),
        (S::Storing, I::Digest, S::Idle),
        (S::Storing, I::Refuse, S::Idle),
        //
        (S::Idle, I::Download, S::AwaitId),
        (S::AwaitId, I::Id, S::DecidingDownload),
        (S::AwaitId, I::BadLine, S::Idle),
        (S::DecidingDownload, I::Accept, S::SendingFile),
        (S::DecidingDownload, I::Refuse, S::Idle),
        (S::SendingFile, I::FileSent, S::Idle),
        //
        (S::Idle, I::Discard, S::DecidingDiscard),
        (S::DecidingDiscard, I::Accept, S::Idle),
        (S::DecidingDiscard, I::Refuse, S::Idle),
    ]
};

impl ClientState {
    /// The state after `input`, or `None` if `input` is not allowed here.
    #[must_use]
    pub fn after(self, input: ClientInput) -> Option<Self> {
        if input == ClientInput::Close { Some(Self::Closed) } else { lookup(CLIENT, self, input) }
    }
}

impl ServerState {
    /// The state after `input`, or `None` if `input` is not allowed here.
    #[must_use]
    pub fn after(self, input: ServerInput) -> Option<Self> {
        if input == ServerInput::Close { Some(Self::Closed) } else { lookup(SERVER, self, input) }
    }
}

fn lookup<S: Copy + PartialEq, I: Copy + PartialEq>(table: &[(S, I, S)], state: S, input: I) -> Option<S> {
    table.iter().find(|row| row.0 == state && row.1 == input).map(|row| row.2)
}

/// The client's table as a Mermaid state diagram.
#[must_use]
pub fn client_diagram() -> String {
    diagram(CLIENT)
}

/// The server's table as a Mermaid state diagram.
#[must_use]
pub fn server_diagram() -> String {
    diagram(SERVER)
}

fn diagram<S: Debug, I: Debug>(table: &[(S, I, S)]) -> String {
    let mut text = String::from("stateDiagram-v2\n    [*] --> Idle\n");
    for (from, input, to) in table {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "    {from:?} --> {to:?}: {input:?}");
    }
    text.push_str("    Idle --> [*]: Close\n");
    text
}
