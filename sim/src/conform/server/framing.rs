//! Level 6: frames its messages. Level 7: keeps the limits.

use std::time::Duration;

use protocol::ErrorCode::UnknownCommand;
use protocol::wire::{MAX_LINE, MAX_SIZE};

use super::{Case, Check, Desk, Stop, case};

/// Between the pieces of a message, so that they arrive as pieces.
const PAUSE: Duration = Duration::from_millis(1);
/// A line of more than any buffer that a server may have for it.
const ENDLESS: usize = 200_000;

pub(super) fn cases() -> Vec<Case<Desk>> {
    let mut cases = framing();
    cases.extend(limits());
    cases
}

fn framing() -> Vec<Case<Desk>> {
    vec![
        case(6, "half-a-line", &[4], &["list"], "A line counts only when its LF is there.", |desk| {
            let mut talk = desk.connect()?;
            talk.send("LIST_");
            talk.quiet(4, Some(4), "nothing before the line is whole")?;
            talk.send("FILES");
            talk.quiet(1, Some(4), "nothing before the LF")?;
            talk.list_by("\n").map(drop)
        }),
        case(6, "byte-by-byte", &[4], &["download"], "A session whose bytes come one by one.", byte_by_byte),
        case(6, "in-pieces", &[3, 4], &["upload"], "A payload in odd pieces.", |desk| {
            let (file, mut talk) = (desk.file(20_000), desk.connect()?);
            talk.begin_put(&file.name, file.bytes.len())?;
            talk.wire.send_in_pieces(&file.bytes, 333, PAUSE);
            talk.hash(&file)
        }),
        case(6, "cr-lf", &[1], &["download"], "One CR before an LF is dropped, in every message.", |desk| {
            let (file, mut talk) = (desk.file(100), desk.connect()?);
            talk.list_by("LIST_FILES\r\n")?;
            talk.send("UPLOAD\r\n");
            talk.go_ahead(7)?;
            talk.send(format!("{}\r\n", file.details()));
            talk.go_ahead(9)?;
            talk.send(&file.bytes);
            talk.hash(&file)?;
            talk.send("DOWNLOAD\r\n");
            talk.go_ahead(18)?;
            talk.send(format!("{}\r\n", file.id()));
            talk.payload(&file)
        }),
        case(
            6,
            "only-one-cr",
            &[1],
            &["unknown-command"],
            "Of two CRs one stays, and is no part of a command.",
            |desk| {
                let mut talk = desk.connect()?;
                talk.refused("LIST_FILES\r\r\n", 1, UnknownCommand)?;
                talk.refused("LIST\r_FILES\n", 1, UnknownCommand)
            },
        ),
        case(
            6,
            "cr-in-payload",
            &[3],
            &["download"],
            "A CR at the end of a payload belongs to it.",
            |desk| {
                let (file, mut talk) = (desk.with_content(b"the last line\r\n"), desk.connect()?);
                talk.put(&file)?;
                talk.get(&file)
            },
        ),
        case(
            6,
            "two-in-one-segment",
            &[4, 6],
            &["list"],
            "Two commands that come together are both taken.",
            |desk| {
                let mut talk = desk.connect()?;
                talk.send("LIST_FILES\nLIST_FILES\n");
                talk.listing()?;
                talk.between = false;
                talk.listing().map(drop)
            },
        ),
        case(
            6,
            "upload-in-one-segment",
            &[4, 6],
            &["upload"],
            "Lines, payload and the next command together.",
            |desk| {
                let (file, mut talk) = (desk.file(500), desk.connect()?);
                let mut message = format!("UPLOAD\n{}\n", file.details()).into_bytes();
                message.extend_from_slice(&file.bytes);
                message.extend_from_slice(b"LIST_FILES\n");
                talk.send(message);
                talk.go_ahead(7)?;
                talk.go_ahead(9)?;
                talk.hash(&file)?;
                talk.between = false;
                let listed = talk.listing()?;
                talk.has(4, &listed, &file)
            },
        ),
    ]
}

fn limits() -> Vec<Case<Desk>> {
    vec![
        case(
            7,
            "line-of-1024",
            &[2],
            &["unknown-command"],
            "A line of 1024 bytes is not too long.",
            |desk| {
                let mut talk = desk.connect()?;
                talk.refused(format!("{}\n", "X".repeat(MAX_LINE - 1)), 2, UnknownCommand)?;
                talk.refused(format!("{}\r\n", "X".repeat(MAX_LINE - 2)), 2, UnknownCommand)?;
                talk.list().map(drop)
            },
        ),
        case(
            7,
            "line-of-1025",
            &[2, 25],
            &["list"],
            "A line of 1025 bytes is bad-line, and the end.",
            |desk| bad_line(desk, format!("{}\n", "X".repeat(MAX_LINE)).as_bytes()),
        ),
        case(7, "line-without-end", &[2, 25], &["list"], "A line that does not end is given up.", |desk| {
            bad_line(desk, &[b'X'; ENDLESS])
        }),
        case(
            7,
            "line-of-1024-not-ended",
            &[2],
            &["line-of-1025"],
            "1024 bytes without an LF are enough.",
            |desk| bad_line(desk, &[b'X'; MAX_LINE]),
        ),
        case(
            7,
            "line-not-utf-8",
            &[2, 25],
            &["list"],
            "A line that is no UTF-8 is bad-line, and the end.",
            |desk| bad_line(desk, b"LIST_FILES\xff\n"),
        ),
        case(
            7,
            "line-nearly-utf-8",
            &[2],
            &["line-not-utf-8"],
            "Surrogates and long forms are no UTF-8.",
            |desk| {
                bad_line(desk, b"\xed\xa0\x80\n")?;
                bad_line(desk, b"\xc0\x80\n")?;
                bad_line(desk, b"\xf4\x90\x80\x80\n")?;
                bad_line(desk, b"cut \xe2\x82\n")
            },
        ),
        case(7, "details-too-long", &[2, 25], &["upload"], "The same holds for details.", |desk| {
            let mut talk = desk.connect()?;
            talk.send("UPLOAD\n");
            talk.go_ahead(7)?;
            talk.send(format!("{};7\n", "n".repeat(MAX_LINE)));
            talk.bad_line()
        }),
        case(7, "id-not-utf-8", &[2, 25], &["list"], "The same holds for ids.", |desk| {
            let mut talk = desk.connect()?;
            talk.send("DOWNLOAD\n");
            talk.go_ahead(18)?;
            talk.send(b"\xfe\xfe\n");
            talk.bad_line()
        }),
        case(7, "size-of-63-bits", &[10, 27], &["upload"], "The largest size is no bad size.", |desk| {
            let (file, mut talk) = (desk.file(0), desk.connect()?);
            talk.send("UPLOAD\n");
            talk.go_ahead(7)?;
            talk.send(format!("{};{MAX_SIZE}\n", file.name));
            match talk.line(10, 9, "a go-ahead, or a refusal such as \"ERROR too-large\"") {
                Ok(_) => {}
                Err(Stop::NotReached(_)) => return talk.list().map(drop),
                Err(stop) => return Err(stop),
            }
            drop(talk);
            desk.never_lists(27, &file)
        }),
    ]
}

fn byte_by_byte(desk: &mut Desk) -> Check {
    let (file, mut talk) = (desk.with_content(b"one by one\n\r\n"), desk.connect()?);
    let send = |talk: &mut super::Talk, bytes: &[u8]| talk.wire.send_in_pieces(bytes, 1, PAUSE);
    send(&mut talk, b"LIST_FILES\n");
    talk.listing()?;
    send(&mut talk, b"UPLOAD\r\n");
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
