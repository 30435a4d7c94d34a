//! When a server that was started can be used.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

use regex::Regex;
use std::time::Instant;

use super::{Cursor, EndKind, Running};

/// Where servers that are started here listen.
pub const HOST: &str = "127.0.0.1";
/// How long a server has to become ready.
const READY: Duration = Duration::from_secs(10);
/// How long nothing may be seen of a server that has gone into the background before it counts as ended: while a process
/// becomes another program it shows no mark.
const GONE: Duration = Duration::from_millis(500);
/// How often it is asked whether it is: at first, and at last.
const TICK: Duration = Duration::from_millis(5);
const LAST_TICK: Duration = Duration::from_millis(50);

/// When a server is ready.
#[derive(Clone, Debug)]
pub enum Ready {
    /// Something listens on its port.
    Port,
    /// It has put out such a line.
    Line(Regex),
}

/// A port of [`HOST`] that is free now, and may be somebody else's the next moment.
///
/// # Errors
/// If the system has none.
pub fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind((HOST, 0))?.local_addr()?.port())
}

/// Why a server cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotReady {
    /// It ended.
    #[error("the server ended before it was ready: {0}")]
    Ended(EndKind),
    /// Somebody else listens on its port.
    #[error("another program listens on port {0}, which was to be the server's")]
    Taken(u16),
    /// Nothing listens on its port in time.
    #[error("{}: nothing listens on port {_0}", late())]
    Silent(u16),
    /// Something listens on its port in time, but cannot be reached at [`HOST`].
    #[error("{}: something listens on port {port}, but at {address} and not at {HOST}", late())]
    Elsewhere {
        /// The port.
        port: u16,
        /// Where it listens.
        address: IpAddr,
    },
    /// It has not put out the line in time.
    #[error("{}: no line matches {pattern:?}{}", late(), if *.is_mute {
        "; it has put out nothing at all: does it flush its output?"
    } else {
        ""
    })]
    NoLine {
        /// What the line would have matched.
        pattern: String,
        /// Whether it has put out nothing.
        is_mute: bool,
    },
}

fn late() -> String {
    format!("the server is not ready after {} seconds", READY.as_secs())
}

impl NotReady {
    /// Whether it may be that somebody else had its port: another start on another port may go well.
    #[must_use]
    pub fn may_be_the_port(&self) -> bool {
        matches!(self, Self::Ended(_) | Self::Taken(_))
    }
}

impl Running {
    /// Waits until it, a server on `port` of [`HOST`], is ready; ten seconds at most.
    ///
    /// # Errors
    /// That it is not, and why.
    pub fn wait_ready(&mut self, ready: &Ready, port: u16) -> Result<(), NotReady> {
        let deadline = Instant::now() + READY;
        let mut tick = TICK;
        let (mut gone_since, mut seen) = (None, Cursor::default());
        loop {
            let how = self.poll().ok().flatten();
            let is_ready = match ready {
                Ready::Port => self.listens_on(port)?,
                Ready::Line(pattern) => {
                    self.output.find(&mut seen, |line| pattern.is_match(&line.text)).is_some()
                }
            };
            match how {
                // One that has gone into the background has ended well.
                None | Some(EndKind::Exited(0)) if is_ready => return Ok(()),
                None => {}
                // What it left behind comes to listen later.
                Some(EndKind::Exited(0)) if self.is_survived(&mut gone_since) => {}
                Some(how) => return Err(NotReady::Ended(how)),
            }
            if Instant::now() >= deadline {
                return Err(self.late(ready, port));
            }
            sleep(tick);
            tick = (tick * 2).min(LAST_TICK);
        }
    }

    /// What is missing when its time is up.
    fn late(&self, ready: &Ready, port: u16) -> NotReady {
        match ready {
            Ready::Port => match listeners(self.id, port).first() {
                None => NotReady::Silent(port),
                Some(Socket { address, .. }) => NotReady::Elsewhere { port, address: *address },
            },
            Ready::Line(pattern) => {
                NotReady::NoLine { pattern: pattern.as_str().to_owned(), is_mute: self.output.is_empty() }
            }
        }
    }

    /// Whether something that it started goes on behind it, or did a moment ago.
    fn is_survived(&self, gone_since: &mut Option<Instant>) -> bool {
        if self.child.1.is_borne() || self.is_output_open() {
            *gone_since = None;
            return true;
        }
        gone_since.get_or_insert_with(Instant::now).elapsed() < GONE
    }
}

impl Running {
    /// Whether it listens on `port` of [`HOST`], as it sees the network. Asked of the system where that can be: a server
    /// that serves only one connection shall not serve ours.
    ///
    /// # Errors
    /// If only strangers do.
    fn listens_on(&self, port: u16) -> Result<bool, NotReady> {
        if !Path::new("/proc/self/net/tcp").exists() {
            let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
            return Ok(TcpStream::connect_timeout(&address, TICK).is_ok());
        }
        let listeners = listeners(self.id, port);
        let mut here = listeners.iter().filter(|listener| is_here(listener.address)).peekable();
        if here.peek().is_none() {
            return Ok(false);
        }
        if here.all(|listener| self.child.1.is_strangers(self.id, listener.inode)) {
            return Err(NotReady::Taken(port));
        }
        Ok(true)
    }
}

/// A socket that listens.
struct Socket {
    address: IpAddr,
    /// The number of the socket in the system's lists.
    inode: u64,
}

/// Whether whoever listens at `address` is reached at [`HOST`].
fn is_here(address: IpAddr) -> bool {
    let address = address.to_canonical();
    address.is_unspecified() || address == IpAddr::V4(Ipv4Addr::LOCALHOST)
}

/// What listens on `port`, in the network of a program, or if that has ended, in this one.
fn listeners(program: u32, port: u16) -> Vec<Socket> {
    let table = |name: &str| {
        let of = |program: &str| std::fs::read_to_string(format!("/proc/{program}/net/{name}"));
        of(&program.to_string()).or_else(|_| of("self")).unwrap_or_default()
    };
    let tables = [table("tcp"), table("tcp6")];
    tables.iter().flat_map(|table| table.lines()).filter_map(|line| listener(line, port)).collect()
}

/// A socket that listens on `port`, from a line of the system's table: its columns are a number, the local address, the
/// remote one, and the state, in which 0A is listening; the tenth is the inode (proc(5), /proc/net/tcp). Addresses are
/// words of 32 bits in hex, each in the order of this machine.
fn listener(line: &str, port: u16) -> Option<Socket> {
    let mut columns = line.split_whitespace();
    let (local, state, inode) = (columns.nth(1)?, columns.nth(1)?, columns.nth(5)?.parse().ok()?);
    let address = local.strip_suffix(&format!(":{port:04X}"))?;
    (state == "0A").then_some(())?;
    let word = |text: &str| u32::from_str_radix(text, 16).ok().map(u32::to_ne_bytes);
    let words = (0..address.len() / 8).map(|index| word(address.get(index * 8..index * 8 + 8)?));
    let bytes: Vec<u8> = words.collect::<Option<Vec<_>>>()?.concat();
    let four = <[u8; 4]>::try_from(&bytes[..]).map(IpAddr::from);
    let address = four.or_else(|_| <[u8; 16]>::try_from(&bytes[..]).map(IpAddr::from)).ok()?;
    Some(Socket { address, inode })
}
