//! What the project's development programs share: running cargo and other programs, starting servers, failures and
//! output.
//!
//! Plain processes and few crates, none of this workspace: the tasks build in seconds and work while the product does
//! not compile.

pub mod args;
pub mod chance;
pub mod fail;
pub mod interrupt;
pub mod process;
pub mod product;
pub mod project;
pub mod proxy;
pub mod say;
pub mod services;

use std::process::ExitCode;

/// The `main` of a development program: runs it with Ctrl-C caught, prints its failure, and ends with its code.
pub fn main(run: impl FnOnce() -> fail::Result) -> ExitCode {
    match interrupt::listen().and_then(|()| run()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(fail) => {
            say::raw(format!("error: {fail}"));
            ExitCode::from(fail.code())
        }
    }
}
