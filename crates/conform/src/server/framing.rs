//! Level 6: frames its messages. Level 7: keeps the limits.

use std::time::Duration;

use protocol::ErrorCode::UnknownCommand;
use protocol::wire::{MAX_LINE, MAX_SIZE};

use super::{Check, ServerBench, Stop};
use crate::content::LINES;

/// Between the pieces of a message, so that they arrive as pieces.
const PAUSE: Duration = Duration::from_millis(1);
/// A line of more than any buffer that a server may have for it.
const ENDLESS: usize = 200_000;

cases! { ServerBench:
    6 "half-a-line" [4] after ["list"]
        "A line counts only when its LF is there."
        => half_a_line;
    6 "byte-by-byte" [4] after ["download"]
        "A session whose bytes come one by one."
        => byte_by_byte;
    6 "in-pieces" [4 3] after ["upload"]
        "A payload in odd pieces."
        => in_pieces;
    6 "cr-lf" [1] after ["download"]
        "One CR before an LF is dropped, in every message."
        => cr_lf;
    6 "only-one-cr" [1] after ["unknown-command"]
        "Of two CRs one stays, and is no part of a command."
        => only_one_cr;
    6 "cr-in-payload" [3] after ["download"]
        "A CR at the end of a payload belongs to it."
        => cr_in_payload;
    6 "two-in-one-segment" [4 6] after ["list"]
        "Two commands that come together are both taken."
        => two_in_one_segment;
    6 "upload-in-one-segment" [4 6] after ["upload"]
        "Lines, payload and the next command together."
        => upload_in_one_segment;
    7 "line-of-1024" [2] after ["unknown-command"]
        "A line of 1024 bytes is not too long."
        => line_of_1024;
    7 "line-of-1025" [2 25] after ["list"]
        "A line of 1025 bytes is bad-line, and the end."
        => |bench| bad_line(bench, format!("{}\n", "X".repeat(MAX_LINE)).as_bytes());
    7 "line-without-end" [2 25] after ["list"]
        "A line that does not end is given up."
        => line_without_end;
    7 "line-of-1024-not-ended" [2] after ["line-of-1025"]
        "1024 bytes without an LF are enough."
        => |bench| bad_line(bench, &[b'X'; MAX_LINE]);
    7 "line-not-utf-8" [2 25] after ["list"]
        "A line that is no UTF-8 is bad-line, and the end."
        => |bench| bad_line(bench, b"LIST_FILES\xff\n");
    7 "line-nearly-utf-8" [2] after ["line-not-utf-8"]
        "Surrogates and long forms are no UTF-8."
        => line_nearly_utf_8;
    7 "details-too-long" [2 25] after ["upload"]
        "The same holds for details."
        => details_too_long;
    7 "id-not-utf-8" [2 25] after ["list"]
        "The same holds for ids."
        => id_not_utf_8;
    7 "size-of-63-bits" [10 27] after ["upload"]
        "The largest size is no bad size."
        => size_of_63_bits;
}

fn half_a_line(bench: &mut ServerBench) -> Check {
    let mut conversation = bench.connect()?;
    conversation.send("LIST_");
    conversation.quiet(4, Some(4), "nothing before the line is whole")?;
    conversation.send("FILES");
    conversation.quiet(1, Some(4), "nothing before the LF")?;
    conversation.list_by("\n").map(drop)
}

fn in_pieces(bench: &mut ServerBench) -> Check {
    let (file, mut conversation) = (bench.file(20_000), bench.connect()?);
    conversation.begin_put(&file.name, file.bytes.len())?;
    conversation.wire.send_in_pieces(&file.bytes, 333, PAUSE);
    conversation.hash(&file)
}

fn cr_lf(bench: &mut ServerBench) -> Check {
    let (file, mut conversation) = (bench.file(100), bench.connect()?);
    conversation.list_by("LIST_FILES\r\n")?;
    conversation.command("UPLOAD\r\n");
    conversation.go_ahead(7)?;
    conversation.send(format!("{}\r\n", file.details()));
    conversation.go_ahead(9)?;
    conversation.send(&file.bytes);
    conversation.hash(&file)?;
    conversation.command("DOWNLOAD\r\n");
    conversation.go_ahead(18)?;
    conversation.send(format!("{}\r\n", file.id()));
    conversation.payload(&file)
}

