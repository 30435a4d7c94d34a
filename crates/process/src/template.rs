//! Text with placeholders, and the command lines that it becomes. All that run programs for somebody write them alike.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::path::{Path, is_separator};

use super::{Launch, shell};

/// What can stand in braces. Who reads a template says which of them have a value there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Placeholder {
    /// Where to listen, for a server; where to connect, for a client.
    Host,
    /// The port for that.
    Port,
    /// A second port of the server.
    Data,
    /// The path of the file to send.
    File,
    /// The name of the file.
    Name,
    /// The MD5 of the file.
    Id,
    /// The first digits of that.
    Beginning,
    /// The path of the file that is received.
    Received,
    /// The directory in which the server runs.
    Server,
    /// The directory in which the client runs.
    Client,
    /// The directory in which what is written is at home: that of a file, or on a command line the one where it was given.
    Here,
    /// The program that runs all this.
    Sim,
}

/// Each placeholder with its name.
const NAMES: [(Placeholder, &str); 12] = [
    (Placeholder::Host, "host"),
    (Placeholder::Port, "port"),
    (Placeholder::Data, "data"),
    (Placeholder::File, "file"),
    (Placeholder::Name, "name"),
    (Placeholder::Id, "id"),
    (Placeholder::Beginning, "beginning"),
    (Placeholder::Received, "received"),
    (Placeholder::Server, "server"),
    (Placeholder::Client, "client"),
    (Placeholder::Here, "here"),
    (Placeholder::Sim, "sim"),
];

/// What some were called before they had one name everywhere: scripts and notes of others still say so.
const OLD_NAMES: [(Placeholder, &str); 3] =
    [(Placeholder::Received, "out"), (Placeholder::Server, "dir"), (Placeholder::Here, "cwd")];

impl Placeholder {
    /// All of them.
    pub const ALL: [Self; NAMES.len()] = {
        let mut all = [Self::Host; NAMES.len()];
        let mut index = 0;
        while index < all.len() {
            all[index] = NAMES[index].0;
            index += 1;
        }
        all
    };

    /// How it is written, without the braces.
    #[must_use]
    pub fn name(self) -> &'static str {
        NAMES.iter().find(|(placeholder, _)| *placeholder == self).map_or("", |(_, name)| name)
    }

    /// The variable that has its value in the environment of a program.
    #[must_use]
    pub fn variable(self) -> String {
        self.name().to_ascii_uppercase()
    }

    /// The one that is written like this, or was.
    fn of(name: &str) -> Option<Self> {
        NAMES.iter().chain(&OLD_NAMES).find(|(_, its)| *its == name).map(|(placeholder, _)| *placeholder)
    }
}

impl fmt::Display for Placeholder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{{{}}}", self.name())
    }
}

/// Values for placeholders.
pub type Values = BTreeMap<Placeholder, String>;

/// What is wrong with a template.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// As a command it has no word.
    #[error("this command is empty")]
    Empty,
    /// As a command it cannot be split.
    #[error("a quotation mark in this command is never closed")]
    Quotes,
    /// It has a placeholder that there is none of.
    #[error("there is no placeholder {{{name}}}; there are {}", list(known))]
    Unknown {
        /// What stands in the braces.
        name: String,
        /// Where that begins in the text, in bytes.
        at: usize,
        /// Which there are.
        known: &'static [Placeholder],
    },
    /// A value cannot be put into the script of a shell without becoming text of it.
    #[error(
        "`{command}`: {placeholder} is {value:?} here, and a shell would take that apart where it stands in this \
         script: say \"${}\" there, in a script within a script too; every program has it in its environment",
        placeholder.variable()
    )]
    Script {
        /// The whole command.
        command: String,
        /// What stands in the script.
        placeholder: Placeholder,
        /// Its value.
        value: String,
    },
}

fn list(known: &[Placeholder]) -> String {
    known.iter().map(Placeholder::to_string).collect::<Vec<_>>().join(", ")
}

/// Text with placeholders such as `{port}`. Braces around anything but one lower-case word stand for themselves.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Template(String);

