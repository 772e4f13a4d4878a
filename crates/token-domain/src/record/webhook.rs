//! Webhooks, and what is sent to them.

use crate::Timestamp;
use crate::id::{DeliveryId, OrganizationId, WebhookId};

use super::Principal;

/// An endpoint that is told of events of its organisation. Its secret is not in the record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Webhook {
    /// Its id.
    pub id: WebhookId,
    /// Whose events it is told of.
    pub organization_id: OrganizationId,
    /// Where they are sent.
    pub url: String,
    /// What it is for.
    pub description: Option<String>,
    /// The types of events it is told of.
    pub events: Vec<String>,
    /// Whether anything is sent to it.
    pub is_enabled: bool,
    /// When it answered that it is gone for good, which disabled it.
    pub gone_at: Option<Timestamp>,
    /// Until when what is sent is signed with the earlier secret as well.
    pub previous_until: Option<Timestamp>,
    /// Attempts that failed since the last one that succeeded.
    pub failures: u32,
    /// When it was made.
    pub created_at: Timestamp,
    /// Who made it.
    pub created_by: Principal,
    /// When it was changed last.
    pub updated_at: Timestamp,
    /// Who changed it last.
    pub updated_by: Principal,
}

/// One event on its way to one webhook, without its body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebhookDelivery {
    /// To which webhook.
    pub webhook_id: WebhookId,
    /// The event's id: the same at every attempt, and for every webhook that is told of it.
    pub id: DeliveryId,
    /// The event's type.
    pub event: String,
    /// Attempts made, since it was last replayed.
    pub attempts: u32,
    /// When it was queued: when the event happened, or when it was replayed last.
    pub created_at: Timestamp,
    /// Whether it arrived.
    pub state: DeliveryState,
    /// When the last attempt was made.
    pub attempted_at: Option<Timestamp>,
    /// The status that the last attempt was answered with.
    pub status: Option<u16>,
    /// Why the last attempt was not answered.
    pub error: Option<DeliveryError>,
}

/// Whether a delivery arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeliveryState {
    /// Not yet; tried at this moment, or as soon as the endpoint is tried again.
    Pending(Timestamp),
    /// It arrived.
    Delivered(Timestamp),
    /// It did not, and is not tried again.
    Failed(Timestamp),
}

impl DeliveryState {
    /// As it is shown.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending(_) => "pending",
            Self::Delivered(_) => "delivered",
            Self::Failed(_) => "failed",
        }
    }
}

/// Why an attempt was not answered. Coarse: people who choose the endpoint see it, and it must not describe a private network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeliveryError {
    /// The host resolves to an address that this service does not connect to.
    AddressNotAllowed,
    /// No connection, no answer in time, or something that is no answer.
    NoAnswer,
    /// The secret cannot be read: it is sealed under a key that this node does not have.
    SecretUnavailable,
    /// It waited for longer than deliveries are kept trying, because the endpoint answered nothing.
    WaitedTooLong,
}

impl DeliveryError {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::AddressNotAllowed, Self::NoAnswer, Self::SecretUnavailable, Self::WaitedTooLong];

    /// As it is kept and shown.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AddressNotAllowed => "address_not_allowed",
            Self::NoAnswer => "no_answer",
            Self::SecretUnavailable => "secret_unavailable",
            Self::WaitedTooLong => "waited_too_long",
        }
    }

    /// The reverse.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|error| error.as_str() == text)
    }
}
