//! The joined row that a presented token is decided from, and the one statement that reads it.

use super::people::role_ref;
use super::{SecretRow, TokenRow, inconsistent, span, split_scopes};
use crate::error::StoreError;
use diesel::prelude::Queryable;
use token_domain::Timestamp;
use token_domain::id::{AccessScopeId, ProjectId, RoleId, TokenId};
use token_domain::record::{Candidate, OwnerState, Token, TokenOwner};
use token_domain::text::Slug;

/// The columns of [`candidate_query`], in order.
#[derive(Queryable)]
pub(crate) struct CandidateRow {
    token: TokenRow,
    secret: SecretRow,
    organization_disabled_at: Option<Timestamp>,
    user_disabled_at: Option<Timestamp>,
    built_in_role: Option<String>,
    role_id: Option<RoleId>,
    membership_disabled_at: Option<Timestamp>,
    role_scopes: Option<String>,
    actor_project_id: Option<ProjectId>,
    actor_disabled_at: Option<Timestamp>,
    actor_expires_at: Option<Timestamp>,
    access_scope_id: Option<AccessScopeId>,
    access_scope_slug: Option<String>,
    access_scope_active: Option<bool>,
    /// The token this one succeeds in first-use mode, if any.
    first_use_of: Option<TokenId>,
    idle_after: Option<i64>,
}

/// `tokens ⋈ organizations ⟕ users ⟕ memberships ⟕ roles ⟕ actors ⟕ access_scopes ⟕ predecessor ⟕
/// token_policies`, of the tokens that a condition names.
///
/// A macro because the type of the query, fifteen joins and columns deep, is not worth writing down, and both
/// databases must send the very same statement through different `RunQueryDsl` traits.
macro_rules! candidate_query {
    ($found:expr) => {{
        use crate::schema::{access_scopes, actors, memberships, organizations, roles, token_policies, tokens, users};
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
            .left_join(token_policies::table.on(
                token_policies::organization_id.eq(tokens::organization_id).and(token_policies::kind.eq(tokens::kind)),
            ))
            .filter($found)
            .select((
                <crate::rows::TokenRow as diesel::SelectableHelper<_>>::as_select(),
                <crate::rows::SecretRow as diesel::SelectableHelper<_>>::as_select(),
                organizations::disabled_at,
                users::disabled_at.nullable(),
                memberships::built_in_role.nullable(),
                memberships::role_id.nullable(),
                memberships::disabled_at.nullable(),
                roles::scopes.nullable(),
                actors::project_id.nullable(),
                actors::disabled_at.nullable(),
                actors::expires_at.nullable(),
                access_scopes::id.nullable(),
                access_scopes::slug.nullable(),
                access_scopes::is_active.nullable(),
                predecessor.field(tokens::id).nullable(),
                token_policies::idle_after.nullable(),
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
                disabled_at: row.user_disabled_at.or(row.membership_disabled_at),
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
        let idle_after = match row.idle_after {
            Some(micros) => {
                Some(span(micros).ok_or_else(|| inconsistent("token policy of", token.organization_id, "idle_after"))?)
            }
            None => None,
        };
        let organization_disabled_at = row.organization_disabled_at;
        Ok(Self { token, secret: row.secret.into(), organization_disabled_at, owner, first_use_pending, idle_after })
    }
}

#[cfg(test)]
mod tests {
    use crate::backend::sqlite::establish;
    use crate::{DatabaseUrl, migrate};
    use diesel::connection::SimpleConnection as _;
    use diesel::pg::Pg;
    use diesel::prelude::*;
    use diesel::sql_types::Text;
    use diesel::sqlite::Sqlite;

    #[derive(QueryableByName)]
    struct Step {
        #[diesel(sql_type = Text)]
        detail: String,
    }

    /// The statement without its parameters, which are literals here: plans may depend on a parameter's value.
    fn statement(shown: &str) -> String {
        let (statement, _) = shown.split_once(" -- binds").expect("a statement and its parameters");
        statement.replace("$1", "'first_use'").replace("$2", "7").replacen('?', "'first_use'", 1).replacen('?', "7", 1)
    }

    #[test]
    fn sqlite_finds_every_row_by_an_index() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("test.db");
        migrate::up(&DatabaseUrl::parse(&format!("sqlite://{}", path.display())).unwrap()).unwrap();
        let mut connection = establish(&path).unwrap();
        connection.batch_execute("ANALYZE").unwrap();
        let statement =
            statement(&diesel::debug_query::<Sqlite, _>(&candidate_query!(tokens::lookup_hint.eq(7_i64))).to_string());
        let plan: Vec<Step> =
            diesel::sql_query(format!("EXPLAIN QUERY PLAN {statement}")).load(&mut connection).unwrap();
        let plan: Vec<_> = plan.into_iter().map(|step| step.detail).collect();
        assert_eq!(plan.len(), 9, "{plan:?}");
        assert!(plan[0].contains("tokens_lookup_hint_idx"), "{plan:?}");
        assert!(plan.iter().all(|step| step.starts_with("SEARCH ")), "{plan:?}");
    }

    #[test]
    fn postgresql_finds_every_row_by_an_index() {
        let statement =
            statement(&diesel::debug_query::<Pg, _>(&candidate_query!(tokens::lookup_hint.eq(7_i64))).to_string());
        test_support::database::with_empty_postgresql(|url| {
            migrate::up(&DatabaseUrl::parse(&url.to_string()).unwrap()).unwrap();
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            let plan = runtime.block_on(async {
                let (client, connection) =
                    tokio_postgres::connect(&url.to_string(), tokio_postgres::NoTls).await.unwrap();
                tokio::spawn(connection);
                // Nearly empty tables are read whole unless that is made dear.
                client.batch_execute("SET enable_seqscan = off").await.unwrap();
                let rows = client.query(&format!("EXPLAIN {statement}"), &[]).await.unwrap();
                rows.into_iter().map(|row| row.get::<_, String>(0)).collect::<Vec<_>>().join("\n")
            });
            assert!(plan.contains("tokens_lookup_hint_idx"), "{plan}");
            assert!(!plan.contains("Seq Scan"), "{plan}");
        });
    }
}
