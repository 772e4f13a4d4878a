//! `nlp project`: the projects of an organisation.

use client::{options, types};
use serde_json::json;

use super::organization::Organization;
use super::{Limit, json, jsons};
use crate::failure::Result;
use crate::output::Printer;
use crate::settings::Settings;
use crate::terminal;

/// Options of `project`.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    organization: Organization,
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Clone, clap::Subcommand)]
enum Action {
    /// List projects.
    List {
        #[command(flatten)]
        limit: Limit,
        /// Only those with this in their name or slug.
        #[arg(long)]
        search: Option<String>,
    },
    /// Make a project.
    Create {
        /// What it is called in addresses.
        slug: String,
        /// What people call it; the slug if left out.
        #[arg(long)]
        name: Option<String>,
    },
    /// Show a project.
    Show {
        /// Its id.
        project: String,
    },
    /// Delete a project with its access scopes, actors and their tokens.
    Delete {
        /// Its id.
        project: String,
        /// Say what would go, and delete nothing.
        #[arg(long)]
        dry_run: bool,
        /// Do not ask.
        #[arg(long)]
        yes: bool,
    },
}

const COLUMNS: [&str; 4] = ["projectId", "slug", "name", "createdAt"];

pub(crate) fn run(settings: &Settings, printer: &Printer, args: &Args) -> Result<()> {
    let (client, org) = args.organization.resolve(settings)?;
    match &args.action {
        Action::List { limit, search } => {
            let found = limit.gather(|cursor, _| {
                let number = page_number(cursor);
                let wanted = options::ListProjectsOptions {
                    page: Some(number),
                    limit: Some(PAGE),
                    search: search.clone(),
                    ..Default::default()
                };
                let page = client.list_projects(&org, &wanted)?;
                Ok((page.data, next_page(number, &json(&page.meta)?)))
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
                terminal::confirm(&format!("Delete the project {} with all that is in it?", named.slug), *yes)?;
            }
            let wanted = options::DeleteProjectOptions { dry_run: dry_run.then_some(true), ..Default::default() };
            match client.delete_project(&org, project, &wanted)? {
                Some(concerned) => printer.one(&json(&concerned)?, &["accessScopes", "actors", "liveTokens"]),
                None => printer.done("the project is deleted", &json!({ "deleted": project })),
            }
        }
    }
}

/// Entries of a page in the family that counts pages.
pub(super) const PAGE: u64 = 100;

/// The number of a page, from what the page before said.
pub(super) fn page_number(cursor: Option<String>) -> u64 {
    cursor.and_then(|cursor| cursor.parse().ok()).unwrap_or(1)
}

/// Where the next page begins, by what a page says of itself.
pub(super) fn next_page(number: u64, meta: &serde_json::Value) -> Option<String> {
    let last = meta["totalPages"].as_u64().unwrap_or(0);
    (number < last).then(|| (number + 1).to_string())
}
