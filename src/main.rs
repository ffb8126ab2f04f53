//! The program: see `bookbridge --help`.

use std::process::ExitCode;

fn main() -> ExitCode {
    bookbridge::cli::main()
}
