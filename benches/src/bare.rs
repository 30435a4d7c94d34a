//! The baselines: MD5 alone, and the bare pipeline. Both are as plain and as fast as blocking code at this
//! chunk size gets, and share nothing with the endpoints or the driver.

use std::fs::File;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::thread;

use faults::CHUNK;
use md5::{Digest, Md5};
use protocol::{FileId, FileName};
use transfer::storage::{Incoming, StoreError};

/// Reads the file in chunks and hashes it.
///
/// # Errors
/// If the file cannot be read.
pub fn md5(path: &Path) -> io::Result<FileId> {
    let mut file = File::open(path)?;
    hash_while(|chunk| file.read(chunk), |_| Ok(()))
}

/// The bare pipeline: one end reads the file, hashes and writes to a socket; the other reads the socket,
/// hashes and writes a file. Each has its own thread, its own buffer of [`CHUNK`] bytes and blocking calls.
/// It keeps its listener from run to run, as the tcp lane does.
pub struct Bare {
    listener: TcpListener,
    address: SocketAddr,
}

impl Bare {
    /// Listens on a free port of the loopback interface.
    ///
    /// # Errors
    /// If no socket can be made.
    pub fn new() -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        Ok(Self { listener, address })
    }

    /// Moves the file at `source` to `sink` and holds the digests of the two ends against each other.
    ///
    /// # Errors
    /// If anything fails, or the digests differ.
    pub fn run(&self, source: &Path, sink: Box<dyn Incoming>, name: &FileName) -> io::Result<()> {
        let (sent, received) = thread::scope(|scope| {
            let sender = scope.spawn(|| send(source, self.address));
            let receiver = scope.spawn(|| receive(&self.listener, sink, name));
            (sender.join(), receiver.join())
        });
        let gone = |_| io::Error::other("one end panicked");
        if sent.map_err(gone)?? == received.map_err(gone)?? {
            Ok(())
        } else {
            Err(io::Error::other("the digests differ"))
        }
    }
}

fn send(source: &Path, address: SocketAddr) -> io::Result<FileId> {
    let mut file = File::open(source)?;
    let mut socket = TcpStream::connect(address)?;
    socket.set_nodelay(true)?;
    hash_while(|chunk| file.read(chunk), |bytes| socket.write_all(bytes))
}

fn receive(listener: &TcpListener, mut sink: Box<dyn Incoming>, name: &FileName) -> io::Result<FileId> {
    let (mut socket, _) = listener.accept()?;
    socket.set_nodelay(true)?;
    let digest = hash_while(|chunk| socket.read(chunk), |bytes| sink.write(bytes).map_err(failed))?;
    sink.commit(name, digest).map_err(failed)?;
    Ok(digest)
}

/// Hashes what `next` puts into the chunk and passes it `on`, until nothing more comes.
fn hash_while(
    mut next: impl FnMut(&mut [u8]) -> io::Result<usize>,
    mut on: impl FnMut(&[u8]) -> io::Result<()>,
) -> io::Result<FileId> {
    let (mut hash, mut chunk) = (Md5::new(), vec![0; CHUNK]);
    loop {
        let count = next(&mut chunk)?;
        if count == 0 {
            return Ok(FileId::from_bytes(hash.finalize().into()));
        }
        hash.update(&chunk[..count]);
        on(&chunk[..count])?;
    }
}

pub(crate) fn failed(error: StoreError) -> io::Error {
    io::Error::other(error.code().text())
}
