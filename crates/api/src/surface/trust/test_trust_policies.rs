//! `POST …/trust-policies/test` and `POST …/trust-policies/{policy_id}/test`: whether an identity token would be
//! accepted, claim by claim. Nothing is exchanged.

use actix_web::post;
use actix_web::web::{self, Data};
use authority::trust::{Evidence, Explained, ExplainedPolicy, Issuers, Look, Trust};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use token_domain::id::{OrganizationId, TrustPolicyId};
use utoipa::ToSchema;
use zeroize::Zeroizing;

use super::{Organization, error};
use crate::surface::Authorized;
use crate::surface::path::PathParam;
use crate::surface::permission::ReadTokens;
use edge::error::{ApiError, ApiResult};
use edge::extract::Json;

/// What to test with: either `jwt` or `claims`.
#[derive(Deserialize, ToSchema)]
struct TestTrustPolicies {
    /// An identity token. The test does not use it up.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    jwt: Option<Zeroizing<String>>,
    /// The claims of an identity token, as an alternative to `jwt`.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    claims: Option<Map<String, Value>>,
}

/// The result of the test.
#[derive(Serialize, ToSchema)]
struct TrustTest {
    /// Whether a token would be issued.
    accepted: bool,
    /// The policy under which a token would be issued.
    policy_id: Option<String>,
    /// Why no token would be issued.
    message: Option<String>,
    /// The checks of the identity token itself; empty if `claims` were sent.
    checks: Vec<TrustCheck>,
    policies: Vec<TestedTrustPolicy>,
}

/// A check of the identity token itself.
#[derive(Serialize, ToSchema)]
struct TrustCheck {
    /// `signature`, `audience` or `time`.
    check: &'static str,
    passed: bool,
    message: Option<String>,
}

/// The result for one policy.
#[derive(Serialize, ToSchema)]
struct TestedTrustPolicy {
    policy_id: String,
    name: String,
    enabled: bool,
    /// Whether the policy accepts the identity token.
    accepted: bool,
    /// The issuer, the audience and each condition.
    claims: Vec<TestedClaim>,
    /// Why the policy refuses the token although all claims match: the policy would have to name this type of job
    /// explicitly.
    refused: Option<String>,
}

/// A condition and the claim that it was compared with.
#[derive(Serialize, ToSchema)]
struct TestedClaim {
    claim: String,
    /// The condition: a string, or `{"in": …}` or `{"glob": …}`.
    expected: String,
    /// The value of the claim; `null` if it is absent, or if it is an array or an object.
    actual: Option<String>,
    accepted: bool,
}

/// Test all trust policies of the organisation with an identity token.
#[utoipa::path(
    tag = "trust policies",
    security(("bearer" = ["tokens:read"]), ("api_key" = ["tokens:read"])),
    params(("org_id" = String, Path, description = "The id of the organisation.")),
    request_body = TestTrustPolicies,
    responses((status = 200, body = TrustTest))
)]
#[post("/v1/organizations/{org_id}/trust-policies/test")]
pub(super) async fn test_trust_policies(
    who: Authorized<ReadTokens>,
    PathParam(Organization(id)): PathParam<Organization>,
    trust: Data<Trust>,
    issuers: Data<dyn Issuers>,
    Json(body): Json<TestTrustPolicies>,
) -> ApiResult<web::Json<TrustTest>> {
    test(&who, (id, None), &trust, &**issuers, body).await
}

/// Test one trust policy with an identity token.
#[utoipa::path(
    tag = "trust policies",
    security(("bearer" = ["tokens:read"]), ("api_key" = ["tokens:read"])),
    params(
        ("org_id" = String, Path, description = "The id of the organisation."),
        ("policy_id" = String, Path, description = "The id of the policy."),
    ),
    request_body = TestTrustPolicies,
    responses((status = 200, body = TrustTest))
)]
#[post("/v1/organizations/{org_id}/trust-policies/{policy_id}/test")]
pub(super) async fn test_trust_policy(
    who: Authorized<ReadTokens>,
    PathParam(Organization(organization)): PathParam<Organization>,
    PathParam(id): PathParam<TrustPolicyId>,
    trust: Data<Trust>,
    issuers: Data<dyn Issuers>,
    Json(body): Json<TestTrustPolicies>,
) -> ApiResult<web::Json<TrustTest>> {
    test(&who, (organization, Some(id)), &trust, &**issuers, body).await
}

async fn test(
    who: &Authorized<ReadTokens>,
    (organization, id): (OrganizationId, Option<TrustPolicyId>),
    trust: &Trust,
    issuers: &dyn Issuers,
    body: TestTrustPolicies,
) -> ApiResult<web::Json<TrustTest>> {
    let evidence = match (&body.jwt, &body.claims) {
        (Some(jwt), None) => Evidence::Token(jwt),
        (None, Some(claims)) => Evidence::Claims(claims),
        _ => {
            return Err(ApiError::invalid(
                "jwt",
                "must be sent, unless claims is sent; both together are not accepted",
            ));
        }
    };
    let explained = trust.test(&who.caller, organization, id, evidence, issuers).await.map_err(error)?;
    Ok(web::Json(explained.into()))
}

impl From<Explained> for TrustTest {
    fn from(explained: Explained) -> Self {
        let check = |(check, look): Look| TrustCheck { check, passed: look.is_ok(), message: look.err() };
        Self {
            accepted: explained.chosen.is_some(),
            policy_id: explained.chosen.map(|id| id.to_string()),
            message: explained.why_not,
            checks: explained.looks.into_iter().map(check).collect(),
            policies: explained.policies.into_iter().map(TestedTrustPolicy::from).collect(),
        }
    }
}

impl From<ExplainedPolicy> for TestedTrustPolicy {
    fn from(explained: ExplainedPolicy) -> Self {
        let accepted = explained.fits();
        let claims = explained.judged.into_iter().map(|judged| TestedClaim {
            claim: judged.claim,
            expected: match judged.expected {
                Value::String(text) => text,
                other => other.to_string(),
            },
            actual: judged.actual,
            accepted: judged.is_met,
        });
        Self {
            policy_id: explained.policy.id.to_string(),
            name: explained.policy.name.to_string(),
            enabled: explained.policy.is_enabled,
            accepted,
            claims: claims.collect(),
            refused: explained.refusal.map(|refusal| refusal.why.to_owned()),
        }
    }
}
