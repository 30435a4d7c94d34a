//! The cases for clients of levels 5 to 8, in which the server refuses, errs or vanishes.

use std::time::Duration;

use super::behaviour::{ExchangePoint, ServerAction, ServerBehaviour};
use super::cases::{LARGE, SMALL, whole_or_get};
use super::{ClientBench, Goal, Part};
use crate::{Check, Stop};

/// A file whose bytes can come one by one in a moment.
const SHORT: usize = 301;

cases! { ClientBench:
    5 "upload-refused" [22] after ["upload"]
        "UPLOAD refused is no Success."
        => |bench| refused_put(bench, ExchangePoint::AskDetails, "ERROR no-space the disk is full");
    5 "details-refused" [22] after ["upload"]
        "Details refused are no Success, and no payload follows."
        => details_refused;
    5 "refused-for-the-hash" [19] after ["upload"]
        "A refusal in place of the hash is no Success."
        => |bench| refused_put(bench, ExchangePoint::Hash, "ERROR storage the storage failed");
    5 "early-refusal" [18 19] after ["upload-large"]
        "Refused in the midst, it sends the rest or closes."
        => early_refusal;
    5 "download-refused" [22] after ["download"]
        "DOWNLOAD refused is no Success."
        => |bench| refused_get(bench, ExchangePoint::AskId, "ERROR storage the storage failed");
    5 "id-refused" [22] after ["download"]
        "An id refused is no Success."
        => |bench| refused_get(bench, ExchangePoint::Size, "ERROR not-found no file has this id");
    5 "listing-refused" [22] after ["connect"]
        "It takes a refusal in place of a listing."
        => listing_refused;
    5 "listing-refused-midway" [13] after ["connect"]
        "It takes one in place of the end of a listing."
        => listing_refused_midway;
    5 "unknown-code" [23] after ["upload"]
        "A code that it does not know is a refusal too."
        => |bench| refused_put(bench, ExchangePoint::AskDetails, "ERROR quota-exceeded try tomorrow");
    5 "odd-code" [23] after ["upload"]
        "So is one that is none."
        => |bench| refused_put(bench, ExchangePoint::Ready, "ERROR 503; Ünavailable!");
    5 "no-code" [23] after ["upload"]
        "So is ERROR with a blank and nothing more."
        => |bench| refused_put(bench, ExchangePoint::AskDetails, "ERROR ");
    5 "error-without-blank" [23 12] after ["upload"]
        "ERROR without the blank is no refusal."
        => error_without_blank;
    5 "busy" [24] after ["upload"]
        "A server may be busy before the first command."
        => busy;
    5 "timed-out-in-upload" [24 25] after ["upload-large"]
        "ERROR timeout in an upload ends it."
        => timed_out_in_upload;
    5 "timed-out-between" [24] after ["all-22-steps"]
        "ERROR timeout may come between commands."
        => timed_out_between;
    6 "byte-by-byte-upload" [4] after ["upload"]
        "Replies may come byte by byte."
        => |bench| bench.put(SHORT, &ServerBehaviour { byte_by_byte: true, ..ServerBehaviour::default() })?.uploaded(4);
    6 "byte-by-byte-download" [4] after ["download"]
        "So may a download."
        => |bench| bench.get(SHORT, &ServerBehaviour { byte_by_byte: true, ..ServerBehaviour::default() })?.downloaded(4);
    6 "cr-lf-upload" [1] after ["upload"]
        "One CR before the LF of a reply is dropped."
        => |bench| bench.put(SMALL, &ServerBehaviour { eol: "\r\n", ..ServerBehaviour::default() })?.uploaded(1);
    6 "cr-lf-download" [1] after ["download"]
        "Also in listings and sizes."
        => |bench| bench.get(SMALL, &ServerBehaviour { eol: "\r\n", ..ServerBehaviour::default() })?.downloaded(1);
    6 "other-words-upload" [12] after ["upload"]
        "The words of a prompt are free."
        => other_words_upload;
    6 "other-words-download" [12] after ["download"]
        "The words of every prompt."
        => |bench| bench.get(SMALL, &ServerBehaviour { ask_id: "0", ..ServerBehaviour::default() })?.downloaded(12);
    6 "empty-prompt-upload" [12] after ["upload"]
        "A prompt may be the empty line."
        => empty_prompt_upload;
    6 "empty-prompt-download" [12] after ["download"]
        "Every prompt may."
        => |bench| bench.get(SMALL, &ServerBehaviour { ask_id: "", ..ServerBehaviour::default() })?.downloaded(12);
    6 "early-hash" [6] after ["upload-large"]
        "A line in the midst of an upload is left for later."
        => |bench| bench.put(LARGE, &at(ExchangePoint::Payload, ServerAction::EarlyHash))?.uploaded(6);
    6 "unprintable-prompt" [12] after ["upload"]
        "It should not print a prompt unescaped."
        => unprintable;
    7 "prompt-too-long" [2] after ["upload"]
        "A reply of more than 1024 bytes: it closes."
        => |bench| violated_put(bench, ExchangePoint::AskDetails, 2, LONG);
    7 "prompt-not-utf-8" [2] after ["upload"]
        "A reply that is no UTF-8: it closes."
        => |bench| violated_put(bench, ExchangePoint::Ready, 2, b"ready \xff\xfe\n");
    7 "hash-in-uppercase" [11 6] after ["upload"]
        "A hash in uppercase is none: it closes."
        => |bench| violated_put(bench, ExchangePoint::Hash, 11, b"F4BAEF17B2384ADDB18537B724F96FD7\n");
    7 "hash-too-short" [11 6] after ["upload"]
        "Nor is one of 31 digits."
        => |bench| violated_put(bench, ExchangePoint::Hash, 11, b"f4baef17b2384addb18537b724f96fd\n");
    7 "empty-listing" [14] after ["connect"]
        "A listing is never empty by omission: it closes."
        => empty_listing;
    7 "entry-of-nonsense" [6] after ["connect"]
        "An entry that is none: it closes."
        => |bench| violated_list(bench, 6, |lines| with(lines, "these are my files"));
    7 "entry-in-uppercase" [11 6] after ["connect"]
        "An id in uppercase is none: it closes."
        => |bench| violated_list(bench, 11, |lines| with(lines, "F4BAEF17B2384ADDB18537B724F96FD7;a;39"));
    7 "entry-that-climbs" [9 6] after ["connect"]
        "A name that leads elsewhere is none: it closes."
        => entry_that_climbs;
    7 "entry-size-with-a-zero" [10 6] after ["connect"]
        "A size with a leading zero is none: it closes."
        => |bench| violated_list(bench, 10, |lines| with(lines, "f4baef17b2384addb18537b724f96fd7;a;039"));
    7 "size-of-nonsense" [10 6] after ["download"]
        "A size line that is no number: it closes."
        => |bench| violated_get(bench, ExchangePoint::Size, 10, b"many\n");
    7 "size-with-a-sign" [10 6] after ["download"]
        "Nor one with a sign."
        => |bench| violated_get(bench, ExchangePoint::Size, 10, b"+3001\n");
    7 "size-too-large" [10 6] after ["download"]
        "Nor one of 64 bits."
        => |bench| violated_get(bench, ExchangePoint::Size, 10, b"18446744073709551615\n");
    8 "vanish-at-once" [27] after ["connect"]
        "The server closes at once: no Success."
        => vanish_at_once;
    8 "vanish-at-prompt" [27] after ["upload"]
        "It closes in the midst of a prompt."
        => |bench| cut_put(bench, ExchangePoint::AskDetails, b"Please se");
    8 "vanish-in-upload" [27] after ["upload-large"]
        "It closes in the midst of an upload."
        => vanish_in_upload;
    8 "vanish-before-hash" [27] after ["upload"]
        "It closes in place of the hash."
        => |bench| cut_put(bench, ExchangePoint::Hash, b"");
    8 "vanish-in-hash" [27] after ["upload"]
        "It closes in the midst of the hash."
        => |bench| cut_put(bench, ExchangePoint::Hash, b"f4baef17b2384add");
    8 "vanish-in-listing" [27] after ["connect"]
        "It closes in the midst of a listing."
        => vanish_in_listing;
    8 "vanish-before-size" [27] after ["download"]
        "It closes in place of the size."
        => |bench| cut_get(bench, ExchangePoint::Size);
    8 "vanish-in-download" [20 27] after ["download"]
        "It closes in the midst of a download."
        => |bench| cut_get(bench, ExchangePoint::HalfDownload);
    8 "vanish-before-last-byte" [20 27] after ["download"]
        "It closes before the last byte."
        => |bench| cut_get(bench, ExchangePoint::LastByte);
    8 "garbage-for-a-reply" [2 6] after ["upload"]
        "Random bytes in place of the hash: it closes."
        => |bench| violated_put(bench, ExchangePoint::Hash, 6, b"\x00\x9f\x92\x96\xff\r\n\n\n;;\n");
    8 "silent-server" [28] after ["upload"]
        "A server that says nothing: it should give up."
        => silent;
}

