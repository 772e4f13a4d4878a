//! `GET /v1/organizations/{org_id}/trust-policies/{policy_id}/attempts`: the exchanges tried under a policy, newest
//! first.

use actix_web::get;
use actix_web::web::{self, Data};
use authority::records::TrustAttempt;
use authority::trust::Trust;
use serde::Serialize;
use token_domain::id::TrustPolicyId;
use utoipa::ToSchema;

use super::{Organization, error};
use crate::surface::Authorized;
use crate::surface::path::PathParam;
use crate::surface::permission::ReadTokens;
use edge::error::ApiResult;

/// The last hundred attempts.
#[derive(Serialize, ToSchema)]
struct TrustAttemptList {
    attempts: Vec<TrustAttemptView>,
}

/// An exchange attempt with an identity token signed by the issuer.
#[derive(Serialize, ToSchema)]
#[schema(as = TrustAttempt)]
struct TrustAttemptView {
    id: String,
    at: String,
    /// The outcome: `exchanged`, `wrong_audience`, `not_valid_now`, `claims_differ`, `refused_by_default`,
    /// `policy_disabled`, `ambiguous`, `replayed`, `scopes_exceeded` or `limits`.
    outcome: &'static str,
    /// The first claim that did not match its condition.
    claim: Option<String>,
    /// The `sub` claim of the identity token.
    subject: Option<String>,
    /// The address of the client.
    address: Option<String>,
    /// The id of the issued token.
    token_id: Option<String>,
}

impl From<TrustAttempt> for TrustAttemptView {
    fn from(attempt: TrustAttempt) -> Self {
        Self {
            id: attempt.id.to_string(),
            at: attempt.at.rfc3339_seconds(),
            outcome: attempt.outcome.as_str(),
            claim: attempt.claim,
            subject: attempt.subject,
            address: attempt.address,
            token_id: attempt.token_id.map(|id| id.to_string()),
        }
    }
}

/// List the recent exchange attempts under a trust policy.
///
/// Only attempts whose token was signed by the issuer and that come from the workloads of this policy.
#[utoipa::path(
    tag = "trust policies",
    security(("bearer" = ["tokens:read"]), ("api_key" = ["tokens:read"])),
    params(
        ("org_id" = String, Path, description = "The id of the organisation."),
        ("policy_id" = String, Path, description = "The id of the policy."),
    ),
    responses((status = 200, body = TrustAttemptList))
)]
#[get("/v1/organizations/{org_id}/trust-policies/{policy_id}/attempts")]
pub(super) async fn list_trust_attempts(
    who: Authorized<ReadTokens>,
    PathParam(Organization(organization)): PathParam<Organization>,
    PathParam(id): PathParam<TrustPolicyId>,
    trust: Data<Trust>,
) -> ApiResult<web::Json<TrustAttemptList>> {
    let attempts = trust.attempts(&who.caller, organization, id).await.map_err(error)?;
    Ok(web::Json(TrustAttemptList { attempts: attempts.into_iter().map(TrustAttemptView::from).collect() }))
}
