//! The bytes that a fault holds back until all of its window has come, with what other faults have put between them.

use super::Piece;

/// Bytes that were sent one behind the other, or that another fault has added.
#[derive(Clone, Debug)]
struct Segment {
    bytes: Vec<u8>,
    /// The stream offset at which the first was sent.
    source: Option<u64>,
}

/// What is held back, in order. Other faults' bytes keep their place between those that were sent.
#[derive(Clone, Debug, Default)]
pub(super) struct Held {
    segments: Vec<Segment>,
    /// What happened meanwhile.
    between: Vec<Piece>,
}

impl Held {
    /// Whether nothing is held back.
    pub(super) fn is_empty(&self) -> bool {
        self.segments.is_empty()
    }

    pub(super) fn add(&mut self, bytes: Vec<u8>, source: Option<u64>) {
        if !bytes.is_empty() {
            self.segments.push(Segment { bytes, source });
        }
    }

    /// This happens behind what is held back.
    pub(super) fn wait(&mut self, event: Piece) {
        self.between.push(event);
    }

    /// The bytes that were sent.
    pub(super) fn bytes(&self) -> Vec<u8> {
        let sent = self.segments.iter().filter(|it| it.source.is_some());
        sent.flat_map(|it| it.bytes.iter().copied()).collect()
    }

    /// Lets go of everything as it came.
    pub(super) fn release(&mut self, out: &mut Vec<Piece>) {
        out.extend(self.segments.drain(..).map(|it| Piece::sent(it.bytes, it.source)));
        self.end(None, out);
    }

    /// Lets go of everything, with `new` in place of the bytes that were sent, which are as many.
    pub(super) fn replace(&mut self, new: &[u8], reaches: Option<Piece>, out: &mut Vec<Piece>) {
        let mut rest = new;
        for Segment { bytes, source } in self.segments.drain(..) {
            let bytes = match source {
                None => bytes,
                Some(_) => {
                    let (first, others) = rest.split_at(bytes.len().min(rest.len()));
                    rest = others;
                    first.to_vec()
                }
            };
            out.push(Piece::sent(bytes, source));
        }
        self.end(reaches, out);
    }

    /// Lets go of what was not sent, and drops the rest.
    pub(super) fn remove(&mut self, reaches: Piece, out: &mut Vec<Piece>) {
        let added = self.segments.drain(..).filter(|it| it.source.is_none());
        out.extend(added.map(|it| Piece::sent(it.bytes, None)));
        self.end(Some(reaches), out);
    }

    fn end(&mut self, reaches: Option<Piece>, out: &mut Vec<Piece>) {
        out.extend(reaches);
        out.append(&mut self.between);
    }
}
