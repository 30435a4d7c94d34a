//! What came of a sweep, for people: a table of kinds and outcomes, a map of the exchange, what can be claimed, and what was
//! found.

use std::collections::BTreeMap;
use std::fmt::Write;

use anstyle::{AnsiColor, Style};

use crate::explore::class::Class;
use crate::explore::part::{FindingRecord, SweepResult};
use crate::explore::space::{Message, Place, Space};
use faults::Flow;
use faults::text::{bytes_text, visible};

const GOOD: Style = AnsiColor::Green.on_default();
const BAD: Style = AnsiColor::Red.on_default().bold();
const DOUBTFUL: Style = AnsiColor::Yellow.on_default();

/// How many cells a row of the map has at most.
const CELLS: u64 = 48;
/// How many findings are shown; all of them stand in the JSON lines.
const SHOWN: usize = 8;
/// How many missing shares are named.
const NAMED: usize = 50;

/// The report, styled with ANSI escapes. `space` is that of the result's header; `replay` makes the command that repeats a
/// run with this fault.
#[must_use]
pub fn text(result: &SweepResult, space: &Space, replay: &dyn Fn(&FindingRecord) -> String) -> String {
    let mut text = heading(result, space);
    table(result, space, &mut text);
    map(result, space, &mut text);
    findings(result, space, replay, &mut text);
    let _ = writeln!(text, "\n{}", claim(result, space));
    text
}

fn style_of(class: Class) -> Style {
    match class {
        Class::Panicked | Class::Endless | Class::Silent | Class::LeftBehind => BAD,
        Class::KnownLimit | Class::FalseAlarm | Class::Unproved => DOUBTFUL,
        Class::Detected | Class::Recovered => GOOD,
        Class::Aborted | Class::Intact => Style::new(),
    }
}

/// `1,234` for 1234.
pub(super) fn number(count: u64) -> String {
    faults::grouped(count).replace('_', ",")
}

fn heading(result: &SweepResult, space: &Space) -> String {
    let header = &result.header;
    let program = header.mutant.as_ref().map_or(String::new(), |name| format!(", mutant {name}"));
    format!(
        "{}{program}: single faults of {}, {} in all, on {}\n\n",
        visible(&header.scenario),
        match space.kinds().len() {
            1 => "one kind".to_owned(),
            kinds => format!("{kinds} kinds"),
        },
        number(space.count()),
        bytes_text(space.bytes())
    )
}

/// Kind by outcome: the outcomes that there are, from the worst to the best.
fn table(result: &SweepResult, space: &Space, text: &mut String) {
    let mut counts: BTreeMap<(&'static str, Class), u64> = BTreeMap::new();
    for (number, class) in (0..).zip(&result.classes) {
        if let (Some(class), Some(point)) = (class, space.point(number)) {
            *counts.entry((space.variants()[point.variant].kind(), *class)).or_default() += 1;
        }
    }
    let of = |class: Class| counts.iter().filter(|((_, it), _)| *it == class).map(|(_, count)| count).sum();
    let classes: Vec<Class> = Class::ALL.into_iter().filter(|class| of(*class) > 0_u64).collect();
    let _ = write!(text, "{:<18} {:>9}", "fault", "runs");
    for class in &classes {
        let style = style_of(*class);
        let _ = write!(text, "  {style}{:>10}{style:#}", class.to_string());
    }
    text.push('\n');
    let row = |name: &str, counts: &[u64], text: &mut String| {
        let _ = write!(text, "{name:<18} {:>9}", number(counts.iter().sum()));
        for (class, count) in classes.iter().zip(counts) {
            let style = if *count > 0 { style_of(*class) } else { Style::new() };
            let count = if *count > 0 { number(*count) } else { "·".into() };
            let _ = write!(text, "  {style}{count:>10}{style:#}");
        }
        text.push('\n');
    };
    for kind in space.kinds() {
        let of_kind: Vec<u64> =
            classes.iter().map(|class| counts.get(&(kind, *class)).copied().unwrap_or(0)).collect();
        row(kind, &of_kind, text);
    }
    row("all", &classes.iter().map(|class| of(*class)).collect::<Vec<_>>(), text);
    text.push('\n');
    for class in &classes {
        let style = style_of(*class);
        let _ = writeln!(
            text,
            "  {style}{} {:<10}{style:#}  {}",
            class.letter(),
            class.to_string(),
            class.describe()
        );
    }
}

/// One row for each message, a cell for each byte or for several: the worst of all faults there.
fn map(result: &SweepResult, space: &Space, text: &mut String) {
    let mut worst: Vec<Vec<Option<Class>>> =
        space.messages().iter().map(|it| vec![None; cells(it)]).collect();
    for (number, class) in (0..).zip(&result.classes) {
        let (Some(class), Some(point)) = (class, space.point(number)) else { continue };
        let message = &space.messages()[point.message];
        let at = usize::try_from(point.offset / bytes_in_cell(message)).unwrap_or(0);
        let cell = &mut worst[point.message][at];
        // That nothing is proved is no outcome: it shows only where there is no other.
        *cell = Some(cell.map_or(*class, |before| before.min(*class)));
    }
    let width = space.messages().iter().map(|it| it.label.chars().count()).max().unwrap_or(0);
    text.push_str("\nThe worst at each place (> to the server, < to the client, = on the disk):\n\n");
    for (message, row) in space.messages().iter().zip(worst) {
        if row.iter().all(Option::is_none) {
            continue;
        }
        let step = message.step.map_or(String::new(), |step| step.to_string());
        let arrow = match message.place {
            Place::Stream(Flow::ToServer) => '>',
            Place::Stream(Flow::ToClient) => '<',
            Place::Disk => '=',
        };
        let _ = write!(text, "{step:>4} {arrow} {:<width$}  ", message.label);
        for cell in &row {
            let (style, letter) = cell.map_or((Style::new(), ' '), |class| (style_of(class), class.letter()));
            let _ = write!(text, "{style}{letter}{style:#}");
        }
        let bytes = bytes_in_cell(message);
        text.push_str(&if bytes > 1 { format!("  ({bytes} bytes each)\n") } else { "\n".into() });
    }
}

fn length(message: &Message) -> u64 {
    message.range.end - message.range.start
}

fn bytes_in_cell(message: &Message) -> u64 {
    length(message).div_ceil(CELLS).max(1)
}

fn cells(message: &Message) -> usize {
    usize::try_from(length(message).div_ceil(bytes_in_cell(message))).unwrap_or(0)
}

/// The findings of one class, of one kind of fault in one message.
type Group<'a> = ((usize, &'static str, Class), Vec<&'a FindingRecord>);

