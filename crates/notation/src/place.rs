//! Where a thing stands: a file, and a range of bytes in it. Lines and columns
//! are counted when somebody asks, because most places are never shown.

use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The text of one scenario file, kept so that a mistake found long after
/// reading can still be shown underlined.
#[derive(PartialEq, Eq)]
pub struct SourceFile {
    path: PathBuf,
    text: String,
    /// The byte offset at which each line begins. Never empty.
    line_starts: Vec<usize>,
}

impl SourceFile {
    /// Some editors begin a file with a byte order mark, which is no part of
    /// its text and no column of its first line.
    pub fn new(path: &Path, text: String) -> Arc<Self> {
        let text = text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text);
        let after_newlines = text.bytes().enumerate().filter(|&(_, byte)| byte == b'\n').map(|(i, _)| i + 1);
        let line_starts = std::iter::once(0).chain(after_newlines).collect();
        Arc::new(Self { path: path.to_owned(), text, line_starts })
    }

    /// The path of the file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// All of its text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The index of the line that holds byte `offset`, from 0.
    fn line_index(&self, offset: usize) -> usize {
        self.line_starts.partition_point(|&start| start <= offset).saturating_sub(1)
    }

    /// The bytes of line `index`, without its line ending.
    fn line_range(&self, index: usize) -> Range<usize> {
        let start = self.line_starts[index];
        let end = self.line_starts.get(index + 1).copied().unwrap_or(self.text.len());
        start..start + self.text[start..end].trim_end_matches(['\r', '\n']).len()
    }
}

/// A range of text in one scenario file. Displayed as `file:line:column`.
///
/// Cheap to clone: the text of the file is shared.
#[derive(Clone, PartialEq, Eq)]
pub struct Place {
    file: Arc<SourceFile>,
    span: Range<usize>,
}

impl Place {
    /// `span` in bytes of `file`; what lies past the end of the text is cut off.
    pub fn new(file: &Arc<SourceFile>, span: Range<usize>) -> Self {
        let start = span.start.min(file.text.len());
        let end = span.end.clamp(start, file.text.len());
        Self { file: Arc::clone(file), span: start..end }
    }

    /// A place that is in no scenario file, such as an option of the command
    /// line. It is displayed as `origin` alone.
    #[must_use]
    pub fn outside(origin: &str) -> Self {
        Self::new(&SourceFile::new(Path::new(origin), String::new()), 0..0)
    }

    /// The scenario file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.file.path
    }

    /// The line at which the range begins, from 1.
    #[must_use]
    pub fn line(&self) -> usize {
        self.file.line_index(self.span.start) + 1
    }

    /// The column at which the range begins, in characters, from 1.
    #[must_use]
    pub fn column(&self) -> usize {
        let line_start = self.file.line_starts[self.line() - 1];
        self.file.text[line_start..self.span.start].chars().count() + 1
    }

    /// The text of the range.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.file.text[self.span.clone()]
    }

    /// The byte offset at which the range begins.
    pub fn start(&self) -> usize {
        self.span.start
    }

    /// The line at which the range begins, and which bytes of that line to
    /// underline. A range of several lines is cut at the end of its first.
    pub fn first_line(&self) -> (&str, Range<usize>) {
        let line = self.file.line_range(self.line() - 1);
        let end = self.span.end.clamp(line.start, line.end);
        let start = self.span.start.clamp(line.start, end.max(line.start));
        (&self.file.text[line.clone()], start - line.start..end - line.start)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.path().display())?;
        if self.file.text.is_empty() {
            return Ok(());
        }
        write!(f, ":{}:{}", self.line(), self.column())
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A value together with the text it was read from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Located<T> {
    /// What was read.
    pub value: T,
    /// Where it stands.
    pub place: Place,
}
