//! What a program puts out, as far as it is kept.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread;
use std::time::Duration;

use regex::Regex;

use super::lock;

/// How much of the beginning of each of its two outputs is kept, in bytes. The rest is read and dropped, so that the
/// program does not stand still over it; but for the last lines, and those that match.
pub const MAX_OUTPUT: usize = 256 * 1024;
/// How long a line of output can be, in bytes; a longer one is cut into several.
const MAX_LINE: u64 = 4096;
/// How many of the last lines are kept in any case.
const LAST_LINES: usize = 64;
/// How many lines beyond the beginning are kept because they match.
const MAX_MATCHING: usize = 1_000;

/// One line of output, without its line end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Whether it came over standard error.
    pub is_error: bool,
    /// The text; what is no UTF-8 is replaced.
    pub text: String,
}

/// Both outputs of a program, while it runs.
pub(super) struct Output {
    kept: Mutex<Kept>,
    more: Condvar,
    keep: Vec<Regex>,
}

#[derive(Default)]
struct Kept {
    /// The beginning, and what matches.
    lines: Vec<Line>,
    /// The last lines of what is beyond the beginning.
    last: VecDeque<Line>,
    /// How many bytes came over each output.
    bytes: [usize; 2],
    matching: usize,
}

impl Output {
    /// Nothing yet; lines that match one of `keep` are kept wherever they come.
    pub(super) fn new(keep: Vec<Regex>) -> Arc<Self> {
        Arc::new(Self { kept: Mutex::default(), more: Condvar::new(), keep })
    }

    /// Takes in one output until it ends, in a thread of its own. `done` is dropped then.
    pub(super) fn read(
        self: &Arc<Self>,
        stream: impl Read + Send + 'static,
        is_error: bool,
        done: &Sender<()>,
    ) {
        let (output, done) = (Arc::clone(self), done.clone());
        thread::spawn(move || {
            let mut stream = BufReader::new(stream);
            let mut line = Vec::new();
            while matches!(stream.by_ref().take(MAX_LINE).read_until(b'\n', &mut line), Ok(1..)) {
                output.push(is_error, &line);
                line.clear();
            }
            drop(done);
            output.more.notify_all();
        });
    }

    fn push(&self, is_error: bool, line: &[u8]) {
        let text = String::from_utf8_lossy(line).trim_end_matches(['\r', '\n']).to_owned();
        let mut kept = lock(&self.kept);
        let bytes = &mut kept.bytes[usize::from(is_error)];
        *bytes = bytes.saturating_add(line.len());
        let (is_beginning, line) = (*bytes <= MAX_OUTPUT, Line { is_error, text });
        // Behind lines of the other output that are kept only for now it is the last, too.
        if is_beginning && kept.last.is_empty() {
            kept.lines.push(line);
        } else {
            kept.last.push_back(line);
        }
        self.let_go(&mut kept);
        self.more.notify_all();
    }

    /// Of what is no longer among the last lines, only that stays which matches.
    fn let_go(&self, kept: &mut Kept) {
        while kept.last.len() > LAST_LINES
            && let Some(line) = kept.last.pop_front()
        {
            if kept.matching < MAX_MATCHING && self.keep.iter().any(|it| it.is_match(&line.text)) {
                kept.matching += 1;
                kept.lines.push(line);
            }
        }
    }

    /// What is kept so far, in the order in which it came.
    pub(super) fn lines(&self) -> Vec<Line> {
        let kept = lock(&self.kept);
        kept.lines.iter().chain(&kept.last).cloned().collect()
    }

    /// The first line that is kept and for which `is_it` holds. If there is none, waits `limit` for more.
    pub(super) fn find_or_wait(&self, limit: Duration, is_it: impl Fn(&Line) -> bool) -> Option<Line> {
        let find = |kept: &MutexGuard<'_, Kept>| {
            kept.lines.iter().chain(&kept.last).find(|line| is_it(line)).cloned()
        };
        let kept = lock(&self.kept);
        find(&kept).or_else(|| {
            let waited = self.more.wait_timeout(kept, limit);
            find(&waited.unwrap_or_else(std::sync::PoisonError::into_inner).0)
        })
    }
}
