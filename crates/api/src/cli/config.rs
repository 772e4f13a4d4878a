//! `config print` and `config check`.

use clap::Subcommand;

use super::sources::SourceArgs;
use super::{Failure, output};

/// Options of `config`.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    sources: SourceArgs,
    #[command(subcommand)]
    action: Action,
}

#[derive(Clone, Debug, Subcommand)]
enum Action {
    /// Print the effective values and their origins. Secrets are masked.
    Print,
    /// Print all problems of the configuration, and exit with 1 if there are any.
    Check,
}

pub(super) fn run(args: Args) -> Result<(), Failure> {
    let loaded = args.sources.load(Vec::new())?;
    match args.action {
        Action::Print => output::emit(&loaded.print())?,
        Action::Check => {
            output::emit("the configuration is valid\n")?;
        }
    }
    Ok(())
}
