//! The command line. It parses arguments, calls the library, prints, and turns outcomes into exit codes.

mod cli;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main()
}
