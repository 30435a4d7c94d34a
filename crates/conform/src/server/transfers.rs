//! Level 3: downloads. Level 4: verifies and discards.

use protocol::ErrorCode;

use super::uploads::LARGE;
use super::{Check, ServerBench};
use crate::content::{
    FileContent, LIKE_COMMANDS, begins_with_zero, begins_with_zeros, holds_zeros, id_of, is_plain,
};

/// How long the pieces are in which a careless program hashes, in bytes.
const CARELESS: usize = 1024;

cases! { ServerBench:
    3 "download" [3 5] after ["upload"]
        "A download brings the size, then exactly the bytes."
        => |bench| there_and_back(bench, FileContent::Plain(1000));
    3 "download-outlives" [15] after ["download"]
        "The next connection can download the file."
        => download_outlives;
    3 "download-empty" [3] after ["download" "upload-empty"]
        "Of an empty file, the size is all."
        => |bench| there_and_back(bench, FileContent::Plain(0));
    3 "download-with-zeros" [11] after ["download" "hash-with-zeros"]
        "An id with zeros is found, as it was given."
        => download_with_zeros;
    3 "download-of-digits" [11] after ["download" "hash-of-digits"]
        "So is one without a letter."
        => |bench| there_and_back(bench, FileContent::Digits);
    3 "download-every-byte" [3] after ["download" "upload-every-byte"]
        "Every byte comes back."
        => |bench| there_and_back(bench, FileContent::EveryByte);
    3 "download-like-commands" [3] after ["download" "upload-like-commands"]
        "Nothing in what comes back is looked at either."
        => |bench| there_and_back(bench, LIKE_COMMANDS);
    3 "download-large" [3] after ["download-every-byte" "upload-large"]
        "300,007 bytes come back."
        => |bench| there_and_back(bench, FileContent::Noise(LARGE));
    3 "download-again" [3] after ["download"]
        "A session downloads again and again."
        => download_again;
    3 "download-ends" [3 5] after ["download"]
        "Behind the last byte nothing follows."
        => download_ends;
    3 "list-after-download" [3] after ["download"]
        "After a download the session goes on."
        => list_after_download;
    3 "leave-after-download" [26] after ["download"]
        "After a download the client can close."
        => leave_after_download;
    4 "hash-of-one-bit" [17] after ["upload"]
        "One other bit gives another hash, and both are right."
        => hash_of_one_bit;
    4 "hash-of-pieces" [17] after ["upload"]
        "The hash is of the whole file, whatever a buffer holds."
        => hash_of_pieces;
    4 "hash-under-one-name" [17] after ["upload"]
        "The hash is of the content, not of the name or size."
        => hash_under_one_name;
    4 "discard" [21] after ["upload-listed"]
        "A discarded upload is no longer listed."
        => discard;
    4 "discard-unlists-everywhere" [21] after ["discard"]
        "Nor can it be downloaded any more."
        => discard_unlists_everywhere;
    4 "discard-twice" [21] after ["discard"]
        "What is discarded is not there to be discarded."
        => discard_twice;
    4 "discard-unknown" [21] after ["list"]
        "An id that no file has cannot be discarded."
        => discard_unknown;
    4 "discard-not-yours" [21] after ["discard"]
        "Another session's upload is refused, and stays."
        => discard_not_yours;
    4 "discard-keeps-what-was" [21] after ["discard" "upload-again"]
        "What was listed before stays."
        => discard_keeps_what_was;
    4 "discard-the-latest" [21] after ["discard" "one-content-two-names"]
        "Of two names, the later goes."
        => latest;
    4 "discard-one-of-two" [21] after ["discard" "one-name-two-contents"]
        "Of two contents, one goes."
        => discard_one_of_two;
    4 "upload-after-discard" [21 31] after ["discard"]
        "After a discard, the upload can be tried again."
        => upload_after_discard;
}

fn download_outlives(bench: &mut ServerBench) -> Check {
    let file = bench.file(1001);
    bench.connect()?.prepare(&file)?;
    bench.connect()?.get(&file)
}

fn download_with_zeros(bench: &mut ServerBench) -> Check {
    for fits in [begins_with_zero, begins_with_zeros, holds_zeros] {
        there_and_back(bench, FileContent::WithId(501, fits))?;
    }
    Ok(())
}

fn download_again(bench: &mut ServerBench) -> Check {
    let (one, two, mut conversation) = (bench.file(999), bench.file(7), bench.session()?);
    conversation.prepare(&one)?;
    conversation.prepare(&two)?;
    conversation.get(&one)?;
    conversation.get(&two)?;
    conversation.get(&one)
}

fn download_ends(bench: &mut ServerBench) -> Check {
    let (file, mut conversation) = (bench.file(1002), bench.connect()?);
    conversation.prepare(&file)?;
    conversation.get(&file)?;
    conversation.quiet(3, Some(20), "nothing behind the last byte of the file")
}

