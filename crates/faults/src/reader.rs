//! Whoever reads a faulty stream, as the fault layer knows it.

use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

/// The reader of a stream with faults: it is told of each that strikes, and says how far it has read. Every method has
/// an answer for those who do not care: `()` is such a reader.
pub trait Reader: Debug + Send + Sync {
    /// The fault with this number, from 0, has struck what this side is about to read. `text` is what it did, in words.
    fn struck(&self, _now: Duration, _fault: usize, _text: String) {}

    /// How many bytes of the stream it has seen, whether it took them or not. 0 if it does not count.
    fn seen(&self) -> u64 {
        0
    }

    /// Whether it reads no more: what faults do to the rest of the stream strikes nobody.
    fn has_left(&self) -> bool {
        false
    }
}

impl Reader for () {}

impl<R: Reader + ?Sized> Reader for Arc<R> {
    fn struck(&self, now: Duration, fault: usize, text: String) {
        (**self).struck(now, fault, text);
    }

    fn seen(&self) -> u64 {
        (**self).seen()
    }

    fn has_left(&self) -> bool {
        (**self).has_left()
    }
}
