//! `GET /v1/organizations/{org_id}/trust-policies`: all policies on one page, a hundred at most.

use actix_web::get;
use actix_web::web::{self, Data};
use authority::trust::Trust;
use serde::Serialize;
use utoipa::ToSchema;

use super::view::TrustPolicyView;
use super::{Organization, error};
use crate::surface::Authorized;
use crate::surface::path::PathParam;
use crate::surface::permission::ReadTokens;
use edge::error::ApiResult;

/// The trust policies of the organisation, oldest first.
#[derive(Serialize, ToSchema)]
struct TrustPolicyList {
    trust_policies: Vec<TrustPolicyView>,
}

/// List the trust policies.
#[utoipa::path(
    tag = "trust policies",
    security(("bearer" = ["tokens:read"]), ("api_key" = ["tokens:read"])),
    params(("org_id" = String, Path, description = "The id of the organisation.")),
    responses((status = 200, body = TrustPolicyList))
)]
#[get("/v1/organizations/{org_id}/trust-policies")]
pub(super) async fn list_trust_policies(
    who: Authorized<ReadTokens>,
    PathParam(Organization(id)): PathParam<Organization>,
    trust: Data<Trust>,
) -> ApiResult<web::Json<TrustPolicyList>> {
    let policies = trust.list(&who.caller, id).await.map_err(error)?;
    let trust_policies = policies.iter().map(|policy| TrustPolicyView::new(policy, &trust)).collect();
    Ok(web::Json(TrustPolicyList { trust_policies }))
}
