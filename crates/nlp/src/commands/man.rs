//! `nlp man`: manual pages, one for each command.

use std::path::PathBuf;

use clap::CommandFactory as _;

use super::Cli;
use crate::failure::{Failure, Result};
use crate::output::Printer;

/// Options of `man`.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Args {
    /// The folder to write the pages to, such as ~/.local/share/man/man1.
    folder: PathBuf,
}

pub(crate) fn run(printer: &Printer, args: &Args) -> Result<()> {
    let folder = &args.folder;
    std::fs::create_dir_all(folder)
        .and_then(|()| clap_mangen::generate_to(Cli::command(), folder))
        .map_err(|error| Failure::new(format!("{} cannot be written: {error}", folder.display())))?;
    let value = serde_json::json!({ "folder": folder.display().to_string() });
    printer.done(&format!("wrote the pages to {}", folder.display()), &value)
}
