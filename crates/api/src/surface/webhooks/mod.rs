//! Webhooks: endpoints of an organisation that are told of its events.
//!
//! All of it takes the right to change the organisation's settings, reading included: the URL of a receiver often holds a secret
//! of the receiver's.

mod create_webhook;
mod delete_webhook;
mod edit_webhook;
mod get_webhook;
mod list_deliveries;
mod list_webhooks;
mod replay_delivery;
mod rotate_webhook_secret;
pub mod sender;
mod test_webhook;
mod view;

use authority::webhooks::{EVENTS, MOST_WEBHOOKS, WebhookError};
use token_domain::id::{DeliveryId, WebhookId};
use utoipa_actix_web::service_config::ServiceConfig;

use super::failing;
use crate::surface::path::{Operations, Organization, Segment, Unreadable};
use edge::codes::Code;
use edge::error::{ApiError, ApiResult};

pub(super) fn register(config: &mut ServiceConfig<'_>) {
    config
        .service(list_webhooks::list_webhooks)
        .service(create_webhook::create_webhook)
        .service(list_deliveries::list_deliveries)
        .service(replay_delivery::replay_delivery)
        .service(rotate_webhook_secret::rotate_webhook_secret)
        .service(test_webhook::test_webhook)
        .service(get_webhook::get_webhook)
        .service(edit_webhook::edit_webhook)
        .service(delete_webhook::delete_webhook);
}

impl Segment<Operations> for WebhookId {
    const NAME: &'static str = "webhook_id";
    const UNREADABLE: Unreadable = Unreadable::NotFound;

    fn read(text: &str) -> Option<Self> {
        Self::parse(text).ok()
    }
}

impl Segment<Operations> for DeliveryId {
    const NAME: &'static str = "delivery_id";
    const UNREADABLE: Unreadable = Unreadable::NotFound;

    fn read(text: &str) -> Option<Self> {
        Self::parse(text).ok()
    }
}

/// An error of this family.
pub(super) fn error(error: WebhookError) -> ApiError {
    match error {
        WebhookError::NotFound => Code::NotFound.into(),
        WebhookError::Confined => {
            ApiError::from(Code::Forbidden).message("Use a credential that is not bound to one project.")
        }
        WebhookError::TooMany => ApiError::from(Code::TooManyWebhooks).with("limit", MOST_WEBHOOKS),
        // Only forms choose ids.
        WebhookError::Made(_) => Code::Conflict.into(),
        WebhookError::Off => Code::WebhooksOff.into(),
        WebhookError::Disabled => Code::WebhookDisabled.into(),
        WebhookError::Refused(refused) => failing::refused(&refused),
        WebhookError::Failed(failure) => failing::failed(&failure),
    }
}

/// Reads the types of events: each once, in the order of the catalogue.
fn events(asked: &[String]) -> ApiResult<Vec<String>> {
    if asked.is_empty() {
        return Err(ApiError::invalid("events", "must name at least one type of event"));
    }
    if let Some(unknown) = asked.iter().find(|asked| !EVENTS.iter().any(|(event, _)| event == asked)) {
        // Only what looks like a type of event is repeated: anything else could be a secret.
        let is_event = unknown.len() <= 64
            && unknown.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'.' || byte == b'_')
            && !token_domain::text::holds_secret(unknown);
        let shown = if is_event { unknown.as_str() } else { "a text in `events`" };
        return Err(
            ApiError::invalid("events", "must be types of events that webhooks are told of").with("unknown", shown)
        );
    }
    let wanted = EVENTS.iter().filter(|(event, _)| asked.iter().any(|asked| asked == event));
    Ok(wanted.map(|(event, _)| (*event).to_owned()).collect())
}
