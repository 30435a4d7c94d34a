//! The matrix for people: how many scenarios of each folder convict each program, with which kinds of fault, and then of each
//! the conviction that tells most.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use anstyle::{AnsiColor, Style};

use super::{Replay, again, conclusion, folder, mistake_of, name_of, short};
use crate::mutants::{Matrix, Row};

const GOOD: Style = AnsiColor::Green.on_default();
const BAD: Style = AnsiColor::Red.on_default().bold();

/// Stands for the kind of fault of a scenario that has none.
const NO_FAULT: &str = "(none)";

/// The matrix for people, styled with ANSI escapes: print it through `anstream`. `replay` makes the command that
/// repeats a single run.
#[must_use]
pub fn text(matrix: &Matrix, replay: &Replay<'_>) -> String {
    let mut text = format!(
        "{}, {}; of each folder, how many convict the program:\n\n",
        counted(matrix.rows.len(), "program"),
        counted(matrix.scenarios.len(), "scenario")
    );
    let width = matrix.rows.iter().map(|row| name_of(row).len()).max().unwrap_or_default();
    counts(matrix, width, &mut text);
    text.push_str("\nof each kind of fault, in how many scenarios it convicts; with + where there are several at once:\n\n");
    for row in matrix.rows.iter().filter(|row| row.flaw.is_some()) {
        let _ = writeln!(text, "{:width$}  {}", name_of(row), by_kind(matrix, row));
    }
    text.push('\n');
    for row in &matrix.rows {
        describe(matrix, row, width, replay, &mut text);
    }
    let style = style_of(matrix.holds());
    text + &format!("\n{style}{}{style:#}\n", conclusion(matrix))
}

fn style_of(holds: bool) -> Style {
    if holds { GOOD } else { BAD }
}

/// The table of numbers. A dot is easier to overlook than a zero, and here that is right.
fn counts(matrix: &Matrix, width: usize, text: &mut String) {
    let folders: Vec<String> = matrix.scenarios.iter().map(|path| folder(path)).collect();
    let columns: BTreeSet<&String> = folders.iter().collect();
    let _ = write!(text, "{:width$}", "");
    columns.iter().for_each(|column| text.push_str(&format!("  {column}")));
    text.push_str("   all  inconclusive\n");
    for row in &matrix.rows {
        let _ = write!(text, "{:width$}", name_of(row));
        for column in &columns {
            let count = row.convictions().filter(|index| folders[*index] == **column).count();
            let _ = write!(text, "  {:>1$}", dotted(count), column.chars().count());
        }
        let style = style_of(row.holds());
        let all = row.convictions().count();
        let _ = writeln!(text, "  {style}{all:>4}{style:#}  {:>12}", dotted(row.inconclusive()));
    }
}

/// How many scenarios with each kind of fault convict a program.
fn by_kind(matrix: &Matrix, row: &Row) -> String {
    let mut counts = BTreeMap::<String, usize>::new();
    for index in row.convictions() {
        let kinds = &matrix.kinds[index];
        let name = if kinds.is_empty() { NO_FAULT.to_owned() } else { kinds.join("+") };
        *counts.entry(name).or_default() += 1;
    }
    let counts: Vec<_> = counts.iter().map(|(kind, count)| format!("{kind} {count}")).collect();
    if counts.is_empty() { dotted(0) } else { counts.join(", ") }
}

fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

fn dotted(count: usize) -> String {
    if count == 0 { "·".into() } else { count.to_string() }
}

/// What a program does wrong, and the conviction that tells most.
fn describe(matrix: &Matrix, row: &Row, width: usize, replay: &Replay<'_>, text: &mut String) {
    let _ = writeln!(text, "{:width$}  {}", name_of(row), mistake_of(row));
    let style = style_of(row.holds());
    let telling = matrix.most_telling(row);
    let found = match &telling {
        Some((scenario, charge)) => format!("{}: {charge}", short(&matrix.scenarios[*scenario])),
        None if row.flaw.is_none() => return,
        None => "no scenario convicts it".into(),
    };
    let _ = writeln!(text, "{:width$}  {style}{found}{style:#}", "");
    let command = telling.map(|(scenario, _)| again(matrix, row, scenario, replay));
    if let Some(command) = command.filter(|command| !command.is_empty()) {
        let _ = writeln!(text, "{:width$}  again: {command}", "");
    }
}
