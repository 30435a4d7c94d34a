//! The cases for clients, of all levels.

use std::time::Duration;

use super::play::{Act, Play, Point};
use super::{Goal, Studio, Take};
use crate::conform::{Case, CaseInfo, Check, QUIET, Stop, id_of};

/// A file of no round length that is more than a segment.
const SMALL: usize = 3001;
/// More than a read, a buffer or a segment takes.
const LARGE: usize = 300_007;

fn case(
    level: u8,
    name: &'static str,
    rules: &'static [u8],
    needs: &'static [&'static str],
    about: &'static str,
    script: fn(&mut Studio) -> Check,
) -> Case<Studio> {
    Case { info: CaseInfo { name, level, rules, about, needs }, script }
}

pub(super) fn cases() -> Vec<Case<Studio>> {
    let parts =
        [basics(), transfers(), comparisons(), refusals(), more_refusals(), framing(), limits(), hostile()];
    parts.into_iter().flatten().collect()
}

/// A server at which something happens.
fn at(point: Point, act: Act) -> Play {
    Play { act: Some((point, act)), ..Play::default() }
}

fn basics() -> Vec<Case<Studio>> {
    vec![
        case(1, "connect", &[5], &[], "It connects, and what it says first is a command.", |studio| {
            let goals = [Goal::Whole, Goal::List, Goal::Put, Goal::Get];
            let goal = goals.into_iter().find(|goal| studio.program.can(*goal)).unwrap_or(Goal::Whole);
            let take = studio.play(goal, SMALL, &Play::default())?;
            if take.seen.commands.is_empty() {
                return Err(take.broken(5, 4, "a command", "nothing: it closed".into()));
            }
            Ok(())
        }),
        case(
            1,
            "waits-for-replies",
            &[5, 16],
            &["connect"],
            "It sends nothing before the reply that comes first.",
            |studio| {
                let play = Play { patience: QUIET, ..Play::default() };
                let goal = if studio.program.can(Goal::Whole) { Goal::Whole } else { Goal::Put };
                studio.play(goal, SMALL, &play).map(drop)
            },
        ),
        case(
            1,
            "list",
            &[5, 8],
            &["connect"],
            "It takes a listing of files with odd names, and goes on.",
            |studio| {
                let take = studio.list(&Play { listing: odd_names, ..Play::default() })?;
                listed(&take)
            },
        ),
        case(1, "plain-lines", &[1, 7], &["connect"], "It should send LIST_FILES, and LF alone.", |studio| {
            studio.list(&Play { strict: true, ..Play::default() }).map(drop)
        }),
        case(1, "leave", &[26], &["connect"], "When it is done it closes, and ends.", |studio| {
            let goal = [Goal::Whole, Goal::List].into_iter().find(|goal| studio.program.can(*goal));
            let take = studio.play(goal.unwrap_or(Goal::Put), SMALL, &Play::default())?;
            take.over(26)
        }),
    ]
}

fn transfers() -> Vec<Case<Studio>> {
    vec![
        case(
            2,
            "upload",
            &[3, 10, 30],
            &["connect"],
            "It uploads exactly the file, and says Success.",
            |studio| studio.put(SMALL, &Play::default())?.uploaded(30),
        ),
        case(2, "upload-empty", &[16], &["upload"], "Of an empty file, nothing is sent.", |studio| {
            studio.put(0, &Play::default())?.uploaded(16)
        }),
        case(2, "upload-large", &[3], &["upload"], "It uploads a file of 300,007 bytes.", |studio| {
            studio.put(LARGE, &Play::default())?.uploaded(3)
        }),
        case(3, "download", &[3, 30], &["connect"], "It downloads the file, and says Success.", |studio| {
            studio.get(SMALL, &Play::default())?.downloaded(30)
        }),
        case(3, "download-empty", &[3], &["download"], "Of an empty file, the size is all.", |studio| {
            studio.get(0, &Play::default())?.downloaded(3)
        }),
        case(3, "download-large", &[3], &["download"], "It downloads a file of 300,007 bytes.", |studio| {
            studio.get(LARGE, &Play::default())?.downloaded(3)
        }),
        case(
            3,
            "download-by-size-line",
            &[3],
            &["download"],
            "The size line counts, not the listing.",
            |studio| studio.get(SMALL, &Play { listing: other_sizes, ..Play::default() })?.downloaded(3),
        ),
        case(
            3,
            "download-among-many",
            &[8],
            &["download"],
            "It finds its file in a listing of odd names.",
            |studio| studio.get(SMALL, &Play { listing: odd_names, ..Play::default() })?.downloaded(8),
        ),
        case(3, "all-22-steps", &[5, 26], &["upload", "download"], "The 22 steps in their order.", steps),
    ]
}

