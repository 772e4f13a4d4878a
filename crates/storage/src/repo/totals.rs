//! How many entries lists by page have: what the database keeps, so that nobody counts.
//!
//! Triggers of the database move these numbers with every row that comes, goes or changes its access scope, in the same
//! statement. What a list is of that is not there has no numbers, and nothing in the list.

use super::Conn;
use super::listing::total;
use crate::error::StoreError;
use crate::model::{ActorFilter, ScopedTo};
use crate::schema::{access_scope_totals, organization_totals, project_totals};
use crate::sql_types::Bind;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use token_domain::id::{AccessScopeId, OrganizationId, ProjectId};

/// Of an organisation's projects.
pub(super) async fn projects(conn: &mut Conn<'_>, organization: OrganizationId) -> Result<u64, StoreError> {
    let kept = organization_totals::table.find(organization.bind()).select(organization_totals::projects);
    kept.get_result(conn).await.optional()?.map_or(Ok(0), total)
}

/// Of a project's tenant boundaries.
pub(super) async fn access_scopes(conn: &mut Conn<'_>, project: ProjectId) -> Result<u64, StoreError> {
    let kept = project_totals::table.find(project.bind()).select(project_totals::access_scopes);
    kept.get_result(conn).await.optional()?.map_or(Ok(0), total)
}

/// Of a project's actors, or some of them.
pub(super) async fn actors(conn: &mut Conn<'_>, filter: &ActorFilter) -> Result<u64, StoreError> {
    let of_project = project_totals::table.find(filter.project_id.bind());
    let kept = match filter.scoped_to {
        ScopedTo::Anything => of_project.select(project_totals::actors).get_result(conn).await,
        ScopedTo::Nothing => of_project.select(project_totals::unscoped_actors).get_result(conn).await,
        ScopedTo::This(scope) => {
            let of_scope = access_scope_totals::table.find((filter.project_id.bind(), scope.bind()));
            of_scope.select(access_scope_totals::actors).get_result(conn).await
        }
    };
    kept.optional()?.map_or(Ok(0), total)
}

/// Of a project's tenant boundaries and of all its actors.
pub(super) async fn contents(conn: &mut Conn<'_>, project: ProjectId) -> Result<(u64, u64), StoreError> {
    let kept = project_totals::table.find(project.bind());
    let kept =
        kept.select((project_totals::access_scopes, project_totals::actors)).get_result(conn).await.optional()?;
    kept.map_or(Ok((0, 0)), |(scopes, actors)| Ok((total(scopes)?, total(actors)?)))
}

pub(crate) async fn actor_counts(
    conn: &mut Conn<'_>,
    project: ProjectId,
    scopes: &[AccessScopeId],
) -> Result<Vec<(AccessScopeId, u64)>, StoreError> {
    let kept: Vec<(AccessScopeId, i64)> = access_scope_totals::table
        .filter(access_scope_totals::project_id.eq(project.bind()))
        .filter(access_scope_totals::access_scope_id.eq_any(scopes.iter().map(|scope| scope.bind())))
        .filter(access_scope_totals::actors.gt(0))
        .select((access_scope_totals::access_scope_id, access_scope_totals::actors))
        .load(conn)
        .await?;
    kept.into_iter().map(|(scope, actors)| Ok((scope, total(actors)?))).collect()
}
