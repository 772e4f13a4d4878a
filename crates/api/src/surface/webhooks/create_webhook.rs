//! `POST /v1/organizations/{org_id}/webhooks`.

use actix_web::http::header::CACHE_CONTROL;
use actix_web::web::Data;
use actix_web::{HttpResponse, post};
use authority::webhooks::{NewWebhook, Targets, Webhooks};
use serde::Deserialize;
use token_domain::access::Description;
use utoipa::ToSchema;

use super::view::WithSecret;
use super::{Organization, error, events};
use crate::surface::Authorized;
use crate::surface::path::PathParam;
use crate::surface::permission::WriteOrganization;
use crate::surface::projects::patch::read;
use edge::error::{ApiError, ApiResult};
use edge::extract::Json;

/// The webhook to create.
#[derive(Deserialize, ToSchema)]
struct CreateWebhook {
    /// Where events are sent: an https URL. Addresses of private networks are refused unless the operator allows them.
    url: String,
    /// The types of events to send.
    events: Vec<String>,
    /// Whether events are sent. Defaults to `true`.
    #[serde(default)]
    enabled: Option<bool>,
    /// What the webhook is for: up to 500 characters.
    #[serde(default)]
    description: Option<String>,
}

/// Create a webhook.
///
/// Events are sent in the form of Standard Webhooks: a JSON object with `type`, `timestamp` and `data`, and the headers
/// `webhook-id`, `webhook-timestamp` and `webhook-signature`. The secret for the signature is only in this answer.
#[utoipa::path(
    tag = "webhooks",
    security(("bearer" = ["org:write"]), ("api_key" = ["org:write"])),
    params(("org_id" = String, Path, description = "The id of the organisation.")),
    request_body = CreateWebhook,
    responses(
        (status = 201, description = "Created. Events from now on are sent.", body = WithSecret),
        (status = 409, description = "The organisation has the maximum number of webhooks.", body = crate::error_body::Error),
    )
)]
#[post("/v1/organizations/{org_id}/webhooks")]
pub(super) async fn create_webhook(
    who: Authorized<WriteOrganization>,
    PathParam(Organization(id)): PathParam<Organization>,
    webhooks: Data<Webhooks>,
    targets: Data<dyn Targets>,
    Json(body): Json<CreateWebhook>,
) -> ApiResult<HttpResponse> {
    let asked = body.read(&**targets)?;
    let (webhook, secret) = webhooks.create(&who.caller, id, asked, &who.origin).await.map_err(error)?;
    let shown = WithSecret::new(&webhook, &secret);
    Ok(HttpResponse::Created().insert_header((CACHE_CONTROL, "no-store")).json(shown))
}

impl CreateWebhook {
    fn read(self, targets: &dyn Targets) -> ApiResult<NewWebhook> {
        targets.check(&self.url).map_err(|why| ApiError::invalid("url", why))?;
        let description = read("description", self.description.as_ref(), Description::parse)?;
        Ok(NewWebhook {
            once: None,
            events: events(&self.events)?,
            description: description.map(|description| description.as_str().to_owned()),
            is_enabled: self.enabled.unwrap_or(true),
            url: self.url,
        })
    }
}
