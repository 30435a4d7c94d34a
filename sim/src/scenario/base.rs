//! A scenario that builds on another: finding the base, and never going round
//! in a ring.

use std::fs;
use std::path::{Path, PathBuf};

use super::draft::{self, Draft};
use notation::error::Mistake;
use notation::piece::Piece;
use notation::place::SourceFile;
use notation::read;
use notation::reader::Reader;
use notation::suggest;

/// How many scenarios can build on each other, one on the next.
pub const MAX_BASES: usize = 8;

/// The files from the one being read down to the present base.
#[derive(Default)]
pub(super) struct Chain(Vec<Link>);

struct Link {
    /// As it is shown.
    shown: PathBuf,
    /// The same for every way to write the path.
    identity: PathBuf,
}

impl Link {
    fn new(path: &Path) -> Self {
        let identity = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        Self { shown: path.to_owned(), identity }
    }
}

/// Reads the base that `piece` names. `None` if there is a mistake, which is
/// shown where the base is named unless it is inside the base.
pub(super) fn load(reader: &mut Reader, chain: &mut Chain, piece: Piece<'_>, dir: &Path) -> Option<Draft> {
    let name: String = reader.value(piece, "`base`", "the path of a scenario in double quotes")?;
    let path = dir.join(&name);
    let text = match enter(chain, &path).and_then(|()| read_text(&name, &path)) {
        Ok(text) => text,
        Err((message, help)) => {
            reader.mistakes.add(|| Mistake::at(&piece.place(), message).help(help));
            return None;
        }
    };
    draft::read(reader, chain, &SourceFile::new(&path, text))
}

/// What is wrong with a base, and what to write instead.
type Problem = (String, Option<String>);

fn enter(chain: &Chain, path: &Path) -> Result<(), Problem> {
    let link = Link::new(path);
    if let Some(first) = chain.0.iter().position(|other| other.identity == link.identity) {
        return Err((
            format!("these scenarios build on each other in a ring: {}", ring(&chain.0[first..])),
            None,
        ));
    }
    if chain.0.len() > MAX_BASES {
        return Err((format!("at most {MAX_BASES} scenarios can build on each other"), None));
    }
    Ok(())
}

fn ring(links: &[Link]) -> String {
    let members = links.iter().chain(links.first());
    let shown: Vec<String> = members.map(|link| link.shown.display().to_string()).collect();
    shown.join(" -> ")
}

fn read_text(name: &str, path: &Path) -> Result<String, Problem> {
    read::scenario(path)
        .map_err(|problem| (format!("the base {} {}", suggest::quoted(name), problem.message), problem.help))
}

impl Chain {
    /// Runs `inside` with `path` at the end of the chain.
    pub(super) fn with<T>(&mut self, path: &Path, inside: impl FnOnce(&mut Self) -> T) -> T {
        self.0.push(Link::new(path));
        let result = inside(self);
        self.0.pop();
        result
    }
}
