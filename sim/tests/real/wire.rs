//! The bytes on the wire, all of them: the built client against a plain socket, and a plain socket against the built
//! server, as PROTOCOL.md has it.

use std::fs;

use protocol::PAGE;

use super::fake::Fake;
use super::noise;
use super::program::Serve;
use super::raw::Raw;
use super::{md5, sim};

const HELLO: &str = "5d41402abc4b2a76b9719d911017c592";

/// A directory with one file in it, and the path of that.
pub(crate) fn file(name: &str, content: &[u8]) -> (tempfile::TempDir, String) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(name);
    fs::write(&path, content).unwrap();
    let path = path.to_str().unwrap().to_owned();
    (dir, path)
}

/// Takes an upload and says `hash`, or what it should be.
pub(crate) fn take_upload(client: &mut Raw, name: &str, content: &[u8], hash: Option<&str>) {
    client.expect("UPLOAD\n");
    client.send("whatever\n").unwrap();
    client.expect(format!("{name};{}\n", content.len()));
    client.send("\n").unwrap();
    client.expect(content);
    let hash = hash.map_or_else(|| md5(content).to_string(), str::to_owned);
    client.send(format!("{hash}\n")).unwrap();
}

/// Gives a download of `content` under the id of `name`.
pub(crate) fn give(client: &mut Raw, id: &str, content: &[u8]) {
    client.expect("DOWNLOAD\n");
    client.send("Please send a file ID\n").unwrap();
    client.expect(format!("{id}\n"));
    client.send(format!("{}\n", content.len())).unwrap();
    client.send(content).unwrap();
}

/// Says that there is this one file.
pub(crate) fn list(client: &mut Raw, id: &str, name: &str, size: usize) {
    client.expect("LIST_FILES\n");
    client.send(format!("{id};{name};{size}\n\n")).unwrap();
}

#[test]
fn put_sends_what_the_protocol_says_and_when() {
    let (_dir, path) = file("my file;1.txt", b"hello");
    let fake = Fake::once(|mut client| {
        client.expect("UPLOAD\n");
        assert_eq!(client.at_once().unwrap(), None, "it waits for the prompt");
        client.send("Please send the file name and size\n").unwrap();
        client.expect("my file;1.txt;5\n");
        assert_eq!(client.at_once().unwrap(), None, "it waits until the server is ready (R16)");
        client.send("Ready\r\n").unwrap();
        client.expect("hello");
        assert_eq!(client.at_once().unwrap(), None, "it waits for the hash");
        client.send(format!("{HELLO}\n")).unwrap();
        client.expect_end();
    });
    let ended = sim(&["put", &fake.address, &path]);
    fake.join();
    assert_eq!(ended.code, Some(0), "{ended:?}");
}

#[test]
fn put_of_several_files_is_one_session() {
    let (dir, first) = file("first", b"");
    let second = dir.path().join("second");
    let content = noise(1, 300_000);
    fs::write(&second, &content).unwrap();
    let fake = Fake::once(move |mut client| {
        take_upload(&mut client, "first", b"", None);
        take_upload(&mut client, "second", &content, None);
        client.expect_end();
    });
    let ended = sim(&["put", &fake.address, &first, second.to_str().unwrap()]);
    fake.join();
    assert_eq!(ended.code, Some(0), "{ended:?}");
}

#[test]
fn get_sends_what_the_protocol_says() {
    let out = tempfile::tempdir().unwrap();
    let fake = Fake::once(|mut client| {
        list(&mut client, HELLO, "a;b", 5);
        give(&mut client, HELLO, b"hello");
        client.expect_end();
    });
    let ended = sim(&["get", &fake.address, "a;b", "-o", out.path().to_str().unwrap()]);
    fake.join();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(fs::read(out.path().join("a;b")).unwrap(), b"hello");
}

#[test]
fn ls_sends_what_the_protocol_says() {
    let fake = Fake::once(|mut client| {
        list(&mut client, HELLO, "a", 5);
        client.expect_end();
    });
    let ended = sim(&["ls", &fake.address]);
    fake.join();
    assert_eq!((ended.code, &ended.out[..]), (Some(0), &*format!("{HELLO}  5 bytes  a\n")));
}

#[test]
fn session_sends_the_client_s_part_of_the_22_steps() {
    let (_dir, path) = file("my_file.txt", b"hello");
    let fake = Fake::once(|mut client| {
        client.expect("LIST_FILES\n");
        client.send("No files available at the moment\n\n").unwrap();
        take_upload(&mut client, "my_file.txt", b"hello", None);
        list(&mut client, HELLO, "my_file.txt", 5);
        give(&mut client, HELLO, b"hello");
        client.expect_end();
    });
    let ended = sim(&["session", &fake.address, &path]);
    fake.join();
    assert_eq!(ended.code, Some(0), "{ended:?}");
}

/// The blocks of the page with this info string, each line as who says it and what.
pub(crate) fn blocks(info: &str) -> Vec<Vec<(char, String)>> {
    let fence = format!("```{info}\n");
    let texts = PAGE.split(&fence).skip(1).map(|rest| rest.split("```").next().unwrap());
    let said = |line: &str| Some((line.chars().next()?, line.get(3..)?.replace('⏎', "\n")));
    let lines = |text: &str| {
        let lines = text.lines().filter(|line| line.get(1..3) == Some(": "));
        lines.filter_map(said).collect()
    };
    texts.map(lines).collect()
}

#[test]
fn the_server_answers_as_on_the_page_byte_for_byte() {
    let (whole, form) = (blocks("session"), blocks("session server"));
    // The one between them has limits of its own; what a server counts against a quota is its own affair.
    for block in [&whole[0], &form[0]] {
        let dir = tempfile::tempdir().unwrap();
        let serve = Serve::start(dir.path(), &[]);
        let mut raw = Raw::connect(&serve.address);
        for (who, text) in block {
            match who {
                'C' => raw.send(text).unwrap(),
                'S' => raw.expect(text),
                _ => panic!("nothing is damaged here: {who}: {text}"),
            }
        }
        raw.finish();
        raw.expect_end();
        serve.stop();
    }
}

#[test]
fn the_server_answers_whatever_way_the_bytes_are_cut() {
    let dir = tempfile::tempdir().unwrap();
    let serve = Serve::start(dir.path(), &[]);
    for block in [&blocks("session")[0], &blocks("session server")[0]] {
        let join = |wanted: char| -> String {
            block.iter().filter(|(who, _)| *who == wanted).map(|(_, text)| text.as_str()).collect()
        };
        let (asked, answered) = (join('C'), join('S'));
        for cut in [1, 7, usize::MAX] {
            let mut raw = Raw::connect(&serve.address);
            asked.as_bytes().chunks(cut.min(asked.len())).for_each(|part| raw.send(part).unwrap());
            raw.finish();
            // Only the first session finds no files.
            let came = String::from_utf8(raw.rest().unwrap()).unwrap();
            let tail = |text: &str| text.split_once("\n\n").unwrap().1.to_owned();
            assert_eq!(tail(&came), tail(&answered), "cut to {cut}");
        }
    }
    serve.stop();
}
