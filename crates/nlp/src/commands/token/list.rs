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
    /// Only tokens with this status: active, rotating, revoked or expired.
    #[arg(long)]
    status: Option<String>,
    /// Only tokens whose name contains this text.
    #[arg(long)]
    name: Option<String>,
    /// Only tokens whose holder has this identifier in your own system.
    #[arg(long, value_name = "ID")]
    external_id: Option<String>,
    /// Only tokens that were not used for this many days.
    #[arg(long, value_name = "DAYS")]
    unused_days: Option<u32>,
}

pub(super) fn run(settings: &Settings, printer: &Printer, family: Family, args: &Args) -> Result<()> {
    let client = settings.signed_in()?;
    let found = args.limit.gather(printer, |cursor, size| {
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
