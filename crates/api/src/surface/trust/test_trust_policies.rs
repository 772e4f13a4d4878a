//! `POST …/trust-policies/test` and `POST …/trust-policies/{policy_id}/test`: whether an identity token would be
//! accepted, claim by claim. Nothing is exchanged.

use actix_web::post;
use actix_web::web::{self, Data};
use authority::Context;
use authority::trust::jwt::Jwt;
use authority::trust::{Explained, ExplainedPolicy, Presented, Trust};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use token_domain::id::{OrganizationId, TrustPolicyId};
use utoipa::ToSchema;
use zeroize::Zeroizing;

use super::issuer_keys::IssuerKeys;
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
    keys: Data<IssuerKeys>,
    context: Data<Context>,
    Json(body): Json<TestTrustPolicies>,
) -> ApiResult<web::Json<TrustTest>> {
    test(&who, (id, None), &trust, &keys, &context, body).await
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
    keys: Data<IssuerKeys>,
    context: Data<Context>,
    Json(body): Json<TestTrustPolicies>,
) -> ApiResult<web::Json<TrustTest>> {
    test(&who, (organization, Some(id)), &trust, &keys, &context, body).await
}

async fn test(
    who: &Authorized<ReadTokens>,
    (organization, id): (OrganizationId, Option<TrustPolicyId>),
    trust: &Trust,
    keys: &IssuerKeys,
    context: &Data<Context>,
    body: TestTrustPolicies,
) -> ApiResult<web::Json<TrustTest>> {
    let policies = trust.explained(&who.caller, organization, id).await.map_err(error)?;
    let explained = match (body.jwt, body.claims) {
        (Some(jwt), None) => {
            let jwt = Jwt::read(&jwt).map_err(|error| ApiError::invalid("jwt", error.to_string()))?;
            let issuer = jwt.issuer().map_err(|error| ApiError::invalid("jwt", error.to_string()))?;
            // Only issuers that the organisation trusts: otherwise callers could make this service send requests to any
            // URL.
            let is_trusted = policies.iter().any(|policy| policy.issuer == issuer);
            let found = if is_trusted { keys.of(issuer, &jwt, context).await.ok() } else { None };
            trust.explain(&Presented::Token(&jwt, found.as_deref()), policies)
        }
        (None, Some(claims)) => trust.explain(&Presented::Claims(&claims), policies),
        _ => {
            return Err(ApiError::invalid(
                "jwt",
                "must be sent, unless claims is sent; both together are not accepted",
            ));
        }
    };
    Ok(web::Json(explained.into()))
}

impl From<Explained> for TrustTest {
    fn from(explained: Explained) -> Self {
        let check = |(check, look): (&'static str, Result<(), String>)| TrustCheck {
            check,
            passed: look.is_ok(),
            message: look.err(),
        };
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
