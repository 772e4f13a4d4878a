//! `nlp member`: the people of an organisation.

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
    /// List members.
    List {
        #[command(flatten)]
        limit: Limit,
    },
    /// Add or invite a person. The code of an invitation is shown only once.
    Add {
        /// The e-mail address of the person.
        email: String,
        /// The name or id of the role.
        #[arg(long)]
        role: String,
    },
    /// Change the role of a member.
    SetRole {
        /// The id of the member.
        user: String,
        /// The name or id of the role.
        role: String,
    },
    /// Remove a member and revoke the member's keys in this organisation.
    Remove {
        /// The id of the member.
        user: String,
        /// Skip the confirmation.
        #[arg(long)]
        yes: bool,
    },
}

const COLUMNS: [&str; 6] = ["user_id", "email", "name", "role", "status", "joined_at"];

pub(crate) fn run(settings: &Settings, printer: &Printer, args: &Args) -> Result<()> {
    let (client, org) = args.organization.resolve(settings)?;
    match &args.action {
        Action::List { limit } => {
            let found = limit.gather(printer, |cursor, size| {
                let limit = u32::try_from(size).ok();
                let page =
                    client.list_members(&org, &options::ListMembersOptions { limit, cursor, ..Default::default() })?;
                Ok((page.members, page.next_cursor))
            })?;
            printer.list(&jsons(&found)?, &COLUMNS)
        }
        Action::Add { email, role } => {
            let body: types::AddMember = super::from_json(json!({ "email": email, "role": role }))?;
            printer.one(&json(&client.add_member(&org, &body)?)?, &["email", "role", "status", "code", "expires_at"])
        }
        Action::SetRole { user, role } => {
            let body: types::EditMember = super::from_json(json!({ "role": role }))?;
            printer.one(&json(&client.edit_member(&org, user, &body)?)?, &COLUMNS)
        }
        Action::Remove { user, yes } => {
            terminal::confirm("Remove this member and revoke the member's keys?", *yes)?;
            client.remove_member(&org, user)?;
            printer.done("the member is removed", &json!({ "removed": user }))
        }
    }
}
