//! The bytes around the first difference of two files, for a person to look at.

use std::fmt;
use std::io;

use crate::Content;
use crate::text::number_text;

/// How many bytes a row has.
const ROW: usize = 16;
/// How many of them stand before the first difference.
const BEFORE: usize = 4;

/// One row of each file, from the same offset on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Excerpt {
    /// The offset of the first byte shown.
    pub offset: u64,
    /// What was sent.
    pub sent: Vec<u8>,
    /// What arrived.
    pub arrived: Vec<u8>,
}

impl Excerpt {
    /// The rows around offset `first`.
    ///
    /// # Errors
    /// If a file on disk cannot be read.
    pub fn around(first: u64, sent: &Content, arrived: &Content) -> io::Result<Self> {
        let offset = first.saturating_sub(BEFORE as u64);
        let row = |content: &Content| {
            let mut bytes = vec![0; ROW];
            let count = content.read_at(offset, &mut bytes)?;
            bytes.truncate(count);
            io::Result::Ok(bytes)
        };
        Ok(Self { offset, sent: row(sent)?, arrived: row(arrived)? })
    }

    /// The rows around the first difference of `sent` and `arrived`, and its offset; `None` if they are equal.
    pub fn of_bytes(sent: &[u8], arrived: &[u8]) -> Option<(u64, Self)> {
        let same = sent.iter().zip(arrived).take_while(|(one, other)| one == other).count();
        if same == sent.len() && same == arrived.len() {
            return None;
        }
        let from = same.saturating_sub(BEFORE);
        let shown = |bytes: &[u8]| bytes[from..].iter().take(ROW).copied().collect();
        Some((same as u64, Self { offset: from as u64, sent: shown(sent), arrived: shown(arrived) }))
    }

    /// Both rows, with those bytes in brackets that are not the same in the other.
    pub fn rows(&self) -> [String; 2] {
        let row = |bytes, other| Self::row(bytes, other).trim_end().to_owned();
        [row(&self.sent, &self.arrived), row(&self.arrived, &self.sent)]
    }

    /// One row, with those bytes in brackets that are not the same in the other.
    fn row(bytes: &[u8], other: &[u8]) -> String {
        if bytes.is_empty() {
            return " (the end)".into();
        }
        let cell = |(index, byte): (usize, &u8)| {
            if other.get(index) == Some(byte) { format!(" {byte:02x} ") } else { format!("[{byte:02x}]") }
        };
        bytes.iter().enumerate().map(cell).collect()
    }
}

impl fmt::Display for Excerpt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let offset = number_text(self.offset);
        let [sent, arrived] = self.rows();
        writeln!(f, "{offset:>12}  sent    {sent}")?;
        write!(f, "{:>12}  arrived {arrived}", "")
    }
}
