//! `nlp role`: what members may do.

use client::types;
use serde_json::json;

use super::organization::InOrganization;
use super::{json, jsons};
use crate::failure::Result;
use crate::output::Printer;
use crate::settings::Settings;
use crate::terminal;

pub(crate) type Args = InOrganization<Action>;

#[derive(Debug, Clone, clap::Subcommand)]
pub(crate) enum Action {
    /// List roles, including built-in ones.
    List,
    /// Create a role.
    Create {
        /// The name of the role.
        name: String,
        /// A scope of the role. May be repeated.
        #[arg(long, required = true, value_name = "SCOPE")]
        scope: Vec<String>,
    },
    /// Show a role.
    Show {
        /// The id or name of the role.
        role: String,
    },
    /// Delete a role. Members with this role become viewers.
    Delete {
        /// The id of the role.
        role: String,
        /// Skip the confirmation.
        #[arg(long)]
        yes: bool,
    },
}

const COLUMNS: [&str; 4] = ["id", "name", "built_in", "scopes"];

pub(crate) fn run(settings: &Settings, printer: &Printer, args: &Args) -> Result<()> {
    let (client, org) = args.organization.resolve(settings)?;
    match &args.action {
        Action::List => printer.list(&jsons(&client.list_roles(&org)?.roles)?, &COLUMNS),
        Action::Create { name, scope } => {
            let body = types::CreateRole { name: name.clone(), scopes: scope.clone() };
            printer.one(&json(&client.create_role(&org, &body)?)?, &COLUMNS)
        }
        Action::Show { role } => printer.one(&json(&client.get_role(&org, role)?)?, &COLUMNS),
        Action::Delete { role, yes } => {
            terminal::confirm("Delete this role? Its members become viewers.", *yes)?;
            client.delete_role(&org, role)?;
            printer.done("the role is deleted", &json!({ "deleted": role }))
        }
    }
}
