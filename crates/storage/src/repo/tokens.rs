//! Tokens: listing, changing what is shown, rotation, revocation, notes about use.
//!
//! The conditions below spell [`TokenFacts::status`](token_domain::token::TokenFacts::status) in SQL; a test holds
//! them against it.

use super::dialect::{contains, not_older, older};
use super::listing::total;
use super::{Conn, dialect};
use crate::error::StoreError;
use crate::kept::Keep as _;
use crate::model::{OwnerFilter, Revocation, StatusCounts, TokenEdit, TokenFilter, TokenUse};
use crate::rows::{TokenRow, join_scopes};
use crate::schema::tokens;
use crate::sql_types::{Bind, Moment, MomentParam, UidParam};
use diesel::dsl::{count, count_star, sql};
use diesel::prelude::*;
use diesel::sql_types::Bool;
use diesel_async::RunQueryDsl;
use token_domain::access::{Description, ExternalId, Metadata};
use token_domain::id::{OrganizationId, TokenId, UserId};
use token_domain::record::{Candidate, Hint, NewToken, StoredSecret, Token, TokenOwner};
use token_domain::text::needle;
use token_domain::token::{Explanation, GraceMode, Kind, RevokeCause, Status, TokenFacts};
use token_domain::{Span, Timestamp};

/// Uses written down per statement.
const USES_PER_STATEMENT: usize = 500;
/// Tokens named per statement.
const TOKENS_PER_STATEMENT: usize = 500;
/// People named per statement.
const PEOPLE_PER_STATEMENT: usize = 500;

/// `tokens.revoked_at IS NULL AND …`: not revoked, and not past its expiry at `$now`.
macro_rules! unexpired {
    ($now:expr) => {
        tokens::revoked_at.is_null().and(tokens::expires_at.is_null().or(tokens::expires_at.gt(Some($now.bind()))))
    };
}

/// Not superseded, or in a grace that has not ended at `$now`.
macro_rules! before_the_end_of_grace {
    ($now:expr) => {
        tokens::grace_ends_at.is_null().or(tokens::grace_ends_at.gt(Some($now.bind())))
    };
}

/// Active or rotating at `$now`.
macro_rules! live {
    ($now:expr) => {
        unexpired!($now).and(before_the_end_of_grace!($now))
    };
}

/// Past its expiry at `$now`, and not revoked or superseded to its end before.
macro_rules! expired {
    ($now:expr) => {
        tokens::revoked_at.is_null().and(tokens::expires_at.le(Some($now.bind()))).and(before_the_end_of_grace!($now))
    };
}

/// Active at `$now`: neither revoked, nor expired, nor superseded.
macro_rules! active {
    ($now:expr) => {
        unexpired!($now).and(tokens::superseded_at.is_null())
    };
}

pub(crate) async fn candidates(conn: &mut Conn<'_>, lookup_hint: i64) -> Result<Vec<Candidate>, StoreError> {
    let rows = dialect::load_candidates(conn, lookup_hint).await?;
    rows.into_iter().map(Candidate::try_from).collect()
}

pub(crate) async fn candidates_among(
    conn: &mut Conn<'_>,
    lookup_hints: &[i64],
    limit: u32,
) -> Result<Vec<Candidate>, StoreError> {
    let rows = dialect::load_candidates_among(conn, lookup_hints.to_vec(), limit).await?;
    rows.into_iter().map(Candidate::try_from).collect()
}

pub(crate) async fn candidate(
    conn: &mut Conn<'_>,
    organization: OrganizationId,
    id: TokenId,
) -> Result<Option<Candidate>, StoreError> {
    dialect::load_candidate(conn, organization, id).await?.map(Candidate::try_from).transpose()
}

