//! `POST /v1/organizations/{org_id}/webhooks/{webhook_id}/deliveries/{delivery_id}/replay`.

use actix_web::web::Data;
use actix_web::{HttpResponse, post};
use authority::webhooks::Webhooks;
use token_domain::id::{DeliveryId, WebhookId};

use super::view::DeliveryView;
use super::{Organization, error};
use crate::surface::Authorized;
use crate::surface::path::PathParam;
use crate::surface::permission::WriteOrganization;
use edge::error::ApiResult;

/// Send an event to a webhook again.
///
/// The message has the same `webhook-id` and body as before. A delivery that is pending stays as it is.
#[utoipa::path(
    tag = "webhooks",
    security(("bearer" = ["org:write"]), ("api_key" = ["org:write"])),
    params(
        ("org_id" = String, Path, description = "The id of the organisation."),
        ("webhook_id" = String, Path, description = "The id of the webhook."),
        ("delivery_id" = String, Path, description = "The id of the delivery."),
    ),
    responses(
        (status = 202, description = "The event is queued.", body = DeliveryView),
        (status = 409, description = "The webhook is disabled.", body = crate::error_body::Error),
    )
)]
#[post("/v1/organizations/{org_id}/webhooks/{webhook_id}/deliveries/{delivery_id}/replay")]
pub(super) async fn replay_delivery(
    who: Authorized<WriteOrganization>,
    PathParam(Organization(organization)): PathParam<Organization>,
    PathParam(id): PathParam<WebhookId>,
    PathParam(delivery): PathParam<DeliveryId>,
    webhooks: Data<Webhooks>,
) -> ApiResult<HttpResponse> {
    let replayed = webhooks.replay(&who.caller, organization, id, delivery, &who.origin).await.map_err(error)?;
    Ok(HttpResponse::Accepted().json(DeliveryView::from(replayed)))
}
