//! What spans projects, access scopes, actors and their tokens: moves, and the end of a whole project.

use super::listing::total;
use super::totals;
use super::{Conn, dialect};
use crate::error::StoreError;
use crate::model::{ProjectContents, Revocation};
use crate::rows::{ActorRow, ProjectRow};
use crate::schema::{access_scopes, actors, idempotency_keys, projects, tokens};
use crate::sql_types::{Bind, UidParam};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use token_domain::Timestamp;
use token_domain::id::{AccessScopeId, ActorId, OrganizationId, ProjectId, TokenId};
use token_domain::record::{Actor, Project};
use token_domain::text::Name;
use token_domain::token::Kind;

/// Ids bound in one statement.
const IDS_PER_STATEMENT: usize = 500;

pub(crate) async fn actor_of_organization(
    conn: &mut Conn<'_>,
    organization: OrganizationId,
    id: ActorId,
) -> Result<Option<(Actor, Project)>, StoreError> {
    let row: Option<(ActorRow, ProjectRow)> = actors::table
        .inner_join(projects::table)
        .filter(actors::id.eq(id.bind()).and(projects::organization_id.eq(organization.bind())))
        .select((ActorRow::as_select(), ProjectRow::as_select()))
        .first(conn)
        .await
        .optional()?;
    row.map(|(actor, project)| Ok((actor.seen(None)?, project.try_into()?))).transpose()
}

pub(crate) async fn actor_ids(
    conn: &mut Conn<'_>,
    project: ProjectId,
    scope: AccessScopeId,
    limit: u32,
) -> Result<Vec<ActorId>, StoreError> {
    let of_scope = actors::project_id.eq(project.bind()).and(actors::access_scope_id.eq(Some(scope.bind())));
    Ok(actors::table.filter(of_scope).limit(i64::from(limit)).select(actors::id).load(conn).await?)
}

pub(crate) async fn places_of_actors(
    conn: &mut Conn<'_>,
    project: ProjectId,
    ids: &[ActorId],
) -> Result<Vec<(ActorId, Option<AccessScopeId>)>, StoreError> {
    let mut places = Vec::with_capacity(ids.len());
    for chunk in ids.chunks(IDS_PER_STATEMENT) {
        // The project is looked at afterwards: asked for it too, a database may read all of that project's actors.
        let found: Vec<(ActorId, ProjectId, Option<AccessScopeId>)> = actors::table
            .filter(actors::id.eq_any(chunk.iter().map(|id| id.bind())))
            .select((actors::id, actors::project_id, actors::access_scope_id))
            .load(conn)
            .await?;
        let of_project = found.into_iter().filter(|(_, of, _)| *of == project);
        places.extend(of_project.map(|(id, _, scope)| (id, scope)));
    }
    Ok(places)
}

pub(crate) async fn move_actors(
    conn: &mut Conn<'_>,
    project: ProjectId,
    ids: &[ActorId],
    scope: Option<AccessScopeId>,
    at: Timestamp,
) -> Result<usize, StoreError> {
    let mut moved = 0;
    for chunk in ids.chunks(IDS_PER_STATEMENT) {
        let named = actors::table
            .filter(actors::project_id.eq(project.bind()))
            .filter(actors::id.eq_any(chunk.iter().map(|id| id.bind())));
        moved += diesel::update(named)
            .set((actors::access_scope_id.eq(scope.bind()), actors::updated_at.eq(at.bind())))
            .execute(conn)
            .await?;
    }
    Ok(moved)
}

pub(crate) async fn update_tokens_of_actor(
    conn: &mut Conn<'_>,
    actor: ActorId,
    name: &Name,
    expires_at: Option<Timestamp>,
) -> Result<(), StoreError> {
    diesel::update(tokens::table.filter(tokens::actor_id.eq(Some(actor.bind())).and(tokens::revoked_at.is_null())))
        .set((tokens::name.eq(name.as_str()), tokens::expires_at.eq(expires_at.bind())))
        .execute(conn)
        .await?;
    Ok(())
}

pub(crate) async fn project_contents(
    conn: &mut Conn<'_>,
    project: ProjectId,
    now: Timestamp,
) -> Result<ProjectContents, StoreError> {
    let (access_scopes, actors) = totals::contents(conn, project).await?;
    let live = tokens::revoked_at
        .is_null()
        .and(tokens::expires_at.is_null().or(tokens::expires_at.gt(Some(now.bind()))))
        .and(tokens::grace_ends_at.is_null().or(tokens::grace_ends_at.gt(Some(now.bind()))));
    let bound = tokens::table.filter(tokens::project_id.eq(Some(project.bind()))).filter(live);
    let live_tokens: i64 = bound.filter(dialect::in_time()).count().get_result(conn).await?;
    Ok(ProjectContents { access_scopes, actors, live_tokens: total(live_tokens)? })
}

pub(crate) async fn tokens_of_project(
    conn: &mut Conn<'_>,
    project: ProjectId,
    limit: u32,
) -> Result<Vec<TokenId>, StoreError> {
    Ok(tokens::table
        .filter(tokens::project_id.eq(Some(project.bind())).and(tokens::revoked_at.is_null()))
        .order(tokens::id)
        .limit(i64::from(limit))
        .select(tokens::id)
        .load(conn)
        .await?)
}

pub(crate) async fn empty_project(
    conn: &mut Conn<'_>,
    project: ProjectId,
    revocation: &Revocation,
) -> Result<(), StoreError> {
    let bound = tokens::project_id.eq(Some(project.bind()));
    let of_actors = || bound.and(tokens::kind.eq(Kind::Actor.as_str()));
    let made = tokens::table.filter(of_actors()).select(tokens::id);
    diesel::delete(idempotency_keys::table.filter(idempotency_keys::token_id.eq_any(made))).execute(conn).await?;
    diesel::delete(tokens::table.filter(of_actors())).execute(conn).await?;
    // The organisation's and people's own tokens are revoked, and kept for the record without the project.
    diesel::update(tokens::table.filter(bound).filter(tokens::revoked_at.is_null()))
        .set((
            tokens::revoked_at.eq(Some(revocation.at.bind())),
            tokens::revoked_reason.eq(Some(revocation.reason.as_str())),
            tokens::revoked_by.eq(Some(revocation.by.to_string())),
        ))
        .execute(conn)
        .await?;
    diesel::update(tokens::table.filter(bound)).set(tokens::project_id.eq(None::<UidParam>)).execute(conn).await?;
    diesel::delete(actors::table.filter(actors::project_id.eq(project.bind()))).execute(conn).await?;
    diesel::delete(access_scopes::table.filter(access_scopes::project_id.eq(project.bind()))).execute(conn).await?;
    Ok(())
}