pub(crate) async fn insert_token(conn: &mut Conn<'_>, new: &NewToken) -> Result<(), StoreError> {
    let NewToken { token: record, secret } = new;
    let (owner_user_id, actor_id) = match record.owner {
        TokenOwner::Organization => (None, None),
        TokenOwner::Person(user) => (Some(user), None),
        TokenOwner::Actor(actor) => (None, Some(actor)),
    };
    let TokenFacts { created_at, expires_at, superseded, revoked } = record.facts;
    diesel::insert_into(tokens::table)
        .values((
            tokens::id.eq(record.id.bind()),
            tokens::organization_id.eq(record.organization_id.bind()),
            tokens::kind.eq(record.owner.kind().as_str()),
            tokens::owner_user_id.eq(owner_user_id.bind()),
            tokens::actor_id.eq(actor_id.bind()),
            tokens::name.eq(record.name.as_str()),
            tokens::agent_type.eq(record.agent_type.as_str()),
            tokens::scopes.eq(join_scopes(&record.scopes)?),
            tokens::project_id.eq(record.project_id.bind()),
            tokens::hint.eq(record.hint.as_str()),
            tokens::secret_hash.eq(secret.secret_hash.as_str()),
            tokens::lookup_hint.eq(secret.lookup_hint),
            tokens::verify_tag.eq(secret.verify_tag.as_deref()),
            tokens::created_at.eq(created_at.bind()),
            tokens::expires_at.eq(expires_at.bind()),
            tokens::lifetime.eq(record.lifetime.map(Span::as_micros)),
            tokens::created_by.eq(record.created_by.to_string()),
            tokens::superseded_at.eq(superseded.map(|superseded| superseded.at.bind())),
            tokens::rotated_to.eq(superseded.map(|superseded| superseded.by.bind())),
            tokens::grace_ends_at.eq(superseded.map(|superseded| superseded.grace_ends_at.bind())),
            tokens::grace_mode.eq(superseded.map(|superseded| superseded.mode.as_str())),
            tokens::revoked_at.eq(revoked.map(|revoked| revoked.at.bind())),
            tokens::revoked_reason.eq(revoked.map(|revoked| revoked.reason.as_str())),
            tokens::revoked_by.eq(record.revoked_by.map(|by| by.to_string())),
            tokens::rotated_from.eq(record.rotated_from.bind()),
            tokens::first_used_at.eq(record.first_used_at.bind()),
            tokens::last_used_at.eq(record.last_used_at.bind()),
            tokens::reuse_detected_at.eq(record.reuse_detected_at.bind()),
            tokens::description.eq(record.details.description.as_ref().map(Description::as_str)),
            tokens::external_id.eq(record.details.external_id.as_ref().map(ExternalId::as_str)),
            tokens::metadata.eq(record.details.metadata.as_ref().map(Metadata::as_json)),
            tokens::allowed_networks.eq(record.details.allowed_networks.as_ref().map(ToString::to_string)),
            tokens::revoked_cause.eq(record.explanation.cause.map(RevokeCause::as_str)),
            tokens::revoked_note.eq(record.explanation.note.as_ref().map(Description::as_str)),
        ))
        .execute(conn)
        .await?;
    Ok(())
}

pub(crate) async fn token(
    conn: &mut Conn<'_>,
    organization: OrganizationId,
    id: TokenId,
) -> Result<Option<Token>, StoreError> {
    let row = tokens::table
        .filter(tokens::id.eq(id.bind()).and(tokens::organization_id.eq(organization.bind())))
        .select(TokenRow::as_select())
        .first(conn)
        .await
        .optional()?;
    row.map(Token::try_from).transpose()
}

pub(crate) async fn tokens_by_id(
    conn: &mut Conn<'_>,
    organization: OrganizationId,
    ids: &[TokenId],
) -> Result<Vec<Token>, StoreError> {
    let mut found = Vec::new();
    for ids in ids.chunks(TOKENS_PER_STATEMENT) {
        let rows: Vec<TokenRow> = tokens::table
            .filter(tokens::id.eq_any(ids.iter().map(|id| id.bind())))
            .filter(tokens::organization_id.eq(organization.bind()))
            .order((tokens::created_at.desc(), tokens::id.desc()))
            .select(TokenRow::as_select())
            .load(conn)
            .await?;
        for row in rows {
            found.push(Token::try_from(row)?);
        }
    }
    Ok(found)
}

