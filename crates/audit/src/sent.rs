//! The file that is put somewhere to be sent, and where such a path may lead.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Component, Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use super::outcome::Trouble;
use faults::Content;
use process::Template;

/// When the file was last modified, as a time since 1970: some programs send it along, and what they send shall be as long
/// in every run.
const MODIFIED: Duration = Duration::from_secs(1_600_000_000);

/// Whether a path says by itself where it is: absolute on purpose, and shared by all runs.
pub(super) fn is_absolute(path: &Template) -> bool {
    ["/", "{here}", "{sim}"].iter().any(|start| path.text().starts_with(start))
}

/// Whether a path is meant to be in the directories of the run and leads out of them by `..`.
pub(super) fn leads_out(path: &Template) -> bool {
    // What is not in one of the two directories of a run by name is so because it is relative.
    let is_named = path.text().starts_with('{');
    let mut depth = i32::from(!is_named);
    let mut leads_out = |part| {
        depth += match part {
            "" | "." => 0,
            ".." => -1,
            _ => 1,
        };
        depth < 0
    };
    !is_absolute(path) && path.text().split('/').any(&mut leads_out)
}

/// The file that was put somewhere to be sent. If that is not in the run's own directories, it is removed in the end, with
/// the directories that were made for it.
pub(super) struct SentFile {
    file: Option<PathBuf>,
    /// The deepest first.
    made: Vec<PathBuf>,
}

impl SentFile {
    /// Writes `payload` to `path`. Nothing that is there is overwritten; what is not in `root` is removed in the end.
    pub(super) fn put(payload: &Content, path: &Path, root: &Path) -> Result<Self, Trouble> {
        let named = |error: io::Error| format!("`sent`, {}: {error}", path.display());
        let stays = is_within(path, root);
        let mut sent = Self { file: None, made: Vec::new() };
        if let Some(parent) = path.parent() {
            let missing = parent.ancestors().take_while(|dir| fs::symlink_metadata(dir).is_err());
            sent.made = missing.filter(|_| !stays).map(Path::to_owned).collect();
            fs::create_dir_all(parent).map_err(named)?;
        }
        let mut file = File::options().write(true).create_new(true).open(path).map_err(|error| {
            let advice = match error.kind() {
                io::ErrorKind::AlreadyExists => {
                    "; an audit overwrites nothing: remove it, or say another path"
                }
                _ => "",
            };
            named(error) + advice
        })?;
        sent.file = (!stays).then(|| path.to_owned());
        let mut bytes = vec![0; usize::try_from(payload.len()).unwrap_or_default()];
        payload.read_at(0, &mut bytes)?;
        file.write_all(&bytes).map_err(named)?;
        file.set_modified(UNIX_EPOCH + MODIFIED).map_err(named)?;
        Ok(sent)
    }
}

/// Whether `path` is in `root`, whatever links there are: one with `..` is not known to be.
fn is_within(path: &Path, root: &Path) -> bool {
    path.starts_with(root) && path.components().all(|part| part != Component::ParentDir)
}

impl Drop for SentFile {
    fn drop(&mut self) {
        // It may have been moved away, or something else put beside it that is not ours, and that is all the same.
        self.file.iter().for_each(|file| drop(fs::remove_file(file)));
        self.made.iter().for_each(|dir| drop(fs::remove_dir(dir)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_that_leads_out_of_the_directories_of_a_run_is_told_from_one_that_does_not() {
        let out =
            ["../../x", "{client}/../../x", "{server}/a/../../../x", "a/../../../b/c", "{client}x/../../y"];
        for path in out {
            assert!(leads_out(&Template::new(path)), "{path}");
        }
        let inside = ["x", "../x", "../server/{name}", "{client}/../server/x", "{server}/*/../{name}"];
        let on_purpose = ["/x", "/a/../../x", "{here}/x", "{here}/../../x"];
        for path in inside.into_iter().chain(on_purpose) {
            assert!(!leads_out(&Template::new(path)), "{path}");
        }
        assert!(on_purpose.iter().all(|path| is_absolute(&Template::new(*path))));
        assert!(!inside.iter().any(|path| is_absolute(&Template::new(*path))));
    }
}