fn comparisons() -> Vec<Case<Studio>> {
    vec![
        case(
            4,
            "wrong-hash",
            &[29, 30],
            &["connect"],
            "It does not say Success when the hash is of other bytes.",
            |studio| wrong_hash(studio, |bytes| id_of(&[bytes, b"!"].concat())),
        ),
        case(
            4,
            "hash-of-nothing",
            &[29, 30],
            &["connect"],
            "Nor when it is the hash of nothing at all.",
            |studio| wrong_hash(studio, |_| id_of(b"")),
        ),
        case(
            4,
            "hash-of-one-bit",
            &[29, 30],
            &["connect"],
            "Nor when the server got one bit wrong.",
            |studio| {
                wrong_hash(studio, |bytes| {
                    let mut bytes = bytes.to_vec();
                    bytes[SMALL / 2] ^= 4;
                    id_of(&bytes)
                })
            },
        ),
        case(
            4,
            "hash-with-other-end",
            &[30],
            &["connect"],
            "All digits of the hash count, to the last.",
            |studio| {
                wrong_hash(studio, |bytes| {
                    let id = id_of(bytes);
                    let last = if id.ends_with('0') { '1' } else { '0' };
                    format!("{}{last}", &id[..31])
                })
            },
        ),
        case(4, "hash-with-other-start", &[30], &["connect"], "And from the first.", |studio| {
            wrong_hash(studio, |bytes| {
                let id = id_of(bytes);
                let first = if id.starts_with('0') { '1' } else { '0' };
                format!("{first}{}", &id[1..])
            })
        }),
        case(
            4,
            "discard",
            &[31],
            &["wrong-hash"],
            "It should withdraw the upload by the server's hash.",
            discard,
        ),
        case(
            4,
            "damaged-download",
            &[30, 32],
            &["connect"],
            "It does not say Success when a bit of a download is wrong.",
            |studio| {
                damaged(studio, |mut bytes| {
                    bytes[SMALL / 2] ^= 4;
                    bytes
                })
            },
        ),
        case(4, "damaged-last-byte", &[30, 32], &["connect"], "Nor when its last byte is wrong.", |studio| {
            damaged(studio, |mut bytes| {
                bytes[SMALL - 1] ^= 1;
                bytes
            })
        }),
        case(
            4,
            "swapped-bytes",
            &[30, 32],
            &["connect"],
            "Nor when two of its bytes changed places.",
            |studio| {
                damaged(studio, |mut bytes| {
                    let first = bytes[0];
                    // Two bytes that differ: among so many noise has some.
                    let other = bytes.iter().position(|byte| *byte != first).unwrap_or_default();
                    bytes.swap(0, other);
                    bytes
                })
            },
        ),
        case(
            4,
            "short-download",
            &[30, 32],
            &["connect"],
            "Nor when it is shorter than it was, as its size line says.",
            |studio| {
                let play = Play { size: |size| size - 1, payload: all_but_one, ..Play::default() };
                let take = studio.get(SMALL, &play)?;
                came_to_download(&take)?;
                take.not_downloaded(30, "no Success: a byte is missing")
            },
        ),
    ]
}

