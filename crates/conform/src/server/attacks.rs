//! Level 8: survives hostile peers. After each attack a new connection has to be served as ever.

use std::time::Duration;

use protocol::wire::MAX_SIZE;

use super::uploads::{LARGE, LARGER, may_be_too_large};
use super::{ActualInput, Check, Conversation, File, FileContent, ServerBench, Stop, broken, noise};
use crate::QUIET;

/// How many connections come and go.
const MANY: usize = 40;
/// Between the bytes of a peer that is slow, but not too slow.
const TRICKLE: Duration = Duration::from_millis(15);
/// How much garbage is sent, in bytes.
const GARBAGE: usize = 20_000;

cases! { ServerBench:
    8 "vanish-in-upload" [27] after ["upload-listed"]
        "Half an upload is not listed."
        => vanish_in_upload;
    8 "vanish-before-last-byte" [27] after ["upload-listed"]
        "Nor is one that misses a byte."
        => vanish_before_last_byte;
    8 "vanish-before-payload" [27] after ["upload-listed"]
        "Nor is one of which nothing came."
        => vanish_before_payload;
    8 "vanish-in-a-line" [27] after ["list"]
        "The end of the stream within a line is no command."
        => vanish_in_a_line;
    8 "vanish-in-details" [27] after ["upload-listed"]
        "Nor are they details."
        => vanish_in_details;
    8 "vanish-at-prompt" [27] after ["list"]
        "A client may be gone when a message of its is due."
        => vanish_at_prompt;
    8 "vanish-in-download" [27] after ["download-large"]
        "A client may be gone in the midst of a download."
        => vanish_in_download;
    8 "discarded-meanwhile" [20] after ["download-large" "discard"]
        "A download whose file is discarded in its midst goes on, or ends: nothing else comes in place of its bytes."
        => discarded_meanwhile;
    8 "vanish-unread" [27] after ["list"]
        "A connection may be reset before its answer is read."
        => vanish_unread;
    8 "many-come-and-go" [26] after ["list"]
        "Forty connections that come and go at once."
        => many_come_and_go;
    8 "garbage" [2] after ["list"]
        "Random bytes do not bring the server down."
        => garbage;
    8 "another-protocol" [33] after ["unknown-command"]
        "A browser is told that it is wrong here."
        => another_protocol;
    8 "huge-size-announced" [27] after ["upload-listed"]
        "A size is only a claim: nothing is made for it."
        => huge_size_announced;
    8 "trickle" [28] after ["upload"]
        "A slow client is no silent one."
        => trickle;
    8 "refused-many-times" [22] after ["unknown-command"]
        "A session survives hundreds of refusals."
        => refused_many_times;
    8 "hidden-until-whole" [17] after ["upload-listed"]
        "A file is not listed while it arrives."
        => hidden;
    8 "silent-client" [28] after ["list"]
        "A client that says nothing is left alone, or sent away."
        => silent;
}

fn vanish_in_upload(bench: &mut ServerBench) -> Check {
    let file = bench.file(50_000);
    let mut conversation = bench.connect()?;
    conversation.begin_put(&file.name, file.bytes.len())?;
    conversation.send(&file.bytes[..25_000]);
    conversation.wire.close();
    bench.never_lists(27, &file)
}

fn vanish_before_last_byte(bench: &mut ServerBench) -> Check {
    let file = bench.file(3000);
    let mut conversation = bench.connect()?;
    conversation.begin_put(&file.name, file.bytes.len())?;
    conversation.send(&file.bytes[..2999]);
    conversation.wire.finish();
    conversation
        .wire
        .end_at_last()
        .map_err(|came| broken(&conversation.wire, 27, 11, "the end of the connection", &came))?;
    bench.never_lists(27, &file)
}

fn vanish_before_payload(bench: &mut ServerBench) -> Check {
    let file = bench.file(3001);
    bench.connect()?.begin_put(&file.name, file.bytes.len())?;
    bench.never_lists(27, &file)
}

