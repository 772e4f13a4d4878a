//! `GET /v1/organizations/{org_id}/webhooks/{webhook_id}/deliveries`: lists deliveries, sent and pending ones, newest first.

use actix_web::get;
use actix_web::web::{self, Data};
use authority::webhooks::Webhooks;
use serde::Serialize;
use token_domain::id::{DeliveryId, WebhookId};
use utoipa::ToSchema;

use super::view::DeliveryView;
use super::{Organization, error};
use crate::surface::Authorized;
use crate::surface::page::ShortPageQuery;
use crate::surface::path::PathParam;
use crate::surface::permission::WriteOrganization;
use edge::error::ApiResult;
use edge::extract::Query;

/// A page of deliveries.
#[derive(Serialize, ToSchema)]
struct DeliveryList {
    deliveries: Vec<DeliveryView>,
    /// The cursor of the next page; `null` on the last page.
    next_cursor: Option<String>,
}

/// List the deliveries of a webhook.
///
/// Deliveries are kept for 30 days.
#[utoipa::path(
    tag = "webhooks",
    security(("bearer" = ["org:write"]), ("api_key" = ["org:write"])),
    params(
        ("org_id" = String, Path, description = "The id of the organisation."),
        ("webhook_id" = String, Path, description = "The id of the webhook."),
        ShortPageQuery,
    ),
    responses((status = 200, body = DeliveryList))
)]
#[get("/v1/organizations/{org_id}/webhooks/{webhook_id}/deliveries")]
pub(super) async fn list_deliveries(
    who: Authorized<WriteOrganization>,
    PathParam(Organization(organization)): PathParam<Organization>,
    PathParam(id): PathParam<WebhookId>,
    Query(query): Query<ShortPageQuery>,
    webhooks: Data<Webhooks>,
) -> ApiResult<web::Json<DeliveryList>> {
    let before = query.after(DeliveryId::parse)?;
    let limit = query.limit.0;
    let found = webhooks.deliveries(&who.caller, organization, id, before, limit).await.map_err(error)?;
    let is_full = found.len() >= usize::try_from(limit).unwrap_or(usize::MAX);
    let next_cursor = found.last().filter(|_| is_full).map(|last| last.id.to_string());
    Ok(web::Json(DeliveryList { deliveries: found.into_iter().map(DeliveryView::from).collect(), next_cursor }))
}
