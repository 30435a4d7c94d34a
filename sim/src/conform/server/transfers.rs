//! Level 3: downloads. Level 4: verifies and discards.

use protocol::ErrorCode;

use super::uploads::LARGE;
use super::{Case, Check, Desk, case};

/// How long the pieces are in which a careless program hashes, in bytes.
const CARELESS: usize = 1024;

pub(super) fn cases() -> Vec<Case<Desk>> {
    let mut cases = downloads();
    cases.extend(hashes());
    cases.extend(discards());
    cases
}

fn downloads() -> Vec<Case<Desk>> {
    vec![
        case(
            3,
            "download",
            &[3, 5],
            &["upload"],
            "A download brings the size, then exactly the bytes.",
            |desk| there_and_back(desk, 1000),
        ),
        case(
            3,
            "download-outlives",
            &[15],
            &["download"],
            "The next connection can download the file.",
            |desk| {
                let file = desk.file(1001);
                desk.connect()?.put(&file)?;
                desk.connect()?.get(&file)
            },
        ),
        case(
            3,
            "download-empty",
            &[3],
            &["download", "upload-empty"],
            "Of an empty file, the size is all.",
            |desk| there_and_back(desk, 0),
        ),
        case(
            3,
            "download-every-byte",
            &[3],
            &["download", "upload-every-byte"],
            "Every byte comes back.",
            |desk| {
                let all: Vec<u8> = (0..=255).flat_map(|byte| [byte, b'\r', b'\n']).collect();
                let (file, mut talk) = (desk.with_content(&all), desk.connect()?);
                talk.put(&file)?;
                talk.get(&file)
            },
        ),
        case(3, "download-large", &[3], &["download", "upload-large"], "300,007 bytes come back.", |desk| {
            there_and_back(desk, LARGE)
        }),
        case(3, "download-again", &[3], &["download"], "A session downloads again and again.", |desk| {
            let (one, two, mut talk) = (desk.file(999), desk.file(7), desk.connect()?);
            talk.put(&one)?;
            talk.put(&two)?;
            talk.get(&one)?;
            talk.get(&two)?;
            talk.get(&one)
        }),
        case(3, "download-ends", &[3, 5], &["download"], "Behind the last byte nothing follows.", |desk| {
            let (file, mut talk) = (desk.file(1002), desk.connect()?);
            talk.put(&file)?;
            talk.get(&file)?;
            talk.quiet(3, Some(20), "nothing behind the last byte of the file")
        }),
        case(
            3,
            "list-after-download",
            &[3],
            &["download"],
            "After a download the session goes on.",
            |desk| {
                let (file, mut talk) = (desk.file(1003), desk.connect()?);
                talk.put(&file)?;
                talk.get(&file)?;
                talk.lists(3, &file)
            },
        ),
        case(
            3,
            "leave-after-download",
            &[26],
            &["download"],
            "After a download the client can close.",
            |desk| {
                let (file, mut talk) = (desk.file(1004), desk.connect()?);
                talk.put(&file)?;
                talk.get(&file)?;
                talk.leave()
            },
        ),
    ]
}

fn hashes() -> Vec<Case<Desk>> {
    vec![
        case(
            4,
            "hash-of-one-bit",
            &[17],
            &["upload"],
            "One other bit gives another hash, and both are right.",
            |desk| {
                let (one, mut talk) = (desk.file(1000), desk.connect()?);
                let mut bytes = one.bytes.clone();
                bytes[500] ^= 8;
                let two = desk.with_content(&bytes);
                talk.put(&one)?;
                talk.put(&two)
            },
        ),
        case(
            4,
            "hash-of-pieces",
            &[17],
            &["upload"],
            "The hash is of the whole file, whatever a buffer holds.",
            |desk| {
                let mut talk = desk.connect()?;
                for len in
                    [CARELESS - 1, CARELESS, CARELESS + 1, 4 * CARELESS, 8 * CARELESS + 1, 64 * CARELESS]
                {
                    let file = desk.file(len);
                    talk.put(&file)?;
                }
                talk.list().map(drop)
            },
        ),
        case(
            4,
            "hash-under-one-name",
            &[17],
            &["upload"],
            "The hash is of the content, not of the name or size.",
            |desk| {
                let (one, mut two, mut talk) = (desk.file(1000), desk.file(1000), desk.connect()?);
                two.name.clone_from(&one.name);
                talk.put(&one)?;
                talk.put(&two)
            },
        ),
    ]
}

