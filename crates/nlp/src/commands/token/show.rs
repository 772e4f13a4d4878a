//! Showing one token.

use super::{COLUMNS, Family};
use crate::commands::json;
use crate::failure::Result;
use crate::output::Printer;
use crate::settings::Settings;

/// Options of `show`.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Args {
    /// The id, or `self` for the token of this request (organisation tokens only).
    id: String,
}

pub(super) fn run(settings: &Settings, printer: &Printer, family: Family, args: &Args) -> Result<()> {
    printer.one(&json(&family.show(&settings.signed_in()?, &args.id)?)?, &COLUMNS)
}
