//! Programs as processes on loopback: our own server and client, and what others use to move a file and check its
//! MD5. Each moves the same file once per call and is checked to have moved it right; what is not installed is left
//! out.

use std::fs;
use std::io::{self, BufRead, BufReader, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use process::free_port;
use tempfile::TempDir;

/// How often a port is tried until its server listens, and how long apart: ten seconds in all.
const TRIES: u32 = 500;
const PAUSE: Duration = Duration::from_millis(20);

/// A process that is ended when this is dropped.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Our server, running.
pub struct Served {
    sim: PathBuf,
    server: Running,
    address: String,
    directory: TempDir,
}

impl Served {
    /// Starts `sim serve` on a free port, in a directory under `place`.
    ///
    /// # Errors
    /// If it does not say that it listens.
    pub fn start(sim: &Path, place: &Path) -> io::Result<Self> {
        let directory = TempDir::new_in(place)?;
        let mut command = Command::new(sim);
        command.args(["serve", "--quiet", "--listen", "127.0.0.1:0", "--dir"]);
        let mut child = command.arg(directory.path().join("store")).stdout(Stdio::piped()).spawn()?;
        let output = child.stdout.take();
        let server = Running(child);
        let mut line = String::new();
        BufReader::new(output.ok_or_else(|| io::Error::other("no output"))?).read_line(&mut line)?;
        let address = line.trim().rsplit(' ').next().unwrap_or_default().to_owned();
        Ok(Self { sim: sim.to_owned(), server, address, directory })
    }

    /// Uploads files in one session. Returns the most memory that the client had resident, in bytes, where the system
    /// tells.
    ///
    /// # Errors
    /// If it does not say that each was a success.
    pub fn put(&self, files: &[PathBuf]) -> io::Result<Option<u64>> {
        let mut command = Command::new(&self.sim);
        command.args(["put", "--quiet", &self.address]).args(files);
        finish(command)
    }

    /// Downloads the file with this name to a fresh place, and deletes it.
    ///
    /// # Errors
    /// If it does not say that it was a success.
    pub fn get(&self, name: &str) -> io::Result<Option<u64>> {
        let target = self.directory.path().join("down");
        let mut command = Command::new(&self.sim);
        command.args(["get", "--quiet", &self.address, name, "-o"]).arg(&target);
        let memory = finish(command)?;
        fs::remove_file(target)?;
        Ok(memory)
    }

    /// The most memory that the server had resident, in bytes, where the system tells.
    #[must_use]
    pub fn memory(&self) -> Option<u64> {
        resident(self.server.0.id())
    }
}

/// Runs a command to its end. Returns the most memory that it had resident, as far as it was seen.
fn finish(mut command: Command) -> io::Result<Option<u64>> {
    let mut child = Running(command.spawn()?);
    let mut most = None;
    loop {
        most = most.max(resident(child.0.id()));
        match child.0.try_wait()? {
            None => thread::sleep(PAUSE / 10),
            Some(status) if status.success() => return Ok(most),
            Some(status) => return Err(io::Error::other(format!("{command:?}: {status}"))),
        }
    }
}

/// The peak of a process's resident memory, in bytes: Linux tells.
fn resident(process: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    let kibibytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kibibytes * 1024)
}

/// A way in which others move a file and check its MD5.
pub struct Other {
    /// What it is called in the table.
    pub name: &'static str,
    /// The programs it needs.
    pub needs: &'static [&'static str],
    /// Whether it uploads or downloads makes no difference to it: what it does with the file at a path, in a directory.
    pub run: fn(&Path, &Path) -> io::Result<()>,
}

/// The others.
pub const OTHERS: &[Other] = &[
    Other { name: "rsync daemon", needs: &["rsync"], run: rsync },
    Other { name: "nc, md5sum both", needs: &["nc", "md5sum", "sh"], run: nc },
    Other { name: "http.server, curl", needs: &["python3", "curl", "md5sum", "sh"], run: http },
];

fn await_port(port: u16) -> io::Result<()> {
    for _ in 0..TRIES {
        if TcpStream::connect(("127.0.0.1", port)).is_ok() {
            return Ok(());
        }
        thread::sleep(PAUSE);
    }
    Err(io::Error::other("the server does not listen"))
}

/// A shell command with the file as `$1` and the port as `$2`, in `directory`.
fn shell(script: &str, file: &Path, port: u16, directory: &Path) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", script, "sh"]).arg(file).arg(port.to_string()).current_dir(directory);
    command
}

