//! How numbers and foreign text are written, in every report alike.

/// A number with its thousands apart: `123,456`.
pub(crate) fn number_text(number: u64) -> String {
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
pub(crate) fn bytes_text(count: u64) -> String {
    number_text(count) + if count == 1 { " byte" } else { " bytes" }
}

/// A line that may hold anything, so that printing it cannot move the cursor.
pub(crate) fn visible(line: &str) -> String {
    line.chars().map(|c| if c.is_control() { c.escape_default().to_string() } else { c.into() }).collect()
}
