//! Level 2: uploads.

use protocol::MAX_NAME;

use super::{Case, Check, Desk, File, Stop, case};

/// More than a read, a buffer or a segment takes, and no multiple of anything.
pub(super) const LARGE: usize = 300_007;
/// More than most servers hold in memory by accident.
const LARGER: usize = 4 * 1024 * 1024 + 13;
/// How many files one session uploads.
const SEVERAL: usize = 12;

pub(super) fn cases() -> Vec<Case<Desk>> {
    let mut cases = basics();
    cases.extend(contents());
    cases.extend(names());
    cases
}

fn basics() -> Vec<Case<Desk>> {
    vec![
        case(2, "upload", &[5, 17], &["list"], "An upload goes through, and its hash is the MD5.", |desk| {
            let file = desk.file(1000);
            desk.connect()?.put(&file)
        }),
        case(
            2,
            "upload-listed",
            &[17],
            &["upload"],
            "From the hash on, the file is listed as it was announced.",
            |desk| {
                let (file, mut talk) = (desk.file(1001), desk.connect()?);
                talk.put(&file)?;
                talk.lists(17, &file)
            },
        ),
        case(2, "upload-outlives", &[15], &["upload"], "The next connection lists the file too.", |desk| {
            let file = desk.file(1002);
            desk.connect()?.put(&file)?;
            desk.connect()?.lists(15, &file)
        }),
        case(
            2,
            "upload-waits",
            &[5, 17],
            &["upload"],
            "No hash comes before the last byte of the payload.",
            |desk| {
                let (file, mut talk) = (desk.file(1003), desk.connect()?);
                talk.begin_put(&file.name, file.bytes.len())?;
                talk.send(&file.bytes[..1002]);
                talk.quiet(17, Some(13), "nothing while a byte is missing")?;
                talk.send(&file.bytes[1002..]);
                talk.hash(&file)
            },
        ),
        case(2, "upload-several", &[3], &["upload"], "One session uploads file after file.", |desk| {
            let mut talk = desk.connect()?;
            for len in 1..=SEVERAL {
                let file = desk.file(len * 100);
                talk.put(&file)?;
            }
            talk.list().map(drop)
        }),
        case(
            2,
            "upload-again",
            &[15, 21],
            &["upload-listed"],
            "The same file again succeeds and is listed once.",
            |desk| {
                let (file, mut talk) = (desk.file(1004), desk.connect()?);
                talk.put(&file)?;
                talk.put(&file)?;
                talk.lists(15, &file)
            },
        ),
        case(
            2,
            "one-content-two-names",
            &[15],
            &["upload-listed"],
            "Two names can share a content.",
            |desk| {
                let (one, mut talk) = (desk.file(1005), desk.connect()?);
                let two = desk.with_content(&one.bytes);
                both_listed(&mut talk, &one, &two)
            },
        ),
        case(
            2,
            "one-name-two-contents",
            &[15],
            &["upload-listed"],
            "One name can stand with two contents.",
            |desk| {
                let (one, other, mut talk) = (desk.file(1006), desk.file(1006), desk.connect()?);
                both_listed(&mut talk, &one, &File { name: one.name.clone(), ..other })
            },
        ),
    ]
}

fn contents() -> Vec<Case<Desk>> {
    vec![
        case(
            2,
            "upload-empty",
            &[16],
            &["upload"],
            "An empty file has no payload: the hash comes at once.",
            |desk| {
                let (file, mut talk) = (desk.file(0), desk.connect()?);
                talk.put(&file)?;
                talk.lists(16, &file)
            },
        ),
        case(2, "upload-one-byte", &[3], &["upload"], "A file may be one LF.", |desk| {
            put_content(desk, b"\n")
        }),
        case(2, "upload-every-byte", &[3], &["upload"], "A payload can hold every byte there is.", |desk| {
            let all: Vec<u8> = (0..=255).chain((0..=255).rev()).collect();
            put_content(desk, &all)
        }),
        case(2, "upload-like-commands", &[3], &["upload"], "Nothing in a payload is looked at.", |desk| {
            put_content(desk, b"LIST_FILES\nUPLOAD\r\n\nERROR other\nDISCARD 0\n\x1a\x04")
        }),
        case(
            2,
            "upload-large",
            &[3, 17],
            &["upload"],
            "A file of 300,007 bytes is hashed to its last byte.",
            |desk| {
                let file = desk.file(LARGE);
                desk.connect()?.put(&file)
            },
        ),
        case(
            2,
            "upload-larger",
            &[18, 22],
            &["upload"],
            "Of 4 MiB, all is taken, or refused in good order.",
            larger,
        ),
    ]
}