/// The conditions of a filter, but for its page, on a query of tokens that is boxed.
macro_rules! filtered {
    ($query:expr, $filter:expr) => {{
        let (mut query, filter) = ($query, $filter);
        let now = filter.now;
        query = query.filter(tokens::organization_id.eq(filter.organization_id.bind()));
        query = match filter.owner {
            OwnerFilter::Kind(kind) => query.filter(tokens::kind.eq(kind.as_str())),
            OwnerFilter::Person(user) => query.filter(tokens::owner_user_id.eq(Some(user.bind()))),
            OwnerFilter::Actor(actor) => query.filter(tokens::actor_id.eq(Some(actor.bind()))),
        };
        if let Some(project) = filter.project_id {
            query = query.filter(tokens::project_id.eq(Some(project.bind())));
            // Said once more in the words of the index of these.
            if filter.owner == OwnerFilter::Kind(Kind::Organization) {
                query = query.filter(tokens::actor_id.is_null());
            }
        }
        let grace_over = || tokens::grace_ends_at.le(Some(now.bind()));
        query = match filter.status {
            None => query,
            Some(Status::Active) => query.filter(active!(now)),
            Some(Status::Rotating) => query.filter(unexpired!(now).and(tokens::grace_ends_at.gt(Some(now.bind())))),
            // The first condition follows from the second, which SQLite does not see, and is that of the index of these.
            Some(Status::Revoked) => query
                .filter(tokens::revoked_at.is_not_null().or(tokens::grace_ends_at.is_not_null()))
                .filter(tokens::revoked_at.is_not_null().or(grace_over())),
            Some(Status::Expired) => query.filter(expired!(now)),
        };
        if let Some(part) = &filter.name_contains {
            query = query.filter(contains!("tokens.name", needle(part)));
        }
        let narrowed = &filter.narrowed;
        if let Some(text) = &narrowed.text {
            let shown = text.strip_prefix("nlp_").unwrap_or(text).trim_end_matches('…');
            let anywhere = contains!("tokens.name", needle(text))
                .or(contains!("coalesce(tokens.description, '')", needle(text)))
                .or(contains!("coalesce(tokens.external_id, '')", needle(text)))
                .or(tokens::hint.eq(shown.to_owned()));
            query = match TokenId::parse(text) {
                Ok(id) => query.filter(anywhere.or(tokens::id.eq(id.bind()))),
                Err(_) => query.filter(anywhere),
            };
        }
        if let Some(scope) = &narrowed.scope {
            query = query.filter(contains!("' ' || tokens.scopes || ' '", format!(" {scope} ")));
        }
        if let Some(by) = narrowed.created_by {
            query = query.filter(tokens::created_by.eq(by.to_string()));
        }
        if let Some(label) = &narrowed.agent_type {
            query = query.filter(tokens::agent_type.eq(label.as_str().to_owned()));
        }
        if let Some(holder) = &narrowed.external_id {
            query = query.filter(tokens::external_id.eq(Some(holder.as_str().to_owned())));
        }
        if let Some(since) = narrowed.unused_since {
            // One value, not two conditions: SQLite would look up `created_at` by the second, and read from the wrong place.
            query = query.filter(
                sql::<Bool>("coalesce(tokens.last_used_at, tokens.created_at) < ").bind::<Moment, _>(since.bind()),
            );
        }
        if let Some(before) = narrowed.expires_before {
            query = query.filter(tokens::expires_at.lt(Some(before.bind())));
        }
        if let Some(moment) = narrowed.revoked_after {
            query = query.filter(
                tokens::revoked_at.gt(Some(moment.bind())).or(tokens::revoked_at
                    .is_null()
                    .and(tokens::grace_ends_at.gt(Some(moment.bind())))
                    .and(grace_over())),
            );
        }
        query
    }};
}

pub(crate) async fn list_tokens(conn: &mut Conn<'_>, filter: &TokenFilter) -> Result<Vec<Token>, StoreError> {
    let query = tokens::table
        .order((tokens::created_at.desc(), tokens::id.desc()))
        .limit(i64::from(filter.limit))
        .select(TokenRow::as_select())
        .into_boxed();
    let mut query = filtered!(query, filter);
    if let Some(place) = filter.after {
        query = query.filter(older!("tokens.created_at", "tokens.id", place));
    }
    if let Some(place) = filter.until {
        query = query.filter(not_older!("tokens.created_at", "tokens.id", place));
    }
    let rows: Vec<TokenRow> = query.load(conn).await?;
    rows.into_iter().map(Token::try_from).collect()
}

