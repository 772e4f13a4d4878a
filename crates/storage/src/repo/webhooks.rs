//! Webhooks, and what is sent to them.
//!
//! A node claims a webhook, not a delivery: each endpoint is sent to by one node and one request at a time, so that one that hangs
//! takes one place of those there are, however much waits for it.

use super::Conn;
use crate::error::StoreError;
use crate::model::{AttemptEnd, ClaimedWebhook, DeliveryAttempt, DueDelivery, NewDelivery, WebhookSecrets};
use crate::rows::{DeliveryRow, DueRow, SecretsRow, WebhookRow, join_scopes};
use crate::schema::{audit_heads, webhook_deliveries, webhooks};
use crate::sql_types::Bind;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use token_domain::Timestamp;
use token_domain::id::{DeliveryId, OrganizationId, WebhookId};
use token_domain::record::{DeliveryError, Webhook, WebhookDelivery};

pub(crate) async fn webhook(
    conn: &mut Conn<'_>,
    organization: OrganizationId,
    id: WebhookId,
) -> Result<Option<Webhook>, StoreError> {
    let found = webhooks::table.find(id.bind()).filter(webhooks::organization_id.eq(organization.bind()));
    let row = found.select(WebhookRow::as_select()).first(conn).await.optional()?;
    row.map(Webhook::try_from).transpose()
}

pub(crate) async fn list_webhooks(
    conn: &mut Conn<'_>,
    organization: OrganizationId,
    limit: u32,
) -> Result<Vec<Webhook>, StoreError> {
    let rows: Vec<WebhookRow> = webhooks::table
        .filter(webhooks::organization_id.eq(organization.bind()))
        .order(webhooks::id)
        .limit(i64::from(limit))
        .select(WebhookRow::as_select())
        .load(conn)
        .await?;
    rows.into_iter().map(Webhook::try_from).collect()
}

pub(crate) async fn some_webhook_secret(conn: &mut Conn<'_>) -> Result<Option<Vec<u8>>, StoreError> {
    Ok(webhooks::table.select(webhooks::secret).limit(1).first(conn).await.optional()?)
}

pub(crate) async fn insert_webhook(conn: &mut Conn<'_>, record: &Webhook, secret: &[u8]) -> Result<(), StoreError> {
    diesel::insert_into(webhooks::table)
        .values((
            webhooks::id.eq(record.id.bind()),
            webhooks::organization_id.eq(record.organization_id.bind()),
            webhooks::url.eq(&record.url),
            webhooks::description.eq(record.description.as_deref()),
            webhooks::events.eq(join_scopes(&record.events)?),
            webhooks::is_enabled.eq(record.is_enabled),
            webhooks::secret.eq(secret),
            webhooks::failures.eq(0),
            webhooks::created_at.eq(record.created_at.bind()),
            webhooks::created_by.eq(record.created_by.to_string()),
            webhooks::updated_at.eq(record.updated_at.bind()),
            webhooks::updated_by.eq(record.updated_by.to_string()),
        ))
        .execute(conn)
        .await?;
    Ok(())
}

pub(crate) async fn update_webhook(conn: &mut Conn<'_>, record: &Webhook) -> Result<bool, StoreError> {
    let of_organization = webhooks::organization_id.eq(record.organization_id.bind());
    let changed = diesel::update(webhooks::table.find(record.id.bind()).filter(of_organization))
        .set((
            webhooks::url.eq(&record.url),
            webhooks::description.eq(record.description.as_deref()),
            webhooks::events.eq(join_scopes(&record.events)?),
            webhooks::is_enabled.eq(record.is_enabled),
            webhooks::gone_at.eq(record.gone_at.bind()),
            webhooks::updated_at.eq(record.updated_at.bind()),
            webhooks::updated_by.eq(record.updated_by.to_string()),
        ))
        .execute(conn)
        .await?;
    Ok(changed == 1)
}

pub(crate) async fn rotate_webhook_secret(
    conn: &mut Conn<'_>,
    record: &Webhook,
    secret: &[u8],
) -> Result<bool, StoreError> {
    let of_organization = webhooks::organization_id.eq(record.organization_id.bind());
    let changed = diesel::update(webhooks::table.find(record.id.bind()).filter(of_organization))
        .set((
            webhooks::previous_secret.eq(webhooks::secret.nullable()),
            webhooks::previous_until.eq(record.previous_until.bind()),
            webhooks::secret.eq(secret),
            webhooks::updated_at.eq(record.updated_at.bind()),
            webhooks::updated_by.eq(record.updated_by.to_string()),
        ))
        .execute(conn)
        .await?;
    Ok(changed == 1)
}

