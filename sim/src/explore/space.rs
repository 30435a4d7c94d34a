//! The space of single faults of an exchange, as a value that is counted before it is walked: every kind of fault, with its
//! smallest parameters, at every byte of every message, and at every byte that the server's disk is given.

use std::ops::Range;

use faults::{At, Effect, Fault, Flow, Layer, Region};

use crate::transcript::{Line, Side};
use transfer::record::{Action, Kind, Message as Sent};

/// A kind of fault with one set of parameters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variant {
    effect: Effect,
    /// How many bytes of its message it needs.
    needs: u64,
}

impl Variant {
    fn new(effect: Effect, needs: u64) -> Self {
        Self { effect, needs }
    }

    /// The name of its kind, as a scenario file has it.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        self.effect.name()
    }

    /// The fault at this offset.
    fn fault(&self, place: &Place, offset: u64) -> Fault {
        let mut effect = self.effect.clone();
        if let Effect::Reorder { bytes, with } = &mut effect {
            *with = offset + *bytes;
        }
        match place {
            Place::Stream(flow) => Fault::at(*flow, offset, effect),
            Place::Disk => Fault { effect, region: Region::Upload, at: At::Offset(offset) },
        }
    }

    /// In how many places of a message of this length it fits.
    fn places(&self, length: u64) -> u64 {
        let is_a_moment = matches!(
            self.effect,
            Effect::CrashBeforeSync | Effect::CrashBeforeRename | Effect::CrashAfterRename
        );
        if is_a_moment { 1 } else { (length + 1).saturating_sub(self.needs) }
    }
}

/// Every kind of fault of a stream and of a disk, with its smallest parameters.
#[must_use]
pub fn variants() -> Vec<Variant> {
    let mut all: Vec<Variant> = (0..8).map(|bit| Variant::new(Effect::Flip { bit }, 1)).collect();
    all.extend([1, 2, 16].map(|bytes| Variant::new(Effect::Drop { bytes }, bytes)));
    all.extend([1, 2, 16].map(|bytes| Variant::new(Effect::Duplicate { bytes }, bytes)));
    // An end of a line, a digit more, and what looks like half a digest.
    let inserts = [&b"\n"[..], b"00", b"0123456789abcdef"];
    all.extend(inserts.map(|bytes| Variant::new(Effect::Insert { bytes: bytes.to_vec() }, 1)));
    let overwrites = [&b"\n"[..], b"0", &[0; 16]];
    all.extend(overwrites.map(|bytes| {
        let needs = bytes.len() as u64;
        Variant::new(Effect::Overwrite { bytes: bytes.to_vec() }, needs)
    }));
    all.extend([1, 2, 4, 16].map(|bytes| Variant::new(Effect::Reorder { bytes, with: 0 }, 2 * bytes)));
    let ends = [Effect::Truncate, Effect::HalfClose, Effect::Reset, Effect::Stall];
    all.extend(ends.map(|effect| Variant::new(effect, 1)));
    let disk = [Effect::NoSpace, Effect::WriteError, Effect::ShortWrite { bytes: 1 }];
    all.extend(disk.map(|effect| Variant::new(effect, 1)));
    all.push(Variant::new(Effect::ShortWrite { bytes: 16 }, 16));
    all.extend((0..8).map(|bit| Variant::new(Effect::Rot { bit }, 1)));
    let crashes = [Effect::CrashBeforeSync, Effect::CrashBeforeRename, Effect::CrashAfterRename];
    all.extend(crashes.map(|effect| Variant::new(effect, 1)));
    all
}

/// Where the bytes of a row of the map are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// In what goes this way.
    Stream(Flow),
    /// On the server's disk: the bytes of the first upload.
    Disk,
}

/// A message of the exchange, or the bytes of an upload on the disk: a row of the map.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The step of the scenario that sends it, if it says its steps.
    pub step: Option<usize>,
    /// What it is, in a few words.
    pub label: String,
    /// Where it is.
    pub place: Place,
    /// Its offsets there.
    pub range: Range<u64>,
}

/// The messages of a control run, as its first client and the session of that sent them; and, if the client uploads
/// something, what the disk is given of it.
#[must_use]
pub fn messages(lines: &[Line]) -> Vec<Message> {
    let mut messages: Vec<Message> = Vec::new();
    let mut upload = None;
    for line in lines {
        let (Action::Sent(sent), Some(range)) = (&line.action, line.stream.clone()) else { continue };
        let flow = match line.side {
            Side::Client => Flow::ToServer,
            Side::Server => Flow::ToClient,
        };
        if let (Sent::Payload { bytes, .. }, Flow::ToServer) = (sent, flow) {
            upload.get_or_insert(*bytes);
        }
        let (step, label, place) = (line.step, label(sent), Place::Stream(flow));
        messages.push(Message { step, label, place, range });
    }
    if let Some(bytes @ 1..) = upload {
        messages.push(Message {
            step: None,
            label: "the upload".into(),
            place: Place::Disk,
            range: 0..bytes,
        });
    }
    messages
}

