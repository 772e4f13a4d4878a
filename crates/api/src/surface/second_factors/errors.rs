//! Errors of second factors as errors of the wire.

use authority::second_factors::SecondFactorError;

use crate::surface::failing;
use edge::codes::Code;
use edge::error::ApiError;

pub(in crate::surface) fn second_factor(error: SecondFactorError) -> ApiError {
    match error {
        SecondFactorError::NotSignedIn => ApiError::from(Code::Forbidden)
            .message("Sign in: setting up or removing a second factor requires a session, not a key or a token."),
        SecondFactorError::AlreadySet => Code::SecondFactorAlreadySet.into(),
        SecondFactorError::NotSet => Code::NoSecondFactor.into(),
        SecondFactorError::WrongCode => Code::WrongCode.into(),
        SecondFactorError::WrongPassword => {
            ApiError::from(Code::WrongPassword).message("Send the current password as `password`.")
        }
        SecondFactorError::SsoRequired => Code::ProofAtProvider.into(),
        SecondFactorError::TooMany(wait) => failing::too_many(wait),
        SecondFactorError::Refused(refused) => failing::refused(&refused),
        SecondFactorError::Failed(failure) => failing::failed(&failure),
    }
}
