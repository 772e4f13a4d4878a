//! `PATCH /v1/organizations/{org_id}/trust-policies/{policy_id}`.

use std::convert::Infallible;

use actix_web::patch;
use actix_web::web::{self, Data};
use authority::trust::{Trust, TrustPolicyEdit};
use serde::Deserialize;
use serde_json::{Map, Value};
use token_domain::id::{ActorId, ProjectId, TrustPolicyId};
use token_domain::text::Name;
use token_domain::trust::Conditions;
use utoipa::ToSchema;

use super::view::{self, TrustPolicyView};
use super::{Organization, error};
use crate::surface::Authorized;
use crate::surface::path::PathParam;
use crate::surface::permission::ManageTokens;
use crate::surface::projects::patch::Patch;
use edge::error::{ApiError, ApiResult};
use edge::extract::Json;

/// What to change; what is left out stays.
#[derive(Deserialize, ToSchema)]
struct EditTrustPolicy {
    /// 1–100 characters.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    name: Patch<String>,
    /// What `aud` must be; `null` for the public address of this deployment.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    audience: Patch<String>,
    /// What each claim must be, in place of all conditions before.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    r#match: Patch<Map<String, Value>>,
    /// 1–64 scopes, none beyond the caller's own.
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
    /// How long a token lives: 60–3600 seconds.
    #[serde(default)]
    #[schema(value_type = Option<u32>)]
    ttl: Patch<u32>,
    /// Whether it is in force.
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

/// Change a trust policy, or switch it off.
///
/// Its scopes must be the caller's own, also where they stay as they are; switching it off takes no scope beyond
/// `tokens:manage`.
#[utoipa::path(
    tag = "trust policies",
    security(("bearer" = ["tokens:manage"]), ("api_key" = ["tokens:manage"])),
    params(
        ("org_id" = String, Path, description = "the organisation's id"),
        ("policy_id" = String, Path, description = "the policy's id"),
    ),
    request_body = EditTrustPolicy,
    responses((status = 200, description = "in force from now on", body = TrustPolicyView))
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
                return Err(ApiError::invalid(field, "cannot be changed: make another policy"));
            }
        }
        Ok(TrustPolicyEdit {
            name: self.name.value("name", |text| Name::parse(text))?,
            audience: self.audience.change("audience", |text| view::audience(text))?,
            conditions: self.r#match.value("match", Conditions::read)?,
            scopes: self.scopes.value("scopes", |scopes| Ok::<_, Infallible>(scopes.clone()))?,
            project_id: self
                .project_id
                .change("project_id", |text| ProjectId::parse(text).map_err(|_| "must be the id of a project"))?,
            actor_id: self
                .actor_id
                .change("actor_id", |text| ActorId::parse(text).map_err(|_| "must be the id of an actor"))?,
            ttl_seconds: self.ttl.value("ttl", |seconds| view::ttl(*seconds))?,
            is_enabled: self.enabled.value("enabled", |enabled| Ok::<_, Infallible>(*enabled))?,
        })
    }
}
