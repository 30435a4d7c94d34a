//! The matrix as a page of the documentation: every cell of it.

use std::fmt::Write;

use super::{conclusion, example, mistake_of, name_of, short};
use crate::mutants::{Finding, Matrix, Row};

const INTRODUCTION: &str = "\
# Known-bad programs

A harness that convicts nobody proves nothing. So the mistakes of real programs are built into our own, one at a
time, and every scenario runs with each: every mistake has to be found by at least one scenario, and nothing may
be found in the correct program. This page is generated; `cargo test` holds it to what the scenarios say, and

```sh
cargo run -p sim -- mutants
```

prints the same in short. With `--mutant NAME`, any scenario is run with that mistake and shown in full:

```sh
cargo run -p sim -- scenarios/ladder/prefix_collision.ron --mutant PrefixCompared
```

A program is *convicted* where a run without that mistake would exit with 0 and this one exits with 1: what it
claimed, or what it left behind, is not what it has to be. Where the harness can only say that nothing is proved,
because the program fails even without faults or the fault did not reach it, nobody is convicted.
";

/// The page as Markdown.
#[must_use]
pub fn page(matrix: &Matrix) -> String {
    let mut page = INTRODUCTION.to_owned();
    let _ = writeln!(page, "\nWith {} scenarios, {}.\n", matrix.scenarios.len(), conclusion(matrix));
    programs(matrix, &mut page);
    cells(matrix, &mut page);
    page
}

fn mutants(matrix: &Matrix) -> impl Iterator<Item = &Row> {
    matrix.rows.iter().filter(|row| row.flaw.is_some())
}

/// What each mutant does wrong, and what finds it.
fn programs(matrix: &Matrix, page: &mut String) {
    page.push_str(
        "| | mutant | what it does wrong | convicted by | for one, by | where |\n|--:|---|---|--:|---|---|\n",
    );
    for (number, row) in (1..).zip(mutants(matrix)) {
        let (scenario, charge) = example(matrix, row).unwrap_or_default();
        let convictions = row.convictions().count();
        let (name, mistake) = (name_of(row), mistake_of(row));
        let _ = writeln!(
            page,
            "| {number} | `{name}` | {mistake} | {convictions} | `{scenario}` | {} |",
            escaped(&charge)
        );
    }
}

/// Every scenario against every mutant.
fn cells(matrix: &Matrix, page: &mut String) {
    page.push_str("\n## Every scenario, every mutant\n\n✗ convicts; ? proves nothing about this mutant.\n\n| scenario |");
    (1..).zip(mutants(matrix)).for_each(|(number, _)| page.push_str(&format!(" {number} |")));
    page.push_str("\n|---|");
    mutants(matrix).for_each(|_| page.push_str(":-:|"));
    for (index, path) in matrix.scenarios.iter().enumerate() {
        let _ = write!(page, "\n| `{}` |", short(path));
        for row in mutants(matrix) {
            page.push_str(match row.findings[index] {
                Finding::AsExpected => "  |",
                Finding::Convicted(_) => " ✗ |",
                Finding::Inconclusive(_) => " ? |",
            });
        }
    }
    page.push('\n');
}

/// Text that cannot end a cell of a table.
fn escaped(text: &str) -> String {
    text.replace('|', "\\|")
}
