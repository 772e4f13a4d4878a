//! Trust policies, attempts under them, and the identity tokens that were exchanged.

use super::Conn;
use crate::error::StoreError;
use crate::rows::{AttemptRow, TrustPolicyRow, join_scopes};
use crate::schema::{exchanged_identities, trust_attempts, trust_policies};
use crate::sql_types::Bind;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use token_domain::Timestamp;
use token_domain::id::{OrganizationId, TrustAttemptId, TrustPolicyId};
use token_domain::record::{TrustAttempt, TrustOutcome, TrustPolicy};

pub(crate) async fn trust_policy(
    conn: &mut Conn<'_>,
    organization: OrganizationId,
    id: TrustPolicyId,
) -> Result<Option<TrustPolicy>, StoreError> {
    let found = trust_policy_by_id(conn, id).await?;
    Ok(found.filter(|policy| policy.organization_id == organization))
}

pub(crate) async fn trust_policy_by_id(
    conn: &mut Conn<'_>,
    id: TrustPolicyId,
) -> Result<Option<TrustPolicy>, StoreError> {
    let row = trust_policies::table.find(id.bind()).select(TrustPolicyRow::as_select()).first(conn).await.optional()?;
    row.map(TrustPolicy::try_from).transpose()
}

pub(crate) async fn list_trust_policies(
    conn: &mut Conn<'_>,
    organization: OrganizationId,
    limit: u32,
) -> Result<Vec<TrustPolicy>, StoreError> {
    let rows: Vec<TrustPolicyRow> = trust_policies::table
        .filter(trust_policies::organization_id.eq(organization.bind()))
        .order(trust_policies::id)
        .limit(i64::from(limit))
        .select(TrustPolicyRow::as_select())
        .load(conn)
        .await?;
    rows.into_iter().map(TrustPolicy::try_from).collect()
}

pub(crate) async fn trust_policies_of_issuer(
    conn: &mut Conn<'_>,
    issuer: &str,
    organization: Option<OrganizationId>,
    limit: u32,
) -> Result<Vec<TrustPolicy>, StoreError> {
    let mut found = trust_policies::table
        .filter(trust_policies::issuer.eq(issuer).and(trust_policies::is_enabled.eq(true)))
        .order((trust_policies::organization_id, trust_policies::id))
        .limit(i64::from(limit))
        .select(TrustPolicyRow::as_select())
        .into_boxed();
    if let Some(organization) = organization {
        found = found.filter(trust_policies::organization_id.eq(organization.bind()));
    }
    let rows: Vec<TrustPolicyRow> = found.load(conn).await?;
    rows.into_iter().map(TrustPolicy::try_from).collect()
}

/// The columns that a policy is made with and that changing it writes again. What they are assigned from lives as long as the
/// statement, so a macro: no function returns the type of such a list.
macro_rules! terms {
    ($record:expr) => {
        (
            trust_policies::name.eq($record.name.as_str()),
            trust_policies::preset.eq($record.preset.as_str()),
            trust_policies::issuer.eq($record.issuer.as_str()),
            trust_policies::audience.eq($record.audience.as_deref()),
            trust_policies::conditions.eq($record.conditions.written().to_string()),
            trust_policies::scopes.eq(join_scopes(&$record.scopes)?),
            trust_policies::project_id.eq($record.project_id.bind()),
            trust_policies::actor_id.eq($record.actor_id.bind()),
            // At most 3 600, which the table holds it to.
            trust_policies::ttl_seconds.eq(i32::try_from($record.ttl_seconds).unwrap_or(i32::MAX)),
            trust_policies::is_enabled.eq($record.is_enabled),
            trust_policies::updated_at.eq($record.updated_at.bind()),
            trust_policies::updated_by.eq($record.updated_by.to_string()),
        )
    };
}

pub(crate) async fn insert_trust_policy(conn: &mut Conn<'_>, record: &TrustPolicy) -> Result<(), StoreError> {
    diesel::insert_into(trust_policies::table)
        .values((
            trust_policies::id.eq(record.id.bind()),
            trust_policies::organization_id.eq(record.organization_id.bind()),
            trust_policies::created_at.eq(record.created_at.bind()),
            trust_policies::created_by.eq(record.created_by.to_string()),
            terms!(record),
        ))
        .execute(conn)
        .await?;
    Ok(())
}

pub(crate) async fn update_trust_policy(conn: &mut Conn<'_>, record: &TrustPolicy) -> Result<bool, StoreError> {
    let of_organization = trust_policies::organization_id.eq(record.organization_id.bind());
    let changed = diesel::update(trust_policies::table.find(record.id.bind()).filter(of_organization))
        .set(terms!(record))
        .execute(conn)
        .await?;
    Ok(changed == 1)
}

