//! One direction of one connection: from the sender through the faults to the reader.

use std::future::{pending, poll_fn};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWriteExt, Interest, ReadBuf};
use tokio::net::TcpStream;
use tokio::net::tcp::{ReadHalf, WriteHalf};

use super::Traffic;
use super::tap::Tap;
use super::watch::Watch;
use crate::Faulty;

/// How much is read at a time. A larger buffer moves no faster, a smaller one asks the system more often.
const BUFFER: usize = 128 * 1024;

/// How much is thrown away at a time.
const SCRAP: usize = 16 * 1024;

/// How a direction ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// The reader was told that nothing more comes.
    Passed,
    /// Nothing passed any more, and then the sender ended. The reader was told nothing.
    Silenced,
    /// The sender broke the connection, or a fault did.
    Broken,
    /// The reader does not take anything any more.
    Deaf,
}

/// One direction. It can be left at any time and taken up again: no byte is lost.
pub(super) struct Lane<'a, T> {
    from: Faulty<Tap<ReadHalf<'a>>, T>,
    to: WriteHalf<'a>,
    buffer: Vec<u8>,
    /// Where in the buffer the bytes are that the reader has not taken yet.
    start: usize,
    filled: usize,
    delivered: u64,
    watch: Option<Watch>,
    end: Option<End>,
    drained: bool,
}

/// What came of reading.
enum ReadResult {
    Bytes(usize),
    Nothing(End),
}

impl<'a, T: Fn() -> Duration + Unpin> Lane<'a, T> {
    pub(super) fn new(from: Faulty<Tap<ReadHalf<'a>>, T>, to: WriteHalf<'a>, watch: Option<Watch>) -> Self {
        let buffer = vec![0; BUFFER];
        Self { from, to, buffer, start: 0, filled: 0, delivered: 0, watch, end: None, drained: false }
    }

    /// How it ended, if it has.
    pub(super) fn end(&self) -> Option<End> {
        self.end
    }

    /// How much it carried.
    pub(super) fn carried(&self) -> Traffic {
        Traffic { sent: self.from.inner().count(), delivered: self.delivered }
    }

    /// What the sender sent, if that was kept.
    pub(super) fn kept(&self) -> &[u8] {
        self.from.inner().bytes()
    }

    /// Carries until this direction ends. Then throws away what the sender goes on sending, without end.
    pub(super) async fn work(&mut self) {
        if self.end.is_none() {
            let end = self.carry().await;
            self.end = Some(end);
            // A break has reached the reader when the connection is closed, which is next.
            if matches!(end, End::Passed | End::Broken) {
                self.look(true);
            }
            return;
        }
        self.drain().await;
        pending::<()>().await;
    }

    async fn carry(&mut self) -> End {
        loop {
            while self.start < self.filled {
                match self.to.write(&self.buffer[self.start..self.filled]).await {
                    Ok(0) | Err(_) => return End::Deaf,
                    Ok(count) => {
                        self.start += count;
                        self.delivered += count as u64;
                        self.look(false);
                    }
                }
            }
            self.start = 0;
            self.filled = 0;
            match poll_fn(|cx| self.poll_read(cx)).await {
                ReadResult::Bytes(count) => self.filled = count,
                ReadResult::Nothing(End::Silenced) => return self.stalled().await,
                ReadResult::Nothing(End::Passed) => {
                    // An error means that the reader is gone already, which is as good.
                    let _ = self.to.shutdown().await;
                    return End::Passed;
                }
                ReadResult::Nothing(end) => return end,
            }
        }
    }

    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<ReadResult> {
        let mut buffer = ReadBuf::new(&mut self.buffer);
        let polled = Pin::new(&mut self.from).poll_read(cx, &mut buffer);
        let count = buffer.filled().len();
        self.look(false);
        match polled {
            Poll::Pending if self.watch.as_ref().is_some_and(Watch::is_stalled) => {
                Poll::Ready(ReadResult::Nothing(End::Silenced))
            }
            Poll::Pending => Poll::Pending,
            Poll::Ready(Ok(())) if count == 0 => Poll::Ready(ReadResult::Nothing(End::Passed)),
            Poll::Ready(Ok(())) => Poll::Ready(ReadResult::Bytes(count)),
            Poll::Ready(Err(_)) => Poll::Ready(ReadResult::Nothing(End::Broken)),
        }
    }

    /// Tells what there is to tell of the faults.
    fn look(&mut self, ended: bool) {
        if let Some(watch) = &mut self.watch {
            watch.look(self.delivered, ended);
            if watch.is_done() {
                self.watch = None;
            }
        }
    }

    /// Nothing passes any more: waits for the sender to end without taking anything from it.
    async fn stalled(&self) -> End {
        let sender = self.sender();
        if wait_for_end(sender).await.is_err() || !matches!(sender.take_error(), Ok(None)) {
            return End::Broken;
        }
        End::Silenced
    }

    /// Throws away what the sender still sends, so that closing does not reset it while it still reads.
    pub(super) async fn drain(&mut self) {
        let mut scrap = [0; SCRAP];
        while !self.drained {
            let sender = self.sender();
            let read = match sender.readable().await {
                Ok(()) => sender.try_read(&mut scrap),
                Err(error) => Err(error),
            };
            self.drained = match read {
                Ok(count) => count == 0,
                Err(error) => error.kind() != io::ErrorKind::WouldBlock,
            };
        }
    }

    fn sender(&self) -> &TcpStream {
        self.from.inner().inner().as_ref()
    }
}

/// Waits until the other end of `stream` has said that it ends, with bytes before that still unread.
async fn wait_for_end(stream: &TcpStream) -> io::Result<()> {
    while !stream.ready(Interest::READABLE).await?.is_read_closed() {
        // It is readable, and stays so: to wait for the next change, the runtime has to forget that.
        let _ = stream.try_io(Interest::READABLE, || Err::<(), _>(io::ErrorKind::WouldBlock.into()));
    }
    Ok(())
}