fn refusals() -> Vec<Case<Studio>> {
    vec![
        case(5, "upload-refused", &[22], &["upload"], "UPLOAD refused is no Success.", |studio| {
            refused_put(studio, Point::AskDetails, "ERROR no-space the disk is full")
        }),
        case(
            5,
            "details-refused",
            &[22],
            &["upload"],
            "Details refused are no Success, and no payload follows.",
            |studio| {
                refused_put(studio, Point::Ready, "ERROR too-large the file is larger than this server takes")
            },
        ),
        case(
            5,
            "refused-for-the-hash",
            &[19],
            &["upload"],
            "A refusal in place of the hash is no Success.",
            |studio| refused_put(studio, Point::Hash, "ERROR storage the storage failed"),
        ),
        case(
            5,
            "early-refusal",
            &[18, 19],
            &["upload-large"],
            "Refused in the midst, it sends the rest or closes.",
            |studio| {
                let play =
                    at(Point::Payload, Act::Refuse("ERROR no-space there is no space left for the file"));
                studio.put(LARGE, &play)?.not_uploaded(19, "no Success: the upload was refused")
            },
        ),
        case(5, "download-refused", &[22], &["download"], "DOWNLOAD refused is no Success.", |studio| {
            refused_get(studio, Point::AskId, "ERROR storage the storage failed")
        }),
        case(5, "id-refused", &[22], &["download"], "An id refused is no Success.", |studio| {
            refused_get(studio, Point::Size, "ERROR not-found no file has this id")
        }),
        case(
            5,
            "listing-refused",
            &[22],
            &["connect"],
            "It takes a refusal in place of a listing.",
            |studio| {
                studio.list(&at(Point::Listing, Act::Refuse("ERROR storage the storage failed")))?.over(22)
            },
        ),
        case(
            5,
            "listing-refused-midway",
            &[13],
            &["connect"],
            "It takes one in place of the end of a listing.",
            |studio| {
                studio.list(&at(Point::ListEnd, Act::Refuse("ERROR storage the storage failed")))?.over(13)
            },
        ),
    ]
}

fn more_refusals() -> Vec<Case<Studio>> {
    vec![
        case(
            5,
            "unknown-code",
            &[23],
            &["upload"],
            "A code that it does not know is a refusal too.",
            |studio| refused_put(studio, Point::AskDetails, "ERROR quota-exceeded try tomorrow"),
        ),
        case(5, "odd-code", &[23], &["upload"], "So is one that is none.", |studio| {
            refused_put(studio, Point::Ready, "ERROR 503; Ünavailable!")
        }),
        case(5, "no-code", &[23], &["upload"], "So is ERROR with a blank and nothing more.", |studio| {
            refused_put(studio, Point::AskDetails, "ERROR ")
        }),
        case(
            5,
            "error-without-blank",
            &[23, 12],
            &["upload"],
            "ERROR without the blank is no refusal.",
            |studio| {
                studio
                    .put(SMALL, &Play { ask_details: "ERROR", ready: "ERRORS: none", ..Play::default() })?
                    .uploaded(23)
            },
        ),
        case(5, "busy", &[24], &["upload"], "A server may be busy before the first command.", |studio| {
            let play = at(Point::Greeting, Act::Cut(b"ERROR busy too many connections\n"));
            let take = studio.put(SMALL, &play)?;
            take.not_uploaded(24, "no Success: nothing was transferred")
        }),
        case(
            5,
            "timed-out-in-upload",
            &[24, 25],
            &["upload-large"],
            "ERROR timeout in an upload ends it.",
            |studio| {
                let play = at(Point::Payload, Act::Cut(b"ERROR timeout nothing came for too long\n"));
                studio.put(LARGE, &play)?.not_uploaded(25, "no Success: the server gave up")
            },
        ),
        case(
            5,
            "timed-out-between",
            &[24],
            &["all-22-steps"],
            "ERROR timeout may come between commands.",
            |studio| {
                if !studio.program.can(Goal::Whole) {
                    return Err(Stop::Free("only a program that runs the 22 steps comes to it".into()));
                }
                let play = at(Point::AfterHash, Act::Cut(b"ERROR timeout nothing came for too long\n"));
                let take = studio.play(Goal::Whole, SMALL, &play)?;
                take.not_downloaded(24, "no Success for a download that never was")
            },
        ),
    ]
}