fn names() -> Vec<Case<Desk>> {
    vec![
        case(2, "name-with-semicolons", &[8], &["upload-listed"], "A name can hold semicolons.", |desk| {
            put_named(desk, 8, "a;", ";7;.txt")
        }),
        case(
            2,
            "name-with-blanks",
            &[9],
            &["upload-listed"],
            "Blanks belong to a name, also at its ends.",
            |desk| put_named(desk, 9, "  of ", " mine  "),
        ),
        case(2, "name-in-utf-8", &[9], &["upload-listed"], "A name is UTF-8, of any language.", |desk| {
            put_named(desk, 9, "Übung-文件-", "-файл-🗎.txt")
        }),
        case(
            2,
            "name-with-dots",
            &[9],
            &["upload-listed"],
            "Only . and .. are no names; ..a and a.. are.",
            |desk| put_named(desk, 9, "..", ".."),
        ),
        case(2, "name-like-a-command", &[9], &["upload-listed"], "A name may look like anything.", |desk| {
            put_named(desk, 9, "ERROR other ", ";LIST_FILES")
        }),
        case(
            2,
            "name-for-a-shell",
            &[9],
            &["upload-listed"],
            "A name is no option, pattern or command.",
            |desk| put_named(desk, 9, "-rf *?\"'$(x)`|&<>:%s%n ", "~"),
        ),
        case(7, "name-of-255-bytes", &[9], &["upload-listed"], "A name can have 255 bytes.", |desk| {
            let mut file = desk.file(77);
            file.name.extend(std::iter::repeat_n('n', MAX_NAME - file.name.len()));
            round_trip(desk, 9, &file)
        }),
    ]
}

fn put_content(desk: &mut Desk, bytes: &[u8]) -> Check {
    let (file, mut talk) = (desk.with_content(bytes), desk.connect()?);
    talk.put(&file)?;
    talk.list().map(drop)
}

fn put_named(desk: &mut Desk, rule: u8, before: &str, behind: &str) -> Check {
    let file = desk.named(before, behind, 77);
    round_trip(desk, rule, &file)
}

fn round_trip(desk: &Desk, rule: u8, file: &File) -> Check {
    let mut talk = desk.connect()?;
    talk.put(file)?;
    talk.lists(rule, file)?;
    talk.get(file)
}

fn both_listed(talk: &mut super::Talk, one: &File, two: &File) -> Check {
    talk.put(one)?;
    talk.put(two)?;
    let listed = talk.list()?;
    talk.has(15, &listed, one)?;
    talk.has(15, &listed, two)?;
    talk.get(one)?;
    talk.get(two)
}

/// It may be too large for a server, which may say so before the payload, in its midst or after it.
fn larger(desk: &mut Desk) -> Check {
    let (file, mut talk) = (desk.file(LARGER), desk.connect()?);
    talk.send("UPLOAD\n");
    talk.go_ahead(7)?;
    talk.send(format!("{}\n", file.details()));
    let mut refused = is_refusal(talk.go_ahead(9))?;
    if !refused {
        talk.send(&file.bytes);
        refused = is_refusal(talk.hash(&file))?;
    }
    // With R18 and R22, the session is in order either way.
    if refused { talk.lists_not(18, &file) } else { talk.lists(17, &file) }
}

/// Whether the server refused for want of room or the like.
fn is_refusal(check: Check) -> Check<bool> {
    match check {
        Ok(()) => Ok(false),
        // `timeout` would end the session.
        Err(Stop::NotReached(why)) if !why.contains("ERROR timeout") => Ok(true),
        Err(stop) => Err(stop),
    }
}