pub(crate) async fn live_token_ids(conn: &mut Conn<'_>, filter: &TokenFilter) -> Result<Vec<TokenId>, StoreError> {
    let now = filter.now;
    let query = tokens::table
        .filter(live!(now))
        .order((tokens::created_at.desc(), tokens::id.desc()))
        .limit(i64::from(filter.limit))
        .select(tokens::id)
        .into_boxed();
    Ok(filtered!(query, filter).load(conn).await?)
}

pub(crate) async fn count_tokens(conn: &mut Conn<'_>, filter: &TokenFilter) -> Result<StatusCounts, StoreError> {
    let now = filter.now;
    let in_grace = || tokens::grace_ends_at.gt(Some(now.bind()));
    let query = tokens::table
        .select((
            count_star(),
            // Where a condition is unknown, it does not hold, to `FILTER` as to `WHERE`.
            count(tokens::id).aggregate_filter(active!(now).assume_not_null()),
            count(tokens::id).aggregate_filter(unexpired!(now).and(in_grace()).assume_not_null()),
            count(tokens::id).aggregate_filter(expired!(now).assume_not_null()),
        ))
        .into_boxed();
    let query = filtered!(query, filter).filter(dialect::in_time());
    let (all, active, rotating, expired): (i64, i64, i64, i64) = query.get_result(conn).await?;
    Ok(StatusCounts {
        active: total(active)?,
        rotating: total(rotating)?,
        expired: total(expired)?,
        // Every token has exactly one status.
        revoked: total(all - active - rotating - expired)?,
    })
}

pub(crate) async fn search_end_of_tokens(
    conn: &mut Conn<'_>,
    filter: &TokenFilter,
    rows: u32,
) -> Result<Option<(Timestamp, TokenId)>, StoreError> {
    // Nothing but the index of the order is walked.
    let mut query = tokens::table
        .filter(tokens::organization_id.eq(filter.organization_id.bind()))
        .order((tokens::created_at.desc(), tokens::id.desc()))
        .offset(i64::from(rows.saturating_sub(1)))
        .limit(1)
        .select((tokens::created_at, tokens::id))
        .into_boxed();
    query = match filter.owner {
        OwnerFilter::Kind(kind) => query.filter(tokens::kind.eq(kind.as_str())),
        OwnerFilter::Person(user) => query.filter(tokens::owner_user_id.eq(Some(user.bind()))),
        OwnerFilter::Actor(actor) => query.filter(tokens::actor_id.eq(Some(actor.bind()))),
    };
    if let Some(place) = filter.after {
        query = query.filter(older!("tokens.created_at", "tokens.id", place));
    }
    Ok(query.first(conn).await.optional()?)
}

pub(crate) async fn live_tokens_of_kind(
    conn: &mut Conn<'_>,
    organization: OrganizationId,
    kind: Kind,
    after: Option<(Timestamp, TokenId)>,
    now: Timestamp,
    limit: u32,
) -> Result<Vec<Token>, StoreError> {
    let mut query = tokens::table
        .filter(tokens::organization_id.eq(organization.bind()).and(tokens::kind.eq(kind.as_str())))
        .filter(live!(now))
        .order((tokens::created_at.desc(), tokens::id.desc()))
        .limit(i64::from(limit))
        .select(TokenRow::as_select())
        .into_boxed();
    if let Some(place) = after {
        query = query.filter(older!("tokens.created_at", "tokens.id", place));
    }
    let rows: Vec<TokenRow> = query.load(conn).await?;
    rows.into_iter().map(Token::try_from).collect()
}

pub(crate) async fn count_static_tokens(
    conn: &mut Conn<'_>,
    organization: OrganizationId,
    now: Timestamp,
    most: u32,
) -> Result<usize, StoreError> {
    let found: Vec<TokenId> = tokens::table
        .filter(tokens::organization_id.eq(organization.bind()).and(tokens::kind.eq(Kind::Organization.as_str())))
        .filter(live!(now))
        .filter(tokens::created_by.not_like("policy:%"))
        .order((tokens::created_at.desc(), tokens::id.desc()))
        .limit(i64::from(most))
        .select(tokens::id)
        .load(conn)
        .await?;
    Ok(found.len())
}

