//! Creating tokens.

use client::{Client, options, types};
use serde_json::json;

use super::Family;
use crate::commands::{from_json, json};
use crate::failure::Result;
use crate::output::{Format, Printer};
use crate::settings::Settings;
use crate::signals::Interrupts;

/// The fields shown of a token that was just created.
const MADE: [&str; 5] = ["id", "name", "secret", "scopes", "expires_at"];

/// Options of `create`.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Args {
    /// The name of the token.
    name: String,
    /// A scope of the token. May be repeated.
    #[arg(long, value_name = "SCOPE")]
    scope: Vec<String>,
    #[command(flatten)]
    end: End,
    /// The id of the project to bind the token to.
    #[arg(long, value_name = "PROJECT")]
    project: Option<String>,
    #[command(flatten)]
    about: About,
    /// A retry with the same key creates no second token.
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<String>,
}

/// What the token's record says about it.
#[derive(Debug, Clone, Default, clap::Args)]
pub(in crate::commands) struct About {
    /// The purpose of the token.
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    /// The identifier of the holder in your own system, such as a customer number.
    #[arg(long, value_name = "ID")]
    external_id: Option<String>,
    /// A network in CIDR notation from which the token may be used. May be repeated. Defaults to any address.
    #[arg(long, value_name = "NETWORK")]
    allow_network: Vec<String>,
    /// A free label without effect on access.
    #[arg(long, value_name = "LABEL")]
    agent_type: Option<String>,
}

/// When it ends.
#[derive(Debug, Clone, Default, clap::Args)]
pub(crate) struct End {
    /// The lifetime in days.
    #[arg(long, value_name = "DAYS", conflicts_with = "expires_at")]
    expires_in_days: Option<u32>,
    /// When the token expires (RFC 3339).
    #[arg(long, value_name = "TIME")]
    expires_at: Option<String>,
}

/// Options of `duplicate`.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct DuplicateArgs {
    /// The id of the token to duplicate.
    id: String,
    /// The name of the new token. Defaults to the name of the original.
    #[arg(long)]
    name: Option<String>,
    #[command(flatten)]
    end: End,
}

/// A token to create.
#[derive(Debug, Clone, Default)]
pub(in crate::commands) struct New {
    pub(in crate::commands) name: String,
    pub(in crate::commands) scopes: Vec<String>,
    pub(in crate::commands) expires_in_days: Option<u32>,
    pub(in crate::commands) expires_at: Option<String>,
    pub(in crate::commands) project: Option<String>,
    pub(in crate::commands) about: About,
    pub(in crate::commands) idempotency_key: Option<String>,
}

/// Creates the token.
pub(in crate::commands) fn create(client: &Client, family: Family, new: New) -> Result<types::CreatedToken> {
    let key = new.idempotency_key;
    // Without scopes a personal key gets the authority's default, and for other tokens the authority reports the
    // missing field.
    let scopes = (family == Family::Organization || !new.scopes.is_empty()).then_some(new.scopes);
    let body = json!({
        "name": new.name,
        "scopes": scopes,
        "expires_in_days": new.expires_in_days,
        "expires_at": new.expires_at,
        "project_id": new.project,
        "agent_type": new.about.agent_type,
        "description": new.about.description,
        "external_id": new.about.external_id,
        "allowed_networks": (!new.about.allow_network.is_empty()).then_some(new.about.allow_network),
    });
    Ok(match family {
        Family::Organization => {
            let body: types::CreateToken = from_json(body)?;
            client.create_token(&options::CreateTokenOptions { idempotency_key: key }, &body)?
        }
        Family::Personal => {
            let body: types::CreateKey = from_json(body)?;
            client.create_key(&options::CreateKeyOptions { idempotency_key: key }, &body)?
        }
    })
}

pub(super) fn run(settings: &Settings, printer: &Printer, family: Family, args: &Args) -> Result<()> {
    let new = New {
        name: args.name.clone(),
        scopes: args.scope.clone(),
        expires_in_days: args.end.expires_in_days,
        expires_at: args.end.expires_at.clone(),
        project: args.project.clone(),
        about: args.about.clone(),
        idempotency_key: args.idempotency_key.clone(),
    };
    create_and_show(&settings.signed_in()?, printer, family, new)
}

pub(super) fn duplicate(settings: &Settings, printer: &Printer, args: &DuplicateArgs) -> Result<()> {
    let client = settings.signed_in()?;
    let like = client.get_token(&args.id)?;
    create_and_show(
        &client,
        printer,
        Family::Organization,
        New {
            name: args.name.clone().unwrap_or(like.name),
            scopes: like.scopes,
            expires_in_days: args.end.expires_in_days,
            expires_at: args.end.expires_at.clone(),
            project: like.project_id,
            about: About {
                description: like.description,
                external_id: like.external_id,
                allow_network: like.allowed_networks.unwrap_or_default(),
                agent_type: Some(like.agent_type),
            },
            idempotency_key: None,
        },
    )
}

/// Creates a token and shows its secret. If nobody can have read that, the token is revoked.
fn create_and_show(client: &Client, printer: &Printer, family: Family, new: New) -> Result<()> {
    let command = family.command();
    let interrupts = Interrupts::watch(printer, format!("nlp {command} list"))?;
    let made = create(client, family, new)?;
    let shown = interrupts.check().and_then(|()| show(printer, &made));
    shown.map_err(|failure| match family.revoke(client, &made.id) {
        Ok(()) => failure.after(format!("the new {command} {} was revoked, because its secret was not shown", made.id)),
        Err(other) => failure
            .after(format!(
                "the new {command} {} is valid, its secret is lost, and revoking it failed ({other})",
                made.id
            ))
            .next(format!("nlp {command} revoke {}", made.id)),
    })
}

fn show(printer: &Printer, made: &types::CreatedToken) -> Result<()> {
    for warning in made.warnings.iter().flatten() {
        printer.note(&format!("warning: {}", warning.message));
    }
    let mut value = json(made)?;
    if printer.format() == Format::Text
        && let Some(fields) = value.as_object_mut()
    {
        // Printed above, as sentences.
        fields.remove("warnings");
    }
    printer.must_arrive().one(&value, &MADE)?;
    if printer.is_terminal() {
        printer.note("the secret cannot be shown again");
    }
    Ok(())
}