/// Of those of one kind in one message, the first, and how many there are.
fn findings(
    result: &SweepResult,
    space: &Space,
    replay: &dyn Fn(&FindingRecord) -> String,
    text: &mut String,
) {
    let mut groups: Vec<Group<'_>> = Vec::new();
    for finding in result.findings.values() {
        let Some(point) = space.point(finding.run) else { continue };
        let key = (point.message, space.variants()[point.variant].kind(), finding.class);
        match groups.iter_mut().find(|(other, _)| *other == key) {
            Some((_, findings)) => findings.push(finding),
            None => groups.push((key, vec![finding])),
        }
    }
    groups.sort_by_key(|(_, findings)| std::cmp::Reverse(findings.len()));
    for ((message, kind, class), findings) in groups.iter().take(SHOWN) {
        let label = &space.messages()[*message].label;
        let (first, count) = (findings[0], findings.len());
        let _ =
            writeln!(text, "\n{BAD}{class}{BAD:#}  {count} of {kind} in {label}; the first: {}", first.fault);
        let _ = writeln!(text, "  {}", visible(&first.what));
        let _ = writeln!(text, "  replay: {}", replay(first));
    }
    if groups.len() > SHOWN {
        let _ = writeln!(text, "\n… and {} more groups: `--out FILE` has them all.", groups.len() - SHOWN);
    }
}

/// What is swept, in words: faults strike one connection.
fn place(result: &SweepResult) -> &'static str {
    if result.header.clients > 1 { "on the connection of the first client" } else { "in this exchange" }
}

/// What can be said of all this.
#[must_use]
pub fn claim(result: &SweepResult, space: &Space) -> String {
    let count = |class| result.classes.iter().flatten().filter(|it| **it == class).count() as u64;
    let (walked, unproved) = (result.walked(), count(Class::Unproved));
    let found: u64 = Class::ALL.into_iter().filter(|class| class.is_finding()).map(count).sum();
    let all = if result.is_complete() {
        let narrowed = result.header.narrows();
        let what =
            if narrowed { "all there are of what was asked for" } else { "all there are of these kinds" };
        format!("{} single faults, {what} and their smallest parameters {}", number(walked), place(result))
    } else {
        format!("{} of {} single faults {}", number(walked), number(space.count()), place(result))
    };
    let proved = number(walked - unproved);
    let end = match (found, walked - unproved) {
        (_, 0) => format!("{DOUBTFUL}nothing is proved{DOUBTFUL:#}"),
        (0, _) => format!(
            "{GOOD}none was accepted silently, and none left a damaged file in use that nobody saw to{GOOD:#}"
        ),
        (_, _) => format!("{BAD}{} went wrong{BAD:#}", number(found)),
    };
    let doubt = match unproved {
        0 => String::new(),
        _ => format!(
            "\n{} of them ({:.1} %) did not reach their reader, or changed nothing: they count for nothing, so that {proved} speak.",
            number(unproved),
            100.0 * ratio(unproved, walked)
        ),
    };
    let known = match count(Class::KnownLimit) {
        0 => String::new(),
        known => format!("\n{} came to a limit of the specification itself: docs/ladder.md.", number(known)),
    };
    let partial = match (result.missing(), &result.shares[..]) {
        (missing, _) if missing.is_empty() => String::new(),
        (_, [(shard, runs)]) if shard.of > 1 && *runs == shard.share(space.count()) => {
            format!("\nThis is all of share {shard}: `sim merge` makes one report of all shares.")
        }
        (_, [(shard, _)]) if shard.of == 1 => "\nPartial: it was stopped before the end.".into(),
        (missing, _) => {
            let shares: Vec<String> = missing.iter().take(NAMED).map(ToString::to_string).collect();
            let more = if missing.len() > NAMED { ", …" } else { "" };
            format!("\nPartial: of share {}{more} not all was walked.", shares.join(", "))
        }
    };
    format!("{all}: {end}.{known}{doubt}{partial}")
}

#[expect(clippy::cast_precision_loss, reason = "a share in percent, with one digit behind the point")]
pub(super) fn ratio(part: u64, all: u64) -> f64 {
    part as f64 / all.max(1) as f64
}