fn details_refused(bench: &mut ClientBench) -> Check {
    refused_put(bench, ExchangePoint::Ready, "ERROR too-large the file is larger than this server takes")
}

fn early_refusal(bench: &mut ClientBench) -> Check {
    let behaviour = at(
        ExchangePoint::Payload,
        ServerAction::Refuse("ERROR no-space there is no space left for the file"),
    );
    bench.put(LARGE, &behaviour)?.not_uploaded(19, "no Success: the upload was refused")
}

fn listing_refused(bench: &mut ClientBench) -> Check {
    bench
        .list(&at(ExchangePoint::Listing, ServerAction::Refuse("ERROR storage the storage failed")))?
        .stopped_listing(22)
}

fn listing_refused_midway(bench: &mut ClientBench) -> Check {
    bench
        .list(&at(ExchangePoint::ListEnd, ServerAction::Refuse("ERROR storage the storage failed")))?
        .stopped_listing(13)
}

fn error_without_blank(bench: &mut ClientBench) -> Check {
    bench
        .put(
            SMALL,
            &ServerBehaviour { ask_details: "ERROR", ready: "ERRORS: none", ..ServerBehaviour::default() },
        )?
        .uploaded(23)
}

fn busy(bench: &mut ClientBench) -> Check {
    let behaviour = at(ExchangePoint::Greeting, ServerAction::Cut(b"ERROR busy too many connections\n"));
    let run = bench.put(SMALL, &behaviour)?;
    run.not_uploaded(24, "no Success: nothing was transferred")
}