fn only_one_cr(bench: &mut ServerBench) -> Check {
    let mut conversation = bench.connect()?;
    conversation.refused("LIST_FILES\r\r\n", 1, UnknownCommand)?;
    conversation.refused("LIST\r_FILES\n", 1, UnknownCommand)
}

fn cr_in_payload(bench: &mut ServerBench) -> Check {
    let (file, mut conversation) = (bench.file(LINES), bench.connect()?);
    conversation.put(&file)?;
    conversation.get(&file)
}

fn two_in_one_segment(bench: &mut ServerBench) -> Check {
    let mut conversation = bench.connect()?;
    conversation.send("LIST_FILES\nLIST_FILES\n");
    conversation.listing()?;
    conversation.listing().map(drop)
}

fn upload_in_one_segment(bench: &mut ServerBench) -> Check {
    let (file, mut conversation) = (bench.file(500), bench.connect()?);
    let mut message = format!("UPLOAD\n{}\n", file.details()).into_bytes();
    message.extend_from_slice(&file.bytes);
    message.extend_from_slice(b"LIST_FILES\n");
    conversation.send(message);
    conversation.go_ahead(7)?;
    conversation.go_ahead(9)?;
    conversation.hash(&file)?;
    let listed = conversation.listing()?;
    conversation.has(4, &listed, &file)
}

fn line_of_1024(bench: &mut ServerBench) -> Check {
    let mut conversation = bench.connect()?;
    conversation.refused(format!("{}\n", "X".repeat(MAX_LINE - 1)), 2, UnknownCommand)?;
    conversation.refused(format!("{}\r\n", "X".repeat(MAX_LINE - 2)), 2, UnknownCommand)?;
    conversation.list().map(drop)
}

fn line_without_end(bench: &mut ServerBench) -> Check {
    bad_line(bench, &[b'X'; ENDLESS])
}

fn line_nearly_utf_8(bench: &mut ServerBench) -> Check {
    bad_line(bench, b"\xed\xa0\x80\n")?;
    bad_line(bench, b"\xc0\x80\n")?;
    bad_line(bench, b"\xf4\x90\x80\x80\n")?;
    bad_line(bench, b"cut \xe2\x82\n")
}

fn details_too_long(bench: &mut ServerBench) -> Check {
    let mut conversation = bench.connect()?;
    conversation.announce(&format!("{};7", "n".repeat(MAX_LINE)))?;
    conversation.bad_line()
}

fn id_not_utf_8(bench: &mut ServerBench) -> Check {
    let mut conversation = bench.connect()?;
    conversation.send("DOWNLOAD\n");
    conversation.go_ahead(18)?;
    conversation.send(b"\xfe\xfe\n");
    conversation.bad_line()
}

fn size_of_63_bits(bench: &mut ServerBench) -> Check {
    let (file, mut conversation) = (bench.file(0), bench.connect()?);
    conversation.announce(&format!("{};{MAX_SIZE}", file.name))?;
    match conversation.line(10, 9, "a go-ahead, or a refusal such as \"ERROR too-large\"") {
        Ok(_) => {}
        Err(Stop::NotReached(_)) => return conversation.list().map(drop),
        Err(stop) => return Err(stop),
    }
    drop(conversation);
    bench.never_lists(27, &file)
}

fn byte_by_byte(bench: &mut ServerBench) -> Check {
    let (file, mut conversation) = (bench.file(LINES), bench.connect()?);
    let send = |conversation: &mut super::Conversation, bytes: &[u8]| {
        conversation.wire.send_in_pieces(bytes, 1, PAUSE);
    };
    send(&mut conversation, b"LIST_FILES\n");
    conversation.listing()?;
    send(&mut conversation, b"UPLOAD\n");
    conversation.go_ahead(7)?;
    send(&mut conversation, format!("{}\n", file.details()).as_bytes());
    conversation.go_ahead(9)?;
    send(&mut conversation, &file.bytes);
    conversation.hash(&file)?;
    send(&mut conversation, b"DOWNLOAD\n");
    conversation.go_ahead(18)?;
    send(&mut conversation, format!("{}\n", file.id()).as_bytes());
    conversation.payload(&file)
}

fn bad_line(bench: &ServerBench, line: &[u8]) -> Check {
    let mut conversation = bench.connect()?;
    conversation.send(line);
    conversation.bad_line()
}