fn framing() -> Vec<Case<Studio>> {
    vec![
        case(6, "byte-by-byte-upload", &[4], &["upload"], "Replies may come byte by byte.", |studio| {
            studio.put(SMALL, &Play { byte_by_byte: true, ..Play::default() })?.uploaded(4)
        }),
        case(6, "byte-by-byte-download", &[4], &["download"], "So may a download.", |studio| {
            studio.get(SMALL, &Play { byte_by_byte: true, ..Play::default() })?.downloaded(4)
        }),
        case(6, "cr-lf-upload", &[1], &["upload"], "One CR before the LF of a reply is dropped.", |studio| {
            studio.put(SMALL, &Play { eol: "\r\n", ..Play::default() })?.uploaded(1)
        }),
        case(6, "cr-lf-download", &[1], &["download"], "Also in listings and sizes.", |studio| {
            studio.get(SMALL, &Play { eol: "\r\n", ..Play::default() })?.downloaded(1)
        }),
        case(6, "other-words-upload", &[12], &["upload"], "The words of a prompt are free.", |studio| {
            let play = Play {
                ask_details: "Nom et taille, s'il vous plaît ?",
                ready: "200 OK; go=1",
                ..Play::default()
            };
            studio.put(SMALL, &play)?.uploaded(12)
        }),
        case(6, "other-words-download", &[12], &["download"], "The words of every prompt.", |studio| {
            studio.get(SMALL, &Play { ask_id: "0", ..Play::default() })?.downloaded(12)
        }),
        case(6, "empty-prompt-upload", &[12], &["upload"], "A prompt may be the empty line.", |studio| {
            studio.put(SMALL, &Play { ask_details: "", ready: "", ..Play::default() })?.uploaded(12)
        }),
        case(6, "empty-prompt-download", &[12], &["download"], "Every prompt may.", |studio| {
            studio.get(SMALL, &Play { ask_id: "", ..Play::default() })?.downloaded(12)
        }),
        case(
            6,
            "early-hash",
            &[6],
            &["upload-large"],
            "A line in the midst of an upload is left for later.",
            |studio| studio.put(LARGE, &at(Point::Payload, Act::EarlyHash))?.uploaded(6),
        ),
        case(
            6,
            "unprintable-prompt",
            &[12],
            &["upload"],
            "It should not print a prompt unescaped.",
            unprintable,
        ),
    ]
}

fn limits() -> Vec<Case<Studio>> {
    const LONG: &[u8] = &[b'x'; 2000];
    vec![
        case(
            7,
            "prompt-too-long",
            &[2],
            &["upload"],
            "A reply of more than 1024 bytes: it closes.",
            |studio| violated_put(studio, Point::AskDetails, 2, LONG),
        ),
        case(7, "prompt-not-utf-8", &[2], &["upload"], "A reply that is no UTF-8: it closes.", |studio| {
            violated_put(studio, Point::Ready, 2, b"ready \xff\xfe\n")
        }),
        case(
            7,
            "hash-in-uppercase",
            &[11, 6],
            &["upload"],
            "A hash in uppercase is none: it closes.",
            |studio| violated_put(studio, Point::Hash, 11, b"F4BAEF17B2384ADDB18537B724F96FD7\n"),
        ),
        case(7, "hash-too-short", &[11, 6], &["upload"], "Nor is one of 31 digits.", |studio| {
            violated_put(studio, Point::Hash, 11, b"f4baef17b2384addb18537b724f96fd\n")
        }),
        case(
            7,
            "empty-listing",
            &[14],
            &["connect"],
            "A listing is never empty by omission: it closes.",
            |studio| violated_list(studio, 14, b"\n"),
        ),
        case(7, "entry-of-nonsense", &[6], &["connect"], "An entry that is none: it closes.", |studio| {
            violated_list(studio, 6, b"these are my files\n\n")
        }),
        case(
            7,
            "entry-in-uppercase",
            &[11, 6],
            &["connect"],
            "An id in uppercase is none: it closes.",
            |studio| violated_list(studio, 11, b"F4BAEF17B2384ADDB18537B724F96FD7;a;39\n\n"),
        ),
        case(
            7,
            "entry-that-climbs",
            &[9, 6],
            &["connect"],
            "A name that leads elsewhere is none: it closes.",
            |studio| violated_list(studio, 9, b"f4baef17b2384addb18537b724f96fd7;../a;39\n\n"),
        ),
        case(
            7,
            "entry-size-with-a-zero",
            &[10, 6],
            &["connect"],
            "A size with a leading zero is none: it closes.",
            |studio| violated_list(studio, 10, b"f4baef17b2384addb18537b724f96fd7;a;039\n\n"),
        ),
        case(
            7,
            "size-of-nonsense",
            &[10, 6],
            &["download"],
            "A size line that is no number: it closes.",
            |studio| violated_get(studio, Point::Size, 10, b"many\n"),
        ),
        case(7, "size-with-a-sign", &[10, 6], &["download"], "Nor one with a sign.", |studio| {
            violated_get(studio, Point::Size, 10, b"+3001\n")
        }),
        case(7, "size-too-large", &[10, 6], &["download"], "Nor one of 64 bits.", |studio| {
            violated_get(studio, Point::Size, 10, b"18446744073709551615\n")
        }),
    ]
}

