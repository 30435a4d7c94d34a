//! The cases for clients of levels 1 to 4, in which the server means well, or is damaged on its way.

use super::behaviour::{ExchangePoint, ServerAction, ServerBehaviour};
use super::trouble::at;
use super::{Claim, ClientBench, ClientRun, FileContent, Goal, Kind, Part, id_of};
use crate::{Check, Finding, Obstacle, QUIET, Stop};

/// A file of no round length that is more than a segment.
pub(super) const SMALL: usize = 3001;
/// More than a read, a buffer or a segment takes.
pub(super) const LARGE: usize = 300_007;

cases! { ClientBench:
    1 "connect" [5] after []
        "It connects, and what it says first is a command."
        => connect;
    1 "waits-for-replies" [5 16] after ["connect"]
        "It sends nothing before the reply that comes first."
        => waits_for_replies;
    1 "plain-lines" [1 7] after ["connect"]
        "It should send LIST_FILES, and LF alone."
        => |bench| bench.list(&ServerBehaviour { strict: true, ..ServerBehaviour::default() }).map(drop);
    1 "leave" [26] after ["connect"]
        "When it is done it closes, and ends."
        => leave;
    1 "list" [5 8 34] after ["connect"]
        "It takes a listing of files with odd names, and goes on."
        => list;
    2 "upload" [3 5 10 30] after ["waits-for-replies"]
        "It uploads exactly the file, and says Success."
        => |bench| bench.put(SMALL, &ServerBehaviour::default())?.uploaded(30);
    2 "upload-empty" [16] after ["upload"]
        "Of an empty file, nothing is sent."
        => |bench| bench.put(0, &ServerBehaviour::default())?.uploaded(16);
    3 "download" [3 5 30] after ["waits-for-replies"]
        "It downloads the file, and says Success."
        => download;
    3 "download-empty" [3] after ["download"]
        "Of an empty file, the size is all."
        => |bench| bench.get(0, &ServerBehaviour::default())?.downloaded(3);
    3 "download-by-size-line" [3] after ["download"]
        "The size line counts, not the listing."
        => |bench| whole_or_get(bench, &ServerBehaviour { listing: other_sizes, ..ServerBehaviour::default() })?.downloaded(3);
    3 "download-among-many" [8] after ["download"]
        "It finds its file in a listing of odd names."
        => |bench| whole_or_get(bench, &ServerBehaviour { company: true, ..ServerBehaviour::default() })?.downloaded(8);
    3 "all-22-steps" [5 26] after ["upload" "download"]
        "The 22 steps in their order."
        => steps;
    4 "wrong-hash" [29 30] after ["upload"]
        "It does not say Success when the hash is of other bytes."
        => |bench| wrong_hash(bench, |bytes| id_of(&[bytes, b"!"].concat()));
    4 "hash-of-nothing" [29 30] after ["waits-for-replies"]
        "Nor when it is the hash of nothing at all."
        => |bench| wrong_hash(bench, |_| id_of(b""));
    4 "hash-of-one-bit" [29 30] after ["upload"]
        "Nor when the server got one bit wrong."
        => hash_of_one_bit;
    4 "hash-with-other-end" [30] after ["upload"]
        "All digits of the hash count, to the last."
        => hash_with_other_end;
    4 "hash-with-other-start" [30] after ["upload"]
        "And from the first."
        => hash_with_other_start;
    4 "discard" [31] after ["wrong-hash"]
        "It should withdraw the upload by the server's hash."
        => discard;
    4 "damaged-download" [30 32] after ["download"]
        "It does not say Success when a bit of a download is wrong."
        => damaged_download;
    4 "damaged-last-byte" [30 32] after ["download"]
        "Nor when its last byte is wrong."
        => damaged_last_byte;
    4 "swapped-bytes" [30 32] after ["download"]
        "Nor when two of its bytes changed places."
        => swapped_bytes;
    4 "short-download" [30 32] after ["download"]
        "Nor when it is shorter than it was, as its size line says."
        => short_download;
}

fn connect(bench: &mut ClientBench) -> Check {
    let goal = bench.any_of([Goal::Whole, Goal::List, Goal::Put, Goal::Get]);
    let run = bench.run_client(goal, SMALL, &ServerBehaviour::default())?;
    run.went(Part::Start)?;
    if run.seen.commands.is_empty() {
        return Err(run.broken(5, 4, "a command", "nothing: it closed".into()));
    }
    Ok(())
}

