//! Level 5: refuses.

use protocol::ErrorCode::{BadDetails, BadId, BadName, BadSize, Collision, NotFound, UnknownCommand};

use super::{Check, Desk, Holds};
use faults::collision::{COLLIDING, COLLISION};

cases! { Desk:
    5 "unknown-command" [33] after ["list"]
        "A line that is no command is refused."
        => |desk| unknown(desk, &["HELLO", "LIST", "UPLOAD my_file.jpg", "ERROR other x", "{}"]);
    5 "session-goes-on" [22] after ["unknown-command"]
        "After a refusal the next command is taken."
        => session_goes_on;
    5 "lowercase-command" [33] after ["unknown-command"]
        "Commands are case-sensitive."
        => |desk| unknown(desk, &["list_files", "List_Files", "upload", "download"]);
    5 "a-blank-too-many" [33] after ["unknown-command"]
        "A blank too many makes it no command."
        => |desk| unknown(desk, &["LIST_FILES ", " LIST_FILES", "UPLOAD ", "LIST  FILES", "DOWNLOAD\t"]);
    5 "empty-command" [33] after ["unknown-command"]
        "The empty line is no command."
        => |desk| unknown(desk, &[""]);
    5 "discard-alone" [33] after ["unknown-command"]
        "DISCARD without a blank is no command."
        => |desk| unknown(desk, &["DISCARD", "DISCARDS", "discard 00000000000000000000000000000000"]);
    5 "discard-bad-id" [33 11] after ["unknown-command"]
        "DISCARD wants an id of 32 digits."
        => discard_bad_id;
    5 "bad-details" [33] after ["upload"]
        "Details without a semicolon are refused."
        => bad_details;
    5 "size-with-a-sign" [10] after ["upload"]
        "A size has no sign."
        => |desk| sizes(desk, &["-1", "+7", "-0"]);
    5 "size-with-a-zero" [10] after ["upload"]
        "A size has no leading zero."
        => |desk| sizes(desk, &["007", "00"]);
    5 "size-with-a-blank" [10] after ["upload"]
        "A size has no blank."
        => |desk| sizes(desk, &[" 7", "7 ", "\t7", "1 000", "\u{a0}7"]);
    5 "size-no-number" [10] after ["upload"]
        "A size is decimal."
        => |desk| sizes(desk, &["", "seven", "0x10", "1e3", "7.0", "1_000", "1,000", "7B"]);
    5 "size-in-other-digits" [10] after ["upload"]
        "The digits of a size are 0 to 9."
        => |desk| sizes(desk, &["٣", "７", "²"]);
    7 "size-too-large" [10] after ["upload"]
        "A size has at most 63 bits."
        => size_too_large;
    5 "name-that-climbs" [9] after ["upload"]
        "A name cannot lead to another directory."
        => |desk| names(desk, &["../conform.txt", "..", ".", "a/../../conform.txt"]);
    5 "name-with-a-slash" [9] after ["upload"]
        "A name has no slash of either kind."
        => |desk| names(desk, &["/tmp/conform.txt", "a/b", "a\\b", "a/", "..\\conform.txt"]);
    5 "name-of-nothing" [9] after ["upload"]
        "A name is not empty."
        => |desk| names(desk, &[""]);
    5 "name-with-a-control" [9] after ["upload"]
        "A name has no control character."
        => name_with_a_control;
    7 "name-of-256-bytes" [9] after ["upload"]
        "A name has at most 255 bytes."
        => name_of_256_bytes;
    5 "size-before-name" [33] after ["bad-details"]
        "Of a bad size and a bad name, the size counts."
        => size_before_name;
    5 "nothing-remains" [22] after ["upload" "bad-details"]
        "Of a refused exchange nothing remains."
        => nothing_remains;
    5 "id-in-uppercase" [11] after ["download"]
        "An id in uppercase is no id, even of a file that is there."
        => id_in_uppercase;
    5 "bad-id" [11 33] after ["list"]
        "An id has 32 hex digits."
        => bad_id;
    5 "not-found" [22] after ["list"]
        "An id that no file has is refused, and the session goes on."
        => not_found;
    5 "id-of-a-name" [11] after ["download"]
        "A file is asked for by its id, never by its name."
        => id_of_a_name;
    5 "collision" [17] after ["download" "upload-listed"]
        "Of two contents with one MD5, the second is refused: an id brings one of them back."
        => collision;
}

fn session_goes_on(desk: &mut Desk) -> Check {
    let mut talk = desk.connect()?;
    talk.refused("HELLO\n", 33, UnknownCommand)?;
    talk.send("LIST_FILES\n");
    let text = talk.any_line(22, None, "a listing: the session goes on after ERROR unknown-command")?;
    if text.starts_with("ERROR ") {
        return Err(talk.wrong(22, None, "a listing: the session goes on after a refusal", &text));
    }
    Ok(())
}