fn hostile() -> Vec<Case<Studio>> {
    vec![
        case(8, "vanish-at-once", &[27], &["connect"], "The server closes at once: no Success.", |studio| {
            let take = studio.put(SMALL, &at(Point::Greeting, Act::Cut(b"")))?;
            take.not_uploaded(27, "no Success: nothing was transferred")
        }),
        case(8, "vanish-at-prompt", &[27], &["upload"], "It closes in the midst of a prompt.", |studio| {
            cut_put(studio, Point::AskDetails, b"Please se")
        }),
        case(
            8,
            "vanish-in-upload",
            &[27],
            &["upload-large"],
            "It closes in the midst of an upload.",
            |studio| {
                let take = studio.put(LARGE, &at(Point::Payload, Act::Cut(b"")))?;
                take.not_uploaded(27, "no Success: the server left in the midst of the upload")
            },
        ),
        case(8, "vanish-before-hash", &[27], &["upload"], "It closes in place of the hash.", |studio| {
            cut_put(studio, Point::Hash, b"")
        }),
        case(8, "vanish-in-hash", &[27], &["upload"], "It closes in the midst of the hash.", |studio| {
            cut_put(studio, Point::Hash, b"f4baef17b2384add")
        }),
        case(8, "vanish-in-listing", &[27], &["connect"], "It closes in the midst of a listing.", |studio| {
            studio.list(&at(Point::Listing, Act::Cut(b"f4baef17b2384addb18537b724f96fd7;a;39\n")))?.over(27)
        }),
        case(8, "vanish-before-size", &[27], &["download"], "It closes in place of the size.", |studio| {
            cut_get(studio, Point::Size)
        }),
        case(
            8,
            "vanish-in-download",
            &[20, 27],
            &["download"],
            "It closes in the midst of a download.",
            |studio| cut_get(studio, Point::HalfDownload),
        ),
        case(
            8,
            "vanish-before-last-byte",
            &[20, 27],
            &["download"],
            "It closes before the last byte.",
            |studio| cut_get(studio, Point::LastByte),
        ),
        case(
            8,
            "garbage-for-a-reply",
            &[2, 6],
            &["upload"],
            "Random bytes in place of the hash: it closes.",
            |studio| violated_put(studio, Point::Hash, 6, b"\x00\x9f\x92\x96\xff\r\n\n\n;;\n"),
        ),
        case(
            8,
            "silent-server",
            &[28],
            &["upload"],
            "A server that says nothing: it should give up.",
            silent,
        ),
    ]
}

/// The client asked for the listing, and ends well.
fn listed(take: &Take) -> Check {
    take.over(26)?;
    if !take.seen.commands.contains(&"LIST_FILES") {
        return Err(Stop::NotReached("the client never asked for the listing".into()));
    }
    match take.ended.how {
        crate::process::How::Exited(0) => Ok(()),
        _ => Err(take.broken(5, 16, "exit code 0", super::command::end_text(&take.ended))),
    }
}

