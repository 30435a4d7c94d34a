//! Why nothing is concluded from a run, and what else was seen in one: as values, whose sentences are for people alone.

use std::fmt;

use faults::Verdict;
use faults::text::number_text;
use process::EndKind;

/// Why nothing is concluded from a run, or why it could not be had. Displayed as a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Why {
    /// The fault never fired.
    NotFired {
        /// Of a fault of several parts: which, from 1, and of how many.
        part: Option<(usize, usize)>,
        /// What was said and what is true, in words.
        seen: String,
    },
    /// It fired, but did not reach the reader.
    NotReached {
        /// Of a fault of several parts: which, from 1, and of how many.
        part: Option<(usize, usize)>,
        /// What was said and what is true, in words.
        seen: String,
    },
    /// It struck something else than it was meant to: what, as far as that can be told.
    Missed(Miss),
    /// The right file lay there before.
    Stale,
    /// What the programs were made to do to themselves did not reach the file.
    EnvironmentHarmless,
    /// The file is right, and it is not known where in it the fault struck.
    PlaceUnknown,
    /// The change was delivered, but did not reach the file.
    NotInFile,
    /// The fault has no place in what the programs send, and why.
    NoPlace(String),
    /// Without any fault the program said Success, but no file came.
    NoFile {
        /// Where it was looked for.
        looked_for: String,
        /// What lies in the directory of the program that receives.
        lies_there: String,
    },
    /// Without any fault a wrong file was reported as Success: what was said and what is true, in words.
    AcceptedUnharmed(String),
    /// Without any fault another file came than the one sent.
    OtherFile {
        /// Where it came.
        looked_for: String,
        /// What was said and what is true, in words.
        seen: String,
    },
    /// The server could not be reached.
    Unreachable {
        /// Where.
        address: String,
        /// What was said and what is true, in words.
        seen: String,
    },
    /// Without any fault the transfer did not succeed: what was said and what is true, in words.
    ControlFailed(String),
    /// What was found in a first run did not come again in a second.
    NotConfirmed(Box<Why>),
    /// The run without faults that goes just before the one with them came to this.
    JustBefore(Box<Why>),
    /// Nothing of the transfer went through the proxy.
    PassedBy,
    /// What may be the received file cannot be looked at, and why.
    Unreadable(String),
    /// The run could not be had at all, and why.
    NoRun(String),
}

/// What a fault struck in place of what it was meant to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Miss {
    /// The offset in the file of what it was meant to strike; `None` for a digest of the file.
    pub intended: Option<u64>,
    /// The offset in the file that it struck; `None` if that is not known.
    pub actual: Option<u64>,
}

/// Which fault, or which part of it.
fn which(part: Option<(usize, usize)>) -> String {
    part.map_or("the fault".into(), |(part, count)| format!("part {part} of {count} of the fault"))
}

impl Why {
    /// Whether a wrong file was taken for good without any fault.
    #[must_use]
    pub fn is_accepted(&self) -> bool {
        match self {
            Self::AcceptedUnharmed(_) => true,
            Self::JustBefore(why) => why.is_accepted(),
            _ => false,
        }
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFired { part, seen } => write!(f, "{} never fired; {seen}", which(*part)),
            Self::NotReached { part, seen } => {
                write!(f, "{} fired but did not reach the reader; {seen}", which(*part))
            }
            Self::Missed(miss) => write!(
                f,
                "what the programs sent was not what they had sent without faults, so that the fault missed: {miss}"
            ),
            Self::Stale => f.write_str(
                "the right file lies there from an earlier run, so that it is not known what this one would have left",
            ),
            Self::EnvironmentHarmless => f.write_str(
                "the file arrived as it was sent: the environment made no fault that reached it",
            ),
            Self::PlaceUnknown => f.write_str(
                "the file arrived as it was sent, and where in it the fault struck is not known: it cannot be seen in the stream",
            ),
            Self::NotInFile => f.write_str("the change was delivered, but did not reach the file"),
            Self::NotConfirmed(first) => write!(f, "{first}; but not so in a second run"),
            Self::JustBefore(why) => write!(f, "just before, {why}"),
            Self::NoPlace(why) | Self::NoRun(why) => f.write_str(why),
            Self::Unreadable(why) => write!(f, "what may be the received file cannot be looked at: {why}"),
            control => control.fmt_control(f),
        }
    }
}

