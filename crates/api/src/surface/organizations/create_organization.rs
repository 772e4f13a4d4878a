//! `POST /v1/organizations`: creates a further organisation, whose owner is the caller.

use actix_web::web::Data;
use actix_web::{HttpResponse, post};
use authority::organizations::{NewOrganization, Organizations};
use serde::Deserialize;
use token_domain::text::{Name, Slug};
use utoipa::ToSchema;

use super::errors;
use super::view::OrganizationView;
use crate::surface::Authorized;
use crate::surface::permission::WriteOrganization;
use edge::error::{ApiError, ApiResult};
use edge::extract::Json;

/// The organisation to create.
#[derive(Deserialize, ToSchema)]
struct CreateOrganization {
    /// At most 100 lower-case letters, digits and inner hyphens. Cannot be changed later.
    #[schema(example = "acme")]
    slug: String,
    /// 1–100 characters. Defaults to the slug.
    #[serde(default)]
    name: Option<String>,
}

/// Create an organisation.
#[utoipa::path(
    tag = "organizations",
    security(("bearer" = ["org:write"]), ("api_key" = ["org:write"])),
    request_body = CreateOrganization,
    responses(
        (status = 201, description = "Created. Sign in to it next.", body = OrganizationView),
        (status = 409, description = "The slug is taken.", body = crate::error_body::Error),
    )
)]
#[post("/v1/organizations")]
pub(super) async fn create_organization(
    who: Authorized<WriteOrganization>,
    organizations: Data<Organizations>,
    Json(body): Json<CreateOrganization>,
) -> ApiResult<HttpResponse> {
    let made = organizations.create(&who.caller, body.read()?, &who.origin).await.map_err(errors::organization)?;
    Ok(HttpResponse::Created().json(OrganizationView::from(made)))
}

impl CreateOrganization {
    fn read(self) -> ApiResult<NewOrganization> {
        let name = self.name.as_deref().map(Name::parse).transpose();
        Ok(NewOrganization {
            slug: Slug::parse(&self.slug).map_err(|error| ApiError::invalid("slug", error.to_string()))?,
            name: name.map_err(|error| ApiError::invalid("name", error.to_string()))?,
        })
    }
}
