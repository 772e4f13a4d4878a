//! Errors of second factors as errors of the wire.

use authority::second_factors::SecondFactorError;

use crate::surface::failing;
use edge::codes::Code;
use edge::error::ApiError;

pub(in crate::surface) fn second_factor(error: SecondFactorError) -> ApiError {
    match error {
        SecondFactorError::NotSignedIn => ApiError::from(Code::Forbidden)
            .message("Sign in: a second factor is set up and removed in a session, not with a key or a token."),
        SecondFactorError::AlreadySet => ApiError::from(Code::Conflict)
            .saying("second factor already set up")
            .message("Remove it first: DELETE /v1/me/totp."),
        SecondFactorError::NotSet => ApiError::from(Code::Conflict)
            .saying("no second factor")
            .message("Set one up: POST /v1/me/totp, then POST /v1/me/totp/confirm with a code of it."),
        SecondFactorError::WrongCode => wrong_code(),
        SecondFactorError::WrongPassword => ApiError::from(Code::Forbidden)
            .saying("wrong password")
            .message("Send the password in use now as `password`."),
        SecondFactorError::TooMany(wait) => failing::too_many(wait),
        SecondFactorError::Refused(refused) => failing::refused(&refused),
        SecondFactorError::Failed(failure) => failing::failed(&failure),
    }
}

fn wrong_code() -> ApiError {
    ApiError::from(Code::Forbidden)
        .saying("wrong code")
        .message("Send the code the app shows now; each is good once. Check the clock of the device.")
}
