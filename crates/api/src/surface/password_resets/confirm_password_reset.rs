//! `POST /v1/password-resets/confirm`: sets a new password by a mailed code.

use actix_web::web::Data;
use actix_web::{HttpResponse, post};
use authority::password_resets::PasswordResets;
use authority::people::NewPassword;
use serde::Deserialize;
use utoipa::ToSchema;
use zeroize::Zeroizing;

use crate::surface::{failing, origin};
use edge::error::{ApiError, ApiResult};
use edge::extract::Json;

/// The mailed code and the new password.
#[derive(Deserialize, ToSchema)]
struct ConfirmPasswordReset {
    #[schema(value_type = String)]
    code: Zeroizing<String>,
    /// The new password: 12–1024 characters.
    #[schema(value_type = String)]
    new_password: Zeroizing<String>,
}

/// Set a new password by a mailed code.
///
/// Ends all sessions of the person and sends them a message. It creates no session and keeps the second factor: sign in with
/// `POST /v1/sessions`. Personal keys stay valid.
#[utoipa::path(
    tag = "sessions",
    security(),
    request_body = ConfirmPasswordReset,
    responses(
        (status = 204, description = "The password is set, and all sessions of the person have ended."),
        (status = 401, description = "The code is not valid.", body = crate::error_body::Error),
    )
)]
#[post("/v1/password-resets/confirm")]
pub(super) async fn confirm_password_reset(
    from: origin::From,
    resets: Data<PasswordResets>,
    Json(body): Json<ConfirmPasswordReset>,
) -> ApiResult<HttpResponse> {
    let new =
        NewPassword::new(body.new_password).map_err(|error| ApiError::invalid("new_password", error.to_string()))?;
    resets.confirm(&body.code, new, &from.0).await.map_err(failing::reset)?;
    Ok(HttpResponse::NoContent().finish())
}
