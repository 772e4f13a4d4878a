//! `nlp completions`: prints completions for bash, zsh, fish, PowerShell and elvish.

use clap::CommandFactory as _;
use clap_complete::Shell;

use super::Cli;
use crate::failure::{Failure, Result};
use crate::output::Printer;

/// Options of `completions`.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "For example: nlp completions bash > ~/.local/share/bash-completion/completions/nlp")]
pub(crate) struct Args {
    /// The shell.
    shell: Shell,
}

pub(crate) fn run(printer: &Printer, args: &Args) -> Result<()> {
    let mut out = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "nlp", &mut out);
    printer.text(&String::from_utf8(out).map_err(|error| Failure::new(error.to_string()))?)
}
