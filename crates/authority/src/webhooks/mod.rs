//! Webhooks: endpoints of an organisation that are told of its events, in the form of Standard Webhooks (standardwebhooks.com).
//!
//! What is to be sent is written in the transaction of the event (`audit/announce.rs`), and sent afterwards (`deliver`), at
//! least once. The alternative, sending from the request, would lose events in a crash and make requests wait for strangers.

mod deliver;
mod edit;
pub(crate) mod secret;

use std::sync::Arc;

use storage::StoreError;
use token_domain::id::{DeliveryId, OrganizationId, WebhookId};
use token_domain::record::{Webhook, WebhookDelivery};

pub use deliver::{DeliveryCounters, Posted, Unsent};
pub use edit::{NewWebhook, WebhookEdit};
pub use secret::WebhookSecret;

pub use crate::audit::announce::{EVENTS, MOST_WEBHOOKS};
use crate::context::Context;
use crate::error::Failure;
use crate::origin::Caller;
use crate::rights::Refused;

/// The most deliveries on a page.
pub const MOST_DELIVERIES: u32 = 100;

/// Why something asked of a webhook was not done.
#[derive(Debug, thiserror::Error)]
pub enum WebhookError {
    /// No such webhook in the caller's organisation, no such delivery, or another organisation.
    #[error("no such webhook")]
    NotFound,
    /// The caller is bound to a project, and webhooks are the organisation's.
    #[error("the caller is bound to a project")]
    Confined,
    /// The organisation has as many as it may.
    #[error("the organisation has {MOST_WEBHOOKS} webhooks")]
    TooMany,
    /// The webhook was made by an earlier request with this id.
    #[error("the webhook was created already")]
    Made(WebhookId),
    /// The operator has not switched webhooks on.
    #[error("webhooks are not enabled in this deployment")]
    Off,
    /// Nothing is sent to a webhook that is disabled.
    #[error("the webhook is disabled")]
    Disabled,
    /// Not by now: the caller lost the right while the request was under way.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The service itself failed.
    #[error("{0}")]
    Failed(#[from] Failure),
}

impl From<StoreError> for WebhookError {
    fn from(error: StoreError) -> Self {
        Self::Failed(Failure::Store(error))
    }
}

/// Whether a URL can be a webhook's, by how requests leave this service.
pub trait Targets: Send + Sync {
    /// Checks a URL. Whether its host may be connected to is decided at each connection.
    ///
    /// # Errors
    /// What it must be.
    fn check(&self, url: &str) -> Result<(), &'static str>;
}

/// The webhooks of organisations.
pub struct Webhooks {
    context: Arc<Context>,
    counters: DeliveryCounters,
}

impl Webhooks {
    /// Over a context.
    pub fn new(context: &Arc<Context>) -> Self {
        Self { context: Arc::clone(context), counters: DeliveryCounters::default() }
    }

    /// Whether the operator switched webhooks on.
    pub fn is_on(&self) -> bool {
        self.context.policy.webhooks
    }

    /// All webhooks of the caller's organisation, oldest first.
    ///
    /// # Errors
    /// Another organisation.
    pub async fn list(&self, caller: &Caller, organization: OrganizationId) -> Result<Vec<Webhook>, WebhookError> {
        check_place(caller, organization)?;
        let read = self
            .context
            .store
            .read(move |reads| Box::pin(async move { reads.list_webhooks(organization, MOST_WEBHOOKS).await }));
        Ok(read.await?)
    }

    /// One of them.
    ///
    /// # Errors
    /// No such webhook.
    pub async fn get(
        &self,
        caller: &Caller,
        organization: OrganizationId,
        id: WebhookId,
    ) -> Result<Webhook, WebhookError> {
        check_place(caller, organization)?;
        let read = self.context.store.read(move |reads| Box::pin(reads.webhook(organization, id)));
        read.await?.ok_or(WebhookError::NotFound)
    }

    /// What was and is to be sent to a webhook, the newest event first, before an event.
    ///
    /// # Errors
    /// No such webhook.
    pub async fn deliveries(
        &self,
        caller: &Caller,
        organization: OrganizationId,
        id: WebhookId,
        before: Option<DeliveryId>,
        limit: u32,
    ) -> Result<Vec<WebhookDelivery>, WebhookError> {
        self.get(caller, organization, id).await?;
        let limit = limit.min(MOST_DELIVERIES);
        let read = self
            .context
            .store
            .read(move |reads| Box::pin(async move { reads.list_deliveries(id, before, limit).await }));
        Ok(read.await?)
    }
}

/// A webhook is about the whole organisation.
fn check_place(caller: &Caller, organization: OrganizationId) -> Result<(), WebhookError> {
    if caller.organization_id != organization {
        return Err(WebhookError::NotFound);
    }
    if caller.reaches_whole_organization() { Ok(()) } else { Err(WebhookError::Confined) }
}