/// rsync's own check of the whole file (MD5 or xxHash, as its build prefers) is always on for what it transfers.
fn rsync(file: &Path, directory: &Path) -> io::Result<()> {
    let port = free_port()?;
    let (config, module) = (directory.join("rsyncd.conf"), directory.join("module"));
    fs::create_dir(&module)?;
    // A daemon that root starts would become somebody who may not write here.
    let text = format!(
        "use chroot = no\n[files]\npath = {}\nread only = no\nuid = {}\n",
        module.display(),
        owner(directory)?
    );
    fs::write(&config, text)?;
    let mut daemon = Command::new("rsync");
    daemon.args(["--daemon", "--no-detach", "--address=127.0.0.1", &format!("--port={port}")]);
    let _daemon = Running(daemon.arg("--config").arg(&config).spawn()?);
    await_port(port)?;
    let mut client = Command::new("rsync");
    client.args(["--whole-file", "--checksum-choice=md5"]).arg(file);
    finish(with(client, &format!("rsync://127.0.0.1:{port}/files/"))).map(drop)
}

#[cfg(unix)]
fn owner(path: &Path) -> io::Result<u32> {
    Ok(std::os::unix::fs::MetadataExt::uid(&fs::metadata(path)?))
}

#[cfg(not(unix))]
fn owner(_path: &Path) -> io::Result<u32> {
    Ok(0)
}

fn with(mut command: Command, argument: &str) -> Command {
    command.arg(argument);
    command
}

/// Plain TCP: one `nc` sends what it reads, another receives; both ends pipe it into `md5sum` as well.
fn nc(file: &Path, directory: &Path) -> io::Result<()> {
    const RECEIVE: &str = "nc -l 127.0.0.1 \"$2\" | tee received | md5sum > received.md5";
    const SEND: &str = "mkfifo copy && { md5sum < copy > sent.md5 & } && \
        tee copy < \"$1\" | nc -N 127.0.0.1 \"$2\"; wait";
    let port = free_port()?;
    let mut receiver = Running(shell(RECEIVE, file, port, directory).spawn()?);
    await_listener(port)?;
    finish(shell(SEND, file, port, directory))?;
    receiver.0.wait()?;
    let digest = |name: &str| fs::read_to_string(directory.join(name));
    if digest("sent.md5")? == digest("received.md5")? {
        Ok(())
    } else {
        Err(io::Error::other("nc: the digests differ"))
    }
}

/// Waits for a listener without connecting to it: it would take that for the transfer.
fn await_listener(port: u16) -> io::Result<()> {
    const LISTEN: &str = "0A";
    let address = format!(":{port:04X}");
    for _ in 0..TRIES {
        let table = fs::read_to_string("/proc/net/tcp")?;
        let listens = |line: &str| {
            let mut fields = line.split_whitespace().skip(1);
            fields.next().is_some_and(|local| local.ends_with(&address)) && fields.nth(1) == Some(LISTEN)
        };
        if table.lines().any(listens) {
            return Ok(());
        }
        thread::sleep(PAUSE);
    }
    Err(io::Error::other("the receiver does not listen"))
}

fn http(file: &Path, directory: &Path) -> io::Result<()> {
    let port = free_port()?;
    let (Some(parent), Some(name)) = (file.parent(), file.file_name()) else {
        return Err(io::ErrorKind::InvalidInput.into());
    };
    let mut server = Command::new("python3");
    server.args(["-m", "http.server", "--bind", "127.0.0.1", &port.to_string(), "--directory"]).arg(parent);
    let _server = Running(server.stdout(Stdio::null()).stderr(Stdio::null()).spawn()?);
    await_port(port)?;
    let script = format!(
        "curl -sSf \"http://127.0.0.1:$2/{}\" | tee received | md5sum > received.md5",
        name.to_string_lossy()
    );
    finish(shell(&script, file, port, directory)).map(drop)
}

/// Writes `count` files of `size` bytes of noise each, no two alike, into `directory`.
///
/// # Errors
/// If they cannot be written.
pub fn small_files(directory: &Path, count: u64, size: u64) -> io::Result<Vec<PathBuf>> {
    let write = |seed| {
        let path = directory.join(format!("small-{seed}"));
        let mut bytes = vec![0; usize::try_from(size).map_err(io::Error::other)?];
        faults::Content::Noise { seed, len: size }.read_at(0, &mut bytes)?;
        fs::File::create(&path)?.write_all(&bytes)?;
        Ok(path)
    };
    (0..count).map(write).collect()
}
