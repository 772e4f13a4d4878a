//! Rows of webhooks and of what is sent to them.

use super::{inconsistent, split_scopes};
use crate::error::StoreError;
use crate::model::{ClaimedWebhook, DueDelivery, WebhookSecrets};
use crate::schema::{webhook_deliveries, webhooks};
use diesel::prelude::{Queryable, Selectable};
use token_domain::Timestamp;
use token_domain::id::{DeliveryId, OrganizationId, WebhookId};
use token_domain::record::{DeliveryError, DeliveryState, Principal, Webhook, WebhookDelivery};

/// A row of `webhooks`, without its secrets.
#[derive(Queryable, Selectable)]
#[diesel(table_name = webhooks)]
pub(crate) struct WebhookRow {
    id: WebhookId,
    organization_id: OrganizationId,
    url: String,
    description: Option<String>,
    events: String,
    is_enabled: bool,
    gone_at: Option<Timestamp>,
    previous_until: Option<Timestamp>,
    failures: i32,
    created_at: Timestamp,
    created_by: String,
    updated_at: Timestamp,
    updated_by: String,
}

/// The secrets in a row of `webhooks`.
#[derive(Queryable, Selectable)]
#[diesel(table_name = webhooks)]
pub(crate) struct SecretsRow {
    secret: Vec<u8>,
    previous_secret: Option<Vec<u8>>,
    previous_until: Option<Timestamp>,
}

/// A row of `webhook_deliveries`, without its body.
#[derive(Queryable, Selectable)]
#[diesel(table_name = webhook_deliveries)]
pub(crate) struct DeliveryRow {
    webhook_id: WebhookId,
    id: DeliveryId,
    event: String,
    attempts: i32,
    created_at: Timestamp,
    due_at: Option<Timestamp>,
    delivered_at: Option<Timestamp>,
    failed_at: Option<Timestamp>,
    attempted_at: Option<Timestamp>,
    status: Option<i32>,
    error: Option<String>,
}

/// What is sent of a row of `webhook_deliveries`.
#[derive(Queryable, Selectable)]
#[diesel(table_name = webhook_deliveries)]
pub(crate) struct DueRow {
    id: DeliveryId,
    body: String,
    attempts: i32,
    created_at: Timestamp,
}

impl TryFrom<WebhookRow> for Webhook {
    type Error = StoreError;

    fn try_from(row: WebhookRow) -> Result<Self, StoreError> {
        let bad = |column| inconsistent("webhook", row.id, column);
        Ok(Self {
            id: row.id,
            organization_id: row.organization_id,
            url: row.url,
            description: row.description,
            events: split_scopes(&row.events),
            is_enabled: row.is_enabled,
            gone_at: row.gone_at,
            previous_until: row.previous_until,
            failures: u32::try_from(row.failures).map_err(|_| bad("failures"))?,
            created_at: row.created_at,
            created_by: Principal::parse(&row.created_by).ok_or_else(|| bad("created_by"))?,
            updated_at: row.updated_at,
            updated_by: Principal::parse(&row.updated_by).ok_or_else(|| bad("updated_by"))?,
        })
    }
}

impl TryFrom<(WebhookRow, SecretsRow)> for ClaimedWebhook {
    type Error = StoreError;

    fn try_from((webhook, secrets): (WebhookRow, SecretsRow)) -> Result<Self, StoreError> {
        let SecretsRow { secret, previous_secret, previous_until } = secrets;
        Ok(Self {
            webhook: webhook.try_into()?,
            secrets: WebhookSecrets { current: secret, previous: previous_secret.zip(previous_until) },
        })
    }
}

impl TryFrom<DeliveryRow> for WebhookDelivery {
    type Error = StoreError;

    fn try_from(row: DeliveryRow) -> Result<Self, StoreError> {
        let bad = |column| inconsistent("webhook delivery", row.id, column);
        let state = match (row.due_at, row.delivered_at, row.failed_at) {
            (Some(at), None, None) => DeliveryState::Pending(at),
            (None, Some(at), None) => DeliveryState::Delivered(at),
            (None, None, Some(at)) => DeliveryState::Failed(at),
            _ => return Err(bad("state")),
        };
        let error = row.error.as_deref().map(|text| DeliveryError::parse(text).ok_or_else(|| bad("error")));
        Ok(Self {
            webhook_id: row.webhook_id,
            id: row.id,
            event: row.event,
            attempts: u32::try_from(row.attempts).map_err(|_| bad("attempts"))?,
            created_at: row.created_at,
            state,
            attempted_at: row.attempted_at,
            status: row.status.map(|status| u16::try_from(status).map_err(|_| bad("status"))).transpose()?,
            error: error.transpose()?,
        })
    }
}

impl TryFrom<DueRow> for DueDelivery {
    type Error = StoreError;

    fn try_from(row: DueRow) -> Result<Self, StoreError> {
        let attempts = u32::try_from(row.attempts);
        Ok(Self {
            id: row.id,
            body: row.body,
            attempts: attempts.map_err(|_| inconsistent("webhook delivery", row.id, "attempts"))?,
            created_at: row.created_at,
        })
    }
}
