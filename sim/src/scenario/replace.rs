//! Puts a real file in the place of a scenario's own.

use std::fmt;
use std::path::Path;

use protocol::{FileName, NameError};

use super::{ClientStep, Expect, Scenario, ScenarioCommand, ServerStep, Source, Step};

/// Why a file cannot take the place of a scenario's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReplaceError {
    /// The scenario has this many files, so it is not clear which one is meant.
    NotOneFile(usize),
    /// The path names a directory.
    NoName,
    /// The file's name is not UTF-8, which the protocol requires.
    NotUtf8,
    /// The path does not end in a file name that the protocol can carry.
    BadName(NameError),
}

impl fmt::Display for ReplaceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotOneFile(count) => {
                write!(f, "the scenario has {count} files; only one that has exactly one can take another")
            }
            Self::NoName => f.write_str("this is a directory, not a file"),
            Self::NotUtf8 => {
                f.write_str("the name is not UTF-8, so the protocol cannot carry it: rename a copy")
            }
            Self::BadName(rule) => rule.fmt(f),
        }
    }
}

impl std::error::Error for ReplaceError {}

impl Scenario {
    /// Gives every file of noise this many bytes. Says whether there is any.
    pub fn resize_noise(&mut self, bytes: u64) -> bool {
        let mut any = false;
        for source in self.files.values_mut() {
            if let Source::Noise(size) = &mut source.value {
                (*size, any) = (bytes, true);
            }
        }
        any
    }
}

impl Scenario {
    /// Puts the file at `path` in the place of the scenario's only file. Every step, command
    /// and expectation that names the one names the other from now on.
    ///
    /// # Errors
    /// See [`ReplaceError`]. Whether the file is there is found out when it is opened.
    pub fn replace_file(&mut self, path: &Path) -> Result<(), ReplaceError> {
        let count = self.files.len();
        let name = path.file_name().ok_or(ReplaceError::NoName)?.to_str().ok_or(ReplaceError::NotUtf8)?;
        let new = FileName::parse(name).map_err(ReplaceError::BadName)?;
        let (1, Some((old, mut source))) = (count, self.files.pop_first()) else {
            return Err(ReplaceError::NotOneFile(count));
        };
        for step in &mut self.steps {
            replace(names_of_step(&mut step.value), &old, &new);
        }
        for command in self.clients.iter_mut().flatten() {
            replace(names_of_command(&mut command.value), &old, &new);
        }
        for expect in &mut self.expect {
            if let Expect::Lists(names) = &mut expect.value {
                replace(names.iter_mut().collect(), &old, &new);
                names.sort();
            }
        }
        source.value = Source::Path(path.to_owned());
        self.files.insert(new, source);
        Ok(())
    }
}

fn names_of_step(step: &mut Step) -> Vec<&mut FileName> {
    match step {
        Step::Client(ClientStep::Upload(name) | ClientStep::Download(name)) => vec![name],
        Step::Server(ServerStep::Files(names)) => names.iter_mut().collect(),
        _ => Vec::new(),
    }
}

fn names_of_command(command: &mut ScenarioCommand) -> Vec<&mut FileName> {
    match command {
        ScenarioCommand::Upload { file, name } => vec![file, name],
        ScenarioCommand::Download { name } => vec![name],
        ScenarioCommand::ListFiles | ScenarioCommand::DownloadId { .. } | ScenarioCommand::Disconnect => {
            Vec::new()
        }
    }
}

fn replace(names: Vec<&mut FileName>, old: &FileName, new: &FileName) {
    for name in names.into_iter().filter(|name| *name == old) {
        *name = new.clone();
    }
}
