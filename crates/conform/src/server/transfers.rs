//! Level 3: downloads. Level 4: verifies and discards.

use protocol::ErrorCode;

use super::uploads::LARGE;
use super::{Check, Desk};
use crate::content::{
    Holds, LIKE_COMMANDS, begins_with_zero, begins_with_zeros, holds_zeros, id_of, is_plain,
};

/// How long the pieces are in which a careless program hashes, in bytes.
const CARELESS: usize = 1024;

cases! { Desk:
    3 "download" [3 5] after ["upload"]
        "A download brings the size, then exactly the bytes."
        => |desk| there_and_back(desk, Holds::Plain(1000));
    3 "download-outlives" [15] after ["download"]
        "The next connection can download the file."
        => download_outlives;
    3 "download-empty" [3] after ["download" "upload-empty"]
        "Of an empty file, the size is all."
        => |desk| there_and_back(desk, Holds::Plain(0));
    3 "download-with-zeros" [11] after ["download" "hash-with-zeros"]
        "An id with zeros is found, as it was given."
        => download_with_zeros;
    3 "download-of-digits" [11] after ["download" "hash-of-digits"]
        "So is one without a letter."
        => |desk| there_and_back(desk, Holds::Digits);
    3 "download-every-byte" [3] after ["download" "upload-every-byte"]
        "Every byte comes back."
        => |desk| there_and_back(desk, Holds::EveryByte);
    3 "download-like-commands" [3] after ["download" "upload-like-commands"]
        "Nothing in what comes back is looked at either."
        => |desk| there_and_back(desk, LIKE_COMMANDS);
    3 "download-large" [3] after ["download-every-byte" "upload-large"]
        "300,007 bytes come back."
        => |desk| there_and_back(desk, Holds::Noise(LARGE));
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

fn download_outlives(desk: &mut Desk) -> Check {
    let file = desk.file(1001);
    desk.connect()?.prepare(&file)?;
    desk.connect()?.get(&file)
}

fn download_with_zeros(desk: &mut Desk) -> Check {
    for fits in [begins_with_zero, begins_with_zeros, holds_zeros] {
        there_and_back(desk, Holds::WithId(501, fits))?;
    }
    Ok(())
}

fn download_again(desk: &mut Desk) -> Check {
    let (one, two, mut talk) = (desk.file(999), desk.file(7), desk.session()?);
    talk.prepare(&one)?;
    talk.prepare(&two)?;
    talk.get(&one)?;
    talk.get(&two)?;
    talk.get(&one)
}

fn download_ends(desk: &mut Desk) -> Check {
    let (file, mut talk) = (desk.file(1002), desk.connect()?);
    talk.prepare(&file)?;
    talk.get(&file)?;
    talk.quiet(3, Some(20), "nothing behind the last byte of the file")
}

fn list_after_download(desk: &mut Desk) -> Check {
    let (file, mut talk) = (desk.file(1003), desk.session()?);
    talk.prepare(&file)?;
    talk.get(&file)?;
    talk.lists(3, &file)
}

fn leave_after_download(desk: &mut Desk) -> Check {
    let (file, mut talk) = (desk.file(1004), desk.connect()?);
    talk.prepare(&file)?;
    talk.get(&file)?;
    talk.leave()
}

fn hash_of_one_bit(desk: &mut Desk) -> Check {
    let (one, mut talk) = (desk.file(1000), desk.connect()?);
    let mut bytes = one.bytes.clone();
    for at in 500..one.bytes.len() {
        bytes.clone_from(&one.bytes);
        bytes[at] ^= 8;
        if is_plain(&id_of(&bytes)) {
            break;
        }
    }
    let two = desk.with_content(&bytes);
    talk.put(&one)?;
    talk.put(&two)
}

fn hash_of_pieces(desk: &mut Desk) -> Check {
    let mut talk = desk.connect()?;
    for len in [CARELESS - 1, CARELESS, CARELESS + 1, 4 * CARELESS, 8 * CARELESS + 1, 64 * CARELESS] {
        let file = desk.file(len);
        talk.put(&file)?;
    }
    talk.list().map(drop)
}

fn hash_under_one_name(desk: &mut Desk) -> Check {
    let (one, mut two, mut talk) = (desk.file(1000), desk.file(1000), desk.connect()?);
    two.name.clone_from(&one.name);
    talk.put(&one)?;
    talk.put(&two)
}

fn discard(desk: &mut Desk) -> Check {
    let (file, mut talk) = (desk.file(1000), desk.session()?);
    talk.prepare(&file)?;
    talk.discard(&file.id())?;
    talk.lists_not(21, &file)
}

fn discard_unlists_everywhere(desk: &mut Desk) -> Check {
    let (file, mut talk) = (desk.file(1001), desk.session()?);
    talk.prepare(&file)?;
    talk.discard(&file.id())?;
    drop(talk);
    desk.connect()?.id_refused(&file.id(), 21, ErrorCode::NotFound)
}

fn discard_twice(desk: &mut Desk) -> Check {
    let (file, mut talk) = (desk.file(1002), desk.session()?);
    talk.prepare(&file)?;
    talk.discard(&file.id())?;
    talk.refused(format!("DISCARD {}\n", file.id()), 21, ErrorCode::NotFound)
}

fn discard_unknown(desk: &mut Desk) -> Check {
    let id = desk.file(50).id();
    desk.connect()?.refused(format!("DISCARD {id}\n"), 21, ErrorCode::NotFound)
}

fn discard_not_yours(desk: &mut Desk) -> Check {
    let file = desk.file(1003);
    desk.connect()?.prepare(&file)?;
    let mut talk = desk.connect()?;
    talk.refused(format!("DISCARD {}\n", file.id()), 21, ErrorCode::NotYours)?;
    talk.lists(21, &file)
}

fn discard_keeps_what_was(desk: &mut Desk) -> Check {
    let file = desk.file(1004);
    desk.connect()?.prepare(&file)?;
    let mut talk = desk.session()?;
    talk.prepare(&file)?;
    talk.discard(&file.id())?;
    talk.lists(21, &file)
}

fn discard_one_of_two(desk: &mut Desk) -> Check {
    let (one, mut two, mut talk) = (desk.file(100), desk.file(200), desk.session()?);
    two.name.clone_from(&one.name);
    talk.prepare(&one)?;
    talk.prepare(&two)?;
    talk.discard(&one.id())?;
    let listed = talk.list()?;
    talk.has(21, &listed, &two)?;
    talk.get(&two)
}

fn upload_after_discard(desk: &mut Desk) -> Check {
    let (file, mut talk) = (desk.file(1005), desk.session()?);
    talk.prepare(&file)?;
    talk.discard(&file.id())?;
    talk.put(&file)?;
    talk.lists(21, &file)
}

fn there_and_back(desk: &mut Desk, holds: Holds) -> Check {
    let (file, mut talk) = (desk.file(holds), desk.connect()?);
    talk.prepare(&file)?;
    talk.get(&file)
}

fn latest(desk: &mut Desk) -> Check {
    let (one, mut talk) = (desk.file(1006), desk.session()?);
    let two = desk.with_content(&one.bytes);
    talk.prepare(&one)?;
    talk.prepare(&two)?;
    talk.discard(&one.id())?;
    let listed = talk.list()?;
    talk.has(21, &listed, &one)?;
    talk.lists_not(21, &two)?;
    talk.get(&one)?;
    talk.discard(&one.id())?;
    talk.lists_not(21, &one)
}
