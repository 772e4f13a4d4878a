//! `GET /v1/organizations/{org_id}/webhooks`: all webhooks on one page, ten at most.

use actix_web::get;
use actix_web::web::{self, Data};
use authority::webhooks::Webhooks;
use serde::Serialize;
use utoipa::ToSchema;

use super::view::WebhookView;
use super::{Organization, error};
use crate::surface::Authorized;
use crate::surface::path::PathParam;
use crate::surface::permission::WriteOrganization;
use edge::error::ApiResult;

/// The webhooks of the organisation, oldest first.
#[derive(Serialize, ToSchema)]
struct WebhookList {
    webhooks: Vec<WebhookView>,
}

/// List the webhooks.
#[utoipa::path(
    tag = "webhooks",
    security(("bearer" = ["org:write"]), ("api_key" = ["org:write"])),
    params(("org_id" = String, Path, description = "The id of the organisation.")),
    responses((status = 200, body = WebhookList))
)]
#[get("/v1/organizations/{org_id}/webhooks")]
pub(super) async fn list_webhooks(
    who: Authorized<WriteOrganization>,
    PathParam(Organization(id)): PathParam<Organization>,
    webhooks: Data<Webhooks>,
) -> ApiResult<web::Json<WebhookList>> {
    let webhooks = webhooks.list(&who.caller, id).await.map_err(error)?;
    Ok(web::Json(WebhookList { webhooks: webhooks.iter().map(WebhookView::from).collect() }))
}
