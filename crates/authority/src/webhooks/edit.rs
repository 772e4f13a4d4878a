//! Making, changing, testing and removing webhooks.

use token_domain::Span;
use token_domain::id::{DeliveryId, OrganizationId, WebhookId};
use token_domain::record::{Webhook, WebhookDelivery};

use storage::model::NewDelivery;

use super::{MOST_WEBHOOKS, WebhookError, WebhookSecret, Webhooks, check_place};
use crate::audit::Event;
use crate::audit::announce::message;
use crate::change::{Ask, Change};
use crate::error::Failure;
use crate::origin::{Caller, Origin};
use crate::records::Change as Edited;

/// How long the secret before a rotation signs as well.
const GRACE: Span = Span::days(1);

/// The type of the event that a test sends.
const TEST: &str = "webhook.test";

/// A webhook asked for. Its URL is checked by [`Targets`](super::Targets), its events are some of [`EVENTS`](super::EVENTS).
#[derive(Clone, Debug)]
pub struct NewWebhook {
    /// The id it gets, where a request that is sent twice is to make one webhook ([`Webhooks::fresh_id`]); nothing for a new one.
    pub once: Option<WebhookId>,
    /// Where events are sent.
    pub url: String,
    /// What it is for.
    pub description: Option<String>,
    /// The types of events it is told of.
    pub events: Vec<String>,
    /// Whether anything is sent to it.
    pub is_enabled: bool,
}

/// What to change of a webhook.
#[derive(Clone, Debug, Default)]
pub struct WebhookEdit {
    /// Another URL.
    pub url: Option<String>,
    /// Another description.
    pub description: Edited<String>,
    /// Other events.
    pub events: Option<Vec<String>>,
    /// Whether anything is sent to it.
    pub is_enabled: Option<bool>,
}

impl WebhookEdit {
    fn applied_to(self, mut webhook: Webhook) -> Webhook {
        if let Some(url) = self.url {
            webhook.url = url;
        }
        match self.description {
            Edited::Keep => {}
            Edited::Clear => webhook.description = None,
            Edited::Set(description) => webhook.description = Some(description),
        }
        if let Some(events) = self.events {
            webhook.events = events;
        }
        if let Some(is_enabled) = self.is_enabled {
            webhook.is_enabled = is_enabled;
        }
        if webhook.is_enabled {
            webhook.gone_at = None;
        }
        webhook
    }
}

impl Webhooks {
    /// An id that a webhook may get: for a form that makes one webhook however often it is sent.
    ///
    /// # Errors
    /// The generator's.
    pub fn fresh_id(&self) -> Result<WebhookId, Failure> {
        self.context.id(self.context.now())
    }

    /// Makes a webhook. The secret is in this answer and nowhere else.
    ///
    /// # Errors
    /// Another organisation, a confined caller, too many webhooks, webhooks that are not switched on, one that was made already.
    pub async fn create(
        &self,
        caller: &Caller,
        organization: OrganizationId,
        asked: NewWebhook,
        origin: &Origin,
    ) -> Result<(Webhook, WebhookSecret), WebhookError> {
        check_place(caller, organization)?;
        self.check_on()?;
        let context = std::sync::Arc::clone(&self.context);
        let secret = WebhookSecret::draw(&context)?;
        let id = asked.once.map_or_else(|| self.fresh_id(), Ok)?;
        let sealed = secret.seal(&context, id)?;
        let webhook = self
            .context
            .change(Ask::by(caller, origin), move |change| {
                Box::pin(async move {
                    check_still(change, organization)?;
                    change.check_present()?;
                    if asked.once.is_some() && change.tx.webhook(organization, id).await?.is_some() {
                        return Err(WebhookError::Made(id));
                    }
                    let others = change.tx.list_webhooks(organization, MOST_WEBHOOKS).await?;
                    if others.len() >= usize::try_from(MOST_WEBHOOKS).unwrap_or(usize::MAX) {
                        return Err(WebhookError::TooMany);
                    }
                    let webhook = Webhook {
                        id,
                        organization_id: organization,
                        url: asked.url,
                        description: asked.description,
                        events: asked.events,
                        is_enabled: asked.is_enabled,
                        gone_at: None,
                        previous_until: None,
                        failures: 0,
                        created_at: change.now,
                        created_by: change.by(),
                        updated_at: change.now,
                        updated_by: change.by(),
                    };
                    change.tx.insert_webhook(&webhook, &sealed).await?;
                    note(change, organization).await?;
                    let event = described(change.event("webhook.create"), &webhook);
                    change.record(event).await?;
                    Ok::<_, WebhookError>(webhook)
                })
            })
            .await?;
        Ok((webhook, secret))
    }

