//! A server somewhere, and what it takes to run a client against it.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use protocol::{Entry, ErrorCode};
use tokio::runtime::Builder;
use tokio::sync::Notify;

use super::limits::{PACE, survive_limits};
use super::outcome::{TransferCallback, Transfers};
use crate::endpoint::{Client, ClientConfig, Conduct, FileQuery, HashThreads, MIN_BEGINNING, Script};
use crate::real::{Link, run_over_tcp};
use crate::record::{Failure, Progress, Recorder, TransferOutcome};
use crate::storage::Folder;
use faults::text::visible;

/// How many files are shown of those that can be meant.
const MAX_SHOWN: usize = 20;

/// How a client goes about its errands.
#[derive(Clone, Debug)]
pub struct PeerSettings {
    /// It gives up when nothing has moved for so long.
    pub deadline: Duration,
    /// How often in all it tries again after a failed comparison or a broken connection.
    pub retries: u32,
    /// Where large files are hashed.
    pub hash_threads: HashThreads,
    /// Whether it makes a mistake, for tests of the harness.
    pub conduct: Conduct,
    /// Counters for a progress bar.
    pub progress: Option<Arc<Progress>>,
}

impl Default for PeerSettings {
    fn default() -> Self {
        Self {
            deadline: Duration::from_secs(30),
            retries: 0,
            hash_threads: HashThreads::spare(),
            conduct: Conduct::default(),
            progress: None,
        }
    }
}

/// A server, as its clients know it.
#[derive(Clone, Debug)]
pub struct Peer {
    link: Link,
    settings: PeerSettings,
    interrupt: Arc<Notify>,
}

/// Ends the errand that is under way, from any thread.
#[derive(Clone, Debug)]
pub struct Interrupt(Arc<Notify>);

impl Interrupt {
    /// Ends it. What has not been verified is dropped.
    pub fn interrupt(&self) {
        self.0.notify_one();
    }
}

/// Why an errand could not be done. What came of single transfers is told apart from this.
#[derive(Debug)]
pub enum Trouble {
    /// The server cannot be reached.
    Unreachable {
        /// `HOST:PORT`.
        address: String,
        /// What the system says.
        error: io::Error,
    },
    /// The server refused, outside of a transfer.
    Refused {
        /// Why, for programs.
        code: ErrorCode,
        /// Why, in the server's words.
        text: String,
    },
    /// The session broke off, outside of a transfer.
    Broken(Failure),
    /// No file that is listed can be meant.
    NotListed(FileQuery),
    /// Several can be: these.
    Ambiguous(FileQuery, Vec<Entry>),
    /// Something on this side.
    Here(io::Error),
    /// It was [interrupted](Interrupt::interrupt).
    Interrupted,
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreachable { address, error } => {
                write!(f, "cannot reach {address}: {error}")?;
                if error.kind() == io::ErrorKind::ConnectionRefused {
                    f.write_str(" (is the server running there?)")?;
                }
                Ok(())
            }
            Self::Refused { code, text } => write!(f, "the server refused: {} ({code})", visible(text)),
            Self::Broken(Failure::Storage(error)) => write!(f, "the file here: {error}"),
            Self::Broken(failure) => write!(f, "the session broke off: {failure}"),
            Self::NotListed(wanted) => not_listed(f, wanted),
            Self::Ambiguous(wanted, entries) => {
                write!(f, "`{}` can be each of these; ask by id:", shown(wanted))?;
                let line = |entry: &Entry| write!(f, "\n  {}  {}", entry.id, visible(entry.name.as_str()));
                entries.iter().take(MAX_SHOWN).try_for_each(line)?;
                match entries.len().saturating_sub(MAX_SHOWN) {
                    0 => Ok(()),
                    more => write!(f, "\n  and {more} more"),
                }
            }
            // It may be about a path that ends in a name from the server.
            Self::Here(error) => f.write_str(&visible(&error.to_string())),
            Self::Interrupted => f.write_str("interrupted; what was not verified is dropped"),
        }
    }
}

impl std::error::Error for Trouble {}

/// What was asked for, as it may be printed.
fn shown(wanted: &FileQuery) -> String {
    visible(&wanted.to_string())
}

fn not_listed(f: &mut fmt::Formatter<'_>, wanted: &FileQuery) -> fmt::Result {
    let (what, more) = match wanted {
        FileQuery::Id(_) => ("id", "; 32 hex digits are an id and never a name".to_owned()),
        FileQuery::NameOrBeginning(_) => ("name", ", and none whose id begins so".to_owned()),
        FileQuery::Name(text) if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_hexdigit()) => {
            ("name", format!("; the beginning of an id has {MIN_BEGINNING} digits at least, and an id 32"))
        }
        FileQuery::Name(_) => ("name", String::new()),
    };
    write!(f, "the server lists no file with the {what} `{}`{more}", shown(wanted))
}

