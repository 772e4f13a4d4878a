//! `POST /v1/organizations/{org_id}/trust-policies`.

use actix_web::web::Data;
use actix_web::{HttpResponse, post};
use authority::trust::{Issuers, NewTrustPolicy, Trust};
use serde::Deserialize;
use serde_json::{Map, Value};
use token_domain::id::{ActorId, ProjectId};
use token_domain::text::Name;
use token_domain::trust::{self, Preset};
use utoipa::ToSchema;

use super::view::{self, TrustPolicyView};
use super::{Organization, error};
use crate::surface::Authorized;
use crate::surface::path::PathParam;
use crate::surface::permission::ManageTokens;
use crate::surface::projects::patch::read;
use edge::error::{ApiError, ApiResult};
use edge::extract::Json;

/// The trust policy to create.
#[derive(Deserialize, ToSchema)]
struct CreateTrustPolicy {
    /// 1–100 characters. Tokens issued under the policy have the same name.
    name: String,
    /// The identity provider. Defaults to the one that a shared issuer belongs to, otherwise `generic`.
    #[serde(default)]
    preset: Option<String>,
    /// The issuer of the identity tokens, exactly as in `iss`. May be left out for `github`, `buildkite` and
    /// `terraform`.
    #[serde(default)]
    issuer: Option<String>,
    /// The required `aud` claim. Defaults to the public address of this deployment.
    #[serde(default)]
    audience: Option<String>,
    /// The conditions on claims, all of which must hold: a string, `{"in": […]}` or `{"glob": …}`, where `*` does not
    /// match `/`. A claim name that begins with `/` is a path into a JSON object. A policy for an issuer that is shared
    /// by all its customers needs a condition on a claim that cannot be transferred, such as a numeric id.
    #[schema(value_type = Object)]
    r#match: Map<String, Value>,
    /// 1–64 scopes, which the caller must have as well.
    scopes: Vec<String>,
    /// A project to bind the tokens to.
    #[serde(default)]
    project_id: Option<String>,
    /// An actor of that project. The tokens then belong to the actor.
    #[serde(default)]
    actor_id: Option<String>,
    /// The lifetime of the tokens: 60–3600 seconds. Defaults to 900.
    #[serde(default)]
    ttl: Option<u32>,
    /// Whether the policy is enabled. Defaults to `true`.
    #[serde(default)]
    enabled: Option<bool>,
}

/// Create a trust policy for the workloads of an identity provider.
///
/// A workload that presents an identity token of the issuer whose claims meet all conditions gets a short-lived token
/// from `POST /v1/oauth/token`.
#[utoipa::path(
    tag = "trust policies",
    security(("bearer" = ["tokens:manage"]), ("api_key" = ["tokens:manage"])),
    params(("org_id" = String, Path, description = "The id of the organisation.")),
    request_body = CreateTrustPolicy,
    responses(
        (status = 201, description = "Created and in force.", body = TrustPolicyView),
        (status = 409, description = "The organisation has the maximum number of trust policies.", body = crate::error_body::Error),
    )
)]
#[post("/v1/organizations/{org_id}/trust-policies")]
pub(super) async fn create_trust_policy(
    who: Authorized<ManageTokens>,
    PathParam(Organization(id)): PathParam<Organization>,
    trust: Data<Trust>,
    issuers: Data<dyn Issuers>,
    Json(body): Json<CreateTrustPolicy>,
) -> ApiResult<HttpResponse> {
    let asked = body.read(&**issuers)?;
    let policy = trust.create(&who.caller, id, asked, &who.origin).await.map_err(error)?;
    Ok(HttpResponse::Created().json(TrustPolicyView::new(&policy, &trust)))
}

impl CreateTrustPolicy {
    fn read(self, issuers: &dyn Issuers) -> ApiResult<NewTrustPolicy> {
        let preset = |text: &str| Preset::parse(text).ok_or_else(|| names().join(", "));
        let preset = self.preset.as_deref().map(preset).transpose();
        let preset = preset.map_err(|names| ApiError::invalid("preset", format!("must be one of {names}")))?;
        Ok(NewTrustPolicy {
            name: Name::parse(&self.name).map_err(|error| ApiError::invalid("name", error.to_string()))?,
            preset,
            issuer: read("issuer", self.issuer.as_ref(), |text| issuers.check(text).map(|()| text.to_owned()))?,
            audience: read("audience", self.audience.as_ref(), trust::audience)?,
            conditions: view::conditions(&self.r#match)?,
            scopes: self.scopes,
            project_id: read("project_id", self.project_id.as_ref(), |text| {
                ProjectId::parse(text).map_err(|_| "must be the id of a project")
            })?,
            actor_id: read("actor_id", self.actor_id.as_ref(), |text| {
                ActorId::parse(text).map_err(|_| "must be the id of an actor")
            })?,
            ttl_seconds: trust::ttl(self.ttl.unwrap_or(trust::DEFAULT_TTL))
                .map_err(|error| ApiError::invalid("ttl", error))?,
            is_enabled: self.enabled.unwrap_or(true),
        })
    }
}

fn names() -> [&'static str; 8] {
    Preset::ALL.map(Preset::as_str)
}
