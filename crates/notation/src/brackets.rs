//! Finds the bracket or the quote that is never closed. RON's parser notices it
//! only where the wrong thing or the end of the file comes, often far below; a
//! person wants to be shown the one that was left open. Used only once RON has refused
//! a file: it explains, it does not judge.

/// An opening bracket without its partner.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unclosed {
    /// The byte offset of the opening bracket.
    pub(super) open: usize,
    /// The bracket that should have come.
    pub(super) wanted: char,
    /// The byte offset where it was missed: at another bracket or at the end.
    pub(super) missed: usize,
}

/// The innermost bracket that is open where the first wrong one comes.
pub(super) fn unclosed(text: &str) -> Option<Unclosed> {
    let mut open = Vec::new();
    let mut at = 0;
    while at < text.len() {
        let rest = &text[at..];
        let byte = rest.as_bytes()[0];
        match byte {
            b'(' => open.push((at, ')')),
            b'[' => open.push((at, ']')),
            b'{' => open.push((at, '}')),
            b')' | b']' | b'}' => {
                let (start, wanted) = open.pop()?;
                if wanted != char::from(byte) {
                    return Some(Unclosed { open: start, wanted, missed: at });
                }
            }
            _ => {}
        }
        at += step(rest);
    }
    open.pop().map(|(start, wanted)| Unclosed { open: start, wanted, missed: text.len() })
}

/// The text in quotes that spans several lines and ends right before `offset`:
/// where a closing quote is missing, the text runs on to the next one, and what
/// follows makes no sense to the parser.
pub(super) fn runaway_text(text: &str, offset: usize) -> Option<usize> {
    let mut at = 0;
    while at < offset {
        let rest = &text[at..];
        let end = at + step(rest);
        let ends_here = text.get(end..offset).is_some_and(|between| between.trim().is_empty());
        if rest.starts_with('"') && ends_here && text[at..end].contains('\n') {
            return Some(at);
        }
        at = end;
    }
    None
}

/// The length of what `rest` begins with: a comment, a text, or one character.
fn step(rest: &str) -> usize {
    match rest.as_bytes() {
        [b'/', b'/', ..] => rest.find('\n').unwrap_or(rest.len()),
        [b'/', b'*', ..] => block_comment(rest),
        [b'"', ..] => quoted(rest, '"'),
        [b'r', b'#' | b'"', ..] => raw_text(rest),
        [b'\'', b'\\', ..] => quoted(rest, '\''),
        [b'\'', ..] => character(rest),
        _ => rest.chars().next().map_or(1, char::len_utf8),
    }
}

/// Block comments nest in RON.
fn block_comment(rest: &str) -> usize {
    let (mut at, mut level) = (0, 0_usize);
    while at < rest.len() {
        let (length, change) = match &rest.as_bytes()[at..] {
            [b'/', b'*', ..] => (2, 1),
            [b'*', b'/', ..] => (2, -1),
            _ => (1, 0),
        };
        at += length;
        level = level.saturating_add_signed(change);
        if level == 0 {
            return at;
        }
    }
    rest.len()
}

fn quoted(rest: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        if c == quote && !escaped {
            return at + 1;
        }
        escaped = c == '\\' && !escaped;
    }
    rest.len()
}

/// `'('`; a quote that closes nothing counts as itself.
fn character(rest: &str) -> usize {
    let mut inner = rest.char_indices().skip(2);
    inner.next().filter(|&(_, c)| c == '\'').map_or(1, |(at, _)| at + 1)
}

/// `r"…"` and `r#"…"#`; anything else that begins with `r` is a word.
fn raw_text(rest: &str) -> usize {
    let hashes = rest[1..].bytes().take_while(|&byte| byte == b'#').count();
    let body = 1 + hashes + 1;
    if rest.as_bytes().get(body - 1) != Some(&b'"') {
        return 1;
    }
    let end = format!("\"{}", "#".repeat(hashes));
    rest[body..].find(&end).map_or(rest.len(), |at| body + at + end.len())
}
