//! A stream that goes straight to its reader, through a bare splice of two sockets (tokio's
//! `copy_bidirectional`), or through the proxy; and how fast it comes there.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;

use faults::Flow;
use faults::proxy::{Connections, PlacedFault, Proxy, Running, Settings};
use faults::{At, Effect, Fault, Region};
use tokio::io::copy_bidirectional;

/// How much the ends write and read at a time.
const CHUNK: usize = 256 * 1024;

/// What is between the two ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Between {
    /// Nothing: one connection on loopback.
    Direct,
    /// `copy_bidirectional` on a runtime with one thread, as the proxy has.
    Splice,
    /// The proxy without a fault.
    Proxy,
    /// The proxy with a fault in each direction whose place does not come.
    Idle,
    /// The proxy with one flipped bit near the beginning.
    OneFlip,
}

impl Between {
    /// All of them; the splice is what the others are held against.
    pub const ALL: [Self; 5] = [Self::Direct, Self::Splice, Self::Proxy, Self::Idle, Self::OneFlip];
}

/// A way from one end to the other, ready to be used again and again.
pub struct Way {
    listener: TcpListener,
    entrance: SocketAddr,
    /// Kept because it stops when it is dropped.
    _proxy: Option<Running>,
}

impl Way {
    /// Listens on free ports of the loopback interface.
    ///
    /// # Errors
    /// If no socket or no thread can be made.
    pub fn new(between: Between) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let target = listener.local_addr()?;
        let faults = match between {
            Between::Direct => return Ok(Self { listener, entrance: target, _proxy: None }),
            Between::Splice => return Ok(Self { listener, entrance: splice(target)?, _proxy: None }),
            Between::Proxy => Vec::new(),
            Between::Idle => [Flow::ToServer, Flow::ToClient].map(|flow| flip(flow, u64::MAX - 1)).into(),
            Between::OneFlip => vec![flip(Flow::ToServer, 1_000)],
        };
        let faults = faults.into_iter().flatten().collect();
        let proxy = Proxy::bind("127.0.0.1:0", target, Settings { faults, ..Settings::default() })?;
        let proxy = proxy.spawn(drop)?;
        Ok(Self { listener, entrance: proxy.local_addr(), _proxy: Some(proxy) })
    }

    fn open(&self) -> io::Result<(TcpStream, TcpStream)> {
        let client = TcpStream::connect(self.entrance)?;
        let (server, _) = self.listener.accept()?;
        client.set_nodelay(true)?;
        server.set_nodelay(true)?;
        Ok((client, server))
    }

    /// Sends so many bytes from the client to the server, until the last has come.
    ///
    /// # Errors
    /// If anything fails, or not all of them come.
    pub fn send(&self, size: u64) -> io::Result<()> {
        let (mut client, mut server) = self.open()?;
        let came = thread::scope(|scope| {
            let writing = scope.spawn(move || -> io::Result<()> {
                let chunk = vec![0x5A; CHUNK];
                let mut left = size;
                while left > 0 {
                    let count = usize::try_from(left).unwrap_or(CHUNK).min(CHUNK);
                    client.write_all(&chunk[..count])?;
                    left -= count as u64;
                }
                Ok(())
            });
            let came = read_to_end(&mut server);
            writing.join().map_err(|_| io::Error::other("the writer panicked"))??;
            came
        })?;
        if came == size { Ok(()) } else { Err(io::Error::other(format!("{came} of {size} bytes came"))) }
    }

    /// Two ends for a game of ping-pong: call [`Rally::once`] as often as you like.
    ///
    /// # Errors
    /// If the connection cannot be made.
    pub fn rally(&self) -> io::Result<Rally> {
        let (client, mut server) = self.open()?;
        thread::spawn(move || {
            let mut ball = [0];
            while server.read_exact(&mut ball).and_then(|()| server.write_all(&ball)).is_ok() {}
        });
        Ok(Rally { client })
    }
}

/// One byte that goes to the server and comes back.
pub struct Rally {
    client: TcpStream,
}

impl Rally {
    /// There and back.
    ///
    /// # Errors
    /// If the connection is broken.
    pub fn once(&mut self) -> io::Result<()> {
        let mut ball = [1];
        self.client.write_all(&ball)?;
        self.client.read_exact(&mut ball)
    }
}

fn read_to_end(stream: &mut TcpStream) -> io::Result<u64> {
    let (mut chunk, mut came) = (vec![0; CHUNK], 0);
    loop {
        match stream.read(&mut chunk)? {
            0 => return Ok(came),
            count => came += count as u64,
        }
    }
}

fn flip(flow: Flow, offset: u64) -> Option<PlacedFault> {
    let fault = Fault { effect: Effect::Flip { bit: 0 }, region: Region::ToServer, at: At::Offset(offset) };
    PlacedFault::new(Connections::All, flow, offset, fault)
}

/// The bare splice, on a thread of its own for as long as the program runs. Returns where it listens.
fn splice(target: SocketAddr) -> io::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    listener.set_nonblocking(true)?;
    let address = listener.local_addr()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    thread::spawn(move || {
        let _: io::Result<()> = runtime.block_on(async {
            let listener = tokio::net::TcpListener::from_std(listener)?;
            loop {
                let (mut client, _) = listener.accept().await?;
                let mut server = tokio::net::TcpStream::connect(target).await?;
                client.set_nodelay(true)?;
                server.set_nodelay(true)?;
                // A connection that breaks is seen by its ends.
                tokio::spawn(async move { drop(copy_bidirectional(&mut client, &mut server).await) });
            }
        });
    });
    Ok(address)
}
