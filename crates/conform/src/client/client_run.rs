//! One start of a client, and how it is judged.

use super::observations::{Kind, Observations, Part};
use super::{
    ActualInput, Check, Claim, Difference, EndKind, Finding, Goal, ProgramEnd, Stop, claim, command, contents,
};
use crate::DialogueEntry;
use crate::wire::escaped;

/// One start of the client and what came of it.
pub(super) struct ClientRun {
    pub(super) goal: Goal,
    pub(super) seen: Observations,
    pub(super) ended: ProgramEnd,
    /// The last of what was said.
    pub(super) dialogue: Vec<DialogueEntry>,
    /// What the client made of a download.
    pub(super) out: Option<Vec<u8>>,
    pub(super) writes_out: bool,
    /// Whether it is known not to end.
    pub(super) hangs: bool,
}

impl ClientRun {
    pub(super) fn finding(&self, rule: u8, step: u8, expected: &str, came: String) -> Finding {
        let (expected, dialogue) = (expected.into(), self.dialogue.clone());
        let hints = command::hints(&self.ended, false);
        Finding { rule, step: Some(step), expected, came, dialogue, hints, ..Finding::default() }
    }

    pub(super) fn broken(&self, rule: u8, step: u8, expected: &str, came: String) -> Stop {
        Stop::Fail(Box::new(self.finding(rule, step, expected, came)))
    }

    pub(super) fn broken_as(&self, title: &str, rule: u8, step: u8, expected: &str, came: String) -> Stop {
        let finding = self.finding(rule, step, expected, came);
        Stop::Fail(Box::new(Finding { title: Some(title.into()), ..finding }))
    }

    /// That nothing went wrong in the exchange that a case is about. What came before and worked counts, and what came
    /// later is a matter of other cases.
    pub(super) fn went(&self, part: Part) -> Check {
        let Some(trouble) = &self.seen.trouble else { return Ok(()) };
        if trouble.part == part || trouble.part == Part::Start {
            let is_only_late = trouble.kind == Kind::Silent && self.is_claimed(part);
            return if is_only_late { Ok(()) } else { Err(self.charge(&trouble.finding)) };
        }
        if self.seen.came_to(part) {
            return Ok(());
        }
        let before = match trouble.part {
            Part::List | Part::Start => "a listing",
            Part::Upload => "its upload",
            Part::Download => "its download",
        };
        Err(Stop::NotReached(format!("the client did not come to it: {before} went wrong").into()))
    }

    /// What went wrong, with what the program said of it.
    pub(super) fn charge(&self, finding: &Finding) -> Stop {
        let mut finding = finding.clone();
        finding.hints.extend(command::hints(&self.ended, false));
        if self.ended.how != EndKind::Hung {
            finding.hints.push(format!("of the client: {}", command::end_text(&self.ended)));
        }
        Stop::Fail(Box::new(finding))
    }

    /// Whether the client has said how this went.
    pub(super) fn is_claimed(&self, part: Part) -> bool {
        match part {
            Part::Start => false,
            Part::List => self.goal == Goal::List && claim::is_said(&self.ended, 0),
            Part::Upload => claim::is_said(&self.ended, 0),
            Part::Download => claim::is_said(&self.ended, self.download_index()),
        }
    }

    /// Of the 22 steps, the download is the second transfer.
    fn download_index(&self) -> usize {
        usize::from(self.goal == Goal::Whole)
    }

    /// The client has to end by itself when the connection has ended, unless that ended for what it did in another
    /// exchange. What it has said of the transfer is another matter.
    fn over(&self, part: Part, rule: u8) -> Check {
        let is_its_own = match &self.seen.trouble {
            None => true,
            Some(trouble) => trouble.kind == Kind::Silent && trouble.part == part,
        };
        let is_known = self.hangs && self.has_spoken();
        let is_said = self.is_claimed(part) || (part == Part::List && self.has_spoken());
        if is_its_own && !is_known { self.ends(rule, is_said) } else { Ok(()) }
    }

    /// The client has ended by itself. Whether it has said how it went makes it another charge.
    pub(super) fn ends(&self, rule: u8, is_said: bool) -> Check {
        if self.ended.how != EndKind::Hung {
            return Ok(());
        }
        let (rule, title) = if is_said {
            (26, "It does not end after its verdict")
        } else {
            (rule, "It does not end, and says neither Success nor Fail")
        };
        Err(self.broken_as(title, rule, 22, "the client ends by itself", command::end_text(&self.ended)))
    }

    /// After all went well the client ends; if anything went wrong, that is what is charged.
    pub(super) fn over_at_last(&self, rule: u8) -> Check {
        let is_said = self.has_spoken();
        let is_known = self.hangs && is_said;
        if self.seen.trouble.is_some() || is_known { Ok(()) } else { self.ends(rule, is_said) }
    }

