//! The organisation or project that a command is about.

use clap::Subcommand;
use client::{Client, options};

use crate::failure::{Failure, Result};
use crate::settings::Settings;

/// The option of commands that are about an organisation's projects and people.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Organization {
    /// The id or slug of the organisation. Defaults to the organisation of the credential.
    #[arg(long, global = true, value_name = "ORGANIZATION")]
    organization: Option<String>,
}

/// Options of a command about something of an organisation.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct InOrganization<A: Subcommand> {
    #[command(flatten)]
    pub(crate) organization: Organization,
    #[command(subcommand)]
    pub(crate) action: A,
}

/// Options of a command about something of a project.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct InProject<A: Subcommand> {
    #[command(flatten)]
    pub(crate) organization: Organization,
    /// The id of the project.
    #[arg(long, value_name = "PROJECT")]
    pub(crate) project: String,
    #[command(subcommand)]
    pub(crate) action: A,
}

impl Organization {
    /// The authority, and the organisation's id.
    pub(crate) fn resolve(&self, settings: &Settings) -> Result<(Client, String)> {
        let client = settings.signed_in()?;
        if let Some(given) = self.organization.as_ref().filter(|given| given.starts_with("org_")) {
            return Ok((client, given.clone()));
        }
        let page = client
            .list_organizations(&options::ListOrganizationsOptions { limit: Some(1000), ..Default::default() })?;
        let wanted = |slug: &String| self.organization.as_ref().is_none_or(|given| given == slug);
        let mut found = page.organizations.into_iter().filter(|organization| wanted(&organization.slug));
        match (found.next(), found.next()) {
            (Some(only), None) => Ok((client, only.id)),
            (Some(one), Some(_)) => Err(Failure::usage("you are a member of several organisations")
                .next(format!("select one: --organization {}", one.slug))),
            (None, _) => Err(Failure::new("you are not a member of this organisation")),
        }
    }
}