    /// Changes a webhook. Disabling one is possible while webhooks are switched off.
    ///
    /// # Errors
    /// As for a new one; no such webhook.
    pub async fn edit(
        &self,
        caller: &Caller,
        organization: OrganizationId,
        id: WebhookId,
        asked: WebhookEdit,
        origin: &Origin,
    ) -> Result<Webhook, WebhookError> {
        check_place(caller, organization)?;
        self.context
            .change(Ask::by(caller, origin), move |change| {
                Box::pin(async move {
                    check_still(change, organization)?;
                    let before = change.tx.webhook(organization, id).await?.ok_or(WebhookError::NotFound)?;
                    let mut webhook = asked.applied_to(before.clone());
                    if webhook == before {
                        return Ok(before);
                    }
                    (webhook.updated_at, webhook.updated_by) = (change.now, change.by());
                    if !change.tx.update_webhook(&webhook).await? {
                        return Err(WebhookError::NotFound);
                    }
                    change.tx.plan_webhook(id).await?;
                    note(change, organization).await?;
                    let event = described(change.event("webhook.update"), &webhook);
                    change.record(event).await?;
                    Ok(webhook)
                })
            })
            .await
    }

    /// Gives a webhook another secret, which is in this answer and nowhere else. The one before signs as well for a day.
    ///
    /// # Errors
    /// No such webhook.
    pub async fn rotate_secret(
        &self,
        caller: &Caller,
        organization: OrganizationId,
        id: WebhookId,
        origin: &Origin,
    ) -> Result<(Webhook, WebhookSecret), WebhookError> {
        check_place(caller, organization)?;
        let secret = WebhookSecret::draw(&self.context)?;
        let sealed = secret.seal(&self.context, id)?;
        let webhook = self
            .context
            .change(Ask::by(caller, origin), move |change| {
                Box::pin(async move {
                    check_still(change, organization)?;
                    change.check_present()?;
                    let mut webhook = change.tx.webhook(organization, id).await?.ok_or(WebhookError::NotFound)?;
                    webhook.previous_until = Some(change.now + GRACE);
                    (webhook.updated_at, webhook.updated_by) = (change.now, change.by());
                    if !change.tx.rotate_webhook_secret(&webhook, &sealed).await? {
                        return Err(WebhookError::NotFound);
                    }
                    let event = change.event("webhook.rotate_secret").on("webhook", id);
                    change.record(event).await?;
                    Ok::<_, WebhookError>(webhook)
                })
            })
            .await?;
        Ok((webhook, secret))
    }

    /// Removes a webhook, with what waits for it. What is being sent at this moment still arrives.
    ///
    /// # Errors
    /// No such webhook.
    pub async fn delete(
        &self,
        caller: &Caller,
        organization: OrganizationId,
        id: WebhookId,
        origin: &Origin,
    ) -> Result<(), WebhookError> {
        check_place(caller, organization)?;
        self.context
            .change(Ask::by(caller, origin), move |change| {
                Box::pin(async move {
                    check_place(change.caller()?, organization)?;
                    if !change.tx.delete_webhook(organization, id).await? {
                        return Err(WebhookError::NotFound);
                    }
                    note(change, organization).await?;
                    let event = change.event("webhook.delete").on("webhook", id);
                    Ok(change.record(event).await?)
                })
            })
            .await
    }

