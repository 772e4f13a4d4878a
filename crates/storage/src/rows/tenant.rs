//! Rows of organisations.

use super::inconsistent;
use crate::error::StoreError;
use crate::schema::organizations;
use diesel::prelude::{Queryable, Selectable};
use token_domain::Timestamp;
use token_domain::id::OrganizationId;
use token_domain::leak::LeakAction;
use token_domain::person::SecondFactorRule;
use token_domain::record::Organization;
use token_domain::text::{Name, Slug};

/// A row of `organizations`.
#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = organizations)]
pub(crate) struct OrganizationRow {
    id: OrganizationId,
    slug: String,
    name: String,
    disabled_at: Option<Timestamp>,
    token_cap: Option<i64>,
    created_at: Timestamp,
    updated_at: Timestamp,
    requires_second_factor: bool,
    leak_action: String,
    trust_only: bool,
}

impl TryFrom<OrganizationRow> for Organization {
    type Error = StoreError;

    fn try_from(row: OrganizationRow) -> Result<Self, StoreError> {
        let bad = |column| inconsistent("organization", row.id, column);
        Ok(Self {
            id: row.id,
            slug: Slug::parse(&row.slug).map_err(|_| bad("slug"))?,
            name: Name::parse_stored(&row.name).map_err(|_| bad("name"))?,
            disabled_at: row.disabled_at,
            token_cap: row.token_cap.map(u32::try_from).transpose().map_err(|_| bad("token_cap"))?,
            second_factor: if row.requires_second_factor {
                SecondFactorRule::Required
            } else {
                SecondFactorRule::Optional
            },
            leak_action: LeakAction::parse(&row.leak_action).ok_or_else(|| bad("leak_action"))?,
            trust_only: row.trust_only,
            created_at: row.created_at,
            updated_at: row.updated_at,
        })
    }
}