pub(crate) async fn delete_trust_policy(
    conn: &mut Conn<'_>,
    organization: OrganizationId,
    id: TrustPolicyId,
) -> Result<bool, StoreError> {
    let of_organization = trust_policies::organization_id.eq(organization.bind());
    Ok(diesel::delete(trust_policies::table.find(id.bind()).filter(of_organization)).execute(conn).await? > 0)
}

pub(crate) async fn list_trust_attempts(
    conn: &mut Conn<'_>,
    policy: TrustPolicyId,
    limit: u32,
) -> Result<Vec<TrustAttempt>, StoreError> {
    let rows: Vec<AttemptRow> = trust_attempts::table
        .filter(trust_attempts::policy_id.eq(policy.bind()))
        .order(trust_attempts::id.desc())
        .limit(i64::from(limit))
        .select(AttemptRow::as_select())
        .load(conn)
        .await?;
    rows.into_iter().map(TrustAttempt::try_from).collect()
}

pub(crate) async fn failed_trust_attempts(
    conn: &mut Conn<'_>,
    organization: OrganizationId,
    since: Timestamp,
    limit: u32,
) -> Result<Vec<TrustAttempt>, StoreError> {
    let rows: Vec<AttemptRow> = trust_attempts::table
        .inner_join(trust_policies::table.on(trust_policies::id.eq(trust_attempts::policy_id)))
        .filter(trust_policies::organization_id.eq(organization.bind()).and(trust_policies::is_enabled.eq(true)))
        .filter(trust_attempts::at.ge(since.bind()))
        .filter(trust_attempts::outcome.ne(TrustOutcome::Exchanged.as_str()))
        .order((trust_attempts::at.desc(), trust_attempts::id.desc()))
        .limit(i64::from(limit))
        .select(AttemptRow::as_select())
        .load(conn)
        .await?;
    rows.into_iter().map(TrustAttempt::try_from).collect()
}

pub(crate) async fn insert_trust_attempt(
    conn: &mut Conn<'_>,
    record: &TrustAttempt,
    keep: u32,
) -> Result<bool, StoreError> {
    // Held, so that it cannot go between the look and the row that refers to it.
    let policy = trust_policies::table.find(record.policy_id.bind());
    let is_there =
        diesel::update(policy).set(trust_policies::is_enabled.eq(trust_policies::is_enabled)).execute(conn).await?;
    if is_there == 0 {
        return Ok(false);
    }
    diesel::insert_into(trust_attempts::table)
        .values((
            trust_attempts::policy_id.eq(record.policy_id.bind()),
            trust_attempts::id.eq(record.id.bind()),
            trust_attempts::at.eq(record.at.bind()),
            trust_attempts::outcome.eq(record.outcome.as_str()),
            trust_attempts::claim.eq(record.claim.as_deref()),
            trust_attempts::subject.eq(record.subject.as_deref()),
            trust_attempts::address.eq(record.address.as_deref()),
            trust_attempts::token_id.eq(record.token_id.bind()),
        ))
        .execute(conn)
        .await?;
    let of_policy = trust_attempts::table.filter(trust_attempts::policy_id.eq(record.policy_id.bind()));
    let first_too_many: Option<TrustAttemptId> = of_policy
        .order(trust_attempts::id.desc())
        .offset(i64::from(keep))
        .limit(1)
        .select(trust_attempts::id)
        .first(conn)
        .await
        .optional()?;
    if let Some(id) = first_too_many {
        diesel::delete(of_policy.filter(trust_attempts::id.le(id.bind()))).execute(conn).await?;
    }
    Ok(true)
}

pub(crate) async fn spend_identity(
    conn: &mut Conn<'_>,
    digest: &[u8; 32],
    keep_until: Timestamp,
) -> Result<bool, StoreError> {
    let made = diesel::insert_into(exchanged_identities::table)
        .values((
            exchanged_identities::digest.eq(digest.as_slice()),
            exchanged_identities::keep_until.eq(keep_until.bind()),
        ))
        .on_conflict_do_nothing()
        .execute(conn)
        .await?;
    Ok(made == 1)
}

pub(crate) async fn delete_identities_before(
    conn: &mut Conn<'_>,
    before: Timestamp,
    limit: u32,
) -> Result<usize, StoreError> {
    // The moment of the newest of the oldest `limit` bounds one deletion; a tie may remove a few more.
    let newest: Option<Timestamp> = exchanged_identities::table
        .filter(exchanged_identities::keep_until.lt(before.bind()))
        .order(exchanged_identities::keep_until)
        .offset(i64::from(limit.saturating_sub(1)))
        .limit(1)
        .select(exchanged_identities::keep_until)
        .first(conn)
        .await
        .optional()?;
    let old = exchanged_identities::table.filter(exchanged_identities::keep_until.lt(before.bind()));
    let removed = match newest {
        Some(newest) => {
            diesel::delete(old.filter(exchanged_identities::keep_until.le(newest.bind()))).execute(conn).await?
        }
        None => diesel::delete(old).execute(conn).await?,
    };
    Ok(removed)
}