fn odd_names(mut lines: Vec<String>) -> Vec<String> {
    lines.insert(0, "00000000000000000000000000000001;a;b;;7;1;22".into());
    lines.push("00000000000000000000000000000002;  No files available at the moment ;0".into());
    lines.push("ffffffffffffffffffffffffffffffff;ERROR other — ünïcode 文件;9223372036854775807".into());
    lines
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
    let take = studio.put(SMALL, &Play { hash, ..Play::default() })?;
    if take.seen.uploads.is_empty() {
        return Err(Stop::NotReached("the client uploaded nothing".into()));
    }
    take.not_uploaded(30, "Fail: the server's hash is another than that of the file")
}

fn discard(studio: &mut Studio) -> Check {
    let take = studio.put(SMALL, &Play { hash: |_| id_of(b"damaged"), ..Play::default() })?;
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
    let take = studio.get(SMALL, &Play { payload, ..Play::default() })?;
    came_to_download(&take)?;
    take.not_downloaded(30, "Fail: the MD5 of what came is not the id")
}

fn came_to_download(take: &Take) -> Check {
    if take.seen.downloads.is_empty() {
        return Err(Stop::NotReached("the client downloaded nothing".into()));
    }
    Ok(())
}

fn refused_put(studio: &mut Studio, point: Point, line: &'static str) -> Check {
    let take = studio.put(SMALL, &at(point, Act::Refuse(line)))?;
    let rule =
        if line.starts_with("ERROR quota") || line == "ERROR " || line.contains("503") { 23 } else { 22 };
    take.not_uploaded(rule, "no Success: the upload was refused")
}

fn refused_get(studio: &mut Studio, point: Point, line: &'static str) -> Check {
    studio
        .get(SMALL, &at(point, Act::Refuse(line)))?
        .not_downloaded(22, "no Success: the download was refused")
}

fn violated_put(studio: &mut Studio, point: Point, rule: u8, bytes: &'static [u8]) -> Check {
    let take = studio.put(SMALL, &at(point, Act::Violate(rule, bytes)))?;
    take.not_uploaded(rule, "no Success: the reply is against the grammar")
}

fn violated_get(studio: &mut Studio, point: Point, rule: u8, bytes: &'static [u8]) -> Check {
    let take = studio.get(SMALL, &at(point, Act::Violate(rule, bytes)))?;
    take.not_downloaded(rule, "no Success: the reply is against the grammar")
}

fn violated_list(studio: &mut Studio, rule: u8, bytes: &'static [u8]) -> Check {
    studio.list(&at(Point::Listing, Act::Violate(rule, bytes)))?.over(rule)
}

fn cut_put(studio: &mut Studio, point: Point, bytes: &'static [u8]) -> Check {
    studio.put(SMALL, &at(point, Act::Cut(bytes)))?.not_uploaded(27, "no Success: the server left")
}

fn cut_get(studio: &mut Studio, point: Point) -> Check {
    studio
        .get(SMALL, &at(point, Act::Cut(b"")))?
        .not_downloaded(27, "no Success: the file did not come whole")
}

fn unprintable(studio: &mut Studio) -> Check {
    let play =
        Play { ask_details: "\u{1b}[2J\u{1b}]0;name?\u{7}", ready: "\u{1b}[31mready", ..Play::default() };
    let take = studio.put(SMALL, &play)?;
    take.uploaded(12)?;
    if let Some(line) = take.ended.lines.iter().find(|line| line.text.contains(['\u{1b}', '\u{7}'])) {
        let came = crate::conform::wire::escaped(line.text.as_bytes());
        if let Stop::Fail(finding) = take.broken(12, 7, "the prompt not printed, or escaped", came) {
            studio.warning = Some(*finding);
        }
    }
    Ok(())
}

/// The rules leave open how long a client waits.
fn silent(studio: &mut Studio) -> Check {
    let limit = studio.limit;
    let play =
        Play { act: Some((Point::AskDetails, Act::Silence)), patience: Duration::ZERO, ..Play::default() };
    let take = studio.put(SMALL, &play)?;
    if !take.seen.gave_up {
        return Err(Stop::Free(format!(
            "after {} s the client still waits, as it may: a longer --timeout shows when it gives up",
            limit.as_secs_f64()
        )));
    }
    take.not_uploaded(28, "no Success: nothing came")
}
