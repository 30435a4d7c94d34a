//! How numbers and foreign text are written, in every report alike.

/// A number with its thousands apart: `123,456`.
pub fn number_text(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A number of bytes: `123,456 bytes`.
pub fn bytes_text(count: u64) -> String {
    number_text(count) + if count == 1 { " byte" } else { " bytes" }
}

/// A line that may hold anything, so that printing it can neither move the cursor nor turn text around.
pub fn visible(line: &str) -> String {
    let show = |c: char| {
        if c.is_control() || is_invisible(c) { c.escape_default().to_string() } else { c.into() }
    };
    line.chars().map(show).collect()
}

/// The characters of Unicode's category Cf that change how others are shown, or that nobody sees.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}
