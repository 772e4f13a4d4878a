//! `POST /v1/organizations/{org_id}/webhooks/{webhook_id}/test`.

use actix_web::web::Data;
use actix_web::{HttpResponse, post};
use authority::webhooks::Webhooks;
use token_domain::id::WebhookId;

use super::view::DeliveryView;
use super::{Organization, error};
use crate::surface::Authorized;
use crate::surface::path::PathParam;
use crate::surface::permission::WriteOrganization;
use edge::error::ApiResult;

/// Send a test event to a webhook.
///
/// The event has the type `webhook.test`. It is sent in the background; the deliveries show what became of it.
#[utoipa::path(
    tag = "webhooks",
    security(("bearer" = ["org:write"]), ("api_key" = ["org:write"])),
    params(
        ("org_id" = String, Path, description = "The id of the organisation."),
        ("webhook_id" = String, Path, description = "The id of the webhook."),
    ),
    responses(
        (status = 202, description = "The event is queued.", body = DeliveryView),
        (status = 409, description = "The webhook is disabled.", body = crate::error_body::Error),
    )
)]
#[post("/v1/organizations/{org_id}/webhooks/{webhook_id}/test")]
pub(super) async fn test_webhook(
    who: Authorized<WriteOrganization>,
    PathParam(Organization(organization)): PathParam<Organization>,
    PathParam(id): PathParam<WebhookId>,
    webhooks: Data<Webhooks>,
) -> ApiResult<HttpResponse> {
    let delivery = webhooks.test(&who.caller, organization, id, &who.origin).await.map_err(error)?;
    Ok(HttpResponse::Accepted().json(DeliveryView::from(delivery)))
}
