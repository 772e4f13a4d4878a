//! What acts in a project.

use super::dialect::contains;
use super::listing::{Columns, Window, rows_of, total};
use super::totals;
use super::{Conn, dialect};
use crate::error::StoreError;
use crate::model::{ActorEdit, ActorFilter, Listing, Page, ScopedTo};
use crate::rows::ActorRow;
use crate::schema::{actors, idempotency_keys, tokens};
use crate::sql_types::Bind;
use diesel::dsl::max;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use std::collections::HashMap;
use token_domain::Timestamp;
use token_domain::access::{ActorName, ActorType, Description, ExternalId, Metadata};
use token_domain::id::{AccessScopeId, ActorId, ProjectId, TokenId};
use token_domain::record::Actor;
use token_domain::text::needle;

/// Ids bound in one statement.
const IDS_PER_STATEMENT: usize = 500;

/// An actor and when one of its tokens was last used.
type SeenRow = (ActorRow, Option<Timestamp>);

/// The columns of [`SeenRow`].
macro_rules! seen {
    () => {{
        let its_tokens = tokens::table.filter(tokens::actor_id.eq(actors::id.nullable()));
        (ActorRow::as_select(), its_tokens.select(max(tokens::last_used_at)).single_value())
    }};
}

const COLUMNS: Columns = Columns { table: "actors", slug: None, name: "name" };

/// The actors a list is of.
macro_rules! listed {
    ($filter:expr, $listing:expr) => {{
        let mut listed = actors::table
            .filter(actors::project_id.eq($filter.project_id.bind()))
            .filter(dialect::in_time())
            .into_boxed();
        listed = match $filter.scoped_to {
            ScopedTo::Anything => listed,
            ScopedTo::Nothing => listed.filter(actors::access_scope_id.is_null()),
            ScopedTo::This(scope) => listed.filter(actors::access_scope_id.eq(Some(scope.bind()))),
        };
        if let Some(text) = &$listing.search {
            listed =
                listed.filter(contains!("actors.name", needle(text)).or(contains!("actors.external_id", needle(text))));
        }
        listed
    }};
}

fn seen((row, last_used_at): SeenRow) -> Result<Actor, StoreError> {
    row.seen(last_used_at)
}

pub(crate) async fn insert_actor(conn: &mut Conn<'_>, record: &Actor) -> Result<(), StoreError> {
    diesel::insert_into(actors::table)
        .values((
            actors::id.eq(record.id.bind()),
            actors::project_id.eq(record.project_id.bind()),
            actors::access_scope_id.eq(record.access_scope_id.bind()),
            actors::name.eq(record.name.as_str()),
            actors::actor_type.eq(record.actor_type.as_str()),
            actors::description.eq(record.description.as_ref().map(Description::as_str)),
            actors::external_id.eq(record.external_id.as_ref().map(ExternalId::as_str)),
            actors::metadata.eq(record.metadata.as_ref().map(Metadata::as_json)),
            actors::disabled_at.eq(record.disabled_at.bind()),
            actors::expires_at.eq(record.expires_at.bind()),
            actors::created_at.eq(record.created_at.bind()),
            actors::updated_at.eq(record.updated_at.bind()),
        ))
        .execute(conn)
        .await?;
    Ok(())
}

pub(crate) async fn actor(conn: &mut Conn<'_>, project: ProjectId, id: ActorId) -> Result<Option<Actor>, StoreError> {
    let row: Option<SeenRow> = actors::table
        .filter(actors::id.eq(id.bind()).and(actors::project_id.eq(project.bind())))
        .select(seen!())
        .first(conn)
        .await
        .optional()?;
    row.map(seen).transpose()
}

pub(crate) async fn list_actors(
    conn: &mut Conn<'_>,
    filter: &ActorFilter,
    listing: &Listing,
) -> Result<Page<Actor>, StoreError> {
    let total = match &listing.search {
        None => totals::actors(conn, filter).await?,
        Some(_) => total(listed!(filter, listing).count().get_result(conn).await?)?,
    };
    let window = Window::new(listing, total);
    if window.limit == 0 {
        return Ok(Page { items: Vec::new(), total });
    }
    let rows = rows_of!(conn, window, COLUMNS, listed!(filter, listing), actors, ActorRow, ActorId);
    let ids: Vec<ActorId> = rows.iter().map(|row| row.id).collect();
    let uses = last_uses(conn, &ids).await?;
    let items = rows.into_iter().map(|row| {
        let last_used_at = uses.get(&row.id).copied();
        row.seen(last_used_at)
    });
    Ok(Page { items: items.collect::<Result<_, _>>()?, total })
}

