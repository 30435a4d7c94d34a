//! Placeholders in scripts for a shell. A directory may be called `d ir;touch X`: what a placeholder stands for never
//! becomes text of the script. Every program has the same values in its environment, `$HERE` for `{here}`; so where one is
//! more than a plain word, the placeholder becomes a reference to that, in quotation marks.

use super::template::{Placeholder, Values, next, value};

/// Programs that take a script as the word behind `-c`.
const SHELLS: [&str; 7] = ["sh", "bash", "dash", "ash", "ksh", "mksh", "zsh"];
/// Other words by which text of a script becomes a script of its own.
const NESTING: [&str; 4] = ["eval", "su", "ssh", "runuser"];

/// Which of the words of a command line is a script for a shell, if one is.
pub(super) fn script(words: &[String]) -> Option<usize> {
    let shell = words.iter().position(|word| is_shell(word))?;
    let mut is_script_next = false;
    let mut index = shell + 1;
    while let Some(option) = words.get(index).and_then(|word| word.strip_prefix(['-', '+'])) {
        let is_short = !option.starts_with('-');
        is_script_next |= is_short && option.contains('c');
        // The word behind these belongs to them, as in `-o errexit`.
        index += if is_short && option.ends_with(['o', 'O']) { 2 } else { 1 };
    }
    (is_script_next && index < words.len()).then_some(index)
}

fn is_shell(word: &str) -> bool {
    SHELLS.contains(&word.rsplit('/').next().unwrap_or(word))
}

/// The script with its placeholders replaced. Of `taken`, the programs have other values in their environment.
///
/// # Errors
/// Of which the value is more than a plain word, and stands where a reference to it would be no value or would become text
/// of a second script.
pub(super) fn fill<'a>(
    script: &str,
    values: &'a Values,
    taken: &[&str],
) -> Result<String, (Placeholder, &'a String)> {
    let is_nested = script.split(|c: char| c.is_whitespace() || "'\"`;&|()".contains(c)).any(is_nesting);
    let (mut filled, mut rest, mut quotes) = (String::new(), script, Quotes::default());
    while let Some((before, name, behind)) = next(rest) {
        quotes.read(before);
        filled.push_str(before);
        rest = behind;
        let Some((placeholder, value)) = value(name, values) else {
            filled.push_str(&format!("{{{name}}}"));
            continue;
        };
        let variable = placeholder.variable();
        let is_ours = !taken.contains(&&*variable);
        match quotes.now() {
            _ if is_plain(value) => filled.push_str(value),
            Quote::None if is_ours => filled.push_str(&format!("\"${{{variable}}}\"")),
            Quote::Double if is_ours && !is_nested => filled.push_str(&format!("${{{variable}}}")),
            _ => return Err((placeholder, value)),
        }
    }
    Ok(filled + rest)
}

fn is_nesting(word: &str) -> bool {
    is_shell(word) || NESTING.contains(&word)
}

/// Whether a shell takes it as it is.
fn is_plain(value: &str) -> bool {
    shlex::try_quote(value).is_ok_and(|quoted| quoted == value)
}

/// In which quotation marks a place in a script is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Quote {
    #[default]
    None,
    Single,
    Double,
}

/// The quotation marks of a script, as far as it was read. What is in `$(…)` or in parentheses has its own.
#[derive(Debug, Default)]
struct Quotes {
    outer: Vec<Quote>,
    quote: Quote,
    is_escaped: bool,
}

impl Quotes {
    fn now(&self) -> Quote {
        self.quote
    }

    fn read(&mut self, text: &str) {
        let mut last = ' ';
        for c in text.chars() {
            if std::mem::take(&mut self.is_escaped) {
                last = c;
                continue;
            }
            match (self.quote, c) {
                (Quote::None | Quote::Double, '\\') => self.is_escaped = true,
                (Quote::None, '\'') => self.quote = Quote::Single,
                (Quote::None, '"') => self.quote = Quote::Double,
                (Quote::Single, '\'') | (Quote::Double, '"') => self.quote = Quote::None,
                (Quote::None, '(') => self.outer.push(self.quote),
                (Quote::Double, '(') if last == '$' => {
                    self.outer.push(std::mem::take(&mut self.quote));
                }
                (Quote::None, ')') => self.quote = self.outer.pop().unwrap_or_default(),
                _ => {}
            }
            last = c;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        shlex::split(text).unwrap()
    }

    #[test]
    fn the_script_of_a_shell_is_found() {
        let cases = [
            ("sh -c 'a b' c", Some(2)),
            ("timeout 5 /bin/bash -o pipefail -ec 'a b'", Some(6)),
            ("env A=b zsh -e -c x", Some(5)),
            ("sh {here}/setup.sh -c x", None),
            ("python3 -c x", None),
            ("sh -c", None),
        ];
        for (text, index) in cases {
            assert_eq!(script(&words(text)), index, "{text}");
        }
    }

    #[test]
    fn a_value_never_becomes_text_of_a_script() {
        let (here, port) = (Placeholder::Here, Placeholder::Port);
        let odd = Values::from([(here, "d ir;touch X".to_owned()), (port, "1".to_owned())]);
        let filled = |script: &str| fill(script, &odd, &[]);
        let cases = [
            ("cd {here}/x {port}", "cd \"${HERE}\"/x 1"),
            ("cd \"{here}/x\"", "cd \"${HERE}/x\""),
            ("a 'b' \\' {here}", "a 'b' \\' \"${HERE}\""),
            ("a \"$(cat {here})\"", "a \"$(cat \"${HERE}\")\""),
            ("a \"$(cat \"{here}\") {here}\"", "a \"$(cat \"${HERE}\") ${HERE}\""),
            (
                "awk '{print}' {here}; sh -c 'cat $HERE' {port}",
                "awk '{print}' \"${HERE}\"; sh -c 'cat $HERE' 1",
            ),
        ];
        for (script, expected) in cases {
            assert_eq!(filled(script).as_deref(), Ok(expected), "{script}");
        }
        for script in ["cat '{here}'", "sh -c 'cat {here}'", "sh -c \"cat {here}\"", "eval \"cat {here}\""] {
            assert_eq!(filled(script), Err((here, &"d ir;touch X".to_owned())), "{script}");
        }
        assert!(fill("cd {here}", &odd, &["HERE"]).is_err(), "the audit gives $HERE another value");
        let plain = Values::from([(here, "/a/b-c_1.2".to_owned())]);
        assert_eq!(fill("sh -c 'cat {here}'", &plain, &[]).unwrap(), "sh -c 'cat /a/b-c_1.2'");
    }
}