fn waits_for_replies(bench: &mut ClientBench) -> Check {
    let behaviour = ServerBehaviour { patience: QUIET, ..ServerBehaviour::default() };
    let goal = bench.any_of([Goal::Whole, Goal::Put, Goal::Get, Goal::List]);
    let run = bench.run_client(goal, SMALL, &behaviour)?;
    run.went(Part::Start)?;
    match &run.seen.trouble {
        Some(trouble) if trouble.kind == Kind::Early => Err(run.charge(&trouble.finding)),
        _ => Ok(()),
    }
}

fn list(bench: &mut ClientBench) -> Check {
    let run = bench.list(&ServerBehaviour { company: true, ..ServerBehaviour::default() })?;
    listed(&run)
}

fn leave(bench: &mut ClientBench) -> Check {
    let goal = bench.any_of([Goal::Whole, Goal::List, Goal::Put, Goal::Get]);
    let mut run = bench.run_client(goal, SMALL, &ServerBehaviour::default())?;
    let is_another_matter = |run: &ClientRun| {
        let is_over = |part| matches!(part, Part::Start) || run.is_claimed(part);
        run.seen.trouble.as_ref().is_some_and(|found| found.kind != Kind::Silent || !is_over(found.part))
    };
    if is_another_matter(&run) {
        // What goes wrong in an exchange is charged elsewhere. Does it end when the server does?
        let point =
            if run.seen.uploads.is_empty() { ExchangePoint::Greeting } else { ExchangePoint::AfterHash };
        run = bench.run_client(goal, SMALL, &at(point, ServerAction::Cut(b"")))?;
    }
    let result = run.ends(26, run.has_spoken());
    bench.hangs = matches!(result, Err(Stop::Fail(_)));
    result
}

/// A client that fails is asked again in other ways: what it can do then shows what it takes for granted.
fn download(bench: &mut ClientBench) -> Check {
    let finding = match download_by(bench, &ServerBehaviour::default()) {
        Err(Stop::Fail(finding)) => *finding,
        result => return result,
    };
    let ways = [
        (
            ServerBehaviour { apart: true, ..ServerBehaviour::default() },
            4,
            "It takes what one read returns for one message",
            "with a pause between the size line and the payload it downloads the file",
        ),
        (
            at(ExchangePoint::AfterFile, ServerAction::Cut(b"")),
            3,
            "It reads a download until the end of the connection",
            "when the server closes behind the last byte it downloads the file",
        ),
    ];
    for (behaviour, rule, title, hint) in ways {
        if download_by(bench, &behaviour).is_ok() {
            let (title, hints) = (Some(title.into()), vec![hint.into()]);
            return Err(Stop::Fail(Box::new(Finding { rule, step: Some(20), title, hints, ..finding })));
        }
    }
    Err(Stop::Fail(Box::new(finding)))
}

fn download_by(bench: &mut ClientBench, behaviour: &ServerBehaviour) -> Check {
    bench.get(SMALL, behaviour)?.downloaded(30)
}

fn hash_of_one_bit(bench: &mut ClientBench) -> Check {
    wrong_hash(bench, |bytes| {
        let mut bytes = bytes.to_vec();
        bytes[SMALL / 2] ^= 4;
        id_of(&bytes)
    })
}

fn hash_with_other_end(bench: &mut ClientBench) -> Check {
    wrong_hash(bench, |bytes| {
        let id = id_of(bytes);
        let last = if id.ends_with('0') { '1' } else { '0' };
        format!("{}{last}", &id[..31])
    })
}

fn hash_with_other_start(bench: &mut ClientBench) -> Check {
    wrong_hash(bench, |bytes| {
        let id = id_of(bytes);
        let first = if id.starts_with('0') { '1' } else { '0' };
        format!("{first}{}", &id[1..])
    })
}

fn damaged_download(bench: &mut ClientBench) -> Check {
    damaged(bench, |mut bytes| {
        bytes[SMALL / 2] ^= 4;
        bytes
    })
}

fn damaged_last_byte(bench: &mut ClientBench) -> Check {
    damaged(bench, |mut bytes| {
        bytes[SMALL - 1] ^= 1;
        bytes
    })
}

fn swapped_bytes(bench: &mut ClientBench) -> Check {
    damaged(bench, |mut bytes| {
        let first = bytes[0];
        // Two bytes that differ: among so many noise has some.
        let other = bytes.iter().position(|byte| *byte != first).unwrap_or_default();
        bytes.swap(0, other);
        bytes
    })
}

fn short_download(bench: &mut ClientBench) -> Check {
    let behaviour =
        ServerBehaviour { size: |size| size - 1, payload: all_but_one, ..ServerBehaviour::default() };
    let run = bench.get(SMALL, &behaviour)?;
    came_to_download(&run)?;
    run.not_downloaded(30, "no Success: a byte is missing")
}

