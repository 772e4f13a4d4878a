//! The joined row that a presented token is decided from, and the one statement that reads it.

use super::people::role_ref;
use super::{TokenRow, inconsistent, split_scopes};
use crate::error::StoreError;
use crate::model::{Candidate, OwnerState, Token, TokenOwner};
use diesel::prelude::Queryable;
use token_domain::Timestamp;
use token_domain::id::{AccessScopeId, ProjectId, RoleId, TokenId};
use token_domain::text::Slug;

/// The columns of [`candidate_query`], in order.
#[derive(Queryable)]
pub(crate) struct CandidateRow {
    token: TokenRow,
    organization_disabled_at: Option<Timestamp>,
    user_disabled_at: Option<Timestamp>,
    built_in_role: Option<String>,
    role_id: Option<RoleId>,
    role_scopes: Option<String>,
    actor_project_id: Option<ProjectId>,
    actor_disabled_at: Option<Timestamp>,
    actor_expires_at: Option<Timestamp>,
    access_scope_id: Option<AccessScopeId>,
    access_scope_slug: Option<String>,
    access_scope_active: Option<bool>,
    /// The token this one succeeds in first-use mode, if any.
    first_use_of: Option<TokenId>,
}

/// `tokens ⋈ organizations ⟕ users ⟕ memberships ⟕ roles ⟕ actors ⟕ access_scopes ⟕ predecessor` by look-up hint.
///
/// A macro because the type of the query, thirteen joins and columns deep, is not worth writing down, and both
/// databases must send the very same statement through different `RunQueryDsl` traits.
macro_rules! candidate_query {
    ($hint:expr) => {{
        use crate::schema::{access_scopes, actors, memberships, organizations, roles, tokens, users};
        let predecessor = diesel::alias!(tokens as predecessor);
        tokens::table
            .inner_join(organizations::table)
            .left_join(users::table.on(users::id.nullable().eq(tokens::owner_user_id)))
            .left_join(
                memberships::table.on(memberships::organization_id
                    .eq(tokens::organization_id)
                    .and(memberships::user_id.nullable().eq(tokens::owner_user_id))),
            )
            .left_join(roles::table.on(roles::id.nullable().eq(memberships::role_id.nullable())))
            .left_join(actors::table.on(actors::id.nullable().eq(tokens::actor_id)))
            .left_join(access_scopes::table.on(access_scopes::id.nullable().eq(actors::access_scope_id.nullable())))
            .left_join(
                predecessor.on(predecessor
                    .field(tokens::id)
                    .nullable()
                    .eq(tokens::rotated_from)
                    .and(predecessor.field(tokens::rotated_to).eq(tokens::id.nullable()))
                    .and(predecessor.field(tokens::grace_mode).eq("first_use"))),
            )
            .filter(tokens::lookup_hint.eq($hint))
            .select((
                <crate::rows::TokenRow as diesel::SelectableHelper<_>>::as_select(),
                organizations::disabled_at,
                users::disabled_at.nullable(),
                memberships::built_in_role.nullable(),
                memberships::role_id.nullable(),
                roles::scopes.nullable(),
                actors::project_id.nullable(),
                actors::disabled_at.nullable(),
                actors::expires_at.nullable(),
                access_scopes::id.nullable(),
                access_scopes::slug.nullable(),
                access_scopes::is_active.nullable(),
                predecessor.field(tokens::id).nullable(),
            ))
    }};
}

pub(crate) use candidate_query;

impl TryFrom<CandidateRow> for Candidate {
    type Error = StoreError;

    fn try_from(row: CandidateRow) -> Result<Self, StoreError> {
        let token = Token::try_from(row.token)?;
        let owner = match token.owner {
            TokenOwner::Organization => OwnerState::Organization,
            TokenOwner::Person(user_id) => OwnerState::Person {
                user_id,
                disabled_at: row.user_disabled_at,
                role: match (row.built_in_role.as_deref(), row.role_id) {
                    (None, None) => None,
                    (built_in, custom) => Some(role_ref(user_id, built_in, custom)?),
                },
                custom_scopes: row.role_scopes.map(|scopes| split_scopes(&scopes)),
            },
            TokenOwner::Actor(actor_id) => OwnerState::Actor {
                actor_id,
                project_id: row.actor_project_id.ok_or_else(|| inconsistent("token", token.id, "actor_id"))?,
                disabled_at: row.actor_disabled_at,
                expires_at: row.actor_expires_at,
                access_scope: match (row.access_scope_id, row.access_scope_slug, row.access_scope_active) {
                    (Some(id), Some(slug), Some(active)) => {
                        let slug = Slug::parse(&slug).map_err(|_| inconsistent("access scope", id, "slug"))?;
                        Some((id, slug, active))
                    }
                    (None, None, None) => None,
                    _ => return Err(inconsistent("actor", actor_id, "access_scope_id")),
                },
            },
        };
        let first_use_pending = token.first_used_at.is_none() && row.first_use_of.is_some();
        Ok(Self { token, organization_disabled_at: row.organization_disabled_at, owner, first_use_pending })
    }
}