pub(crate) async fn reseal_webhook(
    conn: &mut Conn<'_>,
    id: WebhookId,
    secrets: &WebhookSecrets,
    expected: &[u8],
) -> Result<bool, StoreError> {
    let (previous, until) = match &secrets.previous {
        Some((previous, until)) => (Some(previous.as_slice()), Some(*until)),
        None => (None, None),
    };
    let changed = diesel::update(webhooks::table.find(id.bind()).filter(webhooks::secret.eq(expected)))
        .set((
            webhooks::secret.eq(secrets.current.as_slice()),
            webhooks::previous_secret.eq(previous),
            webhooks::previous_until.eq(until.bind()),
        ))
        .execute(conn)
        .await?;
    Ok(changed == 1)
}

pub(crate) async fn delete_webhook(
    conn: &mut Conn<'_>,
    organization: OrganizationId,
    id: WebhookId,
) -> Result<bool, StoreError> {
    let of_organization = webhooks::organization_id.eq(organization.bind());
    Ok(diesel::delete(webhooks::table.find(id.bind()).filter(of_organization)).execute(conn).await? == 1)
}

pub(crate) async fn set_has_webhooks(
    conn: &mut Conn<'_>,
    organization: OrganizationId,
    has_webhooks: bool,
) -> Result<(), StoreError> {
    diesel::update(audit_heads::table.find(organization.bind()))
        .set(audit_heads::has_webhooks.eq(has_webhooks))
        .execute(conn)
        .await?;
    Ok(())
}

pub(crate) async fn queue_deliveries(conn: &mut Conn<'_>, deliveries: &[NewDelivery]) -> Result<(), StoreError> {
    for delivery in deliveries {
        diesel::insert_into(webhook_deliveries::table)
            .values((
                webhook_deliveries::webhook_id.eq(delivery.webhook_id.bind()),
                webhook_deliveries::id.eq(delivery.id.bind()),
                webhook_deliveries::event.eq(&delivery.event),
                webhook_deliveries::body.eq(&delivery.body),
                webhook_deliveries::attempts.eq(0),
                webhook_deliveries::created_at.eq(delivery.created_at.bind()),
                webhook_deliveries::due_at.eq(Some(delivery.created_at).bind()),
            ))
            .execute(conn)
            .await?;
        let now = Some(delivery.created_at);
        let waits = webhooks::table.find(delivery.webhook_id.bind()).filter(webhooks::is_enabled.eq(true));
        // Locks the row whether or not it changes: the end of a claim waits for this change, or this for it.
        diesel::update(waits).set(webhooks::is_enabled.eq(webhooks::is_enabled)).execute(conn).await?;
        diesel::update(waits.filter(webhooks::due_at.is_null().or(webhooks::due_at.gt(now.bind()))))
            .set(webhooks::due_at.eq(now.bind()))
            .execute(conn)
            .await?;
    }
    Ok(())
}

pub(crate) async fn due_webhooks(
    conn: &mut Conn<'_>,
    now: Timestamp,
    limit: u32,
) -> Result<Vec<WebhookId>, StoreError> {
    Ok(webhooks::table
        .filter(webhooks::due_at.le(Some(now).bind()).and(webhooks::is_enabled.eq(true)))
        .filter(webhooks::held_until.is_null().or(webhooks::held_until.le(Some(now).bind())))
        // The databases do not agree where NULL is sorted.
        .order((webhooks::held_until.is_not_null(), webhooks::held_until, webhooks::due_at))
        .limit(i64::from(limit))
        .select(webhooks::id)
        .load(conn)
        .await?)
}

