//! `PATCH /v1/organizations/{org_id}/webhooks/{webhook_id}`.

use std::convert::Infallible;

use actix_web::patch;
use actix_web::web::{self, Data};
use authority::webhooks::{Targets, WebhookEdit, Webhooks};
use serde::Deserialize;
use token_domain::access::Description;
use token_domain::id::WebhookId;
use utoipa::ToSchema;

use super::view::WebhookView;
use super::{Organization, error, events};
use crate::surface::Authorized;
use crate::surface::path::PathParam;
use crate::surface::permission::WriteOrganization;
use crate::surface::projects::patch::Patch;
use edge::error::ApiResult;
use edge::extract::Json;

/// The changes. Fields that are left out stay unchanged.
#[derive(Deserialize, ToSchema)]
struct EditWebhook {
    /// Where events are sent: an https URL.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    url: Patch<String>,
    /// The types of events to send. They replace the current ones.
    #[serde(default)]
    #[schema(value_type = Option<Vec<String>>)]
    events: Patch<Vec<String>>,
    /// Whether events are sent. Events of the time while a webhook is disabled are not sent later.
    #[serde(default)]
    #[schema(value_type = Option<bool>)]
    enabled: Patch<bool>,
    /// What the webhook is for: up to 500 characters; `null` for nothing.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    description: Patch<String>,
}

/// Update or disable a webhook.
#[utoipa::path(
    tag = "webhooks",
    security(("bearer" = ["org:write"]), ("api_key" = ["org:write"])),
    params(
        ("org_id" = String, Path, description = "The id of the organisation."),
        ("webhook_id" = String, Path, description = "The id of the webhook."),
    ),
    request_body = EditWebhook,
    responses((status = 200, description = "The change is in force.", body = WebhookView))
)]
#[patch("/v1/organizations/{org_id}/webhooks/{webhook_id}")]
pub(super) async fn edit_webhook(
    who: Authorized<WriteOrganization>,
    PathParam(Organization(organization)): PathParam<Organization>,
    PathParam(id): PathParam<WebhookId>,
    webhooks: Data<Webhooks>,
    targets: Data<dyn Targets>,
    Json(body): Json<EditWebhook>,
) -> ApiResult<web::Json<WebhookView>> {
    let asked = body.read(&**targets)?;
    let webhook = webhooks.edit(&who.caller, organization, id, asked, &who.origin).await.map_err(error)?;
    Ok(web::Json(WebhookView::from(&webhook)))
}

impl EditWebhook {
    fn read(self, targets: &dyn Targets) -> ApiResult<WebhookEdit> {
        let asked = self.events.value("events", |events| Ok::<_, Infallible>(events.clone()))?;
        Ok(WebhookEdit {
            url: self.url.value("url", |url| targets.check(url).map(|()| url.clone()))?,
            events: asked.map(|asked| events(&asked)).transpose()?,
            is_enabled: self.enabled.value("enabled", |enabled| Ok::<_, Infallible>(*enabled))?,
            description: self
                .description
                .change("description", |text| Description::parse(text).map(|text| text.as_str().to_owned()))?,
        })
    }
}
