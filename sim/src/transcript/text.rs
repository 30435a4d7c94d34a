//! The transcript as a person reads it: one line per event, the direction as an arrow.

use std::fmt::Write;

use anstyle::{AnsiColor, Style};
use protocol::{Compared, Entry, FileId};

use super::{Cause, Deviation, Line, Side};
use faults::Direction;
use faults::text::{bytes_text, visible};
use transfer::record::{Action, Message};

const DIM: Style = Style::new().dimmed();
const GOOD: Style = AnsiColor::Green.on_default();
const BAD: Style = AnsiColor::Red.on_default().bold();
const STRUCK: Style = AnsiColor::Yellow.on_default().bold();
const ARROW: Style = AnsiColor::Cyan.on_default();

/// The whole transcript, styled with ANSI escapes; print it through `anstream`, which strips them where they
/// are not wanted. `times` adds the time of each line in milliseconds.
#[must_use]
pub fn render(lines: &[Line], times: bool) -> String {
    let mut text = String::new();
    let mut last = None;
    for line in lines {
        let number = match line.step {
            Some(step) if last != line.step => step.to_string(),
            _ => String::new(),
        };
        last = line.step;
        // Writing to a String cannot fail.
        let _ = write!(text, "{DIM}{number:>3}{DIM:#}  ");
        if times {
            let millis = line.at.as_secs_f64() * 1e3;
            let _ = write!(text, "{DIM}{millis:>12.3} ms{DIM:#}  ");
        }
        render_line(line, if times { 37 } else { 20 }, &mut text);
    }
    text
}

fn render_line(line: &Line, indent: usize, text: &mut String) {
    let style = style_of(&line.action);
    let said = describe(&line.action);
    let mut rows = said.lines();
    let first = rows.next().unwrap_or_default();
    let way = way(line);
    let _ = writeln!(text, "{ARROW}{way}{ARROW:#}  {style}{first}{style:#}");
    for row in rows {
        let _ = writeln!(text, "{:indent$}  {style}{row}{style:#}", "");
    }
}

/// Who does it, or who sends to whom; always as wide.
fn way(line: &Line) -> &'static str {
    match (line.side, &line.action) {
        (_, Action::Struck { .. }) => "     fault     ",
        (Side::Client, Action::Sent(_) | Action::Sending(_)) => "client → server",
        (Side::Server, Action::Sent(_) | Action::Sending(_)) => "client ← server",
        (Side::Client, _) => "client         ",
        (Side::Server, _) => "         server",
    }
}

fn style_of(action: &Action) -> Style {
    match action {
        Action::Compared(_, Compared::Same(_)) => GOOD,
        Action::Compared(..)
        | Action::Unlisted(_)
        | Action::Ambiguous(..)
        | Action::Failed(_)
        | Action::Crashed => BAD,
        Action::Struck { .. } => STRUCK,
        _ => Style::new(),
    }
}

/// An event in words, without who did it. A listing has several lines.
#[must_use]
pub fn describe(action: &Action) -> String {
    match action {
        Action::Listened => "listens".into(),
        Action::Started => "starts".into(),
        Action::Connected => "connects to the server".into(),
        Action::Accepted => "accepts the connection".into(),
        Action::Sending(bytes) => format!("{}, or as many as get through", bytes_text(*bytes)),
        Action::Sent(message) => message_text(message),
        Action::Received(message) => format!("received {}", message_text(message)),
        Action::Saved(entry) => format!("saved {} under the id {}", visible(entry.name.as_str()), entry.id),
        Action::Forgot(id) => format!("forgot {id}"),
        Action::Compared(direction, compared) => compared_text(*direction, *compared),
        Action::Unlisted(name) if FileId::parse(name.as_str()).is_some() => {
            format!("cannot ask for {}: no file in the listing has this id", visible(name.as_str()))
        }
        Action::Unlisted(name) => {
            format!("cannot ask for {}: it is not in the listing", visible(name.as_str()))
        }
        Action::Ambiguous(name, entries) => {
            let one = |entry: &Entry| format!("{} under the id {}", visible(entry.name.as_str()), entry.id);
            let all: Vec<_> = entries.iter().map(one).collect();
            format!("cannot ask for {}: it can be {}", visible(name.as_str()), all.join(", or "))
        }
        Action::Disconnected => "disconnects".into(),
        Action::PeerLeft => "sees the client leave".into(),
        Action::Failed(failure) => format!("gives up: {failure}"),
        Action::Retried(count) => format!("tries again (retry {count})"),
        Action::Crashed => "goes down".into(),
        Action::Restarted => "is up again and listens".into(),
        Action::Struck { text, .. } => text.clone(),
    }
}

fn message_text(message: &Message) -> String {
    match message {
        Message::Text { text, .. } if text.is_empty() => "(an empty line)".into(),
        Message::Text { text, .. } => text.lines().map(visible).collect::<Vec<_>>().join("\n"),
        Message::Payload { bytes, digest } => format!("{}, MD5 {digest}", bytes_text(*bytes)),
    }
}

fn compared_text(direction: Direction, compared: Compared) -> String {
    let theirs = match direction {
        Direction::Upload => "the server's",
        Direction::Download => "the id",
    };
    match compared {
        Compared::Same(_) => format!("Success: its own MD5 is the same as {theirs}"),
        Compared::Different { own, .. } => format!("Fail: its own MD5 {own} is not {theirs}"),
    }
}

impl std::fmt::Display for Deviation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let step = self.step;
        match &self.expected {
            Some(expected) => write!(f, "step {step}: expected {expected}, ")?,
            None => write!(f, "after the last step, ")?,
        }
        match self.cause {
            Cause::NotAtAll => f.write_str("but the run ended without it")?,
            Cause::TooEarly(later) => write!(f, "but step {later} came too early")?,
            Cause::Otherwise => f.write_str("but something else came")?,
            Cause::TooMuch => f.write_str("something more came")?,
        }
        if let Some(came) = &self.came {
            let said = describe(&came.action);
            write!(f, ": {}: {}", way(came).trim(), said.lines().next().unwrap_or_default())?;
        }
        Ok(())
    }
}
