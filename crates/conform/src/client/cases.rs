//! The cases for clients of levels 1 to 4, in which the server means well, or is damaged on its way.

use super::play::{Act, Play, Point};
use super::trouble::at;
use super::{Claim, Goal, Holds, Kind, Part, Studio, Take, id_of};
use crate::{Check, Finding, Obstacle, QUIET, Stop};

/// A file of no round length that is more than a segment.
pub(super) const SMALL: usize = 3001;
/// More than a read, a buffer or a segment takes.
pub(super) const LARGE: usize = 300_007;

cases! { Studio:
    1 "connect" [5] after []
        "It connects, and what it says first is a command."
        => connect;
    1 "waits-for-replies" [5 16] after ["connect"]
        "It sends nothing before the reply that comes first."
        => waits_for_replies;
    1 "plain-lines" [1 7] after ["connect"]
        "It should send LIST_FILES, and LF alone."
        => |studio| studio.list(&Play { strict: true, ..Play::default() }).map(drop);
    1 "leave" [26] after ["connect"]
        "When it is done it closes, and ends."
        => leave;
    1 "list" [5 8 34] after ["connect"]
        "It takes a listing of files with odd names, and goes on."
        => list;
    2 "upload" [3 5 10 30] after ["waits-for-replies"]
        "It uploads exactly the file, and says Success."
        => |studio| studio.put(SMALL, &Play::default())?.uploaded(30);
    2 "upload-empty" [16] after ["upload"]
        "Of an empty file, nothing is sent."
        => |studio| studio.put(0, &Play::default())?.uploaded(16);
    3 "download" [3 5 30] after ["waits-for-replies"]
        "It downloads the file, and says Success."
        => download;
    3 "download-empty" [3] after ["download"]
        "Of an empty file, the size is all."
        => |studio| studio.get(0, &Play::default())?.downloaded(3);
    3 "download-by-size-line" [3] after ["download"]
        "The size line counts, not the listing."
        => |studio| whole_or_get(studio, &Play { listing: other_sizes, ..Play::default() })?.downloaded(3);
    3 "download-among-many" [8] after ["download"]
        "It finds its file in a listing of odd names."
        => |studio| whole_or_get(studio, &Play { company: true, ..Play::default() })?.downloaded(8);
    3 "all-22-steps" [5 26] after ["upload" "download"]
        "The 22 steps in their order."
        => steps;
    4 "wrong-hash" [29 30] after ["upload"]
        "It does not say Success when the hash is of other bytes."
        => |studio| wrong_hash(studio, |bytes| id_of(&[bytes, b"!"].concat()));
    4 "hash-of-nothing" [29 30] after ["waits-for-replies"]
        "Nor when it is the hash of nothing at all."
        => |studio| wrong_hash(studio, |_| id_of(b""));
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

fn connect(studio: &mut Studio) -> Check {
    let goal = studio.any_of([Goal::Whole, Goal::List, Goal::Put, Goal::Get]);
    let take = studio.play(goal, SMALL, &Play::default())?;
    take.went(Part::Start)?;
    if take.seen.commands.is_empty() {
        return Err(take.broken(5, 4, "a command", "nothing: it closed".into()));
    }
    Ok(())
}

fn waits_for_replies(studio: &mut Studio) -> Check {
    let play = Play { patience: QUIET, ..Play::default() };
    let goal = studio.any_of([Goal::Whole, Goal::Put, Goal::Get, Goal::List]);
    let take = studio.play(goal, SMALL, &play)?;
    take.went(Part::Start)?;
    match &take.seen.trouble {
        Some(trouble) if trouble.kind == Kind::Early => Err(take.charge(&trouble.finding)),
        _ => Ok(()),
    }
}

fn list(studio: &mut Studio) -> Check {
    let take = studio.list(&Play { company: true, ..Play::default() })?;
    listed(&take)
}

fn leave(studio: &mut Studio) -> Check {
    let goal = studio.any_of([Goal::Whole, Goal::List, Goal::Put, Goal::Get]);
    let mut take = studio.play(goal, SMALL, &Play::default())?;
    let is_another_matter = |take: &Take| {
        let is_over = |part| matches!(part, Part::Start) || take.is_claimed(part);
        take.seen.trouble.as_ref().is_some_and(|found| found.kind != Kind::Silent || !is_over(found.part))
    };
    if is_another_matter(&take) {
        // What goes wrong in an exchange is charged elsewhere. Does it end when the server does?
        let point = if take.seen.uploads.is_empty() { Point::Greeting } else { Point::AfterHash };
        take = studio.play(goal, SMALL, &at(point, Act::Cut(b"")))?;
    }
    let result = take.ends(26, take.has_spoken());
    studio.hangs = matches!(result, Err(Stop::Fail(_)));
    result
}

/// A client that fails is asked again in other ways: what it can do then shows what it takes for granted.
fn download(studio: &mut Studio) -> Check {
    let finding = match download_by(studio, &Play::default()) {
        Err(Stop::Fail(finding)) => *finding,
        result => return result,
    };
    let ways = [
        (
            Play { apart: true, ..Play::default() },
            4,
            "It takes what one read returns for one message",
            "with a pause between the size line and the payload it downloads the file",
        ),
        (
            at(Point::AfterFile, Act::Cut(b"")),
            3,
            "It reads a download until the end of the connection",
            "when the server closes behind the last byte it downloads the file",
        ),
    ];
    for (play, rule, title, hint) in ways {
        if download_by(studio, &play).is_ok() {
            let (title, hints) = (Some(title.into()), vec![hint.into()]);
            return Err(Stop::Fail(Box::new(Finding { rule, step: Some(20), title, hints, ..finding })));
        }
    }
    Err(Stop::Fail(Box::new(finding)))
}

fn download_by(studio: &mut Studio, play: &Play) -> Check {
    studio.get(SMALL, play)?.downloaded(30)
}

fn hash_of_one_bit(studio: &mut Studio) -> Check {
    wrong_hash(studio, |bytes| {
        let mut bytes = bytes.to_vec();
        bytes[SMALL / 2] ^= 4;
        id_of(&bytes)
    })
}

fn hash_with_other_end(studio: &mut Studio) -> Check {
    wrong_hash(studio, |bytes| {
        let id = id_of(bytes);
        let last = if id.ends_with('0') { '1' } else { '0' };
        format!("{}{last}", &id[..31])
    })
}

fn hash_with_other_start(studio: &mut Studio) -> Check {
    wrong_hash(studio, |bytes| {
        let id = id_of(bytes);
        let first = if id.starts_with('0') { '1' } else { '0' };
        format!("{first}{}", &id[1..])
    })
}

fn damaged_download(studio: &mut Studio) -> Check {
    damaged(studio, |mut bytes| {
        bytes[SMALL / 2] ^= 4;
        bytes
    })
}

fn damaged_last_byte(studio: &mut Studio) -> Check {
    damaged(studio, |mut bytes| {
        bytes[SMALL - 1] ^= 1;
        bytes
    })
}

fn swapped_bytes(studio: &mut Studio) -> Check {
    damaged(studio, |mut bytes| {
        let first = bytes[0];
        // Two bytes that differ: among so many noise has some.
        let other = bytes.iter().position(|byte| *byte != first).unwrap_or_default();
        bytes.swap(0, other);
        bytes
    })
}

fn short_download(studio: &mut Studio) -> Check {
    let play = Play { size: |size| size - 1, payload: all_but_one, ..Play::default() };
    let take = studio.get(SMALL, &play)?;
    came_to_download(&take)?;
    take.not_downloaded(30, "no Success: a byte is missing")
}

/// The client asked for the listing and took it: it goes on to another command, or says nothing else.
fn listed(take: &Take) -> Check {
    take.went(Part::List)?;
    take.over_at_last(26)?;
    if !take.seen.commands.contains(&"LIST_FILES") {
        return Err(Stop::NotReached("the client never asked for the listing".into()));
    }
    let goes_on = take.seen.commands.last() != Some(&"LIST_FILES");
    if goes_on || take.download_claim() == Claim::Success {
        return Ok(());
    }
    let expected = "no Fail: the listing is in order";
    Err(take.broken_as("It does not take the listing", 8, 5, expected, take.said()))
}

fn other_sizes(lines: Vec<String>) -> Vec<String> {
    lines.into_iter().map(|line| line + "9").collect()
}

fn all_but_one(mut bytes: Vec<u8>) -> Vec<u8> {
    bytes.pop();
    bytes
}

fn steps(studio: &mut Studio) -> Check {
    if !studio.program.can(Goal::Whole) {
        return Err(Stop::Free("there is no command for the 22 steps".into()));
    }
    let take = studio.play(Goal::Whole, SMALL, &Play::default())?;
    take.uploaded(30)?;
    take.downloaded(30)?;
    let expected = ["LIST_FILES", "UPLOAD", "LIST_FILES", "DOWNLOAD"];
    if take.seen.commands == expected {
        return Ok(());
    }
    Err(take.broken(5, 4, &expected.join(", "), take.seen.commands.join(", ")))
}

/// The client uploads whole, and is told another hash than its own.
fn wrong_hash(studio: &mut Studio, hash: fn(&[u8]) -> String) -> Check {
    wrong_hash_of(studio, SMALL.into(), hash)
}

pub(super) fn wrong_hash_of(studio: &mut Studio, holds: Holds, hash: fn(&[u8]) -> String) -> Check {
    let take = studio.put(holds, &Play { hash, ..Play::default() })?;
    if take.seen.uploads.is_empty() {
        return Err(Stop::NotReached("the client uploaded nothing whole".into()));
    }
    take.not_uploaded(30, "Fail: the server's hash is another than that of the file")
}

fn discard(studio: &mut Studio) -> Check {
    let take = studio.put(SMALL, &Play { hash: |_| id_of(b"damaged"), ..Play::default() })?;
    take.went(Part::Upload)?;
    let (hash, discards) = (id_of(b"damaged"), &take.seen.discards);
    if discards.contains(&hash) {
        return Ok(());
    }
    let expected = format!("\"DISCARD {hash}\\n\"");
    match take.broken(31, 14, &expected, format!("the commands {}", take.seen.commands.join(", "))) {
        Stop::Fail(finding) if discards.is_empty() => {
            studio.warning = Some(*finding);
            Ok(())
        }
        stop => Err(stop),
    }
}

fn damaged(studio: &mut Studio, payload: fn(Vec<u8>) -> Vec<u8>) -> Check {
    damaged_of(studio, SMALL.into(), payload)
}

pub(super) fn damaged_of(studio: &mut Studio, holds: Holds, payload: fn(Vec<u8>) -> Vec<u8>) -> Check {
    let take = studio.get(holds, &Play { payload, ..Play::default() })?;
    came_to_download(&take)?;
    take.not_downloaded(30, "Fail: the MD5 of what came is not the id")
}

fn came_to_download(take: &Take) -> Check {
    take.went(Part::Download)?;
    if take.seen.downloads.is_empty() {
        return Err(Stop::NotReached("the client downloaded nothing".into()));
    }
    Ok(())
}

/// Runs the 22 steps, or a download by a client that asks for the listing, which it need not.
pub(super) fn whole_or_get(studio: &mut Studio, play: &Play) -> Check<Take> {
    let free = || Stop::Free("the client downloads without a listing".into());
    let whole = studio.program.can(Goal::Whole);
    match studio.play(if whole { Goal::Whole } else { Goal::Get }, SMALL, play) {
        Ok(take) if !whole && !take.seen.commands.contains(&"LIST_FILES") => Err(free()),
        Err(Stop::NotReached(Obstacle::NeverCame(_))) if !whole => Err(free()),
        take => take,
    }
}
