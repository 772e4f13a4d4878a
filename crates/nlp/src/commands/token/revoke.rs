//! Revoking tokens.

use serde_json::json;

use super::Family;
use crate::failure::Result;
use crate::output::Printer;
use crate::settings::Settings;
use crate::terminal;

/// Options of `revoke`.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Args {
    /// The ids, or `self` for the token of this request (organisation tokens only).
    #[arg(required = true)]
    ids: Vec<String>,
    /// Skip the confirmation.
    #[arg(long)]
    yes: bool,
}

pub(super) fn run(settings: &Settings, printer: &Printer, family: Family, args: &Args) -> Result<()> {
    let client = settings.signed_in()?;
    let named = match args.ids.as_slice() {
        [id] if !args.yes && terminal::present() => {
            let token = family.show(&client, id)?;
            format!("{} ({})", token.name, token.hint)
        }
        ids => format!("{} tokens", ids.len()),
    };
    terminal::confirm(&format!("Revoke {named}? Everything that uses it stops working at once."), args.yes)?;
    for (at, id) in args.ids.iter().enumerate() {
        let context = || format!("{at} of {} were revoked; {id} was not", args.ids.len());
        family.revoke(&client, id).map_err(|failure| if at == 0 { failure } else { failure.after(context()) })?;
    }
    printer.done("revoked", &json!({ "revoked": args.ids }))
}
