//! Counts what a sender sends, and keeps it if that is wanted.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, ReadBuf};

/// What one connection carried, as its senders sent it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recording {
    /// The number of the connection, from 1.
    pub connection: u64,
    /// What the client sent, as much as there was space for.
    pub to_server: Vec<u8>,
    /// What the server sent, as much as there was space for.
    pub to_client: Vec<u8>,
    /// Whether that is all of it: there was space, and the proxy was not stopped in the middle.
    pub whole: bool,
}

/// A sender, counted and kept.
pub(super) struct Tap<R> {
    inner: R,
    count: u64,
    kept: Option<KeptBytes>,
}

/// What is kept of a sender.
struct KeptBytes {
    bytes: Vec<u8>,
    /// How many bytes may still be kept, over all connections.
    budget: Arc<AtomicU64>,
}

impl<R> Tap<R> {
    pub(super) fn new(inner: R, budget: Option<Arc<AtomicU64>>) -> Self {
        Self { inner, count: 0, kept: budget.map(|budget| KeptBytes { bytes: Vec::new(), budget }) }
    }

    pub(super) fn inner(&self) -> &R {
        &self.inner
    }

    /// How many bytes came.
    pub(super) fn count(&self) -> u64 {
        self.count
    }

    /// The first of the bytes that came.
    pub(super) fn bytes(&self) -> &[u8] {
        self.kept.as_ref().map_or(&[], |kept| &kept.bytes)
    }
}

impl KeptBytes {
    /// Keeps as much of `bytes` as there is space for. What comes after a gap would stand at the wrong offset.
    fn keep(&mut self, bytes: &[u8]) {
        let wanted = bytes.len() as u64;
        let left = {
            let less = |left: u64| Some(left.saturating_sub(wanted));
            self.budget.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less).unwrap_or_default()
        };
        let count = usize::try_from(left.min(wanted)).unwrap_or(bytes.len());
        self.bytes.extend_from_slice(&bytes[..count]);
    }
}

impl<R: AsyncRead + Unpin> AsyncRead for Tap<R> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.inner).poll_read(cx, buffer))?;
        let came = &buffer.filled()[before..];
        let is_gapless = self.bytes().len() as u64 == self.count;
        self.count += came.len() as u64;
        if let Some(kept) = &mut self.kept
            && is_gapless
        {
            kept.keep(came);
        }
        Poll::Ready(Ok(()))
    }
}
