//! How often a token was used.

use client::options;
use serde_json::json;

use crate::commands::{json, jsons};
use crate::failure::Result;
use crate::output::{Format, Printer};
use crate::settings::Settings;

/// Options of `usage`.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Args {
    /// The id of the token.
    id: String,
    /// The start (RFC 3339).
    #[arg(long, value_name = "TIME")]
    from: Option<String>,
    /// The end (RFC 3339).
    #[arg(long, value_name = "TIME")]
    to: Option<String>,
    /// Print one line per hour or day.
    #[arg(long, default_value = "day", value_parser = ["hour", "day"])]
    step: String,
}

pub(super) fn run(settings: &Settings, printer: &Printer, args: &Args) -> Result<()> {
    let wanted = options::GetUsageOptions {
        from: args.from.clone(),
        to: args.to.clone(),
        step: Some(args.step.as_str().into()),
        ..Default::default()
    };
    let report = settings.signed_in()?.get_usage(&args.id, &wanted)?;
    if printer.format() != Format::Text {
        return printer.value(&json(&report)?);
    }
    let mut rows = jsons(&report.usage)?;
    let mut total = json(&report.total)?;
    total["begins_at"] = json!("total");
    rows.push(total);
    printer.list(&rows, &["begins_at", "allowed", "denied", "insufficient"])
}
