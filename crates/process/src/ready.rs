//! When a server that was started can be used.

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

use regex::Regex;
use std::time::Instant;

use super::{How, Running, Seen};

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
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotReady {
    /// It ended, or somebody else has its port.
    Ended(String),
    /// It runs, but is not ready in time.
    Late(String),
}

impl fmt::Display for NotReady {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::Ended(why) | Self::Late(why)) = self;
        f.write_str(why)
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
        let (mut gone_since, mut seen) = (None, Seen::default());
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
                None | Some(How::Exited(0)) if is_ready => return Ok(()),
                None => {}
                // What it left behind comes to listen later.
                Some(How::Exited(0)) if self.is_survived(&mut gone_since) => {}
                Some(how) => {
                    return Err(NotReady::Ended(format!("the server ended before it was ready: {how}")));
                }
            }
            if Instant::now() >= deadline {
                let (why, seconds) = (late(self, ready, port), READY.as_secs());
                return Err(NotReady::Late(format!(
                    "the server is not ready after {seconds} seconds: {why}"
                )));
            }
            sleep(tick);
            tick = (tick * 2).min(LAST_TICK);
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
            let why = format!("another program listens on port {port}, which was to be the server's");
            return Err(NotReady::Ended(why));
        }
        Ok(true)
    }
}

/// A socket that listens.
struct Listener {
    address: IpAddr,
    /// The number of the socket in the system's lists.
    inode: u64,
}

/// What is missing.
fn late(server: &Running, ready: &Ready, port: u16) -> String {
    match ready {
        Ready::Port => match listeners(server.id(), port).first() {
            None => format!("nothing listens on port {port}"),
            Some(Listener { address, .. }) => {
                format!("something listens on port {port}, but at {address} and not at {HOST}")
            }
        },
        Ready::Line(pattern) if server.output.is_empty() => format!(
            "no line matches {:?}; it has put out nothing at all: does it flush its output?",
            pattern.as_str()
        ),
        Ready::Line(pattern) => format!("no line matches {:?}", pattern.as_str()),
    }
}

/// Whether whoever listens at `address` is reached at [`HOST`].
fn is_here(address: IpAddr) -> bool {
    let address = address.to_canonical();
    address.is_unspecified() || address == IpAddr::V4(Ipv4Addr::LOCALHOST)
}

/// What listens on `port`, in the network of a program, or if that has ended, in this one.
fn listeners(program: u32, port: u16) -> Vec<Listener> {
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
fn listener(line: &str, port: u16) -> Option<Listener> {
    let mut columns = line.split_whitespace();
    let (local, state, inode) = (columns.nth(1)?, columns.nth(1)?, columns.nth(5)?.parse().ok()?);
    let address = local.strip_suffix(&format!(":{port:04X}"))?;
    (state == "0A").then_some(())?;
    let word = |text: &str| u32::from_str_radix(text, 16).ok().map(u32::to_ne_bytes);
    let words = (0..address.len() / 8).map(|index| word(address.get(index * 8..index * 8 + 8)?));
    let bytes: Vec<u8> = words.collect::<Option<Vec<_>>>()?.concat();
    let four = <[u8; 4]>::try_from(&bytes[..]).map(IpAddr::from);
    let address = four.or_else(|_| <[u8; 16]>::try_from(&bytes[..]).map(IpAddr::from)).ok()?;
    Some(Listener { address, inode })
}
