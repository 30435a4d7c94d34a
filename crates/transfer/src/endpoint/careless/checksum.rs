//! Checksums that a careless program takes for digests. They are made against noise; each has zeros in front of it, so that it
//! is as long as an MD5.

use adler2::Adler32;
use crc::{CRC_16_ARC, CRC_32_ISO_HDLC, Crc, Digest};
use md5::{Digest as _, Md5};
use protocol::FileId;

use super::super::flaw::Flaw;

/// The CRC-16 of ARC, Modbus and others, without a twist.
static CRC_16: Crc<u16> = Crc::<u16>::new(&CRC_16_ARC);
/// The CRC-32 of Ethernet, zip and gzip.
static CRC_32: Crc<u32> = Crc::<u32>::new(&CRC_32_ISO_HDLC);
/// What Fletcher-16 divides by.
const FLETCHER: u16 = 255;

/// MD5, or what stands in its place.
#[derive(Clone)]
pub(super) enum Digester {
    Md5(Md5),
    Sum(u64),
    Xor(u8),
    Fletcher16 { sum: u16, sums: u16 },
    Adler32(Adler32),
    Crc16(Digest<'static, u16>),
    Crc32(Digest<'static, u32>),
}

impl Default for Digester {
    fn default() -> Self {
        Self::Md5(Md5::default())
    }
}

impl Digester {
    /// The checksum of a program with this mistake, if it has one.
    pub(super) fn checksum(flaw: Flaw) -> Option<Self> {
        Some(match flaw {
            Flaw::SumOfBytes => Self::Sum(0),
            Flaw::XorOfBytes => Self::Xor(0),
            Flaw::Fletcher16 => Self::Fletcher16 { sum: 0, sums: 0 },
            Flaw::Adler32 => Self::Adler32(Adler32::new()),
            Flaw::Crc16 => Self::Crc16(CRC_16.digest()),
            Flaw::Crc32 => Self::Crc32(CRC_32.digest()),
            _ => return None,
        })
    }

    /// Takes the next bytes.
    pub(super) fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Md5(md5) => md5.update(bytes),
            Self::Sum(sum) => *sum = bytes.iter().fold(*sum, |sum, byte| sum.wrapping_add(u64::from(*byte))),
            Self::Xor(xor) => *xor = bytes.iter().fold(*xor, |xor, byte| xor ^ byte),
            Self::Fletcher16 { sum, sums } => {
                for byte in bytes {
                    *sum = (*sum + u16::from(*byte)) % FLETCHER;
                    *sums = (*sums + *sum) % FLETCHER;
                }
            }
            Self::Adler32(adler) => adler.write_slice(bytes),
            Self::Crc16(crc) => crc.update(bytes),
            Self::Crc32(crc) => crc.update(bytes),
        }
    }

    /// The digest, or the checksum at the end of as many bytes.
    pub(super) fn finish(self) -> FileId {
        let number: u128 = match self {
            Self::Md5(md5) => return FileId::from_bytes(md5.finalize().into()),
            Self::Sum(sum) => sum.into(),
            Self::Xor(xor) => xor.into(),
            Self::Fletcher16 { sum, sums } => u128::from(sums) << 8 | u128::from(sum),
            Self::Adler32(adler) => adler.checksum().into(),
            Self::Crc16(crc) => crc.finalize().into(),
            Self::Crc32(crc) => crc.finalize().into(),
        };
        FileId::from_bytes(number.to_be_bytes())
    }
}
