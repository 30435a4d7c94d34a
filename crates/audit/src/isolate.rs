//! A network for each program alone, on Linux, so that the proxy can stand between two that have one port written
//! into both. A program is started by `unshare`, and in the new network first comes our own binary ([`inside`]),
//! which makes sockets there and hands them to the harness through a Unix socket: a socket stays in the network in
//! which it was made, whoever uses it. So no byte takes another way than without.

use std::ffi::OsString;
use std::fmt;
use std::io::{self, IoSlice, IoSliceMut, Read, Write};
use std::mem::MaybeUninit;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::{UnixListener, UnixStream};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::thread::{park, sleep, spawn};
use std::time::Duration;

use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage,
    SendFlags, recvmsg, sendmsg,
};
use std::time::Instant;

use faults::proxy::Dial;
use process::{Launch, Running};

/// What makes the network: one in which this user may do as root does.
const UNSHARE: [&str; 4] = ["unshare", "--user", "--map-root-user", "--net"];
/// What can bring up the loopback interface, which a new network has, but down.
const LOOPBACK: [&[&str]; 5] = [
    &["ip", "link", "set", "lo", "up"],
    &["/sbin/ip", "link", "set", "lo", "up"],
    &["/usr/sbin/ip", "link", "set", "lo", "up"],
    &["ifconfig", "lo", "up"],
    &["busybox", "ip", "link", "set", "lo", "up"],
];
/// Settings that forbid users to make networks, and the value with which they do.
const FORBIDDING: [(&str, &str); 3] = [
    ("/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1"),
    ("/proc/sys/kernel/unprivileged_userns_clone", "0"),
    ("/proc/sys/user/max_user_namespaces", "0"),
];
/// How long a program may take to stand in its network, and a server to accept.
const LIMIT: Duration = Duration::from_secs(10);
/// How often it is asked whether it does.
const TICK: Duration = Duration::from_millis(5);

/// Which side a program is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// It connects to the port; the harness listens there.
    Client,
    /// It listens on the port; the harness connects.
    Server,
}

impl Side {
    const fn name(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Server => "server",
        }
    }
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Text that names no side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this is client or server")]
pub struct UnknownSide;

impl std::str::FromStr for Side {
    type Err = UnknownSide;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let side = [Self::Client, Self::Server].into_iter().find(|side| side.name() == text);
        side.ok_or(UnknownSide)
    }
}

/// Why a program cannot be given a network of its own, or be run in it.
#[derive(Debug, thiserror::Error)]
pub enum IsolateError {
    /// What makes networks is not there.
    #[error("`unshare` cannot be started ({0}); it comes with util-linux, and `isolate` needs it")]
    NoUnshare(#[source] io::Error),
    /// The system does not let this user make one.
    #[error(
        "no network namespace can be made here{}: {said}; `isolate` needs it; run the audit as root, or on a machine that \
         allows it, or make the programs take another port",
        because.map(|(path, value)| format!(" ({path} is {value})")).unwrap_or_default()
    )]
    Forbidden {
        /// The setting that forbids it, and its value, if it is known.
        because: Option<(&'static str, &'static str)>,
        /// What `unshare` says.
        said: String,
    },
    /// Nothing can bring up the loopback interface of the new network.
    #[error(
        "the loopback interface of the new network cannot be brought up: `ip` (iproute2), `ifconfig` or `busybox` is needed \
         for that"
    )]
    NoLoopback,
    /// It is not said what to run.
    #[error("there is no command")]
    NoCommand,
    /// The listener of a client cannot be given to the harness.
    #[error("the harness cannot be reached: {0}")]
    Unreachable(#[source] io::Error),
    /// The harness cannot be given a place to ask for connections.
    #[error("no socket can be made: {0}")]
    NoSocket(#[source] io::Error),
    /// The program cannot be started.
    #[error("`{}` cannot be started: {source}", program.display())]
    NoStart {
        /// The program.
        program: OsString,
        /// What the system says.
        source: io::Error,
    },
}

/// Whether programs can be given a network here.
///
/// # Errors
/// Why not, and what to do.
pub fn check() -> Result<(), IsolateError> {
    let mut command = Command::new(UNSHARE[0]);
    let done = command.args(&UNSHARE[1..]).arg("true").stdin(Stdio::null()).output();
    let output = done.map_err(IsolateError::NoUnshare)?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let said = faults::text::visible(said.lines().next().unwrap_or_default().trim());
    let is_set =
        |(path, value): &(&str, &str)| std::fs::read_to_string(path).is_ok_and(|text| text.trim() == *value);
    Err(IsolateError::Forbidden { because: FORBIDDING.into_iter().find(is_set), said })
}

/// `launch` in a network of its own, as one `side` of `port`. `socket` is where the harness and it meet, and `sim` this
/// program.
#[must_use]
pub fn wrapped(launch: Launch, side: Side, port: u16, socket: &Path, sim: &Path) -> Launch {
    let Launch { program, args, dir, env, keep } = launch;
    let mut words: Vec<OsString> = UNSHARE[1..].iter().map(OsString::from).collect();
    words.extend(["--".into(), sim.into(), "inside".into(), side.name().into(), port.to_string().into()]);
    words.extend([socket.into(), "--".into(), program]);
    words.extend(args);
    Launch { program: UNSHARE[0].into(), args: words, dir, env, keep }
}

/// What our own binary does in the new network before `command` runs there. Returns the exit code of a server, but for one
/// that may have gone into the background: that needs this process for its connections, until it is ended. A client takes
/// this process's place.
///
/// # Errors
/// What does not work, in words.
pub fn inside(side: Side, port: u16, socket: &Path, command: &[OsString]) -> Result<i32, IsolateError> {
    let (program, args) = command.split_first().ok_or(IsolateError::NoCommand)?;
    loopback_up()?;
    let mut command = Command::new(program);
    command.args(args);
    let no_start = |source| IsolateError::NoStart { program: program.clone(), source };
    match side {
        Side::Client => {
            hand_listener(port, socket).map_err(IsolateError::Unreachable)?;
            // It comes back only with an error.
            Err(no_start(command.exec()))
        }
        Side::Server => {
            let meeting = UnixListener::bind(socket).map_err(IsolateError::NoSocket)?;
            spawn(move || serve_dials(&meeting, port));
            let status = command.status().map_err(no_start)?;
            while status.success() {
                park();
            }
            Ok(status.code().unwrap_or(1))
        }
    }
}

fn loopback_up() -> Result<(), IsolateError> {
    for command in LOOPBACK {
        let mut program = Command::new(command[0]);
        let status = program.args(&command[1..]).stdout(Stdio::null()).stderr(Stdio::null()).status();
        if status.is_ok_and(|status| status.success()) {
            return Ok(());
        }
    }
    Err(IsolateError::NoLoopback)
}

/// Makes the listener that the client will find, gives it to the harness, and waits until that is ready.
fn hand_listener(port: u16, socket: &Path) -> io::Result<()> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
    let mut harness = UnixStream::connect(socket)?;
    send(&harness, listener.as_fd())?;
    harness.read_exact(&mut [0])
}