fn list_after_download(bench: &mut ServerBench) -> Check {
    let (file, mut conversation) = (bench.file(1003), bench.session()?);
    conversation.prepare(&file)?;
    conversation.get(&file)?;
    conversation.lists(3, &file)
}

fn leave_after_download(bench: &mut ServerBench) -> Check {
    let (file, mut conversation) = (bench.file(1004), bench.connect()?);
    conversation.prepare(&file)?;
    conversation.get(&file)?;
    conversation.leave()
}

fn hash_of_one_bit(bench: &mut ServerBench) -> Check {
    let (one, mut conversation) = (bench.file(1000), bench.connect()?);
    let mut bytes = one.bytes.clone();
    for at in 500..one.bytes.len() {
        bytes.clone_from(&one.bytes);
        bytes[at] ^= 8;
        if is_plain(&id_of(&bytes)) {
            break;
        }
    }
    let two = bench.with_content(&bytes);
    conversation.put(&one)?;
    conversation.put(&two)
}

fn hash_of_pieces(bench: &mut ServerBench) -> Check {
    let mut conversation = bench.connect()?;
    for len in [CARELESS - 1, CARELESS, CARELESS + 1, 4 * CARELESS, 8 * CARELESS + 1, 64 * CARELESS] {
        let file = bench.file(len);
        conversation.put(&file)?;
    }
    conversation.list().map(drop)
}

fn hash_under_one_name(bench: &mut ServerBench) -> Check {
    let (one, mut two, mut conversation) = (bench.file(1000), bench.file(1000), bench.connect()?);
    two.name.clone_from(&one.name);
    conversation.put(&one)?;
    conversation.put(&two)
}

fn discard(bench: &mut ServerBench) -> Check {
    let (file, mut conversation) = (bench.file(1000), bench.session()?);
    conversation.prepare(&file)?;
    conversation.discard(&file.id())?;
    conversation.lists_not(21, &file)
}

fn discard_unlists_everywhere(bench: &mut ServerBench) -> Check {
    let (file, mut conversation) = (bench.file(1001), bench.session()?);
    conversation.prepare(&file)?;
    conversation.discard(&file.id())?;
    drop(conversation);
    bench.connect()?.id_refused(&file.id(), 21, ErrorCode::NotFound)
}

fn discard_twice(bench: &mut ServerBench) -> Check {
    let (file, mut conversation) = (bench.file(1002), bench.session()?);
    conversation.prepare(&file)?;
    conversation.discard(&file.id())?;
    conversation.refused(format!("DISCARD {}\n", file.id()), 21, ErrorCode::NotFound)
}

fn discard_unknown(bench: &mut ServerBench) -> Check {
    let id = bench.file(50).id();
    bench.connect()?.refused(format!("DISCARD {id}\n"), 21, ErrorCode::NotFound)
}

fn discard_not_yours(bench: &mut ServerBench) -> Check {
    let file = bench.file(1003);
    bench.connect()?.prepare(&file)?;
    let mut conversation = bench.connect()?;
    conversation.refused(format!("DISCARD {}\n", file.id()), 21, ErrorCode::NotYours)?;
    conversation.lists(21, &file)
}

fn discard_keeps_what_was(bench: &mut ServerBench) -> Check {
    let file = bench.file(1004);
    bench.connect()?.prepare(&file)?;
    let mut conversation = bench.session()?;
    conversation.prepare(&file)?;
    conversation.discard(&file.id())?;
    conversation.lists(21, &file)
}

fn discard_one_of_two(bench: &mut ServerBench) -> Check {
    let (one, mut two, mut conversation) = (bench.file(100), bench.file(200), bench.session()?);
    two.name.clone_from(&one.name);
    conversation.prepare(&one)?;
    conversation.prepare(&two)?;
    conversation.discard(&one.id())?;
    let listed = conversation.list()?;
    conversation.has(21, &listed, &two)?;
    conversation.get(&two)
}

fn upload_after_discard(bench: &mut ServerBench) -> Check {
    let (file, mut conversation) = (bench.file(1005), bench.session()?);
    conversation.prepare(&file)?;
    conversation.discard(&file.id())?;
    conversation.put(&file)?;
    conversation.lists(21, &file)
}

fn there_and_back(bench: &mut ServerBench, content: FileContent) -> Check {
    let (file, mut conversation) = (bench.file(content), bench.connect()?);
    conversation.prepare(&file)?;
    conversation.get(&file)
}

fn latest(bench: &mut ServerBench) -> Check {
    let (one, mut conversation) = (bench.file(1006), bench.session()?);
    let two = bench.with_content(&one.bytes);
    conversation.prepare(&one)?;
    conversation.prepare(&two)?;
    conversation.discard(&one.id())?;
    let listed = conversation.list()?;
    conversation.has(21, &listed, &one)?;
    conversation.lists_not(21, &two)?;
    conversation.get(&one)?;
    conversation.discard(&one.id())?;
    conversation.lists_not(21, &one)
}
