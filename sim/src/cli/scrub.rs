//! Looks for rot in a store and says what it found.

use std::path::Path;

use sim::report::{self, Lines};
use transfer::scrub::scrub;

use super::{Exit, fail_in, print, progress};

/// Scrubs the store in `dir`.
pub(super) fn run(dir: &Path, json: bool, quiet: bool) -> Exit {
    let mut bar = None;
    let scrubbed = scrub(dir, |at| {
        bar.get_or_insert_with(|| progress::new_bar("scrub", at.total)).set_position(at.done);
    });
    if let Some(bar) = bar {
        bar.finish_and_clear();
    }
    let found = match scrubbed {
        Ok(found) => found,
        Err(error) => return fail_in(&error.to_string(), json.then(Lines::default).as_ref()),
    };
    print::say(&if json { report::scrub::json(&found, quiet) } else { report::scrub::text(&found, quiet) });
    if found.is_good() { Exit::Met } else { Exit::NotMet }
}
