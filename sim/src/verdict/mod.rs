//! Holds what the client *claims* of each transfer against what *really happened* to its bytes, which it
//! compares itself, byte by byte. It does not know the protocol's digests and does not trust them.

mod aftermath;
mod claims;

use std::fmt;
use std::io;

use protocol::{FileId, FileName};

pub use aftermath::{Aftermath, Condition, LeftoverFile};
pub use claims::{ClaimedTransfer, claims};

use faults::text::{bytes_text, visible};
use faults::{Content, Direction, Excerpt, Truth, Verdict};
use transfer::record::TransferOutcome;

/// One transfer, judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// Which way the file went.
    pub direction: Direction,
    /// Its name.
    pub file: FileName,
    /// Its size in bytes where it came from.
    pub size: u64,
    /// What the client said in the end.
    pub outcome: TransferOutcome,
    /// What the harness found.
    pub truth: Truth,
    /// The bytes around the first difference, if there is one.
    pub excerpt: Option<Excerpt>,
    /// The verdict.
    pub verdict: Verdict,
}

/// The file that a transfer was to carry, as it was at its source.
pub trait Sources {
    /// The content that the upload of `file` sends, the first such upload that was not asked for yet.
    fn upload(&mut self, file: &FileName) -> Option<Content>;

    /// The content that the download of `file` by this id shall bring.
    fn download(&mut self, file: &FileName, id: Option<FileId>) -> Option<Content>;
}

/// Judges every transfer of a client.
///
/// # Errors
/// If a file on disk cannot be read.
pub fn judge(claims: Vec<ClaimedTransfer>, sources: &mut dyn Sources) -> io::Result<Vec<Judgement>> {
    claims.into_iter().map(|claimed| judge_one(claimed, sources)).collect()
}

fn judge_one(claimed: ClaimedTransfer, sources: &mut dyn Sources) -> io::Result<Judgement> {
    let ClaimedTransfer { direction, file, outcome, retried, evidence, asked } = claimed;
    let source = match direction {
        Direction::Upload => sources.upload(&file),
        Direction::Download => sources.download(&file, asked),
    };
    let size = source.as_ref().map_or(0, Content::len);
    let (evidence, truth) = match evidence {
        Some(Err(_)) => (None, Truth::Unreadable),
        Some(Ok(arrived)) => {
            let truth = Truth::find(source.as_ref(), Some(&arrived))?;
            (Some(arrived), truth)
        }
        None => (None, Truth::Nothing),
    };
    let excerpt = match (truth, &source, &evidence) {
        (Truth::Different { first, .. }, Some(sent), Some(arrived)) => {
            Some(Excerpt::around(first, sent, arrived)?)
        }
        _ => None,
    };
    let verdict = Verdict::of(outcome.claim(), truth, retried);
    Ok(Judgement { direction, file, size, outcome, truth, excerpt, verdict })
}

impl fmt::Display for Judgement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { direction, file, size, outcome, truth, verdict, .. } = self;
        let (size, file) = (bytes_text(*size), visible(file.as_str()));
        write!(f, "{direction:<8}  {file}  {verdict}: the client said {outcome}; of {size}, {truth}")
    }
}
