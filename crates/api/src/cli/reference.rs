//! `reference`: print the pages and files that are generated from tables in the code.

use clap::ValueEnum;
use token_domain::scope::ScopeCatalogue;

use super::{Failure, output};
use crate::config::reference;
use crate::surface::scopes;
use edge::codes;

/// Options of `reference`.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Args {
    /// The page or file to print.
    page: Page,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Page {
    /// docs/reference/config.md
    Config,
    /// docs/reference/errors.md
    Errors,
    /// docs/reference/scopes.md
    Scopes,
    /// config/default.toml
    Defaults,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let text = match args.page {
        Page::Config => reference::markdown(),
        Page::Errors => codes::markdown(),
        Page::Scopes => scopes::reference::markdown(&ScopeCatalogue::built_in()?),
        Page::Defaults => reference::default_toml(),
    };
    Ok(output::emit(&text)?)
}
