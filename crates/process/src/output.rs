//! What a program puts out, as far as it is kept.

use std::collections::VecDeque;
use std::io::{ErrorKind, Read};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use regex::{Regex, RegexBuilder};

use super::lock;

/// How much of the beginning of each of its two outputs is kept, in bytes. The rest is read and dropped, so that the
/// program does not stand still over it; but for the last lines, and those that match.
pub const MAX_OUTPUT: usize = 256 * 1024;
/// How long a line of output can be, in bytes; a longer one is cut into several.
const MAX_LINE: usize = 4096;
/// How many of the last lines are kept in any case.
const LAST_LINES: usize = 64;
/// How much is read at a time, in bytes: what a pipe of Linux holds.
const CHUNK: usize = 64 * 1024;
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
    kept: Mutex<OutputLines>,
    more: Condvar,
    keep: Vec<Pattern>,
}

#[derive(Default)]
struct OutputLines {
    /// The beginning, and what matches.
    lines: Vec<Line>,
    /// The last lines of what is beyond the beginning.
    last: VecDeque<Line>,
    /// How many bytes came over each output.
    bytes: [usize; 2],
    matching: usize,
}

/// How far somebody has looked through the lines.
#[derive(Debug, Default)]
pub(super) struct Cursor(usize);

impl Output {
    /// Nothing yet; lines that match one of `keep` are kept wherever they come.
    pub(super) fn new(keep: &[Regex]) -> Arc<Self> {
        let keep = keep.iter().map(Pattern::new).collect();
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
            output.drain(stream, is_error);
            drop(done);
            output.more.notify_all();
        });
    }

    /// Takes in one output until it ends. Returns how many lines became text on the way: the program waits for each.
    fn drain(&self, mut stream: impl Read, is_error: bool) -> usize {
        let mut buffer = vec![0; CHUNK];
        // How much of a line is there whose end has not come. It is shorter than a line can be, so that there is room.
        let (mut filled, mut made) = (0, 0);
        loop {
            match stream.read(&mut buffer[filled..]) {
                Ok(read @ 1..) => filled += read,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Ok(0) | Err(_) => break,
            }
            let whole = whole_lines(&buffer[..filled]);
            made += self.take(is_error, &buffer[..whole]);
            buffer.copy_within(whole..filled, 0);
            filled -= whole;
        }
        made + self.take(is_error, &buffer[..filled])
    }

    /// Takes in whole lines. A program may write them faster than each can be looked at: of those that are not kept, none
    /// becomes text of its own. Returns how many did.
    fn take(&self, is_error: bool, chunk: &[u8]) -> usize {
        if chunk.is_empty() {
            return 0;
        }
        let mut kept = lock(&self.kept);
        let (mut rest, mut made) = (chunk, 0);
        let mut bytes = kept.bytes[usize::from(is_error)];
        while let Some(line) = lines(rest).next() {
            bytes = bytes.saturating_add(line.len());
            // Behind lines of the other output that are kept only for now it is the last, too.
            if bytes > MAX_OUTPUT || !kept.last.is_empty() {
                break;
            }
            kept.lines.push(Line::new(is_error, line));
            made += 1;
            rest = &rest[line.len()..];
        }
        let total = &mut kept.bytes[usize::from(is_error)];
        *total = total.saturating_add(chunk.len());
        made += self.take_last(&mut kept, is_error, rest);
        self.more.notify_all();
        made
    }

    /// Takes in what is beyond the beginning: its last lines, and those that match.
    fn take_last(&self, kept: &mut OutputLines, is_error: bool, rest: &[u8]) -> usize {
        let mut last: Vec<&[u8]> = lines(rest).rev().take(LAST_LINES).collect();
        last.reverse();
        while kept.last.len() + last.len() > LAST_LINES
            && let Some(line) = kept.last.pop_front()
        {
            if kept.matching < MAX_MATCHING && self.keep.iter().any(|it| it.line.is_match(&line.text)) {
                kept.matching += 1;
                kept.lines.push(line);
            }
        }
        let passed = &rest[..rest.len() - last.iter().map(|line| line.len()).sum::<usize>()];
        let made = self.take_matching(kept, is_error, passed) + last.len();
        kept.last.extend(last.into_iter().map(|line| Line::new(is_error, line)));
        made
    }

    /// Of what is not among the last lines, only that stays which matches.
    fn take_matching(&self, kept: &mut OutputLines, is_error: bool, passed: &[u8]) -> usize {
        if passed.is_empty() || kept.matching >= MAX_MATCHING {
            return 0;
        }
        let hopeful: Vec<&Pattern> = self.keep.iter().filter(|it| it.may_match_in(passed)).collect();
        if hopeful.is_empty() {
            return 0;
        }
        let mut made = 0;
        for line in lines(passed).map(|line| Line::new(is_error, line)) {
            made += 1;
            if kept.matching < MAX_MATCHING && hopeful.iter().any(|it| it.line.is_match(&line.text)) {
                kept.matching += 1;
                kept.lines.push(line);
            }
        }
        made
    }

    /// What is kept so far, in the order in which it came.
    pub(super) fn lines(&self) -> Vec<Line> {
        let kept = lock(&self.kept);
        kept.lines.iter().chain(&kept.last).cloned().collect()
    }

    /// Whether nothing has come.
    pub(super) fn is_empty(&self) -> bool {
        lock(&self.kept).bytes == [0, 0]
    }

    /// The first line that is kept, that was not `seen`, and for which `is_it` holds.
    pub(super) fn find(&self, seen: &mut Cursor, is_it: impl Fn(&Line) -> bool) -> Option<Line> {
        find(&lock(&self.kept), seen, is_it)
    }

    /// The same. If there is none, waits `limit` for more.
    pub(super) fn find_or_wait(
        &self,
        seen: &mut Cursor,
        limit: Duration,
        is_it: impl Fn(&Line) -> bool,
    ) -> Option<Line> {
        let kept = lock(&self.kept);
        if let Some(line) = find(&kept, seen, &is_it) {
            return Some(line);
        }
        let waited = self.more.wait_timeout(kept, limit);
        find(&waited.unwrap_or_else(PoisonError::into_inner).0, seen, is_it)
    }
}