    /// Has a test event sent to a webhook, whatever events it is told of otherwise.
    ///
    /// # Errors
    /// No such webhook, a disabled one, webhooks that are not switched on.
    pub async fn test(
        &self,
        caller: &Caller,
        organization: OrganizationId,
        id: WebhookId,
        origin: &Origin,
    ) -> Result<WebhookDelivery, WebhookError> {
        check_place(caller, organization)?;
        self.check_on()?;
        let delivery: DeliveryId = self.context.id(self.context.now())?;
        self.context
            .change(Ask::by(caller, origin), move |change| {
                Box::pin(async move {
                    open(change, organization, id).await?;
                    let data =
                        serde_json::json!({"org_id": organization.to_string(), "actor": change.by().to_string()});
                    let data = data.as_object().cloned().unwrap_or_default();
                    let queued = NewDelivery {
                        webhook_id: id,
                        id: delivery,
                        event: TEST.to_owned(),
                        body: message(TEST, change.now, &data),
                        created_at: change.now,
                    };
                    change.tx.queue_deliveries(&[queued]).await?;
                    let event = change.event(TEST).on("webhook", id);
                    change.record(event).await?;
                    change.tx.webhook_delivery(id, delivery).await?.ok_or(WebhookError::NotFound)
                })
            })
            .await
    }

    /// Has an event sent to a webhook again, under the same id. One that waits is left as it is.
    ///
    /// # Errors
    /// No such delivery, a disabled webhook, webhooks that are not switched on.
    pub async fn replay(
        &self,
        caller: &Caller,
        organization: OrganizationId,
        id: WebhookId,
        delivery: DeliveryId,
        origin: &Origin,
    ) -> Result<WebhookDelivery, WebhookError> {
        check_place(caller, organization)?;
        self.check_on()?;
        self.context
            .change(Ask::by(caller, origin), move |change| {
                Box::pin(async move {
                    open(change, organization, id).await?;
                    if change.tx.replay_delivery(id, delivery, change.now).await? {
                        change.tx.plan_webhook(id).await?;
                        let event = change.event("webhook.replay").on("webhook", id);
                        change.record(event.with("delivery_id", delivery.to_string())).await?;
                    }
                    change.tx.webhook_delivery(id, delivery).await?.ok_or(WebhookError::NotFound)
                })
            })
            .await
    }

    fn check_on(&self) -> Result<(), WebhookError> {
        if self.is_on() { Ok(()) } else { Err(WebhookError::Off) }
    }
}

/// Looks again, within the change.
fn check_still(change: &Change<'_>, organization: OrganizationId) -> Result<(), WebhookError> {
    change.check_not_superseded()?;
    check_place(change.caller()?, organization)
}

/// The webhook of a change that has something sent to it.
async fn open(change: &mut Change<'_>, organization: OrganizationId, id: WebhookId) -> Result<Webhook, WebhookError> {
    check_still(change, organization)?;
    let webhook = change.tx.webhook(organization, id).await?.ok_or(WebhookError::NotFound)?;
    if webhook.is_enabled { Ok(webhook) } else { Err(WebhookError::Disabled) }
}

/// Notes at the end of the organisation's trail, which the change holds, whether a webhook wants to be told of its events.
pub(super) async fn note(change: &mut Change<'_>, organization: OrganizationId) -> Result<(), WebhookError> {
    let webhooks = change.tx.list_webhooks(organization, MOST_WEBHOOKS).await?;
    let has_webhooks = webhooks.iter().any(|webhook| webhook.is_enabled);
    change.tx.set_has_webhooks(organization, has_webhooks).await?;
    Ok(())
}

/// The event of a change to a webhook, without the query of its URL, in which some receivers expect a secret of theirs.
fn described(event: Event, webhook: &Webhook) -> Event {
    event
        .on("webhook", webhook.id)
        .with("url", webhook.url.split(['?', '#']).next().unwrap_or_default())
        .with("events", webhook.events.clone())
        .with("enabled", webhook.is_enabled)
}
