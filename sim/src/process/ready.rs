//! When a server that was started can be used.

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

use regex::Regex;
use tokio::time::Instant;

use super::{How, Line, Running};

/// Where servers that are started here listen.
pub const HOST: &str = "127.0.0.1";
/// How long a server has to become ready.
const READY: Duration = Duration::from_secs(10);
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
    /// It ended; somebody else may have had its port.
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
        loop {
            let how = self.poll().ok().flatten();
            let is_ready = is_ready(self, ready, port);
            match how {
                // One that has gone into the background has ended well.
                None | Some(How::Exited(0)) if is_ready => return Ok(()),
                None => {}
                Some(how) => {
                    return Err(NotReady::Ended(format!("the server ended before it was ready: {how}")));
                }
            }
            if Instant::now() >= deadline {
                let why = late(self, ready, port);
                return Err(NotReady::Late(format!(
                    "the server is not ready after {} seconds: {why}",
                    READY.as_secs()
                )));
            }
            sleep(tick);
            tick = (tick * 2).min(LAST_TICK);
        }
    }
}

/// What is missing.
fn late(server: &Running, ready: &Ready, port: u16) -> String {
    match ready {
        Ready::Port => match listeners(server.id(), port).first() {
            None => format!("nothing listens on port {port}"),
            Some(address) => format!("something listens on port {port}, but at {address} and not at {HOST}"),
        },
        Ready::Line(pattern) if server.lines().is_empty() => format!(
            "no line matches {:?}; it has put out nothing at all: does it flush its output?",
            pattern.as_str()
        ),
        Ready::Line(pattern) => format!("no line matches {:?}", pattern.as_str()),
    }
}

fn is_ready(server: &Running, ready: &Ready, port: u16) -> bool {
    match ready {
        Ready::Port => is_listened_on(server.id(), port),
        Ready::Line(pattern) => matches(&server.lines(), pattern),
    }
}

fn matches(lines: &[Line], pattern: &Regex) -> bool {
    lines.iter().any(|line| pattern.is_match(&line.text))
}

/// Whether something listens on the port of [`HOST`], as the program sees the network. Asked of the system where that
/// can be: a server that serves only one connection shall not serve ours.
fn is_listened_on(program: u32, port: u16) -> bool {
    if Path::new("/proc/self/net/tcp").exists() {
        return listeners(program, port).iter().any(|address| is_ours(*address));
    }
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    TcpStream::connect_timeout(&address, TICK).is_ok()
}

/// Whether whoever listens at `address` is reached at [`HOST`].
fn is_ours(address: IpAddr) -> bool {
    let address = address.to_canonical();
    address.is_unspecified() || address == IpAddr::V4(Ipv4Addr::LOCALHOST)
}

/// At which addresses something listens on `port`, in the network of a program, or if that has ended, in this one.
fn listeners(program: u32, port: u16) -> Vec<IpAddr> {
    let table = |name: &str| {
        let of = |program: &str| std::fs::read_to_string(format!("/proc/{program}/net/{name}"));
        of(&program.to_string()).or_else(|_| of("self")).unwrap_or_default()
    };
    let tables = [table("tcp"), table("tcp6")];
    tables.iter().flat_map(|table| table.lines()).filter_map(|line| listener(line, port)).collect()
}

/// The address of a socket that listens on `port`, from a line of the system's table: its columns are a number, the
/// local address, the remote one, and the state, in which 0A is listening (proc(5), /proc/net/tcp). Addresses are words
/// of 32 bits in hex, each in the order of this machine.
fn listener(line: &str, port: u16) -> Option<IpAddr> {
    let mut columns = line.split_whitespace();
    let (local, state) = (columns.nth(1)?, columns.nth(1)?);
    let address = local.strip_suffix(&format!(":{port:04X}"))?;
    (state == "0A").then_some(())?;
    let word = |text: &str| u32::from_str_radix(text, 16).ok().map(u32::to_ne_bytes);
    let words = (0..address.len() / 8).map(|index| word(address.get(index * 8..index * 8 + 8)?));
    let bytes: Vec<u8> = words.collect::<Option<Vec<_>>>()?.concat();
    let four = <[u8; 4]>::try_from(&bytes[..]).map(IpAddr::from);
    four.or_else(|_| <[u8; 16]>::try_from(&bytes[..]).map(IpAddr::from)).ok()
}
