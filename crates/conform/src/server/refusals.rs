//! Level 5: refuses.

use protocol::ErrorCode::{BadDetails, BadId, BadName, BadSize, Collision, NotFound, UnknownCommand};

use super::{Check, FileContent, ServerBench};
use faults::collision::{COLLIDING, COLLISION};

cases! { ServerBench:
    5 "unknown-command" [33] after ["list"]
        "A line that is no command is refused."
        => |bench| unknown(bench, &["HELLO", "LIST", "UPLOAD my_file.jpg", "ERROR other x", "{}"]);
    5 "session-goes-on" [22] after ["unknown-command"]
        "After a refusal the next command is taken."
        => session_goes_on;
    5 "lowercase-command" [33] after ["unknown-command"]
        "Commands are case-sensitive."
        => |bench| unknown(bench, &["list_files", "List_Files", "upload", "download"]);
    5 "a-blank-too-many" [33] after ["unknown-command"]
        "A blank too many makes it no command."
        => |bench| unknown(bench, &["LIST_FILES ", " LIST_FILES", "UPLOAD ", "LIST  FILES", "DOWNLOAD\t"]);
    5 "empty-command" [33] after ["unknown-command"]
        "The empty line is no command."
        => |bench| unknown(bench, &[""]);
    5 "discard-alone" [33] after ["unknown-command"]
        "DISCARD without a blank is no command."
        => |bench| unknown(bench, &["DISCARD", "DISCARDS", "discard 00000000000000000000000000000000"]);
    5 "discard-bad-id" [33 11] after ["unknown-command"]
        "DISCARD wants an id of 32 digits."
        => discard_bad_id;
    5 "bad-details" [33] after ["upload"]
        "Details without a semicolon are refused."
        => bad_details;
    5 "size-with-a-sign" [10] after ["upload"]
        "A size has no sign."
        => |bench| sizes(bench, &["-1", "+7", "-0"]);
    5 "size-with-a-zero" [10] after ["upload"]
        "A size has no leading zero."
        => |bench| sizes(bench, &["007", "00"]);
    5 "size-with-a-blank" [10] after ["upload"]
        "A size has no blank."
        => |bench| sizes(bench, &[" 7", "7 ", "\t7", "1 000", "\u{a0}7"]);
    5 "size-no-number" [10] after ["upload"]
        "A size is decimal."
        => |bench| sizes(bench, &["", "seven", "0x10", "1e3", "7.0", "1_000", "1,000", "7B"]);
    5 "size-in-other-digits" [10] after ["upload"]
        "The digits of a size are 0 to 9."
        => |bench| sizes(bench, &["٣", "７", "²"]);
    7 "size-too-large" [10] after ["upload"]
        "A size has at most 63 bits."
        => size_too_large;
    5 "name-that-climbs" [9] after ["upload"]
        "A name cannot lead to another directory."
        => |bench| names(bench, &["../conform.txt", "..", ".", "a/../../conform.txt"]);
    5 "name-with-a-slash" [9] after ["upload"]
        "A name has no slash of either kind."
        => |bench| names(bench, &["/tmp/conform.txt", "a/b", "a\\b", "a/", "..\\conform.txt"]);
    5 "name-of-nothing" [9] after ["upload"]
        "A name is not empty."
        => |bench| names(bench, &[""]);
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

fn session_goes_on(bench: &mut ServerBench) -> Check {
    let mut conversation = bench.connect()?;
    conversation.refused("HELLO\n", 33, UnknownCommand)?;
    conversation.send("LIST_FILES\n");
    let text =
        conversation.any_line(22, None, "a listing: the session goes on after ERROR unknown-command")?;
    if text.starts_with("ERROR ") {
        return Err(conversation.wrong(22, None, "a listing: the session goes on after a refusal", &text));
    }
    Ok(())
}

fn discard_bad_id(bench: &mut ServerBench) -> Check {
    let mut conversation = bench.connect()?;
    for id in ["", "xyz", "0123", "g0000000000000000000000000000000", " 00000000000000000000000000000000"] {
        conversation.refused(format!("DISCARD {id}\n"), 33, BadId)?;
    }
    Ok(())
}

fn bad_details(bench: &mut ServerBench) -> Check {
    let mut conversation = bench.connect()?;
    conversation.details_refused("notes.txt", 33, BadDetails)?;
    conversation.details_refused("", 33, BadDetails)?;
    conversation.details_refused("UPLOAD", 33, BadDetails)
}

fn size_too_large(bench: &mut ServerBench) -> Check {
    sizes(bench, &["9223372036854775808", "18446744073709551616", "99999999999999999999999999"])
}

fn name_with_a_control(bench: &mut ServerBench) -> Check {
    names(bench, &["a\0b", "a\tb", "a\u{1b}[2Jb", "a\u{7f}b", "a\u{85}b", "a\u{9f}", "a\rb"])
}

fn name_of_256_bytes(bench: &mut ServerBench) -> Check {
    names(bench, &["n".repeat(256).as_str(), "ü".repeat(128).as_str(), "n".repeat(1000).as_str()])
}

fn size_before_name(bench: &mut ServerBench) -> Check {
    let mut conversation = bench.connect()?;
    conversation.details_refused("../conform.txt;007", 33, BadSize)?;
    conversation.details_refused(";", 33, BadSize)
}

fn nothing_remains(bench: &mut ServerBench) -> Check {
    let (file, mut conversation) = (bench.file(100), bench.connect()?);
    conversation.details_refused("no size", 33, BadDetails)?;
    // Were the details still awaited, this would be taken for them.
    conversation.refused(format!("{}\n", file.details()), 22, UnknownCommand)?;
    conversation.put(&file)
}

fn id_in_uppercase(bench: &mut ServerBench) -> Check {
    // The id of noise has a letter.
    let (file, mut conversation) = (bench.file(100), bench.connect()?);
    conversation.prepare(&file)?;
    conversation.id_refused(&file.id().to_uppercase(), 11, BadId)?;
    conversation.get(&file)
}

fn bad_id(bench: &mut ServerBench) -> Check {
    let mut conversation = bench.connect()?;
    let short = "0123456789abcdef0123456789abcde";
    for id in
        ["", "1", short, &format!("{short}g"), &format!("{short}f0"), &format!(" {short}"), "../conform"]
    {
        conversation.id_refused(id, 11, BadId)?;
    }
    Ok(())
}

fn not_found(bench: &mut ServerBench) -> Check {
    let (id, mut conversation) = (bench.file(60).id(), bench.connect()?);
    conversation.id_refused(&id, 22, NotFound)?;
    conversation.id_refused(&id, 22, NotFound)?;
    conversation.list().map(drop)
}

fn id_of_a_name(bench: &mut ServerBench) -> Check {
    let (file, mut conversation) = (bench.file(100), bench.connect()?);
    conversation.prepare(&file)?;
    conversation.id_refused(&file.name, 11, BadId)
}

/// A hash for both would promise both, and the id brings only one of them back: the other is not stored.
fn collision(bench: &mut ServerBench) -> Check {
    let (one, mut conversation) = (bench.file(FileContent::Around(&COLLISION, b"")), bench.connect()?);
    let mut other = bench.with_content(&one.bytes);
    COLLIDING.iter().for_each(|(byte, bit)| other.bytes[*byte] ^= 1 << bit);
    conversation.prepare(&one)?;
    conversation.begin_put(&other.name, other.bytes.len())?;
    conversation.refused(&other.bytes, 17, Collision)?;
    conversation.lists_not(17, &other)?;
    conversation.get(&one)
}

fn unknown(bench: &ServerBench, lines: &[&str]) -> Check {
    let mut conversation = bench.connect()?;
    for line in lines {
        conversation.refused(format!("{line}\n"), 33, UnknownCommand)?;
    }
    Ok(())
}

fn sizes(bench: &ServerBench, sizes: &[&str]) -> Check {
    let mut conversation = bench.connect()?;
    for size in sizes {
        conversation.details_refused(&format!("conform.txt;{size}"), 10, BadSize)?;
    }
    Ok(())
}

fn names(bench: &ServerBench, names: &[&str]) -> Check {
    let mut conversation = bench.connect()?;
    for name in names {
        conversation.details_refused(&format!("{name};7"), 9, BadName)?;
    }
    Ok(())
}
