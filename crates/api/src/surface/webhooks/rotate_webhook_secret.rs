//! `POST /v1/organizations/{org_id}/webhooks/{webhook_id}/rotate-secret`.

use actix_web::http::header::CACHE_CONTROL;
use actix_web::web::Data;
use actix_web::{HttpResponse, post};
use authority::webhooks::Webhooks;
use token_domain::id::WebhookId;

use super::view::WithSecret;
use super::{Organization, error};
use crate::surface::Authorized;
use crate::surface::path::PathParam;
use crate::surface::permission::WriteOrganization;
use edge::error::ApiResult;

/// Replace the secret of a webhook.
///
/// For 24 hours, messages carry a signature of each secret. The new one is only in this answer.
#[utoipa::path(
    tag = "webhooks",
    security(("bearer" = ["org:write"]), ("api_key" = ["org:write"])),
    params(
        ("org_id" = String, Path, description = "The id of the organisation."),
        ("webhook_id" = String, Path, description = "The id of the webhook."),
    ),
    responses((status = 200, description = "Replaced.", body = WithSecret))
)]
#[post("/v1/organizations/{org_id}/webhooks/{webhook_id}/rotate-secret")]
pub(super) async fn rotate_webhook_secret(
    who: Authorized<WriteOrganization>,
    PathParam(Organization(organization)): PathParam<Organization>,
    PathParam(id): PathParam<WebhookId>,
    webhooks: Data<Webhooks>,
) -> ApiResult<HttpResponse> {
    let rotated = webhooks.rotate_secret(&who.caller, organization, id, &who.origin).await;
    let (webhook, secret) = rotated.map_err(error)?;
    let shown = WithSecret::new(&webhook, &secret);
    Ok(HttpResponse::Ok().insert_header((CACHE_CONTROL, "no-store")).json(shown))
}
