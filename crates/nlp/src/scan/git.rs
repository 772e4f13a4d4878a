//! The repository around the current folder.

use std::fmt::Display;
use std::path::Path;

use gix::Repository;

use crate::failure::{Failure, Result};

/// Opens the repository, as git would find it.
///
/// # Errors
/// If there is none, or if it is stored in a way that cannot be read here.
pub(crate) fn open() -> Result<Repository> {
    let repo = gix::discover_with_environment_overrides(".").map_err(|error| {
        if std::env::var_os("GIT_DIR").is_some() || gix::discover::upwards(Path::new(".")).is_ok() {
            return Failure::new(format!("the git repository cannot be read: {}", error.probable_cause()))
                .next("scan its files: nlp scan .");
        }
        Failure::usage(format!("this is not a git repository: {error}"))
            .next("run it inside one, or scan files: nlp scan .")
    })?;
    // The library sees no references in such a repository instead of failing, and a scan would find nothing.
    match repo.config_snapshot().string("extensions.refStorage") {
        Some(storage) if storage != "files" => Err(Failure::new(format!(
            "the git repository cannot be read: its references are stored as {storage:?}, and only \"files\" is supported"
        ))
        .next("git refs migrate --ref-format=files, or scan a copy: git clone --mirror --ref-format=files . COPY")),
        _ => Ok(repo),
    }
}

/// Converts an error of the library.
pub(super) fn failed(attempt: &'static str) -> impl Fn(&dyn Display) -> Failure {
    move |error| Failure::new(format!("git: cannot {attempt}: {error}"))
}

/// Converts an error from reading an object: a partial clone has only some of them.
pub(super) fn unread<'a>(repo: &'a Repository, attempt: &'static str) -> impl Fn(&dyn Display) -> Failure + 'a {
    move |error| {
        let failure = failed(attempt)(error);
        let config = repo.config_snapshot();
        let is_partial =
            repo.remote_names().iter().any(|name| config.boolean(&*format!("remote.{name}.promisor")) == Some(true));
        if is_partial {
            return failure
                .after("this is a partial clone, which does not have all objects")
                .next("fetch them: git fetch --refetch --no-filter");
        }
        failure
    }
}