pub(crate) async fn edit_token(
    conn: &mut Conn<'_>,
    organization: OrganizationId,
    id: TokenId,
    edit: &TokenEdit,
) -> Result<Option<Token>, StoreError> {
    if edit.is_empty() {
        return token(conn, organization, id).await;
    }
    let row = diesel::update(
        tokens::table.filter(tokens::id.eq(id.bind()).and(tokens::organization_id.eq(organization.bind()))),
    )
    .set((
        // `None` leaves a column as it is.
        edit.name.as_ref().map(|name| tokens::name.eq(name.as_str())),
        edit.agent_type.as_ref().map(|label| tokens::agent_type.eq(label.as_str())),
        edit.description.then(|text| tokens::description.eq(text.map(Description::as_str))),
        edit.external_id.then(|holder| tokens::external_id.eq(holder.map(ExternalId::as_str))),
        edit.metadata.then(|metadata| tokens::metadata.eq(metadata.map(Metadata::as_json))),
    ))
    .returning(TokenRow::as_returning())
    .get_result(conn)
    .await
    .optional()?;
    row.map(Token::try_from).transpose()
}

pub(crate) async fn live_token_count(
    conn: &mut Conn<'_>,
    organization: OrganizationId,
    now: Timestamp,
) -> Result<i64, StoreError> {
    Ok(tokens::table
        .filter(tokens::organization_id.eq(organization.bind()))
        .filter(live!(now))
        .filter(dialect::in_time())
        .count()
        .get_result(conn)
        .await?)
}

pub(crate) async fn some_verify_tag(conn: &mut Conn<'_>) -> Result<Option<Vec<u8>>, StoreError> {
    let tag = tokens::table.filter(tokens::verify_tag.is_not_null()).select(tokens::verify_tag);
    Ok(tag.first::<Option<Vec<u8>>>(conn).await.optional()?.flatten())
}

pub(crate) async fn live_key_count(
    conn: &mut Conn<'_>,
    organization: OrganizationId,
    user: UserId,
    now: Timestamp,
) -> Result<i64, StoreError> {
    Ok(tokens::table
        .filter(tokens::owner_user_id.eq(Some(user.bind())))
        .filter(tokens::organization_id.eq(organization.bind()))
        .filter(live!(now))
        .count()
        .get_result(conn)
        .await?)
}

#[expect(clippy::too_many_arguments, reason = "the columns of one rotation, each of its own type")]
pub(crate) async fn supersede_active(
    conn: &mut Conn<'_>,
    organization: OrganizationId,
    old: TokenId,
    by: TokenId,
    at: Timestamp,
    grace_ends_at: Timestamp,
    mode: GraceMode,
    now: Timestamp,
) -> Result<Option<Token>, StoreError> {
    let row = diesel::update(
        tokens::table
            .filter(tokens::id.eq(old.bind()).and(tokens::organization_id.eq(organization.bind())))
            .filter(active!(now)),
    )
    .set((
        tokens::superseded_at.eq(Some(at.bind())),
        tokens::rotated_to.eq(Some(by.bind())),
        tokens::grace_ends_at.eq(Some(grace_ends_at.bind())),
        tokens::grace_mode.eq(Some(mode.as_str())),
    ))
    .returning(TokenRow::as_returning())
    .kept()
    .get_result(conn)
    .await
    .optional()?;
    row.map(Token::try_from).transpose()
}

pub(crate) async fn cancel_supersession(
    conn: &mut Conn<'_>,
    organization: OrganizationId,
    id: TokenId,
    now: Timestamp,
) -> Result<Option<(Token, TokenId)>, StoreError> {
    let successor: Option<Option<TokenId>> = tokens::table
        .filter(tokens::id.eq(id.bind()).and(tokens::organization_id.eq(organization.bind())))
        .select(tokens::rotated_to)
        .first(conn)
        .await
        .optional()?;
    let Some(successor) = successor.flatten() else { return Ok(None) };
    // The successor just read is part of the guard: had someone cancelled and rotated again meanwhile, no row fits.
    let row = diesel::update(
        tokens::table
            .filter(tokens::id.eq(id.bind()).and(tokens::organization_id.eq(organization.bind())))
            .filter(tokens::rotated_to.eq(Some(successor.bind())).and(tokens::grace_ends_at.gt(Some(now.bind()))))
            .filter(unexpired!(now)),
    )
    .set((
        tokens::superseded_at.eq(None::<MomentParam>),
        tokens::rotated_to.eq(None::<UidParam>),
        tokens::grace_ends_at.eq(None::<MomentParam>),
        tokens::grace_mode.eq(None::<&str>),
    ))
    .returning(TokenRow::as_returning())
    .kept()
    .get_result(conn)
    .await
    .optional()?;
    row.map(|row| Ok((Token::try_from(row)?, successor))).transpose()
}

