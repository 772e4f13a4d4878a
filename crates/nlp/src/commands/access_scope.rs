//! `nlp access-scope`: boundaries inside a project.

use client::{options, types};
use serde_json::json;

use super::organization::InProject;
use super::{Limit, json, jsons};
use crate::failure::Result;
use crate::output::Printer;
use crate::settings::Settings;
use crate::terminal;

pub(crate) type Args = InProject<Action>;

#[derive(Debug, Clone, clap::Subcommand)]
pub(crate) enum Action {
    /// List access scopes.
    List {
        #[command(flatten)]
        limit: Limit,
    },
    /// Create an access scope.
    Create {
        /// The slug used in addresses and topics. It cannot be changed later.
        slug: String,
        /// The display name.
        #[arg(long)]
        name: Option<String>,
    },
    /// Show an access scope.
    Show {
        /// The id of the access scope.
        scope: String,
    },
    /// Activate or deactivate an access scope. While it is inactive, the tokens of its actors are refused.
    Set {
        /// The id of the access scope.
        scope: String,
        /// Whether the access scope is active.
        #[arg(long, action = clap::ArgAction::Set, value_name = "true|false")]
        active: bool,
    },
    /// Delete an access scope. Its actors are not deleted.
    Delete {
        /// The id of the access scope.
        scope: String,
        /// Refuse if it has actors.
        #[arg(long)]
        reject_if_assigned: bool,
        /// Skip the confirmation.
        #[arg(long)]
        yes: bool,
    },
}

const COLUMNS: [&str; 5] = ["accessScopeId", "slug", "name", "isActive", "createdAt"];

pub(crate) fn run(settings: &Settings, printer: &Printer, args: &Args) -> Result<()> {
    let (client, org) = args.organization.resolve(settings)?;
    let project = &args.project;
    match &args.action {
        Action::List { limit } => {
            let found = limit.gather_numbered(printer, |page, size| {
                let wanted = options::ListScopesOptions { page: Some(page), limit: Some(size), ..Default::default() };
                let page = client.list_scopes(&org, project, &wanted)?;
                Ok((page.data, json(&page.meta)?))
            })?;
            printer.list(&jsons(&found)?, &COLUMNS)
        }
        Action::Create { slug, name } => {
            let body = types::CreateScope { slug: slug.clone(), name: name.clone(), ..Default::default() };
            printer.one(&json(&client.create_scope(&org, project, &body)?)?, &COLUMNS)
        }
        Action::Show { scope } => printer.one(&json(&client.get_scope(&org, project, scope)?)?, &COLUMNS),
        Action::Set { scope, active } => {
            let body = types::EditScope { is_active: Some(Some(*active)), ..Default::default() };
            printer.one(&json(&client.edit_scope(&org, project, scope, &body)?)?, &COLUMNS)
        }
        Action::Delete { scope, reject_if_assigned, yes } => {
            let named = client.get_scope(&org, project, scope)?;
            terminal::confirm(&format!("Delete the access scope {}? Its actors are not deleted.", named.slug), *yes)?;
            let if_assigned = reject_if_assigned.then(|| "reject".to_owned());
            client.delete_scope(
                &org,
                project,
                scope,
                &options::DeleteScopeOptions { if_assigned, ..Default::default() },
            )?;
            printer.done("the access scope is deleted", &json!({ "deleted": scope }))
        }
    }
}