impl Why {
    /// The sentences on a run without faults.
    fn fmt_control(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoFile { looked_for, lies_there } => write!(
                f,
                "without any fault the program said Success, but no file came to {looked_for}: does `received` say where \
                 it is? It can have `*`; in the directory of the program that receives there is {lies_there}"
            ),
            Self::AcceptedUnharmed(seen) => {
                write!(f, "without any fault a wrong file was reported as Success: {seen}")
            }
            Self::OtherFile { looked_for, seen } => {
                write!(f, "without any fault another file came to {looked_for} than the one sent: {seen}")
            }
            Self::Unreachable { address, seen } => {
                write!(f, "the server could not be reached at {address}: does it listen there? {seen}")
            }
            Self::PassedBy => f.write_str(
                "the transfer succeeded, but nothing of it went through the proxy: do the programs use {host} and {port}?",
            ),
            Self::ControlFailed(seen) => write!(f, "without any fault the transfer did not succeed: {seen}"),
            _ => Ok(()),
        }
    }
}

impl From<String> for Why {
    fn from(why: String) -> Self {
        Self::NoRun(why)
    }
}

impl fmt::Display for Miss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let intended = match self.intended {
            Some(offset) => format!("offset {} of the file", number_text(offset)),
            None => "a digest of the file".into(),
        };
        match self.actual {
            Some(offset) => {
                write!(f, "it struck offset {} of the file, and not {intended}", number_text(offset))
            }
            None => write!(f, "it struck something other than {intended}, and it is not known what"),
        }
    }
}

/// What else was seen in a run, beside its verdict. Displayed as a sentence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Note {
    /// The client said Fail after it had said Success.
    ThenFailed,
    /// The client put out nothing at all.
    NoOutput,
    /// The client did not end after its verdict.
    NotEnded,
    /// The client said Success and ended with this exit code.
    EndedWith(i32),
    /// The server died in this way.
    ServerDied(EndKind),
    /// So many more files may be the received one.
    MoreFiles(usize),
    /// A wrong file was taken for good only when so many attempts were struck.
    SilentAfter(usize),
    /// It comes to another verdict when so many attempts are struck.
    OtherwiseAfter(usize, Verdict),
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ThenFailed => f.write_str("after that it said Fail"),
            Self::NoOutput => f.write_str("it put out nothing at all: does it flush its output?"),
            Self::NotEnded => f.write_str("the client did not end after its verdict"),
            Self::EndedWith(code) => write!(f, "the client ended with exit code {code} after its verdict"),
            Self::ServerDied(how) => write!(f, "the server died: {how}"),
            Self::MoreFiles(count) => write!(f, "{count} more of what may be the received file lie there"),
            Self::SilentAfter(attempts) => {
                write!(f, "with {attempts} attempts struck; with fewer it recovered")
            }
            Self::OtherwiseAfter(attempts, verdict) => {
                write!(f, "with {attempts} attempts struck it is {verdict}")
            }
        }
    }
}

/// Who put a line out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Speaker {
    /// The client.
    Client,
    /// The server.
    Server,
    /// The harness: bytes of a file, to show where it differs.
    Harness,
}

/// A line of what the programs put out. Displayed with its speaker before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutputLine {
    /// Who put it out.
    pub from: Speaker,
    /// The line, fit to be shown.
    pub text: String,
}

impl fmt::Display for OutputLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.from {
            Speaker::Client => write!(f, "client: {}", self.text),
            Speaker::Server => write!(f, "server: {}", self.text),
            Speaker::Harness => f.write_str(&self.text),
        }
    }
}
