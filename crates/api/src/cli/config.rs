//! `config print` and `config check`.

use clap::Subcommand;

use super::sources::SourceArgs;
use super::{Failure, output};

/// Options of `config`.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Clone, Debug, Subcommand)]
enum Action {
    /// Print the effective values with the origin of each; secrets are masked.
    Print(SourceArgs),
    /// Say everything that is wrong with the configuration, and exit with 1 if anything is.
    Check(SourceArgs),
}

pub(super) fn run(args: Args) -> Result<(), Failure> {
    match args.action {
        Action::Print(sources) => output::emit(&sources.load(Vec::new())?.print())?,
        Action::Check(sources) => {
            sources.load(Vec::new())?;
            output::emit("the configuration is good\n")?;
        }
    }
    Ok(())
}
