//! Fills an empty database for a benchmark. Not shipped.

use std::process::ExitCode;

fn main() -> ExitCode {
    api::cli::seed(std::env::args_os())
}