fn vanish_in_a_line(bench: &mut ServerBench) -> Check {
    let mut conversation = bench.connect()?;
    conversation.send("LIST_FILES");
    conversation.wire.finish();
    match conversation.wire.end_at_last() {
        Ok(bytes) if bytes.is_empty() || bytes.starts_with(b"ERROR ") => bench.still_serves(),
        Ok(bytes) => {
            Err(broken(&conversation.wire, 27, 4, "the end of the connection", &ActualInput::Bytes(bytes)))
        }
        Err(came) => Err(broken(&conversation.wire, 27, 4, "the end of the connection", &came)),
    }
}

fn vanish_in_details(bench: &mut ServerBench) -> Check {
    let (file, mut conversation) = (bench.file(0), bench.connect()?);
    conversation.command("UPLOAD\n");
    conversation.go_ahead(7)?;
    conversation.send(format!("{};0", file.name));
    conversation.wire.close();
    bench.never_lists(27, &file)
}

fn vanish_at_prompt(bench: &mut ServerBench) -> Check {
    for command in ["UPLOAD\n", "DOWNLOAD\n"] {
        let mut conversation = bench.connect()?;
        conversation.command(command);
        conversation.go_ahead(7)?;
    }
    bench.still_serves()
}

fn vanish_in_download(bench: &mut ServerBench) -> Check {
    let file = bench.file(FileContent::Noise(4 * LARGE));
    let mut conversation = bench.connect()?;
    may_be_too_large(&file, conversation.prepare(&file))?;
    conversation.ask_for(&file.id())?;
    conversation.wire.wait_for_input();
    conversation.wire.close();
    bench.connect()?.get(&file)?;
    bench.still_serves()
}

/// What is large does not lie whole on its way: the server still has to send most of it when the file is discarded.
fn discarded_meanwhile(bench: &mut ServerBench) -> Check {
    let (file, mut owner) = (bench.file(FileContent::Noise(2 * LARGER)), bench.session()?);
    may_be_too_large(&file, owner.prepare(&file))?;
    let mut reader = bench.connect()?;
    reader.command("DOWNLOAD\n");
    beside_another(reader.go_ahead(18))?;
    reader.send(format!("{}\n", file.id()));
    reader.size_line(&file)?;
    if owner.discard(&file.id()).is_err() {
        return Err(Stop::Free("the server does not forget what is being downloaded".into()));
    }
    reader.whole_or_cut(&file)
}

impl Conversation {
    /// The bytes of `file`, or the first of them and the end of the connection.
    fn whole_or_cut(&mut self, file: &File) -> Check {
        let came = match self.wire.payload(file.bytes.len()) {
            Ok(bytes) => ActualInput::Bytes(bytes),
            Err(came) => came,
        };
        // Only what goes wrong is worth a look.
        let rest = |bytes: &[u8]| -> Vec<u8> {
            let same = bytes.iter().zip(&file.bytes).take_while(|(came, sent)| came == sent).count();
            bytes[same..].to_vec()
        };
        let came = match came {
            ActualInput::Bytes(bytes) => ActualInput::Bytes(rest(&bytes)),
            ActualInput::End(bytes) => ActualInput::End(rest(&bytes)),
            ActualInput::Reset(bytes) => ActualInput::Reset(rest(&bytes)),
            ActualInput::Nothing(time, bytes) => ActualInput::Nothing(time, rest(&bytes)),
        };
        match &came {
            ActualInput::Bytes(rest) | ActualInput::End(rest) | ActualInput::Reset(rest)
                if rest.is_empty() =>
            {
                Ok(())
            }
            _ => Err(broken(&self.wire, 20, 20, "the rest of the file, or the end of the connection", &came)),
        }
    }
}

/// No rule makes a server serve two at once.
fn beside_another(check: Check) -> Check {
    match check {
        Err(Stop::Fail(finding)) if finding.silent => {
            Err(Stop::Free("the server serves one connection at a time".into()))
        }
        Err(Stop::Busy) => Err(Stop::Free("the server has no second connection to spare".into())),
        check => check,
    }
}

fn vanish_unread(bench: &mut ServerBench) -> Check {
    for _ in 0..MANY / 4 {
        let mut conversation = bench.connect()?;
        conversation.send("LIST_FILES\nLIST_FILES\nLIST_FILES\n");
        conversation.wire.wait_for_input();
        conversation.wire.close();
    }
    bench.still_serves()
}