    /// Whether it has said how anything went.
    pub(super) fn has_spoken(&self) -> bool {
        claim::is_said(&self.ended, 0)
    }

    pub(super) fn upload_claim(&self) -> Claim {
        claim::of(&self.ended, 0)
    }

    pub(super) fn download_claim(&self) -> Claim {
        claim::of(&self.ended, self.download_index())
    }

    /// The upload came, and the client says so.
    pub(super) fn uploaded(&self, rule: u8) -> Check {
        self.went(Part::Upload)?;
        self.over_at_last(26)?;
        if self.seen.uploads.is_empty() {
            return Err(self.broken(rule, 10, "an upload of the file", command::end_text(&self.ended)));
        }
        // Without a word of it, going on shows what the client thinks: how it ends is about the download.
        let is_shown = self.goal == Goal::Whole && !self.is_claimed(Part::Upload) && self.seen.went_on();
        match self.upload_claim() {
            Claim::Fail if !is_shown => {
                Err(self.broken(rule, 14, "Success: the hashes are equal", self.said()))
            }
            _ => Ok(()),
        }
    }

    /// The client does not say that the upload succeeded.
    pub(super) fn not_uploaded(&self, rule: u8, expected: &str) -> Check {
        self.went(Part::Upload)?;
        self.over(Part::Upload, rule)?;
        match self.upload_claim() {
            Claim::Fail => Ok(()),
            Claim::Success => Err(self.broken(rule, 14, expected, self.said())),
        }
    }

    /// The client took the end of a listing, whichever, and ended.
    pub(super) fn stopped_listing(&self, rule: u8) -> Check {
        self.went(Part::List)?;
        self.over(Part::List, rule)
    }

    /// The client does not say that it has the listing, if that is all that it was to do.
    pub(super) fn not_listed(&self, rule: u8, expected: &str) -> Check {
        self.stopped_listing(rule)?;
        match (self.goal, claim::of(&self.ended, 0)) {
            (Goal::List, Claim::Success) => Err(self.broken(rule, 5, expected, self.said())),
            _ => Ok(()),
        }
    }

    /// The download came, the client says so, and has its bytes.
    pub(super) fn downloaded(&self, rule: u8) -> Check {
        self.went(Part::Download)?;
        self.over_at_last(26)?;
        if self.seen.downloads.is_empty() {
            if self.goal == Goal::Whole && self.uploaded(rule).is_err() {
                return Err(Stop::NotReached("the client did not come to it: its upload went wrong".into()));
            }
            return Err(self.broken(rule, 19, "a download of the file", command::end_text(&self.ended)));
        }
        if self.download_claim() == Claim::Fail {
            return Err(self.broken(rule, 21, "Success: the MD5 of what came is the id", self.said()));
        }
        match &self.out {
            None if self.writes_out => Err(self.broken(3, 21, "the file at {received}", "no file".into())),
            Some(bytes) if *bytes != self.seen.wanted => Err(self.other_bytes(bytes)),
            _ => Ok(()),
        }
    }

    pub(super) fn other_bytes(&self, bytes: &[u8]) -> Stop {
        let difference = Difference::of(&self.seen.wanted, bytes, 0);
        let came = ActualInput::Bytes(bytes.to_vec());
        let (expected, came) = contents(&self.seen.wanted, &came, difference.as_ref());
        let finding = self.finding(3, 21, &format!("at {{received}} {expected}"), came);
        Stop::Fail(Box::new(Finding { difference, ..finding }))
    }

    /// The client does not say that the download succeeded, and leaves nothing where the file should be.
    pub(super) fn not_downloaded(&self, rule: u8, expected: &str) -> Check {
        self.went(Part::Download)?;
        self.over(Part::Download, rule)?;
        if self.download_claim() == Claim::Success {
            return Err(self.broken(rule, 21, expected, self.said()));
        }
        match &self.out {
            Some(bytes) => {
                let (title, came) = ("It leaves the wrong bytes at {received}", escaped(bytes));
                Err(self.broken_as(title, 32, 21, "no file at {received}: the bytes are not the file", came))
            }
            None => Ok(()),
        }
    }

    /// What the client said of its transfers, in words, and what that was taken from.
    pub(super) fn said(&self) -> String {
        let text = |index| claim::text(&self.ended, index);
        let claims = match self.goal {
            Goal::Whole => format!("for the upload: {}; for the download: {}", text(0), text(1)),
            _ => text(0),
        };
        format!("{claims} ({})", command::end_text(&self.ended))
    }
}