impl Peer {
    /// The server at `address`, `HOST:PORT`. Nothing is sent yet.
    #[must_use]
    pub fn new(address: &str, settings: PeerSettings) -> Self {
        let link = Link { address: address.to_owned(), deadline: settings.deadline };
        Self { link, settings, interrupt: Arc::default() }
    }

    /// Ends the errand that is under way.
    #[must_use]
    pub fn interrupt(&self) -> Interrupt {
        Interrupt(Arc::clone(&self.interrupt))
    }

    /// The mistake that its client makes, if any.
    pub(super) fn conduct(&self) -> Conduct {
        self.settings.conduct
    }

    /// Runs one session, and tells of each transfer when it is over.
    pub(super) fn run(
        &self,
        script: Box<dyn Script>,
        folder: Folder,
        told: TransferCallback,
    ) -> Result<(), Trouble> {
        let transfers = Transfers::new(told);
        self.drive(script, folder, Recorder::observed(transfers.clone()))?;
        match transfers.finish() {
            Some(TransferOutcome::Refused { code, text }) => Err(Trouble::Refused { code, text }),
            Some(TransferOutcome::Broken(failure)) => Err(Trouble::Broken(failure)),
            // A comparison is always a transfer's.
            None | Some(TransferOutcome::Success { .. } | TransferOutcome::Fail { .. }) => Ok(()),
        }
    }

    /// Runs one session of `script` that is recorded in `record`. What is downloaded goes to `folder`.
    ///
    /// # Errors
    /// If the server cannot be reached, or if it was interrupted.
    pub fn drive(&self, script: Box<dyn Script>, folder: Folder, record: Recorder) -> Result<(), Trouble> {
        let client = self.client(script, folder, record);
        let runtime =
            Builder::new_current_thread().enable_io().enable_time().build().map_err(Trouble::Here)?;
        let running = run_over_tcp(Box::new(client), self.link.clone());
        let ended = runtime.block_on(async {
            survive_limits();
            tokio::select! {
                biased;
                () = self.interrupt.notified() => Err(Trouble::Interrupted),
                done = running => done.map_err(|error| self.unreachable(error)),
            }
        });
        // A system that still looks for the server's name is not waited for.
        runtime.shutdown_background();
        ended
    }

    fn client(&self, script: Box<dyn Script>, folder: Folder, record: Recorder) -> Client {
        let PeerSettings { deadline, retries, hash_threads, conduct, progress } = self.settings.clone();
        Client::new(ClientConfig {
            script,
            pace: PACE,
            waits: false,
            retries,
            hash_threads,
            conduct,
            record,
            progress,
            ..ClientConfig::new(Vec::new(), folder, deadline)
        })
    }

    fn unreachable(&self, error: io::Error) -> Trouble {
        Trouble::Unreachable { address: self.link.address.clone(), error }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::endpoint::ClientCommand;
    use faults::Buffer;
    use faults::ConnectionId;
    use faults::Machine;

    /// A client that has asked for the listing at time zero.
    fn asking(deadline: Duration) -> Client {
        let settings = PeerSettings { deadline, ..PeerSettings::default() };
        let script = Box::new(vec![ClientCommand::ListFiles].into_iter());
        let peer = Peer::new("nowhere:1", settings);
        let mut client = peer.client(script, Folder::in_memory(), Recorder::default());
        client.handle_connected(Duration::ZERO, ConnectionId::Number(1));
        client.poll_transmit(Duration::ZERO, &mut Buffer::default());
        client
    }

    #[test]
    fn who_gives_up_a_silent_server_leaves_at_once() {
        let deadline = Duration::from_secs(1);
        let mut client = asking(deadline);
        assert_eq!(client.poll_timeout(), Some(deadline));
        client.handle_timeout(deadline);
        assert!(client.is_closed());
        assert_eq!(client.poll_timeout(), Some(deadline), "it waits for nobody");
    }

    #[test]
    fn a_listing_that_trickles_does_not_put_the_deadline_off() {
        let deadline = Duration::from_secs(30);
        let mut client = asking(deadline);
        let line = b"5d41402abc4b2a76b9719d911017c592;name;5\n";
        for second in 1..30 {
            assert_eq!(client.handle_input(Duration::from_secs(second), line), line.len());
        }
        assert_eq!(client.poll_timeout(), Some(deadline));
        // At the least pace it does.
        let now = Duration::from_secs(29);
        (0..PACE / line.len() as u64).for_each(|_| assert!(client.handle_input(now, line) > 0));
        assert_eq!(client.poll_timeout(), Some(now + deadline));
    }
}