impl Template {
    /// The text as it is: its placeholders are known to be right.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Text of somebody else. Names of old become those of today.
    ///
    /// # Errors
    /// If a placeholder is none of those that are `known`.
    pub fn parse(text: &str, known: &'static [Placeholder]) -> Result<Self, TemplateError> {
        let (mut written, mut rest) = (String::new(), text);
        while let Some((before, name, after)) = next(rest) {
            let Some(placeholder) = Placeholder::of(name).filter(|it| known.contains(it)) else {
                let at = text.len() - rest.len() + before.len() + 1;
                return Err(TemplateError::Unknown { name: name.to_owned(), at, known });
            };
            written.push_str(before);
            written.push_str(&placeholder.to_string());
            rest = after;
        }
        Ok(Self(written + rest))
    }

    /// A command line of somebody else.
    ///
    /// # Errors
    /// The same, and if it cannot be split into words.
    pub fn parse_command(text: &str, known: &'static [Placeholder]) -> Result<Self, TemplateError> {
        let command = Self::parse(text, known)?;
        match shlex::split(&command.0) {
            None => Err(TemplateError::Quotes),
            Some(words) if words.is_empty() => Err(TemplateError::Empty),
            Some(_) => Ok(command),
        }
    }

    /// As it is written.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.0
    }

    /// Whether it has this placeholder.
    #[must_use]
    pub fn has(&self, placeholder: Placeholder) -> bool {
        self.0.contains(&placeholder.to_string())
    }

    /// Whether it has this placeholder, or names the variable with its value, as scripts do.
    #[must_use]
    pub fn tells(&self, placeholder: Placeholder) -> bool {
        self.has(placeholder) || self.0.contains(&placeholder.variable())
    }

    /// With its placeholders replaced. One without a value stays.
    #[must_use]
    pub fn fill(&self, values: &Values) -> String {
        fill(&self.0, values)
    }

    /// A command line that was given in the directory `here` and is to be run in another: its words that are paths of what is
    /// there now begin with `{here}`. A path has a separator, as `./client` has, or, behind the program, an extension, as
    /// `client.py` has. A bare word as `put` is none, also if a file has its name.
    #[must_use]
    pub fn at_home(self, here: &Path) -> Self {
        let Some(words) = shlex::split(&self.0) else { return self };
        let at_home = |(index, word): (usize, String)| {
            let path = Path::new(&word);
            // A program without a separator is looked up in PATH.
            let is_path = match word.contains(is_separator) {
                true => here.join(path).exists(),
                false => index > 0 && path.extension().is_some() && here.join(path).is_file(),
            };
            if !is_path || path.is_absolute() {
                return word;
            }
            format!("{}/{}", Placeholder::Here, word.trim_start_matches("./"))
        };
        let words: Vec<String> = words.into_iter().enumerate().map(at_home).collect();
        let joined = shlex::try_join(words.iter().map(String::as_str));
        joined.map_or(self, Self)
    }

    /// The command line, to be started in `dir` with `env`. What placeholders stand for, it has in its environment too.
    ///
    /// # Errors
    /// If a placeholder cannot be replaced where it stands.
    pub fn launch(
        &self,
        values: &Values,
        env: &[(String, Self)],
        dir: &Path,
    ) -> Result<Launch, TemplateError> {
        let taken: Vec<&str> = env.iter().map(|(name, _)| name.as_str()).collect();
        let mut words = self.words(values, &taken)?.into_iter();
        let program = words.next().unwrap_or_default();
        // A program that is ended in the middle shall not take its last words with it.
        let unbuffered = [("PYTHONUNBUFFERED".into(), "1".into())];
        let ours = values.iter().map(|(placeholder, value)| (placeholder.variable().into(), value.into()));
        let given = env.iter().map(|(name, value)| (name.into(), value.fill(values).into()));
        let env = unbuffered.into_iter().chain(ours).chain(given).collect();
        Ok(Launch { program, args: words.collect(), dir: dir.to_owned(), env, keep: Vec::new() })
    }

    /// Split as a shell would before the placeholders are replaced: a path with a space stays one word. In the script of a
    /// shell they are replaced so that they stay values; of the variables `taken` the programs have others than ours.
    fn words(&self, values: &Values, taken: &[&str]) -> Result<Vec<OsString>, TemplateError> {
        let words = shlex::split(&self.0).ok_or(TemplateError::Quotes)?;
        let script = shell::script(&words);
        let fill = |(index, word): (usize, &String)| match script == Some(index) {
            true => shell::fill(word, values, taken).map(OsString::from),
            false => Ok(fill(word, values).into()),
        };
        let filled: Result<_, _> = words.iter().enumerate().map(fill).collect();
        filled.map_err(|(placeholder, value)| TemplateError::Script {
            command: self.0.clone(),
            placeholder,
            value: value.clone(),
        })
    }
}

