//! `PATCH /v1/me`.

use actix_web::patch;
use actix_web::web::{self, Data};
use authority::Context;
use authority::people::People;
use serde::Deserialize;
use token_domain::text::{Email, Name};
use utoipa::ToSchema;

use super::view::MeView;
use crate::surface::permission::WriteSelf;
use crate::surface::{Authorized, failing};
use edge::error::{ApiError, ApiResult};
use edge::extract::Json;

/// The changes. Fields that are left out stay unchanged.
#[derive(Deserialize, ToSchema)]
struct EditMe {
    #[serde(default)]
    name: Option<String>,
    /// The new e-mail address. Requires a session with a recent proof: `POST /v1/sessions/current/proof`.
    #[serde(default)]
    email: Option<String>,
}

/// Change your name or request a change of your e-mail address.
///
/// A new address is shown as `pending_email` and has no effect until it is verified. Where mail is configured, a code is sent
/// to it: verify it with `POST /v1/me/email`. An address is also verified by accepting an invitation sent to it, or by the
/// operator of the deployment. Requesting your current address sends a code if it is not verified. The response does not
/// reveal whether another account uses the address.
#[utoipa::path(
    tag = "me",
    security(("bearer" = ["user:write"]), ("api_key" = ["user:write"])),
    request_body = EditMe,
    responses(
        (status = 200, body = MeView),
        (status = 429, description = "There were too many requests for addresses.", body = crate::error_body::Error),
    )
)]
#[patch("/v1/me")]
pub(super) async fn edit_me(
    who: Authorized<WriteSelf>,
    people: Data<People>,
    context: Data<Context>,
    Json(body): Json<EditMe>,
) -> ApiResult<web::Json<MeView>> {
    let name = body.name.as_deref().map(Name::parse).transpose();
    let name = name.map_err(|error| ApiError::invalid("name", error.to_string()))?;
    let email = body.email.as_deref().map(Email::parse).transpose();
    let email = email.map_err(|error| ApiError::invalid("email", error.to_string()))?;
    let me = people.edit_me(&who.caller, name, email, &who.origin).await.map_err(failing::person)?;
    Ok(web::Json(MeView::new(me, &who.caller, &context)))
}
