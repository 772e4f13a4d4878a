//! A webhook and its deliveries in answers.

use authority::records::{DeliveryError, DeliveryState, Webhook, WebhookDelivery};
use authority::webhooks::WebhookSecret;
use serde::Serialize;
use token_domain::Timestamp;
use utoipa::ToSchema;

/// A webhook.
#[derive(Serialize, ToSchema)]
#[schema(as = Webhook)]
pub(super) struct WebhookView {
    id: String,
    org_id: String,
    /// Where events are sent, by POST.
    url: String,
    /// What the webhook is for.
    description: Option<String>,
    /// The types of events that are sent.
    events: Vec<String>,
    /// Whether events are sent.
    enabled: bool,
    /// When the endpoint answered 410, which disabled the webhook.
    gone_at: Option<String>,
    /// Until when messages are signed with the previous secret as well.
    previous_secret_expires_at: Option<String>,
    /// Attempts that failed since the last one that succeeded.
    failures: u32,
    created_at: String,
    /// Who created the webhook: `user:<id>` or `token:<id>`.
    created_by: String,
    updated_at: String,
    /// Who changed the webhook last: `user:<id>`, `token:<id>` or `system`.
    updated_by: String,
}

/// A webhook with a secret that was just created. It is shown once.
#[derive(Serialize, ToSchema)]
#[schema(as = WebhookWithSecret)]
pub(super) struct WithSecret {
    #[serde(flatten)]
    webhook: WebhookView,
    /// The secret with which messages are signed, in the form of Standard Webhooks.
    secret: String,
}

/// An event on its way to a webhook.
#[derive(Serialize, ToSchema)]
#[schema(as = WebhookDelivery)]
pub(super) struct DeliveryView {
    /// The `webhook-id` of the message.
    id: String,
    webhook_id: String,
    /// The type of the event.
    event: String,
    /// The status: `pending`, `delivered` or `failed`.
    status: &'static str,
    /// The number of attempts since the delivery was queued.
    attempts: u32,
    /// When the delivery was queued: at the event, or at the last replay.
    created_at: String,
    /// When the next attempt is due.
    next_attempt_at: Option<String>,
    /// When it was delivered, or when it was given up.
    ended_at: Option<String>,
    /// When the last attempt was made.
    last_attempt_at: Option<String>,
    /// The status code that the last attempt was answered with.
    response_code: Option<u16>,
    /// Why the last attempt got no answer: `address_not_allowed`, `no_answer`, `secret_unavailable` or
    /// `waited_too_long`.
    error: Option<&'static str>,
}

impl From<&Webhook> for WebhookView {
    fn from(webhook: &Webhook) -> Self {
        Self {
            id: webhook.id.to_string(),
            org_id: webhook.organization_id.to_string(),
            url: webhook.url.clone(),
            description: webhook.description.clone(),
            events: webhook.events.clone(),
            enabled: webhook.is_enabled,
            gone_at: webhook.gone_at.map(Timestamp::rfc3339_seconds),
            previous_secret_expires_at: webhook.previous_until.map(Timestamp::rfc3339_seconds),
            failures: webhook.failures,
            created_at: webhook.created_at.rfc3339_seconds(),
            created_by: webhook.created_by.to_string(),
            updated_at: webhook.updated_at.rfc3339_seconds(),
            updated_by: webhook.updated_by.to_string(),
        }
    }
}

impl WithSecret {
    pub(super) fn new(webhook: &Webhook, secret: &WebhookSecret) -> Self {
        Self { webhook: webhook.into(), secret: secret.text().as_str().to_owned() }
    }
}

impl From<WebhookDelivery> for DeliveryView {
    fn from(delivery: WebhookDelivery) -> Self {
        let (next, ended) = match delivery.state {
            DeliveryState::Pending(at) => (Some(at), None),
            DeliveryState::Delivered(at) | DeliveryState::Failed(at) => (None, Some(at)),
        };
        Self {
            id: delivery.id.to_string(),
            webhook_id: delivery.webhook_id.to_string(),
            event: delivery.event,
            status: delivery.state.as_str(),
            attempts: delivery.attempts,
            created_at: delivery.created_at.rfc3339_seconds(),
            next_attempt_at: next.map(Timestamp::rfc3339_seconds),
            ended_at: ended.map(Timestamp::rfc3339_seconds),
            last_attempt_at: delivery.attempted_at.map(Timestamp::rfc3339_seconds),
            response_code: delivery.status,
            error: delivery.error.map(DeliveryError::as_str),
        }
    }
}