fn label(sent: &Sent) -> String {
    let Sent::Text { kind, .. } = sent else { return "the file".into() };
    let label = match kind {
        Kind::ListFiles => "LIST_FILES",
        Kind::Upload(_) => "UPLOAD",
        Kind::Download(_) => "DOWNLOAD",
        Kind::Discard => "DISCARD",
        Kind::Details => "name and size",
        Kind::Id => "the id",
        Kind::Listing(_) => "the listing",
        Kind::AskDetails => "asks for name, size",
        Kind::Ready => "is ready",
        Kind::Hash => "the hash",
        Kind::AskId => "asks for the id",
        Kind::Size => "the size",
        Kind::Discarded => "has discarded",
        Kind::GoAhead => "a go-ahead",
        Kind::Refusal(_) => "a refusal",
        Kind::Rejected => "a rejected line",
    };
    label.into()
}

/// What of a space is walked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Narrowing {
    /// Only these kinds of faults, by their names; all if there are none.
    pub kinds: Vec<String>,
    /// Only the messages of these steps.
    pub steps: Vec<usize>,
    /// Only what is there.
    pub places: Vec<Place>,
}

impl Narrowing {
    fn takes(&self, message: &Message, variant: &Variant) -> bool {
        (self.kinds.is_empty() || self.kinds.iter().any(|kind| kind == variant.kind()))
            && (self.steps.is_empty() || message.step.is_some_and(|step| self.steps.contains(&step)))
            && (self.places.is_empty() || self.places.contains(&message.place))
    }

    /// Whether it leaves anything out.
    #[must_use]
    pub fn is_narrow(&self) -> bool {
        *self != Self::default()
    }
}

/// Every single fault of an exchange, numbered.
#[derive(Clone, Debug)]
pub struct Space {
    messages: Vec<Message>,
    variants: Vec<Variant>,
    /// The number of the first fault of each variant in each message that has any, in ascending order.
    blocks: Vec<Block>,
    count: u64,
}

#[derive(Clone, Copy, Debug)]
struct Block {
    first: u64,
    message: usize,
    variant: usize,
}

/// One fault of a space.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Point {
    /// The message that it strikes, by its position in [`Space::messages`].
    pub message: usize,
    /// Its variant, by its position in [`Space::variants`].
    pub variant: usize,
    /// The offset in the message.
    pub offset: u64,
    /// The fault itself.
    pub fault: Fault,
}

impl Space {
    /// The space of these messages, narrowed.
    #[must_use]
    pub fn new(messages: Vec<Message>, narrowing: &Narrowing) -> Self {
        let (variants, mut blocks, mut count) = (variants(), Vec::new(), 0);
        for (index, message) in messages.iter().enumerate() {
            let length = message.range.end - message.range.start;
            for (number, variant) in variants.iter().enumerate() {
                let on_disk = variant.effect.layer() == Layer::Disk;
                let fits = on_disk == (message.place == Place::Disk) && narrowing.takes(message, variant);
                let places = if fits { variant.places(length) } else { 0 };
                if places > 0 {
                    blocks.push(Block { first: count, message: index, variant: number });
                    count += places;
                }
            }
        }
        Self { messages, variants, blocks, count }
    }

    /// How many faults there are.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The messages, in the order in which they were sent.
    #[must_use]
    pub fn messages(&self) -> &[Message] {
        &self.messages
    }

    /// The variants of all kinds.
    #[must_use]
    pub fn variants(&self) -> &[Variant] {
        &self.variants
    }

    /// The names of the kinds that are in it.
    #[must_use]
    pub fn kinds(&self) -> Vec<&'static str> {
        let mut kinds: Vec<&'static str> = Vec::new();
        for variant in &self.variants {
            if !kinds.contains(&variant.kind()) {
                kinds.push(variant.kind());
            }
        }
        kinds.retain(|kind| self.blocks.iter().any(|block| self.variants[block.variant].kind() == *kind));
        kinds
    }

    /// How many bytes its messages have in all.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        let mut messages: Vec<usize> = self.blocks.iter().map(|block| block.message).collect();
        messages.dedup();
        messages.iter().map(|at| self.messages[*at].range.end - self.messages[*at].range.start).sum()
    }

    /// The fault with this number, from 0.
    #[must_use]
    pub fn point(&self, number: u64) -> Option<Point> {
        if number >= self.count {
            return None;
        }
        let behind = self.blocks.partition_point(|block| block.first <= number);
        let Block { first, message, variant } = self.blocks[behind.checked_sub(1)?];
        let (offset, Message { place, range, .. }) = (number - first, &self.messages[message]);
        let fault = self.variants[variant].fault(place, range.start + offset);
        Some(Point { message, variant, offset, fault })
    }
}
