//! Level 6: frames its messages. Level 7: keeps the limits.

use std::time::Duration;

use protocol::ErrorCode::UnknownCommand;
use protocol::wire::{MAX_LINE, MAX_SIZE};

use super::{Check, Desk, Stop};
use crate::content::LINES;

/// Between the pieces of a message, so that they arrive as pieces.
const PAUSE: Duration = Duration::from_millis(1);
/// A line of more than any buffer that a server may have for it.
const ENDLESS: usize = 200_000;

cases! { Desk:
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
        => |desk| bad_line(desk, format!("{}\n", "X".repeat(MAX_LINE)).as_bytes());
    7 "line-without-end" [2 25] after ["list"]
        "A line that does not end is given up."
        => line_without_end;
    7 "line-of-1024-not-ended" [2] after ["line-of-1025"]
        "1024 bytes without an LF are enough."
        => |desk| bad_line(desk, &[b'X'; MAX_LINE]);
    7 "line-not-utf-8" [2 25] after ["list"]
        "A line that is no UTF-8 is bad-line, and the end."
        => |desk| bad_line(desk, b"LIST_FILES\xff\n");
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

fn half_a_line(desk: &mut Desk) -> Check {
    let mut talk = desk.connect()?;
    talk.send("LIST_");
    talk.quiet(4, Some(4), "nothing before the line is whole")?;
    talk.send("FILES");
    talk.quiet(1, Some(4), "nothing before the LF")?;
    talk.list_by("\n").map(drop)
}

fn in_pieces(desk: &mut Desk) -> Check {
    let (file, mut talk) = (desk.file(20_000), desk.connect()?);
    talk.begin_put(&file.name, file.bytes.len())?;
    talk.wire.send_in_pieces(&file.bytes, 333, PAUSE);
    talk.hash(&file)
}

fn cr_lf(desk: &mut Desk) -> Check {
    let (file, mut talk) = (desk.file(100), desk.connect()?);
    talk.list_by("LIST_FILES\r\n")?;
    talk.command("UPLOAD\r\n");
    talk.go_ahead(7)?;
    talk.send(format!("{}\r\n", file.details()));
    talk.go_ahead(9)?;
    talk.send(&file.bytes);
    talk.hash(&file)?;
    talk.command("DOWNLOAD\r\n");
    talk.go_ahead(18)?;
    talk.send(format!("{}\r\n", file.id()));
    talk.payload(&file)
}

fn only_one_cr(desk: &mut Desk) -> Check {
    let mut talk = desk.connect()?;
    talk.refused("LIST_FILES\r\r\n", 1, UnknownCommand)?;
    talk.refused("LIST\r_FILES\n", 1, UnknownCommand)
}

fn cr_in_payload(desk: &mut Desk) -> Check {
    let (file, mut talk) = (desk.file(LINES), desk.connect()?);
    talk.put(&file)?;
    talk.get(&file)
}

fn two_in_one_segment(desk: &mut Desk) -> Check {
    let mut talk = desk.connect()?;
    talk.send("LIST_FILES\nLIST_FILES\n");
    talk.listing()?;
    talk.listing().map(drop)
}

fn upload_in_one_segment(desk: &mut Desk) -> Check {
    let (file, mut talk) = (desk.file(500), desk.connect()?);
    let mut message = format!("UPLOAD\n{}\n", file.details()).into_bytes();
    message.extend_from_slice(&file.bytes);
    message.extend_from_slice(b"LIST_FILES\n");
    talk.send(message);
    talk.go_ahead(7)?;
    talk.go_ahead(9)?;
    talk.hash(&file)?;
    let listed = talk.listing()?;
    talk.has(4, &listed, &file)
}

fn line_of_1024(desk: &mut Desk) -> Check {
    let mut talk = desk.connect()?;
    talk.refused(format!("{}\n", "X".repeat(MAX_LINE - 1)), 2, UnknownCommand)?;
    talk.refused(format!("{}\r\n", "X".repeat(MAX_LINE - 2)), 2, UnknownCommand)?;
    talk.list().map(drop)
}

fn line_without_end(desk: &mut Desk) -> Check {
    bad_line(desk, &[b'X'; ENDLESS])
}

fn line_nearly_utf_8(desk: &mut Desk) -> Check {
    bad_line(desk, b"\xed\xa0\x80\n")?;
    bad_line(desk, b"\xc0\x80\n")?;
    bad_line(desk, b"\xf4\x90\x80\x80\n")?;
    bad_line(desk, b"cut \xe2\x82\n")
}

fn details_too_long(desk: &mut Desk) -> Check {
    let mut talk = desk.connect()?;
    talk.announce(&format!("{};7", "n".repeat(MAX_LINE)))?;
    talk.bad_line()
}

fn id_not_utf_8(desk: &mut Desk) -> Check {
    let mut talk = desk.connect()?;
    talk.send("DOWNLOAD\n");
    talk.go_ahead(18)?;
    talk.send(b"\xfe\xfe\n");
    talk.bad_line()
}

fn size_of_63_bits(desk: &mut Desk) -> Check {
    let (file, mut talk) = (desk.file(0), desk.connect()?);
    talk.announce(&format!("{};{MAX_SIZE}", file.name))?;
    match talk.line(10, 9, "a go-ahead, or a refusal such as \"ERROR too-large\"") {
        Ok(_) => {}
        Err(Stop::NotReached(_)) => return talk.list().map(drop),
        Err(stop) => return Err(stop),
    }
    drop(talk);
    desk.never_lists(27, &file)
}

fn byte_by_byte(desk: &mut Desk) -> Check {
    let (file, mut talk) = (desk.file(LINES), desk.connect()?);
    let send = |talk: &mut super::Talk, bytes: &[u8]| talk.wire.send_in_pieces(bytes, 1, PAUSE);
    send(&mut talk, b"LIST_FILES\n");
    talk.listing()?;
    send(&mut talk, b"UPLOAD\n");
    talk.go_ahead(7)?;
    send(&mut talk, format!("{}\n", file.details()).as_bytes());
    talk.go_ahead(9)?;
    send(&mut talk, &file.bytes);
    talk.hash(&file)?;
    send(&mut talk, b"DOWNLOAD\n");
    talk.go_ahead(18)?;
    send(&mut talk, format!("{}\n", file.id()).as_bytes());
    talk.payload(&file)
}

fn bad_line(desk: &Desk, line: &[u8]) -> Check {
    let mut talk = desk.connect()?;
    talk.send(line);
    talk.bad_line()
}
