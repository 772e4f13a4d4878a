//! `nlp actor`: devices, servers and programs of a project, each with a token.

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
    /// List actors.
    List {
        #[command(flatten)]
        limit: Limit,
        /// Only actors in this access scope (id).
        #[arg(long, value_name = "ID")]
        access_scope: Option<String>,
        /// Only actors whose name or external id contains this text.
        #[arg(long, value_name = "TEXT")]
        search: Option<String>,
    },
    /// Create an actor. Its token is shown only once.
    Create {
        /// The name of the actor.
        name: String,
        /// The type of the actor: device, user, server, agent, service, session, orchestrator or observer.
        #[arg(long = "type", value_name = "TYPE")]
        actor_type: Option<String>,
        /// The id of the access scope of the actor.
        #[arg(long, value_name = "ID")]
        access_scope: Option<String>,
        /// The identifier of the actor in your own system.
        #[arg(long, value_name = "ID")]
        external_id: Option<String>,
        /// When the actor and its token expire (RFC 3339).
        #[arg(long, value_name = "TIME")]
        expires_at: Option<String>,
    },
    /// Show an actor.
    Show {
        /// The id of the actor.
        actor: String,
    },
    /// Rotate the token of an actor. The old token stays valid for the grace period.
    Rotate {
        /// The id of the actor.
        actor: String,
        /// The grace period in seconds.
        #[arg(long, value_name = "SECONDS")]
        grace: Option<u32>,
    },
    /// Delete an actor and its tokens.
    Delete {
        /// The id of the actor.
        actor: String,
        /// Skip the confirmation.
        #[arg(long)]
        yes: bool,
    },
}

const COLUMNS: [&str; 6] = ["actorId", "name", "actorType", "status", "accessScopeId", "lastUsedAt"];
const MADE: [&str; 4] = ["actorId", "name", "accessToken", "gracePeriodEndsAt"];

pub(crate) fn run(settings: &Settings, printer: &Printer, args: &Args) -> Result<()> {
    let (client, org) = args.organization.resolve(settings)?;
    let project = &args.project;
    match &args.action {
        Action::List { limit, access_scope, search } => {
            let found = limit.gather_numbered(printer, |page, size| {
                let wanted = options::ListActorsOptions {
                    page: Some(page),
                    limit: Some(size),
                    access_scope_id: access_scope.clone(),
                    search: search.clone(),
                    ..Default::default()
                };
                let page = client.list_actors(&org, project, &wanted)?;
                Ok((page.data, json(&page.meta)?))
            })?;
            printer.list(&jsons(&found)?, &COLUMNS)
        }
        Action::Create { name, actor_type, access_scope, external_id, expires_at } => {
            // Built as JSON, where enumerations are plain text whatever their type in the client.
            let body = json!({
                "name": name, "actorType": actor_type, "accessScopeId": access_scope,
                "externalId": external_id, "expiresAt": expires_at,
            });
            let body: types::CreateActor = super::from_json(body)?;
            printer.one(&json(&client.create_actor(&org, project, &body)?)?, &MADE)
        }
        Action::Show { actor } => printer.one(&json(&client.get_actor(&org, project, actor)?)?, &COLUMNS),
        Action::Rotate { actor, grace } => {
            let body: types::RotateActor = super::from_json(json!({ "gracePeriodSeconds": grace }))?;
            printer.one(&json(&client.rotate_actor(&org, project, actor, &body)?)?, &MADE)
        }
        Action::Delete { actor, yes } => {
            let named = client.get_actor(&org, project, actor)?;
            terminal::confirm(&format!("Delete the actor {} and its tokens?", named.name), *yes)?;
            client.delete_actor(&org, project, actor)?;
            printer.done("the actor is deleted", &json!({ "deleted": actor }))
        }
    }
}
