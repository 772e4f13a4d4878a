//! `POST /v1/setup`: creates the first organisation and its owner, once, with the code that the server printed.

use actix_web::web::Data;
use actix_web::{HttpResponse, post};
use authority::people::NewPassword;
use authority::setup::{PendingSetup, Setup, SetupRequest};
use serde::{Deserialize, Serialize};
use token_domain::text::{Email, Name, Slug};
use utoipa::ToSchema;
use zeroize::Zeroizing;

use crate::surface::{failing, origin};
use edge::error::{ApiError, ApiResult};
use edge::extract::Json;

/// The first organisation and its owner.
#[derive(Deserialize, ToSchema)]
struct RunSetup {
    /// The code from the link that the server printed.
    #[schema(value_type = String)]
    code: Zeroizing<String>,
    /// The slug of the organisation: lower-case letters, digits and hyphens.
    organization: String,
    /// The name of the organisation. Defaults to the slug.
    #[serde(default)]
    organization_name: Option<String>,
    email: String,
    /// The name of the owner. Defaults to the e-mail address.
    #[serde(default)]
    name: Option<String>,
    /// The password of the owner: 12–1024 characters.
    #[schema(value_type = String)]
    password: Zeroizing<String>,
}

/// What the set-up created.
#[derive(Serialize, ToSchema)]
struct SetUpDone {
    org_id: String,
    user_id: String,
}

/// Set up a new deployment.
#[utoipa::path(
    tag = "setup",
    security(),
    request_body = RunSetup,
    responses(
        (status = 201, description = "Set up. Sign in next.", body = SetUpDone),
        (status = 403, description = "The code is wrong.", body = crate::error_body::Error),
        (status = 409, description = "The deployment is already set up.", body = crate::error_body::Error),
    )
)]
#[post("/v1/setup")]
pub(super) async fn run_setup(
    from: origin::From,
    setup: Data<Setup>,
    pending: Data<PendingSetup>,
    Json(body): Json<RunSetup>,
) -> ApiResult<HttpResponse> {
    let code = body.code.clone();
    let done = setup.run_with_code(pending.0.as_ref(), &code, body.read()?, &from.0).await.map_err(failing::setup)?;
    Ok(HttpResponse::Created()
        .json(SetUpDone { org_id: done.organization_id.to_string(), user_id: done.user_id.to_string() }))
}

impl RunSetup {
    fn read(self) -> ApiResult<SetupRequest> {
        let name = |field: &'static str, text: Option<String>| {
            let parsed = text.filter(|text| !text.trim().is_empty()).as_deref().map(Name::parse).transpose();
            parsed.map_err(|error| ApiError::invalid(field, error.to_string()))
        };
        Ok(SetupRequest {
            slug: Slug::parse(&self.organization)
                .map_err(|error| ApiError::invalid("organization", error.to_string()))?,
            organization_name: name("organization_name", self.organization_name)?,
            email: Email::parse(&self.email).map_err(|error| ApiError::invalid("email", error.to_string()))?,
            person_name: name("name", self.name)?,
            password: NewPassword::new(self.password)
                .map_err(|error| ApiError::invalid("password", error.to_string()))?,
        })
    }
}