pub(crate) async fn claim_webhook(
    conn: &mut Conn<'_>,
    id: WebhookId,
    now: Timestamp,
    until: Timestamp,
) -> Result<Option<ClaimedWebhook>, StoreError> {
    let due = webhooks::table
        .find(id.bind())
        .filter(webhooks::due_at.le(Some(now).bind()).and(webhooks::is_enabled.eq(true)))
        .filter(webhooks::held_until.is_null().or(webhooks::held_until.le(Some(now).bind())));
    let row: Option<(WebhookRow, SecretsRow)> = diesel::update(due)
        .set(webhooks::held_until.eq(Some(until).bind()))
        .returning((WebhookRow::as_returning(), SecretsRow::as_returning()))
        .get_result(conn)
        .await
        .optional()?;
    row.map(ClaimedWebhook::try_from).transpose()
}

pub(crate) async fn due_deliveries(
    conn: &mut Conn<'_>,
    webhook: WebhookId,
    now: Timestamp,
    limit: u32,
) -> Result<Vec<DueDelivery>, StoreError> {
    let rows: Vec<DueRow> = webhook_deliveries::table
        .filter(webhook_deliveries::webhook_id.eq(webhook.bind()))
        .filter(webhook_deliveries::due_at.le(Some(now).bind()))
        .order((webhook_deliveries::due_at, webhook_deliveries::id))
        .limit(i64::from(limit))
        .select(DueRow::as_select())
        .load(conn)
        .await?;
    rows.into_iter().map(DueDelivery::try_from).collect()
}

pub(crate) async fn end_delivery_attempt(
    conn: &mut Conn<'_>,
    webhook: WebhookId,
    id: DeliveryId,
    attempt: &DeliveryAttempt,
) -> Result<bool, StoreError> {
    let (due, delivered, failed) = match attempt.end {
        AttemptEnd::Delivered => (None, Some(attempt.at), None),
        AttemptEnd::Again(at) => (Some(at), None, None),
        AttemptEnd::Failed => (None, None, Some(attempt.at)),
    };
    let before = i32::try_from(attempt.before).unwrap_or(i32::MAX);
    let same = webhook_deliveries::table
        .find((webhook.bind(), id.bind()))
        .filter(webhook_deliveries::attempts.eq(before).and(webhook_deliveries::due_at.is_not_null()));
    let changed = diesel::update(same)
        .set((
            webhook_deliveries::attempts.eq(before.saturating_add(1)),
            webhook_deliveries::due_at.eq(due.bind()),
            webhook_deliveries::delivered_at.eq(delivered.bind()),
            webhook_deliveries::failed_at.eq(failed.bind()),
            webhook_deliveries::attempted_at.eq(Some(attempt.at).bind()),
            webhook_deliveries::status.eq(attempt.status.map(i32::from)),
            webhook_deliveries::error.eq(attempt.error.map(DeliveryError::as_str)),
        ))
        .execute(conn)
        .await?;
    Ok(changed == 1)
}

pub(crate) async fn fail_old_deliveries(
    conn: &mut Conn<'_>,
    webhook: WebhookId,
    before: Timestamp,
    at: Timestamp,
) -> Result<usize, StoreError> {
    /// The most at once: others wait for this statement.
    const MOST: i64 = 1_000;
    let old = webhook_deliveries::table
        .filter(webhook_deliveries::webhook_id.eq(webhook.bind()).and(webhook_deliveries::due_at.is_not_null()))
        .filter(webhook_deliveries::created_at.lt(before.bind()));
    let newest: Option<Timestamp> = old
        .order(webhook_deliveries::created_at)
        .offset(MOST - 1)
        .limit(1)
        .select(webhook_deliveries::created_at)
        .first(conn)
        .await
        .optional()?;
    let until = newest.unwrap_or(before);
    Ok(diesel::update(old.filter(webhook_deliveries::created_at.le(until.bind())))
        .set((
            webhook_deliveries::due_at.eq(None::<Timestamp>.bind()),
            webhook_deliveries::failed_at.eq(Some(at).bind()),
            webhook_deliveries::error.eq(Some(DeliveryError::WaitedTooLong.as_str())),
        ))
        .execute(conn)
        .await?)
}

pub(crate) async fn release_webhook(
    conn: &mut Conn<'_>,
    id: WebhookId,
    claimed_until: Timestamp,
    held_until: Option<Timestamp>,
    failures: u32,
) -> Result<bool, StoreError> {
    let claimed = webhooks::table.find(id.bind()).filter(webhooks::held_until.eq(Some(claimed_until).bind()));
    let changed = diesel::update(claimed)
        .set((
            webhooks::held_until.eq(held_until.bind()),
            webhooks::failures.eq(i32::try_from(failures).unwrap_or(i32::MAX)),
        ))
        .execute(conn)
        .await?;
    Ok(changed == 1)
}

