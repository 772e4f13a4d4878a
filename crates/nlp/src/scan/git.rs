//! The repository around the current folder.

use std::fmt::Display;

use gix::Repository;

use crate::failure::{Failure, Result};

/// Opens the repository, as git would find it.
///
/// # Errors
/// If there is none.
pub(crate) fn open() -> Result<Repository> {
    gix::discover_with_environment_overrides(".").map_err(|error| {
        Failure::usage(format!("this is not a git repository: {error}"))
            .next("run it inside one, or scan files: nlp scan .")
    })
}

/// Converts an error of the library.
pub(super) fn failed(attempt: &'static str) -> impl Fn(&dyn Display) -> Failure {
    move |error| Failure::new(format!("git: cannot {attempt}: {error}"))
}
