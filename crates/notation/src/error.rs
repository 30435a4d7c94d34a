//! Mistakes in scenario files, and how they are shown: the file, the line, the
//! column, the offending text underlined, and what to write instead.

use std::fmt;
use std::path::{Path, PathBuf};

use annotate_snippets::renderer::{DecorStyle, Renderer};
use annotate_snippets::{AnnotationKind, Group, Level, Origin, Snippet, normalize_untrusted_str};

use super::place::Place;

/// More mistakes than this in one go are counted, not shown.
pub const MAX_MISTAKES: usize = 20;

/// A longer line than this, in bytes, is not shown: only its place is.
const MAX_SHOWN_LINE: usize = 2_000;

/// One mistake in a scenario file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    position: Position,
    message: String,
    help: Option<String>,
    note: Option<String>,
}

/// What a mistake points at.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Position {
    /// A range of text.
    Text(Place),
    /// A file that could not be read as text at all.
    File(PathBuf),
}

impl Mistake {
    /// A mistake in the text at `place`. The message says in plain words what
    /// is wrong.
    pub fn at(place: &Place, message: impl Into<String>) -> Self {
        Self::new(Position::Text(place.clone()), message.into())
    }

    /// A mistake of a file as a whole.
    pub fn of_file(path: &Path, message: impl Into<String>) -> Self {
        Self::new(Position::File(path.to_owned()), message.into())
    }

    const fn new(position: Position, message: String) -> Self {
        Self { position, message, help: None, note: None }
    }

    /// Adds what to write instead.
    pub fn help(mut self, help: impl Into<Option<String>>) -> Self {
        self.help = help.into();
        self
    }

    /// Adds how this text came to matter.
    pub fn note(mut self, note: impl Into<Option<String>>) -> Self {
        self.note = note.into();
        self
    }

    /// What is wrong, in one line.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The file the mistake is in.
    #[must_use]
    pub fn path(&self) -> &Path {
        match &self.position {
            Position::Text(place) => place.path(),
            Position::File(path) => path,
        }
    }

    /// The text that is wrong, unless the whole file is.
    #[must_use]
    pub const fn place(&self) -> Option<&Place> {
        match &self.position {
            Position::Text(place) => Some(place),
            Position::File(_) => None,
        }
    }

    /// What to write instead, where that can be said.
    #[must_use]
    pub fn suggestion(&self) -> Option<&str> {
        self.help.as_deref()
    }

    fn render(&self, renderer: &Renderer) -> String {
        let mut group = self.locate(Level::ERROR.primary_title(self.message.as_str()));
        if let Some(help) = &self.help {
            group = group.element(Level::HELP.message(normalize_untrusted_str(help)));
        }
        if let Some(note) = &self.note {
            group = group.element(Level::NOTE.message(normalize_untrusted_str(note)));
        }
        renderer.render(&[group])
    }

    fn locate<'a>(&'a self, title: annotate_snippets::Title<'a>) -> Group<'a> {
        let path = self.path().to_string_lossy();
        let Some(place) = self.place() else {
            return title.element(Origin::path(path));
        };
        let (line, span) = place.first_line();
        if line.len() > MAX_SHOWN_LINE {
            return title.element(Origin::path(path).line(place.line()).char_column(place.column()));
        }
        let underline = AnnotationKind::Primary.span(span);
        title.element(Snippet::source(line).path(path).line_start(place.line()).annotation(underline))
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.position {
            Position::Text(place) => write!(f, "{place}: {}", self.message),
            Position::File(path) => write!(f, "{}: {}", path.display(), self.message),
        }
    }
}

/// Why a scenario could not be read: at least one mistake, in reading order.
///
/// Displayed as the first of them in one line, `file:line:column: message`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScenarioError {
    /// Never empty.
    mistakes: Vec<Mistake>,
    unshown: usize,
}

impl ScenarioError {
    /// The mistakes, at most [`MAX_MISTAKES`] of them. Never empty.
    #[must_use]
    pub fn mistakes(&self) -> &[Mistake] {
        &self.mistakes
    }

    /// The same, where it is not clear which file it is about: every message begins with `path`.
    #[must_use]
    pub fn about(mut self, path: &Path) -> Self {
        for mistake in &mut self.mistakes {
            mistake.message = format!("{}: {}", path.display(), mistake.message);
        }
        self
    }

    /// The full diagnostic of every mistake: several lines, without a newline
    /// at the end. `colour` adds ANSI escapes.
    #[must_use]
    pub fn render(&self, colour: bool) -> String {
        let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
        let renderer = renderer.decor_style(DecorStyle::Ascii);
        let mut parts: Vec<String> = self.mistakes.iter().map(|mistake| mistake.render(&renderer)).collect();
        if self.unshown > 0 {
            parts.push(format!("and {} more like these", self.unshown));
        }
        parts.join("\n\n")
    }
}

impl From<Mistake> for ScenarioError {
    fn from(mistake: Mistake) -> Self {
        Self { mistakes: vec![mistake], unshown: 0 }
    }
}

impl fmt::Display for ScenarioError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.mistakes.first().map_or(Ok(()), |first| write!(f, "{first}"))?;
        match self.mistakes.len() + self.unshown {
            0 | 1 => Ok(()),
            2 => f.write_str(" (and 1 more)"),
            all => write!(f, " (and {} more)", all - 1),
        }
    }
}

impl std::error::Error for ScenarioError {}

/// Collects mistakes while reading, so that one reading finds them all.
#[derive(Debug, Default)]
pub struct Mistakes {
    list: Vec<Mistake>,
    unshown: usize,
}

impl Mistakes {
    /// Adds a mistake. It is made only if it will be shown, because looking
    /// for a suggestion among thousands of names takes time.
    pub fn add(&mut self, make: impl FnOnce() -> Mistake) {
        if self.list.len() < MAX_MISTAKES {
            self.list.push(make());
        } else {
            self.unshown += 1;
        }
    }

    /// How many there are, those that are not kept left out.
    pub const fn count(&self) -> usize {
        self.list.len()
    }

    /// Puts the mistakes from index `from` on into reading order: what is in
    /// other files, on which `path` builds, then `path` from top to bottom.
    pub fn sort_from(&mut self, from: usize, path: &Path) {
        self.list[from..].sort_by_key(|mistake| {
            let place = mistake.place().filter(|place| place.path() == path);
            place.map(Place::start)
        });
    }

    /// The error, if there was a mistake.
    pub fn into_result(self) -> Result<(), ScenarioError> {
        match self.list.is_empty() {
            true => Ok(()),
            false => Err(ScenarioError { mistakes: self.list, unshown: self.unshown }),
        }
    }
}