fn timed_out_in_upload(bench: &mut ClientBench) -> Check {
    let behaviour =
        at(ExchangePoint::Payload, ServerAction::Cut(b"ERROR timeout nothing came for too long\n"));
    bench.put(LARGE, &behaviour)?.not_uploaded(25, "no Success: the server gave up")
}

fn timed_out_between(bench: &mut ClientBench) -> Check {
    if !bench.program.can(Goal::Whole) {
        return Err(Stop::Free("only a program that runs the 22 steps comes to it".into()));
    }
    let behaviour =
        at(ExchangePoint::AfterHash, ServerAction::Cut(b"ERROR timeout nothing came for too long\n"));
    let run = bench.run_client(Goal::Whole, SMALL, &behaviour)?;
    run.not_downloaded(24, "no Success for a download that never was")
}

fn other_words_upload(bench: &mut ClientBench) -> Check {
    let behaviour = ServerBehaviour {
        ask_details: "Nom et taille, s'il vous plaît ?",
        ready: "200 OK; go=1",
        ..ServerBehaviour::default()
    };
    bench.put(SMALL, &behaviour)?.uploaded(12)
}

fn empty_prompt_upload(bench: &mut ClientBench) -> Check {
    bench
        .put(SMALL, &ServerBehaviour { ask_details: "", ready: "", ..ServerBehaviour::default() })?
        .uploaded(12)
}

/// A line that does not end in time.
const LONG: &[u8] = &[b'x'; 2000];

fn entry_that_climbs(bench: &mut ClientBench) -> Check {
    violated_list(bench, 9, |lines| with(lines, "f4baef17b2384addb18537b724f96fd7;../a;39"))
}

fn vanish_at_once(bench: &mut ClientBench) -> Check {
    let run = bench.put(SMALL, &at(ExchangePoint::Greeting, ServerAction::Cut(b"")))?;
    run.not_uploaded(27, "no Success: nothing was transferred")
}

fn vanish_in_upload(bench: &mut ClientBench) -> Check {
    let run = bench.put(LARGE, &at(ExchangePoint::Payload, ServerAction::Cut(b"")))?;
    run.not_uploaded(27, "no Success: the server left in the midst of the upload")
}

fn vanish_in_listing(bench: &mut ClientBench) -> Check {
    let run = bench
        .list(&at(ExchangePoint::Listing, ServerAction::Cut(b"f4baef17b2384addb18537b724f96fd7;a;39\n")))?;
    run.not_listed(27, "no success: the listing never came to its end")
}

