//! Level 2: uploads.

use protocol::MAX_NAME;

use super::{Check, File, ServerBench, Stop};
use crate::content::{FileContent, LIKE_COMMANDS, LINES, begins_with_zero, begins_with_zeros, holds_zeros};

/// More than a read, a buffer or a segment takes, and no multiple of anything.
pub(super) const LARGE: usize = 300_007;
/// More than most servers hold in memory by accident.
pub(super) const LARGER: usize = 4 * 1024 * 1024 + 13;
/// How many files one session uploads.
const SEVERAL: usize = 12;

cases! { ServerBench:
    2 "upload" [5 17] after ["list"]
        "An upload goes through, and its hash is the MD5."
        => upload;
    2 "upload-listed" [17] after ["upload"]
        "From the hash on, the file is listed as it was announced."
        => upload_listed;
    2 "upload-outlives" [15] after ["upload"]
        "The next connection lists the file too."
        => upload_outlives;
    2 "upload-waits" [5 17] after ["upload"]
        "No hash comes before the last byte of the payload."
        => upload_waits;
    2 "upload-several" [3 17] after ["upload"]
        "One session uploads file after file."
        => upload_several;
    2 "upload-again" [21 15] after ["upload-listed"]
        "The same file again succeeds and is listed once."
        => upload_again;
    3 "one-content-two-names" [15] after ["upload-listed" "download"]
        "Two names can share a content."
        => one_content_two_names;
    3 "one-name-two-contents" [15] after ["upload-listed" "download"]
        "One name can stand with two contents."
        => one_name_two_contents;
    2 "hash-with-zeros" [11 17] after ["upload-listed"]
        "A hash keeps its zeros, at its start and where a byte of it is zero."
        => hash_with_zeros;
    2 "hash-of-digits" [11 17] after ["upload-listed"]
        "A hash without a letter is no number."
        => |bench| put_and_list(bench, 11, FileContent::Digits);
    2 "upload-empty" [16] after ["upload" "hash-with-zeros"]
        "An empty file has no payload: the hash comes at once."
        => upload_empty;
    2 "upload-one-byte" [3] after ["upload"]
        "A file may be one LF."
        => upload_one_byte;
    2 "upload-every-byte" [3] after ["upload"]
        "A payload can hold every byte there is."
        => |bench| put_holding(bench, FileContent::EveryByte);
    2 "upload-lines" [3] after ["upload"]
        "A text of several lines, the last of which ends in CR LF."
        => |bench| put_holding(bench, LINES);
    2 "upload-like-commands" [3] after ["upload"]
        "Nothing in a payload is looked at."
        => |bench| put_holding(bench, LIKE_COMMANDS);
    2 "upload-large" [3 17] after ["upload-every-byte"]
        "A file of 300,007 bytes is hashed to its last byte."
        => upload_large;
    2 "upload-larger" [18 22 3 17] after ["upload-every-byte"]
        "Of 4 MiB, all is taken, or refused in good order."
        => larger;
    3 "name-with-semicolons" [8] after ["upload-listed" "download"]
        "A name can hold semicolons."
        => |bench| put_named(bench, 8, "a;", ";7;.txt");
    3 "name-with-blanks" [9] after ["upload-listed" "download"]
        "Blanks belong to a name, also at its ends."
        => |bench| put_named(bench, 9, "  of ", " mine  ");
    3 "name-in-utf-8" [9] after ["upload-listed" "download"]
        "A name is UTF-8, of any language."
        => |bench| put_named(bench, 9, "Übung-文件-", "-файл-🗎.txt");
    3 "name-with-dots" [9] after ["upload-listed" "download"]
        "Only . and .. are no names; ..a and a.. are."
        => |bench| put_named(bench, 9, "..", "..");
    3 "name-like-a-command" [9] after ["upload-listed" "download"]
        "A name may look like anything."
        => |bench| put_named(bench, 9, "ERROR other ", ";LIST_FILES");
    3 "name-for-a-shell" [9] after ["upload-listed" "download"]
        "A name is no option, pattern or command."
        => |bench| put_named(bench, 9, "-rf *?\"'$(x)`|&<>:%s%n ", "~");
    7 "name-of-255-bytes" [9] after ["upload-listed" "download"]
        "A name can have 255 bytes."
        => name_of_255_bytes;
}

fn upload(bench: &mut ServerBench) -> Check {
    let file = bench.file(1000);
    bench.connect()?.put(&file)
}

fn upload_listed(bench: &mut ServerBench) -> Check {
    let (file, mut conversation) = (bench.file(1001), bench.connect()?);
    conversation.put(&file)?;
    conversation.lists(17, &file)
}

fn upload_outlives(bench: &mut ServerBench) -> Check {
    let file = bench.file(1002);
    bench.connect()?.prepare(&file)?;
    bench.connect()?.lists(15, &file)
}