/// Each line is looked at once, so that long output is not held up by who waits for a line of it; but for the last ones,
/// which may go.
fn find(
    kept: &MutexGuard<'_, OutputLines>,
    seen: &mut Cursor,
    is_it: impl Fn(&Line) -> bool,
) -> Option<Line> {
    let fresh = kept.lines.iter().skip(seen.0);
    let found = fresh.chain(&kept.last).find(|line| is_it(line)).cloned();
    seen.0 = kept.lines.len();
    found
}

impl Line {
    fn new(is_error: bool, line: &[u8]) -> Self {
        let text = String::from_utf8_lossy(line).trim_end_matches(['\r', '\n']).to_owned();
        Self { is_error, text }
    }
}

/// The lines of a text, with their ends; one that is too long is several.
fn lines(text: &[u8]) -> impl DoubleEndedIterator<Item = &[u8]> {
    text.split_inclusive(|byte| *byte == b'\n').flat_map(|line| line.chunks(MAX_LINE))
}

/// How much of a text is lines that are whole, or as long as a line can be.
fn whole_lines(text: &[u8]) -> usize {
    let whole = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    whole + (text.len() - whole) / MAX_LINE * MAX_LINE
}

/// What lines are kept for, in two forms.
struct Pattern {
    line: Regex,
    /// Finds something in any text that has a line which matches, if that can be had.
    text: Option<Regex>,
}

impl Pattern {
    fn new(line: &Regex) -> Self {
        let pattern = line.as_str();
        // With several lines `^` and `$` hold at the ends of each. What holds at those of the text alone, or has that taken
        // away again by flags as in `(?-m)`, is looked for line by line.
        let is_of_text = pattern.contains(r"\A") || pattern.contains(r"\z");
        let has_flags = pattern.contains("(?") && pattern.contains('-');
        let text =
            RegexBuilder::new(pattern).multi_line(true).crlf(true).dot_matches_new_line(true).build().ok();
        Self { line: line.clone(), text: text.filter(|_| !is_of_text && !has_flags) }
    }

