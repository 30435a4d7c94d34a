//! Holds what the client *claims* of each transfer against what *really happened* to its bytes, which it
//! compares itself, byte by byte. It does not know the protocol's digests and does not trust them.

mod aftermath;
mod claims;
mod excerpt;
mod truth;

use std::fmt;
use std::io;

use protocol::{FileId, FileName};

pub use crate::scenario::Verdict;
pub use aftermath::{Aftermath, Condition, Left};
pub use claims::{Claim, Claimed, claims};
pub use excerpt::Excerpt;
pub use truth::Truth;

use crate::record::Direction;
use crate::storage::Content;
use crate::text::bytes_text;

impl Verdict {
    /// The judgement on one transfer, from `claim` and `truth` alone. `retried` says whether the claim came after
    /// another attempt.
    #[must_use]
    pub fn judge(claim: &Claim, truth: Truth, retried: bool) -> Self {
        match (claim, truth) {
            (Claim::Success(_) | Claim::Fail, Truth::Unreadable) => Self::Inconclusive,
            (Claim::Success(_), Truth::Same) if retried => Self::Recovered,
            (Claim::Success(_), Truth::Same) => Self::Intact,
            (Claim::Success(_), _) => Self::Silent,
            (Claim::Fail, Truth::Same) => Self::FalseAlarm,
            (Claim::Fail, _) => Self::Detected,
            (Claim::Error(_), _) => Self::Aborted,
        }
    }
}

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
    pub claim: Claim,
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
pub fn judge(claims: Vec<Claimed>, sources: &mut dyn Sources) -> io::Result<Vec<Judgement>> {
    claims.into_iter().map(|claimed| judge_one(claimed, sources)).collect()
}

fn judge_one(claimed: Claimed, sources: &mut dyn Sources) -> io::Result<Judgement> {
    let Claimed { direction, file, claim, retried, evidence, asked } = claimed;
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
    let verdict = Verdict::judge(&claim, truth, retried);
    Ok(Judgement { direction, file, size, claim, truth, excerpt, verdict })
}

impl fmt::Display for Judgement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { direction, file, size, claim, truth, verdict, .. } = self;
        let size = bytes_text(*size);
        write!(f, "{direction:<8}  {file}  {verdict}: the client said {claim}; of {size}, {truth}")
    }
}
