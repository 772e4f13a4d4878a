//! Maps all errors of organisations, members, roles and invitations to errors of the API.

use authority::organizations::OrganizationError;

use crate::surface::failing;
use edge::codes::Code;
use edge::error::ApiError;

/// An error of this family.
pub(in crate::surface) fn organization(error: OrganizationError) -> ApiError {
    match error {
        OrganizationError::NotFound => Code::NotFound.into(),
        OrganizationError::NotAPerson => forbidden("Sign in: this requires a person, and this credential does not belong to one."),
        OrganizationError::KeyRefused => ApiError::from(Code::SessionNeeded)
            .message("Sign in: only a signed-in person can relax what protects the organisation, and a personal key decides nothing about it."),
        OrganizationError::Confined => forbidden("Use a credential that is not bound to one project."),
        OrganizationError::Refused(refused) => failing::refused(&refused),
        OrganizationError::Excess(names) => ApiError::insufficient_scope(&names).message(
            "Use a credential that has all the scopes that you grant, change or remove. The scopes that it lacks are listed in `missing`.",
        ),
        OrganizationError::OwnersOnly => {
            forbidden("Ask an owner: only a signed-in owner can add, change or remove owners.")
        }
        OrganizationError::FoundingClosed => {
            forbidden("Ask the operator of this deployment to create the organisation.")
        }
        OrganizationError::OwnSecondFactorMissing => ApiError::from(Code::NoSecondFactor)
            .message("Set up a second factor for yourself before you require one of others: POST /v1/me/totp."),
        OrganizationError::SlugTaken => ApiError::from(Code::SlugTaken).with("field", "slug"),
        OrganizationError::SlugFixed => {
            ApiError::from(Code::SlugFixed).message("Leave the slug as it is.").with("field", "slug")
        }
        OrganizationError::LastOwner => Code::LastOwner.into(),
        OrganizationError::AlreadyMember => Code::AlreadyMember.into(),
        OrganizationError::AlreadyInvited(id) => {
            ApiError::from(Code::AlreadyInvited)
                .with("id", id.to_string())
        }
        OrganizationError::NoSuchPerson => ApiError::invalid(
            "user_id",
            "must be a person who shares an organisation with you; send `email` to invite anybody else",
        ),
        OrganizationError::NoSuchRole => super::unknown_role(),
        OrganizationError::BuiltIn(role) => {
            ApiError::from(Code::RoleBuiltIn)
                .with("role", role.as_str())
        }
        OrganizationError::RoleNameTaken => {
            ApiError::from(Code::RoleNameTaken).with("field", "name")
        }
        OrganizationError::TooManyRoles(most) => {
            ApiError::from(Code::TooManyRoles).with("limit", most)
        }
        OrganizationError::Scopes(error) => failing::scopes(&error, "scopes"),
        OrganizationError::InvalidInvitation => Code::InvalidInvitation.into(),
        OrganizationError::PasswordNeeded => ApiError::invalid(
            "password",
            "is required unless you are signed in: the password of your account, or a new one if you have no account",
        ),
        OrganizationError::Password(error) => ApiError::invalid("password", error.to_string()),
        OrganizationError::WrongPassword => ApiError::from(Code::InvalidCredentials)
            .message("Send the password of your account, or sign in and accept with the session."),
        OrganizationError::SessionNeeded => ApiError::from(Code::SecondFactorRequired)
            .message("Sign in with your second factor, and accept with the session."),
        OrganizationError::ForSomebodyElse => forbidden("Sign in with the address that was invited."),
        OrganizationError::TooMany(wait) => {
            ApiError::too_many_requests(u64::try_from(wait.retry_after.as_seconds()).unwrap_or(1).max(1))
        }
        OrganizationError::Overtaken => ApiError::from(Code::Conflict).message("Another change happened at the same time. Send the request again."),
        OrganizationError::Failed(failure) => failing::failed(&failure),
    }
}

fn forbidden(message: &'static str) -> ApiError {
    ApiError::from(Code::Forbidden).message(message)
}