/// A server at which something happens.
pub(super) fn at(point: ExchangePoint, act: ServerAction) -> ServerBehaviour {
    ServerBehaviour { act: Some((point, act)), ..ServerBehaviour::default() }
}

fn refused_put(bench: &mut ClientBench, point: ExchangePoint, line: &'static str) -> Check {
    let run = bench.put(SMALL, &at(point, ServerAction::Refuse(line)))?;
    let rule =
        if line.starts_with("ERROR quota") || line == "ERROR " || line.contains("503") { 23 } else { 22 };
    run.not_uploaded(rule, "no Success: the upload was refused")
}

fn refused_get(bench: &mut ClientBench, point: ExchangePoint, line: &'static str) -> Check {
    bench
        .get(SMALL, &at(point, ServerAction::Refuse(line)))?
        .not_downloaded(22, "no Success: the download was refused")
}

fn violated_put(bench: &mut ClientBench, point: ExchangePoint, rule: u8, bytes: &'static [u8]) -> Check {
    let run = bench.put(SMALL, &at(point, ServerAction::Violate(rule, bytes)))?;
    run.not_uploaded(rule, "no Success: the reply is against the grammar")
}

fn violated_get(bench: &mut ClientBench, point: ExchangePoint, rule: u8, bytes: &'static [u8]) -> Check {
    let run = bench.get(SMALL, &at(point, ServerAction::Violate(rule, bytes)))?;
    run.not_downloaded(rule, "no Success: the reply is against the grammar")
}

/// Only a client that goes on after a listing shows that it took it.
fn violated_list(bench: &mut ClientBench, rule: u8, listing: fn(Vec<String>) -> Vec<String>) -> Check {
    let behaviour =
        ServerBehaviour { listing, ..at(ExchangePoint::Listing, ServerAction::ViolateWithThat(rule)) };
    let run = whole_or_get(bench, &behaviour)?;
    run.went(Part::List)?;
    run.not_downloaded(rule, "no Success: the listing is against the grammar")
}

fn with(mut lines: Vec<String>, line: &str) -> Vec<String> {
    lines.push(line.into());
    lines
}

fn empty_listing(bench: &mut ClientBench) -> Check {
    if !bench.program.can(Goal::Whole) {
        return Err(Stop::Free("only a program that runs the 22 steps shows that it took it".into()));
    }
    let behaviour = at(ExchangePoint::Listing, ServerAction::Violate(14, b"\n"));
    let run = bench.run_client(Goal::Whole, SMALL, &behaviour)?;
    run.went(Part::List)?;
    run.not_uploaded(14, "no Success: the listing is against the grammar")
}

fn cut_put(bench: &mut ClientBench, point: ExchangePoint, bytes: &'static [u8]) -> Check {
    bench.put(SMALL, &at(point, ServerAction::Cut(bytes)))?.not_uploaded(27, "no Success: the server left")
}

fn cut_get(bench: &mut ClientBench, point: ExchangePoint) -> Check {
    bench
        .get(SMALL, &at(point, ServerAction::Cut(b"")))?
        .not_downloaded(27, "no Success: the file did not come whole")
}

fn unprintable(bench: &mut ClientBench) -> Check {
    let behaviour = ServerBehaviour {
        ask_details: "\u{1b}[2J\u{1b}]0;name?\u{7}",
        ready: "\u{1b}[31mready",
        ..ServerBehaviour::default()
    };
    let run = bench.put(SMALL, &behaviour)?;
    run.uploaded(12)?;
    if let Some(line) = run.ended.lines.iter().find(|line| line.text.contains(['\u{1b}', '\u{7}'])) {
        let came = crate::wire::escaped(line.text.as_bytes());
        if let Stop::Fail(finding) = run.broken(12, 7, "the prompt not printed, or escaped", came) {
            bench.warning = Some(*finding);
        }
    }
    Ok(())
}

/// The rules leave open how long a client waits.
fn silent(bench: &mut ClientBench) -> Check {
    let limit = bench.limit;
    let behaviour = ServerBehaviour {
        act: Some((ExchangePoint::AskDetails, ServerAction::Silence)),
        patience: Duration::ZERO,
        ..ServerBehaviour::default()
    };
    let run = bench.put(SMALL, &behaviour)?;
    if !run.seen.gave_up {
        return Err(Stop::Free(format!(
            "after {} s the client still waits, as it may: a longer --timeout shows when it gives up",
            limit.as_secs_f64()
        )));
    }
    run.not_uploaded(28, "no Success: nothing came")
}
