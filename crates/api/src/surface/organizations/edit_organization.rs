//! `PATCH /v1/organizations/{org_id}`: changes the name, whether members need a second factor, and what is done about leaked
//! tokens. The slug never changes, and only the operator changes the cap.

use std::convert::Infallible;

use actix_web::patch;
use actix_web::web::{self, Data};
use authority::organizations::{OrganizationChange, Organizations};
use serde::Deserialize;
use token_domain::leak::LeakAction;
use token_domain::person::SecondFactorRule;
use token_domain::text::{Name, Slug};
use utoipa::ToSchema;

use super::errors;
use super::place::Seated;
use super::view::OrganizationView;
use crate::surface::permission::WriteOrganization;
use crate::surface::projects::patch::Patch;
use edge::codes::Code;
use edge::error::{ApiError, ApiResult};
use edge::extract::Json;

/// The changes. Fields that are left out stay unchanged.
#[derive(Deserialize, ToSchema)]
struct EditOrganization {
    /// 1–100 characters.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    name: Patch<String>,
    /// The current slug, if sent at all; it cannot be changed.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    slug: Patch<String>,
    /// Whether members need a second factor. A session of a member without one can then only set one up.
    #[serde(default)]
    #[schema(value_type = Option<bool>)]
    require_second_factor: Patch<bool>,
    /// What is done with a token of the organisation that a code host reports as leaked: `revoke` it, `rotate_grace_1h`
    /// (it ends within an hour, and its successor's secret is shown to whoever rotates the successor), or only `notify`.
    /// Whoever holds a token can always revoke it.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    leak_action: Patch<String>,
    /// Whether tokens of the organisation are made under trust policies alone: none is created, imported or rotated any more.
    /// Those that exist are valid until they end. Personal keys and tokens of actors are not concerned.
    #[serde(default)]
    #[schema(value_type = Option<bool>)]
    trust_only: Patch<bool>,
    #[serde(default)]
    #[schema(ignore)]
    token_cap: Patch<serde::de::IgnoredAny>,
}

/// Change an organisation: its name, whether its members need a second factor, what is done about leaked tokens, and
/// whether workloads get tokens under trust policies alone.
///
/// What protects the organisation is changed by a session with a recent proof. A token of the organisation can only tighten
/// it: require a second factor, choose a stricter `leak_action`, or set `trust_only`.
#[utoipa::path(
    tag = "organizations",
    security(("bearer" = ["org:write"]), ("api_key" = ["org:write"])),
    params(("org_id" = String, Path, description = "The id of the organisation.")),
    request_body = EditOrganization,
    responses(
        (status = 200, body = OrganizationView),
        (status = 409, description = "The caller has no second factor and cannot require one of others.", body = crate::error_body::Error),
    )
)]
#[patch("/v1/organizations/{org_id}")]
pub(super) async fn edit_organization(
    at: Seated<WriteOrganization>,
    organizations: Data<Organizations>,
    Json(body): Json<EditOrganization>,
) -> ApiResult<web::Json<OrganizationView>> {
    let seen = organizations.edit(&at.seat, body.read()?, &at.origin).await.map_err(errors::organization)?;
    Ok(web::Json(seen.into()))
}

impl EditOrganization {
    fn read(self) -> ApiResult<OrganizationChange> {
        if !matches!(self.token_cap, Patch::Absent) {
            // Refused rather than ignored like an unknown field, because the caller would believe it set.
            return Err(ApiError::from(Code::TokenCapFixed).with("field", "token_cap"));
        }
        Ok(OrganizationChange {
            slug: self.slug.value("slug", |text| Slug::parse(text))?,
            name: self.name.value("name", |text| Name::parse(text))?,
            second_factor: self.require_second_factor.value("require_second_factor", |required| {
                Ok::<_, Infallible>(if *required { SecondFactorRule::Required } else { SecondFactorRule::Optional })
            })?,
            leak_action: self.leak_action.value("leak_action", |text| {
                LeakAction::parse(text).ok_or("must be revoke, rotate_grace_1h or notify")
            })?,
            trust_only: self.trust_only.value("trust_only", |trust_only| Ok::<_, Infallible>(*trust_only))?,
        })
    }
}
