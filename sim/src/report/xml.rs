//! What `JUnit` reports have in common: XML that every parser takes.

use quick_junit::{Report, SerializeError};

/// `report` as XML. What programs say can hold U+FFFE and U+FFFF, which XML 1.0 does not allow in any form, and which
/// the library does not take out with the control characters: they are written as `\u{fffe}` and `\u{ffff}`.
///
/// # Errors
/// If it cannot be written, which only a mistake here could cause.
pub(super) fn page(report: &Report) -> Result<String, SerializeError> {
    let page = report.to_string()?;
    Ok(page.replace('\u{fffe}', "\\u{fffe}").replace('\u{ffff}', "\\u{ffff}"))
}