pub(crate) async fn revoke_token(
    conn: &mut Conn<'_>,
    organization: OrganizationId,
    id: TokenId,
    revocation: &Revocation,
) -> Result<Option<Token>, StoreError> {
    let row = diesel::update(
        tokens::table
            .filter(tokens::id.eq(id.bind()).and(tokens::organization_id.eq(organization.bind())))
            .filter(tokens::revoked_at.is_null()),
    )
    .set((
        tokens::revoked_at.eq(Some(revocation.at.bind())),
        tokens::revoked_reason.eq(Some(revocation.reason.as_str())),
        tokens::revoked_by.eq(Some(revocation.by.to_string())),
    ))
    .returning(TokenRow::as_returning())
    .kept()
    .get_result(conn)
    .await
    .optional()?;
    row.map(Token::try_from).transpose()
}

pub(crate) async fn revoke_tokens(
    conn: &mut Conn<'_>,
    organization: OrganizationId,
    ids: &[TokenId],
    revocation: &Revocation,
) -> Result<Vec<TokenId>, StoreError> {
    let mut revoked = Vec::new();
    for ids in ids.chunks(TOKENS_PER_STATEMENT) {
        let these = diesel::update(
            tokens::table
                .filter(tokens::organization_id.eq(organization.bind()).and(tokens::revoked_at.is_null()))
                .filter(tokens::id.eq_any(ids.iter().map(|id| id.bind()))),
        )
        .set((
            tokens::revoked_at.eq(Some(revocation.at.bind())),
            tokens::revoked_reason.eq(Some(revocation.reason.as_str())),
            tokens::revoked_by.eq(Some(revocation.by.to_string())),
        ))
        .returning(tokens::id);
        revoked.extend(these.get_results::<TokenId>(conn).await?);
    }
    Ok(revoked)
}

pub(crate) async fn explain_revocations(
    conn: &mut Conn<'_>,
    organization: OrganizationId,
    ids: &[TokenId],
    explanation: &Explanation,
) -> Result<(), StoreError> {
    for ids in ids.chunks(TOKENS_PER_STATEMENT) {
        diesel::update(
            tokens::table
                .filter(tokens::organization_id.eq(organization.bind()))
                .filter(tokens::id.eq_any(ids.iter().map(|id| id.bind()))),
        )
        .set((
            tokens::revoked_cause.eq(explanation.cause.map(RevokeCause::as_str)),
            tokens::revoked_note.eq(explanation.note.as_ref().map(Description::as_str)),
        ))
        .execute(conn)
        .await?;
    }
    Ok(())
}

pub(crate) async fn revoke_tokens_of_owner(
    conn: &mut Conn<'_>,
    organization: OrganizationId,
    owner: TokenOwner,
    revocation: &Revocation,
) -> Result<Vec<TokenId>, StoreError> {
    let set = (
        tokens::revoked_at.eq(Some(revocation.at.bind())),
        tokens::revoked_reason.eq(Some(revocation.reason.as_str())),
        tokens::revoked_by.eq(Some(revocation.by.to_string())),
    );
    let alive = tokens::organization_id.eq(organization.bind()).and(tokens::revoked_at.is_null());
    let revoked = match owner {
        TokenOwner::Organization => {
            diesel::update(tokens::table.filter(alive).filter(tokens::kind.eq(Kind::Organization.as_str())))
                .set(set)
                .returning(tokens::id)
                .kept()
                .get_results(conn)
                .await?
        }
        TokenOwner::Person(user) => {
            diesel::update(tokens::table.filter(alive).filter(tokens::owner_user_id.eq(Some(user.bind()))))
                .set(set)
                .returning(tokens::id)
                .kept()
                .get_results(conn)
                .await?
        }
        TokenOwner::Actor(actor) => {
            diesel::update(tokens::table.filter(alive).filter(tokens::actor_id.eq(Some(actor.bind()))))
                .set(set)
                .returning(tokens::id)
                .kept()
                .get_results(conn)
                .await?
        }
    };
    Ok(revoked)
}

