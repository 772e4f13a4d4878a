//! `cargo xtask book`: builds the book with mdBook. The tests of `nlp` run its commands.

use crate::lint;
use std::process::Command;
use task_support::args::Args;
use task_support::fail::Result;
use task_support::process::{run, which};
use task_support::{project, say};

/// `cargo xtask book`
pub(crate) fn task(args: Args) -> Result {
    args.finish()?;
    let mdbook = which("mdbook").map_or_else(|| Ok(lint::programs()?.join("mdbook")), Ok)?;
    let folder = project::target_directory()?.join("book");
    run(Command::new(mdbook).arg("build").arg(project::root().join("docs/book")).arg("--dest-dir").arg(&folder))?;
    say::out(folder.join("index.html").display());
    Ok(())
}
