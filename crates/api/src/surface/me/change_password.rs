//! `POST /v1/me/password`: changes the password and ends all other sessions.

use actix_web::web::Data;
use actix_web::{HttpResponse, post};
use authority::people::{NewPassword, People};
use serde::Deserialize;
use utoipa::ToSchema;
use zeroize::Zeroizing;

use crate::surface::permission::WriteSelf;
use crate::surface::{Authorized, failing};
use edge::error::{ApiError, ApiResult};
use edge::extract::Json;

/// The current and the new password.
#[derive(Deserialize, ToSchema)]
struct ChangePassword {
    #[schema(value_type = String)]
    current_password: Zeroizing<String>,
    /// The new password: 12–1024 characters.
    #[schema(value_type = String)]
    new_password: Zeroizing<String>,
}

/// Change your password.
#[utoipa::path(
    tag = "me",
    security(("bearer" = ["user:write"])),
    request_body = ChangePassword,
    responses(
        (status = 204, description = "Changed. All other sessions have ended."),
        (status = 429, description = "There were too many wrong passwords.", body = crate::error_body::Error),
    )
)]
#[post("/v1/me/password")]
pub(super) async fn change_password(
    who: Authorized<WriteSelf>,
    people: Data<People>,
    Json(body): Json<ChangePassword>,
) -> ApiResult<HttpResponse> {
    let new =
        NewPassword::new(body.new_password).map_err(|error| ApiError::invalid("new_password", error.to_string()))?;
    people.change_password(&who.caller, body.current_password, new, &who.origin).await.map_err(failing::person)?;
    Ok(HttpResponse::NoContent().finish())
}
