//! A role as the wire shows it.

use authority::Context;
use authority::records::CustomRole;
use authority::roles::Role;
use serde::Serialize;
use token_domain::person::BuiltInRole;
use utoipa::ToSchema;

/// A role.
#[derive(Serialize, ToSchema)]
#[schema(as = Role)]
pub(super) struct RoleView {
    /// The id used to assign the role: the name of a built-in role, otherwise a UUID.
    id: String,
    name: String,
    /// The purpose of a built-in role.
    description: Option<String>,
    /// The scopes of the role, without the scopes they imply.
    scopes: Vec<String>,
    /// Whether the role is built in and cannot be changed.
    built_in: bool,
    created_at: Option<String>,
    updated_at: Option<String>,
}

impl RoleView {
    pub(super) fn new(role: Role, context: &Context) -> Self {
        match role {
            Role::BuiltIn(role) => Self::built_in(role, context),
            Role::Custom(role) => role.into(),
        }
    }

    fn built_in(role: BuiltInRole, context: &Context) -> Self {
        let catalogue = context.catalogue();
        // A catalogue without all four built-in roles does not load.
        let entry = catalogue.role(role.as_str());
        let scopes = entry.map_or(&[][..], |entry| &entry.scopes);
        Self {
            id: role.to_string(),
            name: role.to_string(),
            description: entry.map(|entry| entry.description.clone()),
            scopes: scopes.iter().map(|scope| catalogue.name(*scope).to_string()).collect(),
            built_in: true,
            created_at: None,
            updated_at: None,
        }
    }
}

impl From<CustomRole> for RoleView {
    fn from(role: CustomRole) -> Self {
        Self {
            id: role.id.to_string(),
            name: role.name.to_string(),
            description: None,
            scopes: role.scopes,
            built_in: false,
            created_at: Some(role.created_at.rfc3339_seconds()),
            updated_at: Some(role.updated_at.rfc3339_seconds()),
        }
    }
}
