//! What can be said to the real server and the real clients, and how addresses, times and sizes are written.

use std::path::PathBuf;
use std::time::Duration;

use bytesize::ByteSize;
use clap::Args as ClapArgs;
use transfer::endpoint::Flaw;

/// The longest deadline that can be asked for: a day.
const MAX_SECONDS: f64 = 86_400.0;

#[derive(Debug, ClapArgs)]
pub(in crate::cli) struct ServeArgs {
    /// Where the files are; made if it is not there
    #[arg(long, value_name = "DIR")]
    pub(in crate::cli) dir: PathBuf,

    /// Where to listen; port 0 takes a free one
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:9999", value_parser = address)]
    pub(in crate::cli) listen: String,

    /// How many connections to serve at once; more are told `busy`
    #[arg(long, value_name = "N", default_value_t = 2_000, value_parser = clap::value_parser!(u32).range(1..))]
    pub(in crate::cli) max_connections: u32,

    /// The largest file to take, such as 500MB or 4GiB [default: no limit]
    #[arg(long, value_name = "SIZE", value_parser = size)]
    pub(in crate::cli) max_file_size: Option<u64>,

    /// How much all files together may take, such as 100GiB [default: no limit]
    #[arg(long, value_name = "SIZE", value_parser = size)]
    pub(in crate::cli) quota: Option<u64>,

    /// End a session when nothing comes for so many seconds
    #[arg(long, value_name = "SECONDS", default_value = "30", value_parser = seconds)]
    pub(in crate::cli) timeout: Duration,

    /// How many large files to hash on a thread of their own at once [default: as many as there are cores, less one]
    #[arg(long, value_name = "N")]
    pub(in crate::cli) hash_threads: Option<u16>,

    /// How many seconds transfers have to finish after SIGINT or SIGTERM
    #[arg(long, value_name = "SECONDS", default_value = "10", value_parser = seconds)]
    pub(in crate::cli) grace: Duration,

    /// Make this mistake (see `sim mutants`)
    #[arg(long, value_name = "NAME", hide = true)]
    pub(in crate::cli) mutant: Option<Flaw>,

    /// Let the disk do this to the first upload, as in a scenario: for audits of the mutants
    #[arg(long, value_name = "FAULT", hide = true)]
    pub(in crate::cli) disk_fault: Option<String>,

    /// Log errors only
    #[arg(long)]
    pub(in crate::cli) quiet: bool,

    /// Print and log as JSON, one object per line
    #[arg(long)]
    pub(in crate::cli) json: bool,
}

/// What all commands of a client have in common.
#[derive(Debug, ClapArgs)]
pub(in crate::cli) struct ClientArgs {
    /// The server
    #[arg(value_name = "HOST:PORT", value_parser = peer)]
    pub(in crate::cli) server: String,

    /// Give up when nothing comes for so many seconds
    #[arg(long, value_name = "SECONDS", default_value = "30", value_parser = seconds)]
    pub(in crate::cli) timeout: Duration,

    /// Try again so often after a failed check or a broken connection
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(in crate::cli) retries: u32,

    /// How many large files to hash on a thread of their own at once [default: as many as there are cores, less one]
    #[arg(long, value_name = "N")]
    pub(in crate::cli) hash_threads: Option<u16>,

    /// Make this mistake (see `sim mutants`)
    #[arg(long, value_name = "NAME", hide = true)]
    pub(in crate::cli) mutant: Option<Flaw>,

    /// Print nothing but errors
    #[arg(long)]
    pub(in crate::cli) quiet: bool,

    /// Print JSON, one object per line, described in docs/json.md
    #[arg(long)]
    pub(in crate::cli) json: bool,
}

#[derive(Debug, ClapArgs)]
pub(in crate::cli) struct LsArgs {
    #[command(flatten)]
    pub(in crate::cli) client: ClientArgs,
}

#[derive(Debug, ClapArgs)]
pub(in crate::cli) struct PutArgs {
    #[command(flatten)]
    pub(in crate::cli) client: ClientArgs,

    /// The files to upload
    #[arg(value_name = "FILE", required = true)]
    pub(in crate::cli) files: Vec<PathBuf>,

    /// The name on the server, for a single file [default: its own]
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) name: Option<String>,
}

#[derive(Debug, ClapArgs)]
pub(in crate::cli) struct GetArgs {
    #[command(flatten)]
    pub(in crate::cli) client: ClientArgs,

    /// The file's id, 8 digits of its beginning or more, or its name
    ///
    /// 32 hex digits are an id and nothing else. What can be a name and the beginning of an id, or the name of several
    /// files, is refused, and the files are shown.
    #[arg(value_name = "ID|NAME")]
    pub(in crate::cli) wanted: String,

    /// Where to put it: a path, or a directory [default: here, under its name]
    #[arg(short, long, value_name = "FILE")]
    pub(in crate::cli) output: Option<PathBuf>,

    /// Replace a file that is there already
    #[arg(long)]
    pub(in crate::cli) force: bool,
}

#[derive(Debug, ClapArgs)]
pub(in crate::cli) struct SessionArgs {
    #[command(flatten)]
    pub(in crate::cli) client: ClientArgs,

    /// The file to send [default: 123,456 bytes of noise]
    #[arg(value_name = "FILE")]
    pub(in crate::cli) file: Option<PathBuf>,
}

/// Checks the form of an address; whether anybody is there shows when it is used.
pub(in crate::cli) fn address(text: &str) -> Result<String, String> {
    let form = "expected HOST:PORT, such as 127.0.0.1:9999 or [::1]:9999";
    match text.rsplit_once(':') {
        Some(("", _)) | None => Err(form.into()),
        Some((host, _)) if host.contains(':') && !host.starts_with('[') => Err(form.into()),
        Some((_, port)) if port.parse::<u16>().is_err() => {
            Err(format!("`{port}` is no port, which is a number from 0 to 65535"))
        }
        Some(_) => Ok(text.to_owned()),
    }
}

/// The same for the address of somebody who is to be reached.
pub(in crate::cli) fn peer(text: &str) -> Result<String, String> {
    let address = address(text)?;
    match address.rsplit_once(':').and_then(|(_, port)| port.parse::<u16>().ok()) {
        Some(0) => Err("port 0 is nobody's: expected a port from 1 to 65535".into()),
        _ => Ok(address),
    }
}

fn seconds(text: &str) -> Result<Duration, String> {
    let number = text.parse::<f64>().ok().filter(|number| *number > 0.0 && *number <= MAX_SECONDS);
    let expected = || format!("expected a number of seconds, more than 0 and at most {MAX_SECONDS}");
    number.map(Duration::from_secs_f64).ok_or_else(expected)
}

fn size(text: &str) -> Result<u64, String> {
    let parsed = text.parse::<ByteSize>().map_err(|_| "expected a size, such as 4096, 500MB or 4GiB")?;
    Ok(parsed.as_u64())
}