async fn last_uses(conn: &mut Conn<'_>, ids: &[ActorId]) -> Result<HashMap<ActorId, Timestamp>, StoreError> {
    let mut latest = HashMap::new();
    for ids in ids.chunks(IDS_PER_STATEMENT) {
        let uses: Vec<(Option<ActorId>, Option<Timestamp>)> = tokens::table
            .filter(tokens::actor_id.eq_any(ids.iter().map(|id| Some(id.bind()))))
            .group_by(tokens::actor_id)
            .select((tokens::actor_id, max(tokens::last_used_at)))
            .load(conn)
            .await?;
        latest.extend(uses.into_iter().filter_map(|(actor, last_used_at)| actor.zip(last_used_at)));
    }
    Ok(latest)
}

pub(crate) async fn update_actor(
    conn: &mut Conn<'_>,
    project: ProjectId,
    id: ActorId,
    edit: &ActorEdit,
    at: Timestamp,
) -> Result<Option<Actor>, StoreError> {
    let changed =
        diesel::update(actors::table.filter(actors::id.eq(id.bind()).and(actors::project_id.eq(project.bind()))))
            .set((
                edit.name.as_ref().map(|name: &ActorName| actors::name.eq(name.as_str())),
                edit.actor_type.map(|actor_type: ActorType| actors::actor_type.eq(actor_type.as_str())),
                edit.description.then(|text| actors::description.eq(text.map(Description::as_str))),
                edit.external_id.then(|external_id| actors::external_id.eq(external_id.map(ExternalId::as_str))),
                edit.metadata.then(|metadata| actors::metadata.eq(metadata.map(Metadata::as_json))),
                edit.access_scope_id.then(|scope| actors::access_scope_id.eq(scope.copied().bind())),
                edit.disabled_at.then(|moment| actors::disabled_at.eq(moment.copied().bind())),
                edit.expires_at.then(|moment| actors::expires_at.eq(moment.copied().bind())),
                actors::updated_at.eq(at.bind()),
            ))
            .execute(conn)
            .await?;
    if changed == 0 {
        return Ok(None);
    }
    actor(conn, project, id).await
}

pub(crate) async fn unscope_actors(
    conn: &mut Conn<'_>,
    project: ProjectId,
    scope: AccessScopeId,
    at: Timestamp,
) -> Result<Vec<ActorId>, StoreError> {
    let of_scope = actors::project_id.eq(project.bind()).and(actors::access_scope_id.eq(Some(scope.bind())));
    let unscoped = diesel::update(actors::table.filter(of_scope))
        .set((actors::access_scope_id.eq(None::<AccessScopeId>.bind()), actors::updated_at.eq(at.bind())))
        .returning(actors::id)
        .get_results(conn)
        .await?;
    Ok(unscoped)
}

pub(crate) async fn tokens_of_actors(
    conn: &mut Conn<'_>,
    ids: &[ActorId],
    limit: u32,
) -> Result<Vec<TokenId>, StoreError> {
    let mut found: Vec<TokenId> = Vec::new();
    for ids in ids.chunks(IDS_PER_STATEMENT) {
        let theirs = tokens::table
            .filter(tokens::actor_id.eq_any(ids.iter().map(|id| Some(id.bind()))))
            .limit(i64::from(limit) - i64::try_from(found.len()).unwrap_or(i64::MAX))
            .select(tokens::id);
        found.extend(theirs.load::<TokenId>(conn).await?);
    }
    Ok(found)
}

pub(crate) async fn tokens_by_actor(
    conn: &mut Conn<'_>,
    ids: &[ActorId],
    limit: u32,
) -> Result<Vec<(ActorId, TokenId)>, StoreError> {
    let mut found: Vec<(ActorId, TokenId)> = Vec::new();
    for ids in ids.chunks(IDS_PER_STATEMENT) {
        let of_actors = tokens::table
            .filter(tokens::actor_id.eq_any(ids.iter().map(|id| Some(id.bind()))))
            .limit(i64::from(limit) - i64::try_from(found.len()).unwrap_or(i64::MAX))
            .select((tokens::actor_id, tokens::id));
        let rows: Vec<(Option<ActorId>, TokenId)> = of_actors.load(conn).await?;
        found.extend(rows.into_iter().filter_map(|(actor, token)| actor.map(|actor| (actor, token))));
    }
    Ok(found)
}

pub(crate) async fn delete_actor(
    conn: &mut Conn<'_>,
    project: ProjectId,
    id: ActorId,
) -> Result<Option<Vec<TokenId>>, StoreError> {
    let Some(id) = actor(conn, project, id).await?.map(|actor| actor.id) else { return Ok(None) };
    let its_tokens = tokens::table.filter(tokens::actor_id.eq(Some(id.bind()))).select(tokens::id);
    diesel::delete(idempotency_keys::table.filter(idempotency_keys::token_id.eq_any(its_tokens))).execute(conn).await?;
    let gone = diesel::delete(tokens::table.filter(tokens::actor_id.eq(Some(id.bind()))))
        .returning(tokens::id)
        .get_results(conn)
        .await?;
    let actor = actors::id.eq(id.bind()).and(actors::project_id.eq(project.bind()));
    let deleted = diesel::delete(actors::table.filter(actor)).execute(conn).await?;
    Ok((deleted == 1).then_some(gone))
}
