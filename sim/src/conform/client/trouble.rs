//! The cases for clients of levels 5 to 8, in which the server refuses, errs or vanishes.

use std::time::Duration;

use super::cases::{LARGE, SMALL, case, whole_or_get};
use super::play::{Act, Play, Point};
use super::{Goal, Studio};
use crate::conform::{Case, Check, Stop};

/// A file whose bytes can come one by one in a moment.
const SHORT: usize = 301;

pub(super) fn cases() -> Vec<Case<Studio>> {
    let parts = [refusals(), more_refusals(), framing(), limits(), hostile()];
    parts.into_iter().flatten().collect()
}

/// A server at which something happens.
fn at(point: Point, act: Act) -> Play {
    Play { act: Some((point, act)), ..Play::default() }
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
            studio.put(SHORT, &Play { byte_by_byte: true, ..Play::default() })?.uploaded(4)
        }),
        case(6, "byte-by-byte-download", &[4], &["download"], "So may a download.", |studio| {
            studio.get(SHORT, &Play { byte_by_byte: true, ..Play::default() })?.downloaded(4)
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
            empty_listing,
        ),
        case(7, "entry-of-nonsense", &[6], &["connect"], "An entry that is none: it closes.", |studio| {
            violated_list(studio, 6, |lines| with(lines, "these are my files"))
        }),
        case(
            7,
            "entry-in-uppercase",
            &[11, 6],
            &["connect"],
            "An id in uppercase is none: it closes.",
            |studio| violated_list(studio, 11, |lines| with(lines, "F4BAEF17B2384ADDB18537B724F96FD7;a;39")),
        ),
        case(
            7,
            "entry-that-climbs",
            &[9, 6],
            &["connect"],
            "A name that leads elsewhere is none: it closes.",
            |studio| {
                violated_list(studio, 9, |lines| with(lines, "f4baef17b2384addb18537b724f96fd7;../a;39"))
            },
        ),
        case(
            7,
            "entry-size-with-a-zero",
            &[10, 6],
            &["connect"],
            "A size with a leading zero is none: it closes.",
            |studio| violated_list(studio, 10, |lines| with(lines, "f4baef17b2384addb18537b724f96fd7;a;039")),
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

/// Only a client that goes on after a listing shows that it took it.
fn violated_list(studio: &mut Studio, rule: u8, listing: fn(Vec<String>) -> Vec<String>) -> Check {
    let play = Play { listing, ..at(Point::Listing, Act::ViolateWithThat(rule)) };
    let take = whole_or_get(studio, &play)?;
    take.not_downloaded(rule, "no Success: the listing is against the grammar")
}

fn with(mut lines: Vec<String>, line: &str) -> Vec<String> {
    lines.push(line.into());
    lines
}

fn empty_listing(studio: &mut Studio) -> Check {
    if !studio.program.can(Goal::Whole) {
        return Err(Stop::Free("only a program that runs the 22 steps shows that it took it".into()));
    }
    let play = at(Point::Listing, Act::Violate(14, b"\n"));
    studio.play(Goal::Whole, SMALL, &play)?.not_uploaded(14, "no Success: the listing is against the grammar")
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