/// Connects to the server whenever the harness asks.
fn serve_dials(meeting: &UnixListener, port: u16) {
    for harness in meeting.incoming().filter_map(Result::ok) {
        let addresses = [SocketAddr::from((Ipv4Addr::LOCALHOST, port)), (Ipv6Addr::LOCALHOST, port).into()];
        // The harness gets no socket then, which tells it all.
        if let Ok(stream) = TcpStream::connect(&addresses[..]) {
            let _ = send(&harness, stream.as_fd());
        }
    }
}

/// The listener of a client that was started just now, and how to tell it that it may begin.
///
/// # Errors
/// If it does not come.
pub fn listener(meeting: &UnixListener, client: &mut Running) -> io::Result<(TcpListener, UnixStream)> {
    meeting.set_nonblocking(true)?;
    let deadline = Instant::now() + LIMIT;
    loop {
        match meeting.accept() {
            Ok((stream, _)) => {
                stream.set_nonblocking(false)?;
                return Ok((receive(&stream)?.into(), stream));
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
        if client.poll()?.is_some() || Instant::now() >= deadline {
            return Err(io::Error::other("it did not come to stand in a network of its own"));
        }
        sleep(TICK);
    }
}

/// Tells a client that it may begin.
///
/// # Errors
/// If it is gone.
pub fn begin(mut client: UnixStream) -> io::Result<()> {
    client.write_all(&[0])
}

/// Connects to a server in a network of its own.
#[must_use]
pub fn dial(socket: &Path) -> Dial {
    let socket = socket.to_owned();
    Arc::new(move || {
        let stream = UnixStream::connect(&socket)?;
        stream.set_read_timeout(Some(LIMIT))?;
        Ok(receive(&stream)?.into())
    })
}

fn send(to: &UnixStream, socket: BorrowedFd<'_>) -> io::Result<()> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    let sockets = [socket];
    control.push(SendAncillaryMessage::ScmRights(&sockets));
    sendmsg(to, &[IoSlice::new(&[0])], &mut control, SendFlags::empty())?;
    Ok(())
}

fn receive(from: &UnixStream) -> io::Result<OwnedFd> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    recvmsg(from, &mut [IoSliceMut::new(&mut [0])], &mut control, RecvFlags::CMSG_CLOEXEC)?;
    let rights = control.drain().find_map(|message| match message {
        RecvAncillaryMessage::ScmRights(mut sockets) => sockets.next(),
        _ => None,
    });
    rights.ok_or_else(|| io::ErrorKind::ConnectionRefused.into())
}
