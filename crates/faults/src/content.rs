//! Immutable bytes that can be read at any offset, wherever they live.

use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use rand::Rng;
use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;

/// How many bytes a comparison reads at a time from each side.
const COMPARE_CHUNK: usize = 64 * 1024;
/// The bytes of one `ChaCha` block: noise is addressed by block.
const NOISE_BLOCK: usize = 64;

/// The content of one file. Cheap to clone.
#[derive(Clone, Debug)]
pub enum Content {
    /// Bytes in memory.
    Memory(Arc<[u8]>),
    /// Pseudo-random bytes, computed as they are read: nothing is stored.
    Noise {
        /// Which noise.
        seed: u64,
        /// How many bytes of it.
        len: u64,
    },
    /// A file on disk, as long as it was when it was opened.
    File {
        /// The open file.
        file: Arc<File>,
        /// Its length in bytes.
        len: u64,
        /// When it had been changed last at that time, if others may change it while it is read.
        changed: Option<SystemTime>,
    },
}

impl Content {
    /// Opens the file at `path`, which others may change meanwhile: see [`Content::is_unchanged`].
    ///
    /// # Errors
    /// If it cannot be opened or is not a regular file.
    pub fn open(path: &Path) -> io::Result<Self> {
        // Looked at before it is opened: opening a FIFO would wait for its writer.
        if !std::fs::metadata(path)?.is_file() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"));
        }
        let mut content = Self::from_file(File::open(path)?)?;
        content.check_length()?;
        if let Self::File { file, changed, .. } = &mut content {
            *changed = Some(file.metadata()?.modified()?);
        }
        Ok(content)
    }

    /// Some files of the system say that they are empty and are not: what is sent would not be what is there.
    fn check_length(&self) -> io::Result<()> {
        let Self::File { file, len: 0, .. } = self else { return Ok(()) };
        match read_exact_at(file, &mut [0], 0) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(()),
            Err(error) => Err(error),
            Ok(()) => Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "the system says that it is empty, but it is not: copy it first",
            )),
        }
    }

    /// The content of an open file that nobody else changes.
    ///
    /// # Errors
    /// If its length cannot be read.
    pub fn from_file(file: impl Into<Arc<File>>) -> io::Result<Self> {
        let file = file.into();
        let len = file.metadata()?.len();
        Ok(Self::File { file, len, changed: None })
    }

    /// Whether it is what it was when it was opened, as far as its size and the time of its last change tell: asked when
    /// all of it has been read.
    ///
    /// # Errors
    /// If the system does not tell.
    pub fn is_unchanged(&self) -> io::Result<bool> {
        let Self::File { file, len, changed: Some(changed) } = self else { return Ok(true) };
        let now = file.metadata()?;
        Ok(now.len() == *len && now.modified()? == *changed)
    }

    /// Its length in bytes.
    #[must_use]
    pub fn len(&self) -> u64 {
        match self {
            Self::Memory(bytes) => bytes.len() as u64,
            Self::Noise { len, .. } | Self::File { len, .. } => *len,
        }
    }

    /// Whether it has no bytes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Fills the front of `buffer` with the bytes from `offset` on. Returns how many there were: less than
    /// `buffer.len()` only at the end.
    ///
    /// # Errors
    /// If a file on disk cannot be read, or is shorter than it was when it was opened.
    pub fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.len().saturating_sub(offset)).unwrap_or(usize::MAX);
        let count = left.min(buffer.len());
        let buffer = &mut buffer[..count];
        match self {
            Self::Memory(bytes) => {
                let start = usize::try_from(offset).unwrap_or(usize::MAX).min(bytes.len());
                buffer.copy_from_slice(&bytes[start..start + count]);
            }
            Self::Noise { seed, .. } => fill_noise(*seed, offset, buffer),
            Self::File { file, .. } => read_exact_at(file, buffer, offset)?,
        }
        Ok(count)
    }

    /// Where the two contents first differ: the offset of the first byte that only one has, or that is not
    /// the same in both. `None` if they are the same.
    ///
    /// # Errors
    /// If a file on disk cannot be read.
    pub fn first_difference(&self, other: &Self) -> io::Result<Option<u64>> {
        // No larger than needed: for a small file, clearing whole chunks would cost more than comparing.
        let longest = usize::try_from(self.len().max(other.len())).unwrap_or(usize::MAX);
        let chunk = longest.min(COMPARE_CHUNK);
        let (mut ours, mut theirs) = (vec![0; chunk], vec![0; chunk]);
        let mut offset = 0;
        loop {
            let (a, b) = (self.read_at(offset, &mut ours)?, other.read_at(offset, &mut theirs)?);
            let common = a.min(b);
            if ours[..common] != theirs[..common] {
                let at = ours.iter().zip(&theirs).take_while(|(x, y)| x == y).count();
                return Ok(Some(offset + at as u64));
            }
            offset += common as u64;
            if a != b {
                return Ok(Some(offset));
            }
            if common == 0 {
                return Ok(None);
            }
        }
    }
}

/// The same bytes. A file on disk is read for that; one that cannot be read is the same as itself alone.
impl PartialEq for Content {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Memory(one), Self::Memory(other)) => one == other,
            (Self::File { file: one, .. }, Self::File { file: other, .. }) if Arc::ptr_eq(one, other) => true,
            _ => matches!(self.first_difference(other), Ok(None)),
        }
    }
}

impl Eq for Content {}

/// Noise is addressable: any offset is reached without computing what comes before it.
fn fill_noise(seed: u64, offset: u64, buffer: &mut [u8]) {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let block = NOISE_BLOCK as u64;
    rng.set_block_pos(offset / block);
    // The generator hands out whole words, so the block in which we begin is taken as a whole.
    let mut first = [0; NOISE_BLOCK];
    rng.fill_bytes(&mut first);
    // The remainder of a division by 64 fits any integer.
    let skip = usize::try_from(offset % block).unwrap_or_default();
    let count = buffer.len().min(NOISE_BLOCK - skip);
    buffer[..count].copy_from_slice(&first[skip..skip + count]);
    rng.fill_bytes(&mut buffer[count..]);
}

#[cfg(unix)]
fn read_exact_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, buffer, offset)
}

#[cfg(windows)]
fn read_exact_at(file: &File, mut buffer: &mut [u8], mut offset: u64) -> io::Result<()> {
    while !buffer.is_empty() {
        let count = std::os::windows::fs::FileExt::seek_read(file, buffer, offset)?;
        if count == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        buffer = &mut buffer[count..];
        offset += count as u64;
    }
    Ok(())
}
