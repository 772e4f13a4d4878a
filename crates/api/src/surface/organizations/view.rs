//! An organisation as the wire shows it.

use authority::organizations::Seen;
use serde::Serialize;
use utoipa::ToSchema;

use super::role_id;

/// An organisation.
#[derive(Serialize, ToSchema)]
#[schema(as = Organization)]
pub(super) struct OrganizationView {
    #[schema(example = "org_01j0b3v1mmeedtx9cpdgkfhbch")]
    id: String,
    slug: String,
    name: String,
    /// The role of the person who makes the request; `null` for a token of the organisation.
    role: Option<String>,
    /// The id of that role; `null` for a built-in role.
    role_id: Option<String>,
    /// The maximum number of valid tokens; `null` for no maximum. Only the operator can change it.
    token_cap: Option<u32>,
    /// Whether members need a second factor.
    require_second_factor: bool,
    /// What is done with a token that a code host reports as leaked.
    leak_action: String,
    /// Whether tokens of the organisation are made under trust policies alone.
    trust_only: bool,
    created_at: String,
    updated_at: String,
}

impl From<Seen> for OrganizationView {
    fn from(seen: Seen) -> Self {
        let Seen { organization, role, token_cap } = seen;
        Self {
            id: organization.id.to_string(),
            slug: organization.slug.to_string(),
            name: organization.name.to_string(),
            role_id: role.as_ref().and_then(|(role, _)| role_id(*role)),
            role: role.map(|(_, name)| name),
            token_cap,
            require_second_factor: organization.second_factor.is_required(),
            leak_action: organization.leak_action.as_str().to_owned(),
            trust_only: organization.trust_only,
            created_at: organization.created_at.rfc3339_seconds(),
            updated_at: organization.updated_at.rfc3339_seconds(),
        }
    }
}
