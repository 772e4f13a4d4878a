//! `DELETE /v1/organizations/{org_id}/webhooks/{webhook_id}`.

use actix_web::web::Data;
use actix_web::{HttpResponse, delete};
use authority::webhooks::Webhooks;
use token_domain::id::WebhookId;

use super::{Organization, error};
use crate::surface::Authorized;
use crate::surface::path::PathParam;
use crate::surface::permission::WriteOrganization;
use edge::error::ApiResult;

/// Delete a webhook, with its deliveries.
#[utoipa::path(
    tag = "webhooks",
    security(("bearer" = ["org:write"]), ("api_key" = ["org:write"])),
    params(
        ("org_id" = String, Path, description = "The id of the organisation."),
        ("webhook_id" = String, Path, description = "The id of the webhook."),
    ),
    responses((status = 204, description = "Deleted."))
)]
#[delete("/v1/organizations/{org_id}/webhooks/{webhook_id}")]
pub(super) async fn delete_webhook(
    who: Authorized<WriteOrganization>,
    PathParam(Organization(organization)): PathParam<Organization>,
    PathParam(id): PathParam<WebhookId>,
    webhooks: Data<Webhooks>,
) -> ApiResult<HttpResponse> {
    webhooks.delete(&who.caller, organization, id, &who.origin).await.map_err(error)?;
    Ok(HttpResponse::NoContent().finish())
}
