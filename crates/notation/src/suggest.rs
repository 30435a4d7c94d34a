//! "Did you mean": the nearest of the words that would have been right.

/// Longer words than this, in bytes, get no suggestion: comparing takes time
/// in the product of both lengths, and nobody mistypes a word that long.
const MAX_WORD_BYTES: usize = 64;

/// The longest piece of a file that a message repeats, in characters.
const MAX_QUOTED_CHARS: usize = 60;

/// Longer lists are cut short.
const MAX_LISTED: usize = 30;

/// The candidate nearest to `found`, if one is near enough to be a slip of the
/// keyboard: one letter in three, upper and lower case counted as equal. A single
/// letter is near to nothing else.
pub fn nearest<S: AsRef<str>>(found: &str, candidates: impl IntoIterator<Item = S>) -> Option<S> {
    if found.len() > MAX_WORD_BYTES {
        return None;
    }
    let found = found.to_lowercase();
    let letters = found.chars().count();
    let limit = (letters / 3).max(usize::from(letters > 1));
    candidates
        .into_iter()
        .filter(|candidate| candidate.as_ref().len() <= MAX_WORD_BYTES)
        .map(|candidate| (strsim::osa_distance(&found, &candidate.as_ref().to_lowercase()), candidate))
        .filter(|&(distance, _)| distance <= limit)
        .min_by_key(|&(distance, _)| distance)
        .map(|(_, candidate)| candidate)
}

/// `unknown step "Uplaod", did you mean "Upload"?`, or the list of what there
/// is when nothing is near.
pub fn unknown<S: AsRef<str>>(kind: &str, found: &str, known: impl IntoIterator<Item = S>) -> String {
    let known: Vec<S> = known.into_iter().collect();
    let found_quoted = quoted(found);
    match nearest(found, known.iter().map(AsRef::as_ref)) {
        Some(near) => format!("unknown {kind} {found_quoted}, did you mean \"{near}\"?"),
        None => format!("unknown {kind} {found_quoted}: there is {}", list(&known, ", ")),
    }
}

/// `a, b, c`, cut short when there are many.
pub fn list<S: AsRef<str>>(words: &[S], separator: &str) -> String {
    let shown = words.iter().take(MAX_LISTED).map(|word| shortened(word.as_ref()));
    let rest = (words.len() > MAX_LISTED).then(|| "…".to_owned());
    shown.chain(rest).collect::<Vec<String>>().join(separator)
}

/// `text` in quotes, its control characters escaped, cut when it is long.
pub fn quoted(text: &str) -> String {
    let short = shortened(text);
    format!("{short:?}")
}

/// `text`, cut when it is long.
pub fn shortened(text: &str) -> String {
    match text.char_indices().nth(MAX_QUOTED_CHARS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