pub(crate) async fn keys_of_people(
    conn: &mut Conn<'_>,
    organization: OrganizationId,
    people: &[UserId],
    limit: u32,
) -> Result<Vec<TokenId>, StoreError> {
    let mut keys: Vec<TokenId> = Vec::new();
    for people in people.chunks(PEOPLE_PER_STATEMENT) {
        let theirs = tokens::table
            .filter(tokens::owner_user_id.eq_any(people.iter().map(|id| Some(id.bind()))))
            .filter(tokens::organization_id.eq(organization.bind()))
            .limit(i64::from(limit) - i64::try_from(keys.len()).unwrap_or(i64::MAX))
            .select(tokens::id);
        keys.extend(theirs.load::<TokenId>(conn).await?);
    }
    Ok(keys)
}

pub(crate) async fn shorten_grace(
    conn: &mut Conn<'_>,
    successor: TokenId,
    at: Timestamp,
    new_end: Timestamp,
) -> Result<Option<TokenId>, StoreError> {
    diesel::update(tokens::table.filter(tokens::id.eq(successor.bind()).and(tokens::first_used_at.is_null())))
        .set(tokens::first_used_at.eq(Some(at.bind())))
        .kept()
        .execute(conn)
        .await?;
    let shortened = diesel::update(
        tokens::table
            .filter(tokens::rotated_to.eq(Some(successor.bind())))
            .filter(tokens::grace_mode.eq(Some(GraceMode::FirstUse.as_str())))
            .filter(tokens::grace_ends_at.gt(Some(new_end.bind())))
            // A grace never ends before it began, whatever moment is asked for.
            .filter(tokens::superseded_at.le(Some(new_end.bind()))),
    )
    .set(tokens::grace_ends_at.eq(Some(new_end.bind())))
    .returning(tokens::id)
    .kept()
    .get_result(conn)
    .await
    .optional()?;
    Ok(shortened)
}

pub(crate) async fn end_grace_by(
    conn: &mut Conn<'_>,
    organization: OrganizationId,
    id: TokenId,
    new_end: Timestamp,
) -> Result<Option<Token>, StoreError> {
    let row = diesel::update(
        tokens::table
            .filter(tokens::id.eq(id.bind()).and(tokens::organization_id.eq(organization.bind())))
            .filter(tokens::revoked_at.is_null())
            .filter(tokens::grace_ends_at.gt(Some(new_end.bind())))
            // A grace never ends before it began, whatever moment is asked for.
            .filter(tokens::superseded_at.le(Some(new_end.bind()))),
    )
    .set(tokens::grace_ends_at.eq(Some(new_end.bind())))
    .returning(TokenRow::as_returning())
    .kept()
    .get_result(conn)
    .await
    .optional()?;
    row.map(Token::try_from).transpose()
}

pub(crate) async fn mark_reuse(conn: &mut Conn<'_>, id: TokenId, at: Timestamp) -> Result<bool, StoreError> {
    let changed =
        diesel::update(tokens::table.filter(tokens::id.eq(id.bind()).and(tokens::reuse_detected_at.is_null())))
            .set(tokens::reuse_detected_at.eq(Some(at.bind())))
            .kept()
            .execute(conn)
            .await?;
    Ok(changed == 1)
}

pub(crate) async fn set_secret(
    conn: &mut Conn<'_>,
    id: TokenId,
    secret: &StoredSecret,
    hint: Option<Hint>,
    expected_hash: &str,
) -> Result<bool, StoreError> {
    let changed =
        diesel::update(tokens::table.filter(tokens::id.eq(id.bind()).and(tokens::secret_hash.eq(expected_hash))))
            .set((
                tokens::secret_hash.eq(secret.secret_hash.as_str()),
                tokens::lookup_hint.eq(secret.lookup_hint),
                tokens::verify_tag.eq(secret.verify_tag.as_deref()),
                hint.map(|hint| tokens::hint.eq(hint.as_str().to_owned())),
            ))
            .kept()
            .execute(conn)
            .await?;
    Ok(changed == 1)
}

pub(crate) async fn record_uses(conn: &mut Conn<'_>, uses: &[TokenUse]) -> Result<(), StoreError> {
    for chunk in uses.chunks(USES_PER_STATEMENT) {
        dialect::record_uses(conn, chunk).await?;
    }
    Ok(())
}
