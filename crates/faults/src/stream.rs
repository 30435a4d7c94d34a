//! Puts faults around any `AsyncRead + AsyncWrite`: those of the direction that it reads.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep};

use super::wires::ConnectionState;
use super::{Gate, Next, Wires};

/// How much is read at a time where faults are near.
const SCRATCH: usize = 16 * 1024;

/// A connection whose reading side goes through a [`Gate`]. Without one, or where no fault is near, it reads
/// straight into the reader's buffer.
pub struct Faulty<C, T> {
    inner: C,
    clock: T,
    gate: Option<Gate>,
    /// Shared with the other end, if there is any fault.
    wires: Option<Wires>,
    timer: Option<Pin<Box<Sleep>>>,
    /// Whether what is in the reader's buffer has reached him. Else it has when he reads on.
    confirms: bool,
}

impl<C, T: Fn() -> Duration> Faulty<C, T> {
    /// `inner` with the faults of `gate`. `wires` is shared with the other end; `clock` tells the time of the run.
    pub fn new(inner: C, gate: Option<Gate>, wires: Option<Wires>, clock: T) -> Self {
        Self { inner, clock, gate, wires, timer: None, confirms: false }
    }

    /// The same where whoever reads is the one whom the faults are to reach: they have when it has read them.
    pub(crate) fn confirming(self) -> Self {
        Self { confirms: true, ..self }
    }

    /// What it is put around.
    pub fn inner(&self) -> &C {
        &self.inner
    }

    fn standing(&self, waker: Option<&Waker>) -> ConnectionState {
        self.wires.as_ref().map_or(ConnectionState::Whole, |wires| wires.standing(waker))
    }

    fn end(&self, standing: ConnectionState) {
        if let Some(wires) = &self.wires {
            wires.end(standing);
        }
    }

    /// Waits until the time of the run is `until`.
    fn poll_wait(&mut self, until: Duration, cx: &mut Context<'_>) -> Poll<()> {
        let left = until.saturating_sub((self.clock)());
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep(Duration::ZERO)));
        timer.as_mut().reset(Instant::now() + left);
        timer.as_mut().poll(cx)
    }
}

impl<C: AsyncRead + Unpin, T: Fn() -> Duration + Unpin> Faulty<C, T> {
    /// Reads past the gate, or through it.
    fn poll_gate(&mut self, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        // An empty read would say that the stream has ended.
        if buffer.remaining() == 0 {
            return Poll::Ready(Ok(()));
        }
        // For one who only waits for the end, nothing changes any more.
        self.gate.take_if(|gate| !gate.has_reader());
        loop {
            let Some(gate) = &mut self.gate else { return Pin::new(&mut self.inner).poll_read(cx, buffer) };
            let clear = gate.clear().min(buffer.remaining());
            if clear > 0 {
                return Self::poll_past(&mut self.inner, gate, clear, cx, buffer);
            }
            let next = gate.next((self.clock)(), buffer.initialize_unfilled());
            if !matches!(next, Next::Hungry) {
                // It is in the reader's hands now.
                gate.confirm();
            }
            match next {
                Next::Delivered(count) => {
                    if self.confirms {
                        gate.confirm();
                    }
                    buffer.advance(count);
                    return Poll::Ready(Ok(()));
                }
                Next::Hungry => ready!(self.poll_feed(cx))?,
                Next::Wait(until) => ready!(self.poll_wait(until, cx)),
                Next::Never => return Poll::Pending,
                Next::End => return Poll::Ready(Ok(())),
                Next::Cut => self.end(ConnectionState::Cut),
                Next::Reset => self.end(ConnectionState::Broken),
            }
            if let Some(ended) = ended(self.standing(None)) {
                return Poll::Ready(ended);
            }
        }
    }

    /// No fault is near: reads into the reader's own buffer.
    fn poll_past(
        inner: &mut C,
        gate: &mut Gate,
        clear: usize,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        // A part of the reader's buffer may be uninitialised, and only the system may write into that. All of it can be
        // handed on as it is; a part has to be made ordinary memory first.
        let count = if clear == buffer.remaining() {
            let before = buffer.filled().len();
            ready!(Pin::new(inner).poll_read(cx, buffer))?;
            buffer.filled().len() - before
        } else {
            let mut part = ReadBuf::new(buffer.initialize_unfilled_to(clear));
            ready!(Pin::new(inner).poll_read(cx, &mut part))?;
            let count = part.filled().len();
            buffer.advance(count);
            count
        };
        gate.pass(count);
        Poll::Ready(Ok(()))
    }

    /// Reads the next bytes of the stream into the gate.
    fn poll_feed(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut scratch = [0; SCRATCH];
        let mut buffer = ReadBuf::new(&mut scratch);
        ready!(Pin::new(&mut self.inner).poll_read(cx, &mut buffer))?;
        if let Some(gate) = &mut self.gate {
            match buffer.filled() {
                [] => gate.finish(),
                bytes => gate.push(bytes),
            }
        }
        Poll::Ready(Ok(()))
    }
}

/// What a reader gets of a connection that does not stand any more.
fn ended(standing: ConnectionState) -> Option<io::Result<()>> {
    match standing {
        ConnectionState::Whole => None,
        ConnectionState::Cut => Some(Ok(())),
        ConnectionState::Broken => Some(Err(io::ErrorKind::ConnectionReset.into())),
    }
}

impl<C: AsyncRead + Unpin, T: Fn() -> Duration + Unpin> AsyncRead for Faulty<C, T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match ended(self.standing(Some(cx.waker()))) {
            Some(ended) => Poll::Ready(ended),
            None => self.poll_gate(cx, buffer),
        }
    }
}

impl<C: AsyncWrite + Unpin, T: Fn() -> Duration + Unpin> AsyncWrite for Faulty<C, T> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.standing(None) {
            ConnectionState::Whole => Pin::new(&mut self.inner).poll_write(cx, bytes),
            // What is sent after a cut is lost without a word.
            ConnectionState::Cut => Poll::Ready(Ok(bytes.len())),
            ConnectionState::Broken => Poll::Ready(Err(io::ErrorKind::ConnectionReset.into())),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}
