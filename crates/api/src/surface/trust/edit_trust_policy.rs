//! `PATCH /v1/organizations/{org_id}/trust-policies/{policy_id}`.

use std::convert::Infallible;

use actix_web::patch;
use actix_web::web::{self, Data};
use authority::trust::{Trust, TrustPolicyEdit};
use serde::Deserialize;
use serde_json::{Map, Value};
use token_domain::id::{ActorId, ProjectId, TrustPolicyId};
use token_domain::text::Name;
use token_domain::trust::{self, Conditions};
use utoipa::ToSchema;

use super::view::TrustPolicyView;
use super::{Organization, error};
use crate::surface::Authorized;
use crate::surface::path::PathParam;
use crate::surface::permission::ManageTokens;
use crate::surface::projects::patch::Patch;
use edge::error::{ApiError, ApiResult};
use edge::extract::Json;

/// The changes. Fields that are left out stay unchanged.
#[derive(Deserialize, ToSchema)]
struct EditTrustPolicy {
    /// 1–100 characters.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    name: Patch<String>,
    /// The required `aud` claim; `null` for the public address of this deployment.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    audience: Patch<String>,
    /// The conditions on claims. They replace the current conditions.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    r#match: Patch<Map<String, Value>>,
    /// 1–64 scopes, which the caller must have as well.
    #[serde(default)]
    #[schema(value_type = Option<Vec<String>>)]
    scopes: Patch<Vec<String>>,
    /// A project to bind the tokens to; `null` for none.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    project_id: Patch<String>,
    /// An actor of that project; `null` for tokens of the organisation.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    actor_id: Patch<String>,
    /// The lifetime of the tokens: 60–3600 seconds.
    #[serde(default)]
    #[schema(value_type = Option<u32>)]
    ttl: Patch<u32>,
    /// Whether the policy is enabled.
    #[serde(default)]
    #[schema(value_type = Option<bool>)]
    enabled: Patch<bool>,
    #[serde(default)]
    #[schema(ignore)]
    issuer: Patch<serde::de::IgnoredAny>,
    #[serde(default)]
    #[schema(ignore)]
    preset: Patch<serde::de::IgnoredAny>,
}

/// Update or disable a trust policy.
///
/// The caller must have every scope of the policy, even if the scopes do not change. Disabling a policy requires only
/// `tokens:manage`.
#[utoipa::path(
    tag = "trust policies",
    security(("bearer" = ["tokens:manage"]), ("api_key" = ["tokens:manage"])),
    params(
        ("org_id" = String, Path, description = "The id of the organisation."),
        ("policy_id" = String, Path, description = "The id of the policy."),
    ),
    request_body = EditTrustPolicy,
    responses((status = 200, description = "The change is in force.", body = TrustPolicyView))
)]
#[patch("/v1/organizations/{org_id}/trust-policies/{policy_id}")]
pub(super) async fn edit_trust_policy(
    who: Authorized<ManageTokens>,
    PathParam(Organization(organization)): PathParam<Organization>,
    PathParam(id): PathParam<TrustPolicyId>,
    trust: Data<Trust>,
    Json(body): Json<EditTrustPolicy>,
) -> ApiResult<web::Json<TrustPolicyView>> {
    let policy = trust.edit(&who.caller, organization, id, body.read()?, &who.origin).await.map_err(error)?;
    Ok(web::Json(TrustPolicyView::new(&policy, &trust)))
}

impl EditTrustPolicy {
    fn read(self) -> ApiResult<TrustPolicyEdit> {
        for (field, sent) in [("issuer", &self.issuer), ("preset", &self.preset)] {
            if !matches!(sent, Patch::Absent) {
                // Refused rather than ignored like an unknown field, because the caller would believe it changed.
                return Err(ApiError::invalid(field, "cannot be changed: create another policy"));
            }
        }
        Ok(TrustPolicyEdit {
            name: self.name.value("name", |text| Name::parse(text))?,
            audience: self.audience.change("audience", |text| trust::audience(text))?,
            conditions: self.r#match.value("match", Conditions::read)?,
            scopes: self.scopes.value("scopes", |scopes| Ok::<_, Infallible>(scopes.clone()))?,
            project_id: self
                .project_id
                .change("project_id", |text| ProjectId::parse(text).map_err(|_| "must be the id of a project"))?,
            actor_id: self
                .actor_id
                .change("actor_id", |text| ActorId::parse(text).map_err(|_| "must be the id of an actor"))?,
            ttl_seconds: self.ttl.value("ttl", |seconds| trust::ttl(*seconds))?,
            is_enabled: self.enabled.value("enabled", |enabled| Ok::<_, Infallible>(*enabled))?,
        })
    }
}
