//! Listing tokens.

use client::options;

use super::{COLUMNS, Family};
use crate::commands::{Limit, jsons};
use crate::failure::Result;
use crate::output::Printer;
use crate::settings::Settings;

/// Options of `list`.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    limit: Limit,
    /// Only those that are active, rotating, revoked or expired.
    #[arg(long)]
    status: Option<String>,
    /// Only those with this in their name.
    #[arg(long)]
    name: Option<String>,
    /// Only those whose holder has this id in your own system.
    #[arg(long, value_name = "ID")]
    external_id: Option<String>,
    /// Only those that were not used for so many days.
    #[arg(long, value_name = "DAYS")]
    unused_days: Option<u32>,
}

pub(super) fn run(settings: &Settings, printer: &Printer, family: Family, args: &Args) -> Result<()> {
    let client = settings.signed_in()?;
    let found = args.limit.gather(|cursor, size| {
        let limit = u32::try_from(size).ok();
        let (status, name) = (args.status.as_deref().map(Into::into), args.name.clone());
        let (external_id, unused_days) = (args.external_id.clone(), args.unused_days);
        let page = match family {
            Family::Organization => client.list_tokens(&options::ListTokensOptions {
                status,
                name,
                external_id,
                unused_days,
                limit,
                cursor,
                ..Default::default()
            })?,
            Family::Personal => client.list_keys(&options::ListKeysOptions {
                status,
                name,
                external_id,
                unused_days,
                limit,
                cursor,
                ..Default::default()
            })?,
        };
        Ok((page.tokens, page.next_cursor))
    })?;
    printer.list(&jsons(&found)?, &COLUMNS)
}
