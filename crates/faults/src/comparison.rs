//! Whether a reader was given what was sent: several faults together can undo each other.

use std::collections::VecDeque;

/// A stream as it was sent, beside what its reader was given of it.
#[derive(Debug, Default)]
pub(crate) struct Comparison {
    /// What was sent and not given yet.
    sent: VecDeque<u8>,
    /// What was given and not sent yet.
    given: VecDeque<u8>,
    /// Whether they were seen to differ; then nothing is kept any more.
    differs: bool,
}

impl Comparison {
    /// These bytes were sent.
    pub(crate) fn send(&mut self, bytes: &[u8]) {
        Self::take(bytes, &mut self.sent, &mut self.given, &mut self.differs);
    }

    /// The reader was given these bytes.
    pub(crate) fn give(&mut self, bytes: &[u8]) {
        Self::take(bytes, &mut self.given, &mut self.sent, &mut self.differs);
    }

    fn take(bytes: &[u8], own: &mut VecDeque<u8>, other: &mut VecDeque<u8>, differs: &mut bool) {
        if *differs {
            return;
        }
        let matched = bytes.len().min(other.len());
        *differs = other.drain(..matched).zip(bytes).any(|(one, other)| one != *other);
        own.extend(&bytes[matched..]);
        if *differs {
            (*own, *other) = (VecDeque::new(), VecDeque::new());
        }
    }

    /// Whether it does not matter any more which bytes come: each is given as it is sent, or there is a difference already.
    pub(crate) fn is_settled(&self) -> bool {
        self.differs || self.is_same()
    }

    /// Whether the reader was given all that was sent, and nothing else.
    pub(crate) fn is_same(&self) -> bool {
        !self.differs && self.sent.is_empty() && self.given.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_given_later_or_earlier_is_the_same() {
        let mut comparison = Comparison::default();
        comparison.send(b"abc");
        assert!(!comparison.is_same(), "nothing was given");
        comparison.give(b"ab");
        comparison.give(b"cde");
        assert!(!comparison.is_settled(), "more was given");
        comparison.send(b"de");
        assert!(comparison.is_same());
    }

    #[test]
    fn a_difference_stays() {
        let mut comparison = Comparison::default();
        comparison.send(b"abc");
        comparison.give(b"abd");
        comparison.send(b"c");
        comparison.give(b"c");
        assert!(comparison.is_settled() && !comparison.is_same());
    }
}