    /// Whether a line of the text may match: a whole text is searched many times faster than each of its lines.
    fn may_match_in(&self, text: &[u8]) -> bool {
        // Text with what is no UTF-8, or with a line that is cut, has other lines than those that are searched.
        let (Some(pattern), Ok(text)) = (&self.text, std::str::from_utf8(text)) else { return true };
        let is_cut = || text.len() > MAX_LINE && text.lines().any(|line| line.len() >= MAX_LINE);
        pattern.is_match(text) || is_cut()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// More than is kept.
    const FLOOD: usize = 8 * MAX_OUTPUT;

    /// Text of about this length, of one line again and again.
    fn again_and_again(line: &str, length: usize) -> String {
        line.repeat(length / line.len())
    }

    fn patterns(patterns: &[&str]) -> Vec<Regex> {
        patterns.iter().map(|pattern| Regex::new(pattern).unwrap()).collect()
    }

    #[test]
    fn lines_that_are_not_kept_do_not_become_text_one_by_one() {
        let text = again_and_again("y\n", FLOOD);
        for keep in [&[][..], &["^Success$", "(?i)fail|wrong"]] {
            let output = Output::new(&patterns(keep));
            let made = output.drain(text.as_bytes(), false);
            let reads = FLOOD / (CHUNK - MAX_LINE) + 1;
            assert!(made <= MAX_OUTPUT / 2 + reads * LAST_LINES, "{made} lines of {}", FLOOD / 2);
            assert_eq!(output.lines().len(), MAX_OUTPUT / 2 + LAST_LINES);
        }
    }

    #[test]
    fn lines_that_match_are_kept_in_the_midst_of_a_flood_and_in_their_order() {
        let flood = again_and_again("yes, no success yet\r\n", FLOOD);
        let text = format!("{flood}Success\r\n{flood}the end");
        // As they are looked for in one line: with ends of the text, with flags, before CR LF.
        for pattern in ["^Success$", r"\ASuccess\z", "(?-m)^Success$", "(?i)^success$", "^[^y]+s$"] {
            let output = Output::new(&patterns(&[pattern]));
            output.drain(text.as_bytes(), true);
            let lines = output.lines();
            let at = lines.iter().position(|line| line.text == "Success");
            assert_eq!(at, Some(lines.len() - 1 - LAST_LINES), "{pattern}");
            assert_eq!(lines.last().map(|line| line.text.as_str()), Some("the end"));
        }
    }

    #[test]
    fn what_matches_in_its_line_matches_in_the_flood() {
        let flood = again_and_again("y\n", FLOOD);
        let long = format!("{}abc", "x".repeat(MAX_LINE));
        let cases = [("^ab", &*long, "abc"), ("^1%.*Fail", "1%\r2%\rFail", "1%\r2%\rFail")];
        for (pattern, line, kept) in cases {
            let output = Output::new(&patterns(&[pattern]));
            output.drain(format!("{flood}{line}\n{flood}").as_bytes(), false);
            assert!(output.lines().iter().any(|line| line.text == kept), "{pattern}");
        }
    }

    #[test]
    fn lines_come_apart_where_they_end_and_not_where_they_are_read() {
        let text = format!("a\r\n\n{}\n{}\nb", "c".repeat(MAX_LINE), "d".repeat(MAX_LINE - 1));
        struct Bytes<'a>(&'a [u8]);
        impl Read for Bytes<'_> {
            fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
                self.0.read(&mut buffer[..1])
            }
        }
        let (whole, apart) = (Output::new(&[]), Output::new(&[]));
        whole.drain(text.as_bytes(), false);
        apart.drain(Bytes(text.as_bytes()), false);
        let lengths: Vec<usize> = whole.lines().iter().map(|line| line.text.len()).collect();
        assert_eq!(lengths, [1, 0, MAX_LINE, 0, MAX_LINE - 1, 1]);
        assert_eq!(whole.lines(), apart.lines());
    }
}