pub(crate) async fn plan_webhook(conn: &mut Conn<'_>, id: WebhookId) -> Result<(), StoreError> {
    // The row first: what a change queues meanwhile waits for it, or is seen by the next statement.
    let held = diesel::update(webhooks::table.find(id.bind())).set(webhooks::is_enabled.eq(webhooks::is_enabled));
    let is_enabled: Option<bool> = held.returning(webhooks::is_enabled).get_result(conn).await.optional()?;
    let next: Option<Timestamp> = match is_enabled {
        Some(true) => webhook_deliveries::table
            .filter(webhook_deliveries::webhook_id.eq(id.bind()).and(webhook_deliveries::due_at.is_not_null()))
            .order(webhook_deliveries::due_at)
            .select(webhook_deliveries::due_at)
            .limit(1)
            .first::<Option<Timestamp>>(conn)
            .await
            .optional()?
            .flatten(),
        Some(false) => None,
        None => return Ok(()),
    };
    diesel::update(webhooks::table.find(id.bind())).set(webhooks::due_at.eq(next.bind())).execute(conn).await?;
    Ok(())
}

pub(crate) async fn list_deliveries(
    conn: &mut Conn<'_>,
    webhook: WebhookId,
    before: Option<DeliveryId>,
    limit: u32,
) -> Result<Vec<WebhookDelivery>, StoreError> {
    let mut page = webhook_deliveries::table
        .filter(webhook_deliveries::webhook_id.eq(webhook.bind()))
        .order(webhook_deliveries::id.desc())
        .limit(i64::from(limit))
        .select(DeliveryRow::as_select())
        .into_boxed();
    if let Some(before) = before {
        page = page.filter(webhook_deliveries::id.lt(before.bind()));
    }
    let rows: Vec<DeliveryRow> = page.load(conn).await?;
    rows.into_iter().map(WebhookDelivery::try_from).collect()
}

pub(crate) async fn webhook_delivery(
    conn: &mut Conn<'_>,
    webhook: WebhookId,
    id: DeliveryId,
) -> Result<Option<WebhookDelivery>, StoreError> {
    let found = webhook_deliveries::table.find((webhook.bind(), id.bind())).select(DeliveryRow::as_select());
    found.first(conn).await.optional()?.map(WebhookDelivery::try_from).transpose()
}

pub(crate) async fn replay_delivery(
    conn: &mut Conn<'_>,
    webhook: WebhookId,
    id: DeliveryId,
    at: Timestamp,
) -> Result<bool, StoreError> {
    let ended =
        webhook_deliveries::table.find((webhook.bind(), id.bind())).filter(webhook_deliveries::due_at.is_null());
    let changed = diesel::update(ended)
        .set((
            webhook_deliveries::attempts.eq(0),
            // By this its age counts, by which it would be given up before it is tried.
            webhook_deliveries::created_at.eq(at.bind()),
            webhook_deliveries::due_at.eq(Some(at).bind()),
            webhook_deliveries::delivered_at.eq(None::<Timestamp>.bind()),
            webhook_deliveries::failed_at.eq(None::<Timestamp>.bind()),
        ))
        .execute(conn)
        .await?;
    Ok(changed == 1)
}

pub(crate) async fn delete_deliveries_before(
    conn: &mut Conn<'_>,
    before: Timestamp,
    limit: u32,
) -> Result<usize, StoreError> {
    // The moment of the newest of the oldest `limit` bounds one deletion; a tie may remove a few more.
    let newest: Option<Timestamp> = webhook_deliveries::table
        .filter(webhook_deliveries::created_at.lt(before.bind()))
        .order(webhook_deliveries::created_at)
        .offset(i64::from(limit.saturating_sub(1)))
        .limit(1)
        .select(webhook_deliveries::created_at)
        .first(conn)
        .await
        .optional()?;
    let old = webhook_deliveries::table.filter(webhook_deliveries::created_at.lt(before.bind()));
    let removed = match newest {
        Some(newest) => {
            diesel::delete(old.filter(webhook_deliveries::created_at.le(newest.bind()))).execute(conn).await?
        }
        None => diesel::delete(old).execute(conn).await?,
    };
    Ok(removed)
}
