//! One end of a plain socket, with nothing of the project in between but the parser of a listing.

use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use protocol::Entry;

use super::PATIENCE;

/// How long nothing has to come to be called silence. It can only make a test pass that should fail.
const SILENCE: Duration = Duration::from_millis(50);

/// A connection that nobody waits for without an end.
pub(crate) struct Raw {
    stream: BufReader<TcpStream>,
}

impl Raw {
    pub(crate) fn connect(address: &str) -> Self {
        Self::over(TcpStream::connect(address).unwrap())
    }

    pub(crate) fn over(stream: TcpStream) -> Self {
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        Self { stream: BufReader::new(stream) }
    }

    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) -> io::Result<()> {
        self.stream.get_mut().write_all(bytes.as_ref())
    }

    /// The next line without its LF; an error at the end of the stream.
    pub(crate) fn line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        self.stream.read_line(&mut line)?;
        match line.strip_suffix('\n') {
            Some(line) => Ok(line.to_owned()),
            None => Err(ErrorKind::UnexpectedEof.into()),
        }
    }

    pub(crate) fn exactly(&mut self, count: usize) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; count];
        self.stream.read_exact(&mut bytes)?;
        Ok(bytes)
    }

    /// The next bytes must be these.
    pub(crate) fn expect(&mut self, bytes: impl AsRef<[u8]>) {
        let bytes = bytes.as_ref();
        let came = self.exactly(bytes.len()).unwrap();
        assert!(came == bytes, "{:?} came, not {:?}", show(&came), show(bytes));
    }

    /// The peer must end its side without another byte.
    pub(crate) fn expect_end(&mut self) {
        let rest = self.rest().unwrap();
        assert!(rest.is_empty(), "{:?} came, not the end", show(&rest));
    }

    /// Everything up to the end of the peer's side.
    pub(crate) fn rest(&mut self) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.stream.read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    /// What comes at once: nothing if the peer is silent, an empty piece at its end.
    pub(crate) fn at_once(&mut self) -> io::Result<Option<Vec<u8>>> {
        self.stream.get_mut().set_read_timeout(Some(SILENCE))?;
        let came = self.stream.fill_buf().map(<[u8]>::to_vec);
        self.stream.get_mut().set_read_timeout(Some(PATIENCE))?;
        match came {
            Ok(bytes) => {
                self.stream.consume(bytes.len());
                Ok(Some(bytes))
            }
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Ends this side.
    pub(crate) fn finish(&self) {
        self.stream.get_ref().shutdown(Shutdown::Write).unwrap();
    }

    /// Ends this side, if the connection still stands.
    pub(crate) fn finish_if_open(&self) {
        let _ = self.stream.get_ref().shutdown(Shutdown::Write);
    }

    /// Breaks the connection: the peer gets a reset, not an end.
    pub(crate) fn reset(self) {
        socket2::SockRef::from(self.stream.get_ref()).set_linger(Some(Duration::ZERO)).unwrap();
    }

    /// Sends a line and returns the reply to it.
    pub(crate) fn ask(&mut self, line: &str) -> io::Result<String> {
        self.send(format!("{line}\n"))?;
        self.line()
    }

    pub(crate) fn list(&mut self) -> io::Result<Vec<Entry>> {
        let mut line = self.ask("LIST_FILES")?;
        let mut entries = Vec::new();
        while !line.is_empty() {
            if line != protocol::wire::NO_FILES {
                entries.push(Entry::parse(&line).unwrap_or_else(|error| panic!("{line}: {error}")));
            }
            line = self.line()?;
        }
        Ok(entries)
    }

    /// Announces an upload, and returns the server's reply to the details.
    pub(crate) fn announce(&mut self, name: &str, size: usize) -> io::Result<String> {
        self.ask("UPLOAD")?;
        self.ask(&format!("{name};{size}"))
    }

    /// Uploads, and returns what the server said at last: the hash, or a refusal.
    pub(crate) fn put(&mut self, name: &str, content: &[u8]) -> io::Result<String> {
        let reply = self.announce(name, content.len())?;
        if reply.starts_with("ERROR ") {
            return Ok(reply);
        }
        self.send(content)?;
        self.line()
    }

    /// Downloads the content with this id, or returns the refusal.
    pub(crate) fn get(&mut self, id: &str) -> io::Result<Result<Vec<u8>, String>> {
        self.ask("DOWNLOAD")?;
        let size = self.ask(id)?;
        match size.parse() {
            Ok(size) => Ok(Ok(self.exactly(size)?)),
            Err(_) => Ok(Err(size)),
        }
    }
}

fn show(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
