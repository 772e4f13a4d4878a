//! `GET /v1/organizations/{org_id}/webhooks/{webhook_id}`.

use actix_web::get;
use actix_web::web::{self, Data};
use authority::webhooks::Webhooks;
use token_domain::id::WebhookId;

use super::view::WebhookView;
use super::{Organization, error};
use crate::surface::Authorized;
use crate::surface::path::PathParam;
use crate::surface::permission::WriteOrganization;
use edge::error::ApiResult;

/// Get a webhook.
#[utoipa::path(
    tag = "webhooks",
    security(("bearer" = ["org:write"]), ("api_key" = ["org:write"])),
    params(
        ("org_id" = String, Path, description = "The id of the organisation."),
        ("webhook_id" = String, Path, description = "The id of the webhook."),
    ),
    responses((status = 200, body = WebhookView))
)]
#[get("/v1/organizations/{org_id}/webhooks/{webhook_id}")]
pub(super) async fn get_webhook(
    who: Authorized<WriteOrganization>,
    PathParam(Organization(organization)): PathParam<Organization>,
    PathParam(id): PathParam<WebhookId>,
    webhooks: Data<Webhooks>,
) -> ApiResult<web::Json<WebhookView>> {
    let webhook = webhooks.get(&who.caller, organization, id).await.map_err(error)?;
    Ok(web::Json(WebhookView::from(&webhook)))
}