fn fill(text: &str, values: &Values) -> String {
    let (mut filled, mut rest) = (String::new(), text);
    while let Some((before, name, after)) = next(rest) {
        filled.push_str(before);
        match value(name, values) {
            Some((_, value)) => filled.push_str(value),
            None => filled.push_str(&format!("{{{name}}}")),
        }
        rest = after;
    }
    filled + rest
}

/// The placeholder with this name, and its value, if it has one.
pub(super) fn value<'a>(name: &str, values: &'a Values) -> Option<(Placeholder, &'a String)> {
    let placeholder = Placeholder::of(name)?;
    Some((placeholder, values.get(&placeholder)?))
}

/// The first word in braces, with what is before and behind it.
pub(super) fn next(text: &str) -> Option<(&str, &str, &str)> {
    let mut from = 0;
    while let Some(open) = text[from..].find('{').map(|at| from + at) {
        let end = text[open + 1..].find(|c: char| !c.is_ascii_lowercase()).map(|at| open + 1 + at);
        match end {
            Some(end) if end > open + 1 && text[end..].starts_with('}') => {
                return Some((&text[..open], &text[open + 1..end], &text[end + 1..]));
            }
            _ => from = open + 1,
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOME: &[Placeholder] = &[Placeholder::Port, Placeholder::Server, Placeholder::Here];

    #[test]
    fn an_unknown_placeholder_is_found_where_it_stands() {
        let error = Template::parse("{port} {print x} {}{host}", SOME).unwrap_err();
        assert_eq!(error, TemplateError::Unknown { name: "host".into(), at: 20, known: SOME });
        assert_eq!(error.to_string(), "there is no placeholder {host}; there are {port}, {server}, {here}");
        assert_eq!(Template::parse_command(" ", SOME), Err(TemplateError::Empty));
        assert_eq!(Template::parse_command("a 'b", SOME), Err(TemplateError::Quotes));
    }

    #[test]
    fn a_name_of_old_means_that_of_today() {
        let template = Template::parse("a --dir={dir} {cwd}/x {x y}", SOME).unwrap();
        assert_eq!(template.text(), "a --dir={server} {here}/x {x y}");
        assert!(Template::parse("{out}", SOME).is_err(), "there is no {{received}}, either");
        assert!(Placeholder::ALL.iter().all(|it| Placeholder::of(it.name()) == Some(*it)));
    }

    #[test]
    fn a_value_is_no_template() {
        let values = Values::from([(Placeholder::Port, "{here}".into()), (Placeholder::Here, "/a b".into())]);
        assert_eq!(Template::new("{port} {here} {name}").fill(&values), "{here} /a b {name}");
        let launch = Template::new("x '{here}/y z' {port}").launch(&values, &[], Path::new("/")).unwrap();
        assert_eq!((launch.program, launch.args), ("x".into(), vec!["/a b/y z".into(), "{here}".into()]));
        assert!(launch.env.contains(&("HERE".into(), "/a b".into())));
    }

    #[test]
    fn only_what_is_a_path_is_at_home() {
        let dir = tempfile::tempdir().unwrap();
        let here = dir.path();
        std::fs::create_dir_all(here.join("lib.d")).unwrap();
        for name in ["put", "sh", "python3", "client", "client.py", "a b.py", "lib.d/x"] {
            std::fs::write(here.join(name), "").unwrap();
        }
        let cases = [
            ("./client put {port}", "'{here}/client' put '{port}'"),
            ("python3 client.py {port}", "python3 '{here}/client.py' '{port}'"),
            ("python3 -u 'a b.py' lib.d/x", "python3 -u '{here}/a b.py' '{here}/lib.d/x'"),
            ("sh client lib.d ./put", "sh client lib.d '{here}/put'"),
            ("sh -c './client {port}'", "sh -c './client {port}'"),
            ("./other other.py /etc/passwd", "./other other.py /etc/passwd"),
        ];
        for (given, expected) in cases {
            let template = Template::parse(given, SOME).unwrap().at_home(here);
            assert_eq!(shlex::split(template.text()), shlex::split(expected), "{given}");
        }
    }
}
