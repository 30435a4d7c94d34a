//! The record of a proxy: lines that a thread of its own writes, so that a reader who takes his time does not hold up
//! what is carried. Nothing is lost: when the queue is full, whoever has a line waits.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::process::exit;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::run::fail;
use super::{Exit, print};

/// How many lines wait to be written at most.
const MAX_QUEUED: usize = 65_536;

/// How long the record may stand still once the program is to end, before the rest of it is given up.
const PATIENCE: Duration = Duration::from_secs(1);

/// Where the record goes.
pub(super) struct Record {
    lines: SyncSender<String>,
    counts: Counts,
    writer: JoinHandle<()>,
}

impl Record {
    /// To the file at `path`, or to standard output.
    pub(super) fn open(path: Option<&Path>) -> Result<Self, Exit> {
        let out: Box<dyn Write + Send> = match path {
            None => Box::new(anstream::stdout()),
            Some(path) => match File::create(path) {
                Ok(file) => Box::new(file),
                Err(error) => return Err(fail(&format!("--record {}: {error}", path.display()))),
            },
        };
        let (lines, queue) = sync_channel(MAX_QUEUED);
        let counts = Counts::default();
        let written = counts.clone();
        let writer = thread::Builder::new().name("record".into());
        let writer = writer.spawn(move || write(out, &queue, &written));
        let writer = writer.map_err(|error| fail(&format!("the record has no thread: {error}")))?;
        Ok(Self { lines, counts, writer })
    }

    /// Adds lines from elsewhere.
    pub(super) fn sender(&self) -> RecordSender {
        RecordSender { lines: self.lines.clone(), counts: self.counts.clone() }
    }

    /// What gives the record up once the program is to end and nobody reads it.
    pub(super) fn when_to_end(&self) -> impl Fn() + Send + 'static {
        let counts = self.counts.clone();
        move || {
            let counts = counts.clone();
            // Without this thread it ends when somebody reads, or with the second signal.
            let _ = thread::Builder::new().name("patience".into()).spawn(move || counts.give_up());
        }
    }

    /// Waits until all is written. Every [`RecordSender`] has to be gone.
    pub(super) fn finish(self) {
        let Self { lines, writer, .. } = self;
        drop(lines);
        if let Err(panic) = writer.join() {
            std::panic::resume_unwind(panic);
        }
    }
}

/// Adds lines to a record.
pub(super) struct RecordSender {
    lines: SyncSender<String>,
    counts: Counts,
}

impl RecordSender {
    /// Adds one; waits when as many as can are waiting.
    pub(super) fn write(&self, line: String) {
        self.counts.added.fetch_add(1, Ordering::SeqCst);
        // The writer ends only with the program, or after every pen.
        let _ = self.lines.send(line);
    }
}

/// How many lines there are so far.
#[derive(Clone, Default)]
struct Counts {
    added: Arc<AtomicU64>,
    written: Arc<AtomicU64>,
}

impl Counts {
    /// Ends the program when no line was written for a while although there are some.
    fn give_up(&self) {
        let mut before = self.written.load(Ordering::SeqCst);
        loop {
            thread::sleep(PATIENCE);
            let written = self.written.load(Ordering::SeqCst);
            let left = self.added.load(Ordering::SeqCst).saturating_sub(written);
            if written == before && left > 0 {
                fail(&format!(
                    "the record is incomplete: nobody reads it, and its last {left} lines are lost"
                ));
                exit(print::CANNOT_PRINT);
            }
            before = written;
        }
    }
}

/// Every line is there at once: whoever waits for it may read it. A record with a gap is worse than none.
fn write(mut out: impl Write, queue: &Receiver<String>, counts: &Counts) {
    for line in queue {
        if let Err(error) = out.write_all(line.as_bytes()).and_then(|()| out.flush()) {
            fail(&format!("the record cannot be written: {error}"));
            exit(print::CANNOT_PRINT);
        }
        counts.written.fetch_add(1, Ordering::SeqCst);
    }
}