fn discard_bad_id(desk: &mut Desk) -> Check {
    let mut talk = desk.connect()?;
    for id in ["", "xyz", "0123", "g0000000000000000000000000000000", " 00000000000000000000000000000000"] {
        talk.refused(format!("DISCARD {id}\n"), 33, BadId)?;
    }
    Ok(())
}

fn bad_details(desk: &mut Desk) -> Check {
    let mut talk = desk.connect()?;
    talk.details_refused("notes.txt", 33, BadDetails)?;
    talk.details_refused("", 33, BadDetails)?;
    talk.details_refused("UPLOAD", 33, BadDetails)
}

fn size_too_large(desk: &mut Desk) -> Check {
    sizes(desk, &["9223372036854775808", "18446744073709551616", "99999999999999999999999999"])
}

fn name_with_a_control(desk: &mut Desk) -> Check {
    names(desk, &["a\0b", "a\tb", "a\u{1b}[2Jb", "a\u{7f}b", "a\u{85}b", "a\u{9f}", "a\rb"])
}

fn name_of_256_bytes(desk: &mut Desk) -> Check {
    names(desk, &["n".repeat(256).as_str(), "ü".repeat(128).as_str(), "n".repeat(1000).as_str()])
}

fn size_before_name(desk: &mut Desk) -> Check {
    let mut talk = desk.connect()?;
    talk.details_refused("../conform.txt;007", 33, BadSize)?;
    talk.details_refused(";", 33, BadSize)
}

fn nothing_remains(desk: &mut Desk) -> Check {
    let (file, mut talk) = (desk.file(100), desk.connect()?);
    talk.details_refused("no size", 33, BadDetails)?;
    // Were the details still awaited, this would be taken for them.
    talk.refused(format!("{}\n", file.details()), 22, UnknownCommand)?;
    talk.put(&file)
}

fn id_in_uppercase(desk: &mut Desk) -> Check {
    // The id of noise has a letter.
    let (file, mut talk) = (desk.file(100), desk.connect()?);
    talk.prepare(&file)?;
    talk.id_refused(&file.id().to_uppercase(), 11, BadId)?;
    talk.get(&file)
}

fn bad_id(desk: &mut Desk) -> Check {
    let mut talk = desk.connect()?;
    let short = "0123456789abcdef0123456789abcde";
    for id in
        ["", "1", short, &format!("{short}g"), &format!("{short}f0"), &format!(" {short}"), "../conform"]
    {
        talk.id_refused(id, 11, BadId)?;
    }
    Ok(())
}

fn not_found(desk: &mut Desk) -> Check {
    let (id, mut talk) = (desk.file(60).id(), desk.connect()?);
    talk.id_refused(&id, 22, NotFound)?;
    talk.id_refused(&id, 22, NotFound)?;
    talk.list().map(drop)
}

fn id_of_a_name(desk: &mut Desk) -> Check {
    let (file, mut talk) = (desk.file(100), desk.connect()?);
    talk.prepare(&file)?;
    talk.id_refused(&file.name, 11, BadId)
}

/// A hash for both would promise both, and the id brings only one of them back: the other is not stored.
fn collision(desk: &mut Desk) -> Check {
    let (one, mut talk) = (desk.file(Holds::Around(&COLLISION, b"")), desk.connect()?);
    let mut other = desk.with_content(&one.bytes);
    COLLIDING.iter().for_each(|(byte, bit)| other.bytes[*byte] ^= 1 << bit);
    talk.prepare(&one)?;
    talk.begin_put(&other.name, other.bytes.len())?;
    talk.refused(&other.bytes, 17, Collision)?;
    talk.lists_not(17, &other)?;
    talk.get(&one)
}

fn unknown(desk: &Desk, lines: &[&str]) -> Check {
    let mut talk = desk.connect()?;
    for line in lines {
        talk.refused(format!("{line}\n"), 33, UnknownCommand)?;
    }
    Ok(())
}

fn sizes(desk: &Desk, sizes: &[&str]) -> Check {
    let mut talk = desk.connect()?;
    for size in sizes {
        talk.details_refused(&format!("conform.txt;{size}"), 10, BadSize)?;
    }
    Ok(())
}

fn names(desk: &Desk, names: &[&str]) -> Check {
    let mut talk = desk.connect()?;
    for name in names {
        talk.details_refused(&format!("{name};7"), 9, BadName)?;
    }
    Ok(())
}