/// The client asked for the listing and took it: it goes on to another command, or says nothing else.
fn listed(run: &ClientRun) -> Check {
    run.went(Part::List)?;
    run.over_at_last(26)?;
    if !run.seen.commands.contains(&"LIST_FILES") {
        return Err(Stop::NotReached("the client never asked for the listing".into()));
    }
    let goes_on = run.seen.commands.last() != Some(&"LIST_FILES");
    if goes_on || run.download_claim() == Claim::Success {
        return Ok(());
    }
    let expected = "no Fail: the listing is in order";
    Err(run.broken_as("It does not take the listing", 8, 5, expected, run.said()))
}

fn other_sizes(lines: Vec<String>) -> Vec<String> {
    lines.into_iter().map(|line| line + "9").collect()
}

fn all_but_one(mut bytes: Vec<u8>) -> Vec<u8> {
    bytes.pop();
    bytes
}

fn steps(bench: &mut ClientBench) -> Check {
    if !bench.program.can(Goal::Whole) {
        return Err(Stop::Free("there is no command for the 22 steps".into()));
    }
    let run = bench.run_client(Goal::Whole, SMALL, &ServerBehaviour::default())?;
    run.uploaded(30)?;
    run.downloaded(30)?;
    let expected = ["LIST_FILES", "UPLOAD", "LIST_FILES", "DOWNLOAD"];
    if run.seen.commands == expected {
        return Ok(());
    }
    Err(run.broken(5, 4, &expected.join(", "), run.seen.commands.join(", ")))
}

/// The client uploads whole, and is told another hash than its own.
fn wrong_hash(bench: &mut ClientBench, hash: fn(&[u8]) -> String) -> Check {
    wrong_hash_of(bench, SMALL.into(), hash)
}

pub(super) fn wrong_hash_of(
    bench: &mut ClientBench,
    content: FileContent,
    hash: fn(&[u8]) -> String,
) -> Check {
    let run = bench.put(content, &ServerBehaviour { hash, ..ServerBehaviour::default() })?;
    if run.seen.uploads.is_empty() {
        return Err(Stop::NotReached("the client uploaded nothing whole".into()));
    }
    run.not_uploaded(30, "Fail: the server's hash is another than that of the file")
}

fn discard(bench: &mut ClientBench) -> Check {
    let run =
        bench.put(SMALL, &ServerBehaviour { hash: |_| id_of(b"damaged"), ..ServerBehaviour::default() })?;
    run.went(Part::Upload)?;
    let (hash, discards) = (id_of(b"damaged"), &run.seen.discards);
    if discards.contains(&hash) {
        return Ok(());
    }
    let expected = format!("\"DISCARD {hash}\\n\"");
    match run.broken(31, 14, &expected, format!("the commands {}", run.seen.commands.join(", "))) {
        Stop::Fail(finding) if discards.is_empty() => {
            bench.warning = Some(*finding);
            Ok(())
        }
        stop => Err(stop),
    }
}

fn damaged(bench: &mut ClientBench, payload: fn(Vec<u8>) -> Vec<u8>) -> Check {
    damaged_of(bench, SMALL.into(), payload)
}

pub(super) fn damaged_of(
    bench: &mut ClientBench,
    content: FileContent,
    payload: fn(Vec<u8>) -> Vec<u8>,
) -> Check {
    let run = bench.get(content, &ServerBehaviour { payload, ..ServerBehaviour::default() })?;
    came_to_download(&run)?;
    run.not_downloaded(30, "Fail: the MD5 of what came is not the id")
}

fn came_to_download(run: &ClientRun) -> Check {
    run.went(Part::Download)?;
    if run.seen.downloads.is_empty() {
        return Err(Stop::NotReached("the client downloaded nothing".into()));
    }
    Ok(())
}

/// Runs the 22 steps, or a download by a client that asks for the listing, which it need not.
pub(super) fn whole_or_get(bench: &mut ClientBench, behaviour: &ServerBehaviour) -> Check<ClientRun> {
    let free = || Stop::Free("the client downloads without a listing".into());
    let whole = bench.program.can(Goal::Whole);
    match bench.run_client(if whole { Goal::Whole } else { Goal::Get }, SMALL, behaviour) {
        Ok(run) if !whole && !run.seen.commands.contains(&"LIST_FILES") => Err(free()),
        Err(Stop::NotReached(Obstacle::NeverCame(_))) if !whole => Err(free()),
        run => run,
    }
}
