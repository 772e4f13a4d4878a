//! `nlp project`: the projects of an organisation.

use client::{options, types};
use serde_json::json;

use super::organization::InOrganization;
use super::{Limit, json, jsons};
use crate::failure::Result;
use crate::output::Printer;
use crate::settings::Settings;
use crate::terminal;

pub(crate) type Args = InOrganization<Action>;

#[derive(Debug, Clone, clap::Subcommand)]
pub(crate) enum Action {
    /// List projects.
    List {
        #[command(flatten)]
        limit: Limit,
        /// Only projects whose name or slug contains this text.
        #[arg(long)]
        search: Option<String>,
    },
    /// Create a project.
    Create {
        /// The slug used in addresses.
        slug: String,
        /// The display name. Defaults to the slug.
        #[arg(long)]
        name: Option<String>,
    },
    /// Show a project.
    Show {
        /// The id of the project.
        project: String,
    },
    /// Delete a project with its access scopes, actors and their tokens.
    Delete {
        /// The id of the project.
        project: String,
        /// Print what would be deleted, and delete nothing.
        #[arg(long)]
        dry_run: bool,
        /// Skip the confirmation.
        #[arg(long)]
        yes: bool,
    },
}

const COLUMNS: [&str; 4] = ["projectId", "slug", "name", "createdAt"];

pub(crate) fn run(settings: &Settings, printer: &Printer, args: &Args) -> Result<()> {
    let (client, org) = args.organization.resolve(settings)?;
    match &args.action {
        Action::List { limit, search } => {
            let found = limit.gather_numbered(printer, |page, size| {
                let wanted = options::ListProjectsOptions {
                    page: Some(page),
                    limit: Some(size),
                    search: search.clone(),
                    ..Default::default()
                };
                let page = client.list_projects(&org, &wanted)?;
                Ok((page.data, json(&page.meta)?))
            })?;
            printer.list(&jsons(&found)?, &COLUMNS)
        }
        Action::Create { slug, name } => {
            let body = types::CreateProject { slug: slug.clone(), name: name.clone() };
            printer.one(&json(&client.create_project(&org, &body)?)?, &COLUMNS)
        }
        Action::Show { project } => printer.one(&json(&client.get_project(&org, project)?)?, &COLUMNS),
        Action::Delete { project, dry_run, yes } => {
            if !dry_run {
                let named = client.get_project(&org, project)?;
                terminal::confirm(
                    &format!("Delete the project {} with its access scopes, actors and tokens?", named.slug),
                    *yes,
                )?;
            }
            let wanted = options::DeleteProjectOptions { dry_run: dry_run.then_some(true), ..Default::default() };
            match client.delete_project(&org, project, &wanted)? {
                Some(concerned) => printer.one(&json(&concerned)?, &["accessScopes", "actors", "liveTokens"]),
                None => printer.done("the project is deleted", &json!({ "deleted": project })),
            }
        }
    }
}