fn upload_waits(bench: &mut ServerBench) -> Check {
    let (file, mut conversation) = (bench.file(1003), bench.connect()?);
    conversation.begin_put(&file.name, file.bytes.len())?;
    conversation.send(&file.bytes[..1002]);
    conversation.quiet(17, Some(13), "nothing while a byte is missing")?;
    conversation.send(&file.bytes[1002..]);
    conversation.hash(&file)
}

fn upload_several(bench: &mut ServerBench) -> Check {
    let mut conversation = bench.session()?;
    for len in 1..=SEVERAL {
        let file = bench.file(len * 100);
        conversation.put(&file)?;
    }
    conversation.list().map(drop)
}

fn upload_again(bench: &mut ServerBench) -> Check {
    let (file, mut conversation) = (bench.file(1004), bench.connect()?);
    conversation.put(&file)?;
    conversation.put(&file)?;
    conversation.lists(15, &file)?;
    conversation.lists_no_pair_twice()
}

fn one_content_two_names(bench: &mut ServerBench) -> Check {
    let (one, mut conversation) = (bench.file(1005), bench.connect()?);
    let two = bench.with_content(&one.bytes);
    both_listed(&mut conversation, &one, &two)
}

fn one_name_two_contents(bench: &mut ServerBench) -> Check {
    let (one, other, mut conversation) = (bench.file(1006), bench.file(1006), bench.connect()?);
    both_listed(&mut conversation, &one, &File { name: one.name.clone(), ..other })
}

fn upload_empty(bench: &mut ServerBench) -> Check {
    let (file, mut conversation) = (bench.file(0), bench.connect()?);
    conversation.put(&file)?;
    conversation.lists(16, &file)
}

fn hash_with_zeros(bench: &mut ServerBench) -> Check {
    for fits in [begins_with_zero, begins_with_zeros, holds_zeros] {
        put_and_list(bench, 11, FileContent::WithId(500, fits))?;
    }
    Ok(())
}

fn put_and_list(bench: &mut ServerBench, rule: u8, content: FileContent) -> Check {
    let (file, mut conversation) = (bench.file(content), bench.connect()?);
    conversation.put(&file)?;
    conversation.lists(rule, &file)
}

fn upload_one_byte(bench: &mut ServerBench) -> Check {
    let (file, mut conversation) = (bench.with_content(b"\n"), bench.connect()?);
    conversation.put(&file)?;
    conversation.list().map(drop)
}

fn upload_large(bench: &mut ServerBench) -> Check {
    let file = bench.file(FileContent::Noise(LARGE));
    may_be_too_large(&file, bench.connect()?.put(&file))
}

/// A server may take less than others, and says so.
pub(super) fn may_be_too_large(file: &File, check: Check) -> Check {
    check.map_err(|stop| match stop {
        Stop::NotReached(why) if why.is_want_of_room() => {
            Stop::Free(format!("this wants a file of {} bytes: {why}", file.bytes.len()))
        }
        stop => stop,
    })
}

fn name_of_255_bytes(bench: &mut ServerBench) -> Check {
    let mut file = bench.file(77);
    file.name.extend(std::iter::repeat_n('n', MAX_NAME - file.name.len()));
    round_trip(bench, 9, &file)
}

fn put_holding(bench: &mut ServerBench, content: FileContent) -> Check {
    let (file, mut conversation) = (bench.file(content), bench.connect()?);
    conversation.put(&file)?;
    conversation.list().map(drop)
}

fn put_named(bench: &mut ServerBench, rule: u8, before: &str, behind: &str) -> Check {
    let file = bench.named(before, behind, 77);
    round_trip(bench, rule, &file)
}

fn round_trip(bench: &ServerBench, rule: u8, file: &File) -> Check {
    let mut conversation = bench.connect()?;
    conversation.put(file)?;
    conversation.lists(rule, file)?;
    conversation.get(file)
}

fn both_listed(conversation: &mut super::Conversation, one: &File, two: &File) -> Check {
    conversation.put(one)?;
    conversation.put(two)?;
    let listed = conversation.list()?;
    conversation.has(15, &listed, one)?;
    conversation.has(15, &listed, two)?;
    conversation.get(one)?;
    conversation.get(two)
}

/// It may be too large for a server, which may say so before the payload, in its midst or after it.
fn larger(bench: &mut ServerBench) -> Check {
    let (file, mut conversation) = (bench.file(FileContent::Noise(LARGER)), bench.connect()?);
    conversation.announce(&file.details())?;
    let mut refused = is_refusal(conversation.go_ahead(9))?;
    if !refused {
        conversation.send(&file.bytes);
        refused = is_refusal(conversation.hash(&file))?;
    }
    // With R18 and R22, the session is in order either way.
    if refused { conversation.lists_not(18, &file) } else { conversation.lists(17, &file) }
}

/// Whether the server refused for want of room or the like.
fn is_refusal(check: Check) -> Check<bool> {
    match check {
        Ok(()) => Ok(false),
        // `timeout` would end the session.
        Err(Stop::NotReached(why)) if !why.is_timeout() => Ok(true),
        Err(stop) => Err(stop),
    }
}
