//! Webhooks as they are sent to.

use token_domain::Timestamp;
use token_domain::id::{DeliveryId, WebhookId};
use token_domain::record::{DeliveryError, Webhook};

/// The sealed secrets of a webhook.
#[derive(Clone, PartialEq, Eq)]
pub struct WebhookSecrets {
    /// The one in force.
    pub current: Vec<u8>,
    /// The one before, and until when it signs as well.
    pub previous: Option<(Vec<u8>, Timestamp)>,
}

/// A webhook that this node sends to for a while, and nobody else.
pub struct ClaimedWebhook {
    /// The webhook.
    pub webhook: Webhook,
    /// The sealed secrets that sign its messages.
    pub secrets: WebhookSecrets,
}

/// What a webhook is to be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewDelivery {
    /// To which webhook.
    pub webhook_id: WebhookId,
    /// The event's id.
    pub id: DeliveryId,
    /// The event's type.
    pub event: String,
    /// The JSON that is sent.
    pub body: String,
    /// When the event happened.
    pub created_at: Timestamp,
}

/// Something to be sent now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DueDelivery {
    /// The event's id.
    pub id: DeliveryId,
    /// The JSON that is sent.
    pub body: String,
    /// Attempts made before.
    pub attempts: u32,
    /// When the event happened.
    pub created_at: Timestamp,
}

/// An attempt to send something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeliveryAttempt {
    /// Attempts made before it: of two that were made at once, the first to be recorded counts.
    pub before: u32,
    /// When it was made.
    pub at: Timestamp,
    /// The status it was answered with.
    pub status: Option<u16>,
    /// Why it was not answered.
    pub error: Option<DeliveryError>,
    /// What becomes of the delivery.
    pub end: AttemptEnd,
}

/// What becomes of a delivery after an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AttemptEnd {
    /// It arrived.
    Delivered,
    /// It is tried again at this moment.
    Again(Timestamp),
    /// It is given up.
    Failed,
}