fn discards() -> Vec<Case<Desk>> {
    vec![
        case(4, "discard", &[21], &["upload-listed"], "A discarded upload is no longer listed.", |desk| {
            let (file, mut talk) = (desk.file(1000), desk.connect()?);
            talk.put(&file)?;
            talk.discard(&file.id())?;
            talk.lists_not(21, &file)
        }),
        case(
            4,
            "discard-unlists-everywhere",
            &[21],
            &["discard"],
            "Nor can it be downloaded any more.",
            |desk| {
                let (file, mut talk) = (desk.file(1001), desk.connect()?);
                talk.put(&file)?;
                talk.discard(&file.id())?;
                drop(talk);
                desk.connect()?.id_refused(&file.id(), 21, ErrorCode::NotFound)
            },
        ),
        case(
            4,
            "discard-twice",
            &[21],
            &["discard"],
            "What is discarded is not there to be discarded.",
            |desk| {
                let (file, mut talk) = (desk.file(1002), desk.connect()?);
                talk.put(&file)?;
                talk.discard(&file.id())?;
                talk.refused(format!("DISCARD {}\n", file.id()), 21, ErrorCode::NotFound)
            },
        ),
        case(4, "discard-unknown", &[21], &["list"], "An id that no file has cannot be discarded.", |desk| {
            let id = desk.file(50).id();
            desk.connect()?.refused(format!("DISCARD {id}\n"), 21, ErrorCode::NotFound)
        }),
        case(
            4,
            "discard-not-yours",
            &[21],
            &["discard"],
            "Another session's upload is refused, and stays.",
            |desk| {
                let file = desk.file(1003);
                desk.connect()?.put(&file)?;
                let mut talk = desk.connect()?;
                talk.refused(format!("DISCARD {}\n", file.id()), 21, ErrorCode::NotYours)?;
                talk.lists(21, &file)
            },
        ),
        case(
            4,
            "discard-keeps-what-was",
            &[21],
            &["discard", "upload-again"],
            "What was listed before stays.",
            |desk| {
                let file = desk.file(1004);
                desk.connect()?.put(&file)?;
                let mut talk = desk.connect()?;
                talk.put(&file)?;
                talk.discard(&file.id())?;
                talk.lists(21, &file)
            },
        ),
        case(
            4,
            "discard-the-latest",
            &[21],
            &["discard", "one-content-two-names"],
            "Of two names, the later goes.",
            latest,
        ),
        case(
            4,
            "discard-one-of-two",
            &[21],
            &["discard", "one-name-two-contents"],
            "Of two contents, one goes.",
            |desk| {
                let (one, mut two, mut talk) = (desk.file(100), desk.file(200), desk.connect()?);
                two.name.clone_from(&one.name);
                talk.put(&one)?;
                talk.put(&two)?;
                talk.discard(&one.id())?;
                let listed = talk.list()?;
                talk.has(21, &listed, &two)?;
                talk.get(&two)
            },
        ),
        case(
            4,
            "upload-after-discard",
            &[21, 31],
            &["discard"],
            "After a discard, the upload can be tried again.",
            |desk| {
                let (file, mut talk) = (desk.file(1005), desk.connect()?);
                talk.put(&file)?;
                talk.discard(&file.id())?;
                talk.put(&file)?;
                talk.lists(21, &file)
            },
        ),
    ]
}

fn there_and_back(desk: &mut Desk, len: usize) -> Check {
    let (file, mut talk) = (desk.file(len), desk.connect()?);
    talk.put(&file)?;
    talk.get(&file)
}

fn latest(desk: &mut Desk) -> Check {
    let (one, mut talk) = (desk.file(1006), desk.connect()?);
    let two = desk.with_content(&one.bytes);
    talk.put(&one)?;
    talk.put(&two)?;
    talk.discard(&one.id())?;
    let listed = talk.list()?;
    talk.has(21, &listed, &one)?;
    talk.lists_not(21, &two)?;
    talk.get(&one)?;
    talk.discard(&one.id())?;
    talk.lists_not(21, &one)
}
