//! A trust policy in requests and answers.

use authority::records::TrustPolicy;
use authority::trust::Trust;
use serde::Serialize;
use serde_json::{Map, Value};
use token_domain::trust::Conditions;
use utoipa::ToSchema;

use edge::error::{ApiError, ApiResult};

/// A trust policy.
#[derive(Serialize, ToSchema)]
#[schema(as = TrustPolicy)]
pub(super) struct TrustPolicyView {
    id: String,
    org_id: String,
    name: String,
    /// The identity provider: `github`, `gitlab`, `buildkite`, `circleci`, `terraform`, `spacelift`, `kubernetes` or
    /// `generic`.
    preset: &'static str,
    /// The issuer of the identity tokens.
    issuer: String,
    /// The required `aud` claim.
    audience: Option<String>,
    /// The conditions on claims: a string, `{"in": […]}` or `{"glob": …}`, where `*` does not match `/`.
    #[schema(value_type = Object)]
    r#match: Value,
    scopes: Vec<String>,
    /// The project that the tokens are bound to.
    project_id: Option<String>,
    /// The actor that the tokens belong to.
    actor_id: Option<String>,
    /// The lifetime of the tokens in seconds.
    ttl: u32,
    /// Whether the policy is enabled.
    enabled: bool,
    created_at: String,
    /// Who created the policy: `user:<id>`, `token:<id>` or `policy:<id>`.
    created_by: String,
    updated_at: String,
    /// Who created the policy: `user:<id>`, `token:<id>` or `policy:<id>`.
    updated_by: String,
    /// Weaknesses of the policy that its author should consider.
    warnings: Vec<TrustWarning>,
}

/// A weakness to consider.
#[derive(Serialize, ToSchema)]
struct TrustWarning {
    /// The claim that the warning is about.
    claim: &'static str,
    message: &'static str,
}

impl TrustPolicyView {
    pub(super) fn new(policy: &TrustPolicy, trust: &Trust) -> Self {
        let warnings = policy.preset.warnings(&policy.conditions);
        Self {
            id: policy.id.to_string(),
            org_id: policy.organization_id.to_string(),
            name: policy.name.to_string(),
            preset: policy.preset.as_str(),
            issuer: policy.issuer.clone(),
            audience: trust.audience_of(policy).map(str::to_owned),
            r#match: policy.conditions.written(),
            scopes: policy.scopes.clone(),
            project_id: policy.project_id.map(|id| id.to_string()),
            actor_id: policy.actor_id.map(|id| id.to_string()),
            ttl: policy.ttl_seconds,
            enabled: policy.is_enabled,
            created_at: policy.created_at.rfc3339_seconds(),
            created_by: policy.created_by.to_string(),
            updated_at: policy.updated_at.rfc3339_seconds(),
            updated_by: policy.updated_by.to_string(),
            warnings: warnings
                .into_iter()
                .map(|warning| TrustWarning { claim: warning.claim, message: warning.why })
                .collect(),
        }
    }
}

/// Parses conditions.
pub(super) fn conditions(object: &Map<String, Value>) -> ApiResult<Conditions> {
    Conditions::read(object).map_err(|error| ApiError::invalid("match", error.to_string()))
}