fn many_come_and_go(bench: &mut ServerBench) -> Check {
    for _ in 0..MANY {
        bench.connect()?.wire.close();
    }
    bench.still_serves()
}

fn garbage(bench: &mut ServerBench) -> Check {
    for round in 0..4 {
        let mut conversation = bench.connect()?;
        conversation.send(noise(bench.seed.wrapping_add(round), GARBAGE));
        conversation.wire.finish();
        let end = conversation.wire.end_at_last();
        end.map_err(|came| broken(&conversation.wire, 2, None, "the end of the connection", &came))?;
    }
    bench.still_serves()
}

fn another_protocol(bench: &mut ServerBench) -> Check {
    let mut conversation = bench.connect()?;
    conversation.refused("GET / HTTP/1.1\r\n", 33, protocol::ErrorCode::UnknownCommand)?;
    conversation.refused("Host: localhost\r\n", 33, protocol::ErrorCode::UnknownCommand)?;
    conversation.refused("\r\n", 33, protocol::ErrorCode::UnknownCommand)?;
    drop(conversation);
    bench.still_serves()
}

fn huge_size_announced(bench: &mut ServerBench) -> Check {
    for size in [MAX_SIZE, 1 << 40, 1 << 33] {
        let file = bench.file(1000);
        announce(bench, &file, size)?;
        bench.never_lists(27, &file)?;
    }
    Ok(())
}

fn trickle(bench: &mut ServerBench) -> Check {
    let (file, mut conversation) = (bench.file(40), bench.connect()?);
    conversation.begin_put(&file.name, file.bytes.len())?;
    conversation.wire.send_in_pieces(&file.bytes, 1, TRICKLE);
    conversation.hash(&file)
}

fn refused_many_times(bench: &mut ServerBench) -> Check {
    let mut conversation = bench.connect()?;
    for _ in 0..10 * MANY {
        conversation.refused("?\n", 22, protocol::ErrorCode::UnknownCommand)?;
    }
    conversation.list().map(drop)
}

/// Announces an upload of `size` bytes, sends the few of `file`, and is gone.
fn announce(bench: &ServerBench, file: &File, size: u64) -> Check {
    let mut conversation = bench.connect()?;
    conversation.announce(&format!("{};{size}", file.name))?;
    match conversation.line(10, 9, "a go-ahead, or a refusal such as \"ERROR too-large\"") {
        Ok(_) => conversation.send(&file.bytes),
        Err(Stop::NotReached(_)) => {}
        Err(stop) => return Err(stop),
    }
    Ok(())
}

fn hidden(bench: &mut ServerBench) -> Check {
    let (file, mut conversation) = (bench.file(2000), bench.connect()?);
    conversation.begin_put(&file.name, file.bytes.len())?;
    conversation.send(&file.bytes[..1999]);
    // A moment for the server to take it in: it is not to be listed then either.
    std::thread::sleep(QUIET);
    let seen = bench.connect()?.lists_not(17, &file);
    conversation.send(&file.bytes[1999..]);
    conversation.hash(&file)?;
    beside_another(seen)
}

/// The rules leave open how long a server waits; if it stops, it does so in good order.
fn silent(bench: &mut ServerBench) -> Check {
    let mut conversation = bench.connect()?;
    conversation.list()?;
    let waited = bench.limit.as_secs_f64();
    match conversation.wire.line() {
        Err(ActualInput::Nothing(..)) => Err(Stop::Free(format!(
            "after {waited} s the server still waits, as it may: a longer --timeout shows when it gives up"
        ))),
        Err(ActualInput::End(bytes)) if bytes.is_empty() => Ok(()),
        Ok(line) if super::refusal_code(&line) == Some("timeout".into()) => {
            let end = conversation.wire.end_at_last();
            end.map(drop)
                .map_err(|came| broken(&conversation.wire, 25, None, "the end of the connection", &came))
        }
        Ok(line) => Err(broken(
            &conversation.wire,
            28,
            None,
            "\"ERROR timeout\", or nothing",
            &ActualInput::Bytes(line),
        )),
        Err(came) => Err(broken(&conversation.wire, 28, None, "\"ERROR timeout\", or nothing", &came)),
    }
}
